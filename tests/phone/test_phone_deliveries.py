"""However often, at once and out of order Twilio posts its texts, each is one message on one ticket, with its files."""

import asyncio
import itertools
import json
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import pytest
from sqlalchemy import text as sql

from channels.twilio import recovered, signature
from intake import cli, redaction
from intake.store.statements import Statement
from tests.phone import deliveries, media_play
from tests.phone.texting import PUBLIC_URL, TOKEN, Form, form

URL = f"{PUBLIC_URL}/hooks/texts/message"
FILES = Statement(
    sql(
        "SELECT m.attachments, t.ref FROM messages m JOIN tickets t ON t.id = m.ticket_id WHERE direction = 'in'"
    )
)


@pytest.mark.slow
async def test_texts_that_come_several_times_are_each_one_message(tmp_path: Path) -> None:
    outcome = await deliveries.through_a_daemon(tmp_path, 150)
    assert outcome.is_right, outcome
    assert outcome.kept == {"ticket": 150, "duplicate": outcome.deliveries - 150}
    assert outcome.deliveries > 200


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_ten_thousand_texts_are_each_one_message(tmp_path: Path) -> None:
    outcome = await deliveries.through_a_daemon(tmp_path, 10_000, seed=2)
    assert outcome.is_right, outcome


@pytest.mark.slow
async def test_a_key_that_is_not_the_messages_own_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What counts the messages can fail: with another key for each delivery there are too many."""
    numbers = itertools.count()
    monkeypatch.setattr(recovered, "message_key", lambda account, sid: f"{sid}:{next(numbers)}")
    outcome = await deliveries.through_a_daemon(tmp_path, 30)
    assert outcome.extra == outcome.deliveries - 30 > 0
    assert not outcome.is_right


@pytest.mark.slow
async def test_a_picture_is_on_the_ticket_soon_after_its_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From a signed post to a file in an agent's folder, through a daemon and the provider's own host."""
    async with media_play.Twilio().running() as twilio:
        config = deliveries.CONFIG.replace("reconcile_s: 0", f'reconcile_s: 0, api_url: "{twilio.url}"')
        async with deliveries.daemon(tmp_path, config=config) as running:
            kept = deliveries.fetched(running)
            assert running.upkeep.bound is not None
            posted = form("Look", NumMedia="1", MediaUrl0=twilio.file("ME1"), MediaContentType0="image/png")
            await post(running.upkeep.bound, posted)
            await asyncio.wait_for(kept.wait(), 20)
            (row,) = await running.wired.store.read(lambda tx: tx.all(FILES))
    (file,) = json.loads(row[0])
    monkeypatch.setenv("TOKEN", TOKEN)
    asked = [
        "tickets",
        "files",
        row[1],
        "--to",
        str(tmp_path / "saved"),
        "--json",
        "-c",
        str(tmp_path / "intake.yaml"),
    ]
    assert await asyncio.to_thread(cli.main, asked) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["name"] == "image-1.png"
    assert (tmp_path / "saved/image-1.png").read_bytes() == media_play.PICTURE
    redaction.forget_all()
    assert (file["size"], file["content_type"]) == (len(media_play.PICTURE), "image/jpeg")
    assert len(twilio.asked) == 1


async def post(bound: tuple[str, int], posted: Form) -> None:
    headers = {
        "Content-Type": signature.FORM,
        signature.HEADER: signature.sign(URL, list(posted.items()), TOKEN),
    }
    url = f"http://{bound[0]}:{bound[1]}/hooks/texts/message"
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=urlencode(posted), headers=headers) as answer,
    ):
        assert answer.status == 200
