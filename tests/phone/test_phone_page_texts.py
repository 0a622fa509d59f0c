"""Which page a "1" by text means: what its agent had read when they sent it, and what else waits is said."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from intake.store import opening
from tests.phone.paged import EWA, Desk


@pytest.fixture
def desk(tmp_path: Path, clock: Any, new_store: bytes) -> Iterator[Desk]:
    (tmp_path / "intake.db").write_bytes(new_store)
    with closing(opening.open_store("", tmp_path, clock=clock)) as store:
        yield Desk(store, tmp_path, clock)


def two(desk: Desk, *, apart_s: float) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two tickets that ewa is told of, one after the other."""
    first = desk.ticket(desk.receive("a@customer.example"))
    desk.advance(seconds=apart_s)
    second = desk.ticket(desk.receive("b@customer.example"))
    desk.after(hours=1, seconds=-apart_s)
    desk.after(seconds=apart_s)
    assert len(desk.details("paged")) == 2
    return first, second


def acknowledged(desk: Desk, *tickets: dict[str, Any]) -> list[int]:
    return [desk.events(each).count("acknowledged") for each in tickets]


def test_1_does_not_mean_what_was_written_while_they_typed(desk: Desk) -> None:
    first, second = two(desk, apart_s=60)
    desk.advance(seconds=3)
    desk.text(EWA, "1")
    assert acknowledged(desk, first, second) == [1, 0]


def test_a_page_of_a_moment_ago_is_meant_when_nothing_else_waits(desk: Desk) -> None:
    first, second = two(desk, apart_s=60)
    desk.acknowledge(first, "ania")
    desk.text(EWA, "1")
    assert acknowledged(desk, first, second) == [1, 1]


def test_1_that_is_settled_late_means_what_they_had_been_told_then(desk: Desk) -> None:
    """The daemon was down, or had much to do: a page that was written after the text was sent is none of it."""
    first = desk.paged_ticket()
    desk.advance(minutes=1)
    journal_id = desk.keep_text(EWA, "1")
    second = desk.ticket(desk.receive("b@customer.example"))
    desk.after(hours=1)
    desk.settle_text(journal_id, EWA, "1")
    assert acknowledged(desk, first, second) == [1, 0]


def test_1_that_the_reconciler_brings_means_what_they_had_been_told_when_they_sent_it(desk: Desk) -> None:
    first = desk.paged_ticket()
    desk.advance(minutes=1)
    sent_at = desk.clock()
    second = desk.ticket(desk.receive("b@customer.example"))
    desk.after(hours=1)
    desk.settle_text(desk.keep_text(EWA, "1"), EWA, "1", sent_at=sent_at)
    assert acknowledged(desk, first, second) == [1, 0]


def test_1_before_anything_was_told_is_a_customers_message(desk: Desk) -> None:
    journal_id = desk.keep_text(EWA, "1")
    desk.advance(minutes=1)
    ticket = desk.paged_ticket()
    desk.settle_text(journal_id, EWA, "1")
    assert (desk.row("journal", journal_id)["state"], acknowledged(desk, ticket)) == ("ticket", [0])


def test_1_means_who_still_waits_before_who_has_an_answer(desk: Desk) -> None:
    first, second = two(desk, apart_s=60)
    desk.advance(minutes=1)
    desk.reply(second, agent="ania")
    desk.text(EWA, "1")
    assert acknowledged(desk, first, second) == [1, 0]


def test_who_waits_comes_before_who_has_an_answer_also_within_a_moment(desk: Desk) -> None:
    """Both are a second old when they text."""
    first, second = two(desk, apart_s=1)
    desk.reply(second, agent="ania")
    desk.text(EWA, "1")
    assert acknowledged(desk, first, second) == [1, 0]


def test_what_else_waits_is_said_with_the_answer(desk: Desk) -> None:
    first, second = two(desk, apart_s=60)
    desk.advance(minutes=1)
    desk.text(EWA, "1")
    said = f"{second['ref']}: you have it. Thank you. {first['ref']} waits as well: reply 1 to take it on."
    assert desk.texts_to(EWA)[-1] == said
    assert len(said) <= 160
    desk.text(EWA, "1")
    assert desk.texts_to(EWA)[-1] == f"{first['ref']}: you have it. Thank you."


REFS = {  # how a ref is typed
    "as it stands": "1 {ref}",
    "small letters": "1 {small}",
    "with a colon": "1: {ref}.",
    "in two lines": "1\n{ref}",
}


@pytest.mark.parametrize("name", REFS)
def test_1_with_a_ref_means_that_ticket(desk: Desk, name: str) -> None:
    first, second = two(desk, apart_s=60)
    desk.advance(minutes=1)
    desk.text(EWA, REFS[name].format(ref=first["ref"], small=first["ref"].lower()))
    assert acknowledged(desk, first, second) == [1, 0]


def test_2_with_a_ref_passes_that_one_on(desk: Desk) -> None:
    first, second = two(desk, apart_s=60)
    desk.advance(minutes=1)
    desk.text(EWA, f"2 {first['ref']}")
    assert [desk.events(each).count("passed_on") for each in (first, second)] == [1, 0]


def test_a_ref_that_they_were_not_told_of_or_that_is_none_answers_no_page(desk: Desk) -> None:
    first, second = two(desk, apart_s=60)
    other = desk.ticket(desk.receive("c@customer.example"))
    desk.advance(minutes=1)
    for words in (f"1 {other['ref']}", "1 AAAAAAA", "1 perhaps", f"1 {first['ref']} {second['ref']}"):
        assert desk.text(EWA, words)["state"] == "ticket"
    assert acknowledged(desk, first, second, other) == [0, 0, 0]


def test_a_day_counts_from_when_the_text_was_sent(desk: Desk) -> None:
    ticket = desk.paged_ticket()
    desk.advance(hours=23)
    sent_at = desk.clock()
    desk.advance(hours=5)
    desk.settle_text(desk.keep_text(EWA, "1"), EWA, "1", sent_at=sent_at)
    assert acknowledged(desk, ticket) == [1]
    assert desk.clock() - sent_at == timedelta(hours=5)
