"""Waiting for a state, which may come from another process or a browser: within a bound, never for a time."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def until(check: Callable[[], T], *, within_s: float = 10.0) -> T:
    """Return the first true answer. Raises: TimeoutError."""
    async with asyncio.timeout(within_s):
        while not (found := check()):
            await asyncio.sleep(0.02)
    return found
