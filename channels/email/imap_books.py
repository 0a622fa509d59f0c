"""The Gate as a mailbox's thread sees it: calls that wait, and one cursor for all folders of the account.

Called from the threads of the mailboxes; the coroutines run on the daemon's loop.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, TypeVar

import msgspec

from channels import contract
from channels.email import imap_position
from channels.email.imap_position import Position

KNOWN_AT_ONCE = 1_000
_T = TypeVar("_T")
Outcome = contract.Receipt | BaseException


class Books:
    """One for each account."""

    def __init__(self, account: str, gate: contract.Gate, *, loop: asyncio.AbstractEventLoop) -> None:
        self.account = account
        self._gate = gate
        self._loop = loop
        # Held while a cursor is on its way: it names the other folders as they were committed last.
        self._moving = asyncio.Lock()
        self._committed: dict[str, Position] | None = None
        self.is_damaged = False

    def position(self, folder: str) -> Position | None:
        """Return where the folder was read to; None = never. Raises: Unavailable."""
        return self._wait(self._load(folder))

    def submit(self, raws: Sequence[contract.RawMessage]) -> list[Outcome]:
        """Store messages, in any order; what became of each. Returns once all of them are committed or refused."""
        return self._wait(self._submit(raws))

    def submit_last(self, raw: contract.RawMessage, folder: str, position: Position) -> Outcome:
        """Store a message and, in the same transaction, that the folder is read up to it."""
        return self._wait(self._submit_last(raw, folder, position))

    def known(self, keys: Iterable[str]) -> frozenset[str]:
        """Which of any number of keys the journal holds."""
        wanted = list(keys)
        found: set[str] = set()
        for start in range(0, len(wanted), KNOWN_AT_ONCE):
            found |= self._wait(self._gate.known(wanted[start : start + KNOWN_AT_ONCE]))
        return frozenset(found)

    def reconcile(self, inventory: contract.Inventory, position: Position) -> frozenset[str]:
        """Keep the inventory and the position; the keys that are missing. Raises: Unavailable."""
        return self._wait(self._reconcile(inventory, position))

    def _wait(self, work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _load(self, folder: str) -> Position | None:
        async with self._moving:
            if self._committed is None:
                saved = imap_position.decode(await self._gate.cursor(self.account))
                self.is_damaged = saved is None
                self._committed = saved or {}
        found = self._committed.get(folder)
        if found is None and self.is_damaged:
            return Position(uidvalidity=-1)  # read before, nobody knows how far: all of it is compared
        return None if found is None else found.copy()

    async def _submit(self, raws: Sequence[contract.RawMessage]) -> list[Outcome]:
        return list(await asyncio.gather(*map(self._gate.submit, raws), return_exceptions=True))

    async def _submit_last(self, raw: contract.RawMessage, folder: str, position: Position) -> Outcome:
        async with self._moving:
            folders = {**(self._committed or {}), folder: position.copy()}
            marked = msgspec.structs.replace(raw, cursor=imap_position.encode(folders))
            [outcome] = await self._submit([marked])
            if isinstance(outcome, contract.Receipt):
                self._committed = folders
            return outcome

    async def _reconcile(self, inventory: contract.Inventory, position: Position) -> frozenset[str]:
        async with self._moving:
            folders = {**(self._committed or {}), inventory.place: position.copy()}
            marked = msgspec.structs.replace(inventory, cursor=imap_position.encode(folders))
            missing = await self._gate.reconcile(marked)
            self._committed = folders
            return missing
