"""Nothing that anybody writes runs on the desk: 500 texts by every channel and field, in a real browser, a hundred a page."""

from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.web.xss_pages import bare_page, fed_desk, looking, sweep, sweep_desk
from tests.web.xss_payloads import payloads

TEXTS = 500
ALIVE = 20


def test_the_texts_are_always_the_same_and_each_is_another() -> None:
    assert payloads(5_000)[:TEXTS] == payloads(TEXTS)
    assert len(set(payloads(5_000))) == 5_000


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_no_text_runs_wherever_a_customer_writes_it(
    tmp_path: Path, browser: Browser, new_store: bytes
) -> None:
    async with fed_desk(tmp_path, new_store) as (site, feed), looking(browser, site) as found:
        pages = await sweep(found, feed, payloads(TEXTS))
        assert (found.problems(), found.refused) == ([], [])
        assert pages >= 40
        # They were there to be seen: a page that shows nothing proves nothing.
        assert (found.escaped.missing, found.escaped.shown > 4 * TEXTS) == ([], True)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_no_text_runs_that_agents_rules_and_providers_say(
    tmp_path: Path, browser: Browser, new_store: bytes
) -> None:
    async with fed_desk(tmp_path, new_store) as (site, feed), looking(browser, site) as found:
        await sweep_desk(found, feed, payloads(TEXTS))
        assert (found.problems(), found.refused) == ([], [])


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_taken_for_markup_many_of_them_do_run(browser: Browser) -> None:
    """The texts are alive: a page without escaping and without a policy is told by a good part of the first ones."""
    texts, alive = payloads(ALIVE), 0
    async with bare_page(browser) as (show, ran):
        for text in texts:
            before = len(ran)
            await show(f"<!doctype html><body><div>{text}</div>")
            alive += len(ran) > before
    assert alive >= ALIVE * 0.6
