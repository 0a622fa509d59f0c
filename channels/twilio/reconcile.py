"""Asks Twilio what no webhook has brought, takes it in, and counts everything against the journal.

Twilio does not send the webhook of a text again when we were down (twilio.com/docs/messaging/guides/webhook-request and
/docs/usage/webhooks/webhooks-connection-overrides, checked 2026-11: one try, or up to five within 15 s). So the other side
is listed on start and every `reconcile_s`, a day further back than it was read to, and whatever the journal does not hold is
submitted as the webhook would have been: a webhook that comes late is then the same message.

Nothing is read over: the cursor is saved with the count that follows the last message. A row younger than `YOUNG` is left
to its webhook, which says more. What this does cannot raise: a trouble is said once, and tried again.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Protocol

import msgspec

from channels import contract
from channels.twilio import listing, position, settings
from channels.twilio.api import TOO_MANY, ApiError
from channels.twilio.position import Position, Window

KNOWN_AT_ONCE = 1_000
LANES_AT_ONCE = 8
YOUNG = timedelta(seconds=30)  # a webhook has 15 s, retries included
JITTER = 0.1

Pause = Callable[[float], Awaitable[object]]
Clock = Callable[[], datetime]


class Pace(msgspec.Struct, frozen=True):
    """Seconds. A wait after a trouble begins with the first figure and doubles up to the second.

    login: a wrong token is mended by a person. busy: too many requests. store: ours, looked at often.
    """

    network_s: tuple[float, float] = (5, 300)
    login_s: tuple[float, float] = (60, 900)
    busy_s: tuple[float, float] = (30, 600)
    store_s: tuple[float, float] = (2, 60)


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


class Source(Protocol):
    """Lists what one kind of account is about."""

    def found(self, number: str, window: Window, now: datetime) -> AsyncIterator[list[Found]]:
        """Give, page by page, the newest first, what a number has in a window. now: of Twilio's clock."""
        ...

    async def clock(self, number: str) -> datetime | None:
        """Return the other side's time; None = it does not say."""
        ...


class Reconciler:
    """One account of intake.yaml. clock: our time, aware UTC; pause: sleeps that many seconds."""

    def __init__(
        self,
        account: str,
        options: settings.Options,
        source: Source,
        *,
        log: logging.Logger | None = None,
        pace: Pace = Pace(),  # noqa: B008 - a frozen value
        clock: Clock = lambda: datetime.now(UTC),
        pause: Pause = asyncio.sleep,
    ) -> None:
        self._account, self._options, self._source = account, options, source
        self._log = log or logging.getLogger("channels.twilio")
        self._pace, self._clock, self._pause = pace, clock, pause
        self._problem = ""
        self._failures = 0

    async def run(self, gate: contract.Gate) -> None:
        """Compare now and then until cancelled; ends at once where the account does not want it."""
        if not self._options.reconcile_s or not self._options.numbers:
            return
        while True:
            wait_s = await self.attempt(gate)
            await self._pause(wait_s)

    async def attempt(self, gate: contract.Gate) -> float:
        """Compare once; how many seconds to wait before the next time. Nothing is raised: a trouble is said."""
        try:
            await self.round(gate)
        except ApiError as error:
            return self._troubled(_sentence(error), self._bounds(error))
        except contract.Unavailable as error:
            return self._troubled(f"what was found cannot be stored: {error.reason}", self._pace.store_s)
        except Exception as error:  # noqa: BLE001 - it would end the daemon, and every other account with it
            self._log.exception("twilio_not_compared account=%s", self._account)
            return self._troubled(f"comparing failed: {type(error).__name__}", self._pace.network_s)
        if self._problem:
            self._log.warning("twilio_compared_again account=%s", self._account)
        self._problem, self._failures = "", 0
        return self._options.reconcile_s * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - spreads load

    def troubles(self) -> list[str]:
        """Say what is wrong right now; [] = the last look worked."""
        return [self._problem] if self._problem else []

    async def round(self, gate: contract.Gate) -> None:
        """Take in what is missing, number by number. Raises: ApiError, Unavailable.

        Time is Twilio's: what it says of its messages is compared with nothing else.
        """
        now = await self._source.clock(self._options.numbers[0]) or self._clock()
        read = await self._position(gate, now)
        before, last = read, self._options.numbers[-1]
        for number in self._options.numbers:
            for window in position.windows(before, number, now):
                is_end = number == last and window.until is None
                # A sweep that did not come to its end is begun again.
                swept = now if is_end and position.is_sweep_due(before, now) else read.swept
                read = msgspec.structs.replace(read, swept=swept)
                read = await self._make_up(gate, number, window, read, now=now)

    async def _position(self, gate: contract.Gate, now: datetime) -> Position:
        saved = await gate.cursor(self._account)
        found = position.decode(saved) if saved is not None else None
        if found is not None:
            return found
        if saved is not None:
            self._log.warning("twilio_cursor_unreadable account=%s", self._account)
            return Position(since=now - position.LOST)
        begun = position.first(self._options.start, now)
        await gate.reconcile(self._inventory(self._options.numbers[0], begun, keys=None))
        self._log.info("twilio_first_look account=%s since=%s", self._account, begun.since.isoformat())
        return begun

    async def _make_up(
        self, gate: contract.Gate, number: str, window: Window, read: Position, *, now: datetime
    ) -> Position:
        """Take in what a window has and the journal has not, the oldest first, then count; how far is read now."""
        missing: list[Found] = []
        keys: list[str] = []
        async for found in self._source.found(number, window, now):
            known = await _known(gate, found)
            missing += [each for each in found if each.is_missing(known)]
            keys += [_counted_key(each, known) for each in found if each.is_counted]
        await self._submit(gate, missing)
        moved = position.moved(read, number, min(now, window.until or now))
        await gate.reconcile(self._inventory(number, moved, keys=None if window.until else tuple(keys)))
        if missing:
            self._log.info(
                "twilio_caught_up account=%s number=%s brought=%s", self._account, number, len(missing)
            )
        return moved

    def _inventory(self, number: str, read: Position, *, keys: tuple[str, ...] | None) -> contract.Inventory:
        return contract.Inventory(
            account=self._account, place=number, generation="", keys=keys, cursor=position.encode(read)
        )

    async def _submit(self, gate: contract.Gate, missing: list[Found]) -> None:
        """Store what is missing: of one customer in order, of several at the same time. Raises: Unavailable, ApiError."""
        lanes: dict[str, list[Found]] = {}
        missing.reverse()  # lists begin with the newest; what has the same second stays in their order
        for each in sorted(missing, key=lambda each: each.at):
            lanes.setdefault(each.lane, []).append(each)
        waiting = list(reversed(lanes.values()))

        async def work() -> None:
            while waiting:
                for each in waiting.pop():
                    receipt = await gate.submit(await each.raw(self._clock()))
                    if not receipt.duplicate:
                        self._log.info("twilio_brought account=%s key=%s", self._account, each.keys[0])

        try:
            async with asyncio.TaskGroup() as tasks:
                for _ in range(min(LANES_AT_ONCE, len(waiting))):
                    tasks.create_task(work())
        except ExceptionGroup as group:
            raise group.exceptions[0] from None

    def _bounds(self, error: ApiError) -> tuple[float, float]:
        if error.status in (401, 403):
            return self._pace.login_s
        return self._pace.busy_s if error.status == TOO_MANY else self._pace.network_s

    def _troubled(self, problem: str, bounds: tuple[float, float]) -> float:
        """Say a trouble, the same one only once; how long to wait."""
        if problem != self._problem:
            self._log.warning("twilio_not_compared account=%s reason=%s", self._account, problem)
            self._problem, self._failures = problem, 0
        self._failures += 1
        wait_s: float = min(bounds[0] * 2 ** (self._failures - 1), bounds[1])
        return wait_s


async def _known(gate: contract.Gate, found: list[Found]) -> frozenset[str]:
    keys = [key for each in found for key in (*each.keys, *each.of)]
    known: frozenset[str] = frozenset()
    for start in range(0, len(keys), KNOWN_AT_ONCE):
        known |= await gate.known(keys[start : start + KNOWN_AT_ONCE])
    return known


def _counted_key(found: Found, known: frozenset[str]) -> str:
    """Return the key under which the journal has it, or will have it."""
    return next((key for key in found.keys if key in known), found.keys[0])


def _sentence(error: ApiError) -> str:
    """Say a failure of Twilio's, with what to do where a person has to do something."""
    if error.status == 401:
        return f"Twilio refuses the login: account_sid and auth_token do not belong together ({error})"
    if error.status == 403:
        return f"Twilio refuses access: this account may not be read with this auth_token ({error})"
    if error.status == TOO_MANY:
        return "Twilio says that there are too many requests at once; it is asked again more slowly"
    return str(error)


def only(wanted: Mapping[str, str], window: Window, name: str) -> dict[str, str]:
    """Add a window to the filters of a list. name: of the date ("DateSent").

    Twilio documents days, and takes instants; should it look at nothing but the day, or at its midnight, all of the window
    is listed all the same: who reads the list looks at the instants again.
    """
    bounds = {f"{name}>": listing.written(window.start)}
    if window.until is not None:
        bounds[f"{name}<"] = listing.written(window.until + timedelta(days=1))
    return {**wanted, **bounds}
