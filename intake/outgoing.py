"""Outgoing messages as rows: composed and written in the transaction of what caused them.

`(cause, action)` is unique: each effect is decided exactly once, whatever is run again.
"""

from collections.abc import Callable

import msgspec
from sqlalchemy import bindparam

from channels import markup
from channels.contract import OutboundFile, OutboundMessage
from intake import both_ways, budgets, events, outbound, permission, saying, search_index
from intake.model import Account, Context, Ticket
from intake.outbound import MAIL, Draft
from intake.saying import CHAT, SENT
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement, upsert

_encode = msgspec.json.Encoder().encode
_ENQUEUE = Statement(
    upsert(schema.outbox)
    .values(
        {
            name: bindparam(name)
            for name in (
                "id",
                "cause",
                "action",
                "ticket_id",
                "customer_id",
                "message_id",
                "medium",
                "account",
                "recipient",
                "payload",
                "state",
                "error",
                "next_at",
                "created_at",
                "sent_at",
            )
        }
    )
    .on_conflict_do_nothing(index_elements=[schema.outbox.c.cause, schema.outbox.c.action])
)


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    """What an outbox row says beside its draft. send_at: microseconds UTC, None = it is withheld; error: why, or why so late.

    is_sent: it has left with the transaction that writes it.
    """

    account: Account
    made: OutboundMessage
    ticket_id: int | None = None
    customer_id: int | None = None
    message_id: int | None = None
    error: str | None = None
    send_at: int | None = None
    is_sent: bool = False

    @property
    def state(self) -> str:
        if self.send_at is None:
            return "withheld"
        return SENT if self.is_sent else "queued"


def send(tx: Tx, context: Context, ticket: Ticket, draft: Draft) -> int | None:
    """Write the outbox row, and the message of the conversation when it is public; its outbox id.

    None when this effect had been decided before, or when no channel can carry it. What is withheld is a row, too, and no
    message of the conversation; a notice that is withheld has reached nobody: None.
    """
    account = context.accounts.get(draft.account or "") or carrier(context, ticket, medium_of(ticket, draft))
    if account is None:
        events.record(
            tx,
            "not_sent",
            ticket_id=ticket.id,
            customer_id=ticket.customer_id,
            reason="no channel can send it",
        )
        return None
    made = outbound.of_ticket(tx, context, account, ticket, draft)
    verdict = permission.ask(
        tx, context, asked(tx, account, ticket, draft, units=budgets.units(account.medium, made))
    )
    withheld = draft.withheld or (verdict.sentence if verdict.is_withheld else None)
    message_id = tx.new_id() if draft.is_public and draft.is_kept and withheld is None else None
    send_at = None if withheld is not None else verdict.at or tx.now
    is_said = account.medium == CHAT and withheld is None
    row = _Row(
        account=account,
        made=made,
        ticket_id=ticket.id,
        customer_id=ticket.customer_id,
        message_id=message_id,
        error=withheld or verdict.sentence or None,
        send_at=send_at,
        is_sent=is_said,
    )
    if not _enqueue(tx, draft, row):
        return None
    if message_id is not None:
        _keep_message(tx, ticket, account, draft, message_id, made.message_id)
    outbox_id = int(made.id)
    permission.tell(tx, verdict, ticket_id=ticket.id, customer_id=ticket.customer_id, outbox_id=outbox_id)
    if is_said:
        saying.say(tx, context, draft, made)
    elif message_id is not None and account.medium == MAIL:
        both_ways.went(tx, context, ticket, draft)
    return outbox_id if draft.is_public or withheld is None else None


def refusal(tx: Tx, context: Context, ticket: Ticket, draft: Draft) -> str | None:
    """Say why a draft would be withheld now; None = it would not."""
    account = context.accounts.get(draft.account or "") or carrier(context, ticket, medium_of(ticket, draft))
    if account is None:
        return None
    verdict = permission.ask(tx, context, asked(tx, account, ticket, draft))
    return verdict.sentence if verdict.is_withheld else None


def asked(tx: Tx, account: Account, ticket: Ticket, draft: Draft, *, units: int = 1) -> permission.Asked:
    """Return what the gate has to know of a draft. units: segments that it is paid as."""
    return permission.Asked(
        medium=account.medium,
        account=account,
        recipient=draft.to.address,
        is_public=draft.is_public,
        is_automatic=draft.automatic is not None,
        cause=draft.cause,
        action=draft.action,
        created_at=tx.now,
        ticket_id=ticket.id,
        units=units,
    )


def send_apart(
    tx: Tx, context: Context, draft: Draft, text: Callable[[int], str] | None = None
) -> int | None:
    """Write the outbox row of what tells a colleague something that is about no one ticket; its outbox id.

    text: makes the text from the outbox id, None = the draft's. None = decided before, or nothing here can carry it.
    """
    account = context.accounts.get(draft.account or "") or first_of(context, draft.medium or MAIL)
    if account is None:
        events.record(tx, "not_sent", action=draft.action, reason="no channel can send it")
        return None
    outbox_id = tx.new_id()
    said = text(outbox_id) if text is not None else draft.text
    made = outbound.apart(tx, context, account, draft, outbox_id=outbox_id, text=said)
    return outbox_id if _enqueue(tx, draft, _Row(account=account, made=made, send_at=tx.now)) else None


def send_alone(
    tx: Tx, context: Context, account: Account, draft: Draft, *, own: str, customer_id: int | None
) -> int | None:
    """Write the outbox row of a text to a customer that is about no ticket; its outbox id, None = decided before."""
    outbox_id = tx.new_id()
    made = outbound.alone(tx, context, account, draft, outbox_id=outbox_id, own=own)
    row = _Row(account=account, made=made, customer_id=customer_id, send_at=tx.now)
    return outbox_id if _enqueue(tx, draft, row) else None


def _enqueue(tx: Tx, draft: Draft, row: _Row) -> bool:
    """Write the row, and wake who delivers; false when this effect had been decided before."""
    is_first = tx.run(
        _ENQUEUE,
        id=int(row.made.id),
        cause=draft.cause,
        action=draft.action,
        ticket_id=row.ticket_id,
        customer_id=row.customer_id,
        message_id=row.message_id,
        medium=row.account.medium,
        account=row.account.name,
        recipient=draft.to.address,
        payload=_encode(row.made).decode(),
        state=row.state,
        error=row.error,
        next_at=None if row.is_sent else row.send_at,
        created_at=tx.now,
        sent_at=tx.now if row.is_sent else None,
    )
    if is_first and row.state == "queued" and row.send_at is not None:
        tx.signal("outbox", row.send_at)
    return bool(is_first)


def medium_of(ticket: Ticket, draft: Draft) -> str:
    """Return what carries a draft: who has no address has to be told by what they used."""
    return draft.medium or (MAIL if "@" in draft.to.address else ticket.medium)


def carrier(context: Context, ticket: Ticket, medium: str = MAIL) -> Account | None:
    """Return the account that carries something for a ticket by a medium: its own, else the first that can."""
    own = context.accounts.get(ticket.account)
    if own is not None and own.can_deliver and own.medium == medium:
        return own
    return first_of(context, medium)


def first_of(context: Context, medium: str) -> Account | None:
    """Return the first account that can send by a medium; None = there is none."""
    return next(
        (each for each in context.accounts.values() if each.can_deliver and each.medium == medium), None
    )


def _keep_message(
    tx: Tx, ticket: Ticket, account: Account, draft: Draft, message_id: int, external_id: str
) -> None:
    written, said = markup.markdown_of(draft.text), markup.plain(draft.text)
    columns = {
        "ticket_id": ticket.id,
        "customer_id": ticket.customer_id,
        "direction": "out",
        "author": draft.author,
        "medium": account.medium,
        "account": account.name,
        "external_id": external_id,
        "subject": draft.subject,
        "body": written,
        "visible_text": said if said != written else None,
        "attachments": _encode([described(file) for file in draft.attachments]).decode(),
        "automatic": draft.automatic,
    }
    tx.insert(schema.messages, id=message_id, at=tx.now, **columns)
    search_index.keep(tx, message_id, columns)


def described(file: OutboundFile) -> dict[str, object]:
    """Return a file as messages name those that came in; blob: where its bytes are."""
    return {
        "name": file.name,
        "content_type": file.content_type,
        "size": file.size,
        "sha256": file.sha256,
        "inline": False,
        "part": file.part,
        "blob": str(file.blob),
    }
