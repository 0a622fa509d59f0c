"""What actions do: each kind of action of the rules is one function, run in the transaction of its cause.

A new action is one entry of routing.action_text.ACTIONS (what it means) and one line in DOERS (what it does).
"""

from collections.abc import Iterable

from intake import answering, changing, clocks, delaying, occasion, placing, promising, rerouting, telling
from intake.model import Context, Ticket
from intake.occasion import Doer, Occasion
from intake.store.engine import Tx
from routing.actions import Action
from routing.placing import KINDS as PLACING

FIELD = "field."
_NOBODY_CAN = "nothing in this configuration can do it"


def apply(tx: Tx, context: Context, ticket: Ticket, actions: Iterable[Action], happened: Occasion) -> Ticket:
    """Do the actions, first where the ticket goes; the ticket as they leave it. What nothing here does is an event."""
    asked = tuple(actions)
    for action in asked:
        if action.kind == "route":
            ticket, further = rerouting.route(tx, context, ticket, action, happened)
            ticket = apply(tx, context, ticket, further, happened)
    places = {action.kind: action for action in asked if action.kind in PLACING}
    if places:
        ticket = placing.place(tx, context, ticket, places, happened)
    for action in asked:
        if action.kind != "route" and action.kind not in PLACING:
            ticket = _do(tx, context, ticket, action, happened)
    return ticket


def _do(tx: Tx, context: Context, ticket: Ticket, action: Action, happened: Occasion) -> Ticket:
    doer = doer_of(action.kind)
    if doer is None:
        occasion.not_done(tx, ticket, action, _NOBODY_CAN)
        return ticket
    done = doer(tx, context, ticket, action, happened)
    if done is not ticket:
        clocks.follow(tx, ticket, done)
    return done


def doer_of(kind: str) -> Doer | None:
    """Return what does an action of a kind; None = nothing here can."""
    return changing.field if kind.startswith(FIELD) else DOERS.get(kind)


DOERS: dict[str, Doer] = {
    "reply": answering.reply,
    "notify": telling.notify,
    "note": telling.note,
    "priority": changing.plain,
    "status": changing.status,
    "nature": changing.plain,
    "language": changing.plain,
    "tags": changing.tags,
    "untag": changing.untag,
    "sla": changing.sla,
    "close": changing.close,
    "spam": changing.spam,
    "block": changing.block,
    "snooze": delaying.snooze,
    "promise": promising.promise,
}
