"""Addresses that nothing reaches, and those that complained: shown beside the customer, until something comes from them.

A number is marked for what it was written to by: a landline has no texts (`phone`), and its owner may have WhatsApp.
"""

from sqlalchemy import BigInteger, bindparam, func, select

from channels.email.bounces import reasons
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

EMAIL = "email"
# What was wrong with the mail, the way or the moment says nothing about the address.
NOT_THE_ADDRESS = frozenset(
    {"too_large", "spam", "virus", "content", "authentication", "blocked", "rate_limited", "relay_denied", "loop", "tls", "protocol", "system"}
)  # fmt: skip
# Of a refusal in the middle of a conversation only what is said plainly counts: a relay's own trouble reads alike.
_PLAIN = frozenset({"mailbox_unknown", "mailbox_disabled", "mailbox_full", "mailbox_moved", "domain_unknown"})

_i = schema.identities.c
_is_it = (_i.kind == EMAIL, _i.value == bindparam("address"))
_MARK = Statement(
    schema.identities.update()
    .where(*_is_it)
    .values(
        undeliverable_since=func.coalesce(_i.undeliverable_since, bindparam("now", type_=BigInteger())),
        undeliverable_reason=bindparam("reason"),
    )
)
_MARK_NUMBER = Statement(
    schema.identities.update()
    .where(_i.kind == bindparam("kind"), _i.value == bindparam("value"))
    .values(
        undeliverable_since=func.coalesce(_i.undeliverable_since, bindparam("now", type_=BigInteger())),
        undeliverable_reason=bindparam("reason"),
    )
)
_REASON = Statement(
    select(_i.undeliverable_reason).where(
        _i.kind == bindparam("kind"),
        _i.value == bindparam("value"),
        _i.undeliverable_since.is_not(None),
    )
)
_COMPLAIN = Statement(schema.identities.update().where(*_is_it).values(complained_at=bindparam("at")))
_COMPLAINED = Statement(select(_i.id).where(*_is_it, _i.complained_at.is_not(None)))


def mark(tx: Tx, address: str, reason: str) -> bool:
    """Note that mail does not reach an address, unless the reason lies elsewhere; whether it is noted now."""
    if reason in NOT_THE_ADDRESS:
        return False
    return tx.run(_MARK, address=address.lower(), now=tx.now, reason=reason or "other") > 0


def mark_refused(tx: Tx, address: str, refusal: str) -> bool:
    """The same, from what a server said when it refused the address."""
    reason = reasons.reason_of(reasons.status_in(refusal), refusal)
    return reason in _PLAIN and mark(tx, address, reason)


def mark_number(tx: Tx, medium: str, number: str, reason: str) -> bool:
    """Note that a medium does not reach a number; whether we know it. reason: channels.contract.ADDRESS_PROBLEMS."""
    kind = identity_kind(medium)
    return tx.run(_MARK_NUMBER, kind=kind, value=number, now=tx.now, reason=reason) > 0


def identity_kind(medium: str) -> str:
    """Return what a medium's numbers are kept as."""
    return "whatsapp" if medium == "whatsapp" else "phone"


def reason_of_number(tx: Tx, medium: str, number: str) -> str | None:
    """Return why a medium does not reach a number; None = as far as we know it does."""
    row = tx.one(_REASON, kind=identity_kind(medium), value=number)
    return str(row[0] or "other") if row is not None else None


def reason_of_address(tx: Tx, address: str) -> str | None:
    """Return why mail does not reach an address; None = as far as we know it does."""
    row = tx.one(_REASON, kind="email", value=address.lower())
    return str(row[0] or "other") if row is not None else None


def complain(tx: Tx, address: str, *, is_withdrawn: bool = False) -> bool:
    """Note that somebody called our mail spam, or took it back; whether we know the address."""
    return tx.run(_COMPLAIN, address=address.lower(), at=None if is_withdrawn else tx.now) > 0


def has_complained(tx: Tx, address: str) -> bool:
    """Whether an address gets no automatic mail any more."""
    return tx.one(_COMPLAINED, address=address.lower()) is not None
