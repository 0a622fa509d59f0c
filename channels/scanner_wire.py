"""Asking a scanner that listens nearby, on TCP or a Unix socket: one request, and its answer until it hangs up."""

import asyncio

MAX_ANSWER_BYTES = 1_048_576
_UNIX = "unix:"


class NoAnswer(Exception):
    """The scanner gave no answer, or one that is none: what it said, one line."""


async def connect(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a connection to "host:port" or "unix:/path". Raises: OSError."""
    if address.startswith(_UNIX):
        return await asyncio.open_unix_connection(address.removeprefix(_UNIX))
    host, _, port = address.rpartition(":")
    return await asyncio.open_connection(host.strip("[]"), int(port))


async def exchange(address: str, request: bytes, *, is_shut: bool = True) -> bytes:
    """Return what a scanner answers. is_shut: it is told that nothing more comes by the end of our half of the connection.

    Raises: OSError, NoAnswer.
    """
    reader, writer = await connect(address)
    try:
        writer.write(request)
        if is_shut and writer.can_write_eof():
            writer.write_eof()
        answer = b""
        while block := await reader.read(65_536):
            answer += block
            if len(answer) > MAX_ANSWER_BYTES:
                raise NoAnswer("the answer is too long")
        return answer
    finally:
        # close() would wait for a scanner that does not read what it is sent.
        writer.transport.abort()
