"""When an agent is left alone: outside their hours, unless they are on call or it cannot wait.

What can wait is what is as good in the morning: that a ticket is theirs, or somebody else's, that a customer has written on
it, that an answer came back. What cannot is an urgent ticket, a moment that was promised, what a rule or a ladder asks for,
and what asks by telephone: somebody decided that it is told now.
"""

from intake import agents, instants, oncall
from intake.model import Context, Ticket
from intake.notice_page import Notice
from intake.store.engine import Tx
from routing import duty

WAITING = frozenset({"assigned", "customer_replied", "taken", "delivery_failed"})


def of_notice(tx: Tx, context: Context, ticket: Ticket, notice: Notice, name: str) -> int | None:
    """Return until when a notice waits for an agent's hours, microseconds UTC; None = it is told now."""
    is_waiting = notice.kind in WAITING and notice.rule is None and notice.by is None
    if not is_waiting or ticket.priority == "urgent" or context.notices.outside_hours != "digest":
        return None
    return until_us(tx, context, name)


def until_us(tx: Tx, context: Context, name: str) -> int | None:
    """Return when an agent's hours begin, microseconds UTC; None = it is within them, they have none, or are on call."""
    book, now = context.rulebook, instants.datetime_from_us(tx.now)
    person = book.agents.get(name)
    calendar = book.calendars.get(person.hours) if person is not None and person.hours else None
    if calendar is None or calendar.is_open(now):
        return None
    if book.schedules:
        people = duty.People(
            book.agents, agents.loads(tx), now, book.calendars, oncall.schedules(tx, context)
        )
        if duty.is_on_duty(name, people, teams=book.teams.values()):
            return None
    return instants.us_from_datetime(calendar.next_open(now))
