"""The customers and the agent of the chat bench, in a process of their own: `python -m bench.chat_client …`; figures as JSON.

    open       opens so many chats and holds them until its input ends
    echo       says so many things a second to a bare server that echoes them
    begin      opens chats and writes a first line in each, so that each has a ticket
    write      writes so many lines a second, each on disk before its own page has it
    round      writes so many lines a second; an agent sees each on the desk's stream and answers by the desk's own endpoint

The clock runs from the moment at which a line was due (a late client makes nothing look quicker) to the answer's arrival.
"""

import argparse
import asyncio
import hashlib
import itertools
import json
import sys
import time
import uuid
from base64 import urlsafe_b64encode
from collections import deque
from typing import Any

import aiohttp
import msgspec

from intake import unseen

SITE = "https://shop.example"
TRIES = 5
NOTHING_SEEN = "0.0"
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def token(number: int) -> str:
    """Return the token of the n-th customer, the same in every run."""
    return urlsafe_b64encode(hashlib.sha256(f"bench {number}".encode()).digest()).rstrip(b"=").decode()


def _said(what: str, **said: Any) -> str:
    return msgspec.json.encode({"t": what, **said}).decode()


class Clock:
    """When each thing was due, and how long its answer took."""

    def __init__(self) -> None:
        self.due: dict[str, float] = {}
        self.took_s: list[float] = []

    def begin(self, name: str, at: float) -> None:
        self.due[name] = at

    def end(self, name: str) -> None:
        at = self.due.pop(name, None)
        if at is not None:
            self.took_s.append(time.perf_counter() - at)

    def figures(self) -> dict[str, Any]:
        found = sorted(self.took_s)
        share = (
            {50: 0.0, 99: 0.0}
            if not found
            else {each: found[int(len(found) * each / 100)] for each in (50, 99)}
        )
        return {
            "count": len(found),
            "unanswered": len(self.due),
            "p50_ms": share[50] * 1000,
            "p99_ms": share[99] * 1000,
            "max_ms": found[-1] * 1000 if found else 0.0,
        }


async def _paced(rate: float, seconds: float, act: Any) -> None:
    """Call act(number, due) so often, each when it is due; what is late is done at once."""
    began = time.perf_counter()
    for number in range(int(rate * seconds)):
        due = began + number / rate
        wait = due - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        await act(number, due)


async def echo(options: argparse.Namespace, session: aiohttp.ClientSession) -> dict[str, Any]:
    clock = Clock()
    sockets = [
        await session.ws_connect(f"http://127.0.0.1:{options.port}/", compress=0)
        for _ in range(options.chats)
    ]

    async def hear(socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            clock.end(message.data)

    hearing = [asyncio.create_task(hear(each)) for each in sockets]

    async def say(number: int, due: float) -> None:
        clock.begin(str(number), due)
        await sockets[number % len(sockets)].send_str(str(number))

    await _paced(options.rate, options.seconds, say)
    await _rest(clock)
    for each in (*hearing,):
        each.cancel()
    return clock.figures()


async def _rest(clock: Clock, *, within_s: float = 15.0) -> None:
    until = time.perf_counter() + within_s
    while clock.due and time.perf_counter() < until:
        await asyncio.sleep(0.05)


class Customers:
    """Chats that are open."""

    def __init__(self, session: aiohttp.ClientSession, port: int, count: int) -> None:
        self._session, self._port, self._count = session, port, count
        self.sockets: list[aiohttp.ClientWebSocketResponse] = []
        self.last: list[int] = [0] * count

    async def open(self, *, after: int = 0) -> None:
        for begin in range(0, self._count, 100):
            numbers = range(begin, min(begin + 100, self._count))
            self.sockets += await asyncio.gather(*(self._open(each, after) for each in numbers))

    async def _open(self, number: int, after: int) -> aiohttp.ClientWebSocketResponse:
        url = f"http://127.0.0.1:{self._port}/chat/website/socket"
        socket = await self._session.ws_connect(url, origin=SITE, compress=0, max_msg_size=0)
        await socket.send_str(_said("hello", token=token(number), after=after))
        while (said := _decode((await socket.receive()).data))["t"] != "welcome":
            pass
        self.last[number] = said["seq"]
        return socket

    async def write(self, number: int, text: str) -> None:
        await self.sockets[number].send_str(_said("line", id=str(uuid.uuid4()), text=text))


async def hold(options: argparse.Namespace, session: aiohttp.ClientSession) -> dict[str, Any]:
    customers = Customers(session, options.port, options.chats)
    await customers.open()
    print("open", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    return {"count": len(customers.sockets)}


async def begin(options: argparse.Namespace, session: aiohttp.ClientSession) -> dict[str, Any]:
    customers = Customers(session, options.port, options.chats)
    await customers.open()
    for number, socket in enumerate(customers.sockets):
        await customers.write(number, "Hello, where is my order?")
        while _decode((await socket.receive()).data)["t"] != "ack":
            pass
    return {"count": len(customers.sockets)}


async def write(options: argparse.Namespace, session: aiohttp.ClientSession) -> dict[str, Any]:
    customers, clock = Customers(session, options.port, options.chats), Clock()
    await customers.open(after=2**50)

    async def hear(socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            said = _decode(message.data)
            if said["t"] == "line":
                clock.end(said["text"])

    hearing = [asyncio.create_task(hear(each)) for each in customers.sockets]
    run = uuid.uuid4().hex[:8]

    async def say(number: int, due: float) -> None:
        text = f"line {run} {number}"
        clock.begin(text, due)
        await customers.write(number % options.chats, text)

    await _paced(options.rate, options.seconds, say)
    await _rest(clock)
    for each in hearing:
        each.cancel()
    return clock.figures()


class Screen:
    """What an agent has of one ticket on the screen."""

    def __init__(self) -> None:
        self.mark, self.turn = NOTHING_SEEN, asyncio.Lock()
        self._lines: deque[tuple[str, int]] = deque(maxlen=50)

    def show(self, session: str, seq: int) -> None:
        self._lines.append((session, seq))
        if self.mark != NOTHING_SEEN:
            self.mark = unseen.seen(self.mark, session, seq)

    def know(self, mark: str) -> None:
        self.mark = mark
        for session, seq in self._lines:
            self.mark = unseen.seen(self.mark, session, seq)


class Agent:
    """Sees the desk's stream, and answers every line of a customer."""

    def __init__(self, session: aiohttp.ClientSession, options: argparse.Namespace) -> None:
        self._base = f"http://127.0.0.1:{options.port}"
        self._headers = {"Origin": self._base, "csrf": options.csrf, "Accept": "application/json"}
        self._cookies = {"intake": options.session}
        self._session = session
        self._answering: set[asyncio.Task[None]] = set()
        self._screens: dict[str, Screen] = {}
        self.refused: dict[str, int] = {}

    async def work(self, is_there: asyncio.Event) -> None:
        headers = self._headers | {"Cookie": f"intake={self._cookies['intake']}"}
        async with self._session.get(f"{self._base}/live", headers=headers) as stream:
            stream.raise_for_status()
            is_there.set()
            async for line in stream.content:
                if line.startswith(b"data: ") and b'"chat_line"' in line:
                    self._see(_decode(line[6:]), headers)

    def _see(self, told: dict[str, Any], headers: dict[str, str]) -> None:
        if told["author"] == "customer":
            screen = self._screens.setdefault(told["ref"], Screen())
            screen.show(told["session"], told["seq"])
            task = asyncio.create_task(self._answer(told["ref"], told["text"], headers))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

    async def stop(self) -> None:
        """Leave what is not answered yet."""
        for each in self._answering:
            each.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)

    async def _answer(self, ref: str, text: str, headers: dict[str, str]) -> None:
        """Send it, one after the other on a ticket; what is new is looked at, and it is sent all the same."""
        url, screen = f"{self._base}/tickets/{ref}/reply", self._screens[ref]
        async with screen.turn:
            for _ in range(TRIES):
                sent = {"text": f"re {text}", "seen": screen.mark}
                async with self._session.post(url, json=sent, headers=headers) as answer:
                    found = await answer.json()
                if answer.status in (200, 409):
                    screen.know(found["mark"])
                if answer.status == 200:
                    return
                said = f"{answer.status} {found['error']['text'].replace(ref, '…')}"
                if sent["seen"] != NOTHING_SEEN:  # of a page that was just opened
                    self.refused[said] = self.refused.get(said, 0) + 1


async def rounds(options: argparse.Namespace, session: aiohttp.ClientSession) -> dict[str, Any]:
    customers, clock, kept = Customers(session, options.port, options.chats), Clock(), Clock()
    await customers.open(after=2**50)
    agent, is_there = Agent(session, options), asyncio.Event()
    working = asyncio.create_task(agent.work(is_there))

    async def hear(socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            said = _decode(message.data)
            if said["t"] == "line" and said["author"] == "agent":
                clock.end(said["text"].removeprefix("re "))
                await socket.send_str(_said("got", seq=said["seq"]))
            elif said["t"] == "line":
                kept.end(said["text"])

    hearing = [asyncio.create_task(hear(each)) for each in customers.sockets]
    numbers = itertools.cycle(range(options.chats))
    run = uuid.uuid4().hex[:8]

    async def write(number: int, due: float) -> None:
        text = f"line {run} {number}"
        clock.begin(text, due)
        kept.begin(text, due)
        await customers.write(next(numbers), text)

    async with asyncio.timeout(30):
        await is_there.wait()
    await _paced(options.rate, options.seconds, write)
    await _rest(clock)
    for each in (*hearing, working):
        each.cancel()
    await agent.stop()
    return {"round": clock.figures(), "kept": kept.figures(), "refused": agent.refused}


async def _main(options: argparse.Namespace) -> dict[str, Any]:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        found: dict[str, Any] = await _PARTS[options.what](options, session)
        return found


_PARTS = {"open": hold, "echo": echo, "begin": begin, "write": write, "round": rounds}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=list(_PARTS))
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--chats", type=int, default=200)
    parser.add_argument("--rate", type=float, default=100.0)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--session", default="")
    parser.add_argument("--csrf", default="")
    print(json.dumps(asyncio.run(_main(parser.parse_args()))), flush=True)
