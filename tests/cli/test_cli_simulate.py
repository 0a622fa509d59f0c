"""`intake rules simulate`: the future of a ticket, in the order of its instants and on the wall clock of its calendar."""

import json
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


def test_the_ticket_keeps_what_it_was_armed_with(intake: Any, desk: Path, ref: str) -> None:
    """Another ladder in the files does not change an armed ticket's future."""
    before = intake("rules", "simulate", ref, "--json").objects
    rules = desk / "config" / "rules.yaml"
    text = rules.read_text().partition("\ntests:")[0]
    rules.write_text(
        text.replace("normal: 4h", "normal: 1h").replace("first_response 80%", "first_response 10%")
    )
    after = intake("rules", "simulate", ref, "--json").objects
    assert [(each["at"], each["action"]) for each in after] == [
        (each["at"], each["action"]) for each in before
    ]


def test_a_solved_ticket_has_nothing_before_it(intake: Any, ref: str) -> None:
    """Its clocks are met or given up."""
    assert intake("tickets", "status", ref, "solved", "--as", "clara").code == 0
    assert intake("rules", "simulate", ref, "--json").objects == []


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


def test_what_is_neither_a_file_nor_a_ticket_is_refused(intake: Any, desk: Path) -> None:
    """And no store is made for the question."""
    done = intake("rules", "simulate", "ABC")
    assert (done.code, (desk / "var" / "intake.db").exists()) == (2, False)
