"""Nobody has a file before the scanner has looked at it: infected ones stay apart, and while it is away files wait here."""

import functools
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from channels import clamd
from channels.contract import Fetched, FetchFailed
from channels.scanner_wire import NoAnswer
from intake import attaching, attempts, fetches, held_files, kept_files
from intake import desk as desk_
from intake.delivering import Outbox
from intake.fetching import Fetching
from intake.readying import Readying
from intake.retention import forget
from intake.scanning import scan_of
from intake.sections import Files
from intake.store import blobs, schema
from intake.store.engine import Tx
from tests.domain.world import RULES
from tests.phone.scanner import FOUND, VIRUS, Clamd
from tests.phone.texted import JAN, PUBLIC, Texted
from tests.phone.texted_desk import CONVERSATIONS, Desk
from tests.phone.texting import SID, form

MEDIA = f"https://api.twilio.com/2010-04-01/Accounts/{SID}/Messages/MM{'1' * 32}/Media"
LETTER = b"%PDF-1.7 a letter"


@pytest.fixture
async def scanner() -> AsyncIterator[Clamd]:
    running = await Clamd().start()
    yield running
    await running.stop()


@pytest.fixture
def desk(open_as: Callable[..., Desk], tmp_path: Path) -> Desk:
    (tmp_path / "blobs").mkdir()
    return open_as(Desk, rules=RULES + CONVERSATIONS)


class Once:
    """An account whose provider gives this file once, and never again."""

    def __init__(self, content: bytes) -> None:
        self.left = [Fetched(content, "application/pdf", "letter.pdf")]

    async def fetch(self, reference: str) -> Fetched:
        if not self.left:
            raise FetchFailed("it was asked for twice", retryable=False)
        return self.left.pop()


class Work:
    """What fetches for a desk, with this scanner."""

    def __init__(self, desk: Desk, scanner: Clamd, content: bytes) -> None:
        self.told: list[str] = []
        self._desk = desk
        self._fetching = Fetching(
            desk.store,
            {"texts": Once(content)},
            folder=desk.folder,
            told=lambda event, fields: self.told.append(event),
            jitter=lambda: 0.0,
            scan=scan_of(Files(clamd=scanner.address, clamd_timeout_s=5)),
        )

    async def do(self) -> None:
        for each in (await self._desk.store.read(fetches.look))[0]:
            await self._fetching.fetch(each)


def arrived(desk: Desk) -> dict[str, Any]:
    media = {"NumMedia": "1", "MediaUrl0": f"{MEDIA}/ME1", "MediaContentType0": "application/pdf"}
    return desk.take(form("Look", **media))


def file_of(desk: Desk, text: dict[str, Any]) -> dict[str, Any]:
    (file,) = json.loads(desk.row("messages", text["message_id"])["attachments"])
    return dict(file)


def kept(desk: Desk, text: dict[str, Any]) -> kept_files.KeptFile:
    (file,) = desk.store.read_now(lambda tx: list(kept_files.of_ticket(tx, text["ticket_id"], desk.folder)))
    return file


async def test_a_clean_file_is_kept_as_before(desk: Desk, scanner: Clamd) -> None:
    text, work = arrived(desk), Work(desk, scanner, LETTER)
    await work.do()
    assert (scanner.seen, work.told) == ([LETTER], ["file_fetched"])
    assert kept(desk, text).content == LETTER


async def test_an_infected_file_is_named_on_its_ticket_and_given_to_nobody(
    desk: Desk, scanner: Clamd
) -> None:
    text, work = arrived(desk), Work(desk, scanner, LETTER + VIRUS)
    await work.do()
    assert work.told == ["file_infected"]
    assert "file_infected" in desk.events(desk.ticket(text))
    file, named = kept(desk, text), file_of(desk, text)
    assert (file.content, named.get("blob"), named["sha256"]) == (None, None, "")
    assert FOUND in file.problem
    (row,) = desk.rows("fetches")
    assert (row["state"], row["next_at"]) == ("infected", None)
    assert desk.store.read_now(lambda tx: blobs.body_of(tx, row["blob_id"], desk.folder)).endswith(VIRUS)


async def test_a_message_that_is_read_again_does_not_give_an_infected_file_away(
    desk: Desk, scanner: Clamd
) -> None:
    text = arrived(desk)
    await Work(desk, scanner, VIRUS).do()
    desk.store.write_now(lambda tx: fetches.name_again(tx, text["message_id"]))
    assert kept(desk, text).content is None
    assert FOUND in kept(desk, text).problem


async def test_a_file_waits_here_while_the_scanner_is_away_and_for_as_long_as_that_takes(
    desk: Desk, scanner: Clamd
) -> None:
    """It is fetched once, kept over thirty days of silence, and everybody's when the scanner is back."""
    text, work = arrived(desk), Work(desk, scanner, LETTER)
    await scanner.stop()
    for _ in range(6):
        await work.do()
        desk.advance(days=5)
    assert work.told == ["scanner_away"] * 6
    assert (kept(desk, text).content, kept(desk, text).problem) == (None, held_files.WAITS)
    assert file_of(desk, text)["name"] == "letter.pdf"
    await scanner.start()
    await work.do()
    assert kept(desk, text).content == LETTER
    assert "problem" not in file_of(desk, text)
    assert desk.rows("fetches")[0]["state"] == "done"
    assert [each["refs"] for each in desk.rows("blobs") if each["body"] == LETTER] == [1]


async def test_a_file_that_has_waited_can_be_infected(desk: Desk, scanner: Clamd) -> None:
    text, work = arrived(desk), Work(desk, scanner, VIRUS)
    await scanner.stop()
    await work.do()
    await scanner.start()
    desk.advance(minutes=10)
    await work.do()
    assert work.told == ["scanner_away", "file_infected"]
    assert FOUND in kept(desk, text).problem


@pytest.mark.parametrize("fault", ["limit", "mute"])
async def test_what_is_no_verdict_is_not_taken_for_a_good_one(desk: Desk, fault: str) -> None:
    scanner = await Clamd(limit_bytes=5 if fault == "limit" else 10_000).start()
    scanner.is_mute = fault == "mute"
    text, work = arrived(desk), Work(desk, scanner, LETTER)
    await work.do()
    await scanner.stop()
    assert work.told == ["scanner_away"]
    assert kept(desk, text).content is None


async def test_an_infected_recording_goes_when_recordings_go(desk: Desk, scanner: Clamd) -> None:
    arrived(desk)
    await Work(desk, scanner, VIRUS).do()
    (row,) = desk.rows("fetches")
    assert desk.store.write_now(functools.partial(forget, fetch_id=row["id"]))
    assert [each for each in desk.rows("blobs") if each["body"] == VIRUS] == []


async def test_a_file_of_several_chunks_is_scanned_whole(scanner: Clamd) -> None:
    large = bytes(clamd.CHUNK_BYTES) + VIRUS + bytes(clamd.CHUNK_BYTES)
    assert await clamd.scan(scanner.address, large, timeout_s=5) == FOUND
    assert scanner.seen == [large]
    assert await clamd.scan(scanner.address, b"", timeout_s=5) is None


async def test_what_listens_there_and_is_not_clamd_is_found_out(scanner: Clamd) -> None:
    await clamd.ping(scanner.address, timeout_s=5)
    await scanner.stop()
    with pytest.raises(NoAnswer, match="cannot be asked"):
        await clamd.ping(scanner.address, timeout_s=5)


# -- what goes out ------------------------------------------------------------------------------------------------


@pytest.fixture
def texted(texting: Callable[..., Texted]) -> Texted:
    made = texting()
    made.context = msgspec.structs.replace(made.context, public_url=PUBLIC)
    return made


def outbox(desk: Texted, scanner: Clamd) -> Outbox:
    def tell(event: str, fields: dict[str, Any]) -> None:
        desk.told.append((event, fields))

    scan = scan_of(Files(clamd=scanner.address, clamd_timeout_s=5))
    readying = Readying(desk.store, folder=desk.folder, context=lambda: desk.context, scan=scan, told=tell)
    return Outbox(
        desk.store,
        desk.senders,
        jitter=lambda: 0.0,
        context=lambda: desk.context,
        told=tell,
        folder=desk.folder,
        ready=readying.ready,
    )


def answer_with(desk: Texted, content: bytes) -> int:
    prepared = [attaching.Prepared("a.pdf", "application/pdf", blobs.prepare(content, desk.folder))]
    ref = desk.text(sender=f"whatsapp:{JAN}")["ref"]

    def reply(tx: Tx) -> int:
        files = attaching.keep(tx, prepared)
        return desk_.reply(tx, desk.context, ref, agent="ania", text="see this", files=files)

    return desk.store.write_now(reply)


async def test_an_infected_file_is_never_sent_and_its_answer_given_up(texted: Texted, scanner: Clamd) -> None:
    row = answer_with(texted, VIRUS)
    assert await texted.deliver_due(outbox(texted, scanner)) == []
    found = texted.row("outbox", row)
    assert (found["state"], found["error"]) == ("failed", f"the file 'a.pdf' is infected ({FOUND})")
    assert "file_infected" in [event for event, _ in texted.told]


async def test_an_answer_with_files_waits_for_the_scanner(texted: Texted, scanner: Clamd) -> None:
    row = answer_with(texted, LETTER)
    await scanner.stop()
    assert await texted.deliver_due(outbox(texted, scanner)) == []
    assert texted.row("outbox", row)["state"] == "queued"
    await scanner.start()
    texted.advance(minutes=5)
    assert len(await texted.deliver_due(outbox(texted, scanner))) == 1
    assert scanner.seen == [LETTER]


async def test_a_scanner_that_is_away_lets_nobody_forget_that_a_try_may_have_succeeded(
    texted: Texted, scanner: Clamd
) -> None:
    """Twilio is asked first whether it has the message; it has, and nothing is sent a second time."""
    row = answer_with(texted, LETTER)
    assert len(await texted.deliver_due(outbox(texted, scanner))) == 1
    lost = {"state": "queued", "provider_id": None, "error": attempts.reason_of("no answer", unknown=True)}
    texted.store.write_now(lambda tx: tx.update(schema.outbox, {"id": row}, next_at=tx.now, **lost))
    await scanner.stop()
    texted.advance(minutes=5)
    assert len(await texted.deliver_due(outbox(texted, scanner))) == 1
    assert texted.row("outbox", row)["state"] == "sent"
    assert "scanner_away" not in [event for event, _ in texted.told]
