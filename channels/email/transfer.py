"""Undoes transfer encodings as far as the bytes allow (RFC 2045 §6). Linear, never raises."""

import binascii

from channels.email import encoded_words

MAX_UU_LINES = 600_000  # 27 MB of full lines


def decode(content: bytes, encoding: str) -> bytes:
    """The decoded bytes of a part; an unknown encoding leaves them as they are. encoding: the header's value."""
    name = encoding.partition(";")[0].strip(" \t\"'").lower()
    if name == "base64":
        return encoded_words.base64_bytes(content)
    if name == "quoted-printable":
        return binascii.a2b_qp(content)
    return uudecoded(content) if is_uuencoded(name) else content


def is_uuencoded(name: str) -> bool:
    """The encodings that no MIME parser undoes."""
    return name in {"uuencode", "x-uuencode", "x-uue", "uue"}


def uudecoded(content: bytes) -> bytes:
    """What stands between "begin" and "end"; lines that are none are skipped."""
    _, found, lines = content.partition(b"begin ")
    if not found:
        return content
    decoded = bytearray()
    for line in lines.split(b"\n", MAX_UU_LINES)[1:]:
        if line.rstrip() == b"end":
            break
        decoded += _uudecoded_line(line.rstrip(b"\r"))
    return bytes(decoded)


def _uudecoded_line(line: bytes) -> bytes:
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:
        # Some encoders write too many characters a line: the first says how many bytes there are.
        length = (((line[0] - 32) & 63) * 4 + 5) // 3 if line else 0
        try:
            return binascii.a2b_uu(line[:length])
        except binascii.Error:
            return b""
