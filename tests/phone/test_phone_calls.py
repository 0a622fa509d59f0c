"""What is told of calls becomes one row, one ticket and one message each, in whatever order it is told."""

import itertools
import random
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
import pytest

from channels.contract import CallEvent, Happened
from channels.twilio.phone import menu as menus
from intake import call_timeline, merging
from tests.phone.calling import JAN, RULES, Desk, event, happened

Make = Callable[[str], Desk]
ELA = "+48600300400"


def menu(at: datetime, choice: str = "billing", **more: Any) -> tuple[Happened, ...]:
    """A caller who chooses something."""
    return (
        happened("started", at, to="", known=False),
        happened("language", at, 3, language="pl"),
        happened("chose", at, 6, id=choice, by="digit"),
        happened("menu_done", at, 6, choice=choice, open_ref=more.get("open_ref")),
    )


def talk(at: datetime, agent: str = "ewa", talk_s: float = 60) -> tuple[Happened, ...]:
    """The same call goes on: an agent takes it."""
    return (
        happened("ringing", at, 7, agents=[agent]),
        happened("accepted", at, 15, agent=agent),
        happened("connected", at, 17, agent=agent),
        happened("agent_left", at, 17 + talk_s),
        happened("ended", at, 18 + talk_s, status="completed", duration_s=78, why="answered"),
    )


def told(desk: Desk, *what: Happened, **more: Any) -> dict[str, Any]:
    """Take in and settle one thing that is told; the call's row."""
    desk.tell(event(*what, **more))
    return desk.call(more.get("call", "CA1"))


def the_ticket(desk: Desk) -> dict[str, Any]:
    (ticket,) = desk.rows("tickets")
    return ticket


def test_a_choice_opens_a_ticket_that_the_rules_have_placed_and_nobody_has(desk: Desk) -> None:
    call = told(desk, *menu(desk.clock()))
    ticket = the_ticket(desk)
    assert (ticket["team"], ticket["tags"], ticket["agent"], ticket["medium"]) == (
        "billing", '["money"]', None, "voice",
    )  # fmt: skip
    assert (call["ticket_id"], call["choices"], call["language"]) == (ticket["id"], '["billing"]', "pl")
    assert ticket["waits_since"] is None


def test_until_something_is_chosen_there_is_no_ticket(desk: Desk) -> None:
    told(desk, *menu(desk.clock())[:3])
    assert desk.rows("tickets") == []


async def test_the_next_turn_sees_where_the_rules_have_put_the_call(desk: Desk) -> None:
    told(desk, *menu(desk.clock()))
    view = await desk.view()
    assert view.placed is not None
    assert (view.placed.ref, view.placed.team) == (the_ticket(desk)["ref"], "billing")
    assert [each.agent for each in view.placed.ring] == ["ewa", "tomek"]
    assert view.open_refs == ()


def test_whoever_takes_the_call_has_the_ticket(desk: Desk) -> None:
    told(desk, *menu(desk.clock()))
    told(desk, *talk(desk.clock())[:2])
    ticket = the_ticket(desk)
    assert (ticket["agent"], ticket["status"]) == ("ewa", "new")


def test_who_takes_a_call_about_a_ticket_of_theirs_has_had_their_turn(desk: Desk) -> None:
    other = desk.ticket_of_caller(agent="tomek")
    desk.clock.advance(hours=1)
    told(desk, *menu(desk.clock(), open_ref=other["ref"]))
    told(desk, *talk(desk.clock(), "tomek"))
    (turn,) = desk.rows("agent_state", "name = 'tomek'")
    assert turn["last_assigned_at"] == desk.store.now_us()
    assert desk.row("tickets", other["id"])["agent"] == "tomek"


def test_a_talk_is_a_persons_answer(desk: Desk) -> None:
    told(desk, *menu(desk.clock()))
    told(desk, *talk(desk.clock()))
    ticket = the_ticket(desk)
    assert (ticket["agent"], ticket["status"]) == ("ewa", "open")
    assert ticket["agent_replied_at"] is not None
    assert desk.clocks(ticket)["first_response"]["state"] == "met"
    call = desk.call("CA1")
    assert (call["outcome"], call["agent"]) == ("answered", "ewa")


def test_a_talk_that_is_told_hours_later_was_an_answer_when_it_began(desk: Desk) -> None:
    at = desk.clock()
    told(desk, *menu(at))
    desk.clock.advance(hours=3)
    told(desk, *talk(at))
    first = desk.clocks(the_ticket(desk))["first_response"]
    assert (first["state"], first["met_at"]) == ("met", "2026-11-10T09:00:17Z")


def test_a_talk_of_a_few_seconds_is_no_answer(desk: Desk) -> None:
    told(desk, *menu(desk.clock()))
    told(desk, *talk(desk.clock(), talk_s=2)[:3])
    assert desk.clocks(the_ticket(desk))["first_response"]["state"] == "met"
    told(desk, *talk(desk.clock(), talk_s=2)[3:])
    ticket = the_ticket(desk)
    assert desk.clocks(ticket)["first_response"]["state"] == "running"
    assert ticket["agent_replied_at"] is None


def test_a_claim_that_came_to_nothing_leaves_the_ticket_with_nobody(desk: Desk) -> None:
    told(desk, *menu(desk.clock()))
    told(desk, happened("accepted", desk.clock(), 15, agent="ewa"))
    told(desk, happened("claim_expired", desk.clock(), 25, agent="ewa"))
    assert the_ticket(desk)["agent"] is None
    told(desk, happened("accepted", desk.clock(), 26, agent="tomek"))
    assert the_ticket(desk)["agent"] == "tomek"


def test_who_accepts_has_the_ticket_whatever_they_hold_already(make: Make) -> None:
    desk = make(RULES.replace("billing: {levels: {l1: [ewa], lead: [tomek]}}", "billing: {levels: {l1: [ewa], lead: [tomek]}, assign: {by: least_loaded, capacity: {voice: 1}}}"))  # fmt: skip
    for number in range(3):
        desk.clock.advance(hours=1)
        call, caller = f"CA{number}", f"+4860000010{number}"
        told(desk, *menu(desk.clock()), call=call, caller=caller)
        told(desk, *talk(desk.clock()), call=call, caller=caller)
    assert [row["agent"] for row in desk.rows("tickets")] == ["ewa"] * 3


def test_a_call_that_nobody_takes_is_given_to_somebody_at_its_end(desk: Desk) -> None:
    told(desk, *menu(desk.clock()))
    told(desk, happened("ended", desk.clock(), 60, status="completed", duration_s=60, why="hung_up_waiting"))
    ticket = the_ticket(desk)
    assert (ticket["agent"], desk.call("CA1")["outcome"]) == ("ewa", "missed")
    assert "Outcome: nobody answered, hung up while waiting" in desk.message(ticket)["body"]


def test_the_conversation_has_one_message_of_the_call_that_says_all_of_it(desk: Desk) -> None:
    told(desk, *menu(desk.clock()))
    told(desk, *talk(desk.clock()))
    message = desk.message(the_ticket(desk))
    assert message["body"].splitlines() == [
        f"Call from {JAN}",
        "Our number: +48221234567",
        "Chose: billing",
        "Language: pl",
        "Rang: ewa",
        "With: ewa",
        "Waited: 17 s",
        "Talked: 1 min",
        "Outcome: answered",
    ]
    assert (message["visible_text"], message["author"], message["direction"]) == ("", JAN, "in")


def test_each_thing_that_happened_is_an_event_of_the_ticket_once(desk: Desk) -> None:
    what = (*menu(desk.clock()), *talk(desk.clock()))
    for each in (*what, *what):
        told(desk, each)
    kinds = [kind for kind in desk.events(the_ticket(desk)) if kind.startswith("call_")]
    assert kinds == [f"call_{each.what}" for each in what]


# -- order and repetition ---------------------------------------------------------------------------------------------


def short_call(at: datetime) -> list[CallEvent]:
    """A call of six requests; each tells what it tells."""
    first = menu(at)
    ring = talk(at)
    return [
        event(*first),
        event(*ring[:2]),
        event(*ring[2:3], caller=None),
        event(*ring[3:]),
        event(happened("recorded", at, 80, recording="RE1", duration_s=60, why="call")),
        event(happened("priced", at, 90, price="-0.0085 USD")),
    ]


def row_of(events: list[CallEvent]) -> Any:
    timeline: tuple[Happened, ...] = ()
    for each in events:
        timeline = call_timeline.merged(timeline, each.happened)
    return timeline, call_timeline.state(timeline)


def test_all_orders_of_what_is_told_of_a_short_call_give_the_same_row(clock: Any) -> None:
    expected = row_of(short_call(clock()))
    assert expected[1].outcome == "answered"
    for order in itertools.permutations(short_call(clock())):
        assert row_of(list(order)) == expected


def test_what_is_told_twice_in_any_order_gives_the_same_row(clock: Any) -> None:
    expected = row_of(short_call(clock()))
    source = random.Random(7)
    for _ in range(500):
        events = source.choices(short_call(clock()), k=8) + short_call(clock())
        source.shuffle(events)
        assert row_of(events) == expected


def test_what_one_turn_tells_stands_in_its_order(clock: Any) -> None:
    """A round is over and the next one rings; a claim has expired and somebody else has the call."""
    at = clock()
    turn = [
        happened("unanswered", at, agents=["ania"], status="no-answer"),
        happened("ringing", at, agents=["ewa"]),
    ]
    assert list(call_timeline.merged((), turn)) == turn
    claims = [happened("claim_expired", at, agent="ania"), happened("accepted", at, agent="ewa")]
    assert list(call_timeline.merged((), claims)) == claims
    assert call_timeline.state(tuple(claims)).agent == "ewa"


def test_two_accounts_of_the_end_are_one(clock: Any) -> None:
    """The turn knows why, the provider's list knows the instant to the second and the cost."""
    ours = happened("ended", clock(), 60.4, status="completed", duration_s=60, why="hung_up_in_menu")
    theirs = happened("ended", clock(), 60, status="completed", duration_s=60, why="no_message")
    for order in itertools.permutations((ours, theirs)):
        (one,) = call_timeline.merged((), order)
        assert one == happened("ended", clock(), 60, status="completed", duration_s=60, why="hung_up_in_menu")


@pytest.mark.slow
@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_in_any_order_the_store_has_the_same_call_ticket_and_message(
    make: Make, order: tuple[int, ...]
) -> None:
    """Settled one by one, with the ticket and who has it looked at in the end."""
    desk = make(RULES)
    at = desk.clock()
    parts = [
        event(*menu(at)),
        event(*talk(at)[:2]),
        event(*talk(at)[2:]),
        event(happened("priced", at, 90, price="-1")),
    ]
    for index in order:
        desk.tell(parts[index])
    call, ticket = desk.call("CA1"), the_ticket(desk)
    assert (call["outcome"], call["agent"], call["price"], call["choices"]) == (
        "answered", "ewa", "-1", '["billing"]',
    )  # fmt: skip
    assert (ticket["agent"], ticket["status"]) == ("ewa", "open")
    assert len(desk.rows("messages")) == 1
    assert "Outcome: answered" in desk.message(ticket)["body"]


# -- which ticket -----------------------------------------------------------------------------------------------------


def test_the_ticket_that_the_caller_chose_is_joined(desk: Desk) -> None:
    other = desk.ticket_of_caller(agent="tomek")
    told(desk, *menu(desk.clock(), open_ref=other["ref"]))
    assert desk.call("CA1")["ticket_id"] == other["id"]
    assert len(desk.rows("messages", "ticket_id = :id", id=other["id"])) == 2


def test_a_ticket_of_somebody_else_is_not(desk: Desk) -> None:
    desk.known()
    other = desk.ticket(desk.receive())
    told(desk, *menu(desk.clock(), open_ref=other["ref"]))
    assert desk.call("CA1")["ticket_id"] != other["id"]


def test_calls_within_minutes_without_a_talk_are_one_ticket_with_a_count(desk: Desk) -> None:
    for number in range(3):
        at = desk.clock()
        told(desk, *menu(at), call=f"CA{number}")
        told(desk, happened("ended", at, 30, why="hung_up_waiting"), call=f"CA{number}")
        desk.clock.advance(minutes=9)
    ticket = the_ticket(desk)
    assert ticket["messages"] == 3
    assert len(desk.rows("messages")) == 3


def test_a_second_call_about_something_else_is_routed_again_while_nobody_has_the_ticket(desk: Desk) -> None:
    told(desk, *menu(desk.clock(), "support"))
    told(desk, happened("ended", desk.clock(), 30, why="hung_up_waiting"))
    assert the_ticket(desk)["team"] == "support"
    desk.clock.advance(minutes=2)
    told(desk, *menu(desk.clock(), "billing"), call="CA2")
    assert the_ticket(desk)["team"] == "billing"


def test_after_a_talk_the_next_call_is_a_ticket_of_its_own(desk: Desk) -> None:
    told(desk, *menu(desk.clock()))
    told(desk, *talk(desk.clock()))
    desk.clock.advance(minutes=5)
    told(desk, *menu(desk.clock()), call="CA2")
    assert len(desk.rows("tickets")) == 2


def test_who_calls_again_after_a_talk_that_broke_off_at_once_is_on_the_same_ticket(desk: Desk) -> None:
    at = desk.clock()
    done = happened("menu_done", at, 6, choice="support", open_ref=None)
    desk.tell(event(happened("started", at), done, happened("connected", at, 20, agent="ania")))
    desk.tell(event(happened("ended", at, 23, status="completed", duration_s=23, why="answered")))
    desk.clock.advance(minutes=1)
    again = desk.clock()
    desk.tell(
        event(happened("started", again), happened("menu_done", again, 6, choice="support"), call="CA2")
    )
    assert desk.call("CA2")["ticket_id"] == desk.call("CA1")["ticket_id"]
    assert len(desk.rows("tickets")) == 1


def test_who_says_that_it_is_about_something_else_is_on_a_new_ticket(desk: Desk) -> None:
    """Minutes after a missed call, too: they were offered that one, and said no."""
    for call, chosen in (("CA1", menus.OPEN_REQUEST), ("CA2", menus.SOMETHING_ELSE)):
        at = desk.clock()
        chose = happened("chose", at, 3, id=chosen, by="digit")
        done = happened("menu_done", at, 6, choice="support", open_ref=None)
        desk.tell(event(happened("started", at), chose, done, call=call))
        desk.tell(event(happened("ended", at, 30, status="completed", why="hung_up_waiting"), call=call))
        desk.clock.advance(minutes=1)
    assert len(desk.rows("tickets")) == 2


def test_a_call_later_than_minutes_is_a_ticket_of_its_own(desk: Desk) -> None:
    told(desk, *menu(desk.clock()))
    told(desk, happened("ended", desk.clock(), 30, why="hung_up_waiting"))
    desk.clock.advance(minutes=11)
    told(desk, *menu(desk.clock()), call="CA2")
    assert len(desk.rows("tickets")) == 2


def test_with_conversations_of_voice_a_call_joins_the_open_ticket(make: Make) -> None:
    desk = make(RULES + "conversations: {voice: {join: open, reopen_within: 3d}}\n")
    told(desk, *menu(desk.clock()))
    told(desk, *talk(desk.clock()))
    desk.clock.advance(hours=5)
    told(desk, *menu(desk.clock()), call="CA2")
    assert desk.call("CA2")["ticket_id"] == the_ticket(desk)["id"]


def test_hidden_numbers_are_customers_of_their_own(desk: Desk) -> None:
    told(desk, *menu(desk.clock()), caller=None)
    told(desk, *menu(desk.clock()), call="CA2", caller=None)
    assert len(desk.rows("tickets")) == 2
    assert "Call from a hidden number" in desk.rows("messages")[0]["body"]


def test_what_is_said_of_an_agents_phone_names_no_caller_and_loses_none(desk: Desk) -> None:
    told(desk, *menu(desk.clock()))
    told(desk, *talk(desk.clock())[1:3], caller=None)
    assert desk.call("CA1")["caller"] == JAN


def test_a_recording_that_is_told_before_anything_else_waits_for_who_called(desk: Desk) -> None:
    recorded = happened("recorded", desk.clock(), 50, recording="RE1", duration_s=9, why="voicemail")
    told(desk, recorded, caller=None)
    assert desk.rows("tickets") == []
    told(desk, happened("ended", desk.clock(), 60, status="completed", why="no_message"))
    assert desk.message(the_ticket(desk))["author"] == JAN


def test_a_request_that_names_no_call_is_kept_and_nothing_else(desk: Desk) -> None:
    desk.tell(event(happened("started", desk.clock()), call=""))
    assert [row["state"] for row in desk.rows("journal")] == ["ignored"]
    assert desk.rows("calls") == []


def test_a_call_of_our_own_from_a_ticket_stands_on_it(desk: Desk) -> None:
    """Its row is there before anybody rings."""
    ticket = desk.waiting_ticket()
    desk.insert_call(
        call="CA9", direction="out", ticket_id=ticket["id"], customer_id=ticket["customer_id"], caller=JAN
    )
    told(desk, *talk(desk.clock()), call="CA9", direction="out")
    assert desk.clocks(desk.row("tickets", ticket["id"]))["first_response"]["state"] == "met"
    assert desk.call("CA9")["outcome"] == "answered"


def test_rules_may_ignore_hang_ups_and_what_is_told_later_brings_them_not_back(make: Make) -> None:
    desk = make(RULES + "enrich:\n  - {id: mute, when: {call.outcome: hung_up}, then: {ignore: true}}\n")
    told(desk, happened("started", desk.clock()))
    told(desk, happened("ended", desk.clock(), 8, status="completed", why="hung_up_in_menu"))
    told(desk, happened("priced", desk.clock(), 60, price="-0.01"))
    assert desk.rows("tickets") == []
    assert len(desk.rows("events", "kind = 'ignored'")) == 1
    assert desk.call("CA1")["outcome"] == "hung_up"


def test_a_replay_brings_an_ignored_call_back_once_the_rules_want_it(make: Make) -> None:
    desk = make(RULES + "enrich:\n  - {id: mute, when: {call.outcome: hung_up}, then: {ignore: true}}\n")
    told(desk, happened("started", desk.clock()))
    ended = happened("ended", desk.clock(), 8, status="completed", why="hung_up_in_menu")
    told(desk, ended)
    desk.use_rules(RULES)
    told(desk, ended)
    assert desk.call("CA1")["ticket_id"] == the_ticket(desk)["id"]


def test_a_call_goes_with_its_message_when_tickets_are_merged_and_goes_on_there(desk: Desk) -> None:
    told(desk, *menu(desk.clock()))
    first = the_ticket(desk)
    other = desk.ticket(desk.receive())
    desk.store.write_now(lambda tx: merging.merge(tx, desk.context, first["ref"], other["ref"], agent="ania"))
    told(desk, *talk(desk.clock()))
    assert desk.call("CA1")["ticket_id"] == other["id"]
    (message,) = desk.rows("messages", "medium = 'voice'")
    assert (message["ticket_id"], "Outcome: answered" in message["body"]) == (other["id"], True)
    desk.store.write_now(lambda tx: merging.undo(tx, desk.context, first["ref"], agent="ania"))
    assert desk.call("CA1")["ticket_id"] == first["id"]


# -- many -------------------------------------------------------------------------------------------------------------


def random_call(source: random.Random, at: datetime) -> tuple[tuple[Happened, ...], str]:
    """What happens in a call, and how it must come out."""
    began = (happened("started", at), happened("language", at, 2, language=source.choice(["pl", "en"])))
    end_s = source.randint(100, 400)

    def ended(why: str) -> Happened:
        return happened("ended", at, end_s, status="completed", duration_s=end_s, why=why)

    if source.random() < 0.2:
        return (*began, ended("hung_up_in_menu")), "hung_up"
    done = (*began, *menu(at, source.choice(["billing", "support", "other"]))[2:])
    fate = source.choice(["answered", "voicemail", "waiting", "nothing"])
    if fate == "answered":
        agent = source.choice(["ewa", "tomek", "ania"])
        return (*done, *talk(at, agent, end_s - 60)[:-1], ended("answered")), "answered"
    rang = (*done, happened("ringing", at, 8, agents=["ewa"]), happened("unanswered", at, 26, agents=["ewa"]))
    if fate == "waiting":
        return (*rang, ended("hung_up_waiting")), "missed"
    offered = (*rang, happened("voicemail_offered", at, 30, why="unanswered"))
    if fate == "nothing":
        return (*offered, ended("no_message")), "missed"
    recording = happened(
        "recorded", at, end_s + 2, recording=f"RE{source.randrange(10**9)}", duration_s=20, why="voicemail"
    )
    return (*offered, ended("voicemail"), recording), "voicemail"


def many(desk: Desk, count: int, *, seed: int) -> None:
    """So many calls, each told in parts, shuffled, and some of them twice; one by one looked at."""
    source = random.Random(seed)
    for number in range(count):
        desk.clock.advance(minutes=11)
        what, outcome = random_call(source, desk.clock())
        parts = [each for each in what if each.what != "started"]
        events = [event(what[0], *parts[:1], call=f"CA{number}")]
        cut = sorted(source.sample(range(1, len(parts) + 1), min(3, len(parts))))
        for start, end in itertools.pairwise([1, *cut, len(parts)]):
            if parts[start:end]:
                events.append(event(*parts[start:end], call=f"CA{number}"))
        events += source.choices(events, k=2)
        source.shuffle(events)
        for each in events:
            desk.tell(msgspec.structs.replace(each))
        call = desk.call(f"CA{number}")
        assert (call["outcome"], call["ticket_id"] is None) == (outcome, False), (seed, number)
        messages = desk.rows("messages", "ticket_id = :id AND direction = 'in'", id=call["ticket_id"])
        assert [row["id"] for row in messages] == [call["message_id"]], (seed, number)


@pytest.mark.slow
def test_random_calls_are_one_ticket_and_one_message_each_with_the_right_outcome(desk: Desk) -> None:
    many(desk, 40, seed=1)
    assert len(desk.rows("tickets")) == 40


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_thousand_random_calls(desk: Desk) -> None:
    many(desk, 1_000, seed=2)
    assert len(desk.rows("tickets")) == 1_000
