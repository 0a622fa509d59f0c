"""Several limits on one thing: all of them are used, or none behind the first that has too little left."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from intake import counters
from intake.counters import Take
from intake.store import opening
from intake.store.engine import Store


@pytest.fixture
def store(tmp_path: Path, clock: Any, new_store: bytes) -> Iterator[Store]:
    (tmp_path / "intake.db").write_bytes(new_store)
    with closing(opening.open_store("", tmp_path, clock=clock)) as opened:
        yield opened


def take(store: Store, *limits: int, units: int = 1) -> int | None:
    wanted = [
        Take(name=f"limit{place}", key="k", limit=most, units=units) for place, most in enumerate(limits)
    ]
    return store.write_now(lambda tx: counters.take_all(tx, wanted))


def used(store: Store, name: str) -> int:
    """How many of a hundred are used, by what may still be taken."""
    free = 0
    while store.write_now(lambda tx: counters.take(tx, name, "k", limit=100)):
        free += 1
    return 100 - free


def test_all_are_used_while_each_has_enough(store: Store) -> None:
    assert [take(store, 5, 6, 7, units=2) for _ in range(2)] == [None, None]
    assert [used(store, f"limit{place}") for place in range(3)] == [4, 4, 4]


@pytest.mark.parametrize("broken", [0, 1, 2])
def test_behind_the_first_that_has_too_little_left_nothing_is_used(store: Store, broken: int) -> None:
    """Those before it have counted it."""
    limits = [1 if place == broken else 9 for place in range(3)]
    assert [take(store, *limits) for _ in range(3)] == [None, broken, broken]
    assert [used(store, f"limit{place}") for place in range(3)] == [
        3 if place < broken else 1 for place in range(3)
    ]


def test_of_several_that_have_too_little_left_the_first_is_named(store: Store) -> None:
    assert [take(store, 9, 1, 1) for _ in range(2)] == [None, 1]


def test_what_is_more_than_a_limit_uses_nothing_of_it(store: Store) -> None:
    """Also when nothing was used before."""
    assert take(store, 9, 2, 9, units=3) == 1
    assert [used(store, f"limit{place}") for place in range(3)] == [3, 0, 0]


def test_a_window_that_is_over_begins_anew(store: Store, clock: Any) -> None:
    assert [take(store, 1), take(store, 1)] == [None, 0]
    clock.advance(hours=1, seconds=1)
    assert [take(store, 1), take(store, 1)] == [None, 0]
