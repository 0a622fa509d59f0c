"""A voicemail is a ticket with its recording, and what was said in it is text for the rules."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from channels.contract import Fetched, FetchFailed, Happened
from channels.twilio import voice
from intake import fetches, journal, pipeline
from intake.fetching import Fetching
from intake.transcribing import Transcribing, TranscribingFailed
from intake.transcribing import transcribed as transcribed_by
from tests.phone.calling import JAN, RULES, Desk, event, happened

Make = Callable[[str], Desk]
RECORDING = "RE" + "0a" * 16
OFFICE = "calendar: office"
REACT = """
react:
  - {id: heard, on: transcribed, when: {text.words: [urgent]}, then: {priority: urgent}}
"""


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

    def __init__(self, content: bytes, reference: str = RECORDING) -> None:
        self.content, self.reference = content, reference

    async def fetch(self, reference: str) -> Fetched:
        assert reference == self.reference
        return Fetched(self.content, "audio/mpeg")


async def fetched(desk: Desk, source: Any) -> None:
    works = Fetching(desk.store, {"phone": source}, folder=desk.folder)
    for each in desk.store.read_now(fetches.look)[0]:
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


class Clearing(Shelf):
    """Deletes what it has given, when it lets itself be asked."""

    def __init__(self, *answers: FetchFailed | None) -> None:
        super().__init__(b"sound")
        self.answers = list(answers)
        self.asked: list[str] = []

    async def delete(self, reference: str) -> None:
        self.asked.append(reference)
        answer = self.answers.pop(0)
        if answer is not None:
            raise answer


async def test_where_it_is_wanted_the_recording_is_deleted_elsewhere_once_we_have_it(desk: Desk) -> None:
    ticket = voicemail(desk)
    source = Clearing(FetchFailed("not now", retryable=True), None)
    await fetched(desk, source)
    assert source.asked == []
    assert desk.rows("fetches")[0]["blob_id"] is not None
    await fetched(desk, source)
    assert desk.rows("fetches")[0]["state"] == "here"
    desk.clock.advance(60)
    await fetched(desk, source)
    desk.clock.advance(days=1)
    await fetched(desk, source)
    assert source.asked == [RECORDING] * 2
    assert desk.rows("fetches")[0]["state"] == "done"
    assert "file_deleted_elsewhere" in desk.events(ticket)


async def test_a_recording_that_cannot_be_deleted_is_told_and_kept_by_us(desk: Desk) -> None:
    ticket = voicemail(desk)
    source = Clearing(FetchFailed("forbidden", retryable=False))
    await fetched(desk, source)
    await fetched(desk, source)
    (row,) = desk.rows("fetches")
    assert (row["state"], row["error"], row["next_at"]) == ("done", "forbidden", None)
    assert row["blob_id"] is not None
    assert "file_not_deleted_elsewhere" in desk.events(ticket)


async def test_what_nobody_deletes_any_more_is_not_called_deleted(desk: Desk) -> None:
    """The account was changed, or taken away, between our having the recording and its being deleted there."""
    ticket = voicemail(desk)
    await fetched(desk, Clearing())
    await fetched(desk, Shelf(b"sound"))
    assert desk.rows("fetches")[0]["error"] == "its account deletes nothing there any more"
    assert "file_deleted_elsewhere" not in desk.events(ticket)


# -- a program of our own writes it down ------------------------------------------------------------------------------

JSON = """
import json, sys
sound = open(sys.argv[1], "rb").read()
print(json.dumps({"text": f"{len(sound)} bytes, a refund", "language": "EN-us", "confidence": 1.2}))
"""
ODD = {
    "nothing": ("print()", "has understood nothing"),
    "broken": ("raise SystemExit(3)", "ended with 3"),
    "complaining": ("import sys; sys.exit('the model is not there')", "ended with 1: the model is not there"),
    "slow": ("import time; time.sleep(60)", "took longer than"),
}


def writing(desk: Desk, program: str, *, limit_s: float = 10) -> tuple[Transcribing, list[dict[str, Any]]]:
    """What writes down by a program, and what it tells."""
    told: list[dict[str, Any]] = []
    return Transcribing(
        desk.store,
        desk.sessions._journal,
        kinds={"phone": "twilio.voice"},
        command=(sys.executable, "-c", program, "{file}"),
        limit_s=limit_s,
        folder=desk.folder,
        told=lambda event, fields: told.append({"event": event, **fields}),
    ), told


def settle_last(desk: Desk) -> None:
    """Settle what came in last, as its channel reads it."""
    row = desk.rows("journal", "1 = 1 ORDER BY id DESC LIMIT 1")[0]
    received = desk.store.read_now(lambda tx: journal.load(tx, row["id"], desk.folder))
    options = voice.Options(account_sid=f"AC{'1' * 32}")
    parsed = voice.parse(received.raw, options)
    desk.store.write_now(lambda tx: pipeline.settle(tx, desk.context, received, parsed))


async def test_a_program_writes_a_voicemail_down_once_it_is_here(desk: Desk) -> None:
    ticket = voicemail(desk)
    works, told = writing(desk, JSON)
    assert await works.write_down() == 0
    await fetched(desk, Shelf(b"sound"))
    assert await works.write_down() == 1
    settle_last(desk)
    message = desk.message(ticket)
    assert (message["visible_text"], message["language"]) == ("5 bytes, a refund", "en")
    assert "100 % sure" in message["body"]
    assert desk.rows("tickets")[0]["team"] == "billing"
    assert await works.write_down() == 0
    assert told == []


async def test_after_a_restart_what_was_written_down_is_not_written_down_again(desk: Desk) -> None:
    voicemail(desk)
    await fetched(desk, Shelf(b"sound"))
    await writing(desk, JSON)[0].write_down()
    settle_last(desk)
    assert await writing(desk, JSON)[0].write_down() == 0


IN_PIECES = """
import sys, time
for piece in ("call me", " back", " please"):
    sys.stdout.write(piece)
    sys.stdout.flush()
    time.sleep(0.02)
print("!" * 300_000)
"""


async def test_a_program_may_print_piece_by_piece_and_more_than_is_kept(desk: Desk) -> None:
    ticket = voicemail(desk)
    await fetched(desk, Shelf(b"sound"))
    works, told = writing(desk, IN_PIECES)
    await works.write_down()
    assert told == []
    settle_last(desk)
    assert desk.message(ticket)["visible_text"].startswith("call me back please!!!")


async def test_what_a_slow_program_has_started_ends_with_it(tmp_path: Path) -> None:
    note = tmp_path / "child"
    program = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
open({str(note)!r}, "w").write(str(child.pid))
"""
    with pytest.raises(TranscribingFailed, match="took longer"):
        await transcribed_by((sys.executable, "-c", program), b"sound", limit_s=0.5)
    async with asyncio.timeout(5):  # the kernel needs a moment
        while not is_gone(int(note.read_text())):
            await asyncio.sleep(0.01)


def is_gone(process: int) -> bool:
    """Whether a process has ended, reaped or not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except FileNotFoundError:
        return True


@pytest.mark.slow
async def test_voicemails_that_nobody_understands_keep_no_other_waiting(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intake.transcribing.AT_ONCE", 1)
    voicemail(desk)
    await fetched(desk, Shelf(b"sound"))
    works, _ = writing(desk, ODD["broken"][0])
    assert [await works.write_down() for _ in range(3)] == [1, 1, 0]
    second = "RE" + "0b" * 16
    desk.tell(
        event(
            happened("started", desk.clock()),
            happened("recorded", desk.clock(), 61, recording=second, duration_s=25, why="voicemail"),
            call="CA2",
        )
    )
    await fetched(desk, Shelf(b"sound", second))
    assert await works.write_down() == 1


async def test_a_program_may_print_bare_text(desk: Desk) -> None:
    ticket = voicemail(desk)
    await fetched(desk, Shelf(b"sound"))
    await writing(desk, "print('call me back')")[0].write_down()
    settle_last(desk)
    assert desk.message(ticket)["visible_text"] == "call me back"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ODD)
async def test_a_program_that_fails_is_tried_twice_and_told(desk: Desk, kind: str) -> None:
    program, said = ODD[kind]
    voicemail(desk)
    await fetched(desk, Shelf(b"sound"))
    works, told = writing(desk, program, limit_s=0.2 if kind == "slow" else 10)
    tried = [await works.write_down() for _ in range(3)]
    assert tried == [1, 1, 0]
    assert [each["event"] for each in told] == ["transcribing_failed"] * 2
    assert all(said in each["reason"] for each in told)


@pytest.fixture
async def twilio() -> Any:
    """A host that gives the recording to who knows the token."""

    async def sound(request: web.Request) -> web.Response:
        if request.headers.get("Authorization", "") == "":
            return web.Response(status=401)
        return web.Response(body=b"sound", content_type="audio/mpeg")

    app = web.Application()

    async def gone(request: web.Request) -> web.Response:
        return web.Response(status=204)

    app.router.add_delete(f"/2010-04-01/Accounts/AC{'1' * 32}/Recordings/{RECORDING}.json", gone)
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


async def test_the_channel_deletes_a_recording_where_that_is_wanted(twilio: str) -> None:
    options = voice.Options(
        account_sid=f"AC{'1' * 32}", auth_token="secret", api_url=twilio, delete_recordings=True
    )
    channel = voice.Channel("phone", options)
    try:
        async with asyncio.timeout(10):
            assert channel.delete is not None
            await channel.delete(RECORDING)
            await channel.delete("RE" + "9" * 32)  # is gone already
    finally:
        await channel.close()


def test_without_a_word_recordings_stay_at_twilio() -> None:
    assert voice.Channel("phone", voice.Options(account_sid=f"AC{'1' * 32}")).delete is None
