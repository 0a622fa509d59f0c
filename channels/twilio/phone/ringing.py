"""Rounds of ringing: who, in which order, until somebody has the call, nobody is left, or time is up.

A round is those of one level who know as much as each other: all at once, or one. Nobody rings twice for a call. When
somebody picks up, Twilio ends the ringing of the others, maybe before 1 is pressed: they have rung all the same.
"""

import msgspec

from channels.contract import Free
from channels.twilio.phone import options as settings
from channels.twilio.phone import twiml, voicemail
from channels.twilio.phone.moment import Answer, Line, Moment, is_number
from channels.twilio.phone.state import MAX_RUNG, State

HOLD_LOOK_S = 8
_replace = msgspec.structs.replace


def go_on(moment: Moment, state: State, lead: tuple[Line, ...] = ()) -> Answer:
    """Ring the next round; wait when everybody speaks and nobody has rung yet; else take a message."""
    since = state.rung_since
    if since is not None and (moment.at - since).total_seconds() >= moment.options.ring_max_s:
        return give_up(moment, state, "unanswered")
    phones = next_round(moment, state)
    if phones:
        return _ring(moment, state, phones, lead)
    if state.rung:
        return give_up(moment, state, "unanswered")
    if moment.view.placed is not None and not moment.view.placed.is_staffed:
        return give_up(moment, state, "nobody")
    return _hold(moment, state)


def next_round(moment: Moment, state: State) -> dict[str, str]:
    """Agent -> phone of those who ring next, in the order of the ring list; {} = there is nobody (left)."""
    placed = moment.view.placed
    left = [] if placed is None or len(state.rung) >= MAX_RUNG else _left(placed.ring, state)
    if not left:
        return {}
    first = left[0]
    size = 1 if moment.options.ring == "turn" else settings.RING_AT_ONCE
    alike = [each for each in left if (each.level, each.has_all) == (first.level, first.has_all)]
    phones: dict[str, str] = {}
    for each in alike[:size]:
        if each.phone not in phones.values():
            phones[each.agent] = each.phone
    return phones


def _left(ring: tuple[Free, ...], state: State) -> list[Free]:
    return [each for each in ring if each.agent not in state.rung and is_number(each.phone)]


def _ring(moment: Moment, state: State, phones: dict[str, str], lead: tuple[Line, ...]) -> Answer:
    agents = tuple(phones)
    state = _replace(
        state,
        phase="dialing",
        rung=(*state.rung, *agents),
        ringing=agents,
        round=state.round + 1,
        rung_since=state.rung_since or moment.at,
    )
    told = moment.happened("ringing", agents=list(agents))
    return Answer(state, twiml.ring(moment, state, phones, lead), (told,))


def dialed(moment: Moment, state: State) -> Answer:
    """Go on when the ringing is over: good-bye after a talk, else the next round."""
    claim, form = state.claim, moment.request.form
    is_bridged = form.get("DialBridged")
    was_connected = claim is not None and claim.state != "claimed"
    if is_bridged == "true" or (was_connected and is_bridged != "false"):
        return _talked(moment, state)
    told = moment.happened(
        "unanswered", agents=list(state.ringing), status=form.get("DialCallStatus", "")[:20]
    )
    state = _replace(state, ringing=(), claim=None)
    return go_on(moment, state, (moment.line(state.language, "trying"),)).after(told)


def _talked(moment: Moment, state: State) -> Answer:
    """The agent has hung up, the customer is still there."""
    claim, told = state.claim, []
    if claim is not None and claim.state == "claimed":
        told.append(moment.happened("connected", agent=claim.agent))
    if claim is None or claim.state != "over":
        told.append(moment.happened("agent_left"))
    said = twiml.good_bye(moment, [moment.line(state.language, "goodbye")])
    ended = None if claim is None else _replace(claim, state="over")
    return Answer(voicemail.leaving(_replace(state, claim=ended), "answered"), said, tuple(told))


def _hold(moment: Moment, state: State) -> Answer:
    """Let the caller wait until somebody is free, or until 1 is pressed."""
    since = state.held_since or moment.at
    if (moment.at - since).total_seconds() >= moment.options.hold_s:
        return give_up(moment, state, "nobody")
    first = state.held_since is None
    lines = [moment.line(state.language, "busy")] if first else []
    url = moment.turn_url("call/hold", state)
    reply = twiml.waiting(moment, url, lines, language=state.language, seconds=HOLD_LOOK_S)
    return Answer(_replace(state, phase="holding", held_since=since), reply)


def held(moment: Moment, state: State) -> Answer:
    """Look again for somebody; 1 = the caller would rather leave a message."""
    if moment.request.digit == "1":
        return voicemail.offer(moment, state, "asked", ())
    return go_on(moment, state)


def give_up(moment: Moment, state: State, why: str) -> Answer:
    """Nobody takes the call: take a message."""
    return voicemail.offer(moment, state, why, (moment.line(state.language, "nobody"),))
