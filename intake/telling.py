"""Actions that tell colleagues something: a notice, a note in the ticket."""

from intake import notices, pages, tickets
from intake.model import Context, Ticket
from intake.occasion import Occasion
from intake.store.engine import Tx
from routing.actions import Action

ESCALATED = "escalated:"  # a notice that a rule or a step of a ladder asks for


def notify(tx: Tx, context: Context, ticket: Ticket, action: Action, happened: Occasion) -> Ticket:
    for target in [action.value] if isinstance(action.value, str) else action.value or ():
        notice = notices.Notice(
            kind=f"{ESCALATED}{action.rule}",
            headline=f"You are asked to look at ticket {ticket.ref} (rule {action.rule}).",
            cause=happened.cause,
            quote=happened.text,
            by=action.options.get("by"),
            rule=action.rule,
            told=happened.told,
            due_at=happened.due_at,
            also=tuple(action.options.get("also", ())),
        )
        notices.send(tx, context, ticket, str(target), notice)
        pages.note(tx, context, ticket, str(target), rule=action.rule, way=notice.by)
    return ticket


def note(tx: Tx, context: Context, ticket: Ticket, action: Action, happened: Occasion) -> Ticket:
    for text in [action.value] if isinstance(action.value, str) else action.value or ():
        tickets.add_note(tx, ticket, author=f"rule:{action.rule}", text=str(text))
    return ticket
