"""Many texts by webhook, three in ten of them posted two to five times at once, all shuffled: each is one message.

    python -m tests.phone.deliveries --count 100000

Real HTTP on loopback to a real daemon with a real store, signed as Twilio does. --postgres URL: two daemons' journals on
one database instead, each post to either of them, and nothing is settled: what the journals hold is counted.
"""

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import aiohttp
import msgspec
from aiohttp import web
from sqlalchemy import text as sql

from channels import contract, hooks
from channels.twilio import signature
from intake import redaction, settings
from intake.daemon import Daemon
from intake.store.engine import Store
from intake.store.statements import Statement
from intake.wiring import Wired, wire
from tests.phone.texting import OWN, PUBLIC_URL, SID, TOKEN, Form

AT_ONCE = 48
LONG_RUN_TEXTS = 100_000  # from here on the figures are kept in bench/RESULTS.md
SENDERS = 2_000
DOUBLED = 0.3
MOST_COPIES = 5
RULES = """
version: 1
agents: {ania: {email: ania@desk.example}}
teams: {support: {levels: {l1: [ania]}}}
conversations: {sms: {join: open, reopen_within: 3d}}
default: {team: support, priority: normal}
"""
CONFIG = """
folder: {folder}/var
store: "{store}"
http: {{listen: "127.0.0.1:0", public_url: "{public_url}"}}
channels:
  texts: {{kind: twilio.sms, account_sid: {sid}, auth_token: "${{TOKEN}}", numbers: ["{own}"], reconcile_s: 0}}
log: {{level: error}}
"""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What was posted, and what became of it. kept: rows of the journal by state; extra, lost: messages."""

    texts: int
    deliveries: int
    statuses: dict[int, int]
    kept: dict[str, int]
    extra: int
    lost: int
    post_s: float
    settle_s: float
    p50_ms: float
    p99_ms: float

    @property
    def is_right(self) -> bool:
        return self.extra == 0 and self.lost == 0 and set(self.statuses) == {200}


def plan(count: int, *, seed: int) -> list[list[int]]:
    """Deliveries in the order in which they begin: groups of the same text, each of one to five at once."""
    source = random.Random(seed)
    copies = [
        [number] * (source.randint(2, MOST_COPIES) if source.random() < DOUBLED else 1)
        for number in range(count)
    ]
    # Some of the copies come at once, the others at any time.
    groups = [part for each in copies for part in _parted(each, source)]
    source.shuffle(groups)
    return groups


def _parted(copies: list[int], source: random.Random) -> list[list[int]]:
    at = source.randint(0, len(copies))
    return [part for part in (copies[:at], copies[at:]) if part]


def form(number: int) -> Form:
    sid = f"SM{number:032x}"
    return {
        "MessageSid": sid, "SmsSid": sid, "SmsMessageSid": sid, "AccountSid": SID, "SmsStatus": "received", "To": OWN,
        "From": f"+486{number % SENDERS:08d}", "Body": f"This is text {number}", "NumMedia": "0", "NumSegments": "1",
        "ApiVersion": "2010-04-01", "FromCountry": "PL",
    }  # fmt: skip


def wired(folder: Path, *, store: str = "", config: str = CONFIG) -> Wired:
    (folder / "rules.yaml").write_text(RULES)
    (folder / "replies").mkdir(exist_ok=True)
    path = folder / "intake.yaml"
    path.write_text(config.format(folder=folder, store=store, public_url=PUBLIC_URL, sid=SID, own=OWN))
    return wire(settings.load(path, {"TOKEN": TOKEN}))


async def post_all(
    urls: Sequence[str], groups: list[list[int]], *, rate: float = 0
) -> tuple[Counter[int], list[float]]:
    """Post every delivery, those of a group at once; statuses, and the seconds that each took.

    rate: deliveries a second, whether or not the last ones are answered; 0 = as many as are taken.
    """
    statuses, seconds = Counter[int](), list[float]()
    url = f"{PUBLIC_URL}/hooks/texts/message"
    queue = iter(groups)

    async def post(session: aiohttp.ClientSession, number: int, copy: int) -> None:
        posted = form(number)
        headers = {
            "Content-Type": signature.FORM,
            signature.HEADER: signature.sign(url, list(posted.items()), TOKEN),
        }
        began = time.perf_counter()
        target = urls[(number + copy) % len(urls)]
        async with session.post(target, data=urlencode(posted), headers=headers) as answer:
            await answer.read()
            statuses[answer.status] += 1
        seconds.append(time.perf_counter() - began)

    due_at = time.perf_counter()

    async def work(session: aiohttp.ClientSession) -> None:
        nonlocal due_at
        for group in queue:
            if rate:
                due_at += len(group) / rate
                await asyncio.sleep(due_at - time.perf_counter())
            await asyncio.gather(*(post(session, number, copy) for copy, number in enumerate(group)))

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(work(session) for _ in range(AT_ONCE * (10 if rate else 1))))
    return statuses, sorted(seconds)


@asynccontextmanager
async def daemon(folder: Path, *, config: str = CONFIG) -> AsyncIterator[Daemon]:
    up = asyncio.Event()
    running = Daemon(wired(folder, config=config), ready=lambda _: up.set())
    task = asyncio.create_task(running.run())
    await asyncio.wait({task, asyncio.ensure_future(up.wait())}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
    try:
        yield running
    finally:
        running.stop()
        await task
        running.wired.store.close()
        redaction.forget_all()


async def through_a_daemon(folder: Path, count: int, *, seed: int = 1, rate: float = 0) -> Outcome:
    """Post the texts to a daemon, and wait until it has settled them."""
    groups = plan(count, seed=seed)
    async with daemon(folder) as running:
        assert running.upkeep.bound is not None
        host, port = running.upkeep.bound
        began = time.perf_counter()
        url = f"http://{host}:{port}/hooks/texts/message"
        statuses, seconds = await post_all([url], groups, rate=rate)
        posted = time.perf_counter()
        await running.dispatcher.idle()
        settled = time.perf_counter()
        store = running.wired.store
        once = await _counts(
            store, "SELECT external_id, count(*) FROM messages WHERE direction = 'in' GROUP BY 1"
        )
        kept = await _counts(store, "SELECT state, count(*) FROM journal GROUP BY 1")
    return _outcome(
        count, statuses, seconds, once=once, kept=kept, post_s=posted - began, settle_s=settled - posted
    )


async def through_two_journals(folder: Path, count: int, *, store: str, seed: int = 1) -> Outcome:
    """Post the texts to two daemons' webhooks, whose journals are one database."""
    groups = plan(count, seed=seed)
    async with AsyncExitStack() as stack:
        nodes: list[Wired] = []
        for number in range(2):
            home = folder / str(number)
            (home / "var").mkdir(parents=True)
            if nodes:  # what is known is known by the keys
                shutil.copy(folder / "0/var/keys.json", home / "var/keys.json")
            nodes.append(wired(home, store=store))
            stack.callback(nodes[-1].store.close)
        urls = [await stack.enter_async_context(_served(node)) for node in nodes]
        began = time.perf_counter()
        statuses, seconds = await post_all(urls, groups)
        post_s = time.perf_counter() - began
        query = "SELECT lane || body_text, count(*) FROM ({}) AS kept GROUP BY 1"
        rows = "SELECT j.lane, b.hash AS body_text FROM journal j JOIN blobs b ON b.id = j.blob_id WHERE j.duplicate_of IS NULL"
        once = await _counts(nodes[0].store, query.format(rows))
        kept = await _counts(nodes[1].store, "SELECT state, count(*) FROM journal GROUP BY 1")
        redaction.forget_all()
    return _outcome(count, statuses, seconds, once=once, kept=kept, post_s=post_s, settle_s=0.0)


@asynccontextmanager
async def _served(node: Wired) -> AsyncIterator[str]:
    app = web.Application()
    hooks.mount(app, node.channels, cast("contract.Gate", node.journal))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}/hooks/texts/message"
    finally:
        await runner.cleanup()
        for channel in node.channels.values():
            await channel.close()


async def _counts(store: Store, query: str) -> dict[str, int]:
    statement = Statement(sql(query))
    rows = await store.read(lambda tx: tx.all(statement))
    return {str(row[0]): int(row[1]) for row in rows}


def _outcome(
    count: int,
    statuses: Counter[int],
    seconds: list[float],
    *,
    once: dict[str, int],
    kept: dict[str, int],
    post_s: float,
    settle_s: float,
) -> Outcome:
    return Outcome(
        texts=count,
        deliveries=sum(statuses.values()),
        statuses=dict(statuses),
        kept=kept,
        extra=sum(number - 1 for number in once.values()),
        lost=count - len(once),
        post_s=round(post_s, 1),
        settle_s=round(settle_s, 1),
        p50_ms=round(seconds[len(seconds) // 2] * 1_000, 1),
        p99_ms=round(seconds[len(seconds) * 99 // 100] * 1_000, 1),
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=0, metavar="N", help="deliveries a second")
    parser.add_argument("--postgres", default="", metavar="URL")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = (
            through_two_journals(Path(folder), arguments.count, store=arguments.postgres, seed=arguments.seed)
            if arguments.postgres
            else through_a_daemon(Path(folder), arguments.count, seed=arguments.seed, rate=arguments.rate)
        )
        outcome = asyncio.run(work)
    print(msgspec.json.encode(outcome).decode())
    if outcome.texts >= LONG_RUN_TEXTS and not arguments.postgres:
        from bench import torture

        torture.record_webhooks(outcome)
    return 0 if outcome.is_right else 1


if __name__ == "__main__":
    sys.exit(main())


def fetched(running: Daemon) -> asyncio.Event:
    """Return what is set as soon as a file has been fetched."""
    kept, told = asyncio.Event(), running.fetching._told

    def tell(event: str, fields: dict[str, Any]) -> None:
        told(event, fields)
        if event == "file_fetched":
            kept.set()

    running.fetching._told = tell
    return kept
