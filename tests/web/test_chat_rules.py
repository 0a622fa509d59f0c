"""Rules that answer in a chat: a template is a line of ours, with the buttons that it names, within the limits of machines."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from channels.contract import Fed, Line
from channels.webchat import wire
from intake import medium_presence
from intake.replies import Replies
from intake.store import opening
from tests.web.chat_world import RULES, ChatWorld

GREETING = "We will be with you.\n\n[[handoff]]"
SETS = {"handoff": [{"en": "I will wait", "pl": "Poczekam"}, {"en": "By email", "pl": "Mailem"}]}


@pytest.fixture
def make(tmp_path: Path, clock: Any, new_store: bytes) -> Iterator[Callable[..., ChatWorld]]:
    (tmp_path / "intake.db").write_bytes(new_store)
    with ExitStack() as stack:

        def world(extra: str) -> ChatWorld:
            store = stack.enter_context(closing(opening.open_store("", tmp_path, clock=clock)))
            rules = (
                f"{RULES[: RULES.rindex('default:')]}default: {{team: support, priority: normal{extra}}}\n"
            )
            made = ChatWorld(store, tmp_path, clock, rules=rules, quick_replies=SETS)
            made.context = msgspec.structs.replace(
                made.context, replies=Replies({("still-there", "en"): GREETING})
            )
            return made

        yield world


def test_a_rules_answer_is_a_line_of_the_chat(make: Callable[..., ChatWorld]) -> None:
    world = make(", reply: {chat: still-there}")
    page = world.visitor()
    page.write("Is anybody there?")
    assert page.lines() == [("customer", "Is anybody there?", ""), ("system", GREETING, "")]
    page.write("Hello?")
    assert len(page.lines()) == 3  # one automatic answer for each ticket and hour


def test_an_answer_of_another_medium_is_not_said(make: Callable[..., ChatWorld]) -> None:
    world = make(", reply: {email: still-there}")
    page = world.visitor()
    page.write("Is anybody there?")
    assert len(page.lines()) == 1


def test_the_buttons_that_a_text_names_come_in_the_visitors_language(make: Callable[..., ChatWorld]) -> None:
    world = make("")
    fed = Fed(2, datetime(2026, 11, 22, tzinfo=UTC), Line(author="system", text=GREETING))
    (said,) = wire.said(fed, world.options, "pl")
    assert (said.text, said.replies) == ("We will be with you.", ("Poczekam", "Mailem"))  # type: ignore[union-attr]


def test_what_a_visitor_writes_makes_no_buttons(make: Callable[..., ChatWorld]) -> None:
    fed = Fed(1, datetime(2026, 11, 22, tzinfo=UTC), Line(author="customer", text="[[handoff]]"))
    (said,) = wire.said(fed, make("").options, "pl")
    assert (said.text, said.replies) == ("[[handoff]]", ())  # type: ignore[union-attr]


TWO = RULES.replace(
    "ania: {email: ania@desk.example}", "ania: {email: ania@desk.example}\n  ewa: {email: ewa@desk.example}"
)
TWO = TWO.replace("l1: [ania]", "l1: [ania, ewa]")


@pytest.mark.parametrize(("presence", "has_it"), [("busy", "ania"), ("away", "ewa")])
def test_a_chat_goes_on_to_somebody_who_is_there(
    tmp_path: Path, clock: Any, new_store: bytes, presence: Any, has_it: str
) -> None:
    """Who is away for chats lets go of theirs when its visitor writes; who is busy keeps them."""
    (tmp_path / "intake.db").write_bytes(new_store)
    with closing(opening.open_store("", tmp_path, clock=clock)) as store:
        world = ChatWorld(store, tmp_path, clock, rules=TWO)
        page = world.visitor()
        page.write()
        assert world.only_ticket["agent"] == "ania"
        world.reply(world.only_ticket)
        world.store.write_now(lambda tx: medium_presence.say(tx, "ania", "chat", presence, by="ania"))
        page.write("And when?")
        assert world.only_ticket["agent"] == has_it
