"""Whether an agent takes more of one medium: available, busy, away. Beside being away altogether (intake.presence).

    available   new tickets of the medium are given to them, up to their capacity
    busy        nothing new of it; what is theirs stays theirs, and their customers are answered by them
    away        nothing new of it; what a customer writes on a ticket of theirs goes on to somebody who is there

A chat is "live" for a page's visitors while somebody on duty is available for it and has room (intake.availability). It is
said for as long as it holds, or until an instant, and then ends by itself: nothing has to run for it.
"""

from typing import Literal

import msgspec
from sqlalchemy import bindparam, select

from intake import alarms, events, instants, tickets
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement, upsert

Presence = Literal["available", "busy", "away"]
PRESENCES: tuple[Presence, ...] = ("available", "busy", "away")

_NOTHING = "{}"
_s = schema.agent_state.c
_MEDIA = Statement(select(_s.media).where(_s.name == bindparam("name")))
_SAID = Statement(select(_s.media).where(_s.media != _NOTHING))
_SAY = Statement(
    upsert(schema.agent_state)
    .values(name=bindparam("name"), media=bindparam("media"))
    .on_conflict_do_update(index_elements=[_s.name], set_={"media": bindparam("media")})
)


class Said(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an agent said of a medium. since, until: microseconds UTC; until None = until they say otherwise."""

    presence: Presence
    since: int
    until: int | None = None

    def holds(self, now_us: int) -> bool:
        return self.presence != "available" and (self.until is None or self.until > now_us)


_decode = msgspec.json.Decoder(dict[str, Said]).decode
_encode = msgspec.json.Encoder(order="sorted").encode


def holding(media: str, *, now_us: int) -> dict[str, str]:
    """Return medium -> "busy" or "away" as it holds now. media: a row's text."""
    if media == _NOTHING:  # nearly always, and this is read for every ticket
        return {}
    return {medium: said.presence for medium, said in read(media).items() if said.holds(now_us)}


def read(media: str) -> dict[str, Said]:
    """Return medium -> what was said of it, over or not. media: a row's text."""
    return {} if media == _NOTHING else _decode(media)


def of_agent(tx: Tx, name: str) -> dict[str, Said]:
    """Return medium -> what holds of it; one that is not named: they are available."""
    row = tx.one(_MEDIA, name=name)
    known = {} if row is None else _decode(row[0])
    return {medium: said for medium, said in known.items() if said.holds(tx.now)}


def is_away(tx: Tx, name: str, medium: str) -> bool:
    """Whether the agent is away for a medium; who is away altogether is looked for in intake.agents."""
    said = of_agent(tx, name).get(medium)
    return said is not None and said.presence == "away"


def next_end(tx: Tx) -> int | None:
    """Return when the first agent is available again for some medium, microseconds UTC; None = nobody has said when."""
    said = (each for row in tx.all(_SAID) for each in _decode(row[0]).values())
    return min((each.until for each in said if each.until is not None and each.holds(tx.now)), default=None)


def say(
    tx: Tx, name: str, medium: str, presence: Presence, *, by: str, until_us: int | None = None
) -> Said | None:
    """Note what holds of a medium from now on; None = it was so already. until_us: microseconds UTC, None = no end.

    Who becomes available is given what waits, at once or when the time they named has come.
    """
    tx.lock("agent", name)
    known = of_agent(tx, name)
    before = known.get(medium)
    same = before is None if presence == "available" else _is_same(before, presence, until_us)
    if same:
        return None
    said = Said(presence, tx.now, None if presence == "available" else until_us)
    kept = {each: value for each, value in known.items() if each != medium}
    if presence != "available":
        kept[medium] = said
    tx.run(_SAY, name=name, media=_encode(kept).decode())
    until = instants.rfc3339_from_us(said.until)
    events.record(
        tx,
        "agent_presence",
        actor=f"agent:{by}",
        agent=name,
        medium=medium,
        presence=presence,
        until=until,
    )
    if presence == "available":
        tickets.somebody_is_free(tx)
    elif until_us is not None:
        alarms.ring(tx, tickets.WAITING, until_us)
    return said


def _is_same(before: Said | None, presence: Presence, until_us: int | None) -> bool:
    return before is not None and (before.presence, before.until) == (presence, until_us)
