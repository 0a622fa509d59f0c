"""The running daemon's timers: made up for after a downtime, and those that another process writes."""

import sqlite3
import time
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest

from tests.daemon.conftest import Start

pytestmark = pytest.mark.slow

RUNG_WITHIN_S = 2.0


def move_first(folder: Path, *, by_s: float) -> int:
    """Have the first waiting timer due so many seconds from now, as another process would; its instant, µs UTC."""
    at_us = int((time.time() + by_s) * 1_000_000)
    with closing(sqlite3.connect(folder / "var" / "intake.db", timeout=10)) as connection, connection:
        connection.execute(
            "UPDATE timers SET due_at = ? WHERE id = (SELECT id FROM timers WHERE state = 'pending' AND kind = 'step'"
            " ORDER BY due_at LIMIT 1)",
            (at_us,),
        )
    return at_us


def test_what_fell_due_in_a_downtime_fires_at_the_start_and_says_how_late(
    start: Start, tmp_path: Path
) -> None:
    first = start().greeted()
    first.send()
    first.heard("message_settled")
    first.end()
    move_first(tmp_path, by_s=-3_600)
    again = start().greeted()
    fired = again.heard("timer_fired")
    assert fired["late_s"] >= 3_600
    _, ready = again.get("/readyz")
    assert ready["parts"]["timers"]["figures"] == {"due": 0, "late_s": 0.0, "failed": []}
    with urllib.request.urlopen(f"{again.http}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    assert 'intake_timers_fired_total{kind="step"} 1.0' in text
    assert "intake_timer_lateness_seconds_count 1.0" in text


def test_an_earlier_timer_of_another_process_rings_in_time(start: Start, tmp_path: Path) -> None:
    """The daemon waits for something in an hour; a timer written beside it is rung within two seconds of its instant."""
    daemon = start().greeted()
    daemon.send()
    daemon.heard("message_settled")
    move_first(tmp_path, by_s=0.3)
    assert daemon.heard("timer_fired")["late_s"] <= RUNG_WITHIN_S
