"""What every channel's tests can lean on, ours and other people's: an honest small Gate and a contract suite.

    class TestPagerParses(testing.ParserContract):
        module = pager
        options = pager.Options()
        valid = ((raw, expected), …)

    class TestPagerTakes(testing.ReceiverContract):
        async def send(self, gate, body): …    # a real client on a real socket
        def body(self): …
        def oversize(self): …

No test framework is imported: the classes hold plain `test_…` methods that pytest (or anything else) finds.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal

import msgspec

from channels import contract, loading

Answer = Literal["taken", "refused", "try again"]
Fault = Literal["unavailable", "full", "rejected", "crash"]


_DAMAGED = 200


class MemoryFeed:
    """A Feed in memory. marks: what pages said of lines, (number, whether it was read); said: what they passed on."""

    def __init__(self, opened: contract.Opened, lines: list[contract.Fed]) -> None:
        self._waiting: asyncio.Queue[contract.Opened | contract.Fed | contract.Passing | None] = (
            asyncio.Queue()
        )
        self.marks: list[tuple[int, bool]] = []
        self.said: list[contract.Passing] = []
        self._waiting.put_nowait(opened)
        for each in lines:
            self._waiting.put_nowait(each)

    def __aiter__(self) -> "MemoryFeed":
        return self

    async def __anext__(self) -> contract.Opened | contract.Fed | contract.Passing:
        thing = await self._waiting.get()
        if thing is None:
            raise StopAsyncIteration
        return thing

    def offer(self, fed: contract.Fed) -> None:
        self._waiting.put_nowait(fed)

    def say(self, passing: contract.Passing) -> None:
        self.said.append(passing)

    def pass_on(self, passing: contract.Passing) -> None:
        self._waiting.put_nowait(passing)

    async def reached(self, seq: int, *, is_read: bool) -> None:
        self.marks.append((seq, is_read))

    async def file(self, seq: int, number: int) -> contract.Fetched | None:
        return None

    def close(self) -> None:
        self._waiting.put_nowait(None)


class MemoryGate:
    """A Gate in memory: keys are unique, receipts only for what is kept, faults when asked for.

    fault: what the next submissions meet; None = they are stored. `hold()` makes them wait for `let_go()`.
    shown: the View of every session, None = an open desk about which nothing is known.
    """

    def __init__(self) -> None:
        self.stored: list[contract.RawMessage] = []
        self.fault: Fault | None = None
        self.submitted = 0
        self.inventories: list[contract.Inventory] = []
        self.shown: contract.View | None = None
        self.sessions: dict[str, bytes] = {}
        self.lines: dict[str, list[contract.Fed]] = {}
        self.feeds: dict[str, list[MemoryFeed]] = {}
        self._replies: dict[str, str] = {}
        self._keys: dict[str, contract.Receipt] = {}
        self._cursors: dict[str, bytes] = {}
        self._open = asyncio.Event()
        self._open.set()
        self._arrived = asyncio.Event()

    def hold(self) -> None:
        """From now on submissions wait."""
        self._open.clear()
        self._arrived.clear()

    def let_go(self) -> None:
        self._open.set()

    async def arrived(self) -> None:
        """Wait until a submission is waiting (after `hold`)."""
        await self._arrived.wait()

    async def submit(self, raw: contract.RawMessage) -> contract.Receipt:
        self.submitted += 1
        self._arrived.set()
        await self._open.wait()
        self._fail_if_asked()
        for key in raw.keys:
            if key in self._keys:
                known = self._keys[key]
                return contract.Receipt(known.id, known.sequence, duplicate=True)
        return self._store(raw)

    async def cursor(self, name: str) -> bytes | None:
        return self._cursors.get(name)

    async def known(self, keys: Iterable[str]) -> frozenset[str]:
        return frozenset(keys) & self._keys.keys()

    async def reconcile(self, inventory: contract.Inventory) -> frozenset[str]:
        self.inventories.append(inventory)
        if inventory.cursor is not None:
            self._cursors[inventory.cursor_name or inventory.account] = inventory.cursor
        return frozenset(inventory.keys or ()) - self._keys.keys()

    async def turn(self, session: str, raw: contract.RawMessage, step: contract.Step) -> str:
        self.submitted += 1
        self._arrived.set()
        await self._open.wait()
        self._fail_if_asked()
        again = next((self._replies[key] for key in raw.keys if key in self._replies), None)
        if again is not None:
            return again
        view = await self.view(raw.account, session)
        said = self.lines.setdefault(session, [])
        view = msgspec.structs.replace(view, last_seq=len(said))
        turn = step(self.sessions.get(session), raw, view)
        for line in turn.lines:
            said.append(contract.Fed(len(said) + 1, view.at, line))
            for feed in self.feeds.get(session, ()):
                feed.offer(said[-1])
        told = {"session": session, "happened": msgspec.to_builtins(turn.happened)}
        self._store(msgspec.structs.replace(raw, envelope=raw.envelope | told))
        self._replies.update(dict.fromkeys(raw.keys, turn.reply))
        if turn.state is None:
            self.sessions.pop(session, None)
        else:
            self.sessions[session] = turn.state
        return turn.reply

    def feed(self, account: str, session: str, *, after: int = 0) -> MemoryFeed:
        lines = self.lines.get(session, [])
        opened = contract.Opened(state=self.sessions.get(session), last_seq=len(lines))
        feed = MemoryFeed(opened, lines[after:])
        self.feeds.setdefault(session, []).append(feed)
        return feed

    def seal(self, purpose: str, *parts: str) -> str:
        return sha256("\0".join((purpose, *parts)).encode()).hexdigest()[:28]

    async def view(self, account: str, session: str | None = None) -> contract.View:
        return self.shown or contract.View(at=datetime.now(UTC))

    def _store(self, raw: contract.RawMessage) -> contract.Receipt:
        self.stored.append(raw)
        receipt = contract.Receipt(len(self.stored), len(self.stored), duplicate=False)
        self._keys.update(dict.fromkeys(raw.keys, receipt))
        if raw.cursor is not None:
            self._cursors[raw.account] = raw.cursor
        return receipt

    def _fail_if_asked(self) -> None:
        if self.fault == "rejected":
            raise contract.Rejected("not wanted here")
        if self.fault in ("unavailable", "full"):
            raise contract.Unavailable("the store is down", full=self.fault == "full")
        if self.fault == "crash":
            raise RuntimeError("the gate is broken")


class ParserContract:
    """What holds for every channel's parse. Inherit it and set the three attributes.

    module: the channel. options: its Options. valid: raw messages and the Message each must become.
    """

    module: loading.ChannelModule
    options: Any
    valid: tuple[tuple[contract.RawMessage, contract.Message], ...] = ()

    def parse(self, raw: contract.RawMessage) -> object:
        """Parse as intake does: the slow road only when the fast one declines."""
        try:
            return self.module.parse(raw, self.options)
        except contract.Costly:
            slow: Callable[..., object] = getattr(self.module, "parse_costly")  # noqa: B009 - optional in the contract
            return slow(raw, self.options)

    def test_a_valid_message_becomes_what_it_says(self) -> None:
        assert self.valid, "the contract needs at least one valid raw message"  # noqa: S101
        for raw, expected in self.valid:
            assert self.parse(raw) == expected  # noqa: S101

    def test_parsing_twice_gives_the_same(self) -> None:
        for raw, _ in self.valid:
            assert self.parse(raw) == self.parse(raw)  # noqa: S101

    def test_garbage_never_raises(self) -> None:
        for raw, _ in self.valid:
            for body in garbage(raw.body):
                self.parse(msgspec.structs.replace(raw, body=body))


class ReceiverContract:
    """What holds for every channel that takes messages. Inherit it and write the three methods.

    secrets: strings from the options under test that no log may hold.
    """

    secrets: tuple[str, ...] = ()

    async def send(self, gate: MemoryGate, body: bytes) -> Answer:
        """Run the channel on the gate, send the body to it as a client does, stop it, say how it was answered."""
        raise NotImplementedError

    def body(self) -> bytes:
        """A body that is taken, with what makes it known again."""
        raise NotImplementedError

    def oversize(self) -> bytes:
        """A body beyond the channel's limit: every channel has one."""
        raise NotImplementedError

    async def test_taken_means_stored(self) -> None:
        gate = MemoryGate()
        assert await self.send(gate, self.body()) == "taken"  # noqa: S101
        assert len(gate.stored) == 1  # noqa: S101

    async def test_the_same_twice_is_one_key(self) -> None:
        gate = MemoryGate()
        answers = [await self.send(gate, self.body()) for _ in range(2)]
        assert answers == ["taken", "taken"]  # noqa: S101
        assert (gate.submitted, len(gate.stored)) == (2, 1)  # noqa: S101

    async def test_a_store_that_is_down_means_try_again(self) -> None:
        faults: tuple[Fault, ...] = ("unavailable", "full", "crash")
        for fault in faults:
            gate = MemoryGate()
            gate.fault = fault
            assert await self.send(gate, self.body()) == "try again"  # noqa: S101
            assert gate.stored == []  # noqa: S101

    async def test_what_the_gate_rejects_is_refused(self) -> None:
        gate = MemoryGate()
        gate.fault = "rejected"
        assert await self.send(gate, self.body()) == "refused"  # noqa: S101

    async def test_oversize_is_refused_and_not_stored(self) -> None:
        gate = MemoryGate()
        assert await self.send(gate, self.oversize()) == "refused"  # noqa: S101
        assert gate.stored == []  # noqa: S101

    async def test_no_secret_is_logged(self) -> None:
        log = _Lines()
        root = logging.getLogger()
        level = root.level
        root.addHandler(log)
        root.setLevel(logging.DEBUG)
        try:
            gate = MemoryGate()
            await self.send(gate, self.body())
            gate.fault = "crash"
            await self.send(gate, self.body())
        finally:
            root.removeHandler(log)
            root.setLevel(level)
        leaked = [secret for secret in self.secrets if any(secret in line for line in log.lines)]
        assert not leaked, "a secret of the options stands in the log"  # noqa: S101


def garbage(valid: bytes) -> Iterable[bytes]:
    """Yield damaged forms of a valid body, and some bytes that never were one; always the same ones."""
    yield from (b"", b"\0", b"\n", b"\r\n\r\n", b"\xff\xfe" * 500, b":" * 5_000, bytes(range(256)) * 4)
    source = random.Random(1)  # noqa: S311 - reproducible on purpose
    for _ in range(_DAMAGED):
        body = bytearray(valid)
        for _ in range(source.randint(1, 8)):
            at = source.randrange(len(body) or 1)
            body[at : at + source.randint(0, 20)] = source.randbytes(source.randint(0, 20))
        yield bytes(body)
    yield from (valid[: len(valid) * part // 10] for part in range(10))


class _Lines(logging.Handler):
    """Keeps what was logged, formatted, with its traces."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))
