"""What a browser works out before a line is taken while the account is flooded from many addresses: `limits.work_above_…`.

Up to so many lines a minute of visitors whom nobody vouches for there is no such thing. Above that the answer to a line is
`work_required` with a text of ours; the line is said again with numbers that, behind the text, have a SHA-256 (FIPS 180-4)
that begins with BITS zero bits, PARTS times: parts, because one great search is over at once or takes for ever. In a
browser that is 65 000 hashes, a sixth of a second on a desk, in slices; each doubling of the flood doubles it, up to eight times.

The text is <until>.<bits>.<seal>, until in Unix seconds. The seal is over the session and the id of what was said as well: the
numbers are good for that one thing, and who says it again is answered as before, so that nothing has to be remembered here.
An address counts for OF_ONE lines a minute at most: alone it makes nobody else work, for it has limits of its own.
"""

import hmac
import re
from collections import deque
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256

from channels.webchat import protocol
from channels.webchat.limits import Counts, Refused, network_of

BITS = 13
MORE_BITS = 3
PARTS = 8
OF_ONE = 30
LIVES_S = 180
WINDOW_S = 60.0
WORK_MAX = 200  # characters of what a page says
PURPOSE = "chat work"

_TEXT = r"([0-9]{1,12})\.([0-9]{1,2})\.([a-z0-9]{27,29})"
_NUMBERS = rf"([0-9]{{1,10}}(?:,[0-9]{{1,10}}){{{PARTS - 1}}})"
_WORK = re.compile(f"{_TEXT}:{_NUMBERS}")

Seal = Callable[..., str]


class Required(Exception):
    """Something is to be worked out first. asked: what the page is told."""

    def __init__(self, asked: protocol.WorkAsked) -> None:
        super().__init__(asked.code)
        self.asked = asked


class Work:
    """Of one account. above: lines a minute, 0 = nothing is ever worked out. seal: contract.Gate.seal. clock: aware."""

    def __init__(self, above: int, *, seal: Seal, clock: Callable[[], datetime]) -> None:
        self._above, self._seal, self._clock = above, seal, clock
        self._moments: deque[float] = deque(maxlen=max(1, above << MORE_BITS))
        self._counts = Counts(clock)

    def check(self, session: str, address: str, about: str, done: str) -> None:
        """Note that something is to be kept, and see whether it may be. about: its id; done: what was worked out. Raises: Required."""
        if not self._above:
            return
        self._note(network_of(address))
        bits = self.bits
        if bits and not self.is_done(session, about, done):
            raise Required(self._asked(session, about, bits))

    @property
    def bits(self) -> int:
        """How much each part takes now; 0 = the account is not hot."""
        since = self._clock().timestamp() - WINDOW_S
        while self._moments and self._moments[0] <= since:
            self._moments.popleft()
        times = len(self._moments) // self._above if self._above else 0
        if not times or len(self._moments) == self._above:
            return 0
        return BITS + min(MORE_BITS, times.bit_length() - 1)

    def is_done(self, session: str, about: str, done: str) -> bool:
        """Whether that was worked out, for this and nothing else, and in time."""
        found = _WORK.fullmatch(done) if len(done) <= WORK_MAX else None
        if found is None:
            return False
        until, bits, seal, numbers = found.groups()
        if int(until) <= self._clock().timestamp() or not 0 < int(bits) <= 32:
            return False
        if not hmac.compare_digest(seal, self._seal(PURPOSE, session, about, until, bits)):
            return False
        text = done.partition(":")[0]
        tries = (f"{text}:{part}:{number}" for part, number in enumerate(numbers.split(",")))
        return all(_begins_with_zeros(each, int(bits)) for each in tries)

    def _note(self, network: str) -> None:
        try:
            self._counts.take([("heat", network, OF_ONE, WINDOW_S)])
        except Refused:
            return
        self._moments.append(self._clock().timestamp())

    def _asked(self, session: str, about: str, bits: int) -> protocol.WorkAsked:
        until = str(int(self._clock().timestamp()) + LIVES_S)
        seal = self._seal(PURPOSE, session, about, until, str(bits))
        return protocol.WorkAsked(
            code="work_required",
            text="Your browser has to work something out first.",
            id=about,
            work=protocol.Work(f"{until}.{bits}.{seal}", bits, PARTS),
        )


def _begins_with_zeros(text: str, bits: int) -> bool:
    return int.from_bytes(sha256(text.encode()).digest()[:4]) >> (32 - bits) == 0
