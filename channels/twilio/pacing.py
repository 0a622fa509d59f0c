"""How fast texts leave a number: each has its turn, so that neither Twilio's queue nor a carrier's limit runs over.

Segments count, a WhatsApp message is one. What Twilio sends in a second by default (help.twilio.com "Understanding Twilio
Rate Limits and Message Queues", twilio.com/docs/whatsapp/best-practices-and-faqs, checked 2026-11): a number of the
USA or Canada 1, a toll-free one 3, a short code 100, others 10, a WhatsApp sender 80. An account that may do more says so.
"""

import time
from collections.abc import Callable

from channels.twilio import segments

WHATSAPP_PER_SECOND = 80.0
_FORGOTTEN_S = 3_600.0
_KEPT = 10_000


def per_second(number: str) -> float:
    """Return how many segments a number sends in a second, unless its account says another rate."""
    if not number.startswith("+"):
        return 100.0
    if segments.is_toll_free(number):
        return 3.0
    return 1.0 if number.startswith("+1") else 10.0


class Pacing:
    """Turns of the numbers of one account. clock: monotonic seconds.

    A turn once given is kept: who comes back at its time may go, and nobody has overtaken them.
    """

    def __init__(self, *, rate: float | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock = rate, clock
        self._free_at: dict[str, float] = {}  # number -> when it may send the next segment
        self._turns: dict[str, float] = {}  # what waits -> when its turn is

    def wait_s(self, name: str, *, number: str, weight: int) -> float:
        """Return how long a message has to wait, 0 = it may go now. name: what it is known by; weight: its segments."""
        now = self._clock()
        turn = self._turns.get(name)
        if turn is None or now - turn > _FORGOTTEN_S:
            rate = self._rate or per_second(number)
            turn = max(now, self._free_at.get(number, now))
            self._free_at[number] = turn + max(1, weight) / rate
        if turn <= now:
            self._turns.pop(name, None)
            return 0.0
        self._remember(name, turn)
        return turn - now

    def _remember(self, name: str, turn: float) -> None:
        self._turns.pop(name, None)
        self._turns[name] = turn
        while len(self._turns) > _KEPT:
            del self._turns[next(iter(self._turns))]
