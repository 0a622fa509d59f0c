"""Files that stand in a mail without being MIME: winmail.dat, uuencode, yEnc."""

import base64
import binascii
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.contract import Costly
from channels.email import containers, message, rtf, tnef
from tests.email import tnef_writer
from tests.email.mails import TEXT, multipart, names, read, single
from tests.email.tnef_writer import unicode_property
from tests.rows import every_row

PDF = tnef_writer.file(b"ANGEBO~1.PDF", b"%PDF-1.4", unicode_property(0x3707, "Angebot Übersicht.pdf"))
RTF = rb"{\rtf1\ansi\ansicpg1250{\fonttbl{\f0 Arial;}}\pard Za\'bf\'f3\'b3\'e6\par \u322?\b bold\b0\tab{\*\generator X;}x\{y\}}"
HTML_RTF = (
    rb"{\rtf1\ansi\fromhtml1 {\*\htmltag64 <p>}\htmlrtf \par\htmlrtf0 za\u380?{\*\htmltag84 <b>}\htmlrtf {\b\htmlrtf0 now"
    rb"{\*\htmltag92 </b>}\htmlrtf }\htmlrtf0 {\*\htmltag72 </p>}}"
)


def winmail(stream: bytes, *, kind: bytes = b"application/ms-tnef") -> bytes:
    return b"Content-Type: %s; name=winmail.dat\r\nContent-Transfer-Encoding: base64\r\n\r\n%s" % (
        kind,
        base64.encodebytes(stream),
    )


def test_the_files_of_winmail_dat_are_listed_and_fetched() -> None:
    content = multipart(TEXT, winmail(tnef_writer.stream(PDF, tnef_writer.file(b"n\xf6te.txt", b"hello"))))
    found = read(content)
    assert [attachment.name for attachment in found.attachments] == [
        "winmail.dat",
        "Angebot Übersicht.pdf",
        "nöte.txt",
    ]
    assert message.attachment_bytes(content, found.attachments[1].part) == b"%PDF-1.4"


def test_winmail_dat_is_known_by_its_name_too() -> None:
    content = multipart(TEXT, winmail(tnef_writer.stream(PDF), kind=b"application/octet-stream"))
    assert names(content) == ["winmail.dat", "Angebot Übersicht.pdf"]


@every_row(
    ("body", "text"),
    [
        (unicode_property(0x1000, "Where is my order?\r\nŁ"), "Where is my order?\nŁ"),
        ((0x001E, 0x1000, "Zażółć".encode("cp1250")), "Zażółć"),
        ((0x0102, 0x1013, "<p>Zażółć <b>now</b></p>".encode("cp1250")), "Zażółć now"),
        ((0x0102, 0x1009, tnef_writer.packed_rtf(RTF)), "Zażółć\nłbold\tx{y}"),
        ((0x0102, 0x1009, tnef_writer.packed_rtf(HTML_RTF)), "zażnow"),
    ],
    ids=["Unicode", "code page", "HTML", "RTF", "HTML inside RTF"],
)
def test_the_text_of_winmail_dat_is_read_where_the_mail_has_no_other(
    body: tnef_writer.Property, text: str
) -> None:
    stream = tnef_writer.stream(tnef_writer.message(body), code_page=1250)
    assert read(multipart(winmail(stream))).text == text
    assert read(multipart(TEXT, winmail(stream))).text == "Where is my order?"


def test_a_mail_attached_in_winmail_dat_gives_its_text_and_files() -> None:
    inner = tnef_writer.stream(
        tnef_writer.message(unicode_property(0x0037, "Earlier"), unicode_property(0x1000, "hi")), PDF
    )
    outer = tnef_writer.stream(tnef_writer.file(b"Untitled", b"I" * 16 + inner))
    assert names(multipart(TEXT, winmail(outer))) == ["winmail.dat", "Earlier.txt", "Angebot Übersicht.pdf"]


def test_named_properties_are_skipped() -> None:
    wanted = (
        struct.pack("<I", 2)
        + tnef_writer.named_property(7)
        + tnef_writer.properties(unicode_property(0x1000, "x"))[4:]
    )
    assert tnef.read(tnef_writer.stream(tnef_writer.attribute(1, 0x0006_9003, wanted))).text == "x"


@every_row("length", [0, 5, 6, 15, 40, 80, 150])
def test_a_stream_that_is_cut_off_gives_what_it_has(length: int) -> None:
    stream = tnef_writer.stream(PDF)
    assert len(tnef.read(stream[:length]).files) <= 1
    assert names(multipart(TEXT, winmail(stream[:length])))[0] == "winmail.dat"


@given(st.binary(max_size=300))
def test_no_stream_of_any_bytes_raises(content: bytes) -> None:
    tnef.read(tnef_writer.SIGNATURE + content)
    tnef.read(
        tnef_writer.stream(
            tnef_writer.attribute(1, 0x0006_9003, content), tnef_writer.attribute(2, 0x0006_9005, content)
        )
    )
    rtf.text_from_rtf(content)
    rtf.unpacked(b"\0" * 4 + struct.pack("<III", 1_000, 0x7546_5A4C, 0) + content)
    containers.without_blocks(
        b"begin 644 x\n" + content + b"\nend\n=ybegin name=x\n" + content + b"\n=yend\n"
    )


def test_packed_text_repeats_what_it_wrote_and_what_every_text_begins_with() -> None:
    """The example of [MS-OXRTFCP] §4.2.2: a run that refers into itself."""
    content = bytes.fromhex(
        "1a000000 1c000000 4c5a4675 e2d44b51 410004205758595a0d6e7d010eb0".replace(" ", "")
    )
    assert rtf.unpacked(content) == b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}"


def uuencoded(name: bytes, content: bytes, mode: bytes = b"644") -> bytes:
    lines = [binascii.b2a_uu(content[at : at + 45]) for at in range(0, len(content), 45)]
    return b"begin " + mode + b" " + name + b"\n" + b"".join(lines) + b"`\nend\n"


def test_uuencoded_files_in_a_text_are_files_and_the_text_is_what_is_left() -> None:
    picture = bytes(range(256))
    content = single(
        b"Look:\n\n" + uuencoded(b"a b.png", picture) + uuencoded(b"c.txt", b"hi", b"0600") + b"\nAda\n"
    )
    found = read(content)
    assert found.text == "Look:\n\n\nAda"
    assert [(attachment.name, attachment.size) for attachment in found.attachments] == [
        ("a b.png", 256),
        ("c.txt", 2),
    ]
    assert message.attachment_bytes(content, found.attachments[0].part) == picture


def test_uuencoded_files_in_a_part_are_found_too() -> None:
    content = multipart(
        b"Content-Type: text/plain\r\n\r\nLook:\r\n" + uuencoded(b"a.bin", b"x" * 90).replace(b"\n", b"\r\n")
    )
    found = read(content)
    assert (found.text, message.attachment_bytes(content, found.attachments[0].part)) == ("Look:", b"x" * 90)


def test_base64_of_uuencode_is_read() -> None:
    content = single(b"Look:\nbegin-base64 644 a.bin\n" + base64.encodebytes(b"hello") + b"====\n")
    assert [(attachment.name, attachment.size) for attachment in read(content).attachments] == [("a.bin", 5)]


def test_a_yenc_block_in_a_text_is_a_file() -> None:
    encoded = bytes((byte + 42) % 256 for byte in b"hello\xd6\xe0!")
    written = encoded.replace(b"\x00", b"=@").replace(b"\x0a", b"=J")
    content = single(
        b"Look:\r\n=ybegin line=128 size=8 name=a b.bin\r\n" + written + b"\r\n=yend size=8\r\nAda"
    )
    found = read(content)
    assert found.text == "Look:\nAda"
    assert message.attachment_bytes(content, found.attachments[0].part) == b"hello\xd6\xe0!"


@every_row(
    "text",
    [
        "begin 644 things at once\nand go on",
        "We begin 100 x\nend\n",
        "begin 2026 x\nnothing\nend",
        "=ybegin name=x\nwhat?",
    ],
)
def test_prose_that_begins_like_a_block_stays_text(text: str) -> None:
    found = read(single(text.encode()))
    assert (found.text, found.attachments) == (text.strip(), ())


def test_a_large_container_is_left_to_the_slow_road() -> None:
    picture = tnef_writer.file(b"p.bin", b"x" * 300_000)
    with pytest.raises(Costly):
        read(multipart(TEXT, winmail(tnef_writer.stream(picture))))
    with pytest.raises(Costly):
        read(single(uuencoded(b"p.bin", b"x" * 300_000)))


@every_row(
    "content",
    [b"begin 644 x\n" * 300_000, b"begin 644 x\nend\n" * 30_000, b"=ybegin name=x\n" * 30_000, b"=ybegin name=x\n" + b"===" * 80_000 + b"\n=yend\n"],
    ids=["beginnings", "empty blocks", "beginnings of yEnc", "escapes"],
)  # fmt: skip
def test_blocks_are_looked_for_a_bounded_number_of_times(content: bytes) -> None:
    """Only so many beginnings are tried: what is left of a bomb is text."""
    _, items = containers.without_blocks(content)
    assert len(items) <= containers.MAX_BLOCKS
