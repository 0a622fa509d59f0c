"""What chats tell beside words, settled: who left, what they agreed to; and which ticket a session is about."""

from channels.contract import ChatEvent, Happened
from intake import chat_letters, events, journal, reactions, session_lines, tickets, visitors
from intake.model import Arrival, Context, Received, Ticket
from intake.reactions import Cause
from intake.store.engine import Tx

ENDED, TRANSCRIPT, FORGOTTEN = "ended", "transcript", "forgotten"
KIND = "chat"


def settle(tx: Tx, context: Context, received: Received, happening: ChatEvent) -> None:
    """Do what a turn that is no line means, and close its journal row."""
    visitors.learn(tx, context, happening, account=received.raw.account)
    begun = session_lines.opened(tx, happening.session)[1]
    ticket = tickets.locked_final(tx, begun) if begun is not None else None
    for each in happening.happened:
        if ticket is not None and each.what == ENDED:
            events.of_ticket(tx, ticket, "chat_left", actor="customer", reason=_reason(each))
            cause = Cause(name=f"journal:{received.id}")
            reactions.react(tx, context, ticket, "chat_left", cause=cause)
        if ticket is not None and each.what == TRANSCRIPT:
            chat_letters.send_transcript(tx, context, happening.session, ticket)
        if each.what == FORGOTTEN:
            session_lines.forget(tx, happening.session)
        if each.what == ENDED:
            visitors.begin_idle(tx, happening.session, at_us=None)
    journal.close(
        tx,
        received.id,
        "automatic",
        ticket_id=None if ticket is None else ticket.id,
        customer_id=None if ticket is None else ticket.customer_id,
    )


def _reason(happened: Happened) -> str:
    return str(happened.details.get("reason", "customer"))


def here(tx: Tx, context: Context, ref: str, *, agent: str, is_writing: bool) -> None:
    """Let the visitors of a ticket see that an agent looks at it, or writes to them."""
    found = tickets.load_by_ref(tx, ref)
    if found is None or found.medium != KIND:
        return
    session_lines.seen(tx, found.id)
    if is_writing:
        name = context.answers.names.get(agent, "")
        tx.signal(session_lines.TYPING, [(each, name) for each in session_lines.of_ticket(tx, found.id)])


def is_told(tx: Tx, ticket: Ticket, arrival: Arrival) -> bool:
    """Whether the agent of a chat knows that its visitor waits: an earlier line is owed an answer, and nobody has looked since.

    ticket: as it was before the line that arrives. Of other media never.
    """
    if ticket.medium != KIND or ticket.customer_replied_at is None:
        return False
    is_owed = ticket.customer_replied_at > (ticket.agent_replied_at or 0)
    seq, session = line_of(arrival), arrival.received.raw.envelope.get("session")
    return is_owed and seq is not None and session_lines.is_unseen(tx, str(session), before=seq)


def line_of(arrival: Arrival) -> int | None:
    """Return which line of its session a message is; None = of no chat."""
    seq = arrival.received.raw.envelope.get("line")
    return seq if arrival.message.kind == KIND and isinstance(seq, int) else None


def place(tx: Tx, arrival: Arrival, *, ticket_id: int) -> None:
    """Note which ticket a chat's line stands on, for the session that said it."""
    raw = arrival.received.raw
    session = raw.envelope.get("session")
    if arrival.message.kind == KIND and isinstance(session, str):
        seq = line_of(arrival) or 0
        session_lines.placed(tx, session, customer_id=arrival.customer.id, ticket_id=ticket_id, seq=seq)
        page, locale = (str(raw.envelope.get(name) or "") for name in ("page", "locale"))
        visitors.wrote(tx, session, raw.account, customer_id=arrival.customer.id, page=page, locale=locale)
