"""The whole corpus against the desk: `python -m tests.web.xss [--texts 5000]`. Prints what it saw; exit 1 when anything got out."""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from tests.web import browser as browsers
from tests.web.xss_pages import fed_desk, looking, sweep, sweep_desk
from tests.web.xss_payloads import payloads

LONG_RUN_TEXTS = 5_000  # from here on the figures are kept in bench/RESULTS.md


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=5_000, help="how many of them, at most some 90 000")
    return asyncio.run(_run(parser.parse_args().texts))


async def _run(most: int) -> int:
    texts, began = payloads(most), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        async with (
            browsers.chromium() as browser,
            fed_desk(Path(folder)) as (site, feed),
            looking(browser, site) as found,
        ):
            pages = await sweep(found, feed, texts)
            await sweep_desk(found, feed, texts)
            problems = found.problems()
    took_s, shown = time.monotonic() - began, found.escaped.shown
    print(f"{len(texts)} texts, {pages} pages, {shown} seen as text, {len(problems)} got out, {took_s:.0f} s")
    if len(texts) >= LONG_RUN_TEXTS:
        from bench import web_torture

        web_torture.record_texts(len(texts), pages, shown=shown, got_out=len(problems), seconds=took_s)
    for each in (*problems[:50], *found.refused[:50]):
        print(f"  {each}")
    return 1 if problems or found.refused else 0


if __name__ == "__main__":
    raise SystemExit(main())
