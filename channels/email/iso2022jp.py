"""Japanese mail text in ISO-2022-JP as it is really sent: with the vendors' characters that the standard does not have.

Source: RFC 1468; Microsoft's code pages 50220 and 50221, which put rows 13, 79–84 and 89–92 of code page 932 into it.
"""

import re

_ESCAPE = re.compile(rb"\x1b(\$[@B]|\$\(D|\([BJI])")
_HIGH = bytes(byte | 0x80 if 0x21 <= byte <= 0x7E else byte for byte in range(256))
_MAX_CAREFUL_BYTES = 10_000
_KANJI = frozenset({b"$@", b"$B"})


def decode(content: bytes) -> str:
    """The text; what no row has becomes U+FFFD. Never raises."""
    try:
        return content.decode("iso2022_jp_ext")
    except (UnicodeError, ValueError):
        pass
    pieces = _ESCAPE.split(content)
    decoded = [_plain(pieces[0])]
    for mark, text in zip(pieces[1::2], pieces[2::2], strict=True):
        if mark in _KANJI:
            decoded.append(_kanji(text))
        elif mark == b"(I":
            decoded.append(bytes(byte | 0x80 for byte in text).decode("cp932", "replace"))
        elif mark == b"$(D":
            decoded.append(_supplementary(text))
        else:
            decoded.append(_plain(text))
    return "".join(decoded)


def _plain(text: bytes) -> str:
    return text.decode("ascii") if text.isascii() else text.decode("cp932", "replace")


def _kanji(text: bytes) -> str:
    """Pairs of JIS X 0208 and beyond, by way of Shift JIS; line breaks inside are kept."""
    quickly = text.translate(_HIGH).decode("euc_jis_2004", "replace")
    if "\ufffd" not in quickly or len(text) > _MAX_CAREFUL_BYTES:
        return quickly
    shifted = bytearray()
    position = 0
    while position < len(text):
        pair = text[position : position + 2]
        if len(pair) == 2 and 0x21 <= pair[0] <= 0x7E and 0x21 <= pair[1] <= 0x7E:
            shifted += _shift_jis(pair[0], pair[1])
            position += 2
        else:
            shifted.append(text[position])
            position += 1
    return shifted.decode("cp932", "replace")


def _shift_jis(row: int, cell: int) -> bytes:
    lead = (row + 1) // 2 + (0x70 if row < 0x5F else 0xB0)
    trail = cell + (0x1F + (cell >= 0x60) if row % 2 else 0x7E)
    return bytes((lead, trail))


def _supplementary(text: bytes) -> str:
    """Pairs of JIS X 0212."""
    return b"".join(
        b"\x8f" + bytes(byte | 0x80 for byte in text[at : at + 2]) for at in range(0, len(text), 2)
    ).decode("euc_jp", "replace")
