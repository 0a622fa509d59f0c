"""Notices told in agents' browsers at once, beside the mail that tells them (RFC 8030, 8291, 8292).

A browser that an agent asks to be told in hands over an address of its maker and a key; what is sent there is sealed to
that key, and says which ticket and why, never what the customer wrote. Told is what the built-in notices and the rules
tell by mail; nobody is told of what they did themselves, nor outside their hours. Beside a mail that is kept and retried a
push is an attempt: one that does not get through is not tried for long. A browser that its maker does not know any more is
forgotten; one whose sign-in has ended is told nothing. Needs the extra `push`.
"""

import base64
import binascii
import importlib.util
from typing import Any

import msgspec
from sqlalchemy import bindparam, delete, select

from intake import silent_hours, web_sessions
from intake.model import Context, Ticket
from intake.notice_page import Notice
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement, upsert

SIGNAL = "push"
BROWSERS_MAX = 10  # of one agent
FAILURES_MAX = 20
ENDPOINT_MAX_CHARACTERS = 1_000
POINT_BYTES, AUTH_BYTES = 65, 16  # RFC 8291 §3.1 and §3.2: an uncompressed point of P-256, and a secret

_b = schema.push_browsers.c
_KEEP = Statement(
    upsert(schema.push_browsers)
    .values(
        {
            name: bindparam(name)
            for name in ("id", "agent", "endpoint", "p256dh", "auth", "session", "name", "created_at")
        }
    )
    .on_conflict_do_update(
        index_elements=[_b.endpoint],
        set_={
            "agent": bindparam("agent"),
            "p256dh": bindparam("p256dh"),
            "auth": bindparam("auth"),
            "session": bindparam("session"),
            "failures": 0,
        },
    )
)
_OF_AGENT = Statement(
    select(
        _b.id, _b.endpoint, _b.p256dh, _b.auth, _b.session, _b.name, _b.failures, _b.created_at, _b.told_at
    )
    .where(_b.agent == bindparam("agent"))
    .order_by(_b.id.desc())
)
_ANY = Statement(select(_b.id).where(_b.agent == bindparam("agent")).limit(1))
_DROP = Statement(delete(schema.push_browsers).where(_b.id == bindparam("id")))
_DROP_OF = Statement(
    delete(schema.push_browsers).where(_b.agent == bindparam("agent"), _b.endpoint == bindparam("endpoint"))
)
_FAILED = Statement(
    schema.push_browsers.update().where(_b.id == bindparam("of_id")).values(failures=_b.failures + 1)
)
_TOLD = Statement(
    schema.push_browsers.update()
    .where(_b.id == bindparam("of_id"))
    .values(failures=0, told_at=bindparam("now"))
)


class NoBrowser(ValueError):
    """What a browser has handed over cannot be told: one sentence."""


class Browser(msgspec.Struct, frozen=True):
    """A browser that is told. session: the sign-in that it was asked in, by its keyed hash."""

    id: int
    endpoint: str
    p256dh: str
    auth: str
    session: str
    name: str
    failures: int
    created_at: int
    told_at: int | None


class Push(msgspec.Struct, frozen=True, kw_only=True):
    """What is told. tag: a later one of the same tag takes its place on the screen."""

    agent: str
    title: str
    body: str
    path: str
    tag: str


def is_installed() -> bool:
    """Whether what seals them is there: the extra `push`."""
    return all(importlib.util.find_spec(each) is not None for each in ("pywebpush", "py_vapid"))


def subscribe(tx: Tx, agent: str, subscription: dict[str, Any], *, session: str, name: str) -> None:
    """Tell an agent in a browser from now on. subscription: as browsers hand it over. Raises: NoBrowser."""
    endpoint, p256dh, auth = checked(subscription)
    for each in browsers(tx, agent):
        if each.session and web_sessions.find(tx, each.session) is None:
            forget(tx, each)  # its sign-in is over: it is told nothing, and takes no place
    tx.run(
        _KEEP,
        id=tx.new_id(),
        agent=agent,
        endpoint=endpoint,
        p256dh=p256dh,
        auth=auth,
        session=session,
        name=name[:100],
        created_at=tx.now,
    )
    for old in browsers(tx, agent)[BROWSERS_MAX:]:
        forget(tx, old)


def checked(subscription: dict[str, Any]) -> tuple[str, str, str]:
    """Return what a browser is told by: its maker's address, its key and its secret. Raises: NoBrowser."""
    endpoint, keys = subscription.get("endpoint"), subscription.get("keys")
    point, auth = (keys.get("p256dh"), keys.get("auth")) if isinstance(keys, dict) else (None, None)
    if not (isinstance(endpoint, str) and isinstance(point, str) and isinstance(auth, str)):
        raise NoBrowser("the browser has handed over nothing that it could be told by")
    if len(endpoint) > ENDPOINT_MAX_CHARACTERS or not endpoint.startswith("https://"):
        raise NoBrowser("the browser's address is not one that could be asked")
    if len(_decoded(point)) != POINT_BYTES or len(_decoded(auth)) != AUTH_BYTES:
        raise NoBrowser("the browser's key is none that anything could be sealed to")
    return endpoint, point, auth


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""


def is_told(tx: Tx, agent: str, endpoint: str) -> bool:
    """Whether an agent is told in that browser now: it is known, theirs, and its sign-in holds."""
    return any(each.endpoint == endpoint for each in alive(tx, agent))


def alive(tx: Tx, agent: str) -> list[Browser]:
    """Return the browsers of an agent whose sign-in holds."""
    return [each for each in browsers(tx, agent) if not each.session or web_sessions.find(tx, each.session)]


def unsubscribe(tx: Tx, agent: str, endpoint: str) -> bool:
    """Tell them in that browser no more; false = they were not told there."""
    return bool(tx.run(_DROP_OF, agent=agent, endpoint=endpoint))


def browsers(tx: Tx, agent: str) -> list[Browser]:
    """Return where an agent is told, the last one first."""
    return [Browser(*row) for row in tx.all(_OF_AGENT, agent=agent)]


def tell(tx: Tx, context: Context, ticket: Ticket, notice: Notice, agent: str) -> None:
    """Have an agent told of a notice once this is committed, if they want that, are there, and did not cause it."""
    if not agent or is_own(notice, agent) or silent_hours.until_us(tx, context, agent) is not None:
        return
    if tx.one(_ANY, agent=agent) is None:
        return
    push = Push(
        agent=agent,
        title=f"{ticket.ref} {notice.kind.partition(':')[0].replace('_', ' ')}",
        body=notice.headline[:200],
        path=f"/tickets/{ticket.ref}",
        tag=ticket.ref,
    )
    tx.signal(SIGNAL, [push])


def is_own(notice: Notice, agent: str) -> bool:
    """Whether the agent caused it: by what they did at the desk."""
    return notice.cause.startswith((f"desk:{agent}:", f"agent:{agent}:"))


def forget(tx: Tx, browser: Browser) -> None:
    """Tell nobody in that browser any more."""
    tx.run(_DROP, id=browser.id)


def note_told(tx: Tx, browser: Browser) -> None:
    tx.run(_TOLD, of_id=browser.id, now=tx.now)


def note_failure(tx: Tx, browser: Browser) -> None:
    """Count what did not get through; a browser that has not been reached for long is forgotten."""
    tx.run(_FAILED, of_id=browser.id)
    if browser.failures + 1 >= FAILURES_MAX:
        forget(tx, browser)
