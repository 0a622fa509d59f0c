"""Texts under way: kept at each pause of the keyboard, and found again whatever happens around them.

A text belongs to who writes it and has a name of its own, its fork, which the browser makes before the first word. So a
reload finds it; two tabs have two, and each shows the other's; a merge, another owner of the ticket, or the end of a
session change nothing about it. A save says how often its text was saved before: one that was overtaken changes nothing.
What was sent or thrown away is kept for some days, too.
"""

import re
from typing import Any, Literal

import msgspec
from sqlalchemy import bindparam, delete, or_, select

from channels.contract import OutboundFile
from intake import desk, instants, tickets
from intake.desk import DeskError
from intake.model import Context, Ticket
from intake.store import blobs, schema
from intake.store.engine import Row, Tx
from intake.store.statements import Statement, upsert

BODY_MAX_CHARACTERS = 200_000
KEPT_US = 7 * 86_400 * 1_000_000  # what was sent or thrown away
OWN_SHOWN = 200
FORGOTTEN_AT_ONCE = 1_000

Kind = Literal["reply", "note", "ticket"]
KINDS: tuple[Kind, ...] = ("reply", "note", "ticket")
_files = msgspec.json.Decoder(tuple[OutboundFile, ...]).decode
_FORK = re.compile(r"[A-Za-z0-9_-]{16,64}")

_d, _t = schema.drafts.c, schema.tickets.c
_via = schema.tickets.alias("via")  # a ticket may have been merged into one that was merged itself
_COLUMNS = (
    _d.id, _d.fork, _d.agent, _d.ticket_id, _d.kind, _d.body, _d.revision, _d.seen, _d.state, _d.outbox_id,
    _d.undo, _d.updated_at, _d.files,
)  # fmt: skip
_SAVE = Statement(
    upsert(schema.drafts)
    .values(
        {
            name: bindparam(name)
            for name in (
                "id", "fork", "agent", "ticket_id", "customer_id", "kind", "body", "revision", "seen", "created_at",
                "updated_at",
            )
        }
    )
    .on_conflict_do_update(
        index_elements=[_d.agent, _d.fork],
        set_={
            "body": bindparam("body"),
            "revision": bindparam("revision"),
            "seen": bindparam("seen"),
            "state": "writing",
            "updated_at": bindparam("updated_at"),
        },
        where=(_d.state != "sent") & (_d.revision < bindparam("revision")),
    )
)  # fmt: skip
_ONE = Statement(select(*_COLUMNS).where(_d.agent == bindparam("agent"), _d.fork == bindparam("fork")))
_OF_OUTBOX = Statement(select(*_COLUMNS).where(_d.outbox_id == bindparam("outbox_id")))
_OF_TICKET = Statement(
    select(*_COLUMNS)
    .outerjoin(schema.tickets, _t.id == _d.ticket_id)
    .outerjoin(_via, _via.c.id == _t.merged_into)
    .where(
        _d.agent == bindparam("agent"),
        _d.state == "writing",
        or_(_d.body != "", _d.files != "[]"),
        or_(
            _d.ticket_id == bindparam("ticket_id"),
            _t.merged_into == bindparam("into_id"),
            _via.c.merged_into == bindparam("on_id"),
        ),
    )
    .order_by(_d.updated_at.desc(), _d.id.desc())
    .limit(OWN_SHOWN)
)
_OWN = Statement(
    select(*_COLUMNS, _t.ref, _t.subject)
    .outerjoin(schema.tickets, _t.id == _d.ticket_id)
    .where(
        _d.agent == bindparam("agent"), _d.state == bindparam("state"), or_(_d.body != "", _d.files != "[]")
    )
    .order_by(_d.updated_at.desc(), _d.id.desc())
    .limit(OWN_SHOWN)
)
_ENDED = Statement(
    select(_d.id, _d.files)
    .where(
        or_(_d.state != "writing", (_d.body == "") & (_d.files == "[]")), _d.updated_at < bindparam("before")
    )
    .limit(FORGOTTEN_AT_ONCE)
)
_FORGET = Statement(delete(schema.drafts).where(_d.id == bindparam("id")))


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A text under way. updated_at: microseconds UTC; undo: see intake.replying; outbox_id: what it was sent as."""

    id: int
    fork: str
    agent: str
    ticket_id: int | None
    kind: Kind
    body: str
    revision: int
    seen: str
    state: Literal["writing", "sent", "discarded"]
    outbox_id: int | None
    undo: dict[str, Any]
    updated_at: int
    files: tuple[OutboundFile, ...] = ()
    ref: str | None = None
    subject: str | None = None


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """What is saved. revision: from 1 on, one more at each save. seen: a mark of intake.unseen, "" = none."""

    fork: str
    kind: Kind
    body: str
    revision: int
    seen: str = ""


def save(tx: Tx, context: Context, typed_ref: str | None, text: Text, *, agent: str) -> Draft:
    """Keep a text; as it is kept then, which is a later one when this save was overtaken. Raises: DeskError.

    typed_ref: of its ticket, of a merged one too; None = of a ticket that is yet to be, or that is not theirs to see any more.
    """
    desk.check_agent(context, agent)
    _check(text)
    ticket = None if typed_ref is None else desk.find(tx, typed_ref, is_locked=False)
    tx.run(
        _SAVE,
        id=tx.new_id(),
        fork=text.fork,
        agent=agent,
        ticket_id=None if ticket is None else ticket.id,
        customer_id=None if ticket is None else ticket.customer_id,
        kind=text.kind,
        body=text.body,
        revision=text.revision,
        seen=text.seen,
        created_at=tx.now,
        updated_at=tx.now,
    )
    kept = load(tx, text.fork, agent=agent)
    assert kept is not None  # noqa: S101 - it was written, or stood there
    return kept


def _check(text: Text) -> None:
    if not _FORK.fullmatch(text.fork):
        raise DeskError("a draft's name has 16 to 64 letters, digits, - or _")
    if text.kind not in KINDS:
        raise DeskError(f"'{text.kind}' is not a kind of draft: {', '.join(KINDS)}")
    if len(text.body) > BODY_MAX_CHARACTERS:
        raise DeskError(f"a draft has {BODY_MAX_CHARACTERS:,} characters at most; this one was not kept")


def load(tx: Tx, fork: str, *, agent: str) -> Draft | None:
    row = tx.one(_ONE, agent=agent, fork=fork)
    return None if row is None else _draft(row)


def of_outbox(tx: Tx, outbox_id: int) -> Draft | None:
    """Return the draft that something was sent from."""
    row = tx.one(_OF_OUTBOX, outbox_id=outbox_id)
    return None if row is None else _draft(row)


def of_ticket(tx: Tx, ticket: Ticket, *, agent: str) -> tuple[Draft, ...]:
    """Return what the agent is writing on a ticket, and on those that were merged into it, the last saved first."""
    rows = tx.all(_OF_TICKET, agent=agent, ticket_id=ticket.id, into_id=ticket.id, on_id=ticket.id)
    return tuple(map(_draft, rows))


def own(tx: Tx, agent: str, *, state: str = "writing") -> tuple[Draft, ...]:
    """Return all that an agent is writing, the last saved first; of tickets, too, that they may not see any more."""
    rows = tx.all(_OWN, agent=agent, state=state)
    return tuple(msgspec.structs.replace(_draft(row[:-2]), ref=row[-2], subject=row[-1]) for row in rows)


def discard(tx: Tx, fork: str, *, agent: str) -> bool:
    """Throw a text away; it can be brought back for some days. False = there is none that is being written."""
    where = {"agent": agent, "fork": fork, "state": "writing"}
    return bool(tx.update(schema.drafts, where, state="discarded", updated_at=tx.now))


def restore(tx: Tx, fork: str, *, agent: str) -> bool:
    """Bring back a text that was thrown away."""
    where = {"agent": agent, "fork": fork, "state": "discarded"}
    return bool(tx.update(schema.drafts, where, state="writing", updated_at=tx.now))


def note_sent(
    tx: Tx,
    ticket: Ticket,
    text: Text,
    *,
    agent: str,
    outbox_id: int | None,
    undo: dict[str, Any],
    files: tuple[OutboundFile, ...] = (),
) -> None:
    """Note that a text has become an answer or a note, whether or not it was saved before; later saves change nothing.

    files: that went with it, referred to once more for the draft; those that it had are let go.
    """
    _check(text)
    before = load(tx, text.fork, agent=agent)
    tx.run(
        _SAVE,
        id=tx.new_id(),
        fork=text.fork,
        agent=agent,
        ticket_id=ticket.id,
        customer_id=ticket.customer_id,
        kind=text.kind,
        body=text.body,
        revision=text.revision,
        seen=text.seen,
        created_at=tx.now,
        updated_at=tx.now,
    )
    undone = msgspec.json.encode(undo).decode()
    where = {"agent": agent, "fork": text.fork}
    of = {"ticket_id": ticket.id, "customer_id": ticket.customer_id, "files": written(files)}
    said = {"body": text.body, "seen": text.seen}
    tx.update(schema.drafts, where, state="sent", outbox_id=outbox_id, undo=undone, **said, **of)
    for each in before.files if before is not None else ():
        blobs.release(tx, each.blob)


def take_up(tx: Tx, draft: Draft) -> None:
    """Make a draft of what was sent, and taken back."""
    tx.update(schema.drafts, {"id": draft.id}, state="writing", outbox_id=None, undo="{}", updated_at=tx.now)


def forget_ended(tx: Tx) -> int:
    """Remove some of what was sent, thrown away or emptied days ago, with its files; how many."""
    ended = tx.all(_ENDED, before=tx.now - KEPT_US)
    for draft_id, files in ended:
        for each in _files(files):
            blobs.release(tx, each.blob)
        tx.run(_FORGET, id=draft_id)
    return len(ended)


def written(files: tuple[OutboundFile, ...]) -> str:
    """Write files as a row holds them."""
    return msgspec.json.encode(files).decode()


def ticket_of(tx: Tx, draft: Draft) -> Ticket | None:
    """Return the ticket that a draft is of now; None = it is of none yet."""
    ticket = None if draft.ticket_id is None else tickets.load(tx, draft.ticket_id)
    return None if ticket is None else tickets.final(tx, ticket)


def public(draft: Draft) -> dict[str, Any]:
    """Return a draft as pages and --json show it."""
    return {
        "fork": draft.fork,
        "kind": draft.kind,
        "text": draft.body,
        "revision": draft.revision,
        "seen": draft.seen,
        "state": draft.state,
        "at": instants.rfc3339_from_us(draft.updated_at),
        "ref": draft.ref,
        "subject": draft.subject,
        "files": [{"name": each.name, "size": each.size} for each in draft.files],
    }


def _draft(row: Row) -> Draft:
    return Draft(
        id=row[0],
        fork=row[1],
        agent=row[2],
        ticket_id=row[3],
        kind=row[4],
        body=row[5],
        revision=row[6],
        seen=row[7],
        state=row[8],
        outbox_id=row[9],
        undo=msgspec.json.decode(row[10]),
        updated_at=row[11],
        files=_files(row[12]),
    )
