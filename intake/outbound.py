"""What is said, and the message that is made of it: addresses, ids and signatures, with nothing written yet.

A draft says what and to whom. What leaves is an OutboundMessage: `of_ticket` makes the one of a conversation or of a notice
about it, `apart` that of what tells a colleague something about no one ticket, `alone` that of a text to a customer.
"""

from typing import Any

import msgspec
from sqlalchemy import and_

from channels import markup, unmarked
from channels.contract import Address, OutboundFile, OutboundMessage
from intake import addresses, attempts, file_links, instants, loops, whatsapp_window
from intake.model import Account, Context, Ticket
from intake.store import schema
from intake.store.engine import Tx

REFERENCES_MAX = 20
MAIL = "email"
# The condition of a row of the outbox that has reached somebody, or still may.
_state = schema.outbox.c.state
STANDS = and_(_state != "failed", _state != "dropped", _state != "withheld")


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be said, before it has an id, addresses and signatures.

    cause, action: see the module docstring. answers: Message-IDs it follows, the one answered last.
    automatic: as OutboundMessage. is_public: the customer gets it, and it is part of the conversation.
    author: an agent's name, or "rule:<id>". agent: who gets it as a notice and may answer it by mail, None = nobody.
    text: Markdown, others' words in it marked as verbatim (channels.markup); a notice's is words altogether.
    below: what the mail says after it and the conversation does not keep (a signature, a quote). from_name: "" = the
    organization's. withheld: why it is kept and not sent, None = it is sent. number: the outbox id, None = a new one;
    what stands in its text may have to name it. medium: what carries it, None = mail for an address, else the ticket's own.
    extra: as OutboundMessage. account: which carries it, None = any that can. is_kept: False = it says again, by another way, what
    the conversation has.
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
    is_kept: bool = True


def of_ticket(tx: Tx, context: Context, account: Account, ticket: Ticket, draft: Draft) -> OutboundMessage:
    """Compose a message of a ticket."""
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
        reference=_reference(context, account, outbox_id),
    )


def apart(
    tx: Tx, context: Context, account: Account, draft: Draft, *, outbox_id: int, text: str
) -> OutboundMessage:
    """Compose what is about no one ticket. text: the draft's, or what names the outbox id."""
    own, keys = addresses.own_address(account, ()), context.keys
    is_automatic = draft.automatic is not None
    return OutboundMessage(
        id=str(outbox_id),
        account=account.name,
        to=(draft.to,),
        from_=Address(own, context.organization),
        subject=draft.subject,
        text=text,
        is_verbatim=True,
        message_id=f"{outbox_id}.{keys.sign('apart', str(outbox_id))}@{own.rpartition('@')[2]}",
        envelope_sender="" if is_automatic else addresses.return_path(keys, account, own, outbox_id) or own,
        automatic=draft.automatic,
        created_at=instants.datetime_from_us(tx.now),
        headers={loops.MARK: loops.mark(keys, outbox_id, is_automatic=is_automatic)},
        extra=draft.extra,
        reference=_reference(context, account, outbox_id),
    )


def alone(
    tx: Tx, context: Context, account: Account, draft: Draft, *, outbox_id: int, own: str
) -> OutboundMessage:
    """Compose a text to a customer that is about no ticket. own: our number, that it leaves from."""
    return OutboundMessage(
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
        reference=_reference(context, account, outbox_id),
    )


def _reference(context: Context, account: Account, outbox_id: int) -> str:
    """Return what the other side's reports name our message by; mail has its Message-ID."""
    return "" if account.medium == MAIL else attempts.reference(context.keys, outbox_id)


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
