"""Conversations that are state machines (a call, a chat): what one turn is given, and what it gives back.

    step(state, raw, view) -> Turn      pure: all it knows is what it is handed; it may be run again, or twice

intake runs it inside one transaction (contract.Gate.turn). The way to these values is channels.contract.
"""

from datetime import datetime
from typing import Any, Literal

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


class Availability(msgspec.Struct, frozen=True, kw_only=True):
    """When somebody who writes now is answered, measured and never configured.

    state: "now" = somebody on duty has room for another chat; "soon" = the desk is open and everybody is busy; "later" =
    nobody is there. wait_s: within how long half and four of five were answered lately, None = too few were to say.
    answered_by: aware UTC, by when an answer comes while nobody is there, None = nobody can say. opens_at: when somebody is
    there next, aware UTC, None = they are, or nobody knows. zone: in which the desk's day is told.
    """

    state: Literal["now", "soon", "later"] = "later"
    wait_s: tuple[int, int] | None = None
    answered_by: datetime | None = None
    opens_at: datetime | None = None
    zone: str = "UTC"


class View(msgspec.Struct, frozen=True, kw_only=True):
    """The desk as a session sees it: frozen, at most 5 s old.

    at: aware UTC. zone: the name of the time zone in which it is told the time. next_open: aware UTC, None = it is open,
    or never opens. wait_s: how long an answer takes now, (from, to), None = nobody can say. incident: language -> what
    everybody is told while there is one, {} = there is none. language: what the customer spoke last, None = not known.
    open_refs: the customer's open tickets, the newest first. placed: None = the rules have not placed it (yet).
    is_known: whether the customer has written or called before. page: what the session tells an agent of, out: whom it calls for
    an agent, None = it does no such thing. may_text: whether the caller would get a text that is offered while we are closed.
    availability: of the medium for the account's customers; only chats ask for it. is_blocked: the desk takes nothing from here.
    is_linked: the message has a link of ours that opens this session; is_elsewhere: one that opens another, while this one has
    lines. is_alias: who speaks is not who began the session, and shows it all the same (by a link, or by proof).
    last_seq: the number of the last line of the session's feed, 0 = there is none, or no feed.
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
    availability: Availability = Availability()
    is_blocked: bool = False
    is_linked: bool = False
    is_elsewhere: bool = False
    is_alias: bool = False
    last_seq: int = 0


class LineFile(msgspec.Struct, frozen=True):
    """A file of a line. reference: what its bytes are found by, "" = by its place in what the desk has sent. size: bytes."""

    name: str
    content_type: str
    size: int
    reference: str = ""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What stands on the screens of a session: whoever said it. intake numbers it.

    id: of the visitor's page, "" = no page said it. code: of a system's line, for pages that have words of their own.
    """

    author: Literal["customer", "agent", "system"]
    text: str = ""
    name: str = ""
    files: tuple[LineFile, ...] = ()
    id: str = ""
    code: str = ""


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """The first thing of a feed. state: of the session, None = there is none (yet); last_seq: 0 = no line.

    last_code: of that line. seen_seq: the last line that an agent has seen.
    """

    state: bytes | None = None
    last_seq: int = 0
    last_code: str = ""
    seen_seq: int = 0


class Fed(msgspec.Struct, frozen=True):
    """A line of a feed, with its number, from 1 and without gaps. at: aware UTC."""

    seq: int
    at: datetime
    line: Line


class Passing(msgspec.Struct, frozen=True):
    """What rides on a feed and is not kept: whoever is not there misses nothing. what: "typing", "seen"."""

    what: str
    details: dict[str, Any] = {}


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """What a step decided.

    state: what the next turn starts from, at most STATE_MAX_BYTES; None = the session is over. reply: the answer.
    happened: kept with the raw message, whose parse tells it on (envelope["happened"], envelope["session"]).
    holds: the agents who ring for this session from now on, for at most hold_s; those it held before are free again.
    lines: what is said to the session's feed, numbered from View.last_seq + 1 in this order.
    person: who it is, as is proven: a session without lines shows those that they have elsewhere. "" = nobody says.
    """

    state: bytes | None
    reply: str
    happened: tuple[Happened, ...] = ()
    holds: tuple[str, ...] = ()
    hold_s: float = 0
    lines: tuple[Line, ...] = ()
    person: str = ""
