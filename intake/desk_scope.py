"""Which tickets somebody may see, as SQL: the same line that intake.web.access draws, for lists and searches."""

from typing import Any

import msgspec
from sqlalchemy import and_, bindparam, cast, or_
from sqlalchemy.types import BigInteger, Text

from intake.store import schema
from intake.store.statements import values_of
from intake.web.access import Action, Who, may

_t = schema.tickets.c
_encode = msgspec.json.Encoder().encode


class Scope(msgspec.Struct, frozen=True):
    """What somebody sees. is_all: every ticket; teams: theirs, in order; agent: "" = it is nobody's.

    is_none: nothing at all, not even what is nobody's.
    """

    agent: str = ""
    teams: tuple[str, ...] = ()
    is_all: bool = False
    is_none: bool = False

    @property
    def parameters(self) -> dict[str, Any]:
        """What `is_seen` is asked with."""
        return {
            "sees_all": int(self.is_all),
            "sees_any": int(not self.is_none),
            "seen_by": self.agent,
            "seen_teams": _encode(self.teams).decode(),
        }


NOTHING = Scope(is_none=True)
EVERYTHING = Scope(is_all=True)


def scope_of(who: Who) -> Scope:
    """Return what somebody sees of the desk."""
    if not may(who, Action.see_desk):
        return NOTHING
    is_all = who.sees_all or who.role in ("admin", "auditor")
    return Scope(who.name, tuple(sorted(who.teams)), is_all=is_all)


is_seen = and_(
    cast(bindparam("sees_any"), BigInteger()) == 1,
    or_(
        cast(bindparam("sees_all"), BigInteger()) == 1,
        _t.team.is_(None),
        _t.agent == cast(bindparam("seen_by"), Text()),
        _t.team.in_(values_of("seen_teams")),
    ),
)
"""A ticket's row is somebody's to see; the parameters are Scope.parameters."""
