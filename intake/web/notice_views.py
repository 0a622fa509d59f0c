"""What the page of a notice's link shows, as the store has it when it is opened; nothing that the notice did not say."""

from collections.abc import Iterator
from datetime import datetime, tzinfo

import msgspec
from sqlalchemy import bindparam, select

from channels.contract import OutboundMessage
from intake import clocks, credentials, instants, looks, notice_links, notice_page, notice_text, tickets
from intake.model import Context, Ticket
from intake.notice_links import Link
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

_o = schema.outbox.c
_e = schema.events.c
_PAYLOAD = Statement(
    select(_o.payload, _o.created_at).where(
        _o.id == bindparam("outbox_id"), _o.ticket_id == bindparam("ticket_id")
    )
)
_LAST = Statement(
    select(_e.actor, _e.at)
    .where(_e.ticket_id == bindparam("ticket_id"), _e.kind == bindparam("kind"))
    .order_by(_e.id.desc())
    .limit(1)
)
_decode = msgspec.json.Decoder(OutboundMessage).decode
_LABELS = {"ack": "I look at it", "take": "I take it"}
_ABOUT = {
    "ack": "Nobody else is told for now. The ticket stays with whom it is, and no clock stops.",
    "take": "You look at it, and the ticket becomes yours. Whoever has it now is told.",
}


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """A button. action: where it posts to, relative to the page. is_first: it is what the link was opened for."""

    purpose: str
    label: str
    about: str
    action: str
    is_first: bool


class View(msgspec.Struct, frozen=True, kw_only=True):
    """One page, all of it text. facts: name, value. choices: () = there is nothing to choose any more."""

    ref: str
    headline: str
    subject: str
    agent: str
    facts: tuple[tuple[str, str], ...]
    choices: tuple[Choice, ...] = ()
    until: str = ""


class Gone(msgspec.Struct, frozen=True):
    """There is nothing to show. sentence: why."""

    sentence: str


def of_link(tx: Tx, context: Context, link: Link) -> View | Gone:
    """Return the page of a link whose signature and time are good."""
    ticket = tickets.load_by_ref(tx, link.ref)
    if ticket is None:
        return Gone("There is no such ticket any more.")
    if link.agent not in context.rulebook.agents:
        return Gone(f"{link.agent} is not in the rules any more, so this link does nothing.")
    barred = credentials.why_barred(tx, link.agent)
    if barred is not None:
        return Gone(f"{barred}, so this link does nothing.")
    zone = notice_page.zone_of_agent(context, link.agent) or notice_page.zone_of_ticket(tx, context, ticket)
    return _Reader(tx, context, link, ticket, zone).view()


class _Reader:
    """Reads one ticket for one agent."""

    def __init__(self, tx: Tx, context: Context, link: Link, ticket: Ticket, zone: tzinfo) -> None:
        self._tx, self._context, self._link, self._ticket, self._zone = tx, context, link, ticket, zone
        self._now = instants.datetime_from_us(tx.now)
        self._notice = tx.one(_PAYLOAD, outbox_id=link.notice, ticket_id=ticket.id)

    def view(self) -> View:
        ticket = self._ticket
        is_open = ticket.is_open and ticket.merged_into is None
        return View(
            ref=ticket.ref,
            headline=self._noticed() if is_open else self._ending(),
            subject=ticket.subject,
            agent=self._link.agent,
            facts=tuple(self._facts(is_open=is_open)),
            choices=tuple(self._choices()) if is_open else (),
            until=self._when(instants.datetime_from_us(self._link.until_s * 1_000_000)) if is_open else "",
        )

    def _noticed(self) -> str:
        """What the notice said had happened."""
        said = notice_page.headline_of(_decode(self._notice[0]).text) if self._notice is not None else ""
        return said or f"You are asked to look at ticket {self._ticket.ref}."

    def _sent(self) -> Iterator[tuple[str, str]]:
        if self._notice is not None:
            yield "Notice of", self._at(self._notice[1])

    def _ending(self) -> str:
        """Why there is nothing left to do."""
        ticket = self._ticket
        if ticket.merged_into is not None:
            final = tickets.final(self._tx, ticket)
            return f"This ticket is part of {final.ref} by now, which is {final.status}."
        row = self._tx.one(_LAST, ticket_id=ticket.id, kind="status_changed")
        who, at = _person(row[0]) if row else "", row[1] if row else None
        by = f" by {who}" if who else ""
        since = f" at {self._at(at)}" if at is not None else ""
        return f"This ticket was {ticket.status}{by}{since}: there is nothing left to look at."

    def _facts(self, *, is_open: bool) -> Iterator[tuple[str, str]]:
        ticket = self._ticket
        if is_open:
            yield from self._due()
            yield from self._sent()
        yield "Priority", ticket.priority
        yield "Team", f"{ticket.team or '–'}{f', {ticket.level}' if ticket.level else ''}"
        yield "Agent", ticket.agent or "nobody yet"
        look = looks.standing(self._tx, ticket)
        if look is not None:
            yield "Looked at", f"by {self._named(look.agent)} since {self._at(look.at)}"
        answered = self._tx.one(_LAST, ticket_id=ticket.id, kind="agent_replied")
        if answered is not None:
            yield "Answered", f"by {self._named(_person(answered[0]))} at {self._at(answered[1])}"

    def _due(self) -> Iterator[tuple[str, str]]:
        """The next instant that somebody waits for."""
        running = [each for each in clocks.load(self._tx, self._ticket.id) if each.state == "running"]
        due = sorted((each.due_at, each.target) for each in running if each.due_at is not None)
        if due:
            at, target = due[0]
            gap = (at - self._now).total_seconds()
            name, left = notice_text.TARGETS.get(target, target), notice_text.length(abs(gap))
            if gap > 0:
                yield "Due", f"{name} at {self._when(at)}, in {left}"
            else:
                yield "Late", f"{name}, due at {self._when(at)}, {left} ago"

    def _choices(self) -> Iterator[Choice]:
        """Both buttons, that of the link first; none that would change nothing."""
        is_theirs = self._ticket.agent == self._link.agent
        look = looks.standing(self._tx, self._ticket)
        for purpose in sorted(notice_links.PURPOSES, key=lambda each: each != self._link.purpose):
            if look is not None if purpose == "ack" else is_theirs:
                continue
            other = notice_links.for_purpose(self._link, purpose)
            path = notice_links.path(self._context.keys, other).removeprefix(notice_links.PATH)
            yield Choice(
                purpose=purpose,
                label=_LABELS[purpose],
                about=_ABOUT[purpose],
                action=f"..{path}",
                is_first=purpose == self._link.purpose,
            )

    def _named(self, agent: str) -> str:
        return "you" if agent == self._link.agent else agent

    def _at(self, at_us: int) -> str:
        return self._when(instants.datetime_from_us(at_us))

    def _when(self, at: datetime) -> str:
        return notice_text.clock_time(at, now=self._now, zone=self._zone)


def _person(actor: str) -> str:
    """Return whose name an event's actor is: an agent's, "a rule", "" = nobody's."""
    kind, _, name = actor.partition(":")
    return (
        name
        if kind == "agent"
        else "a rule"
        if kind == "rule"
        else "the customer"
        if kind == "customer"
        else ""
    )
