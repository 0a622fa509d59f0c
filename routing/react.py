"""Rulebook + Facts of an event on a ticket -> Reaction: every react rule that waits for the event and holds applies.

The rules see the ticket as it was before the event, and none sees another's writes. Of several writers of one field
the priority takes the highest, sla the strictest, tags add up; any other field goes to the first writer.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo

import msgspec

from routing import decision, draft
from routing.actions import Action
from routing.calendar import Calendar
from routing.decision import Reason
from routing.draft import Draft, Ignored
from routing.facts import Facts
from routing.rulebook import Rulebook
from routing.rules import Daily, React
from routing.view import View

CHANGES = (
    "route", "team", "skills", "level", "agent", "priority", "sla", "nature", "language", "tags", "untag",
)  # fmt: skip
"""What changes the ticket, in the order of the actions: where it goes before who is told."""

_LATER_CHANGES = ("status", "promise", "snooze")
_EFFECTS = ("note", "notify", "hand_off", "webhook", "rating", "incident", "spam", "block", "ignore", "close")
_STATUS_WRITERS = frozenset(("status", "close", "spam", "snooze"))
_LISTED = ("tags", "untag", "notify", "note")
_A_WEEK_OF_DAYS = 8


class Reaction(msgspec.Struct, frozen=True, kw_only=True):
    """What react rules ask for. rulebook: the hash. matched: ids of the rules that count, in file order.

    actions: to be carried out in this order. reopen: False = the customer's reply leaves a solved ticket solved, as the rule
    reopen_by says.
    ignored: writes that lost. failed: (rule, error) of rules that broke and so did not match.
    """

    rulebook: str
    event: str
    matched: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()
    reopen: bool = True
    reopen_by: str = ""
    reasons: tuple[Reason, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()

    @property
    def has_status(self) -> bool:
        """Whether a rule has had the last word on the status: then nothing changes it by itself."""
        return any(action.kind in _STATUS_WRITERS for action in self.actions)


def react(rulebook: Rulebook, facts: Facts, *, only: str | None = None) -> Reaction:
    """What the event asks for. only: the id of the one quiet or clock rule whose moment has come, None = every rule.

    Facts are of the ticket before the event; of a quiet or clock rule, as it is at that moment.
    """
    waiting = [each for each in rulebook.react if facts.event in each.on and only in (None, each.rule.id)]
    if not waiting:
        return Reaction(rulebook=rulebook.hash, event=facts.event)
    failed: list[tuple[str, str]] = []
    view = View.of(rulebook, facts)
    matched = [each for each in waiting if decision.holds(each.rule, view, failed)]
    if not matched:
        return Reaction(rulebook=rulebook.hash, event=facts.event, failed=tuple(failed))
    drafted = _drafted(rulebook, matched, facts)
    actions, withheld = _actions(drafted, facts)
    refusing = drafted.wrote("reopen")
    return Reaction(
        rulebook=rulebook.hash,
        event=facts.event,
        matched=tuple(each.rule.id for each in matched),
        actions=actions,
        reopen=drafted.value("reopen") is not False,
        reopen_by=refusing.id if refusing else "",
        reasons=tuple(decision.reason(each.rule, view) for each in matched),
        ignored=(*withheld, *drafted.lost),
        failed=tuple(failed),
    )


def quiet_holding(rulebook: Rulebook, facts: Facts) -> tuple[React, ...]:
    """The quiet rules whose condition holds for the ticket as it is now, in file order; one that breaks does not hold."""
    quiet = [each for each in rulebook.react if each.quiet is not None]
    if not quiet:
        return ()
    view = View.of(rulebook, facts)
    return tuple(each for each in quiet if decision.holds(each.rule, view, []))


def quiet_due(rule: React, since: datetime, calendars: Mapping[str, Calendar]) -> datetime:
    """When a quiet rule falls due after a since-event: wall clock, or open time of its calendar."""
    assert rule.quiet is not None  # noqa: S101 - asked for of quiet rules only
    if rule.quiet.calendar is None:
        return since + timedelta(seconds=rule.quiet.seconds)
    return calendars[rule.quiet.calendar].add(since, rule.quiet.seconds)


def next_daily(rule: React, after: datetime, calendars: Mapping[str, Calendar]) -> datetime:
    """The next moment of a clock rule after an instant, UTC.

    A local time that occurs twice counts once, the first; one that does not exist moves to the next instant.
    """
    assert rule.daily is not None  # noqa: S101 - asked for of clock rules only
    zone = calendars[rule.daily.calendar].zone
    today = after.astimezone(zone).date()
    days = (today + timedelta(days=offset) for offset in range(-1, _A_WEEK_OF_DAYS))
    moments = (_moment(rule.daily, day, zone) for day in days if day.weekday() in rule.daily.days)
    return next(moment for moment in moments if moment > after)


def _moment(daily: Daily, day: date, zone: tzinfo) -> datetime:
    local = datetime.combine(day, daily.at, tzinfo=zone)
    at = local.astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return at
    before = local.replace(fold=1).astimezone(UTC)  # read with the offset after the jump: still before it
    minutes = range(int((at - before) / timedelta(minutes=1)) + 1)
    moments = (before + timedelta(minutes=minute) for minute in minutes)
    return next(
        each for each in moments if each.astimezone(zone).replace(tzinfo=None) > local.replace(tzinfo=None)
    )


def _drafted(rulebook: Rulebook, matched: Sequence[React], facts: Facts) -> Draft:
    rules = [each.rule for each in matched]
    priority = facts.ticket.priority if facts.ticket else draft.PRIORITY_WHEN_NOBODY_SAYS
    return draft.resolve(rulebook, rules, None, default=None, priority=priority)


def _actions(drafted: Draft, facts: Facts) -> tuple[tuple[Action, ...], tuple[Ignored, ...]]:
    replies, withheld = decision.reply(drafted, facts)
    fields = sorted(field for field in drafted.claims if field.startswith("field."))
    changes = [action for kind in (*CHANGES, *fields, *_LATER_CHANGES) for action in _change(drafted, kind)]
    effects = [action for kind in _EFFECTS for action in drafted.effects if action.kind == kind]
    return (*changes, *replies, *effects), withheld


def _change(drafted: Draft, kind: str) -> list[Action]:
    """One action for each field; `none` is written as None."""
    claims = drafted.claims.get(kind)
    if not claims:
        return []
    if kind in _LISTED:
        return _added(drafted, kind)
    rule, write = claims[0]
    return [Action(kind, write.value, rule.id, write.options)]


def _added(drafted: Draft, kind: str) -> list[Action]:
    """Tags of each rule, each once; what another takes away is not added."""
    said: set[str] = set()
    if kind == "tags":
        said.update(each for _, write in drafted.claims.get("untag", ()) for each in write.value or ())
    found = []
    for rule, write in drafted.claims[kind]:
        names = [name for name in write.value or () if name not in said]
        said.update(names)
        if names:
            found.append(Action(kind, names, rule.id, write.options))
    return found
