"""A call from a ticket: the agent's phone rings, then the customer's; what intake says of it, and what is told back.

The session `out:<outbox id>` is shown by intake whom to call and with which number (View.out).
"""

from typing import Literal

import msgspec

PREFIX = "out:"
DIALLED = "out_dialled"  # the agent has pressed 1
DECLINED = "out_declined"  # they have not
STATUS = "out_status"  # of the agent's leg
HEARD = "out_heard"
WORDS = frozenset((DIALLED, DECLINED, STATUS, HEARD))
"""What happens on the agent's leg; each one's details name the outbox id as "page". The rest is the customer's leg."""


class DialOut(msgspec.Struct, frozen=True, kw_only=True):
    """page: the outbox id. said: what the agent hears first. agent: a name. number: the customer's; own: shown to them.

    record: "ask" = after the customer has pressed a key, "notice" = after a sentence. refusal: why the number must not be
    called now, "" = it may. is_free: whether no other call rings for the agent.
    """

    page: str
    said: str
    agent: str
    number: str
    own: str
    record: Literal["off", "ask", "notice"] = "off"
    refusal: str = ""
    language: str = "en"
    customers_language: str = "en"
    is_free: bool = True


class Leg(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The agent's leg between two turns. call: the provider's id of it: another call about the same begins anew."""

    call: str = ""
    misses: int = 0
    is_dialled: bool = False


def session(page: str) -> str:
    return f"{PREFIX}{page}"


def page_of(session: str | None) -> str | None:
    """Return the outbox id of a session; None = it is another kind of session."""
    page = session.removeprefix(PREFIX) if session is not None and session.startswith(PREFIX) else ""
    return page if page.isascii() and page.isdecimal() and len(page) <= 19 else None


def encoded(leg: Leg) -> bytes:
    return msgspec.json.encode(leg)


def decoded(state: bytes | None, call: str | None = None) -> Leg:
    """Return the agent's leg of a session's state; None = it begins. call: the provider's id of the one that asks, None = any."""
    try:
        known = msgspec.json.decode(state, type=Leg) if state else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        known = None
    is_its = known is not None and call in (None, known.call)
    return known if known is not None and is_its else Leg(call=call or "")
