"""Before WhatsApp's 24 hours end without an answer: who is told, to the second, and who is not."""

from collections.abc import Callable

import msgspec
import pytest

from intake import merging
from intake.sections import Phone
from tests.domain.world import REPLIES
from tests.phone.texted import EVA, JAN, REPLYING, Texted

CHAT = f"whatsapp:{JAN}"
HOUR = 3_600
# A world keeps what a text of rules was read as, replies and all: this one is nobody else's.
QUIET = "# nudges\n" + REPLYING.replace("reply: received", "reply: {email: received}")


@pytest.fixture
def desk(texting: Callable[..., Texted], monkeypatch: pytest.MonkeyPatch) -> Texted:
    still_on_it = "Subject: x\nWe are still on it. Write back to go on.\n"
    monkeypatch.setitem(REPLIES, ("still_on_it", "en"), still_on_it)
    made = texting(rules=QUIET)
    told(made, hours=1)
    return made


def told(desk: Texted, *, hours: float, reply: str = "", quiet_hours: str = "") -> None:
    phone = Phone(quiet_hours=quiet_hours, whatsapp_nudge_hours=hours, whatsapp_nudge_reply=reply)
    desk.context = msgspec.structs.replace(desk.context, phone=phone)


def nudges(desk: Texted) -> list[str]:
    """The notices that a window closes."""
    return [each.text for each in desk.sent() if "WhatsApp's 24 hours on" in each.text]


def texts(desk: Texted) -> list[str]:
    return [each.text.strip() for each in desk.sent(JAN)]


@pytest.mark.parametrize(("after_s", "is_told"), [(23 * HOUR - 1, False), (23 * HOUR, True)])
async def test_the_assignee_is_told_an_hour_before_the_end(
    desk: Texted, *, after_s: int, is_told: bool
) -> None:
    ticket = desk.text(sender=CHAT)
    desk.advance(seconds=after_s)
    desk.fire_due()
    assert bool(nudges(desk)) == is_told
    assert ("window_closes" in desk.events(ticket)) == is_told


async def test_the_notice_goes_to_whose_ticket_it_is_and_says_how_long_there_is(desk: Texted) -> None:
    ticket = desk.text(sender=CHAT)
    desk.advance(hours=23)
    desk.fire_due()
    (text,) = nudges(desk)
    assert f"on {ticket['ref']} end at" in text
    assert "in 60 min, without an answer" in text
    (sent,) = [each for each in desk.sent() if "WhatsApp's 24 hours on" in each.text]
    assert sent.to[0].address.startswith(desk.row("tickets", ticket["id"])["agent"])


@pytest.mark.parametrize(
    ("after_s", "is_told"), [(24 * HOUR - 1, True), (24 * HOUR, False), (24 * HOUR + 1, False)]
)
async def test_after_a_downtime_it_is_told_only_while_the_window_is_open(
    desk: Texted, *, after_s: int, is_told: bool
) -> None:
    """23:59:59 and 24:00:01: what is over is told to nobody."""
    desk.text(sender=CHAT)
    desk.advance(seconds=after_s)
    desk.fire_due()
    assert bool(nudges(desk)) == is_told


async def test_nobody_is_told_when_it_is_off(desk: Texted) -> None:
    """Off by default, and no timer is set."""
    told(desk, hours=0)
    desk.text(sender=CHAT)
    assert Phone().whatsapp_nudge_hours == 0
    assert desk.rows("timers", "kind = 'window'") == []


async def test_nobody_is_told_when_it_was_switched_off_since(desk: Texted) -> None:
    desk.text(sender=CHAT)
    told(desk, hours=0)
    desk.advance(hours=23)
    desk.fire_due()
    assert nudges(desk) == []


async def test_nobody_is_told_of_what_is_answered(desk: Texted) -> None:
    ticket = desk.text(sender=CHAT)
    desk.advance(hours=22, minutes=59, seconds=59)
    desk.answer(ticket)
    desk.advance(seconds=1)
    desk.fire_due()
    assert nudges(desk) == []


async def test_a_question_after_the_answer_waits_again(desk: Texted) -> None:
    ticket = desk.text(sender=CHAT)
    desk.advance(hours=1)
    desk.answer(ticket)
    desk.advance(hours=1)
    desk.text("and now?", sender=CHAT)
    desk.advance(hours=22, minutes=59, seconds=59)
    desk.fire_due()
    assert nudges(desk) == []
    desk.advance(seconds=1)
    desk.fire_due()
    assert len(nudges(desk)) == 1


@pytest.mark.parametrize("status", ["solved", "closed"])
async def test_nobody_is_told_of_what_is_done(desk: Texted, status: str) -> None:
    ticket = desk.text(sender=CHAT)
    desk.set_status(ticket, status)
    desk.advance(hours=23)
    desk.fire_due()
    assert nudges(desk) == []


async def test_each_message_moves_the_one_timer(desk: Texted) -> None:
    ticket = desk.text(sender=CHAT)
    desk.advance(hours=5)
    desk.text("hello?", sender=CHAT)
    pending = desk.rows(
        "timers", "kind = 'window' AND state = 'pending' AND ticket_id = :id", id=ticket["id"]
    )
    assert len(pending) == 1
    desk.advance(hours=18)
    desk.fire_due()
    assert nudges(desk) == []


async def test_a_text_sets_no_timer(desk: Texted) -> None:
    desk.text(sender=EVA)
    assert desk.rows("timers", "kind = 'window'") == []


async def test_it_is_told_once(desk: Texted) -> None:
    desk.text(sender=CHAT)
    desk.advance(hours=23)
    desk.fire_due()
    desk.advance(minutes=30)
    desk.fire_due()
    assert len(nudges(desk)) == 1


async def test_the_customer_is_told_nothing_unless_the_admin_says_so(desk: Texted) -> None:
    desk.text(sender=CHAT)
    desk.advance(hours=23)
    desk.fire_due()
    assert texts(desk) == []


async def test_the_customer_gets_the_admins_words_and_they_count_as_no_answer(desk: Texted) -> None:
    told(desk, hours=1, reply="still_on_it")
    ticket = desk.text(sender=CHAT)
    desk.advance(hours=23)
    desk.fire_due()
    assert texts(desk) == ["We are still on it. Write back to go on."]
    assert desk.row("tickets", ticket["id"])["agent_replied_at"] is None
    (sent,) = await desk.deliver_due()
    assert sent.final == "delivered"


async def test_the_customer_is_left_in_peace_where_the_morning_comes_too_late(desk: Texted) -> None:
    """A text that waited for it would be refused: the window is closed by then."""
    told(desk, hours=1, reply="still_on_it", quiet_hours="00:00-23:59")
    ticket = desk.text(sender=CHAT)
    desk.advance(hours=23)
    desk.fire_due()
    assert texts(desk) == []
    assert len(nudges(desk)) == 1
    assert "reply_withheld" in desk.events(ticket)


def waiting(desk: Texted) -> list[int]:
    """The tickets whose window is watched."""
    return [row["ticket_id"] for row in desk.rows("timers", "kind = 'window' AND state = 'pending'")]


async def test_it_goes_along_when_the_ticket_is_merged_and_back(desk: Texted) -> None:
    ticket, other = desk.text(sender=CHAT), desk.ticket(desk.receive())
    desk.store.write_now(
        lambda tx: merging.merge(tx, desk.context, ticket["ref"], other["ref"], agent="ania")
    )
    assert waiting(desk) == [other["id"]]
    desk.store.write_now(lambda tx: merging.undo(tx, desk.context, ticket["ref"], agent="ania"))
    assert ticket["id"] in waiting(desk)
    desk.advance(hours=23)
    desk.fire_due()
    assert len(nudges(desk)) == 1
