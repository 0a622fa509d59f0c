"""A running channel on a real socket and raw clients for it."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from typing import Any

from channels import testing
from channels.email import smtp

ADDRESS = "support@example.com"
MAIL = b"From: ann@x.com\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@x.com>\r\nSubject: Help\r\n\r\nHello\r\n"


class Client:
    """A client that says exactly what a test wants."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def reply(self) -> str:
        lines = []
        while True:
            line = (await self.reader.readline()).decode()
            lines.append(line.rstrip("\r\n"))
            if line[3:4] != "-":
                return "\n".join(lines)

    async def say(self, command: bytes) -> str:
        self.writer.write(command + b"\r\n")
        return await self.reply()

    async def begin(self, *, sender: bytes = b"ann@x.com", hello: bytes = b"EHLO me") -> None:
        """Go to the point where the body may be sent."""
        assert (await self.reply()).startswith("220")
        assert (await self.say(hello)).startswith("250")
        assert (await self.say(b"MAIL FROM:<" + sender + b">")).startswith("250")
        assert (await self.say(b"RCPT TO:<support@example.com>")).startswith("250")
        assert (await self.say(b"DATA")).startswith("354")

    async def send(self, body: bytes) -> str:
        self.writer.write(body + b".\r\n")
        return await self.reply()

    async def rest(self) -> bytes:
        """Everything until the server closes."""
        return await self.reader.read()

    def reset(self) -> None:
        """Hang up without a goodbye: RST, not FIN."""
        linger_not = struct.pack("ii", 1, 0)
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_not)
        self.writer.transport.abort()

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


class Receiver:
    """A channel that is running on a MemoryGate."""

    def __init__(self, channel: smtp.Channel, gate: testing.MemoryGate, host: str, port: int) -> None:
        self.channel = channel
        self.gate = gate
        self.host = host
        self.port = port
        self.task: asyncio.Task[None] | None = None
        self.clients: list[Client] = []

    async def client(self) -> Client:
        if self.host.startswith("unix:"):
            client = Client(*await asyncio.open_unix_connection(self.host.removeprefix("unix:")))
        else:
            client = Client(*await asyncio.open_connection(self.host, self.port))
        self.clients.append(client)
        return client

    async def stop(self) -> None:
        assert self.task is not None
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task
        for client in self.clients:
            await client.close()


async def start_receiver(gate: testing.MemoryGate, **options: Any) -> Receiver:
    """Start a channel on a free port."""
    chosen = {"listen": "127.0.0.1:0", "addresses": (ADDRESS,), "hostname": "mx.example.com"} | options
    channel = smtp.Channel("support", smtp.Options(**chosen))
    task = asyncio.create_task(channel.run(gate))
    host, port = await channel.listening()
    receiver = Receiver(channel, gate, host, port)
    receiver.task = task
    return receiver


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until something is so; a bounded number of turns, no waiting."""
    for _ in range(100_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to that")
