"""Random days of a random desk: nobody ever holds too much, nobody able is idle while something waits, turns are fair."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest

from intake import seating, tickets
from intake.model import Context, Ticket
from intake.store.engine import Tx
from routing import assignment
from tests.domain.assignment_days import days_of

QUICK_DAYS = 8
SLOW_DAYS = 1_000
RED_WITHIN = 25  # days in which each mutant must be found


@pytest.fixture
def live(new_store: bytes) -> Iterator[Callable[[int], None]]:
    with days_of(new_store) as live:
        yield live


@pytest.mark.slow
def test_a_few_random_days_are_right_at_every_instant(live: Callable[[int], None]) -> None:
    _live_through(live, QUICK_DAYS)


def _live_through(live: Callable[[int], None], days: int) -> None:
    for seed in range(days):
        live(seed)


def _days(first: int, last: int) -> int:
    with days_of() as live:
        for seed in range(first, last):
            live(seed)
    return last - first


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_thousand_random_days_are_right_at_every_instant() -> None:
    """The same days every time; other ones with `python -m tests.domain.assignment_days --seed N`."""
    half = SLOW_DAYS // 2
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        assert sum(pool.map(_days, (0, half), (half, SLOW_DAYS))) == SLOW_DAYS


def _reopened_past_the_cap(tx: Tx, context: Context, ticket: Ticket, status: str, **more: Any) -> Ticket:
    """Zendesk's way: who had it has it again, however much they hold."""
    is_reopened = status in ("new", "open", "pending", "on_hold") and not ticket.is_open
    if is_reopened and ticket.agent is not None:
        tx.run(seating._SIT, name=ticket.agent, medium=ticket.medium, most=seating.NO_CAP)
    return tickets.change(tx, ticket, actor=more["actor"], is_seated=True, status=status)


def _given_past_the_cap(tx: Tx, context: Context, ticket: Ticket, to: str, *, actor: str) -> Ticket | None:
    if ticket.is_open and ticket.agent != to:
        tx.run(seating._SIT, name=to, medium=ticket.medium, most=seating.NO_CAP)
    return tickets.change(tx, ticket, actor=actor, is_seated=True, agent=to)


MUTANTS = {
    "the cap is ignored when a ticket is reopened": (seating, "set_status", _reopened_past_the_cap),
    "the cap is ignored when a person assigns": (seating, "give", _given_past_the_cap),
    "nobody picks up after a ticket is solved": (tickets, "somebody_is_free", lambda tx, **more: None),
    "ties go to the first": (assignment, "_ranked", lambda able, people, **more: able),
    "hours never begin": (assignment, "next_duty", lambda team, level, people: None),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_desk_that_is_wrong_is_found_out(
    live: Callable[[int], None], monkeypatch: pytest.MonkeyPatch, mutant: str
) -> None:
    """Each of these mistakes is seen within a few days."""
    module, name, wrong = MUTANTS[mutant]
    monkeypatch.setattr(module, name, wrong)
    with pytest.raises(AssertionError, match="day "):
        _live_through(live, RED_WITHIN)
