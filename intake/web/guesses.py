"""How many wrong links somebody has tried: beyond a few a minute nothing of theirs is looked at for a while.

A signature has 128 bits, so that this is no defence that anything hangs on: it keeps guessing slow and cheap for us.
"""

import ipaddress
from collections import OrderedDict
from collections.abc import Callable

WRONG_PER_MINUTE = 30
CLIENTS_MAX = 10_000  # remembered at once; the one seen longest ago is forgotten
_MINUTE_S = 60.0


class Guesses:
    """Counts wrong links by client. clock: seconds, ever growing."""

    def __init__(self, clock: Callable[[], float], *, most: int = WRONG_PER_MINUTE) -> None:
        self._clock, self._most = clock, most
        self._seen: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def are_enough(self, client: str) -> bool:
        began, count = self._seen.get(client, (0.0, 0))
        return count >= self._most and self._clock() - began < _MINUTE_S

    def note(self, client: str) -> None:
        """Count one more."""
        now = self._clock()
        began, count = self._seen.pop(client, (now, 0))
        self._seen[client] = (now, 1) if now - began >= _MINUTE_S else (began, count + 1)
        if len(self._seen) > CLIENTS_MAX:
            self._seen.popitem(last=False)


def client_of(remote: str | None, forwarded: str | None) -> str:
    """Return who asks: the peer, or what a proxy in our own network says last; of IPv6 the network.

    remote: the peer's address; forwarded: its X-Forwarded-For.
    """
    peer = _address(remote)
    if peer is None:
        return ""
    named = _address((forwarded or "").rpartition(",")[2]) if peer.is_loopback or peer.is_private else None
    found = named or peer
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


def _address(text: str | None) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address((text or "").strip().partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found
