r"""Asks ClamAV's daemon about a file: INSTREAM, the bytes on the same connection, one file for each.

    zINSTREAM\0 <4 bytes: length, big-endian><bytes> … <0000>   ->   stream: OK\0 | stream: NAME FOUND\0 | … ERROR\0

What is no verdict is never taken for a good one: not an error, not a hang-up, not a file over clamd's StreamMaxLength ("INSTREAM
size limit exceeded. ERROR"). The scanner has then given no answer, and whoever asked waits.
Source: clamd(8), docs.clamav.net/manual/Usage/ClamdProtocol.html, checked 2026-11. The socket knows no password: it belongs
on this machine, or on a network of your own.
"""

import asyncio
import re
import struct
from collections.abc import Iterator

from channels import scanner_wire
from channels.scanner_wire import NoAnswer

CHUNK_BYTES = 262_144
_LENGTH = struct.Struct(">I")
_FOUND = re.compile(r"stream: (.{1,200}) FOUND")
_CLEAN = "stream: OK"


async def scan(address: str, content: bytes, *, timeout_s: float) -> str | None:
    """Return what a file is infected with, in clamd's words; None = it is clean.

    address: "host:port" or "unix:/path". Raises: NoAnswer, one sentence.
    """
    return _verdict(await _asked(address, request(content), timeout_s=timeout_s), address)


async def ping(address: str, *, timeout_s: float) -> None:
    """Ask whether clamd is there. Raises: NoAnswer, one sentence."""
    answer = await _asked(address, b"zPING\0", timeout_s=timeout_s)
    if answer.rstrip(b"\0\n") != b"PONG":
        raise NoAnswer(f"what listens at {address} is not clamd")


def request(content: bytes) -> bytes:
    """Return what clamd is sent for a file."""
    return b"zINSTREAM\0" + b"".join(_chunks(content)) + _LENGTH.pack(0)


async def _asked(address: str, request: bytes, *, timeout_s: float) -> bytes:
    try:
        async with asyncio.timeout(timeout_s):
            return await scanner_wire.exchange(address, request, is_shut=False)
    except TimeoutError:
        raise NoAnswer(f"clamd at {address} gave no answer within {timeout_s:g} s") from None
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise NoAnswer(f"clamd at {address} cannot be asked: {why}") from error


def _chunks(content: bytes) -> Iterator[bytes]:
    for at in range(0, len(content), CHUNK_BYTES):
        chunk = content[at : at + CHUNK_BYTES]
        yield _LENGTH.pack(len(chunk))
        yield chunk


def _verdict(answer: bytes, address: str) -> str | None:
    """Raises: NoAnswer."""
    said = answer.partition(b"\0")[0].decode("utf-8", "replace").strip()
    if said == _CLEAN:
        return None
    found = _FOUND.fullmatch(said)
    if found is None:
        raise NoAnswer(f"clamd at {address} gave no verdict: '{said[:100] or 'it hung up'}'")
    return found[1]
