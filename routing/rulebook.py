"""Rules as text -> a Rulebook: everything compiled and checked, or every problem with file, line and column.

How the parts are read stands in rulebook_text.py. Adding a section: its name in sections.py, a reader beside the others
(*_text.py), a line there and one in Rulebook.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping

import msgspec

from routing import (
    conditions,
    conversation_text,
    holiday_text,
    lint,
    list_text,
)
from routing.calendar import Calendar
from routing.case_text import Case
from routing.conditions import Condition
from routing.conversation import Conversations
from routing.fields import FieldRule
from routing.ladder import Ladder
from routing.matcher import Index
from routing.people import Agent, Team
from routing.problems import ConfigError, Problem, has_error, in_order
from routing.rulebook_text import Parts, read_parts
from routing.rules import React, Rule
from routing.schedule import Schedule
from routing.sections import Sections
from routing.targets import Policy


class Rulebook(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """Everything the rules say, compiled. Never changes: a reload makes a new one.

    hash: SHA-256 of text, hex. text: JSON of the files and lists, from which `from_text` makes the same rulebook.
    needs: the facts that rules ask for. rules: enrich, then route, each in file order; positions: where each id is.
    warnings: what was found besides errors. kept: names of lists that are kept at the desk; the other lists have their values
    in `lists`. calendar_files: name -> text of the iCalendar files that calendars name and that were there.
    """

    hash: str
    text: str
    files: dict[str, str]
    lists: dict[str, tuple[str, ...]]
    needs: frozenset[str]
    calendars: dict[str, Calendar]
    agents: dict[str, Agent]
    teams: dict[str, Team]
    policies: dict[str, Policy]
    ladders: dict[str, Ladder]
    enrich: tuple[Rule, ...]
    route: tuple[Rule, ...]
    rules: tuple[Rule, ...]
    positions: dict[str, int]
    default: Rule
    tests: tuple[Case, ...]
    warnings: tuple[Problem, ...]
    index: Index
    schedules: dict[str, Schedule] = {}
    fields: dict[str, FieldRule] = {}
    kept: frozenset[str] = frozenset()
    conversations: Conversations = Conversations()
    react: tuple[React, ...] = ()
    calendar_files: dict[str, str] = {}

    def kept_uses(self) -> frozenset[tuple[str, str]]:
        """(fact, list) for each list kept at the desk that some rule asks for."""
        return conditions.kept_uses(_conditions(self.rules, self.react, self.conversations))

    def calendar_of(self, policy: str) -> Calendar:
        """The calendar whose open time a policy counts."""
        return self.calendars[self.policies[policy].calendar]

    def ladder_of(self, policy: str) -> Ladder | None:
        """The ladder of a policy; None = it has none."""
        name = self.policies[policy].ladder
        return self.ladders[name] if name else None


def load(
    files: Mapping[str, str],
    *,
    lists: Mapping[str, tuple[str, ...]] | None = None,
    calendars: Mapping[str, str] | None = None,
    replies: Collection[tuple[str, str]] | None = None,
    is_checked: bool = False,
) -> Rulebook:
    """The rulebook of some files. files: name -> text, read in the order of their names.

    lists: name -> values kept elsewhere, like those of `list_files`; one that is not there is an empty list and a
    warning. calendars: file -> text of the `calendar_files`; without one its calendar is open on those days, and that is
    a warning, too. replies: known (template, language) pairs, None = not checked.
    is_checked: these very files were found good before, so that lint need not look at them again.
    The admin's tests are read, not run: see cases.py. Raises: ConfigError with every problem, warnings too.
    """
    sections = Sections(files)
    problems = sections.problems
    try:
        parts = read_parts(sections, lists=lists or {}, calendars=calendars or {}, replies=replies)
        rulebook = _assembled(parts, files=sections.files, is_good=not has_error(problems))
    except ConfigError as too_many:
        raise ConfigError(in_order([*sections.certain(), *too_many.problems])) from None
    if not has_error(problems) and not is_checked:
        problems.extend(lint.errors(rulebook, sections.named))
    if has_error(problems):
        raise ConfigError(in_order(sections.certain()))
    if is_checked:
        return msgspec.structs.replace(rulebook, warnings=in_order(problems))
    warnings = in_order([*problems, *lint.warnings(rulebook, sections.named)])
    return msgspec.structs.replace(rulebook, warnings=warnings)


def list_files(files: Mapping[str, str]) -> dict[str, str]:
    """List -> name of the file with its values, which the caller reads and gives to `load`. files: name -> text.

    What can't be read here is left out: `load` tells it.
    """
    return list_text.files_of(files)


def calendar_files(files: Mapping[str, str]) -> tuple[str, ...]:
    """Names of the iCalendar files whose texts the caller reads and gives to `load`. files: name -> text.

    What can't be read here is left out: `load` tells it.
    """
    return holiday_text.files_of(files)


def from_text(text: str) -> Rulebook:
    """The rulebook that was stored under its hash."""
    stored = msgspec.json.decode(text, type=_Stored)
    return load(stored.files, lists=stored.lists, calendars=stored.calendars, is_checked=True)


class _Stored(msgspec.Struct, frozen=True, omit_defaults=True):
    files: dict[str, str]
    lists: dict[str, tuple[str, ...]]
    calendars: dict[str, str] = {}


def _assembled(parts: Parts, *, files: dict[str, str], is_good: bool) -> Rulebook:
    """The parts, and what follows from them. is_good: without an error; else it is only there to be looked at."""
    stored = _Stored(files, parts.lists, parts.calendar_files)
    text = msgspec.json.encode(stored, order="sorted").decode() if is_good else ""
    rules = (*parts.enrich, *parts.route)
    asked = _conditions(rules, parts.react, parts.conversations)
    return Rulebook(
        hash=hashlib.sha256(text.encode()).hexdigest(),
        text=text,
        files=files,
        needs=_needs(asked, parts.conversations, parts.fields),
        rules=rules,
        positions={rule.id: position for position, rule in enumerate(rules)},
        warnings=(),
        index=Index(rules),
        **msgspec.structs.asdict(parts),
    )


def _conditions(
    rules: Iterable[Rule], react: Iterable[React], conversations: Conversations
) -> tuple[Condition, ...]:
    """Everything that is asked of a message or a ticket."""
    return (
        *(rule.when for rule in rules),
        *(each.rule.when for each in react),
        *(gathering.when for gathering in conversations.by),
    )


def _needs(
    asked: Iterable[Condition], conversations: Conversations, fields: Mapping[str, FieldRule]
) -> frozenset[str]:
    """Names of all facts that some part of the rulebook looks at."""
    facts = {leaf.fact.name for condition in asked for leaf in conditions.leaves(condition)}
    for gathering in conversations.by:
        facts |= conversation_text.facts_of_key(gathering.key)
    if any(field.extract for field in fields.values()):
        facts.add("text")
    return frozenset(facts)
