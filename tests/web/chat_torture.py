"""500 pages that are cut every 5 s, a daemon that is killed twice, 100 000 lines: none lost, none twice, in order.

    python -m tests.web.chat_torture [--pages 500] [--lines 200] [--cut 5] [--restarts 2]

One page in five goes by posts and a stream. An agent answers one line in ten from another process's store, so that the daemon
has to find what it did not write itself. At the end every page reads its chat anew and holds it against what it heard.
"""

import argparse
import asyncio
import contextlib
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from sqlalchemy import text as sql

from intake import desk, session_lines, settings, wiring
from intake.store.engine import StoreError
from intake.store.statements import Statement
from tests.torture.daemons import Daemon
from tests.web.chat_crowd import Page
from tests.web.chat_world import RULES

CONFIG = """\
name: Example
folder: {folder}/data
rules: {folder}/rules.yaml
replies: {folder}/replies
http: {{listen: "127.0.0.1:{port}"}}
log: {{level: error}}
channels:
  website:
    kind: webchat
    origins: ["https://shop.example"]
    contact: never
    limits: {{lines_per_minute: 100000, lines_per_hour: 100000, address_lines_per_minute: 100000,
      address_lines_per_hour: 100000, sockets: 100000}}
"""
SETTLED_WITHIN_S = 300.0
LONG_RUN_LINES = 100_000  # from here on the figures are kept in bench/RESULTS.md
_TICKETS = Statement(sql("SELECT ref FROM tickets"))
_PENDING = Statement(sql("SELECT count(*) FROM journal WHERE state = 'pending'"))
_SAID = Statement(
    sql("SELECT author, body FROM messages WHERE direction = 'in' AND medium = 'chat' ORDER BY author, id")
)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. faults: [] = everything held."""

    lines: int
    answers: int
    connections: int
    seconds: float
    faults: list[str]


class Torture:
    """One run on a folder of its own."""

    def __init__(
        self, folder: Path, *, pages: int, lines: int, cut_s: float, restarts: int, seed: int = 1
    ) -> None:
        self._folder, self._restarts, self._cut_s = folder, restarts, cut_s
        self._dice = random.Random(seed)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "rules.yaml").write_text(RULES)
        (folder / "replies").mkdir(exist_ok=True)
        self._config = folder / "intake.yaml"
        self._daemon = Daemon(folder, config=self._config)
        port = self._daemon.http_port
        self._config.write_text(CONFIG.format(folder=folder, port=port))
        self._base = f"http://127.0.0.1:{port}/chat/website"
        self.pages = [
            Page(
                each, lines=lines, dice=random.Random(f"{seed}/{each}"), cut_s=cut_s, has_socket=each % 5 != 4
            )
            for each in range(pages)
        ]
        self._answers: Counter[str] = Counter()
        self._total = pages * lines

    async def run(self) -> Outcome:
        """Do it all."""
        began = time.monotonic()
        self._daemon.start()
        limit = aiohttp.TCPConnector(limit=0)
        try:
            async with aiohttp.ClientSession(connector=limit) as session:
                await self._until_up(session)
                await self._write(session)
                await self._hear_all(session)
                seconds = time.monotonic() - began
                faults = [*self._live_faults(), *await self._faults_anew(session), *await self._settled()]
        finally:
            self._daemon.kill()
        connections = sum(each.connections for each in self.pages)
        answers = sum(self._answers.values())
        return Outcome(
            lines=self._total, answers=answers, connections=connections, seconds=seconds, faults=faults
        )

    async def _until_up(self, session: aiohttp.ClientSession) -> None:
        async with asyncio.timeout(60):
            while True:
                with contextlib.suppress(aiohttp.ClientError, OSError):
                    async with session.get(self._base.replace("/chat/website", "/healthz")) as answer:
                        if answer.status == 200:
                            return
                if self._daemon.has_ended():
                    raise RuntimeError(self._daemon.log.read_text()[-3_000:])
                await asyncio.sleep(0.05)

    async def _write(self, session: aiohttp.ClientSession) -> None:
        """Let all pages write, while an agent answers and the daemon is killed and started again."""
        writing = [asyncio.create_task(each.live(session, self._base)) for each in self.pages]
        others = [asyncio.create_task(self._kill_now_and_then()), asyncio.create_task(self._answer())]
        try:
            await asyncio.gather(*writing)
        finally:
            for each in others:
                each.cancel()
            await asyncio.gather(*others, return_exceptions=True)

    async def _kill_now_and_then(self) -> None:
        for number in range(self._restarts):
            wanted = self._total * (number + 1) // (self._restarts + 1)
            while sum(len(each.heard) for each in self.pages) < wanted:
                await asyncio.sleep(0.02)
            if number % 2:
                await asyncio.to_thread(self._daemon.stop)
            else:
                await asyncio.to_thread(self._daemon.kill)
            self._daemon.start()

    async def _answer(self) -> None:
        """Answer one line in ten, as a command beside the daemon does."""
        wired = wiring.wire(settings.load(self._config, {}))
        try:
            while True:
                wanted = sum(len(each.heard) for each in self.pages) // 10
                while sum(self._answers.values()) < wanted:
                    await asyncio.to_thread(self._answer_one, wired)
                await asyncio.sleep(0.05)
        finally:
            wired.store.close()

    def _answer_one(self, wired: Any) -> None:
        refs = [row[0] for row in wired.store.read_now(lambda tx: tx.all(_TICKETS))]
        if not refs:
            time.sleep(0.1)
            return
        text = f"answer {sum(self._answers.values())}"
        ref = self._dice.choice(refs)
        with contextlib.suppress(StoreError):
            wired.store.write_now(lambda tx: desk.reply(tx, wired.context, ref, agent="ania", text=text))
            self._answers[text] += 1

    async def _hear_all(self, session: aiohttp.ClientSession) -> None:
        last = await asyncio.to_thread(self._last_numbers)
        async with asyncio.timeout(SETTLED_WITHIN_S):
            await asyncio.gather(
                *(each.hear_up_to(session, self._base, last[each.token]) for each in self.pages)
            )

    def _last_numbers(self) -> dict[str, int]:
        from channels.webchat.tokens import session_of

        names = {session_of("website", each.token): each.token for each in self.pages}
        found = self._read(lambda tx: session_lines.last_of(tx, list(names)))
        return {token: found.get(name, 0) for name, token in names.items()}

    def _read(self, fn: Any) -> Any:
        from intake.store import opening

        store = opening.open_store("", self._daemon.data)
        try:
            return store.read_now(fn)
        finally:
            store.close()

    def _live_faults(self) -> list[str]:
        return [f"page {number}: {fault}" for number, page in enumerate(self.pages) for fault in page.faults]

    async def _faults_anew(self, session: aiohttp.ClientSession) -> list[str]:
        """Read every chat from its beginning, and say what is not as it was heard, or not as it was said."""
        faults: list[str] = []
        answered: Counter[str] = Counter()
        for number, page in enumerate(self.pages):
            again = Page(number, lines=0, dice=random.Random(number), cut_s=1_000)
            again.token = page.token
            await again.hear_up_to(session, self._base, page.last)
            own = [each["text"] for each in again.heard if each["author"] == "customer"]
            answered.update(each["text"] for each in again.heard if each["author"] == "agent")
            if again.heard != page.heard:
                faults.append(f"page {number}: what it heard is not what is kept")
            if own != page.texts:
                faults.append(f"page {number}: wrote {len(page.texts)}, kept {len(own)}, or in another order")
        if answered != self._answers:
            missing, more = self._answers - answered, answered - self._answers
            faults.append(f"answers lost: {len(missing)}, doubled or unknown: {len(more)}")
        return faults

    async def _settled(self) -> list[str]:
        """Wait until every line is a message, and say which are not, or not in order."""
        until = time.monotonic() + SETTLED_WITHIN_S
        while self._read(lambda tx: tx.one(_PENDING))[0]:
            if time.monotonic() > until:
                return ["lines were not settled in time"]
            await asyncio.sleep(0.5)
        by_session: dict[str, list[str]] = {}
        for author, body in self._read(lambda tx: tx.all(_SAID)):
            by_session.setdefault(author, []).append(body)
        kept = sorted(by_session.values())
        return (
            [] if kept == sorted(each.texts for each in self.pages) else ["messages are not what was written"]
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.web.chat_torture", description=__doc__)
    parser.add_argument("--pages", type=int, default=500)
    parser.add_argument("--lines", type=int, default=200, help="of each page")
    parser.add_argument("--cut", type=float, default=5.0, help="seconds a connection lives")
    parser.add_argument("--restarts", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="chat-torture-") as folder:
        torture = Torture(
            Path(folder),
            pages=options.pages,
            lines=options.lines,
            cut_s=options.cut,
            restarts=options.restarts,
        )
        found = asyncio.run(torture.run())
    rate = (found.lines + found.answers) / found.seconds
    print(
        f"{found.lines} lines and {found.answers} answers of {options.pages} pages over {found.connections} connections "
        f"in {found.seconds:.0f} s ({rate:.0f} a second): {len(found.faults)} faults"
    )
    print("\n".join(found.faults[:50]))
    if found.lines >= LONG_RUN_LINES:
        from bench import web_torture

        web_torture.record_cuts(found, pages=options.pages, restarts=options.restarts, cut_s=options.cut)
    sys.exit(1 if found.faults else 0)


if __name__ == "__main__":
    main()
