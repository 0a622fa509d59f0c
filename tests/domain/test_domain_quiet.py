"""Rules that wait for silence: rows that fire once, die, and come back with the next event."""

from typing import Any

import pytest

from intake import desk, failpoints, timers
from tests.domain.world import RULES, World

ANSWER = {"In-Reply-To": "<first@customer.example>"}
BUMP = "  - {id: bump, on: quiet, for: 3d, since: agent_replied, when: {ticket.status: pending}, then: {reply: still-there}}\n"
SOLVE = "  - {id: solve, on: quiet, for: 7d, since: agent_replied, when: {ticket.status: pending}, then: {status: solved, reply: closing}}\n"
SHUT = "  - {id: shut, on: quiet, for: 4d, since: status_changed, when: {ticket.status: solved}, then: {status: closed}}\n"
NOBODY = "  - {id: nobody, on: quiet, for: 15m, since: created, when: {ticket.agent: none}, then: {notify: lead}}\n"


def ruled(world: World, react: str, rules: str = RULES) -> dict[str, Any]:
    world.use_rules(rules + "react:\n" + react)
    return world.ticket(world.receive(message_id="first@customer.example"))


def now(world: World, ticket: dict[str, Any]) -> dict[str, Any]:
    return world.row("tickets", ticket["id"])


def quiet_rows(world: World, rule: str) -> list[str]:
    rows = world.rows("timers", "kind = 'quiet' AND step = :rule ORDER BY due_at, id", rule=rule)
    return [row["state"] for row in rows]


def texts(world: World) -> list[str]:
    return [each.text for each in world.sent("jan@customer.example")]


def test_a_silent_customer_is_reminded_solved_and_closed(world: World) -> None:
    """Each silence counts from its own event: the answer, then the status that the rule itself has set."""
    ticket = ruled(world, BUMP + SOLVE + SHUT)
    world.reply(ticket, status="pending")
    world.advance(days=3)
    world.fire_due()
    assert texts(world)[-1] == "Are you still there?\n"
    world.advance(days=4)
    world.fire_due()
    assert (now(world, ticket)["status"], texts(world)[-1]) == ("solved", "We take it that all is well.\n")
    world.advance(days=4)
    world.fire_due()
    assert now(world, ticket)["status"] == "closed"


def test_nobody_took_it_for_a_quarter_of_an_hour(world: World) -> None:
    """A ticket that waits without an agent is told to the lead."""
    away = RULES.replace(
        "ania: {email: ania@desk.example}", "ania: {email: ania@desk.example, hours: office}"
    )
    world.clock.at = world.clock.at.replace(hour=20)
    ticket = ruled(world, NOBODY, away)
    assert ticket["agent"] is None
    world.advance(minutes=14)
    world.fire_due()
    assert not world.sent("tomek@desk.example")
    world.advance(minutes=1)
    world.fire_due()
    assert world.sent("tomek@desk.example")


def test_a_row_whose_condition_stops_holding_is_dead(world: World) -> None:
    """The customer's answer ends the silence: nothing is sent."""
    ticket = ruled(world, BUMP)
    world.reply(ticket, status="pending")
    world.advance(days=1)
    world.receive(body="here", headers=ANSWER)
    assert quiet_rows(world, "bump") == ["cancelled"]


def test_a_dead_row_stays_dead_until_the_next_since_event(world: World) -> None:
    """Pending again without an answer of ours is the same silence, which is over."""
    ticket = ruled(world, BUMP)
    world.reply(ticket, status="pending")
    world.advance(days=1)
    world.set_status(ticket, "open")
    world.set_status(ticket, "pending")
    world.advance(days=9)
    world.fire_due()
    assert quiet_rows(world, "bump") == ["cancelled"]
    assert "Are you still there?\n" not in texts(world)


def test_the_next_since_event_begins_a_new_silence(world: World) -> None:
    """Another answer of ours: the row comes back, due three days after it."""
    ticket = ruled(world, BUMP)
    world.reply(ticket, status="pending")
    world.advance(days=1)
    world.receive(body="here", headers=ANSWER)
    world.advance(days=1)
    world.reply(ticket, status="pending")
    assert quiet_rows(world, "bump") == ["cancelled", "pending"]
    world.advance(days=3)
    world.fire_due()
    assert "Are you still there?\n" in texts(world)


def test_a_later_since_event_takes_the_earlier_ones_place(world: World) -> None:
    """Answered twice in a row: only the silence since the second answer counts."""
    ticket = ruled(world, BUMP)
    world.reply(ticket, status="pending")
    world.advance(days=1)
    world.reply(ticket, status="pending")
    assert quiet_rows(world, "bump") == ["cancelled", "pending"]


def test_a_silence_fires_once(world: World) -> None:
    """After the reminder nothing more comes of the same answer."""
    ticket = ruled(world, BUMP)
    world.reply(ticket, status="pending")
    world.advance(days=3)
    world.fire_due()
    world.set_status(ticket, "open")
    world.set_status(ticket, "pending")
    world.advance(days=30)
    world.fire_due()
    assert texts(world).count("Are you still there?\n") == 1


def test_a_condition_that_holds_late_is_due_from_the_event_on(world: World) -> None:
    """Pending only after four days: three days after the answer is past, so it fires at once."""
    ticket = ruled(world, BUMP)
    world.reply(ticket)
    world.advance(days=4)
    assert quiet_rows(world, "bump") == []
    world.set_status(ticket, "pending")
    world.fire_due()
    assert "Are you still there?\n" in texts(world)


def test_open_time_of_a_calendar_is_counted(world: World) -> None:
    """Fifteen minutes of the office from its last five minutes on end the next morning."""
    rule = NOBODY.replace("for: 15m", "for: 15m, in: office").replace(
        "ticket.agent: none", "ticket.team: support"
    )
    world.clock.at = world.clock.at.replace(hour=15, minute=55)
    ruled(world, rule)
    (row,) = world.rows("timers", "kind = 'quiet'")
    assert row["due_at"] - world.store.now_us() == (16 * 60 + 15) * 60 * 1_000_000


def test_a_crash_in_between_fires_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was claimed and not committed is due again, and then done once."""
    ticket = ruled(world, BUMP)
    world.reply(ticket, status="pending")
    world.advance(days=3)

    def crash(name: str) -> None:
        if name == "timers.in_transaction":
            raise RuntimeError("the power is gone")

    with monkeypatch.context() as patched:
        patched.setattr(failpoints, "reach", crash)
        with pytest.raises(RuntimeError):
            world.fire_due()
    assert quiet_rows(world, "bump") == ["pending"]
    world.fire_due()
    world.fire_due()
    assert texts(world).count("Are you still there?\n") == 1


def test_a_rule_that_a_reload_took_away_does_nothing(world: World) -> None:
    """Its row is told as skipped."""
    ticket = ruled(world, BUMP)
    world.reply(ticket, status="pending")
    world.use_rules(RULES)
    world.advance(days=3)
    world.fire_due()
    assert "timer_skipped" in world.events(ticket)


def test_the_condition_is_looked_at_once_more(world: World) -> None:
    """At its moment the rule asks again: time facts have moved on."""
    rule = "  - {id: night, on: quiet, for: 12h, since: created, when: {time: {inside: office}}, then: {tags: [late]}}\n"
    ticket = ruled(world, rule)
    world.advance(hours=12)
    world.fire_due()
    assert now(world, ticket)["tags"] == "[]"


def test_a_stale_row_fired_by_another_daemon_does_nothing(world: World) -> None:
    """A row that was cancelled between the look and the claim is not claimed."""
    ticket = ruled(world, BUMP)
    world.reply(ticket, status="pending")
    (row,) = world.rows("timers", "kind = 'quiet'")
    world.store.write_now(lambda tx: desk.set_status(tx, world.context, ticket["ref"], "open", agent="ania"))
    world.advance(days=3)
    fired = world.store.write_now(lambda tx: timers.fire(tx, world.context, row["id"], ticket["id"]))
    assert fired is None
