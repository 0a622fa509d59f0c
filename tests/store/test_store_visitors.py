"""Visitors who chat, alike on both engines: presence, what is measured, letters, idle chats, proofs and their races."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from channels.contract import Identity
from intake import (
    aliases,
    answer_times,
    chat_idle,
    chat_letters,
    chats_view,
    identified,
    medium_presence,
    session_lines,
    visitors,
)
from intake.availability import Availabilities
from intake.identified import Vouched
from intake.store.engine import Store, Tx
from routing.calendar import ALWAYS_OPEN
from tests.store.clock import Clock
from tests.web.chat_world import ChatWorld

JAN = "jan@customer.example"


@pytest.fixture
def world(store: Store, tmp_path: Path, clock: Clock) -> ChatWorld:
    return ChatWorld(store, tmp_path, clock)


def test_presence_of_media_is_said_kept_and_ends(world: ChatWorld) -> None:
    def say(presence: Any, until: int | None = None) -> None:
        world.store.write_now(
            lambda tx: medium_presence.say(tx, "ania", "chat", presence, by="ania", until_us=until)
        )

    hour_later = world.store.now_us() + 3_600_000_000
    say("busy", hour_later)
    assert world.store.read_now(medium_presence.next_end) == hour_later
    assert world.store.read_now(lambda tx: medium_presence.of_agent(tx, "ania")).keys() == {"chat"}
    world.advance(hours=1)
    assert world.store.read_now(lambda tx: medium_presence.of_agent(tx, "ania")) == {}
    say("away")
    say("available")
    assert world.store.read_now(medium_presence.next_end) is None


def test_first_answers_are_measured(world: ChatWorld) -> None:
    for number in range(5):
        page = world.visitor(chr(ord("B") + number) * 42 + "A", address=f"192.0.2.{number}")
        page.write()
        ticket = world.rows("tickets", "1 = 1 ORDER BY id DESC")[0]
        world.advance(minutes=2)
        world.reply(ticket)
    found = world.store.read_now(
        lambda tx: answer_times.lately(tx, ALWAYS_OPEN, medium="chat", team="support")
    )
    assert found.while_open == (120, 120)
    there = Availabilities(lambda: world.context)
    assert world.store.read_now(lambda tx: there.of_account(tx, "shop")).wait_s == (120, 120)


def test_letters_and_idle_chats_are_due_and_done_once(world: ChatWorld) -> None:
    page = world.visitor()
    page.say("contact", email=JAN, name="Jan")
    page.write()
    world.reply(world.only_ticket)
    now_us = world.store.now_us()
    assert world.store.read_now(chat_letters.next_due) == now_us + 5 * 60_000_000
    assert world.store.read_now(chat_idle.next_due) == now_us + 30 * 60_000_000
    world.advance(minutes=31)
    assert world.run_clockworks() == (1, 1)
    assert world.run_clockworks() == (0, 0)
    assert [world.store.read_now(each.next_due) for each in (chat_letters, chat_idle)] == [None, None]


def test_a_letter_of_a_chat_that_was_forgotten_is_not_due_for_ever(world: ChatWorld) -> None:
    page = world.visitor()
    page.say("contact", email=JAN, name="Jan")
    page.write()
    world.reply(world.only_ticket)
    world.store.write_now(lambda tx: tx.run(session_lines._OLD_NOW, of_session=page.session, before=2**62))
    world.advance(minutes=31)
    world.run_clockworks()
    assert [world.store.read_now(each.next_due) for each in (chat_letters, chat_idle)] == [None, None]


def test_a_proof_moves_everything_and_back(world: ChatWorld) -> None:
    page = world.visitor()
    page.write()
    world.reply(world.only_ticket)
    before = world.only_ticket["customer_id"]
    vouched = Vouched(account="shop", subject="user-42", email=JAN, name="Jan")
    other = Identity("chat", "chat:shop:other")
    known = world.store.write_now(lambda tx: identified.take_in(tx, other, vouched))
    assert known != before
    own = Identity("chat", page.session)
    assert world.store.write_now(lambda tx: identified.take_in(tx, own, vouched)) == known
    assert world.only_ticket["customer_id"] == known
    (event,) = world.rows("events", "kind = 'customer_merged'")
    world.store.write_now(lambda tx: identified.take_back(tx, event["id"], agent="ania"))
    assert world.only_ticket["customer_id"] == before


def test_a_chat_is_joined_once_and_listed(world: ChatWorld) -> None:
    page = world.visitor()
    page.write()
    alias = "chat:shop:phone"
    join: Callable[[Tx], bool] = lambda tx: aliases.join(tx, alias, page.session)  # noqa: E731
    assert [world.store.write_now(join), world.store.write_now(join)] == [True, True]
    assert world.store.read_now(lambda tx: aliases.resolved(tx, alias)) == page.session
    assert world.store.read_now(lambda tx: aliases.of_person(tx, "shop", "", but="")) is None
    (row,) = world.store.read_now(chats_view.listed)
    assert (row.session, row.lines, row.ticket) == (page.session, 1, world.only_ticket["ref"])
    assert len(world.store.read_now(lambda tx: chats_view.lines(tx, alias))) == 1


def test_eight_proofs_of_one_person_at_once_make_one_customer(world: ChatWorld) -> None:
    vouched = Vouched(account="shop", subject="user-42", email=JAN, name="Jan")

    def prove(number: int) -> int:
        visitor = Identity("chat", f"chat:shop:{number}")
        return world.store.write_now(lambda tx: identified.take_in(tx, visitor, vouched))

    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(prove, range(8)))
    assert len(found) == 1
    assert len(world.rows("identities")) == 10


def test_two_bells_mail_an_answer_once(world: ChatWorld) -> None:
    """Two daemons on one store, or a bell that rings twice."""
    page = world.visitor()
    page.say("contact", email=JAN, name="Jan")
    page.write()
    world.reply(world.only_ticket)
    world.advance(minutes=6)

    async def both() -> list[int]:
        ringing = (chat_letters.run_due(world.store, world.context) for _ in range(8))
        return await asyncio.gather(*ringing)

    assert sum(asyncio.run(both())) == 1
    assert len(world.sent(JAN)) == 1


def test_what_was_agreed_to_is_kept_once_for_each_version(
    world: ChatWorld, tmp_path: Path, clock: Clock
) -> None:
    asking = ChatWorld(world.store, tmp_path, clock, consent={"text": {"en": "We keep it."}, "version": "1"})
    page = asking.visitor()
    for _ in range(2):
        page.say("consent", version="1")
        clock.forward(seconds=1)
    (customer,) = asking.rows("customers")
    kept = asking.store.read_now(lambda tx: visitors.agreements(tx, customer["id"]))
    assert [(each["version"], each["language"], each["text"]) for each in kept] == [
        ("1", "en", "We keep it.")
    ]


def test_a_customer_with_a_name_of_their_own_is_never_moved(world: ChatWorld) -> None:
    """Known by mail as well as by this chat: somebody else's proof in it is a conflict, told and left to the desk."""
    own = Identity("chat", "chat:shop:shared")
    vouched = Vouched(account="shop", subject="user-42", email=JAN, name="Jan")
    eve = Vouched(account="shop", subject="user-43", email="eve@customer.example", name="Eve")
    first = world.store.write_now(lambda tx: identified.take_in(tx, own, vouched))
    second = world.store.write_now(lambda tx: identified.take_in(tx, own, eve))
    names = {row["value"]: row["customer_id"] for row in world.rows("identities")}
    assert (names[own.value], names[JAN], names["eve@customer.example"]) == (first, first, second)
    assert len(world.rows("events", "kind = 'identity_conflict'")) == 1
