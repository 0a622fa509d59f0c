"""`python -m tests.web.page_cost`: what the chat costs a page of others, by Chromium's own timeline, in bench/RESULTS.md.

The same page with the script's line and without, in turn, each in a browser context of its own, so that nothing is kept: the
processor four times as slow, the screen a telephone's. Largest contentful paint, layout shift and long tasks are those that a
PerformanceObserver tells (W3C, 2026-11); blocking is what each long task takes beyond 50 ms. Medians of ROUNDS.

In a conversation of LINES lines each press and each letter is taken until what comes of it is drawn (Event Timing, W3C): lines come
from the other side meanwhile. The 98th percentile is over all of them, those too short to be told of (16 ms) too.

Opening: the panel can be written in, from nothing over Lighthouse's "Slow 4G" and once it is there; a press on the button and the
first letters on a processor four times as slow, the slowest of them. Work: the longest task of a page that works for its lines while
the account is flooded (channels.webchat.work). Medians of ROUNDS.
"""

import asyncio
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from playwright.async_api import Browser, expect

from bench.results import Results
from channels.webchat.work import Work
from intake.keys import Keys
from tests.web import browser as browsers
from tests.web import chat_desk, chat_pages
from tests.web.chat_desk import Desk
from tests.web.chat_pages import Shop

PART = "page cost"
ROUNDS = 5
SLOWER = 4
SETTLED_MS = 1_500
BLOCKING_FROM_MS = 50
_WATCH = """() => { window.cost = {lcp: 0, cls: 0, tasks: []};
  const see = (type, note) => new PerformanceObserver(list => list.getEntries().forEach(note)).observe({type, buffered: true});
  see('largest-contentful-paint', each => { cost.lcp = each.startTime; });
  see('layout-shift', each => { cost.cls += each.hadRecentInput ? 0 : each.value; });
  see('longtask', each => cost.tasks.push(each.duration)); }"""
# "Slow 4G" of its mobile preset: 150 ms, 1.6 Mb/s down, 750 kb/s up.
SLOW_4G = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 750e3 / 8}
OPEN_COLD_MS = 700
OPEN_WARM_MS = 100
PRESS_MS = 100
LINES = 500
TURNS = 12
INTERACTION_MS = 200
_TAKEN = """() => { window.taken = new Map(); new PerformanceObserver(list => list.getEntries().forEach(each => each.interactionId &&
    taken.set(each.interactionId, Math.max(each.duration, taken.get(each.interactionId) ?? 0))))
  .observe({type: 'event', durationThreshold: 16}); }"""
_OPENED_IN = """async () => {
  const began = performance.now();
  await document.querySelector('chat-launcher').open();
  await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - began;
}"""
_LONG_TASKS = """() => { window.tasks = [0];
  new PerformanceObserver(list => tasks.push(...list.getEntries().map(each => each.duration))).observe({type: 'longtask'}); }"""
_DRAWN = "() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))"
_SCRIPT = '<script type="module"'


async def measured(browser: Browser, url: str) -> dict[str, float]:
    """Load a page that nothing is kept of: lcp_ms, cls, blocking_ms, long_tasks, buttons."""
    context = await browser.new_context(viewport={"width": 360, "height": 640})
    try:
        page = await context.new_page()
        cdp = await context.new_cdp_session(page)
        await cdp.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        await page.add_init_script(f"({_WATCH})()")
        await page.goto(url, wait_until="load")
        await page.wait_for_timeout(SETTLED_MS)
        cost: dict[str, Any] = await page.evaluate("cost")
        has_chat = await page.locator("chat-launcher:defined").count() == 1
    finally:
        await context.close()
    blocking = sum(max(0.0, each - BLOCKING_FROM_MS) for each in cost["tasks"])
    return {
        "lcp_ms": cost["lcp"],
        "cls": cost["cls"],
        "blocking_ms": blocking,
        "long_tasks": len(cost["tasks"]),
        "buttons": float(has_chat),
    }


async def compared(rounds: int = ROUNDS) -> tuple[dict[str, float], dict[str, float]]:
    """Measure the page without the chat and with it, in turn; the medians of each."""
    bare: list[dict[str, float]] = []
    with_chat: list[dict[str, float]] = []
    async with browsers.chromium() as browser, chat_desk.serve(Desk()) as chat:
        text = chat_pages.document(chat, query="?account=website")
        before, _, after = text.partition(_SCRIPT)
        plain = before + after.partition("</script>")[2]
        pages = ((bare, plain), (with_chat, text))
        for number in range(
            rounds + 1
        ):  # the first of each warms what the browser keeps of itself, and is not counted
            for found, shown in pages:
                async with chat_desk.serving(chat_pages._host(shown, chat_pages.policy(chat))) as url:
                    cost = await measured(browser, url)
                if number:
                    found.append(cost)
    return _medians(bare), _medians(with_chat)


async def interactions(browser: Browser, *, slower: int = 1, turns: int = TURNS) -> tuple[float, int]:
    """Chat on where LINES lines are: p98 in ms until a press is drawn, and how many there were. slower: times, the processor."""
    desk = Desk()
    desk.settings = {"contact": "never"}
    async with chat_pages.shop(browser, desk, width=360, height=640) as its:
        await its.open()
        await its.say("Begun")
        for number in range(1, LINES):
            await desk.say(f"answer {number}\nin two lines")
        await expect(its.page.locator(".agent .text").last).to_contain_text(f"answer {LINES - 1}")
        cdp = await its.context.new_cdp_session(its.page)
        await cdp.send("Emulation.setCPUThrottlingRate", {"rate": slower})
        await its.page.evaluate(_TAKEN)
        before = int(await its.page.evaluate("performance.interactionCount"))
        for number in range(turns):
            await _turn(its, number)
        await its.page.evaluate(_DRAWN)
        count = int(await its.page.evaluate("performance.interactionCount")) - before
        told = sorted(await its.page.evaluate("[...taken.values()]"), reverse=True)
    return float([*told, *[0.0] * (count - len(told))][count // 50]), count


async def _turn(its: Shop, number: int) -> None:
    """Write and send, look at what was earlier, open the menu and leave it, close and open: while answers come."""
    await its.page.keyboard.type(f"question {number}")
    await its.desk.say("While you write")
    await its.page.keyboard.press("Enter")
    await expect(its.page.locator(".customer .text").last).to_have_text(f"question {number}")
    await its.desk.type()
    await its.button("More").click()
    await its.page.keyboard.press("Escape")
    if number < 3:
        await its.button("Earlier messages").click()
    await its.button("Close").click()
    await its.button("Chat with us").click()
    await its.page.evaluate(_DRAWN)


async def opening(browser: Browser) -> dict[str, float]:
    """Open the chat over a slow line: cold_ms with nothing of it loaded, warm_ms once it is."""
    async with chat_pages.shop(browser, Desk()) as its:
        cdp = await its.context.new_cdp_session(its.page)
        await cdp.send("Network.enable")
        await cdp.send("Network.emulateNetworkConditions", SLOW_4G)
        cold_ms = await its.page.evaluate(_OPENED_IN)
        await its.page.evaluate("document.querySelector('chat-launcher').close()")
        return {"cold_ms": float(cold_ms), "warm_ms": float(await its.page.evaluate(_OPENED_IN))}


async def pressing(browser: Browser) -> dict[str, float]:
    """Open the panel and write on a slow telephone: press_ms until the slowest of these was drawn."""
    async with chat_pages.shop(browser, Desk(), width=360, height=640) as its:
        cdp = await its.context.new_cdp_session(its.page)
        await cdp.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        await its.page.evaluate(_TAKEN)
        await its.open()
        await its.page.keyboard.type("Hello")
        await its.page.evaluate(_DRAWN)
        return {"press_ms": float(await its.page.evaluate("Math.max(0, ...taken.values())"))}


async def working(browser: Browser) -> dict[str, float]:
    """Say lines that are worked for: task_ms, the longest task of the page meanwhile."""
    desk = flooded(Desk())
    async with chat_pages.shop(browser, desk) as its:
        await its.open()
        await its.page.evaluate(_LONG_TASKS)
        for text in ("Where is", "my", "order?"):
            await its.write(text)
        await expect(its.page.locator(".customer .mark").last).to_have_text(chat_pages.SENT, timeout=30_000)
        return {"task_ms": float(await its.page.evaluate("Math.max(...tasks)"))}


def flooded(desk: Desk) -> Desk:
    """Make a desk hot: five times the lines that it takes as they come."""
    desk.settings = {"contact": "never"}
    with tempfile.TemporaryDirectory() as folder:
        keys = Keys.load_or_create(Path(folder) / "keys.json")
    desk.work = Work(1, seal=keys.sign, clock=lambda: datetime.now(UTC))
    for number in range(2):
        desk.work._note(f"192.0.2.{number}")
    return desk


def _medians(found: list[dict[str, float]]) -> dict[str, float]:
    return {name: median(each[name] for each in found) for name in found[0]}


async def _interactions() -> tuple[tuple[float, int], tuple[float, int]]:
    async with browsers.chromium() as browser:
        return await interactions(browser), await interactions(browser, slower=SLOWER)


async def _visits(rounds: int = ROUNDS) -> dict[str, float]:
    async with browsers.chromium() as browser:
        return {
            name: found
            for visit in (opening, pressing, working)
            for name, found in _medians([await visit(browser) for _ in range(rounds)]).items()
        }


def main() -> None:
    """Measure, and write bench/RESULTS.md."""
    bare, with_chat = asyncio.run(compared())
    (taken_ms, count), (slow_ms, _) = asyncio.run(_interactions())
    visits = asyncio.run(_visits())
    kept = Results()
    kept.begin(PART, is_quick=False)
    for what, name, target, unit in (
        ("Largest contentful paint, later by", "lcp_ms", 50, "ms"),
        ("Blocking by long tasks, more by", "blocking_ms", 20, "ms"),
        ("Layout shift, more by", "cls", 0.001, ""),
    ):
        more = max(0.0, with_chat[name] - bare[name])
        kept.line(PART, what, more, target=target, unit=unit, less_is_better=True)
    for what, name, target in (
        ("Opened with nothing loaded, Slow 4G", "cold_ms", OPEN_COLD_MS),
        ("Opened again", "warm_ms", OPEN_WARM_MS),
        (f"Slowest press of opening and writing, processor {SLOWER} times as slow", "press_ms", PRESS_MS),
        ("Longest task while lines are worked for", "task_ms", BLOCKING_FROM_MS),
    ):
        kept.line(PART, what, visits[name], target=target, unit="ms", less_is_better=True)
    what = f"Until a press is drawn, p98 of {count} in a chat of {LINES} lines"
    kept.line(PART, what, taken_ms, target=INTERACTION_MS, unit="ms", less_is_better=True)
    kept.table(
        PART,
        what,
        ["processor", "ms"],
        [["as it is", f"{taken_ms:.0f}"], [f"{SLOWER} times as slow", f"{slow_ms:.0f}"]],
    )
    rows = [[name, f"{bare[name]:.3g}", f"{with_chat[name]:.3g}"] for name in bare]
    kept.table(PART, f"Medians of {ROUNDS}", ["", "without", "with the chat"], rows)


if __name__ == "__main__":
    main()
