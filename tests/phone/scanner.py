"""A clamd on loopback that finds one word: INSTREAM as clamd speaks it, and refuses what clamd refuses."""

import asyncio
import struct

VIRUS = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}"
FOUND = "Win.Test.EICAR_HDB-1"


class Clamd:
    """limit_bytes: its StreamMaxLength. is_mute: it takes a file and says nothing. seen: what it was given, in order."""

    def __init__(self, *, limit_bytes: int = 26_214_400) -> None:
        self.limit_bytes, self.is_mute = limit_bytes, False
        self.seen: list[bytes] = []
        self.address = ""
        self._server: asyncio.Server | None = None

    async def start(self) -> "Clamd":
        port = int(self.address.rpartition(":")[2] or 0)
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", port)
        host, port = self._server.sockets[0].getsockname()
        self.address = f"{host}:{port}"
        return self

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            command = await reader.readuntil(b"\0")
            if command == b"zPING\0":
                writer.write(b"PONG\0")
            elif command == b"zINSTREAM\0":
                writer.write(await self._scanned(reader))
            else:
                writer.write(b"UNKNOWN COMMAND\0")
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _scanned(self, reader: asyncio.StreamReader) -> bytes:
        content = b""
        while (length := struct.unpack(">I", await reader.readexactly(4))[0]) > 0:
            if len(content) + length > self.limit_bytes:
                return b"INSTREAM size limit exceeded. ERROR\0"
            content += await reader.readexactly(length)
        self.seen.append(content)
        if self.is_mute:
            return b""
        return f"stream: {FOUND} FOUND\0".encode() if VIRUS in content else b"stream: OK\0"
