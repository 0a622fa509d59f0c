"""The rulebook in force: read from files, swapped whole, kept by hash; an error anywhere leaves the old one in place."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import bindparam

from intake import (
    armaments,
    child,
    compiling,
    dailies,
    events,
    instants,
    published,
    rule_files,
    rule_worker,
    turns,
    waiting,
)
from intake.model import Context
from intake.rule_files import Look, Sources
from intake.store import schema
from intake.store.engine import Store, StoreError, Tx
from intake.store.statements import Statement, upsert
from routing.problems import ConfigError, Problem, has_error

LOOK_S = 1.0
REST_S = 0.2  # a file must rest so long before it is read: an editor may have written half of it
ASIDE_FROM_CHARACTERS = 40_000  # about 300 rules; from here on judging one holds the lock too long
JUDGE_S = 300.0
TOLD_MAX = 50
OLD_FILES = (
    "this daemon has published these files before, and another daemon others since: those stay in force; "
    "change a file to bring yours back"
)

log = logging.getLogger("intake.rulebooks")

texts = rule_files.texts
Loaded = compiling.Loaded
read = compiling.read
compiled = compiling.compiled

_KEEP = Statement(
    upsert(schema.rulebooks)
    .values(hash=bindparam("hash"), source=bindparam("source"), loaded_at=bindparam("now"))
    .on_conflict_do_nothing(index_elements=[schema.rulebooks.c.hash])
)

Told = Callable[[str, dict[str, Any]], None]


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


def in_force(store: Store, sources: Sources, loaded: Loaded, *, rules_path: Path) -> Loaded:
    """What to begin with: one's own files, or what another daemon of the store has published since.

    Raises: ConfigError when that cannot be read here.
    """
    if not published.is_used(store):
        return loaded
    by = published.publisher(rules_path)
    edition = store.read_now(lambda tx: published.instead(tx, sources, by=by))
    return loaded if edition is None else compiled(edition.sources, is_checked=True)


def keep(tx: Tx, loaded: Loaded) -> None:
    """Keep the texts that later decisions and clocks refer to by hash."""
    tx.run(_KEEP, hash=loaded.rulebook.hash, source=loaded.rulebook.text, now=tx.now)
    armaments.keep(tx, dict(loaded.armaments))
    dailies.keep(tx, loaded.rulebook)
    waiting.look_after_reload(tx)
    turns.keep(tx, loaded.rulebook)


class Reloader:
    """Holds the context in force and replaces it when the rules change. A message in flight keeps what it began with."""

    def __init__(
        self,
        store: Store,
        context: Context,
        *,
        rules_path: Path,
        replies_path: Path,
        digest: str = "",
        told: Told = lambda event, fields: None,
    ) -> None:
        self._store = store
        self._context = context
        self._rules_path = rules_path
        self._replies_path = replies_path
        self._told = told
        self._turn = asyncio.Lock()
        self._named_paths = rule_files.named_paths(context.rulebook.files, rules_path)
        self._seen = self._look()
        self._publisher = published.publisher(rules_path)
        self._digest = digest
        self._rejected: str | None = None  # what was published and cannot be read here
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
                sources = await self._read()
                loaded = await self._judged(sources)
                is_own = await self._store.write(lambda tx: self._publish(tx, sources, loaded))
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
            if is_own:
                self.swap(loaded)
                return True
            self._told("rules_not_published", {"reason": OLD_FILES})
            await self._follow()
            return True

    async def begin(self) -> None:
        """Publish the files that the daemon starts with, if they are new; take over what another one published."""
        if published.is_used(self._store) and await self._store.read(published.active_digest) != self._digest:
            await self.reload()

    async def follow(self) -> bool:
        """Take over the rules that another daemon of this store has published; false = there are none that are new."""
        if not published.is_used(self._store):
            return False
        async with self._turn:
            return await self._follow()

    def swap(self, loaded: Loaded) -> None:
        """Put another rulebook into force: one reference, which a message under way does not look at again."""
        self._digest = loaded.digest or self._digest
        if loaded.look:
            self._named_paths, self._seen = loaded.named_paths, loaded.look
        self.refusal = None
        self._context = msgspec.structs.replace(
            self._context, rulebook=loaded.rulebook, armaments=loaded.armaments, replies=loaded.replies
        )
        self._told(
            "rules_loaded", {"rulebook": loaded.rulebook.hash[:12], "rules": len(loaded.rulebook.rules)}
        )

    async def watch(self) -> None:
        """Reload whenever a file has changed and rests, or other rules are published, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            with contextlib.suppress(StoreError):  # it is told elsewhere, and the next look comes soon
                await self.follow()
            changed = self._look()
            if changed == self._seen:
                continue
            await asyncio.sleep(REST_S)
            if self._look() == changed:
                await self.reload()

    async def _read(self) -> Sources:
        sources = await asyncio.to_thread(rule_files.read, self._rules_path, self._replies_path)
        self._named_paths, self._seen = sources.named_paths, sources.look or self._seen
        return sources

    def _publish(self, tx: Tx, sources: Sources, loaded: Loaded) -> bool:
        """Keep rules that were found good; false = the store's daemons have others in force, and these are old."""
        if published.is_used(self._store) and not published.publish(tx, sources, by=self._publisher):
            return False
        _keep_loaded(tx, loaded)
        return True

    async def _follow(self) -> bool:
        active = await self._store.read(published.active_digest)
        if active in (None, self._digest, self._rejected):
            return False
        edition = await self._store.read(published.edition)
        if edition is None:
            return False
        try:
            loaded = await asyncio.to_thread(compiling.quietly, edition.sources)
        except ConfigError as error:
            self._rejected = edition.digest
            await self._refuse([f"published by {edition.publisher}: {problem}" for problem in error.problems])
            return False
        await self._store.write(lambda tx: keep(tx, loaded))
        self.swap(loaded)
        return True

    async def _judged(self, sources: Sources) -> Loaded:
        """Judge the files where that does not keep the loop waiting. Raises: ConfigError."""
        if sources.size < ASIDE_FROM_CHARACTERS:
            return await asyncio.to_thread(compiled, sources)
        found = await judged_aside(sources)
        if has_error(found):
            raise ConfigError(found)
        return await asyncio.to_thread(compiling.quietly, sources)

    async def _refuse(self, problems: list[str]) -> None:
        in_force = self._context.rulebook.hash[:12]
        now = instants.rfc3339(self._store.now())
        self.refusal = Refusal(tuple(problems), now, in_force)
        told: dict[str, Any] = {"problems": problems[:TOLD_MAX], "in_force": in_force}
        self._told("rules_refused", told)
        with contextlib.suppress(StoreError):  # it is in the log and on /readyz all the same
            await self._store.write(lambda tx: events.record(tx, "rules_refused", **told))

    def _look(self) -> Look:
        return rule_files.look(self._rules_path, self._replies_path, self._named_paths)


async def judged_aside(sources: Sources) -> list[Problem]:
    """Return every problem, found by a process of its own. Raises: child.ChildFailed."""
    judge = child.Child("intake.rule_worker")
    try:
        reply = await judge.ask(rule_worker.question(sources), limit_s=JUDGE_S)
    finally:
        await judge.end()
    return list(rule_worker.verdict(reply))


def _keep_loaded(tx: Tx, loaded: Loaded) -> None:
    keep(tx, loaded)
    events.record(tx, "rules_loaded", rulebook=loaded.rulebook.hash, rules=len(loaded.rulebook.rules))
