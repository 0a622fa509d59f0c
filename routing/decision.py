"""Rulebook + Facts -> Decision: enrich (every matching rule), route (the first), default (what nobody wrote).

A stage sees what the stages before it decided; inside a stage no rule sees another's writes. Of several writers of one
field the priority takes the highest, sla the strictest, tags and notices add up; any other field goes to route over
enrich over default, and inside a stage to the first writer. Every write that lost is kept with the one that won.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from routing import assignment, conditions
from routing.actions import Action
from routing.conditions import ConditionResult
from routing.facts import Facts
from routing.rulebook import Rulebook
from routing.rules import Rule
from routing.sla import PRIORITIES
from routing.view import View

_ADDING = ("tags", "notify", "note")
_EFFECTS = ("reply", "notify", "note", "ignore", "spam")
_PRIORITY_WHEN_NOBODY_SAYS = "normal"
_STATUS_OF_A_NEW_TICKET = "new"


class Reason(msgspec.Struct, frozen=True):
    """Why a rule matched, or did not. rule: its id; line: in the rules' file; outcome: "" = it matched and counts."""

    rule: str
    line: int
    conditions: tuple[ConditionResult, ...]
    outcome: str = ""


class Ignored(msgspec.Struct, frozen=True):
    """A write that lost. by: the rule that had the field already, or why nothing can be done with it."""

    rule: str
    field: str
    value: Any
    by: str


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What happens to a message. rulebook: the hash. rule: the route rule that won, "default" when none matched.

    matched: ids of the rules that count, in the order they were applied. agent: the assignment's choice, None = nobody
    on duty. sla: a policy's name, None = no clock. actions: effects for intake to carry out.
    candidates: the agents looked at. failed: (rule, error) of rules that broke and so did not match.
    """

    rulebook: str
    rule: str
    matched: tuple[str, ...]
    team: str
    level: str | None
    agent: str | None
    priority: str
    sla: str | None
    tags: tuple[str, ...]
    nature: str | None
    language: str | None
    status: str
    actions: tuple[Action, ...]
    reasons: tuple[Reason, ...]
    ignored: tuple[Ignored, ...]
    candidates: tuple[assignment.Candidate, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()


def decide(rulebook: Rulebook, facts: Facts) -> Decision:
    """The decision for a new ticket. Pure: the same facts and rulebook always give the same one."""
    view = View(facts, calendars=rulebook.calendars)
    failed: list[tuple[str, str]] = []
    candidates = rulebook.index.candidates(view)
    enriching, routes = [], []
    for position in candidates:
        rule = rulebook.rules[position]
        if rule.stage == "route":
            routes.append(rule)
        elif _holds(rule, view, failed):
            enriching.append(rule)
    route_view = view.deciding(decided(rulebook, enriching)) if enriching else view
    routing = next((rule for rule in routes if _holds(rule, route_view, failed)), None)
    draft = _Draft(rulebook, enriching, routing)
    matched = [*enriching, *([routing] if routing else [])]
    views = [view] * len(enriching) + [route_view]
    reasons = tuple(
        Reason(rule.id, rule.line, conditions.results(rule.when, seen))
        for rule, seen in zip(matched, views, strict=False)
    )
    return _finish(draft, facts, routing=routing, matched=matched, reasons=reasons, failed=failed)


def decided(rulebook: Rulebook, enriching: list[Rule]) -> dict[str, tuple[str, ...]]:
    """What the matching enrich rules decide, as route rules may ask for it: `ticket.X` -> values."""
    return _Draft(rulebook, enriching).seen()


def _holds(rule: Rule, view: View, failed: list[tuple[str, str]]) -> bool:
    """A rule that breaks is no match: the message ends in `default` at worst, and the failure is told."""
    try:
        return rule.when.holds(view)
    except Exception as error:  # noqa: BLE001 - whatever breaks in one rule must not lose the message
        failed.append((rule.id, f"{type(error).__name__}: {error}"))
        return False


# -- who wrote what -----------------------------------------------------------------------------------------------


class _Draft:
    """The writes of the matched rules, resolved field by field."""

    def __init__(self, rulebook: Rulebook, enriching: list[Rule], routing: Rule | None = None) -> None:
        self.rulebook = rulebook
        self.ignored: list[Ignored] = []
        self._stages = (enriching, [routing] if routing else [])
        self._claims: dict[str, list[tuple[Rule, Any]]] = {}
        for rule in [*self._stages[1], *enriching]:  # route over enrich, inside a stage the first
            self._claim(rule)
        for write in rulebook.default.then:
            if write.field not in self._claims:
                self._claims[write.field] = [(rulebook.default, write.value)]
        self._order_by_strength()

    def _claim(self, rule: Rule) -> None:
        for write in rule.then:
            self._claims.setdefault(write.field, []).append((rule, write.value))

    def _order_by_strength(self) -> None:
        """priority: the highest first; sla: the strictest at that priority first; ties in file order."""
        position = self.rulebook.positions
        if "priority" in self._claims:
            self._claims["priority"].sort(
                key=lambda claim: (-PRIORITIES.index(claim[1]), position.get(claim[0].id, -1))
            )
        if "sla" in self._claims:
            priority = self.value("priority") or _PRIORITY_WHEN_NOBODY_SAYS
            self._claims["sla"].sort(
                key=lambda claim: (self._strictness(claim[1], priority), position.get(claim[0].id, -1))
            )

    def _strictness(self, name: str | None, priority: str) -> tuple[bool, float]:
        if name is None:
            return True, 0.0
        return False, self.rulebook.policies[name].strictness(priority)

    def value(self, field: str) -> Any:
        """What the winner wrote; None = nobody did, or `none` was written."""
        claims = self._claims.get(field)
        return claims[0][1] if claims else None

    def wrote(self, field: str) -> Rule | None:
        """The winner; None = nobody wrote the field."""
        claims = self._claims.get(field)
        return claims[0][0] if claims else None

    def all(self, field: str) -> list[tuple[Rule, Any]]:
        """Every write of a field that adds up: enrich before route."""
        claims = self._claims.get(field, [])
        routed = self._stages[1]
        return sorted(claims, key=lambda claim: claim[0] in routed)

    def tags(self) -> tuple[str, ...]:
        """What enrich set and did not take back, then route; default's tags when nobody wrote any."""
        if "tags" not in self._claims and "untag" not in self._claims:
            return ()
        if self.wrote("tags") is self.rulebook.default:
            return tuple(dict.fromkeys(self.value("tags") or ()))
        tags: dict[str, None] = {}
        for stage in self._stages:
            gone = {
                tag for rule in stage for write in rule.then if write.field == "untag" for tag in write.value
            }
            kept = {tag: None for tag in tags if tag not in gone}
            added = (
                tag for rule in stage for write in rule.then if write.field == "tags" for tag in write.value
            )
            new = {tag: None for tag in added if stage is self._stages[1] or tag not in gone}
            tags = {**kept, **new}
        return tuple(tags)

    def seen(self) -> dict[str, tuple[str, ...]]:
        """What the next stage may ask for as `ticket.X`; what only default would fill is not yet there."""
        seen = {"tags": self.tags() if self.wrote("tags") is not self.rulebook.default else ()}
        for field in ("team", "agent", "priority", "nature", "status"):
            value = self.value(field)
            if value is not None and self.wrote(field) is not self.rulebook.default:
                seen[field] = (value,)
        level = self.value("level")
        if level and self.wrote("level") is not self.rulebook.default:
            seen["level"] = tuple(level)
        return seen

    def lost(self) -> list[Ignored]:
        """Each write that another one of the same field kept from counting."""
        lost = list(self.ignored)
        for field, claims in self._claims.items():
            winner, won = claims[0]
            if field not in (*_ADDING, "untag"):
                lost.extend(
                    Ignored(rule.id, field, value, winner.id) for rule, value in claims[1:] if value != won
                )
        return lost


def _finish(
    draft: _Draft,
    facts: Facts,
    *,
    routing: Rule | None,
    matched: list[Rule],
    reasons: tuple[Reason, ...],
    failed: list[tuple[str, str]],
) -> Decision:
    chosen = _assign(draft, facts)
    actions = _actions(draft, facts)
    return Decision(
        rulebook=draft.rulebook.hash,
        rule=routing.id if routing else "default",
        matched=tuple(rule.id for rule in matched),
        team=draft.value("team"),
        level=chosen.level,
        agent=chosen.agent,
        priority=draft.value("priority") or _PRIORITY_WHEN_NOBODY_SAYS,
        sla=draft.value("sla"),
        tags=draft.tags(),
        nature=draft.value("nature"),
        language=draft.value("language") or facts.language,
        status=draft.value("status") or _STATUS_OF_A_NEW_TICKET,
        actions=actions,
        reasons=reasons,
        ignored=tuple(draft.lost()),
        candidates=chosen.candidates,
        failed=tuple(failed),
    )


def _assign(draft: _Draft, facts: Facts) -> assignment.Assignment:
    """The agent a rule names, else one of the team on duty; nobody for spam and what is ignored."""
    rulebook = draft.rulebook
    team = rulebook.teams[draft.value("team")]
    level = draft.value("level")
    if draft.wrote("agent") or draft.value("spam") or draft.value("ignore"):
        agent = draft.value("agent")
        held = next((name for name, members in team.levels.items() if agent in members), None)
        wanted = next((name for name in level or () if name in team.levels), None)
        return assignment.Assignment(agent, wanted or held or team.first_level, ())
    return assignment.choose(
        team,
        level=level,
        agents=rulebook.agents,
        loads=facts.agents,
        at=facts.at,
        calendars=rulebook.calendars,
    )


def _actions(draft: _Draft, facts: Facts) -> tuple[Action, ...]:
    actions = []
    for field in _EFFECTS:
        if field == "reply":
            actions.extend(_reply(draft, facts))
        elif field in _ADDING:
            actions.extend(_gathered(draft, field))
        elif draft.value(field):
            actions.append(Action(field, True, draft.wrote(field).id))  # type: ignore[union-attr]
    return tuple(actions)


def _gathered(draft: _Draft, field: str) -> list[Action]:
    """Notices and notes of all rules, each once."""
    said: dict[str, Action] = {}
    for rule, value in draft.all(field):
        for each in value or ():
            said.setdefault(each, Action(field, each, rule.id))
    return list(said.values())


def _reply(draft: _Draft, facts: Facts) -> list[Action]:
    """The template for the message's medium. A machine is never answered, nor spam, nor what is ignored."""
    rule, value = draft.wrote("reply"), draft.value("reply")
    template = (value or {}).get(facts.channel, (value or {}).get(""))
    if rule is None or template is None:
        return []
    reasons = {
        "automatic": f"automatic mail ({facts.automatic}) is never answered" if facts.automatic else "",
        "spam": "spam is never answered" if draft.value("spam") else "",
        "ignore": "what is ignored is never answered" if draft.value("ignore") else "",
    }
    against = next((reason for reason in reasons.values() if reason), None)
    if against:
        draft.ignored.append(Ignored(rule.id, "reply", template, against))
        return []
    return [Action("reply", template, rule.id)]


def decision_json(decision: Decision, due: Mapping[str, datetime]) -> dict[str, Any]:
    """The decision as it is stored and shown, JSON values. due: target -> aware instant, written as RFC 3339."""
    shown = ("rulebook", "matched", "rule", "team", "agent", "priority", "sla", "tags")
    value: dict[str, Any] = {name: _json(getattr(decision, name)) for name in shown}
    value["due"] = {target: at.isoformat().replace("+00:00", "Z") for target, at in due.items()}
    value["actions"] = _json(decision.actions)
    value["reasons"] = [_reason_json(reason) for reason in decision.reasons]
    for name in ("level", "nature", "language", "status", "ignored", "candidates", "failed"):
        value[name] = _json(getattr(decision, name))
    return value


def _json(value: Any) -> Any:
    """JSON values, with lists for tuples at the top."""
    plain = msgspec.to_builtins(value)
    return list(plain) if isinstance(plain, tuple) else plain


def _reason_json(reason: Reason) -> dict[str, Any]:
    value: dict[str, Any] = msgspec.to_builtins(reason)
    value["conditions"] = list(value["conditions"])
    if not reason.outcome:
        del value["outcome"]
    return value
