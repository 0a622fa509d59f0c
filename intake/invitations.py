"""One-time links by which somebody chooses a password: an invitation, a reset, and the first admin of a new house.

A link has 256 random bits and is known here by its keyed hash; it ends by itself, with its use, and with the next one for
the same name. A reset takes no second factor away. OWASP ASVS 5.0 rows 6.4.1, 6.4.3 and 6.4.6 (2026-11).
"""

import secrets

import msgspec
from sqlalchemy import bindparam, select, update

from intake import credentials, events
from intake.credentials import CredentialError
from intake.keys import Keys
from intake.model import Context
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from intake.web.access import Role

PATH = "/welcome"
FIRST = ""  # the name of whoever makes the first admin
HOUR_US = 3_600 * 1_000_000

_i = schema.invitations.c
_FIND = Statement(
    select(_i.token, _i.name, _i.role, _i.expires_at, _i.used_at).where(_i.token == bindparam("of_token"))
)
_END = Statement(
    update(schema.invitations)
    .where(_i.name == bindparam("of_name"), _i.used_at.is_(None))
    .values(used_at=bindparam("now"))
)
_USE = Statement(
    update(schema.invitations)
    .where(_i.token == bindparam("of_token"), _i.used_at.is_(None), _i.expires_at > bindparam("now"))
    .values(used_at=bindparam("now"))
)


class Invitation(msgspec.Struct, frozen=True):
    """A link that is good. name: FIRST = whoever opens it says who they are."""

    token: str
    name: str
    role: Role
    expires_at: int


def new_token() -> str:
    """Make what a link ends with: 256 random bits."""
    return secrets.token_urlsafe(32)


def make(tx: Tx, keys: Keys, *, token: str, name: str, role: Role, hours: float, by: str) -> None:
    """Make a link; an older one for the same name ends. token: new_token(), made outside."""
    tx.run(_END, of_name=name, now=tx.now)
    tx.insert(
        schema.invitations,
        token=_hashed(keys, token),
        name=name,
        role=role,
        made_by=by,
        made_at=tx.now,
        expires_at=tx.now + int(hours * HOUR_US),
    )
    if name != FIRST:
        events.record(tx, "invited", actor=by, agent=name, role=role)


def invite(
    tx: Tx, context: Context, name: str, role: Role | None, *, token: str, hours: float, by: str
) -> Role:
    """Let somebody in, or let them choose a new password, by a link. role: None = the one they have.

    The role they have then. Raises: CredentialError.
    """
    known = credentials.find(tx, name)
    if known is None and role is None:
        role = "agent"
    if role is not None:
        credentials.add(tx, context, name, role, by=by)
    known = credentials.find(tx, name)
    if known is None or known.disabled_at is not None:
        raise CredentialError(f"{name} is disabled: enable them first")
    make(tx, context.keys, token=token, name=name, role=known.role, hours=hours, by=by)
    return known.role


def find(tx: Tx, keys: Keys, token: str) -> Invitation | None:
    """Return a link's invitation while it is good."""
    row = tx.one(_FIND, of_token=_hashed(keys, token))
    if row is None or row[4] is not None or row[3] <= tx.now:
        return None
    if row[1] == FIRST and credentials.is_any_admin(tx):
        return None
    return Invitation(row[0], row[1], row[2], row[3])


def accept(tx: Tx, context: Context, invitation: Invitation, *, name: str, password_hash: str) -> None:
    """Keep the password somebody chose; the link is used up. name: who they say they are, where the link does not.

    Raises: CredentialError.
    """
    tx.lock("agent", "credentials")
    if not tx.run(_USE, of_token=invitation.token, now=tx.now):
        raise CredentialError("This link has been used, or has run out: ask for another.")
    name = invitation.name or name
    actor = f"agent:{name}"
    if invitation.name == FIRST:
        if credentials.is_any_admin(tx):
            raise CredentialError("There is an admin by now: ask them for an invitation.")
        credentials.add(tx, context, name, "admin", by=actor)
        known = credentials.find(tx, name)
        if known is not None and known.disabled_at is not None:
            raise CredentialError(f"{name} is disabled: choose another name, or intake agents enable {name}")
    credentials.set_password(tx, name, password_hash, by=actor)


def path(token: str) -> str:
    return f"{PATH}/{token}"


def _hashed(keys: Keys, token: str) -> str:
    return keys.fingerprint(f"invitation:{token}")
