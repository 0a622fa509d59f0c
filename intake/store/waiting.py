"""Writes that wait for the writer: those that somebody outside waits for go before those that nobody does."""

import threading
from collections import deque

from intake.store.engine import Member


class Waiting:
    """Two queues in one, for many threads that put and one that takes."""

    def __init__(self) -> None:
        self._urgent: deque[Member] = deque()
        self._others: deque[Member] = deque()
        self._something = threading.Condition(threading.Lock())
        self._is_ended = False

    def put(self, member: Member) -> bool:
        """Queue a member; false when the end has been called."""
        with self._something:
            if self._is_ended:
                return False
            (self._urgent if member.is_urgent else self._others).append(member)
            self._something.notify()
            return True

    def end(self) -> None:
        """Take nothing more; what waits is still given out."""
        with self._something:
            self._is_ended = True
            self._something.notify()

    def first(self) -> Member | None:
        """Wait for a member; None at the end."""
        with self._something:
            while not self._urgent and not self._others:
                if self._is_ended:
                    return None
                self._something.wait()
            return (self._urgent or self._others).popleft()

    def urgent(self) -> Member | None:
        """Return the next urgent member, None when none waits."""
        # A deque's own operations are atomic; only the taking thread takes, so what is seen is still there.
        return self._urgent.popleft() if self._urgent else None

    def other(self) -> Member | None:
        """Return the next member that is not urgent, None when none waits."""
        return self._others.popleft() if self._others else None
