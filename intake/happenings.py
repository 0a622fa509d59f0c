"""What came in and is nobody's message: each kind is settled by one function, in the transaction of its journal row.

Settled again, after a replay, it changes nothing that it has changed before.
"""

from channels.contract import CallEvent, ChatEvent, Consent, DeliveryReport
from intake import called_out, calls, chats, consents, paged_answers, reports
from intake.model import Context, Received
from intake.store.engine import Tx

Happening = DeliveryReport | Consent | CallEvent | ChatEvent


def settle(tx: Tx, context: Context, received: Received, happening: Happening) -> None:
    """Do what it means, and close its journal row."""
    match happening:
        case DeliveryReport():
            reports.settle(tx, context, received, happening)
        case Consent():
            consents.settle(tx, context, received, happening)
        case ChatEvent():
            chats.settle(tx, context, received, happening)
        case CallEvent() if called_out.is_about(happening):
            called_out.settle(tx, context, received, happening)
        case CallEvent() if paged_answers.is_about_page(tx, context, received, happening):
            paged_answers.settle(tx, context, received, happening)
        case CallEvent():
            calls.settle(tx, context, received, happening)
