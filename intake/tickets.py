"""Tickets as rows: loading, making, changing; every change is an event in the same transaction."""

import functools
import hashlib
from typing import Any

import msgspec
from sqlalchemy import bindparam, select

from channels.contract import Identity
from intake import alarms, counters, events, refs, search_index
from intake.keys import Keys
from intake.model import OPEN_STATUSES, Ticket
from intake.store import schema
from intake.store.engine import Row, Tx
from intake.store.statements import Statement, upsert
from routing.people import Skills

_t = schema.tickets.c
_p = schema.participants.c
_l = schema.agent_load.c
_encode = msgspec.json.Encoder().encode

MERGES_FOLLOWED = 20
WAITING = "waiting"  # the alarm of what waits for somebody

_NAMES = [
    "id",
    "ref",
    "customer_id",
    "subject",
    "status",
    "priority",
    "team",
    "level",
    "agent",
    "language",
    "tags",
    "medium",
    "account",
    "own_address",
    "sla",
    "armament",
    "reopened",
    "is_spam",
    "created_at",
    "solved_at",
    "nature",
    "outcome",
    "fields",
    "gathered_by",
    "skills",
    "customer_replied_at",
    "agent_replied_at",
    "assigned_at",
    "status_changed_at",
    "taken_at",
    "promised_at",
    "waits_since",
    "prefers",
    "merged_into",
]
# Of a new ticket these are mostly empty, and are not spelt out then.
_MOSTLY_EMPTY = frozenset(_NAMES[_NAMES.index("nature") :])
_COLUMNS = [_t[name] for name in _NAMES]
_BY_ID = Statement(select(*_COLUMNS).where(_t.id == bindparam("id")))
_BY_REF = Statement(select(*_COLUMNS).where(_t.ref == bindparam("ref")))
_JOIN = Statement(
    upsert(schema.participants)
    .values({name: bindparam(name) for name in ("ticket_id", "kind", "value", "customer_id")})
    .on_conflict_do_nothing(index_elements=[_p.ticket_id, _p.kind, _p.value])
)
_PARTICIPANTS = Statement(select(_p.kind, _p.value).where(_p.ticket_id == bindparam("ticket_id")))
_LEAVE_SEAT = Statement(
    schema.agent_load.update()
    .where(_l.name == bindparam("of_agent"), _l.medium == bindparam("of_medium"), _l.open_tickets > 0)
    .values(open_tickets=_l.open_tickets - 1)
)
_ANY_WAITING = Statement(select(_t.id).where(_t.waits_since.is_not(None), _t.solved_at.is_(None)).limit(1))
_COUNT_MESSAGE = Statement(
    schema.tickets.update()
    .where(_t.id == bindparam("at_id"))
    .values(
        messages=_t.messages + 1,
        customer_replied_at=bindparam("at"),
        written_at=bindparam("at"),
        updated_at=bindparam("now"),
    )
)


def load(tx: Tx, ticket_id: int) -> Ticket | None:
    row = tx.one(_BY_ID, id=ticket_id)
    return None if row is None else _ticket(row)


def load_by_ref(tx: Tx, ref: str) -> Ticket | None:
    row = tx.one(_BY_REF, ref=ref)
    return None if row is None else _ticket(row)


def final(tx: Tx, ticket: Ticket) -> Ticket:
    """Return the ticket that a ticket's messages are in now: the last one it was merged into, else itself."""
    for _ in range(MERGES_FOLLOWED):
        if ticket.merged_into is None:
            break
        ticket = load(tx, ticket.merged_into) or ticket
    return ticket


def locked(tx: Tx, ticket_id: int) -> Ticket:
    """Return the ticket as nobody else can change it until the end of the transaction.

    Raises: LookupError when there is no such ticket.
    """
    tx.lock("ticket", ticket_id)
    ticket = load(tx, ticket_id)
    if ticket is None:
        raise LookupError(f"there is no ticket {ticket_id}")
    return ticket


def locked_final(tx: Tx, ticket_id: int) -> Ticket:
    """Return the ticket that a ticket's messages are in now, locked; of a merged one only that, see `locked`.

    Raises: LookupError when there is no such ticket.
    """
    ticket = load(tx, ticket_id)
    return locked(tx, ticket_id if ticket is None else final(tx, ticket).id)


def new_ref(tx: Tx, keys: Keys) -> str:
    return refs.ref_from_number(counters.next_number(tx, "tickets"), _ref_key(keys))


@functools.lru_cache(maxsize=8)
def _ref_key(keys: Keys) -> bytes:
    return hashlib.sha256(keys.fingerprint("ticket refs").encode()).digest()


def insert(tx: Tx, ticket: Ticket, *, rule: str, links: tuple[int | None, int | None]) -> None:
    """Write a new ticket. links: the ticket it follows up, and the one it may belong to.

    Whoever has it has been seated (intake.seating).
    """
    values = {name: getattr(ticket, name) for name in _NAMES}
    tx.insert(
        schema.tickets,
        **{name: _stored(value) for name, value in values.items() if value or name not in _MOSTLY_EMPTY},
        rule=rule,
        linked_to=links[0],
        suggested_link=links[1],
        messages=1,
        written_at=ticket.created_at,
        updated_at=tx.now,
    )


def change(tx: Tx, ticket: Ticket, *, actor: str, is_seated: bool = False, **changes: Any) -> Ticket:
    """Set what differs, keep the agents' load right, and record one event for each change.

    is_seated: whoever has more to do by it was seated for it (intake.seating). Otherwise a reopened ticket comes back
    without its agent, and waits. Raises: RuntimeError when an open ticket is given to somebody who was not.
    """
    changes = {name: value for name, value in changes.items() if getattr(ticket, name) != value}
    if not changes:
        return ticket
    is_reopened = changes.get("status") in OPEN_STATUSES and not ticket.is_open
    if is_reopened and not is_seated and ticket.agent is not None and "agent" not in changes:
        ticket = stamp(tx, ticket, waits_since=tx.now, prefers=ticket.agent)
        changes = {"agent": None} | changes
    followed = _following(tx, ticket, changes)
    after = msgspec.structs.replace(ticket, **changes, **followed)
    columns = {name: _stored(value) for name, value in (changes | followed).items()}
    tx.update(schema.tickets, {"id": ticket.id}, **columns, updated_at=tx.now)
    _move_load(tx, ticket, after, is_seated=is_seated)
    for name, value in changes.items():
        details = {"field": name, "from": getattr(ticket, name), "to": value}
        kind = _event_kind(ticket, name, value)
        events.record(tx, kind, ticket_id=ticket.id, customer_id=ticket.customer_id, actor=actor, **details)
    return after


def stamp(tx: Tx, ticket: Ticket, **columns: Any) -> Ticket:
    """Set instants that say when something happened, and their like; no event, because what happened is one."""
    tx.update(schema.tickets, {"id": ticket.id}, **columns, updated_at=tx.now)
    return msgspec.structs.replace(ticket, **columns)


def _following(tx: Tx, ticket: Ticket, changes: dict[str, Any]) -> dict[str, Any]:
    """Return what a new status or agent brings with it."""
    brought: dict[str, Any] = {}
    if changes.get("agent") is not None:
        brought["assigned_at"] = tx.now
        brought |= {name: None for name in ("waits_since", "prefers") if getattr(ticket, name) is not None}
    status = changes.get("status")
    if status is None:
        return brought
    brought["status_changed_at"] = tx.now
    if status in OPEN_STATUSES and not ticket.is_open:
        brought |= {"solved_at": None, "reopened": ticket.reopened + 1}
    elif status not in OPEN_STATUSES and ticket.is_open:
        brought["solved_at"] = tx.now
    return brought


def _event_kind(ticket: Ticket, name: str, value: Any) -> str:
    if name == "agent" and value is None:
        return "unassigned"
    if name == "status" and value in OPEN_STATUSES and not ticket.is_open:
        return "reopened"
    return {"status": "status_changed", "team": "team_changed", "agent": "assigned"}.get(
        name, f"{name}_changed"
    )


def _stored(value: Any) -> Any:
    if isinstance(value, tuple | dict | Skills):
        return _encode(value).decode()
    return int(value) if isinstance(value, bool) else value


def _move_load(tx: Tx, before: Ticket, after: Ticket, *, is_seated: bool) -> None:
    """Let whoever has it no longer have room again, and tell the bell when something waits for that."""
    old = before.agent if before.is_open else None
    new = after.agent if after.is_open else None
    if old != new and new is not None and not is_seated:
        raise RuntimeError(f"ticket {after.ref} was given to {new} past intake.seating")
    if old != new and old is not None:
        tx.run(_LEAVE_SEAT, of_agent=old, of_medium=before.medium)
        is_free = True
    else:
        is_free = after.waits_since is not None and before.status != after.status
    if is_free:
        somebody_is_free(tx)


def somebody_is_free(tx: Tx, *, in_us: int = 0) -> None:
    """Have what waits looked at (intake.waiting), if anything does. in_us: so much later."""
    if tx.one(_ANY_WAITING) is not None:
        alarms.ring(tx, WAITING, tx.now + in_us)


def count_message(tx: Tx, ticket: Ticket, *, at: int) -> Ticket:
    """Count one more message that the customer wrote. at: since when it counts, microseconds UTC."""
    tx.run(_COUNT_MESSAGE, at_id=ticket.id, at=at, now=tx.now)
    return msgspec.structs.replace(ticket, customer_replied_at=at)


def answer_from(tx: Tx, ticket: Ticket, own: str) -> Ticket:
    """Answer from another address of ours from now on: the one that the customer has written to."""
    if not own or own == ticket.own_address:
        return ticket
    tx.update(schema.tickets, {"id": ticket.id}, own_address=own)
    return msgspec.structs.replace(ticket, own_address=own)


def counted_from(tx: Tx, ticket: Ticket, came_at: int) -> int:
    """Return since when a message counts: since it came, unless the ticket has moved meanwhile; then since now.

    An answer that crossed with it did not answer it.
    """
    moved = (ticket.created_at, ticket.agent_replied_at, ticket.status_changed_at, ticket.customer_replied_at)
    return came_at if all(each is None or each <= came_at for each in moved) else tx.now


def add_note(tx: Tx, ticket: Ticket, *, author: str, text: str) -> int:
    """Write down what only colleagues see; the message's id. author: an agent's name, or "rule:<id>"."""
    message_id = tx.new_id()
    columns = {
        "ticket_id": ticket.id,
        "customer_id": ticket.customer_id,
        "direction": "note",
        "author": author,
        "medium": ticket.medium,
        "account": ticket.account,
        "body": text,
    }
    tx.insert(schema.messages, id=message_id, at=tx.now, **columns)
    search_index.keep(tx, message_id, columns)
    return message_id


def add_participant(tx: Tx, ticket: Ticket, identity: Identity) -> None:
    tx.run(
        _JOIN, ticket_id=ticket.id, kind=identity.kind, value=identity.value, customer_id=ticket.customer_id
    )


def participants(tx: Tx, ticket_id: int) -> tuple[Identity, ...]:
    return tuple(Identity(kind, value) for kind, value in tx.all(_PARTICIPANTS, ticket_id=ticket_id))


def _ticket(row: Row) -> Ticket:
    values = dict(zip(_NAMES, row, strict=True))
    values["tags"] = tuple(msgspec.json.decode(values["tags"]))
    values["is_spam"] = bool(values["is_spam"])
    values["fields"] = msgspec.json.decode(values["fields"])
    if values["skills"] is not None:
        values["skills"] = msgspec.json.decode(values["skills"], type=Skills)
    return Ticket(**values)
