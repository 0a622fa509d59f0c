"""Links of calendars that are subscribed to: /oncall/agent.rui.0.<signature>.ics shows whose shifts it is about.

Whoever has the link sees them, nothing else; the signature ends with its key, or when the link is renewed.
"""

import re

import msgspec
from sqlalchemy import bindparam, select

from intake import credentials
from intake.keys import Keys
from intake.model import Context
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement, upsert

KINDS = ("agent", "schedule")
PURPOSE = "oncall feed"
PATH = "/oncall"

_f = schema.feed_links.c
_VERSION = Statement(select(_f.version).where(_f.name == bindparam("name")))
_RENEW = Statement(
    upsert(schema.feed_links)
    .values(name=bindparam("name"), version=1)
    .on_conflict_do_update(index_elements=[_f.name], set_={"version": _f.version + 1})
)
_TOKEN = re.compile(r"(agent|schedule)\.([A-Za-z0-9][A-Za-z0-9_.-]{0,63})\.(\d{1,9})\.([a-z0-9]{27,28})")


class Feed(msgspec.Struct, frozen=True):
    """Whose shifts a link shows. kind: "agent" or "schedule"."""

    kind: str
    name: str


def url(tx: Tx, context: Context, kind: str, name: str) -> str | None:
    """Return the link that is good now; None when the configuration does not say how we are reached."""
    if not context.public_url:
        return None
    return f"{context.public_url}{path(tx, context.keys, kind, name)}"


def path(tx: Tx, keys: Keys, kind: str, name: str) -> str:
    version = str(_version(tx, kind, name))
    return f"{PATH}/{kind}.{name}.{version}.{keys.sign(PURPOSE, kind, name, version)}.ics"


def renew(tx: Tx, kind: str, name: str) -> None:
    """End every link to this calendar; the next one is another."""
    tx.run(_RENEW, name=f"{kind}:{name}")


def signed(keys: Keys, token: str) -> tuple[Feed, int] | None:
    """Return what a token of ours stands for, and its version; None = we did not make it. Looks at no store."""
    found = _TOKEN.fullmatch(token)
    if found is None or not keys.verify(PURPOSE, found[4], found[1], found[2], found[3]):
        return None
    return Feed(found[1], found[2]), int(found[3])


def is_good(tx: Tx, feed: Feed, version: int) -> bool:
    """Whether a link has not been renewed since; that of somebody who was disabled shows nothing any more."""
    known = credentials.find(tx, feed.name) if feed.kind == "agent" else None
    if known is not None and known.disabled_at is not None:
        return False
    return _version(tx, feed.kind, feed.name) == version


def _version(tx: Tx, kind: str, name: str) -> int:
    row = tx.one(_VERSION, name=f"{kind}:{name}")
    return 0 if row is None else row[0]
