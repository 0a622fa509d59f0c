"""Two browsers answer the same message at the same moment, again and again: never are both answers sent blindly.

    python -m tests.web.reply_race [--rounds 1000]

In each round both write and press Ctrl+Enter together, in either order and up to some milliseconds apart. One answer is
sent. The other agent is shown it, keeps the text, and throws it away for the next round.
"""

import argparse
import asyncio
import random
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, expect

from intake import instants
from tests.web import browser as browsers
from tests.web.acting_site import RULES, public, receive
from tests.web.site import Site, open_site

ROUNDS_A_TICKET = 20
APART_MS = 30
LONG_RUN_ROUNDS = 1_000  # from here on the figures are kept in bench/RESULTS.md
PAIR = ("ania", "ewa")
FORK = re.compile(r"^[A-Za-z0-9_-]{24}$")  # of the page's own making: its composer is ready


class Result:
    """What came of the rounds. doubled: both sent; lost: the text of who was stopped was gone."""

    def __init__(self) -> None:
        self.rounds = self.doubled = self.none = self.lost = 0
        self.first: dict[str, int] = dict.fromkeys(PAIR, 0)

    @property
    def is_good(self) -> bool:
        return not (self.doubled or self.none or self.lost) and self.rounds > 0

    def __str__(self) -> str:
        won = ", ".join(f"{name} first {count}" for name, count in self.first.items())
        return f"{self.rounds} rounds ({won}): {self.doubled} sent twice, {self.none} not sent, {self.lost} texts lost"


async def race(browser: Browser, site: Site, rounds: int, *, seed: int = 1) -> Result:
    """Run so many rounds in two signed-in browsers."""
    chance, result = random.Random(seed), Result()
    contexts = []
    for name in PAIR:
        site.add(name)
        context = await browser.new_context(base_url=site.base)
        await context.add_cookies(
            [{"name": site.guard.cookie, "value": site.session(name), "url": site.base}]
        )
        contexts.append(context)
    pages = [(await browsers.watched(context))[0] for context in contexts]
    ticket: dict[str, Any] = {}
    while result.rounds < rounds:
        if result.rounds % ROUNDS_A_TICKET == 0:
            ticket = receive(site, f"c{result.rounds}@customer.example")
            await asyncio.gather(*(_open(page, ticket["ref"]) for page in pages))
        await _round(site, pages, ticket["ref"], result, chance)
    for context in contexts:
        await context.close()
    return result


async def _open(page: Page, ref: str) -> None:
    await page.goto(f"/tickets/{ref}")
    await expect(page.locator("#reply-form [name=fork]")).to_have_value(FORK)


async def _round(site: Site, pages: list[Page], ref: str, result: Result, chance: random.Random) -> None:
    texts = [f"Answer {result.rounds} of {name}" for name in PAIR]
    before = public(site, ref)
    marks = [await page.input_value("#reply-form [name=seen]") for page in pages]
    assert len(set(marks)) == 1, "both have seen the same"
    for page, text in zip(pages, texts, strict=True):
        await page.fill("#reply-text", text)
    apart_s = chance.uniform(-APART_MS, APART_MS) / 1_000
    await asyncio.gather(_send(pages[0], max(apart_s, 0)), _send(pages[1], max(-apart_s, 0)))
    loser = await _stopped(pages)
    sent = public(site, ref)[len(before) :]
    result.rounds += 1
    result.doubled += len(sent) > 1
    result.none += not sent
    if loser is None:
        await _settle(pages, 0)
        return
    result.first[PAIR[1 - loser]] += 1
    result.lost += await pages[loser].input_value("#reply-text") != texts[loser]
    await _settle(pages, loser)


async def _send(page: Page, wait_s: float) -> None:
    await asyncio.sleep(wait_s)
    await page.locator("#reply-text").press("Control+Enter")


async def _stopped(pages: list[Page]) -> int | None:
    """Return which of the two was stopped, once both have heard; None = neither."""
    for _ in range(500):
        empty = [not await page.input_value("#reply-text") for page in pages]
        news = [await page.locator(".news").count() > 0 for page in pages]
        busy = [await page.locator("#reply-form[data-busy]").count() > 0 for page in pages]
        if not any(busy) and (all(empty) or any(news)):
            return news.index(True) if any(news) else None
        await asyncio.sleep(0.01)
    raise TimeoutError("a browser did not hear what became of its answer")


async def _settle(pages: list[Page], loser: int) -> None:
    """Throw the text away, and wait until both pages have the same mark."""
    await pages[loser].fill("#reply-text", "")
    await pages[loser].evaluate("document.querySelector('[data-news]').replaceChildren()")
    for page in pages:
        await expect(page.locator("#reply-text")).to_have_value("")
    for _ in range(500):
        marks = {await page.input_value("#reply-form [name=seen]") for page in pages}
        if len(marks) == 1:
            return
        await asyncio.sleep(0.02)
    raise TimeoutError("the pages never showed the same")


async def main(rounds: int) -> int:
    """Run it; 0 = no answer was sent blindly."""
    with tempfile.TemporaryDirectory() as folder:
        async with (
            open_site(Path(folder), instants.now, rules=RULES) as site,
            browsers.chromium() as browser,
        ):
            began = time.monotonic()
            result = await race(browser, site, rounds)
    took_s = time.monotonic() - began
    print(f"{result} in {took_s:.0f} s")
    if rounds >= LONG_RUN_ROUNDS:
        from bench import web_torture

        web_torture.record_race(result, seconds=took_s)
    return 0 if result.is_good else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1_000)
    sys.exit(asyncio.run(main(parser.parse_args().rounds)))
