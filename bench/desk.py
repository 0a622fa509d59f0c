"""The desk on a store of a million tickets: its list, a ticket and a search, each beside the bare SQL of the same rows.

Everything is asked through the functions that the pages call, with what they cost to write as JSON; somebody new is drawn
for each question, so that no page is asked for twice in the same way. What settlements cost is desk_settling's.
"""

import asyncio
import functools
import sqlite3
import statistics
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from bench import desk_fixture, desk_settling
from bench.desk_drawn import ADMIN, Drawn
from bench.results import Results
from intake import desk_counts, desk_list, desk_ticket, instants, refs, searching
from intake.desk_list import Asked
from intake.store import opening
from intake.store.engine import Store, Tx
from intake.store.sqlite import FILE
from tests.web.site import Browser, open_site

PART = "desk"
TICKETS, QUICK_TICKETS = 1_000_000, 100_000
_encode = msgspec.json.Encoder().encode

_BARE_LIST = (
    "SELECT ref, subject, status, priority, team, agent, written_at FROM tickets WHERE team = ? AND solved_at IS NULL"
    " ORDER BY written_at DESC, id DESC LIMIT 50"
)
_BARE_TICKET = "SELECT * FROM tickets WHERE ref = ?"
_BARE_MESSAGES = "SELECT * FROM messages WHERE ticket_id = ? ORDER BY id DESC LIMIT 50"
_BARE_SEARCH = (
    "SELECT t.ref, t.subject FROM search_words s CROSS JOIN messages m ON m.id = s.rowid CROSS JOIN tickets t"
    " ON t.id = m.ticket_id WHERE s.search_words MATCH ? ORDER BY s.rowid DESC LIMIT 25"
)


def run(results: Results, folder: Path, *, is_quick: bool, store: Path | None = None) -> None:
    """Measure all of it. store: a folder with a store of desk_fixture, None = it is made."""
    results.begin(PART, is_quick=is_quick)
    if store is None:
        store = folder / "desk"
        store.mkdir()
        began = time.monotonic()
        desk_fixture.make(store, tickets=QUICK_TICKETS if is_quick else TICKETS)
        results.note(PART, f"The store was written in {time.monotonic() - began:.0f} s.")
    with closing(opening.open_store("", store)) as opened, closing(sqlite3.connect(store / FILE)) as bare:
        play = _Play(opened, bare, rounds=100 if is_quick else 400)
        _tell_size(results, bare, store)
        play.lists(results)
        play.tickets(results)
        play.searches(results)
    with closing(sqlite3.connect(store / FILE)) as bare:
        asyncio.run(_pages(results, folder, store, Drawn(bare), rounds=40 if is_quick else 200))
    desk_settling.run(results, folder, turns=4 if is_quick else 12)


def _tell_size(results: Results, bare: sqlite3.Connection, store: Path) -> None:
    [(count, count_open)] = bare.execute("SELECT count(*), sum(solved_at IS NULL) FROM tickets").fetchall()
    [(messages,)] = bare.execute("SELECT count(*) FROM messages").fetchall()
    size_gb = (store / FILE).stat().st_size / 1e9
    results.note(
        PART, f"{count} tickets, {count_open} of them open, {messages} messages, {size_gb:.1f} GB, SQLite."
    )


class _Play(Drawn):
    """Questions to one store, and the same rows by bare SQL."""

    def __init__(self, store: Store, bare: sqlite3.Connection, *, rounds: int) -> None:
        super().__init__(bare)
        self._store, self._rounds = store, rounds

    def lists(self, results: Results) -> None:
        """Every view in every order, the first page and the ones behind it, for agents and for who sees everything."""
        ours = [_time_ms(self._ask(self._list)) for _ in range(self._rounds)]
        bare = [
            _time_ms(lambda: self._bare.execute(_BARE_LIST, (self.team(),)).fetchall())
            for _ in range(self._rounds)
        ]
        busy = time.process_time()
        counts = [_time_ms(lambda: self._store.read_now(desk_counts.snapshot)) for _ in range(40)]
        busy_ms = (time.process_time() - busy) * 1_000 / len(counts)
        _line(results, "The list, a page of 50", ours, bare, target=200)
        words = "The counts of all views, for everybody, every 5 s, p95"
        results.line(PART, words, _p95(counts), target=100, unit="ms", less_is_better=True)
        results.note(PART, f"Counting takes {busy_ms:.1f} ms of the processor; the rest is waiting for one.")

    def tickets(self, results: Results) -> None:
        """Tickets of any age; every twentieth is the longest conversation."""
        numbers = [
            0 if place % 20 == 0 else self.chance.randrange(self.count) for place in range(self._rounds)
        ]
        asked = [refs.ref_from_number(number, desk_fixture.REF_KEY) for number in numbers]
        ours = [
            _time_ms(self._ask(functools.partial(desk_ticket.page, who=ADMIN, ref=each))) for each in asked
        ]
        bare = [_time_ms(functools.partial(self._bare_ticket, each)) for each in asked]
        _line(results, "A ticket with its conversation", ours, bare, target=300)

    def searches(self, results: Results) -> None:
        """Common and rare words, beginnings, numbers, addresses, refs, with filters and without."""
        kinds = self.kinds()
        rows, every, bare = [], [], []
        for kind in kinds:
            typed = [kind() for _ in range(max(self._rounds // len(kinds), 10))]
            ours = [_time_ms(self._ask(functools.partial(self._search, typed=each))) for each in typed]
            rows.append(
                [
                    kind.__name__.strip("_"),
                    typed[0],
                    f"{statistics.median(ours):.1f}",
                    f"{_p95(ours):.1f}",
                    f"{max(ours):.0f}",
                ]
            )
            every += ours
        for _ in range(self._rounds):
            word = self.common()
            bare.append(_time_ms(functools.partial(self._bare_search, word)))
        _line(results, "A search, 25 tickets", every, bare, target=300)
        results.table(
            PART, "Searches by kind, milliseconds", ["Kind", "One of them", "p50", "p95", "Longest"], rows
        )

    def _ask(self, read: Callable[[Tx], Any]) -> Callable[[], bytes]:
        return lambda: _encode(self._store.read_now(read))

    def _list(self, tx: Tx) -> dict[str, Any]:
        who, chance = self.somebody(), self.chance
        asked = Asked(view=chance.choice(desk_list.VIEWS), order=chance.choice((None, *desk_list.ORDERS)))
        page = desk_list.page(tx, who, asked)
        if chance.random() < 0.5 and page["next"]:  # both pages are counted: twice the work
            page = desk_list.page(tx, who, desk_list.at(asked, page["next"]))
        return page

    def _search(self, tx: Tx, *, typed: str) -> dict[str, Any]:
        return searching.find(tx, self.somebody(), typed)

    def _bare_ticket(self, ref: str) -> None:
        [ticket] = self._bare.execute(_BARE_TICKET, (ref,)).fetchall()
        self._bare.execute(_BARE_MESSAGES, (ticket[0],)).fetchall()

    def _bare_search(self, word: str) -> None:
        self._bare.execute(_BARE_SEARCH, (f'"{word}"',)).fetchall()


async def _pages(results: Results, folder: Path, store: Path, drawn: Drawn, *, rounds: int) -> None:
    """Ask for the desk's pages over HTTP, as an agent of two teams and as an admin, one after the other."""
    place = folder / "site"
    place.mkdir()
    async with open_site(
        place, instants.now, rules=_rules(), more=f'store: "sqlite:///{store / FILE}"'
    ) as site:
        browsers = (site.signed_in("agent7"), site.signed_in("root", "admin"))
        kinds = drawn.kinds()
        asked = {
            "The page of a list": [f"/?view={desk_list.VIEWS[place % 5]}" for place in range(rounds)],
            "The page of a ticket": [f"/tickets/{drawn.ref()}" for _ in range(rounds)],
            "The page of a search": [
                f"/search?q={quote(kinds[place % len(kinds)]())}" for place in range(rounds)
            ],
        }
        for (what, paths), target in zip(asked.items(), (200, 300, 300), strict=True):
            figures = [await _fetched_ms(browsers[place % 2], path) for place, path in enumerate(paths)]
            words = f"{what} over HTTP, p95"
            results.line(PART, words, _p95(figures), target=target, unit="ms", less_is_better=True)


async def _fetched_ms(browser: Browser, path: str) -> float:
    began = time.perf_counter()
    status, *_ = await browser.ask("GET", path)
    if status not in (200, 302, 303, 404):  # a ref is led to its ticket; of other teams it does not exist
        raise RuntimeError(f"{path} was answered with {status}")
    return (time.perf_counter() - began) * 1_000


def _rules() -> str:
    """Return rules with the fixture's people: five agents in each team."""
    agents = "".join(f"  {name}: {{email: {name}@desk.example}}\n" for name in desk_fixture.AGENTS)
    teams = "".join(
        f"  {team}: {{levels: {{l1: [{', '.join(desk_fixture.AGENTS[place * 5 : place * 5 + 7])}]}}}}\n"
        for place, team in enumerate(desk_fixture.TEAMS)
    )
    return f"version: 1\nagents:\n{agents}teams:\n{teams}default: {{team: team1, priority: normal}}\n"


def _line(results: Results, what: str, ours: list[float], bare: list[float], *, target: float) -> None:
    words = f"{what}, p95 at the server"
    results.line(PART, words, _p95(ours), target=target, unit="ms", less_is_better=True)
    results.note(
        PART,
        f"{what}: p50 {statistics.median(ours):.1f}, p95 {_p95(ours):.1f}, longest {max(ours):.0f} ms; "
        f"bare SQL p50 {statistics.median(bare):.1f}, p95 {_p95(bare):.1f} ms.",
    )


def _time_ms(action: Callable[[], Any]) -> float:
    began = time.perf_counter()
    action()
    return (time.perf_counter() - began) * 1_000


def _p95(figures: list[float]) -> float:
    return sorted(figures)[int(len(figures) * 0.95)]
