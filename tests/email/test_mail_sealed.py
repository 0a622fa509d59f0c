"""Mail that is signed or encrypted: S/MIME and PGP."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.email import cms, message
from tests.email.mails import FROM, REPORT, TEXT, multipart, names, read, single
from tests.rows import every_row

SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
ENVELOPED_DATA = bytes.fromhex("06092a864886f70d010703")
DATA = bytes.fromhex("06092a864886f70d010701")


def element(tag: int, *contents: bytes) -> bytes:
    content = b"".join(contents)
    size = len(content)
    if size < 128:
        return bytes((tag, size)) + content
    return bytes((tag, 0x82)) + size.to_bytes(2, "big") + content


def endless(tag: int, *contents: bytes) -> bytes:
    """An element of indefinite length."""
    return bytes((tag, 0x80)) + b"".join(contents) + b"\0\0"


def signed(inner: bytes) -> bytes:
    octets = element(0xA0, element(0x04, inner))
    algorithms, signers = (
        element(0x31, element(0x30, b"\x06\x01\x2a")),
        element(0x31, element(0x30, b"\x02\x01\x01")),
    )
    return element(
        0x30,
        SIGNED_DATA,
        element(0xA0, element(0x30, b"\x02\x01\x01", algorithms, element(0x30, DATA, octets), signers)),
    )


def signed_in_pieces(inner: bytes) -> bytes:
    pieces = [element(0x04, inner[at : at + 7]) for at in range(0, len(inner), 7)]
    octets = endless(0xA0, endless(0x24, *pieces))
    return endless(
        0x30,
        SIGNED_DATA,
        endless(
            0xA0, endless(0x30, b"\x02\x01\x01", element(0x31), endless(0x30, DATA, octets), element(0x31))
        ),
    )


def sealed(content: bytes, kind: str = "signed-data") -> bytes:
    head = f'Content-Type: application/pkcs7-mime; smime-type={kind}; name="smime.p7m"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    return FROM + head.encode() + base64.encodebytes(content)


@pytest.mark.parametrize("wrap", [signed, signed_in_pieces], ids=["DER", "BER in pieces"])
def test_a_signed_mail_is_read_and_kept(wrap: object) -> None:
    inner = multipart(TEXT, REPORT).removeprefix(FROM)
    content = sealed(wrap(inner))  # type: ignore[operator]
    found = read(content)
    assert found.text == "Where is my order?"
    assert [attachment.name for attachment in found.attachments] == ["report.pdf", "smime.p7m"]
    assert message.attachment_bytes(content, found.attachments[0].part) == b"%PDF-1.4"
    assert "The mail is signed with S/MIME; the signature was not checked" in found.problems


@pytest.mark.parametrize("kind", ["enveloped-data", ""])
def test_an_encrypted_mail_is_kept_and_named(kind: str) -> None:
    content = element(0x30, ENVELOPED_DATA, element(0xA0, element(0x30, b"\x02\x01\x00")))
    found = read(sealed(content, kind))
    assert (found.text, [attachment.name for attachment in found.attachments]) == ("", ["smime.p7m"])
    assert "The mail is encrypted with S/MIME: its text cannot be read" in found.problems


def test_a_detached_signature_is_a_file_beside_the_text() -> None:
    signature = b'Content-Type: application/pkcs7-signature; name="smime.p7s"\r\n\r\nS'
    content = multipart(TEXT, signature, declared='multipart/signed; boundary="B"')
    assert (read(content).text, names(content)) == ("Where is my order?", ["smime.p7s"])


def test_pgp_in_parts_is_kept_and_named() -> None:
    parts = (
        b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1",
        b"Content-Type: application/octet-stream; name=encrypted.asc\r\n\r\nP",
    )
    found = read(multipart(*parts, declared='multipart/encrypted; boundary="B"'))
    assert [attachment.name for attachment in found.attachments] == ["attachment-1.asc", "encrypted.asc"]
    assert "The mail is encrypted with PGP: its text cannot be read" in found.problems


def test_pgp_inside_a_text_stays_as_it_is_and_is_named() -> None:
    text = "-----BEGIN PGP MESSAGE-----\n\nhQEMA5\n=x\n-----END PGP MESSAGE-----"
    found = read(single(text.encode()))
    assert found.text == text
    assert "The text holds a message encrypted with PGP" in found.problems


@every_row("length", [0, 1, 14, 20, 30, 60])
def test_a_seal_that_is_cut_off_is_kept(length: int) -> None:
    found = read(sealed(signed(TEXT)[:length] or b"x"))
    assert [attachment.name for attachment in found.attachments][-1] == "smime.p7m"


@given(st.binary(max_size=200))
def test_no_seal_of_any_bytes_raises(content: bytes) -> None:
    cms.signed_content(element(0x30, SIGNED_DATA, content))
    cms.signed_content(b"\x30\x80" + SIGNED_DATA + content)
