"""Reads the rich text of Outlook: unpacks it, gives its plain text or the HTML that it carries.

Sources: Microsoft [MS-OXRTFCP] (packing), [MS-OXRTFEX] §2.2 (HTML inside RTF), RTF 1.9.1 (groups, escapes), checked 2026-11. Linear
and bounded, never raises; a damaged document gives what comes before the damage.
"""

import re
import struct
from collections.abc import Iterator
from copy import copy

import msgspec

from channels.email import charset_names

MAX_UNPACKED_BYTES = 2_000_000
MAX_TOKENS = 200_000
MAX_DEPTH = 200

# What every packed text may refer back to before it has written anything ([MS-OXRTFCP] §2.1.2.1).
_DICTIONARY = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbol"
    b"ArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
_WINDOW = 4_096
_TOKEN = re.compile(
    rb"\\([a-z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-z])|([{}])|[\r\n]+|([^\\{}\r\n]+)"
)
# Groups that hold no text.
_SILENT = frozenset(
    {b"fonttbl", b"colortbl", b"stylesheet", b"info", b"pict", b"object", b"header", b"footer", b"generator", b"listtable", b"listoverridetable",
     b"rsidtbl", b"themedata", b"datastore", b"latentstyles", b"xmlnstbl", b"fldinst"}
)  # fmt: skip
_SIGNS = {
    b"par": "\n", b"line": "\n", b"row": "\n", b"sect": "\n\n", b"page": "\n\n", b"tab": "\t", b"cell": "\t", b"emdash": "—", b"endash": "–", b"bullet": "•",
    b"lquote": "‘", b"rquote": "’", b"ldblquote": "“", b"rdblquote": "”", b"emspace": " ", b"enspace": " ",
}  # fmt: skip
_ESCAPED = {b"~": "\u00a0", b"_": "-", b"\\": "\\", b"{": "{", b"}": "}", b"\n": "\n", b"\r": "\n"}


def unpacked(content: bytes) -> bytes:
    """The document behind a packed property; b"" when it is none."""
    if len(content) < 16:
        return b""
    raw_size, kind = struct.unpack_from("<II", content, 4)
    if kind == 0x414C_454D:  # "MELA", not packed
        return content[16 : 16 + raw_size]
    if kind != 0x7546_5A4C:  # "LZFu"
        return b""
    return _inflated(content, min(raw_size, MAX_UNPACKED_BYTES))


def _inflated(content: bytes, size: int) -> bytes:
    """Literals and references into the last 4 096 bytes; a reference to the write position ends the text (§3.1.3)."""
    document = bytearray(_DICTIONARY)
    end = len(_DICTIONARY) + size
    at = 16
    while at < len(content) and len(document) < end:
        control = content[at]
        at += 1
        for bit in range(8):
            if control >> bit & 1 == 0:
                document += content[at : at + 1]
                at += 1
                continue
            offset, length = divmod(int.from_bytes(content[at : at + 2], "big"), 16)
            distance = (len(document) - offset) % _WINDOW
            at += 2
            if distance == 0 or at > len(content):
                return bytes(document[len(_DICTIONARY) : end])
            document += _referred(document, distance, length + 2)
    return bytes(document[len(_DICTIONARY) : end])


def _referred(document: bytearray, distance: int, length: int) -> bytes:
    """What stands so far back, repeated where it runs into what it is writing itself."""
    begin = len(document) - distance
    if begin < 0:
        return bytes(length)  # nobody has written there yet
    piece = bytes(document[begin : begin + length])
    return (piece * (length // len(piece) + 1))[:length]


def holds_html(document: bytes) -> bool:
    return b"\\fromhtml1" in document[:4_000]


def text_from_rtf(document: bytes) -> str:
    """The plain text, with a line for each paragraph."""
    return _whole(_Walk(document).text()).strip("\x00 \n")


def html_from_rtf(document: bytes) -> str:
    """The HTML that was wrapped into the document ([MS-OXRTFEX] §3.1.3)."""
    return _whole(_Walk(document, is_html=True).text())


def _whole(pieces: Iterator[str]) -> str:
    """Joined; characters beyond 16 bits come as two."""
    return "".join(pieces).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


class _State(msgspec.Struct):
    """What holds inside one group. is_tag: the group is a tag of HTML; unicode_skip: fallback characters behind a Unicode one."""

    is_silent: bool = False
    is_tag: bool = False
    skips_rtf: bool = False
    unicode_skip: int = 1


class _Walk:
    """One walk through a document."""

    def __init__(self, document: bytes, *, is_html: bool = False) -> None:
        self._document = document
        self._is_html = is_html
        self._codec = "cp1252"
        self._states = [_State()]
        self._is_starred = False  # \* was seen: an unknown group is to be left out
        self._skip = 0  # fallback characters still to be left out after \u
        self._bytes = bytearray()  # \'xx of one character may be several

    def text(self) -> Iterator[str]:
        for number, token in enumerate(_TOKEN.finditer(self._document)):
            if number > MAX_TOKENS:
                break
            word, parameter, hexadecimal, escape, brace, plain = token.groups()
            if hexadecimal:
                self._take_byte(int(hexadecimal, 16))
                continue
            if self._bytes:
                yield self._flushed()
            if brace:
                self._take_brace(brace)
            elif word:
                yield self._shown(self._word(word, parameter))
            elif escape:
                self._is_starred = self._is_starred or escape == b"*"
                yield self._shown(_ESCAPED.get(escape, ""))
            elif plain:
                yield self._shown(self._plain(plain))
        yield self._flushed()

    def _take_byte(self, byte: int) -> None:
        if self._skip:
            self._skip -= 1
        else:
            self._bytes.append(byte)

    def _flushed(self) -> str:
        text = bytes(self._bytes).decode(self._codec, "replace")
        self._bytes.clear()
        return self._shown(text)

    def _take_brace(self, brace: bytes) -> None:
        self._skip = 0
        self._is_starred = False
        if brace == b"{" and len(self._states) < MAX_DEPTH:
            self._states.append(copy(self._states[-1]))
        elif brace == b"}" and len(self._states) > 1:
            self._states.pop()

    def _shown(self, text: str) -> str:
        state = self._states[-1]
        return "" if state.is_silent or (state.skips_rtf and not state.is_tag) else text

    def _plain(self, text: bytes) -> str:
        if self._skip:
            text, self._skip = text[self._skip :], max(0, self._skip - len(text))
        return text.decode(self._codec, "replace")

    def _word(self, word: bytes, parameter: bytes | None) -> str:
        state = self._states[-1]
        number = int(parameter) if parameter else None
        if word == b"ansicpg" and number:
            self._codec = charset_names.codec_of(f"cp{number}") or self._codec
        elif word == b"uc":
            state.unicode_skip = min(max(number or 0, 0), 10)
        elif word == b"u" and number is not None:
            self._skip = state.unicode_skip
            return chr(number % 0x1_0000)
        elif word == b"htmlrtf":
            state.skips_rtf = self._is_html and number != 0
        elif word == b"htmltag" and self._is_starred:
            state.is_silent, state.is_tag = not self._is_html, self._is_html
        elif word in _SILENT or (self._is_starred and not state.is_tag):
            state.is_silent = True
        elif word in _SIGNS:
            return _SIGNS[word]
        return ""
