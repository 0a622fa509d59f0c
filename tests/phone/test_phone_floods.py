"""A flood from one sender is one ticket."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from intake import floods
from tests.domain.world import RULES
from tests.phone.consent_desk import ConsentDesk
from tests.phone.texting import JAN

EVA = "+48600100999"


@pytest.fixture
def open_desk(open_as: Callable[..., Any]) -> Callable[..., ConsentDesk]:
    return partial(open_as, ConsentDesk, rules=RULES, flood_messages=3)


@pytest.fixture
def desk(open_desk: Callable[..., ConsentDesk]) -> ConsentDesk:
    """A desk where each text is a ticket of its own, and more than three in ten minutes are a flood."""
    return open_desk()


def texts(desk: ConsentDesk, count: int, sender: str = JAN) -> list[int]:
    return [desk.say(f"Text {number}", sender)["ticket_id"] for number in range(count)]


def test_what_is_too_much_joins_the_newest_ticket(desk: ConsentDesk) -> None:
    """Nothing is lost: each text is a message there, and the ticket says that it is a flood, once."""
    found = texts(desk, 8)
    assert len(set(found)) == 3
    assert set(found[3:]) == {found[2]}
    ticket = desk.row("tickets", found[2])
    assert ticket["messages"] == 6
    assert desk.events(ticket).count("flood") == 1
    assert [event for event, _ in desk.told].count("phone_flood") == 1


def test_another_sender_is_nobodys_flood(desk: ConsentDesk) -> None:
    texts(desk, 5)
    assert len(set(texts(desk, 2, EVA))) == 2


def test_after_the_minutes_texts_are_tickets_again(desk: ConsentDesk) -> None:
    texts(desk, 5)
    desk.advance(minutes=11)
    assert len(set(texts(desk, 2))) == 2


def test_without_an_open_ticket_it_opens_one(desk: ConsentDesk) -> None:
    """What was solved meanwhile is not written into for ever."""
    found = texts(desk, 3)
    for each in found:
        desk.set_status(desk.row("tickets", each), "solved")
    assert desk.say("One more")["ticket_id"] not in found


def test_it_may_be_switched_off(open_desk: Callable[..., ConsentDesk]) -> None:
    assert len(set(texts(open_desk(flood_messages=0), 5))) == 5


def test_mail_is_never_a_flood_of_texts(desk: ConsentDesk) -> None:
    """It has its own limits."""
    found = [desk.receive("jan@customer.example")["ticket_id"] for _ in range(5)]
    assert len(set(found)) == 5


def test_what_was_counted_is_forgotten(desk: ConsentDesk) -> None:
    texts(desk, 5)
    desk.advance(days=2)
    desk.store.write_now(floods.forget)
    assert desk.rows("counters", "name LIKE 'phone_flood%'") == []
