"""The played Twilio, on a port of its own, and a desk with a real daemon that it calls and writes to."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from channels.twilio.simulator import rest
from channels.twilio.simulator.provider import Provider
from channels.twilio.simulator.scenario import DeskIs
from intake.store import opening

if TYPE_CHECKING:
    from tests.phone.live import GoLive, Live

OWN = "+48221234567"
JAN = "+48600100200"


@pytest.fixture(scope="session")
def new_store(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a new store: copying them is quicker than the migrations."""
    folder = tmp_path_factory.mktemp("template")
    opening.open_store("", folder).close()
    return (folder / "intake.db").read_bytes()


@pytest.fixture
def provider() -> Provider:
    """One account with one number, OWN, where nothing has happened yet."""
    return Provider(numbers=(OWN,))


@pytest.fixture
async def api_url(provider: Provider) -> AsyncIterator[str]:
    """Where the provider's REST API listens: an account's api_url."""
    async with rest.serving(provider) as url:
        yield url


@pytest.fixture
async def go_live(tmp_path: Path, new_store: bytes) -> AsyncIterator["GoLive"]:
    """Start a desk with phones: `await go_live()` is a tests.phone.live.Live, which is stopped at the end."""
    from tests.phone import live

    running: list[Live] = []

    async def begin(
        at: str = live.NOW,
        seed: int = 1,
        folder: str = "desk",
        desk: DeskIs = DeskIs(),  # noqa: B008 - a frozen value
        *,
        is_parallel: bool = False,
    ) -> "Live":
        made = live.Live(tmp_path / folder, at=datetime.fromisoformat(at), seed=seed, is_parallel=is_parallel)
        running.append(made)
        await made.start(store=new_store, desk=desk)
        return made

    yield begin
    for each in running:
        await each.stop()
