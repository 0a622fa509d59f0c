"""Pours tickets in by SMTP at a steady pace while the daemon comes and goes; a mail is sent with the same bytes until it is taken."""

import smtplib
import threading
import time
from collections.abc import Iterator
from itertools import cycle

_AGAIN_S = 0.05


class Pourer(threading.Thread):
    """Sends `count` mails within so many seconds. taken: the subjects of those that were answered with 250."""

    def __init__(self, port: int, *, count: int, within_s: float, kinds: tuple[str, ...], seed: int) -> None:
        super().__init__(daemon=True)
        self.taken: list[str] = []
        self._port = port
        self._subjects = [
            f"{kind} new {number}" for number, kind in zip(range(count), cycle(kinds), strict=False)
        ]
        self._pause_s = within_s / max(count, 1)
        self._seed = seed
        self._is_over = threading.Event()

    @property
    def subjects(self) -> list[str]:
        return self._subjects

    def is_done(self) -> bool:
        return len(self.taken) == len(self._subjects)

    def end(self) -> None:
        self._is_over.set()
        self.join(10)

    def run(self) -> None:
        began = time.monotonic()
        mails = self._mails()
        mail = next(mails, None)
        connection: smtplib.SMTP | None = None
        while mail is not None and not self._is_over.is_set():
            self._is_over.wait(max(began + len(self.taken) * self._pause_s - time.monotonic(), 0))
            try:
                connection = connection or smtplib.SMTP("127.0.0.1", self._port, timeout=5)
                connection.sendmail(mail[1], ["support@example.com"], mail[2])
            except (OSError, smtplib.SMTPException):
                _close(connection)
                connection = None
                self._is_over.wait(_AGAIN_S)
            else:
                self.taken.append(mail[0])
                mail = next(mails, None)
        _close(connection)

    def _mails(self) -> Iterator[tuple[str, str, bytes]]:
        for number, subject in enumerate(self._subjects):
            sender = f"c{number}@customer.example"
            lines = (
                f"From: {sender}", "To: support@example.com", f"Subject: {subject}", "Date: Tue, 10 Nov 2026 09:00:00 +0000",
                f"Message-ID: <{self._seed}.{number}@customer.example>", "", "My printer is on fire, please help me.", "",
            )  # fmt: skip
            yield subject, sender, "\r\n".join(lines).encode()


def _close(connection: smtplib.SMTP | None) -> None:
    if connection is not None:
        connection.close()
