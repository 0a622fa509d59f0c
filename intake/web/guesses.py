"""How many wrong links somebody has tried: beyond a few a minute nothing of theirs is looked at for a while.

A signature has 128 bits, so that this is no defence that anything hangs on: it keeps guessing slow and cheap for us.
"""

import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web

WRONG_PER_MINUTE = 30
CLIENTS_MAX = 10_000  # remembered at once; the one seen longest ago is forgotten
_MINUTE_S = 60.0

Networks = tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]


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


def networks(text: str) -> Networks:
    """Read the proxies of intake.yaml: addresses and networks, apart by spaces. Raises: ValueError."""
    return tuple(ipaddress.ip_network(each, strict=False) for each in text.split())


def asker(request: "web.Request", proxies: Networks = ()) -> str:
    """Return who sends a request, as client_of does.

    A proxy may add a line of its own below that of whoever sent one to it (HAProxy's `option forwardfor`): the lines are one
    list, in their order (RFC 9110 §5.3), and the first alone would be the sender's word.
    """
    said = request.headers.getall("X-Forwarded-For", ())
    return client_of(request.remote, ",".join(said) or None, proxies)


def client_of(remote: str | None, forwarded: str | None, proxies: Networks = ()) -> str:
    """Return who asks: the peer, or whom a proxy of ours names; of IPv6 the network. "" = nobody knows.

    remote: the peer's address; forwarded: its X-Forwarded-For, each proxy's word behind that of the one before.
    proxies: those that are believed, beside this machine's own. Nobody else's word counts, for anybody can send that
    header (OWASP ASVS 5.0 row 15.3.4, 2026-11).
    """
    found = _address(remote)
    if found is None:
        return ""
    said = (forwarded or "").split(",")
    while said and (found.is_loopback or any(found in each for each in proxies)):
        named = _address(said.pop())
        if named is None:
            break
        found = named
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
