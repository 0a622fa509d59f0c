"""Who rings, or speaks: an agent is held by one call at a time, so that no phone rings for two.

Holds are claimed in the transaction of the turn that rings (intake.sessions), and end by themselves: a call that is
lost leaves nobody busy for longer than it asked for.
"""

from collections.abc import Sequence

import msgspec
from sqlalchemy import bindparam, select

from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement, upsert, values_of

_encode = msgspec.json.Encoder().encode
_h = schema.holds.c
_OF_OTHERS = Statement(
    select(_h.agent).where(_h.session != bindparam("session"), _h.until_at > bindparam("now"))
)
_CLAIM = Statement(
    upsert(schema.holds)
    .values({name: bindparam(name) for name in ("agent", "session", "since_at", "until_at")})
    .on_conflict_do_update(
        index_elements=[_h.agent],
        set_={
            "session": bindparam("session"),
            "since_at": bindparam("since_at"),
            "until_at": bindparam("until_at"),
        },
        where=(_h.session == bindparam("session")) | (_h.until_at <= bindparam("since_at")),
    )
)
_KEEP_ON = Statement(
    schema.holds.update()
    .where(_h.agent == bindparam("of_agent"), _h.session == bindparam("of_session"))
    .values(until_at=bindparam("until_at"))
)
_LET_GO = Statement(
    schema.holds.delete().where(_h.session == bindparam("session"), _h.agent.not_in(values_of("agents")))
)


def of_others(tx: Tx, session: str) -> frozenset[str]:
    """Return who is held by another session at this moment."""
    return frozenset(row[0] for row in tx.all(_OF_OTHERS, session=session, now=tx.now))


def claim(tx: Tx, session: str, agents: Sequence[str], *, hold_s: float) -> frozenset[str]:
    """Hold these agents and nobody else from now on; who of them another session holds: then the write must not stand."""
    until_at = tx.now + round(hold_s * 1_000_000)
    taken = set()
    for agent in sorted(set(agents)):
        tx.lock("agent", agent)
        is_kept_on = tx.run(_KEEP_ON, of_agent=agent, of_session=session, until_at=until_at)
        if not is_kept_on and not tx.run(
            _CLAIM, agent=agent, session=session, since_at=tx.now, until_at=until_at
        ):
            taken.add(agent)
    return frozenset(taken)


def let_go(tx: Tx, session: str, *, but: Sequence[str] = ()) -> None:
    """Free whoever a session holds, but some."""
    tx.run(_LET_GO, session=session, agents=_encode(sorted(but)).decode())
