"""Every fact that rules may name, and where its values come from.

A new fact is one line in FIELDS and one in facts.py.
"""

from collections.abc import Callable

from routing import assignment, folding
from routing.facts import NATURES
from routing.naming import STATUSES
from routing.people import Team
from routing.targets import PRIORITIES, TARGETS
from routing.view import Field, Values, View, one

_CLOCK_STATES = ("running", "paused", "warned", "breached", "met")

# -- where the values come from -------------------------------------------------------------------------------------


def _of_ticket(name: str) -> Callable[[View], Values]:
    """`ticket.X`: as it was before the event; of a ticket that is only being opened, what earlier stages decided."""

    def get(view: View) -> Values:
        if view.facts.ticket is None:
            return view.decided.get(name, ())
        value = getattr(view.facts.ticket, name)
        return value if isinstance(value, tuple) else one(value)

    return get


def _age(view: View) -> Values:
    ticket = view.facts.ticket
    return ((view.facts.at - ticket.created_at).total_seconds() if ticket else 0.0,)


def _tickets(view: View) -> Values:
    """When the customer's tickets were created, this one too."""
    ticket = view.facts.ticket
    return (ticket.created_at if ticket else view.facts.at, *view.facts.customer.tickets)


def _team(view: View) -> Team | None:
    names = _of_ticket("team")(view)
    return view.people.teams.get(names[0]) if names else None


def _is_available(view: View) -> Values:
    """Whether the ticket's agent is on duty; capacity is for new tickets only."""
    names = _of_ticket("agent")(view)
    if not names:
        return ()
    return (assignment.is_on_duty(names[0], view.present(), teams=view.people.teams.values()),)


def _is_open_now(view: View) -> Values:
    team = _team(view)
    return () if team is None else (assignment.is_open(team, view.present()),)


def _waiting(view: View) -> Values:
    names = _of_ticket("team")(view)
    return (view.facts.desk.waiting.get(names[0], 0),) if names else ()


# -- the facts ------------------------------------------------------------------------------------------------------

FIELDS: dict[str, Field] = {
    "channel": Field("text", lambda view: one(view.facts.channel)),
    "account": Field("text", lambda view: one(view.facts.account)),
    "unreadable": Field("flag", lambda view: (view.facts.unreadable,)),
    "recipient": Field("text", lambda view: view.facts.recipient),
    "subject": Field("prose", lambda view: one(view.prose("subject"))),
    "body": Field("prose", lambda view: one(view.prose("body"))),
    "text": Field("prose", lambda view: one(view.prose("text"))),
    "text.quoted": Field("prose", lambda view: one(view.prose("text.quoted"))),
    "language": Field("text", lambda view: one(view.facts.language)),
    "attachment.name": Field("text", lambda view: tuple(each.name for each in view.facts.attachments if each.name)),
    "attachment.type": Field("text", lambda view: tuple(each.type for each in view.facts.attachments if each.type)),
    "attachment.size": Field("number", lambda view: tuple(each.size for each in view.facts.attachments)),
    "attachment.count": Field("number", lambda view: (len(view.facts.attachments),)),
    "automatic": Field("kind", lambda view: one(view.facts.automatic),
                       ("auto_reply", "bounce", "feedback_report", "list", "delivery_receipt", "reaction")),
    "spam.score": Field("number", lambda view: one(view.facts.spam_score)),
    "call.choice": Field("text", lambda view: one(view.facts.call_choice)),
    "call.outcome": Field("text", lambda view: one(view.facts.call_outcome)),
    "chat.page": Field("text", lambda view: one(view.facts.chat_page)),
    "direction": Field("text", lambda view: one(view.facts.direction), ("in", "out")),
    "created_by": Field("text", lambda view: one(view.facts.created_by), ("customer", "agent", "rule", "system")),
    "sender.address": Field("text", lambda view: one(view.facts.sender.address)),
    "sender.domain": Field("text", lambda view: one(view.facts.sender.domain)),
    "sender.name": Field("text", lambda view: one(view.facts.sender.name)),
    "sender.phone": Field("text", lambda view: one(view.facts.sender.phone)),
    "sender.country": Field("text", lambda view: one(view.facts.sender.country)),
    "sender.verified": Field("flag", lambda view: (view.facts.sender.verified,)),
    "sender.known_since": Field("instant", lambda view: one(view.facts.sender.known_since)),
    "customer.organization": Field("text", lambda view: one(view.facts.customer.organization)),
    "customer.tags": Field("text", lambda view: view.facts.customer.tags),
    "customer.tier": Field("text", lambda view: one(view.facts.customer.tier)),
    "customer.language": Field("text", lambda view: one(view.facts.customer.language)),
    "customer.open_tickets": Field("number", lambda view: (view.facts.customer.open_tickets,)),
    "customer.tickets": Field("count", _tickets),
    "customer.last_rating": Field("number", lambda view: one(view.facts.customer.last_rating)),
    "customer.opted_out": Field("flag", lambda view: (view.facts.customer.opted_out,)),
    "customer.first_contact": Field("flag", lambda view: (view.facts.customer.first_contact,)),
    "ticket.status": Field("text", _of_ticket("status"), STATUSES, can_change=True),
    "ticket.priority": Field("text", _of_ticket("priority"), PRIORITIES, can_change=True),
    "ticket.team": Field("text", _of_ticket("team"), can_change=True),
    "ticket.level": Field("text", _of_ticket("level"), can_change=True),
    "ticket.agent": Field("text", _of_ticket("agent"), can_change=True),
    "ticket.nature": Field("text", _of_ticket("nature"), NATURES),
    "ticket.tags": Field("text", _of_ticket("tags")),
    "ticket.age": Field("length", _age),
    "ticket.reopened": Field("number", lambda view: (view.facts.ticket.reopened if view.facts.ticket else 0,)),
    "ticket.promise": Field("instant", lambda view: one(view.facts.ticket and view.facts.ticket.promise)),
    "incident.open": Field("flag", lambda view: (view.facts.desk.incident_open,)),
    "agent.available": Field("flag", _is_available),
    "team.open_now": Field("flag", _is_open_now),
    "team.waiting": Field("number", _waiting),
    "rating": Field("number", lambda view: one(view.facts.rating)),
    "target": Field("text", lambda view: one(view.facts.target), TARGETS),
}  # fmt: skip
"""What an event and its ticket are known by."""

DECIDED = ("team", "level", "agent", "priority", "nature", "status", "tags")
"""`ticket.X` that an earlier stage may have decided; "field.NAME" beside them."""

MADE_ON_DEMAND = (
    "header.NAME",
    "form.NAME",
    "customer.field.NAME",
    "ticket.field.NAME",
    *(f"ticket.sla.{target}" for target in TARGETS),
)
"""Facts whose names the admin brings along, and the states of a ticket's clocks."""

_UNSETTLED = ("ticket.", "team.", "agent.")


def is_settled(name: str) -> bool:
    """Whether a fact is the same in every stage, so that rules may be filed under its values."""
    return not name.startswith(_UNSETTLED)


def field_named(name: str) -> Field | None:
    """The fact of that name; None = there is none. `ticket.field.NAME` is text here, whatever its declared type."""
    if name in FIELDS:
        return FIELDS[name]
    for group, make in _MAKERS.items():
        if name.startswith(group) and len(name) > len(group):
            return make(name.removeprefix(group))
    return None


def _header(name: str) -> Field:
    lower = name.lower()
    return Field("text", lambda view: view.facts.headers.get(lower, ()))


def _form(name: str) -> Field:
    wanted = folding.fold_value(name)

    def get(view: View) -> Values:
        form = view.facts.form
        return tuple(value for key, value in form.items() if value and folding.fold_value(key) == wanted)

    return Field("text", get)


def _customer_field(name: str) -> Field:
    return Field("text", lambda view: one(view.facts.customer.fields.get(name)))


def _ticket_field(name: str) -> Field:
    return Field("text", lambda view: ticket_field_text(view, name))


def ticket_field_text(view: View, name: str) -> tuple[str, ...]:
    """A field of the ticket as text: its own, or while it is being opened what was decided, else found in the text."""
    if view.facts.ticket is not None:
        return one(view.facts.ticket.fields.get(name))
    return view.decided.get(f"field.{name}", one(view.fields.get(name)))


def _clock(target: str) -> Field | None:
    if target not in TARGETS:
        return None
    return Field(
        "text", lambda view: one(view.facts.ticket and view.facts.ticket.sla.get(target)), _CLOCK_STATES
    )


_MAKERS: dict[str, Callable[[str], Field | None]] = {
    "header.": _header,
    "form.": _form,
    "customer.field.": _customer_field,
    "ticket.field.": _ticket_field,
    "ticket.sla.": _clock,
}
