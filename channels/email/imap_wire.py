"""IMAP4rev1 (RFC 3501) and IDLE (RFC 2177) on imapclient, hardened where it trusts the server more than we do.

What is done differently here, and why:

* a literal is not read beyond a limit: a server that says `{9999999999}` would take the whole memory;
* a FETCH answer counts only with the UID that stands in it. imapclient falls back on the sequence number, and
  imaplib gathers unsolicited answers with those that were asked for: a body could end under another mail's UID;
* IDLE accepts answers before the `+`, and those that came in the same packet as it: imapclient fails on the first and
  sleeps over the second; the end of a connection is noticed at DONE, which imapclient's idle_check cannot tell;
* what the server said is forgotten at each round: imaplib keeps every unasked answer of a connection for ever.
"""

import contextlib
import imaplib
import select
import socket
import ssl
from collections.abc import Iterable, Sequence
from typing import Any

import imapclient
import msgspec
from imapclient import imap4, tls

from channels.email import imap_answers, imap_uids
from channels.email.imap_answers import Described

# What the connection or the server may answer with; `abort` among them means that the connection is gone.
Aborted = (OSError, imaplib.IMAP4.abort, EOFError)
Refused = (imaplib.IMAP4.error, ValueError, AssertionError)
MAX_LINE_BYTES = 8_000_000  # the answer to SEARCH is one line: 700 000 UIDs
_MAX_ALERTS = 20
_SLACK = 1.25  # RFC822.SIZE is an estimate on some servers (Exchange)


class Selected(msgspec.Struct, frozen=True):
    """A folder as it was opened. uidvalidity: 0 = UIDs mean nothing on another connection. uidnext: 0 = not said."""

    exists: int
    uidvalidity: int
    uidnext: int


class _Capped(imaplib.IMAP4):
    max_literal_bytes = 64 * 1024

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        self.alerts: list[str] = []
        super().__init__(*arguments, **keywords)

    def _append_untagged(self, typ: str, dat: Any) -> None:
        if isinstance(dat, bytes) and dat.startswith(b"[ALERT]") and len(self.alerts) < _MAX_ALERTS:
            self.alerts.append(dat.removeprefix(b"[ALERT]").strip().decode("utf-8", "replace"))
        super()._append_untagged(typ, dat)  # type: ignore[misc]

    def read(self, size: int) -> bytes:
        if size > self.max_literal_bytes:
            raise self.abort(f"the server announced {size} bytes, which is more than is taken at once")
        content: bytes = self.file.read(size)  # type: ignore[assignment]
        return content

    def readline(self) -> bytes:
        line: bytes = self.file.readline(MAX_LINE_BYTES + 1)  # type: ignore[assignment]
        if len(line) > MAX_LINE_BYTES:
            raise self.abort("the server sent a line without an end")
        return line


class _Clear(_Capped, imap4.IMAP4WithTimeout):  # type: ignore[misc]
    """Without TLS, or before STARTTLS."""


class _Encrypted(_Capped, tls.IMAP4_TLS):  # type: ignore[misc]
    """TLS from the first byte."""


class Client(imapclient.IMAPClient):  # type: ignore[misc]
    """One connection. Used by one thread; `interrupt` by any."""

    def __init__(
        self, host: str, port: int, *, context: ssl.SSLContext | None, is_encrypted: bool, timeout_s: float
    ) -> None:
        super().__init__(host, port, ssl=is_encrypted, ssl_context=context, timeout=timeout_s)
        self.normalise_times = False
        # At its default of 5 imaplib writes each line to the log; what is said at login has no place there.
        self._imap.debug = 0
        with contextlib.suppress(OSError):
            self._imap.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            # imaplib sends a literal and its line end one by one: with Nagle's delay each costs 40 ms.
            self._imap.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _create_IMAP4(self) -> imaplib.IMAP4:  # noqa: N802 - imapclient's name
        limit_s = self._timeout.connect
        if self.ssl:
            return _Encrypted(self.host, self.port, self.ssl_context, limit_s)
        return _Clear(self.host, self.port, limit_s)

    @property
    def is_authenticated(self) -> bool:
        return bool(self._imap.state != "NONAUTH")

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Encrypt the connection. Raises: IMAP4.error when anything was said in clear that TLS should have covered.

        Whoever sits in between could put answers there for us to believe later (as in CVE-2011-0411).
        """
        self.starttls(ssl_context=_Unspoken(self._imap, context))
        self._imap.untagged_responses.clear()
        self._cached_capabilities = None

    def open(self, folder: str, *, is_readonly: bool) -> Selected:
        """Select a folder, or examine it."""
        answer = self.select_folder(folder, readonly=is_readonly)
        stays = b"UIDNOTSTICKY" not in answer
        return Selected(
            exists=answer.get(b"EXISTS", 0),
            uidvalidity=answer.get(b"UIDVALIDITY", 0) if stays else 0,
            uidnext=answer.get(b"UIDNEXT", 0),
        )

    def alerts(self) -> list[str]:
        """Take what the server wants a person to read ([ALERT], RFC 3501 §7.1)."""
        said, self._imap.alerts = self._imap.alerts, []
        return list(said)

    def refresh(self) -> None:
        """Let the server tell what is new."""
        self._imap.untagged_responses.clear()
        self.noop()

    @property
    def has_news(self) -> bool:
        """Whether the server has told of mails since the last look: IDLE does not say it again."""
        return "EXISTS" in self._imap.untagged_responses

    def look(self) -> None:
        """Begin a look: what is told from now on may be more than it finds."""
        self._imap.untagged_responses.pop("EXISTS", None)

    def uids_after(self, uid: int, *, up_to: int | None = None) -> list[int]:
        """Return the UIDs above one, in order. `n:*` also finds the last mail below n: it is left out."""
        last = "*" if up_to is None else str(up_to)
        found = self.search(["UID", f"{uid + 1}:{last}"])
        return sorted({each for each in found if each > uid})

    def highest_uid(self) -> int:
        """Return the UID of the newest mail; 0 in an empty folder."""
        return max(self.describe_places("*"), default=0)

    def describe(self, uids: Sequence[int]) -> dict[int, Described]:
        """Ask for size and date; a UID that is not there (any more) is left out."""
        wanted = set(uids)
        lines = self._fetched("UID", imap_uids.text_from(uids), "(UID INTERNALDATE RFC822.SIZE)")
        found = (imap_answers.described(line) for line in lines if isinstance(line, bytes))
        return {each.uid: each for each in found if each is not None and each.uid in wanted}

    def describe_places(self, places: str) -> dict[int, Described]:
        """Ask by place in the folder, "1" is the oldest and "*" the newest: no SEARCH is believed."""
        lines = self._fetched("", places, "(UID INTERNALDATE)")
        found = (imap_answers.described(line) for line in lines if isinstance(line, bytes))
        return {each.uid: each for each in found if each is not None}

    def bodies(self, uids: Sequence[int], *, max_bytes: int) -> dict[int, bytes]:
        """Fetch whole mails and leave their flags alone. A mail without bytes is left out.

        Raises: Aborted, Refused.
        """
        self._imap.max_literal_bytes = int(max_bytes * _SLACK) + 65_536
        answer = self._fetched("UID", imap_uids.text_from(uids), "(UID BODY.PEEK[])")
        return {uid: body for uid, body in imap_answers.bodies(answer) if uid in set(uids) and body}

    def _fetched(self, kind: str, numbers: str, items: str) -> list[Any]:
        self._imap.untagged_responses.pop("FETCH", None)
        if kind:
            answer, lines = self._imap.uid("FETCH", numbers, items)
        else:
            answer, lines = self._imap.fetch(numbers, items)
        if answer != "OK":
            raise imaplib.IMAP4.error(_text(lines))
        return [each for each in lines if each is not None]

    def wait(self, timeout_s: float, *, wake: socket.socket) -> None:
        """IDLE until the server says something, timeout_s is over or `wake` has a byte; then end the IDLE.

        Raises: Aborted when the connection is gone: DONE is not answered then.
        """
        self._idle_tag = self._imap._command("IDLE")  # noqa: SLF001 - imaplib has no IDLE before 3.14
        is_news = False
        while self._imap._get_response() is not None:  # noqa: SLF001
            if self._imap.tagged_commands.get(self._idle_tag):
                raise imaplib.IMAP4.error("the server refused IDLE")
            is_news = True
        if not is_news and not self._has_buffered():
            self._sleep(timeout_s, wake)
        self.idle_done()

    def _has_buffered(self) -> bool:
        sock = self.socket()
        sock.setblocking(False)
        try:
            return bool(self._imap.file.peek(1))
        except (OSError, ValueError):
            return False
        finally:
            sock.setblocking(True)
            self._set_read_timeout()

    def _sleep(self, timeout_s: float, wake: socket.socket) -> None:
        poll = select.poll()
        poll.register(self.socket(), select.POLLIN)
        poll.register(wake, select.POLLIN)
        poll.poll(int(timeout_s * 1_000))

    def store(self, uids: Iterable[int], flag: str) -> None:
        self._said_ok(self._imap.uid("STORE", imap_uids.text_from(uids), "+FLAGS.SILENT", f"({flag})"))

    def _said_ok(self, answer: tuple[str, list[Any]]) -> None:
        if answer[0] != "OK":
            raise imaplib.IMAP4.error(_text(answer[1]))

    def interrupt(self) -> None:
        """Break the connection under a thread that waits for the server."""
        with contextlib.suppress(OSError, AttributeError):
            # Not SSLSocket.shutdown, which takes TLS away under the reader.
            socket.socket.shutdown(self._imap.sock, socket.SHUT_RDWR)

    def leave(self) -> None:
        """Log out when the server listens, and close."""
        with contextlib.suppress(*Aborted, *Refused):
            self.logout()
        with contextlib.suppress(*Aborted, *Refused, AttributeError):
            self._imap.shutdown()


class _Unspoken:
    """Stands in for the TLS context at the one moment when bytes may be waiting that came in clear."""

    def __init__(self, connection: imaplib.IMAP4, context: ssl.SSLContext) -> None:
        self._connection = connection
        self._context = context

    def wrap_socket(self, sock: socket.socket, *, server_hostname: str) -> ssl.SSLSocket:
        limit_s = sock.gettimeout()
        sock.setblocking(False)
        try:
            said = self._connection.file.peek(1)  # type: ignore[union-attr]
        finally:
            sock.settimeout(limit_s)
        if said:
            raise imaplib.IMAP4.abort("the server, or somebody in between, spoke in clear after STARTTLS")
        return self._context.wrap_socket(sock, server_hostname=server_hostname)


def _text(lines: Any) -> str:
    first = lines[0] if lines else b""
    return bytes(first or b"").decode("utf-8", "replace") or "the server said no"
