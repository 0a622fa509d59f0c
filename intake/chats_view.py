"""Chats as they are listed and written out: whose each is, how far it has come to a page, what was said. Reads only."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import bindparam, select

from channels.contract import Fed
from intake import aliases, instants, session_lines
from intake.availability import Availabilities
from intake.model import Context
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

EVERY = 2**62
LINES_PAGE = 200

_f, _v, _t, _c = schema.feeds.c, schema.visitors.c, schema.tickets.c, schema.customers.c
_LIST = Statement(
    select(
        _f.session,
        _f.account,
        _t.ref,
        _c.name,
        _f.last_seq,
        _f.got_seq,
        _f.read_seq,
        _v.email,
        _v.proven_email,
        _v.subject,
        _v.page,
        _f.updated_at,
        _v.idle_at,
        _v.mail_at,
    )
    .outerjoin(schema.visitors, _v.session == _f.session)
    .outerjoin(schema.tickets, _t.id == _f.ticket_id)
    .outerjoin(schema.customers, _c.id == _f.customer_id)
    .where(_f.updated_at >= bindparam("since"), _f.last_seq > 0)
    .order_by(_f.updated_at.desc(), _f.session)
    .limit(bindparam("most"))
)


class Row(msgspec.Struct, frozen=True):
    """One chat. address: where an answer goes; is_proven: the site vouches for who it is. Instants: microseconds UTC."""

    session: str
    account: str
    ticket: str | None
    customer: str
    lines: int
    got: int
    read: int
    address: str
    is_proven: bool
    page: str
    at: int
    ends_at: int | None
    mailed_at: int | None


def listed(tx: Tx, *, since_us: int | None = None, most: int | None = None) -> list[Row]:
    """Return the chats, the one that was heard of last first."""
    rows = tx.all(_LIST, since=since_us or 0, most=most or EVERY)
    return [
        Row(
            session=row[0],
            account=row[1],
            ticket=row[2],
            customer=row[3] or "",
            lines=row[4],
            got=row[5],
            read=row[6],
            address=row[8] or row[7] or "",
            is_proven=bool(row[9]),
            page=row[10] or "",
            at=row[11],
            ends_at=row[12],
            mailed_at=row[13],
        )
        for row in rows
    ]


def as_json(row: Row) -> dict[str, Any]:
    """Return the public keys. session: as `intake tickets block` takes it."""
    return {
        "session": row.session,
        "account": row.account,
        "ticket": row.ticket,
        "customer": row.customer,
        "lines": row.lines,
        "got": row.got,
        "read": row.read,
        "address": row.address,
        "proven": row.is_proven,
        "page": row.page,
        "at": instants.rfc3339_from_us(row.at),
        "ends_at": instants.rfc3339_from_us(row.ends_at),
        "mailed_at": instants.rfc3339_from_us(row.mailed_at),
    }


def lines(tx: Tx, session: str) -> list[Fed]:
    """Return everything that was said in a chat, in order."""
    whole: list[Fed] = []
    name = aliases.resolved(tx, session)
    while page := session_lines.after(tx, name, whole[-1].seq if whole else 0, most=LINES_PAGE):
        whole += page
    return whole


def statuses(tx: Tx, context: Context, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return for each account whether somebody answers now, as its pages are told: the keys of `chat status --json`."""
    looking = Availabilities(lambda: context)
    found = ((name, looking.of_account(tx, name)) for name in names)
    return [
        {
            "account": name,
            "state": each.state,
            "wait_s": each.wait_s,
            "opens_at": instants.rfc3339(each.opens_at) if each.opens_at else None,
            "answered_by": instants.rfc3339(each.answered_by) if each.answered_by else None,
            "zone": each.zone,
        }
        for name, each in found
    ]


def accounts(context: Context) -> list[str]:
    """Return the accounts that are chats, in the order of the configuration."""
    return [each.name for each in context.accounts.values() if each.medium == "chat"]
