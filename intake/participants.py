"""Who else takes part in a conversation: people whom a participant has written to beside us, in mail proven to be theirs.

Nobody gets in by being named in mail that anybody could have sent, or that a machine or a list sent on.
"""

import re
from collections.abc import Iterable

from channels.contract import Identity, Message
from intake import events, loops, tickets
from intake.model import Arrival, Context, Ticket
from intake.store.engine import Tx

ADDED_MAX = 20  # by one mail
PARTICIPANTS_MAX = 100  # of one ticket


def add_named(tx: Tx, context: Context, arrival: Arrival, ticket: Ticket) -> None:
    """Let those whom the message names in To and Cc take part, as far as its sender may ask for that.

    Agents, our own addresses, lists and robots never do.
    """
    message = arrival.message
    if not _may_add(message):
        return
    named = _people(context, message)
    if not named:
        return
    known = tickets.participants(tx, ticket.id)
    if message.sender not in known:
        return
    room = min(ADDED_MAX, PARTICIPANTS_MAX - len(known))
    new = [each for each in named if each not in known]
    for identity in new[: max(room, 0)]:
        tickets.add_participant(tx, ticket, identity)
        events.of_ticket(tx, ticket, "participant_added", actor="customer", address=identity.value)
    if len(new) > room:
        events.of_ticket(tx, ticket, "participants_left_out", count=len(new) - max(room, 0))


def _may_add(message: Message) -> bool:
    trust = message.trust
    is_proven = trust.verified_sender and trust.has_single_sender
    return is_proven and message.automatic is None and message.sender is not None


def _people(context: Context, message: Message) -> tuple[Identity, ...]:
    accounts = context.accounts.values()
    agents = (agent.email.lower() for agent in context.rulebook.agents.values() if agent.email is not None)
    others = frozenset((*agents, *_list_addresses(message)))
    named = dict.fromkeys(each.address.lower() for each in (*message.to, *message.cc))
    return tuple(
        Identity("email", address)
        for address in named
        if _is_persons(address) and address not in others and not loops.is_ours(accounts, address)
    )


def _is_persons(address: str) -> bool:
    local, at, domain = address.rpartition("@")
    is_whole = bool(at and local and domain) and address.isprintable() and " " not in address
    return is_whole and not loops.is_robot(address)


def _list_addresses(message: Message) -> Iterable[str]:
    """Addresses of the lists that the message says it went through."""
    for name in ("list-post", "x-beenthere", "mailing-list"):
        for value in message.headers.get(name, ()):
            for found in re.findall(r"[^\s<>:;,@]{1,64}@[^\s<>:;,?@]+", value):
                yield found.lower()
