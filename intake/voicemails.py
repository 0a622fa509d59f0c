"""What a call leaves behind: recordings, fetched into its message, and what was said, in writing.

A transcript is what the customer said, so it is text for the rules: they decide anew while no person has taken the ticket,
and rules that wait for `transcribed` hear of it.
"""

from channels.contract import Attachment
from intake import call_text, fetches, reactions, rerouting, tickets
from intake.call_rows import Call
from intake.call_timeline import State
from intake.model import Context, Ticket
from intake.reactions import Cause
from intake.store.engine import Tx

PART = "recording:"


def attachments(tx: Tx, call: Call, ticket: Ticket) -> tuple[Attachment, ...]:
    """Return the call's recordings as files of its message; each is wanted once."""
    found = []
    for each in call.state.recordings:
        part = f"{PART}{each.name}"
        fetches.ask(
            tx,
            account=call.account,
            reference=each.name,
            part=part,
            ticket_id=ticket.id,
            customer_id=ticket.customer_id,
            message_id=call.message_id,
        )
        found.append(call_text.attachment(each, part))
    return tuple(found)


def read(tx: Tx, context: Context, ticket: Ticket, call: State, *, cause: Cause) -> Ticket:
    """Let the rules read what was said, which stands in the call's message by now; the ticket as they leave it."""
    said = call.transcript
    after = ticket
    if said is not None and said.language and after.language is None:
        after = tickets.change(tx, after, actor="system", language=said.language)
    if after.medium == call_text.VOICE and after.is_open:
        after = rerouting.once_more(tx, context, after, cause=f"{cause.name}:transcribed")
    return reactions.react(tx, context, ticket, "transcribed", cause=cause, now=after).ticket
