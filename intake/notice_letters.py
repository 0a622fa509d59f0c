"""A notice as a mail: at once, or kept for its reader's digest."""

import msgspec
from sqlalchemy import bindparam, select

from channels.contract import Address
from intake import digests, outgoing, silent_hours
from intake.model import Context, Ticket
from intake.notice_page import Notice, Page
from intake.outbound import Draft
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

_o = schema.outbox.c
_d = schema.digest_items.c
_WRITTEN = Statement(
    select(_o.id)
    .where(_o.cause == bindparam("cause"), _o.action == bindparam("action"), _o.state != "withheld")
    .limit(1)
)
_HELD = Statement(
    select(_d.id).where(_d.cause == bindparam("cause"), _d.action == bindparam("action")).limit(1)
)


class Written(msgspec.Struct, frozen=True):
    """A notice that is on its way. outbox_id: None = it stands in a digest."""

    outbox_id: int | None


def action(kind: str, address: str) -> str:
    """Return the action of a notice by mail (see intake.outgoing)."""
    return f"notify:{kind}:{address}"


def is_written(tx: Tx, notice: Notice, address: str | None) -> bool:
    """Whether it has been written to an address before, or kept for its digest."""
    if address is None:
        return False
    named = {"cause": notice.cause, "action": action(notice.kind, address)}
    return tx.one(_WRITTEN, **named) is not None or tx.one(_HELD, **named) is not None


def write(tx: Tx, context: Context, ticket: Ticket, page: Page, address: str, name: str) -> Written | None:
    """Write it for one reader, or keep it for their digest; None when they have it already, or nothing can carry it."""
    notice = page.notice
    held = digests.Held(
        notice.cause,
        action(notice.kind, address),
        address,
        name,
        notice.rule or notice.kind.replace("_", " "),
        notice.due_at,
        quiet_until=silent_hours.of_notice(tx, context, ticket, notice, name),
    )
    if digests.takes(tx, context, ticket, held):
        return Written(None)
    number = tx.new_id()
    draft = Draft(
        cause=notice.cause,
        action=held.action,
        to=Address(address, name),
        subject=page.subject(name),
        text=page.text(name, number=number),
        author="system",
        automatic="auto-generated",
        is_public=False,
        agent=name or None,
        number=number,
    )
    outbox_id = outgoing.send(tx, context, ticket, draft)
    return None if outbox_id is None else Written(outbox_id)
