"""`python -m tests.web.chat_soak`: a day's chat in minutes: what a page holds after 10 000 lines and 200 cuts, in bench/RESULTS.md.

Lines come from both sides over one socket after another. What is held is read when all that nothing holds has been taken away;
lines that are there may be held, and nothing for a cut, a line that is no longer drawn, or a time that has passed.
"""

import asyncio

import msgspec
from playwright.async_api import expect

from bench.results import Results
from tests.web import browser as browsers
from tests.web.chat_desk import Desk
from tests.web.chat_pages import Shop, heap_bytes, shop

PART = "chat soak"
LINES, CUTS = 10_000, 200
LINE_MAX_BYTES = 600  # of one line in the page's memory, its text of 20 letters with it
CUT_MAX_BYTES = 2_000
NODES_MAX = 1_000
WITHIN_S = 60.0
_NODES = "() => document.querySelector('chat-launcher').shadowRoot.querySelectorAll('*').length"


class Soaked(msgspec.Struct, frozen=True, kw_only=True):
    """line_bytes, cut_bytes: by how much one of each makes the page larger. nodes: elements of the chat."""

    line_bytes: float
    cut_bytes: float
    nodes: int


async def soaked(its: Shop, *, lines: int, cuts: int) -> Soaked:
    """Chat until there are so many lines, cut so many times meanwhile; then cut as often again without a line."""
    cdp = await its.context.new_cdp_session(its.page)
    await its.open()
    await its.say("Begun")
    await _talk(its, lines=lines // 10, cuts=max(cuts // 10, 1))
    first = await heap_bytes(cdp)
    await _talk(its, lines=lines, cuts=cuts)
    second = await heap_bytes(cdp)
    await _talk(its, lines=0, cuts=cuts)
    third = await heap_bytes(cdp, below=second)
    added = len(its.desk.chat.lines) - lines // 10
    return Soaked(
        line_bytes=(second - first) / added,
        cut_bytes=max(0.0, third - second) / cuts,
        nodes=int(await its.page.evaluate(_NODES)),
    )


async def _talk(its: Shop, *, lines: int, cuts: int) -> None:
    """Say so many lines more, in as many parts as there are cuts."""
    said = len(its.desk.chat.lines)
    for part in range(cuts):
        while len(its.desk.chat.lines) < said + lines * (part + 1) // cuts:
            await its.desk.say(f"answer {len(its.desk.chat.lines):013}")
        await _cut(its)
    if lines:
        await its.say(f"question {len(its.desk.chat.lines)}")
        await expect(its.page.locator(".agent .text").last).to_contain_text(
            "answer", timeout=WITHIN_S * 1_000
        )
    async with asyncio.timeout(WITHIN_S):
        while its.desk.chat.got < len(its.desk.chat.lines):
            await asyncio.sleep(0.02)


async def _cut(its: Shop) -> None:
    """Break the line, and let the page come back at once, as it does when its reader comes back."""
    its.desk.chat.got = 0
    before = its.desk.requests.count("GET /chat/website/socket")
    await its.desk.cut()
    async with asyncio.timeout(WITHIN_S):
        while its.desk.requests.count("GET /chat/website/socket") == before or not its.desk.chat.feeds:
            await its.page.evaluate("dispatchEvent(new Event('focus'))")
            await asyncio.sleep(0.01)


def desk() -> Desk:
    """Return a desk that asks for nothing."""
    made = Desk()
    made.settings = {"contact": "never"}
    return made


async def _run() -> Soaked:
    async with browsers.chromium() as browser, shop(browser, desk()) as its:
        return await soaked(its, lines=LINES, cuts=CUTS)


def main() -> None:
    """Soak, and write bench/RESULTS.md."""
    found = asyncio.run(_run())
    kept = Results()
    kept.begin(PART, is_quick=False)
    rows: tuple[tuple[str, float, float, str], ...] = (
        (f"A page's memory for each of {LINES} lines", found.line_bytes, LINE_MAX_BYTES, "bytes"),
        (f"A page's memory for each of {CUTS} cuts", found.cut_bytes, CUT_MAX_BYTES, "bytes"),
        ("Elements of the chat in the page", float(found.nodes), NODES_MAX, ""),
    )
    for what, value, target, unit in rows:
        kept.line(PART, what, value, target=target, unit=unit, less_is_better=True)


if __name__ == "__main__":
    main()
