"""A real daemon on a desk with phones, whose clock is somebody else's to move; and when it has nothing left to do.

Every clock that a channel reads is that one as well, so a play of an hour takes no hour.
"""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import bindparam, select

from channels.twilio import setup
from channels.twilio.simulator.provider import ACCOUNT, TOKEN, Number
from channels.twilio.simulator.scenario import DeskIs
from intake import settings
from intake.daemon import Daemon
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from intake.wiring import wire

DESK = Path(__file__).parent / "scenarios" / "desk"
STILL_S = 60.0

Clock = Callable[[], datetime]


def write_desk(folder: Path, *, api_url: str, store: bytes, desk: DeskIs, rules: str = "") -> None:
    """Write the folder of a desk. rules: in place of those of scenarios/desk; store: the bytes of a new one."""
    (folder / "var").mkdir(parents=True)
    (folder / "var" / "intake.db").write_bytes(store)
    config = yaml.safe_load((DESK / "intake.yaml").read_text())
    config["folder"] = str(folder / "var")
    for account in config["channels"].values():
        account["api_url"] = api_url
    config["channels"]["phone"] |= desk.phone
    config |= desk.settings
    (folder / "intake.yaml").write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False))
    (folder / "rules.yaml").write_text(f"{rules or (DESK / 'rules.yaml').read_text()}\n{desk.rules}")
    shutil.copytree(DESK / "replies", folder / "replies")
    for name, text in desk.replies.items():
        (folder / "replies" / f"{name}.md").write_text(text)


def desk_settings(folder: Path) -> settings.Settings:
    return settings.load(folder / "intake.yaml", {"TOKEN": TOKEN, "ACCOUNT": ACCOUNT})


def set_up(number: Number, channels: Any) -> None:
    """Tell the provider where to turn to, as `intake twilio setup` does. channels: of the settings."""
    number.settings |= setup.wanted(channels["sms"].options, "sms", "sms")
    number.settings |= setup.wanted(channels["phone"].options, "phone", "voice")


@contextlib.asynccontextmanager
async def running(folder: Path, clock: Clock) -> AsyncIterator[Daemon]:
    """Run a daemon on what write_desk has written until the block ends."""
    wired = wire(desk_settings(folder), clock=clock)
    for channel in wired.channels.values():
        _set_clock(channel, clock)
    ready = asyncio.Event()
    daemon = Daemon(wired, ready=lambda _: ready.set())
    work = asyncio.ensure_future(daemon.run())
    waiting = asyncio.ensure_future(ready.wait())
    await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if work.done():
        wired.store.close()
        work.result()
    try:
        yield daemon
    finally:
        daemon.stop()
        await work
        wired.store.close()


def _set_clock(part: Any, clock: Clock) -> None:
    """Let a channel's own clocks tell the play's time: seconds where it counts seconds, instants elsewhere."""
    if hasattr(part, "_clock"):
        is_seconds = isinstance(part._clock(), float)
        part._clock = (lambda: clock().timestamp()) if is_seconds else clock
    for each in vars(part).values():
        if type(each).__module__.startswith("channels.twilio") and hasattr(each, "__dict__"):
            _set_clock(each, clock)


async def look(daemon: Daemon) -> None:
    """Let the daemon notice that time has gone by: what is due is done."""
    if await daemon.wired.store.read(_is_busy):
        daemon.wake_all()
        await settled(daemon)


async def settled(daemon: Daemon) -> None:
    """Wait until nothing is left that the daemon could do now."""
    async with asyncio.timeout(STILL_S):
        while True:
            await daemon.dispatcher.idle()
            is_sending = daemon.outbox._under_way
            if not is_sending and not await daemon.wired.store.read(_is_busy):
                return
            await asyncio.sleep(0.005)


async def reconcile(daemon: Daemon) -> None:
    """Have every account ask Twilio what no webhook has brought."""
    for name in ("sms", "whatsapp", "phone"):
        channel: Any = daemon.wired.channels[name]
        await channel._upkeep._reconciler.round(daemon.gate)


def _is_busy(tx: Tx) -> bool:
    """Whether something is due: an outgoing message, a timer, a file to fetch."""
    return any(tx.one(each, now=tx.now) is not None for each in _DUE)


def _due(table: Any, state: str, at: str) -> Statement:
    return Statement(
        select(table.c.id).where(table.c.state == state, table.c[at] <= bindparam("now")).limit(1)
    )


_DUE = (
    _due(schema.outbox, "queued", "next_at"),
    _due(schema.fetches, "queued", "next_at"),
    _due(schema.timers, "pending", "due_at"),
)
