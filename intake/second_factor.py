"""The second factor: codes of an authenticator app (RFC 6238), and recovery codes for the day the phone is gone.

The app's secret is stored nowhere: it is made from a random salt in the store and the keys of the data folder, so that
neither alone gives it away. Each code is good once, and so is each recovery code; these have 120 random bits and stand as
keyed hashes. OWASP ASVS 5.0 rows 6.5.1 to 6.5.5, RFC 6238 §5.2; 2026-11.
"""

import secrets
from collections.abc import Sequence

import pyotp
from sqlalchemy import bindparam, delete, func, select, update

from intake import counters, credentials, events
from intake.keys import Keys
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

STEP_S = 30
DIGITS = 6
CODES = 10
SETTING_UP = "second factor set up"  # the counter of tries at a code that is to be the first one
TRIES = 10  # of those, in a quarter of an hour
_WINDOW_US = 15 * 60 * 1_000_000
_SECRET_CHARACTERS = 32  # 160 bits, as RFC 4226 §4 recommends
_CODE_ALPHABET = "abcdefghjkmnpqrstvwxyz0123456789"
_CODE_CHARACTERS = 24

_c = schema.credentials.c
_r = schema.recovery_codes.c
_TAKE_STEP = Statement(
    update(schema.credentials)
    .where(_c.name == bindparam("of_name"), _c.totp_step < bindparam("step"))
    .values(totp_step=bindparam("step"))
)
_TAKE_CODE = Statement(
    update(schema.recovery_codes)
    .where(_r.code == bindparam("of_code"), _r.name == bindparam("of_name"), _r.used_at.is_(None))
    .values(used_at=bindparam("now"))
)
_LEFT = Statement(select(func.count()).where(_r.name == bindparam("of_name"), _r.used_at.is_(None)))
_DROP_CODES = Statement(delete(schema.recovery_codes).where(_r.name == bindparam("of_name")))


def new_salt() -> str:
    return secrets.token_hex(32)


def new_codes() -> tuple[str, ...]:
    """Make recovery codes, as they are shown: groups of four."""
    return tuple(
        _grouped("".join(secrets.choice(_CODE_ALPHABET) for _ in range(_CODE_CHARACTERS)))
        for _ in range(CODES)
    )


def secret(keys: Keys, name: str, salt: str) -> str:
    """Return what the app is told, base32."""
    halves = [keys.fingerprint(f"totp:{half}:{len(name)}:{name}:{salt}") for half in (1, 2)]
    return "".join(halves)[:_SECRET_CHARACTERS].upper()


def uri(keys: Keys, name: str, salt: str, *, house: str) -> str:
    """Return what the square code says that an app reads."""
    app = pyotp.TOTP(secret(keys, name, salt))
    return app.provisioning_uri(name=name, issuer_name=house or "intake")


def begin(tx: Tx, name: str, salt: str) -> None:
    """Note a secret that is shown to its owner; it counts once they have typed a code of it. salt: new_salt()."""
    tx.update(schema.credentials, {"name": name}, totp_pending=salt)


def confirm(tx: Tx, keys: Keys, name: str, code: str, *, codes: Sequence[str], by: str) -> bool:
    """Set up the factor with the first code of its app; false = the code is not of it, or too many were tried.

    codes: new_codes().
    """
    tx.lock("agent", name)
    if not counters.take(tx, SETTING_UP, name, limit=TRIES, window_us=_WINDOW_US):
        return False
    known = credentials.find(tx, name)
    if known is None or known.totp_pending is None:
        return False
    step = _step_of(secret(keys, name, known.totp_pending), _typed(code), tx.now)
    if step is None:
        return False
    salt = known.totp_pending
    tx.update(
        schema.credentials, {"name": name}, totp_salt=salt, totp_at=tx.now, totp_step=step, totp_pending=None
    )
    _keep_codes(tx, keys, name, codes)
    events.record(tx, "second_factor_set", actor=by, agent=name)
    return True


def renew_codes(tx: Tx, keys: Keys, name: str, codes: Sequence[str], *, by: str) -> None:
    """Put new recovery codes in place of the old ones."""
    tx.lock("agent", name)
    _keep_codes(tx, keys, name, codes)
    events.record(tx, "recovery_codes_made", actor=by, agent=name)


def remove(tx: Tx, name: str, *, by: str) -> bool:
    """Take the factor away; false = there was none."""
    tx.lock("agent", name)
    known = credentials.find(tx, name)
    if known is None or not known.has_second_factor:
        return False
    tx.update(schema.credentials, {"name": name}, totp_salt=None, totp_at=None, totp_pending=None)
    tx.run(_DROP_CODES, of_name=name)
    events.record(tx, "second_factor_removed", actor=by, agent=name)
    return True


def take(tx: Tx, keys: Keys, name: str, code: str) -> bool:
    """Use a code of the app, or a recovery code, for ever; false = it is neither, or was used before."""
    known = credentials.find(tx, name)
    if known is None or known.totp_salt is None:
        return False
    typed = _typed(code)
    if len(typed) == _CODE_CHARACTERS:
        return _take_recovery_code(tx, keys, name, typed)
    step = _step_of(secret(keys, name, known.totp_salt), typed, tx.now)
    return step is not None and tx.run(_TAKE_STEP, of_name=name, step=step) > 0


def codes_left(tx: Tx, name: str) -> int:
    """How many recovery codes somebody still has."""
    return int((tx.one(_LEFT, of_name=name) or (0,))[0])


def _take_recovery_code(tx: Tx, keys: Keys, name: str, typed: str) -> bool:
    if not tx.run(_TAKE_CODE, of_code=_code_hash(keys, typed), of_name=name, now=tx.now):
        return False
    events.record(tx, "recovery_code_used", actor=f"agent:{name}", agent=name, left=codes_left(tx, name))
    return True


def _step_of(app_secret: str, code: str, now_us: int) -> int | None:
    """Return the time step a code is of: this one, or a neighbour, for clocks that differ a little."""
    now = now_us // 1_000_000 // STEP_S
    app = pyotp.TOTP(app_secret, digits=DIGITS, interval=STEP_S)
    found = [step for step in (now - 1, now, now + 1) if secrets.compare_digest(app.generate_otp(step), code)]
    return found[-1] if found else None


def _typed(code: str) -> str:
    """Return a code without the spaces and lines that people put in."""
    return "".join(each for each in code.lower() if each.isascii() and each.isalnum())


def _keep_codes(tx: Tx, keys: Keys, name: str, codes: Sequence[str]) -> None:
    tx.run(_DROP_CODES, of_name=name)
    for code in codes:
        known_by = _code_hash(keys, code.replace("-", ""))
        tx.insert(schema.recovery_codes, code=known_by, name=name, made_at=tx.now)


def _code_hash(keys: Keys, typed: str) -> str:
    return keys.fingerprint(f"recovery code:{typed}")


def _grouped(text: str) -> str:
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))
