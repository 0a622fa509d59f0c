"""The files of a rulebook made into what is in force: rules, their armaments, reply templates; all good or not at all."""

import contextlib
import gc
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from channels import language
from channels.email import message
from intake import armaments, published, rule_files
from intake.armaments import Armament
from intake.replies import Replies, TemplateProblem
from intake.rule_files import Look, Sources
from routing import cases
from routing import rulebook as rules
from routing.problems import ConfigError, Problem
from routing.rulebook import Rulebook


class Loaded(msgspec.Struct, frozen=True):
    """named_paths, look: the files it was made of, as they stood. digest: of their texts; "" = not known."""

    rulebook: Rulebook
    armaments: Mapping[str, Armament]
    replies: Replies
    named_paths: tuple[str, ...] = ()
    look: Look = ()
    digest: str = ""


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
        raise ConfigError(
            [
                Problem(each.file, each.line, 1, "error", "bad-template", each.message)
                for each in problem.faults
            ]
        ) from problem
    rulebook = rules.load(
        sources.files,
        lists=sources.lists,
        calendars=sources.calendars,
        replies=replies.known,
        is_checked=is_checked,
    )
    failures = [] if is_checked else cases.run(rulebook, detect_language=_language_of)
    if failures:
        raise ConfigError(failures)
    return Loaded(
        rulebook,
        armaments.of_rulebook(rulebook),
        replies,
        sources.named_paths,
        sources.look,
        published.digest(sources),
    )


def _language_of(text: str) -> str | None:
    return language.detect(text, message.DEFAULT_LANGUAGES)


def quietly(sources: Sources) -> Loaded:
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
