"""A voicemail is a ticket with its recording, and what was said in it is text for the rules."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from channels.contract import Fetched, FetchFailed, Happened
from channels.twilio import voice
from intake import fetching
from intake.fetching import Fetching
from intake.store import opening
from tests.phone.calling import JAN, RULES, Desk, event, happened

Make = Callable[[str], Desk]
RECORDING = "RE" + "0a" * 16
OFFICE = "calendar: office"
REACT = """
react:
  - {id: heard, on: transcribed, when: {text.words: [urgent]}, then: {priority: urgent}}
"""


@pytest.fixture
def make(tmp_path: Path, clock: Any, new_store: bytes) -> Iterator[Make]:
    (tmp_path / "intake.db").write_bytes(new_store)
    with ExitStack() as stack:

        def desk(rules: str) -> Desk:
            store = stack.enter_context(closing(opening.open_store("", tmp_path, clock=clock)))
            return Desk(store, tmp_path, clock, rules=rules)

        yield desk


@pytest.fixture
def desk(make: Make) -> Desk:
    return make(RULES)


def told(desk: Desk, *what: Happened) -> None:
    desk.tell(event(*what))


def voicemail(desk: Desk, *, choice: str = "support") -> dict[str, Any]:
    """A caller whom nobody answered leaves a message; the ticket."""
    at = desk.clock()
    told(desk, happened("started", at), happened("menu_done", at, 6, choice=choice, open_ref=None))
    told(desk, happened("voicemail_offered", at, 30, why="unanswered"))
    told(desk, happened("ended", at, 60, status="completed", duration_s=60, why="voicemail"))
    told(desk, happened("recorded", at, 61, recording=RECORDING, duration_s=25, why="voicemail"))
    (ticket,) = desk.rows("tickets")
    return ticket


def transcribed(desk: Desk, text: str, **more: Any) -> None:
    details = {"text": text, "language": "en", "confidence": 0.93, "recording": RECORDING} | more
    told(desk, happened("transcribed", desk.clock(), 70, **details))


def test_the_recording_is_wanted_at_once_and_named_in_the_message(desk: Desk) -> None:
    ticket = voicemail(desk)
    (wanted,) = desk.rows("fetches")
    assert (wanted["account"], wanted["reference"], wanted["ticket_id"]) == ("phone", RECORDING, ticket["id"])
    assert wanted["next_at"] == desk.store.now_us()
    message = desk.message(ticket)
    (file,) = msgspec.json.decode(message["attachments"])
    assert (file["name"], file["part"], wanted["part"]) == ("voicemail.mp3", wanted["part"], file["part"])
    assert wanted["message_id"] == message["id"]
    assert desk.call()["outcome"] == "voicemail"


def test_what_is_told_twice_wants_the_recording_once(desk: Desk) -> None:
    voicemail(desk)
    told(desk, happened("recorded", desk.clock(), 300, recording=RECORDING, duration_s=25, why="voicemail"))
    assert len(desk.rows("fetches")) == 1
    assert desk.message(desk.rows("tickets")[0])["body"].count("Voicemail: 25 s") == 1


class Shelf:
    """Gives what is asked for."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    async def fetch(self, reference: str) -> Fetched:
        assert reference == RECORDING
        return Fetched(self.content, "audio/mpeg")


async def fetched(desk: Desk, source: Any) -> None:
    works = Fetching(desk.store, {"phone": source}, folder=desk.folder)
    for each in desk.store.read_now(fetching.look)[0]:
        await works.fetch(each)


async def test_the_sound_is_kept_by_us_and_what_is_told_later_forgets_it_not(desk: Desk) -> None:
    ticket = voicemail(desk)
    await fetched(desk, Shelf(b"sound"))
    transcribed(desk, "please call me")
    (file,) = msgspec.json.decode(desk.message(ticket)["attachments"])
    assert (file["size"], file["name"]) == (5, "voicemail.mp3")
    assert desk.row("blobs", int(file["blob"]))["size_bytes"] == 5


def test_a_transcript_is_the_text_of_the_message_with_language_and_how_sure_it_is(desk: Desk) -> None:
    ticket = voicemail(desk)
    transcribed(desk, "I want a refund")
    message = desk.message(ticket)
    assert (message["visible_text"], message["language"]) == ("I want a refund", "en")
    assert "Transcript (en, 93 % sure): I want a refund" in message["body"]


def test_while_nobody_has_taken_it_the_transcript_routes_it_again(desk: Desk) -> None:
    assert voicemail(desk)["team"] == "support"
    transcribed(desk, "I want a refund")
    (ticket,) = desk.rows("tickets")
    assert (ticket["team"], ticket["priority"], ticket["agent"]) == ("billing", "high", "ewa")
    assert "routed_again" in desk.events(ticket)


def test_the_choice_of_the_menu_still_counts_then(make: Make) -> None:
    rules = RULES.replace(
        "{call.choice: billing}", "{call.choice: billing, call.outcome: voicemail, text.words: [hello]}"
    )
    desk = make(rules)
    voicemail(desk, choice="billing")
    transcribed(desk, "hello")
    assert desk.rows("tickets")[0]["team"] == "billing"


def test_once_somebody_has_taken_it_it_stays(desk: Desk) -> None:
    ticket = voicemail(desk)
    desk.set_status(ticket, "pending", agent="ania")
    desk.store.write_now(lambda tx: tx.update(_tickets(), {"id": ticket["id"]}, taken_at=tx.now))
    transcribed(desk, "I want a refund")
    assert desk.rows("tickets")[0]["team"] == "support"


def _tickets() -> Any:
    from intake.store import schema

    return schema.tickets


def test_our_own_words_about_the_call_are_no_text_for_rules(make: Make) -> None:
    desk = make(RULES.replace('["refund*"]', "[call, outcome, voicemail, chose]"))
    assert voicemail(desk)["team"] == "support"
    transcribed(desk, "hello")
    assert desk.rows("tickets")[0]["team"] == "support"


def test_rules_that_wait_for_a_transcript_hear_of_it(make: Make) -> None:
    desk = make(RULES + REACT)
    voicemail(desk)
    transcribed(desk, "it is urgent")
    assert desk.rows("tickets")[0]["priority"] == "urgent"


def test_a_transcript_that_comes_again_changes_nothing(make: Make) -> None:
    desk = make(RULES + REACT)
    ticket = voicemail(desk)
    transcribed(desk, "it is urgent")
    before = desk.events(ticket)
    transcribed(desk, "it is urgent")
    assert desk.events(ticket) == before


def test_a_message_left_while_we_could_keep_nothing_is_a_ticket_all_the_same(desk: Desk) -> None:
    """All that is told is what the provider tells: there was no turn."""
    at = desk.clock()
    told(desk, happened("recorded", at, 30, recording=RECORDING, duration_s=9, why="voicemail"))
    told(desk, happened("started", at), happened("ended", at, 31, status="completed", why="no_message"))
    (ticket,) = desk.rows("tickets")
    assert (desk.call()["outcome"], desk.message(ticket)["author"]) == ("voicemail", JAN)


@pytest.fixture
async def twilio() -> Any:
    """A host that gives the recording to who knows the token."""

    async def sound(request: web.Request) -> web.Response:
        if request.headers.get("Authorization", "") == "":
            return web.Response(status=401)
        return web.Response(body=b"sound", content_type="audio/mpeg")

    app = web.Application()
    app.router.add_get(f"/2010-04-01/Accounts/AC{'1' * 32}/Recordings/{RECORDING}.mp3", sound)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_the_channel_fetches_a_recording_by_its_name(twilio: str) -> None:
    options = voice.Options(account_sid=f"AC{'1' * 32}", auth_token="secret", api_url=twilio)
    channel = voice.Channel("phone", options)
    try:
        async with asyncio.timeout(5):
            fetched = await channel.fetch(RECORDING)
        with pytest.raises(FetchFailed, match="is named RE"):
            await channel.fetch("../Messages")
    finally:
        await channel.close()
    assert (fetched.content, fetched.content_type) == (b"sound", "audio/mpeg")
