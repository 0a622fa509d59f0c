"""What every channel's tests can lean on, ours and other people's: an honest small Gate and a contract suite.

    class TestPager(testing.ParserContract):
        module = pager
        options = pager.Options()
        valid = ((raw, expected), …)

No test framework is imported: the classes hold plain `test_…` methods that pytest (or anything else) finds.
"""

import asyncio
from collections.abc import Iterable
from typing import Literal

from channels import contract

Fault = Literal["unavailable", "full", "rejected", "crash"]


class MemoryGate:
    """A Gate in memory: keys are unique, receipts only for what is kept, faults when asked for.

    fault: what the next submissions meet; None = they are stored. `hold()` makes them wait for `let_go()`.
    """

    def __init__(self) -> None:
        self.stored: list[contract.RawMessage] = []
        self.fault: Fault | None = None
        self.submitted = 0
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
            raise RuntimeError("SECRET-IN-TRACE the gate is broken")
