"""What a ticket was armed with: policy, ladder and calendar as they were that day, kept by hash.

A reload never changes a running clock; only a person or an action does.
"""

import hashlib
from functools import lru_cache

import msgspec
from sqlalchemy import bindparam, select

from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement, upsert
from routing.calendar import Calendar
from routing.ladder import Ladder
from routing.rulebook import Rulebook
from routing.sla import Policy

_encode = msgspec.json.Encoder(order="deterministic").encode
_SOURCE = Statement(select(schema.armaments.c.source).where(schema.armaments.c.hash == bindparam("hash")))
_KEEP = Statement(
    upsert(schema.armaments)
    .values(hash=bindparam("hash"), source=bindparam("source"), created_at=bindparam("now"))
    .on_conflict_do_nothing(index_elements=[schema.armaments.c.hash])
)


class Armament(msgspec.Struct, frozen=True):
    """source: the JSON whose SHA-256 is the hash."""

    hash: str
    source: str
    policy: Policy
    ladder: Ladder | None
    calendar: Calendar


def of_rulebook(rulebook: Rulebook) -> dict[str, Armament]:
    """Return policy name -> what a ticket gets when it is armed with it now."""
    return {name: _armament(rulebook, policy) for name, policy in rulebook.policies.items()}


def keep(tx: Tx, armaments: dict[str, Armament]) -> None:
    for armament in armaments.values():
        _known[armament.hash] = armament  # a ticket that is armed with it need not look it up
        tx.run(_KEEP, hash=armament.hash, source=armament.source, now=tx.now)


def load(tx: Tx, digest: str) -> Armament:
    """Return the armament of a hash that a ticket names. Raises: LookupError when the store does not have it."""
    known = _known.get(digest)
    if known is None:
        row = tx.one(_SOURCE, hash=digest)
        if row is None:
            raise LookupError(f"the store has no armament {digest}")
        known = _known[digest] = _from_source(row[0])
    return known


_known: dict[str, Armament] = {}  # a handful for each rulebook that was ever loaded


def _armament(rulebook: Rulebook, policy: Policy) -> Armament:
    ladder = rulebook.ladders[policy.ladder] if policy.ladder else None
    source = _encode(
        {
            "policy": policy.to_json(),
            "ladder": ladder.to_json() if ladder else None,
            "calendar": rulebook.calendars[policy.calendar].to_json(),
        }
    ).decode()
    return _from_source(source)


@lru_cache(maxsize=256)
def _from_source(source: str) -> Armament:
    parts = msgspec.json.decode(source)
    return Armament(
        hashlib.sha256(source.encode()).hexdigest(),
        source,
        Policy.from_json(parts["policy"]),
        Ladder.from_json(parts["ladder"]) if parts["ladder"] else None,
        Calendar.from_json(parts["calendar"]),
    )
