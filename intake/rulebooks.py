"""The rulebook in force: read from files, swapped whole, kept by hash; an error anywhere leaves the old one in place."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import bindparam

from channels import language
from channels.email import message
from intake import armaments, dailies
from intake.armaments import Armament
from intake.model import Context
from intake.replies import Replies, TemplateProblem, read_folder
from intake.store import schema
from intake.store.engine import Store, Tx
from intake.store.statements import Statement, upsert
from routing import cases
from routing import rulebook as rules
from routing.problems import ConfigError, Problem
from routing.rulebook import Rulebook

LOOK_S = 1.0

log = logging.getLogger("intake.rulebooks")

_KEEP = Statement(
    upsert(schema.rulebooks)
    .values(hash=bindparam("hash"), source=bindparam("source"), loaded_at=bindparam("now"))
    .on_conflict_do_nothing(index_elements=[schema.rulebooks.c.hash])
)

Told = Callable[[str, dict[str, Any]], None]


class Loaded(msgspec.Struct, frozen=True):
    rulebook: Rulebook
    armaments: Mapping[str, Armament]
    replies: Replies


def read(rules_path: Path, replies_path: Path) -> Loaded:
    """Read, check, compile and test.

    Raises: ConfigError with every problem; a failing test of the admin's is one.
    """
    try:
        replies = Replies(read_folder(replies_path))
    except TemplateProblem as problem:
        raise ConfigError(
            [Problem(replies_path.name, 1, 1, "error", "bad-template", str(problem))]
        ) from problem
    rulebook = rules.load(texts(rules_path), replies=replies.known)
    failures = cases.run(
        rulebook, detect_language=lambda text: language.detect(text, message.DEFAULT_LANGUAGES)
    )
    if failures:
        raise ConfigError(failures)
    return Loaded(rulebook, armaments.of_rulebook(rulebook), replies)


def texts(path: Path) -> dict[str, str]:
    """Return name -> text of the rules file, or of the *.yaml files of a folder.

    Raises: ConfigError when a file is not there or not UTF-8.
    """
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    if not files:
        raise ConfigError([Problem(str(path), 1, 1, "error", "no-rules", "the folder has no .yaml file")])
    found = {}
    for file in files:
        try:
            found[file.name] = file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise ConfigError(
                [Problem(str(file), 1, 1, "error", "unreadable", f"cannot be read: {reason}")]
            ) from error
    return found


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
        self._seen = self._fingerprint()
        self.problem: str | None = None

    def context(self) -> Context:
        return self._context

    async def reload(self) -> bool:
        """Read the rules again; false when they are refused, and the old ones stay."""
        async with self._turn:
            self._seen = self._fingerprint()
            try:
                loaded = await asyncio.to_thread(read, self._rules_path, self._replies_path)
                await self._store.write(lambda tx: keep(tx, loaded))
            except ConfigError as error:
                errors = [str(problem) for problem in error.problems if problem.severity == "error"]
                self.problem = errors[0] if errors else str(error)
                self._told(
                    "rules_refused", {"problems": errors, "in_force": self._context.rulebook.hash[:12]}
                )
                return False
            except Exception as error:
                log.exception("rules_not_reloaded")
                self.problem = f"{type(error).__name__}: {error}"
                self._told(
                    "rules_refused",
                    {"problems": [self.problem], "in_force": self._context.rulebook.hash[:12]},
                )
                return False
            self.problem = None
            self._context = msgspec.structs.replace(
                self._context, rulebook=loaded.rulebook, armaments=loaded.armaments, replies=loaded.replies
            )
            self._told(
                "rules_loaded", {"rulebook": loaded.rulebook.hash[:12], "rules": len(loaded.rulebook.rules)}
            )
            return True

    async def watch(self) -> None:
        """Reload whenever a file has changed, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            if self._fingerprint() != self._seen:
                await self.reload()

    def _fingerprint(self) -> tuple[tuple[str, int, int], ...]:
        """Name, size and time of every file that a reload would read."""
        files = [*self._replies_path.glob("*.md")]
        files += self._rules_path.glob("*.yaml") if self._rules_path.is_dir() else [self._rules_path]
        seen = []
        for file in sorted(files):
            try:
                status = file.stat()
            except FileNotFoundError:
                continue
            seen.append((str(file), status.st_size, status.st_mtime_ns))
        return tuple(seen)
