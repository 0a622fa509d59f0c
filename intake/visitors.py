"""Who a chat is with, as rows: where an answer reaches them, who the site says they are, what they agreed to.

A session has one row, made when the first of it is known. An address that a visitor wrote is proven by nothing: it names
nobody, and serves for one thing, to send them the answers that they asked for. What the site vouches for is proven.
"""

from typing import Any

import msgspec
from sqlalchemy import bindparam, func, select

from channels.contract import ChatEvent, Happened, Identity
from intake import customers, events, identified, instants
from intake.model import Context
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement, upsert

CHAT = "chat"
CONSENT, CONTACT, IDENTIFIED = "consent", "contact", "identified"

_v, _a, _f, _l = (
    schema.visitors.c,
    schema.agreements.c,
    schema.feeds.c,
    schema.session_lines.c,
)
_NAMES = ("session", "account", "customer_id", "email", "name", "subject", "proven_email", "page", "locale", "mailed_seq", "mail_at", "idle_at")  # fmt: skip
_ONE = Statement(
    select(*(schema.visitors.c[name] for name in _NAMES)).where(_v.session == bindparam("session"))
)
_BEGIN = Statement(
    upsert(schema.visitors)
    .values(session=bindparam("session"), account=bindparam("account"))
    .on_conflict_do_nothing(index_elements=[_v.session])
)
_WROTE = Statement(
    upsert(schema.visitors)
    .values(
        session=bindparam("session"),
        account=bindparam("account"),
        customer_id=bindparam("customer"),
        page=bindparam("page"),
        locale=bindparam("locale"),
    )
    .on_conflict_do_update(
        index_elements=[_v.session],
        set_={
            "customer_id": bindparam("customer"),
            "page": bindparam("page"),
            "locale": bindparam("locale"),
            "idle_at": None,
        },
    )
)
_AGREE = Statement(
    upsert(schema.agreements)
    .values(
        {
            name: bindparam(name)
            for name in (
                "id",
                "customer_id",
                "account",
                "session",
                "version",
                "language",
                "text",
                "link",
                "at",
            )
        }
    )
    .on_conflict_do_nothing(index_elements=[_a.session, _a.version])
)
_AGREED = Statement(
    select(_a.account, _a.session, _a.version, _a.language, _a.text, _a.link, _a.at)
    .where(_a.customer_id == bindparam("customer_id"))
    .order_by(_a.id)
)
_MAIL_SOONER = Statement(
    schema.visitors.update()
    .where(
        _v.session == bindparam("of_session"),
        (_v.email != "") | (_v.proven_email != ""),
        _v.mail_at.is_(None),
    )
    .values(mail_at=bindparam("at"))
)
_UNSEEN = Statement(
    select(func.min(_l.seq))
    .join(schema.feeds, _f.session == _l.session)
    .join(schema.visitors, _v.session == _l.session)
    .where(
        _l.session == bindparam("session"),
        _l.author == "agent",
        _l.seq > _f.got_seq,
        _l.seq > _v.mailed_seq,
        _l.code == "",
    )
)


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """One session's row. email: as they wrote it; proven_email: as the site vouches; instants: microseconds UTC."""

    session: str
    account: str
    customer_id: int | None
    email: str
    name: str
    subject: str
    proven_email: str
    page: str
    locale: str
    mailed_seq: int
    mail_at: int | None
    idle_at: int | None

    @property
    def address(self) -> str:
        """Where an answer goes when they have left: the proven one first; "" = nowhere."""
        return self.proven_email or self.email


def load(tx: Tx, session: str) -> Visitor | None:
    row = tx.one(_ONE, session=session)
    return None if row is None else Visitor(**dict(zip(_NAMES, row, strict=True)))


def note(tx: Tx, session: str, account: str, **columns: Any) -> None:
    """Keep something of a session."""
    tx.run(_BEGIN, session=session, account=account)
    if columns:
        tx.update(schema.visitors, {"session": session}, **columns)


def wrote(tx: Tx, session: str, account: str, *, customer_id: int, page: str, locale: str) -> None:
    """Keep whose a line was, and where its page stands; a chat in which the visitor spoke last is not idle."""
    tx.run(_WROTE, session=session, account=account, customer=customer_id, page=page, locale=locale)


def answered(tx: Tx, context: Context, session: str, account: str) -> None:
    """Have it looked at whether our answer comes to a page, and whether the visitor says anything more."""
    mail_unseen(tx, context, session, account)
    await_more(tx, context, session, account)


def await_more(tx: Tx, context: Context, session: str, account: str) -> None:
    """Have a chat in which we spoke last end by itself, once the account's minutes are over."""
    known = context.accounts.get(account)
    leaving = None if known is None else known.leaving
    if leaving is not None and leaving.idle_minutes:
        begin_idle(tx, session, at_us=tx.now + round(leaving.idle_minutes * 60_000_000))


def learn(tx: Tx, context: Context, event: ChatEvent, *, account: str) -> None:
    """Keep what a turn that is no line tells of its visitor. Before any lock but the sender's is held."""
    for each in event.happened:
        if each.what == IDENTIFIED:
            _identified(tx, event, each, account)
        elif each.what == CONTACT:
            note(tx, event.session, account, email=_text(each, "email"), name=_text(each, "name"))
            mail_unseen(tx, context, event.session, account)
        elif each.what == CONSENT:
            _agreed(tx, event, each, account)


def _identified(tx: Tx, event: ChatEvent, happened: Happened, account: str) -> None:
    customer_id = identified.take_in(
        tx,
        event.customer,
        identified.Vouched(
            account=account,
            subject=_text(happened, "subject"),
            email=_text(happened, "email"),
            name=_text(happened, "name"),
        ),
    )
    note(
        tx,
        event.session,
        account,
        customer_id=customer_id,
        subject=_text(happened, "subject"),
        proven_email=_text(happened, "email"),
        name=_text(happened, "name"),
    )


def _agreed(tx: Tx, event: ChatEvent, happened: Happened, account: str) -> None:
    """Keep an agreement on the customer, one of their own when nobody is known yet."""
    customer = customers.known_as(tx, event.customer, name="")
    note(tx, event.session, account, customer_id=customer.id)
    tx.run(
        _AGREE,
        id=tx.new_id(),
        customer_id=customer.id,
        account=account,
        session=event.session,
        version=_text(happened, "version"),
        language=_text(happened, "language"),
        text=_text(happened, "text"),
        link=_text(happened, "link"),
        at=instants.us_from_datetime(happened.at),
    )
    events.record(
        tx,
        "chat_consent",
        customer_id=customer.id,
        actor="customer",
        account=account,
        version=_text(happened, "version"),
    )


def agreements(tx: Tx, customer_id: int) -> list[dict[str, Any]]:
    """Return what a customer agreed to, oldest first: account, session, version, language, text, link, at (RFC 3339)."""
    names = ("account", "session", "version", "language", "text", "link")
    return [
        dict(zip(names, row[:6], strict=True)) | {"at": instants.rfc3339_from_us(row[6])}
        for row in tx.all(_AGREED, customer_id=customer_id)
    ]


def mail_unseen(tx: Tx, context: Context, session: str, account: str) -> None:
    """Have it looked at, once the account's minutes are over, whether what we said has come to a page of theirs."""
    known = context.accounts.get(account)
    leaving = None if known is None else known.leaving
    if leaving is None or not leaving.mail_after_minutes:
        return
    row = tx.one(_UNSEEN, session=session)
    if row is None or row[0] is None:
        return
    at = tx.now + round(leaving.mail_after_minutes * 60_000_000)
    if tx.run(_MAIL_SOONER, of_session=session, at=at):
        tx.signal("timers", at)


def note_mailed(tx: Tx, session: str, seq: int | None) -> None:
    """Note that what we said has been looked at. seq: up to which line it has gone out by mail, None = nothing has."""
    mailed = {} if seq is None else {"mailed_seq": seq}
    tx.update(schema.visitors, {"session": session}, mail_at=None, **mailed)


def identity_of(session: str) -> Identity:
    """Return what a session's visitor is known as before anybody vouches for them."""
    return Identity(CHAT, session)


def begin_idle(tx: Tx, session: str, *, at_us: int | None) -> None:
    """Have a chat looked at when it may be idle, microseconds UTC; None = it is over, or nobody waits for them."""
    tx.update(schema.visitors, {"session": session}, idle_at=at_us)
    if at_us is not None:
        tx.signal("timers", at_us)


def _text(happened: Happened, name: str) -> str:
    return str(happened.details.get(name) or "")
