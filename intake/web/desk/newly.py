"""/new: a ticket for a customer who called, came, or wrote a letter; or a first word to somebody."""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from typing import cast

from aiohttp import web

from channels.contract import OutboundFile
from intake import attaching, draft_files, drafts, new_tickets, refs, tickets
from intake.attaching import Prepared
from intake.desk import DeskError
from intake.drafts import Text
from intake.model import Ticket
from intake.new_tickets import First, Placing
from intake.store.engine import Tx
from intake.web.access import Action, Subject, Who, may
from intake.web.desk import forms
from intake.web.desk.desk import Desk
from intake.web.desk.forms import Sent
from intake.web.desk.words import WORDS
from intake.web.routes import Route
from intake.written_down import WAYS, Way, Written
from routing.facts import NATURES
from routing.targets import PRIORITIES

FIRST = "write"  # the way that is ours
FORM_BYTES = 1024 * 1024


def routes(desk: Desk) -> list[Route]:
    """List the routes."""
    pages = Newly(desk)
    most = desk.settings.limits.max_attachments_bytes + FORM_BYTES
    return [
        Route("GET", "/new", Action.new_ticket, pages.show),
        Route("POST", "/new", Action.new_ticket, pages.make, max_body_bytes=most),
    ]


class Newly:
    """The handlers."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def show(self, request: web.Request, who: Who) -> web.Response:
        """Show the form; with ?for=REF that ticket's customer stands in it."""
        ref = refs.normalized(request.query.get("for", ""))
        given = await self._desk.store.read(lambda tx: {} if ref is None else _customer(tx, who, ref))
        # A name for the text from the start: without scripts as well, a form that is sent twice makes one ticket.
        given |= {"fork": f"page-{secrets.token_hex(10)}"}
        return self._page(who, Sent({name: (value,) for name, value in given.items()}))

    def _page(self, who: Who, sent: Sent, *, sentence: str = "", status: int = 200) -> web.Response:
        book = self._desk.context().rulebook
        return self._desk.render(
            "new_ticket.html", who, status=status, sent=sent, sentence=sentence, ways=WAYS, first=FIRST,
            people=sorted(book.agents), teams=sorted(book.teams), natures=NATURES, priorities=PRIORITIES,
            words=WORDS, here="/new",
        )  # fmt: skip

    async def make(self, request: web.Request, who: Who) -> web.Response:
        """Make the ticket; what is wrong is said with the form as it was filled in."""
        sent = await forms.read(request)
        try:
            ticket = await (self._write_first if sent.text("way") == FIRST else self._write_down)(sent, who)
        except DeskError as error:
            if not forms.wants_page(request):
                return forms.refused(request, error)
            return self._page(who, sent, sentence=forms.sentence(error), status=forms.REFUSED)
        return forms.done(
            request, {"ref": ticket.ref, "to": f"/tickets/{ticket.ref}"}, to=f"/tickets/{ticket.ref}"
        )

    async def _write_down(self, sent: Sent, who: Who) -> Ticket:
        written = new_tickets.checked(
            Written(
                way=cast("Way", sent.text("way")),
                by=who.name,
                name=sent.text("name"),
                address=sent.text("email"),
                phone=sent.text("phone"),
                subject=sent.text("subject"),
                text=sent.text("text"),
            )
        )
        blob = await asyncio.to_thread(new_tickets.prepare, written, folder=self._desk.folder)
        files = await self._files(sent)
        context = self._desk.context()

        def make(tx: Tx) -> Ticket:
            before = _made_before(tx, sent, who)
            if before is not None:
                return before
            every = self._every(tx, sent, files, who)
            made = new_tickets.write_down(
                tx, context, written, blob, _placing(sent), agent=who.name, files=every
            )
            return _noted(tx, made, sent, who)

        return await self._made(make)

    async def _write_first(self, sent: Sent, who: Who) -> Ticket:
        files, context = await self._files(sent), self._desk.context()

        def make(tx: Tx) -> Ticket:
            before = _made_before(tx, sent, who)
            if before is not None:
                return before
            first = First(
                to=sent.text("email").strip() or sent.text("phone").strip(),
                text=sent.text("text"),
                subject=sent.text("subject"),
                name=sent.text("name"),
                files=self._every(tx, sent, files, who),
            )
            made = new_tickets.write_first(tx, context, first, _placing(sent), agent=who.name)
            return _noted(tx, made, sent, who)

        return await self._made(make)

    async def _made(self, make: Callable[[Tx], Ticket]) -> Ticket:
        try:
            return await self._desk.store.write(make)
        except attaching.TooMuch as error:
            raise DeskError(str(error)) from error

    def _every(self, tx: Tx, sent: Sent, files: Sequence[Prepared], who: Who) -> tuple[OutboundFile, ...]:
        """Return all files of a form: those that its draft has, and those that came with it. Raises: DeskError, TooMuch."""
        kept = draft_files.chosen(tx, sent.word("fork") or "", sent.every("kept"), agent=who.name)
        return draft_files.together(kept, attaching.keep(tx, files), max_bytes=self._most_bytes)

    @property
    def _most_bytes(self) -> int:
        return self._desk.settings.limits.max_attachments_bytes

    async def _files(self, sent: Sent) -> tuple[Prepared, ...]:
        try:
            return await asyncio.to_thread(
                attaching.of_bytes, sent.files, folder=self._desk.folder, max_bytes=self._most_bytes
            )
        except attaching.TooMuch as error:
            raise DeskError(str(error)) from error


def _made_before(tx: Tx, sent: Sent, who: Who) -> Ticket | None:
    """Return the ticket that the same draft has become: a click too many makes no second one."""
    tx.lock("sender", f"!{who.name}")
    draft = drafts.load(tx, sent.text("fork"), agent=who.name)
    return drafts.ticket_of(tx, draft) if draft is not None and draft.state == "sent" else None


def _noted(tx: Tx, ticket: Ticket, sent: Sent, who: Who) -> Ticket:
    """End the draft that the ticket was written as; one that is sent twice makes one ticket."""
    fork = sent.word("fork")
    if fork is not None:
        said = Text(
            fork=fork, kind="ticket", body=sent.text("text"), revision=max(sent.number("revision"), 1)
        )
        drafts.note_sent(tx, ticket, said, agent=who.name, outbox_id=None, undo={})
    return ticket


def _placing(sent: Sent) -> Placing:
    return Placing(to=sent.word("to"), priority=sent.word("priority"), nature=sent.word("nature"))


def _customer(tx: Tx, who: Who, ref: str) -> dict[str, str]:
    """Return what is known of a ticket's customer, where the ticket is theirs to see."""
    from intake import customers

    ticket = tickets.load_by_ref(tx, ref)
    if ticket is None or not may(who, Action.see_ticket, Subject(team=ticket.team, agent=ticket.agent)):
        return {}
    people = {each.kind: each.value for each in tickets.participants(tx, ticket.id)}
    return {
        "name": customers.load(tx, ticket.customer_id).name,
        "email": people.get("email", ""),
        "phone": people.get("phone", ""),
    }
