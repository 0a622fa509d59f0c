"""The short road for well-formed mail builds the tree that the long ones build, and takes nothing else."""

import base64
import binascii
import random

import pytest

from channels.email import encoded_words, headers, structure, transfer, wellformed

_TYPES = (
    b"text/plain",
    b"text/html; charset=utf-8",
    b'application/pdf; name="a b.pdf"',
    b"image/png",
    b'text/csv;\r\n\tname="a.csv"',
)
_TURNS = (
    b"\r\n", b"\n", b"\r", b" ", b"\t", b"--", b"--B", b"--B--", b"\r\n--B\r\n", b"\r\n--C--\r\n", b"=", b"==", b"-", b"\xff", b"\x00", b";", b'"',
    b"=?utf-8?q?a?=", b"Content-Type: message/rfc822\r\n", b"Content-Transfer-Encoding: base64\r\n", b"boundary=C", b"X: ", b": ", b"",
)  # fmt: skip


def _leaf(chance: random.Random) -> bytes:
    content = chance.choice(
        (b"", b"one\r\ntwo\r\n", b"caf\xc3\xa9 -- a=b \r\n", chance.randbytes(chance.choice((3, 57, 200))))
    )
    encoding = chance.choice((b"base64", b"quoted-printable", b"8bit", b"Base64", b""))
    if encoding.lower() == b"base64":
        body = base64.encodebytes(content).replace(b"\n", chance.choice((b"\r\n", b"\n")))
    else:
        body = binascii.b2a_qp(content) if encoding == b"quoted-printable" else content
    head = b"Content-Type: " + chance.choice(_TYPES) + b"\r\n"
    if encoding:
        head += b"Content-Transfer-Encoding: " + encoding + b"\r\n"
    return (
        head
        + chance.choice((b"", b"Content-Disposition: attachment;\r\n filename=a.pdf\r\n"))
        + b"\r\n"
        + body
    )


def _multipart(chance: random.Random, parts: list[bytes], boundary: bytes) -> bytes:
    kind = chance.choice((b"mixed", b"alternative", b"related"))
    declared = chance.choice((b'"%s"', b"%s")) % boundary
    joined = b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts)
    return b"Content-Type: multipart/%s; boundary=%s\r\n\r\n%s--%s--%s" % (
        kind, declared, joined, boundary, chance.choice((b"", b"\r\n", b"\r\nepilogue\r\n")),
    )  # fmt: skip


def _mail(number: int, *, turns: int) -> bytes:
    chance = random.Random(number)
    inner = [_leaf(chance) for _ in range(chance.randint(1, 3))]
    if chance.random() < 0.4:
        inner[0] = _multipart(
            chance, [_leaf(chance), _leaf(chance)], chance.choice((b"C", b"C", b"A", b"BC"))
        )
    content = _multipart(chance, inner, b"B") if chance.random() < 0.8 else _leaf(chance)
    content = b"From: a@b.example\r\nMIME-Version: 1.0\r\n" + content
    if chance.random() < 0.2:
        content = content.replace(b"\r\n", b"\n")
    for _ in range(turns):
        at = chance.randrange(len(content) + 1)
        content = content[:at] + chance.choice(_TURNS) + content[at + chance.choice((0, 0, 1, 3)) :]
    return content


def _read_by_both(content: bytes) -> bool:
    """Whether the short road took it; then both gave the same."""
    fields = headers.scan(content)
    short = wellformed.read(content, fields, costly=True)
    if short is not None:
        assert structure._tree_of_any(content, fields, costly=True) == (short, ())
    return short is not None


def test_whole_mails_take_the_short_road_and_read_the_same() -> None:
    taken = [_read_by_both(_mail(number, turns=0)) for number in range(400)]
    assert sum(taken) > 350


@pytest.mark.parametrize("turns", [1, 2, 5])
def test_what_is_left_to_the_short_road_of_broken_mails_reads_the_same(turns: int) -> None:
    taken = [_read_by_both(_mail(number, turns=turns)) for number in range(600)]
    assert any(taken)
    assert not all(taken)


def test_base64_is_decoded_at_once_only_where_a_closer_look_finds_the_same() -> None:
    chance = random.Random(7)
    taken = 0
    for _ in range(3_000):
        letters = base64.b64encode(chance.randbytes(chance.randrange(300)))
        width, end = chance.choice((3, 4, 60, 76, 77)), chance.choice((b"\r\n", b"\n"))
        content = end.join(letters[at : at + width] for at in range(0, len(letters), width)) + end
        for _ in range(chance.choice((0, 1, 2))):
            at = chance.randrange(len(content))
            content = content[:at] + chance.choice(_TURNS) + content[at + chance.randrange(2) :]
        decoded = transfer.exact_base64(content)
        taken += decoded is not None
        assert decoded in (None, encoded_words.base64_bytes(content))
    assert 1_000 < taken < 3_000


def test_a_large_file_keeps_every_byte() -> None:
    content = random.Random(8).randbytes(1_000_003)
    assert transfer.exact_base64(base64.encodebytes(content).replace(b"\n", b"\r\n")) == content
