"""Two browsers that answer at the same moment (tests.web.reply_race), a few rounds of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from intake import instants, unseen
from tests.web.acting_site import RULES
from tests.web.reply_race import race
from tests.web.site import Site, open_site

pytestmark = pytest.mark.slow
ROUNDS = 20


@pytest.fixture
async def site(tmp_path: Path, new_store: bytes) -> AsyncIterator[Site]:
    async with open_site(tmp_path, instants.now, new_store=new_store, rules=RULES) as opened:
        yield opened


async def test_no_answer_is_sent_blindly(browser: Browser, site: Site) -> None:
    """One of each pair is sent; the other keeps its text."""
    result = await race(browser, site, ROUNDS)
    assert result.is_good, str(result)


async def test_a_desk_that_does_not_look_is_found_out(
    browser: Browser, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The race can fail: without the look both are sent."""
    monkeypatch.setattr(unseen, "check", lambda tx, ticket, seen: None)
    result = await race(browser, site, 3)
    assert result.doubled == result.rounds
