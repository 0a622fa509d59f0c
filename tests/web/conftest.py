"""A browser for the tests that need one, and passwords that cost next to nothing."""

import asyncio
import functools
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeGuard

import argon2
import pytest
from playwright.async_api import Browser

from intake import passwords
from tests.web import browser as browsers
from tests.web import site

_CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

FOLDER = Path(__file__).parent
AROUND_S = 60  # for what begins before a test and ends behind it, on a machine that has much to do


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A Chromium of the test's own."""
    async with browsers.chromium() as opened:
        yield opened


@pytest.fixture
def real_hashes() -> Iterator[None]:
    """Hashes cost what they cost a daemon: for tests that are about that."""
    _forget_hashes()
    yield
    _forget_hashes()


@pytest.fixture(autouse=True)
def cheap_hashes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash costs 30 ms on purpose; no test but those of the hashes is about that."""
    if "real_hashes" not in request.fixturenames:
        monkeypatch.setattr(passwords, "_hasher", _CHEAP)


def _forget_hashes() -> None:
    passwords._nobodys.cache_clear()
    site._hashes.clear()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Bound what a test in a browser takes: cancelled where it waits, so that browser and server end in order.

    The signal of pytest-timeout cuts through Playwright's own loop; closing the browser then waits for ever.
    """
    usual_s = float(config.getini("timeout") or 60)
    for item in items:
        if _is_ours(item):
            marker = item.get_closest_marker("timeout")
            most_s = float(marker.args[0]) if marker is not None and marker.args else usual_s
            item.obj = _bounded(item.obj, most_s)
            item.add_marker(pytest.mark.timeout(most_s + AROUND_S), append=False)


def _is_ours(item: pytest.Item) -> TypeGuard[pytest.Function]:
    """Whether it is one of this folder's that may have a browser, and can be cancelled."""
    if not isinstance(item, pytest.Function) or not item.path.is_relative_to(FOLDER):
        return False
    return item.get_closest_marker("slow") is not None and inspect.iscoroutinefunction(item.obj)


def _bounded(test: Callable[..., Awaitable[None]], most_s: float) -> Callable[..., Awaitable[None]]:
    @functools.wraps(test)
    async def bounded(*arguments: Any, **named: Any) -> None:
        async with asyncio.timeout(most_s):
            await test(*arguments, **named)

    return bounded
