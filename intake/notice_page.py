"""What stands in a notice, for each reader: what happened, what is due when, who else knows, what they can do.

Instants are written in the zone of the reader's hours, else in that of the ticket's calendar.
"""

from datetime import UTC, datetime, tzinfo

import msgspec

from intake import armaments, clocks, instants, lateness, looks, notice_links, notice_text
from intake.model import Context, Ticket
from intake.notice_links import DAY_S, PURPOSES, Link
from intake.notice_text import Line, Told
from intake.store.engine import Tx
from routing.sla import Clocks

MARKER = "[ Write your answer above this line ]"
QUOTE_MAX_CHARACTERS = 2_000
SUBJECT_MAX_CHARACTERS = 200
_WISHES = {"ack": "I look at it:", "take": "I take it:"}
_HEAD = 14


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """kind: "assigned", "customer_replied", "taken" or "escalated". headline: one line that says what happened.

    told: why a step of a ladder was taken, with instants; then it stands for the headline. quote: what the customer
    wrote, "" = nothing to quote. cause: see intake.outgoing. by: a way to reach agents, None = by mail. rule: who asks
    for it, None = it is a built-in one. also: further targets that get the same notice. due_at: of a timer, when it
    should have been written, microseconds UTC, None = it is no timer's.
    """

    kind: str
    headline: str
    cause: str
    quote: str = ""
    by: str | None = None
    rule: str | None = None
    told: Told | None = None
    also: tuple[str, ...] = ()
    due_at: int | None = None

    @property
    def is_goodbye(self) -> bool:
        """Whether it tells that there is nothing more to do."""
        return self.kind == "taken"


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A notice with all that is known when it is written. others: every agent who gets it. look: None = nobody looks."""

    context: Context
    ticket: Ticket
    notice: Notice
    now: datetime
    zone: tzinfo
    clocks: Clocks = ()
    others: tuple[str, ...] = ()
    look: looks.Look | None = None

    @classmethod
    def of(
        cls, tx: Tx, context: Context, ticket: Ticket, notice: Notice, *, others: tuple[str, ...] = ()
    ) -> "Page":
        return cls(
            context=context,
            ticket=ticket,
            notice=notice,
            now=instants.datetime_from_us(tx.now),
            zone=zone_of_ticket(tx, context, ticket),
            clocks=() if notice.is_goodbye else clocks.load(tx, ticket.id),
            others=others,
            look=None if notice.rule is None else looks.standing(tx, ticket),
        )

    def subject(self, agent: str) -> str:
        """Write the mail's subject: the ref, how urgent it is, the ticket's subject. agent: "" = a bare address."""
        told = self.notice.told
        urgent = ["urgent"] if self.ticket.priority == "urgent" and not self.notice.is_goodbye else []
        if told is not None and told.urgency is not None:
            urgent.append(told.urgency.written(now=self.now, zone=self._zone(agent)))
        said = ", ".join(urgent)
        words = f"{said[:1].upper()}{said[1:]}: " if said else ""
        return f"[{self.ticket.ref}] {words}{self.ticket.subject}"[:SUBJECT_MAX_CHARACTERS]

    def text(self, agent: str, *, number: int) -> str:
        """Write the mail. agent: "" = a bare address; number: the outbox id."""
        paragraphs = [
            [MARKER] if agent else [],
            self._happened(agent),
            self._facts(agent),
            self._words(),
            self._ways(agent, number),
        ]
        return "\n\n".join("\n".join(each) for each in paragraphs if each) + "\n"

    def _zone(self, agent: str) -> tzinfo:
        return zone_of_agent(self.context, agent) or self.zone

    def _written(self, line: Line, agent: str) -> str:
        return line.written(now=self.now, zone=self._zone(agent))

    def _happened(self, agent: str) -> list[str]:
        told = self.notice.told
        if told is None:
            lines = [self.notice.headline]
        else:
            lines = [self._written(told.headline, agent)]
            lines += [self._written(told.wish, agent)] if told.wish is not None else []
        lines += lateness.sentences(self.notice.due_at, instants.us_from_datetime(self.now))
        if self.look is not None:
            since = Line("{0}", (instants.datetime_from_us(self.look.at),))
            lines.append(f"{self.look.agent} looks at it since {self._written(since, agent)}.")
        if self.notice.rule is not None:
            others = [name for name in self.others if name != agent]
            lines.append(f"Told as well: {', '.join(others)}." if others else "Nobody else was told.")
        return lines

    def _facts(self, agent: str) -> list[str]:
        ticket = self.ticket
        level = f" ({ticket.level})" if ticket.level else ""
        found = [
            ("Ticket", ticket.ref),
            ("Subject", ticket.subject),
            ("Priority", ticket.priority),
            ("Team", f"{ticket.team or '-'}{level}"),
            ("Agent", ticket.agent or "nobody yet"),
            *(("Due", each) for each in self._due(agent)),
            *((("Rule", self.notice.rule),) if self.notice.rule else ()),
        ]
        return [f"{name:<10}{value}" for name, value in found]

    def _due(self, agent: str) -> list[str]:
        """Say of each running target when it is due, the next one first."""
        running = [
            (each.due_at, each.target) for each in self.clocks if each.state == "running" and each.due_at
        ]
        found = []
        for due_at, target in sorted(running):
            gap = (due_at - self.now).total_seconds()
            when = self._written(Line("{0}", (due_at,)), agent)
            left = f"in {notice_text.length(gap)}" if gap > 0 else f"late by {notice_text.length(-gap)}"
            found.append(f"{notice_text.TARGETS.get(target, target)} {when}, {left}")
        return found

    def _words(self) -> list[str]:
        return ["The customer wrote:", "", *quoted(self.notice.quote)] if self.notice.quote else []

    def _ways(self, agent: str, number: int) -> list[str]:
        """Say what the reader can do, and how."""
        ref = self.ticket.ref
        links = [f"{_WISHES[link.purpose]:<{_HEAD}}{self._url(link)}" for link in self._links(agent, number)]
        seen = f"{'See it:':<{_HEAD}}intake tickets show {ref}"
        if not agent:
            return [seen, f"{'Answer it:':<{_HEAD}}intake tickets reply {ref} --as NAME"]
        return [
            *links,
            f"{'Answer it:':<{_HEAD}}reply to this mail, and the customer gets what you write.",
            f"{'':<{_HEAD}}First lines that do more: #ack, #take, #note, #close, #assign NAME",
            seen,
        ]

    def _links(self, agent: str, number: int) -> list[Link]:
        days = self.context.notices.link_days
        if not agent or not days or not self.context.public_url or self.notice.is_goodbye:
            return []
        until_s = int(self.now.timestamp()) + round(days * DAY_S)
        return [
            Link(purpose=purpose, ref=self.ticket.ref, agent=agent, notice=number, until_s=until_s)
            for purpose in PURPOSES
        ]

    def _url(self, link: Link) -> str:
        return notice_links.url(self.context.keys, self.context.public_url, link)


def zone_of_agent(context: Context, agent: str) -> tzinfo | None:
    """Return the zone of an agent's hours; None = they keep none."""
    book = context.rulebook
    hours = book.agents[agent].hours if agent in book.agents else None
    return book.calendars[hours].zone if hours in book.calendars else None


def zone_of_ticket(tx: Tx, context: Context, ticket: Ticket) -> tzinfo:
    """Return the zone of a ticket's calendar; without a policy that of the rules' first calendar."""
    if ticket.armament is not None:
        return armaments.load(tx, ticket.armament).calendar.zone
    first = next(iter(context.rulebook.calendars.values()), None)
    return first.zone if first is not None else UTC


def headline_of(text: str) -> str:
    """Return the line of a notice's text that says what happened; "" where there is none."""
    return next((line for line in text.splitlines() if line.strip() and line != MARKER), "")


def quoted(text: str) -> list[str]:
    """Return the lines of what somebody wrote, marked as theirs, and not too many."""
    return [f"> {line}" for line in text[:QUOTE_MAX_CHARACTERS].splitlines()]
