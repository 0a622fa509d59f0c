"""Who on call was told of which ticket: what a shift leaves behind for the next one.

A row is written with each notice that a rule or a step sends to a level that is on call, also when nobody is; it is
closed at the hand-over, and what is still open then goes on as a row of the next shift.
"""

from collections.abc import Sequence

import msgspec
from sqlalchemy import bindparam, select

from intake import looks, oncall, tickets
from intake.looks import Look
from intake.model import Context, Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

MOST = 2_000  # of one shift; what is more waits for the next hand-over

_p = schema.pages.c
_OPEN = Statement(
    select(_p.id, _p.schedule, _p.agent, _p.ticket_id, _p.rule, _p.way, _p.sent_at)
    .where(_p.schedule == bindparam("schedule"), _p.closed_at.is_(None))
    .order_by(_p.id)
    .limit(bindparam("most"))
)
_CLOSE = Statement(
    schema.pages.update()
    .where(_p.id == bindparam("page_id"), _p.closed_at.is_(None))
    .values(closed_at=bindparam("now"))
)


class Page(msgspec.Struct, frozen=True):
    """Whoever was on call was told of a ticket. agent: None = nobody was. way: as the rule has it, None = by mail.

    sent_at: microseconds UTC.
    """

    id: int
    schedule: str
    agent: str | None
    ticket_id: int
    rule: str
    way: str | None
    sent_at: int


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket that a shift was told of, as it is now. pages: of that shift, oldest first.

    look: who has acknowledged it since the first of them, None = nobody.
    """

    ticket: Ticket
    pages: tuple[Page, ...]
    look: Look | None

    @property
    def is_waiting(self) -> bool:
        """Whether nobody has acknowledged or answered the last of what was sent."""
        answered_at = self.ticket.agent_replied_at or 0
        return self.ticket.is_open and self.look is None and answered_at < self.pages[-1].sent_at


def note(tx: Tx, context: Context, ticket: Ticket, target: str, *, rule: str, way: str | None) -> None:
    """Keep that a notice went to a level that is on call, if it did. target: as the action has it."""
    team = context.rulebook.teams.get(target) or context.rulebook.teams.get(ticket.team or "")
    if team is None or not team.on_call:
        return
    for level, name in team.on_call.items():
        is_own = target in ("assignee", "agent") and ticket.level == level
        if target in (level, "team", team.name) or is_own:
            agent = oncall.duty(tx, context, name).agent
            if not is_own or agent == ticket.agent:
                write(tx, ticket, schedule=name, agent=agent, rule=rule, way=way, sent_at=tx.now)


def write(
    tx: Tx, ticket: Ticket, *, schedule: str, agent: str | None, rule: str, way: str | None, sent_at: int
) -> None:
    tx.insert(
        schema.pages,
        id=tx.new_id(),
        schedule=schedule,
        agent=agent,
        ticket_id=ticket.id,
        customer_id=ticket.customer_id,
        rule=rule,
        way=way,
        sent_at=sent_at,
    )


def close(tx: Tx, page: Page) -> bool:
    """End a page; false when somebody else has."""
    return tx.run(_CLOSE, page_id=page.id, now=tx.now) > 0


def left(tx: Tx, schedule: str) -> tuple[Left, ...]:
    """Return what the shift of a schedule was told of, by ticket, in the order of the first notices."""
    by_ticket: dict[int, list[Page]] = {}
    known: dict[int, Ticket] = {}
    for row in tx.all(_OPEN, schedule=schedule, most=MOST):
        page = Page(*row)
        ticket = tickets.load(tx, page.ticket_id)
        if ticket is not None:
            ticket = tickets.final(tx, ticket)
            known[ticket.id] = ticket
            by_ticket.setdefault(ticket.id, []).append(page)
    return tuple(left_of(tx, known[number], pages) for number, pages in by_ticket.items())


def left_of(tx: Tx, ticket: Ticket, pages: Sequence[Page]) -> Left:
    """Return what a ticket is to who was told of it. pages: oldest first, at least one."""
    look = looks.last(tx, ticket.id)
    is_since = look is not None and look.at >= pages[-1].sent_at
    return Left(ticket=ticket, pages=tuple(pages), look=look if is_since else None)
