"""How many stored tickets a second another rulebook is tried on, on one core and on all of them."""

import random
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench import generated, grow
from bench.results import Results
from intake.backtest import running
from intake.backtest.summary import Summary
from intake.store import opening
from routing import rulebook as reader
from routing.rulebook import Rulebook
from tests.domain.world import World

PART = "backtest"
RULES = 100
_SEED = 20261122
_BEGIN = datetime(2026, 10, 1, 8, 0, tzinfo=UTC)


class _Clock:
    """Moved by hand."""

    def __init__(self) -> None:
        self.at = _BEGIN

    def __call__(self) -> datetime:
        return self.at


def run(results: Results, folder: Path, *, is_quick: bool) -> None:
    results.begin(PART, is_quick=is_quick)
    originals, some, wanted = (300, 3_000, 6_000) if is_quick else (2_000, 20_000, 100_000)
    place = folder / "backtest"
    place.mkdir()
    clock = _Clock()
    text = generated.rulebook_text(generated.rules(RULES))
    _fill(place, clock, text, tickets=originals)
    grow.multiply(place / "intake.db", times=some // originals)
    _measure(results, place, clock, text, rounds=1 if is_quick else 3)
    grow.multiply(place / "intake.db", times=wanted // some)
    _measure_whole(results, place, clock, text, wanted=wanted)


def _fill(place: Path, clock: _Clock, text: str, *, tickets: int) -> None:
    """Tickets over some weeks, made by the intake itself: most answered, many solved, some late, some written to again."""
    chance = random.Random(_SEED)
    with closing(opening.open_store("", place, clock=clock)) as store:
        world = World(store, place, clock, rules=text)
        for number, message in enumerate(generated.messages(tickets)):
            sender = message.facts.sender.address or "nobody@example.net"
            row = world.receive(sender, subject=message.facts.subject, body=message.facts.body)
            clock.at += timedelta(minutes=chance.randint(1, 40))
            if number % 20 == 0:
                world.fire_due()
            if chance.random() < 0.8:
                ticket = world.ticket(row)
                clock.at += timedelta(minutes=chance.choice((0, 1, 5)))
                world.reply(ticket, status=chance.choice(("pending", "open", None)))
                if chance.random() < 0.7:
                    clock.at += timedelta(minutes=1)
                    world.set_status(ticket, "solved")
        world.fire_due()


def _newer(text: str) -> Rulebook:
    """Some rules send elsewhere and the policy is stricter, so that every ticket has to be lived again."""
    return reader.load({"rules.yaml": _moved(text).replace("first_response: 4h", "first_response: 20m")})


def _elsewhere(text: str) -> Rulebook:
    """Some rules send elsewhere; clocks and ladders are as they were."""
    return reader.load({"rules.yaml": _moved(text)})


def _moved(text: str) -> str:
    """A rule more, for about a tenth of the senders."""
    homes = ", ".join(f"home{number}.example" for number in range(10))
    rule = f"  - {{id: homes, when: {{sender.domain: [{homes}]}}, then: {{team: billing, priority: high}}}}\n"
    return text.replace("route:\n", f"route:\n{rule}", 1)


def _tried(place: Path, clock: _Clock, new: Rulebook, *, jobs: int | None) -> tuple[Summary, float, float]:
    """What was found, seconds on the clock and seconds of this process's processor time."""
    with closing(opening.open_store("", place, clock=clock)) as store:
        began, spent = time.monotonic(), time.process_time()
        found = running.run(store, new, place=("", place), until=clock(), jobs=jobs)
        return found, time.monotonic() - began, time.process_time() - spent


def _measure(results: Results, place: Path, clock: _Clock, text: str, *, rounds: int) -> None:
    found, rates = Summary(), []
    for _ in range(rounds):
        found, _, processor_s = _tried(place, clock, _newer(text), jobs=1)
        rates.append(found.tickets / processor_s)
    results.line(
        PART,
        f"Tickets a second on one core, {RULES} rules, each lived again with its clocks",
        sorted(rates)[len(rates) // 2],
        target=3_000,
        unit="tickets/s of a processor",
    )
    quick, _, quick_s = _tried(place, clock, _elsewhere(text), jobs=1)
    results.note(
        PART,
        f"There: {found.tickets} tickets, {found.changed} change, {found.followed} followed, {found.missed_more} newly missed. "
        f"Where clocks and ladders stay as they are: {quick.tickets / quick_s:.0f} tickets a second, "
        f"{quick.lived} lived again.",
    )


def _measure_whole(results: Results, place: Path, clock: _Clock, text: str, *, wanted: int) -> None:
    found, seconds, _ = _tried(place, clock, _newer(text), jobs=None)
    results.line(
        PART,
        f"{wanted} tickets on all cores, each lived again, processes started and rules read",
        seconds,
        target=60 * wanted / 100_000,
        unit="s",
        less_is_better=True,
    )
    size_mib = (place / "intake.db").stat().st_size / 2**20
    results.note(PART, f"There: {found.tickets} tickets in a store of {size_mib:.0f} MiB.")
