"""The table of due times as `intake rules simulate --tests` prints it: the same instants as were worked out by hand."""

from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.routing import due_table


@pytest.mark.parametrize("file", due_table.FILES, ids=lambda file: file.stem)
def test_every_due_time_of_the_table_is_printed(intake: Any, file: Path) -> None:
    """At the beginning and after each step, of every case of a rulebook, in one call."""
    printed = defaultdict(list)
    for each in intake("rules", "simulate", "--tests", str(file), "--json").objects:
        if "due" in each:
            printed[each["test"]].append(each)
    wrong = [
        (case.name, due)
        for case in due_table.book(file).tests
        for due in due_table.due(case)
        if _last(printed[case.name], due) != due.due_at
    ]
    assert wrong == []


def _last(printed: list[dict[str, Any]], due: due_table.Due) -> datetime | None:
    """What is due after an instant, as the last line up to it says."""
    lines = [
        each["due"]
        for each in printed
        if each["value"] == due.target and datetime.fromisoformat(each["at"]) <= due.at
    ]
    return datetime.fromisoformat(lines[-1]) if lines and lines[-1] else None


def test_the_table_can_be_read(intake: Any) -> None:
    """Each case with its working, in lines that fit no narrower than they must."""
    said = intake("rules", "simulate", "--tests", str(due_table.FOLDER / "nights.yaml"))
    assert said.code == 0
    assert "Tue's night 7 h till 06:00, 3 h left, Wed 22:00 + 3 h = Thu 01:00" in said.out
    assert "due first_response  Wed 2026-11-18 02:00 +0100" in said.out
