"""Where actions put the simulated ticket: team, level, skills and agent, with one assignment for all that is said."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from routing import assignment, decision, schedule
from routing.actions import Action
from routing.facts import AgentLoad, Facts
from routing.people import Team
from routing.rulebook import Rulebook
from routing.simulated import Simulated

KINDS = frozenset(("team", "skills", "level", "agent"))
"""Actions that say where a ticket goes."""

Record = Callable[[Action, str], None]


def wanted_levels(asked: Mapping[str, Action], here: str | None) -> tuple[str, ...] | None:
    """Levels to pick from: those asked for; of another team the first (None), else where the ticket is."""
    level = asked.get("level")
    if level is not None and level.value is not None:
        return (level.value,) if isinstance(level.value, str) else tuple(level.value)
    return None if "team" in asked or here is None else (here,)


class Placing:
    """Moves one ticket. record: takes what was done, and why."""

    def __init__(self, rulebook: Rulebook, ticket: Simulated, *, record: Record) -> None:
        self.rulebook, self.ticket, self._record = rulebook, ticket, record

    def place(self, asked: Mapping[str, Action], facts: Facts, why: str) -> None:
        """Team, level, skills and agent together: one choice of an agent, for the last that was said. asked: by kind."""
        if "team" in asked:
            self._move_to(asked["team"], why)
        if "skills" in asked:
            self.ticket.set_skills(decision.skills_from(asked["skills"].value), facts.at)
            self._record(asked["skills"], why)
        if "agent" in asked:
            self._give_to(asked["agent"], asked.get("level"), facts, why)
        elif "level" in asked or "team" in asked or ("skills" in asked and self.ticket.agent is None):
            self._assign(asked, facts, why)

    def move_as(self, again: decision.Decision, at: datetime) -> None:
        """Go where a second decision says."""
        ticket = self.ticket
        if again.team != ticket.team or ticket.agent is None:
            ticket.team, ticket.level = again.team, again.level
            ticket.set_agent(again.agent, at)
        ticket.nature, ticket.language = again.nature or ticket.nature, again.language or ticket.language
        ticket.tags = tuple(dict.fromkeys((*ticket.tags, *again.tags)))
        ticket.fields = {**ticket.fields, **again.fields}
        ticket.set_skills(again.skills, at)
        if again.priority != ticket.priority:
            ticket.set_priority(again.priority, at)
        if again.sla != ticket.sla:
            ticket.set_policy(again.sla, at)

    def relax(self, facts: Facts) -> None:
        """Ask for no skills any more; a ticket that waits goes to anybody of its level who is on duty."""
        chosen = self._choose(self.ticket.level and [self.ticket.level], facts, relaxed=True)
        self.ticket.set_skills(None, facts.at)
        if self.ticket.agent is None and self.ticket.is_open and chosen.agent is not None:
            self.ticket.set_agent(chosen.agent, facts.at)
            self._record(Action("agent", chosen.agent, ""), "skills are not asked for any more")

    def is_reached(self, target: str, facts: Facts) -> bool:
        """Whether a notice to somebody, a level, a team or an address would reach anybody now."""
        teams, team = self.rulebook.teams, self.rulebook.teams[self.ticket.team]
        if target in ("assignee", "agent"):
            return self.ticket.agent is not None
        if target == "team" or target in teams:
            asked = team if target == "team" else teams[target]
            return any(self._on_duty(asked, level, facts) for level in asked.levels)
        if any(target in each.levels for each in teams.values()):
            return bool(self._on_duty(team, target, facts))
        return True

    def _on_duty(self, team: Team, level: str, facts: Facts) -> tuple[str, ...]:
        return assignment.on_duty(
            team,
            level,
            agents=self.rulebook.agents,
            loads=facts.agents,
            at=facts.at,
            calendars=self.rulebook.calendars,
            schedules=schedule.in_force(self.rulebook.schedules, facts.on_call),
        )

    def _move_to(self, action: Action, why: str) -> None:
        self._record(action, why)
        if action.value != self.ticket.team:
            self.ticket.team, self.ticket.agent = action.value, None
            self.ticket.level = self.rulebook.teams[action.value].first_level

    def _give_to(self, action: Action, level: Action | None, facts: Facts, why: str) -> None:
        """An agent who is named, or nobody; the level is the one that is named beside."""
        if level is not None:
            levels = self.rulebook.teams[self.ticket.team].levels
            self.ticket.level = next((name for name in level.value if name in levels), self.ticket.level)
            self._record(msgspec.structs.replace(level, value=self.ticket.level), why)
        self.ticket.set_agent(action.value, facts.at)
        self._record(action, why)

    def _assign(self, asked: Mapping[str, Action], facts: Facts, why: str) -> None:
        """Pick somebody of the level that is asked for; of another team the first, else where the ticket is."""
        level = asked.get("level")
        relaxed = level is not None and bool(level.options.get("relaxed"))
        wanted = wanted_levels(asked, self.ticket.level)
        chosen = self._choose(wanted, facts, relaxed=relaxed)
        if relaxed:
            self.ticket.set_skills(None, facts.at)
        if level is not None:
            self._record(msgspec.structs.replace(level, value=chosen.level), why)
        self.ticket.level = chosen.level
        if chosen.agent is not None:
            self.ticket.set_agent(chosen.agent, facts.at)
        elif self.ticket.agent is None:
            self._record(Action("nobody_on_duty", chosen.level, level.rule if level else ""), why)

    def _choose(self, level: Any, facts: Facts, *, relaxed: bool = False) -> assignment.Assignment:
        return decision.choose(
            self.rulebook,
            msgspec.structs.replace(facts, agents=self._loads(facts)),
            team=self.ticket.team,
            level=level,
            skills=self.ticket.skills,
            language=self.ticket.language,
            relaxed=relaxed,
        )

    def _loads(self, facts: Facts) -> dict[str, AgentLoad]:
        """How busy everybody is, this ticket and the turns it has taken with them included."""
        loads, ticket = dict(facts.agents), self.ticket
        for name, at in ticket.turns.items():
            load = loads.get(name, AgentLoad())
            held = dict(load.open_tickets)
            if name == ticket.agent and ticket.is_open:
                held[facts.channel] = held.get(facts.channel, 0) + 1
            loads[name] = msgspec.structs.replace(load, open_tickets=held, last_assigned_at=at)
        return loads
