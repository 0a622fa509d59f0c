"""What is known of one call, put together from what was told of it, in whatever order and however often.

Everything told is one of two sorts. What can happen again (a choice, a ring) is kept once for each instant and detail.
What is true of a call, or of a recording, once (its start, its end, its price) is one entry: several accounts of it are
merged, detail by detail. So `merged` gives the same timeline for every order and repetition of what was told; the rest follows from it.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from channels.contract import Happened

ONCE = frozenset({"started", "ended", "menu_done"})
PRICED = "priced"  # once for the customer's leg, once for the agents'
OF_RECORDING = frozenset({"recorded", "transcribed"})
WHYS = (
    "answered", "voicemail", "hung_up_waiting", "closed", "failed", "hung_up_in_menu", "no_message",
)  # fmt: skip
"""Why a call ended, what says most first: "no_message" is also what is said of a call of which nothing is known."""

_OUTCOMES = {
    "answered": "answered",
    "voicemail": "voicemail",
    "no_message": "missed",
    "hung_up_waiting": "missed",
    "closed": "missed",
    "failed": "failed",
    "hung_up_in_menu": "hung_up",
}
_UNREACHED = frozenset(
    {"busy", "no-answer", "canceled"}
)  # Twilio's words for a call of ours that nobody took

_encode = msgspec.json.Encoder(order="deterministic").encode


class Recording(msgspec.Struct, frozen=True):
    """What was recorded. name: the provider's; why: "voicemail" or "call"."""

    name: str
    why: str
    duration_s: int = 0


class Transcript(msgspec.Struct, frozen=True):
    """What somebody said, in writing. confidence: 0 to 1, None = nobody says."""

    text: str
    language: str | None = None
    confidence: float | None = None


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What a timeline comes to. agent: whose call it is. outcome: None = it is under way. Instants: aware UTC.

    wait_s: from the start to a person, or to the end without one. talk_s: with a person, None = there was none.
    open_ref: the ticket that the caller says it is about. is_placeable: enough is known to make it a ticket.
    """

    started_at: datetime | None = None
    language: str | None = None
    choices: tuple[str, ...] = ()
    open_ref: str | None = None
    is_placeable: bool = False
    rung: tuple[str, ...] = ()
    agent: str | None = None
    connected_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: str | None = None
    why: str | None = None
    wait_s: int | None = None
    talk_s: int | None = None
    price: str | None = None
    recordings: tuple[Recording, ...] = ()
    transcript: Transcript | None = None

    @property
    def choice(self) -> str | None:
        return self.choices[-1] if self.choices else None


def merged(timeline: Iterable[Happened], told: Iterable[Happened]) -> tuple[Happened, ...]:
    """Return a timeline with what was told added, in the order in which it happened."""
    known: dict[bytes, Happened] = {}
    for each in (*timeline, *told):
        name = name_of(each)
        known[name] = _both(known[name], each) if name in known else each
    return tuple(sorted(known.values(), key=_place))


def name_of(each: Happened) -> bytes:
    """Return what two accounts of the same thing have in common."""
    if each.what in ONCE:
        return each.what.encode()
    if each.what == PRICED:
        return f"{PRICED} {each.details.get('of', '')}".encode()
    if each.what in OF_RECORDING and each.details.get("recording"):
        return f"{each.what} {each.details['recording']} {each.details.get('by', '')}".encode()
    return _encode(each)


def state(timeline: Sequence[Happened], *, direction: str = "in") -> State:
    """Return what a timeline comes to. timeline: as `merged` gives it. direction: "out" = we called."""
    first = {each.what: each for each in reversed(timeline)}
    ended, done, began = first.get("ended"), first.get("menu_done"), first.get("started")
    agent, connected_at = _owner(timeline)
    recordings = tuple(_recordings(timeline))
    outcome, why = _outcome(ended, first, direction=direction, recordings=recordings, agent=agent)
    started_at = began.at if began is not None else timeline[0].at if timeline else None
    ended_at = ended.at if ended is not None else None
    return State(
        started_at=started_at,
        language=_language(timeline) or (began.details.get("language") if began else None),
        choices=_choices(timeline, done),
        open_ref=done.details.get("open_ref") if done is not None else None,
        is_placeable=done is not None or outcome is not None or "text_asked" in first,
        rung=tuple(_rung(timeline)),
        agent=agent,
        connected_at=connected_at,
        ended_at=ended_at,
        outcome=outcome,
        why=why,
        wait_s=_between(started_at, connected_at or ended_at),
        talk_s=_between(connected_at, _talk_ended(timeline, ended)),
        price=_price(timeline),
        recordings=recordings,
        transcript=_transcript(timeline),
    )


def _choices(timeline: Sequence[Happened], done: Happened | None) -> tuple[str, ...]:
    """Return the ids that were chosen; what the menu came to is the last one."""
    chosen = [each.details.get("id", "") for each in timeline if each.what == "chose"]
    last = done.details.get("choice") if done is not None else None
    return (*(each for each in chosen if each != last), last) if last else tuple(chosen)


def _rung(timeline: Sequence[Happened]) -> dict[str, None]:
    """Return who was rung, in order, each once."""
    rings = (each.details.get("agents", ()) for each in timeline if each.what == "ringing")
    return dict.fromkeys(name for agents in rings for name in agents)


def _both(one: Happened, other: Happened) -> Happened:
    """Merge two accounts of the same thing: the earlier instant, and of each detail what says most."""
    details = dict(one.details)
    for name, value in other.details.items():
        details[name] = _stronger(name, details[name], value) if name in details else value
    return Happened(one.what, min(one.at, other.at), details)


def _stronger(name: str, one: Any, other: Any) -> Any:
    """Return one of two values, the same whichever comes first."""
    if name == "why":
        return min((one, other), key=lambda each: WHYS.index(each) if each in WHYS else len(WHYS))
    if one is None or other is None:
        return other if one is None else one
    return max((one, other), key=_encode)


_ORDER = (
    "started", "language", "consent", "announced", "text_asked", "chose", "missed_key", "menu_done", "declined", "unanswered", "ringing",
    "claim_expired", "accepted", "connected", "agent_left", "voicemail_offered", "recorded", "transcribed", "ended", "priced",
)  # fmt: skip


def _place(each: Happened) -> tuple[datetime, int, bytes]:
    rank = _ORDER.index(each.what) if each.what in _ORDER else len(_ORDER)
    return each.at, rank, _encode(each.details)


def _owner(timeline: Sequence[Happened]) -> tuple[str | None, datetime | None]:
    """Return whose call it is, and since when they speak: the first to be connected, else who accepted last."""
    for each in timeline:
        if each.what == "connected":
            return each.details.get("agent"), each.at
    claim = next((each for each in reversed(timeline) if each.what in ("accepted", "claim_expired")), None)
    if claim is None or claim.what == "claim_expired":
        return None, None
    ended = next((each for each in timeline if each.what == "ended"), None)
    if ended is None:
        return claim.details.get("agent"), None
    is_answered = ended.details.get("why") == "answered"
    return (claim.details.get("agent"), claim.at) if is_answered else (None, None)


def _outcome(
    ended: Happened | None,
    first: dict[str, Happened],
    *,
    direction: str,
    recordings: Sequence[Recording],
    agent: str | None,
) -> tuple[str | None, str | None]:
    """Return how it came out, and why; None = it is under way."""
    why = ended.details.get("why") if ended is not None else None
    if "connected" in first:
        is_over = ended is not None or "agent_left" in first
        return ("answered", "answered") if is_over else (None, None)
    if any(each.why == "voicemail" for each in recordings):
        return "voicemail", "voicemail"
    if ended is None:
        return None, None
    if why == "answered" and agent is None:
        why = "hung_up_waiting"  # nobody is known who could have
    if why in _OUTCOMES:
        return _OUTCOMES[why], why
    return _guessed(ended, first, direction=direction), None


def _guessed(ended: Happened, first: dict[str, Happened], *, direction: str) -> str:
    """Say how a call came out whose end only the provider tells of."""
    status = ended.details.get("status")
    if status == "failed":
        return "failed"
    if direction == "out" or status in _UNREACHED:
        return "missed"
    has_waited = not first.keys().isdisjoint(("menu_done", "ringing", "voicemail_offered"))
    was_in_menu = not first.keys().isdisjoint(("language", "chose", "missed_key", "announced"))
    return "hung_up" if was_in_menu and not has_waited else "missed"


def _recordings(timeline: Iterable[Happened]) -> Iterator[Recording]:
    seen = set()
    for each in timeline:
        name = each.details.get("recording")
        if each.what == "recorded" and name and name not in seen:
            seen.add(name)
            yield Recording(
                name, each.details.get("why", "voicemail"), int(each.details.get("duration_s") or 0)
            )


def _transcript(timeline: Sequence[Happened]) -> Transcript | None:
    """Return what was said last in writing, of what has words."""
    for each in reversed(timeline):
        if each.what == "transcribed" and each.details.get("text"):
            details = each.details
            return Transcript(details["text"], details.get("language"), details.get("confidence"))
    return None


def _price(timeline: Iterable[Happened]) -> str | None:
    """Return what all legs cost together ("-0.0085 USD"); of what cannot be added up, one after the other."""
    prices = [str(each.details.get("price", "")) for each in timeline if each.what == PRICED]
    if len(prices) < 2:
        return prices[0] if prices else None
    amounts, units = zip(*(price.partition(" ")[::2] for price in prices), strict=True)
    try:
        total = sum(map(Decimal, amounts), Decimal())
    except InvalidOperation:
        return " and ".join(prices)
    return f"{total} {units[0]}".strip() if len(set(units)) == 1 else " and ".join(prices)


def _language(timeline: Sequence[Happened]) -> Any:
    """Which language was chosen; None = none, or the first one for want of an answer."""
    return _last([each for each in timeline if each.details.get("by") != "default"], "language", "language")


def _last(timeline: Sequence[Happened], what: str, detail: str) -> Any:
    return next(
        (each.details[detail] for each in reversed(timeline) if each.what == what and detail in each.details),
        None,
    )


def _talk_ended(timeline: Sequence[Happened], ended: Happened | None) -> datetime | None:
    left = next((each.at for each in timeline if each.what == "agent_left"), None)
    return left or (ended.at if ended is not None else None)


def _between(start: datetime | None, end: datetime | None) -> int | None:
    if start is None or end is None:
        return None
    return max(int((end - start).total_seconds()), 0)
