"""Who may come in: bounds on connections, on memory for bodies under way, and on guessed passwords."""

import time
from collections import Counter
from collections.abc import Callable

# So many wrong passwords from one peer within the window, and it has to wait until the window has passed.
MAX_AUTH_FAILURES = 5
AUTH_WINDOW_S = 600
_MAX_PEERS_KNOWN = 10_000


class Memory:
    """Counts the bytes of all bodies under way."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self.used_bytes = 0

    def reserve(self, size_bytes: int) -> bool:
        """Count bytes in; False = the bound is exceeded (they are counted all the same, release them)."""
        self.used_bytes += size_bytes
        return self.used_bytes <= self._max_bytes

    def release(self, size_bytes: int) -> None:
        self.used_bytes -= size_bytes


class Admission:
    """Counts the connections of one listener. peer: the client's address without its port, "" for a unix socket."""

    def __init__(self, *, max_connections: int, max_connections_per_peer: int) -> None:
        self._max_connections = max_connections
        self._max_connections_per_peer = max_connections_per_peer
        self._by_peer: Counter[str] = Counter()

    def enter(self, peer: str) -> bool:
        """Count a connection in; False = refused and not counted."""
        if self._by_peer.total() >= self._max_connections:
            return False
        if peer and self._by_peer[peer] >= self._max_connections_per_peer:
            return False
        self._by_peer[peer] += 1
        return True

    def leave(self, peer: str) -> None:
        self._by_peer[peer] -= 1
        if self._by_peer[peer] <= 0:
            del self._by_peer[peer]


class Throttle:
    """Slows down password guessing: per peer, in memory, bounded. clock: monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: dict[str, list[float]] = {}

    def is_blocked(self, peer: str) -> bool:
        return len(self._recent(peer)) >= MAX_AUTH_FAILURES

    def failed(self, peer: str) -> None:
        recent = self._recent(peer)[-MAX_AUTH_FAILURES:]
        self._failures.pop(peer, None)
        if len(self._failures) >= _MAX_PEERS_KNOWN:
            del self._failures[next(iter(self._failures))]
        self._failures[peer] = [*recent, self._clock()]

    def succeeded(self, peer: str) -> None:
        self._failures.pop(peer, None)

    def _recent(self, peer: str) -> list[float]:
        since = self._clock() - AUTH_WINDOW_S
        return [at for at in self._failures.get(peer, ()) if at > since]
