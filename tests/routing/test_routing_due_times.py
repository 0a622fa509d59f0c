"""Due times worked out by hand, in zones and nights, over holidays, pauses and changes: what a ticket in memory makes of them."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from routing import cases
from routing.case_text import Case
from tests.routing import due_mutants, due_table
from tests.rows import every_row


@every_row(("file", "case"), list(due_table.cases()), ids=due_table.names())
def test_a_target_is_due_when_it_was_worked_out_to_be(file: Path, case: Case) -> None:
    """At the beginning and after each step, to the second; with the breaches and steps that the case names."""
    assert [str(each) for each in cases.run_case(due_table.book(file), case)] == []


def test_every_case_states_an_instant_and_its_working() -> None:
    """And no two of a file have the same name."""
    for file, case in due_table.cases():
        assert case.because, f"{file.name}: {case.name}"
        assert any(each.due_at for each in due_table.due(case)) or "none" in str(case.node), case.name
    assert [name for name, count in Counter(due_table.names()).items() if count > 1] == []


def test_the_table_is_as_large_and_as_wide_as_it_is_meant_to_be() -> None:
    """At least 150 cases, in at least fifteen zones, of every target, with every kind of event that moves clocks."""
    every = list(due_table.cases())
    zones = {
        str(due_table.book(file).calendars[policy.calendar].zone)
        for file in due_table.FILES
        for policy in due_table.book(file).policies.values()
    }
    targets = {due.target for _, case in every for due in due_table.due(case)}
    events = {step.event for _, case in every for step in case.steps}
    assert len(every) >= 300
    assert len(zones) >= 18
    assert targets == {"first_response", "next_response", "resolution", "update", "promise"}
    assert events >= {
        "agent_replied",
        "customer_replied",
        "status_changed",
        "team_changed",
        "delivery_failed",
    }


@pytest.mark.slow
@pytest.mark.parametrize("mutant", due_mutants.MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_seeded_fault_turns_cases_red(mutant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that no fault can redden proves nothing."""
    mutant(monkeypatch)
    red = [case.name for file in due_table.FILES for case in _red(file)]
    assert red


def _red(file: Path) -> list[Case]:
    """The cases of a rulebook that fail, read anew: calendars keep what they have counted."""
    fresh = due_table.read(file)
    return [case for case in fresh.tests if cases.run_case(fresh, case)]
