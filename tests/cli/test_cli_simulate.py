"""`intake rules simulate`: the future of a ticket, in the order of its instants and on the wall clock of its calendar."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

MAIL = (
    b"From: Ann <ann@example.net>\r\nTo: support@example.com\r\nSubject: Opening hours\r\n"
    b"Message-ID: <1@example.net>\r\n\r\nWhen are you open?\r\n"
)


@pytest.fixture
def ref(intake: Any, desk: Path) -> str:
    """A ticket that a mail has just opened."""
    (desk / "mail.eml").write_bytes(MAIL)
    assert intake("ingest", "mail.eml").code == 0
    return str(intake("tickets", "list", "--json").objects[0]["ref"])


def deeds(objects: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    return [(each["action"], each["value"]) for each in objects]


def test_a_mail_goes_through_a_night_to_its_breach(intake: Any, desk: Path) -> None:
    """Written on Friday evening: the four hours begin on Monday at nine, Warsaw time."""
    (desk / "mail.eml").write_bytes(MAIL)
    found = intake("rules", "simulate", "mail.eml", "--at", "2026-03-06T20:00+01:00", "--json").objects
    breach = next(each for each in found if each["action"] == "breach")
    assert (breach["at"], breach["value"]) == ("2026-03-09T13:00:00+01:00", "first_response")
    assert [each["at"] for each in found] == sorted(each["at"] for each in found)


def test_a_situation_as_tests_write_it_has_a_future(intake: Any, desk: Path) -> None:
    """Through the change to summer time: the calendar's hours stay where they are on the wall."""
    situation = {
        "at": "2026-03-27T16:00+01:00",
        "message": {"channel": "email", "from": "a@example.net", "body": "Hello"},
    }
    (desk / "case.json").write_text(json.dumps(situation))
    found = intake("rules", "simulate", "case.json", "--json").objects
    breach = next(each for each in found if each["action"] == "breach")
    assert breach["at"] == "2026-03-30T12:00:00+02:00"


def test_a_ticket_goes_on_from_where_it_is(intake: Any, ref: str) -> None:
    """Answered, its first response is met: only what is left of its promises falls due."""
    before = deeds(intake("rules", "simulate", ref, "--json").objects)
    assert ("breach", "first_response") in before
    assert intake("tickets", "reply", ref, "-", "--as", "clara", stdin=b"From nine.\n").code == 0
    after = deeds(intake("rules", "simulate", ref, "--json").objects)
    assert ("breach", "first_response") not in after
    assert ("breach", "resolution") in after


@pytest.mark.slow
def test_the_ticket_keeps_what_it_was_armed_with(intake: Any, desk: Path, ref: str) -> None:
    """Another ladder in the files does not change an armed ticket's future."""
    before = intake("rules", "simulate", ref, "--json").objects
    rules = desk / "config" / "rules.yaml"
    text = rules.read_text().partition("\ntests:")[0]
    rules.write_text(
        text.replace("normal: 4h", "normal: 1h").replace("first_response 80%", "first_response 10%")
    )
    after = intake("rules", "simulate", ref, "--json").objects
    assert [(each["at"], each["action"]) for each in after if each["action"] != "due"] == [
        (each["at"], each["action"]) for each in before if each["action"] != "due"
    ]
    assert [each["due"] for each in after if each["action"] == "due"] == [
        each["due"] for each in before if each["action"] == "due"
    ]


@pytest.mark.slow
def test_a_solved_ticket_has_nothing_before_it(intake: Any, ref: str) -> None:
    """Its clocks are met or given up."""
    assert intake("tickets", "status", ref, "solved", "--as", "clara").code == 0
    assert intake("rules", "simulate", ref, "--json").objects == []


@pytest.mark.slow
def test_quiet_rules_fire_from_what_has_really_happened(intake: Any, desk: Path, ref: str) -> None:
    """The reminder counts from the answer that was given."""
    rules = desk / "config" / "rules.yaml"
    text = rules.read_text().partition("\ntests:")[0]
    rules.write_text(
        text
        + "\nreact:\n  - {id: remind, on: quiet, for: 3d, since: agent_replied, then: {tags: [silent]}}\n"
    )
    assert intake("tickets", "reply", ref, "-", "--as", "clara", stdin=b"From nine.\n").code == 0
    found = intake("rules", "simulate", ref, "--json").objects
    assert [each["value"] for each in found if each["rule"] == "remind"] == ["silent"]


def test_a_person_reads_times_and_reasons(intake: Any, desk: Path) -> None:
    """The weekday, the time, how much later, and why."""
    (desk / "mail.eml").write_bytes(MAIL)
    said = intake("rules", "simulate", "mail.eml", "--at", "2026-03-06T20:00+01:00").out
    assert "Mon 2026-03-09 13:00" in said
    assert "+2d 17h" in said
    assert "breach first_response" in said


def test_what_is_neither_a_file_nor_a_ticket_is_refused(intake: Any, new_desk: Path) -> None:
    """And no store is made for the question."""
    done = intake("rules", "simulate", "ABC")
    assert (done.code, (new_desk / "var" / "intake.db").exists()) == (2, False)


# -- due times --------------------------------------------------------------------------------------------------------

SITUATION = """\
at: 2026-03-27T16:00+01:00
message: {channel: email, from: a@example.net, body: Hello}
steps:
  - {at: 2026-03-30T10:00+02:00, event: agent_replied, status: pending}
  - {at: 2026-03-31T10:00+02:00, event: customer_replied}
"""
RULES = """\
version: 1
calendars: {new_desk: {timezone: Europe/Warsaw, open: {mon-fri: "08:00-16:00"}}}
agents: {ania: {email: ania@new_desk.example}}
teams: {new_desk: {levels: {l1: [ania]}}}
sla: {new_desk: {calendar: new_desk, first_response: 4h, resolution: 8h, pause: [pending]}}
default: {team: new_desk, priority: normal, sla: new_desk}
tests:
  - name: one pause
    because: 2 h used, 6 h left from 12:00
    at: 2026-11-16T08:00+01:00
    message: {channel: email}
    steps:
      - {at: 2026-11-16T10:00+01:00, event: status_changed, status: pending}
      - {at: 2026-11-16T12:00+01:00, event: status_changed, status: open}
  - name: it is red
    at: 2026-11-16T08:00+01:00
    message: {channel: email}
    expect: {due.first_response: 2026-11-16T11:00+01:00}
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    (tmp_path / "desk.yaml").write_text(RULES)
    return tmp_path / "desk.yaml"


def moved(objects: list[dict[str, Any]], target: str) -> list[tuple[Any, ...]]:
    return [
        (each["at"][5:16], each["action"], each["due"])
        for each in objects
        if each["value"] == target and "due" in each
    ]


def test_a_situation_may_have_steps_which_move_what_is_due(intake: Any, desk: Path) -> None:
    """Met by the answer, paused with it, resumed by the customer: each with the due time from then on."""
    (desk / "case.yaml").write_text(SITUATION)
    found = intake("rules", "simulate", "case.yaml", "--json").objects
    assert moved(found, "first_response") == [
        ("03-27T16:00", "due", "2026-03-30T12:00:00+02:00"),
        ("03-30T10:00", "met", "2026-03-30T12:00:00+02:00"),
    ]
    assert [each[1] for each in moved(found, "resolution")[:3]] == ["due", "paused", "resumed"]


def test_a_ticket_begins_with_what_is_due_now(intake: Any, ref: str) -> None:
    found = intake("rules", "simulate", ref, "--json").objects
    begins = {each["value"] for each in found if each["action"] == "due"}
    assert begins == {"first_response", "resolution"}


def test_a_test_of_the_rules_is_played(intake: Any, rules: Path) -> None:
    """Of other rules than those in force, without any configuration."""
    found = intake("rules", "simulate", "--test", "one pause", str(rules), "--json").objects
    assert moved(found, "resolution")[1:] == [
        ("11-16T10:00", "paused", None),
        ("11-16T12:00", "resumed", "2026-11-17T10:00:00+01:00"),
    ]
    assert found[-1]["action"] == "breach"


def test_a_test_that_fails_is_played_too(intake: Any, rules: Path) -> None:
    """To see why is what one plays it for."""
    found = intake("rules", "simulate", "--test", "it is red", str(rules), "--json").objects
    assert moved(found, "first_response")[0][2] == "2026-11-16T12:00:00+01:00"


def test_all_tests_are_a_table_of_due_times(intake: Any, rules: Path) -> None:
    """With the working beside the first line of each, up to its last step."""
    done = intake("rules", "simulate", "--tests", str(rules))
    lines = done.out.splitlines()
    assert (done.code, lines[0].split()) == (0, ["TEST", "AT", "WHAT", "DUE", "BECAUSE"])
    assert "one pause" in lines[1]
    assert lines[1].endswith("2 h used, 6 h left from 12:00")
    assert "resumed resolution" in done.out
    assert "Tue 2026-11-17 10:00 +0100" in done.out
    assert "breach" not in done.out


def test_the_days_are_drawn(intake: Any, rules: Path) -> None:
    """Half an hour a sign: closed till eight, where it begins, due at noon and at four, closed again."""
    said = intake("rules", "simulate", "--test", "it is red", str(rules)).out
    assert "Mon 2026-11-16  ················○███████D███████D···············" in said


def test_a_test_that_is_not_there_is_told_with_one_that_is(intake: Any, rules: Path) -> None:
    done = intake("rules", "simulate", "--test", "one paws", str(rules))
    assert (done.code, "did you mean 'one pause'?" in done.err) == (2, True)


@pytest.mark.parametrize("arguments", [(), ("a", "b")])
def test_it_wants_one_thing_to_simulate(intake: Any, desk: Path, arguments: tuple[str, ...]) -> None:
    assert intake("rules", "simulate", *arguments).code == 2


def test_a_mistake_in_a_step_is_told_at_its_line(intake: Any, desk: Path) -> None:
    (desk / "case.yaml").write_text(SITUATION.replace("agent_replied", "agent_relied"))
    done = intake("rules", "simulate", "case.yaml")
    assert done.code == 2
    assert "case.yaml:4" in done.err
    assert "did you mean 'agent_replied'?" in done.err


def test_a_breach_that_was_told_is_not_told_again(intake: Any, ref: str, tmp_path: Path) -> None:
    """A ticket that goes on knows it from its clock, also when the timer's row is gone."""
    with sqlite3.connect(next(tmp_path.rglob("intake.db"))) as store:
        store.execute(
            "UPDATE clocks SET clock = json_set(clock, '$.breached_at', '2026-01-05T10:00:00Z') "
            "WHERE target = 'first_response'"
        )
        store.execute("DELETE FROM timers WHERE kind = 'breach' AND target = 'first_response'")
    store.close()
    assert ("breach", "first_response") not in deeds(intake("rules", "simulate", ref, "--json").objects)
