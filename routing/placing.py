"""Where actions put the simulated ticket: team, level, skills and agent, with one assignment for all that is said."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from routing import assignment, decision
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
        if self.ticket.waits and self.ticket.is_open and chosen.agent is not None:
            self.ticket.set_agent(chosen.agent, facts.at)
            self._record(Action("agent", chosen.agent, ""), "skills are not asked for any more")

    # -- what is built in -----------------------------------------------------------------------------------------

    def for_reopened(self, facts: Facts) -> assignment.Assignment | None:
        """Who gets a ticket that was done and is open again; None = whoever had it, or nobody had."""
        if self.ticket.agent is None:
            return None
        chosen = self._choose_named(self.ticket.agent, facts)
        return None if chosen.agent == self.ticket.agent else chosen

    def for_absent(self, facts: Facts) -> assignment.Assignment | None:
        """Who gets an open ticket whose agent is away when its customer writes; None = it stays."""
        agent = self.ticket.agent
        if agent is None or not self.ticket.is_open:
            return None
        load = facts.agents.get(agent, AgentLoad())
        is_gone = load.away or load.presence.get(facts.channel) == "away"
        return self._choose_named(agent, facts) if is_gone else None

    def is_for_answerer(self, agent: str, facts: Facts) -> bool:
        """Whether a ticket that nobody has becomes that of who has answered it."""
        team = self.rulebook.teams[self.ticket.team]
        if not team.answering or self.ticket.agent is not None or not self.ticket.is_open:
            return False
        most = team.most(facts.channel)
        held = self._loads(facts).get(agent, AgentLoad()).open_tickets.get(facts.channel, 0)
        return most is None or held < most

    def for_waiting(self, facts: Facts) -> assignment.Assignment | None:
        """Who gets a ticket that waits; None = still nobody."""
        known = self.ticket.prefers
        prefer = assignment.Preferred(known, "had it before", anywhere=True) if known else None
        chosen = self._choose(self.ticket.level and [self.ticket.level], facts, prefer=prefer)
        return chosen if chosen.agent is not None else None

    def hand_on(self, chosen: assignment.Assignment, at: datetime, why: str) -> None:
        """Do what was chosen; with nobody there the ticket waits, and whose it was gets it first."""
        former, ticket = self.ticket.agent, self.ticket
        ticket.set_agent(chosen.agent, at)
        self._record(Action("agent", chosen.agent, ""), why)
        if chosen.agent is None:
            ticket.waits, ticket.prefers = True, former
            self._record(Action(chosen.waits_for or "", chosen.level, ""), why)

    def next_duty(self, facts: Facts) -> datetime | None:
        """When the hours or a shift of somebody of the ticket's level begin."""
        team = self.rulebook.teams[self.ticket.team]
        level = self.ticket.level or team.first_level
        return assignment.next_duty(team, level, decision.people(self.rulebook, facts))

    def pick(self, facts: Facts, why: str) -> None:
        """Give it to somebody of the team that it has come to."""
        self._assign({"team": Action("team", self.ticket.team, "")}, facts, why)

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
        return assignment.on_duty(team, level, decision.people(self.rulebook, facts))

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
        if action.value is None:
            self.ticket.set_agent(None, facts.at)
            self._record(action, why)
            return
        chosen = self._choose_named(action.value, facts)
        self.ticket.level = chosen.level
        if chosen.agent is not None:
            self.ticket.set_agent(chosen.agent, facts.at)
            self._record(msgspec.structs.replace(action, value=chosen.agent), why)
        elif self.ticket.agent is None:
            self._wait(chosen, action.rule, why)

    def _assign(self, asked: Mapping[str, Action], facts: Facts, why: str) -> None:
        """Pick somebody of the level that is asked for; of another team the first, else where the ticket is."""
        level = asked.get("level")
        relaxed = level is not None and bool(level.options.get("relaxed"))
        wanted = wanted_levels(asked, self.ticket.level)
        # A step of a ladder that names a level wants somebody else than who has not reacted, if there is anybody.
        prefer = assignment.Preferred(last=self.ticket.agent) if relaxed else None
        chosen = self._choose(wanted, facts, relaxed=relaxed, prefer=prefer)
        if relaxed:
            self.ticket.set_skills(None, facts.at)
        if level is not None:
            self._record(msgspec.structs.replace(level, value=chosen.level), why)
        self.ticket.level = chosen.level
        if chosen.agent is not None:
            self.ticket.set_agent(chosen.agent, facts.at)
        elif self.ticket.agent is None:
            self._wait(chosen, level.rule if level else "", why)

    def _wait(self, chosen: assignment.Assignment, rule: str, why: str) -> None:
        self.ticket.waits = True
        self._record(Action(chosen.waits_for or "", chosen.level, rule), why)

    def _choose_named(self, agent: str, facts: Facts) -> assignment.Assignment:
        return decision.named(
            self.rulebook,
            msgspec.structs.replace(facts, agents=self._loads(facts)),
            agent,
            team=self.ticket.team,
            level=self.ticket.level,
            skills=self.ticket.skills,
            language=self.ticket.language,
        )

    def _choose(
        self,
        level: Any,
        facts: Facts,
        *,
        relaxed: bool = False,
        prefer: assignment.Preferred | None = None,
    ) -> assignment.Assignment:
        return decision.choose(
            self.rulebook,
            msgspec.structs.replace(facts, agents=self._loads(facts)),
            team=self.ticket.team,
            level=level,
            skills=self.ticket.skills,
            language=self.ticket.language,
            relaxed=relaxed,
            prefer=prefer,
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
