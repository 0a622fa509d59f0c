"""The five targets, each event of a ticket worked out by hand; the due instant stands in every case."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from routing import ladder, sla
from routing.calendar import Calendar, CalendarText
from routing.calendar_text import slot_from
from routing.durations import span_from
from routing.ladder import Ladder, Step, When
from routing.sla import Change, Clock, Clocks, Past, Policy, Target
from tests.rows import every_row


def calendar(zone: str, week: str, **more: Any) -> Calendar:
    days = tuple(
        () if day == "-" else tuple(slot for text in day.split("+") if (slot := slot_from(text)))
        for day in week.split()
    )
    return Calendar(CalendarText("c", zone, days * (7 // len(days)), **more))


WEEKDAYS = "09:00-17:00 " * 5 + "- -"
CALENDARS = {
    "office": calendar("Europe/Warsaw", "08:00-12:00+12:30-18:00 " * 5 + "- -", holidays=("PL",)),
    "short tuesday": calendar("Europe/Warsaw", WEEKDAYS, dates={"2026-11-03": ((9 * 3600, 12 * 3600),)}),
    "nights": calendar("Europe/Warsaw", "22:00-06:00"),
    "small hours": calendar("Europe/Warsaw", "01:00-05:00"),
    "evenings": calendar("Europe/Warsaw", "18:00-02:00 " * 5 + "- -"),
    "lisbon": calendar("Europe/Lisbon", WEEKDAYS),
    "athens": calendar("Europe/Athens", WEEKDAYS),
    "new york": calendar("America/New_York", WEEKDAYS),
    "kathmandu": calendar("Asia/Kathmandu", "10:00-18:00"),
    "always": calendar("UTC", "00:00-24:00"),
}
OFFICE, ALWAYS = CALENDARS["office"], CALENDARS["always"]
WARSAW = ZoneInfo("Europe/Warsaw")


def target(text: str = "", **spans: str) -> Target:
    return Target(
        {name: span for name, each in ({"": text} if text else spans).items() if (span := span_from(each))}
    )


def policy(*pause: str, **spans: Target) -> Policy:
    return Policy("p", "c", spans, pause)


# -- due instants of what starts with the ticket --------------------------------------------------------------------


@every_row(
    ("name", "created", "span", "due"),
    [
        ("office", "2026-11-02T10:00+01:00", "4h", "2026-11-02T14:30+01:00"),  # over lunch
        ("office", "2026-11-02T12:10+01:00", "30m", "2026-11-02T13:00+01:00"),  # at lunch
        ("office", "2026-11-02T16:00+01:00", "2h", "2026-11-02T18:00+01:00"),  # ends with the slot
        ("office", "2026-11-02T16:00+01:00", "2h1m", "2026-11-03T08:01+01:00"),  # a minute more
        ("office", "2026-11-10T17:30+01:00", "4h", "2026-11-12T11:30+01:00"),  # night and holiday
        ("office", "2026-11-06T17:00+01:00", "2h", "2026-11-09T09:00+01:00"),  # weekend
        ("office", "2026-11-07T03:00+01:00", "1h", "2026-11-09T09:00+01:00"),  # created in closed time
        ("office", "2026-12-23T17:00+01:00", "2h", "2026-12-28T09:00+01:00"),  # Christmas, from the 24th
        ("office", "2026-10-23T17:00+02:00", "2h", "2026-10-26T09:00+01:00"),  # the clocks go back
        ("office", "2026-03-27T17:00+01:00", "2h", "2026-03-30T09:00+02:00"),  # and forward
        ("office", "2026-11-02T23:30+00:00", "4h", "2026-11-03T12:00+01:00"),  # written in UTC
        ("nights", "2026-10-24T23:00+02:00", "6h", "2026-10-25T04:00+01:00"),  # an hour counts twice
        ("nights", "2026-03-28T23:00+01:00", "4h", "2026-03-29T04:00+02:00"),  # an hour is not there
        ("small hours", "2026-03-29T01:30+01:00", "2h", "2026-03-29T04:30+02:00"),
        ("evenings", "2026-11-06T23:00+01:00", "4h", "2026-11-09T19:00+01:00"),  # Friday's slot ends on Saturday
        ("lisbon", "2026-03-27T16:00+00:00", "2h", "2026-03-30T10:00+01:00"),
        ("athens", "2026-10-23T16:30+03:00", "1h", "2026-10-26T09:30+02:00"),
        ("new york", "2026-10-30T16:00-04:00", "2h", "2026-11-02T10:00-05:00"),
        ("kathmandu", "2026-11-02T17:30+05:45", "1h", "2026-11-03T10:30+05:45"),
        ("always", "2026-11-02T23:50+00:00", "15m", "2026-11-03T00:05+00:00"),
        ("office", "2026-11-02T10:00+01:00", "3 working days", "2026-11-05T10:00+01:00"),
        ("office", "2026-11-06T16:00+01:00", "1 working day", "2026-11-09T16:00+01:00"),
        ("office", "2026-11-10T16:00+01:00", "1 working day", "2026-11-12T16:00+01:00"),  # holiday
        ("office", "2026-11-07T10:00+01:00", "3 working days", "2026-11-13T08:00+01:00"),  # from Monday's opening
        ("office", "2026-11-02T12:10+01:00", "1 working day", "2026-11-03T12:30+01:00"),  # from the end of lunch
        ("office", "2026-10-23T09:15+02:00", "1 working day", "2026-10-26T09:15+01:00"),
        ("office", "2026-04-02T11:00+02:00", "2 working days", "2026-04-07T11:00+02:00"),  # Easter Monday
        ("short tuesday", "2026-11-02T15:00+01:00", "1 working day", "2026-11-04T09:00+01:00"),  # closed by then
        ("nights", "2026-10-24T02:30+02:00", "1 working day", "2026-10-25T02:30+02:00"),  # the first half past two
    ],
)  # fmt: skip
def test_a_target_is_due_when_its_open_time_has_passed(name: str, created: str, span: str, due: str) -> None:
    at = datetime.fromisoformat(created)
    clocks = sla.start(
        policy(first_response=target(span)), priority="normal", at=at, calendar=CALENDARS[name]
    )
    assert clocks[0].due_at == datetime.fromisoformat(due)


# -- events ---------------------------------------------------------------------------------------------------------


def at(text: str) -> datetime:
    """An instant of November 2026 in Warsaw: "02 10:00"."""
    return datetime.fromisoformat(f"2026-11-{text}").replace(tzinfo=WARSAW)


class Story:
    """The clocks of a ticket through its events."""

    def __init__(
        self, rules: Policy, when: str, *, book: Calendar = OFFICE, status: str = "new", **more: Any
    ) -> None:
        self.rules, self.book, self.state, self.priority = rules, book, status, "normal"
        self.clocks: Clocks = ()
        self.tell("created", when, **more)

    def tell(self, event: Any, when: str, status: str | None = None, **more: Any) -> "Story":
        self.priority = more.pop("priority", self.priority)
        before, self.state = self.state, status or self.state
        change = Change(
            event=event, at=at(when), before=before, after=self.state, priority=self.priority, **more
        )
        self.clocks = sla.after(self.rules, self.clocks, change, calendar=self.book)
        return self

    def clock(self, name: str) -> Clock:
        return next(clock for clock in self.clocks if clock.target == name)

    def has(self, name: str) -> bool:
        return any(clock.target == name for clock in self.clocks)

    def due(self, name: str) -> datetime | None:
        return self.clock(name).due_at


HOUSE = policy(
    "pending",
    first_response=target("4h"),
    next_response=target("2h"),
    resolution=target("8h"),
    update=target("1 working day"),
)


def house(when: str = "02 10:00", **more: Any) -> Story:
    return Story(HOUSE, when, **more)


def test_a_new_ticket_runs_first_response_and_resolution_only() -> None:
    assert [clock.target for clock in house().clocks] == ["first_response", "resolution"]


def test_resolution_goes_on_with_what_was_left_before_a_pause() -> None:
    """Two hours until the pause at noon; of the six left, two before Wednesday's lunch and four after it."""
    story = house().tell("status", "02 12:00", "pending")
    assert story.due("resolution") is None
    assert story.tell("status", "04 10:00", "open").due("resolution") == at("04 16:30")


def test_two_pauses_add_up() -> None:
    """Used: 1 h, then 2 h; the last 5 h begin at 13:00 on Tuesday."""
    story = house().tell("status", "02 11:00", "pending").tell("status", "02 15:00", "open")
    story.tell("status", "02 17:00", "pending").tell("status", "03 13:00", "open")
    assert story.due("resolution") == at("03 18:00")


def test_a_pause_over_weekend_and_holiday_takes_nothing() -> None:
    """Seven hours are left: half an hour on Tuesday, the 11th is a holiday, 6:30 h of Thursday with lunch between."""
    story = house("06 17:00").tell("status", "06 18:00", "pending").tell("status", "10 17:30", "open")
    assert story.due("resolution") == at("12 15:00")


def test_a_status_that_does_not_pause_leaves_resolution_running() -> None:
    assert house().tell("status", "02 12:00", "on_hold").due("resolution") == at("02 18:00") + timedelta(
        hours=14.5
    )


def test_a_ticket_born_pending_begins_to_count_when_it_opens() -> None:
    story = house(status="pending")
    assert story.clock("resolution").state == "paused"
    assert story.tell("status", "03 08:00", "open").due("resolution") == at("03 16:30")


def test_pending_does_not_stop_first_response() -> None:
    assert house().tell("status", "02 10:05", "pending").due("first_response") == at("02 14:30")


def test_the_first_public_answer_meets_first_response() -> None:
    clock = house().tell("answered", "02 14:30", "open").clock("first_response")
    assert (clock.state, clock.met_at, clock.breached_at) == ("met", at("02 14:30"), None)


def test_an_answer_that_also_solves_meets_both() -> None:
    story = house().tell("answered", "02 11:00", "solved")
    assert [story.clock(name).state for name in ("first_response", "resolution")] == ["met", "met"]


def test_a_first_response_nobody_gave_is_not_owed_once_solved() -> None:
    assert house().tell("status", "02 11:00", "solved").clock("first_response").state == "stopped"


def test_a_first_response_nobody_gave_goes_on_when_the_ticket_is_reopened() -> None:
    """One hour was used; the three left begin on Tuesday at 09:00."""
    story = house().tell("status", "02 11:00", "solved").tell("customer_message", "03 09:00", "open")
    assert story.due("first_response") == at("03 12:00")


def test_a_given_first_response_never_runs_again() -> None:
    story = house().tell("answered", "02 11:00", "solved").tell("customer_message", "03 09:00", "open")
    assert story.clock("first_response").met_at == at("02 11:00")


def test_a_reopened_resolution_has_at_least_a_quarter() -> None:
    """Seven of eight hours were used; two are given from 16:30, half an hour of them on Wednesday."""
    story = house().tell("status", "02 17:30", "solved").tell("status", "03 16:30", "open")
    assert story.due("resolution") == at("04 08:30")


def test_a_reopened_resolution_has_what_was_left_when_that_is_more() -> None:
    story = house().tell("status", "02 11:00", "solved").tell("status", "03 08:00", "open")
    assert story.due("resolution") == at("03 15:30")


def test_a_ticket_reopened_into_pending_stands_still() -> None:
    story = house().tell("status", "02 11:00", "solved").tell("status", "03 08:00", "pending")
    assert story.clock("resolution").state == "paused"
    assert story.tell("status", "04 08:00", "open").due("resolution") == at("04 15:30")


def test_reopening_takes_no_breach_back() -> None:
    story = house().tell("status", "03 12:00", "solved").tell("status", "04 08:00", "open")
    assert story.clock("resolution").breached_at == at("03 08:30")


def test_solved_to_closed_changes_nothing() -> None:
    story = house().tell("answered", "02 11:00", "solved")
    before = story.clocks
    assert story.tell("status", "06 11:00", "closed").clocks == before


# -- next_response --------------------------------------------------------------------------------------------------


def answered() -> Story:
    return house().tell("answered", "02 11:00", "open")


def test_next_response_does_not_run_before_the_first_answer() -> None:
    assert not house().tell("customer_message", "02 10:30").has("next_response")


def test_next_response_runs_from_the_customers_message_over_night() -> None:
    assert answered().tell("customer_message", "02 17:30").due("next_response") == at("03 09:30")


def test_a_second_message_does_not_move_next_response() -> None:
    story = answered().tell("customer_message", "02 13:00").tell("customer_message", "02 14:00")
    assert story.due("next_response") == at("02 15:00")


def test_an_answer_meets_next_response_and_the_next_message_starts_it_anew() -> None:
    story = answered().tell("customer_message", "02 13:00").tell("answered", "02 14:00")
    assert story.clock("next_response").met_at == at("02 14:00")
    story.tell("customer_message", "02 15:00")
    assert (story.due("next_response"), story.clock("next_response").run) == (at("02 17:00"), 1)


def test_solved_meets_next_response() -> None:
    story = answered().tell("customer_message", "02 13:00").tell("status", "02 14:00", "solved")
    assert story.clock("next_response").met_at == at("02 14:00")


def test_pending_does_not_stop_next_response() -> None:
    story = answered().tell("customer_message", "02 13:00").tell("status", "02 13:30", "pending")
    assert story.due("next_response") == at("02 15:00")


def test_a_message_that_reopens_starts_next_response() -> None:
    story = answered().tell("status", "02 12:00", "solved").tell("customer_message", "03 10:00", "open")
    assert story.due("next_response") == at("03 12:00")


def test_thanks_that_leave_the_ticket_solved_start_nothing() -> None:
    story = answered().tell("status", "02 12:00", "solved").tell("customer_message", "03 10:00")
    assert story.clock("next_response").state == "idle"


def test_a_late_answer_leaves_the_breach_of_its_run_only() -> None:
    story = answered().tell("customer_message", "02 13:00").tell("answered", "02 16:00")
    assert story.clock("next_response").breached_at == at("02 15:00")
    assert story.tell("customer_message", "02 17:00").clock("next_response").breached_at is None


# -- update ---------------------------------------------------------------------------------------------------------


def test_update_runs_from_the_first_answer() -> None:
    assert not house().has("update")
    assert answered().due("update") == at("03 11:00")


def test_each_answer_starts_update_anew() -> None:
    story = answered().tell("answered", "02 16:00")
    assert (story.due("update"), story.clock("update").run) == (at("03 16:00"), 1)


def test_update_goes_on_while_on_hold() -> None:
    assert answered().tell("status", "02 12:00", "on_hold").due("update") == at("03 11:00")


def test_update_stands_still_while_we_wait_for_the_customer() -> None:
    """Nine and a half open hours, one used by noon; of the 8:30 h left from Wednesday 10:00 one hour is Thursday's."""
    story = answered().tell("status", "02 12:00", "pending")
    assert story.due("update") is None
    assert story.tell("status", "04 10:00", "open").due("update") == at("05 09:00")


def test_an_answer_that_waits_for_the_customer_starts_update_standing_still() -> None:
    story = house().tell("answered", "02 11:00", "pending")
    assert story.clock("update").state == "paused"
    assert story.tell("customer_message", "03 11:00", "open").due("update") == at("04 11:00")


def test_update_stands_still_while_solved() -> None:
    story = answered().tell("status", "02 12:00", "solved").tell("status", "04 10:00", "open")
    assert story.due("update") == at("05 09:00")


# -- promise --------------------------------------------------------------------------------------------------------


def promised(when: str = "05 22:00") -> Story:
    return answered().tell("promised", "02 12:00", promise=at(when))


def test_a_promise_is_due_on_the_wall_clock_in_closed_time_too() -> None:
    assert promised().due("promise") == at("05 22:00")


def test_the_words_that_make_a_promise_do_not_keep_it() -> None:
    assert promised().tell("answered", "02 12:00").clock("promise").state == "running"


def test_an_answer_in_time_keeps_a_promise() -> None:
    clock = promised().tell("answered", "05 21:00").clock("promise")
    assert (clock.state, clock.breached_at) == ("met", None)


def test_a_late_answer_leaves_the_promise_broken() -> None:
    assert promised().tell("answered", "05 22:01").clock("promise").breached_at == at("05 22:00")


def test_solving_keeps_a_promise() -> None:
    assert promised().tell("status", "03 12:00", "solved").clock("promise").state == "met"


def test_a_promise_is_not_paused_and_follows_no_priority() -> None:
    before = promised().clock("promise")
    story = promised().tell("status", "02 13:00", "pending").tell("priority", "02 14:00", priority="urgent")
    assert story.clock("promise") == before


def test_a_new_promise_replaces_the_one_before() -> None:
    clock = promised().tell("promised", "03 12:00", promise=at("09 15:00")).clock("promise")
    assert (clock.due_at, clock.run) == (at("09 15:00"), 1)


def test_a_promise_can_be_withdrawn_and_can_be_kept_by_hand() -> None:
    assert promised().tell("promised", "03 12:00", promise=None).clock("promise").state == "stopped"
    assert promised().tell("promise_kept", "03 12:00").clock("promise").state == "met"


# -- priority and policy --------------------------------------------------------------------------------------------

GRADED = policy(
    "pending",
    first_response=target(urgent="15m", high="30m", normal="2h"),
    next_response=target(urgent="30m", normal="2h"),
    resolution=target(urgent="4h", normal="16h"),
)


def graded() -> Story:
    return Story(GRADED, "02 10:00", book=ALWAYS)


@every_row(
    ("when", "priority", "first", "resolution"),
    [
        ("02 10:10", "high", "02 10:30", "02 14:00"),  # high takes the next higher resolution: urgent's
        ("02 10:10", "urgent", "02 10:15", "02 14:00"),
        ("02 11:00", "urgent", "02 10:15", "02 14:00"),  # already past: its steps fire at once
        ("02 11:00", "low", "02 12:00", "03 02:00"),
    ],
)
def test_running_targets_follow_priority(when: str, priority: str, first: str, resolution: str) -> None:
    story = graded().tell("priority", when, priority=priority)
    assert (story.due("first_response"), story.due("resolution")) == (at(first), at(resolution))


def test_used_time_counts_after_a_pause() -> None:
    """One hour before the pause, one after it: of four urgent hours two are left at 15:00."""
    story = graded().tell("status", "02 11:00", "pending").tell("status", "02 14:00", "open")
    assert story.tell("priority", "02 15:00", priority="urgent").due("resolution") == at("02 17:00")


def test_a_paused_target_takes_its_new_length_along() -> None:
    story = graded().tell("status", "02 11:00", "pending").tell("priority", "02 12:00", priority="urgent")
    assert story.tell("status", "02 14:00", "open").due("resolution") == at("02 17:00")


def test_next_response_follows_priority_while_somebody_waits() -> None:
    story = graded().tell("answered", "02 11:00", "open").tell("customer_message", "02 12:00")
    assert story.tell("priority", "02 12:10", priority="urgent").due("next_response") == at("02 12:30")


def test_a_breached_target_keeps_its_instant_even_when_nobody_has_noted_it() -> None:
    before = graded()
    clocks = before.clocks
    story = before.tell("priority", "02 13:00", priority="urgent")
    assert (story.due("first_response"), story.clock("first_response").breached_at) == (at("02 12:00"),) * 2
    assert [clock.target for clock in sla.newly_breached(clocks, story.clocks)] == ["first_response"]


def test_a_met_target_keeps_its_instant() -> None:
    story = graded().tell("answered", "02 10:30", "open")
    met = story.clock("first_response")
    assert story.tell("priority", "02 10:40", priority="urgent").clock("first_response") == met


def test_another_policy_counts_the_time_used_by_the_old_calendar() -> None:
    """From Friday 17:00 to Monday 09:00 are two office hours; of sixteen round the clock fourteen are left."""
    story = house("06 17:00")
    story.rules, story.book = GRADED, ALWAYS
    story.tell("policy", "09 09:00", calendar_before=OFFICE)
    assert story.due("resolution") == at("09 23:00")


def test_another_policy_that_is_used_up_was_due_in_the_past() -> None:
    """Two hours of first_response, used up on Monday at 09:00 of the old calendar."""
    story = house("06 17:00")
    story.rules, story.book = GRADED, ALWAYS
    story.tell("policy", "09 09:30", calendar_before=OFFICE)
    assert story.due("first_response") == at("09 09:00")


def test_a_target_that_the_new_policy_lacks_stops_and_one_it_has_more_counts_from_its_words() -> None:
    """The customer has waited since 13:00."""
    story = Story(policy(first_response=target("4h"), resolution=target("8h")), "02 10:00")
    story.tell("answered", "02 11:00", "open").tell("customer_message", "02 13:00")
    story.rules = policy(first_response=target("4h"), next_response=target("2h"))
    past = Past(created_at=at("02 10:00"), answers=(at("02 11:00"),), waiting_since=at("02 13:00"))
    story.tell("policy", "02 14:00", past=past)
    assert (story.clock("resolution").state, story.due("next_response")) == ("stopped", at("02 15:00"))


def test_a_ticket_that_gets_its_first_policy_counts_from_its_creation() -> None:
    story = Story(policy(), "02 10:00")
    story.rules = HOUSE
    story.tell("policy", "02 11:00", past=Past(created_at=at("02 10:00")))
    assert (story.due("first_response"), story.due("resolution")) == (at("02 14:30"), at("03 08:30"))


def test_a_policy_that_comes_back_counts_as_if_it_had_stayed() -> None:
    """update is another run, so that its steps fire again."""
    story = answered()
    past = Past(created_at=at("02 10:00"), answers=(at("02 11:00"),))
    story.rules = policy(first_response=target("4h"))
    story.tell("policy", "02 12:00", past=past)
    assert (story.clock("resolution").state, story.clock("update").state) == ("stopped", "stopped")
    story.rules = HOUSE
    story.tell("policy", "02 13:00", past=past)
    assert (story.due("resolution"), story.due("update"), story.clock("update").run) == (
        at("03 08:30"),
        at("03 11:00"),
        1,
    )


# -- answers that came back -----------------------------------------------------------------------------------------


def came_back(story: Story, when: str, answer: str, *standing: str, waiting: str | None = None) -> Story:
    past = Past(
        created_at=at("02 10:00"),
        answers=tuple(at(each) for each in standing),
        waiting_since=None if waiting is None else at(waiting),
    )
    return story.tell("answer_undelivered", when, taken_back=at(answer), past=past)


def test_first_response_runs_again_as_if_the_answer_had_never_been() -> None:
    clock = came_back(answered(), "02 13:00", "02 11:00").clock("first_response")
    assert (clock.state, clock.due_at, clock.met_at) == ("running", at("02 14:30"), None)
    assert sla.left_s(clock, at=at("02 13:00"), calendar=OFFICE) == 1.5 * 3600


def test_a_later_answer_that_stands_met_first_response() -> None:
    story = answered().tell("answered", "02 12:45")
    assert came_back(story, "02 13:00", "02 11:00", "02 12:45").clock("first_response").met_at == at(
        "02 12:45"
    )


def test_an_answer_that_did_not_meet_first_response_leaves_it_met() -> None:
    story = answered().tell("answered", "02 12:45")
    assert came_back(story, "02 13:00", "02 12:45", "02 11:00").clock("first_response").met_at == at(
        "02 11:00"
    )


def test_a_first_response_taken_back_follows_the_priority_of_now() -> None:
    story = graded().tell("answered", "02 10:10", "open").tell("priority", "02 10:12", priority="high")
    assert came_back(story, "02 10:20", "02 10:10").due("first_response") == at("02 10:30")


def test_a_first_response_taken_back_too_late_was_due_in_the_past() -> None:
    assert came_back(answered(), "02 16:00", "02 11:00").due("first_response") == at("02 14:30")


def test_the_wait_goes_back_to_the_message_that_was_not_answered() -> None:
    story = answered().tell("customer_message", "02 13:00").tell("answered", "02 13:30")
    clock = came_back(story, "02 14:00", "02 13:30", "02 11:00", waiting="02 13:00").clock("next_response")
    assert (clock.state, clock.due_at) == ("running", at("02 15:00"))


def test_a_solved_ticket_keeps_the_wait_that_solving_ended() -> None:
    story = answered().tell("customer_message", "02 13:00").tell("answered", "02 13:30", "solved")
    met = story.clock("next_response")
    found = came_back(story, "03 14:00", "02 13:30", "02 11:00", waiting="02 13:00").clock("next_response")
    assert found == met


def test_a_newer_message_waits_since_the_older_one() -> None:
    story = answered().tell("customer_message", "02 13:00").tell("answered", "02 13:30")
    story.tell("customer_message", "02 13:45")
    assert came_back(story, "02 14:00", "02 13:30", "02 11:00", waiting="02 13:00").due(
        "next_response"
    ) == at("02 15:00")


def test_without_an_answer_that_stands_there_is_no_next_response() -> None:
    story = came_back(answered().tell("customer_message", "02 13:00"), "02 14:00", "02 11:00")
    assert story.clock("next_response").state == "stopped"
    story.tell("answered", "02 14:10").tell("customer_message", "02 14:30")
    assert story.due("next_response") == at("02 16:30")


def test_update_goes_back_to_the_word_before() -> None:
    story = answered().tell("answered", "02 16:00")
    assert came_back(story, "02 16:30", "02 16:00", "02 11:00").due("update") == at("03 11:00")


def test_a_promise_kept_by_an_answer_that_came_back_is_owed_again() -> None:
    story = promised().tell("answered", "05 09:00")
    assert came_back(story, "05 10:00", "05 09:00", "02 11:00").due("promise") == at("05 22:00")


def test_a_solved_ticket_owes_nothing_for_an_answer_that_came_back_until_it_is_reopened() -> None:
    story = came_back(house().tell("answered", "02 11:00", "solved"), "02 12:00", "02 11:00")
    assert story.clock("first_response").state == "stopped"
    assert story.tell("status", "03 08:00", "open").due("first_response") == at("03 11:00")


def test_an_undelivered_answer_without_its_words_is_an_error() -> None:
    with pytest.raises(ValueError, match="needs its instant"):
        answered().tell("answer_undelivered", "02 12:00")


# -- the end, and what rules see ------------------------------------------------------------------------------------


def test_spam_and_merged_tickets_owe_nothing() -> None:
    story = promised().tell("customer_message", "02 13:00").tell("dropped", "02 14:00")
    assert {clock.state for clock in story.clocks} == {"met", "stopped"}


def test_an_event_told_twice_moves_nothing() -> None:
    story = answered().tell("status", "02 12:00", "pending")
    before = story.clocks
    assert story.tell("status", "02 13:00", "pending").clocks == before


WARNED = Ladder(
    "nudge",
    (Step("", When("first_response", "percent", 80)), Step("", When("next_response", "offset", -600))),
)


def seen(story: Story, *fired: str) -> dict[str, str]:
    return ladder.facts(WARNED, story.clocks, fired)


def test_rules_see_running_warned_breached_and_met() -> None:
    assert seen(house()) == {"first_response": "running", "resolution": "running"}
    assert seen(house(), "nudge/0")["first_response"] == "warned"
    late = tuple(sla.breach(clock, at=at("02 15:00")) for clock in house().clocks)
    assert ladder.facts(WARNED, late, ("nudge/0",))["first_response"] == "breached"
    assert seen(answered(), "nudge/0") == {
        "first_response": "met",
        "resolution": "running",
        "update": "running",
    }


def test_a_target_met_late_stays_breached_for_rules() -> None:
    assert seen(house().tell("answered", "02 15:00", "open"))["first_response"] == "breached"


def test_rules_see_a_pause_and_the_warning_of_this_run_only() -> None:
    story = answered().tell("customer_message", "02 13:00", "pending")
    assert seen(story, "nudge/1") == {
        "first_response": "met", "next_response": "warned", "resolution": "paused", "update": "paused"
    }  # fmt: skip
    story.tell("answered", "02 13:30").tell("customer_message", "02 14:00")
    assert seen(story, "nudge/1")["next_response"] == "running"
    assert seen(story, "nudge/1/0/1")["next_response"] == "warned"


def test_stored_clocks_of_every_target_come_back_equal() -> None:
    story = promised().tell("customer_message", "02 13:00", "pending")
    assert tuple(Clock.from_json(clock.to_json()) for clock in story.clocks) == story.clocks
    assert story.clocks[0].started_at == datetime(2026, 11, 2, 9, tzinfo=UTC)
