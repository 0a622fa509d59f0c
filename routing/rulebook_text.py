"""Sections as text -> the parts of a rulebook, each read in the order in which the others need it.

Adding a section: its name in sections.py, a reader beside the others (*_text.py), a line in Parts and one in rulebook.Rulebook.
"""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from routing import (
    calendar_text,
    condition_size,
    conversation_text,
    field_text,
    holiday_text,
    list_text,
    people_text,
    policy_text,
    schedule_text,
)
from routing.action_values import Vocabulary
from routing.calendar import Calendar
from routing.case_text import Case, People, read_cases
from routing.condition_text import read_condition
from routing.conversation import Conversations
from routing.fields import FieldRule
from routing.ladder import Ladder
from routing.naming import Targets
from routing.people import Agent, Team
from routing.react_text import read_react
from routing.rule_text import read_default, read_rules
from routing.rules import NOTHING, React, Rule
from routing.schedule import Schedule
from routing.sections import Sections
from routing.targets import Policy
from routing.value_text import Names
from routing.yaml_text import Node


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What the sections say. lists: with the values brought along; kept: names of those that are kept at the desk.

    calendar_files: name -> text of the iCalendar files that calendars name and that were brought along.
    """

    calendars: dict[str, Calendar]
    calendar_files: dict[str, str]
    agents: dict[str, Agent]
    schedules: dict[str, Schedule]
    teams: dict[str, Team]
    fields: dict[str, FieldRule]
    ladders: dict[str, Ladder]
    policies: dict[str, Policy]
    enrich: tuple[Rule, ...]
    route: tuple[Rule, ...]
    default: Rule
    react: tuple[React, ...]
    conversations: Conversations
    lists: dict[str, tuple[str, ...]]
    kept: frozenset[str]
    tests: tuple[Case, ...]


def read_parts(
    sections: Sections,
    *,
    lists: Mapping[str, tuple[str, ...]],
    calendars: Mapping[str, str],
    replies: Collection[tuple[str, str]] | None,
) -> Parts:
    """As much as could be read; only good when there is no error among the sections' problems.

    lists, calendars, replies: see rulebook.load. Raises: ConfigError when there are too many problems to go on.
    """
    return _Reading(sections, lists=lists, calendars=calendars, replies=replies).parts()


class _Reading:
    """One reading of some sections."""

    def __init__(
        self,
        sections: Sections,
        *,
        lists: Mapping[str, tuple[str, ...]],
        calendars: Mapping[str, str],
        replies: Collection[tuple[str, str]] | None,
    ) -> None:
        self.sections = sections
        self.named = sections.named
        self.problems = sections.problems
        self.replies = None if replies is None else frozenset(name for name, _ in replies)
        self.lists = list_text.read_lists(self.named["lists"], lists, self.problems)
        named = holiday_text.files_named(self.named["calendars"])
        self.calendar_files = {name: calendars[name] for name in named if name in calendars}
        self.seen: dict[str, Node] = {}

    def parts(self) -> Parts:
        """As much as could be read; only good when there is no error among the problems."""
        calendars = self._each(
            "calendars",
            lambda name, node, problems: calendar_text.read_calendar(
                name, node, self.calendar_files, problems
            ),
        )
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
        return Parts(
            calendars=calendars,
            calendar_files=self.calendar_files,
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
            lists=self.lists.values,
            kept=self.lists.kept,
            tests=self._read_tests(teams),
        )

    def _read_tests(self, teams: Mapping[str, Team]) -> tuple[Case, ...]:
        people = People(
            frozenset(self.named["agents"]),
            frozenset(self.lists.values) | self.lists.kept,
            frozenset(self.named["teams"]),
            frozenset(level for team in teams.values() for level in team.levels),
        )
        return read_cases(self.sections.all("tests"), people, self.problems)

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
