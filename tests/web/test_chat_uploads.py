"""Files of visitors: known by their bytes, kept with the line that names them, never shown by our own origin."""

import uuid
import zipfile
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import pytest

from channels.contract import RawMessage, Refused, View
from channels.webchat import session, sniffing, uploads
from channels.webchat.settings import Options
from intake import fetches, kept_files
from intake.fetching import Fetching
from intake.line_files import Uploads
from intake.store import opening
from tests.rows import every_row
from tests.web.chat_daemon import Visitor
from tests.web.chat_rig import ACCOUNT, Chat, Rig, serving

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'


@pytest.fixture
async def chat(tmp_path: Path, clock: Any, new_store: bytes) -> AsyncIterator[Chat]:
    (tmp_path / "intake.db").write_bytes(new_store)
    with closing(opening.open_store("", tmp_path, clock=clock)) as store:
        limits = {"files": {"max_size_bytes": 2_000_000}}
        async with serving(Rig(store, tmp_path, clock, options=limits)) as chat:
            yield chat


async def send(who: Visitor, body: bytes, *, name: str = "a.png", file_id: str = "") -> tuple[int, Any, str]:
    """Upload a file; status, answer, its id."""
    file_id = file_id or str(uuid.uuid4())
    status, answer, _ = await who.ask(
        "POST", "upload", params={"id": file_id, "name": name}, data=BytesIO(body)
    )
    return status, answer, file_id


async def fetch_all(chat: Chat) -> None:
    """Bring the files of lines to their messages, as the daemon does."""
    rig = chat.rig
    source = Uploads(rig.store, rig.keys, folder=rig.folder)
    fetching = Fetching(rig.store, {ACCOUNT: source}, folder=rig.folder)
    wanted, _ = await rig.store.read(fetches.look)
    for each in wanted:
        await fetching.fetch(each)


async def test_a_file_that_a_line_names_is_a_file_of_its_message(chat: Chat) -> None:
    ola = chat.visitor()
    await ola.connect()
    status, answer, file_id = await send(ola, PNG, name="photo.png")
    await ola.write("Look", files=[file_id])
    chat.rig.settle_all()
    await fetch_all(chat)
    (line,) = await ola.lines(1)
    (ticket,) = chat.rig.rows("tickets")
    (kept,) = chat.rig.store.read_now(
        lambda tx: list(kept_files.of_ticket(tx, ticket["id"], chat.rig.folder))
    )
    assert (status, answer["content_type"], answer["size"]) == (200, "image/png", len(PNG))
    assert line["files"] == [{"n": 0, "name": "photo.png", "content_type": "image/png", "size": len(PNG)}]
    assert (kept.name, kept.content, kept.problem) == ("photo.png", PNG, "")


async def test_an_upload_is_no_message_and_makes_no_ticket(chat: Chat) -> None:
    ola = chat.visitor()
    await send(ola, PNG)
    chat.rig.settle_all()
    assert (chat.rig.rows("tickets"), chat.rig.rows("messages")) == ([], [])
    assert [each["state"] for each in chat.rig.rows("journal")] == ["automatic"]


async def test_the_same_upload_again_is_answered_as_before(chat: Chat) -> None:
    ola, file_id = chat.visitor(), str(uuid.uuid4())
    first = await send(ola, PNG, file_id=file_id)
    again = await send(ola, PNG, file_id=file_id)
    assert first == again
    assert len(chat.rig.rows("journal")) == 1


async def test_a_file_is_named_once_and_only_in_its_own_chat(chat: Chat) -> None:
    ola, eve = chat.visitor(), chat.visitor()
    for each in (ola, eve):
        await each.connect()
    _, _, file_id = await send(ola, PNG)
    stolen = await eve.write("Mine", files=[file_id])
    named = await ola.write("Look", files=[file_id])
    twice = await ola.write("Look again", files=[file_id])
    assert [each.get("code", each["t"]) for each in (stolen, named, twice)] == [
        "unknown_file",
        "ack",
        "unknown_file",
    ]


async def test_what_a_visitor_sent_comes_back_as_a_download_and_as_nothing_else(chat: Chat) -> None:
    ola = chat.visitor()
    await ola.connect()
    _, _, file_id = await send(ola, b"<b>words</b> and more", name='quote"\r\n.html')
    await ola.write("Look", files=[file_id])
    status, body, headers = await ola.ask("GET", "file/1/0")
    assert (status, body) == (200, b"<b>words</b> and more")
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"].startswith("attachment; filename=")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


async def test_what_an_agent_sends_along_comes_the_same_way(chat: Chat) -> None:
    from intake import attaching
    from intake.store import blobs

    ola = chat.visitor()
    await ola.connect()
    await ola.write("Send me the form")
    prepared = attaching.Prepared(
        "form.pdf", "application/pdf", blobs.prepare(b"%PDF-1.7 form", chat.rig.folder)
    )
    files = chat.rig.store.write_now(lambda tx: attaching.keep(tx, [prepared]))
    await chat.rig.say("Here it is", files=files)
    line = (await ola.lines(2))[1]
    status, body, headers = await ola.ask("GET", "file/2/0")
    assert line["files"] == [{"n": 0, "name": "form.pdf", "content_type": "application/pdf", "size": 13}]
    assert (status, body, headers["Content-Type"]) == (200, b"%PDF-1.7 form", "application/octet-stream")


async def test_files_that_are_not_there_are_not_found(chat: Chat) -> None:
    ola = chat.visitor()
    await ola.connect()
    _, _, file_id = await send(ola, PNG)
    await ola.write("Look", files=[file_id])
    paths = ("file/1/1", "file/2/0", "file/0/0", "file/x/0", f"file/{'9' * 20}/0", "file/1/-1")
    assert {path: (await ola.ask("GET", path))[0] for path in paths} == dict.fromkeys(paths, 404)


@pytest.mark.parametrize(
    ("body", "status"),
    [(SVG, 415), (b"<!doctype html><script>", 415), (b"MZ\x90\0", 415), (b"", 415), (b"x" * 2_000_001, 413)],
)
async def test_what_is_not_wanted_is_refused_before_it_is_kept(chat: Chat, body: bytes, status: int) -> None:
    ola = chat.visitor()
    found, answer, _ = await send(ola, body, name="harmless.png")
    assert (found, answer["t"]) == (status, "error")
    assert chat.rig.rows("journal") == []


async def test_a_large_file_is_kept_whole(chat: Chat) -> None:
    ola, body = chat.visitor(), PNG + bytes(range(256)) * 6_000
    await ola.connect()
    _, _, file_id = await send(ola, body)
    await ola.write("Look", files=[file_id])
    assert (await ola.ask("GET", "file/1/0"))[1] == body


def _zip(*names: str) -> bytes:
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return made.getvalue()


def _open_document() -> bytes:
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        archive.writestr("content.xml", "x")
    return made.getvalue()


@every_row(
    ("body", "expected"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a/*", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"%PDF-1.7", "application/pdf"),
        (b"\0\0\0\x20ftypisom", "video/mp4"),
        (
            _zip("word/document.xml"),
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        (_zip("xl/workbook.xml"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (_open_document(), "application/vnd.oasis.opendocument.text"),
        (_zip("a.txt"), "application/zip"),
        (b"PK\x03\x04broken", "application/octet-stream"),
        (b"just words, za\xc5\xbc\xc3\xb3\xc5\x82\xc4\x87", "text/plain"),
        (b"\xef\xbb\xbf \n<SVG onload=x>", "image/svg+xml"),
        (b"<?xml version='1.0'?><svg>", "image/svg+xml"),
        (b"\n\t<HTML>", "text/html"),
        (b"<!-- --><script>", "text/html"),
        (b"\x7fELF\x02\x01\x01\0", "application/octet-stream"),
        (b"\xff\xfe\xff", "application/octet-stream"),
        (b"", "application/octet-stream"),
    ],
)
def test_a_file_is_what_its_bytes_say(body: bytes, expected: str) -> None:
    assert sniffing.type_of(body) == expected


@every_row(
    ("name", "expected"),
    [
        ("photo.png", "photo.png"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("a\r\nSet-Cookie: x.png", "a__Set-Cookie_ x.png"),
        ("\u202egnp.exe", "_gnp.exe"),
        ("", "file"),
        ("...", "file"),
        ("x" * 500 + ".pdf", "x" * 116 + ".pdf"),
        ("zażółć.txt", "zażółć.txt"),
    ],
)
def test_a_name_is_made_safe(name: str, expected: str) -> None:
    assert uploads.safe_name(name) == expected


@every_row("name", ['a"b.png', "a\r\nb", "zażółć.txt", "x; filename=evil.html", "\\"])
def test_a_disposition_is_one_header_and_saves(name: str) -> None:
    written = uploads.disposition(name)
    assert written.startswith('attachment; filename="')
    assert written.isascii()
    assert written.count('"') == 2
    assert not {"\r", "\n"} & set(written)


def test_what_is_kept_of_uploads_has_its_bounds() -> None:
    from channels.webchat import state

    kept = state.NEW
    for number in range(200):
        kept = state.with_upload(kept, str(uuid.uuid4()), state.Upload("x" * 120, "image/png", 1, number))
    assert len(kept.uploads) == state.UPLOADS_MAX
    assert len(state.written(kept)) < 16_384
    assert msgspec.json.decode(state.written(kept), type=state.State) == kept


async def test_nothing_of_a_file_is_kept_before_its_sender_has_agreed(
    tmp_path: Path, clock: Any, new_store: bytes
) -> None:
    """No row, no bytes in the store or beside it; after they agree the same file is taken."""
    (tmp_path / "intake.db").write_bytes(new_store)
    asked = {"consent": {"text": {"en": "We keep it."}, "version": "1"}}
    with closing(opening.open_store("", tmp_path, clock=clock)) as store:
        rig = Rig(store, tmp_path, clock, options=asked)
        large = PNG + b"\0" * 1_500_000  # a file of its own, beside the store
        async with serving(rig) as chat:
            ola, file_id = chat.visitor(), str(uuid.uuid4())
            await ola.connect()
            status, answer, _ = await send(ola, large, file_id=file_id)
            assert (status, answer["code"], answer["id"]) == (409, "consent_required", file_id)
            assert (rig.rows("blobs"), rig.rows("journal")) == ([], [])
            assert not [
                each for each in rig.folder.rglob("*") if each.is_file() and each.stat().st_size > 10**6
            ]
            about = str(uuid.uuid4())
            await ola.say("consent", id=about, version="1")
            await ola.hear("ack", about=about)
            assert (await send(ola, large, file_id=file_id))[0] == 200


def test_a_turn_that_keeps_a_file_asks_for_the_agreement_too() -> None:
    """Whatever was looked at before: the text may have changed since."""
    options = msgspec.convert({"origins": ["https://a.example"], "consent": {"text": {"en": "x"}}}, Options)
    upload = {"id": str(uuid.uuid4()), "name": "a", "content_type": "image/png", "size": 1}
    raw = RawMessage(
        kind="webchat", account=ACCOUNT, lane="s", body=PNG, received_at=NOW, envelope={"upload": upload}
    )
    with pytest.raises(Refused) as refused:
        session.Machine(ACCOUNT, options).step(None, raw, View(at=NOW))
    assert "consent_required" in refused.value.answer
