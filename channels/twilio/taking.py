"""What is found at Twilio becomes raw messages: of one customer in order, of several at the same time.

One that cannot be had, because Twilio fails whenever it is asked for its files, stands in nobody's way but its lane's.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

import msgspec

from channels import contract
from channels.twilio.api import TOO_MANY, ApiError

KNOWN_AT_ONCE = 1_000
LANES_AT_ONCE = 8


class Found(msgspec.Struct, frozen=True):
    """Something that the other side holds. keys: any of them known to the journal means that we have it.

    at: when it happened. is_counted: whether the ledger counts it. raw: makes its raw message, asking Twilio for more.
    of: what it belongs to; ours only if the journal knows one of these keys, () = it is ours anyway.
    """

    keys: tuple[str, ...]
    at: datetime
    lane: str
    raw: Callable[[datetime], Awaitable[contract.RawMessage]]
    is_counted: bool = True
    of: tuple[str, ...] = ()

    def is_missing(self, known: frozenset[str]) -> bool:
        return not known.intersection(self.keys) and (not self.of or bool(known.intersection(self.of)))


def is_general(error: ApiError) -> bool:
    """Whether whatever is asked next fares alike: no network, no access, too many requests."""
    return error.status in (0, 401, 403, TOO_MANY)


async def known(gate: contract.Gate, found: Iterable[Found]) -> frozenset[str]:
    """Return which keys of what was found the journal holds."""
    keys = [key for each in found for key in (*each.keys, *each.of)]
    held: frozenset[str] = frozenset()
    for start in range(0, len(keys), KNOWN_AT_ONCE):
        held |= await gate.known(keys[start : start + KNOWN_AT_ONCE])
    return held


def counted_key(found: Found, held: frozenset[str]) -> str:
    """Return the key under which the journal has it, or will have it."""
    return next((key for key in found.keys if key in held), found.keys[0])


async def submit(
    gate: contract.Gate,
    missing: list[Found],
    *,
    account: str,
    clock: Callable[[], datetime],
    log: logging.Logger,
) -> None:
    """Store what is missing. Raises: Unavailable; ApiError when not all of it could be had."""
    waiting = _lanes(missing)
    left: list[ApiError] = []

    async def work() -> None:
        while waiting:
            try:
                for each in waiting.pop():
                    receipt = await gate.submit(await each.raw(clock()))
                    if not receipt.duplicate:
                        log.info("twilio_brought account=%s key=%s", account, each.keys[0])
            except ApiError as error:
                if is_general(error):
                    raise
                left.append(error)

    try:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(LANES_AT_ONCE, len(waiting))):
                tasks.create_task(work())
    except ExceptionGroup as group:
        raise group.exceptions[0] from None
    if left:
        raise left[0]


def _lanes(missing: list[Found]) -> list[list[Found]]:
    """Sort by lane and time; the lane that begins first is the last one."""
    lanes: dict[str, list[Found]] = {}
    oldest_first = missing[::-1]  # lists begin with the newest; what has the same second stays in their order
    for each in sorted(oldest_first, key=lambda each: each.at):
        lanes.setdefault(each.lane, []).append(each)
    return list(reversed(lanes.values()))
