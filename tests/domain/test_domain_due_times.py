"""The table of due times in earnest: what the rows of clocks and timers say is what was worked out by hand."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from routing.case_text import Case
from tests.domain.due_play import Player
from tests.domain.world import World
from tests.routing import due_table

EVERY = 7  # of all cases the quick run takes each seventh, which is more than forty
_BESIDE = "fair"  # needs a file beside the rules, which this world has not


def _cases() -> Iterator[object]:
    found = [each for each in due_table.cases() if each[1].situation.facts.subject != _BESIDE]
    for number, (file, case) in enumerate(found):
        marks = () if number % EVERY == 0 else (pytest.mark.slow,)
        yield pytest.param(file, case, id=f"{file.stem}: {case.name}", marks=marks)


@pytest.mark.slow
@pytest.mark.parametrize(("file", "case"), list(_cases()))
def test_rows_say_what_was_worked_out(make_whole: Callable[[str], World], file: Path, case: Case) -> None:
    """At the beginning and after each step: the clock's due instant, and a timer that waits for it while it runs."""
    player = Player(make_whole(file.read_text()), case)
    stated = list(due_table.due(case))
    wrong = [player.wrong(each) for each in stated if each.at == player.start]
    for step in case.steps:
        player.take(step)
        at = player.world.clock.at
        wrong += [player.wrong(each) for each in stated if each.at == at and at != player.start]
        wrong += _untold(player, step.expect)
    assert [each for each in wrong if each] == []


def _untold(player: Player, expected: tuple[object, ...]) -> list[str]:
    """Breaches that a step expects and no event tells."""
    wanted = [each.value for each in expected if getattr(each, "field", "") == "breach"]  # type: ignore[attr-defined]
    names = [name for value in wanted for name in (value if isinstance(value, list) else [value])]
    return [f"{name} was not told" for name in names if name not in player.missed()]
