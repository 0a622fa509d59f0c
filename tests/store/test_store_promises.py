"""Promises as rows, alike on both engines: what becomes of each, the newest of a ticket, the report in pages of any size."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from intake import promise_report, promises
from intake.model import Ticket
from intake.promise_report import Filters
from intake.store.engine import Store
from routing import sla
from routing.calendar import ALWAYS_OPEN
from tests.store.test_store_listing import ticket

START = datetime(2026, 11, 10, 9, tzinfo=UTC)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def us(hours: float) -> int:
    return int(at(hours).timestamp()) * 1_000_000


def of(number: int) -> Ticket:
    return Ticket(
        id=number, ref=f"R{number}", customer_id=100 + number, subject="", status="open", priority="normal", team=None,
        level=None, agent=None, language=None, tags=(), medium="email", account="support", own_address="", sla=None,
        armament=None, reopened=0, is_spam=False, created_at=us(0), solved_at=None,
    )  # fmt: skip


@pytest.fixture
def filled(store: Store) -> Store:
    """Six tickets, each with a promise for an hour after the one before; two of them for the same moment."""

    def fill(tx: Any) -> None:
        for number in range(1, 7):
            ticket(tx, number)
            promises.keep(
                tx,
                of(number),
                made_by="agent:ania" if number % 2 else "rule:call",
                due_us=us(number // 2 + 1),
                is_told=True,
            )

    store.write_now(fill)
    return store


def rows(store: Store, **wanted: Any) -> list[tuple[str, str]]:
    return [(row["ticket"], row["state"]) for row in promise_report.report(store, Filters(**wanted))]


def test_report_is_in_the_order_of_moments_in_pages_of_any_size(
    filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = rows(filled)
    assert [ref for ref, _ in whole] == ["R1", "R2", "R3", "R4", "R5", "R6"]
    for size in (1, 2, 5):
        monkeypatch.setattr(promise_report, "PAGE", size)
        assert rows(filled) == whole
    assert len(list(promise_report.report(filled, Filters(), limit=4))) == 4


def test_report_is_narrowed(filled: Store) -> None:
    assert [ref for ref, _ in rows(filled, made_by="agent:ania")] == ["R1", "R3", "R5"]
    assert [ref for ref, _ in rows(filled, team="billing", since=us(3))] == ["R5"]
    assert rows(filled, state="kept") == []


def test_what_becomes_of_a_promise_is_written_to_the_newest_of_its_moment(filled: Store) -> None:
    clock = sla.begin_promise(at(2), at=at(0))
    kept = sla.meet(clock, at=at(1), calendar=ALWAYS_OPEN)
    late = sla.meet(clock, at=at(5), calendar=ALWAYS_OPEN)

    def follow(tx: Any) -> None:
        promises.follow(tx, of(2), clock, kept, event="answered")
        promises.follow(tx, of(3), clock, late, event="answered")

    filled.write_now(follow)
    assert dict(rows(filled))["R2"] == "kept"
    [broken] = promise_report.report(filled, Filters(state="broken"))
    assert (broken["ticket"], broken["late_s"], broken["ended_at"]) == (
        "R3",
        3 * 3600,
        "2026-11-10T14:00:00Z",
    )


def test_newest_promise_of_each_ticket_is_found(filled: Store) -> None:
    def again(tx: Any) -> dict[int, int]:
        promises.keep(tx, of(1), made_by="agent:ewa", due_us=us(9), is_told=False)
        found = promises.of_tickets(tx, [1, 2, 99])
        assert promises.latest(tx, 1) == found[1]
        return {number: each.due_at for number, each in found.items()}

    assert filled.write_now(again) == {1: us(9), 2: us(2)}


def test_promises_go_along_with_a_merged_ticket(filled: Store) -> None:
    ids = filled.read_now(lambda tx: promises.owed(tx, 1))
    filled.write_now(lambda tx: promises.move(tx, ids, source=of(1), into=of(2)))
    assert filled.read_now(lambda tx: (promises.owed(tx, 1), len(promises.owed(tx, 2)))) == ((), 2)
    assert msgspec.json.encode(rows(filled))
