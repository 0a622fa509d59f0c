"""Status callbacks: deliveries move forward, whatever the order; what follows a failure; what is lost in a crash."""

import asyncio
import functools
import itertools
import urllib.parse
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import bindparam, select

from channels.contract import DeliveryReport, Identity, RawMessage
from channels.twilio import send, status
from intake import attempts, listing, opt_outs, outbox, reports
from intake.opt_outs import OptOut
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from tests.phone.texted import JAN, OWN, Texted
from tests.rows import every_row

AT = datetime(2026, 11, 10, tzinfo=UTC)
STATE = Statement(select(schema.outbox.c.state).where(schema.outbox.c.id == bindparam("id")))
FORWARD = ("queued", "sent", "delivered", "read", "undelivered")


@pytest.fixture
def desk(texting: Callable[..., Texted]) -> Texted:
    return texting()


async def sent(desk: Texted) -> tuple[dict[str, Any], dict[str, Any], str]:
    """An agent's answer that Twilio has taken: its ticket, its outbox row, its MessageSid."""
    ticket = desk.text()
    row = desk.answer(ticket)
    (text,) = await desk.deliver_due()
    return ticket, desk.again(row), text.sid


# -- what Twilio posts ----------------------------------------------------------------------------------------------------


def parsed(**form: str) -> DeliveryReport:
    raw = RawMessage(
        kind="twilio.sms",
        account="texts",
        lane="phone:+48600100200",
        body=urllib.parse.urlencode(form).encode(),
        received_at=AT,
        envelope={"path": "status", "query": {"o": "7.abc"}},
    )
    return status.parse(raw)


SID = "SM" + "a" * 32


@every_row(
    ("word", "state"),
    [
        ("accepted", "queued"),
        ("queued", "queued"),
        ("sending", "queued"),
        ("sent", "sent"),
        ("delivered", "delivered"),
        ("read", "read"),
        ("undelivered", "failed"),
        ("failed", "failed"),
        ("canceled", "failed"),
        ("DELIVERED", "delivered"),
        ("telepathic", "queued"),
    ],
)
def test_words_of_twilio_become_ours(word: str, state: str) -> None:
    report = parsed(MessageSid=SID, MessageStatus=word)
    assert (report.provider_id, report.state, report.reference) == (SID, state, "7.abc")


def test_a_code_is_told_in_words_and_says_what_follows() -> None:
    report = parsed(MessageSid=SID, MessageStatus="undelivered", ErrorCode="30005")
    assert "does not exist" in report.detail
    assert (report.code, report.address_problem, report.may_be_resent) == ("30005", "number_unknown", False)
    assert parsed(MessageSid=SID, MessageStatus="undelivered", ErrorCode="30017").may_be_resent


def test_an_unknown_code_is_told_in_general_words_and_is_final() -> None:
    report = parsed(
        MessageSid=SID, MessageStatus="failed", ErrorCode="31999", ChannelStatusMessage="no such thing"
    )
    assert "did not arrive" in report.detail
    assert "no such thing" in report.detail
    assert (report.address_problem, report.may_be_resent) == ("", False)


def test_a_code_beside_what_arrived_says_nothing() -> None:
    report = parsed(MessageSid=SID, MessageStatus="delivered", ErrorCode="30005")
    assert (report.code, report.detail, report.address_problem) == ("", "", "")


@every_row("body", [b"", b"\xff\xfe", b"MessageSid=%00", b"&".join([b"a=1"] * 5_000), b"ErrorCode=9e9"])
def test_garbage_names_no_message(body: bytes) -> None:
    raw = RawMessage(kind="twilio.sms", account="texts", lane="", body=body, received_at=AT)
    assert status.parse(raw).provider_id == ""


# -- forward, never back --------------------------------------------------------------------------------------------------


async def test_a_delivery_is_known_by_its_sid_and_by_our_reference(desk: Texted) -> None:
    _, row, sid = await sent(desk)
    assert (row["state"], row["provider_id"]) == ("sent", sid)
    desk.report(sid, "delivered")
    assert desk.again(row)["state"] == "delivered"


@pytest.mark.slow
async def test_all_orders_of_five_callbacks_end_in_the_same_state_and_none_goes_back(desk: Texted) -> None:
    """120 orders, each with every callback told twice: what has arrived has arrived, and been read."""
    _, row, sid = await sent(desk)
    ranks = ["queued", "sent", "failed", "delivered", "read"]
    received = desk.received(desk.report(sid, "sent"))
    told = {word: _report(sid, word) for word in FORWARD}

    def tell(tx: Tx, order: Sequence[str]) -> list[int]:
        tx.update(schema.outbox, {"id": row["id"]}, state="sent", error=None)
        seen = [1]
        for word in (*order, *order):
            reports.settle(tx, desk.context, received, told[word])
            seen += [ranks.index(state) for (state,) in tx.all(STATE, id=row["id"])]
        return seen

    for order in itertools.permutations(FORWARD):
        seen = desk.store.write_now(functools.partial(tell, order=order))
        assert seen == sorted(seen), order
        assert ranks[seen[-1]] == "read", order


def _report(sid: str, word: str) -> DeliveryReport:
    return parsed(
        MessageSid=sid, MessageStatus=word, **({"ErrorCode": "30007"} if word == "undelivered" else {})
    )


async def test_without_words_of_arrival_every_order_ends_as_failed(desk: Texted) -> None:
    _, row, sid = await sent(desk)
    for order in itertools.permutations(("queued", "sending", "sent", "undelivered")):
        desk.store.write_now(lambda tx: tx.update(schema.outbox, {"id": row["id"]}, state="sent", error=None))
        for word in order:
            desk.report(sid, word, code=30007 if word == "undelivered" else None)
        assert desk.again(row)["state"] == "failed", order


async def test_a_report_about_nothing_of_ours_is_kept_and_changes_nothing(desk: Texted) -> None:
    row = desk.report("SM" + "f" * 32, "delivered")
    assert (row["state"], row["ticket_id"]) == ("automatic", None)
    assert "no message of ours" in row["problem"]


async def test_a_forged_reference_names_nothing(desk: Texted) -> None:
    _, row, _ = await sent(desk)
    number, _, _ = desk.reference(row).partition(".")
    assert desk.report("SM" + "f" * 32, "failed", code=30005, reference=f"{number}.{'a' * 27}")["problem"]
    assert desk.again(row)["state"] == "sent"


async def test_another_account_cannot_report_on_it(desk: Texted) -> None:
    _, row, sid = await sent(desk)
    desk.report(sid, "delivered", account="whatsapp", reference=desk.reference(row))
    assert desk.again(row)["state"] == "sent"


async def test_each_answer_says_how_far_it_has_got_and_why_not_further(desk: Texted) -> None:
    ticket, _, sid = await sent(desk)

    def delivery() -> Any:
        shown = desk.store.read_now(lambda tx: listing.ticket(tx, ticket["ref"]))
        assert shown is not None
        (answer,) = [each for each in shown["conversation"] if each["direction"] == "out"]
        return answer["delivery"]

    assert delivery() == {"state": "sent", "reason": None, "attempts": 1, "next_at": None}
    desk.report(sid, "undelivered", code=30006)
    assert delivery()["state"] == "failed"
    assert "landline" in delivery()["reason"]
    assert "30006" in delivery()["reason"]


async def test_arrival_is_part_of_the_tickets_history(desk: Texted) -> None:
    ticket, _, sid = await sent(desk)
    desk.report(sid, "delivered")
    desk.report(sid, "read")
    desk.report(sid, "delivered")
    events = [each for each in desk.events(ticket) if each.startswith("answer_")]
    assert events == ["answer_delivered", "answer_read"]


# -- what follows a failure -----------------------------------------------------------------------------------------------


async def test_an_answer_that_cannot_arrive_counts_as_not_given(desk: Texted) -> None:
    """The ticket is open again, its agent is told why, and the customer waits for an answer as before."""
    ticket, row, sid = await sent(desk)
    desk.set_status(desk.row("tickets", ticket["id"]), "solved")
    desk.report(sid, "undelivered", code=30005)
    after = desk.row("tickets", ticket["id"])
    assert desk.again(row)["state"] == "failed"
    assert "does not exist" in desk.again(row)["error"]
    assert after["status"] == "open"
    assert after["agent_replied_at"] is None
    assert "delivery_failed" in desk.events(ticket)
    (notice,) = [each for each in desk.sent("ania@desk.example") if "did not reach" in each.text]
    assert JAN in notice.text
    assert "does not exist" in notice.text


async def test_what_follows_a_failure_follows_once(desk: Texted) -> None:
    ticket, _, sid = await sent(desk)
    for _ in range(3):
        desk.report(sid, "failed", code=30005)
        desk.report(sid, "undelivered", code=30005)
    assert desk.events(ticket).count("delivery_failed") == 1


async def test_the_number_is_marked_until_something_comes_from_it(desk: Texted) -> None:
    _, _, sid = await sent(desk)
    desk.report(sid, "undelivered", code=30006)
    (marked,) = desk.rows("identities", "value = :value", value=JAN)
    assert marked["undeliverable_reason"] == "not_textable"
    desk.text("hello again")
    (marked,) = desk.rows("identities", "value = :value", value=JAN)
    assert marked["undeliverable_since"] is None


async def test_a_number_where_it_arrived_is_marked_by_no_late_word(desk: Texted) -> None:
    """Reports come in any order: what arrived refutes that nothing arrives there."""
    ticket = desk.text()
    desk.answer(ticket)
    (sent,) = await desk.deliver_due()
    desk.report(sent.sid, "delivered")
    desk.report(sent.sid, "undelivered", code=30005)
    assert desk.compose(ticket, "Hello").warning is None


async def test_a_report_that_is_told_twice_is_no_line_of_the_tickets_history(desk: Texted) -> None:
    """Twilio tells a status again when our answer was slow: no agent has to read of that."""
    ticket = desk.text()
    desk.answer(ticket)
    (sent,) = await desk.deliver_due()
    fields = {"MessageSid": sent.sid, "MessageStatus": "delivered", "To": JAN, "From": OWN}
    states = [desk.take("texts", status.PATH, fields, keys=("one",))["state"] for _ in range(2)]
    assert states == ["automatic", "duplicate"]
    assert "received_again" not in desk.events(ticket)


async def test_a_filter_is_not_the_numbers_fault(desk: Texted) -> None:
    _, _, sid = await sent(desk)
    desk.report(sid, "undelivered", code=30007)
    (identity,) = desk.rows("identities", "value = :value", value=JAN)
    assert identity["undeliverable_since"] is None


async def test_an_answer_that_arrives_after_all_was_given(desk: Texted) -> None:
    """A carrier says first that it failed and then that it arrived."""
    ticket, row, sid = await sent(desk)
    desk.report(sid, "undelivered", code=30007)
    assert desk.row("tickets", ticket["id"])["agent_replied_at"] is None
    desk.report(sid, "delivered")
    assert desk.again(row)["state"] == "delivered"
    assert desk.row("tickets", ticket["id"])["agent_replied_at"] is not None


def holding(desk: Texted) -> OptOut | None:
    return desk.store.read_now(lambda tx: opt_outs.holding(tx, (Identity("phone", JAN),), "sms"))


async def test_stop_that_only_twilio_knows_goes_into_the_ledger_from_a_refusal(desk: Texted) -> None:
    """21610 as the answer to the request: not tried again, and nothing is sent there any more."""
    ticket = desk.text()
    row = desk.answer(ticket)
    desk.provider.opted_out.add((OWN, JAN))
    await desk.deliver_due()
    assert desk.again(row)["state"] == "failed"
    found = holding(desk)
    assert found is not None
    assert found.how == "provider"
    asked = len(desk.provider.asked)
    with pytest.raises(Exception, match="opted out"):
        desk.answer(ticket, "once more")
    await desk.deliver_due()
    assert len(desk.provider.asked) == asked


async def test_stop_that_only_a_callback_tells_goes_into_the_ledger_once(desk: Texted) -> None:
    _, _, sid = await sent(desk)
    desk.report(sid, "failed", code=21610)
    desk.report(sid, "undelivered", code=21610)
    assert holding(desk) is not None
    assert len(desk.rows("opt_outs")) == 1


async def test_what_may_arrive_later_is_sent_again_and_then_given_up(desk: Texted) -> None:
    """A phone that is off: three tries, of which each is another message to Twilio."""
    ticket, row, _ = await sent(desk)
    for tries, wait_minutes in ((1, 5), (2, 60)):
        desk.report(desk.provider.sent[-1].sid, "undelivered", code=30003)
        assert desk.again(row)["state"] == "queued"
        assert len(await desk.deliver_due()) == tries
        desk.advance(minutes=wait_minutes)
        assert len(await desk.deliver_due()) == tries + 1
    desk.report(desk.provider.sent[-1].sid, "undelivered", code=30003)
    assert desk.again(row)["state"] == "failed"
    assert desk.events(ticket).count("delivery_delayed") == 2
    assert desk.events(ticket).count("delivery_failed") == 1


async def test_late_words_about_an_earlier_try_move_nothing_unless_it_arrived(desk: Texted) -> None:
    _, row, first = await sent(desk)
    desk.report(first, "undelivered", code=30003, reference=desk.reference(row))
    for word in ("queued", "sent", "undelivered", "failed"):
        desk.report(first, word, code=30003 if "fail" in word else None, reference=desk.reference(row))
        assert desk.again(row)["state"] == "queued"
    desk.report(first, "delivered", reference=desk.reference(row))
    assert desk.again(row)["state"] == "delivered"
    desk.advance(minutes=10)
    assert len(await desk.deliver_due()) == 1


# -- crashes --------------------------------------------------------------------------------------------------------------


class Gone(BaseException):
    """The process ends, as with SIGKILL."""


def crash_after_taken(desk: Texted) -> Any:
    """An outbox that dies between Twilio's answer and our note of it."""
    sender = desk.outbox()
    deliver = desk.senders["texts"].deliver

    async def dies(outbound: Any) -> Any:
        await deliver(outbound)
        raise Gone

    desk.senders["texts"].deliver = dies  # type: ignore[method-assign]
    return sender


async def test_a_crash_between_the_answer_and_our_note_sends_nothing_twice(desk: Texted) -> None:
    ticket = desk.text()
    row = desk.answer(ticket)
    with pytest.raises(Gone):
        await desk.deliver_due(crash_after_taken(desk))
    assert (desk.again(row)["state"], len(desk.provider.sent)) == ("queued", 1)
    assert attempts.is_unknown(desk.again(row)["error"])
    await desk.close()
    desk.senders = desk.new_senders()
    asked = len(desk.provider.asked)
    await desk.deliver_due()
    assert len(desk.provider.asked) == asked, "it is left alone until the provider lists it for certain"
    desk.advance(seconds=90)
    assert len(await desk.deliver_due()) == 1
    assert desk.again(row)["provider_id"] == desk.provider.sent[0].sid
    assert desk.again(row)["state"] == "sent"
    assert [event for event, _ in desk.told] == ["message_found_sent"]


@pytest.mark.parametrize(
    ("word", "code", "state"), [("delivered", None, "delivered"), ("undelivered", 30005, "failed")]
)
async def test_what_became_of_it_while_nobody_knew_whose_it_was_is_asked_for(
    desk: Texted, word: str, code: int | None, state: str
) -> None:
    """The reconciler brings its status, without our reference, before we have found it again."""
    ticket = desk.text()
    row = desk.answer(ticket)
    with pytest.raises(Gone):
        await desk.deliver_due(crash_after_taken(desk))
    (text,) = desk.provider.sent
    text.status, text.code = word, code
    assert desk.report(text.sid, word, code=code)["problem"]
    await desk.close()
    desk.senders = desk.new_senders()
    desk.advance(seconds=90)
    await desk.deliver_due()
    assert desk.again(row)["state"] == state
    assert ("delivery_failed" in desk.events(ticket)) == (state == "failed")


async def test_a_crash_before_the_request_sends_it_once(desk: Texted) -> None:
    """The try was written down, nothing was asked: the look-up finds nothing, and it is sent."""
    row = desk.answer(desk.text())
    desk.store.write_now(lambda tx: attempts.begin(tx, row["id"], 1))
    desk.advance(seconds=90)
    assert len(await desk.deliver_due()) == 1
    assert desk.again(row)["state"] == "sent"


async def test_two_daemons_that_look_at_once_send_it_once(desk: Texted) -> None:
    """Both have seen it queued: who is second to begin the try sends nothing, and has not used it up."""
    row = desk.answer(desk.text())
    daemons = [desk.outbox(), desk.outbox()]
    looks = [(daemon, await daemon._due()) for daemon in daemons]
    sends = [daemon._send(queued) for daemon, (rows, _) in looks for queued in rows]
    for daemon in daemons:
        await daemon._free.acquire()
    await asyncio.gather(*sends)
    assert len(desk.provider.sent) == 1
    assert (desk.again(row)["state"], desk.again(row)["attempts"]) == ("sent", 1)


async def test_the_same_words_twice_are_two_messages_after_a_crash_too(desk: Texted) -> None:
    """What another row is known by is never taken for this one."""
    ticket = desk.text()
    first, second = desk.answer(ticket, "ok"), desk.answer(ticket, "ok")
    await desk.deliver_due()
    desk.store.write_now(
        lambda tx: tx.update(
            schema.outbox,
            {"id": second["id"]},
            state="queued",
            next_at=tx.now,
            provider_id=None,
            error=attempts.UNDER_WAY,
        )
    )
    await desk.deliver_due()
    assert len(desk.provider.sent) == 2
    ids = {desk.again(each)["provider_id"] for each in (first, second)}
    assert ids == {each.sid for each in desk.provider.sent}


async def test_while_twilio_cannot_be_asked_nothing_is_sent(desk: Texted) -> None:
    row = desk.answer(desk.text())
    desk.store.write_now(lambda tx: attempts.begin(tx, row["id"], 1))
    desk.advance(seconds=90)
    desk.provider.is_down = True
    await desk.deliver_due()
    assert desk.provider.asked_for("Messages") == []
    assert attempts.is_unknown(desk.again(row)["error"])
    desk.provider.is_down = False
    desk.advance(hours=1)
    assert len(await desk.deliver_due()) == 1


async def test_a_callback_that_comes_before_our_note_finds_its_message(desk: Texted) -> None:
    """Its reference says which it is, and the late note takes nothing back."""
    row = desk.answer(desk.text())
    deliver = desk.senders["texts"].deliver

    async def faster(outbound: Any) -> Any:
        delivered = await deliver(outbound)
        desk.report(delivered.provider_id, "delivered", reference=outbound.reference)
        return delivered

    desk.senders["texts"].deliver = faster  # type: ignore[method-assign]
    await desk.deliver_due()
    assert desk.again(row)["state"] == "delivered"
    assert desk.again(row)["provider_id"] == desk.provider.sent[0].sid


async def test_a_callback_that_fails_before_our_note_is_not_undone_by_it(desk: Texted) -> None:
    row = desk.answer(desk.text())
    deliver = desk.senders["texts"].deliver

    async def faster(outbound: Any) -> Any:
        delivered = await deliver(outbound)
        desk.report(delivered.provider_id, "undelivered", code=30003, reference=outbound.reference)
        return delivered

    desk.senders["texts"].deliver = faster  # type: ignore[method-assign]
    await desk.deliver_due()
    assert desk.again(row)["state"] == "queued"
    assert desk.again(row)["provider_id"] is None


async def test_an_operator_sends_a_failed_one_again_and_old_reports_do_not_touch_it(desk: Texted) -> None:
    _, row, first = await sent(desk)
    desk.report(first, "failed", code=30007)
    desk.store.write_now(lambda tx: outbox.retry(tx, row["id"]))
    desk.report(first, "undelivered", code=30007, reference=desk.reference(row))
    assert desk.again(row)["state"] == "queued"
    assert len(await desk.deliver_due()) == 2
    assert desk.again(row)["provider_id"] == desk.provider.sent[-1].sid


async def test_what_a_number_may_not_send_yet_waits_for_its_turn_without_a_try(desk: Texted) -> None:
    desk.senders["texts"] = send.Sender("texts", desk.options)
    ticket = desk.text()
    rows = [desk.answer(ticket, f"part {number}") for number in range(15)]
    await desk.deliver_due()
    waiting = [desk.again(row) for row in rows if desk.again(row)["state"] == "queued"]
    assert 0 < len(waiting) < 15
    assert {row["attempts"] for row in waiting} == {0}
    assert all(row["next_at"] > desk.store.now_us() for row in waiting)
