"""WhatsApp's 24 hours: free text within them, a template after them, and words about it in between."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from channels.twilio import send, templates
from channels.twilio.templates import Template
from intake.answering_by_phone import Chosen
from intake.desk import DeskError
from intake.store import schema
from tests.phone.texted import EVA, JAN, OTHER, OWN, REPLYING, STILL, Texted

CHAT = f"whatsapp:{JAN}"


@pytest.fixture
def desk(texting: Callable[..., Texted]) -> Texted:
    return texting(rules=REPLYING.replace("reply: received", "reply: {sms: received}"))


async def test_an_answer_within_24_hours_is_free_text_with_whatsapps_marks(desk: Texted) -> None:
    desk.answer(desk.text(sender=CHAT), "**Water** helps.")
    (sent,) = await desk.deliver_due()
    assert (sent.from_, sent.to, sent.body) == (f"whatsapp:{OWN}", CHAT, "*Water* helps.")
    assert sent.final == "delivered"


@pytest.mark.parametrize(("after_s", "is_open"), [(86_399, True), (86_400, False), (86_401, False)])
async def test_the_window_closes_to_the_second(desk: Texted, *, after_s: int, is_open: bool) -> None:
    ticket = desk.text(sender=CHAT)
    desk.advance(seconds=after_s)
    assert desk.compose(ticket, "Hello").can_send == is_open
    if is_open:
        desk.answer(ticket)
        (sent,) = await desk.deliver_due()
        assert sent.final == "delivered"
        return
    with pytest.raises(DeskError, match="24 hours"):
        desk.answer(ticket)
    await desk.deliver_due()
    assert desk.provider.asked == []


async def test_an_answer_that_waits_beyond_the_end_never_leaves(desk: Texted) -> None:
    """Decided in time, and Twilio was down: not asked again once the window is closed, and the ticket is told."""
    ticket = desk.text(sender=CHAT)
    desk.advance(hours=23, minutes=59)
    row = desk.answer(ticket)
    desk.provider.refuse(20429, times=1)
    await desk.deliver_due()
    assert desk.again(row)["state"] == "queued"
    desk.advance(hours=1)
    asked = len(desk.provider.asked_for("Messages"))
    await desk.deliver_due()
    assert desk.again(row)["state"] == "failed"
    assert len(desk.provider.asked_for("Messages")) == asked
    assert "delivery_failed" in desk.events(ticket)


async def test_the_refusal_names_the_templates_those_in_the_customers_language_first(desk: Texted) -> None:
    ticket = desk.text("Mein Drucker brennt, bitte helfen Sie mir schnell, danke", sender=CHAT)
    desk.advance(hours=25)
    with pytest.raises(DeskError) as refused:
        desk.answer(ticket)
    said = str(refused.value)
    assert "11 Nov 2026 09:00 UTC" in said
    assert 0 < said.index("noch_da (de)") < said.index("still_there (en)")


async def test_a_template_is_sent_outside_the_window_with_its_values(desk: Texted) -> None:
    ticket = desk.text(sender=CHAT)
    desk.advance(hours=25)
    desk.answer(ticket, "", chosen=Chosen("still_there", ("Ms Ito",)))
    (sent,) = await desk.deliver_due()
    assert (sent.content_sid, sent.content_variables, sent.body) == (STILL.sid, '{"1":"Ms Ito"}', "")
    assert sent.final == "delivered"
    (said,) = desk.rows("messages", "direction = 'out'")
    assert said["body"] == "Hello Ms Ito, are you still there?"


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (Chosen("nothing"), "no template 'nothing'"),
        (Chosen("still_there"), "wants 1 values, not 0: the customer's name"),
        (Chosen("still_there", (" \n ",)), "wants a value for the customer's name"),
        (Chosen("still_there", ("a" * 501,)), "longer than 500"),
    ],
)
async def test_a_template_that_does_not_fit_is_refused_with_the_reason(
    desk: Texted, chosen: Chosen, words: str
) -> None:
    ticket = desk.text(sender=CHAT)
    with pytest.raises(DeskError, match=words):
        desk.answer(ticket, "", chosen=chosen)


async def test_templates_are_for_whatsapp_only(desk: Texted) -> None:
    with pytest.raises(DeskError, match="templates are for WhatsApp"):
        desk.answer(desk.text(), "", chosen=Chosen("noch_da"))
    with pytest.raises(DeskError, match="templates are for WhatsApp"):
        desk.answer(desk.ticket(desk.receive()), "", chosen=Chosen("noch_da"))


async def test_a_new_message_opens_the_window_again(desk: Texted) -> None:
    ticket = desk.text(sender=CHAT)
    desk.advance(hours=30)
    assert not desk.compose(ticket, "Hello").can_send
    desk.text("still burning", sender=CHAT)
    assert desk.compose(ticket, "Hello").can_send


async def test_a_text_by_sms_opens_no_window(desk: Texted) -> None:
    ticket = desk.text(sender=CHAT)
    desk.advance(hours=30)
    desk.text("by SMS now")
    composed = desk.compose(ticket, "Hello")
    assert (composed.medium, composed.can_send) == ("whatsapp", False)


async def test_somebody_elses_message_opens_no_window(desk: Texted) -> None:
    ticket = desk.text(sender=CHAT)
    desk.advance(hours=30)
    desk.text("hello", sender=f"whatsapp:{EVA}")
    assert not desk.compose(ticket, "Hello").can_send


async def test_what_the_reconciler_brought_late_opens_the_window_from_when_it_was_sent(desk: Texted) -> None:
    sent_at = (desk.clock() - timedelta(hours=23)).isoformat()
    fields = {
        "MessageSid": "SM" + "9" * 32,
        "From": CHAT,
        "To": f"whatsapp:{OWN}",
        "Body": "hi",
        "NumMedia": "0",
    }
    ticket = desk.ticket(desk.take("whatsapp", "message", fields, by="reconciler", sent_at=sent_at))
    assert desk.compose(ticket, "Hello").can_send
    desk.advance(hours=1, seconds=1)
    assert not desk.compose(ticket, "Hello").can_send


async def test_the_composer_shows_the_end_and_the_templates(desk: Texted) -> None:
    composed = desk.compose(desk.text(sender=CHAT), "Hello")
    assert composed.window_ends_at == "2026-11-11T09:00:00Z"
    assert [each["name"] for each in composed.templates] == ["still_there", "noch_da"]
    assert composed.encoding is None


async def test_a_rule_does_not_write_outside_the_window(desk: Texted) -> None:
    from intake import answering, occasion, tickets
    from routing.actions import Action

    ticket = desk.text(sender=CHAT)
    desk.advance(hours=25)

    def remind(tx: Any) -> None:
        loaded = tickets.locked(tx, ticket["id"])
        happened = occasion.of_ticket(tx, loaded, cause="timer:1")
        answering.reply(tx, desk.context, loaded, Action("reply", "still-there", "later"), happened)

    desk.store.write_now(remind)
    assert await desk.deliver_due() == []
    (event,) = desk.rows("events", "kind = 'reply_withheld'")
    assert "24 hours" in msgspec.json.decode(event["details"])["reason"]


def test_a_template_has_a_place_for_each_of_its_variables() -> None:
    with pytest.raises(ValueError, match="other places"):
        Template(name="x", language="en", sid="HX" + "1" * 32, text="Hello {{2}}", variables=("name",))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": "Still there"}, "like still_there"),
        ({"language": "english"}, "like en"),
        ({"sid": "HX1"}, "HX and 32"),
    ],
)
def test_what_is_wrong_with_a_template_is_one_sentence(wrong: dict[str, str], words: str) -> None:
    right: dict[str, Any] = {"name": "x", "language": "en", "sid": "HX" + "1" * 32, "text": "Hello"}
    with pytest.raises(ValueError, match=words):
        Template(**(right | wrong))


def test_a_price_is_an_amount_and_a_currency() -> None:
    with pytest.raises(ValueError, match=r"like 0\.0079 USD"):
        send.Sending(price="4 cents")


def test_a_name_stands_once_in_each_language() -> None:
    with pytest.raises(ValueError, match="twice in 'en'"):
        templates.check_unique((STILL, STILL))


async def test_another_number_of_the_same_customer_opens_no_window(desk: Texted) -> None:
    ticket = desk.text(sender=CHAT)
    desk.advance(hours=30)
    other = desk.text("hello", sender=f"whatsapp:{EVA}")
    desk.store.write_now(
        lambda tx: tx.update(schema.tickets, {"id": other["id"]}, customer_id=ticket["customer_id"])
    )
    assert not desk.compose(ticket, "Hello").can_send


async def test_a_reaction_stands_on_its_ticket_and_nothing_follows(desk: Texted) -> None:
    """A thumb under "solved" opens nothing again, is thanked for by no rule, and opens no window for free text."""
    ticket = desk.text(sender=CHAT)
    desk.answer(ticket, "It is solved.")
    (sent, *_) = await desk.deliver_due()
    desk.set_status(ticket, "closed")
    queued = len(desk.rows("outbox"))
    desk.advance(hours=25)
    posted = {"MessageType": "reaction", "OriginalRepliedMessageSid": sent.sid}
    after = desk.text("👍", sender=CHAT, **posted)
    assert (after["id"], after["status"], len(desk.rows("outbox"))) == (ticket["id"], "closed", queued)
    assert desk.rows("messages")[-1]["body"] == "Reaction: 👍"
    assert "24 hours" in (desk.compose(after, "Hello").reason or "")


async def test_each_sender_of_ours_has_a_window_of_its_own(desk: Texted) -> None:
    """What was written to one of our numbers today lets nothing leave from another one."""
    desk.provider.senders |= {OTHER}
    old = desk.text(sender=CHAT, to=OTHER)
    desk.advance(hours=25)
    new = desk.text(sender=CHAT)
    assert (desk.compose(new, "Hello").can_send, desk.compose(old, "Hello").can_send) == (True, False)
    with pytest.raises(DeskError, match="24 hours"):
        desk.answer(old)


async def test_stop_by_whatsapp_is_confirmed_by_whatsapp_and_then_nothing_more(desk: Texted) -> None:
    ticket = desk.text(sender=CHAT)
    desk.text("STOP", sender=CHAT)
    (confirmed,) = await desk.deliver_due()
    assert (confirmed.to, confirmed.final) == (CHAT, "delivered")
    with pytest.raises(DeskError, match="opted out"):
        desk.answer(ticket)
