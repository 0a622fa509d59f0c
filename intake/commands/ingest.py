"""Takes mails from files through the real pipeline: .eml, mboxes, Maildirs and folders of them, or "-" for one on stdin.

Safe beside a running daemon, which then settles what was journalled. What was taken once is not taken again, so a
run that was broken off is simply started again. "-" ends as a mail server expects of a pipe (sysexits): 0 taken,
65 the mail is at fault (empty, or too large), 75 try again.
"""

import argparse
import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from channels.contract import RawMessage, Unavailable
from channels.email import files
from intake import cli, pipe, terminal
from intake.commands import messages, options, output, piping, settling
from intake.wiring import Wired

MAX_SIZE_BYTES = 64 * 1024 * 1024  # where the channel sets none
BATCH = 100
BATCH_BYTES = 16 * 1024 * 1024


class Summary(msgspec.Struct):
    """taken: became (part of) tickets; duplicates: known before; refused: too big, or not to be read."""

    taken: int = 0
    duplicates: int = 0
    automatic: int = 0
    quarantined: int = 0
    pending: int = 0
    refused: int = 0


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", metavar="PATH")
    parser.add_argument(
        "--kind", default="email", metavar="KIND", help="email (default), or an account's kind"
    )
    parser.add_argument(
        "--account", metavar="NAME", help="whose mail it is; default: the first account of the kind"
    )
    piping.configure(parser)
    options.add_config(parser)
    options.add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Take files, or the one mail on stdin; what else may happen to the latter is judged by intake.pipe."""
    with options.wired(arguments) as wired:
        source = messages.source_of(wired.settings, arguments.kind, account=arguments.account)
        ingestion = _Ingestion(wired, source)
        if arguments.paths == ["-"]:
            states = piping.take(wired, source, arguments, os.environ, limit_bytes=ingestion.limit_bytes)
            if states is None:
                return pipe.EX_DATAERR
            ingestion.count(states)
        else:
            found = [file for path in arguments.paths for file in files.search(Path(path))]
            if not found:
                raise cli.WrongInput(
                    "there is no mail: name .eml files, mboxes, Maildirs, or folders of them"
                )
            total = sum(file.size_bytes for file in found)
            asyncio.run(ingestion.take_all(_mails(found, ingestion.summary), total=total))
    _tell(ingestion.summary, is_json=arguments.is_json)
    return cli.FAILED if ingestion.summary.refused else 0


def _mails(found: Sequence[files.File], summary: Summary) -> Iterator[tuple[bytes, int]]:
    """Give each mail and its size in its file; a file that cannot be read is told and counted."""
    for file in found:
        try:
            for body in files.read(file):
                yield body, len(body)
        except OSError as error:
            terminal.complain(f"{file.path}: {error.strerror}")
            summary.refused += 1


def _tell(summary: Summary, *, is_json: bool) -> None:
    if is_json:
        output.print_json(msgspec.to_builtins(summary))
        return
    counts = ((name.replace("_", " "), value) for name, value in msgspec.to_builtins(summary).items())
    shown = [
        f"{value} {name}" for name, value in counts if value or name in ("taken", "duplicates", "quarantined")
    ]
    print(", ".join(shown))


class _Ingestion:
    """One run: mails in batches through the gate, then the wait for their settlement."""

    def __init__(self, wired: Wired, source: messages.Source) -> None:
        self.summary = Summary()
        self.limit_bytes: int = getattr(source.reader.options, "max_size_bytes", MAX_SIZE_BYTES)
        self._wired, self._source = wired, source
        self._journalled: list[int] = []

    async def take_all(self, mails: Iterator[tuple[bytes, int]], *, total: int) -> None:
        bar = terminal.Progress("taking in", total=total)
        try:
            batch: list[RawMessage] = []
            waiting_bytes = 0
            for body, size in mails:
                bar.step(size, note=f"{len(self._journalled)} mails")
                if not self._is_takeable(body):
                    continue
                batch.append(self._raw(body))
                waiting_bytes += size
                if len(batch) >= BATCH or waiting_bytes >= BATCH_BYTES:
                    await self._submit(batch)
                    batch, waiting_bytes = [], 0
            await self._submit(batch)
        finally:
            bar.close()
        await self._settle()

    def _is_takeable(self, body: bytes) -> bool:
        if 0 < len(body) <= self.limit_bytes:
            return True
        terminal.complain(
            "an empty mail was left out" if not body else f"a mail of {len(body)} bytes is too big"
        )
        self.summary.refused += 1
        return False

    def _raw(self, body: bytes) -> RawMessage:
        source = self._source
        return files.raw_from(body, kind=source.kind, account=source.account, received_at=datetime.now(UTC))

    async def _submit(self, batch: list[RawMessage]) -> None:
        """Journal what is not known yet, as one group of writes, in order."""
        known = await self._wired.journal.known({key for raw in batch for key in raw.keys})
        seen = set(known)
        fresh: list[RawMessage] = []
        for raw in batch:
            if seen.intersection(raw.keys):
                self.summary.duplicates += 1
            else:
                seen.update(raw.keys)
                fresh.append(raw)
        try:
            receipts = await asyncio.gather(*(self._wired.journal.submit(raw) for raw in fresh))
        except Unavailable as error:
            raise cli.Failed(f"{error.reason}; start it again, what was taken stays taken") from None
        self._journalled += [receipt.id for receipt in receipts]

    async def _settle(self) -> None:
        bar = terminal.Progress("settling", total=len(self._journalled))
        states = await settling.settle_all(
            self._wired,
            self._journalled,
            said=lambda left: bar.step(len(self._journalled) - left - bar.done),
        )
        bar.close()
        self.count(states)

    def count(self, states: Mapping[str, int]) -> None:
        """Add what became of the journal's rows: state -> how many."""
        self.summary.taken = states.get("ticket", 0)
        self.summary.automatic = states.get("automatic", 0) + states.get("ignored", 0)
        self.summary.quarantined = states.get("quarantined", 0)
        self.summary.pending = states.get("pending", 0)
        self.summary.duplicates += states.get("duplicate", 0)
