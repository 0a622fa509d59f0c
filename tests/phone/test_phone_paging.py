"""Agents are told way after way, in their own order, until somebody acknowledges it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from channels.contract import Identity
from intake import admitting, holds, means, opt_outs, outbox, settings
from intake.commands import event_text
from intake.model import Account
from intake.sections import Phone
from intake.store import opening
from intake.store.engine import Tx
from routing import lint, rulebook
from routing.problems import ConfigError
from tests.phone.paged import ANIA, EWA, LADDER, OWN_CALLS, OWN_TEXTS, PAGED, TOMEK, Desk

MAIL = "ewa@desk.example"
CALL, TEXT = ("voice", EWA), ("sms", EWA)


@pytest.fixture
def desk(tmp_path: Path, clock: Any, new_store: bytes) -> Iterator[Desk]:
    (tmp_path / "intake.db").write_bytes(new_store)
    with closing(opening.open_store("", tmp_path, clock=clock)) as store:
        yield Desk(store, tmp_path, clock)


# -- the order of ways ------------------------------------------------------------------------------------------------


def test_the_first_way_of_the_agents_own_order_is_gone_at_once(desk: Desk) -> None:
    ticket = desk.paged_ticket()
    assert desk.tries(ticket) == [(*CALL, "queued")]


def test_the_next_way_is_gone_after_two_minutes_and_not_a_moment_earlier(desk: Desk) -> None:
    ticket = desk.paged_ticket()
    desk.send_all()
    desk.after(seconds=119)
    assert desk.tries(ticket) == [(*CALL, "sent")]
    desk.after(seconds=1)
    assert desk.tries(ticket) == [(*CALL, "sent"), (*TEXT, "queued")]


def test_every_way_is_gone_once_and_then_the_ladder_goes_on(desk: Desk) -> None:
    """Call, text, mail within four minutes; the lead ten minutes after the notice, as the ladder says."""
    ticket = desk.paged_ticket()
    seen = []
    for _ in range(12):
        desk.send_all()
        desk.after(minutes=1)
        seen.append([(medium, to) for medium, to, _ in desk.tries(ticket)])
    told = [CALL, TEXT, ("email", MAIL)]
    assert [len(each) for each in seen[:9]] == [1, 2, 2, 3, 3, 3, 3, 3, 3]
    assert seen[3] == told
    assert seen[9] == [*told, ("sms", TOMEK)]
    assert seen[11] == [*told, ("sms", TOMEK), ("voice", TOMEK)]


def test_the_wait_for_the_next_way_is_a_setting(desk: Desk) -> None:
    desk.use_oncall(next_way_minutes=5)
    ticket = desk.paged_ticket()
    desk.after(minutes=4)
    assert len(desk.tries(ticket)) == 1
    desk.after(minutes=1)
    assert len(desk.tries(ticket)) == 2


@pytest.mark.parametrize("status", ["busy", "no-answer", "failed", "canceled"])
def test_a_call_that_reaches_nobody_is_followed_by_the_text_at_once(desk: Desk, status: str) -> None:
    ticket = desk.paged_ticket()
    desk.send_all()
    desk.status(desk.try_of("voice"), status)
    assert desk.tries(ticket) == [(*CALL, "failed"), (*TEXT, "queued")]


def test_after_a_failure_the_two_minutes_begin_anew(desk: Desk) -> None:
    """Busy after a minute: the text at once, and the mail two minutes after the text, not after the call."""
    ticket = desk.paged_ticket()
    desk.send_all()
    desk.advance(minutes=1)
    desk.status(desk.try_of("voice"), "busy")
    desk.after(minutes=1)
    assert [each[0] for each in desk.tries(ticket)] == ["voice", "sms"]
    desk.after(minutes=1)
    assert [each[0] for each in desk.tries(ticket)] == ["voice", "sms", "email"]


def test_a_call_that_somebody_or_something_answers_waits_for_the_two_minutes(desk: Desk) -> None:
    """An answering machine presses no key, and that is no failure: the text comes in its time."""
    ticket = desk.paged_ticket()
    desk.send_all()
    for status in ("ringing", "in-progress", "completed"):
        desk.status(desk.try_of("voice"), status)
    assert desk.tries(ticket) == [(*CALL, "delivered")]
    desk.after(minutes=2)
    assert desk.tries(ticket)[1:] == [(*TEXT, "queued")]


def test_a_text_that_is_not_delivered_is_followed_by_the_mail_at_once(desk: Desk) -> None:
    ticket = desk.paged_ticket()
    desk.after(minutes=2)
    desk.fail(desk.try_of("sms"))
    assert [each[0] for each in desk.tries(ticket)] == ["voice", "sms", "email"]


def test_a_text_that_may_arrive_later_is_not_waited_for(desk: Desk) -> None:
    """A customer's text is sent again in five minutes; an agent is told by the next way now."""
    ticket = desk.paged_ticket()
    desk.after(minutes=2)
    desk.report(desk.try_of("sms"), "failed", code="30003", may_be_resent=True)
    assert desk.tries(ticket)[1:] == [(*TEXT, "failed"), ("email", MAIL, "queued")]


def test_a_text_that_arrived_waits_for_its_answer(desk: Desk) -> None:
    ticket = desk.paged_ticket()
    desk.after(minutes=2)
    desk.report(desk.try_of("sms"), "delivered")
    desk.after(seconds=119)
    assert desk.tries(ticket)[1:] == [(*TEXT, "delivered")]


def test_what_the_reconciler_brings_of_a_page_is_no_customers_call(desk: Desk) -> None:
    """A call of ours that ended unanswered while we were away: the text leaves, and no ticket is opened."""
    ticket = desk.paged_ticket()
    desk.send_all()
    desk.reconciled(desk.try_of("voice"), "no-answer")
    assert desk.tries(ticket) == [(*CALL, "failed"), (*TEXT, "queued")]
    assert (len(desk.rows("tickets")), desk.rows("calls")) == (1, [])


def test_a_failure_told_after_the_next_way_was_gone_changes_nothing(desk: Desk) -> None:
    """The call is said to have failed when the text is out already: the mail still waits its turn."""
    ticket = desk.paged_ticket()
    desk.send_all()
    call = desk.try_of("voice")
    desk.after(minutes=2)
    desk.status(call, "no-answer")
    assert [each[0] for each in desk.tries(ticket)] == ["voice", "sms"]


def test_a_status_told_twice_goes_one_way_on(desk: Desk) -> None:
    ticket = desk.paged_ticket()
    desk.send_all()
    for _ in range(3):
        desk.status(desk.try_of("voice"), "busy")
    assert [each[0] for each in desk.tries(ticket)] == ["voice", "sms"]


def test_a_status_says_which_call_it_is_where_nobody_has_noted_it(desk: Desk) -> None:
    """We crashed between making the call and noting it: the reconciler finds the page by the call's id."""
    ticket = desk.paged_ticket()
    page = desk.try_of("voice")
    desk.status(page, "ringing")
    assert desk.row("outbox", page["id"])["provider_id"] == f"CA{page['id']}"
    assert desk.tries(ticket) == [(*CALL, "sent")]


def test_the_end_of_an_earlier_call_is_no_news_of_the_one_that_rings(desk: Desk) -> None:
    """It was made twice: by an operator, or because Twilio did not list the first one yet."""
    ticket = desk.paged_ticket()
    page = desk.try_of("voice")
    desk.send_all()
    desk.status(page, "ringing")
    for status in ("busy", "no-answer", "canceled"):
        desk.status(page, status, call="CA-earlier")
    assert desk.tries(ticket) == [(*CALL, "sent")]
    desk.status(page, "busy")
    assert desk.tries(ticket) == [(*CALL, "failed"), (*TEXT, "queued")]


def test_a_call_that_is_made_again_by_hand_is_followed_by_its_own_end(desk: Desk) -> None:
    desk.use_rules(PAGED.replace("notify: l2, by: urgent", "notify: l2, by: call"))
    ticket = desk.paged_ticket()
    page = desk.try_of("voice")
    desk.send_all()
    desk.status(page, "busy")
    desk.store.write_now(lambda tx: outbox.retry(tx, page["id"]))
    desk.status(page, "ringing")
    desk.status(page, "no-answer")
    assert desk.tries(ticket)[0] == (*CALL, "queued")
    desk.send_all()
    desk.status(page, "no-answer", call="CA-again")
    assert desk.tries(ticket)[0] == (*CALL, "failed")


def test_nobody_else_rings_for_an_agent_who_listens_to_a_page(desk: Desk) -> None:
    """From picking up to the end, which comes with a key, or with the call's last status."""

    def held() -> list[str]:
        return [row["agent"] for row in desk.rows("holds")]

    desk.paged_ticket()
    page = desk.try_of("voice")
    assert held() == []
    desk.turn(page)
    assert held() == ["ewa"]
    desk.settle_calls()
    desk.status(page, "completed")
    assert held() == []
    desk.press(page, "*", "1")
    assert held() == []


def test_a_page_is_heard_while_another_call_has_its_agent(desk: Desk) -> None:
    """They pick up both: the page is told, and takes nobody from the other call."""
    ticket = desk.paged_ticket()

    def hold(tx: Tx) -> None:
        assert holds.claim(tx, "calls:CA-other", ("ewa",), hold_s=600) == frozenset()

    desk.store.write_now(hold)
    assert desk.press(desk.try_of("voice"), "1") == "Thank you. You have it. Goodbye."
    assert desk.events(ticket).count("acknowledged") == 1
    assert [row["session"] for row in desk.rows("holds")] == ["calls:CA-other"]


def test_by_call_is_one_call_and_nothing_else(desk: Desk) -> None:
    desk.use_rules(PAGED.replace("notify: l2, by: urgent", "notify: l2, by: call"))
    ticket = desk.paged_ticket()
    desk.after(minutes=5)
    assert desk.tries(ticket) == [(*CALL, "queued")]


def test_by_sms_is_one_text_and_nothing_else(desk: Desk) -> None:
    desk.use_rules(PAGED.replace("notify: l2, by: urgent", "notify: l2, by: sms"))
    ticket = desk.paged_ticket()
    desk.after(minutes=5)
    assert desk.tries(ticket) == [(*TEXT, "queued")]


def test_each_agent_is_told_in_their_own_order(desk: Desk) -> None:
    """A level of two: one is rung, the other texted."""
    desk.use_rules(PAGED.replace("l2: [ewa]", "l2: [ewa, tomek]"))
    ticket = desk.paged_ticket()
    assert desk.tries(ticket) == [(*CALL, "queued"), ("sms", TOMEK, "queued")]


# -- what is not there ------------------------------------------------------------------------------------------------


def without(desk: Desk, name: str) -> None:
    desk.use_accounts(*(each for each in desk.context.accounts.values() if each.name != name))


def test_without_a_voice_account_the_text_is_first_and_the_call_is_told_as_not_done(desk: Desk) -> None:
    without(desk, "calls")
    ticket = desk.paged_ticket()
    assert desk.tries(ticket) == [(*TEXT, "queued")]
    (told,) = desk.details("action_not_done")
    assert told["reason"] == "nothing in this configuration reaches agents by call"


def test_an_account_that_goes_away_meanwhile_is_passed_over(desk: Desk) -> None:
    ticket = desk.paged_ticket()
    without(desk, "texts")
    desk.after(minutes=2)
    assert [each[0] for each in desk.tries(ticket)] == ["voice", "email"]


def test_a_number_that_the_rules_take_away_meanwhile_is_not_used(desk: Desk) -> None:
    ticket = desk.paged_ticket()
    desk.use_rules(PAGED.replace(f', phone: "{EWA}"', "").replace("urgent: [call, sms, email]", "", 0))
    desk.after(minutes=2)
    assert [each[0] for each in desk.tries(ticket)] == ["voice", "email"]


def test_whoever_has_no_phone_is_not_reached_by_it_and_the_next_step_is_due_at_once(desk: Desk) -> None:
    desk.use_rules(PAGED.replace(f', phone: "{EWA}", urgent: [call, sms, email]', ", urgent: [call, sms]", 1))
    ticket = desk.paged_ticket()
    (told,) = desk.details("notice_reached_nobody")
    assert told["reason"] == "ewa: the rules name no phone number"
    desk.fire_due()
    assert desk.tries(ticket) == [("sms", TOMEK, "queued")]


def test_when_every_way_has_failed_the_next_step_is_due_at_once(desk: Desk) -> None:
    """Busy, undelivered, and a mail that came back: nobody was reached, and the lead is told in the same minute."""
    ticket = desk.paged_ticket()
    for medium in ("voice", "sms", "email"):
        assert "notice_reached_nobody" not in desk.events(ticket)
        desk.fail(desk.try_of(medium))
    assert desk.events(ticket).count("notice_reached_nobody") == 1
    desk.fire_due()
    assert desk.tries(ticket)[3:] == [("sms", TOMEK, "queued")]


def test_an_agent_who_has_said_stop_gets_no_text_and_the_next_way_at_once(desk: Desk) -> None:
    def stop(tx: Tx) -> None:
        opt_outs.note(tx, Identity("phone", EWA), "out", how="word", said="STOP")

    desk.store.write_now(stop)
    ticket = desk.paged_ticket()
    desk.fail(desk.try_of("voice"))
    assert [each for each in desk.tries(ticket) if each[2] != "withheld"] == [
        (*CALL, "failed"),
        ("email", MAIL, "queued"),
    ]


def test_an_agent_who_says_stop_while_the_text_waits_is_told_by_the_next_way_at_once(desk: Desk) -> None:
    """Decided, and STOP comes before it leaves."""
    desk.use_rules(PAGED.replace("urgent: [call, sms, email]", "urgent: [sms, call, email]"))
    ticket = desk.paged_ticket()
    row = desk.try_of("sms")
    outbound = desk.outbound(row)

    def stop(tx: Tx) -> None:
        opt_outs.note(tx, Identity("phone", EWA), "out", how="word", said="STOP")

    desk.store.write_now(stop)
    desk.store.write_now(lambda tx: admitting.admit(tx, desk.context, row["id"], outbound))
    assert desk.tries(ticket) == [(*TEXT, "withheld"), (*CALL, "queued")]


@pytest.mark.parametrize("way", ["call", "sms"])
def test_customers_quiet_hours_and_strangers_are_no_matter_for_agents(desk: Desk, way: str) -> None:
    """Ten at night; ewa has never written to us."""
    quiet = Phone(quiet_hours="08:00-07:59")
    desk.context = msgspec.structs.replace(desk.context, phone=quiet)
    desk.use_rules(PAGED.replace("notify: l2, by: urgent", f"notify: l2, by: {way}"))
    ticket = desk.paged_ticket()
    row = desk.try_of("voice" if way == "call" else "sms")
    verdict = desk.store.write_now(
        lambda tx: admitting.admit(tx, desk.context, row["id"], desk.outbound(row))
    )
    assert verdict is not None
    assert verdict.is_allowed
    assert [state for _, _, state in desk.tries(ticket)] == ["queued"]


def test_a_country_that_customers_are_not_texted_in_is_no_matter_for_agents(desk: Desk) -> None:
    """ewa lives where the accounts may not write to."""
    desk.use_rules(PAGED.replace(EWA, "+306900000002"))
    ticket = desk.paged_ticket()
    desk.after(minutes=2)
    assert [each[1] for each in desk.tries(ticket)] == ["+306900000002"] * 2


# -- what ends it -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("minutes", [0, 1, 2, 3, 4, 5])
def test_an_acknowledgement_ends_every_way_whenever_it_comes(desk: Desk, minutes: int) -> None:
    """What waits is dropped, and nothing is written any more for as long as the ladder waits."""
    ticket = desk.paged_ticket()
    for _ in range(minutes):
        desk.send_all()
        desk.after(minutes=1)
    before = len(desk.tries(ticket))
    desk.acknowledge(ticket, "ania")
    assert "queued" not in [each[2] for each in desk.tries(ticket)]
    for _ in range(9):
        desk.after(minutes=1)
    assert len(desk.tries(ticket)) == before


def test_a_failure_that_is_told_after_the_acknowledgement_tells_nobody(desk: Desk) -> None:
    """The call rings while somebody acknowledges by link; that nobody picks it up is no matter any more."""
    ticket = desk.paged_ticket()
    desk.send_all()
    desk.acknowledge(ticket, "ania")
    desk.status(desk.try_of("voice"), "no-answer")
    assert desk.tries(ticket) == [(*CALL, "failed")]


def test_an_earlier_way_that_is_still_tried_is_stopped_as_well(desk: Desk) -> None:
    """The provider did not answer: the call waits for another try while the text is out."""
    desk.use_rules(PAGED.replace(", ack_within: 10m", "").replace(LADDER.splitlines()[3], ""))
    ticket = desk.paged_ticket()
    desk.after(minutes=2)
    assert desk.tries(ticket) == [(*CALL, "queued"), (*TEXT, "queued")]
    desk.acknowledge(ticket, "ania")
    assert desk.tries(ticket) == [(*CALL, "dropped"), (*TEXT, "dropped")]


def test_a_public_answer_ends_the_ways_that_are_left(desk: Desk) -> None:
    ticket = desk.paged_ticket()
    desk.advance(minutes=1)
    desk.reply(ticket, agent="ania")
    desk.after(minutes=5)
    assert len(desk.tries(ticket)) == 1


def test_a_solved_ticket_rings_nobody_any_more(desk: Desk) -> None:
    ticket = desk.paged_ticket()
    desk.set_status(ticket, "solved")
    desk.after(minutes=5)
    assert len(desk.tries(ticket)) == 1


def test_an_acknowledgement_stops_no_clock(desk: Desk) -> None:
    ticket = desk.paged_ticket()
    before = desk.clocks(ticket)
    desk.acknowledge(ticket, "ewa")
    assert desk.clocks(ticket) == before


def test_the_history_says_who_was_told_how_and_how_far_it_got(desk: Desk) -> None:
    desk.paged_ticket()
    desk.send_all()
    desk.status(desk.try_of("voice"), "ringing")
    desk.status(desk.try_of("voice"), "no-answer")
    assert [
        (each["agent"], each["way"], each["way_number"], each["of"]) for each in desk.details("paged")
    ] == [
        ("ewa", "call", 1, 3),
        ("ewa", "sms", 2, 3),
    ]
    assert [each["status"] for each in desk.details("page_call")] == ["ringing", "no-answer"]


def test_a_person_reads_the_history_in_sentences(desk: Desk) -> None:
    desk.paged_ticket()
    desk.send_all()
    desk.status(desk.try_of("voice"), "ringing")
    desk.press(desk.try_of("voice"), "2")
    told = [
        event_text.said(kind, details)
        for kind in ("paged", "page_call", "passed_on")
        for details in desk.details(kind)
    ]
    assert told == [
        "ewa by call, way 1 of 3",
        "ewa: ringing",
        "ewa: in-progress",
        "by call, to the next step",
    ]


# -- how much one can bear --------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_flood_of_notices_is_not_a_flood_of_calls(desk: Desk) -> None:
    """Thirty tickets at once: ten calls in the minute, the rest by text and in the digest of the mails."""
    for number in range(30):
        desk.receive(f"c{number}@customer.example")
    desk.advance(hours=1)
    desk.fire_due()
    rows = desk.rows("outbox", "medium IN ('sms', 'voice') AND recipient = :to", to=EWA)
    assert len(rows) == 10
    assert len(desk.rows("digest_items")) + len(desk.rows("outbox", "recipient = :to", to=MAIL)) == 20


# -- who it comes from ------------------------------------------------------------------------------------------------


def test_calls_and_texts_come_from_the_numbers_of_their_accounts(desk: Desk) -> None:
    desk.paged_ticket()
    desk.after(minutes=2)
    assert desk.outbound(desk.try_of("voice")).from_.address == OWN_CALLS
    assert desk.outbound(desk.try_of("sms")).from_.address == OWN_TEXTS


def test_a_named_account_carries_them(desk: Desk) -> None:
    """So that agents know the number, and let it ring at night."""
    night = Account("night", "twilio.voice", "voice", ("+48221234599",), can_deliver=True)
    desk.use_accounts(*desk.context.accounts.values(), night)
    desk.use_oncall(calls="night")
    desk.paged_ticket()
    assert desk.outbound(desk.try_of("voice")).from_.address == "+48221234599"


# -- passing on -------------------------------------------------------------------------------------------------------


def test_2_acknowledges_nothing_and_the_next_step_is_due_at_once(desk: Desk) -> None:
    ticket = desk.paged_ticket()
    desk.press(desk.try_of("voice"), "2")
    assert "acknowledged" not in desk.events(ticket)
    assert desk.details("passed_on")[0]["actor"] == "agent:ewa"
    desk.fire_due()
    assert desk.tries(ticket)[-1] == ("sms", TOMEK, "queued")
    assert "ewa has passed on the notice" in desk.details("escalated")[-1]["why"]


def test_who_has_passed_it_on_is_left_alone(desk: Desk) -> None:
    ticket = desk.paged_ticket()
    desk.send_all()
    desk.press(desk.try_of("voice"), "2")
    desk.after(minutes=5)
    assert [each for each in desk.tries(ticket) if EWA in each or MAIL in each] == [(*CALL, "delivered")]


def test_without_a_following_step_somebody_above_is_told(desk: Desk) -> None:
    """The ladder ends here: the lead of the team is told by the same notice."""
    desk.use_rules(PAGED.replace(LADDER.splitlines()[3], "").replace(", ack_within: 10m", ""))
    ticket = desk.paged_ticket()
    desk.press(desk.try_of("voice"), "2")
    assert desk.details("passed_on")[0]["to"] == "tomek"
    assert desk.tries(ticket)[-1] == ("sms", TOMEK, "queued")


def test_passing_on_twice_tells_one(desk: Desk) -> None:
    ticket = desk.paged_ticket()
    desk.press(desk.try_of("voice"), "2")
    desk.fire_due()
    desk.press(desk.try_of("voice", 0), "2")
    desk.text(EWA, "2")
    desk.fire_due()
    assert desk.events(ticket).count("passed_on") == 1


def test_whoever_passed_it_on_may_still_take_it(desk: Desk) -> None:
    """They have thought better of it, and nobody else has it yet."""
    ticket = desk.paged_ticket()
    desk.press(desk.try_of("voice"), "2")
    assert desk.acknowledge(ticket, "ewa").is_done


# -- one by text ------------------------------------------------------------------------------------------------------


def texted(desk: Desk) -> dict[str, Any]:
    """A ticket whose second level has been texted."""
    ticket = desk.paged_ticket()
    desk.send_all()
    desk.after(minutes=2)
    desk.send_all()
    return ticket


@pytest.mark.parametrize("words", ["1", " 1 ", "1.", '"1"', "1!"])
def test_1_by_text_acknowledges_and_is_confirmed_by_one_text(desk: Desk, words: str) -> None:
    ticket = texted(desk)
    row = desk.text(EWA, words)
    assert desk.details("acknowledged")[0]["actor"] == "agent:ewa"
    assert desk.details("acknowledged")[0]["how"] == "text"
    assert desk.texts_to(EWA)[-1] == f"{ticket['ref']}: you have it. Thank you."
    assert (row["state"], row["ticket_id"]) == ("automatic", ticket["id"])
    assert len(desk.rows("tickets")) == 1


def test_1_from_who_was_only_rung_counts_as_well(desk: Desk) -> None:
    desk.paged_ticket()
    desk.text(EWA, "1")
    assert len(desk.details("acknowledged")) == 1


def test_1_means_the_newest_that_nobody_has(desk: Desk) -> None:
    first = desk.ticket(desk.receive("a@customer.example"))
    desk.advance(minutes=1)
    second = desk.ticket(desk.receive("b@customer.example"))
    desk.after(hours=1)
    desk.text(EWA, "1")
    assert desk.events(second).count("acknowledged") == 1
    assert desk.events(first).count("acknowledged") == 0
    desk.text(EWA, "1")
    assert desk.events(first).count("acknowledged") == 1


def test_1_after_somebody_else_says_who_has_it(desk: Desk) -> None:
    ticket = texted(desk)
    desk.acknowledge(ticket, "ania")
    desk.text(EWA, "1")
    assert desk.texts_to(EWA)[-1] == f"{ticket['ref']}: ania has it already."
    assert len(desk.details("acknowledged")) == 1


def test_1_for_a_solved_ticket_says_so(desk: Desk) -> None:
    ticket = texted(desk)
    desk.set_status(ticket, "solved")
    desk.text(EWA, "1")
    assert desk.texts_to(EWA)[-1] == f"{ticket['ref']} is solved: there is nothing left to do."


def test_2_by_text_passes_it_on(desk: Desk) -> None:
    ticket = texted(desk)
    desk.text(EWA, "2")
    assert desk.texts_to(EWA)[-1] == f"{ticket['ref']}: passed on."
    desk.fire_due()
    assert desk.tries(ticket)[-1] == ("sms", TOMEK, "queued")


@pytest.mark.parametrize("words", ["ok", "yes", "11", "1 please look", "3", "12", "-1"])
def test_other_words_of_an_agent_are_a_customers_message_and_that_is_told(desk: Desk, words: str) -> None:
    texted(desk)
    row = desk.text(EWA, words)
    assert row["state"] == "ticket"
    assert desk.details("acknowledged") == []
    (told,) = desk.details("agent_number")
    assert told["agent"] == "ewa"


def test_1_of_somebody_who_was_told_nothing_is_a_customers_message(desk: Desk) -> None:
    texted(desk)
    assert desk.text(ANIA, "1")["state"] == "ticket"
    assert desk.text("+48699999999", "1")["state"] == "ticket"
    assert desk.details("acknowledged") == []


def test_1_from_a_telephone_that_agents_share_is_whose_page_it_was(desk: Desk) -> None:
    """ania and ewa have one number; ewa was told."""
    desk.use_rules(PAGED.replace(ANIA, EWA))
    ticket = texted(desk)
    desk.text(EWA, "1")
    assert desk.details("acknowledged")[0]["actor"] == "agent:ewa"
    assert desk.texts_to(EWA)[-1] == f"{ticket['ref']}: you have it. Thank you."


def test_1_a_day_later_answers_no_page(desk: Desk) -> None:
    texted(desk)
    desk.advance(hours=25)
    assert desk.text(EWA, "1")["state"] == "ticket"


def test_a_text_settled_again_changes_nothing(desk: Desk) -> None:
    """A replay, after the first time was committed."""
    ticket = texted(desk)
    journal_id = desk.keep_text(EWA, "1")
    for _ in range(2):
        desk.settle_text(journal_id, EWA, "1")
    assert desk.events(ticket).count("acknowledged") == 1
    assert len(desk.rows("outbox", "action = 'page_confirmed'")) == 1


# -- what the lint knows ----------------------------------------------------------------------------------------------

SMS = "texts: {kind: twilio.sms, account_sid: AC00000000000000000000000000000001, numbers: ['+48221234501']}"
VOICE = (
    "calls: {kind: twilio.voice, account_sid: AC00000000000000000000000000000001, numbers: ['+48221234502']}"
)
SMTP = "mail: {kind: email.smtp, listen: '127.0.0.1:0', addresses: [support@example.com]}"


@pytest.mark.parametrize(
    ("channels", "ways"),
    [
        ((SMTP,), {"email"}),
        ((SMTP, SMS), {"email", "sms"}),
        ((VOICE,), {"call"}),
        ((SMTP, SMS, VOICE), {"email", "sms", "call"}),
    ],
)
def test_the_lint_knows_the_ways_of_a_configuration(
    tmp_path: Path, channels: tuple[str, ...], ways: set[str]
) -> None:
    path = tmp_path / "intake.yaml"
    path.write_text("channels:\n" + "".join(f"  {each}\n" for each in channels), encoding="utf-8")
    found = means.of(settings.load(path, {}), ())
    assert found.ways == ways
    told = [each.message for each in lint.configured(rulebook.load({"rules.yaml": PAGED}), found)]
    is_silent = not [each for each in told if "reaches agent 'ewa'" in each]
    assert is_silent is (ways == {"email", "sms", "call"})


def test_an_account_for_pages_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "intake.yaml"
    path.write_text(f"channels:\n  {SMS}\noncall: {{texts: textz}}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        settings.load(path, {})
    assert [each.message for each in caught.value.problems] == ["no account is called 'textz'"]
