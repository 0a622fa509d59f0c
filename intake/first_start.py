"""The first admin of a new house: while nobody can administer, each start makes one link, good once and for a day.

There is no password that everybody knows. The link stands in a file that only the daemon's user can read, and on the
terminal of whoever starts the daemon there; never in a log. The file is gone as soon as there is an admin.
"""

from pathlib import Path

from intake import credentials, invitations, logs
from intake.keys import Keys
from intake.store import durable
from intake.store.engine import Store, StoreError, Tx

FILE = "first-admin.link"
HOURS = 24.0


async def tell(store: Store, keys: Keys, *, folder: Path, house: str) -> None:
    """Make the link and tell it, where no admin can sign in; else see that no file tells of one. house: our URL."""
    token, path = invitations.new_token(), folder / FILE
    if not await store.write(lambda tx: _make(tx, keys, token)):
        path.unlink(missing_ok=True)
        return
    link = f"{house}{invitations.path(token)}"
    try:
        with durable.replacing(path, mode=0o600) as file:
            file.write(f"{link}\n".encode())
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from error
    logs.event("first_admin_wanted", file=str(path), hours=HOURS)


def link_of(folder: Path) -> str | None:
    """Return the link that is good now; None = there is an admin, or the file cannot be read."""
    try:
        return (folder / FILE).read_text(encoding="utf-8").strip() or None
    except OSError:
        return None


def _make(tx: Tx, keys: Keys, token: str) -> bool:
    if credentials.is_any_admin(tx):
        return False
    invitations.make(tx, keys, token=token, name=invitations.FIRST, role="admin", hours=HOURS, by="system")
    return True
