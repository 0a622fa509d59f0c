"""A running daemon: who goes is seen on open pages within five seconds, and who has left gets a mail and a way back."""

import asyncio
import uuid
from pathlib import Path
from typing import Any

import pytest

from intake import medium_presence
from tests.web.chat_daemon import ChatDaemon, Visitor, chatting
from tests.web.waiting import until

ACCOUNT = """
    leaving: {mail_after_minutes: 0.005, idle_minutes: 0.02}
  support: {kind: email.smtp, addresses: [support@example.com], listen: "127.0.0.1:0"}
outgoing: {folder: "FOLDER/outgoing"}
"""


def _mail_to(address: str, folder: Path) -> str:
    """The first mail to somebody, "" = there is none yet."""
    written = (each.read_text() for each in folder.glob("*.eml"))
    return next((each for each in written if f"To: {address}" in each), "")


@pytest.mark.slow
async def test_who_has_left_gets_the_answer_by_mail_and_the_chat_ends(tmp_path: Path) -> None:
    async with chatting(tmp_path, account=ACCOUNT.replace("FOLDER", str(tmp_path))) as chat:
        jan = chat.visitor()
        await jan.connect(page="https://shop.example/cart?secret=1")
        await jan.say("contact", id=str(uuid.uuid4()), email="jan@customer.example", name="Jan")
        await jan.write("Where is my order?")
        await jan.leave()
        await chat.settled()
        await chat.reply("It is on its way.")
        said = await until(lambda: _mail_to("jan@customer.example", tmp_path / "outgoing"))
        assert "It is on its way." in said
        assert "https://shop.example/cart#chat=" in said.replace("=\n", "").replace("=3D", "=")
        await until(lambda: chat.rows("SELECT 1 FROM session_lines WHERE code = 'ended_idle'"))


@pytest.mark.slow
async def test_open_pages_hear_within_five_seconds_that_nobody_is_there_any_more(tmp_path: Path) -> None:
    """And again that somebody is."""
    async with chatting(tmp_path) as chat:
        jan = chat.visitor()
        welcome = await jan.connect()
        assert welcome["status"]["is_live"] is True
        for presence, is_live in (("away", False), ("available", True)):
            await _say(chat, presence)
            async with asyncio.timeout(5):
                assert (await jan.hear("status"))["is_live"] is is_live
            assert await _status(jan) is is_live


async def _say(chat: ChatDaemon, presence: Any) -> None:
    await chat.write(lambda tx: medium_presence.say(tx, "ania", "chat", presence, by="ania"))


async def _status(visitor: Visitor) -> bool:
    _, body, headers = await visitor.ask("GET", "status.json")
    assert headers["Cache-Control"] == "public, max-age=30"
    return bool(body["is_live"])
