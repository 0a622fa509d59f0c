"""The desk's list on both engines: what each view holds, page by page, is what looking at every ticket says it holds."""

import itertools
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from intake import desk_counts, desk_list
from intake.desk_list import Asked
from intake.store import schema
from intake.store.engine import Store, Tx
from intake.web.access import NOBODY, Action, Subject, Who, may
from tests.store import desk_rows

ANIA = Who(kind="agent", name="ania", teams=frozenset(("support", "billing")))
EWA = Who(kind="agent", name="ewa", teams=frozenset(("sales",)))
LOOSE = Who(kind="agent", name="tomek")
OPEN_DESK = Who(kind="agent", name="ania", teams=frozenset(("support",)), sees_all=True)
LEAD = Who(kind="agent", name="ewa", role="lead", teams=frozenset(("billing",)))
ADMIN = Who(kind="agent", name="root", role="admin")
AUDITOR = Who(kind="agent", name="audit", role="auditor")
EVERYBODY = (ANIA, EWA, LOOSE, OPEN_DESK, LEAD, ADMIN, AUDITOR, NOBODY)
NUMBER = 120
Ticket = dict[str, Any]


@pytest.fixture
def tickets(store: Store) -> dict[int, Ticket]:
    """Many kinds of tickets, in the store and as they were written."""
    chance = random.Random(7)
    made = {number: desk_rows.random_columns(chance, number) for number in range(1, NUMBER + 1)}

    def write(tx: Tx) -> None:
        for number, columns in made.items():
            desk_rows.add_ticket(tx, number, **columns)

    store.write_now(write)
    return made


def expected(tickets: dict[int, Ticket], who: Who, asked: Asked) -> list[str]:
    """Look at every ticket."""
    found = [
        (each["next_due_at"] if asked.ordered == "due" else each["written_at"], number)
        for number, each in tickets.items()
        if _sees(who, each) and _is_in_view(who, each, asked) and _is_wanted(each, asked)
    ]
    return [f"R{number}" for _, number in sorted(found, reverse=asked.ordered == "newest")]


def _sees(who: Who, each: Ticket) -> bool:
    return may(who, Action.see_ticket, Subject(team=each["team"], agent=each["agent"]))


def _is_in_view(who: Who, each: Ticket, asked: Asked) -> bool:
    if asked.ordered == "due" and each["next_due_at"] is None:
        return False
    return {
        "mine": each["agent"] == who.name and who.name != "",
        "team": each["team"] in who.teams,
        "unassigned": each["agent"] is None,
        "breaching": True,
        "all": True,
    }[asked.view]


def _is_wanted(each: Ticket, asked: Asked) -> bool:
    is_open = each["solved_at"] is None
    wanted = {"team": asked.team, "agent": asked.agent, "medium": asked.channel, "priority": asked.priority}
    if any(
        value is not None and each[name] != (None if value == "none" else value)
        for name, value in wanted.items()
    ):
        return False
    if asked.tag is not None and f'"{asked.tag}"' not in each["tags"]:
        return False
    return asked.status == "any" or (is_open if asked.status is None else each["status"] == asked.status)


def page(store: Store, who: Who, asked: Asked) -> dict[str, Any]:
    return store.read_now(lambda tx: desk_list.page(tx, who, asked))


def turned(store: Store, who: Who, asked: Asked, *, through: str = "next") -> Iterator[dict[str, Any]]:
    """Turn the pages from where asked stands."""
    for _ in range(NUMBER):
        found = page(store, who, asked)
        yield found
        if found[through] is None:
            return
        asked = msgspec.structs.replace(asked, cursor=found[through])
    raise AssertionError("the pages have no end")


def refs(pages: Iterator[dict[str, Any]]) -> list[str]:
    return [row["ref"] for page in pages for row in page["tickets"]]


@pytest.mark.slow
def test_every_view_is_what_looking_at_each_ticket_gives(store: Store, tickets: dict[int, Ticket]) -> None:
    """For everybody, in each order, page by page: none twice, none missing, none that is not theirs to see."""
    for who, view, order in itertools.product(EVERYBODY, desk_list.VIEWS, (None, *desk_list.ORDERS)):
        asked = Asked(view=view, order=order, limit=7)
        assert refs(turned(store, who, asked)) == expected(tickets, who, asked), (who.name, view, order)


NARROWED = (
    Asked(status="any"), Asked(status="closed"), Asked(status="pending"), Asked(team="billing"), Asked(team="none"),
    Asked(agent="ewa", status="any"), Asked(channel="sms"), Asked(priority="urgent"), Asked(tag="vip"), Asked(tag="vi"),
    Asked(view="unassigned", status="solved"), Asked(view="mine", status="any"), Asked(view="team", team="support"),
    Asked(view="breaching", team="billing", order="newest"), Asked(view="team", agent="ewa", status="any"), Asked(view="unassigned", team="none"),
)  # fmt: skip


@pytest.mark.parametrize("asked", NARROWED)
def test_filters_narrow_a_view(store: Store, tickets: dict[int, Ticket], asked: Asked) -> None:
    for who in EVERYBODY:
        assert refs(turned(store, who, asked)) == expected(tickets, who, asked), who.name


def test_pages_turn_back_to_the_same_tickets(store: Store, tickets: dict[int, Ticket]) -> None:
    """From the last page back to the first one each holds what it held on the way."""
    for order in desk_list.ORDERS:
        asked = Asked(view="all", order=order, limit=11)
        forth = list(turned(store, ANIA, asked))
        assert (forth[0]["previous"], forth[-1]["next"]) == (None, None)
        there = msgspec.structs.replace(asked, cursor=forth[-2]["next"])
        back = list(turned(store, ANIA, there, through="previous"))
        assert [refs(iter([page])) for page in reversed(back)] == [refs(iter([page])) for page in forth]


def test_what_comes_meanwhile_moves_no_page(store: Store, tickets: dict[int, Ticket]) -> None:
    """The next page goes on where the last one ended, whatever stands above it by now."""
    asked = Asked(view="all", limit=10)
    pages = turned(store, ADMIN, asked)
    first = next(pages)
    store.write_now(lambda tx: desk_rows.add_ticket(tx, 900))
    rest = msgspec.structs.replace(asked, cursor=first["next"])
    assert refs(iter([first])) + refs(turned(store, ADMIN, rest)) == expected(tickets, ADMIN, asked)


@pytest.mark.parametrize("order", desk_list.ORDERS)
def test_a_page_whose_tickets_have_gone_leads_back(
    store: Store, tickets: dict[int, Ticket], order: desk_list.Order
) -> None:
    """Who solves all that stands on the last page is not left without a way: the page before it ends where this one began."""
    asked = Asked(view="all", order=order, limit=10)
    *_, before, last = turned(store, ADMIN, asked)
    there = msgspec.structs.replace(asked, cursor=before["next"])
    gone = [int(row["ref"][1:]) for row in last["tickets"]]
    store.write_now(lambda tx: [tx.update(schema.tickets, {"id": each}, solved_at=1) for each in gone])
    empty = page(store, ADMIN, there)
    assert (empty["tickets"], empty["next"]) == ([], None)
    back = page(store, ADMIN, msgspec.structs.replace(asked, cursor=empty["previous"]))
    assert refs(iter([back])) == refs(iter([before]))


def test_the_way_back_ends_at_a_whole_first_page(store: Store, tickets: dict[int, Ticket]) -> None:
    """Tickets that came meanwhile are no page of two or three: the first page is what it is for everybody."""
    asked = Asked(view="all", limit=10)
    second = page(store, ADMIN, msgspec.structs.replace(asked, cursor=page(store, ADMIN, asked)["next"]))

    def write(tx: Tx) -> None:
        for number in (900, 901, 902):
            desk_rows.add_ticket(tx, number)

    store.write_now(write)
    back = page(store, ADMIN, msgspec.structs.replace(asked, cursor=second["previous"]))
    first = page(store, ADMIN, msgspec.structs.replace(asked, cursor=back["previous"]))
    assert first == page(store, ADMIN, asked)


WRONG: tuple[dict[str, Any], ...] = (
    {"view": "saved"},
    {"order": "random"},
    {"cursor": "after-1"},
    {"cursor": "before-x-1"},
)


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_no_list_is_refused_in_a_sentence(store: Store, wrong: dict[str, Any]) -> None:
    with pytest.raises(desk_list.ListError, match=r"there is no list|cannot go on there"):
        page(store, ADMIN, Asked(**wrong))


def test_a_count_is_the_length_of_its_list(store: Store, tickets: dict[int, Ticket]) -> None:
    found = store.read_now(desk_counts.snapshot)
    for who in EVERYBODY:
        counts = found.of(who)
        for view in ("mine", "team", "unassigned", "all"):
            assert counts[view] == len(expected(tickets, who, Asked(view=view))), (who.name, view)


async def test_counts_are_a_few_seconds_old_at_most(
    store: Store, tickets: dict[int, Ticket], clock: Any
) -> None:
    """Asking again at once costs no look at the store; five seconds later it does."""
    counts = desk_counts.Counts(store)
    before = (await counts.of(ADMIN))["all"]
    await store.write(lambda tx: desk_rows.add_ticket(tx, 900))
    assert (await counts.of(ADMIN))["all"] == before
    clock.forward(seconds=5)
    assert (await counts.of(ADMIN))["all"] == before + 1


def test_a_row_says_who_wrote_last_and_what_is_due(store: Store) -> None:
    def write(tx: Tx) -> None:
        desk_rows.add_ticket(tx, 1, team="support", next_due_at=desk_rows.FIRST_US)
        tx.insert(
            schema.clocks,
            ticket_id=1,
            target="resolution",
            state="running",
            clock="{}",
            due_at=desk_rows.FIRST_US,
        )
        at = desk_rows.FIRST_US + 5
        desk_rows.add_message(
            tx, 10_001, ticket_id=1, at=at, direction="note", author="ewa", body=" a \n\n note"
        )
        desk_rows.add_message(
            tx, 10_002, ticket_id=1, at=at, direction="out", automatic="auto_reply", body="we have it"
        )

    store.write_now(write)
    [row] = store.read_now(lambda tx: desk_list.page(tx, ADMIN, Asked()))["tickets"]
    assert row["next_due"] == {
        "target": "resolution",
        "at": "2026-09-21T14:13:20Z",
        "is_late": row["next_due"]["is_late"],
    }
    assert (row["last"]["direction"], row["last"]["from"], row["last"]["text"]) == ("note", "ewa", "a note")
    assert row["is_unanswered"] is True


FULL_SCAN = re.compile(r"SCAN tickets(?! USING (?:COVERING )?INDEX)")


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)  # PostgreSQL plans by the rows that there are
def test_no_page_of_a_list_reads_or_sorts_all_tickets(store: Store) -> None:
    """Every walk of every part goes along an index in the order of the list; SQLite's own plans say so."""
    sorted_by_agents = []
    for by, is_without, is_due, is_open, is_descending in itertools.product(
        (None, "team", "unassigned", "agent"), (False, True), (False, True), (False, True), (False, True)
    ):
        statement = desk_list._statement(by, is_without, desk_list._Walk(is_due, is_open, is_descending))
        plan = _plan(store, statement)
        assert not FULL_SCAN.search(plan), (by, plan)
        assert "INDEX tickets_" in plan, (by, plan)
        if "TEMP B-TREE" in plan:
            sorted_by_agents.append((by, is_due, is_open))
    # What one agent has is little, and may be sorted.
    assert {by for by, *_ in sorted_by_agents} <= {"agent"}, sorted_by_agents


def _plan(store: Store, statement: Any) -> str:
    def read(tx: Tx) -> str:
        sql, own, pick = statement.compiled("sqlite")
        values = pick(defaultdict(lambda: "1", own))
        return "\n".join(str(row[3]) for row in tx._execute(f"EXPLAIN QUERY PLAN {sql}", values))

    return store.read_now(read)
