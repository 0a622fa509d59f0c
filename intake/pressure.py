"""Who goes first when there is much to do: senders who wait for their commit, or what is to be settled.

A burst goes first: what is journalled is safe, a sender who waits is not. A burst that lasts is slowed down: then one
message is taken for each that is settled, so that tickets are never far behind.
"""

import asyncio
import contextlib
import math
import time
from collections import deque

PRESSED = 3  # senders waiting at one time: then a burst is on, which
PRESSED_S = 0.05  # is over when there have been less for so long, and
GIVE_WAY_S = 5.0  # which may keep what it brought from being settled for so long
RATE_S = 0.1  # a single sender makes a burst too: by more in so long than
RATE_SHARE = 0.6  # of what could be settled in it
QUIET_S = 0.02  # without a burst, settling waits for a pause between messages,
GATHER_S = 0.25  # but not longer, and not
GATHER = 64  # for more: many settlements then share one commit, and disturb acknowledgements less
TURN_LIMIT_S = 0.5
PACE_OF = 32  # settled messages after which their pace is known
PACE_KEPT = 0.95  # of the best pace seen, each time: what is slower now is found out
TAKING = 1  # what taking a message costs, in messages settled: a pace is measured while others come in


class Pressure:
    """Knows how many senders wait. Used in one event loop."""

    def __init__(self) -> None:
        self._waiting = 0
        self._pressed_at = self._submitted_at = -PRESSED_S
        self._is_slow = False
        self._turns: deque[asyncio.Future[None]] = deque()
        self._arrivals: deque[float] = deque()  # of the last RATE_S
        self._pace = math.inf  # messages a second that can be settled; inf = not known yet
        self._settling = 0
        self._settled_at = -GATHER_S
        self._settled = 0.0
        self._settling_since = 0.0

    async def begin(self) -> None:
        """Note that a sender waits from now on; in slow times that is after a turn. Followed by end()."""
        if self._is_slow:
            await self._turn()
        self._waiting += 1
        self._submitted_at = time.monotonic()
        if self._waiting >= PRESSED:
            self._pressed_at = self._submitted_at
        self._settled += TAKING
        self._arrivals.append(self._submitted_at)
        self._forget(self._submitted_at)

    def end(self) -> None:
        self._waiting -= 1

    def wants_way(self, waited_s: float, ready: int) -> bool:
        """Whether what is ready to be settled had better wait on: for a burst, or to be many at once.

        waited_s: for how long the first of them has waited already.
        """
        now = time.monotonic()
        if waited_s >= GIVE_WAY_S:
            return False
        if now - self._pressed_at < PRESSED_S or self._is_fast(now):
            return True
        if now - self._submitted_at >= QUIET_S:
            return False
        if self._settling:
            return ready < GATHER // 2
        return min(waited_s, now - self._settled_at) < GATHER_S and ready < GATHER

    def _forget(self, now: float) -> None:
        while self._arrivals and self._arrivals[0] < now - RATE_S:
            self._arrivals.popleft()

    def _is_fast(self, now: float) -> bool:
        self._forget(now)
        return len(self._arrivals) > self._pace * RATE_S * RATE_SHARE

    def begin_settling(self) -> None:
        """A batch begins; followed by end_settling()."""
        if self._settling == 0:
            self._settled, self._settling_since = 0.0, time.monotonic()
        self._settling += 1

    def end_settling(self) -> None:
        """A batch has ended: from what all of them have settled follows the pace."""
        now = self._settled_at = time.monotonic()
        self._settling -= 1
        if self._settled >= PACE_OF:
            pace = self._settled / (now - self._settling_since)
            self._pace = pace if self._pace == math.inf else max(pace, self._pace * PACE_KEPT)
            self._settled, self._settling_since = 0.0, now

    def one_settled(self) -> None:
        self._settled += 1
        self.give_turn()

    def settle_lag(self, waited_s: float) -> None:
        """Slow senders down while what is to be settled has waited longer than a burst may last."""
        self._is_slow = waited_s > GIVE_WAY_S
        while not self._is_slow and self._turns:
            self.give_turn()

    def give_turn(self) -> None:
        """Let the sender who has waited longest go on: a message has been settled."""
        while self._turns:
            turn = self._turns.popleft()
            if not turn.done():
                turn.set_result(None)
                return

    async def _turn(self) -> None:
        """Wait until a message has been settled; never long, whatever keeps the others from being settled."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._turns.append(turn)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(turn, TURN_LIMIT_S)
