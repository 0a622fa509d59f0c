"""Somebody gives a ticket to somebody: from the command line, by mail, at the desk, by taking it over.

Nobody gets more than their capacity by it. That is refused with who else could take it; whoever thinks otherwise raises
`assign: {capacity: …}` in the rules.
"""

from intake import desk, notices, quiet, reactions, seating, threads, tickets
from intake.desk import DeskError
from intake.model import Context, Ticket
from intake.store.engine import Tx


def assign(tx: Tx, context: Context, typed_ref: str, to: str | None, *, agent: str) -> Ticket:
    """Give the ticket to an agent, or to somebody of a team; to None: to nobody, and it waits for nobody.

    Who gets it, and who loses it, is told. Raises: DeskError, with nothing written.
    """
    desk.check_agent(context, agent)
    ticket = desk.find(tx, typed_ref)
    book = context.rulebook
    if to is not None and to not in book.teams and to not in book.agents:
        known = [*book.agents, *book.teams]
        raise DeskError(f"there is no agent or team '{to}'{desk.meant(to, known)}")
    moved = _moved(tx, context, ticket, to, actor=f"agent:{agent}")
    moved = tickets.stamp(tx, moved, taken_at=ticket.taken_at or tx.now)
    if moved.agent != ticket.agent:
        _tell(tx, context, ticket, moved, by=agent)
    after = reactions.changed_by_hand(tx, context, ticket, moved, cause=desk.cause_of(tx, agent))
    quiet.follow(tx, context, after)
    return after


def check_room(tx: Tx, context: Context, ticket: Ticket, to: str | None) -> None:
    """See whether an agent may get the ticket now. Raises: DeskError."""
    is_given = to in context.rulebook.agents and ticket.is_open and ticket.agent != to
    if to is not None and is_given and seating.is_full(tx, context, ticket, to):
        raise DeskError(seating.why_full(tx, context, ticket, to))


def _moved(tx: Tx, context: Context, ticket: Ticket, to: str | None, *, actor: str) -> Ticket:
    if to is None:
        left = tickets.change(tx, ticket, actor=actor, agent=None)
        return tickets.stamp(tx, left, waits_since=None, prefers=None)
    team = context.rulebook.teams.get(to)
    if team is not None:
        moved = tickets.change(tx, ticket, actor=actor, team=to, level=team.first_level, agent=None)
        return seating.pick(tx, context, moved, level=None, actor=actor) if moved.is_open else moved
    given = seating.give(tx, context, ticket, to, actor=actor)
    if given is None:
        raise DeskError(seating.why_full(tx, context, ticket, to))
    return given


def _tell(tx: Tx, context: Context, before: Ticket, after: Ticket, *, by: str) -> None:
    cause = f"assignment:{after.id}:{tx.new_id()}"
    if after.agent is not None and context.notices.assigned and after.agent != by:
        words = threads.load(tx, after.id).last_words
        notice = notices.Notice(
            kind="assigned",
            headline=f"{by} has given you ticket {after.ref}.",
            cause=cause,
            quote=words.text if words is not None else "",
        )
        notices.send(tx, context, after, after.agent, notice)
    if before.agent is not None and context.notices.taken and before.agent != by:
        headline = f"{by} has taken ticket {after.ref} from you."
        notice = notices.Notice(kind="taken", headline=headline, cause=cause)
        notices.send(tx, context, after, before.agent, notice)
