"""Everybody calls at once and nobody behaves: every call comes to an honest end; and the run that says so can fail."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from channels.twilio.simulator.provider import Call
from tests.phone import calls_audit, calls_torture, calls_world
from tests.phone.live import OWN


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_each_call_of_many_has_one_owner_a_message_or_a_caller_who_hung_up(tmp_path: Path) -> None:
    figures = calls_torture.run(20, 5, 3, seed=11, folder=tmp_path)
    assert figures.broken == []
    assert (figures.tracebacks, figures.rounds, figures.calls) == (0, 3, 63)
    assert 0 < figures.person_s <= calls_torture.PERSON_S
    assert {"answered", "voicemail", "missed"} <= set(figures.ended)
    assert figures.doubled > 50
    assert figures.lost > 5


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_each_call_comes_to_an_honest_end_though_the_daemon_is_killed_meanwhile(tmp_path: Path) -> None:
    figures = calls_torture.run(12, 5, 1, seed=5, folder=tmp_path, kills=2)
    assert figures.broken == []
    assert (figures.tracebacks, figures.calls) == (0, 13)
    assert figures.kills > 0


def child(number: int, parent: str, to: str, *, from_s: int, to_s: int | None) -> Call:
    at = calls_world.NOON
    return Call(
        sid=f"CA{number:032x}",
        direction="outbound-dial",
        from_=OWN,
        to=to,
        status="completed",
        created_at=at + timedelta(seconds=from_s),
        parent=parent,
        ended_at=None if to_s is None else at + timedelta(seconds=to_s),
    )


ANIA = "+48600000000"
RINGS: dict[str, tuple[list[tuple[str, int, int | None]], str]] = {  # what was seen -> what is said of it
    "one call after the other": ([("CA1", 0, 9), ("CA2", 9, 20)], ""),
    "two calls at once": ([("CA1", 0, 9), ("CA2", 8, 20)], "while CA1 had it"),
    "twice for one call": ([("CA1", 0, 9), ("CA1", 30, 40)], "rang 2 times for CA1"),
    "never ending": ([("CA1", 0, None)], "rings for ever"),
}


def test_a_phone_that_rings_as_it_must_not_is_found_out() -> None:
    for name, (seen, said) in RINGS.items():
        calls = [child(number, parent, ANIA, from_s=a, to_s=b) for number, (parent, a, b) in enumerate(seen)]
        found = list(calls_audit.rings(calls))
        assert bool(found) == bool(said), name
        assert said in "".join(found), name


def seen(
    *owners: str, has_message: bool = False, has_left: bool = False, was_silent: bool = False
) -> calls_audit.Seen:
    return calls_audit.Seen(owners=owners, has_message=has_message, has_left=has_left, was_silent=was_silent)


ENDS: dict[str, tuple[dict[str, Any], calls_audit.Seen, str]] = {  # what the store says, what was seen -> what is said of it
    "answered": ({"outcome": "answered", "agent": "ania"}, seen(ANIA), ""),
    "by another": ({"outcome": "answered", "agent": "ben"}, seen(ANIA), "ania spoke"),
    "by two": ({"outcome": "answered", "agent": "ania"}, seen(ANIA, ANIA), "was connected to"),
    "a talk that is not told": ({"outcome": "missed", "agent": None}, seen(ANIA), "ended as missed"),
    "a message": ({"outcome": "voicemail"}, seen(has_message=True), ""),
    "a message that is not told": ({"outcome": "missed"}, seen(has_message=True), "ended as missed"),
    "a talk that never was": ({"outcome": "answered", "agent": "ania"}, seen(has_left=True), "ended as answered"),
    "hung up": ({"outcome": "missed"}, seen(has_left=True), ""),
    "silence": ({"outcome": "missed"}, seen(was_silent=True), ""),
    "thrown out": ({"outcome": "missed"}, seen(), "no honest end"),
    "without a ticket": ({"outcome": "missed", "ticket_id": None}, seen(has_left=True), "no ticket"),
    "not over": ({"outcome": "missed", "ended_at": None}, seen(has_left=True), "no end"),
}  # fmt: skip


def test_a_call_that_came_to_another_end_than_is_told_is_found_out() -> None:
    call = child(1, "", OWN, from_s=0, to_s=9)
    for name, (told, was, said) in ENDS.items():
        row = {"ticket_id": 1, "ended_at": 1, "agent": None, **told}
        found = list(calls_audit.of_call(row, was, call, {ANIA: "ania"}))
        assert bool(found) == bool(said), (name, found)
        assert said in "".join(found), (name, found)
    assert list(calls_audit.of_call(None, seen(), call, {})) == [f"the call {call.sid} is not known"]
