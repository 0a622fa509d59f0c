"""Check, route and the rules' own tests say what is wrong where, and touch nothing."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

MAIL = b"From: kim@example.org\r\nTo: support@example.com\r\nSubject: The shop is down\r\nMessage-ID: <7@x>\r\n\r\nSince an hour.\r\n"


def test_the_shipped_files_are_fine_even_strictly(intake: Any, new_desk: Path) -> None:
    done = intake("check", "--strict")
    assert (done.code, done.out) == (0, "")
    assert "tests pass" in done.err
    assert not (new_desk / "var").exists()


def test_problems_of_the_rules_name_their_file_as_it_is_found_from_here(intake: Any, desk: Path) -> None:
    rules = desk / "config" / "rules.yaml"
    rules.write_text(rules.read_text().replace("team: technical,", "team: tecnical,"))
    done = intake("check", "--json")
    assert done.code == 2
    found = [json.loads(line) for line in done.out.splitlines()]
    assert set(found[0]) == {"file", "line", "column", "severity", "code", "message", "hint"}
    assert found[0]["file"] == "config/rules.yaml"
    assert "technical" in found[0]["hint"]
    assert len(found) == 2
    shown = intake("check")
    assert f"config/rules.yaml:{found[0]['line']}:{found[0]['column']}: error" in shown.out
    assert "^" in shown.out


def test_a_failing_test_of_the_rules_is_a_problem(intake: Any, desk: Path) -> None:
    rules = desk / "config" / "rules.yaml"
    rules.write_text(
        rules.read_text().replace("{rule: default, team: support", "{rule: default, team: billing")
    )
    assert intake("check").code == 2
    done = intake("rules", "test", "--junit", "results.xml")
    assert done.code == 1
    suite = ET.parse(desk / "results.xml").getroot()
    assert (suite.get("failures"), len(suite)) == ("1", int(suite.get("tests") or 0))


def test_a_channel_says_what_is_wrong_with_its_set_up(intake: Any, desk: Path) -> None:
    settings = desk / "config" / "intake.yaml"
    settings.write_text(
        settings.read_text().replace(
            "kind: email.smtp", "kind: email.smtp\n    tls: {certificate: /nowhere.pem}"
        )
    )
    done = intake("check", "--json")
    assert done.code == 2
    assert "TLS certificate" in done.out
    assert (
        json.loads(done.out.splitlines()[0])["line"]
        == settings.read_text()
        .splitlines()
        .index(next(line for line in settings.read_text().splitlines() if line.startswith("  support:")))
        + 1
    )


def test_an_alarm_needs_a_calendar_that_the_rules_have(intake: Any, desk: Path) -> None:
    settings = desk / "config" / "intake.yaml"
    settings.write_text(settings.read_text() + "\nsilence_alarm: {open_hours: 4, calendar: ofice}\n")
    done = intake("check")
    assert done.code == 2
    assert "did you mean 'office'?" in done.out


def test_route_tells_the_decision_and_makes_no_store(intake: Any, new_desk: Path) -> None:
    (new_desk / "a.eml").write_bytes(MAIL)
    [decision] = intake(
        "route", "a.eml", "--kind", "email", "--json", "--at", "2026-03-02T20:00+01:00"
    ).objects
    assert (decision["rule"], decision["team"], decision["priority"]) == ("outage", "technical", "high")
    assert decision["due"]["first_response"] == "2026-03-03T10:00:00Z"
    assert decision["reasons"][-1]["rule"] == "outage"
    assert "why_not" not in decision
    assert not (new_desk / "var").exists()
    told = intake("route", "a.eml", "--explain", "--at", "2026-03-02T20:00+01:00")
    assert "not       vip" in told.out


def test_route_knows_the_customer_when_there_is_a_store(intake: Any, desk: Path) -> None:
    rules = desk / "config" / "rules.yaml"
    rules.write_text(
        rules.read_text().replace(
            "enrich:",
            "enrich:\n  - {id: known, when: {customer.first_contact: false}, then: {tags: [known]}}\n",
            1,
        )
    )
    (desk / "a.eml").write_bytes(MAIL)
    before = intake("route", "a.eml", "--json").objects[0]["matched"]
    intake("ingest", "a.eml")
    after = intake("route", "a.eml", "--json").objects[0]["matched"]
    assert ("known" in before, "known" in after) == (False, True)
    assert len(intake("tickets", "list", "--json").objects) == 1


def test_route_reads_an_object_like_a_test(intake: Any, desk: Path) -> None:
    situation = {
        "message": {
            "channel": "email",
            "from": "jan@example.org",
            "subject": "Pytanie 😀",
            "body": "PROSZĘ O ZWROT",
        },
        "at": "2026-03-02T10:00+01:00",
    }
    (desk / "a.json").write_text(json.dumps(situation, indent="\t"))
    [decision] = intake("route", "a.json", "--kind", "json", "--json", "--explain").objects
    assert (decision["rule"], decision["agent"]) == ("billing", "anna")
    assert "outage" in [each["rule"] for each in decision["why_not"]]


def test_a_wrong_object_is_exit_2_with_its_place(intake: Any, desk: Path) -> None:
    (desk / "a.json").write_text('{"message": {"chanel": "email"}}')
    done = intake("route", "a.json", "--kind", "json")
    assert done.code == 2
    assert "a.json:1:" in done.err


def test_a_text_that_nobody_has_written_is_a_problem_where_it_is_named(intake: Any, desk: Path) -> None:
    """What callers may have texted at night, and what WhatsApp customers get before their 24 hours end."""
    settings = desk / "config" / "intake.yaml"
    phone = (
        "\n  phone: {kind: twilio.voice, account_sid: AC00000000000000000000000000000000, auth_token: x, "
        'numbers: ["+48221234567"], closed_text: nowhere}'
    )
    text = settings.read_text().replace("\nchannels:\n", f"\nchannels:{phone}\n", 1)
    settings.write_text(f"{text}\nphone: {{whatsapp_nudge_hours: 1, whatsapp_nudge_reply: nothing}}\n")
    done = intake("check", "--json")
    found = [json.loads(line) for line in done.out.splitlines()]
    assert {each["message"] for each in found if each["code"] == "unknown-template"} == {
        "there is no reply template 'nowhere'",
        "there is no reply template 'nothing'",
    }
    assert done.code == 2


CHAT = """
name: Example
folder: ./var
http: {{listen: "127.0.0.1:0"}}
channels:
  website:
    kind: webchat
    origins: ["https://shop.example"]
    greeting: {{en: "Hello", pl: "Witamy"}}
{rest}
"""


def _told(intake: Any, desk: Path, rest: str) -> list[tuple[str, int, str]]:
    (desk / "config" / "intake.yaml").write_text(CHAT.format(rest=rest))
    found = (json.loads(line) for line in intake("check", "--json").out.splitlines() if line.startswith("{"))
    mine = (each for each in found if each["file"].endswith("intake.yaml"))
    return [(each["severity"], each["line"], each["message"]) for each in mine]


def test_a_chat_that_mails_answers_where_nothing_sends_mail_is_warned_of(intake: Any, desk: Path) -> None:
    """At the account's line; not where answers wait for ever, nor where there is an account of mail."""
    message = "visitors who leave are to have their answer by mail, and no account sends mail"
    assert _told(intake, desk, "") == [("warning", 6, message)]
    assert _told(intake, desk, "    leaving: {mail_after_minutes: 0}") == []
    mail = '  support: {kind: email.smtp, listen: "127.0.0.1:0", addresses: [a@desk.example]}'
    assert message not in [each for _, _, each in _told(intake, desk, mail)]


def test_quick_replies_that_lack_a_language_are_warned_of(intake: Any, desk: Path) -> None:
    """Of each set once, with the languages that the account's other texts have and a button of it has not."""
    replies = """    leaving: {mail_after_minutes: 0}
    quick_replies:
      opening: [{en: "Order", pl: "Paczka"}]
      confirm: [{en: "Yes", pl: "Tak"}, {en: "No"}]
"""
    message = "quick_replies: confirm is not written in pl, the account's other texts are"
    assert _told(intake, desk, replies) == [("warning", 6, message)]
