"""`rules explain` and `route --explain` tell why and why not: of the decision, of later events, of steps and of agents."""

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

RULES = """
version: 1
calendars: {always: {timezone: UTC, open: {mon-sun: "00:00-24:00"}}}
agents:
  una: {email: una@desk.example}
  vito: {email: vito@desk.example}
  wim: {email: wim@desk.example}
teams: {desk: {levels: {l1: [una, vito], lead: [wim]}}}
sla: {fair: {calendar: always, first_response: 4h, resolution: 3 working days, pause: [pending], ladder: up}}
ladders:
  up:
    - {at: first_response 50%, notify: assignee, ack_within: 30m}
    - {at: unacknowledged, notify: lead}
    - {at: first_response breach, level: lead, notify: lead}
enrich:
  - {id: vip, when: {sender.domain: big.example}, then: {priority: high}}
  - {id: down, when: {text.words: [down, outage]}, then: {priority: urgent}}
  - {id: money, when: {text.words: invoice}, then: {tags: [money]}}
route:
  - {id: help, when: {text.words: help}, then: {team: desk}}
default: {team: desk, sla: fair}
react:
  - {id: thanks, on: customer_replied, when: {text.words: {only: [thanks]}}, then: {reopen: false}}
  - {id: again, on: customer_replied, when: {text.words: still}, then: {tags: [again], level: lead}}
  - {id: silent, on: quiet, for: 1h, since: created, when: {ticket.status: new}, then: {notify: lead}}
"""
FIRST = b"From: Ann <ann@big.example>\r\nTo: support@example.com\r\nSubject: Printer\r\nMessage-ID: <1@x>\r\n\r\nIt is down, please help.\r\n"


def reply(ref: str, number: int, text: str) -> bytes:
    return (
        f"From: Ann <ann@big.example>\r\nTo: support@example.com\r\nSubject: Re: Printer [{ref}]\r\n"
        f"Message-ID: <{number}@x>\r\nIn-Reply-To: <1@x>\r\n\r\n{text}\r\n"
    ).encode()


@pytest.fixture
def ref(intake: Any, desk: Path) -> str:
    """A ticket whose customer has written twice more: one rule acted on the first, none on the second."""
    (desk / "config" / "rules.yaml").write_text(RULES)
    (desk / "1.eml").write_bytes(FIRST)
    assert intake("ingest", "1.eml").code == 0
    ref = str(intake("tickets", "list", "--json").objects[0]["ref"])
    for number, text in ((2, "It is still down."), (3, "Any news?")):
        (desk / f"{number}.eml").write_bytes(reply(ref, number, text))
        assert intake("ingest", f"{number}.eml").code == 0
    return ref


def rules_of(told: list[dict[str, Any]]) -> list[str]:
    return [each["rule"] for each in told]


def test_decision_has_winner_losers_and_what_lost(intake: Any, ref: str) -> None:
    """Each rule stands on one side with its place, its conditions with wanted and actual; a lost write names the winner."""
    [told] = intake("rules", "explain", ref, "--json").objects
    assert (told["rule"], rules_of(told["reasons"])) == ("help", ["vip", "down", "help"])
    [money] = told["why_not"]
    assert (money["rule"], money["file"], money["line"]) == ("money", "rules.yaml", 18)
    assert money["conditions"] == [{"field": "text.words", "wanted": "invoice", "actual": [], "held": False}]
    [lost] = told["ignored"]
    assert (lost["rule"], lost["field"], lost["by"]) == ("vip", "priority", "down")
    assert [each["agent"] for each in told["candidates"]] == ["una", "vito"]


def test_events_tell_which_rules_acted_and_why_others_did_not(intake: Any, ref: str) -> None:
    """Also an event after which no rule did anything: that is what one asks about."""
    [told] = intake("rules", "explain", ref, "--json").objects
    acted, silent = told["reactions"]
    assert (acted["on"], acted["rules"], rules_of(acted["reasons"])) == (
        "customer_replied",
        ["again"],
        ["again"],
    )
    assert rules_of(acted["why_not"]) == ["thanks", "silent"]
    assert (silent["rules"], rules_of(silent["why_not"])) == ([], ["thanks", "again", "silent"])
    [wanted] = silent["why_not"][0]["conditions"]
    assert wanted["actual"].endswith("Any news?")
    assert "waits for quiet" in silent["why_not"][2]["outcome"]


def test_agents_that_a_rule_compared_are_told(intake: Any, ref: str) -> None:
    [told] = intake("rules", "explain", ref, "--json").objects
    [moved] = told["assignments"]
    assert (moved["by"], moved["agent"], moved["candidates"][0]["level"]) == ("rule:again", "wim", "lead")


def test_steps_clocks_and_silences_are_told(intake: Any, ref: str) -> None:
    [told] = intake("rules", "explain", ref, "--json").objects
    assert [each["outcome"] for each in told["steps"]] == [
        "waits",
        "no notice that asks to be acknowledged has gone out",
        "waits",
    ]
    assert [len(each["waits_until"]) for each in told["steps"]] == [1, 0, 1]
    assert {each["target"]: each["state"] for each in told["clocks"]} == {
        "first_response": "running",
        "resolution": "running",
    }
    assert [(each["rule"], each["state"]) for each in told["silences"]] == [("silent", "pending")]


def test_old_ticket_is_told_with_the_rules_of_its_day(intake: Any, desk: Path, ref: str) -> None:
    """Rules that changed since change nothing of what is told."""
    before = intake("rules", "explain", ref, "--json").objects
    (desk / "config" / "rules.yaml").write_text(
        RULES.replace("invoice", "help").replace("id: thanks", "id: x")
    )
    assert intake("check").code == 0
    assert intake("rules", "explain", ref, "--json").objects == before


def test_text_fits_the_terminal_and_says_the_same(
    intake: Any, ref: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    told = intake("rules", "explain", ref).out
    assert max(map(len, told.splitlines())) <= 60
    for part in (
        "rulebook  ",
        ", rules.yaml:20",
        "ignored   vip writes priority high: already set by down",
        "not       money (rules.yaml:18): does not match",
        "step      up/0 at first_response 50%, notify assignee: waits",
        "clock     first_response running, due",
        "quiet     silent counts from created",
        "customer_replied: again",
        "customer_replied: no rule",
    ):
        assert part in told


def test_route_explains_what_would_be(intake: Any, desk: Path) -> None:
    """The ladder from the first moment, the agents, and each rule that did not count; without --explain none of it."""
    (desk / "config" / "rules.yaml").write_text(RULES)
    (desk / "1.eml").write_bytes(FIRST)
    [told] = intake("route", "1.eml", "--explain", "--json").objects
    assert [each["step"] for each in told["steps"]] == ["up/0", "up/1", "up/2"]
    assert (rules_of(told["why_not"]), told["why_not"][0]["file"]) == (["money"], "rules.yaml")
    assert "steps" not in intake("route", "1.eml", "--json").objects[0]
    assert "agent     una (l1): taken" in intake("route", "1.eml", "--explain").out


def test_ref_that_is_none_is_wrong_input(intake: Any, desk: Path) -> None:
    assert intake("rules", "explain", "NOTHING").code == 2
