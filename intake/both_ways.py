"""A chat that goes on by mail stays one conversation: what either side mails stands in the visitor's chat as well.

Only what the visitor themselves wrote from the address that the chat knows, and what an agent mailed there: others who take
part in the ticket by mail do not speak in somebody's chat.
"""

from channels.contract import Line, Message
from intake import session_lines, visitors
from intake.model import Context, Ticket
from intake.outbound import MAIL, Draft, words
from intake.store.engine import Tx
from intake.visitors import Visitor

CHAT = "chat"
BY_MAIL = "mail"  # the code of such a line
TEXT_MAX = 8_000


def came(tx: Tx, ticket: Ticket, message: Message) -> None:
    """Show a customer's mail in their chat."""
    if (
        ticket.medium != CHAT
        or message.kind != MAIL
        or message.automatic is not None
        or message.sender is None
    ):
        return
    text = message.visible_text.strip()[:TEXT_MAX]
    name = message.from_.name if message.from_ is not None else ""
    line = Line(author="customer", text=text, name=name, code=BY_MAIL)
    for who in _whose(tx, ticket, message.sender.value) if text else ():
        session_lines.say(tx, who.session, line)
        visitors.begin_idle(tx, who.session, at_us=None)


def went(tx: Tx, context: Context, ticket: Ticket, draft: Draft) -> None:
    """Show an agent's mail to a customer in their chat."""
    if ticket.medium != CHAT or draft.author not in context.rulebook.agents or not draft.is_kept:
        return
    line = Line(
        author="agent",
        name=context.answers.names.get(draft.author, ""),
        text=words(CHAT, draft.text).strip()[:TEXT_MAX],
        code=BY_MAIL,
    )
    for who in _whose(tx, ticket, draft.to.address):
        session_lines.say(tx, who.session, line)
        visitors.await_more(tx, context, who.session, who.account)


def _whose(tx: Tx, ticket: Ticket, address: str) -> list[Visitor]:
    """Return the visitors with this address who have a chat on a ticket."""
    found = (visitors.load(tx, session) for session in session_lines.of_ticket(tx, ticket.id))
    wanted = address.lower()
    return [each for each in found if each is not None and each.address.lower() == wanted]
