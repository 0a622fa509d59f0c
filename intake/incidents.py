"""Known outages: what everybody is told while there is one, on the phone and by rules that ask for `incident.open`.

One is open at a time. Opening and closing it are events of every open ticket, for the rules that wait for them:
intake.incident_telling tells each.
"""

import msgspec
from sqlalchemy import bindparam, select

from intake import events
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

TEXT_MAX_CHARACTERS = 500  # half a minute of speech

OPENED, CLOSED = "incident_opened", "incident_closed"

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, str]).decode
_i = schema.incidents.c
_OPEN = Statement(select(_i.id, _i.texts).where(_i.closed_at.is_(None)).order_by(_i.id.desc()).limit(1))
_LIST = Statement(
    select(_i.id, _i.texts, _i.opened_at, _i.opened_by, _i.closed_at, _i.closed_by).order_by(_i.id.desc())
)
_CLOSE = Statement(
    schema.incidents.update()
    .where(_i.closed_at.is_(None))
    .values(closed_at=bindparam("now"), closed_by=bindparam("by"), telling=CLOSED, told_after=0)
)


class IncidentError(Exception):
    """What was asked cannot be done: one sentence."""


class Incident(msgspec.Struct, frozen=True):
    """texts: language -> what is said. Instants: microseconds UTC, closed_at None = it is open."""

    id: int
    texts: dict[str, str]
    opened_at: int
    opened_by: str
    closed_at: int | None = None
    closed_by: str | None = None


def texts(tx: Tx) -> dict[str, str]:
    """Return what everybody is told now, by language; {} = there is no incident."""
    row = tx.one(_OPEN)
    return {} if row is None else _decode(row[1])


def is_open(tx: Tx) -> bool:
    return tx.one(_OPEN) is not None


def every(tx: Tx) -> list[Incident]:
    """Return all of them, the newest first."""
    return [Incident(row[0], _decode(row[1]), *row[2:]) for row in tx.all(_LIST)]


def begin(tx: Tx, said: dict[str, str], *, by: str) -> int:
    """Open an incident; its id. said: language -> text. Raises: IncidentError."""
    tx.lock("team", "incidents")
    if is_open(tx):
        raise IncidentError(
            "an incident is open already: close it first, or its text would contradict this one"
        )
    for language, text in said.items():
        if not text.strip() or len(text) > TEXT_MAX_CHARACTERS:
            raise IncidentError(f"the text in '{language}' has to have 1 to {TEXT_MAX_CHARACTERS} characters")
    if not said:
        raise IncidentError("an incident needs a text in one language at least")
    number = tx.new_id()
    tx.insert(
        schema.incidents,
        id=number,
        texts=_encode(said).decode(),
        opened_at=tx.now,
        opened_by=by,
        telling=OPENED,
    )
    events.record(tx, OPENED, actor=f"agent:{by}", incident=str(number), texts=said)
    tx.signal("timers", tx.now)
    return number


def end(tx: Tx, *, by: str) -> None:
    """Close the open incident. Raises: IncidentError."""
    tx.lock("team", "incidents")
    row = tx.one(_OPEN)
    if row is None:
        raise IncidentError("no incident is open")
    tx.run(_CLOSE, now=tx.now, by=by)
    events.record(tx, CLOSED, actor=f"agent:{by}", incident=str(row[0]))
    tx.signal("timers", tx.now)
