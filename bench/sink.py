"""A relay that takes every mail and forgets it: `python -m bench.sink PORT`. `XCOUNT` answers how many it took.

A protocol of its own, because a server that parses would be what is measured.
"""

import asyncio
import socket
import sys

_END = b"\r\n.\r\n"
_REPLIES = {
    b"EHLO": b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n",
    b"DATA": b"354 go on\r\n",
}


class Sink(asyncio.Protocol):
    taken = 0  # by all connections

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._is_in_body = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._body_ended() if self._is_in_body else self._command_ended():
            pass

    def _body_ended(self) -> bool:
        end = self._buffer.find(_END)
        if end < 0:
            del self._buffer[: -len(_END) + 1]
            return False
        del self._buffer[: end + len(_END)]
        self._is_in_body = False
        Sink.taken += 1
        self._transport.write(b"250 taken\r\n")
        return True

    def _command_ended(self) -> bool:
        line, newline, _ = self._buffer.partition(b"\r\n")
        if not newline:
            return False
        del self._buffer[: len(line)]
        verb = bytes(line[:4]).upper()
        if verb == b"DATA":
            self._is_in_body = True  # the CRLF stays: it is the start of an empty body's end
        else:
            del self._buffer[:2]
        if verb == b"XCOU":
            self._transport.write(b"250 %d\r\n" % Sink.taken)
        elif verb == b"QUIT":
            self._transport.write(b"221 bye\r\n")
            self._transport.close()
        else:
            self._transport.write(_REPLIES.get(verb, b"250 ok\r\n"))
        return True


def taken(port: int) -> int:
    """Ask a running sink how many mails it took."""
    with socket.create_connection(("127.0.0.1", port), 5) as peer, peer.makefile("rwb") as lines:
        lines.readline()
        lines.write(b"XCOUNT\r\n")
        lines.flush()
        return int(lines.readline().split()[1])


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
