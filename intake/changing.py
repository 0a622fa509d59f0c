"""Actions that change what a ticket is: its priority, status, tags, fields, policy; and whom we never hear from again."""

from collections.abc import Iterable
from typing import Any

from channels.contract import Identity
from intake import clocks, lists, occasion, seating, tickets
from intake.model import Context, Ticket
from intake.occasion import Occasion
from intake.store.engine import Tx
from routing.actions import Action

BLOCKED = "blocked"  # of several lists kept at the desk, the one that `block` adds to


def plain(tx: Tx, context: Context, ticket: Ticket, action: Action, happened: Occasion) -> Ticket:
    """Set a column of the action's own name: priority, nature, language."""
    return tickets.change(tx, ticket, actor=_actor(action), **{action.kind: action.value})


def status(tx: Tx, context: Context, ticket: Ticket, action: Action, happened: Occasion) -> Ticket:
    return seating.set_status(
        tx, context, ticket, action.value, actor=_actor(action), cause=happened.cause, text=happened.text
    )


def tags(tx: Tx, context: Context, ticket: Ticket, action: Action, happened: Occasion) -> Ticket:
    added = tuple(dict.fromkeys((*ticket.tags, *_names(action.value))))
    return tickets.change(tx, ticket, actor=_actor(action), tags=added)


def untag(tx: Tx, context: Context, ticket: Ticket, action: Action, happened: Occasion) -> Ticket:
    gone = set(_names(action.value))
    kept = tuple(tag for tag in ticket.tags if tag not in gone)
    return tickets.change(tx, ticket, actor=_actor(action), tags=kept)


def field(tx: Tx, context: Context, ticket: Ticket, action: Action, happened: Occasion) -> Ticket:
    """Set one of the desk's own facts; none takes it away."""
    name = action.kind.removeprefix("field.")
    others = {key: value for key, value in ticket.fields.items() if key != name}
    fields = others if action.value is None else {**others, name: str(action.value)}
    return tickets.change(tx, ticket, actor=_actor(action), fields=fields)


def close(tx: Tx, context: Context, ticket: Ticket, action: Action, happened: Occasion) -> Ticket:
    return tickets.change(tx, ticket, actor=_actor(action), status="closed") if action.value else ticket


def spam(tx: Tx, context: Context, ticket: Ticket, action: Action, happened: Occasion) -> Ticket:
    """Close it as spam: no clock, no answer."""
    if not action.value:
        return ticket
    marked = tickets.change(tx, ticket, actor=_actor(action), is_spam=True, status="closed")
    clocks.drop(tx, ticket, marked)
    return marked


def sla(tx: Tx, context: Context, ticket: Ticket, action: Action, happened: Occasion) -> Ticket:
    """Put the ticket under another policy; the time used counts."""
    return put_under(tx, context, ticket, action.value, actor=_actor(action))


def put_under(tx: Tx, context: Context, ticket: Ticket, policy: str | None, *, actor: str) -> Ticket:
    """Put the ticket under another policy of the rules, as it is written now; None = no clock runs any more."""
    armament = context.armaments.get(policy or "")
    digest = armament.hash if armament is not None else None
    if digest == ticket.armament:
        return ticket
    armed = tickets.change(tx, ticket, actor=actor, sla=policy)
    armed = tickets.stamp(tx, armed, armament=digest)
    clocks.rearm(tx, ticket, armed)
    return armed


def block(tx: Tx, context: Context, ticket: Ticket, action: Action, happened: Occasion) -> Ticket:
    """Add who wrote to the list of those we never hear from again."""
    name = kept_list(context)
    if not action.value:
        return ticket
    if name is None:
        reason = f"the rules keep no list at the desk named '{BLOCKED}'"
        occasion.not_done(tx, ticket, action, reason)
    elif happened.address is None:
        occasion.not_done(tx, ticket, action, "the message names no address to block")
    else:
        lists.add(tx, name, (happened.address.address,), actor=_actor(action))
        occasion.tell(tx, ticket, action, "sender_blocked", list=name)
    return ticket


def block_sender(tx: Tx, context: Context, sender: Identity | None, actions: Iterable[Action]) -> None:
    """Do what `block` says of a message that becomes no ticket."""
    name = kept_list(context)
    for action in actions:
        if action.kind == "block" and action.value and name is not None and sender is not None:
            lists.add(tx, name, (sender.value,), actor=_actor(action))


def kept_list(context: Context) -> str | None:
    """Return the list that `block` adds to; None = the rules keep none, or several of other names."""
    kept = context.rulebook.kept
    return BLOCKED if BLOCKED in kept else next(iter(kept)) if len(kept) == 1 else None


def _actor(action: Action) -> str:
    return f"rule:{action.rule}"


def _names(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())
