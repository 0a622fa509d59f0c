"""Voicemails written down by a program of the admin's own: no recording leaves the house.

`calls.transcribe: [whisper-intake, "{file}"]` is run for each voicemail of accounts that say `transcription: local`, once the
recording is here: {file} is its path. It prints {"text": …, "language": "pl", "confidence": 0.9} or bare text. What it says
comes in by the journal like anything told of a call, once for each recording, so that it is settled in the call's order and
can be replayed. One at a time, with low priority; a program that breaks or takes too long is tried once more.
"""

import asyncio
import contextlib
import logging
import os
import signal
import tempfile
import urllib.parse
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import BigInteger, bindparam, or_, select

from channels.contract import Happened, RawMessage, Unavailable
from intake.journal import Journal
from intake.store import blobs, schema
from intake.store.engine import Ids, Store, StoreError, Tx
from intake.store.statements import Statement, values_of

TRIES = 2
LOOK_S = 3_600.0
SINCE_US = 2 * 24 * 3_600 * 1_000_000  # what is older than that is not waited for any more
AT_ONCE = 20
OUTPUT_MAX_BYTES = 256 * 1024
TEXT_MAX_CHARACTERS = 20_000
COMPLAINT_MAX_CHARACTERS = 200
NICE = 10
PLACE = "{file}"

log = logging.getLogger("intake.transcribing")
Told = Callable[[str, dict[str, Any]], None]

_encode = msgspec.json.Encoder().encode
_f, _c = schema.fetches.c, schema.calls.c
_WAITING = Statement(
    select(_f.id, _f.account, _f.reference, _f.blob_id, _c.call, _c.session)
    .join(schema.calls, (_c.ticket_id == _f.ticket_id) & (_c.message_id == _f.message_id))
    .where(
        _f.id >= bindparam("after"),
        _f.id.not_in(values_of("but", BigInteger())),
        _f.blob_id.is_not(None),
        or_(_f.state == "done", _f.state == "here"),  # not what waits to be scanned, or is infected
        _f.account.in_(values_of("accounts")),
        _c.outcome == "voicemail",
        _c.timeline.not_like("%transcribed%"),
    )
    .order_by(_f.id)
    .limit(bindparam("most"))
)


class Said(msgspec.Struct, frozen=True):
    """What the program understood. confidence: 0 to 1, None = it does not say."""

    text: str
    language: str | None = None
    confidence: float | None = None


class TranscribingFailed(Exception):
    """The program did not write a recording down: one sentence."""


class Waiting(msgspec.Struct, frozen=True):
    """A voicemail that is here and not written down."""

    id: int
    account: str
    recording: str
    blob_id: int
    call: str
    session: str | None


class Transcribing:
    """Writes down for as long as it runs. kinds: account -> kind of its channel; command: () = there is no program."""

    def __init__(
        self,
        store: Store,
        journal: Journal,
        *,
        kinds: Mapping[str, str],
        command: Sequence[str],
        limit_s: float,
        folder: Path,
        told: Told = lambda event, fields: None,
    ) -> None:
        self._store, self._journal, self._folder = store, journal, folder
        self._kinds, self._command, self._limit_s = dict(kinds), tuple(command), limit_s
        self._told = told
        self._wake = asyncio.Event()
        self._tries: dict[int, int] = {}

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Write down until cancelled; what is under way then is written down after the next start."""
        while True:
            self._wake.clear()
            try:
                while self._command and self._kinds and await self.write_down():
                    pass
            except (StoreError, Unavailable) as error:
                self._told("transcribing_delayed", {"reason": str(error)})
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._wake.wait()

    async def write_down(self) -> int:
        """Write down what waits, some at a time; how many were tried. Raises: StoreError, Unavailable."""
        given_up = [number for number, tries in self._tries.items() if tries >= TRIES]
        waiting = await self._store.read(lambda tx: look(tx, self._kinds, but=given_up))
        for each in waiting:
            self._tries[each.id] = self._tries.get(each.id, 0) + 1
            await self._write_one(each)
        return len(waiting)

    async def _write_one(self, waiting: Waiting) -> None:
        sound = await self._store.read(lambda tx: blobs.body_of(tx, waiting.blob_id, self._folder))
        try:
            said = await transcribed(self._command, sound, limit_s=self._limit_s)
        except TranscribingFailed as error:
            fields = {"account": waiting.account, "call": waiting.call, "reason": str(error)}
            self._told("transcribing_failed", fields)
            return
        self._tries[waiting.id] = TRIES  # it is told once, however long its settlement takes
        await self._journal.submit(self._raw(waiting, said))

    def _raw(self, waiting: Waiting, said: Said) -> RawMessage:
        now = self._store.now()
        details = {**msgspec.to_builtins(said), "recording": waiting.recording, "by": "local"}
        return RawMessage(
            kind=self._kinds[waiting.account],
            account=waiting.account,
            lane=f"call:{waiting.call}",
            body=urllib.parse.urlencode({"CallSid": waiting.call}).encode(),
            received_at=now,
            keys=(f"transcript:{waiting.account}:{waiting.recording}",),
            envelope={
                "path": "call/transcription",
                "by": "local",
                "session": waiting.session or f"{waiting.account}:{waiting.call}",
                "happened": msgspec.to_builtins([Happened("transcribed", now, details)]),
            },
        )


def look(tx: Tx, accounts: Collection[str], *, but: Collection[int] = ()) -> list[Waiting]:
    """Return voicemails that are here and not written down, the oldest first. but: ids that are not looked for."""
    rows = tx.all(
        _WAITING,
        after=Ids.lowest(tx.now - SINCE_US),
        accounts=_encode(sorted(accounts)).decode(),
        but=_encode([str(number) for number in but]).decode(),
        most=AT_ONCE,
    )
    return [Waiting(*row) for row in rows if row[2] and row[3] is not None]


async def transcribed(command: Sequence[str], sound: bytes, *, limit_s: float) -> Said:
    """Let the program write a recording down. Raises: TranscribingFailed."""
    with tempfile.TemporaryDirectory(prefix="intake-voicemail-") as folder:
        path = Path(folder) / "voicemail.mp3"
        await asyncio.to_thread(path.write_bytes, sound)
        output = await _output([each.replace(PLACE, str(path)) for each in command], limit_s=limit_s)
    return _read(output)


async def _output(command: Sequence[str], *, limit_s: float) -> bytes:
    """Run a program; what it prints. Raises: TranscribingFailed."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # what it starts itself ends with it
        )
    except OSError as error:
        raise TranscribingFailed(f"'{command[0]}' cannot be run: {error.strerror}") from None
    with contextlib.suppress(OSError):  # it has ended already
        os.setpriority(os.PRIO_PROCESS, process.pid, NICE)
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    assert process.stderr is not None  # noqa: S101
    code = None
    try:
        async with asyncio.timeout(limit_s):
            reading = (_read_whole(process.stdout), _read_whole(process.stderr))
            output, complaint = await asyncio.gather(*reading)
            code = await process.wait()
    except TimeoutError:
        raise TranscribingFailed(f"'{command[0]}' took longer than {limit_s:g} s") from None
    finally:
        if code is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if code:
        raise TranscribingFailed(f"'{command[0]}' ended with {code}{_last_line(complaint)}")
    return output


async def _read_whole(stream: asyncio.StreamReader) -> bytes:
    """Read until the program has said all; what is too much is read and forgotten, or it would wait for us for ever."""
    output = bytearray()
    while piece := await stream.read(OUTPUT_MAX_BYTES):
        output += piece[: OUTPUT_MAX_BYTES - len(output)]
    return bytes(output)


def _last_line(complaint: bytes) -> str:
    """Return what a program has complained of last, for a log."""
    lines = complaint.decode("utf-8", "replace").strip().splitlines()
    return f": {lines[-1].strip()[:COMPLAINT_MAX_CHARACTERS]}" if lines else ""


def _read(output: bytes) -> Said:
    """Return what a program has printed: JSON, or bare text. Raises: TranscribingFailed when it is nothing."""
    plain = output.decode("utf-8", "replace").strip()
    try:
        said = msgspec.json.decode(plain, type=Said)
    except msgspec.DecodeError:
        said = Said(plain)
    text = said.text.strip()[:TEXT_MAX_CHARACTERS]
    if not text:
        raise TranscribingFailed("the program has understood nothing")
    sure = said.confidence if said.confidence is None else min(max(said.confidence, 0.0), 1.0)
    language = said.language.lower()[:2] if said.language else None
    return Said(text, language, sure)
