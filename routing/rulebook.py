"""Rules as text -> a Rulebook: everything compiled and checked, or every problem with file, line and column.

Adding a section: a reader beside the others (*_text.py), a line here. What RULES names and this version does not know yet is refused
as "not supported yet", never skipped.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec

from routing import calendar_text, lint, naming, people_text, policy_text, yaml_text
from routing.calendar import Calendar
from routing.case_text import Case, People, read_cases
from routing.condition_text import read_condition
from routing.conditions import leaves
from routing.conversation import Conversations
from routing.fields import FieldRule
from routing.ladder import Ladder
from routing.matcher import Index
from routing.naming import Targets
from routing.people import Agent, Team
from routing.problems import ConfigError, Problem, did_you_mean, has_error, in_order
from routing.rule_text import Vocabulary, read_default, read_rules
from routing.rules import NOTHING, React, Rule
from routing.schedule import Schedule
from routing.sla import Policy
from routing.typed import convert, said
from routing.value_text import Names
from routing.yaml_text import Node

MAX_CHARACTERS = 2 * yaml_text.MAX_CHARACTERS
SECTIONS = (
    "version", "calendars", "agents", "teams", "lists", "sla", "ladders", "conditions", "enrich", "route", "default",
    "tests",
)  # fmt: skip
LATER_SECTIONS = ("schedules", "fields", "conversations", "react", "incidents")


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
) -> Rulebook:
    """The rulebook of some files. files: name -> text, read in the order of their names.

    lists: name -> values kept elsewhere. replies: known (template, language) pairs, None = not checked.
    The admin's tests are read, not run: see cases.py. Raises: ConfigError with every problem, warnings too.
    """
    reading = _Reading(files, lists=lists or {}, replies=replies)
    rulebook = reading.rulebook()
    if not has_error(reading.problems):
        reading.problems.extend(lint.errors(rulebook, reading.nodes))
    if has_error(reading.problems):
        raise ConfigError(in_order(reading.problems))
    warnings = in_order([*reading.problems, *lint.warnings(rulebook, reading.nodes)])
    return msgspec.structs.replace(rulebook, warnings=warnings)


def from_text(text: str) -> Rulebook:
    """The rulebook that was stored under its hash."""
    stored = msgspec.json.decode(text, type=_Stored)
    return load(stored.files, lists=stored.lists)


class _Stored(msgspec.Struct, frozen=True):
    files: dict[str, str]
    lists: dict[str, tuple[str, ...]] = {}


class _Reading:
    """One reading of some files: the sections of all of them, and the problems found on the way."""

    def __init__(
        self,
        files: Mapping[str, str],
        *,
        lists: Mapping[str, tuple[str, ...]],
        replies: Collection[tuple[str, str]] | None,
    ) -> None:
        self.files = {name: files[name] for name in sorted(files)}
        self.problems: list[Problem] = []
        self.replies = None if replies is None else frozenset(name for name, _ in replies)
        self.documents = self._documents()
        self.nodes: dict[str, dict[str, Node]] = {
            section: self._entries(section, what)
            for section, what in (
                ("calendars", "calendar"), ("agents", "agent"), ("teams", "team"), ("lists", "list"),
                ("sla", "policy"), ("ladders", "ladder"), ("conditions", "condition"),
            )
        }  # fmt: skip
        self.lists = self._read_lists(lists)

    def rulebook(self) -> Rulebook:
        """As much of it as could be read; only good when there is no error among the problems."""
        calendars, agents, teams = self._read_people()
        targets = self._targets(teams)
        ladders = self._each(
            "ladders", lambda name, node: policy_text.read_ladder(name, node, targets, self.problems)
        )
        written = {
            name: calendars.get(name) for name in self.nodes["calendars"]
        }  # a bad one is told at its place
        policies = self._each(
            "sla",
            lambda name, node: policy_text.read_policy(
                name, node, written, self.nodes["ladders"], self.problems
            ),
        )
        names = Names(tuple(self.nodes["calendars"]), self.lists, self.nodes["conditions"], self.problems)
        for name, node in self.nodes["conditions"].items():
            read_condition(node, names, within=(name,))
        words = Vocabulary(targets, frozenset(self.nodes["sla"]), self.replies)
        seen: dict[str, Node] = {}
        enrich = read_rules(self._all("enrich"), "enrich", words, names, seen)
        route = read_rules(self._all("route"), "route", words, names, seen)
        default = self._read_default(words)
        people = People(frozenset(self.nodes["agents"]), frozenset(self.lists))
        tests = read_cases(self._all("tests"), people, self.problems)
        text = "" if has_error(self.problems) else _stored_text(self.files, self.lists)
        return Rulebook(
            hash=hashlib.sha256(text.encode()).hexdigest(),
            text=text,
            files=self.files,
            lists=self.lists,
            needs=_needs((*enrich, *route)),
            calendars=calendars,
            agents=agents,
            teams=teams,
            policies=policies,
            ladders=ladders,
            enrich=enrich,
            route=route,
            rules=(*enrich, *route),
            positions={rule.id: position for position, rule in enumerate((*enrich, *route))},
            default=default or NOTHING,
            tests=tests,
            warnings=(),
            index=Index((*enrich, *route)),
        )

    # -- documents and sections -------------------------------------------------------------------------------

    def _documents(self) -> list[Node]:
        documents = []
        if sum(len(text) for text in self.files.values()) > MAX_CHARACTERS:
            message = f"the files have more than {MAX_CHARACTERS} characters together"
            raise ConfigError([Problem(next(iter(self.files)), 1, 1, "error", "too-big", message)])
        for name, text in self.files.items():
            try:
                documents.append(yaml_text.read(text, file=name))
            except ConfigError as error:
                self.problems.extend(error.problems)
        for document in documents:
            self._check_document(document)
        self._check_version(documents)
        return [document for document in documents if document.is_mapping]

    def _check_document(self, document: Node) -> None:
        if not isinstance(document.value, dict):
            if document.value is not None or len(self.files) == 1:
                message = f"wanted sections like route:, got {said(document)}"
                self.problems.append(document.problem("wrong-type", message))
            return
        for name in document.value:
            key = document.keys[name]
            if name in LATER_SECTIONS:
                self.problems.append(
                    key.problem("not-supported", f"the section '{name}' is not supported yet")
                )
            elif name not in SECTIONS:
                hint = did_you_mean(name, SECTIONS)
                self.problems.append(key.problem("unknown-key", f"no section '{name}'", hint))

    def _check_version(self, documents: list[Node]) -> None:
        versions = [
            each.value["version"] for each in documents if each.is_mapping and "version" in each.value
        ]
        for version in versions:
            if version.value != 1 or isinstance(version.value, bool):
                self.problems.append(
                    version.problem("bad-version", f"version {said(version)} is not known", "write 1")
                )
        if not versions and documents and documents[0].is_mapping:
            self.problems.append(
                documents[0].problem("missing-key", "'version' is missing", "start with version: 1")
            )

    def _all(self, section: str) -> list[Node]:
        return [document.value[section] for document in self.documents if section in document.value]

    def _entries(self, section: str, what: str) -> dict[str, Node]:
        return naming.entries(self._all(section), what, self.problems)

    def _each(self, section: str, read: Any) -> dict[str, Any]:
        found = ((name, read(name, node)) for name, node in self.nodes[section].items())
        return {name: value for name, value in found if value is not None}

    # -- sections ---------------------------------------------------------------------------------------------

    def _read_people(self) -> tuple[dict[str, Calendar], dict[str, Agent], dict[str, Team]]:
        nodes, problems = self.nodes, self.problems
        calendars = self._each(
            "calendars", lambda name, node: calendar_text.read_calendar(name, node, problems)
        )
        agents = self._each(
            "agents", lambda name, node: people_text.read_agent(name, node, nodes["calendars"], problems)
        )
        teams = self._each(
            "teams", lambda name, node: people_text.read_team(name, node, nodes["agents"], problems)
        )
        return calendars, agents, teams

    def _targets(self, teams: Mapping[str, Team]) -> Targets:
        """The names there are; a level, a team and an agent never share one."""
        levels = frozenset(level for team in teams.values() for level in team.levels)
        for name, node in self.nodes["agents"].items():
            if name in levels or name in self.nodes["teams"]:
                other = "a level" if name in levels else "a team"
                self.problems.append(
                    node.problem("name-clash", f"'{name}' is an agent and {other}", "rename one")
                )
        for name, node in self.nodes["teams"].items():
            if name in levels:
                self.problems.append(
                    node.problem("name-clash", f"'{name}' is a team and a level", "rename one")
                )
        return Targets(levels, frozenset(self.nodes["agents"]), frozenset(self.nodes["teams"]))

    def _read_default(self, words: Vocabulary) -> Rule | None:
        nodes = self._all("default")
        if not nodes:
            if self.documents:
                where = self.documents[-1]
                hint = "add default: {team: NAME}"
                self.problems.append(where.problem("missing-key", "'default' is missing", hint))
            return None
        for again in nodes[1:]:
            hint = f"the first is in {nodes[0].file}:{nodes[0].line}"
            self.problems.append(again.problem("duplicate-key", "'default' is written twice", hint))
        return read_default(nodes[0], words, self.problems)

    def _read_lists(self, kept: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        """Lists written here; values that the caller brought are stronger."""
        found = {name: tuple(values) for name, values in kept.items()}
        for name, node in self.nodes["lists"].items():
            if node.is_list:
                found.setdefault(name, convert(node, tuple[str, ...], problems=self.problems) or ())
            elif name not in found:
                message = (
                    f"list '{name}' is not written here: a list from a file or the desk is not supported yet"
                )
                self.problems.append(node.problem("not-supported", message, "write [value, value]"))
                found[name] = ()
        return found


def _stored_text(files: Mapping[str, str], lists: Mapping[str, tuple[str, ...]]) -> str:
    return msgspec.json.encode({"files": files, "lists": lists}, order="sorted").decode()


def _needs(rules: Iterable[Rule]) -> frozenset[str]:
    return frozenset(leaf.fact.name for rule in rules for leaf in leaves(rule.when))
