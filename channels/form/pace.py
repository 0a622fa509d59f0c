"""How many messages a form takes: of one network within an hour, of everybody within a minute. Kept in memory, bounded.

A network is an IPv4 address, or the /64 of an IPv6 address, which one subscriber has for themselves (RFC 6177 §2).
"""

import ipaddress
import time
from collections import deque
from collections.abc import Callable

from channels.form.settings import Limits

HOUR_S = 3_600.0
MINUTE_S = 60.0
MAX_NETWORKS = 10_000


class Pace:
    """clock: monotonic seconds."""

    def __init__(self, limits: Limits, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits, self._clock = limits, clock
        self._networks: dict[str, deque[float]] = {}
        self._all: deque[float] = deque()

    def wait_s(self, address: str | None) -> float:
        """Return how long somebody has to wait before the next message is taken, 0 = it may come now. Counts nothing."""
        now = self._clock()
        own = self._networks.get(network_of(address), deque())
        waits = (
            _wait_s(own, now, within_s=HOUR_S, most=self._limits.per_network_hour),
            _wait_s(self._all, now, within_s=MINUTE_S, most=self._limits.per_minute),
        )
        return max(waits)

    def count(self, address: str | None) -> None:
        """Count a message that was taken."""
        now, network = self._clock(), network_of(address)
        taken = self._networks.pop(network, deque())
        taken.append(now)
        if len(self._networks) >= MAX_NETWORKS:  # the one that has been quiet for longest
            del self._networks[next(iter(self._networks))]
        self._networks[network] = taken
        self._all.append(now)

    def take_back(self, address: str | None) -> None:
        """Forget the last message counted: it was not taken after all, or had been before."""
        for taken in (self._networks.get(network_of(address)), self._all):
            if taken:
                taken.pop()


def network_of(address: str | None) -> str:
    """Return the network of an address; one that is written as a network already stays what it is."""
    if address and "/" in address:
        return address
    try:
        found = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.IPv6Network((int(found) >> 64 << 64, 64)))
    return str(found)


def _wait_s(taken: deque[float], now: float, *, within_s: float, most: int) -> float:
    while taken and now - taken[0] >= within_s:
        taken.popleft()
    return within_s - (now - taken[-most]) if len(taken) >= most else 0.0
