"""Writes that wait for the writer: those that somebody outside waits for go before those that nobody does."""

import threading
from collections import deque
from queue import SimpleQueue

from intake.store.engine import Member


class Waiting:
    """Two queues in one, for many threads that put and one that takes."""

    def __init__(self) -> None:
        self._urgent: deque[Member] = deque()
        self._others: deque[Member] = deque()
        # Who puts never waits for who takes: of a lock that both have, the taker is often the one who sleeps on it.
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._putting = threading.Lock()
        self._is_ended = False

    def put(self, member: Member) -> bool:
        """Queue a member; false when the end has been called."""
        with self._putting:
            if self._is_ended:
                return False
            (self._urgent if member.is_urgent else self._others).append(member)
        if self._bell.empty():  # else it has rung, and who takes looks once more before it sleeps
            self._bell.put(None)
        return True

    def end(self) -> None:
        """Take nothing more; what waits is still given out."""
        with self._putting:
            self._is_ended = True
        self._bell.put(None)

    def first(self) -> Member | None:
        """Wait for a member; None at the end."""
        while True:
            is_ended = self._is_ended  # looked at first: behind it nothing is put
            member = self.urgent() or self.other()
            if member is not None or is_ended:
                return member
            self._bell.get()

    def urgent(self) -> Member | None:
        """Return the next urgent member, None when none waits."""
        # A deque's own operations are atomic; only the taking thread takes, so what is seen is still there.
        return self._urgent.popleft() if self._urgent else None

    def other(self) -> Member | None:
        """Return the next member that is not urgent, None when none waits."""
        return self._others.popleft() if self._others else None
