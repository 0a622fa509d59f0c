"""PostgreSQL's errors, each in one sentence: whose fault it is, and whether trying again can help."""

import psycopg
from psycopg.conninfo import conninfo_to_dict

from intake.store.engine import StoreError

# PostgreSQL's error codes (its manual, appendix A, read 2026-11).
_CONFLICTS = {"40001", "40P01"}  # serialization failure, deadlock
_AWAY = {"57P01", "57P02", "57P03", "57P05", "53300", "25006"}  # stopping, starting, no slot left, a standby
_SENTENCES: dict[str, tuple[str, bool, bool]] = {  # code -> sentence, is_full, is_final
    "53100": ("has no room left on its disk: free some, intake goes on by itself", True, False),
    "53200": ("has no memory left", False, False),
    "53300": ("has no connection left: raise max_connections, or stop what uses them up", False, False),
    "55P03": ("is locked by another session for too long", False, False),
    "57014": ("took too long", False, False),
    "25006": ("takes no writes: it is a standby, point the store's URL at the primary", False, False),
    "28P01": ("refuses the password: correct the store's URL", False, True),
    "28000": ("refuses the user: correct the store's URL or pg_hba.conf", False, True),
    "3D000": ("does not exist: create the database, or correct the store's URL", False, True),
    "42501": ("does not let the user do this: make it the owner of the database", False, True),
    "40001": ("had too many writers on the same thing at once", False, False),
    "40P01": ("had too many writers on the same thing at once", False, False),
    "XX001": ("is damaged: restore it from a backup", False, True),
}


def store_error(error: psycopg.Error, name: str) -> StoreError | None:
    """Say an error of the server in one sentence; None when it is the statement's own (a constraint, a bug)."""
    if error.sqlstate in _SENTENCES:
        sentence, is_full, is_final = _SENTENCES[error.sqlstate]
        return StoreError(f"PostgreSQL {name} {sentence}", is_full=is_full, is_final=is_final)
    if is_connection_lost(error):
        return StoreError(
            f"PostgreSQL {name} cannot be reached{_reason(error)}: start it, or correct the store's URL"
        )
    return None


def _reason(error: psycopg.Error) -> str:
    """Give the server's own word on a refused connection; libpq reports it without a code."""
    _, fatal, reason = str(error).partition("FATAL:")
    return f" ({reason.split(chr(10))[0].strip()})" if fatal else ""


def is_connection_lost(error: BaseException) -> bool:
    if not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return False
    state = error.sqlstate
    return state is None or state.startswith("08") or state in _AWAY


def is_worth_a_try(error: BaseException) -> bool:
    return is_connection_lost(error) or getattr(error, "sqlstate", None) in _CONFLICTS


def name_of(url: str) -> str:
    """Say which database it is, without user and password."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise StoreError(
            "the store's URL is not one of PostgreSQL: postgresql://user:password@host/name", is_final=True
        ) from error
    return f"{parts.get('dbname', '')} on {parts.get('host', 'this machine')}"
