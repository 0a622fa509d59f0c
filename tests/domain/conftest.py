"""A world on a real SQLite file."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from intake.store import opening
from tests.domain.world import RULES, World


@pytest.fixture
def world(tmp_path: Path, clock: Any, new_store: bytes) -> Iterator[World]:
    (tmp_path / "intake.db").write_bytes(new_store)
    with closing(opening.open_store("", tmp_path, clock=clock)) as store:
        yield World(store, tmp_path, clock)


@pytest.fixture
def make(tmp_path: Path, clock: Any, new_store: bytes) -> Iterator[Callable[[str], World]]:
    """Make a world whose rules say this too; a second one stands on the same store."""
    (tmp_path / "intake.db").write_bytes(new_store)
    with ExitStack() as stack:

        def world(rules: str) -> World:
            store = stack.enter_context(closing(opening.open_store("", tmp_path, clock=clock)))
            return World(store, tmp_path, clock, rules=RULES + rules)

        yield world


@pytest.fixture
def make_whole(tmp_path: Path, clock: Any, new_store: bytes) -> Iterator[Callable[[str], World]]:
    """Make a world with these rules and no others."""
    (tmp_path / "intake.db").write_bytes(new_store)
    with ExitStack() as stack:

        def world(rules: str) -> World:
            store = stack.enter_context(closing(opening.open_store("", tmp_path, clock=clock)))
            return World(store, tmp_path, clock, rules=rules)

        yield world
