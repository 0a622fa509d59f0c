"""2 on a page: somebody else is told, by the ladder or by hand; where nobody is left it stays, and everybody knows."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from intake.commands import event_text
from intake.store import opening, schema
from tests.phone.paged import EWA, LADDER, PAGED, TOMEK, Desk

STAYS = "There is nobody else to tell now. It stays with you. Goodbye."
FOLLOWS = LADDER.splitlines()[3]
ENDS = PAGED.replace(FOLLOWS, "").replace(", ack_within: 10m", "")  # no step follows
ALONE = ENDS.replace("lead: [tomek]", "lead: [ewa]")


@pytest.fixture
def desk(tmp_path: Path, clock: Any, new_store: bytes) -> Iterator[Desk]:
    (tmp_path / "intake.db").write_bytes(new_store)
    with closing(opening.open_store("", tmp_path, clock=clock)) as store:
        yield Desk(store, tmp_path, clock)


def away(desk: Desk, name: str) -> None:
    desk.store.write_now(lambda tx: tx.insert(schema.agent_state, name=name, is_away=1))


def test_where_nobody_else_is_it_stays_and_the_agent_hears_so(desk: Desk) -> None:
    desk.use_rules(ALONE)
    ticket = desk.paged_ticket()
    assert desk.press(desk.try_of("voice"), "2") == STAYS
    (told,) = desk.details("not_passed_on")
    assert (told["actor"], told["reason"]) == ("agent:ewa", "there is nobody else to tell")
    assert event_text.said("not_passed_on", told) == "by call: there is nobody else to tell"
    assert "passed_on" not in desk.events(ticket)


def test_what_stays_goes_on_by_the_next_way(desk: Desk) -> None:
    desk.use_rules(ALONE)
    ticket = desk.paged_ticket()
    desk.press(desk.try_of("voice"), "2")
    desk.after(minutes=2)
    assert desk.tries(ticket)[-1] == ("sms", EWA, "queued")


def test_what_stays_may_be_taken_on(desk: Desk) -> None:
    desk.use_rules(ALONE)
    ticket = desk.paged_ticket()
    desk.press(desk.try_of("voice"), "2")
    desk.text(EWA, "1")
    assert desk.events(ticket).count("acknowledged") == 1


def test_by_text_it_is_said_as_well(desk: Desk) -> None:
    desk.use_rules(ALONE)
    ticket = desk.paged_ticket()
    desk.text(EWA, "2")
    assert desk.texts_to(EWA)[-1] == (
        f"{ticket['ref']}: there is nobody else to tell now. It stays with you: reply 1 to take it on."
    )


def test_the_last_of_all_who_pass_it_on_keeps_it(desk: Desk) -> None:
    """ewa passes it on to tomek, who has nobody."""
    desk.use_rules(ENDS)
    ticket = desk.paged_ticket()
    desk.press(desk.try_of("voice"), "2")
    desk.text(TOMEK, "2")
    assert [each["to"] for each in desk.details("passed_on")] == ["tomek"]
    assert [each["actor"] for each in desk.details("not_passed_on")] == ["agent:tomek"]
    desk.after(minutes=2)
    assert desk.tries(ticket)[-1] == ("voice", TOMEK, "queued")


def test_somebody_who_is_away_is_not_told(desk: Desk) -> None:
    desk.use_rules(ENDS)
    away(desk, "tomek")
    desk.paged_ticket()
    assert desk.press(desk.try_of("voice"), "2") == STAYS


def test_who_cannot_be_told_is_passed_over(desk: Desk) -> None:
    """tomek has no way that anything here can go; the next one of the level is told."""
    rules = ENDS.replace("lead: [tomek]", "lead: [tomek, ania]").replace(
        "urgent: [sms, call]", "urgent: [push]"
    )
    desk.use_rules(rules)
    ticket = desk.paged_ticket()
    desk.press(desk.try_of("voice"), "2")
    assert desk.details("passed_on")[0]["to"] == "ania"
    assert desk.events(ticket).count("notice_reached_nobody") == 0


def test_a_step_that_would_tell_the_same_agent_again_tells_another(desk: Desk) -> None:
    """`unacknowledged, notify: l2` is ewa once more, who has just said that she cannot."""
    desk.use_rules(PAGED.replace("notify: lead, by: urgent", "notify: l2, by: urgent"))
    ticket = desk.paged_ticket()
    desk.press(desk.try_of("voice"), "2")
    desk.fire_due()
    assert desk.details("passed_on")[0]["to"] == "tomek"
    assert [to for _, to, _ in desk.tries(ticket)] == [EWA, TOMEK]


def test_where_another_rings_already_it_is_passed_on_to_them(desk: Desk) -> None:
    desk.use_rules(ALONE.replace("l2: [ewa]", "l2: [ewa, ania]"))
    ticket = desk.paged_ticket()
    assert desk.press(desk.try_of("voice", 0), "2") == "It is passed on. Goodbye."
    (told,) = desk.details("passed_on")
    assert event_text.said("passed_on", told) == "by call, to others who were told"
    assert desk.events(ticket).count("not_passed_on") == 0


def test_what_waits_for_who_has_passed_it_on_is_not_sent(desk: Desk) -> None:
    """Two minutes have gone by, and the text is decided when she presses 2."""
    ticket = desk.paged_ticket()
    call = desk.try_of("voice")
    desk.store.write_now(lambda tx: tx.update(schema.outbox, {"id": call["id"]}, state="sent"))
    desk.after(minutes=2)
    desk.press(call, "2")
    assert ("sms", EWA, "dropped") in desk.tries(ticket)


def test_of_two_who_both_pass_it_on_the_second_keeps_it(desk: Desk) -> None:
    """And nobody who was told of it before is told again."""
    desk.use_rules(ALONE.replace("l2: [ewa]", "l2: [ewa, ania]").replace("lead: [ewa]", "lead: [ewa, ania]"))
    ticket = desk.paged_ticket()
    before = desk.events(ticket).count("notified")
    first, second = desk.rows("outbox", "medium = 'voice' ORDER BY id")
    assert desk.press(first, "2") == "It is passed on. Goodbye."
    assert desk.press(second, "2") == STAYS
    assert desk.events(ticket).count("notified") == before


def test_where_another_has_a_mail_of_it_it_is_passed_on_to_them(desk: Desk) -> None:
    """ania gets notices by mail alone: no way after way, and told all the same."""
    rules = ALONE.replace("l2: [ewa]", "l2: [ewa, ania]")
    desk.use_rules(
        rules.replace('+48600000001", urgent: [call, sms, email]', '+48600000001", urgent: [email]')
    )
    ticket = desk.paged_ticket()
    assert ("email", "ania@desk.example", "queued") in desk.tries(ticket)
    assert desk.press(desk.try_of("voice"), "2") == "It is passed on. Goodbye."


def test_who_is_on_duty_is_told_before_who_is_not(desk: Desk) -> None:
    """tomek's office is closed at this hour; ania has no hours."""
    hours = '{timezone: UTC, open: {mon-fri: ["03:00-03:05"]}}'
    rules = ENDS.replace("lead: [tomek]", "lead: [tomek, ania]")
    rules = rules.replace("calendars:", f"calendars:\n  night: {hours}").replace(
        "urgent: [sms, call]", "urgent: [sms, call], hours: night"
    )
    desk.use_rules(rules)
    desk.paged_ticket()
    desk.press(desk.try_of("voice"), "2")
    assert desk.details("passed_on")[0]["to"] == "ania"
