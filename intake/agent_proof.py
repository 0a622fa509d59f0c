"""Whether a mail is an agent's word on a ticket. An agent's address in From proves nothing: anybody can write it.

1. A signature of ours in the address that the mail came to, or in the Message-ID that it answers, bound to the ticket and
   to the agent whose address From is.
2. A verified From that is one agent's address, and a reference to a ticket: any notice of ours, or a Message-ID that we
   sent or hold. Who wrote as that ticket's customer stays its customer.

Neither counts when the sender's domain denies the mail (DMARC), when From is not one address, or when the mail could not
be read. What has no proof goes the way of a stranger's mail, and its ticket says why. A verified agent who refers to no
ticket writes about a matter of their own: a customer like any other.
"""

from functools import lru_cache

import msgspec
from sqlalchemy import bindparam, select

from channels.contract import Identity, Message
from intake import addresses, answered, credentials, loops, tickets
from intake.addresses import AgentReference
from intake.conversations import Place
from intake.model import Account, Context, Received, Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from routing.rulebook import Rulebook

NOTICE_VALID_US = 90 * 24 * 3_600 * 1_000_000  # a notice found years later is no key
REFERENCES_MAX = 5  # to notices: each is tried with every agent
ELSEWHERE = "it answers an agent's notice, from an address that is not the agent's"

_i = schema.identities.c
_CUSTOMER_OF = Statement(
    select(_i.customer_id).where(_i.kind == bindparam("kind"), _i.value == bindparam("value"))
)


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a mail look like an agent's. agents: whose address From is; references: to notices, not yet verified."""

    agents: tuple[str, ...]
    references: tuple[AgentReference, ...]


class Noticed(msgspec.Struct, frozen=True):
    """A notice of ours that a mail answers, its signature verified. at_us: when it was written, microseconds UTC."""

    agent: str
    ticket: Ticket
    at_us: int


class Proven(msgspec.Struct, frozen=True, kw_only=True):
    """An agent's word. seen_us: up to when the agent knew the conversation, microseconds UTC. by: what proves it."""

    agent: str
    ticket: Ticket
    seen_us: int
    by: str


class Unproven(msgspec.Struct, frozen=True, kw_only=True):
    """A mail that looks like an agent's and is treated as a stranger's. ticket: that of the notice it answers.

    is_elsewhere: nothing else stands against it than that it came from another address than the agent's.
    """

    agent: str
    reason: str
    ticket: Ticket | None = None
    is_elsewhere: bool = False

    def suggestion(self, place: Place) -> Place:
        """Return the place with the ticket of the notice, where nothing better is known."""
        if self.ticket is None or place.ticket or place.linked_to or place.suggested:
            return place
        return msgspec.structs.replace(place, suggested=self.ticket.id)


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """A proven mail and what it is about. ticket: locked, as it was before."""

    received: Received
    message: Message
    agent: str
    ticket: Ticket
    seen_us: int
    by: str

    @property
    def cause(self) -> str:
        return f"journal:{self.received.id}"


def claim(context: Context, account: Account, message: Message, recipients: tuple[str, ...]) -> Claim | None:
    """Return what looks like an agent's in a mail; None = nothing, as in nearly all mail. Asks no store."""
    sender = message.sender
    agents: tuple[str, ...] = ()
    if sender is not None and sender.kind == "email":
        agents = _by_address(context.rulebook).get(sender.value, ())
    references = [addresses.agent_reference_from_recipient(account, each) for each in recipients]
    references += [addresses.agent_reference_from_message_id(each) for each in answered.identifiers(message)]
    found = tuple(each for each in references if each is not None)[:REFERENCES_MAX]
    return Claim(agents=agents, references=found) if agents or found else None


def judge(
    tx: Tx, context: Context, claimed: Claim, message: Message, *, problem: str | None
) -> Proven | Unproven | None:
    """Return whether it is an agent's word; None = it does not even claim to be, as far as anybody can tell.

    problem: why the mail could not be read, None = it was. Whoever is kept out of the desk is kept out here as well.
    """
    found = _judged(tx, context, claimed, message, problem=problem)
    barred = credentials.why_barred(tx, found.agent) if isinstance(found, Proven) else None
    return (
        found
        if found is None or barred is None
        else Unproven(agent=found.agent, reason=barred, ticket=found.ticket)
    )


def _judged(
    tx: Tx, context: Context, claimed: Claim, message: Message, *, problem: str | None
) -> Proven | Unproven | None:
    noticed = noticed_by(tx, context, claimed)
    fresh = [each for each in noticed if tx.now - each.at_us < NOTICE_VALID_US]
    own = next((each for each in fresh if each.agent in claimed.agents), None)
    doubt = _doubt(claimed, message, problem)
    if own is None and noticed and _is_machines(message, problem):
        own = noticed[0]  # whatever address a machine gives itself: what it says is only kept
        doubt = None
    if doubt is None and own is not None:
        return Proven(agent=own.agent, ticket=own.ticket, seen_us=own.at_us, by="signature")
    if doubt is None and message.trust.verified_sender:
        return _by_sender(tx, claimed, noticed, message)
    if not claimed.agents and not noticed:
        return None  # a wrong signature counts as absent
    return Unproven(
        agent=claimed.agents[0] if claimed.agents else noticed[0].agent,
        reason=doubt or "it carries no signature of ours for this agent, and its sender is not verified",
        ticket=noticed[0].ticket if noticed else None,
        is_elsewhere=doubt == ELSEWHERE,
    )


def noticed_by(tx: Tx, context: Context, claimed: Claim) -> tuple[Noticed, ...]:
    """Return the notices that a mail answers, whoever sent it; those to the agents whose address From is come first."""
    people = [(name, agent.email) for name, agent in context.rulebook.agents.items() if agent.email]
    people.sort(key=lambda person: person[0] not in claimed.agents)
    found = []
    for reference in claimed.references:
        name = next(
            (name for name, email in people if reference.is_bound_to(name, email, context.keys)), None
        )
        ticket = tickets.load_by_ref(tx, reference.ref) if name is not None else None
        if name is not None and ticket is not None:
            found.append(Noticed(name, tickets.final(tx, ticket), reference.at_us))
    return tuple(found)


def _doubt(claimed: Claim, message: Message, problem: str | None) -> str | None:
    """Say what stands against any proof; None = nothing does."""
    if problem is not None:
        return "the mail could not be read"
    if message.trust.is_refuted:
        return "the sender's domain denies the mail (DMARC)"
    if not message.trust.has_single_sender:
        return "From is not one address"
    if not claimed.agents:
        return ELSEWHERE
    return None


def _is_machines(message: Message, problem: str | None) -> bool:
    return problem is None and message.automatic in loops.MACHINES and not message.trust.is_refuted


def _by_sender(
    tx: Tx, claimed: Claim, noticed: tuple[Noticed, ...], message: Message
) -> Proven | Unproven | None:
    """Judge a mail whose sender is verified, and which no signature for this agent stands in."""
    referred = [(each.ticket, each.at_us) for each in noticed] or _held(tx, message)
    if not referred:
        return None
    customer_id = _customer_of(tx, message.sender)
    for ticket, at_us in referred:
        if ticket.customer_id == customer_id:
            return None
        if len(claimed.agents) == 1:
            return Proven(agent=claimed.agents[0], ticket=ticket, seen_us=at_us, by="verified sender")
    return Unproven(
        agent=claimed.agents[0],
        reason=f"the address is that of several agents: {', '.join(claimed.agents)}",
        ticket=referred[0][0],
    )


def _held(tx: Tx, message: Message) -> list[tuple[Ticket, int]]:
    """Return the ticket of the nearest message that is answered and that we sent or hold, and when it was written."""
    for identifier in answered.identifiers(message):
        for ticket_id, at_us in answered.holders(tx, identifier):
            ticket = tickets.load(tx, ticket_id)
            if ticket is not None:
                return [(tickets.final(tx, ticket), at_us)]
    return []


def _customer_of(tx: Tx, sender: Identity | None) -> int | None:
    row = tx.one(_CUSTOMER_OF, kind=sender.kind, value=sender.value) if sender is not None else None
    return None if row is None else int(row[0])


@lru_cache(maxsize=4)
def _by_address(book: Rulebook) -> dict[str, tuple[str, ...]]:
    """Address, lower case -> the agents whom it reaches."""
    found: dict[str, tuple[str, ...]] = {}
    for name, agent in book.agents.items():
        if agent.email:
            found[agent.email.lower()] = (*found.get(agent.email.lower(), ()), name)
    return found
