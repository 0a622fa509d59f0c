"""What is known of each schedule: who has it, since when, and when to look again. One row for each.

The rows follow the rules: a schedule that the rules change is looked at anew at once, one that they no longer have is
forgotten. Who is on call is never read from here: see intake.oncall.
"""

from hashlib import sha256

import msgspec
from sqlalchemy import BigInteger, bindparam, cast, func, select

from intake import instants, oncall
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement, upsert
from routing import schedule as schedules_of
from routing.rulebook import Rulebook
from routing.schedule import Schedule

_encode = msgspec.json.Encoder(order="deterministic").encode
_t = schema.oncall_turns.c
_COLUMNS = (_t.schedule, _t.spec, _t.revision, _t.changed_at, _t.agent, _t.since_at, _t.next_at, _t.told)
_SPECS = Statement(select(_t.schedule, _t.spec))
_ONE = Statement(select(*_COLUMNS).where(_t.schedule == bindparam("schedule")))
_DUE = Statement(select(_t.schedule).where(_t.next_at <= bindparam("now")).order_by(_t.next_at, _t.schedule))
_AHEAD = Statement(select(_t.schedule, _t.next_at).where(_t.next_at.is_not(None)).order_by(_t.next_at))
_NEXT = Statement(select(func.min(_t.next_at)))
_BEGIN = Statement(
    upsert(schema.oncall_turns)
    .values(
        {name: bindparam(name) for name in ("schedule", "spec", "changed_at", "agent", "since_at", "next_at")}
    )
    .on_conflict_do_nothing(index_elements=[_t.schedule])
)
_RESPELL = Statement(
    schema.oncall_turns.update()
    .where(_t.schedule == bindparam("of_schedule"))
    .values(
        spec=bindparam("spec"),
        revision=_t.revision + 1,
        changed_at=bindparam("now"),
        next_at=cast(bindparam("now"), BigInteger()),
    )
)
_FORGET = Statement(schema.oncall_turns.delete().where(_t.schedule == bindparam("schedule")))
_LOOK = Statement(
    schema.oncall_turns.update()
    .where(_t.schedule == bindparam("of_schedule"))
    .values(next_at=bindparam("at"))
)


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One schedule as it was last looked at. Instants: microseconds UTC. agent: None = nobody had it.

    revision: how often the rules changed it, changed_at: when they last did. next_at: when to look again, None = never,
    as things stand. told: start of a shift -> who was told that it comes.
    """

    schedule: str
    spec: str
    revision: int
    changed_at: int
    agent: str | None
    since_at: int
    next_at: int | None
    told: dict[int, str]


def keep(tx: Tx, book: Rulebook) -> None:
    """Bring the rows up to date with the rules; a schedule that is as it was keeps what is due, even past."""
    known: dict[str, str] = dict(tx.all(_SPECS))
    for name in known.keys() - book.schedules.keys():
        tx.run(_FORGET, schedule=name)
    for name, rota in book.schedules.items():
        spec = sha256(_encode(rota)).hexdigest()
        if name not in known:
            _begin(tx, book, rota, spec)
        elif known[name] != spec:
            tx.run(_RESPELL, of_schedule=name, spec=spec, now=tx.now)
            tx.signal("timers", tx.now)


def _begin(tx: Tx, book: Rulebook, rota: Schedule, spec: str) -> None:
    """Begin with who has it now, who is not told: nothing changed hands."""
    now = instants.datetime_from_us(tx.now)
    whole = rota.overridden(oncall.overrides(tx, book).get(rota.name, ()))
    tx.run(
        _BEGIN,
        schedule=rota.name,
        spec=spec,
        changed_at=tx.now,
        agent=schedules_of.on_call(whole, now),
        since_at=tx.now,
        next_at=tx.now,
    )
    tx.signal("timers", tx.now)


def look_again(tx: Tx, name: str) -> None:
    """Have a schedule looked at now: the desk has changed it."""
    look_at(tx, name, tx.now)


def look_at(tx: Tx, name: str, at_us: int) -> None:
    """Have a schedule looked at at an instant."""
    tx.run(_LOOK, of_schedule=name, at=at_us)
    tx.signal("timers", at_us)


def load(tx: Tx, name: str) -> Turn | None:
    row = tx.one(_ONE, schedule=name)
    if row is None:
        return None
    *values, told = row
    names = Turn.__struct_fields__
    return Turn(**dict(zip(names, values, strict=False)), told=msgspec.json.decode(told, type=dict[int, str]))


def save(tx: Tx, turn: Turn) -> None:
    """Write what was found of a schedule, and tell the bell when to look again."""
    tx.update(
        schema.oncall_turns,
        {"schedule": turn.schedule},
        agent=turn.agent,
        since_at=turn.since_at,
        next_at=turn.next_at,
        told=_encode({str(start): who for start, who in turn.told.items()}).decode(),
    )
    if turn.next_at is not None:
        tx.signal("timers", turn.next_at)


def due(tx: Tx) -> list[str]:
    """Return the schedules to look at now, the longest due first."""
    return [row[0] for row in tx.all(_DUE, now=tx.now)]


def next_due(tx: Tx) -> int | None:
    """Return when the next schedule is to be looked at, microseconds UTC; None = never."""
    row = tx.one(_NEXT)
    return None if row is None else row[0]


def upcoming(tx: Tx) -> list[tuple[str, int]]:
    """Return each schedule with when it is looked at next, microseconds UTC."""
    return [(name, at_us) for name, at_us in tx.all(_AHEAD)]
