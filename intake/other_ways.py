"""By which other medium a customer can be reached now, when an answer did not arrive: offered to people, never taken by us.

A proven mail address, WhatsApp while their 24 hours last, a number that may take texts, a call: each only where this
configuration can send it, where nothing has come back from, and where they have not opted out.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

import msgspec
from sqlalchemy import bindparam, select

from channels import phone_numbers
from intake import answering_by_phone, instants, permission, undeliverable, whatsapp_window
from intake.answering_by_phone import MAIL, SMS, VOICE, WHATSAPP
from intake.model import Account, Ticket
from intake.permission import Asked
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

_i, _m, _o, _t = schema.identities.c, schema.messages.c, schema.outbox.c, schema.tickets.c
_KNOWN_BY = Statement(
    select(_i.kind, _i.value, _i.is_verified, _i.undeliverable_since)
    .where(_i.customer_id == bindparam("customer_id"))
    .order_by(_i.id.desc())
)
_CHATTED = Statement(
    select(_m.account, _m.author, _m.at, _m.sent_at)
    .join(schema.tickets, _t.id == _m.ticket_id)
    .where(
        _t.customer_id == bindparam("customer_id"),
        _m.direction == "in",
        _m.medium == WHATSAPP,
        _m.automatic.is_(None),
    )
    .order_by(_m.id.desc())
    .limit(20)
)
_LAST_ANSWER = Statement(
    select(_o.medium, _o.state)
    .where(_o.ticket_id == bindparam("ticket_id"), _o.message_id.is_not(None))
    .order_by(_o.id.desc())
    .limit(1)
)


class OtherWay(msgspec.Struct, frozen=True, kw_only=True):
    """How else a customer can be reached. until: aware UTC, of WhatsApp's 24 hours, None = there is no end to it."""

    medium: str
    to: str
    account: str
    until: datetime | None = None

    @property
    def words(self) -> str:
        """The same for people: "a call to +48600100200", "WhatsApp +48600100200 until 14:05 UTC"."""
        said = f"{_NAMES[self.medium]} {self.to}"
        return said if self.until is None else f"{said} until {self.until:%H:%M} UTC"

    @property
    def public(self) -> dict[str, str | None]:
        """The same as JSON has it."""
        until = None if self.until is None else instants.rfc3339(self.until)
        return {"medium": self.medium, "to": self.to, "account": self.account, "until": until}


_NAMES = {MAIL: "mail to", WHATSAPP: "WhatsApp to", SMS: "a text to", VOICE: "a call to"}


class _Known(msgspec.Struct, frozen=True):
    kind: str
    value: str
    is_verified: bool
    undeliverable_since: int | None


def after_failure(tx: Tx, accounts: Mapping[str, Account], ticket: Ticket) -> tuple[OtherWay, ...]:
    """Return how else the customer can be reached, when the last answer failed for good; () = it did not."""
    row = tx.one(_LAST_ANSWER, ticket_id=ticket.id)
    return of(tx, accounts, ticket, but=row[0]) if row is not None and row[1] == "failed" else ()


def of(tx: Tx, accounts: Mapping[str, Account], ticket: Ticket, *, but: str) -> tuple[OtherWay, ...]:
    """Return the ways that are open now, what is written before what is spoken. but: the medium that failed."""
    known = [_Known(*row) for row in tx.all(_KNOWN_BY, customer_id=ticket.customer_id)]
    found = []
    for medium, find in _FINDS.items():
        able = [each for each in accounts.values() if each.medium == medium and each.can_deliver]
        if medium != but and able:
            first = next(
                (each for each in find(tx, ticket, known, able) if _is_allowed(tx, accounts, each)), None
            )
            found += [first] if first is not None else []
    return tuple(found)


def sentence(ways: Iterable[OtherWay]) -> str:
    """Say it in one sentence; "" = there is no other way."""
    said = [each.words for each in ways]
    return f"They can be reached by {', or '.join(said)}." if said else ""


def _mails(tx: Tx, ticket: Ticket, known: list[_Known], able: list[Account]) -> Iterator[OtherWay]:
    account = next((each for each in able if each.name == ticket.account), able[0])
    for each in known:
        if each.kind == MAIL and each.is_verified and each.undeliverable_since is None:
            yield OtherWay(medium=MAIL, to=each.value, account=account.name)


def _chats(tx: Tx, ticket: Ticket, known: list[_Known], able: list[Account]) -> Iterator[OtherWay]:
    names = {each.name for each in able}
    for account, author, at, sent_at in tx.all(_CHATTED, customer_id=ticket.customer_id):
        wrote_at = at if sent_at is None else min(at, sent_at)
        until = instants.datetime_from_us(wrote_at) + whatsapp_window.WINDOW
        is_reached = undeliverable.reason_of_number(tx, WHATSAPP, author) is None
        if account in names and is_reached and whatsapp_window.is_open(until, now_us=tx.now):
            yield OtherWay(medium=WHATSAPP, to=author, account=account, until=until)


def _texts(tx: Tx, ticket: Ticket, known: list[_Known], able: list[Account]) -> Iterator[OtherWay]:
    account = _of_own_number(ticket, able)
    for number in _numbers(known):
        if answering_by_phone.is_textable(tx, number):
            yield OtherWay(medium=SMS, to=number, account=account.name)


def _calls(tx: Tx, ticket: Ticket, known: list[_Known], able: list[Account]) -> Iterator[OtherWay]:
    account = _of_own_number(ticket, able)
    for number in _numbers(known):
        if phone_numbers.country(number) in permission.countries(account):
            yield OtherWay(medium=VOICE, to=number, account=account.name)


_FINDS: dict[str, Callable[[Tx, Ticket, list[_Known], list[Account]], Iterator[OtherWay]]] = {
    MAIL: _mails,
    WHATSAPP: _chats,
    SMS: _texts,
    VOICE: _calls,
}


def _numbers(known: list[_Known]) -> Iterator[str]:
    return (
        each.value for each in known if each.kind == "phone" and phone_numbers.e164(each.value) == each.value
    )


def _of_own_number(ticket: Ticket, able: list[Account]) -> Account:
    return next((each for each in able if ticket.own_address in each.addresses), able[0])


def _is_allowed(tx: Tx, accounts: Mapping[str, Account], way: OtherWay) -> bool:
    """Whether the ledger lets an agent go that way."""
    asked = Asked(
        medium=way.medium,
        account=accounts[way.account],
        recipient=way.to,
        is_public=True,
        is_automatic=False,
        cause="offer",
        action="offer",
        created_at=tx.now,
    )
    return permission.ask(tx, None, asked).is_allowed
