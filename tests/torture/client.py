"""An SMTP load client in a process of its own, with a ledger of what it was promised.

`python -m tests.torture.client --port 2525 --ledger sent.ledger --connections 20 --seconds 60` sends mails of the mix.
A mail that is not acknowledged is sent again with the same bytes until it is. Pipelines MAIL, RCPT and DATA where the server
announces it (RFC 2920), as mail servers do. Lines on stdin steer it: `hold` (send nothing), `go`, `drain` (send again
what has no acknowledgement, nothing new, then end), `stop` (end now). One JSON line with the figures ends it.

The ledger is text, appended before and after each event and never rewritten: `S n` sent, `A n` acknowledged with 250,
`R n code` refused for now, `U n` unknown (the connection broke before the answer).
"""

import argparse
import asyncio
import collections
import json
import os
import pathlib
import resource
import sys
import time

from tests.torture import mailmix

_RECONNECT_S = 0.03


class Ledger:
    """Appends with one write each, so that a killed client leaves whole lines. path "": kept nowhere."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if path else None

    def note(self, line: str) -> None:
        if self._file is not None:
            os.write(self._file, line.encode())


class Load:
    """What is to be sent and what became of it. Times are seconds of the monotonic clock."""

    def __init__(self, pool: mailmix.Pool, ledger: Ledger, *, options: argparse.Namespace) -> None:
        self.pool = pool
        self.ledger = ledger
        self.options = options
        self.is_held = options.held
        self.is_draining = False
        self.is_over = False
        self.started_at = 0.0
        self.latencies: list[float] = []
        self.acks: list[tuple[int, float]] = []
        self.acked_bytes = 0
        self.refused = collections.Counter[str]()
        self.unknown = 0
        self.silences = 0
        self._next = options.first
        self._again: collections.deque[int] = collections.deque()
        self._flying: set[int] = set()
        self.changed = asyncio.Event()

    def take(self) -> mailmix.Mail | None:
        """Give the next mail; None when there is none to send now."""
        if self.is_held or self.is_over:
            return None
        if self._again:
            return self._fly(self._again.popleft())
        if self.is_draining or self._is_enough():
            return None
        self._next += 1
        return self._fly(self._next - 1)

    def _fly(self, number: int) -> mailmix.Mail:
        self._flying.add(number)
        self.ledger.note(f"S {number}\n")
        return self.pool.mail(number)

    def _is_enough(self) -> bool:
        options = self.options
        sent = self._next - options.first
        if options.count and sent >= options.count:
            return True
        elapsed = time.monotonic() - self.started_at
        if options.seconds and elapsed >= options.seconds:
            return True
        return bool(options.rate) and sent >= elapsed * options.rate

    def acked(self, mail: mailmix.Mail, *, since: float) -> None:
        self.ledger.note(f"A {mail.number}\n")
        self._flying.discard(mail.number)
        now = time.monotonic()
        self.latencies.append(now - since)
        self.acks.append((mail.number, now))
        self.acked_bytes += len(mail.content)

    def refused_with(self, mail: mailmix.Mail, reply: str) -> None:
        self.ledger.note(f"R {mail.number} {reply[:3]}\n")
        self.refused[reply[:60]] += 1
        self._return(mail)

    def broke(self, mail: mailmix.Mail) -> None:
        self.ledger.note(f"U {mail.number}\n")
        self.unknown += 1
        self._return(mail)

    def _return(self, mail: mailmix.Mail) -> None:
        self._flying.discard(mail.number)
        self._again.append(mail.number)

    def is_done(self) -> bool:
        if self.is_over:
            return True
        options = self.options
        elapsed = time.monotonic() - self.started_at
        is_last = self.is_draining or (options.count and self._next - options.first >= options.count)
        if is_last or (options.seconds and elapsed >= options.seconds):
            return not self._flying and not self._again
        return False

    def obey(self, command: str) -> None:
        self.is_held = command == "hold"
        self.is_draining = self.is_draining or command == "drain"
        self.is_over = self.is_over or command == "stop"
        self.changed.set()


class Connection(asyncio.Protocol):
    """One session: a state is the function that takes the next reply."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._buffer = b""
        self._mail: mailmix.Mail | None = None
        self._since = 0.0
        self._pipelines = False
        self._replies_left = 0
        self._is_refused = ""
        self._step = self._greeted
        self._left = load.options.per_connection
        self.closed = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._mail is not None:
            self._load.broke(self._mail)
            self._mail = None
        if not self.closed.done():
            self.closed.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\n" in self._buffer:
            line, self._buffer = self._buffer.split(b"\n", 1)
            if line.upper().startswith(b"250-PIPELINING") or line.upper().startswith(b"250 PIPELINING"):
                self._pipelines = True
            if line[3:4] != b"-" and not self._transport.is_closing():
                self._step(line.decode("latin-1").rstrip())

    def _greeted(self, reply: str) -> None:
        if not reply.startswith("220"):
            self._transport.abort()
            return
        self._step = self._introduced
        self._transport.write(b"EHLO load.example.net\r\n")

    def _introduced(self, reply: str) -> None:
        self._begin()

    def _begin(self) -> None:
        """Send the next mail, or wait for one."""
        if self._transport.is_closing():
            return
        if self._left <= 0:
            self._transport.write(b"QUIT\r\n")
            self._transport.close()
            return
        self._mail = self._load.take()
        if self._mail is None:
            if self._load.is_done():
                self._transport.close()
            else:
                asyncio.get_running_loop().call_later(0.004, self._begin)
            return
        self._left -= 1
        self._since = time.monotonic()
        self._envelope(self._mail)

    def _envelope(self, mail: mailmix.Mail) -> None:
        self._commands = [
            f"MAIL FROM:<{mail.sender}>\r\n".encode(),
            f"RCPT TO:<{self._load.pool.recipient}>\r\n".encode(),
            b"DATA\r\n",
        ]
        self._replies_left = 3
        self._is_refused = ""
        self._step = self._enveloped
        if self._pipelines:
            self._transport.write(b"".join(self._commands))
            self._commands.clear()
        else:
            self._transport.write(self._commands.pop(0))

    def _enveloped(self, reply: str) -> None:
        self._replies_left -= 1
        if not reply.startswith(("250", "354")):
            self._is_refused = self._is_refused or reply
        if self._is_refused and (self._commands or self._replies_left == 0):
            self._refuse(self._is_refused)
        elif self._replies_left:
            if self._commands:
                self._transport.write(self._commands.pop(0))
        else:
            self._step = self._answered
            assert self._mail is not None
            self._transport.writelines((self._mail.content, b"\r\n.\r\n"))

    def _answered(self, reply: str) -> None:
        if self._mail is None:  # "421 closing" between two mails
            self._transport.abort()
            return
        if not reply.startswith("250"):
            self._refuse(reply)
            return
        self._load.acked(self._mail, since=self._since)
        self._mail = None
        self._begin()

    def give_up_on_silence(self) -> None:
        """Break the connection when the server has owed an answer for too long."""
        if self._mail is not None and time.monotonic() - self._since > self._load.options.reply_s:
            self._load.silences += 1
            self._transport.abort()

    def _refuse(self, reply: str) -> None:
        """Note the refusal and leave: a new connection is simpler than RSET in the middle of a pipeline."""
        assert self._mail is not None
        self._load.refused_with(self._mail, reply)
        self._mail = None
        self._transport.abort()


async def keep_connected(load: Load) -> None:
    """Hold one connection open, again and again, until the load is done."""
    loop = asyncio.get_running_loop()
    while not load.is_done():
        try:
            _, connection = await loop.create_connection(
                lambda: Connection(load), load.options.host, load.options.port
            )
        except OSError:
            await asyncio.sleep(_RECONNECT_S)
            continue
        while not connection.closed.done():
            await asyncio.wait({connection.closed}, timeout=1)
            connection.give_up_on_silence()
        refused_pause = 0.05 if load.refused else 0
        await asyncio.sleep(refused_pause)


async def obey_stdin(load: Load) -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        load.obey(line.decode().strip())


def figures(load: Load, *, elapsed_s: float) -> dict[str, object]:
    """Sum up: rates a second, latencies in milliseconds, the client's own share of a core."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    ordered = sorted(load.latencies) or [0.0]
    acked = len(load.latencies)
    return {
        "acked": acked,
        "rate": acked / elapsed_s,
        "elapsed_s": elapsed_s,
        "mib": load.acked_bytes / 2**20,
        "unknown": load.unknown,
        "silences": load.silences,
        "refused": dict(load.refused),
        "p50_ms": ordered[len(ordered) // 2] * 1000,
        "p99_ms": ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1000,
        "max_ms": ordered[-1] * 1000,
        "cpu_share": (usage.ru_utime + usage.ru_stime - load.options.cpu_before_s) / elapsed_s,
        "started_at": load.started_at,
    }


async def run(options: argparse.Namespace) -> tuple[Load, float]:
    """Send; what became of it, and the seconds it took."""
    pool = mailmix.Pool(mailmix.MIXES[options.mix], seed=options.seed, recipient=options.recipient)
    for number in range(2_000):
        pool.mail(number)
    load = Load(pool, Ledger(options.ledger), options=options)
    steering = asyncio.create_task(obey_stdin(load)) if options.steered else None
    print("ready", flush=True)
    if options.held:
        await load.changed.wait()
    usage = resource.getrusage(resource.RUSAGE_SELF)
    options.cpu_before_s = usage.ru_utime + usage.ru_stime
    load.started_at = time.monotonic()
    async with asyncio.timeout(options.limit_s):
        await asyncio.gather(*(keep_connected(load) for _ in range(options.connections)))
    elapsed_s = time.monotonic() - load.started_at
    if steering:
        steering.cancel()
    return load, elapsed_s


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.torture.client", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--recipient", default="support@example.com")
    parser.add_argument("--mix", choices=sorted(mailmix.MIXES), default="mix")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first mail")
    parser.add_argument("--connections", type=int, default=10)
    parser.add_argument("--per-connection", type=int, default=100, help="mails before QUIT")
    parser.add_argument("--count", type=int, default=0, help="mails to send; 0 = until --seconds")
    parser.add_argument("--seconds", type=float, default=0, help="how long new mails are sent")
    parser.add_argument(
        "--rate", type=float, default=0, help="mails a second at most; 0 = as fast as they are taken"
    )
    parser.add_argument("--limit-s", type=float, default=600, help="end after this, whatever is missing")
    parser.add_argument("--reply-s", type=float, default=40, help="the longest wait for an answer")
    parser.add_argument("--ledger", default="")
    parser.add_argument(
        "--times", default="", help="file for the number and monotonic instant of each acknowledgement"
    )
    parser.add_argument("--steered", action="store_true", help="obey stdin")
    parser.add_argument("--held", action="store_true", help="wait for `go` on stdin before the first mail")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    load, elapsed_s = asyncio.run(run(options))
    if options.times:
        pathlib.Path(options.times).write_text("".join(f"{number} {at}\n" for number, at in load.acks))
    print(json.dumps(figures(load, elapsed_s=elapsed_s)), flush=True)


if __name__ == "__main__":
    main()
