"""Chats on the command line: who answers now, what there is, what was said and agreed to, and what is forgotten."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from intake import instants
from intake.store import opening
from tests.web.chat_world import RULES, SITE, ChatWorld

CONFIG = f"""
name: Example
folder: var
channels:
  support: {{kind: email.smtp, addresses: [support@example.com], listen: "127.0.0.1:0"}}
  shop: {{kind: webchat, origins: ["{SITE}"]}}
outgoing: {{folder: var/outgoing}}
"""
CONSENT = {"text": {"en": "We keep it.", "pl": "Trzymamy to."}, "version": "1"}


@pytest.fixture
def world(tmp_path: Path, new_store: bytes) -> Iterator[ChatWorld]:
    """A chat in which both sides have spoken, beside the command line's own configuration."""
    config = tmp_path / "config"
    (config / "replies").mkdir(parents=True)
    (config / "intake.yaml").write_text(CONFIG)
    (config / "rules.yaml").write_text(RULES)
    var = tmp_path / "var"
    var.mkdir()
    (var / "intake.db").write_bytes(new_store)
    with closing(opening.open_store("", var)) as store:
        world = ChatWorld(store, var, instants.now, consent=CONSENT)
        page = world.visitor()
        page.say("consent", version="1")
        page.say("contact", email="jan@customer.example", name="Jan")
        page.write("Where is my order?")
        world.reply(world.only_ticket, "It is on its way.")
        yield world


def ref(world: ChatWorld) -> str:
    return str(world.only_ticket["ref"])


def test_the_status_is_what_pages_say(intake: Any, world: ChatWorld) -> None:
    (found,) = intake("chat", "status", "--json").objects
    assert (found["account"], found["state"], found["wait_s"]) == ("shop", "now", None)
    assert "now" in intake("chat", "status", "shop").out
    assert intake("chat", "status", "nowhere").code == 2


def test_an_agent_who_is_away_for_chats_flips_it(intake: Any, world: ChatWorld) -> None:
    assert intake("agents", "presence", "ania", "chat", "away").code == 0
    assert intake("chat", "status", "--json").objects[0]["state"] == "later"


def test_the_list_names_each_chat(intake: Any, world: ChatWorld) -> None:
    (found,) = intake("chat", "list", "--json").objects
    assert (found["ticket"], found["lines"], found["got"], found["address"], found["proven"]) == (
        ref(world),
        2,
        0,
        "jan@customer.example",
        False,
    )
    assert found["mailed_at"] is not None
    assert ref(world) in intake("chat", "list").out


def test_a_ticket_of_a_chat_is_listed_by_who_writes(intake: Any, world: ChatWorld) -> None:
    """Nobody can read what a session is called."""
    listed = intake("tickets", "list").out
    assert "Jan" in listed
    assert "chat:" not in listed


def test_a_transcript_is_text_a_page_or_json(intake: Any, world: ChatWorld) -> None:
    plain = intake("chat", "transcript", ref(world)).out
    assert plain.index("Where is my order?") < plain.index("It is on its way.")
    assert "<p dir=auto>" in intake("chat", "transcript", "--html", ref(world)).out
    said = intake("chat", "transcript", "--json", ref(world)).objects
    assert [(each["seq"], each["author"]) for each in said] == [(1, "customer"), (2, "agent")]


def test_what_was_agreed_to_is_kept_word_for_word(intake: Any, world: ChatWorld) -> None:
    (found,) = intake("chat", "consents", "--json", ref(world)).objects
    assert (found["version"], found["text"], found["account"]) == ("1", "Trzymamy to.", "shop")


def test_a_chat_is_forgotten_and_its_ticket_stays(intake: Any, world: ChatWorld) -> None:
    assert intake("chat", "forget", "--json", "--as", "ania", ref(world)).objects == [{"forgotten": 1}]
    assert intake("chat", "list", "--json").objects == []
    assert len(world.rows("messages")) == 2
    assert intake("chat", "forget", "--as", "nobody", ref(world)).code == 2


def test_customers_are_parted_by_the_event_that_merged_them(intake: Any, world: ChatWorld) -> None:
    wrong = intake("chat", "part", "--as", "ania", "1")
    assert (wrong.code, "no merge of customers" in wrong.err) == (2, True)
