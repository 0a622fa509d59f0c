"""What a digest of notices says to an agent: every ticket, the most urgent first, and how late each is."""

from collections.abc import Iterator, Sequence
from datetime import UTC, tzinfo

import msgspec

from intake import instants, lateness, notice_links
from intake.model import Context
from intake.notice_links import DAY_S, Link

LISTED_MAX = 200  # tickets that the mail names; `intake digests show` names all
SUBJECT_MAX_CHARACTERS = 120

_PRIORITIES = {"urgent": 0, "high": 1, "normal": 2, "low": 3}


class Item(msgspec.Struct, frozen=True):
    """One notice of a digest with its ticket as it is now. due_at: of its timer, microseconds UTC, None = no timer's.

    is_settled: the ticket was acknowledged, answered or done since, so that nobody has to be told any more.
    """

    id: int
    rule: str
    due_at: int | None
    ticket_id: int
    ref: str
    subject: str
    priority: str
    is_settled: bool


class Digest(msgspec.Struct, frozen=True):
    """What is told in one mail. agent: "" = nobody whom the rules name. items: those looked at, the first; count: of all.

    is_quiet: it came outside the agent's hours, and waited for them.
    """

    address: str
    agent: str
    items: Sequence[Item]
    count: int
    now_us: int
    is_quiet: bool = False

    @property
    def is_cut(self) -> bool:
        """Whether there are more notices than were looked at."""
        return self.count > len(self.items)

    @property
    def tickets(self) -> int:
        """How many tickets those are that were looked at."""
        return len({item.ticket_id for item in self.items})


def subject(told: Digest) -> str:
    if told.is_cut:
        return f"{told.count} notices: tickets ask for you"
    return f"{told.tickets} tickets ask for you" if told.tickets > 1 else "A ticket asks for you"


def text(told: Digest, context: Context, *, digest_id: int) -> str:
    """Write the mail. digest_id: what commands know it by."""
    waiting = [item for item in told.items if not item.is_settled]
    by_ticket: dict[int, list[Item]] = {}
    for item in waiting:
        by_ticket.setdefault(item.ticket_id, []).append(item)
    listed = sorted(by_ticket.values(), key=_urgency)[:LISTED_MAX]
    zone = _zone(context, told.agent)
    lines = [*_head(told, len(told.items) - len(waiting)), *_acknowledge(told, digest_id)]
    for items in listed:
        lines += ["", *_ticket(items, zone, told.now_us), *_link(items[0], told, context, digest_id)]
    if told.is_cut or len(listed) < len(by_ticket):
        lines += ["", f"And more:  intake digests show {digest_id}"]
    return "\n".join([*lines, ""])


def _head(told: Digest, settled: int) -> Iterator[str]:
    about = "" if told.is_cut else f" about {told.tickets} {'tickets' if told.tickets > 1 else 'ticket'}"
    if told.is_quiet:
        yield "What happened outside your hours, in one mail; what could not wait was told at once:"
    else:
        yield "So many tickets asked for you at once that the rest comes in this one mail:"
    yield f"{told.count} {'notices' if told.count > 1 else 'notice'}{about}, the most urgent first."
    if settled:
        yield f"{settled} of them are not listed: somebody has seen to those tickets since."


def _acknowledge(told: Digest, digest_id: int) -> Iterator[str]:
    yield ""
    yield f"Acknowledge all of it:  intake digests ack {digest_id} --as {told.agent or 'NAME'}"
    yield "One of them:            intake tickets ack REF --as " + (told.agent or "NAME")
    yield "Please do not answer this mail: it is about many tickets, and an answer belongs to one."


def _ticket(items: Sequence[Item], zone: tzinfo, now_us: int) -> Iterator[str]:
    first = items[0]
    yield f"{first.ref}  {first.priority}  {first.subject[:SUBJECT_MAX_CHARACTERS]}"
    for item in items:
        yield f"    {item.rule}{_due(item, zone, now_us)}"


def _link(item: Item, told: Digest, context: Context, digest_id: int) -> Iterator[str]:
    """Give the page where the reader says that they look at the ticket, as its own notice would."""
    days = context.notices.link_days
    if told.agent and days and context.public_url:
        until_s = told.now_us // 1_000_000 + round(days * DAY_S)
        link = Link(purpose="ack", ref=item.ref, agent=told.agent, notice=digest_id, until_s=until_s)
        yield f"    I look at it:  {notice_links.url(context.keys, context.public_url, link)}"


def _due(item: Item, zone: tzinfo, now_us: int) -> str:
    if item.due_at is None:
        return ""
    due = instants.datetime_from_us(item.due_at).astimezone(zone).strftime("%Y-%m-%d %H:%M %Z")
    late = f", {lateness.words(item.due_at, now_us)}" if lateness.is_late(item.due_at, now_us) else ""
    return f", due {due}{late}"


def _urgency(items: Sequence[Item]) -> tuple[int, int]:
    return _PRIORITIES.get(items[0].priority, len(_PRIORITIES)), min(item.due_at or item.id for item in items)


def _zone(context: Context, agent: str) -> tzinfo:
    """Return the zone of the agent's hours; UTC where they have none."""
    person = context.rulebook.agents.get(agent)
    calendar = context.rulebook.calendars.get(person.hours) if person is not None and person.hours else None
    return UTC if calendar is None else calendar.zone
