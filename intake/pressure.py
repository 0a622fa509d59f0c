"""Who goes first when there is much to do: senders who wait for their commit, or what is to be settled.

A burst goes first: what is journalled is safe, a sender who waits is not. A burst that lasts is slowed down: then one
message is taken for each that is settled, so that tickets are never far behind.
"""

import asyncio
import contextlib
import time
from collections import deque

PRESSED = 3  # senders waiting at one time: then a burst is on, which
PRESSED_S = 0.05  # is over when there have been less for so long, and
GIVE_WAY_S = 5.0  # which may keep what it brought from being settled for so long
QUIET_S = 0.02  # without a burst, settling waits for a pause between messages
GATHER_S = (
    0.15  # of at most so long: many settlements then share one commit, and disturb acknowledgements less
)
TURN_LIMIT_S = 0.5


class Pressure:
    """Knows how many senders wait. Used in one event loop."""

    def __init__(self) -> None:
        self._waiting = 0
        self._pressed_at = self._submitted_at = -PRESSED_S
        self._is_slow = False
        self._turns: deque[asyncio.Future[None]] = deque()

    async def begin(self) -> None:
        """Note that a sender waits from now on; in slow times that is after a turn. Followed by end()."""
        if self._is_slow:
            await self._turn()
        self._waiting += 1
        self._submitted_at = time.monotonic()
        if self._waiting >= PRESSED:
            self._pressed_at = self._submitted_at

    def end(self) -> None:
        self._waiting -= 1

    def wants_way(self, waited_s: float) -> bool:
        """Whether what has waited so long to be settled had better wait on: for a burst, or to be many at once."""
        now = time.monotonic()
        if now - self._pressed_at < PRESSED_S:
            return waited_s < GIVE_WAY_S
        return now - self._submitted_at < QUIET_S and waited_s < GATHER_S

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
