"""Rules as text -> a Rulebook: everything compiled and checked, or every problem with file, line and column.

Adding a section: its name in sections.py, a reader beside the others (*_text.py), a line here.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec

from routing import (
    calendar_text,
    condition_size,
    conditions,
    conversation_text,
    field_text,
    lint,
    list_text,
    people_text,
    policy_text,
    schedule_text,
)
from routing.action_text import Vocabulary
from routing.calendar import Calendar
from routing.case_text import Case, People, read_cases
from routing.condition_text import read_condition
from routing.conditions import Condition
from routing.conversation import Conversations
from routing.fields import FieldRule
from routing.ladder import Ladder
from routing.matcher import Index
from routing.naming import Targets
from routing.people import Agent, Team
from routing.problems import ConfigError, Problem, has_error, in_order
from routing.react_text import read_react
from routing.rule_text import read_default, read_rules
from routing.rules import NOTHING, React, Rule
from routing.schedule import Schedule
from routing.sections import Sections
from routing.sla import Policy
from routing.value_text import Names
from routing.yaml_text import Node


class Rulebook(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """Everything the rules say, compiled. Never changes: a reload makes a new one.

    hash: SHA-256 of text, hex. text: JSON of the files and lists, from which `from_text` makes the same rulebook.
    needs: the facts that rules ask for. rules: enrich, then route, each in file order; positions: where each id is.
    warnings: what was found besides errors. kept: names of lists that are kept at the desk; the other lists have their values
    in `lists`.
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
    replies: Collection[tuple[str, str]] | None = None,
    is_checked: bool = False,
) -> Rulebook:
    """The rulebook of some files. files: name -> text, read in the order of their names.

    lists: name -> values kept elsewhere, like those of `list_files`; one that is not there is an empty list and a
    warning. replies: known (template, language) pairs, None = not checked.
    is_checked: these very files were found good before, so that lint need not look at them again.
    The admin's tests are read, not run: see cases.py. Raises: ConfigError with every problem, warnings too.
    """
    sections = Sections(files)
    problems = sections.problems
    try:
        rulebook = _Reading(sections, lists=lists or {}, replies=replies).rulebook()
    except ConfigError as too_many:
        raise ConfigError(in_order([*problems, *too_many.problems])) from None
    if not has_error(problems) and not is_checked:
        problems.extend(lint.errors(rulebook, sections.named))
    if has_error(problems):
        raise ConfigError(in_order(problems))
    if is_checked:
        return msgspec.structs.replace(rulebook, warnings=in_order(problems))
    warnings = in_order([*problems, *lint.warnings(rulebook, sections.named)])
    return msgspec.structs.replace(rulebook, warnings=warnings)


def list_files(files: Mapping[str, str]) -> dict[str, str]:
    """List -> name of the file with its values, which the caller reads and gives to `load`. files: name -> text.

    What can't be read here is left out: `load` tells it.
    """
    return list_text.files_of(files)


def from_text(text: str) -> Rulebook:
    """The rulebook that was stored under its hash."""
    stored = msgspec.json.decode(text, type=_Stored)
    return load(stored.files, lists=stored.lists, is_checked=True)


class _Stored(msgspec.Struct, frozen=True):
    files: dict[str, str]
    lists: dict[str, tuple[str, ...]] = {}


class _Reading:
    """One reading of some sections."""

    def __init__(
        self,
        sections: Sections,
        *,
        lists: Mapping[str, tuple[str, ...]],
        replies: Collection[tuple[str, str]] | None,
    ) -> None:
        self.sections = sections
        self.named = sections.named
        self.problems = sections.problems
        self.replies = None if replies is None else frozenset(name for name, _ in replies)
        self.lists = list_text.read_lists(self.named["lists"], lists, self.problems)
        self.seen: dict[str, Node] = {}

    def rulebook(self) -> Rulebook:
        """As much of it as could be read; only good when there is no error among the problems."""
        calendars = self._each("calendars", calendar_text.read_calendar)
        agents, schedules, teams = self._read_people()
        fields = self._each("fields", field_text.read_field)
        words = self._vocabulary(agents, teams, fields)
        ladders = self._each(
            "ladders", lambda name, node, problems: policy_text.read_ladder(name, node, words, problems)
        )
        written = _as_named(self.named["calendars"], calendars)  # a bad one is told at its place
        policies = self._each(
            "sla",
            lambda name, node, problems: policy_text.read_policy(
                name, node, written, self.named["ladders"], problems
            ),
        )
        names = self._names(words)
        self._check_size()
        for name, node in self.named["conditions"].items():
            read_condition(node, names, within=(name,))
        enrich = read_rules(self.sections.all("enrich"), "enrich", words, names, self.seen)
        route = read_rules(self.sections.all("route"), "route", words, names, self.seen)
        default = self._read_default(words)
        react = read_react(self.sections.all("react"), words, names, self.seen, written)
        conversations = conversation_text.read_conversations(
            self.sections.all("conversations"), names, self.seen
        )
        return self._finish(
            calendars=calendars,
            agents=agents,
            schedules=schedules,
            teams=teams,
            fields=fields,
            ladders=ladders,
            policies=policies,
            enrich=enrich,
            route=route,
            default=default or NOTHING,
            react=react,
            conversations=conversations,
        )

    def _finish(
        self,
        *,
        enrich: tuple[Rule, ...],
        route: tuple[Rule, ...],
        react: tuple[React, ...],
        conversations: Conversations,
        fields: dict[str, FieldRule],
        **read: Any,
    ) -> Rulebook:
        """The whole of what was read. read: sections that stay as they are."""
        people = People(
            frozenset(self.named["agents"]),
            frozenset(self.lists.values) | self.lists.kept,
            frozenset(self.named["teams"]),
            frozenset(level for team in read["teams"].values() for level in team.levels),
        )
        tests = read_cases(self.sections.all("tests"), people, self.problems)
        files = self.sections.files
        text = "" if has_error(self.problems) else _stored_text(files, self.lists.values)
        rules = (*enrich, *route)
        return Rulebook(
            hash=hashlib.sha256(text.encode()).hexdigest(),
            text=text,
            files=files,
            lists=self.lists.values,
            kept=self.lists.kept,
            needs=_needs(_conditions(rules, react, conversations), conversations, fields),
            enrich=enrich,
            route=route,
            rules=rules,
            positions={rule.id: position for position, rule in enumerate(rules)},
            react=react,
            conversations=conversations,
            fields=fields,
            tests=tests,
            warnings=(),
            index=Index(rules),
            **read,
        )

    def _check_size(self) -> None:
        rules = [node for section in ("enrich", "route", "react") for node in self.sections.all(section)]
        gatherings = [
            node.value["by"]
            for node in self.sections.all("conversations")
            if node.is_mapping and "by" in node.value
        ]
        asked = condition_size.conditions_in((*rules, *gatherings))
        condition_size.check(self.named["conditions"], asked)

    def _each(self, section: str, read: Any) -> dict[str, Any]:
        found = ((name, read(name, node, self.problems)) for name, node in self.named[section].items())
        return {name: value for name, value in found if value is not None}

    def _read_people(self) -> tuple[dict[str, Agent], dict[str, Schedule], dict[str, Team]]:
        named = self.named
        agents = self._each(
            "agents",
            lambda name, node, problems: people_text.read_agent(
                name, node, named["calendars"], named["agents"], problems
            ),
        )
        schedules = self._each(
            "schedules",
            lambda name, node, problems: schedule_text.read_schedule(name, node, named["agents"], problems),
        )
        on_call = _as_named(named["schedules"], schedules)
        teams = self._each(
            "teams",
            lambda name, node, problems: people_text.read_team(
                name, node, named["agents"], on_call, problems
            ),
        )
        return agents, schedules, teams

    def _vocabulary(
        self, agents: Mapping[str, Agent], teams: Mapping[str, Team], fields: Mapping[str, FieldRule]
    ) -> Vocabulary:
        skills = {skill for agent in agents.values() for skill in agent.skills}
        return Vocabulary(
            self._targets(teams),
            frozenset(self.named["sla"]),
            self.replies,
            {name: fields.get(name) or FieldRule(name) for name in self.named["fields"]},
            frozenset((*skills, "language")),
        )

    def _targets(self, teams: Mapping[str, Team]) -> Targets:
        """The names there are; a level, a team and an agent never share one."""
        levels = frozenset(level for team in teams.values() for level in team.levels)
        for name, node in self.named["agents"].items():
            if name in levels or name in self.named["teams"]:
                other = "a level" if name in levels else "a team"
                self.problems.append(
                    node.problem("name-clash", f"'{name}' is an agent and {other}", "rename one")
                )
        for name, node in self.named["teams"].items():
            if name in levels:
                self.problems.append(
                    node.problem("name-clash", f"'{name}' is a team and a level", "rename one")
                )
        return Targets(levels, frozenset(self.named["agents"]), frozenset(self.named["teams"]))

    def _names(self, words: Vocabulary) -> Names:
        return Names(
            calendars=tuple(self.named["calendars"]),
            lists=self.lists.values,
            conditions=self.named["conditions"],
            problems=self.problems,
            kept=self.lists.kept,
            fields=words.fields,
            targets=words.targets,
        )

    def _read_default(self, words: Vocabulary) -> Rule | None:
        node = self.sections.only("default", hint="add default: {team: NAME}")
        return read_default(node, words, self.problems) if node else None


def _as_named(nodes: Mapping[str, Node], read: Mapping[str, Any]) -> dict[str, Any]:
    """Every name of a section; None = it could not be read."""
    return {name: read.get(name) for name in nodes}


def _stored_text(files: Mapping[str, str], lists: Mapping[str, tuple[str, ...]]) -> str:
    return msgspec.json.encode({"files": files, "lists": lists}, order="sorted").decode()


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
