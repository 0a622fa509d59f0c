"""The played Twilio, on a port of its own, and a desk with a real daemon that it calls and writes to."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from channels.twilio.simulator import rest
from channels.twilio.simulator.provider import Provider
from channels.twilio.simulator.scenario import DeskIs
from intake.store import opening
from tests.phone.calling import RULES, Desk

if TYPE_CHECKING:
    from tests.phone.live import GoLive, Live
    from tests.phone.texted import Texted

OWN = "+48221234567"
JAN = "+48600100200"


@pytest.fixture
def open_as(tmp_path: Path, clock: Any, new_store: bytes) -> Iterator[Callable[..., Any]]:
    """Open a desk of a kind on the test's own store: `open_as(Desk, rules=RULES)`; a second one stands on the same."""
    (tmp_path / "intake.db").write_bytes(new_store)
    with ExitStack() as stack:

        def opened(kind: Callable[..., Any], **settings: Any) -> Any:
            store = stack.enter_context(closing(opening.open_store("", tmp_path, clock=clock)))
            return kind(store, tmp_path, clock, **settings)

        yield opened


@pytest.fixture
def make(open_as: Callable[..., Any]) -> Callable[[str], Desk]:
    """Make a desk that is called, without a provider, on these rules."""
    return lambda rules: open_as(Desk, rules=rules)


@pytest.fixture
def desk(make: Callable[[str], Desk]) -> Desk:
    return make(RULES)


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


@pytest.fixture
async def texting(
    open_as: Callable[..., Any], provider: Provider, api_url: str
) -> AsyncIterator[Callable[..., "Texted"]]:
    """Open a desk that is texted by way of the provider: `texting(rules=RULES)`."""
    from tests.phone.texted import Texted

    made: list[Texted] = []

    def opened(**settings: Any) -> Texted:
        made.append(open_as(Texted, provider=provider, api_url=api_url, **settings))
        return made[-1]

    yield opened
    for each in made:
        await each.close()
