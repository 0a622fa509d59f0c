"""One mail with a list when somebody goes away: to them, where their tickets are; to each other, what is theirs now.

Sent once all of them have been moved, in the transaction that forgets the moves.
"""

from collections.abc import Iterable

import msgspec
from sqlalchemy import bindparam, func, select

from channels.contract import Address
from intake import failpoints, instants, outgoing
from intake.model import Context
from intake.outbound import Draft
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

LISTED_MAX = 200

_m = schema.away_moves.c
_t = schema.tickets.c
_MOVES = Statement(
    select(_t.ref, _t.subject, _t.priority, _m.state, _m.to_agent, _m.since)
    .join(schema.tickets, _t.id == _m.ticket_id)
    .where(_m.agent == bindparam("of_agent"))
    .order_by(_m.to_agent, _m.ticket_id)
)
_PENDING = Statement(select(func.count()).where(_m.agent == bindparam("of_agent"), _m.state == "pending"))
_FORGET = Statement(schema.away_moves.delete().where(_m.agent == bindparam("of_agent")))


class Move(msgspec.Struct, frozen=True):
    """state: moved, waiting or stayed. to_agent: None = it waits with the team. since: when the agent went away."""

    ref: str
    subject: str
    priority: str
    state: str
    to_agent: str | None
    since: int


def send(tx: Tx, context: Context, name: str) -> bool:
    """Tell everybody concerned, and forget the moves; false = some are still to be made, or others have told."""
    tx.lock("agent", name)
    (pending,) = tx.one(_PENDING, of_agent=name) or (0,)
    moves = [Move(*row) for row in tx.all(_MOVES, of_agent=name)]
    if pending or not moves:
        return False
    tx.run(_FORGET, of_agent=name)
    failpoints.reach("presence.letters")
    gone = [each for each in moves if each.state != "stayed"]
    if not gone:
        return True
    cause = f"away:{name}:{gone[0].since}"
    _mail(tx, context, name, cause, f"You are away: {_count(gone)} on without you", _of_leaver(gone))
    for to in dict.fromkeys(each.to_agent for each in gone):
        theirs = [each for each in gone if each.to_agent == to]
        if to is not None and context.notices.assigned:
            headline = (
                f"{name} is away: {len(theirs)} ticket{'s' * (len(theirs) > 1)} of theirs are yours now"
            )
            _mail(tx, context, to, cause, headline, _lines(theirs))
    return True


def _count(gone: list[Move]) -> str:
    return f"{len(gone)} ticket{'s go' if len(gone) > 1 else ' goes'}"


def _of_leaver(gone: list[Move]) -> list[str]:
    lines: list[str] = []
    for to in dict.fromkeys(each.to_agent for each in gone):
        lines += [f"{f'With {to}' if to else 'Waiting with the team'}:", ""]
        lines += [*_lines([each for each in gone if each.to_agent == to]), ""]
    return lines


def _lines(moves: Iterable[Move]) -> list[str]:
    listed = [f"  {each.ref}  {each.priority:<6}  {each.subject[:80]}" for each in moves]
    more = len(listed) - LISTED_MAX
    return [*listed[:LISTED_MAX], *([f"  and {more} more: intake tickets list"] if more > 0 else [])]


def _mail(tx: Tx, context: Context, name: str, cause: str, headline: str, lines: list[str]) -> None:
    person = context.rulebook.agents.get(name)
    own = {address for account in context.accounts.values() for address in account.addresses}
    if person is None or person.email is None or person.email.lower() in own:
        return
    at = instants.rfc3339_from_us(tx.now)
    draft = Draft(
        cause=cause,
        action=f"away:{name}",
        to=Address(person.email, name),
        subject=headline,
        text="\n".join([f"{headline}.", "", *lines, "", f"Moved at {at}.", ""]),
        author="system",
        automatic="auto-generated",
        is_public=False,
    )
    outgoing.send_apart(tx, context, draft)
