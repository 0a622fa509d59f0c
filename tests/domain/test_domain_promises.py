"""Promises: made, said to the customer, watched, kept, broken, moved and reported."""

import json
from typing import Any

import msgspec
import pytest

from intake import desk, desk_promises, listing, merging, promise_report, promises
from intake.desk import DeskError
from intake.sections import Notices
from tests.domain.agents import ANIA, EWA, TOMEK, answer, told
from tests.domain.world import World

JAN = "jan@customer.example"


@pytest.fixture
def ticket(world: World) -> dict[str, Any]:
    return world.ticket(world.receive(message_id="first@customer.example"))


def promise(
    world: World, ticket: dict[str, Any], when: str = "in 3h", *, agent: str = "ania", is_quiet: bool = False
) -> desk_promises.Made:
    return world.store.write_now(
        lambda tx: desk_promises.make(tx, world.context, ticket["ref"], when, agent=agent, is_quiet=is_quiet)
    )


def end(world: World, ticket: dict[str, Any], how: Any, *, agent: str = "ania") -> None:
    world.store.write_now(lambda tx: how(tx, world.context, ticket["ref"], agent=agent))


def state(world: World, ticket: dict[str, Any]) -> str:
    """The state of the promise made last."""
    found = world.store.read_now(lambda tx: promises.latest(tx, ticket["id"]))
    assert found is not None
    return found.state


def states(world: World) -> list[str]:
    return [row["state"] for row in promise_report.report(world.store, promise_report.Filters())]


def pass_time(world: World, **by: float) -> None:
    world.advance(**by)
    world.fire_due()


def test_customer_is_told_in_a_message_of_its_own(world: World, ticket: dict[str, Any]) -> None:
    """The template's words with the moment on the ticket's wall clock, to be answered like any mail."""
    made = promise(world, ticket, "2026-11-12 15:00")
    sent = world.sent(JAN)[-1]
    assert "You will hear from us by" in sent.text
    assert "You will hear from us by Thursday, 12 November, 15:00 UTC." in sent.text
    assert (made.not_told, sent.reply_to is not None) == ("", True)


def test_words_of_a_promise_are_no_answer(world: World, ticket: dict[str, Any]) -> None:
    """A template that says when somebody answers meets no target."""
    promise(world, ticket)
    assert world.clocks(ticket)["first_response"]["state"] == "running"
    assert state(world, ticket) == "open"


def test_quiet_promise_is_said_to_nobody(world: World, ticket: dict[str, Any]) -> None:
    """The customer knows already: it was said on the phone."""
    before = len(world.sent(JAN))
    made = promise(world, ticket, is_quiet=True)
    assert (len(world.sent(JAN)), made.not_told) == (before, None)


def test_answer_that_promises_names_the_moment(world: World, ticket: dict[str, Any]) -> None:
    """One mail says both, and the words that make a promise do not keep it."""
    moment = world.clock().replace(hour=15)
    world.store.write_now(
        lambda tx: desk.reply(
            tx, world.context, ticket["ref"], agent="ania", text="I look at it.", promise=moment
        )
    )
    text = world.sent(JAN)[-1].text
    assert text.index("I look at it.") < text.index("You will hear from us by")
    assert "Hello" not in text
    assert state(world, ticket) == "open"


def test_later_answer_keeps_it(world: World, ticket: dict[str, Any]) -> None:
    promise(world, ticket)
    world.advance(hours=1)
    world.reply(ticket)
    assert state(world, ticket) == "kept"
    assert "promise_kept" in world.events(ticket)


@pytest.mark.parametrize("what", ["note", "customer", "receipt", "reminder"])
def test_nothing_but_a_persons_public_answer_keeps_it(
    world: World, ticket: dict[str, Any], what: str
) -> None:
    promise(world, ticket)
    world.advance(hours=1)
    if what == "note":
        world.store.write_now(lambda tx: desk.note(tx, world.context, ticket["ref"], agent="ania", text="x"))
    elif what == "customer":
        world.receive(body="hello?", headers={"In-Reply-To": "<first@customer.example>"})
    elif what == "receipt":
        world.receive(
            subject="My printer",
            headers={"In-Reply-To": "<first@customer.example>", "Auto-Submitted": "auto-replied"},
        )
    else:
        pass_time(world, hours=1, minutes=45)
    assert state(world, ticket) == "open"


def test_answer_that_comes_back_kept_nothing(world: World, ticket: dict[str, Any]) -> None:
    """An undelivered answer counts as not given: what was promised is owed again."""
    from intake import failures

    promise(world, ticket)
    world.advance(hours=1)
    outbox = world.reply(ticket)
    lost = world.store.write_now(
        lambda tx: (
            tx.update(_outbox(), {"id": outbox}, state="failed"),
            failures.follow(tx, world.context, desk.find(tx, ticket["ref"]), outbox),
        )
    )
    assert lost is not None
    assert state(world, ticket) == "open"
    pass_time(world, hours=3)
    assert state(world, ticket) == "broken"


def test_promise_that_did_not_reach_the_customer_is_told(world: World, ticket: dict[str, Any]) -> None:
    """It stands, and who made it knows that the customer does not."""
    from intake import failures
    from intake.failures import Failure

    promise(world, ticket, agent="ewa")
    [sent] = world.rows("outbox", "action = 'promise'")

    def fail(tx: Any) -> None:
        tx.update(_outbox(), {"id": sent["id"]}, state="failed")
        refused = Failure("refused", detail="550 no such user")
        failures.follow(tx, world.context, desk.find(tx, ticket["ref"]), sent["id"], refused)

    world.store.write_now(fail)
    assert "does not know what is promised" in world.sent(EWA)[-1].text
    found = world.store.read_now(lambda tx: promises.latest(tx, ticket["id"]))
    assert found is not None
    assert (found.state, found.is_told) == ("open", 0)


def test_answer_without_the_template_warns(world: World, ticket: dict[str, Any]) -> None:
    from intake.replies import Replies

    world.context = msgspec.structs.replace(world.context, replies=Replies({}))
    _, doubts = world.store.write_now(
        lambda tx: desk_promises.in_answer(tx, world.context, ticket["ref"], "in 2h", agent="ania")
    )
    assert [each.code for each in doubts] == ["untold"]
    assert promise(world, ticket).not_told == "there is no reply template 'promised' that can be filled in"


def test_solving_the_ticket_keeps_it(world: World, ticket: dict[str, Any]) -> None:
    promise(world, ticket)
    world.set_status(ticket, "solved")
    assert state(world, ticket) == "kept"


def test_agent_may_say_that_it_was_kept(world: World, ticket: dict[str, Any]) -> None:
    """A phone call is no answer that we see."""
    promise(world, ticket)
    end(world, ticket, desk_promises.keep, agent="ewa")
    assert state(world, ticket) == "kept"
    (row,) = world.rows("events", "kind = 'promise_kept'")
    assert row["actor"] == "agent:ewa"


def test_moment_that_passes_breaks_it_and_both_who_are_concerned_are_told(
    world: World, ticket: dict[str, Any]
) -> None:
    """Who promised, and who has the ticket now, each once."""
    promise(world, ticket)
    pass_time(world, hours=3)
    assert (state(world, ticket), world.row("tickets", ticket["id"])["agent"]) == ("broken", "ewa")
    assert world.events(ticket).count("promise_broken") == 1
    for each in (ANIA, EWA):
        assert sum("has not come" in sent.text for sent in world.sent(each)) == 1


def test_broken_promise_that_is_made_good_says_how_late(world: World, ticket: dict[str, Any]) -> None:
    promise(world, ticket)
    pass_time(world, hours=3, minutes=1)
    world.advance(minutes=29)
    world.reply(ticket)
    (row,) = promise_report.report(world.store, promise_report.Filters())
    assert (row["state"], row["late_s"], row["ended_at"] is not None) == ("broken", 1800, True)


def test_late_answer_before_the_timer_is_late_all_the_same(world: World, ticket: dict[str, Any]) -> None:
    """A daemon that was down comes back: the answer was late, and nobody is told that it has not come."""
    promise(world, ticket)
    world.advance(hours=4)
    world.reply(ticket)
    world.fire_due()
    assert state(world, ticket) == "broken"
    assert world.events(ticket).count("promise_broken") == 1
    assert not any("has not come" in sent.text for sent in world.sent(ANIA))


def test_new_moment_moves_the_one_before(world: World, ticket: dict[str, Any]) -> None:
    promise(world, ticket, "in 3h")
    world.advance(hours=1)
    promise(world, ticket, "in 5h")
    assert states(world) == ["moved", "open"]
    pass_time(world, hours=4)
    assert states(world) == ["moved", "open"]


def test_broken_promise_stays_broken_when_a_new_moment_is_agreed(
    world: World, ticket: dict[str, Any]
) -> None:
    """Also where the daemon was down as the first one passed."""
    promise(world, ticket, "in 1h")
    world.advance(hours=2)
    promise(world, ticket, "in 1h")
    assert states(world) == ["broken", "open"]
    assert world.events(ticket).count("promise_broken") == 1


def test_withdrawn_promise_owes_nothing(world: World, ticket: dict[str, Any]) -> None:
    promise(world, ticket)
    end(world, ticket, desk_promises.withdraw)
    pass_time(world, hours=5)
    assert state(world, ticket) == "withdrawn"
    assert "promise_broken" not in world.events(ticket)


def test_who_promised_is_reminded_half_an_hour_before(world: World, ticket: dict[str, Any]) -> None:
    promise(world, ticket, "in 3h", agent="ewa")
    pass_time(world, hours=2, minutes=29)
    assert not any("min are left" in sent.text for sent in world.sent(EWA))
    pass_time(world, minutes=1)
    assert sum("30 min are left" in sent.text for sent in world.sent(EWA)) == 1


def test_reminder_that_comes_too_late_is_none(world: World, ticket: dict[str, Any]) -> None:
    """After a downtime one mail says that it was broken, and none that it is due."""
    promise(world, ticket)
    pass_time(world, hours=4)
    assert [
        sum(words in sent.text for sent in world.sent(ANIA)) for words in ("min are left", "has not come")
    ] == [0, 1]


def test_promise_for_soon_is_reminded_of_half_way(world: World, ticket: dict[str, Any]) -> None:
    promise(world, ticket, "in 20m")
    pass_time(world, minutes=10)
    assert sum("10 min are left" in sent.text for sent in world.sent(ANIA)) == 1


def test_kept_promise_is_reminded_of_no_more(world: World, ticket: dict[str, Any]) -> None:
    promise(world, ticket)
    world.advance(hours=1)
    world.reply(ticket)
    assert world.rows("timers", "kind = 'remind' AND state = 'pending'") == []


@pytest.mark.parametrize("notice", ["promise_due", "promise_broken"])
def test_notices_can_be_switched_off(world: World, ticket: dict[str, Any], notice: str) -> None:
    world.context = msgspec.structs.replace(world.context, notices=msgspec.convert({notice: False}, Notices))
    promise(world, ticket)
    pass_time(world, hours=2, minutes=30)
    pass_time(world, minutes=30)
    found = [text in sent.text for sent in world.sent(ANIA) for text in ("min are left", "has not come")]
    assert sum(found) == 1


def test_ladder_that_names_the_promise_reminds_instead(make: Any) -> None:
    """Nobody is told twice."""
    world = make("")
    rules = _rules().replace(
        "    - {at: first_response 50%, notify: assignee}\n",
        "    - {at: first_response 50%, notify: assignee}\n    - {at: promise -10m, notify: lead}\n",
    )
    world.use_rules(rules)
    ticket = world.ticket(world.receive())
    promise(world, ticket)
    pass_time(world, hours=2, minutes=50)
    assert not any("min are left" in sent.text for sent in world.sent(ANIA))
    assert world.sent(TOMEK)


@pytest.mark.parametrize(
    ("when", "said"),
    [("yesterday", "names no moment"), ("2020-01-01 10:00", "is past"), ("thu", "no time of day")],
)
def test_moment_that_is_none_is_refused(world: World, ticket: dict[str, Any], when: str, said: str) -> None:
    with pytest.raises(DeskError, match=said):
        promise(world, ticket, when)
    assert states(world) == []


def test_ticket_that_is_done_promises_nothing(world: World, ticket: dict[str, Any]) -> None:
    world.set_status(ticket, "solved")
    with pytest.raises(DeskError, match="open it before"):
        promise(world, ticket)


def test_nothing_is_kept_where_nothing_is_promised(world: World, ticket: dict[str, Any]) -> None:
    with pytest.raises(DeskError, match="nothing is promised"):
        end(world, ticket, desk_promises.keep)


def test_closed_hours_are_a_warning(world: World) -> None:
    """Somebody may work late: it is said, and done."""
    world.use_rules(_rules().replace("standard: {calendar: always", "standard: {calendar: office"))
    ticket = world.ticket(world.receive())
    made = promise(world, ticket, "2026-11-14 15:00")
    (doubt,) = made.doubts
    assert "Sat 2026-11-14 15:00 is outside the hours of calendar 'office'" in doubt.sentence
    assert "opens again Mon 2026-11-16 09:00" in doubt.sentence
    assert state(world, ticket) == "open"


def test_moments_are_of_the_policys_zone(world: World) -> None:
    world.use_rules(_rules().replace("standard: {calendar: always", "standard: {calendar: office"))
    made = promise(world, world.ticket(world.receive()), "2026-11-12 15:00")
    assert made.at.isoformat() == "2026-11-12T15:00:00+01:00"


def test_without_a_policy_the_agents_hours_say_the_zone(world: World) -> None:
    rules = _rules().replace("sla: standard, ", "sla: none, ").replace("ania: {", "ania: {hours: office, ")
    world.use_rules(rules)
    ticket = world.ticket(world.receive())
    made = promise(world, ticket, "2026-11-12 15:00")
    assert (made.at.isoformat(), state(world, ticket)) == ("2026-11-12T15:00:00+01:00", "open")
    pass_time(world, days=3)
    assert state(world, ticket) == "broken"


def test_robots_are_not_told(world: World) -> None:
    ticket = world.ticket(world.receive("noreply@customer.example"))
    assert promise(world, ticket).not_told == "automatic mail is never answered"


def test_rule_may_promise_and_its_reply_name_the_moment(make: Any) -> None:
    """What a rule promises is said by the rule's own reply."""
    world = make(
        "react:\n  - {id: call, on: note_added, then: {promise: 4h, reply: promised}}\n"
        "  - {id: late, on: promise_due, when: {target: promise}, then: {tags: [broken]}}\n"
    )
    ticket = world.ticket(world.receive())
    world.advance(hours=2)
    world.store.write_now(lambda tx: desk.note(tx, world.context, ticket["ref"], agent="ania", text="x"))
    assert "You will hear from us by" in world.sent(JAN)[-1].text
    (row,) = promise_report.report(world.store, promise_report.Filters())
    assert (row["made_by"], row["by"]) == ("rule:call", None)
    pass_time(world, hours=5)
    assert json.loads(world.row("tickets", ticket["id"])["tags"]) == ["broken"]


def test_report_is_narrowed_by_state_agent_team_and_time(world: World) -> None:
    first, second, third = (world.ticket(world.receive(body=f"message {number}")) for number in range(3))
    promise(world, first, "in 1h")
    promise(world, second, "in 2h", agent="ewa")
    promise(world, third, "in 3h")
    pass_time(world, hours=1)
    world.reply(second)
    filters = promise_report.Filters

    def refs(**wanted: Any) -> list[str]:
        return [row["ticket"] for row in promise_report.report(world.store, filters(**wanted))]

    assert refs() == [first["ref"], second["ref"], third["ref"]]
    assert refs(state="broken") == [first["ref"]]
    assert refs(state="kept") == refs(made_by="agent:ewa") == [second["ref"]]
    assert refs(team="billing") == []
    assert refs(since=world.store.now_us()) == [first["ref"], second["ref"], third["ref"]]
    assert refs(since=world.store.now_us() + 1) == [second["ref"], third["ref"]]


def test_report_sums_what_was_kept(world: World) -> None:
    counted = promise_report.Counter()
    for each in ("kept", "kept", "broken", "open", "moved"):
        counted.add(each)
    assert counted.line == "kept 2 of 3, 67 %; 1 is open"


def test_ticket_shows_its_promise(world: World, ticket: dict[str, Any]) -> None:
    promise(world, ticket)
    found = world.store.read_now(lambda tx: listing.ticket(tx, ticket["ref"]))
    assert found is not None
    shown = found["promise"]
    assert (shown["due_at"], shown["state"], shown["by"], shown["told"]) == (
        "2026-11-10T12:00:00Z", "open", "ania", True,
    )  # fmt: skip


# -- agents' mail -------------------------------------------------------------------------------------------------------


def test_answer_by_mail_promises_with_its_text(world: World, ticket: dict[str, Any]) -> None:
    """`#promise thursday 15:00` above an answer: the customer reads both."""
    answer(world, "#promise thursday 15:00\n\nI come by.")
    text = world.sent(JAN)[-1].text
    assert "I come by." in text
    assert "by Thursday, 12 November, 15:00" in text
    assert state(world, ticket) == "open"


def test_promise_alone_in_a_mail_tells_the_customer(world: World, ticket: dict[str, Any]) -> None:
    answer(world, "#promise thursday 15:00")
    assert "You will hear from us" in world.sent(JAN)[-1].text


def test_promise_beside_a_note_is_quiet(world: World, ticket: dict[str, Any]) -> None:
    before = len(world.sent(JAN))
    answer(world, "#promise thursday 15:00\n#note said so on the phone")
    assert (len(world.sent(JAN)), state(world, ticket)) == (before, "open")


def test_mail_that_names_no_moment_does_nothing_at_all(world: World, ticket: dict[str, Any]) -> None:
    before = len(world.sent(JAN))
    answer(world, "#promise sometime\n\nI come by.")
    assert (len(world.sent(JAN)), states(world)) == (before, [])
    assert "names no moment" in told(world)[-1]


def test_kept_by_mail(world: World, ticket: dict[str, Any]) -> None:
    promise(world, ticket)
    answer(world, "#promise kept")
    assert state(world, ticket) == "kept"


def _rules() -> str:
    from tests.domain.world import RULES

    return RULES


def _outbox() -> Any:
    from intake.store import schema

    return schema.outbox


# -- merged tickets -----------------------------------------------------------------------------------------------------


def merge(world: World, source: dict[str, Any], into: dict[str, Any]) -> None:
    world.store.write_now(
        lambda tx: merging.merge(tx, world.context, source["ref"], into["ref"], agent="ania")
    )


def open_moments(world: World) -> list[tuple[str, str]]:
    """Ref and hour of the promises that are owed."""
    rows = promise_report.report(world.store, promise_report.Filters(state="open"))
    return [(row["ticket"], row["due_at"][11:13]) for row in rows]


def running(world: World, ticket: dict[str, Any]) -> str | None:
    clock = world.clocks(ticket).get("promise")
    return clock["due_at"][11:13] if clock is not None and clock["state"] == "running" else None


@pytest.mark.parametrize("is_older_merged", [True, False])
@pytest.mark.parametrize(
    ("on_source", "on_into"), [("in 3h", None), (None, "in 3h"), ("in 3h", "in 5h"), ("in 5h", "in 3h")]
)
def test_promise_goes_on_in_the_ticket_that_goes_on(
    world: World, ticket: dict[str, Any], on_source: str | None, on_into: str | None, *, is_older_merged: bool
) -> None:
    """It is the customer's, whichever ticket it was made on: of two the one that is due first. Parted, each has its own."""
    world.advance(minutes=1)
    newer = world.ticket(world.receive(body="again"))
    source, into = (ticket, newer) if is_older_merged else (newer, ticket)
    for each, when in ((source, on_source), (into, on_into)):
        if when is not None:
            promise(world, each, when, is_quiet=True)
    before = [running(world, each) for each in (source, into)], open_moments(world)
    merge(world, source, into)
    assert ([running(world, each) for each in (source, into)], open_moments(world)) == (
        [None, "12"], [(into["ref"], "12")],
    )  # fmt: skip
    world.store.write_now(lambda tx: merging.undo(tx, world.context, source["ref"], agent="ania"))
    assert ([running(world, each) for each in (source, into)], open_moments(world)) == before
    merge(world, source, into)
    pass_time(world, hours=3)
    assert "promise_broken" in world.events(into)
    assert "promise_broken" not in world.events(source)
