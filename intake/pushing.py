"""Sends notices to browsers (intake.push) after the commit that told them: sealed, signed, and tried a few times.

Each agent has a line of their own: a browser whose maker does not answer keeps nobody else waiting, and what one agent is
told comes in its order. Nothing that a browser has handed over can end the sending.
"""

import asyncio
import base64
import hashlib
import logging
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec

from channels import outside
from channels.contract import FetchFailed
from intake import push
from intake.keys import Keys
from intake.model import Context
from intake.push import Browser, Push
from intake.store.engine import Signals, Store, StoreError

TTL_S = 3_600  # how long its maker keeps it for a browser that is off
BACK_OFF_S = (2.0, 10.0)
WAITING_MAX = 50  # of one agent; the mail tells them all the same
GONE = frozenset((404, 410))  # RFC 8030 §7.3

log = logging.getLogger("intake.push")


class Pusher:
    """Sends what is told after each commit, until cancelled."""

    def __init__(
        self,
        store: Store,
        context: Callable[[], Context],
        *,
        fetcher: outside.Outside | None = None,
        back_off_s: tuple[float, ...] = BACK_OFF_S,
    ) -> None:
        self._store, self._context = store, context
        self._outside = fetcher or outside.Outside(total_s=20, max_size_bytes=100_000)
        self._back_off_s = back_off_s
        self._waiting: dict[str, deque[Push]] = {}  # by agent: each has a task while something waits
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self) -> None:
        """Send until cancelled."""
        self._loop = asyncio.get_running_loop()
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                self._store.listen(self._committed)
                await asyncio.Event().wait()
        finally:
            self._loop = None
            await self._outside.close()

    def _committed(self, signals: Signals) -> None:
        for each in signals.get(push.SIGNAL, ()):
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._put, each)

    def _put(self, told: Push) -> None:
        waiting = self._waiting.get(told.agent)
        if self._loop is None:  # we have stopped meanwhile
            return
        if waiting is None:
            self._waiting[told.agent] = deque([told])
            self._tasks.create_task(self._send_waiting(told.agent))
        elif len(waiting) < WAITING_MAX:
            waiting.append(told)

    async def _send_waiting(self, agent: str) -> None:
        waiting = self._waiting[agent]
        try:
            while waiting:
                await self.send(waiting.popleft())
        finally:
            del self._waiting[agent]

    async def send(self, told: Push) -> int:
        """Tell it in every browser of its agent; in how many it was taken."""
        try:
            found = await self._store.read(lambda tx: push.alive(tx, told.agent))
            return sum(await asyncio.gather(*(self._send(each, told) for each in found)))
        except StoreError as error:
            log.warning("push_delayed reason=%s", error.sentence)
            return 0

    async def _send(self, browser: Browser, told: Push) -> bool:
        try:
            body = await asyncio.to_thread(sealed, browser, told)
            status = await self._tried(browser, body)
        except StoreError:
            raise
        except (
            Exception
        ):  # a point that is on no curve, an address that nobody can read: it will never be told
            log.exception("push_impossible browser=%s", browser.name)
            status = 410
        await self._store.write(lambda tx: _note(tx, browser, status))
        return status is not None and status < 300

    async def _tried(self, browser: Browser, body: bytes) -> int | None:
        """Return what its maker answers in the end; one that did not answer the last time is asked once."""
        context = self._context()
        headers = authorization(context.keys, browser.endpoint, context.public_url, self._store)
        status = await self._ask(browser, body, headers)
        for back_off_s in () if browser.failures else self._back_off_s:
            if status is not None and status < 500 and status != 429:
                break
            await asyncio.sleep(back_off_s)
            status = await self._ask(browser, body, headers)
        return status

    async def _ask(self, browser: Browser, body: bytes, headers: dict[str, str]) -> int | None:
        """Return what the browser's maker answers; None = nothing."""
        try:
            async with self._outside.asked(browser.endpoint, headers=headers, post=body) as reply:
                return reply.status
        except FetchFailed as failure:
            log.info("push_failed browser=%s reason=%s", browser.name, failure.reason)
            return None if failure.retryable else 400


def _note(tx: Any, browser: Browser, status: int | None) -> None:
    if status in GONE:
        push.forget(tx, browser)
    elif status is not None and status < 300:
        push.note_told(tx, browser)
    else:
        push.note_failure(tx, browser)


def sealed(browser: Browser, told: Push) -> bytes:
    """Return what is told, readable by the browser alone (RFC 8291, aes128gcm)."""
    from pywebpush import WebPusher  # type: ignore[import-untyped]

    notice = {"title": told.title, "body": told.body, "path": told.path, "tag": told.tag}
    keys = {"p256dh": browser.p256dh, "auth": browser.auth}
    encoded = WebPusher({"endpoint": browser.endpoint, "keys": keys}).encode(msgspec.json.encode(notice))
    return bytes(encoded["body"])


def authorization(keys: Keys, endpoint: str, public_url: str, store: Store) -> dict[str, str]:
    """Return the headers by which the browser's maker knows us (RFC 8292)."""
    from py_vapid import Vapid02  # type: ignore[import-untyped]
    from yarl import URL

    until = store.now() + timedelta(hours=12)
    claims = {
        "aud": str(URL(endpoint).origin()),
        "exp": str(int(until.timestamp())),
        "sub": public_url or "mailto:operator@localhost",
    }
    signed: dict[str, str] = Vapid02(_private_key(keys)).sign(claims)
    return {
        **signed,
        "TTL": str(TTL_S),
        "Urgency": "high",
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
    }


def public_key(keys: Keys) -> str:
    """Return what browsers are told to take pushes from: an uncompressed point of P-256, base64url."""
    from cryptography.hazmat.primitives import serialization

    point = (
        _private_key(keys)
        .public_key()
        .public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    )
    return base64.urlsafe_b64encode(point).decode().rstrip("=")


def _private_key(keys: Keys) -> Any:
    """Return the key that we sign with, made of the installation's own: the same for as long as that is kept."""
    from cryptography.hazmat.primitives.asymmetric import ec

    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256, FIPS 186-5
    seed = hashlib.sha512(keys.fingerprint("push: the key that we are known by").encode()).digest()
    return ec.derive_private_key(int.from_bytes(seed, "big") % (order - 1) + 1, ec.SECP256R1())
