"""A running webhook account, and Amazon played beside it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from channels import testing
from tests.webhook import amazon_play, posting

Start = Callable[..., Awaitable[posting.Desk]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    running: list[posting.Desk] = []

    async def begin(gate: Any = None, **options: Any) -> posting.Desk:
        desk = await posting.start(gate, **options)
        running.append(desk)
        return desk

    yield begin
    for desk in running:
        if isinstance(desk.gate, testing.MemoryGate):
            desk.gate.let_go()
        await desk.stop()


@pytest.fixture(scope="session")
def keys() -> amazon_play.Keys:
    return amazon_play.Keys()


@pytest.fixture
async def played(keys: amazon_play.Keys) -> AsyncIterator[amazon_play.Server]:
    server = amazon_play.Server(keys)
    await server.start()
    yield server
    await server.stop()
