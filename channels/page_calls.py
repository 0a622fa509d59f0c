"""A call that tells an agent of something: what intake says of it, what the channel's turns keep, what they tell back.

The session `page:<outbox id>` is shown by intake what is to be said and what has become of it (View.page). A key that is
pressed is told as something that happened; intake settles it, and the call's next turn finds what has come of it.
Pressing a key proves nobody: it acknowledges, or passes on, and does nothing else.
"""

from typing import Literal

import msgspec

PREFIX = "page:"
ACKNOWLEDGED = "page_acknowledged"
PASSED_ON = "page_passed_on"
UNANSWERED = "page_unanswered"
STATUS = "page_status"
HEARD = "page_heard"
WORDS = frozenset((ACKNOWLEDGED, PASSED_ON, UNANSWERED, STATUS, HEARD))
"""What happens in a page call (contract.Happened.what); each one's details name the outbox id as "page"."""

Outcome = Literal["", "yours", "theirs", "passed_on", "alone", "over"]


class Paged(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent is told of, as it is now. page: the outbox id. said: the sentence. language: of it, ISO 639-1.

    agent: a name. is_free: no other call rings for them, or has them.

    outcome: "yours", "theirs" (`by` has it), "passed_on", "alone" (it was to be passed on, and there is nobody else),
    "over" (nothing is left to do), "" = nobody has said anything.
    """

    page: str
    said: str
    language: str = "en"
    is_test: bool = False
    agent: str = ""
    is_free: bool = True
    outcome: Outcome = ""
    by: str = ""


class PageCall(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page call between two turns. pressed: "1" or "2", "" = neither yet. misses, repeats: so far.

    waits: turns spent on waiting for what a key has come to. is_heard: whether somebody has picked up.
    call: the provider's id of it: another call about the same begins anew.
    """

    call: str = ""
    pressed: Literal["", "1", "2"] = ""
    misses: int = 0
    repeats: int = 0
    waits: int = 0
    is_heard: bool = False


def session(page: str) -> str:
    """Return the name of a page call's session."""
    return f"{PREFIX}{page}"


def page_of(session: str | None) -> str | None:
    """Return the outbox id of a page call's session; None = it is another kind of session."""
    page = session.removeprefix(PREFIX) if session is not None and session.startswith(PREFIX) else ""
    return page if page.isascii() and page.isdecimal() and len(page) <= 19 else None


def encoded(call: PageCall) -> bytes:
    return msgspec.json.encode(call)


def decoded(state: bytes | None, call: str) -> PageCall:
    """Return the call of a session's state; None = it begins. call: the provider's id of the one that asks."""
    try:
        known = msgspec.json.decode(state, type=PageCall) if state else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        known = None
    return known if known is not None and known.call == call else PageCall(call=call)
