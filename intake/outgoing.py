"""Outgoing messages as rows: composed and written in the transaction of what caused them.

`(cause, action)` is unique: each effect is decided exactly once, whatever is run again.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import bindparam

from channels import markup, unmarked
from channels.contract import Address, OutboundFile, OutboundMessage
from intake import addresses, attempts, events, file_links, instants, loops, permission, whatsapp_window
from intake.model import Account, Context, Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement, upsert

REFERENCES_MAX = 20
MAIL = "email"

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
            )
        }
    )
    .on_conflict_do_nothing(index_elements=[schema.outbox.c.cause, schema.outbox.c.action])
)


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be said, before it has an id, addresses and signatures.

    cause, action: see the module docstring. answers: Message-IDs it follows, the one answered last.
    automatic: as OutboundMessage. is_public: the customer gets it, and it is part of the conversation.
    author: an agent's name, or "rule:<id>". agent: who gets it as a notice and may answer it by mail, None = nobody.
    text: Markdown, others' words in it marked as verbatim (channels.markup); a notice's is words altogether.
    below: what the mail says after it and the conversation does not keep (a signature, a quote). from_name: "" = the
    organization's. withheld: why it is kept and not sent, None = it is sent. number: the outbox id, None = a new one;
    what stands in its text may have to name it. medium: what carries it, None = mail for an address, else the ticket's own.
    extra: as OutboundMessage. account: which carries it, None = any that can.
    """

    cause: str
    action: str
    to: Address
    subject: str
    text: str
    author: str
    automatic: str | None = None
    answers: tuple[str, ...] = ()
    is_public: bool = True
    agent: str | None = None
    cc: tuple[Address, ...] = ()
    below: str = ""
    from_name: str = ""
    number: int | None = None
    attachments: tuple[OutboundFile, ...] = ()
    withheld: str | None = None
    medium: str | None = None
    extra: dict[str, Any] = {}
    account: str | None = None


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
    verdict = permission.ask(tx, context, asked(tx, account, ticket, draft))
    withheld = draft.withheld or (verdict.sentence if verdict.is_withheld else None)
    outbound = _outbound(tx, context, account, ticket, draft)
    outbox_id = int(outbound.id)
    message_id = tx.new_id() if draft.is_public and withheld is None else None
    send_at = None if withheld is not None else verdict.at or tx.now
    is_first = tx.run(
        _ENQUEUE,
        id=outbox_id,
        cause=draft.cause,
        action=draft.action,
        ticket_id=ticket.id,
        customer_id=ticket.customer_id,
        message_id=message_id,
        medium=account.medium,
        account=account.name,
        recipient=draft.to.address,
        payload=_encode(outbound).decode(),
        state="queued" if withheld is None else "withheld",
        error=withheld or verdict.sentence or None,
        next_at=send_at,
        created_at=tx.now,
    )
    if not is_first:
        return None
    if message_id is not None:
        _keep_message(tx, ticket, account, draft, message_id, outbound.message_id)
    if send_at is not None:
        tx.signal("outbox", send_at)
    permission.tell(tx, verdict, ticket_id=ticket.id, customer_id=ticket.customer_id, outbox_id=outbox_id)
    return outbox_id if draft.is_public or withheld is None else None


def refusal(tx: Tx, context: Context, ticket: Ticket, draft: Draft) -> str | None:
    """Say why a draft would be withheld now; None = it would not."""
    account = context.accounts.get(draft.account or "") or carrier(context, ticket, medium_of(ticket, draft))
    if account is None:
        return None
    verdict = permission.ask(tx, context, asked(tx, account, ticket, draft))
    return verdict.sentence if verdict.is_withheld else None


def asked(tx: Tx, account: Account, ticket: Ticket, draft: Draft) -> permission.Asked:
    """Return what the gate has to know of a draft."""
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
    own = addresses.own_address(account, ())
    said = text(outbox_id) if text is not None else draft.text
    outbound = OutboundMessage(
        id=str(outbox_id),
        account=account.name,
        to=(draft.to,),
        from_=Address(own, context.organization),
        subject=draft.subject,
        text=said,
        is_verbatim=True,
        message_id=f"{outbox_id}.{context.keys.sign('apart', str(outbox_id))}@{own.rpartition('@')[2]}",
        envelope_sender=""
        if draft.automatic
        else addresses.return_path(context.keys, account, own, outbox_id) or own,
        automatic=draft.automatic,
        created_at=instants.datetime_from_us(tx.now),
        headers={loops.MARK: loops.mark(context.keys, outbox_id, is_automatic=draft.automatic is not None)},
        extra=draft.extra,
        reference="" if account.medium == MAIL else attempts.reference(context.keys, outbox_id),
    )
    is_first = tx.run(
        _ENQUEUE,
        id=outbox_id,
        cause=draft.cause,
        action=draft.action,
        ticket_id=None,
        customer_id=None,
        message_id=None,
        medium=account.medium,
        account=account.name,
        recipient=draft.to.address,
        payload=_encode(outbound).decode(),
        state="queued",
        error=None,
        next_at=tx.now,
        created_at=tx.now,
    )
    if not is_first:
        return None
    tx.signal("outbox", tx.now)
    return outbox_id


def send_alone(
    tx: Tx, context: Context, account: Account, draft: Draft, *, own: str, customer_id: int | None
) -> int | None:
    """Write the outbox row of a text to a customer that is about no ticket; its outbox id, None = decided before."""
    outbox_id = tx.new_id()
    outbound = OutboundMessage(
        id=str(outbox_id),
        account=account.name,
        to=(draft.to,),
        from_=Address(own, context.organization),
        subject=draft.subject,
        text=draft.text,
        message_id=f"{outbox_id}.{context.keys.sign('alone', str(outbox_id))}@{account.name}",
        automatic=draft.automatic,
        created_at=instants.datetime_from_us(tx.now),
        extra=draft.extra,
        reference="" if account.medium == MAIL else attempts.reference(context.keys, outbox_id),
    )
    is_first = tx.run(
        _ENQUEUE,
        id=outbox_id,
        cause=draft.cause,
        action=draft.action,
        ticket_id=None,
        customer_id=customer_id,
        message_id=None,
        medium=account.medium,
        account=account.name,
        recipient=draft.to.address,
        payload=_encode(outbound).decode(),
        state="queued",
        error=None,
        next_at=tx.now,
        created_at=tx.now,
    )
    if not is_first:
        return None
    tx.signal("outbox", tx.now)
    return outbox_id


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


def _outbound(tx: Tx, context: Context, account: Account, ticket: Ticket, draft: Draft) -> OutboundMessage:
    outbox_id = tx.new_id() if draft.number is None else draft.number
    own, is_mail = own_address(account, ticket), account.medium == MAIL
    keys = context.keys
    reply_to, message_id = _references(tx, context, account, own, ticket, draft, outbox_id)
    extra = draft.extra
    if draft.attachments and not is_mail and context.public_url:
        count = len(draft.attachments)
        urls = file_links.urls(keys, context.public_url, outbox_id, count=count, now_us=tx.now)
        extra = extra | {"media": urls}
    if account.medium == whatsapp_window.MEDIUM:
        extra = extra | whatsapp_window.told(tx, ticket, account=account.name, address=draft.to.address)
    return OutboundMessage(
        id=str(outbox_id),
        account=account.name,
        to=(draft.to,),
        cc=draft.cc,
        from_=Address(own, draft.from_name or context.organization),
        reply_to=reply_to,
        subject=draft.subject,
        text=words(account.medium, draft.text + draft.below)
        if draft.is_public
        else markup.plain(draft.text + draft.below),
        markdown=_markdown(draft) if draft.is_public else "",
        is_verbatim=not draft.is_public,
        language=ticket.language if draft.is_public else None,
        attachments=draft.attachments,
        message_id=message_id,
        in_reply_to=draft.answers[-1:],
        references=draft.answers[-REFERENCES_MAX:],
        # Automatic mail has a null return path (RFC 3834 §3.3): a bounce to it would be a robot's talk to a robot.
        envelope_sender=""
        if draft.automatic or not is_mail
        else addresses.return_path(keys, account, own, outbox_id) or own,
        automatic=draft.automatic,
        created_at=instants.datetime_from_us(tx.now),
        headers={loops.MARK: loops.mark(keys, outbox_id, is_automatic=draft.automatic is not None)},
        extra=extra,
        reference="" if is_mail else attempts.reference(keys, outbox_id),
    )


def words(medium: str, text: str) -> str:
    """Return what somebody reads who has no formatting: a mail's text form is Markdown, a text message's has no marks."""
    if medium == MAIL:
        return markup.plain(text)
    return unmarked.words(text, marks=unmarked.WHATSAPP if medium == whatsapp_window.MEDIUM else None)


def own_address(account: Account, ticket: Ticket) -> str:
    """Return the address of ours that a ticket's messages leave from: what the customer wrote to, where that can be."""
    is_its_own = account.name == ticket.account or ticket.own_address in account.addresses
    return ticket.own_address if ticket.own_address and is_its_own else addresses.own_address(account, ())


def _markdown(draft: Draft) -> str:
    """Return what the HTML is made of; "" = the text, as it mostly is."""
    whole = draft.text + draft.below
    written = markup.markdown_of(whole)
    return "" if written == markup.plain(whole) else written


def _references(
    tx: Tx, context: Context, account: Account, own: str, ticket: Ticket, draft: Draft, outbox_id: int
) -> tuple[Address | None, str]:
    """Return where an answer shall come to, None = where it left from, and the Message-ID.

    Both are signed for a customer, or for an agent.
    """
    keys, name, to = context.keys, context.organization, draft.to.address
    if draft.agent is not None:
        notified = addresses.Notified(ref=ticket.ref, agent=draft.agent, to=to, at_us=tx.now)
        reply_to = addresses.agent_reply_address(keys, account, own, notified, name=name)
        return reply_to, addresses.agent_message_id(keys, own, notified, outbox_id=outbox_id)
    message_id = addresses.message_id(keys, own, ref=ticket.ref, outbox_id=outbox_id, to=to)
    if not draft.is_public or account.medium != MAIL:
        return None, message_id
    return addresses.reply_address(keys, account, own, ref=ticket.ref, to=to, name=name), message_id


def _keep_message(
    tx: Tx, ticket: Ticket, account: Account, draft: Draft, message_id: int, external_id: str
) -> None:
    tx.insert(
        schema.messages,
        id=message_id,
        ticket_id=ticket.id,
        customer_id=ticket.customer_id,
        direction="out",
        author=draft.author,
        medium=account.medium,
        account=account.name,
        external_id=external_id,
        subject=draft.subject,
        body=markup.plain(draft.text),
        attachments=_encode([_described(file) for file in draft.attachments]).decode(),
        automatic=draft.automatic,
        at=tx.now,
    )


def _described(file: OutboundFile) -> dict[str, object]:
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
