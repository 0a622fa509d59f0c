"""Understanding raw messages, off the loop and within bounds: 2 s and 256 MB for one message.

Fast parsers run in threads (they let go of the interpreter's lock). What says it is `Costly`, or raises, runs in one
worker process with limits, which is killed when it goes over them. What cannot be read even there is still a message,
made from the envelope alone.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from channels.contract import Address, CallEvent, Costly, Identity, Message, RawMessage, Trust, Understood
from intake import child

WALL_S = 2.0
LARGE_BYTES = 1_000_000  # alone in its thread: nobody waits behind it

log = logging.getLogger("intake.parsing")

_encode = msgspec.msgpack.Encoder().encode
_decode_reply = msgspec.msgpack.Decoder(tuple[Message | None, str]).decode


class Parsed(msgspec.Struct, frozen=True):
    """problem: why only the envelope could be used; None = it was read."""

    message: Understood
    problem: str | None = None


class Reader(msgspec.Struct, frozen=True):
    """How an account's raw messages are understood. examine: what its channel looks up first, None = nothing."""

    module: Any
    options: Any
    examine: Callable[[RawMessage], Awaitable[Any]] | None = None

    def to_builtins(self) -> tuple[str, Any]:
        """Return the module's name and the options, as another process can be told them."""
        return self.module.__name__, msgspec.to_builtins(self.options, builtin_types=(bytes,))


class Parsing:
    """Parses for all accounts. One worker process, started when it is first needed."""

    def __init__(self, readers: Mapping[str, Reader], *, wall_s: float = WALL_S) -> None:
        self._readers = readers
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="parse")
        self._worker = Worker(wall_s=wall_s)
        self._warm: set[str] = set()  # accounts of which a message has been parsed: what that loads is loaded

    def examines(self, account: str) -> bool:
        """Whether the account's channel looks something up before its messages are parsed."""
        reader = self._readers.get(account)
        return reader is not None and reader.examine is not None

    async def examine(self, raw: RawMessage) -> Any:
        """Return what the channel looks up about a message, a JSON value that is kept with it; None = nothing."""
        reader = self._readers.get(raw.account)
        if reader is None or reader.examine is None:
            return None
        try:
            return await reader.examine(raw)
        except Exception:
            log.exception("examine_failed", extra={"account": raw.account})
            return {}  # looked at, and nothing found: the message itself is never asked instead

    async def parse_quick(
        self, raws: Sequence[RawMessage], evidence: Sequence[Any] | None = None
    ) -> list[Parsed | None]:
        """Parse on the fast road, in the order given; None = it needs the slow one. evidence: of each, None = of none."""
        loop = asyncio.get_running_loop()
        pairs = list(zip(raws, evidence or [None] * len(raws), strict=True))
        if all(self._is_quick(each) for each in raws):
            return [parse_fast(self._readers, raw, found) for raw, found in pairs]
        parsed = await loop.run_in_executor(
            self._threads, lambda: [parse_fast(self._readers, raw, found) for raw, found in pairs]
        )
        self._warm.update(each.account for each in raws)
        return parsed

    def _is_quick(self, raw: RawMessage) -> bool:
        """Whether reading it is less work than handing it to a thread: its module says so."""
        reader = self._readers.get(raw.account)
        is_quick = reader is not None and getattr(reader.module, "IS_QUICK", False)
        return is_quick and raw.account in self._warm

    async def parse_costly(self, raw: RawMessage, evidence: Any = None) -> Parsed:
        """Parse on the slow road, or give what the envelope says."""
        reader = self._readers[raw.account]
        try:
            return Parsed(await self._worker.parse(reader, raw, evidence))
        except Unreadable as error:
            return Parsed(from_envelope(raw, str(error)), str(error))

    async def parse(self, raw: RawMessage) -> Parsed:
        """Parse one message on whichever road it needs."""
        (quick,) = await self.parse_quick([raw])
        return quick if quick is not None else await self.parse_costly(raw)

    def caller(self, raw: RawMessage) -> Identity | None:
        """Return who a turn of a call is from, as its channel reads it; None = they hide it, or nothing says so."""
        parsed = parse_fast(self._readers, raw)
        return parsed.message.caller if parsed and isinstance(parsed.message, CallEvent) else None

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        await self._worker.close()


def parse_fast(readers: Mapping[str, Reader], raw: RawMessage, evidence: Any = None) -> Parsed | None:
    """Parse on the fast road; None = it needs the slow one."""
    reader = readers.get(raw.account)
    if reader is None:
        reason = "the account is not configured"
        return Parsed(from_envelope(raw, reason), reason)
    try:
        return Parsed(reader.module.parse(raw, reader.options, evidence))
    except Costly:
        return None
    except Exception:
        log.exception("parse_failed", extra={"account": raw.account})
        return None


class Unreadable(Exception):
    """A message was not understood within its bounds."""


class Worker:
    """One limited process that parses what is costly, one message at a time."""

    def __init__(self, *, wall_s: float) -> None:
        self._wall_s = wall_s
        self._child = child.Child("intake.parse_worker")

    async def parse(self, reader: Reader, raw: RawMessage, evidence: Any = None) -> Message:
        """Parse on the slow road. Raises: Unreadable."""
        request = _encode((*reader.to_builtins(), raw, evidence))
        try:
            message, problem = _decode_reply(await self._child.ask(request, limit_s=self._wall_s))
        except (child.ChildFailed, msgspec.DecodeError) as error:
            raise Unreadable(str(error)) from error
        if message is None:
            raise Unreadable(problem)
        return message

    async def close(self) -> None:
        await self._child.end()


def from_envelope(raw: RawMessage, problem: str) -> Message:
    """Return what is known of a message that cannot be read: who sent it; its raw bytes are kept."""
    sender = str(raw.envelope.get("sender") or "")
    medium = raw.kind.partition(".")[0]
    return Message(
        kind=medium,
        from_=Address(sender) if sender else None,
        sender=Identity(medium, sender.lower()) if sender else None,
        subject="(unreadable message)",
        text="This message could not be read. Its original is kept: see 'intake journal export'.",
        trust=Trust(has_single_sender=False),  # From was not read: who wrote is a guess
        problems=(f"unreadable: {problem}",),
    )
