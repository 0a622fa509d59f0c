"""What the tests ask of an IMAP server that is not theirs: mailboxes for any name, delivery, and numbering anew."""

import contextlib
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import imapclient

PASSWORD = "correct-horse"
START_S = 10


class MailServer:
    """Running on loopback. base: its folder, a Maildir for each user under mail/; port: where it listens.

    line_end: how lines end in the mail that it gives out.
    """

    line_end = b"\r\n"

    def __init__(self, base: Path, port: int) -> None:
        self.base = base
        self.port = port

    def welcome(self, user: str) -> None:
        """Let this user log in with PASSWORD; nothing is to be done where everybody may."""

    @contextlib.contextmanager
    def client(self, user: str) -> Iterator[imapclient.IMAPClient]:
        """Log in as the person whose mailbox it is."""
        with imapclient.IMAPClient("127.0.0.1", self.port, ssl=False, timeout=10) as client:
            # Otherwise each literal waits 40 ms for an acknowledgement that the server delays.
            client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.login(user, PASSWORD)
            yield client

    def deliver(
        self, user: str, *bodies: bytes, folder: str = "INBOX", flags: tuple[bytes, ...] = ()
    ) -> None:
        with self.client(user) as client:
            if not client.folder_exists(folder):
                client.create_folder(folder)
            for body in bodies:
                self._put(client, user, body, folder=folder, flags=flags)

    def _put(
        self,
        client: imapclient.IMAPClient,
        user: str,
        body: bytes,
        *,
        folder: str,
        flags: tuple[bytes, ...],
    ) -> None:
        client.append(folder, body, flags=flags)

    def renumber(self, user: str) -> None:
        """Give the INBOX another UIDVALIDITY and number its mails anew, as a restored backup does."""
        folder = self.base / "mail" / user
        uids = folder / "dovecot-uidlist"
        found = re.match(r"3 V(\d+) N\d+ (G\w+)", uids.read_text())
        assert found is not None
        for name in ("dovecot.index", "dovecot.index.log", "dovecot.index.cache"):
            (folder / name).unlink(missing_ok=True)
        uids.write_text(f"3 V{int(found[1]) + 7} N1 {found[2]}\n")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_it_greets(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Return once IMAP answers. log: what it writes besides stderr. Raises: RuntimeError with its own words."""
    limit = time.monotonic() + START_S
    while time.monotonic() < limit and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as probe:
            probe.settimeout(2)
            if probe.recv(4) == b"* OK":
                return
        time.sleep(0.02)
    process.terminate()
    _, words = process.communicate(timeout=10)
    said = (words or b"").decode(errors="replace")
    said += log.read_text(errors="replace") if log.exists() else ""
    raise RuntimeError(f"the IMAP server does not start: {said[-2000:]}")
