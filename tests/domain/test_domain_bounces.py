"""Reports about mail of ours: what they move, what they leave alone, and which of them nobody believes."""

import base64
import json
from typing import Any

import msgspec
import pytest

from channels.contract import Address, DeliveryFailed, OutboundMessage
from intake import assigning, listing, merging, outbox, undeliverable
from intake.store import schema
from tests.domain.test_domain_acknowledge import PAGING
from tests.domain.world import RULES, SUPPORT, World

JAN = "jan@customer.example"
DAEMON = "MAILER-DAEMON@mx.customer.example"
UNKNOWN = "Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no such user"
LATE = "Action: delayed\nStatus: 4.4.1"


def report(
    *blocks: str, about: str = "", kind: str = "delivery-status", sender: str = DAEMON, number: int = 1
) -> bytes:
    """A report (RFC 3464, 5965, 8098). about: the Message-ID of the mail that came back."""
    returned = f"--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <{about}>\n\n" if about else ""
    content = (
        f"From: {sender}\nTo: {SUPPORT}\nSubject: Undelivered\nDate: Tue, 10 Nov 2026 10:00:00 +0000\nMessage-ID: <r{number}@mx.customer.example>\n"
        f"Content-Type: multipart/report; report-type={kind}; boundary=b\n\n--b\n\nSee below.\n--b\nContent-Type: message/{kind}\n\n"
        "Reporting-MTA: dns; mx\n\n" + "\n\n".join(blocks) + f"\n\n{returned}--b--\n"
    )
    return content.replace("\n", "\r\n").encode()


def block(address: str = JAN, said: str = UNKNOWN) -> str:
    return f"Final-Recipient: rfc822; {address}\n{said}"


@pytest.fixture
def opened(world: World) -> dict[str, Any]:
    """Jan's ticket, which Ania has and has answered."""
    ticket = world.ticket(world.receive(message_id="first@customer.example"))
    world.store.write_now(lambda tx: assigning.assign(tx, world.context, ticket["ref"], "ania", agent="ania"))
    world.reply(ticket)
    return ticket


@pytest.fixture
def answer(world: World, opened: dict[str, Any]) -> OutboundMessage:
    """Ania's answer, sent."""
    sent = next(each for each in world.sent(JAN) if each.automatic is None)
    world.store.write_now(
        lambda tx: tx.update(schema.outbox, {"id": int(sent.id)}, state="sent", next_at=None)
    )
    return sent


def bounce(
    world: World, to: str, content: bytes, *, envelope_sender: str = "", sender: str = DAEMON
) -> dict[str, Any]:
    return world.receive(sender, content=content, to=[to], envelope_sender=envelope_sender)


def now(world: World, ticket: dict[str, Any]) -> dict[str, Any]:
    return world.row("tickets", ticket["id"])


def state(world: World, sent: OutboundMessage) -> str:
    return str(world.row("outbox", int(sent.id))["state"])


def identity(world: World, address: str = JAN) -> dict[str, Any]:
    (found,) = world.rows("identities", "value = :address", address=address)
    return found


# -- an answer that came back -----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["pending", "on_hold", "solved", "closed"])
def test_an_answer_that_came_back_opens_the_ticket(
    world: World, opened: dict[str, Any], answer: OutboundMessage, status: str
) -> None:
    """Whatever it waited for, it waits for somebody of the desk now."""
    world.set_status(opened, status)
    bounce(world, answer.envelope_sender, report(block()))
    assert now(world, opened)["status"] == "open"
    assert state(world, answer) == "failed"


def test_the_customer_counts_as_unanswered(
    world: World, opened: dict[str, Any], answer: OutboundMessage
) -> None:
    """The first response runs on from where it was, and is due when it was."""
    due = world.clocks(opened)["first_response"]
    assert due["state"] == "met"
    world.advance(minutes=10)
    bounce(world, answer.envelope_sender, report(block()))
    assert world.clocks(opened)["first_response"]["state"] == "running"
    assert now(world, opened)["agent_replied_at"] is None


def test_a_solved_ticket_owes_its_first_response_again(
    world: World, opened: dict[str, Any], answer: OutboundMessage
) -> None:
    """Solved by an answer that nobody got: its clocks run when it is open again."""
    world.set_status(opened, "solved")
    world.advance(minutes=10)
    bounce(world, answer.envelope_sender, report(block()))
    clocks = world.clocks(opened)
    assert (clocks["first_response"]["state"], clocks["resolution"]["state"]) == ("running", "running")


def test_the_assignee_is_told_why(world: World, opened: dict[str, Any], answer: OutboundMessage) -> None:
    """One notice, with the address and what its server said."""
    agent = now(world, opened)["agent"]
    before = len(world.sent(f"{agent}@desk.example"))
    bounce(world, answer.envelope_sender, report(block()))
    told = world.sent(f"{agent}@desk.example")[before:]
    assert [
        JAN in each.text and "mailbox_unknown (5.1.1): 550 5.1.1 no such user" in each.text for each in told
    ] == [True]


def test_the_notice_can_be_switched_off(
    world: World, opened: dict[str, Any], answer: OutboundMessage
) -> None:
    """notices.delivery_failed"""
    silent = msgspec.structs.replace(world.context.notices, delivery_failed=False)
    world.context = msgspec.structs.replace(world.context, notices=silent)
    before = len(world.sent())
    bounce(world, answer.envelope_sender, report(block()))
    assert len(world.sent()) == before


def test_rules_hear_of_it_and_have_the_last_word(
    world: World, opened: dict[str, Any], answer: OutboundMessage
) -> None:
    """A rule that sets a status is not overruled."""
    world.use_rules(
        RULES + "react:\n  - {id: lost, on: delivery_failed, then: {tags: [lost], status: on_hold}}\n"
    )
    world.set_status(opened, "solved")
    bounce(world, answer.envelope_sender, report(block()))
    assert (now(world, opened)["status"], now(world, opened)["tags"]) == ("on_hold", '["lost"]')


def test_the_same_failure_told_twice_counts_once(
    world: World, opened: dict[str, Any], answer: OutboundMessage
) -> None:
    """Two reports, one for each try: one event, one notice."""
    bounce(world, answer.envelope_sender, report(block()))
    before = len(world.sent())
    world.set_status(opened, "solved")
    bounce(world, answer.envelope_sender, report(block(), number=2))
    assert (len(world.sent()), world.events(opened).count("delivery_failed")) == (before, 1)
    assert now(world, opened)["status"] == "solved"


def test_a_later_answer_that_stands_keeps_the_ticket_as_it_is(
    world: World, opened: dict[str, Any], answer: OutboundMessage
) -> None:
    """The customer has been told something since."""
    world.advance(minutes=5)
    world.reply(opened, "Once more, to be sure.", status="solved")
    bounce(world, answer.envelope_sender, report(block()))
    assert now(world, opened)["status"] == "solved"


def test_it_stands_in_the_conversation_and_makes_no_ticket(
    world: World, opened: dict[str, Any], answer: OutboundMessage
) -> None:
    """The agent sees what the server wrote; nobody is answered, and no customer is made of a daemon."""
    before = (len(world.rows("tickets")), len(world.rows("customers")), now(world, opened)["messages"])
    row = bounce(world, answer.envelope_sender, report(block()))
    assert (row["state"], row["ticket_id"]) == ("automatic", opened["id"])
    assert (
        len(world.rows("tickets")),
        len(world.rows("customers")),
        now(world, opened)["messages"],
    ) == before
    assert not [each for each in world.sent() if each.to[0].address == DAEMON]


def test_an_answer_that_the_relay_refused_is_treated_alike(
    world: World, opened: dict[str, Any], answer: OutboundMessage
) -> None:
    """The other server said no at once: there is no report, and the same follows."""
    world.set_status(opened, "solved")
    world.store.write_now(lambda tx: tx.update(schema.outbox, {"id": int(answer.id)}, state="queued"))
    failure = DeliveryFailed("550 5.1.1 <jan@customer.example>: User unknown", retryable=False)
    world.store.write_now(
        lambda tx: outbox.note_failed(tx, int(answer.id), failure, 1, None, context=world.context)
    )
    assert now(world, opened)["status"] == "open"
    assert identity(world)["undeliverable_reason"] == "mailbox_unknown"
    assert world.sent("ania@desk.example")


def test_the_operator_hears_of_it(world: World, opened: dict[str, Any], answer: OutboundMessage) -> None:
    """A line of the log and a figure, as of a refusal."""
    heard: list[Any] = []
    world.store.listen(lambda signals: heard.extend(signals.get("told", ())))
    bounce(world, answer.envelope_sender, report(block()))
    reason = "mailbox_unknown (5.1.1): 550 5.1.1 no such user"
    assert heard == [
        (
            "delivery_failed",
            {"outbox": int(answer.id), "account": "support", "ticket": opened["ref"], "reason": reason},
        )
    ]


# -- delayed, acknowledgements, copies --------------------------------------------------------------------------


def test_a_delay_is_an_event_and_no_more(
    world: World, opened: dict[str, Any], answer: OutboundMessage
) -> None:
    """The server still tries."""
    world.set_status(opened, "solved")
    bounce(world, answer.envelope_sender, report(block(said=LATE)))
    assert (state(world, answer), now(world, opened)["status"]) == ("sent", "solved")
    assert "delivery_delayed" in world.events(opened)
    assert identity(world)["undeliverable_since"] is None


def test_an_acknowledgement_that_came_back_opens_nothing(world: World, opened: dict[str, Any]) -> None:
    """Delivery and address are marked; nobody has said anything that could count as not given."""
    (receipt,) = [each for each in world.sent(JAN) if each.automatic]
    world.set_status(opened, "solved")
    before = len(world.sent())
    bounce(world, SUPPORT, report(block(), about=receipt.message_id))
    assert (state(world, receipt), now(world, opened)["status"]) == ("failed", "solved")
    assert identity(world)["undeliverable_reason"] == "mailbox_unknown"
    assert len(world.sent()) == before


def test_a_rule_about_failures_cannot_go_round(
    world: World, opened: dict[str, Any], answer: OutboundMessage
) -> None:
    """What a rule sent because something came back sets off no rule when it comes back, too."""
    world.use_rules(RULES + "react:\n  - {id: again, on: delivery_failed, then: {reply: closing}}\n")
    world.advance(hours=2)  # the acknowledgement used up the hour's one
    bounce(world, answer.envelope_sender, report(block()))
    (second,) = [each for each in world.sent(JAN) if "all is well" in each.text]
    world.advance(hours=2)
    bounce(world, SUPPORT, report(block(), about=second.message_id, number=2))
    assert state(world, second) == "failed"
    assert len([each for each in world.sent(JAN) if "all is well" in each.text]) == 1


def test_a_copy_that_came_back_takes_nothing_back(
    world: World, opened: dict[str, Any], answer: OutboundMessage
) -> None:
    """Whom the answer was for has it; whose copy it was is marked in the history."""
    copied = msgspec.structs.replace(answer, cc=(Address("boss@customer.example"),))
    payload = msgspec.json.encode(copied).decode()
    world.store.write_now(lambda tx: tx.update(schema.outbox, {"id": int(answer.id)}, payload=payload))
    world.set_status(opened, "solved")
    bounce(world, answer.envelope_sender, report(block("boss@customer.example")))
    assert (state(world, answer), now(world, opened)["status"]) == ("sent", "solved")
    assert "copy_failed" in world.events(opened)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Sorry, the mailbox is full.", "failed"), ("It was delayed, we will keep trying.", "sent")],
)
def test_a_report_that_names_nobody_is_about_whom_the_mail_was_for(
    world: World, opened: dict[str, Any], answer: OutboundMessage, text: str, expected: str
) -> None:
    """Our return path says which mail it is."""
    content = world.mail(DAEMON, subject="Mail failure", body=text, headers={})
    bounce(world, answer.envelope_sender, content)
    assert state(world, answer) == expected


def test_whom_the_answer_was_passed_on_to_is_whom_it_was_for(
    world: World, opened: dict[str, Any], answer: OutboundMessage
) -> None:
    """A forwarding of the customer's fails: the report names an address that we have never heard of."""
    bounce(world, answer.envelope_sender, report(block("jan.k@inner.example")))
    assert state(world, answer) == "failed"
    assert identity(world)["undeliverable_reason"] == "mailbox_unknown"


# -- the address ------------------------------------------------------------------------------------------------


def test_the_address_is_shown_as_not_reached_until_mail_comes_from_it(
    world: World, opened: dict[str, Any], answer: OutboundMessage
) -> None:
    """Agents see since when and why."""
    bounce(world, answer.envelope_sender, report(block()))
    shown = world.store.read_now(lambda tx: listing.ticket(tx, opened["ref"]))
    assert shown is not None
    assert shown["customer"]["identities"] == [
        {
            "kind": "email",
            "value": JAN,
            "undeliverable": {"since": "2026-11-10T09:00:00Z", "reason": "mailbox_unknown"},
        }
    ]
    world.receive(subject="I am back")
    assert identity(world)["undeliverable_since"] is None


@pytest.mark.parametrize(
    "said", ["552 5.3.4 message too big", "550 5.7.1 looks like spam", "554 5.7.26 DMARC"]
)
def test_what_was_wrong_with_the_mail_marks_no_address(
    world: World, opened: dict[str, Any], answer: OutboundMessage, said: str
) -> None:
    """The delivery failed all the same."""
    status = said.split()[1]
    bounce(
        world,
        answer.envelope_sender,
        report(block(said=f"Action: failed\nStatus: {status}\nDiagnostic-Code: smtp; {said}")),
    )
    assert (state(world, answer), identity(world)["undeliverable_since"]) == ("failed", None)


# -- notices ----------------------------------------------------------------------------------------------------


def test_a_notice_that_came_back_is_loud_and_its_next_step_is_due_at_once(world: World) -> None:
    """Nobody of the second level was reached: the lead is told now, not in ten minutes."""
    world.use_rules(PAGING)
    ticket = world.ticket(world.receive())
    world.advance(hours=1)
    world.fire_due()
    (notice,) = world.sent("ewa@desk.example")
    world.advance(minutes=1)
    row = bounce(world, SUPPORT, report(block("ewa@desk.example"), about=notice.message_id))
    assert (row["state"], row["ticket_id"]) == ("automatic", ticket["id"])
    assert {"notice_failed", "notice_reached_nobody"} <= set(world.events(ticket))
    world.fire_due()
    assert len(world.sent("tomek@desk.example")) == 1


def test_a_notice_that_another_still_got_asks_for_nothing_more(world: World) -> None:
    """Two were told, one notice came back."""
    rules = PAGING.replace("l2: [ewa]", "l2: [ewa, jola]").replace(
        "  tomek:", "  jola: {email: jola@desk.example}\n  tomek:", 1
    )
    world.use_rules(rules)
    ticket = world.ticket(world.receive())
    world.advance(hours=1)
    world.fire_due()
    (notice,) = world.sent("ewa@desk.example")
    bounce(world, SUPPORT, report(block("ewa@desk.example"), about=notice.message_id))
    assert "notice_failed" in world.events(ticket)
    assert "notice_reached_nobody" not in world.events(ticket)
    world.fire_due()
    assert not world.sent("tomek@desk.example")


def test_a_notice_about_a_ticket_that_was_merged_is_told_where_its_messages_are(
    world: World, opened: dict[str, Any]
) -> None:
    """The newer ticket went into the older one; what comes back later is the older one's."""
    world.advance(minutes=10)
    newer = world.ticket(world.receive(subject="Again", body="Something else is broken, too."))
    notice = next(
        each for each in reversed(world.sent()) if newer["ref"] in each.subject and each.to[0].address != JAN
    )
    agent = notice.to[0].address
    world.store.write_now(
        lambda tx: merging.merge(tx, world.context, newer["ref"], opened["ref"], agent="ania")
    )
    row = bounce(world, SUPPORT, report(block(agent), about=notice.message_id))
    assert (row["state"], row["ticket_id"]) == ("automatic", opened["id"])
    assert "notice_failed" in world.events(opened)


# -- what nobody believes ---------------------------------------------------------------------------------------


def _flip(text: str, at: int) -> str:
    return text[:at] + ("a" if text[at] != "a" else "b") + text[at + 1 :]


def _untouched(world: World, opened: dict[str, Any], answer: OutboundMessage) -> bool:
    return (state(world, answer), now(world, opened)["status"], identity(world)["undeliverable_since"]) == (
        "sent",
        "open",
        None,
    )


def test_no_character_of_the_return_path_may_differ(
    world: World, opened: dict[str, Any], answer: OutboundMessage
) -> None:
    """Each of them altered once: nothing moves, and no ticket is made."""
    local = answer.envelope_sender.partition("@")[0]
    begin = local.index("b.") + 2
    for at in range(begin, len(local)):
        row = bounce(world, _flip(answer.envelope_sender, at), report(block(), number=at))
        assert (row["state"], row["ticket_id"]) == ("automatic", None)
    assert _untouched(world, opened, answer)
    assert len(world.rows("tickets")) == 1


def test_no_character_of_the_message_id_may_differ(
    world: World, opened: dict[str, Any], answer: OutboundMessage
) -> None:
    """A signature stands in it."""
    for at in range(answer.message_id.index("@")):
        bounce(world, SUPPORT, report(block(), about=_flip(answer.message_id, at), number=at))
    assert _untouched(world, opened, answer)


def test_a_message_id_of_a_mail_to_somebody_else_proves_nothing_about_this_address(
    world: World, opened: dict[str, Any], answer: OutboundMessage
) -> None:
    """Whoever was sent a copy of it knows it, too."""
    bounce(world, SUPPORT, report(block("eva@elsewhere.example"), about=answer.message_id))
    assert _untouched(world, opened, answer)
    assert "bounce_unproven" in world.events(opened)


def test_a_message_id_of_the_customers_is_no_mail_of_ours(
    world: World, opened: dict[str, Any], answer: OutboundMessage
) -> None:
    """We hold it, we did not send it."""
    row = bounce(world, SUPPORT, report(block(), about="first@customer.example"))
    assert (row["state"], row["ticket_id"]) == ("automatic", None)
    assert _untouched(world, opened, answer)


def test_a_report_about_nothing_of_ours_is_kept_without_a_ticket(world: World) -> None:
    """Somebody forged our address: the journal has it, and nobody becomes a customer."""
    row = bounce(world, SUPPORT, report(block("victim@elsewhere.example"), about="x@elsewhere.example"))
    assert (row["state"], row["problem"], row["customer_id"]) == (
        "automatic",
        "a report about no mail of ours",
        None,
    )
    assert (world.rows("tickets"), world.rows("customers"), world.sent()) == ([], [], [])


def test_what_only_sounds_like_a_report_becomes_a_ticket(world: World) -> None:
    """No form, no null path, no daemon: it may be a person's, so somebody looks at it."""
    text = f"Your message could not be delivered to the following recipients:\n\n{JAN}: 550 5.1.1 unknown\n"
    row = world.receive(
        "gateway@customer.example", subject="Mail delivery failed", body=text, headers={"Precedence": "bulk"}
    )
    assert row["ticket_id"] is not None


# -- receipts and complaints ------------------------------------------------------------------------------------

READ = f"Final-Recipient: rfc822; {JAN}\nDisposition: manual-action/MDN-sent-manually; displayed"
MDN = "disposition-notification"


def test_a_read_receipt_moves_the_delivery_and_nothing_else(
    world: World, opened: dict[str, Any], answer: OutboundMessage
) -> None:
    """The conversation stays as it is; the history tells it."""
    before = now(world, opened) | {"updated_at": 0}
    row = bounce(
        world,
        SUPPORT,
        report(READ, about=answer.message_id, kind=MDN, sender=JAN),
        envelope_sender=JAN,
        sender=JAN,
    )
    assert (row["state"], row["ticket_id"], state(world, answer)) == ("automatic", opened["id"], "read")
    assert now(world, opened) | {"updated_at": 0} == before
    assert world.events(opened)[-1] == "answer_read"


def test_a_delivery_goes_forward_never_back(
    world: World, opened: dict[str, Any], answer: OutboundMessage
) -> None:
    """Read, then "delivered", then "failed": it was read."""
    bounce(world, SUPPORT, report(READ, about=answer.message_id, kind=MDN))
    for number, said in enumerate(("Action: delivered\nStatus: 2.0.0", UNKNOWN), 2):
        bounce(world, answer.envelope_sender, report(block(said=said), number=number))
    assert state(world, answer) == "read"


def test_what_failed_stays_failed(world: World, opened: dict[str, Any], answer: OutboundMessage) -> None:
    """A receipt that comes after it, of a copy somebody was given, say, brings nothing back."""
    bounce(world, answer.envelope_sender, report(block()))
    bounce(world, SUPPORT, report(READ, about=answer.message_id, kind=MDN, number=2))
    assert state(world, answer) == "failed"


def test_a_report_of_success_says_delivered(
    world: World, opened: dict[str, Any], answer: OutboundMessage
) -> None:
    """A server that was asked for it tells (RFC 3464)."""
    bounce(world, answer.envelope_sender, report(block(said="Action: delivered\nStatus: 2.0.0")))
    assert state(world, answer) == "delivered"


def test_a_receipt_of_a_forged_message_id_moves_nothing(
    world: World, opened: dict[str, Any], answer: OutboundMessage
) -> None:
    """It is kept without a ticket."""
    row = bounce(world, SUPPORT, report(READ, about=_flip(answer.message_id, 20), kind=MDN))
    assert (row["ticket_id"], state(world, answer)) == (None, "sent")


def test_who_calls_our_mail_spam_gets_no_automatic_mail(
    world: World, opened: dict[str, Any], answer: OutboundMessage
) -> None:
    """The next ticket has no acknowledgement; the answer of a person still goes out."""
    complaint = "Feedback-Type: abuse\nOriginal-Rcpt-To: <jan@customer.example>"
    bounce(
        world,
        SUPPORT,
        report(complaint, about=answer.message_id, kind="feedback-report", sender="fbl@provider.example"),
    )
    assert "complained" in world.events(opened)
    world.advance(hours=2)
    before = len(world.sent(JAN))
    second = world.ticket(world.receive(subject="Another thing", body="It is broken, too."))
    assert len(world.sent(JAN)) == before
    withheld = [
        json.loads(row["details"])["reason"]
        for row in world.rows("events", "ticket_id = :id AND kind = 'reply_withheld'", id=second["id"])
    ]
    assert withheld == ["the address has called our mail spam"]
    world.reply(second)
    assert len(world.sent(JAN)) == before + 1


def test_who_got_a_copy_and_complains_speaks_for_nobody_else(
    world: World, opened: dict[str, Any], answer: OutboundMessage
) -> None:
    """The customer goes on to get automatic mail."""
    copied = msgspec.structs.replace(answer, cc=(Address("boss@customer.example"),))
    payload = msgspec.json.encode(copied).decode()
    world.store.write_now(lambda tx: tx.update(schema.outbox, {"id": int(answer.id)}, payload=payload))
    world.receive("boss@customer.example", subject="Who is Jan?")
    complaint = "Feedback-Type: abuse\nOriginal-Rcpt-To: <boss@customer.example>"
    bounce(world, SUPPORT, report(complaint, about=answer.message_id, kind="feedback-report"))
    complained = [
        identity(world, each)["complained_at"] is not None for each in (JAN, "boss@customer.example")
    ]
    assert complained == [False, True]


def test_a_complaint_can_be_taken_back(world: World, opened: dict[str, Any], answer: OutboundMessage) -> None:
    """Feedback-Type: not-spam."""
    for number, kind in enumerate(("abuse", "not-spam"), 1):
        bounce(
            world,
            SUPPORT,
            report(f"Feedback-Type: {kind}", about=answer.message_id, kind="feedback-report", number=number),
        )
    assert not world.store.read_now(lambda tx: undeliverable.has_complained(tx, JAN))


# -- automatic mail ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "days"), [("pending", 0), ("solved", 0), ("solved", 15), ("closed", 0)])
def test_an_absence_note_moves_neither_status_nor_clock(
    world: World, opened: dict[str, Any], answer: OutboundMessage, status: str, days: int
) -> None:
    """It stands in the conversation, also of what is over; nobody answers it, and the customer has said nothing."""
    world.set_status(opened, status)
    world.advance(days=days)
    before, clocks, sent = now(world, opened), world.clocks(opened), len(world.sent())
    headers = {"In-Reply-To": f"<{answer.message_id}>", "Auto-Submitted": "auto-replied"}
    row = world.receive(subject="Automatic reply", body="I am away.", headers=headers)
    assert row["ticket_id"] == opened["id"]
    after = now(world, opened)
    assert {name: after[name] for name in before if name != "updated_at"} == {
        name: before[name] for name in before if name != "updated_at"
    }
    assert (world.clocks(opened), len(world.sent())) == (clocks, sent)


def test_an_encoded_report_is_read_like_a_plain_one(
    world: World, opened: dict[str, Any], answer: OutboundMessage
) -> None:
    """Some relays encode what they pass on."""
    plain = report(block())
    begin = plain.index(b"Reporting-MTA")
    end = plain.index(b"\r\n\r\n--b--")
    encoded = base64.encodebytes(plain[begin:end] + b"\r\n").replace(b"\n", b"\r\n")
    head = plain[:begin].removesuffix(b"\r\n\r\n") + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    bounce(world, answer.envelope_sender, head + encoded + plain[end:])
    assert state(world, answer) == "failed"
