"""A call that tells an agent of something: what intake prepares, what the channel's turns make of it, what intake answers.

The session `page:<outbox id>` begins with a PageCall that intake has written. A key that is pressed is told as something
that happened; intake settles it and writes the outcome into the same session, where the call's next turn finds it.
Pressing a key proves nobody: it acknowledges, or passes on, and does nothing else.
"""

from typing import Literal

import msgspec

ACKNOWLEDGED = "page_acknowledged"
PASSED_ON = "page_passed_on"
UNANSWERED = "page_unanswered"
STATUS = "page_status"
WORDS = frozenset((ACKNOWLEDGED, PASSED_ON, UNANSWERED, STATUS))
"""What happens in a page call (contract.Happened.what); each one's details name the outbox id as "page"."""

Outcome = Literal["", "yours", "theirs", "passed_on", "over"]


class PageCall(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page call as it stands.

    page: the outbox id. said: the sentence. language: of it, BCP 47. pressed: "1" or "2", "" = neither yet. misses,
    repeats, waits: so far; waits: turns spent on waiting for the outcome. outcome: "yours", "theirs" (`by` has it),
    "passed_on", "over" (nothing is left to do), "" = not known yet. is_heard: whether somebody has picked up.
    """

    page: str
    said: str
    language: str = "en-GB"
    pressed: Literal["", "1", "2"] = ""
    misses: int = 0
    repeats: int = 0
    waits: int = 0
    outcome: Outcome = ""
    by: str = ""
    is_heard: bool = False


def session(page: str) -> str:
    """Return the name of a page call's session."""
    return f"page:{page}"


def encoded(call: PageCall) -> bytes:
    return msgspec.json.encode(call)


def decoded(state: bytes | None) -> PageCall | None:
    """Return the call of a session's state; None = there is none (any more)."""
    if not state:
        return None
    try:
        return msgspec.json.decode(state, type=PageCall)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def settled(state: bytes | None, *, outcome: Outcome, by: str = "") -> bytes | None:
    """Return the state with what became of the page; None = there is nothing to tell it to."""
    call = decoded(state)
    if call is None or call.outcome:
        return None
    return encoded(msgspec.structs.replace(call, outcome=outcome, by=by))
