"""A daemon that runs, and the command line beside it: hours change hands at once, and the calendar is served."""

import shutil
import signal
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import icalendar  # type: ignore[import-untyped]
import pytest

from tests.daemon.conftest import LIMIT_S, ROOT, Running

pytestmark = pytest.mark.slow

RULES = """
version: 1
calendars: {always: {timezone: UTC, open: {mon-sun: "00:00-24:00"}}}
agents:
  ania: {email: ania@desk.example}
  ewa: {email: ewa@desk.example}
  tomek: {email: tomek@desk.example}
schedules:
  nights:
    timezone: Europe/Warsaw
    layers: [{rotate: weekly, from: 2026-01-05, handover: "mon 09:00", agents: [ania, ewa]}]
teams: {ops: {levels: {oncall: {schedule: nights}, lead: [tomek]}}}
default: {team: ops}
"""


@pytest.fixture
def begin(start: Callable[..., Running], tmp_path: Path) -> Callable[..., Running]:
    shutil.copytree(ROOT / "config", tmp_path / "config")
    (tmp_path / "config" / "rules.yaml").write_text(RULES)
    return start


@pytest.fixture
def daemon(begin: Callable[..., Running]) -> Running:
    return begin().greeted()


def outgoing(tmp_path: Path) -> str:
    return "".join(path.read_text() for path in (tmp_path / "var" / "outgoing").glob("*.eml"))


def test_hours_taken_beside_the_daemon_count_for_the_next_mail(daemon: Running, tmp_path: Path) -> None:
    """No reload: the next ticket is tomek's, and the daemon sends the lists of the hand-over."""
    assert daemon.intake("oncall", "take", "nights", "--as", "tomek").returncode == 0
    daemon.send("Hello")
    daemon.heard("message_settled")
    (ticket,) = daemon.objects("tickets", "list")
    assert ticket["agent"] == "tomek"
    while outgoing(tmp_path).count(": nights goes from ") < 2:
        daemon.heard("message_sent")


def test_a_hand_over_that_was_cut_off_is_made_once(begin: Callable[..., Running], tmp_path: Path) -> None:
    """Killed where the lists are written, the next start writes them, and the start after that does not."""
    killed = begin(INTAKE_FAILPOINT="handovers.finish:2").greeted()  # the first look is that of the start
    assert killed.intake("oncall", "take", "nights", "--as", "tomek").returncode == 0
    assert killed.process.wait(LIMIT_S) == -signal.SIGKILL
    assert outgoing(tmp_path).count(": nights goes from ") == 0
    second = begin().greeted()
    while outgoing(tmp_path).count(": nights goes from ") < 2:
        second.heard("message_sent")
    second.end()
    third = begin().greeted()
    third.send("Hello")
    third.heard("message_settled")
    third.end()
    assert outgoing(tmp_path).count(": nights goes from ") == 2


def test_the_calendar_is_served_to_who_has_the_link(daemon: Running) -> None:
    path = daemon.intake("oncall", "link", "nights").stdout.strip()
    with urllib.request.urlopen(f"{daemon.http}{path}", timeout=LIMIT_S) as answer:
        body, tag = answer.read().decode(), answer.headers["ETag"]
    assert icalendar.Calendar.from_ical(body).walk("VEVENT")
    again = urllib.request.Request(f"{daemon.http}{path}", headers={"If-None-Match": tag})
    with pytest.raises(urllib.error.HTTPError, match="304"):
        urllib.request.urlopen(again, timeout=LIMIT_S)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{daemon.http}{path.replace('.0.', '.1.')}", timeout=LIMIT_S)
