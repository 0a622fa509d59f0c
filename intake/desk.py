"""What agents do: answer, note, change the status, assign. The command line, the desk and the API call these alike."""

import difflib

from sqlalchemy import bindparam, select

from channels.contract import Address
from intake import agents, clocks, events, notices, outgoing, refs, tickets
from intake.model import STATUSES, Context, Ticket
from intake.outgoing import Draft
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

ANSWERED_MESSAGES = 20

_m = schema.messages.c
_THREAD = Statement(
    select(_m.external_id, _m.direction, _m.author, _m.author_name, _m.subject)
    .where(_m.ticket_id == bindparam("ticket_id"), _m.direction != "note")
    .order_by(_m.id.desc())
    .limit(ANSWERED_MESSAGES)
)


class DeskError(Exception):
    """What was asked cannot be done: one sentence for the agent."""


def find(tx: Tx, typed_ref: str) -> Ticket:
    """Return the ticket of a ref as somebody typed it. Raises: DeskError."""
    ref = refs.normalized(typed_ref)
    if ref is None:
        raise DeskError(
            f"'{typed_ref}' is not a ticket's ref: seven letters and digits, as in a mail's subject"
        )
    ticket = tickets.load_by_ref(tx, ref)
    if ticket is None:
        raise DeskError(f"there is no ticket {ref}")
    return tickets.locked(tx, ticket.id)


def reply(
    tx: Tx, context: Context, typed_ref: str, *, agent: str, text: str, status: str | None = None
) -> int:
    """Answer the customer on their channel; the outbox id. status: the ticket's afterwards, None = open.

    The answer meets first_response. Raises: DeskError.
    """
    _check_agent(context, agent)
    if not text.strip():
        raise DeskError("the answer is empty: nothing was sent")
    ticket = find(tx, typed_ref)
    to, subject, answers = _thread(tx, ticket)
    # Unlike a rule's effects, an agent may say the same thing twice: every call is a cause of its own.
    draft = Draft(
        cause=f"agent:{agent}:{tx.new_id()}",
        action="reply",
        to=to,
        subject=subject,
        text=text,
        author=agent,
        answers=answers,
    )
    outbox_id = outgoing.send(tx, context, ticket, draft)
    if outbox_id is None:
        raise DeskError(f"no channel of this configuration can answer ticket {ticket.ref}")
    events.record(
        tx,
        "agent_replied",
        ticket_id=ticket.id,
        customer_id=ticket.customer_id,
        actor=f"agent:{agent}",
        outbox=str(outbox_id),
    )
    clocks.follow(tx, ticket, ticket, answered=True)
    _set_status(tx, ticket, _status(status or ("open" if ticket.status == "new" else ticket.status)), agent)
    return outbox_id


def note(tx: Tx, context: Context, typed_ref: str, *, agent: str, text: str) -> None:
    """Write down what only colleagues see. Raises: DeskError."""
    _check_agent(context, agent)
    if not text.strip():
        raise DeskError("the note is empty: nothing was kept")
    ticket = find(tx, typed_ref)
    tx.insert(
        schema.messages,
        id=tx.new_id(),
        ticket_id=ticket.id,
        customer_id=ticket.customer_id,
        direction="note",
        author=agent,
        medium=ticket.medium,
        account=ticket.account,
        body=text,
        at=tx.now,
    )
    events.record(
        tx, "note_added", ticket_id=ticket.id, customer_id=ticket.customer_id, actor=f"agent:{agent}"
    )


def set_status(tx: Tx, context: Context, typed_ref: str, status: str, *, agent: str) -> Ticket:
    """Change the status; clocks pause, go on, are met or reopened by it. Raises: DeskError."""
    _check_agent(context, agent)
    return _set_status(tx, find(tx, typed_ref), _status(status), agent)


def assign(tx: Tx, context: Context, typed_ref: str, to: str | None, *, agent: str) -> Ticket:
    """Give the ticket to an agent or a team (to None: to nobody); who gets it, and who loses it, is told.

    Raises: DeskError.
    """
    _check_agent(context, agent)
    ticket = find(tx, typed_ref)
    book = context.rulebook
    if to is not None and to in book.teams:
        return tickets.change(
            tx, ticket, actor=f"agent:{agent}", team=to, level=book.teams[to].first_level, agent=None
        )
    if to is not None and to not in book.agents:
        hint = _meant(to, [*book.agents, *book.teams])
        raise DeskError(f"there is no agent or team '{to}'{hint}")
    moved = tickets.change(tx, ticket, actor=f"agent:{agent}", agent=to)
    if moved.agent != ticket.agent:
        _tell_assigned(tx, context, ticket, moved, agent)
    return moved


def _tell_assigned(tx: Tx, context: Context, before: Ticket, after: Ticket, by: str) -> None:
    cause = f"assignment:{after.id}:{tx.new_id()}"
    if after.agent is not None:
        agents.note_turn(tx, after.agent)
        if context.notices.assigned and after.agent != by:
            notice = notices.Notice(
                kind="assigned", headline=f"{by} has given you ticket {after.ref}.", cause=cause
            )
            notices.send(tx, context, after, after.agent, notice)
    if before.agent is not None and context.notices.taken and before.agent != by:
        notice = notices.Notice(
            kind="taken", headline=f"{by} has taken ticket {after.ref} from you.", cause=cause
        )
        notices.send(tx, context, after, before.agent, notice)


def _set_status(tx: Tx, ticket: Ticket, status: str, agent: str) -> Ticket:
    changed = tickets.change(tx, ticket, actor=f"agent:{agent}", status=status)
    clocks.follow(tx, ticket, changed)
    return changed


def _thread(tx: Tx, ticket: Ticket) -> tuple[Address, str, tuple[str, ...]]:
    """Return whom an answer goes to, its subject, and the Message-IDs it follows, oldest first."""
    rows = tx.all(_THREAD, ticket_id=ticket.id)
    last = next((row for row in rows if row[1] == "in" and row[2]), None)
    if last is None:
        raise DeskError(f"ticket {ticket.ref} has nobody to answer: its messages name no sender")
    identifiers = [row[0] for row in rows if row[0]]
    if last[0]:  # In-Reply-To names what the customer wrote last
        identifiers = [last[0], *(each for each in identifiers if each != last[0])]
    subject = ticket.subject if ticket.subject.lower().startswith("re:") else f"Re: {ticket.subject}"
    tag = f"[{ticket.ref}]"
    return (
        Address(last[2], last[3]),
        subject if tag in subject else f"{subject} {tag}",
        tuple(reversed(identifiers)),
    )


def _check_agent(context: Context, agent: str) -> None:
    if agent not in context.rulebook.agents:
        raise DeskError(
            f"there is no agent '{agent}' in the rules{_meant(agent, list(context.rulebook.agents))}"
        )


def _status(status: str) -> str:
    if status not in STATUSES:
        raise DeskError(f"'{status}' is not a status{_meant(status, list(STATUSES))}: {', '.join(STATUSES)}")
    return status


def _meant(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f" — did you mean '{close[0]}'?" if close else ""
