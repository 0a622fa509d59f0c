"""How fast rules are matched and loaded, beside plain closures and three rule engines on the same rules and messages."""

import asyncio
import gc
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from bench import engines, generated
from bench.generated import GeneratedMessage
from bench.results import Results
from intake import instants, rulebooks
from intake.store import opening
from routing import decision, explain
from routing import rulebook as reader
from routing.rulebook import Rulebook
from routing.view import View
from tests.domain.world import World
from tests.torture import daemons

PART = "rules"
SIZES = (10, 100, 1_000, 10_000)
MESSAGES = 300
_ENGINE_MS = 2_000  # how long one engine is timed on one rulebook: some take a second for a message
_TICK_S = 0.002
_IDLE_S = 1.0


def run(results: Results, folder: Path, *, is_quick: bool) -> None:
    results.begin(PART, is_quick=is_quick)
    rounds = 3 if is_quick else 9
    messages = generated.messages(60 if is_quick else MESSAGES)
    matchers = engines.matchers()
    for name in (name for name, make in matchers.items() if make is None):
        results.note(PART, f"{name} is not installed (requirements/bench.txt): left out.")
    rows = [_compared(size, messages, matchers, rounds=rounds) for size in SIZES]
    _tell_speed(results, rows, matchers)
    _tell_loading(results, folder, rounds=1 if is_quick else 3)


# -- matching -------------------------------------------------------------------------------------------------------


def matched(rulebook: Rulebook, view: View) -> tuple[str, ...]:
    """The rules that count, found with the index as decisions find them."""
    enriching, routing, _, _ = decision.matched(rulebook, view)
    found = tuple(rule.id for rule in enriching)
    return (*found, routing.id) if routing else found


def folded(rulebook: Rulebook, message: GeneratedMessage) -> View:
    """A view of the message with its text prepared, as it is once for all rules."""
    view = View.of(rulebook, message.facts)
    for name in ("text", "subject"):
        view.words(name)
    for marked in (False, True):
        view.pattern_subject("text", marked=marked)
    return view


def _compared(
    size: int, messages: list[GeneratedMessage], matchers: dict[str, Any], *, rounds: int
) -> dict[str, Any]:
    """Microseconds a message of everybody on one rulebook, after their answers were found to be the same."""
    rules = generated.rules(size)
    rulebook = reader.load({"rules.yaml": generated.rulebook_text(rules)})
    views = [folded(rulebook, message) for message in messages]
    truth = [explain.matching(rulebook, message.facts) for message in messages]
    _insist("the index", (matched(rulebook, view) for view in views), truth)
    row: dict[str, Any] = {
        "rules": size,
        "ours": _per_message_us(lambda view: matched(rulebook, view), views, rounds, fresh=True),
        "decide": _per_message_us(lambda message: decision.decide(rulebook, message.facts), messages, rounds),
        "folding": _per_message_us(lambda message: folded(rulebook, message), messages, rounds),
        "candidates": statistics.mean(len(rulebook.index.candidates(view)) for view in views),
        "matched": statistics.mean(map(len, truth)),
    }
    for name, make in matchers.items():
        if make is not None:
            row[name] = _timed_engine(name, make(rules), messages, truth, rounds=rounds)
    print(f"  {size} rules: " + ", ".join(f"{key} {value:.1f}" for key, value in row.items()), flush=True)
    return row


def _timed_engine(
    name: str,
    match: engines.Matcher,
    messages: list[GeneratedMessage],
    truth: list[tuple[str, ...]],
    *,
    rounds: int,
) -> float:
    """Microseconds a message; slow engines get fewer messages and rounds. Their answers must be ours."""
    began = time.process_time()
    match(messages[0].context)
    once_ms = max(0.001, (time.process_time() - began) * 1000)
    some = messages[: max(5, min(len(messages), int(_ENGINE_MS / once_ms)))]
    _insist(name, (tuple(match(message.context)) for message in some), truth)
    affordable = max(1, min(rounds, int(2 * _ENGINE_MS / (once_ms * len(some)))))
    return _per_message_us(lambda message: match(message.context), some, affordable)


def _insist(name: str, answers: Iterable[Iterable[str]], truth: list[tuple[str, ...]]) -> None:
    for position, (answer, wanted) in enumerate(zip(answers, truth, strict=False)):
        if tuple(answer) != wanted:
            raise AssertionError(
                f"{name} says {tuple(answer)} of message {position}, the plain evaluator {wanted}"
            )


def _per_message_us(
    work: Callable[[Any], Any], subjects: list[Any], rounds: int, *, fresh: bool = False
) -> float:
    """Processor time, median of rounds: others on the machine take none of it.

    fresh: each round looks with views that know the text only, as with a message that has just come.
    """
    found = []
    gc.collect()
    for _ in range(rounds):
        given = [view.deciding({}) for view in subjects] if fresh else subjects
        began = time.process_time()
        for each in given:
            work(each)
        found.append((time.process_time() - began) / len(given) * 1_000_000)
    return statistics.median(found)


def _tell_speed(results: Results, rows: list[dict[str, Any]], matchers: dict[str, Any]) -> None:
    by_size = {row["rules"]: row for row in rows}
    largest = by_size[SIZES[-1]]
    results.line(
        PART,
        "Matching a message against 10 000 rules, its text folded",
        largest["ours"],
        target=100,
        unit="µs",
        less_is_better=True,
    )
    results.line(
        PART,
        "Matching with 10 000 rules against matching with 100",
        largest["ours"] / by_size[100]["ours"],
        target=6,
        unit="×",
        less_is_better=True,
    )
    results.line(
        PART,
        "Plain closures one by one against ours at 10 000 rules",
        largest["closures"] / largest["ours"],
        target=30,
        unit="×",
    )
    names = ["ours", *(name for name, make in matchers.items() if make is not None)]
    head = ["Rules", *names, "candidates", "rules that count", "whole decision", "folding"]
    cells = [
        [f"{row['rules']}", *(f"{row[name]:.0f}" for name in names), f"{row['candidates']:.1f}",
         f"{row['matched']:.1f}", f"{row['decide']:.0f}", f"{row['folding']:.0f}"]
        for row in rows
    ]  # fmt: skip
    results.table(PART, "Microseconds a message, processor time", head, cells)
    results.note(
        PART,
        "Every answer was compared with the plain evaluator's: ours on all messages, the other engines' on those they were timed on. "
        "'Whole decision' also folds the text, assigns an agent and writes the reasons.",
    )


# -- loading --------------------------------------------------------------------------------------------------------


def _tell_loading(results: Results, folder: Path, *, rounds: int) -> None:
    rules, replies = folder / "rules.yaml", folder / "replies"
    rules.write_text(generated.rulebook_text(generated.rules(SIZES[-1])), encoding="utf-8")
    shutil.copytree(daemons.ROOT / "config" / "replies", replies)
    results.line(
        PART,
        "Loading 10 000 rules, warnings included",
        statistics.median(_load_s(rules, replies) for _ in range(rounds)),
        target=3,
        unit="s of a processor",
        less_is_better=True,
    )
    found = [asyncio.run(_reloaded(folder, rules, replies)) for _ in range(rounds)]
    results.line(
        PART,
        "Longest silence of the daemon's loop while it reloads them",
        statistics.median(gap for _, gap, _ in found) * 1000,
        target=50,
        unit="ms",
        less_is_better=True,
    )
    wall_s = statistics.median(wall for wall, _, _ in found)
    results.note(
        PART,
        f"A reload took {wall_s:.1f} s on the clock, its process and the write of the text included; "
        f"the rules are {rules.stat().st_size / 1e6:.1f} MB. Idle, with nothing to do but tick, the loop was silent for up to "
        f"{statistics.median(idle for _, _, idle in found) * 1000:.0f} ms: what others on the machine took.",
    )


def _load_s(rules: Path, replies: Path) -> float:
    gc.collect()
    began = time.process_time()
    rulebooks.read(rules, replies)
    return time.process_time() - began


async def _reloaded(folder: Path, rules: Path, replies: Path) -> tuple[float, float, float]:
    """Of one reload as the daemon does it: seconds on the clock, the longest gap between two ticks, and that of the idle loop before."""
    place = Path(tempfile.mkdtemp(dir=folder))
    with closing(opening.open_store("", place)) as store:
        world = World(store, place, instants.now)
        reloader = rulebooks.Reloader(store, world.context, rules_path=rules, replies_path=replies)
        gc.collect()
        gaps: list[float] = []
        ticking = asyncio.create_task(_tick(gaps))
        await asyncio.sleep(_IDLE_S)
        idle_s = max(gaps)
        gaps.clear()
        began = time.monotonic()
        if not await reloader.reload():
            raise AssertionError(f"the generated rules were refused: {reloader.problem}")
        taken = time.monotonic() - began
        await asyncio.sleep(2 * _TICK_S)
        ticking.cancel()
        return taken, max(gaps), idle_s


async def _tick(gaps: list[float]) -> None:
    last = time.monotonic()
    while True:
        await asyncio.sleep(_TICK_S)
        now = time.monotonic()
        gaps.append(now - last - _TICK_S)
        last = now
