"""Sessions of the desk: a random token in a cookie, known here by its keyed hash; ended by time, by hand, or with its owner.

A session ends IDLE after its last request and at latest LIFETIME after its start; whoever is disabled, changes role or
leaves the rules is out with the next request. Tokens have 256 random bits. OWASP ASVS 5.0 rows 7.2.1 to 7.4.5 (2026-11).
"""

import secrets
from typing import Literal

import msgspec
from sqlalchemy import bindparam, delete, func, select, update

from intake import events
from intake.keys import Keys
from intake.model import Context
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from intake.web.access import NOBODY, Role, Who

# full; second_factor: a code is still to come; enrolment: a second factor is to be set up before anything else.
Stage = Literal["full", "second_factor", "enrolment"]

SIGNAL = "web_sessions"
TOKEN_BYTES = 32
TOUCH_US = 60 * 1_000_000  # how exactly the last request is known
HALF_WAY_US = 10 * 60 * 1_000_000  # time for the second factor
KEPT_US = 30 * 86_400 * 1_000_000  # how long ended ones can be looked up
BROWSER_MAX = 200

_w = schema.web_sessions.c
_c = schema.credentials.c
_FIND = Statement(
    select(
        _w.id, _w.token, _w.name, _w.stage, _w.created_at, _w.seen_at, _w.expires_at, _w.ended_at,
        _c.role, _c.disabled_at, _w.browser, _w.client,
    )
    .join(schema.credentials, _c.name == _w.name)
    .where(_w.token == bindparam("of_token"))
)  # fmt: skip
_OF_NAME = Statement(
    select(_w.id, _w.token, _w.stage, _w.browser, _w.client, _w.created_at, _w.seen_at, _w.expires_at)
    .where(_w.name == bindparam("of_name"), _w.ended_at.is_(None), _w.expires_at > bindparam("now"))
    .order_by(_w.seen_at.desc())
)
_TOUCH = Statement(
    update(schema.web_sessions)
    .where(_w.token == bindparam("of_token"), _w.ended_at.is_(None), _w.seen_at < bindparam("before"))
    .values(seen_at=bindparam("now"), expires_at=bindparam("until"))
)
_END = Statement(
    update(schema.web_sessions)
    .where(_w.id == bindparam("of_id"), _w.name == bindparam("of_name"), _w.ended_at.is_(None))
    .values(ended_at=bindparam("now"), ended_by=bindparam("by"))
)
_END_ALL = Statement(
    update(schema.web_sessions)
    .where(_w.name == bindparam("of_name"), _w.token != bindparam("but"), _w.ended_at.is_(None))
    .values(ended_at=bindparam("now"), ended_by=bindparam("by"))
)
_COUNTS = Statement(
    select(_w.name, func.count())
    .where(_w.ended_at.is_(None), _w.expires_at > bindparam("now"))
    .group_by(_w.name)
)
_FORGET = Statement(
    delete(schema.web_sessions).where(
        _w.id.in_(select(_w.id).where(_w.expires_at < bindparam("before")).limit(bindparam("most")))
    )
)


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """How long sessions last, microseconds. idle_us: after the last request; lifetime_us: in all."""

    idle_us: int
    lifetime_us: int


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One session. token: its keyed hash; instants: microseconds UTC."""

    id: int
    token: str
    name: str
    role: Role
    stage: Stage
    browser: str
    client: str
    created_at: int
    seen_at: int
    expires_at: int


def new_token() -> str:
    """Make what the cookie holds: 256 random bits."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hashed(keys: Keys, token: str) -> str:
    """Return the keyed hash by which the store knows a token."""
    return keys.fingerprint(f"web session:{token}")


def start(
    tx: Tx,
    keys: Keys,
    *,
    token: str,
    name: str,
    stage: Stage,
    times: Times,
    browser: str = "",
    client: str = "",
) -> Session:
    """Begin a session. token: new_token(), made outside, for a write may run more than once."""
    length_us = times.idle_us if stage == "full" else HALF_WAY_US
    expires_at = tx.now + min(length_us, times.lifetime_us)
    session_id, known_by = tx.new_id(), hashed(keys, token)
    tx.insert(
        schema.web_sessions,
        id=session_id,
        token=known_by,
        name=name,
        stage=stage,
        browser=browser[:BROWSER_MAX],
        client=client,
        created_at=tx.now,
        seen_at=tx.now,
        expires_at=expires_at,
    )
    found = find(tx, known_by)
    assert found is not None  # noqa: S101 - it was written just now
    return found


def find(tx: Tx, token_hash: str) -> Session | None:
    """Return a session that holds; None = there is none, or it has ended, or its owner may not sign in any more."""
    row = tx.one(_FIND, of_token=token_hash)
    if row is None or row[7] is not None or row[9] is not None or row[6] <= tx.now:
        return None
    return Session(
        id=row[0], token=row[1], name=row[2], stage=row[3], created_at=row[4], seen_at=row[5],
        expires_at=row[6], role=row[8], browser=row[10], client=row[11],
    )  # fmt: skip


def touch(tx: Tx, session: Session, times: Times) -> None:
    """Note a request: the session goes on from now, up to its whole length."""
    until = min(tx.now + times.idle_us, session.created_at + times.lifetime_us)
    tx.run(_TOUCH, of_token=session.token, before=tx.now - TOUCH_US, now=tx.now, until=until)


def is_to_be_touched(session: Session, now_us: int) -> bool:
    return session.stage == "full" and session.seen_at < now_us - TOUCH_US


def end(tx: Tx, session_id: int, *, name: str, by: str) -> bool:
    """End one session of somebody; false = it had ended, or is not theirs. by: who says it, an event's actor."""
    if not tx.run(_END, of_id=session_id, of_name=name, now=tx.now, by=by):
        return False
    events.record(tx, "session_ended", actor=by, agent=name, session=str(session_id))
    tx.signal(SIGNAL, [name])
    return True


def end_all(tx: Tx, name: str, *, by: str, but: str = "") -> int:
    """End every session of somebody. but: the hash of the one that goes on; how many ended."""
    count = tx.run(_END_ALL, of_name=name, but=but, now=tx.now, by=by)
    if count:
        events.record(tx, "sessions_ended", actor=by, agent=name, count=count)
        tx.signal(SIGNAL, [name])
    return count


def of_name(tx: Tx, name: str, role: Role) -> list[Session]:
    """Return the sessions of somebody that go on, the one used last first."""
    return [
        Session(
            id=row[0], token=row[1], name=name, role=role, stage=row[2], browser=row[3], client=row[4],
            created_at=row[5], seen_at=row[6], expires_at=row[7],
        )
        for row in tx.all(_OF_NAME, of_name=name, now=tx.now)
    ]  # fmt: skip


def counts(tx: Tx) -> dict[str, int]:
    """Return how many sessions of each name go on."""
    return dict(tx.all(_COUNTS, now=tx.now))


def forget_old(tx: Tx, *, most: int = 500) -> int:
    """Remove sessions that ended long ago, at most so many; how many went."""
    return tx.run(_FORGET, before=tx.now - KEPT_US, most=most)


def who(context: Context, session: Session | None, *, sees_all: bool) -> Who:
    """Return who somebody with this session is at this moment; an agent that the rules no longer name is nobody."""
    if session is None:
        return NOBODY
    is_in_rules = session.name in context.rulebook.agents
    if session.role in ("agent", "lead") and not is_in_rules:
        return NOBODY
    return Who(
        kind="agent",
        name=session.name,
        role=session.role,
        teams=teams_of(context, session.name),
        session=session.token,
        sees_all=sees_all,
    )


def teams_of(context: Context, name: str) -> frozenset[str]:
    """Return the teams that the rules put somebody in."""
    found = context.rulebook.teams.items()
    return frozenset(team for team, each in found if any(name in names for names in each.levels.values()))
