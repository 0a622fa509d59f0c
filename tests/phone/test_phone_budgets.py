"""What machines may spend: taken by one statement, told at once, and people are not silenced."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
import pytest

from channels.contract import Address, OutboundMessage
from intake import admitting, budgets, composing, outgoing, tickets
from intake.model import Ticket
from intake.outbound import Draft
from intake.sections import Phone
from intake.store import schema
from intake.store.engine import Tx
from tests.phone.consent_desk import BASE, ConsentDesk
from tests.phone.texting import JAN

ANSWERED = BASE.replace("reply: {email: received}", "reply: {email: received, sms: received}").replace(
    "\nconversations:\n  sms: {join: open, reopen_within: 3d}", "\nconversations:"
)


@pytest.fixture
def open_desk(open_as: Callable[..., Any]) -> Callable[..., ConsentDesk]:
    return partial(open_as, ConsentDesk, quiet_hours="")


def asked(desk: ConsentDesk, number: str = JAN) -> dict[str, Any]:
    return desk.ticket(desk.say("My printer is on fire", number))


def alarms(desk: ConsentDesk) -> list[dict[str, Any]]:
    return [fields for event, fields in desk.told if event == "phone_budget_used_up"]


def test_what_is_over_the_budget_of_a_number_is_withheld(open_desk: Callable[..., ConsentDesk]) -> None:
    """It stays in the outbox, with the reason, and the alarm is raised once."""
    desk = open_desk(budget_per_number=2)
    ticket = asked(desk)
    for number in range(4):
        desk.send(ticket, f"{number}")
    assert desk.texts_to() == ["0", "1"]
    withheld = desk.rows("outbox", "state = 'withheld'")
    assert len(withheld) == 2
    assert all("not paid for" in row["error"] for row in withheld)
    assert [each["budget"] for each in alarms(desk)] == ["phone_number"]


def test_what_is_refused_later_is_told_when_it_is_decided(open_desk: Callable[..., ConsentDesk]) -> None:
    """Once a budget is used up, nothing more is queued."""
    desk = open_desk(budget_per_number=1)
    ticket = asked(desk)
    desk.send(ticket)
    desk.deliver()
    assert desk.send(ticket)["state"] == "withheld"


def test_numbers_that_begin_alike_share_a_budget(open_desk: Callable[..., ConsentDesk]) -> None:
    """+48 600 and +48 601 do not."""
    desk = open_desk(budget_per_prefix=2)
    for number in ("+48600100201", "+48600100202", "+48600100203", "+48601100204"):
        desk.send(asked(desk, number), to=number)
    desk.deliver()
    assert [each.to[0].address for each in desk.far.taken] == ["+48600100201", "+48600100202", "+48601100204"]


def test_there_is_one_for_the_day(open_desk: Callable[..., ConsentDesk]) -> None:
    """And another one the day after; what was withheld may be sent then."""
    desk = open_desk(budget_per_day=1)
    first, second = asked(desk), asked(desk, "+48601100204")
    desk.send(first)
    row = desk.send(second, to="+48601100204")
    desk.deliver()
    assert len(desk.far.taken) == 1
    desk.advance(days=1, seconds=1)
    assert desk.retry(row["id"])
    desk.deliver()
    assert len(desk.far.taken) == 2


def test_a_retry_of_an_operator_does_not_get_past_it(open_desk: Callable[..., ConsentDesk]) -> None:
    desk = open_desk(budget_per_number=0)
    row = desk.send(asked(desk))
    assert desk.retry(row["id"])
    assert desk.texts_to() == []
    assert desk.row("outbox", row["id"])["state"] == "withheld"


def test_a_message_that_is_tried_again_is_paid_for_once(open_desk: Callable[..., ConsentDesk]) -> None:
    """The provider's trouble uses up nobody's budget."""
    desk = open_desk(budget_per_number=1)
    row = desk.send(asked(desk))
    desk.deliver()
    desk.store.write_now(lambda tx: tx.update(schema.outbox, {"id": row["id"]}, state="queued", next_at=0))
    outbound = msgspec.json.decode(row["payload"], type=OutboundMessage)
    verdict = desk.store.write_now(lambda tx: admitting.admit(tx, desk.context, row["id"], outbound))
    assert verdict is not None
    assert verdict.is_allowed


def test_what_failed_before_it_was_paid_for_meets_the_budget(open_desk: Callable[..., ConsentDesk]) -> None:
    """A file that could not be read, an account that was missing for an hour: that try has counted nothing."""
    desk = open_desk(budget_per_number=1)
    ticket = asked(desk)
    rows = [desk.send(ticket, f"{number}") for number in range(3)]
    for row in rows:
        failed_once(desk, row)
    assert len(desk.texts_to()) == 1


def failed_once(desk: ConsentDesk, row: dict[str, Any]) -> None:
    desk.store.write_now(lambda tx: tx.update(schema.outbox, {"id": row["id"]}, attempts=1))


def test_segments_are_counted(open_desk: Callable[..., ConsentDesk]) -> None:
    """That is what a text is paid by: of four segments there is room for one text of three, and one of one."""
    desk = open_desk(budget_per_number=4)
    ticket = asked(desk)
    for text in ("ł" * 140, "ł" * 140, "short", "short"):
        desk.send(ticket, text)
    assert [len(text) for text in desk.texts_to()] == [140, 5]


def test_where_texts_are_dear_each_counts_as_several(open_desk: Callable[..., ConsentDesk]) -> None:
    """What the longest beginning says; other numbers count once."""
    desk = open_desk(budget_per_day=10, cost_factors={"+48": 2, "+48600": 4})
    for number in ("+48600100201", "+48601100202", "+48600100203", "+48601100204"):
        desk.send(asked(desk, number), to=number)
    assert [each.to[0].address[:6] for each in desk.deliver()] == ["+48600", "+48601", "+48600"]


def test_pictures_count_as_three(open_desk: Callable[..., ConsentDesk]) -> None:
    desk = open_desk(budget_per_number=5)
    ticket = asked(desk)
    for _ in range(2):
        desk.send(ticket, extra={"media": ["https://help.example.com/files/1"]})
    assert len(desk.texts_to()) == 1


def test_whatsapp_names_share_no_beginning(open_desk: Callable[..., ConsentDesk]) -> None:
    """They are no numbers: nobody pumps them, and a hundred customers do not use up one budget."""
    desk = open_desk(budget_per_prefix=1)
    for name in ("PL.1502576394655843", "PL.1502576394655844"):
        desk.send(asked(desk), to=name, medium="whatsapp", automatic=None, cause=f"agent:ania:{name}")
    assert len(desk.deliver()) == 2


def test_a_look_counts_nothing_and_writes_nothing(open_desk: Callable[..., ConsentDesk]) -> None:
    """Composing an answer reads only, also when the budget is used up."""
    desk = open_desk(budget_per_number=0)
    ticket = asked(desk)
    composed = desk.store.read_now(
        lambda tx: composing.compose(tx, desk.context, ticket["ref"], text="We are on it.")
    )
    assert "not paid for" in (composed.reason or "")
    assert alarms(desk) == []


def test_people_may_go_on_until_twice_as_much(open_desk: Callable[..., ConsentDesk]) -> None:
    """Whoever makes a machine talk does not silence the desk; and a stolen password is not a blank cheque."""
    desk = open_desk(budget_per_number=2)
    ticket = asked(desk)
    for _ in range(3):
        desk.send(ticket)
    desk.deliver()
    for number in range(3):
        desk.send(ticket, automatic=None, cause=f"agent:ania:{number}")
    desk.deliver()
    assert len(desk.far.taken) == 4


def test_the_alarm_is_said_again_after_an_hour(open_desk: Callable[..., ConsentDesk]) -> None:
    desk = open_desk(budget_per_number=0)
    ticket = asked(desk)
    desk.send(ticket)
    desk.send(ticket)
    assert len(alarms(desk)) == 1
    desk.advance(hours=1, minutes=1)
    desk.send(ticket)
    assert len(alarms(desk)) == 2


def test_what_was_counted_is_forgotten(open_desk: Callable[..., ConsentDesk]) -> None:
    """Counters name numbers: they go when they count nothing any more."""
    desk = open_desk()
    desk.send(asked(desk))
    desk.deliver()
    desk.advance(days=1, hours=1)
    desk.store.write_now(budgets.forget)
    assert desk.rows("counters", "name LIKE 'phone_%'") == []


@pytest.mark.parametrize(
    ("number", "digits", "prefix"),
    [("+48600100200", 3, "+48600"), ("+12025550123", 3, "+1202"), ("+37120123456", 2, "+37120"), ("7200", 3, "7200")],
)  # fmt: skip
def test_a_prefix_is_the_country_and_what_follows(number: str, digits: int, prefix: str) -> None:
    assert budgets.prefix_of(number, digits) == prefix


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_ten_thousand_texts_to_premium_prefixes_cost_at_most_the_budget(
    open_desk: Callable[..., ConsentDesk],
) -> None:
    """Each to a number of its own; the alarm comes within a minute of the first one that is held back."""
    _pump(open_desk(to_strangers=True, budget_per_prefix=100, budget_per_day=150), 10_000)


@pytest.mark.slow
def test_hundreds_of_texts_to_premium_prefixes_cost_at_most_the_budget(
    open_desk: Callable[..., ConsentDesk],
) -> None:
    """The same, smaller."""
    _pump(open_desk(to_strangers=True, budget_per_prefix=40, budget_per_day=60), 400)


def _pump(desk: ConsentDesk, texts: int) -> None:
    """Answer so many numbers of three prefixes, ten in a second, while the outbox delivers every ten seconds."""
    opened = asked(desk)["id"]
    ticket = desk.store.read_now(lambda tx: tickets.load(tx, opened))
    assert ticket is not None
    alarm_at = held_at = None
    for start in range(0, texts, 100):
        desk.store.write_now(lambda tx, start=start: _answer(tx, desk, ticket, start))  # type: ignore[misc]
        desk.advance(seconds=10)
        desk.deliver()
        held_at = held_at or (desk.clock() if desk.rows("outbox", "state = 'withheld' LIMIT 1") else None)
        alarm_at = alarm_at or (desk.clock() if alarms(desk) else None)
    limits: Phone = desk.context.phone
    went = [each.to[0].address for each in desk.far.taken]
    assert len(went) == limits.budget_per_day
    assert max(Counter(number[:6] for number in went).values()) <= limits.budget_per_prefix
    assert len(desk.rows("outbox", "state = 'withheld'")) == texts - limits.budget_per_day
    assert alarm_at is not None
    assert held_at is not None
    assert (alarm_at - held_at).total_seconds() < 60


def _answer(tx: Tx, desk: ConsentDesk, ticket: Ticket, start: int) -> None:
    for number in range(start, start + 100):
        to = f"+48{600 + number % 3}{number:06d}"
        draft = Draft(
            cause=f"message:{number}", action="reply:received", to=Address(to), subject="", text="We have it.",
            author="rule:default", automatic="auto-replied", medium="sms",
        )  # fmt: skip
        outgoing.send(tx, desk.context, ticket, draft)


@pytest.mark.slow
def test_whoever_makes_a_rule_answer_meets_the_budget(open_desk: Callable[..., ConsentDesk]) -> None:
    """The whole way: texts that come in, tickets, a rule's answer to each."""
    desk = open_desk(rules=ANSWERED, budget_per_prefix=10)
    for number in range(14):
        desk.say("Win a prize!", f"+48600{number:06d}")
    desk.deliver()
    assert len(desk.far.taken) == 10
    assert len(desk.rows("tickets")) == 14
    assert len(alarms(desk)) == 1
