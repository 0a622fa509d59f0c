"""What actions do to the simulated ticket: the same words as in earnest, and nothing leaves the house.

First where the ticket goes, with one assignment for all that is said about it; then the rest in the order asked for.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from routing import assignment, decision
from routing.actions import Action
from routing.facts import AgentLoad, Facts
from routing.people import Team
from routing.rulebook import Rulebook
from routing.simulated import Simulated, instant_from

REPLY_WINDOW_S = 3_600  # an automatic answer goes out at most once in it, unless `once:` says else
_PLACING = ("route", "team", "skills", "level", "agent")

Record = Callable[[Action, str], None]


class Deeds:
    """Carries actions out on one ticket. record: takes what was done, and why; applied: gets ids of rules that matched.

    decided: what the ticket was routed by last. lines: what the customer has said so far.
    """

    def __init__(
        self,
        rulebook: Rulebook,
        ticket: Simulated,
        decided: decision.Decision,
        *,
        record: Record,
        applied: list[str],
    ) -> None:
        self.rulebook, self.ticket, self.decided = rulebook, ticket, decided
        self._record, self._applied = record, applied
        self.lines: list[str] = []
        self._replies: list[tuple[datetime, str]] = []

    def apply(self, actions: Iterable[Action], facts: Facts, *, why: str) -> None:
        """Do the actions. facts: of the event they follow from."""
        asked = tuple(actions)
        self._place([action for action in asked if action.kind in _PLACING], facts, why)
        for action in asked:
            if action.kind not in _PLACING:
                self._do(action, facts, why)

    def opening(self, actions: Iterable[Action], at: datetime) -> None:
        """Record what a decision does when the ticket is opened."""
        for action in actions:
            if action.kind == "reply":
                self._replies.append((at, str(action.value)))
            if action.kind == "promise" and action.value is not None:
                self.ticket.set_promise(instant_from(action.value, now=at), at)
            if action.kind == "snooze" and action.value is not None:
                self.ticket.snooze(instant_from(action.value, now=at), at)
            self._record(action, "the ticket is opened")

    def said(self, facts: Facts) -> str:
        """All that the customer has said, line by line."""
        return "\n".join(self.lines) if self.lines else facts.body

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
            schedules=self.rulebook.schedules,
        )

    # -- where it goes --------------------------------------------------------------------------------------------

    def _place(self, actions: Sequence[Action], facts: Facts, why: str) -> None:
        """Team, level, skills and agent together: one choice of an agent, for the last that was said."""
        asked = {action.kind: action for action in actions}
        if "route" in asked:
            self._route_again(asked["route"], facts, why)
        if "team" in asked:
            self._move_to(asked["team"], why)
        if "skills" in asked:
            self.ticket.set_skills(decision.skills_from(asked["skills"].value), facts.at)
            self._record(asked["skills"], why)
        if "agent" in asked:
            self._give_to(asked["agent"], asked.get("level"), facts, why)
        elif "level" in asked or "team" in asked or ("skills" in asked and self.ticket.agent is None):
            self._assign(asked, facts, why)

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
        here = [self.ticket.level] if self.ticket.level else None
        wanted = level.value if level else None if "team" in asked else here
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

    def _route_again(self, action: Action, facts: Facts, why: str) -> None:
        """Decide anew on all that was said, while no person has taken the ticket; clocks go on from the first line."""
        if self.ticket.is_taken:
            self._record(Action("route_withheld", "again", action.rule), "a person has taken the ticket")
            return
        fresh = msgspec.structs.replace(
            facts, event="created", ticket=None, changed={}, body=self.said(facts)
        )
        again = decision.decide(self.rulebook, fresh)
        self._record(action, f"{why}: {again.rule}")
        if again.matched == self.decided.matched:
            return  # nothing new was said: the ticket stays with whom it is
        known, self.decided = {*self.decided.matched, "default"}, again
        self._applied.extend(again.matched)
        self._move_as(again, facts.at)
        undone = ("ignore", "reply") if self._replies else ("ignore",)
        for effect in again.actions:
            if effect.kind not in undone and effect.rule not in known:
                self._do(effect, facts, f"routed again: {again.rule}")

    def _move_as(self, again: decision.Decision, at: datetime) -> None:
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

    # -- what else it does ----------------------------------------------------------------------------------------

    def _do(self, action: Action, facts: Facts, why: str) -> None:
        doer = _DOERS.get(action.kind)
        if action.kind.startswith("field."):
            self._field(action)
        elif doer is not None:
            doer(self.ticket, action, facts.at)
        if action.kind == "reply":
            self._reply(action, facts, why)
        elif action.kind in ("tags", "untag"):
            for name in action.value or ():
                self._record(msgspec.structs.replace(action, value=name), why)
        else:
            self._record(action, why)
        if action.kind == "notify" and not self.is_reached(str(action.value), facts):
            self._record(
                msgspec.structs.replace(action, kind="notice_reached_nobody"), "nobody of them is on duty"
            )

    def _field(self, action: Action) -> None:
        name = action.kind.removeprefix("field.")
        self.ticket.fields = {key: value for key, value in self.ticket.fields.items() if key != name}
        if action.value is not None:
            self.ticket.fields[name] = action.value

    def _reply(self, action: Action, facts: Facts, why: str) -> None:
        template = _template(action.value, facts.channel)
        if template is None:
            return
        written = msgspec.structs.replace(action, value=template)
        against = self._against_a_reply(template, action, facts)
        if against:
            self._record(msgspec.structs.replace(written, kind="reply_withheld"), against)
            return
        self._replies.append((facts.at, template))
        self._record(written, why)

    def _against_a_reply(self, template: str, action: Action, facts: Facts) -> str | None:
        if self.ticket.is_spam:
            return "spam is never answered"
        if facts.automatic:
            return f"automatic mail ({facts.automatic}) is never answered"
        once_s = action.options.get("once_s")
        after = facts.at - timedelta(seconds=once_s or REPLY_WINDOW_S)
        if any(at > after for at, sent in self._replies if once_s is None or sent == template):
            window = f"{once_s} s" if once_s else "hour"
            return f"this ticket had an automatic reply within the {window}"
        return None


# -- fields of the ticket ------------------------------------------------------------------------------------------


def _set_status(ticket: Simulated, action: Action, at: datetime) -> None:
    if action.value != ticket.status:
        ticket.set_status(action.value, at)


def _close(ticket: Simulated, action: Action, at: datetime) -> None:
    if ticket.status != "closed":
        ticket.set_status("closed", at)


def _spam(ticket: Simulated, action: Action, at: datetime) -> None:
    ticket.drop(at)


def _set_priority(ticket: Simulated, action: Action, at: datetime) -> None:
    if action.value != ticket.priority:
        ticket.set_priority(action.value, at)


def _set_policy(ticket: Simulated, action: Action, at: datetime) -> None:
    if action.value != ticket.sla:
        ticket.set_policy(action.value, at)


def _set_nature(ticket: Simulated, action: Action, at: datetime) -> None:
    ticket.nature = action.value


def _set_language(ticket: Simulated, action: Action, at: datetime) -> None:
    ticket.language = action.value


def _tag(ticket: Simulated, action: Action, at: datetime) -> None:
    ticket.tags = tuple(dict.fromkeys((*ticket.tags, *(action.value or ()))))


def _untag(ticket: Simulated, action: Action, at: datetime) -> None:
    ticket.tags = tuple(tag for tag in ticket.tags if tag not in action.value)


def _promise(ticket: Simulated, action: Action, at: datetime) -> None:
    value = action.value
    ticket.set_promise(None if value is None else instant_from(value, now=at), at)


def _snooze(ticket: Simulated, action: Action, at: datetime) -> None:
    value = action.value
    ticket.snooze(None if value is None else instant_from(value, now=at), at)


_DOERS: dict[str, Callable[[Simulated, Action, datetime], None]] = {
    "status": _set_status,
    "close": _close,
    "spam": _spam,
    "priority": _set_priority,
    "sla": _set_policy,
    "nature": _set_nature,
    "language": _set_language,
    "tags": _tag,
    "untag": _untag,
    "promise": _promise,
    "snooze": _snooze,
}


def _template(value: Any, channel: str) -> str | None:
    """The template for a medium; a mapping is medium -> template, "" = every medium."""
    return value.get(channel, value.get("")) if isinstance(value, dict) else value
