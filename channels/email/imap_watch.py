"""What one watched folder keeps between its connections, and how others reach its thread: stop, look, what is wrong."""

import contextlib
import logging
import select
import socket
import threading
import time
from typing import Literal

import msgspec

from channels.email.imap_books import Books
from channels.email.imap_options import Options

Kind = Literal["network", "login", "busy", "folder", "store"]


class Pace(msgspec.Struct, frozen=True):
    """Seconds. A wait begins with the first figure and doubles up to the second, by kind of trouble.

    login: wrong passwords lock accounts. busy: the server asked for patience. store: ours, looked at often.
    retry_s: how long a mail that could not be fetched waits before each further try.
    """

    network_s: tuple[float, float] = (1, 300)
    login_s: tuple[float, float] = (60, 900)
    busy_s: tuple[float, float] = (60, 900)
    store_s: tuple[float, float] = (1, 30)
    retry_s: tuple[float, ...] = (30, 120, 600, 1_800)

    def bounds(self, kind: Kind) -> tuple[float, float]:
        if kind == "network":
            return self.network_s
        if kind == "busy":
            return self.busy_s
        return self.store_s if kind == "store" else self.login_s


class Watch:
    """problem: one sentence, "" = the folder is being read. alone: UIDs that are fetched one at a time.

    troubles: failed connections in a row. Everything is the thread's own but `stop`, `look` and `problem`.
    """

    def __init__(
        self, folder: str, options: Options, *, books: Books, pace: Pace, log: logging.Logger
    ) -> None:
        self.folder = folder
        self.options = options
        self.books = books
        self.pace = pace
        self.log = log
        self.account = books.account
        self.problem = f"{folder}: not connected yet"
        self.troubles = 0
        self.alone: set[int] = set()
        self.is_idle_refused = False
        self.wake, self._waker = socket.socketpair()
        self.wake.setblocking(False)
        self._waker.setblocking(False)
        self._is_stopping = threading.Event()
        self._counted_at = float("-inf")

    @property
    def is_stopping(self) -> bool:
        return self._is_stopping.is_set()

    def look(self) -> None:
        """End the wait and look for new mail now."""
        with contextlib.suppress(OSError):
            self._waker.send(b"!")

    def stop(self) -> None:
        """Begin to stop: what is being stored is finished."""
        self._is_stopping.set()
        self.look()

    def pause(self, wait_s: float) -> None:
        """Sleep, unless somebody wants a look."""
        if not self.is_stopping:
            poll = select.poll()
            poll.register(self.wake, select.POLLIN)
            poll.poll(int(wait_s * 1_000))
        self.drain()

    def drain(self) -> None:
        """Take note of the wishes to look: there is a look now."""
        with contextlib.suppress(OSError):
            self.wake.recv(1_024)

    def close(self) -> None:
        self.wake.close()
        self._waker.close()

    def progressed(self) -> None:
        """Note that the connection is worth something: the next trouble is waited for as the first."""
        self.troubles = 0
        self.problem = ""

    def is_count_due(self) -> bool:
        return time.monotonic() - self._counted_at >= self.options.reconcile_s

    def counted(self) -> None:
        self._counted_at = time.monotonic()

    def count_soon(self) -> None:
        self._counted_at = float("-inf")

    def warn(self, event: str, *, level: int = logging.WARNING, **fields: object) -> None:
        """Log something about the folder that an operator wants to know."""
        named = {"account": self.account, "mailbox": self.folder, **fields}
        self.log.log(level, " ".join([event, *(f"{name}=%s" for name in named)]), *named.values())
