"""`intake oncall page --test` by phone: rung or texted at once, watched, and said what became of it."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from intake import page_tests, paging
from intake.commands import oncall_pages
from intake.page_tests import Tried
from intake.store import opening
from tests.phone.paged import EWA, Desk, said
from tests.rows import every_row


@pytest.fixture
def desk(tmp_path: Path, clock: Any, new_store: bytes) -> Iterator[Desk]:
    (tmp_path / "intake.db").write_bytes(new_store)
    with closing(opening.open_store("", tmp_path, clock=clock)) as store:
        yield Desk(store, tmp_path, clock)


def send(desk: Desk, way: str = "call") -> Tried:
    test = desk.store.write_now(lambda tx: page_tests.send(tx, desk.context, "ewa", way))
    assert test is not None
    return test


def state(desk: Desk, test: Tried) -> str:
    return desk.store.read_now(lambda tx: page_tests.look(tx, test)).state


def test_a_test_call_says_that_it_is_one_and_takes_1(desk: Desk) -> None:
    test = send(desk)
    page = desk.row("outbox", test.outbox_id)
    assert (page["medium"], page["recipient"], page["ticket_id"]) == ("voice", EWA, None)
    assert said(desk.turn(page)).startswith(
        "This is a test call of Example. It shows that calls reach you, ewa."
    )
    desk.settle_calls()
    assert desk.press(page, "1") == "Thank you. The test has reached you. Goodbye."
    assert state(desk, test) == "acknowledged"


def test_a_test_text_takes_1(desk: Desk) -> None:
    test = send(desk, "sms")
    assert desk.text(EWA, "1")["state"] == "automatic"
    assert state(desk, test) == "acknowledged"
    assert desk.texts_to(EWA)[-1] == "Thank you: the test has reached you."


def test_a_test_that_is_answered_twice_is_acknowledged_once(desk: Desk) -> None:
    """1 on the phone, and 2 by text a moment later: the first is what counts."""
    test = send(desk)
    desk.press(desk.row("outbox", test.outbox_id), "1")
    desk.text(EWA, "2")
    desk.text(EWA, "1")
    assert state(desk, test) == "acknowledged"
    assert len(desk.details("oncall_test_acknowledged")) == 1


def test_a_test_has_one_way(desk: Desk) -> None:
    """It shows whether that one reaches them: a call that nobody answers is followed by nothing."""
    test = send(desk)
    desk.send_all()
    desk.status(desk.row("outbox", test.outbox_id), "no-answer")
    desk.after(minutes=5)
    assert state(desk, test) == "failed"
    assert len(desk.rows("outbox")) == 1


def test_a_1_by_text_means_a_ticket_before_a_later_test(desk: Desk) -> None:
    """Newest first: the test is what they were told last."""
    ticket = desk.paged_ticket()
    test = send(desk, "sms")
    desk.text(EWA, "1")
    assert (state(desk, test), desk.events(ticket).count("acknowledged")) == ("acknowledged", 0)
    desk.text(EWA, "1")
    assert desk.events(ticket).count("acknowledged") == 1


def test_what_happens_is_told_while_it_happens(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    test = send(desk)
    page = desk.row("outbox", test.outbox_id)
    desk.send_all()
    acts: Iterator[Callable[[], object]] = iter(
        (
            lambda: desk.status(page, "ringing"),
            lambda: desk.status(page, "in-progress"),
            lambda: desk.press(page, "1"),
        )
    )

    def act(_: float) -> None:
        next(acts)()

    told = oncall_pages.watch(desk.store, {0: test}, after=0, wait_s=90, pause=act, clock=lambda: 0.0)
    assert [each.what for each in told] == ["ringing", "in-progress", "acknowledged"]
    assert capsys.readouterr().err.splitlines() == [
        "ewa by call: ringing",
        "ewa by call: in-progress",
        "ewa by call: acknowledged",
    ]


def test_watching_ends_when_the_time_is_over(desk: Desk) -> None:
    test = send(desk)
    now = iter(range(100))
    told = oncall_pages.watch(
        desk.store, {0: test}, after=0, wait_s=5, pause=lambda _: None, clock=lambda: float(next(now))
    )
    assert (told, next(now)) == ([], 6)


def test_without_an_account_nothing_is_sent(desk: Desk) -> None:
    desk.use_accounts(desk.account)
    assert desk.store.write_now(lambda tx: page_tests.send(tx, desk.context, "ewa", "call")) is None
    assert desk.rows("outbox") == desk.rows("summonses") == []


def test_nothing_of_a_test_counts_as_looking_at_a_ticket(desk: Desk) -> None:
    ticket = desk.paged_ticket()
    test = send(desk)
    desk.press(desk.row("outbox", test.outbox_id), "1")
    assert "acknowledged" not in desk.events(ticket)


def test_a_call_of_a_test_is_told_how_long_to_ring(desk: Desk) -> None:
    desk.use_oncall(ring_s=40)
    test = send(desk)
    assert desk.outbound(desk.row("outbox", test.outbox_id)).extra["ring_s"] == 40
    assert paging.TIMER not in [row["kind"] for row in desk.rows("timers")]


ROWS: dict[str, tuple[list[tuple[str, bool, bool | None]], list[str] | None, bool]] = {
    # way, sent, acknowledged; what was asked for with --by -> whether it is good
    "a mail that left": ([("email", True, None)], None, True),
    "nothing left": ([("email", False, None), ("call", False, None)], None, False),
    "a call that was answered": ([("email", True, None), ("call", True, True)], None, True),
    "a call that nobody answered": ([("email", True, None), ("call", True, False)], None, False),
    "no phone, a mail": ([("email", True, None), ("call", False, None)], None, True),
    "asked for by name, and not sent": ([("call", False, None)], ["call"], False),
    "one of two was answered": ([("sms", True, True), ("call", True, False)], ["sms", "call"], False),
}


@every_row("name", ROWS)
def test_the_table_of_exits(name: str) -> None:
    rows, asked, is_good = ROWS[name]
    told = [{"way": way, "sent": sent, "acknowledged": done} for way, sent, done in rows]
    assert oncall_pages._is_good(told, asked) is is_good


def test_without_a_daemon_no_phone_rings_later(desk: Desk) -> None:
    """A test that rings at the next start, at night, shows nothing."""
    person = desk.context.rulebook.agents["ewa"]
    why = oncall_pages._why_not(desk.context, person, "call", can_ring=False)
    assert why == "no daemon is running, and a phone that rings later shows nothing"
