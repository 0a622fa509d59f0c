"""Runs the daemon with one seeded fault in how mailboxes are read, so that the torture run can be seen to find it.

`python -m tests.imap.mutants cursor-before-journal run -c config/intake.yaml`.
"""

import sys
from collections.abc import Callable
from typing import Any

from channels.email import imap_start, imap_taking, imap_visit, imap_wire
from intake import cli


def cursor_before_journal() -> None:
    """Save how far the folder is read before its mails are stored."""
    honest = imap_taking.Taker._take_batch

    def hasty(self: imap_taking.Taker, batch: imap_taking.Batch) -> None:
        self.position.uid = max(self.position.uid, batch.mails[-1].uid)
        imap_start.save(self._watch, self.position)
        honest(self, batch)

    imap_taking.Taker._take_batch = hasty  # type: ignore[method-assign]


def act_before_commit() -> None:
    """Delete mails on the server once they are fetched."""
    honest = imap_taking.Taker._submit
    started = imap_visit.Visit.play

    def remembering(self: imap_visit.Visit) -> None:
        self._taker.visit = self  # type: ignore[attr-defined]
        started(self)

    def hasty(self: Any, raws: Any, *, last_uid: int) -> None:
        self.visit._afterwards.act({int(raw.envelope["uid"]) for raw in raws})
        honest(self, raws, last_uid=last_uid)

    imap_visit.Visit.play = remembering  # type: ignore[method-assign]
    imap_taking.Taker._submit = hasty  # type: ignore[method-assign]


def uidvalidity_ignored() -> None:
    """Believe UIDs whatever the server says of its numbering."""
    honest = imap_wire.Client.open

    def blind(self: imap_wire.Client, folder: str, *, is_readonly: bool) -> imap_wire.Selected:
        selected = honest(self, folder, is_readonly=is_readonly)
        return imap_wire.Selected(exists=selected.exists, uidvalidity=1, uidnext=selected.uidnext)

    imap_wire.Client.open = blind  # type: ignore[method-assign]


MUTANTS: dict[str, Callable[[], None]] = {
    "cursor-before-journal": cursor_before_journal,
    "act-before-commit": act_before_commit,
    "uidvalidity-ignored": uidvalidity_ignored,
}


def main() -> int:
    MUTANTS[sys.argv[1]]()
    return cli.main(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
