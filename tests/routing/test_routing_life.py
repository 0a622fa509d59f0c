"""A ticket in memory through events and time; every instant here was worked out by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from routing import rulebook
from routing.conversation import Conversations
from routing.facts import AgentLoad, Facts, SenderFacts
from routing.life import Event, Happening, Life
from routing.rulebook import Rulebook

BASE = """
version: 1
calendars:
  desk: {timezone: Europe/Warsaw, open: {mon-fri: "08:00-16:00"}, holidays: PL}
  always: {timezone: UTC, open: {mon-sun: "00:00-24:00"}}
agents:
  olga: {skills: [pl]}
  piet: {skills: [en]}
  rosa: {}
  sven: {}
teams:
  care: {levels: {l1: [olga, piet], lead: [rosa]}}
  sales: {levels: {l1: [sven], lead: [rosa]}}
fields: {case: {type: text, extract: 'case (\\d+)'}}
sla:
  calm: {calendar: desk, first_response: 4h, next_response: 2h, resolution: 16h, pause: [pending, on_hold], ladder: up}
  loud: {calendar: always, first_response: 1h, update: 1d, ladder: wake}
ladders:
  up:
    - {at: first_response 50%, notify: assignee}
    - {at: first_response breach, level: lead, priority: high, notify: lead}
    - {at: next_response breach, notify: lead}
    - {at: resolution breach, notify: lead}
  wake:
    - {at: first_response 50%, notify: assignee, by: urgent, ack_within: 10m}
    - {at: unacknowledged, notify: lead, by: urgent}
    - {at: first_response breach, notify: lead, repeat: {every: 20m, times: 3}}
    - {at: update breach, notify: assignee}
"""
DEFAULT = "default: {team: care, sla: calm, reply: {email: received}}\n"
TUESDAY_NOON = datetime(2026, 3, 10, 11, tzinfo=UTC)  # 12:00 in Warsaw
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def book(rules: str = "", default: str = DEFAULT) -> Rulebook:
    return rulebook.load({"r.yaml": BASE + rules + default})


def reacting(*rules: str, default: str = DEFAULT) -> Rulebook:
    return book("react:\n" + "".join(f"  - {{{rule}}}\n" for rule in rules), default)


def life(rules: Rulebook, **given: Any) -> Life:
    sender = SenderFacts(address="ana@x.example", domain="x.example")
    return Life(rules, Facts(**{"at": TUESDAY_NOON, "channel": "email", "sender": sender, **given}))


def event(kind: str, after: timedelta, **given: Any) -> Event:
    return Event(at=TUESDAY_NOON + after, kind=kind, **given)


def said(body: str, **given: Any) -> Facts:
    return Facts(at=TUESDAY_NOON, body=body, **given)


def told(found: Life, *kinds: str) -> list[tuple[str, str, Any]]:
    """Local time, kind, value of what happened after the opening."""
    after = found.happenings[found.opening :]
    return [(local(each), each.action.kind, each.action.value) for each in after if each.action.kind in kinds]


def local(happening: Happening) -> str:
    zone = book().calendars["desk"].zone
    return happening.at.astimezone(zone).strftime("%a %d %H:%M")


# -- ladders ----------------------------------------------------------------------------------------------------------


def test_a_ladder_goes_up_in_open_time_and_says_why() -> None:
    """Tuesday 12:00 + 2 h of 4 = 14:00, + 4 h = 16:00, the end of the day: due then."""
    found = life(book())
    found.advance(TUESDAY_NOON + DAY)
    assert [
        (local(each), each.action.kind, each.action.value, each.why) for each in found.happenings[1:]
    ] == [
        ("Tue 10 14:00", "notify", "assignee", "first_response 50%"),
        ("Tue 10 16:00", "breach", "first_response", "first_response of policy calm was due"),
        ("Tue 10 16:00", "level", "lead", "first_response breach"),
        ("Tue 10 16:00", "priority", "high", "first_response breach"),
        ("Tue 10 16:00", "notify", "lead", "first_response breach"),
    ]
    assert (found.ticket.level, found.ticket.agent, found.ticket.priority) == ("lead", "rosa", "high")


def test_night_weekend_and_holiday_cost_no_time() -> None:
    """From Thursday 10 December 15:00; from Wednesday 23rd 15:00 over Christmas, of which the 24th is a holiday too."""
    thursday = life(book(), at=datetime(2026, 12, 10, 14, tzinfo=UTC))
    thursday.advance(thursday.now + 2 * DAY)
    christmas = life(book(), at=datetime(2026, 12, 23, 14, tzinfo=UTC))
    christmas.advance(christmas.now + 7 * DAY)
    assert told(thursday, "notify") == [
        ("Fri 11 09:00", "notify", "assignee"), ("Fri 11 11:00", "notify", "lead"),
    ]  # fmt: skip
    assert told(christmas, "notify")[:2] == [
        ("Mon 28 09:00", "notify", "assignee"), ("Mon 28 11:00", "notify", "lead"),
    ]  # fmt: skip


def test_the_night_the_clocks_change_costs_an_hour_of_wall_clock_only_where_it_is_open() -> None:
    """Saturday 28 March 2026, 23:30 UTC: the day of the change has 23 hours, an always-open hour is an hour."""
    loud = life(
        book(default="default: {team: care, sla: loud}\n"), at=datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    )
    loud.advance(loud.now + HOUR)
    assert [each[0] for each in told(loud, "breach")] == ["Sun 29 03:30"]  # 01:30, and 02:30 does not exist


def test_an_answer_stops_the_first_response_and_starts_no_other_clock() -> None:
    found = life(book())
    found.happen(event("agent_replied", HOUR))
    found.advance(TUESDAY_NOON + DAY)
    assert told(found, "breach", "notify") == []
    assert found.ticket.status == "open"


def test_next_response_runs_from_the_oldest_unanswered_message() -> None:
    """Answered at 13:00; the customer writes at 13:30 and 14:30: due 15:30."""
    found = life(book())
    found.happen(event("agent_replied", HOUR))
    found.happen(event("customer_replied", 1.5 * HOUR, message=said("and?")))
    found.happen(event("customer_replied", 2.5 * HOUR, message=said("hello?")))
    found.advance(TUESDAY_NOON + 5 * HOUR)
    assert told(found, "breach", "notify") == [
        ("Tue 10 15:30", "breach", "next_response"), ("Tue 10 15:30", "notify", "lead"),
    ]  # fmt: skip


def test_resolution_stands_still_while_pending_and_goes_on_after() -> None:
    """16 h from Tuesday 12:00: 1 h used by 13:00, pending until Wednesday 13:00, 15 h left: Thursday 3 + 8, Friday 4 h."""
    found = life(book())
    found.happen(event("agent_replied", HOUR, changes={"status": "pending"}))
    found.happen(event("customer_replied", 25 * HOUR, message=said("here you are")))
    found.happen(event("agent_replied", 26 * HOUR))
    found.advance(TUESDAY_NOON + 7 * DAY)
    assert told(found, "breach") == [("Fri 13 12:00", "breach", "resolution")]


def test_nobody_acknowledges_so_the_next_is_told_and_a_repeat_ends_with_an_answer() -> None:
    """At 12:30 the assignee, at 12:40 the lead; breach at 13:00, again at 13:20; answered at 13:25."""
    found = life(book(default="default: {team: care, sla: loud}\n"))
    found.happen(event("agent_replied", timedelta(minutes=85)))
    found.advance(TUESDAY_NOON + 3 * HOUR)
    assert told(found, "notify") == [
        ("Tue 10 12:30", "notify", "assignee"), ("Tue 10 12:40", "notify", "lead"),
        ("Tue 10 13:00", "notify", "lead"), ("Tue 10 13:20", "notify", "lead"),
    ]  # fmt: skip


def test_acknowledged_without_an_answer_the_next_is_told_after_all() -> None:
    """Acknowledged at 12:35: ten minutes later it is due after all."""
    found = life(book(default="default: {team: care, sla: loud}\n"))
    found.happen(event("acknowledged", timedelta(minutes=35), by="olga"))
    found.advance(TUESDAY_NOON + timedelta(minutes=50))
    assert told(found, "notify")[-1] == ("Tue 10 12:45", "notify", "lead")


def test_a_notice_that_reaches_nobody_is_told_and_what_follows_it_is_due_at_once() -> None:
    found = life(book(default="default: {team: care, sla: loud, agent: none}\n"))
    found.advance(TUESDAY_NOON + timedelta(minutes=30))
    assert told(found, "notify", "notice_reached_nobody") == [
        ("Tue 10 12:30", "notify", "assignee"), ("Tue 10 12:30", "notice_reached_nobody", "assignee"),
        ("Tue 10 12:30", "notify", "lead"),
    ]  # fmt: skip


def test_an_answer_that_did_not_arrive_counts_as_not_given() -> None:
    found = life(book())
    found.happen(event("agent_replied", HOUR))
    found.happen(event("delivery_failed", 2 * HOUR))
    found.advance(TUESDAY_NOON + 5 * HOUR)
    assert ("Tue 10 16:00", "breach", "first_response") in told(found, "breach")


# -- quiet and clock rules ----------------------------------------------------------------------------------------------

SOFT = (
    "id: soft, on: quiet, for: 2d, since: agent_replied, when: {ticket.status: pending}, then: {reply: there}"
)
HARD = "id: hard, on: quiet, for: 4d, since: agent_replied, when: {ticket.status: pending}, then: {status: solved}"
SHUT = "id: shut, on: quiet, for: 3d, since: status_changed, when: {ticket.status: solved}, then: {status: closed}"


def test_a_silent_customer_is_reminded_then_solved_then_closed() -> None:
    """Answered on Tuesday 13:00: Thursday 13:00, Saturday 13:00, and three days after that change of a rule."""
    found = life(reacting(SOFT, HARD, SHUT))
    found.happen(event("agent_replied", HOUR, changes={"status": "pending"}))
    found.advance(TUESDAY_NOON + 30 * DAY)
    assert told(found, "reply", "status") == [
        ("Tue 10 13:00", "status", "pending"), ("Thu 12 13:00", "reply", "there"),
        ("Sat 14 13:00", "status", "solved"), ("Tue 17 13:00", "status", "closed"),
    ]  # fmt: skip


def test_a_quiet_rule_dies_when_its_condition_stops_and_lives_again_after_the_next_event() -> None:
    """Pending again without an answer it stays dead past Thursday 13:00; the answer of Friday 12:00 counts anew."""
    found = life(reacting(SOFT))
    found.happen(event("agent_replied", HOUR, changes={"status": "pending"}))
    found.happen(event("status_changed", 2 * HOUR, changes={"status": "open"}))
    found.happen(event("status_changed", 3 * HOUR, changes={"status": "pending"}))
    found.happen(event("agent_replied", 3 * DAY, changes={"status": "pending"}))
    found.advance(TUESDAY_NOON + 6 * DAY)
    assert told(found, "reply") == [("Sun 15 12:00", "reply", "there")]


def test_a_quiet_rule_fires_at_most_once_after_each_event() -> None:
    found = life(reacting(SOFT))
    found.happen(event("agent_replied", HOUR, changes={"status": "pending"}))
    found.advance(TUESDAY_NOON + 3 * DAY)
    found.happen(event("status_changed", 4 * DAY, changes={"status": "open"}))
    found.happen(event("status_changed", 5 * DAY, changes={"status": "pending"}))
    found.advance(TUESDAY_NOON + 20 * DAY)
    assert len(told(found, "reply")) == 1


def test_a_condition_that_holds_later_than_the_silence_lasted_fires_at_once() -> None:
    found = life(
        reacting(
            "id: q, on: quiet, for: 1h, since: created, when: {ticket.status: pending}, then: {tags: late}"
        )
    )
    found.happen(event("status_changed", 5 * HOUR, changes={"status": "pending"}))
    found.advance(found.now)
    assert told(found, "tags") == [("Tue 10 17:00", "tags", "late")]


def test_open_time_of_silence_sleeps_at_night() -> None:
    """15 minutes of open time from Tuesday 15:50: Wednesday 08:05."""
    rule = "id: q, on: quiet, for: 15m, in: desk, since: created, when: {ticket.agent: none}, then: {notify: lead}"
    found = life(
        reacting(rule, default="default: {team: care, agent: none}\n"),
        at=datetime(2026, 3, 10, 14, 50, tzinfo=UTC),
    )
    found.advance(found.now + DAY)
    assert told(found, "notify") == [("Wed 11 08:05", "notify", "lead")]


def test_a_clock_rule_rings_every_day_it_says_while_it_holds() -> None:
    rule = 'id: c, on: clock, at: "mon-fri 08:00", in: desk, when: {ticket.status: on_hold}, then: {note: still there?}'
    found = life(reacting(rule))
    found.happen(event("status_changed", HOUR, changes={"status": "on_hold"}))
    found.happen(event("status_changed", 4 * DAY + HOUR, changes={"status": "open"}))
    found.advance(TUESDAY_NOON + 10 * DAY)
    assert [when for when, *_ in told(found, "note")] == ["Wed 11 08:00", "Thu 12 08:00", "Fri 13 08:00"]


# -- what rules change, and what is built in ---------------------------------------------------------------------------


def test_what_a_rule_changes_sets_off_no_rule_that_waits_for_an_event() -> None:
    found = life(
        reacting(
            "id: a, on: note_added, then: {status: pending}",
            "id: b, on: status_changed, then: {tags: looped}",
        )
    )
    found.happen(event("note_added", HOUR))
    assert (found.ticket.status, found.ticket.tags) == ("pending", ())
    found.happen(event("status_changed", 2 * HOUR, changes={"status": "open"}))
    assert found.ticket.tags == ("looped",)


def test_a_reply_reopens_a_solved_ticket_after_the_rules_have_seen_it_solved() -> None:
    found = life(
        reacting("id: again, on: customer_replied, when: {ticket.status: solved}, then: {priority: high}")
    )
    found.happen(event("status_changed", HOUR, changes={"status": "solved"}))
    found.happen(event("customer_replied", DAY, message=said("still broken")))
    assert (found.ticket.status, found.ticket.reopened, found.ticket.priority) == ("open", 1, "high")
    assert found.joins == "reopened"


def test_a_rule_can_refuse_the_reopening() -> None:
    rule = "id: bye, on: customer_replied, when: {text.words: {only: [cheers]}}, then: {reopen: false}"
    found = life(reacting(rule))
    found.happen(event("status_changed", HOUR, changes={"status": "solved"}))
    found.happen(event("customer_replied", DAY, message=said("Cheers!")))
    assert (found.ticket.status, found.joins) == ("solved", "same")
    found.happen(event("customer_replied", DAY + HOUR, message=said("Not solved")))
    assert found.ticket.status == "open"


def test_a_status_that_a_rule_has_written_is_the_last_word() -> None:
    found = life(reacting("id: a, on: customer_replied, then: {status: on_hold}"))
    found.happen(event("status_changed", HOUR, changes={"status": "pending"}))
    found.happen(event("customer_replied", 2 * HOUR, message=said("so?")))
    assert found.ticket.status == "on_hold"


@pytest.mark.parametrize(
    ("after", "status", "joins"),
    [(13 * DAY, "solved", "reopened"), (15 * DAY, "solved", "follow_up"), (HOUR, "closed", "follow_up")],
)
def test_an_answer_to_a_ticket_that_is_too_old_is_a_follow_up(
    after: timedelta, status: str, joins: str
) -> None:
    found = life(book())
    found.happen(event("status_changed", timedelta(0), changes={"status": status}))
    found.happen(event("customer_replied", after, message=said("me again")))
    assert found.joins == joins
    assert found.ticket.status == ("open" if joins == "reopened" else status)


CONVERSATIONS = """
conversations:
  sms: {join: open, reopen_within: 3d}
  by: [{id: alarms, when: {sender.address: alarm@x.example}, key: "{subject}", within: 2h}]
"""


@pytest.mark.parametrize(
    ("channel", "given", "joins"),
    [
        ("sms", {}, "same"),
        ("email", {}, "new"),
        ("email", {"has_reference": True}, "same"),
    ],
)
def test_without_a_reference_the_medium_says_what_joins(
    channel: str, given: dict[str, Any], joins: str
) -> None:
    found = life(book(CONVERSATIONS), channel=channel)
    found.happen(event("customer_replied", HOUR, message=said("and"), **{"has_reference": False, **given}))
    assert found.joins == joins


@pytest.mark.parametrize(
    ("subject", "after", "joins"),
    [("DISK host1", HOUR, "same"), ("disk host2", HOUR, "new"), ("disk host1", 3 * HOUR, "new")],
)
def test_alerts_with_the_same_key_join_within_their_time(subject: str, after: timedelta, joins: str) -> None:
    sender = SenderFacts(address="alarm@x.example")
    found = life(book(CONVERSATIONS), subject="disk host1", sender=sender)
    message = said("", subject=subject, sender=sender, channel="email")
    found.happen(event("customer_replied", after, message=message, has_reference=False))
    assert found.joins == joins


def test_alerts_do_not_join_a_closed_ticket() -> None:
    sender = SenderFacts(address="alarm@x.example")
    found = life(book(CONVERSATIONS), subject="disk host1", sender=sender)
    found.happen(event("status_changed", HOUR / 2, changes={"status": "closed"}))
    message = said("", subject="disk host1", sender=sender, channel="email")
    found.happen(event("customer_replied", HOUR, message=message, has_reference=False))
    assert found.joins == "new"


@pytest.mark.parametrize(("automatic", "joins"), [("auto_reply", "new"), (None, "reopened")])
def test_an_alert_that_comes_again_after_the_solution_is_a_new_ticket(
    automatic: str | None, joins: str
) -> None:
    """A person's message of the same key reopens; a machine's does not."""
    sender = SenderFacts(address="alarm@x.example")
    found = life(book(CONVERSATIONS), subject="disk host1", sender=sender)
    found.happen(event("status_changed", HOUR / 2, changes={"status": "solved"}))
    message = said("", subject="disk host1", sender=sender, channel="email", automatic=automatic)
    found.happen(event("customer_replied", HOUR, message=message, has_reference=False))
    assert found.joins == joins


def test_automatic_mail_moves_nothing() -> None:
    found = life(reacting("id: a, on: customer_replied, then: {tags: heard}"))
    found.happen(event("status_changed", HOUR, changes={"status": "pending"}))
    found.happen(event("customer_replied", 2 * HOUR, message=said("away", automatic="auto_reply")))
    assert (found.ticket.status, found.ticket.tags) == ("pending", ())


def test_an_automatic_reply_goes_out_once_an_hour() -> None:
    """The receipt at 12:00 keeps the one at 12:30 back, not the one at 13:30."""
    found = life(reacting("id: a, on: customer_replied, then: {reply: seen}"))
    found.happen(event("customer_replied", HOUR / 2, message=said("hey")))
    found.happen(event("customer_replied", 1.5 * HOUR, message=said("hey")))
    assert told(found, "reply", "reply_withheld") == [
        ("Tue 10 12:30", "reply_withheld", "seen"), ("Tue 10 13:30", "reply", "seen"),
    ]  # fmt: skip


def test_once_says_how_often_the_same_reply_may_go_out() -> None:
    found = life(reacting("id: a, on: customer_replied, then: {reply: shut, once: 12h}"))
    for hours in (1, 3, 14):
        found.happen(event("customer_replied", hours * HOUR, message=said("hey")))
    assert [when for when, *_ in told(found, "reply")] == ["Tue 10 13:00", "Wed 11 02:00"]


def test_a_snoozed_ticket_is_on_hold_until_it_wakes() -> None:
    found = life(reacting("id: a, on: note_added, then: {snooze: 2d}"))
    found.happen(event("note_added", HOUR))
    assert found.ticket.status == "on_hold"
    found.advance(TUESDAY_NOON + 3 * DAY)
    assert told(found, "status") == [("Thu 12 13:00", "status", "open")]


def test_a_snooze_that_somebody_ended_wakes_nothing() -> None:
    found = life(reacting("id: a, on: note_added, then: {snooze: 2d}"))
    found.happen(event("note_added", HOUR))
    found.happen(event("status_changed", 2 * HOUR, changes={"status": "pending"}))
    found.advance(TUESDAY_NOON + 3 * DAY)
    assert found.ticket.status == "pending"


def test_a_promise_falls_due_on_the_wall_clock_and_rules_hear_of_it() -> None:
    rules = reacting(
        "id: a, on: note_added, then: {promise: 2026-03-11T22:00+01:00}",
        "id: b, on: promise_due, then: {notify: assignee}",
        default="default: {team: care}\n",
    )
    found = life(rules)
    found.happen(event("note_added", HOUR))
    found.advance(TUESDAY_NOON + 2 * DAY)
    assert told(found, "breach", "notify") == [
        ("Wed 11 22:00", "breach", "promise"), ("Wed 11 22:00", "notify", "assignee"),
    ]  # fmt: skip


def test_a_ticket_that_is_done_promises_nothing() -> None:
    found = life(reacting("id: a, on: note_added, then: {promise: 2h}"))
    found.happen(event("status_changed", HOUR, changes={"status": "solved"}))
    found.happen(event("note_added", 2 * HOUR))
    found.advance(TUESDAY_NOON + DAY)
    assert told(found, "promise", "breach", "promise_withheld") == [
        ("Tue 10 14:00", "promise_withheld", {"seconds": 7200})
    ]


def test_rules_may_ask_which_target_an_event_is_about() -> None:
    found = life(
        reacting(
            "id: w, on: sla_warning, when: {target: first_response}, then: {tags: warned}",
            "id: b, on: [sla_breached, promise_due], when: {target: [first_response, promise]}, then: {tags: late}",
            "id: c, on: sla_breached, when: {target: resolution}, then: {tags: slow}",
        )
    )
    found.advance(TUESDAY_NOON + 5 * HOUR)
    assert told(found, "tags") == [("Tue 10 14:00", "tags", "warned"), ("Tue 10 16:00", "tags", "late")]


def test_rules_hear_of_warnings_and_breaches_with_the_target_that_it_is() -> None:
    found = life(
        reacting(
            "id: w, on: sla_warning, when: {ticket.sla.first_response: warned}, then: {tags: warned}",
            "id: b, on: sla_breached, when: {ticket.sla.first_response: breached}, then: {tags: late}",
        )
    )
    found.advance(TUESDAY_NOON + 5 * HOUR)
    assert told(found, "tags") == [("Tue 10 14:00", "tags", "warned"), ("Tue 10 16:00", "tags", "late")]


# -- where it goes ------------------------------------------------------------------------------------------------------


def test_skills_wait_until_they_are_relaxed() -> None:
    found = life(
        book(default="default: {team: care, skills: {need: [language], relax: 30m}}\n"), language="el"
    )
    assert found.ticket.agent is None
    found.advance(TUESDAY_NOON + HOUR)
    assert told(found, "agent") == [("Tue 10 12:30", "agent", "olga")]


def test_a_person_who_moves_a_ticket_is_an_event_and_takes_it() -> None:
    found = life(
        reacting("id: a, on: assigned, when: {ticket.agent: {changed: {to: sven}}}, then: {tags: given}")
    )
    found.happen(event("assigned", HOUR, changes={"agent": "sven"}))
    assert (found.ticket.agent, found.ticket.tags, found.ticket.is_taken) == ("sven", ("given",), True)


def test_an_agent_who_is_away_loses_the_ticket_to_the_team() -> None:
    found = life(reacting("id: a, on: customer_replied, when: {agent.available: false}, then: {agent: none}"))
    first = found.ticket.agent
    found.have_agents({"olga": AgentLoad(away=True)})
    found.happen(event("customer_replied", HOUR, message=said("so?")))
    assert (first, found.ticket.agent, found.ticket.team) == ("olga", None, "care")


ROUTES = """
route:
  - {id: buy, when: {text.words: [buy, offer]}, then: {team: sales, priority: high}}
"""


def test_a_further_line_of_a_chat_routes_again_until_a_person_has_taken_it() -> None:
    found = life(book(ROUTES), channel="chat", body="hi")
    assert found.ticket.team == "care"
    found.happen(event("customer_replied", HOUR / 2, message=said("I want to buy", channel="chat")))
    assert (found.ticket.team, found.ticket.agent, found.ticket.priority) == ("sales", "sven", "high")
    taken = life(book(ROUTES), channel="chat", body="hi")
    taken.happen(event("agent_replied", HOUR / 4))
    taken.happen(event("customer_replied", HOUR / 2, message=said("I want to buy", channel="chat")))
    assert taken.ticket.team == "care"


def test_routing_again_keeps_the_clock_and_sends_no_second_receipt() -> None:
    """Created Tuesday 12:00, routed again at 13:00: first_response is still due at 16:00."""
    rules = book(ROUTES + "react: [{id: t, on: transcribed, then: {route: again}}]\n")
    found = life(rules, body="hm")
    found.happen(event("transcribed", HOUR, message=said("an offer please")))
    found.advance(TUESDAY_NOON + 5 * HOUR)
    assert found.ticket.team == "sales"
    assert told(found, "reply") == []
    assert told(found, "breach") == [("Tue 10 16:00", "breach", "first_response")]


def test_routing_again_after_a_receipt_sends_none_and_after_a_person_nothing_moves() -> None:
    routes = ROUTES.replace("priority: high", "priority: high, reply: offers, note: buys")
    rules = book(routes + "react: [{id: t, on: transcribed, then: {route: again}}]\n")
    found, taken = life(rules, body="hm"), life(rules, body="hm")
    taken.happen(event("agent_replied", HOUR))
    for each in (found, taken):
        each.happen(event("transcribed", 2 * HOUR, message=said("an offer please")))
    assert told(found, "reply", "note") == [("Tue 10 14:00", "note", "buys")]
    assert (found.ticket.team, taken.ticket.team) == ("sales", "care")


def test_another_policy_counts_the_time_used() -> None:
    """loud gives one hour from the first message: changed at 12:30 it is due at 13:00."""
    found = life(reacting("id: a, on: note_added, then: {sla: loud}"))
    found.happen(event("note_added", HOUR / 2))
    found.advance(TUESDAY_NOON + HOUR)
    assert told(found, "breach") == [("Tue 10 13:00", "breach", "first_response")]


def test_fields_found_in_the_text_are_there_and_rules_write_others_over() -> None:
    rules = """
enrich: [{id: e, when: {ticket.field.case: "77"}, then: {tags: known}}]
react: [{id: r, on: note_added, then: {field.case: "78"}}]
"""
    found = life(book(rules), body="about case 77")
    assert (found.ticket.fields, found.ticket.tags) == ({"case": "77"}, ("known",))
    found.happen(event("note_added", HOUR))
    assert found.ticket.fields == {"case": "78"}


# -- bounds -----------------------------------------------------------------------------------------------------------


def test_a_message_that_is_ignored_has_no_life() -> None:
    rules = "enrich: [{id: e, when: {channel: email}, then: {ignore: true}}]\n"
    found = life(book(rules))
    found.happen(event("customer_replied", HOUR, message=said("hey")))
    found.advance(TUESDAY_NOON + 30 * DAY)
    assert [each.action.kind for each in found.happenings] == ["ignore"]


def test_spam_is_closed_and_nothing_falls_due() -> None:
    rules = "enrich: [{id: e, when: {channel: email}, then: {spam: true}}]\n"
    found = life(book(rules))
    found.advance(TUESDAY_NOON + 30 * DAY)
    assert (found.ticket.status, told(found, "breach", "notify")) == ("closed", [])


@pytest.mark.slow
def test_a_life_without_end_is_cut() -> None:
    found = life(reacting('id: c, on: clock, at: "mon-sun 08:00", in: always, then: {note: tick}'))
    found.advance(TUESDAY_NOON + 100_000 * DAY)
    assert found.is_cut
    assert len(found.happenings) <= 5 * 366 + 20


def test_a_rule_writes_over_what_was_found_and_default_fills_only_what_is_missing() -> None:
    rules = 'enrich: [{id: e, when: {subject.words: other}, then: {field.case: "99"}}]\n'
    default = 'default: {team: care, field.case: "0"}\n'
    cases = [("hi", "", "0"), ("hi", "case 77", "77"), ("other", "case 77", "99")]
    fields = [
        life(book(rules, default), subject=subject, body=body).ticket.fields for subject, body, _ in cases
    ]
    assert fields == [{"case": wanted} for *_, wanted in cases]


def test_a_new_ticket_can_be_closed_at_once() -> None:
    rules = "route: [{id: r, when: {channel: email}, then: {team: sales, close: true}}]\n"
    found = life(book(rules))
    found.advance(TUESDAY_NOON + 30 * DAY)
    assert (found.ticket.status, found.ticket.agent, told(found, "breach", "notify")) == ("closed", None, [])


def test_what_one_enrich_rule_takes_away_no_other_adds() -> None:
    rules = """
enrich:
  - {id: a, when: {channel: email}, then: {tags: [x, y]}}
  - {id: b, when: {channel: email}, then: {untag: x}}
"""
    assert life(book(rules)).ticket.tags == ("y",)


def test_lines_of_a_chat_join_where_the_rules_say_nothing_of_chats() -> None:
    """Else each line would be a ticket; mail without a reference still opens one."""
    said_nothing = Conversations()
    assert (said_nothing.of("chat").join, said_nothing.of("email").join) == ("open", None)
