"""Named places where a torture run ends the daemon as a power cut would: no clean-up, no last word.

`INTAKE_FAILPOINT="journal.after_commit:3"` kills the process with SIGKILL when it passes that place for the third
time. Without the variable a pass is an empty call. The names stand in NAMES so that a misspelt one is refused at
start instead of never being reached.
"""

import os
import signal
import sys
import threading

VARIABLE = "INTAKE_FAILPOINT"
NAMES = frozenset(
    {
        "smtp.before_submit",  # the body is read, nothing is stored
        "journal.before_commit",  # inside the transaction that stores the raw bytes
        "journal.after_commit",  # stored and fsynced, the sender does not know it yet
        "blob.after_file",  # a large body is a file, its row is not written yet
        "settle.before",
        "settle.in_transaction",
        "settle.after_commit",
        "outbox.before_deliver",
        "outbox.after_deliver",  # the relay has it, the row still says queued
        "outbox.after_commit",
        "timers.in_transaction",  # claimed, its effects are not written
        "timers.effects_written",
        "timers.after_commit",  # fired, and nobody was told yet
        "dailies.finish",  # every ticket is visited, the run is not over
        "digests.in_transaction",
        "digests.after_commit",
        "presence.in_transaction",  # a ticket of somebody who went away is claimed
        "presence.letters",  # all are moved, nobody is told
        "waiting.in_transaction",
        "handovers.in_transaction",  # a notice goes to the next one on call, its page is not closed yet
        "handovers.finish",
    }
)


class Failpoint:
    """Counts the passes of one place, in whatever thread they happen, and ends the process at the nth."""

    def __init__(self, name: str, *, nth: int) -> None:
        self.name = name
        self._left = nth
        self._lock = threading.Lock()

    def reach(self, name: str) -> None:
        if name != self.name:
            return
        with self._lock:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def failpoint_from_text(text: str) -> Failpoint:
    """Read "name:nth"; nth counts from 1 and is 1 when left out. Raises: ValueError in one sentence."""
    name, _, nth = text.partition(":")
    if name not in NAMES:
        raise ValueError(f"{VARIABLE}: no failpoint is named {name!r}; there are {', '.join(sorted(NAMES))}")
    if not (nth or "1").isdecimal() or int(nth or "1") < 1:
        raise ValueError(f"{VARIABLE}: write {name}:N with N from 1, not {text!r}")
    return Failpoint(name, nth=int(nth or "1"))


def _pass_by(name: str) -> None:
    """Cost as little as a call can."""


def _armed() -> Failpoint | None:
    text = os.environ.get(VARIABLE, "")
    try:
        return failpoint_from_text(text) if text else None
    except ValueError as error:
        sys.exit(str(error))


_failpoint = _armed()
reach = _pass_by if _failpoint is None else _failpoint.reach
