"""Conversations that are state machines (a call, a chat): what one turn is given, and what it gives back.

    step(state, raw, view) -> Turn      pure: all it knows is what it is handed; it may be run again, or twice

intake runs it inside one transaction (contract.Gate.turn). The way to these values is channels.contract.
"""

from datetime import datetime

import msgspec

from channels.dial_outs import DialOut
from channels.normal_form import Happened
from channels.page_calls import Paged

STATE_MAX_BYTES = 16_384


class Free(msgspec.Struct, frozen=True):
    """An agent who may be rung now: on duty, available, with a phone and no other call.

    level: of the team. knows: the skills, languages among them. has_all: whether that is all that the ticket asks for.
    """

    agent: str
    phone: str
    level: str
    knows: tuple[str, ...] = ()
    has_all: bool = True


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """Where the rules have put the session's ticket. ring: who may be rung, in the order in which they should be.

    customer: the name that they are known by, "" = none. is_staffed: whether anybody could be rung, now or after a call of
    theirs: waiting is of use.
    """

    ref: str
    team: str | None = None
    priority: str = "normal"
    customer: str = ""
    tags: tuple[str, ...] = ()
    ring: tuple[Free, ...] = ()
    is_staffed: bool = True


class View(msgspec.Struct, frozen=True, kw_only=True):
    """The desk as a session sees it: frozen, at most 5 s old.

    at: aware UTC. zone: the name of the time zone in which it is told the time. next_open: aware UTC, None = it is open,
    or never opens. wait_s: how long an answer takes now, (from, to), None = nobody can say. incident: language -> what
    everybody is told while there is one, {} = there is none. language: what the customer spoke last, None = not known.
    open_refs: the customer's open tickets, the newest first. placed: None = the rules have not placed it (yet).
    is_known: whether the customer has written or called before. page: what the session tells an agent of, out: whom it calls for
    an agent, None = it does no such thing. may_text: whether the caller would get a text that is offered while we are closed.
    """

    at: datetime
    is_open: bool = True
    next_open: datetime | None = None
    zone: str = "UTC"
    wait_s: tuple[int, int] | None = None
    incident: dict[str, str] = {}
    language: str | None = None
    open_refs: tuple[str, ...] = ()
    is_known: bool = False
    is_opted_out: bool = False
    may_text: bool = False
    placed: Placed | None = None
    page: Paged | None = None
    out: DialOut | None = None


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """What a step decided.

    state: what the next turn starts from, at most STATE_MAX_BYTES; None = the session is over. reply: the answer.
    happened: kept with the raw message, whose parse tells it on (envelope["happened"], envelope["session"]).
    holds: the agents who ring for this session from now on, for at most hold_s; those it held before are free again.
    """

    state: bytes | None
    reply: str
    happened: tuple[Happened, ...] = ()
    holds: tuple[str, ...] = ()
    hold_s: float = 0
