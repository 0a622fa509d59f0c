"""docs/clocks.md is what the program does: its rulebook has no fault and passes its own tests."""

import re
from pathlib import Path

from intake import promises
from intake.clock_events import WHAT
from routing import cases, rulebook
from routing.targets import TARGETS
from tests.rows import every_row

GUIDE = (Path(__file__).parents[2] / "docs" / "clocks.md").read_text(encoding="utf-8")


def test_the_rulebook_of_the_guide_is_without_fault_and_passes_its_tests() -> None:
    [block] = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    book = rulebook.load({"rules.yaml": block})
    assert (book.warnings, cases.run(book)) == ((), ())


@every_row("word", [*TARGETS, *promises.STATES, *WHAT.values()])
def test_every_word_of_clocks_and_promises_is_explained(word: str) -> None:
    assert f"`{word}`" in GUIDE
