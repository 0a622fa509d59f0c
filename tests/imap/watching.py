"""A mailbox channel on a gate in memory, and ways to wait for what it does: events, never time."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

import pytest

from channels import contract, testing
from channels.email import imap, imap_position
from channels.email.imap_watch import Pace

LIMIT_S = 15
# As quick as a test wants; a refused mail is tried again at the next look.
_BOUNDS = (0.01, 0.05)
QUICK = Pace(network_s=_BOUNDS, login_s=_BOUNDS, busy_s=_BOUNDS, store_s=_BOUNDS, retry_s=(0,))


class Gate(testing.MemoryGate):
    """Tells who waits whenever something was stored or reconciled."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = asyncio.Condition()

    async def submit(self, raw: contract.RawMessage) -> contract.Receipt:
        try:
            return await super().submit(raw)
        finally:
            await self._tell()

    async def reconcile(self, inventory: contract.Inventory) -> frozenset[str]:
        try:
            return await super().reconcile(inventory)
        finally:
            await self._tell()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until it is so; looked at after each thing that reaches the gate."""
        async with asyncio.timeout(LIMIT_S), self._changed:
            await self._changed.wait_for(is_so)

    def subjects(self) -> list[str]:
        """The subjects of what was stored, in order of storing."""
        return [subject_of(raw.body) for raw in self.stored]

    def position(self, account: str = "support", folder: str = "INBOX") -> imap_position.Position:
        found = imap_position.decode(self._cursors.get(account))
        assert found is not None
        return found[folder]

    def forget_cursor(self) -> None:
        self._cursors.clear()

    @property
    def counts(self) -> int:
        """How often everything in a folder was counted."""
        return sum(each.keys is not None for each in self.inventories)

    def excused(self) -> dict[str, int]:
        """The last inventory's exceptions, by reason."""
        counts: dict[str, int] = {}
        for each in self.inventories[-1].excused:
            counts[each.reason] = counts.get(each.reason, 0) + each.count
        return counts


def mail(subject: str, *, headers: Iterable[str] = (), body: str = "Hello", identified: bool = True) -> bytes:
    """A small mail. identified: with Message-ID and Date."""
    lines = ["From: Ann <ann@customer.example>", "To: support@example.com", f"Subject: {subject}", *headers]
    if identified:
        lines += [f"Message-ID: <{subject}@customer.example>", "Date: Tue, 10 Nov 2026 09:00:00 +0000"]
    return "\r\n".join([*lines, "", body, ""]).encode()


def subject_of(body: bytes) -> str:
    return body.partition(b"Subject: ")[2].splitlines()[0].decode()


def options(port: int, user: str = "ann", **changes: Any) -> imap.Options:
    chosen: dict[str, Any] = {
        "host": "127.0.0.1", "port": port, "tls": "none", "username": user, "password": "correct-horse",
        "addresses": ("support@example.com",), "timeout_s": 5, **changes,
    }  # fmt: skip
    return imap.Options(**chosen)


@contextlib.asynccontextmanager
async def watching(
    gate: contract.Gate, chosen: imap.Options, *, pace: Pace = QUICK, log: logging.Logger | None = None
) -> AsyncIterator[imap.Channel]:
    """Run a channel until the block ends."""
    async with started(imap.Channel("support", chosen, pace=pace, log=log), gate) as channel:
        yield channel


@contextlib.asynccontextmanager
async def started(channel: imap.Channel, gate: contract.Gate) -> AsyncIterator[imap.Channel]:
    task = asyncio.create_task(channel.run(gate))
    try:
        yield channel
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        if not task.cancelled():
            pytest.fail("the channel ended by itself")
