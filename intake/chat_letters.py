"""Answers to visitors who have left: what came to no page of theirs within some minutes goes out by mail, on the same ticket.

Looked at when the account's minutes are over (visitors.mail_at): lines of agents that no page has acknowledged, all in one
mail, each once. It comes from the mail account that carries the ticket, with a reply address that is signed for whom it goes
to, so that an answer by mail joins the ticket (intake.answered); and with a link to the page where they chatted, which opens
their chat on any device (intake.chat_links). Nothing that the visitor wrote is in it: an address is proven by nothing when they
have only written it there, and then a few mails an hour are all that it gets. This is a clockwork (intake.clockworks).
"""

import logging
import re
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import bindparam, func, select

from channels import markup
from channels.contract import Address, Identity, OutboundFile, OutboundMessage
from channels.webchat import quick_replies
from intake import (
    answer_form,
    chat_links,
    counters,
    events,
    loops,
    outgoing,
    session_lines,
    tickets,
    undeliverable,
    visitors,
)
from intake.model import Context, Ticket
from intake.outbound import MAIL, Draft
from intake.store import schema
from intake.store.engine import Store, StoreError, Tx
from intake.store.statements import Statement
from intake.visitors import Visitor

KIND = "chat_letters"
PAGE = 100
LINES_MAX = 50
TRANSCRIPT_LINES_MAX = 1_000
UNPROVEN_PER_HOUR = 5  # mails to an address that nobody has vouched for
COUNTER = "chat_letters"

log = logging.getLogger("intake.chat_letters")

_v, _f, _l = schema.visitors.c, schema.feeds.c, schema.session_lines.c
_o, _m = schema.outbox.c, schema.messages.c
_NEXT = Statement(select(func.min(_v.mail_at)).where(_v.mail_at.is_not(None)))
_DUE = Statement(
    select(_v.session, _f.ticket_id)
    .join(schema.feeds, _f.session == _v.session)
    .where(_v.mail_at <= bindparam("now"))
    .order_by(_v.mail_at)
    .limit(bindparam("most"))
)
_LOST = Statement(  # the feed was forgotten
    schema.visitors.update()
    .where(_v.mail_at <= bindparam("now"), _v.session.not_in(select(_f.session)))
    .values(mail_at=None)
)
_UNSEEN = Statement(
    select(_l.seq, _l.text, _o.payload, _m.author)
    .join(schema.feeds, _f.session == _l.session)
    .outerjoin(schema.outbox, _o.id == _l.outbox_id)
    .outerjoin(schema.messages, _m.id == _o.message_id)
    .where(
        _l.session == bindparam("session"),
        _l.author == "agent",
        _l.seq > _f.got_seq,
        _l.seq > bindparam("after"),
        _l.code == "",
    )
    .order_by(_l.seq)
    .limit(LINES_MAX)
)
_decode = msgspec.json.Decoder(OutboundMessage).decode
_ADDRESS = re.compile(r"(https?://[^\s<>()\[\]*]+)")

_GO_ON = {
    "de": "Antworten Sie auf diese E-Mail, oder schreiben Sie im Chat weiter",
    "el": "Απαντήστε σε αυτό το μήνυμα ή συνεχίστε στη συνομιλία",
    "en": "Answer this mail, or go on in the chat",
    "es": "Responda a este correo o siga en el chat",
    "fr": "Répondez à ce message ou continuez dans le chat",
    "pl": "Odpowiedz na tę wiadomość albo pisz dalej na czacie",
    "pt": "Responda a este e-mail ou continue no chat",
}

_ABOUT = {
    "de": "Ihr Chat",
    "el": "Η συνομιλία σας",
    "en": "Your chat",
    "es": "Su chat",
    "fr": "Votre chat",
    "pl": "Twój czat",
    "pt": "O seu chat",
}


class Unseen(msgspec.Struct, frozen=True):
    """What no page has got. last_seq: of the last line; texts: in order; author: of the last one."""

    last_seq: int
    texts: tuple[str, ...]
    files: tuple[OutboundFile, ...]
    author: str


class Letter(msgspec.Struct, frozen=True):
    """What is mailed. cause: of the session's own, unique; text: Markdown; author: an agent, or "system"."""

    cause: str
    text: str
    author: str
    files: tuple[OutboundFile, ...] = ()


_BY_MAIL = Statement(
    select(_m.id)
    .where(
        _m.ticket_id == bindparam("ticket_id"),
        _m.direction == "in",
        _m.medium == MAIL,
        _m.author == bindparam("author"),
    )
    .limit(1)
)


def next_due(tx: Tx) -> int | None:
    """Return when to look next, microseconds UTC; None = nobody who could be mailed has anything to get."""
    row = tx.one(_NEXT)
    return None if row is None else row[0]


async def run_due(store: Store, context: Context) -> int:
    """Mail what is due; how many mails. Raises: StoreError."""
    await store.write(lambda tx: tx.run(_LOST, now=tx.now))
    sent = 0
    for session, ticket_id in await store.read(lambda tx: tx.all(_DUE, now=tx.now, most=PAGE)):
        sent += await _try(store, context, session, ticket_id)
    return sent


async def _try(store: Store, context: Context, session: str, ticket_id: int | None) -> bool:
    """Mail one session; one that breaks is told and holds up no other. Raises: StoreError."""
    try:
        return await store.write(lambda tx: send(tx, context, session, ticket_id))
    except StoreError:
        raise
    except Exception:
        log.exception("chat_letter_failed", extra={"session": session})
        await store.write(lambda tx: visitors.note_mailed(tx, session, None))
        return False


def send(tx: Tx, context: Context, session: str, ticket_id: int | None) -> bool:
    """Mail a visitor what they have not got; false = they have it by now, or it cannot be mailed."""
    ticket = None if ticket_id is None else tickets.locked_final(tx, ticket_id)
    visitor = visitors.load(tx, session)
    if visitor is None or visitor.mail_at is None or visitor.mail_at > tx.now:
        return False
    unseen = _unseen(tx, session, visitor)
    if ticket is None or unseen is None:
        visitors.note_mailed(tx, session, None)
        return False
    visitors.note_mailed(tx, session, unseen.last_seq)
    reason = refusal(tx, context, ticket, visitor)
    if reason is not None:
        events.of_ticket(tx, ticket, "chat_not_mailed", reason=reason)
        return False
    said = (_as_said(_plain(context, visitor, each)) for each in unseen.texts)
    text = "\n\n".join(filter(None, said))
    letter = Letter(str(unseen.last_seq), text, unseen.author, unseen.files)
    return _mail(tx, context, ticket, visitor, letter)


def send_transcript(tx: Tx, context: Context, session: str, ticket: Ticket) -> bool:
    """Mail a visitor their whole chat; false = it cannot be mailed.

    Where nobody vouches for the address it is the link alone: the words in a chat are anybody's.
    """
    visitor = visitors.load(tx, session)
    if visitor is None:
        return False
    reason = refusal(tx, context, ticket, visitor)
    if reason is not None:
        events.of_ticket(tx, ticket, "chat_not_mailed", reason=reason)
        return False
    is_proven = bool(visitor.proven_email) or _has_mailed(tx, ticket, visitor)
    fed = session_lines.after(tx, session, 0, most=TRANSCRIPT_LINES_MAX) if is_proven else []
    said = "\n\n".join(
        markup.verbatim(
            f"{each.at:%Y-%m-%d %H:%M} UTC {each.line.name or each.line.author}: {_plain(context, visitor, each.line.text)}"
        )
        for each in fed
        if each.line.text
    )
    letter = Letter(f"transcript:{tx.new_id()}", said, "system")
    return _mail(tx, context, ticket, visitor, letter)


def refusal(tx: Tx, context: Context, ticket: Ticket, visitor: Visitor) -> str | None:
    """Say why nothing goes to a visitor's address; None = it does. What it counts is used up."""
    address = visitor.address.lower()
    if not address:
        return "no address is known"
    if ticket.is_spam:
        return "it is spam"
    if loops.is_ours(context.accounts.values(), address) or loops.is_robot(address):
        return "nobody reads at the address"
    if undeliverable.has_complained(tx, address):
        return "the address has called our mail spam"
    is_proven = bool(visitor.proven_email)
    if not is_proven and not counters.take(tx, COUNTER, address, limit=UNPROVEN_PER_HOUR):
        return "the address has had enough mails within the hour, and nobody has vouched for it"
    return None


def _unseen(tx: Tx, session: str, visitor: Visitor) -> Unseen | None:
    rows = tx.all(_UNSEEN, session=session, after=visitor.mailed_seq)
    if not rows:
        return None
    texts = [text for _, text, _, _ in rows]
    sent = [_decode(payload) for _, _, payload, _ in rows if payload is not None]
    files = tuple(file for each in sent for file in each.attachments)
    return Unseen(int(rows[-1][0]), tuple(filter(None, texts)), files, str(rows[-1][3] or ""))


def _as_said(text: str) -> str:
    """Return a line of a chat for a mail: the words that stood there, which are no Markdown; its addresses are links."""
    parts = _ADDRESS.split(text)
    return "".join(part if number % 2 else markup.verbatim(part) for number, part in enumerate(parts) if part)


def _plain(context: Context, visitor: Visitor, text: str) -> str:
    """Return what we said without the name of the quick replies that it ends with: in a mail nothing can be pressed."""
    account = context.accounts.get(visitor.account)
    return quick_replies.parted(text, () if account is None else account.quick_replies)[0]


def _has_mailed(tx: Tx, ticket: Ticket, visitor: Visitor) -> bool:
    """Whether mail from the address stands on the ticket: then whoever reads it has answered us from there."""
    row = tx.one(_BY_MAIL, ticket_id=ticket.id, author=visitor.address.lower())
    return row is not None


def _mail(tx: Tx, context: Context, ticket: Ticket, visitor: Visitor, letter: Letter) -> bool:
    """Write the mail, and let its reader take part: what they answer joins the ticket."""
    identity = Identity(MAIL, visitor.address.lower())
    outbox_id = outgoing.send(
        tx,
        context,
        ticket,
        Draft(
            cause=f"chat:{visitor.session}:{letter.cause}",
            action="chat_letter",
            to=Address(visitor.address, visitor.name if visitor.proven_email else ""),
            subject=_subject(context, ticket, visitor),
            text=letter.text,
            below=_below(context, ticket, visitor, now_us=tx.now),
            from_name=answer_form.from_name(context, letter.author),
            author=letter.author,
            attachments=letter.files,
            medium=MAIL,
            is_kept=False,
        ),
    )
    if outbox_id is None:
        reason = "no account of this configuration sends mail"
        events.of_ticket(tx, ticket, "chat_not_mailed", reason=reason)
        return False
    if identity not in tickets.participants(tx, ticket.id):
        tickets.add_participant(tx, ticket, identity)
    events.of_ticket(tx, ticket, "chat_mailed", outbox=str(outbox_id), address=identity.value)
    return True


def _subject(context: Context, ticket: Ticket, visitor: Visitor) -> str:
    """Return a subject of our own words: the ticket's are the visitor's, and the address may be anybody's."""
    about = _ABOUT.get(_language(ticket, visitor), _ABOUT["en"])
    named = f" – {context.organization}" if context.organization else ""
    return f"{about}{named} [{ticket.ref}]"


def _language(ticket: Ticket, visitor: Visitor) -> str:
    return (ticket.language or visitor.locale.partition("-")[0] or "en").lower()


def _below(context: Context, ticket: Ticket, visitor: Visitor, *, now_us: int) -> str:
    """Return the line that says how to go on: here, and in the chat where its page is known."""
    account = context.accounts.get(visitor.account)
    origins: Sequence[Any] = () if account is None else account.origins
    link = chat_links.link(context.keys, visitor.session, visitor.page, origins=origins, now_us=now_us)
    go_on = _GO_ON.get(_language(ticket, visitor), _GO_ON["en"])
    return f"\n\n--\n{go_on}: {link}\n" if link else ""
