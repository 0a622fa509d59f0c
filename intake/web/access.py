"""Who may do what: the one function that pages, JSON, live streams, WebSocket verbs, files and exports ask.

It is pure, and denies what nothing here allows: an action without a line in _ROLES is nobody's, and one about a ticket is
refused where no ticket is named. OWASP ASVS 5.0 rows 8.2.1 to 8.2.3 and 8.3.1 (2026-11).
"""

from enum import StrEnum
from typing import Literal

import msgspec

Role = Literal["agent", "lead", "admin", "auditor"]
ROLES: tuple[Role, ...] = ("agent", "lead", "admin", "auditor")


class Action(StrEnum):
    """What somebody wants. Those of tickets are asked with a Subject; merging is asked for both tickets."""

    # for everybody, signed in or not: they show nothing of anybody's
    look_at_health = "look_at_health"
    load_asset = "load_asset"
    sign_in = "sign_in"
    open_form = "open_form"  # a page or a status that every visitor of a site may load
    # by another proof than a session: the route's authority
    follow_link = "follow_link"
    take_hook = "take_hook"
    chat = "chat"
    # to look
    see_desk = "see_desk"
    see_ticket = "see_ticket"
    see_file = "see_file"
    see_customer = "see_customer"
    see_rules = "see_rules"
    see_operations = "see_operations"
    see_access = "see_access"  # who signs in, and as what
    export = "export"
    # on a ticket
    reply = "reply"
    note = "note"
    change = "change"
    assign = "assign"
    merge = "merge"
    promise = "promise"
    spam = "spam"
    block = "block"
    call = "call"
    acknowledge = "acknowledge"
    draft = "draft"
    # beside tickets
    new_ticket = "new_ticket"
    presence = "presence"
    own_account = "own_account"
    own_drafts = "own_drafts"  # to go on with what one was writing, whoever has the ticket now
    merge_across = "merge_across"  # with a ticket of other teams
    replay = "replay"
    retry = "retry"
    administer = "administer"


class Who(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks. name: of the rules, of an admin or an auditor; session: whose it is, by its keyed hash ("" = none).

    sees_all: agents see every team's tickets (`desk.agents_see: all`). A visitor is known by the chat session alone.
    """

    kind: Literal["nobody", "agent", "visitor"] = "nobody"
    name: str = ""
    role: Role = "agent"
    teams: frozenset[str] = frozenset()
    session: str = ""
    sees_all: bool = False


NOBODY = Who()


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What it is about. team, agent: of the ticket, None = it has none; session: of the chat, "" = it is not about one.

    into: of the ticket that it is merged into, None = it is not.
    """

    team: str | None = None
    agent: str | None = None
    ref: str = ""
    session: str = ""
    into: "Subject | None" = None


OPEN = frozenset({Action.look_at_health, Action.load_asset, Action.sign_in, Action.open_form})
# Whose proof is not a session; the route's handler checks it (intake.web.routes).
PROVEN = frozenset({Action.follow_link, Action.take_hook, Action.chat})

_SEEING = frozenset({Action.see_ticket, Action.see_file, Action.see_customer})
_ON_TICKET = frozenset(
    {
        Action.reply, Action.note, Action.change, Action.assign, Action.merge, Action.promise, Action.spam,
        Action.block, Action.call, Action.acknowledge, Action.draft,
    }
)  # fmt: skip
# Asked without a ticket they are refused.
OF_TICKET = _SEEING | _ON_TICKET

_EVERYBODY = frozenset({Action.see_desk, Action.see_rules, Action.own_account})
_AGENT = _EVERYBODY | _SEEING | _ON_TICKET | {Action.new_ticket, Action.presence, Action.own_drafts}
_LEAD = _AGENT | {Action.see_operations, Action.export, Action.merge_across, Action.replay, Action.retry}
_ROLES: dict[str, frozenset[Action]] = {
    "agent": _AGENT,
    "lead": _LEAD,
    "admin": _LEAD | {Action.administer, Action.see_access},
    "auditor": _EVERYBODY | _SEEING | {Action.see_operations, Action.see_access, Action.export},
}


def may(who: Who, action: Action, subject: Subject | None = None) -> bool:
    """Whether they may do it. subject: None = it is about no one thing."""
    if action in OPEN:
        return True
    if who.kind == "visitor":
        is_theirs = subject is not None and subject.session == who.session != ""
        return action is Action.chat and is_theirs
    if who.kind != "agent" or not who.name or action not in _ROLES.get(who.role, frozenset()):
        return False
    if subject is None:
        return action not in OF_TICKET
    return _reaches(who, subject)


def _reaches(who: Who, subject: Subject) -> bool:
    """Whether a ticket is theirs to see: of their team, their own, or nobody's yet."""
    if who.role in ("admin", "auditor") or who.sees_all:
        return True
    is_own = subject.agent is not None and subject.agent == who.name
    return is_own or subject.team is None or subject.team in who.teams
