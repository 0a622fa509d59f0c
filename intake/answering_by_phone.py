"""How a customer who texts or calls is answered: by what they used last, from the number that they wrote to.

A text is answered by a text, WhatsApp by WhatsApp, within its 24 hours or by a template. A call is answered by a text when
there is an account for texts and the number takes any, else by mail to an address that is proven to be theirs. On a ticket
where a call came in between, the answer goes where the ticket's other messages come from.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import bindparam, select

from channels import markup, phone_numbers
from channels.contract import Address, OutboundFile
from channels.twilio import segments, sendable_files, templates
from intake import outbound, outgoing, permission, pictures, undeliverable, whatsapp_window
from intake.model import Account, Context, Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from intake.threads import Said, Thread

SMS, WHATSAPP, VOICE, MAIL = "sms", "whatsapp", "voice", "email"
TEXTS = frozenset((SMS, WHATSAPP))
PHONE = frozenset((SMS, WHATSAPP, VOICE))
TEMPLATES_SHOWN = 8

_i = schema.identities.c
_PROVEN = Statement(
    select(_i.value)
    .where(
        _i.customer_id == bindparam("customer_id"),
        _i.kind == MAIL,
        _i.is_verified == 1,
        _i.undeliverable_since.is_(None),
    )
    .order_by(_i.id.desc())
    .limit(1)
)
_NUMBERS = Statement(
    select(_i.value).where(_i.customer_id == bindparam("customer_id"), _i.kind == "phone").order_by(_i.id)
)


class CannotAnswer(Exception):
    """Why nothing can be sent: one sentence for the agent."""


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """How an answer goes. to: a number, a WhatsApp user, or a mailbox; said: what it answers, None = a call."""

    medium: str
    account: Account
    to: Address
    said: Said | None = None

    @property
    def is_text(self) -> bool:
        return self.medium in TEXTS


class Chosen(msgspec.Struct, frozen=True):
    """A template that an agent has chosen, with the values of its variables in order."""

    name: str
    values: Sequence[str] = ()


def way(tx: Tx, context: Context, ticket: Ticket, thread: Thread) -> Way | None:
    """Return how a customer is answered; None = by mail, to who wrote last. Raises: CannotAnswer."""
    said = _answered(ticket, thread)
    if said is None and ticket.medium not in PHONE:
        return None
    if said is not None and said.medium == MAIL:
        return None
    if said is not None and said.medium in TEXTS:
        return _by_text(context, ticket, said)
    if said is not None and said.medium != VOICE:
        return None
    return _after_call(tx, context, ticket, said)


def _answered(ticket: Ticket, thread: Thread) -> Said | None:
    """Return the message that says how to answer: the last, but a call between others."""
    last = thread.last_words
    if last is None or last.medium != VOICE or ticket.medium == VOICE:
        return last
    return thread.last_by(ticket.medium) or last


def _by_text(context: Context, ticket: Ticket, said: Said) -> Way:
    own = context.accounts.get(said.account)
    account = own if own is not None and own.can_deliver else outgoing.carrier(context, ticket, said.medium)
    if account is None:
        raise CannotAnswer(f"no account of this configuration can send by {said.medium}: ticket {ticket.ref}")
    if not is_answerable(said.medium, said.author):
        raise CannotAnswer(f"'{said.author}' is a short code or a name: nobody can be written to there")
    return Way(medium=said.medium, account=account, to=Address(said.author, said.author_name), said=said)


def is_answerable(medium: str, address: str) -> bool:
    """Whether somebody can be written to: a whole number, or a WhatsApp user without one."""
    return phone_numbers.e164(address) == address or (medium == WHATSAPP and bool(address))


def _after_call(tx: Tx, context: Context, ticket: Ticket, said: Said | None) -> Way:
    """Answer a call: by text where that can arrive, else by mail."""
    number = _number(tx, ticket, said)
    account = texting_account(context, ticket)
    if number is not None and account is not None and is_textable(tx, number):
        return Way(medium=SMS, account=account, to=Address(number))
    proven = tx.one(_PROVEN, customer_id=ticket.customer_id)
    mail = outgoing.carrier(context, ticket, MAIL)
    if proven is not None and mail is not None:
        return Way(medium=MAIL, account=mail, to=Address(proven[0]))
    if number is None:
        why = "the caller hides their number"
    elif account is None:
        why = "there is no account for texts"
    else:
        why = f"{number} takes no texts"
    raise CannotAnswer(
        f"{why}, and no address of theirs is proven: call them, or write a note on {ticket.ref}"
    )


def _number(tx: Tx, ticket: Ticket, said: Said | None) -> str | None:
    """Return the number that called, else one that the customer is known by."""
    called = phone_numbers.e164(said.author) if said is not None else None
    if called is not None:
        return called
    known = (phone_numbers.e164(row[0]) for row in tx.all(_NUMBERS, customer_id=ticket.customer_id))
    return next((each for each in known if each is not None), None)


def texting_account(context: Context, ticket: Ticket) -> Account | None:
    """Return the account that texts for a ticket: one that has the number which was called, else the first."""
    able = [each for each in context.accounts.values() if each.medium == SMS and each.can_deliver]
    return next((each for each in able if ticket.own_address in each.addresses), None) or next(
        iter(able), None
    )


def is_textable(tx: Tx, number: str) -> bool:
    """Whether texts reach a number, as far as its country's plan and what came back say."""
    if undeliverable.reason_of_number(tx, SMS, number) in ("not_textable", "number_unknown"):
        return False
    return phone_numbers.may_be_mobile(number)


# -- what is sent ---------------------------------------------------------------------------------------------------------


def words(tx: Tx, ticket: Ticket, by: Way, *, text: str, chosen: Chosen | None) -> tuple[str, dict[str, Any]]:
    """Return the text that is sent and OutboundMessage.extra. Raises: CannotAnswer when neither may be sent."""
    if chosen is not None:
        return _of_template(ticket, by, chosen)
    check_length(by.medium, text)
    if by.medium != WHATSAPP:
        return text, {}
    until = whatsapp_window.ends_at(tx, ticket, account=by.account.name, address=by.to.address)
    if not whatsapp_window.is_open(until, now_us=tx.now):
        raise CannotAnswer(_closed(tx, ticket, by))
    return text, {}


def check_allowed(
    tx: Tx, context: Context, ticket: Ticket, draft: outbound.Draft, *, files: Sequence[OutboundFile] = ()
) -> None:
    """Look before an agent's answer is kept whether it may be sent at all. Raises: CannotAnswer."""
    account = context.accounts.get(draft.account or "")
    if account is None or account.medium not in TEXTS:
        return
    if files:
        own = outbound.own_address(account, ticket)
        check_files(context, account, own, files, has_words=bool(draft.text.strip()))
    verdict = permission.ask(tx, context, outgoing.asked(tx, account, ticket, draft))
    if verdict.is_withheld:
        raise CannotAnswer(verdict.sentence)


def check_files(
    context: Context, account: Account, own: str, files: Sequence[OutboundFile], *, has_words: bool
) -> None:
    """Look whether files can go along, pictures as small as they can be made here. Raises: CannotAnswer."""
    sized = [(each.content_type, each.size) for each in files]
    if pictures.is_installed():
        sized = sendable_files.as_sent(account.medium, sized)
    if not context.public_url:
        why: str | None = "files are fetched from http.public_url, which is not set"
    elif account.medium == SMS and not own.startswith("+1"):
        why = f"files can be texted from numbers of the USA and Canada, and {own} is none"
    else:
        why = sendable_files.against(account.medium, sized, has_words=has_words)
    if why is not None:
        raise CannotAnswer(f"{why}: put them where a link leads to, or answer by mail")


def check_length(medium: str, text: str) -> None:
    """Raises: CannotAnswer when it is longer than the provider takes."""
    counted = segments.figures(outbound.words(medium, text))
    if counted.is_too_long:
        most = segments.MAX_CHARACTERS
        raise CannotAnswer(
            f"the answer has {counted.characters} characters, and a text has {most} at most: send a link"
        )


def _of_template(ticket: Ticket, by: Way, chosen: Chosen) -> tuple[str, dict[str, Any]]:
    if by.medium != WHATSAPP:
        raise CannotAnswer(f"templates are for WhatsApp, and ticket {ticket.ref} is answered by {by.medium}")
    template = templates.named(by.account.templates, chosen.name, language=ticket.language)
    if template is None:
        raise CannotAnswer(f"there is no template '{chosen.name}'{_offer(ticket, by)}")
    try:
        return markup.verbatim(template.rendered(chosen.values)), {"template": template.asked(chosen.values)}
    except ValueError as error:
        raise CannotAnswer(str(error)) from error


def _closed(tx: Tx, ticket: Ticket, by: Way) -> str:
    until = whatsapp_window.ends_at(tx, ticket, account=by.account.name, address=by.to.address)
    return f"{whatsapp_window.sentence(until, account=by.account.name, address=by.to.address)}{_offer(ticket, by)}"


def _offer(ticket: Ticket, by: Way) -> str:
    """Name the templates, those of the ticket's language first."""
    fitting = templates.fitting(by.account.templates, language=ticket.language)
    if not fitting:
        return f"; the account '{by.account.name}' names none"
    named = "; ".join(
        f'{each.name} ({each.language}): "{each.text[:120]}"' for each in fitting[:TEMPLATES_SHOWN]
    )
    return f" — {named}"
