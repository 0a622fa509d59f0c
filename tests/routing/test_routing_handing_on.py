"""Capacity, absence and customers who come back, in the admin's own tests and over a night."""

from datetime import UTC, datetime, timedelta

import pytest

from routing import cases, rulebook
from routing.facts import AgentLoad, Facts
from routing.life import Life
from routing.problems import ConfigError
from tests.rows import every_row

RULES = """
version: 1
calendars:
  day: {timezone: UTC, open: {mon-sun: "08:00-16:00"}}
  late: {timezone: UTC, open: {mon-sun: "12:00-20:00"}}
agents:
  ada: {email: ada@x.example, hours: day, skills: [en], deputy: zoe}
  bob: {email: bob@x.example, hours: late, skills: [en, pl]}
  zoe: {email: zoe@x.example, hours: day}
teams:
  care: {levels: {front: [ada, bob], lead: [zoe]}, assign: {by: least_loaded, capacity: {email: 2}, returning: 30d}}
  cash: {levels: {front: [bob]}}
route:
  - {id: hers, when: {subject: {words: hers}}, then: {agent: ada}}
  - {id: polish, when: {subject: {words: polish}}, then: {skills: {need: [pl]}}}
  - {id: left, when: {subject: {words: left}}, then: {agent: none}}
react:
  - {id: told, on: assigned, when: {ticket.status: any}, then: {tags: [given]}}
default: {team: care, priority: normal}
"""
MAIL = "message: {channel: email, from: jan@a.example, language: en, subject: %s, body: x}"


def failures(subject: str, rest: str) -> list[str]:
    text = f"{RULES}tests:\n  - {{name: it, {MAIL % subject}, {rest}}}\n"
    return [str(each) for each in cases.run(rulebook.load({"rules.yaml": text}))]


@every_row(
    ("subject", "rest"),
    [
        ("hers", "expect: {agent: ada}"),
        ("hers", "given: {away: [ada]}, expect: {agent: zoe}"),
        ("hers", "given: {load: {ada: {email: 2}}}, expect: {agent: bob}"),
        ("hers", "given: {away: [ada, zoe]}, expect: {agent: bob}"),
        ("x", "given: {customer: {agent: bob}}, expect: {agent: bob}"),
        ("x", "given: {customer: {agent: bob, answered: 29d}}, expect: {agent: bob}"),
        ("x", "given: {customer: {agent: bob, answered: 31d}}, expect: {agent: ada}"),
        ("x", "given: {away: [bob], customer: {agent: bob}}, expect: {agent: ada}"),
        ("x", "given: {load: {bob: {email: 2}}, customer: {agent: bob}}, expect: {agent: ada}"),
        ("x", "given: {customer: {agent: zoe}}, expect: {agent: ada}"),
        ("polish", "given: {customer: {agent: ada}}, expect: {agent: bob}"),
        ("left", "expect: {agent: none}"),
    ],
)  # fmt: skip
def test_a_new_ticket_goes_to(subject: str, rest: str) -> None:
    assert failures(subject, rest) == []


@every_row(
    "steps",
    [
        # solved, and its agent full by then: a colleague of the level
        "{at: +1h, event: agent_replied, status: solved}, {at: +2h, load: {ada: {email: 2}}, event: customer_replied, body: y, expect: {agent: bob, status: open, tags: [given]}}",
        "{at: +1h, event: agent_replied, status: solved}, {at: +2h, event: customer_replied, body: y, expect: {agent: ada, status: open}}",
        # waiting for the customer, and its agent away by then: the deputy
        "{at: +1h, event: agent_replied, status: pending}, {at: +2h, away: [ada], event: customer_replied, body: y, expect: {agent: zoe, status: open, tags: [given]}}",
        "{at: +1h, event: agent_replied, status: pending}, {at: +2h, away: [ada, zoe, bob], event: customer_replied, body: y, expect: {agent: none, status: open}}",
        # another team: somebody there
        "{at: +1h, event: team_changed, team: cash, expect: {team: cash, agent: bob}}",
    ],
)
def test_later_it_goes_on_to(steps: str) -> None:
    assert failures("hers", f"steps: [{steps}]") == []


def test_a_step_that_says_who_had_answered_names_an_agent_of_the_rules() -> None:
    text = f"{RULES}tests:\n  - {{name: it, {MAIL % 'x'}, given: {{customer: {{agent: bop}}}}, expect: {{agent: bob}}}}\n"
    with pytest.raises(Exception, match="no agent 'bop'"):
        rulebook.load({"rules.yaml": text})


def night(**agents: AgentLoad) -> Life:
    at = datetime(2026, 11, 10, 3, tzinfo=UTC)
    facts = Facts(at=at, channel="email", subject="x", body="x", language="en", agents=agents)
    return Life(rulebook.load({"rules.yaml": RULES}), facts)


def test_what_came_at_night_is_given_out_when_hours_begin() -> None:
    """At eight, five hours on, with the event that rules wait for."""
    life = night()
    assert (life.ticket.agent, life.decision.waits_for) == (None, "nobody_on_duty")
    life.advance(life.now + timedelta(hours=5))
    assert (life.ticket.agent, life.ticket.tags) == ("ada", ("given",))
    assert life.happenings[-2].at == datetime(2026, 11, 10, 8, tzinfo=UTC)


def test_who_comes_first_and_is_away_is_not_waited_for() -> None:
    life = night(ada=AgentLoad(away=True))
    life.advance(life.now + timedelta(hours=8, minutes=59))
    assert life.ticket.agent is None
    life.advance(life.now + timedelta(minutes=1))
    assert life.ticket.agent == "bob"


@every_row(
    ("written", "told"),
    [
        ("returning: soon", "no length of time 'soon'"),
        ("returning: 30", "no length of time"),
        ("returning: 9999d", "no length of time '9999d'"),
        ("answering: often", "wanted true or false, got 'often'"),
        ("capacity: {email: 0}", "a capacity is 1 to 10000 tickets"),
        ("returnin: 30d", "no key 'returnin' here"),
    ],
)
def test_slips_in_how_a_team_assigns_are_told(written: str, told: str) -> None:
    team = "assign: {by: least_loaded, capacity: {email: 2}, returning: 30d}"
    with pytest.raises(ConfigError) as refused:
        rulebook.load({"rules.yaml": RULES.replace(team, f"assign: {{{written}}}")})
    assert told in str(refused.value)
