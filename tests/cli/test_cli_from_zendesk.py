"""Every piece of YAML in docs/from-zendesk.md loads, passes its tests, and is touched by them."""

import re
from pathlib import Path

from routing import cases, rulebook
from tests.rows import every_row

GUIDE = Path(__file__).parents[2] / "docs" / "from-zendesk.md"
BLOCKS = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
BASE, *PIECES = BLOCKS
STANDARD = (
    "Notify requester and CCs of received request", "Notify requester of new proactive ticket",
    "Notify requester and CCs of comment update", "Notify assignee of comment update",
    "Notify assignee of assignment", "Notify assignee of reopened ticket", "Notify group of assignment",
    "Notify all agents of received request", "Auto-assign to first email responding agent",
    "Close ticket 4 days after status is set to solved", "Pending notification 24 hours",
    "Pending notification 5 days", "Request customer satisfaction rating",
)  # fmt: skip


def name_of(piece: str) -> str:
    return piece.splitlines()[0].removeprefix("# ")


def test_the_desk_of_the_page_passes_its_tests() -> None:
    book = rulebook.load({"base.yaml": BASE})
    assert (book.warnings, cases.run(book), len(book.tests)) == ((), (), 2)


@every_row("piece", PIECES, ids=name_of)
def test_a_piece_passes_its_tests_and_each_of_its_rules_is_touched(piece: str) -> None:
    book = rulebook.load({"base.yaml": BASE, "piece.yaml": piece})
    assert (book.warnings, cases.run(book)) == ((), ())
    ids = {rule.id for rule in book.rules} | {each.rule.id for each in book.react}
    assert ids
    assert ids - cases.touched(book) == set()


def test_all_pieces_together_are_one_rulebook() -> None:
    files = {f"{name_of(piece)}.yaml": piece for piece in PIECES}
    assert rulebook.load({"base.yaml": BASE, **files}).warnings == ()


@every_row("said", STANDARD)
def test_every_standard_trigger_and_automation_is_there(said: str) -> None:
    assert f"**{said}" in GUIDE.read_text(encoding="utf-8")
