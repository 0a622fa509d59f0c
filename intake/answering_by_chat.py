"""How a visitor who chats is answered: by a line, to the session of their last one."""

from sqlalchemy import bindparam, select

from channels.contract import Address
from channels.webchat import quick_replies
from intake.answering_by_phone import CannotAnswer
from intake.model import Account, Context, Ticket
from intake.saying import CHAT
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from intake.threads import Said, Thread

_f = schema.feeds.c
_IS_THERE = Statement(select(_f.last_seq).where(_f.session == bindparam("session")))


def answered(thread: Thread) -> Said | None:
    """Return the line that an answer follows; None = the customer did not chat last."""
    last = thread.last_words
    return last if last is not None and last.medium == CHAT else None


def account_of(tx: Tx, context: Context, ticket: Ticket, said: Said) -> Account:
    """Return the account whose chat it is. Raises: CannotAnswer when nobody can be answered there any more."""
    account = context.accounts.get(said.account)
    if account is None or account.medium != CHAT:
        raise CannotAnswer(f"the chat account '{said.account}' is not configured any more: {ticket.ref}")
    if tx.one(_IS_THERE, session=said.author) is None:
        raise CannotAnswer(
            f"the chat of {ticket.ref} was forgotten: chats are kept for 30 days after their last line"
        )
    return account


def recipient(said: Said) -> Address:
    """Return whom a chat's answer goes to: a session."""
    return Address(said.author, said.author_name)


def without_buttons(context: Context, ticket: Ticket, text: str) -> str:
    """Return what is mailed to somebody who chatted before: the quick replies that it names can be pressed in the chat alone."""
    account = context.accounts.get(ticket.account)
    return quick_replies.parted(text, () if account is None else account.quick_replies)[0]
