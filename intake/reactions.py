"""What rules make of later events: `react` is called where something happens to a ticket, `follow` after the whole of it.

The rules see the ticket as it was before the event. What they change sets off no rule that waits for an event; it does
begin and end silences, like anybody's change.
"""

from functools import lru_cache

import msgspec

from intake import effects, event_facts, events, occasion, quiet
from intake.event_facts import Changed
from intake.facts import without_text
from intake.model import Context, Ticket
from intake.occasion import Occasion
from intake.store.engine import Tx
from routing import react as rules
from routing.facts import CHANGEABLE, FACTS_VERSION, Facts
from routing.react import Reaction
from routing.rulebook import Rulebook

UNTOLD = (
    "clock"  # a rule that looks at every ticket each day would fill their histories with what it did not do
)


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """Why something happens. name: unique for this cause ("message:123"). seen: the facts of the message behind it.

    occasion: whom an answer goes to, None = whoever wrote last. rating: 1 to 5 of a rated event.
    target: the clock that the event is about, None = it is about none.
    due_at: of a timer, when it was due, microseconds UTC; is_overtaken: as Occasion has it.
    """

    name: str
    seen: Facts | None = None
    occasion: Occasion | None = None
    rating: int | None = None
    target: str | None = None
    due_at: int | None = None
    is_overtaken: bool = False


class Reacted(msgspec.Struct, frozen=True):
    """ticket: as the rules leave it. reopens: False = a customer's reply leaves the status alone, by a rule's will.

    has_status: a rule has said what the status is, and so has had the last word.
    """

    ticket: Ticket
    reopens: bool = True
    has_status: bool = False


def react(
    tx: Tx,
    context: Context,
    before: Ticket,
    event: str,
    *,
    cause: Cause,
    now: Ticket | None = None,
    changed: Changed | None = None,
    only: str | None = None,
    said: str | None = None,
) -> Reacted:
    """Do what the rules that wait for an event ask for. before: the ticket as it was before it; now: as it is, None = alike.

    only: the one quiet or clock rule whose moment has come. said: what one of ours answered or noted.
    """
    ticket = before if now is None else now
    if event not in awaited(context.rulebook):
        return Reacted(ticket)
    if cause.seen is None:
        facts = event_facts.of_ticket(tx, context, before, event, changed=changed, said=said)
    else:
        facts = event_facts.of_event(tx, context, cause.seen, before, event, changed=changed)
    if cause.rating is not None or cause.target is not None:
        facts = msgspec.structs.replace(facts, rating=cause.rating, target=cause.target)
    reaction = rules.react(context.rulebook, facts, only=only)
    for rule, error in reaction.failed:
        events.rule_failed(tx, ticket, rule, on=event, error=error)
    if reaction.matched or event != UNTOLD:
        _tell(tx, ticket, reaction, facts, cause=cause, only=only)
    if not reaction.matched:
        return Reacted(ticket)
    if reaction.actions:
        happened = cause.occasion or occasion.of_ticket(tx, ticket, cause=cause.name)
        happened = msgspec.structs.replace(
            happened, cause=f"{cause.name}:{event}", due_at=cause.due_at, is_overtaken=cause.is_overtaken
        )
        ticket = effects.apply(tx, context, ticket, reaction.actions, happened)
    return Reacted(ticket, reaction.reopen, reaction.has_status)


@lru_cache(maxsize=4)
def awaited(book: Rulebook) -> frozenset[str]:
    """The events that react rules wait for."""
    return frozenset(event for each in book.react for event in each.on)


def changed_by_hand(tx: Tx, context: Context, before: Ticket, after: Ticket, *, cause: Cause) -> Ticket:
    """React to each event that a person's or a built-in change is; the ticket as the rules leave it."""
    changed = {
        name: (getattr(before, name), getattr(after, name))
        for name in CHANGEABLE
        if getattr(before, name) != getattr(after, name)
    }
    ticket = after
    for event in _events_of(before, after):
        ticket = react(tx, context, before, event, cause=cause, now=ticket, changed=changed).ticket
    return ticket


def _events_of(before: Ticket, after: Ticket) -> list[str]:
    found = []
    if before.status != after.status:
        found.append("status_changed")
        if after.is_open and not before.is_open:
            found.append("reopened")
    if before.team != after.team:
        found.append("team_changed")
    if before.agent != after.agent:
        found.append("assigned" if after.agent is not None else "unassigned")
    return found


def _tell(tx: Tx, ticket: Ticket, reaction: Reaction, seen: Facts, *, cause: Cause, only: str | None) -> None:
    """Keep why, and why no rule did anything, with the facts: explain tells it with the rulebook of that day."""
    events.of_ticket(
        tx,
        ticket,
        "reacted" if reaction.matched else "not_reacted",
        on=reaction.event,
        rules=reaction.matched,
        rulebook=reaction.rulebook,
        actions=reaction.actions,
        reasons=reaction.reasons,
        ignored=reaction.ignored,
        failed=reaction.failed,
        cause=cause.name,
        only=only,
        facts_version=FACTS_VERSION,
        facts=without_text(seen),
    )


def fire_quiet(tx: Tx, context: Context, ticket: Ticket, *, cause: Cause, rule: str, policy: str) -> Ticket:
    """Do what a quiet rule says, unless its silence has ended or its condition stopped holding meanwhile."""
    found = next((each for each in context.rulebook.react if each.rule.id == rule and each.quiet), None)
    if found is None:
        events.of_ticket(tx, ticket, "timer_skipped", step=rule, reason="the rules no longer have this rule")
        return ticket
    if quiet.since_event(ticket, found) != policy:
        return ticket
    return react(tx, context, ticket, quiet.KIND, cause=cause, only=rule).ticket
