"""A sign of life: a URL fetched every so often while the daemon is ready, so that a watcher elsewhere notices silence.

Why outgoing: a daemon that hangs, or whose machine is gone, can report nothing; the watcher misses its sign instead.
"""

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp

from intake import logs
from intake.sections import Heartbeat

TIMEOUT_S = 10.0


async def run(options: Heartbeat, *, is_ready: Callable[[], Awaitable[bool]]) -> None:
    """Beat until cancelled. A beat that fails is logged and the next one is due at its time."""
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        while True:
            if await is_ready():
                await beat(session, options.url)
            await asyncio.sleep(options.every_s)


async def beat(session: aiohttp.ClientSession, url: str) -> bool:
    """Fetch the URL once; whether it answered with 2xx. Redirects are not followed."""
    try:
        async with session.get(url, allow_redirects=False) as response:
            if response.status < 300:
                return True
            reason = f"answered {response.status}"
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        reason = f"{type(error).__name__}: {error}"
    # The path of such a URL is often its secret: only the host is said.
    logs.warning("heartbeat_failed", host=_host(url), reason=reason.replace(url, _host(url)))
    return False


def _host(url: str) -> str:
    from urllib.parse import urlsplit

    return urlsplit(url).hostname or ""
