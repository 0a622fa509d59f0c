"""The played Twilio, on a port of its own."""

from collections.abc import AsyncIterator

import pytest

from channels.twilio.simulator import rest
from channels.twilio.simulator.provider import Provider

OWN = "+48221234567"
JAN = "+48600100200"


@pytest.fixture
def provider() -> Provider:
    """One account with one number, OWN, where nothing has happened yet."""
    return Provider(numbers=(OWN,))


@pytest.fixture
async def api_url(provider: Provider) -> AsyncIterator[str]:
    """Where the provider's REST API listens: an account's api_url."""
    async with rest.serving(provider) as url:
        yield url
