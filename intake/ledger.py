"""The reconciliation ledger: the server says N, and N are accounted for; what is not is a gap, and an alarm.

Nothing is counted twice: which messages the journal holds, and what became of each, is read from the journal by their keys.
Kept are the figures of the last count, so that they can be shown without asking the server.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import bindparam, func, select

from channels.contract import Excused, Inventory
from intake import events, instants, journal, logs
from intake.store import schema
from intake.store.engine import Store, Tx
from intake.store.statements import Statement, upsert, values_of

AT_ONCE = 1_000
_encode = msgspec.json.Encoder().encode

_j = schema.journal.c
_k = schema.journal_keys.c
_l = schema.ledger.c
_FIGURES = ("generation", "excused")
_COUNTED = ("counted_at", "on_server", "missing", "missing_since", "outcomes")
_FOUND = Statement(
    select(_k.key, _j.state, _j.problem)
    .join(schema.journal, _j.id == _k.journal_id)
    .where(_k.key.in_(values_of("keys")))
)
_ROW = Statement(
    select(_l.missing_since).where(_l.account == bindparam("account"), _l.place == bindparam("place"))
)


def _keeping(columns: tuple[str, ...]) -> Statement:
    values: dict[str, Any] = {name: bindparam(name) for name in ("account", "place", *columns)}
    return Statement(
        upsert(schema.ledger)
        .values(values)
        .on_conflict_do_update(
            index_elements=[_l.account, _l.place], set_={name: bindparam(name) for name in columns}
        )
    )


_KEEP = _keeping((*_FIGURES, *_COUNTED))
_KEEP_EXCUSED = _keeping(_FIGURES)
_ALL = Statement(
    select(
        _l.account, _l.place, _l.generation, _l.counted_at, _l.on_server, _l.missing, _l.missing_since,
        _l.outcomes, _l.excused,
    ).order_by(_l.account, _l.place)
)  # fmt: skip
_GAPS = Statement(select(_l.account, _l.place, _l.missing, _l.excused).order_by(_l.account, _l.place))
_STATES = Statement(
    select(_j.state, func.count()).where(_j.account == bindparam("account")).group_by(_j.state)
)


async def reconcile(store: Store, inventory: Inventory, keys: Sequence[str]) -> list[str]:
    """Keep what a server holds; return what the journal does not have. keys: fingerprints of inventory.keys."""
    outcomes: Counter[str] = Counter()
    missing: list[str] = []
    for start in range(0, len(keys), AT_ONCE):
        asked = list(keys[start : start + AT_ONCE])
        text = _encode(asked).decode()
        rows = await store.read(lambda tx, text=text: tx.all(_FOUND, keys=text))  # type: ignore[misc]
        outcomes.update(_outcome(row[1], row[2]) for row in rows)
        found = {row[0] for row in rows}
        missing += [key for key in asked if key not in found]
    was_missing = await store.write(lambda tx: _keep(tx, inventory, len(keys), len(missing), outcomes))
    if inventory.keys is not None:
        _tell(inventory, len(missing), was_missing=was_missing)
    return missing


def _outcome(state: str, problem: str | None) -> str:
    """Name what became of a message; one that a rule ignored names the rule."""
    return problem if state == "ignored" and problem else state


def _keep(tx: Tx, inventory: Inventory, counted: int, missing: int, outcomes: Counter[str]) -> bool:
    """Write the row and the cursor; whether something was missing before."""
    names: dict[str, Any] = {"account": inventory.account, "place": inventory.place}
    before = tx.one(_ROW, **names)
    since = before[0] if before is not None else None
    figures = {"generation": inventory.generation, "excused": _encode(inventory.excused).decode()}
    if inventory.keys is None:
        tx.run(_KEEP_EXCUSED, **names, **figures)
    else:
        tx.run(
            _KEEP,
            **names,
            **figures,
            counted_at=tx.now,
            on_server=counted + sum(each.count for each in inventory.excused),
            missing=missing,
            missing_since=(since or tx.now) if missing else None,
            outcomes=_encode(outcomes).decode(),
        )
        if missing and since is None:
            events.record(tx, "ledger_gap", **names, missing=missing)
        elif not missing and since is not None:
            events.record(tx, "ledger_balanced", **names)
    if inventory.cursor is not None:
        journal.move_cursor(tx, inventory.cursor_name or inventory.account, inventory.cursor)
    return since is not None


def _tell(inventory: Inventory, missing: int, *, was_missing: bool) -> None:
    names: dict[str, Any] = {"account": inventory.account, "place": inventory.place}
    if missing:
        logs.warning("ledger_gap", **names, missing=missing)
    elif was_missing:
        logs.event("ledger_balanced", **names)


def rows(store: Store) -> Iterator[dict[str, Any]]:
    """Give each place with its figures, and what became of everything that its account brought."""
    for row in store.read_now(lambda tx: tx.all(_ALL)):
        states = store.read_now(lambda tx, account=row[0]: tx.all(_STATES, account=account))  # type: ignore[misc]
        outcomes: dict[str, int] = msgspec.json.decode(row[7])
        excused = msgspec.json.decode(row[8], type=list[Excused])
        yield {
            "account": row[0],
            "place": row[1],
            "generation": row[2],
            "counted_at": instants.rfc3339_from_us(row[3]),
            "on_server": row[4],
            "accounted": None if row[4] is None else row[4] - row[5],
            "missing": row[5],
            "missing_since": instants.rfc3339_from_us(row[6]),
            "outcomes": outcomes,
            "excused": [msgspec.to_builtins(each) for each in excused],
            "journal": dict(map(tuple, states)),
        }


def gaps(tx: Tx) -> list[str]:
    """Say each thing a person has to look at, one sentence a place."""
    said = []
    for account, place, missing, excused in tx.all(_GAPS):
        given_up = sum(
            each.count for each in msgspec.json.decode(excused, type=list[Excused]) if each.is_alarming
        )
        if missing:
            said.append(f"{place} of {account}: {missing} not accounted for")
        if given_up:
            said.append(f"{place} of {account}: {given_up} left on the server, see: intake journal ledger")
    return said
