"""The played Twilio, on a port of its own."""

from collections.abc import AsyncIterator

import pytest

from channels.twilio.simulator import rest
from channels.twilio.simulator.provider import Provider
from intake.store import opening

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
