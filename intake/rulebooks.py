"""The rulebook in force: read from files, swapped whole, kept by hash; an error anywhere leaves the old one in place."""

import asyncio
import contextlib
import gc
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import bindparam

from channels import language
from channels.email import message
from intake import armaments, child, dailies, events, instants, rule_files, rule_worker
from intake.armaments import Armament
from intake.model import Context
from intake.replies import Replies, TemplateProblem
from intake.rule_files import Look, Sources
from intake.store import schema
from intake.store.engine import Store, StoreError, Tx
from intake.store.statements import Statement, upsert
from routing import cases
from routing import rulebook as rules
from routing.problems import ConfigError, Problem, has_error
from routing.rulebook import Rulebook

LOOK_S = 1.0
REST_S = 0.2  # a file must rest so long before it is read: an editor may have written half of it
ASIDE_FROM_CHARACTERS = 40_000  # about 300 rules; from here on judging one holds the lock too long
JUDGE_S = 300.0
TOLD_MAX = 50

log = logging.getLogger("intake.rulebooks")

texts = rule_files.texts

_KEEP = Statement(
    upsert(schema.rulebooks)
    .values(hash=bindparam("hash"), source=bindparam("source"), loaded_at=bindparam("now"))
    .on_conflict_do_nothing(index_elements=[schema.rulebooks.c.hash])
)

Told = Callable[[str, dict[str, Any]], None]


class Loaded(msgspec.Struct, frozen=True):
    """list_paths, look: the files it was made of, as they stood."""

    rulebook: Rulebook
    armaments: Mapping[str, Armament]
    replies: Replies
    list_paths: tuple[str, ...] = ()
    look: Look = ()


class Refusal(msgspec.Struct, frozen=True):
    """Why changed rules are not in force. problems: as `check` says them; since: RFC 3339; in_force: hash, shortened."""

    problems: tuple[str, ...]
    since: str
    in_force: str

    @property
    def banner(self) -> str:
        """One line for the desk and /readyz."""
        more = f" (and {len(self.problems) - 1} more)" if len(self.problems) > 1 else ""
        return (
            f"the changed rules are refused since {self.since}, {self.in_force} stays in force: "
            f"{self.problems[0]}{more}"
        )


def read(rules_path: Path, replies_path: Path) -> Loaded:
    """Read, check, compile and test.

    Raises: ConfigError with every problem; a failing test of the admin's is one.
    """
    return compiled(rule_files.read(rules_path, replies_path))


def compiled(sources: Sources, *, is_checked: bool = False) -> Loaded:
    """Make what is in force out of the files. is_checked: they were found good, tests and all.

    Raises: ConfigError with every problem.
    """
    try:
        replies = Replies(sources.replies)
    except TemplateProblem as problem:
        raise ConfigError([Problem("replies", 1, 1, "error", "bad-template", str(problem))]) from problem
    rulebook = rules.load(sources.files, lists=sources.lists, replies=replies.known, is_checked=is_checked)
    failures = [] if is_checked else cases.run(rulebook, detect_language=_language_of)
    if failures:
        raise ConfigError(failures)
    return Loaded(rulebook, armaments.of_rulebook(rulebook), replies, sources.list_paths, sources.look)


def _language_of(text: str) -> str | None:
    return language.detect(text, message.DEFAULT_LANGUAGES)


def _compiled_quietly(sources: Sources) -> Loaded:
    """Compile what was judged good: the collector would stop everything to look at each rule again and again."""
    with _no_collecting():
        return compiled(sources, is_checked=True)


@contextlib.contextmanager
def _no_collecting() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()  # what was made stays; it is freed by its counts when the next rulebook takes its place
        if was_on:
            gc.enable()


def keep(tx: Tx, loaded: Loaded) -> None:
    """Keep the texts that later decisions and clocks refer to by hash."""
    tx.run(_KEEP, hash=loaded.rulebook.hash, source=loaded.rulebook.text, now=tx.now)
    armaments.keep(tx, dict(loaded.armaments))
    dailies.keep(tx, loaded.rulebook)


class Reloader:
    """Holds the context in force and replaces it when the rules change. A message in flight keeps what it began with."""

    def __init__(
        self,
        store: Store,
        context: Context,
        *,
        rules_path: Path,
        replies_path: Path,
        told: Told = lambda event, fields: None,
    ) -> None:
        self._store = store
        self._context = context
        self._rules_path = rules_path
        self._replies_path = replies_path
        self._told = told
        self._turn = asyncio.Lock()
        self._list_paths = _list_paths(context.rulebook, rules_path)
        self._seen = self._look()
        self.refusal: Refusal | None = None

    def context(self) -> Context:
        return self._context

    @property
    def problem(self) -> str | None:
        """The banner while changed rules are refused, else None."""
        return None if self.refusal is None else self.refusal.banner

    async def reload(self) -> bool:
        """Read the rules again; false when they are refused, and the old ones stay."""
        async with self._turn:
            self._seen = self._look()
            try:
                loaded = await self._loaded()
                await self._store.write(lambda tx: _keep_loaded(tx, loaded))
            except ConfigError as error:
                await self._refuse(
                    [str(problem) for problem in error.problems if problem.severity == "error"]
                    or [str(error)]
                )
                return False
            except Exception as error:
                log.exception("rules_not_reloaded")
                await self._refuse([f"{type(error).__name__}: {error}"])
                return False
            self.swap(loaded)
            return True

    def swap(self, loaded: Loaded) -> None:
        """Put another rulebook into force: one reference, which a message under way does not look at again."""
        self._list_paths, self._seen = loaded.list_paths, loaded.look or self._seen
        self.refusal = None
        self._context = msgspec.structs.replace(
            self._context, rulebook=loaded.rulebook, armaments=loaded.armaments, replies=loaded.replies
        )
        self._told(
            "rules_loaded", {"rulebook": loaded.rulebook.hash[:12], "rules": len(loaded.rulebook.rules)}
        )

    async def watch(self) -> None:
        """Reload whenever a file has changed and rests, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            changed = self._look()
            if changed == self._seen:
                continue
            await asyncio.sleep(REST_S)
            if self._look() == changed:
                await self.reload()

    async def _loaded(self) -> Loaded:
        """Read the files, and judge them where that does not keep the loop waiting. Raises: ConfigError."""
        sources = await asyncio.to_thread(rule_files.read, self._rules_path, self._replies_path)
        self._list_paths, self._seen = sources.list_paths, sources.look or self._seen
        if sources.size < ASIDE_FROM_CHARACTERS:
            return await asyncio.to_thread(compiled, sources)
        found = await judged_aside(sources)
        if has_error(found):
            raise ConfigError(found)
        return await asyncio.to_thread(_compiled_quietly, sources)

    async def _refuse(self, problems: list[str]) -> None:
        in_force = self._context.rulebook.hash[:12]
        now = instants.rfc3339(self._store.now())
        self.refusal = Refusal(tuple(problems), now, in_force)
        told: dict[str, Any] = {"problems": problems[:TOLD_MAX], "in_force": in_force}
        self._told("rules_refused", told)
        with contextlib.suppress(StoreError):  # it is in the log and on /readyz all the same
            await self._store.write(lambda tx: events.record(tx, "rules_refused", **told))

    def _look(self) -> Look:
        return rule_files.look(self._rules_path, self._replies_path, self._list_paths)


async def judged_aside(sources: Sources) -> list[Problem]:
    """Return every problem, found by a process of its own. Raises: child.ChildFailed."""
    judge = child.Child("intake.rule_worker")
    try:
        reply = await judge.ask(rule_worker.question(sources), limit_s=JUDGE_S)
    finally:
        await judge.end()
    return list(rule_worker.verdict(reply))


def _list_paths(rulebook: Rulebook, rules_path: Path) -> tuple[str, ...]:
    folder = rules_path if rules_path.is_dir() else rules_path.parent
    return tuple(sorted(str(folder / file) for file in rules.list_files(rulebook.files).values()))


def _keep_loaded(tx: Tx, loaded: Loaded) -> None:
    keep(tx, loaded)
    events.record(tx, "rules_loaded", rulebook=loaded.rulebook.hash, rules=len(loaded.rulebook.rules))
