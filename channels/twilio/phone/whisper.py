"""The agent's side: who calls and about what, 1 takes the call, and whose it is when two press at once.

The first who presses 1 has a claim. What they hear then ends in one more question, to /call/connected: Twilio asks it only
while that phone is still on the line, so that request is what makes the claim a connection. A claim that is ten seconds
old without it is open to the next one.
"""

import msgspec

from channels.contract import Happened
from channels.twilio.phone import menu, twiml
from channels.twilio.phone.moment import Answer, Line, Moment
from channels.twilio.phone.state import Claim, State

CLAIM_S = 10
_PRESSING = frozenset({"urgent", "high"})  # priorities that are said, each by the sentence of its name
_replace = msgspec.structs.replace


def told(moment: Moment, state: State) -> Answer:
    """Tell an agent who has picked up what the call is, and ask for 1."""
    if not _rings(moment, state):
        return _late(moment, state)
    return Answer(state, _ask(moment, _words(moment, state), tries=1))


def _ask(moment: Moment, lines: tuple[Line, ...], *, tries: int) -> str:
    query = moment.request.query
    url = moment.url("call/accept", a=_agent(moment), of=moment.request.call, r=query.get("r"), n=tries)
    return twiml.asked_agent(moment, url, (*lines, moment.line(moment.options.staff_language, "take")))


def _words(moment: Moment, state: State) -> tuple[Line, ...]:
    """Team, choice, language in itself, who it may be, how long they wait, what tags say, whether it is urgent."""
    spoken, placed = moment.options.staff_language, moment.view.placed
    team = placed.team if placed is not None else None
    lines = [moment.line(spoken, "call_for", team=team) if team else moment.line(spoken, "call")]
    choice = menu.named(moment.options.menu, state.choice or "")
    if choice is not None and "{key}" not in choice.said(spoken):
        lines.append(moment.line(spoken, "about", what=choice.said(spoken)))
    if len(moment.options.languages) > 1 and not state.is_guessed:
        lines.append(moment.line(state.language, "language_name"))
    if placed is not None and placed.customer:
        lines.append(moment.line(spoken, "caller", name=placed.customer[:60]))
    minutes = int((moment.at - state.started_at).total_seconds() // 60)
    if minutes > 0:
        lines.append(moment.line(spoken, "waited", minutes=minutes))
    if placed is not None:
        told = moment.options.whisper
        lines += [Line(told[tag].get(spoken, ""), spoken) for tag in placed.tags if tag in told]
        lines += [moment.line(spoken, placed.priority)] if placed.priority in _PRESSING else []
    return tuple(lines)


def accepted(moment: Moment, state: State) -> Answer:
    """1 takes the call; another key is asked again once; none is a no."""
    if not _rings(moment, state):
        return _late(moment, state)
    digit = moment.request.digit
    if digit == "1":
        return _claim(moment, state)
    if digit and moment.request.n <= 1:
        return Answer(state, _ask(moment, (moment.line(moment.options.staff_language, "not_used"),), tries=2))
    agent = _agent(moment)
    declined = moment.happened("declined", agent=agent)
    return Answer(_without(state, agent), twiml.good_bye(moment, ()), (declined,))


def _claim(moment: Moment, state: State) -> Answer:
    agent, old = _agent(moment), state.claim
    happened: list[Happened] = []
    if old is not None and old.agent != agent:
        happened.append(moment.happened("claim_expired", agent=old.agent))
    if old is None or old.agent != agent:
        happened.append(moment.happened("accepted", agent=agent))
    claim = Claim(agent=agent, leg=moment.request.leg, at=moment.at)
    query = moment.request.query
    url = moment.url("call/connected", a=agent, of=moment.request.call, r=query.get("r"))
    yours = moment.line(moment.options.staff_language, "yours")
    return Answer(_replace(state, claim=claim), twiml.told_agent(moment, url, [yours]), tuple(happened))


def connected(moment: Moment, state: State) -> Answer:
    """The phone that pressed 1 is still there: the call is its agent's, and nobody else rings."""
    claim = state.claim
    if claim is None or (claim.agent, claim.leg) != (_agent(moment), moment.request.leg):
        return _late(moment, state)
    if claim.state != "claimed":
        return Answer(state, twiml.EMPTY)
    owned = _replace(state, claim=_replace(claim, state="connected"), ringing=(claim.agent,))
    return Answer(owned, twiml.EMPTY, (moment.happened("connected", agent=claim.agent),))


def leg(moment: Moment, state: State) -> Answer:
    """An agent's phone has rung, was picked up, or is done: done means that it is free again."""
    agent, claim = _agent(moment), state.claim
    if not moment.request.is_over or not _is_of_this_round(moment, state):
        return Answer(state, twiml.EMPTY)
    if claim is None or claim.agent != agent:
        return Answer(_without(state, agent), twiml.EMPTY)
    if claim.state == "connected":
        over = _replace(state, claim=_replace(claim, state="over"), ringing=())
        return Answer(over, twiml.EMPTY, (moment.happened("agent_left"),))
    if claim.state == "claimed":
        lost = moment.happened("claim_expired", agent=agent)
        return Answer(_without(_replace(state, claim=None), agent), twiml.EMPTY, (lost,))
    return Answer(state, twiml.EMPTY)


def _agent(moment: Moment) -> str:
    return moment.request.query.get("a", "")[:80]


def _is_of_this_round(moment: Moment, state: State) -> bool:
    return moment.request.query.get("r", "") == str(state.round)


def _rings(moment: Moment, state: State) -> bool:
    """Whether this phone may (still) take the call."""
    agent, claim = _agent(moment), state.claim
    if state.phase != "dialing" or agent not in state.ringing or not _is_of_this_round(moment, state):
        return False
    if claim is None or (claim.agent == agent and claim.state == "claimed"):
        return True
    is_old = (moment.at - claim.at).total_seconds() >= CLAIM_S
    return claim.state == "claimed" and is_old


def _late(moment: Moment, state: State) -> Answer:
    """Tell an agent that it is too late, and why. No other call rings that phone until it has been said."""
    is_taken = state.claim is not None and state.claim.agent != _agent(moment)
    key = "taken" if is_taken else "gone"
    return Answer(state, twiml.good_bye(moment, [moment.line(moment.options.staff_language, key)]))


def _without(state: State, agent: str) -> State:
    return _replace(state, ringing=tuple(each for each in state.ringing if each != agent))
