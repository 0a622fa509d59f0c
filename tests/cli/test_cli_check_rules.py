"""What check tells of rules beyond mistakes: warnings, hints, closed days, and what cannot act here."""

import json
from pathlib import Path
from typing import Any

import pytest
from time_machine import travel

RULES = """\
version: 1
calendars:
  office: {timezone: UTC, open: {mon-fri: "09:00-17:00"}, dates: {2026-03-04: closed, 2026-03-06: closed}}
agents: {ania: {email: ania@example.com}}
teams: {t: {levels: {l1: [ania]}}}
route:
  - {id: seen, when: {text.words: [hello]}, then: {team: t}}
default: {team: t}
tests:
  - {name: one, message: {channel: email, body: Hello}, expect: {rule: seen}}
"""


@pytest.fixture
def rules(desk: Path) -> Path:
    path = desk / "config" / "rules.yaml"
    path.write_text(RULES)
    return path


def codes(done: Any) -> list[tuple[str, str]]:
    return [(each["severity"], each["code"]) for each in map(json.loads, done.out.splitlines())]


def test_a_hint_changes_no_exit_code_not_even_strictly(intake: Any, rules: Path) -> None:
    rules.write_text(RULES.split("tests:", maxsplit=1)[0])
    done = intake("check", "--strict", "--json")
    assert (done.code, codes(done)) == (0, [("hint", "untested")])


def test_a_warning_is_an_error_only_strictly(intake: Any, rules: Path) -> None:
    rules.write_text(RULES.replace("{email: ania@example.com}", "{skills: [pl]}"))
    assert intake("check").code == 0
    done = intake("check", "--strict", "--json")
    assert (done.code, codes(done)) == (2, [("warning", "unreachable-agent")])


def test_a_failing_test_hides_no_warning(intake: Any, rules: Path) -> None:
    text = RULES.replace("rule: seen", "rule: default").replace("{email: ania@example.com}", "{skills: [pl]}")
    rules.write_text(text)
    done = intake("check", "--json")
    assert done.code == 2
    assert codes(done) == [("warning", "unreachable-agent"), ("error", "failing-test")]


def test_what_this_configuration_cannot_do_is_told_at_its_line(intake: Any, rules: Path) -> None:
    rules.write_text(RULES.replace("default: {team: t}", "default: {team: t, reply: {sms: received}}"))
    done = intake("check")
    assert done.code == 0
    assert "config/rules.yaml:8:10: warning[cannot-act]" in done.out
    assert "no channel here sends sms" in done.out
    assert "1 warning" in done.err


ICS = """\
BEGIN:VCALENDAR
BEGIN:VEVENT
DTSTART;VALUE=DATE:20260303
SUMMARY:Founder's day
END:VEVENT
BEGIN:VEVENT
DTSTART:20260305T140000Z
DURATION:PT2H
SUMMARY:Training
END:VEVENT
END:VCALENDAR
"""


@travel("2026-03-02T10:00+00:00", tick=False)
def test_closed_days_of_a_file_are_told_by_name(intake: Any, rules: Path) -> None:
    rules.write_text(RULES.replace("dates:", "holidays: {file: own.ics}, dates:"))
    rules.with_name("own.ics").write_text(ICS)
    told = "on 2026-03-03 (Founder's day), 2026-03-04 (own date), 2026-03-05 (Training, 14:00-16:00)\n"
    assert told in intake("check").err


@travel("2027-03-02T10:00+00:00", tick=False)
def test_a_file_that_has_ended_is_told(intake: Any, rules: Path) -> None:
    """Nobody exports the closed days of the new year by themselves."""
    rules.write_text(RULES.replace("dates:", "holidays: {file: own.ics}, dates:"))
    rules.with_name("own.ics").write_text(ICS)
    told = "calendar office: its files close nothing after 2026-03-05; export them again"
    assert told in intake("check").err
    rules.with_name("own.ics").write_text(ICS.replace("DURATION", "RRULE:FREQ=YEARLY\nDURATION"))
    assert "export them again" not in intake("check").err


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("<html>", 2, "own.ics:1:1: error[bad-calendar] no iCalendar: BEGIN:VCALENDAR is wanted, got '<html>'"),
        (ICS.replace("20260303", "tomorrow"), 2, "own.ics:3:1: error[bad-calendar] DTSTART has 'tomorrow'"),
        (None, 0, "rules.yaml:3:76: warning[missing-calendar] the file 'own.ics' is not there"),
        (ICS.replace("DURATION", "RRULE:FREQ=HOURLY\nDURATION"), 0, "own.ics:6:1: warning[left-out]"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_calendar_file_is_told_at_its_line(
    intake: Any, rules: Path, text: str | None, code: int, told: str
) -> None:
    rules.write_text(RULES.replace("dates:", "holidays: {file: own.ics}, dates:"))
    if text is not None:
        rules.with_name("own.ics").write_text(text)
    done = intake("check")
    assert (done.code, told in done.out.replace(f"{rules.parent}/", "")) == (code, True), done.out


@travel("2026-03-02T10:00+00:00", tick=False)
def test_the_next_closed_days_of_each_calendar_are_told(intake: Any, rules: Path) -> None:
    assert "calendar office is closed on 2026-03-04 (own date), 2026-03-06 (own date)" in intake("check").err


@pytest.mark.slow
def test_words_that_most_stored_messages_have_are_told_when_asked_for(
    intake: Any, rules: Path, desk: Path
) -> None:
    folder = desk / "mails"
    folder.mkdir()
    for number in range(110):
        head = f"From: c{number}@example.org\r\nTo: support@example.com\r\nSubject: {number}\r\nMessage-ID: <{number}@x>\r\n"
        (folder / f"{number}.eml").write_text(f"{head}\r\nHello number {number}\r\n")
    assert intake("ingest", "mails").code == 0
    assert codes(intake("check", "--json")) == []
    assert codes(intake("check", "--json", "--store")) == [("warning", "wide-words")]


def test_without_a_store_there_is_nothing_to_count(intake: Any, new_desk: Path) -> None:
    done = intake("check", "--store")
    assert done.code == 2
    assert "leave --store away" in done.err
    assert not (new_desk / "var").exists()


def test_a_broken_template_hides_no_problem_of_the_rules(intake: Any, rules: Path, desk: Path) -> None:
    (desk / "config" / "replies" / "bad.en.md").write_text("{{ oops")
    rules.write_text(RULES.replace("{email: ania@example.com}", "{skills: [pl]}"))
    done = intake("check", "--json")
    assert set(codes(done)) == {("error", "bad-template"), ("warning", "unreachable-agent")}
