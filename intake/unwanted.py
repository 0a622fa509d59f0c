"""Spam, and those we never hear from again.

Marking a ticket as spam closes it: no clock, no rule, no notice, and nothing automatic is sent there any more. It says
nothing about what its sender writes next: that is a ticket as ever, because people are wrong about spam. Blocking does:
what a blocked sender writes later is kept in the journal as ignored, with why, and makes no ticket; once the block is
lifted, `journal replay` brings it. Both can be taken back.

Who is blocked stands in a list kept at the desk: the one that the rules' `block` adds to, else one named "blocked". Where
the rules ask for that list themselves, they decide what becomes of such a message, and nothing is turned away before them.
"""

from collections.abc import Iterable

import msgspec
from sqlalchemy import bindparam, select

from channels.contract import Message
from intake import changing, clocks, desk, events, journal, lists, loops, quiet, seating, tickets
from intake.desk import DeskError
from intake.lists import ListProblem
from intake.model import Account, Context, Received, Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

_decode = msgspec.json.Decoder().decode
_m, _e = schema.messages.c, schema.events.c
_SENDERS = Statement(
    select(_m.author)
    .where(_m.ticket_id == bindparam("ticket_id"), _m.direction == "in", _m.author != "")
    .group_by(_m.author)
    .order_by(_m.author)
    .limit(50)
)
_MARKED = Statement(
    select(_e.details)
    .where(_e.ticket_id == bindparam("ticket_id"), _e.kind == "marked_spam")
    .order_by(_e.id.desc())
    .limit(1)
)


def mark_spam(tx: Tx, context: Context, typed_ref: str, *, agent: str, is_blocked: bool = False) -> Ticket:
    """Close a ticket as spam. is_blocked: who wrote it is blocked as well. Raises: DeskError."""
    desk.check_agent(context, agent)
    ticket = desk.find(tx, typed_ref)
    actor = f"agent:{agent}"
    if not ticket.is_spam:
        events.of_ticket(tx, ticket, "marked_spam", actor=actor, status=ticket.status)
    marked = tickets.change(tx, ticket, actor=actor, is_spam=True, status="closed")
    marked = tickets.stamp(tx, marked, taken_at=ticket.taken_at or tx.now)
    clocks.drop(tx, ticket, marked)
    quiet.follow(tx, context, marked)
    if is_blocked:
        block(tx, context, _senders(tx, context, ticket), agent=agent)
    return marked


def unmark_spam(tx: Tx, context: Context, typed_ref: str, *, agent: str) -> Ticket:
    """Take that back: the ticket is what it was, its clocks run on, and its senders are heard. Raises: DeskError."""
    desk.check_agent(context, agent)
    ticket = desk.find(tx, typed_ref)
    if not ticket.is_spam:
        raise DeskError(f"ticket {ticket.ref} is not marked as spam")
    actor, cause = f"agent:{agent}", desk.cause_of(tx, agent).name
    freed = tickets.change(tx, ticket, actor=actor, is_spam=False)
    back = seating.set_status(tx, context, freed, _status_before(tx, ticket), actor=actor, cause=cause)
    back = tickets.stamp(tx, back, reopened=ticket.reopened)  # nobody has come back
    if back.armament is not None and back.is_open:
        clocks.rearm(tx, msgspec.structs.replace(back, armament=None), back)
    unblock(tx, context, _senders(tx, context, ticket), agent=agent)
    quiet.follow(tx, context, back)
    return back


def block(tx: Tx, context: Context, values: Iterable[str], *, agent: str) -> tuple[str, ...]:
    """Never hear from these again: addresses, domains, numbers; those that were not blocked. Raises: DeskError."""
    desk.check_agent(context, agent)
    given = [each.strip().removeprefix("@") for each in values]
    own = [each for each in given if loops.is_ours(context.accounts.values(), each)]
    if own:
        raise DeskError(f"{own[0]} is an address of ours: it cannot be blocked")
    if not given:
        raise DeskError("nobody is named who could be blocked")
    try:
        return lists.add(tx, list_of(context), given, actor=f"agent:{agent}")
    except ListProblem as error:
        raise DeskError(str(error)) from error


def unblock(tx: Tx, context: Context, values: Iterable[str], *, agent: str) -> tuple[str, ...]:
    """Hear from these again; those that were blocked. Raises: DeskError."""
    desk.check_agent(context, agent)
    given = [each.strip().removeprefix("@") for each in values]
    try:
        return lists.remove(tx, list_of(context), given, actor=f"agent:{agent}")
    except ListProblem as error:
        raise DeskError(str(error)) from error


def list_of(context: Context) -> str:
    """Return the list that blocked senders stand in."""
    return changing.kept_list(context) or changing.BLOCKED


def is_blocked(tx: Tx, context: Context, values: Iterable[str]) -> bool:
    """Whether any of these addresses, domains or numbers is blocked."""
    return lists.holds(tx, list_of(context), values)


def turns_away(tx: Tx, context: Context, received: Received, message: Message, account: Account) -> bool:
    """Ignore a message of a blocked sender; false = it is none, or the rules decide about it themselves."""
    name = list_of(context)
    if message.sender is None or any(used == name for _, used in context.rulebook.kept_uses()):
        return False
    said = [each.value for each in (message.sender, *message.also)]
    domains = [each.rpartition("@")[2] for each in said if "@" in each]
    if not is_blocked(tx, context, (*said, *domains)):
        return False
    events.record(tx, "turned_away", journal=received.id, account=account.name, list=name)
    journal.close(tx, received.id, "ignored", problem=f"its sender is blocked (list '{name}')")
    return True


def senders(tx: Tx, context: Context, typed_ref: str) -> tuple[str, ...]:
    """Return who has written on a ticket, as blocking names them. Raises: DeskError."""
    return _senders(tx, context, desk.find(tx, typed_ref, is_locked=False))


def _senders(tx: Tx, context: Context, ticket: Ticket) -> tuple[str, ...]:
    rows = tx.all(_SENDERS, ticket_id=ticket.id)
    accounts = list(context.accounts.values())
    return tuple(row[0] for row in rows if not loops.is_ours(accounts, row[0]))


def _status_before(tx: Tx, ticket: Ticket) -> str:
    """Return what the ticket was when it was marked; what a rule closed on arrival is new."""
    row = tx.one(_MARKED, ticket_id=ticket.id)
    return "new" if row is None else str(_decode(row[0])["status"])
