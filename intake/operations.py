"""How the daemon fares, as the operations page and `intake operations` show it: accounts, what is stuck, what is due.

Each part is one bounded read; lists are read in pages (intake.operations_lists). What mends something (replay, retry, drop)
is done where it has always been done: intake.journal, intake.outbox; done twice, or by two people, it is done once.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from sqlalchemy import bindparam, func, literal_column, select

from intake import events, instants, journal, ledger, operations_lists, outbox, timer_list
from intake.desk_scope import EVERYTHING, Scope
from intake.model import Account
from intake.operations_lists import SHOWN, List, Row
from intake.store import schema
from intake.store.engine import Ids, Store, Tx
from intake.store.statements import Statement

PENDING_MAX = 10_000  # beyond, it is enough to know that there are so many
SENT_WITHIN_US = 7 * 86_400 * 1_000_000
LATE_AFTER_US = 60 * 1_000_000

_j, _o, _t = schema.journal.c, schema.outbox.c, schema.tickets.c
_LAST_IN = Statement(
    select(_j.received_at).where(_j.account == bindparam("account")).order_by(_j.id.desc()).limit(1)
)
_LAST_OUT = Statement(
    select(_o.account, func.max(_o.sent_at))
    .where(_o.id > bindparam("after"), _o.sent_at.is_not(None))
    .group_by(_o.account)
)
# Read one by one: grouped in SQL, the whole journal would be read in the order of its accounts.
_PENDING = Statement(
    select(_j.account, _j.received_at)
    .where(_j.state == literal_column("'pending'"))
    .order_by(_j.id)
    .limit(bindparam("most"))
)
_OF_TICKET = Statement(select(_t.ref, _t.team, _t.agent).where(_t.ref == bindparam("ref")))


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. at: RFC 3339."""

    at: str
    channels: tuple[dict[str, Any], ...]
    ledger: tuple[dict[str, Any], ...]
    quarantine: List
    dead_letters: List
    queued: List
    timers: List

    def to_json(self) -> dict[str, Any]:
        return {
            "at": self.at,
            "channels": list(self.channels),
            "ledger": list(self.ledger),
            **{
                name: getattr(self, name).to_json()
                for name in ("quarantine", "dead_letters", "queued", "timers")
            },
        }


def look(
    store: Store,
    accounts: Mapping[str, Account],
    *,
    troubles: Mapping[str, str] | None = None,
    scope: Scope = EVERYTHING,
    pages: Mapping[str, str] | None = None,
) -> Overview:
    """Read all of it; it may take some tens of milliseconds. troubles: account -> what is wrong with it now.

    scope: whose tickets' rows are listed; all are counted. pages: list -> the `next` of the page before, none = the first.
    """

    def parts(tx: Tx) -> dict[str, Any]:
        lists = operations_lists.read(tx, scope, pages or {})
        return {"channels": tuple(_channels(tx, accounts, troubles or {})), **lists}

    with_rows = store.read_now(parts)
    due = [Row(each, ref=each["ticket"]) for each in timer_list.rows(store, timer_list.Wanted(limit=SHOWN))]
    failed = [
        Row(each, ref=each["ticket"])
        for each in timer_list.rows(store, timer_list.Wanted(state=timer_list.FAILED, limit=SHOWN))
    ]
    rows = store.read_now(lambda tx: _owned(tx, [*failed, *due]))
    return Overview(
        at=instants.rfc3339_from_us(store.now_us()) or "",
        ledger=tuple(ledger.rows(store)),
        timers=List(len(rows), len(rows), tuple(rows)),
        **with_rows,
    )


def replay(tx: Tx, journal_id: int, *, agent: str) -> bool:
    """Have a message that was set aside read and settled again; whether it was one."""
    if not journal.replay(tx, journal_id, state="quarantined"):
        return False
    row = tx.one(_OWNER, id=journal_id) or (None, None)
    events.record(
        tx, "replayed", ticket_id=row[0], customer_id=row[1], actor=f"agent:{agent}", journal=journal_id
    )
    return True


_OWNER = Statement(select(_j.ticket_id, _j.customer_id).where(_j.id == bindparam("id")))


def retry(tx: Tx, outbox_id: int, *, agent: str) -> bool:
    """Send what was given up once more; whether it was."""
    return _on_outbox(tx, outbox_id, agent=agent, kind="send_retried", change=_retry)


def _retry(tx: Tx, outbox_id: int) -> bool:
    """What waits already, or has gone out meanwhile, is left alone."""
    return outbox.retry(tx, outbox_id, states=("failed", "withheld"))


def drop(tx: Tx, outbox_id: int, *, agent: str) -> bool:
    """Never send what was given up; whether it was."""
    return _on_outbox(tx, outbox_id, agent=agent, kind="send_dropped", change=outbox.drop)


_OUT = Statement(select(_o.ticket_id, _o.customer_id).where(_o.id == bindparam("id")))


def _on_outbox(tx: Tx, outbox_id: int, *, agent: str, kind: str, change: Any) -> bool:
    row = tx.one(_OUT, id=outbox_id)
    if row is None or not change(tx, outbox_id):
        return False
    events.record(
        tx, kind, ticket_id=row[0], customer_id=row[1], actor=f"agent:{agent}", outbox=str(outbox_id)
    )
    return True


def _channels(
    tx: Tx, accounts: Mapping[str, Account], troubles: Mapping[str, str]
) -> Iterable[dict[str, Any]]:
    """Give each account with what it brought and sent last."""
    waiting: dict[str, tuple[int, int]] = {}
    for account, at in tx.all(_PENDING, most=PENDING_MAX):
        count, oldest = waiting.get(account, (0, at))
        waiting[account] = count + 1, min(oldest, at)
    sent = dict(map(tuple, tx.all(_LAST_OUT, after=Ids.lowest(tx.now - SENT_WITHIN_US))))
    for name, account in accounts.items():
        last = tx.one(_LAST_IN, account=name)
        unsettled = waiting.get(name)
        yield {
            "account": name,
            "kind": account.kind,
            "channel": account.medium,
            "last_received_at": instants.rfc3339_from_us(last[0] if last else None),
            "last_sent_at": instants.rfc3339_from_us(sent.get(name)),
            "unsettled": unsettled[0] if unsettled else 0,
            "oldest_unsettled_at": instants.rfc3339_from_us(unsettled[1] if unsettled else None),
            "problem": troubles.get(name),
        }


def _owned(tx: Tx, rows: list[Row]) -> list[Row]:
    """Say whose ticket each row is about, and which are late."""
    late = instants.rfc3339_from_us(tx.now - LATE_AFTER_US) or ""
    known: dict[str, tuple[str | None, str | None]] = {}
    for ref in {each.ref for each in rows if each.ref is not None}:
        row = tx.one(_OF_TICKET, ref=ref)
        known[ref] = (row[1], row[2]) if row is not None else (None, None)
    return [
        Row(
            each.told | {"is_late": each.told["state"] != "failed" and str(each.told["due_at"]) < late},
            each.ref,
            *known.get(each.ref or "", (None, None)),
        )
        for each in rows
    ]
