"""Messages to visitors who chat, said: a line of the session's feed, numbered in the transaction that decides it.

There is no second hop: the line is what is sent, and its outbox row is born `sent`. The page's word that the line has come
makes it delivered (intake.line_marks).
"""

from channels.contract import Line, LineFile, OutboundMessage
from intake import session_lines, visitors
from intake.model import Context
from intake.outbound import Draft
from intake.store.engine import Tx

CHAT = "chat"
SENT = "sent"


def say(tx: Tx, context: Context, draft: Draft, made: OutboundMessage) -> None:
    """Say a message to its session. made: as it was composed of the draft."""
    is_agents = draft.author in context.rulebook.agents
    files = tuple(LineFile(each.name, each.content_type, each.size) for each in draft.attachments)
    line = Line(
        author="agent" if is_agents else "system",
        name=context.answers.names.get(draft.author, "") if is_agents else context.organization,
        text=made.text,
        files=files,
    )
    session_lines.say(tx, draft.to.address, line, outbox_id=int(made.id))
    if is_agents:
        visitors.answered(tx, context, draft.to.address, made.account)
