"""How much one visitor may say: `limits:` of a chat account. Counted in memory, before anything is kept.

Two counts stand before every line: that of the chat's token and that of the address it comes from, the /64 of IPv6, so that
new tokens help nobody. Who is proven (channels.webchat.identity) counts by the token alone: an office behind one address is
many customers. Each count is the moments of the last lines themselves, not a bucket that fills again meanwhile: "20 a minute"
is 20 in any minute. What was refused is not counted: who waits as long as they are told is let in.
"""

import ipaddress
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from typing import Annotated

import msgspec
from msgspec import Meta

NAMES_MAX = 50_000  # of tokens and addresses that are remembered; the one heard of longest ago goes first
TYPING_EVERY_S = 2.0
NETWORKS_MAX = 4_096  # addresses whose network is remembered: it is asked for with every line
Count = Annotated[int, Meta(ge=1, le=100_000)]


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """lines_per_minute, lines_per_hour: of one chat. address_…: of one address, whoever is behind it; proven visitors aside.

    uploads_per_hour: files of one chat; address_uploads_per_hour: of one address. sockets: of one address, open at once.
    work_above_lines_per_minute: of all visitors whom nobody vouches for; above it browsers work something out for each line
    (channels.webchat.work), 0 = never.
    """

    lines_per_minute: Count = 20
    lines_per_hour: Count = 300
    address_lines_per_minute: Count = 20
    address_lines_per_hour: Count = 600
    uploads_per_hour: Count = 30
    address_uploads_per_hour: Count = 60
    sockets: Count = 200
    work_above_lines_per_minute: Annotated[int, Meta(ge=0, le=100_000)] = 300


class Refused(Exception):
    """It is too much now. retry_after_s: seconds, from 1 on, after which there is room again if nothing else comes."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"too much at once: again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class Counts:
    """The moments of what was taken, by kind and name. clock: aware."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._seen: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def take(self, wanted: Iterable[tuple[str, str, int, float]]) -> None:
        """Count one of each (kind, name, most, window_s). Raises: Refused, and nothing is counted."""
        now = self._clock().timestamp()
        counts = [
            (self._moments(kind, name, now - window_s), most, window_s)
            for kind, name, most, window_s in wanted
        ]
        waits = [moments[0] + window_s - now for moments, most, window_s in counts if len(moments) >= most]
        if waits:
            raise Refused(max(int(max(waits)) + 1, 1))
        for moments, _, _ in counts:
            moments.append(now)

    def _moments(self, kind: str, name: str, since: float) -> deque[float]:
        """Return what was counted of a name after an instant."""
        key = (kind, name)
        found = self._seen.get(key)
        if found is None:
            found = self._seen[key] = deque()
        self._seen.move_to_end(key)
        while found and found[0] <= since:
            found.popleft()
        while len(self._seen) > NAMES_MAX:
            self._seen.popitem(last=False)
        return found


class Limits:
    """Counts for one account. clock: aware."""

    def __init__(self, options: Options, clock: Callable[[], datetime]) -> None:
        self._options = options
        self._counts = Counts(clock)
        self._typing = Counts(clock)  # apart: who types under many names pushes no line out of memory
        self._open: dict[str, int] = {}

    def take_line(self, session: str, address: str, *, is_proven: bool = False) -> None:
        """Count one line. Raises: Refused, and nothing is counted."""
        own = self._options
        wanted = [
            ("minute", session, own.lines_per_minute, 60.0),
            ("hour", session, own.lines_per_hour, 3_600.0),
        ]
        if not is_proven:
            name = network_of(address)
            wanted += [
                ("address minute", name, own.address_lines_per_minute, 60.0),
                ("address hour", name, own.address_lines_per_hour, 3_600.0),
            ]
        self._counts.take(wanted)

    def take_upload(self, session: str, address: str, *, is_proven: bool = False) -> None:
        """Count one file. Raises: Refused, and nothing is counted."""
        wanted = [("uploads", session, self._options.uploads_per_hour, 3_600.0)]
        if not is_proven:
            most = self._options.address_uploads_per_hour
            wanted.append(("address uploads", network_of(address), most, 3_600.0))
        self._counts.take(wanted)

    def may_type(self, session: str) -> bool:
        """Whether agents are told that somebody types: a page says so every 3 s, whoever says it oftener is not heard."""
        try:
            self._typing.take([("typing", session, 1, TYPING_EVERY_S)])
        except Refused:
            return False
        return True

    def enter(self, address: str) -> bool:
        """Count a socket that opens; false = the address has as many as it may. One that was counted is to `leave`."""
        name = network_of(address)
        if self._open.get(name, 0) >= self._options.sockets:
            return False
        self._open[name] = self._open.get(name, 0) + 1
        return True

    def leave(self, address: str) -> None:
        name = network_of(address)
        left = self._open.pop(name, 0) - 1
        if left > 0:
            self._open[name] = left


@lru_cache(maxsize=NETWORKS_MAX)
def network_of(address: str) -> str:
    """Return what is counted as one: an IPv4 address, or the /64 of an IPv6 one; what is neither by its text."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if found.version == 6:
        mapped = found.ipv4_mapped
        return (
            str(mapped) if mapped is not None else str(ipaddress.ip_network((int(found), 64), strict=False))
        )
    return str(found)
