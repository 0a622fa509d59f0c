"""The rules in force as a row, where several daemons share a store: who changes its files puts them into force for all.

Only on PostgreSQL. A daemon publishes its files only when they changed since it last did, so that one that is started
with old files does not bring old rules back. A daemon without a history here (a new container) publishes what nobody
has published before, and otherwise follows.
"""

import hashlib
import socket
from pathlib import Path

import msgspec
from sqlalchemy import bindparam, func, select

from intake.rule_files import Sources
from intake.store import schema
from intake.store.engine import Store, Tx
from intake.store.statements import Statement, upsert

ENGINE = "postgresql"
_NAME = "rules"

_a = schema.active_rules.c
_p = schema.publications.c
_DIGEST = Statement(select(_a.digest).where(_a.name == _NAME))
_ACTIVE = Statement(select(_a.digest, _a.sources, _a.publisher).where(_a.name == _NAME))
_LAST = Statement(
    select(_p.digest).where(_p.publisher == bindparam("by")).order_by(_p.published_at.desc()).limit(1)
)
_LATEST = Statement(select(func.max(_p.published_at)).where(_p.publisher == bindparam("by")))
_EVER = Statement(select(_p.digest).where(_p.digest == bindparam("of")).limit(1))
_PUBLISH = Statement(
    upsert(schema.active_rules)
    .values(
        name=_NAME,
        digest=bindparam("digest"),
        sources=bindparam("sources"),
        publisher=bindparam("publisher"),
        published_at=bindparam("now"),
    )
    .on_conflict_do_update(
        index_elements=[_a.name],
        set_={
            "digest": bindparam("digest"),
            "sources": bindparam("sources"),
            "publisher": bindparam("publisher"),
            "published_at": bindparam("now"),
        },
    )
)
_NOTE = Statement(
    upsert(schema.publications)
    .values(publisher=bindparam("publisher"), digest=bindparam("digest"), published_at=bindparam("now"))
    .on_conflict_do_update(index_elements=[_p.publisher, _p.digest], set_={"published_at": bindparam("now")})
)


class Edition(msgspec.Struct, frozen=True):
    """Rules as one daemon has published them. digest: of the sources, hex."""

    digest: str
    sources: Sources
    publisher: str


class _Kept(msgspec.Struct, frozen=True):
    """What of the sources means something on another machine; replies: (name, language, template)."""

    files: dict[str, str]
    lists: dict[str, tuple[str, ...]]
    replies: tuple[tuple[str, str, str], ...]
    calendars: dict[str, str] = {}


def is_used(store: Store) -> bool:
    """Whether other daemons can be at work on the same store."""
    return store.engine == ENGINE


def publisher(rules_path: Path) -> str:
    """The name of a daemon: its machine and its rules."""
    return f"{socket.gethostname()}:{rules_path.resolve()}"


def digest(sources: Sources) -> str:
    """What tells two states of the files apart: rules, lists, calendars and reply templates."""
    return hashlib.sha256(_text(sources).encode()).hexdigest()


def publish(tx: Tx, sources: Sources, *, by: str) -> bool:
    """Put the files of a daemon into force for all, if they changed since it last did; false = others' stay in force.

    The caller has found them good.
    """
    of = digest(sources)
    active = tx.one(_DIGEST)
    if active is not None and active[0] != of and not _is_new(tx, of, by):
        return False
    if active is None or active[0] != of:
        tx.run(_PUBLISH, digest=of, sources=_text(sources), publisher=by, now=tx.now)
    latest = tx.one(_LATEST, by=by)
    after = latest[0] + 1 if latest is not None and latest[0] is not None else 0
    tx.run(
        _NOTE, publisher=by, digest=of, now=max(tx.now, after)
    )  # in order, even where the clock was set back
    return True


def instead(tx: Tx, sources: Sources, *, by: str) -> Edition | None:
    """What is in force instead of a daemon's own files; None = its own are, or are to be published."""
    of = digest(sources)
    active = tx.one(_DIGEST)
    if active is None or active[0] == of or _is_new(tx, of, by):
        return None
    return edition(tx)


def active_digest(tx: Tx) -> str | None:
    """What is in force for all; None = nobody has published."""
    row = tx.one(_DIGEST)
    return None if row is None else str(row[0])


def edition(tx: Tx) -> Edition | None:
    """The rules in force for all, with their texts."""
    row = tx.one(_ACTIVE)
    if row is None:
        return None
    kept = msgspec.json.decode(row[1], type=_Kept)
    replies = {(name, language): text for name, language, text in kept.replies}
    return Edition(row[0], Sources(kept.files, kept.lists, replies, calendars=kept.calendars), row[2])


def _is_new(tx: Tx, of: str, by: str) -> bool:
    """Whether a daemon's files changed since it last published; a daemon that never did: whether anybody had them."""
    last = tx.one(_LAST, by=by)
    if last is not None:
        return bool(last[0] != of)
    return tx.one(_EVER, of=of) is None


def _text(sources: Sources) -> str:
    replies = sorted((name, language, text) for (name, language), text in sources.replies.items())
    kept = _Kept(sources.files, sources.lists, tuple(replies), sources.calendars)
    return msgspec.json.encode(kept, order="sorted").decode()
