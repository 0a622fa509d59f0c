"""Who may sign in, and as what. An agent or a lead is one that the rules name; an admin or an auditor may be anybody.

There is always an admin who can sign in: the last one is neither taken the role nor the door.
"""

from typing import Literal

import msgspec
from sqlalchemy import bindparam, func, select, update

from intake import events, web_sessions
from intake.model import Context
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement, upsert
from intake.web.access import ROLES, Role

_NAME_MAX = 64
_c = schema.credentials.c
_COLUMNS = (
    _c.name, _c.role, _c.password, _c.totp_salt, _c.totp_pending, _c.totp_step, _c.disabled_at, _c.signed_in_at, _c.created_at,
)  # fmt: skip
_FIND = Statement(select(*_COLUMNS).where(_c.name == bindparam("of_name")))
_ALL = Statement(select(*_COLUMNS).order_by(_c.name))
_ADD = Statement(
    upsert(schema.credentials)
    .values(name=bindparam("name"), role=bindparam("role"), created_at=bindparam("now"))
    .on_conflict_do_nothing(index_elements=[_c.name])
)
_i = schema.invitations.c
_END_LINKS = Statement(
    update(schema.invitations)
    .where(_i.name == bindparam("of_name"), _i.used_at.is_(None))
    .values(used_at=bindparam("now"))
)
_OTHER_ADMINS = Statement(
    select(func.count()).where(
        _c.role == "admin",
        _c.disabled_at.is_(None),
        _c.password.is_not(None),
        _c.name != bindparam("of_name"),
    )
)


class CredentialError(Exception):
    """It cannot be so; the text says why and what to do."""


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """One who may sign in. password: the hash, None = not chosen yet; instants: microseconds UTC."""

    name: str
    role: Role
    password: str | None
    totp_salt: str | None
    totp_pending: str | None
    totp_step: int
    disabled_at: int | None
    signed_in_at: int | None
    created_at: int

    @property
    def has_second_factor(self) -> bool:
        return self.totp_salt is not None

    @property
    def state(self) -> Literal["disabled", "invited", "active"]:
        return "disabled" if self.disabled_at is not None else "active" if self.password else "invited"


def find(tx: Tx, name: str) -> Credential | None:
    row = tx.one(_FIND, of_name=name)
    return None if row is None else Credential(**dict(zip(Credential.__struct_fields__, row, strict=True)))


def everybody(tx: Tx) -> list[Credential]:
    """Return all who may sign in, by name."""
    names = Credential.__struct_fields__
    return [Credential(**dict(zip(names, row, strict=True))) for row in tx.all(_ALL)]


def is_any_admin(tx: Tx, *, but: str = "") -> bool:
    """Whether an admin can sign in. but: another than this one."""
    return int((tx.one(_OTHER_ADMINS, of_name=but) or (0,))[0]) > 0


def why_barred(tx: Tx, name: str) -> str | None:
    """Return why somebody whom the rules name says nothing on tickets by a link or a mail either; None = they may."""
    known = find(tx, name)
    if known is None:
        return None
    if known.disabled_at is not None:
        return f"{name} may not sign in any more"
    return f"{name} is an auditor, who changes nothing" if known.role == "auditor" else None


def add(tx: Tx, context: Context, name: str, role: Role, *, by: str) -> None:
    """Let somebody sign in, once they have chosen a password; who may already gets the role. Raises: CredentialError."""
    check_name(context, name, role)
    if tx.run(_ADD, name=name, role=role, now=tx.now):
        events.record(tx, "sign_in_allowed", actor=by, agent=name, role=role)
        return
    set_role(tx, context, name, role, by=by)


def set_role(tx: Tx, context: Context, name: str, role: Role, *, by: str) -> None:
    """Give somebody another role; they sign in anew. Raises: CredentialError."""
    check_name(context, name, role)
    known = _locked(tx, name)
    if known.role == role:
        return
    _keep_an_admin(tx, known)
    tx.update(schema.credentials, {"name": name}, role=role)
    events.record(tx, "role_changed", actor=by, agent=name, role=role, before=known.role)
    web_sessions.end_all(tx, name, by=by)


def set_password(tx: Tx, name: str, password_hash: str, *, by: str, but: str = "") -> None:
    """Keep a new password; all sessions of theirs end, and links to choose one. but: the hash of the session that goes on."""
    _locked(tx, name)
    tx.update(schema.credentials, {"name": name}, password=password_hash, password_at=tx.now)
    tx.run(_END_LINKS, of_name=name, now=tx.now)
    events.record(tx, "password_changed", actor=by, agent=name)
    web_sessions.end_all(tx, name, by=by, but=but)


def disable(tx: Tx, name: str, *, by: str) -> None:
    """Let somebody in no more, from this moment on; links that they have are good for nothing. Raises: CredentialError."""
    known = _locked(tx, name)
    _keep_an_admin(tx, known)
    tx.update(schema.credentials, {"name": name}, disabled_at=tx.now)
    tx.run(_END_LINKS, of_name=name, now=tx.now)
    events.record(tx, "sign_in_disabled", actor=by, agent=name)
    web_sessions.end_all(tx, name, by=by)


def enable(tx: Tx, name: str, *, by: str) -> None:
    """Let somebody in again, with the password that they had. Raises: CredentialError."""
    _locked(tx, name)
    tx.update(schema.credentials, {"name": name}, disabled_at=None)
    events.record(tx, "sign_in_enabled", actor=by, agent=name)


def check_name(context: Context, name: str, role: str) -> None:
    """See that somebody of this name can have the role. Raises: CredentialError."""
    if role not in ROLES:
        raise CredentialError(f"there is no role '{role}': {', '.join(ROLES)}")
    if not name or len(name) > _NAME_MAX or not name.isprintable() or name != name.strip():
        raise CredentialError(f"a name has 1 to {_NAME_MAX} characters, without spaces around it")
    if role in ("agent", "lead") and name not in context.rulebook.agents:
        raise CredentialError(
            f"the rules name no agent '{name}': add them under agents: first, or make them an auditor"
        )


def _locked(tx: Tx, name: str) -> Credential:
    """Return who it is, while nobody else decides on who may sign in. Raises: CredentialError."""
    tx.lock("agent", "credentials")
    known = find(tx, name)
    if known is None:
        raise CredentialError(f"nobody of the name '{name}' may sign in: invite them first")
    return known


def _keep_an_admin(tx: Tx, known: Credential) -> None:
    if known.role == "admin" and known.state == "active" and not is_any_admin(tx, but=known.name):
        raise CredentialError(f"{known.name} is the only admin who can sign in: make somebody else one first")
