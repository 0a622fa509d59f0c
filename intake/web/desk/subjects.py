"""What a route is about, so that access can be asked before its handler runs."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from intake import refs, tickets
from intake.desk import DeskError
from intake.store.engine import Tx
from intake.web.access import Action, Subject, Who, may
from intake.web.desk.desk import Desk
from intake.web.routes import SAFE_METHODS

Finder = Callable[[web.Request], Awaitable[Subject | None]]


class OfTicket:
    """Finds the ticket of a path's {ref}.

    Of a ticket that is merged into another, what is done is done to that other one: it is the one that is asked about.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def __call__(self, request: web.Request) -> Subject | None:
        return await self._desk.store.read(self.look(request))

    def look(self, request: web.Request) -> Callable[[Tx], Subject | None]:
        """Return what finds it in a read that is under way: the guard reads who asks in the same one."""
        ref = refs.normalized(request.match_info["ref"])
        is_done_to = request.method not in SAFE_METHODS
        return lambda tx: None if ref is None else _subject(tx, ref, is_followed=is_done_to)


def of_ticket(desk: Desk) -> Finder:
    """Return what finds the ticket of a path's {ref}."""
    return OfTicket(desk)


def check(tx: Tx, ref: str, who: Who, action: Action) -> None:
    """Ask once more, in the transaction that acts: the ticket may have gone to others meanwhile. Raises: DeskError."""
    subject = _subject(tx, ref, is_followed=True)
    if subject is None or not may(who, action, subject):
        raise DeskError(f"ticket {ref} has just gone to others: nothing was done")


def _subject(tx: Tx, ref: str, *, is_followed: bool) -> Subject | None:
    ticket = tickets.load_by_ref(tx, ref)
    if ticket is None:
        return None
    last = tickets.final(tx, ticket)
    if is_followed:
        return Subject(team=last.team, agent=last.agent, ref=ticket.ref)
    into = None if last is ticket else Subject(team=last.team, agent=last.agent, ref=last.ref)
    return Subject(team=ticket.team, agent=ticket.agent, ref=ticket.ref, into=into)
