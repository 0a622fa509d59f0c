"""Speaks to a milter as a mail server does (Sendmail's milter protocol, version 6, as libmilter 8.17 has it).

Its replies at any step end the talk: reject, tempfail, reply code. Header changes are not applied (what is stored is
what the sender sent); a score in a header that the milter would add is read, and kept as a fact.
"""

import asyncio
import re
import struct
from typing import Any

from channels import contract

VERSION = 6
_MAX_PACKET_BYTES = 1_048_576
_CHUNK_BYTES = 65_535
# What the milter may ask for: adding headers and changing recipients is heard and not done.
_ACTIONS = 0x1FF
# Steps that a milter may ask us to leave out, or not to wait for an answer at (SMFIP_*).
_NO_CONNECT, _NO_HELO, _NO_MAIL, _NO_RCPT, _NO_BODY, _NO_HEADERS, _NO_EOH = (
    0x1,
    0x2,
    0x4,
    0x8,
    0x10,
    0x20,
    0x40,
)
_NR_HEADER, _NO_UNKNOWN, _NO_DATA = 0x80, 0x100, 0x200
_NR_CONNECT, _NR_HELO, _NR_MAIL, _NR_RCPT, _NR_DATA, _NR_EOH, _NR_BODY = (
    0x1000, 0x2000, 0x4000, 0x8000, 0x10000, 0x40000, 0x80000,
)  # fmt: skip
# All but "show me refused recipients": we show it none.
_OFFERED = 0xFFFFF & ~0x800

_SCORE_HEADERS = frozenset({"x-spam-score", "x-rspamd-score", "x-spam-status", "x-spamd-result"})
_SCORE = re.compile(r"(?:score=|\[)\s*(-?\d+(?:\.\d+)?)|^\s*(-?\d+(?:\.\d+)?)", re.IGNORECASE)
_HEADER = re.compile(rb"(?m)^([^\s:]+)[ \t]*:[ \t]?((?:[^\r]|\r\n[ \t])*)\r\n")


class ProtocolError(Exception):
    """The other side does not speak milter."""


async def ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: bytes, envelope: dict[str, Any]
) -> dict[str, Any]:
    """Show a mail to the milter; return what it found out.

    Raises: Rejected or Unavailable as the milter says. ProtocolError, OSError or EOFError when it says nothing.
    """
    talk = _Talk(reader, writer)
    await talk.negotiate()
    for command, payload, skip, silent in _steps(body, envelope):
        if talk.flags & skip:
            continue
        await talk.send(command, payload)
        if not talk.flags & silent and not await talk.hear():
            return talk.facts
    await talk.send(b"E", b"")
    await talk.hear(is_last=True)
    await talk.send(b"Q", b"")
    return talk.facts


def _steps(body: bytes, envelope: dict[str, Any]) -> list[tuple[bytes, bytes, int, int]]:
    """Command, payload, the flag that leaves it out, the flag that leaves its answer out; in the order of RFC 5321."""
    header, content = _split(body)
    steps = [
        (b"C", _connect_payload(envelope["peer"]), _NO_CONNECT, _NR_CONNECT),
        (b"H", _strings(envelope["helo"]), _NO_HELO, _NR_HELO),
        (b"M", _strings(f"<{envelope['sender']}>"), _NO_MAIL, _NR_MAIL),
        *((b"R", _strings(f"<{address}>"), _NO_RCPT, _NR_RCPT) for address in envelope["recipients"]),
        (b"T", b"", _NO_DATA, _NR_DATA),
        *((b"L", name + b"\0" + value + b"\0", _NO_HEADERS, _NR_HEADER) for name, value in header),
        (b"N", b"", _NO_EOH, _NR_EOH),
    ]
    chunks = (content[at : at + _CHUNK_BYTES] for at in range(0, len(content), _CHUNK_BYTES))
    return [*steps, *((b"B", chunk, _NO_BODY, _NR_BODY) for chunk in chunks)]


def _split(body: bytes) -> tuple[list[tuple[bytes, bytes]], bytes]:
    head, _, content = body.partition(b"\r\n\r\n")
    fields = [
        (m[1], m[2].replace(b"\r\n", b"\n").replace(b"\0", b"")) for m in _HEADER.finditer(head + b"\r\n")
    ]
    return fields, content


def _strings(*texts: str) -> bytes:
    return b"".join(text.encode().replace(b"\0", b"") + b"\0" for text in texts)


def _connect_payload(peer: str) -> bytes:
    if not peer:
        return _strings("localhost") + b"U"
    family = b"6" if ":" in peer else b"4"
    return _strings(f"[{peer}]") + family + struct.pack("!H", 0) + _strings(peer)


class _Talk:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.flags = 0
        self.facts: dict[str, Any] = {}

    async def negotiate(self) -> None:
        await self.send(b"O", struct.pack("!III", VERSION, _ACTIONS, _OFFERED))
        command, payload = await self._receive()
        if command != b"O" or len(payload) < 12:
            raise ProtocolError(f"option negotiation was answered with {command!r}")
        self.flags = struct.unpack("!III", payload[:12])[2] & _OFFERED

    async def send(self, command: bytes, payload: bytes) -> None:
        self._writer.write(struct.pack("!I", len(payload) + 1) + command + payload)
        await self._writer.drain()

    async def hear(self, *, is_last: bool = False) -> bool:
        """Take the answer to a step; False = the milter wants no more of this mail (accept, discard)."""
        while True:
            command, payload = await self._receive()
            if command in b"rtyf":
                _refuse(command, payload)
            if command in b"ad":
                self.facts |= {"spam_action": "discard"} if command == b"d" else {}
                return False
            if command == b"s":
                self.flags |= _NO_BODY
            if command in b"cs":
                return True
            if command in b"hi":
                self._note_header(payload if command == b"h" else payload[4:])
            elif not is_last and command != b"p":
                raise ProtocolError(f"unexpected answer {command!r}")

    def _note_header(self, payload: bytes) -> None:
        name, _, value = payload.rstrip(b"\0").partition(b"\0")
        match = _SCORE.search(value.decode("utf-8", "replace"))
        if name.decode("ascii", "replace").lower() in _SCORE_HEADERS and match:
            self.facts["spam_score"] = float(match[1] or match[2])

    async def _receive(self) -> tuple[bytes, bytes]:
        (length,) = struct.unpack("!I", await self._reader.readexactly(4))
        if not 1 <= length <= _MAX_PACKET_BYTES:
            raise ProtocolError(f"a packet of {length} bytes")
        packet = await self._reader.readexactly(length)
        return packet[:1], packet[1:]


def _refuse(command: bytes, payload: bytes) -> None:
    """Turn reject, tempfail or a reply code ("y", "550 5.7.1 text") into our errors."""
    text = payload.rstrip(b"\0").decode("utf-8", "replace")
    if command in b"tf" or text.startswith("4"):
        raise contract.Unavailable(f"the milter put it off: {text or 'tempfail'}")
    raise contract.Rejected(re.sub(r"^\d{3}(?:[ -]\d\.\d+\.\d+)?[ -]?", "", text) or "Message refused")
