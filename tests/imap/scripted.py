"""A small IMAP server that does as it is told, wrong things included: what a real one does on its worst day.

`play` is asked before each command; what it returns is said instead of the honest answer, and `Hangup` ends the
connection. `Folder` is what the server holds; everybody may change it while clients look.
"""

import asyncio
import base64
import contextlib
import dataclasses
import re
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

CAPABILITIES = "IMAP4rev1 IDLE UIDPLUS MOVE AUTH=PLAIN AUTH=XOAUTH2 AUTH=OAUTHBEARER"
_DATE = '"22-Nov-2026 10:00:{:02} +0000"'
_LITERAL = re.compile(rb"\{(\d+)\}\r\n$")
TICK_S = 0.02


class Hangup(Exception):
    """Ends the connection; what is in it is sent first."""

    def __init__(self, last_words: bytes = b"") -> None:
        super().__init__(last_words)
        self.last_words = last_words


@dataclasses.dataclass
class Mail:
    uid: int
    body: bytes
    flags: set[str] = dataclasses.field(default_factory=set)
    date: str = _DATE.format(0)


class Folder:
    """uidvalidity None = the server does not tell it."""

    def __init__(self, *bodies: bytes, uidvalidity: int | None = 7) -> None:
        self.uidvalidity = uidvalidity
        self.uidnext = 1
        self.mails: list[Mail] = []
        self.lock = threading.RLock()
        self.changes = 0
        self.epoch = 0  # of the numbering, whether it is told or not
        self.deliver(*bodies)

    def deliver(self, *bodies: bytes, flags: Iterable[str] = ()) -> None:
        with self.lock:
            for body in bodies:
                date = _DATE.format(self.uidnext % 60)
                self.mails.append(Mail(self.uidnext, body, set(flags), date))
                self.uidnext += 1
            self.changes += 1

    def renumber(self, uidvalidity: int | None, *, first_uid: int = 1, is_noticed: bool = True) -> None:
        """Number all mails anew. is_noticed: open connections are ended, as RFC 3501 wants it."""
        with self.lock:
            self.epoch += is_noticed
            self.uidvalidity = uidvalidity
            for uid, mail in enumerate(self.mails, first_uid):
                mail.uid = uid
            self.uidnext = first_uid + len(self.mails)

    def remove(self, uids: Iterable[int]) -> list[int]:
        """Take mails out; the places they had, as EXPUNGE tells them."""
        gone: list[int] = []
        with self.lock:
            for uid in uids:
                for place, mail in enumerate(self.mails, 1):
                    if mail.uid == uid:
                        del self.mails[place - 1]
                        gone.append(place)
                        break
            self.changes += 1
        return gone

    def bodies(self) -> list[bytes]:
        with self.lock:
            return [mail.body for mail in self.mails]


Play = Callable[["Session", str, bytes], bytes | None]


class Server:
    """play: see the module docstring. said: every command of every connection, in order."""

    def __init__(
        self,
        folder: Folder,
        *,
        play: Play = lambda session, name, arguments: None,
        capabilities: str = CAPABILITIES,
        greeting: str = "* OK scripted",
        context: ssl.SSLContext | None = None,
        tokens: set[str] | None = None,
        password: str = "correct-horse",
        is_noting: bool = True,
    ) -> None:
        self.folders = {"INBOX": folder}
        self.play = play
        self.capabilities = capabilities
        self.greeting = greeting
        self.context = context
        self.tokens = tokens if tokens is not None else set()
        self.password = password
        self.said: list[str] = []
        self._is_noting = is_noting
        self.heard = threading.Condition()
        self.connections = 0
        self.is_closing = False
        self._server = _Listener(("127.0.0.1", 0), _Connection)
        self._server.script = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(TICK_S,), daemon=True)

    @property
    def port(self) -> int:
        port: int = self._server.server_address[1]
        return port

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_closing = True
        self._server.shutdown()
        self._server.server_close()

    def note(self, text: str) -> None:
        if not self._is_noting:
            return
        with self.heard:
            self.said.append(text)
            self.heard.notify_all()

    async def until_said(self, text: str, *, times: int = 1, limit_s: float = 10) -> None:
        """Wait until a client has said it so often."""
        await asyncio.to_thread(self._wait_for, text, times, limit_s)

    def _wait_for(self, text: str, times: int, limit_s: float) -> None:
        with self.heard:
            enough = self.heard.wait_for(lambda: self.said.count(text) >= times, limit_s)
        assert enough, f"nobody said {text!r} {times} times: {self.said[-30:]}"


class _Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = True
    request_queue_size = 64
    script: Server


class _Connection(socketserver.BaseRequestHandler):
    server: _Listener

    def handle(self) -> None:
        session = Session(self.request, self.server.script)
        with contextlib.suppress(OSError, ValueError):
            session.converse()
        session.close()


class Session:
    """One connection. folder: the one that is open."""

    def __init__(self, sock: socket.socket, script: Server) -> None:
        self.script = script
        self.sock = sock
        self.sock.settimeout(TICK_S)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.tag = ""
        self.folder: Folder | None = None
        self._waiting = b""
        self._seen = 0
        self._epoch = 0
        self._done = {
            "CAPABILITY": self._capability, "NOOP": self._noop, "STARTTLS": self._starttls, "LOGIN": self._login,
            "AUTHENTICATE": self._authenticate, "SELECT": self._select, "EXAMINE": self._select,
            "UID SEARCH": self._search, "SEARCH": self._search, "UID FETCH": self._fetch, "FETCH": self._fetch,
            "UID STORE": self._store, "UID EXPUNGE": self._expunge, "UID MOVE": self._move, "UID COPY": self._copy,
            "CREATE": self._create, "LIST": self._list, "IDLE": self._idle, "LOGOUT": self._logout,
            "STATUS": self._status,
        }  # fmt: skip

    def send(self, content: bytes | str) -> None:
        self.sock.sendall(content if isinstance(content, bytes) else content.encode() + b"\r\n")

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.sock.close()

    def converse(self) -> None:
        self.script.connections += 1
        self.send(self.script.greeting)
        try:
            while (line := self.line()) is not None:
                self._answer(line)
        except Hangup as hangup:
            self.send(hangup.last_words)

    def line(self) -> bytes | None:
        """One line without its end; None when the client has gone."""
        while b"\r\n" not in self._waiting:
            if self.script.is_closing:
                return None
            try:
                received = self.sock.recv(65_536)
            except TimeoutError:
                if self._is_idle:
                    return b""
                continue
            if not received:
                return None
            self._waiting += received
        line, _, self._waiting = self._waiting.partition(b"\r\n")
        return line

    _is_idle = False

    def _answer(self, line: bytes) -> None:
        tag, _, rest = line.partition(b" ")
        self.tag = tag.decode()
        words = rest.split(b" ")
        name = words[0].decode().upper()
        used = 1
        if name == "UID":
            name, used = f"UID {words[1].decode().upper()}", 2
        arguments = b" ".join(words[used:])
        self.script.note(f"{name} {arguments.decode()}" if name == "UID FETCH" else name)
        scripted = self.script.play(self, name, arguments)
        if scripted is not None:
            self.send(scripted.replace(b"{tag}", tag))
            return
        self.perform(name, arguments)

    def perform(self, name: str, arguments: bytes) -> None:
        """Do as an honest server does, and say so."""
        self._done[name](name, arguments)

    @contextlib.contextmanager
    def opened(self) -> Iterator[Folder]:
        """The open folder, which nobody changes meanwhile; the connection ends when it was numbered anew."""
        folder = self.folder
        assert folder is not None
        with folder.lock:
            if folder.epoch != self._epoch:
                raise Hangup(b"* BYE the mailbox was numbered anew\r\n")
            yield folder

    def ok(self, text: str = "done") -> None:
        self.send(f"{self.tag} OK {text}")

    def _capability(self, name: str, arguments: bytes) -> None:
        self.send(f"* CAPABILITY {self.script.capabilities}")
        self.ok()

    def _noop(self, name: str, arguments: bytes) -> None:
        self._tell_exists()
        self.ok()

    def _tell_exists(self) -> None:
        if self.folder is not None:
            self._seen = self.folder.changes
            self.send(f"* {len(self.folder.mails)} EXISTS")

    def _starttls(self, name: str, arguments: bytes) -> None:
        self.ok("begin TLS")
        assert self.script.context is not None
        self.sock.settimeout(5)
        self.sock = self.script.context.wrap_socket(self.sock, server_side=True)
        self.sock.settimeout(TICK_S)

    def _login(self, name: str, arguments: bytes) -> None:
        is_right = arguments.endswith(f'"{self.script.password}"'.encode())
        self.ok() if is_right else self.send(f"{self.tag} NO [AUTHENTICATIONFAILED] no")

    def _authenticate(self, name: str, arguments: bytes) -> None:
        self.send("+ ")
        said = base64.b64decode(self.line() or b"").decode()
        mechanism = arguments.decode().upper()
        self.script.note(f"SASL {said}")
        if mechanism == "PLAIN":
            is_right = said.endswith(f"\0{self.script.password}")
        else:
            is_right = any(f"auth=Bearer {token}\1" in said for token in self.script.tokens)
            if not is_right:
                self.send("+ " + base64.b64encode(b'{"status":"400"}').decode())
                self.script.note(f"SASL {base64.b64decode(self.line() or b'').decode()!r}")
        self.ok() if is_right else self.send(f"{self.tag} NO [AUTHENTICATIONFAILED] no")

    def _select(self, name: str, arguments: bytes) -> None:
        folder = self.script.folders.get(arguments.decode().strip('"'))
        if folder is None:
            self.send(f"{self.tag} NO no such folder")
            return
        self.folder = folder
        with folder.lock:
            self._epoch = folder.epoch
            self.send("* FLAGS (\\Seen \\Deleted)")
            self._tell_exists()
            self.send("* 0 RECENT")
            if folder.uidvalidity is not None:
                self.send(f"* OK [UIDVALIDITY {folder.uidvalidity}] ok")
            self.send(f"* OK [UIDNEXT {folder.uidnext}] ok")
        self.ok("[READ-ONLY] done" if name == "EXAMINE" else "[READ-WRITE] done")

    def _list(self, name: str, arguments: bytes) -> None:
        wanted = arguments.split()[-1].decode().strip('"')
        for each in self.script.folders:
            if wanted in ("*", each):
                self.send(f'* LIST () "/" {each}')
        self.ok()

    def _status(self, name: str, arguments: bytes) -> None:
        self.ok()

    def _create(self, name: str, arguments: bytes) -> None:
        self.script.folders[arguments.decode().strip('"')] = Folder()
        self.ok()

    def _logout(self, name: str, arguments: bytes) -> None:
        self.send("* BYE")
        self.ok()
        raise Hangup

    def _search(self, name: str, arguments: bytes) -> None:
        with self.opened() as folder:
            if arguments in {b"DELETED", b"(DELETED)"}:
                found = [mail.uid for mail in folder.mails if "\\Deleted" in mail.flags]
            else:
                words = arguments.replace(b"(", b"").replace(b")", b"").split()
                found = self._uids(words[-1])
        self.send("* SEARCH " + " ".join(map(str, found)) if found else "* SEARCH")
        self.ok()

    def _uids(self, numbers: bytes) -> list[int]:
        """The UIDs of a set that are there; a range that ends with * always has the last mail."""
        assert self.folder is not None
        present = [mail.uid for mail in self.folder.mails]
        return _members(numbers, present)

    def _fetch(self, name: str, arguments: bytes) -> None:
        numbers, _, items = arguments.partition(b" ")
        self.send(self.fetched(name, numbers, items))
        self.ok()

    def fetched(self, name: str, numbers: bytes, items: bytes) -> bytes:
        """The honest answers to a FETCH."""
        parts: list[bytes] = []
        with self.opened() as folder:
            mails = folder.mails
            if name == "UID FETCH":
                wanted = set(self._uids(numbers))
            else:
                places = _members(numbers, list(range(1, len(mails) + 1)))
                wanted = {mails[place - 1].uid for place in places}
            for place, mail in enumerate(mails, 1):
                if mail.uid in wanted:
                    parts.append(fetch_line(place, mail, items))
        return b"".join(parts)

    def _store(self, name: str, arguments: bytes) -> None:
        numbers, flag = arguments.split()[0], arguments.split()[-1].decode().strip("()")
        with self.opened() as folder:
            wanted = set(self._uids(numbers))
            for mail in folder.mails:
                if mail.uid in wanted:
                    mail.flags.add(flag)
        self.ok()

    def _expunge(self, name: str, arguments: bytes) -> None:
        with self.opened() as folder:
            wanted = set(self._uids(arguments))
            deleted = [m.uid for m in folder.mails if m.uid in wanted and "\\Deleted" in m.flags]
            for place in folder.remove(deleted):
                self.send(f"* {place} EXPUNGE")
        self.ok()

    def _move(self, name: str, arguments: bytes) -> None:
        if not self._copied(arguments):
            return
        with self.opened() as folder:
            for place in folder.remove(self._uids(arguments.split()[0])):
                self.send(f"* {place} EXPUNGE")
        self.ok()

    def _copy(self, name: str, arguments: bytes) -> None:
        if self._copied(arguments):
            self.ok()

    def _copied(self, arguments: bytes) -> bool:
        assert self.folder is not None
        numbers, target = arguments.split(b" ", 1)
        folder = self.script.folders.get(target.decode().strip('"'))
        if folder is None:
            self.send(f"{self.tag} NO [TRYCREATE] no such folder")
            return False
        wanted = set(self._uids(numbers))
        folder.deliver(*(mail.body for mail in self.folder.mails if mail.uid in wanted))
        return True

    def _idle(self, name: str, arguments: bytes) -> None:
        self.send("+ idling")
        self._is_idle = True
        try:
            while (line := self.line()) == b"":
                if self.folder is not None and self.folder.changes != self._seen:
                    with self.opened():
                        self._tell_exists()
        finally:
            self._is_idle = False
        if line is None:
            raise Hangup
        assert line == b"DONE"
        self.ok()


def is_body(name: str, arguments: bytes) -> bool:
    """Whether a command asks for a mail's bytes."""
    return name == "UID FETCH" and b"BODY" in arguments


def fetch_line(place: int, mail: Mail, items: bytes) -> bytes:
    """One answer as an honest server writes it."""
    parts = [b"UID %d" % mail.uid]
    if b"INTERNALDATE" in items:
        parts.append(b"INTERNALDATE " + mail.date.encode())
    if b"RFC822.SIZE" in items:
        parts.append(b"RFC822.SIZE %d" % len(mail.body))
    if b"BODY.PEEK[]" in items:
        parts.append(b"BODY[] {%d}\r\n%s" % (len(mail.body), mail.body))
    return b"* %d FETCH (%s)\r\n" % (place, b" ".join(parts))


def _members(numbers: bytes, present: list[int]) -> list[int]:
    highest = max(present, default=0)
    found: set[int] = set()
    for part in numbers.split(b","):
        ends = [highest if end == b"*" else int(end) for end in part.split(b":")]
        low, high = min(ends), max(ends)
        found.update(each for each in present if low <= each <= high)
    return sorted(found)


@contextlib.contextmanager
def serving(*bodies: bytes, **options: Any) -> Iterator[Server]:
    """A server with these mails in its INBOX."""
    with Server(Folder(*bodies), **options) as server:
        yield server
