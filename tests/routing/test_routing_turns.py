"""What a ticket of a test knows of its own: it counts as its agent's, and remembers what was promised."""

import pytest

from routing import cases, rulebook
from routing.problems import ConfigError

BASE = """
version: 1
agents:
  ann: {email: ann@x.example}
  bob: {email: bob@x.example}
  cid: {email: cid@x.example}
calendars: {always: {timezone: UTC, open: {mon-sun: "00:00-24:00"}}}
sla: {word: {calendar: always, promise: true, ladder: call}}
ladders: {call: [{at: promise breach, notify: assignee}]}
teams: {desk: {levels: {front: [ann, bob, cid]}, assign: ASSIGN}}
default: {team: desk, sla: word}
react:
  - {id: next, on: quiet, for: 1h, since: assigned, when: {ticket.status: new}, then: {level: front}}
tests:
  - name: it
    message: {channel: email, body: hello}
"""


def failures(steps: str, *, assign: str = "round_robin", given: str = "{}") -> list[str]:
    text = BASE.replace("ASSIGN", assign) + f"    given: {given}\n    steps: [{steps}]\n"
    return [each.message for each in cases.run(rulebook.load({"rules.yaml": text}))]


def test_in_turn_everybody_gets_it_once() -> None:
    turns = (
        "{at: +1h, expect: {agent: bob}}, {at: +2h, expect: {agent: cid}}, {at: +3h, expect: {agent: ann}}"
    )
    assert failures(turns) == []


def test_the_ticket_itself_is_a_load() -> None:
    given = "{load: {cid: {email: 3}}}"
    turns = "{at: +1h, expect: {agent: bob}}, {at: +2h, expect: {agent: ann}}"
    assert failures(turns, assign="least_loaded", given=given) == []


def test_who_has_little_else_keeps_it() -> None:
    given = "{load: {bob: {email: 3}, cid: {email: 3}}}"
    assert failures("{at: +1h, expect: {agent: ann}}", assign="least_loaded", given=given) == []


def test_what_an_agent_promises_is_a_clock() -> None:
    said = "{at: +5m, event: agent_replied, promise: 2026-01-08T15:00+01:00, expect: {promise: 2026-01-08T14:00Z}}"
    told = "{at: +1d2h, expect: {notify: assignee}}"
    assert failures(f"{said}, {told}") == []


def test_a_promise_can_be_taken_back() -> None:
    said = "{at: +5m, event: agent_replied, promise: 1d}, {at: +1h, event: note_added, promise: none}"
    assert failures(f"{said}, {{at: +2d, expect: {{promise: none}}, never: {{notify: any}}}}") == []


def test_a_promise_without_its_zone_is_refused() -> None:
    step = "{at: +5m, event: agent_replied, promise: 2026-01-08T15:00}"
    with pytest.raises(ConfigError) as found:
        failures(step)
    assert [each.code for each in found.value.problems] == ["bad-length"]
