"""Rulebook + Facts -> Decision: enrich (every matching rule), route (the first), default (what nobody wrote).

Fields are extracted first and are seen from enrich on. A stage sees what the stages before it decided; inside a stage
no rule sees another's writes. Who wins a field that several rules write is draft.py's business.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from routing import assignment, conditions, draft, schedule
from routing.actions import Action
from routing.conditions import ConditionResult
from routing.draft import Draft, Ignored
from routing.facts import Facts
from routing.people import Skills, Team
from routing.rulebook import Rulebook
from routing.rules import Rule, Write
from routing.view import View

_STATUS_OF_A_NEW_TICKET = "new"


class Reason(msgspec.Struct, frozen=True):
    """Why a rule matched, or did not. rule: its id; line: in the rules' file; outcome: "" = it matched and counts."""

    rule: str
    line: int
    conditions: tuple[ConditionResult, ...]
    outcome: str = ""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What happens to a message. rulebook: the hash. rule: the route rule that won, "default" when none matched.

    matched: ids of the rules that count, in the order they were applied. agent: the assignment's choice, None = nobody
    on duty. sla: a policy's name, None = no clock. actions: effects for intake to carry out.
    candidates: the agents looked at. failed: (rule, error) of rules that broke and so did not match.
    fields: the desk's own, extracted and written. skills: what an agent must know, None = anybody will do.
    waits_for: why nobody has it (capacity_full, nobody_on_duty), None = somebody has, or nobody on purpose.
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
    fields: dict[str, str] = {}
    skills: Skills | None = None
    waits_for: str | None = None


def decide(rulebook: Rulebook, facts: Facts) -> Decision:
    """The decision for a new ticket. Pure: the same facts and rulebook always give the same one."""
    view = View.of(rulebook, facts)
    enriching, routing, route_view, failed = matched(rulebook, view)
    reasons = [reason(rule, view) for rule in enriching]
    if routing is not None:
        reasons.append(reason(routing, route_view))
    drafted = draft.of_new_ticket(rulebook, enriching, routing)
    return _decision(
        rulebook, facts, drafted, view.fields, reasons=tuple(reasons), routing=routing, failed=failed
    )


def matched(rulebook: Rulebook, view: View) -> tuple[list[Rule], Rule | None, View, list[tuple[str, str]]]:
    """The enrich rules that hold, the first route rule that does, what that one saw, and the rules that broke."""
    failed: list[tuple[str, str]] = []
    enriching, routes = [], []
    for position in rulebook.index.candidates(view):
        rule = rulebook.rules[position]
        if rule.stage == "route":
            routes.append(rule)
        elif holds(rule, view, failed):
            enriching.append(rule)
    route_view = next_view(rulebook, view, enriching) if routes else view
    routing = next((rule for rule in routes if holds(rule, route_view, failed)), None)
    return enriching, routing, route_view, failed


def next_view(rulebook: Rulebook, view: View, enriching: Sequence[Rule]) -> View:
    """The facts as route rules see them: with what enrich decided."""
    return view.deciding(draft.of_new_ticket(rulebook, enriching, None).seen) if enriching else view


def holds(rule: Rule, view: View, failed: list[tuple[str, str]]) -> bool:
    """Whether a rule matches. One that breaks is no match, and the failure is told: a message ends in `default` at worst."""
    try:
        return rule.when.holds(view)
    except Exception as error:  # noqa: BLE001 - whatever breaks in one rule must not lose the message
        failed.append((rule.id, f"{type(error).__name__}: {error}"))
        return False


def reason(rule: Rule, view: View, outcome: str = "") -> Reason:
    """Why, with every condition of the rule."""
    return Reason(rule.id, rule.line, conditions.results(rule.when, view), outcome)


def _decision(
    rulebook: Rulebook,
    facts: Facts,
    drafted: Draft,
    extracted: Mapping[str, str],
    *,
    reasons: tuple[Reason, ...],
    routing: Rule | None,
    failed: list[tuple[str, str]],
) -> Decision:
    language = drafted.value("language") or facts.language
    skills = skills_from(drafted.value("skills"))
    chosen = _assign(rulebook, drafted, facts, skills=skills, language=language)
    replies, withheld = reply(drafted, facts)
    return Decision(
        rulebook=rulebook.hash,
        rule=routing.id if routing else "default",
        matched=tuple(each.rule for each in reasons),
        team=drafted.value("team"),
        level=chosen.level,
        agent=chosen.agent,
        priority=drafted.value("priority") or draft.PRIORITY_WHEN_NOBODY_SAYS,
        sla=drafted.value("sla"),
        tags=drafted.tags,
        nature=drafted.value("nature"),
        language=language,
        status=_status(drafted),
        actions=(*replies, *drafted.effects),
        reasons=reasons,
        ignored=(*withheld, *drafted.lost),
        candidates=chosen.candidates,
        failed=tuple(failed),
        fields=_fields(drafted, extracted),
        skills=skills,
        waits_for=chosen.waits_for,
    )


def _status(drafted: Draft) -> str:
    return "closed" if drafted.value("close") else drafted.value("status") or _STATUS_OF_A_NEW_TICKET


def _fields(drafted: Draft, extracted: Mapping[str, str]) -> dict[str, str]:
    """What rules wrote over what was found in the text, over what default fills."""
    if not (extracted or drafted.fields or drafted.filled):
        return {}
    found = {**drafted.filled, **extracted, **drafted.fields}
    return {name: value for name, value in found.items() if value is not None}


def skills_from(value: Any) -> Skills | None:
    """Skills as an action writes them ({need, relax_s}), or as they are."""
    if value is None or isinstance(value, Skills):
        return value
    return Skills(tuple(value.get("need", ())), value.get("relax_s"))


def _assign(
    rulebook: Rulebook, drafted: Draft, facts: Facts, *, skills: Skills | None, language: str | None
) -> assignment.Assignment:
    """The agent a rule names, else one of the team on duty; nobody for spam, what is ignored and what is closed."""
    team = rulebook.teams[drafted.value("team")]
    level = drafted.value("level")
    agent = drafted.value("agent")
    held = next((name for name, members in team.levels.items() if agent in members), None)
    wanted = next((name for name in level or () if name in team.levels), None)
    here = wanted or held or team.first_level
    if any(drafted.value(each) for each in ("spam", "ignore", "close")):
        return assignment.Assignment(agent, here, (), is_left=True)
    if drafted.wrote("agent"):
        return named(rulebook, facts, agent, team=team.name, level=here, skills=skills, language=language)
    return choose(
        rulebook,
        facts,
        team=team.name,
        level=level,
        skills=skills,
        language=language,
        prefer=_known(team, facts),
    )


def _known(team: Team, facts: Facts) -> assignment.Preferred | None:
    """Who has answered the customer last, where the team wants customers who come back to go to them."""
    customer = facts.customer
    if team.returning_s is None or customer.answered_by is None or customer.answered_at is None:
        return None
    if facts.at - customer.answered_at > timedelta(seconds=team.returning_s):
        return None
    return assignment.Preferred(customer.answered_by, "answered this customer last")


def choose(
    rulebook: Rulebook,
    facts: Facts,
    *,
    team: str,
    level: Sequence[str] | None,
    skills: Skills | None,
    language: str | None,
    relaxed: bool = False,
    prefer: assignment.Preferred | None = None,
) -> assignment.Assignment:
    """Who of a team gets a ticket at the instant of the facts. relaxed: somebody without the skills may have it too."""
    return assignment.choose(
        rulebook.teams[team],
        people(rulebook, facts, medium=facts.channel),
        level=level,
        skills=skills,
        language=language,
        relaxed=relaxed,
        prefer=prefer,
    )


def named(
    rulebook: Rulebook,
    facts: Facts,
    agent: str | None,
    *,
    team: str,
    level: str | None,
    skills: Skills | None,
    language: str | None,
) -> assignment.Assignment:
    """Who gets a ticket that a rule gives to an agent by name; None = to nobody, on purpose."""
    if agent is None:
        here = level or rulebook.teams[team].first_level
        return assignment.Assignment(None, here, (), is_left=True)
    everybody = people(rulebook, facts, medium=facts.channel)
    return assignment.named(
        agent, rulebook.teams[team], everybody, level=level, skills=skills, language=language
    )


def people(rulebook: Rulebook, facts: Facts, *, medium: str | None = None) -> assignment.People:
    """Everybody at the instant of the facts. medium: whose capacity counts, None = capacity does not."""
    rotas = schedule.in_force(rulebook.schedules, facts.on_call)
    return assignment.People(rulebook.agents, facts.agents, facts.at, rulebook.calendars, rotas, medium)


def reply(drafted: Draft, facts: Facts) -> tuple[tuple[Action, ...], tuple[Ignored, ...]]:
    """The template for the message's medium, or why there is none: a machine is never answered, nor spam, nor what is ignored."""
    claims: tuple[tuple[Rule, Write], ...] = drafted.claims.get("reply", ())
    if not claims or claims[0][1].value is None:
        return (), ()
    rule, write = claims[0]
    template = write.value.get(facts.channel, write.value.get(""))
    if template is None:
        return (), ()
    against = _against_a_reply(drafted, facts)
    if against:
        return (), (Ignored(rule.id, "reply", template, against),)
    return (Action("reply", template, rule.id, write.options),), ()


def _against_a_reply(drafted: Draft, facts: Facts) -> str | None:
    if facts.automatic:
        return f"automatic mail ({facts.automatic}) is never answered"
    if drafted.value("spam"):
        return "spam is never answered"
    return "what is ignored is never answered" if drafted.value("ignore") else None


def decision_json(decision: Decision, due: Mapping[str, datetime]) -> dict[str, Any]:
    """The decision as it is stored and shown, JSON values. due: target -> aware instant, written as RFC 3339."""
    shown = ("rulebook", "matched", "rule", "team", "agent", "priority", "sla", "tags")
    value: dict[str, Any] = {name: _json(getattr(decision, name)) for name in shown}
    value["due"] = {target: at.isoformat().replace("+00:00", "Z") for target, at in due.items()}
    value["actions"] = _json(decision.actions)
    value["reasons"] = [_reason_json(each) for each in decision.reasons]
    for name in (
        "level",
        "nature",
        "language",
        "status",
        "ignored",
        "candidates",
        "failed",
        "fields",
        "skills",
        "waits_for",
    ):
        value[name] = _json(getattr(decision, name))
    return value


def _json(value: Any) -> Any:
    """JSON values, with lists for tuples at the top."""
    plain = msgspec.to_builtins(value)
    return list(plain) if isinstance(plain, tuple) else plain


def _reason_json(told: Reason) -> dict[str, Any]:
    value: dict[str, Any] = msgspec.to_builtins(told)
    value["conditions"] = list(value["conditions"])
    if not told.outcome:
        del value["outcome"]
    return value
