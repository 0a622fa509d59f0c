"""Where an account's mailboxes have been read to: the cursor that is saved with the bytes.

A position never runs ahead of the journal: what it says is accounted for was committed before, or stands in
`failures`. It is JSON, one object for all folders of the account.
"""

from typing import Literal

import msgspec

Reason = Literal["retrying", "unfetchable", "too_big", "refused"]


class Failure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A mail that stays on the server. next_at: epoch seconds of the next try."""

    reason: Reason
    detail: str
    tries: int = 1
    next_at: float = 0
    size_bytes: int = 0


class Position(msgspec.Struct, kw_only=True, omit_defaults=True):
    """How far one folder is read.

    uidvalidity: of the numbering that the UIDs below belong to; 0 = the server has none that lasts.
    uid: every mail up to it is accounted for. acted: up to it, what was to be done afterwards is done.
    skipped_to: mails up to it were there before the first start and are left alone (`start: new`).
    skipped_date: the INTERNALDATE of the newest of them; after a renumbering older ones are left alone.
    compared_to: mails up to it were compared by content when the numbering changed, not by UID.
    """

    uidvalidity: int
    uid: int = 0
    acted: int = 0
    skipped_to: int = 0
    skipped_date: int = 0
    compared_to: int = 0
    failures: dict[int, Failure] = {}

    def copy(self) -> "Position":
        return msgspec.structs.replace(self, failures=dict(self.failures))

    def is_skipped(self, uid: int, date: int) -> bool:
        """Whether `start: new` leaves a mail alone."""
        if uid <= self.skipped_to:
            return True
        return uid <= self.compared_to and 0 < date < self.skipped_date

    def renumbered(self, uidvalidity: int, *, last_uid: int) -> "Position":
        """Begin again under another numbering: everything there now is compared by content."""
        return Position(uidvalidity=uidvalidity, compared_to=last_uid, skipped_date=self.skipped_date)


class Cursor(msgspec.Struct, kw_only=True):
    folders: dict[str, Position] = {}
    version: int = 1


def encode(folders: dict[str, Position]) -> bytes:
    return msgspec.json.encode(Cursor(folders=folders))


def decode(saved: bytes | None) -> dict[str, Position] | None:
    """Read a cursor; {} when there is none yet, None when it cannot be read."""
    if saved is None:
        return {}
    try:
        return msgspec.json.decode(saved, type=Cursor).folders
    except msgspec.MsgspecError:
        return None
