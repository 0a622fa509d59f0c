"""Pictures that come in get a small one beside them, pictures too large to be sent go out smaller; bombs are not opened."""

import asyncio
import base64
import io
import json
import random
import struct
import sys
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from channels.contract import Fetched, OutboundFile
from channels.twilio import sendable_files
from intake import attaching, cli, composing, fetches, kept_files, pictures, redaction
from intake import desk as desk_
from intake.composed import Smaller
from intake.delivering import Outbox
from intake.desk import DeskError
from intake.fetching import Fetching
from intake.pictures import NoPicture, Pictures
from intake.readying import Readying
from intake.store import blobs
from intake.store.engine import Tx
from tests.domain.world import RULES
from tests.phone import deliveries, media_play
from tests.phone.scanner import Clamd
from tests.phone.test_phone_deliveries import FILES, post
from tests.phone.texted import JAN, PUBLIC, Texted
from tests.phone.texted_desk import CONVERSATIONS, Desk
from tests.phone.texting import SID, TOKEN, form

MB = 1_000_000
GPS, ORIENTATION, ON_ITS_SIDE = 0x8825, 0x0112, 6
MEDIA = f"https://api.twilio.com/2010-04-01/Accounts/{SID}/Messages/MM{'1' * 32}/Media"


def test_what_has_to_become_smaller_shares_what_is_left() -> None:
    """A small picture stays, a document takes its room, and what is no picture cannot shrink."""
    jpeg, pdf = "image/jpeg", "application/pdf"
    assert sendable_files.targets("sms", [(jpeg, 8 * MB)]) == {0: 5 * MB}
    assert sendable_files.targets("sms", [(jpeg, MB), (jpeg, 8 * MB), (pdf, MB)]) == {1: 3 * MB}
    assert sendable_files.targets("sms", [(jpeg, 4 * MB), (jpeg, 8 * MB)]) == {0: 5 * MB // 2, 1: 5 * MB // 2}
    assert sendable_files.targets("sms", [(jpeg, 4 * MB)]) == {}
    assert sendable_files.targets("sms", [(jpeg, MB), (pdf, 5 * MB - 1)]) == {}
    assert sendable_files.targets("whatsapp", [("image/png", 17 * MB)]) == {0: 5 * MB}
    assert sendable_files.targets("whatsapp", [(pdf, 8 * MB)]) == {}
    assert sendable_files.targets("whatsapp", [(jpeg, 8 * MB), (jpeg, MB)]) == {}


def test_what_is_sent_smaller_is_a_jpeg_that_the_medium_takes() -> None:
    files = [("image/png", 8 * MB), ("application/pdf", MB)]
    assert sendable_files.as_sent("sms", files) == [("image/jpeg", 4 * MB), ("application/pdf", MB)]
    assert sendable_files.against("sms", sendable_files.as_sent("sms", files), has_words=True) is None
    assert [sendable_files.jpeg_name(each) for each in ("a.b.png", "cat", ".png")] == [
        "a.b.jpg",
        "cat.jpg",
        ".png.jpg",
    ]


# -- with the library -----------------------------------------------------------------------------------------------


@pytest.fixture
def image() -> Any:
    """The library's module for pictures; without it there are none to be made."""
    return pytest.importorskip("PIL.Image")


@pytest.fixture
async def made() -> AsyncIterator[Pictures]:
    works = Pictures(limit_s=30)
    yield works
    await works.close()


def photo(image: Any, *, width: int = 400, height: int = 300, kind: str = "JPEG", **more: Any) -> bytes:
    """A picture: its left half red, its right half blue."""
    picture = image.new("RGB", (width, height), "red")
    picture.paste("blue", (width // 2, 0, width, height))
    written = io.BytesIO()
    picture.save(written, kind, **more)
    return written.getvalue()


def noise(image: Any, *, edge: int) -> bytes:
    """A PNG that does not compress."""
    content = random.Random(7).randbytes(edge * edge * 3)
    written = io.BytesIO()
    image.frombytes("RGB", (edge, edge), content).save(written, "PNG", compress_level=0)
    return written.getvalue()


def opened(image: Any, content: bytes) -> Any:
    return image.open(io.BytesIO(content))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
async def test_each_format_of_phones_gets_a_small_picture(image: Any, made: Pictures, kind: str) -> None:
    small = opened(image, await made.thumbnail(photo(image, width=1_000, height=500, kind=kind)))
    assert (small.format, small.size) == ("JPEG", (320, 160))
    red, _, blue = small.convert("RGB").getpixel((10, 80))
    assert red > 200
    assert blue < 60


@pytest.mark.slow
async def test_a_picture_on_its_side_stands_upright_and_says_nothing_of_where_it_was_taken(
    image: Any, made: Pictures
) -> None:
    exif = image.Exif()
    exif[ORIENTATION] = ON_ITS_SIDE
    exif.get_ifd(GPS)[2] = (52.0, 13.0, 48.0)
    content = photo(image, exif=exif, comment=b"secret place")
    assert dict(opened(image, content).getexif().get_ifd(GPS))
    for written in (await made.thumbnail(content), await made.fitted(content, max_bytes=50_000)):
        out = opened(image, written)
        assert out.width < out.height
        assert dict(out.getexif()) == {}
        assert b"secret" not in written
        assert b"Exif" not in written
        red, _, blue = out.convert("RGB").getpixel((out.width // 2, 5))
        assert (red > 200, blue < 60) == (True, True)


@pytest.mark.slow
async def test_a_transparent_picture_stands_on_white(image: Any, made: Pictures) -> None:
    written = io.BytesIO()
    image.new("RGBA", (50, 50), (0, 0, 0, 0)).save(written, "PNG")
    small = opened(image, await made.thumbnail(written.getvalue()))
    assert small.getpixel((25, 25)) == (255, 255, 255)


def bomb(edge: int) -> bytes:
    """A PNG whose header says that it is so wide and so high, and that has no pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", edge, edge, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.slow
@pytest.mark.parametrize("edge", [8_001, 12_000, 60_000])
async def test_a_bomb_is_refused_by_its_header(image: Any, made: Pictures, edge: int) -> None:
    with pytest.raises(NoPicture, match="more than 64,000,000 pixels"):
        await made.thumbnail(bomb(edge))


@pytest.mark.slow
async def test_a_scan_of_16_bits_does_not_become_a_white_page(image: Any, made: Pictures) -> None:
    written = io.BytesIO()
    image.new("I;16", (40, 40), 30_000).save(written, "PNG")
    with pytest.raises(NoPicture, match="finer than those of a JPEG"):
        await made.fitted(written.getvalue(), max_bytes=MB)


@pytest.mark.slow
@pytest.mark.parametrize("content", [b"", b"\xff\xd8\xff\xe0 no picture", b"<svg/>", b"%!PS-Adobe-3.0 EPSF"])
async def test_what_is_no_picture_is_said_so(image: Any, made: Pictures, content: bytes) -> None:
    with pytest.raises(NoPicture, match="cannot be decoded"):
        await made.thumbnail(content)


@pytest.mark.slow
async def test_a_picture_is_as_large_as_it_may_be(image: Any, made: Pictures) -> None:
    content = noise(image, edge=700)
    written = await made.fitted(content, max_bytes=200_000)
    assert 100_000 < len(written) <= 200_000
    with pytest.raises(NoPicture, match="does not become smaller than 100 bytes"):
        await made.fitted(content, max_bytes=100)


@pytest.mark.slow
async def test_an_animation_is_not_stopped(image: Any, made: Pictures) -> None:
    frames = [image.new("RGB", (50, 50), colour) for colour in ("red", "blue")]
    written = io.BytesIO()
    frames[0].save(written, "GIF", save_all=True, append_images=frames[1:])
    with pytest.raises(NoPicture, match="it moves"):
        await made.fitted(written.getvalue(), max_bytes=MB)
    assert await made.thumbnail(written.getvalue())


@pytest.fixture
def desk(open_as: Callable[..., Desk], tmp_path: Path) -> Desk:
    (tmp_path / "blobs").mkdir()
    return open_as(Desk, rules=RULES + CONVERSATIONS)


class Shelf:
    def __init__(self, content: bytes) -> None:
        self.content = content

    async def fetch(self, reference: str) -> Fetched:
        return Fetched(self.content, "image/jpeg", "cat.jpg")


async def fetched(desk: Desk, made: Pictures, content: bytes) -> tuple[dict[str, Any], list[str]]:
    """A text with a picture that has been fetched; its journal row, and what was told."""
    told: list[str] = []
    media = {"NumMedia": "1", "MediaUrl0": f"{MEDIA}/ME1", "MediaContentType0": "image/jpeg"}
    text = desk.take(form("Look", **media))
    work = Fetching(
        desk.store,
        {"texts": Shelf(content)},
        folder=desk.folder,
        told=lambda event, fields: told.append(event),
        small=made,
    )
    for each in (await desk.store.read(fetches.look))[0]:
        await work.fetch(each)
    return text, told


def kept(desk: Desk, text: dict[str, Any]) -> kept_files.KeptFile:
    (file,) = desk.store.read_now(lambda tx: list(kept_files.of_ticket(tx, text["ticket_id"], desk.folder)))
    return file


async def test_a_small_picture_is_kept_beside_the_original(image: Any, desk: Desk, made: Pictures) -> None:
    content = photo(image, width=800, height=600)
    text, _ = await fetched(desk, made, content)
    file = kept(desk, text)
    assert file.content == content
    assert file.thumbnail is not None
    assert opened(image, file.thumbnail).size == (320, 240)
    desk.store.write_now(lambda tx: fetches.name_again(tx, text["message_id"]))
    assert kept(desk, text).thumbnail == file.thumbnail


@pytest.mark.slow
async def test_a_broken_picture_is_kept_without_a_small_one(image: Any, desk: Desk, made: Pictures) -> None:
    text, told = await fetched(desk, made, b"\xff\xd8\xff\xe0 broken")
    assert told == ["thumbnail_not_made", "file_fetched"]
    assert (kept(desk, text).content, kept(desk, text).thumbnail) == (b"\xff\xd8\xff\xe0 broken", None)


@pytest.mark.slow
async def test_a_picture_of_a_text_is_scanned_and_shown_small_by_a_daemon(
    image: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From a signed post, through the scanner and the process that decodes, to what a page can show."""
    monkeypatch.setattr(media_play, "PICTURE", photo(image, width=640, height=480))
    scanner = await Clamd().start()
    async with media_play.Twilio().running() as twilio:
        config = deliveries.CONFIG.replace("reconcile_s: 0", f'reconcile_s: 0, api_url: "{twilio.url}"')
        config += f'files: {{{{clamd: "{scanner.address}"}}}}\n'
        async with deliveries.daemon(tmp_path, config=config) as running:
            kept = deliveries.fetched(running)
            assert running.upkeep.bound is not None
            url = twilio.file("ME1")
            await post(
                running.upkeep.bound,
                form("Look", NumMedia="1", MediaUrl0=url, MediaContentType0="image/jpeg"),
            )
            await asyncio.wait_for(kept.wait(), 20)
            (row,) = await running.wired.store.read(lambda tx: tx.all(FILES))
    await scanner.stop()
    assert scanner.seen == [media_play.PICTURE]
    monkeypatch.setenv("TOKEN", TOKEN)
    asked = ["tickets", "files", row[1], "--json", "-c", str(tmp_path / "intake.yaml")]
    assert await asyncio.to_thread(cli.main, asked) == 0
    redaction.forget_all()
    kind, _, encoded = json.loads(capsys.readouterr().out.splitlines()[-1])["thumbnail"].partition(",")
    assert kind == "data:image/jpeg;base64"
    assert opened(image, base64.b64decode(encoded)).size == (320, 240)


# -- what goes out ----------------------------------------------------------------------------------------------------


@pytest.fixture
def texted(texting: Callable[..., Texted]) -> Texted:
    made = texting()
    made.context = msgspec.structs.replace(made.context, public_url=PUBLIC)
    return made


def answer_with(desk: Texted, content: bytes) -> int:
    prepared = [attaching.Prepared("my cat.png", "image/png", blobs.prepare(content, desk.folder))]
    ref = desk.text(sender=f"whatsapp:{JAN}")["ref"]

    def reply(tx: Tx) -> int:
        files = attaching.keep(tx, prepared)
        return desk_.reply(tx, desk.context, ref, agent="ania", text="see this", files=files)

    return desk.store.write_now(reply)


def outbox(desk: Texted, made: Pictures) -> Outbox:
    readying = Readying(desk.store, folder=desk.folder, context=lambda: desk.context, made=made)
    return Outbox(
        desk.store,
        desk.senders,
        jitter=lambda: 0.0,
        context=lambda: desk.context,
        folder=desk.folder,
        ready=readying.ready,
    )


@pytest.mark.slow
async def test_a_picture_too_large_for_whatsapp_goes_out_smaller(
    image: Any, texted: Texted, made: Pictures
) -> None:
    """The link gives the small one, under a name that fits; the ticket says both sizes, and another try makes no third."""
    content = noise(image, edge=1_400)
    assert len(content) > 5 * MB
    row = answer_with(texted, content)
    (sent,) = await texted.deliver_due(outbox(texted, made))
    assert sent.media_urls
    (file,) = json.loads(texted.row("outbox", row)["payload"])["attachments"]
    assert (file["name"], file["content_type"]) == ("my cat.jpg", "image/jpeg")
    assert file["size"] <= 5 * MB
    body = texted.store.read_now(lambda tx: blobs.body_of(tx, file["blob"], texted.folder))
    assert (opened(image, body).format, len(body)) == ("JPEG", file["size"])
    (event,) = texted.rows("events", "kind = 'picture_fitted'")
    said = json.loads(event["details"])
    assert (said["size"], said["sent_size"]) == (len(content), file["size"])


@pytest.mark.slow
async def test_a_picture_that_cannot_become_smaller_is_given_up_with_the_reason(
    image: Any, texted: Texted, made: Pictures
) -> None:
    row = answer_with(texted, b"\x89PNG" + bytes(6 * MB))
    assert await texted.deliver_due(outbox(texted, made)) == []
    found = texted.row("outbox", row)
    assert found["state"] == "failed"
    assert "'my cat.png' is too large for whatsapp, and cannot be made smaller" in found["error"]


async def test_the_composer_says_that_a_picture_goes_out_smaller(image: Any, texted: Texted) -> None:
    ref = texted.text(sender=f"whatsapp:{JAN}")["ref"]
    large = OutboundFile("cat.png", "image/png", 8 * MB, "")
    composed = texted.store.read_now(
        lambda tx: composing.compose(tx, texted.context, ref, text="see this", files=[large])
    )
    assert composed.can_send
    assert composed.smaller == (Smaller("cat.png", 8 * MB, 5 * MB),)


async def test_without_the_library_a_large_picture_is_refused_in_one_sentence(
    texted: Texted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert not pictures.is_installed()
    with pytest.raises(DeskError, match="whatsapp carries pictures of 5 MB"):
        answer_with(texted, b"\x89PNG" + bytes(6 * MB))
    ref = texted.text(sender=f"whatsapp:{JAN}")["ref"]
    large = OutboundFile("cat.png", "image/png", 8 * MB, "")
    composed = texted.store.read_now(
        lambda tx: composing.compose(tx, texted.context, ref, text="see this", files=[large])
    )
    assert (composed.can_send, composed.smaller) == (False, ())
