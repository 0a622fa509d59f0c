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
from channels.twilio import listing, position, settings, taking
from channels.twilio.api import TOO_MANY, ApiError
from channels.twilio.position import Position, Window
from channels.twilio.taking import Found

YOUNG = timedelta(seconds=30)  # a webhook has 15 s, retries included
JITTER = 0.1
NEVER = datetime.min.replace(tzinfo=UTC)

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
            return self._troubled(_sentence(error, self._options.login_names), self._bounds(error))
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
        """Take in what is missing, number by number. Raises: Unavailable; ApiError when not all of it could be had.

        Time is Twilio's: what it says of its messages is compared with nothing else. The number that has waited longest
        is the first; one that Twilio fails at is not in the way of the others.
        """
        numbers = self._options.numbers
        now = await self._source.clock(numbers[0]) or self._clock()
        begun = {number: await self._begin(gate, number, now) for number in numbers}
        failed: ApiError | None = None
        for number in sorted(numbers, key=lambda each: begun[each].read or NEVER):
            try:
                await self._compare(gate, number, begun[number], now)
            except ApiError as error:
                if taking.is_general(error):
                    raise
                failed = failed or error
        if failed is not None:
            raise failed

    async def _begin(self, gate: contract.Gate, number: str, now: datetime) -> Position:
        """Return how far a number has been read; where it begins is kept before anything is listed."""
        saved = await gate.cursor(self._cursor_name(number))
        found = position.decode(saved)
        if found is not None:
            return found
        if saved is not None:
            self._log.warning("twilio_cursor_unreadable account=%s number=%s", self._account, number)
            return Position(begun=now - position.LOST, met=now - position.LOST)
        begun = position.first(self._options.start, now)
        await gate.reconcile(self._inventory(number, begun, keys=None))
        self._log.info(
            "twilio_first_look account=%s number=%s since=%s",
            self._account,
            number,
            begun.begun.isoformat(),
        )
        return begun

    async def _compare(self, gate: contract.Gate, number: str, read: Position, now: datetime) -> None:
        for window in position.windows(read, now):
            keys = await self._make_up(gate, number, window, now)
            moved = position.moved(read, window, now)
            await gate.reconcile(self._inventory(number, moved, keys=None if window.until else keys))

    async def _make_up(
        self, gate: contract.Gate, number: str, window: Window, now: datetime
    ) -> tuple[str, ...]:
        """Take in what a window has and the journal has not, the oldest first; the keys to be counted."""
        missing: list[Found] = []
        keys: list[str] = []
        async for found in self._source.found(number, window, now):
            held = await taking.known(gate, found)
            missing += [each for each in found if each.is_missing(held)]
            keys += [taking.counted_key(each, held) for each in found if each.is_counted]
        await taking.submit(gate, missing, account=self._account, clock=self._clock, log=self._log)
        if missing:
            self._log.info(
                "twilio_caught_up account=%s number=%s brought=%s", self._account, number, len(missing)
            )
        return tuple(keys)

    def _cursor_name(self, number: str) -> str:
        return f"{self._account}/{number}"

    def _inventory(self, number: str, read: Position, *, keys: tuple[str, ...] | None) -> contract.Inventory:
        return contract.Inventory(
            account=self._account,
            place=number,
            generation="",
            keys=keys,
            cursor=position.encode(read),
            cursor_name=self._cursor_name(number),
        )

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


def _sentence(error: ApiError, login: str) -> str:
    """Say a failure of Twilio's, with what to do where a person has to do something. login: the options that log in."""
    if error.status == 401:
        return f"Twilio refuses the login: {login} do not belong together ({error})"
    if error.status == 403:
        return f"Twilio refuses access: this account may not be read with this {login.rsplit(maxsplit=1)[-1]} ({error})"
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
