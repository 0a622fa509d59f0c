"""All that a rule may look at, typed. Frozen values that intake fills and routing only reads.

`facts_version` is stored with every decision, so that an old decision can be explained with the facts of its day.
"""

from datetime import datetime

import msgspec

FACTS_VERSION = 1


class AttachmentFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """One file of the message. size: bytes."""

    name: str = ""
    type: str = ""
    size: int = 0


class SenderFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who wrote. known_since: aware UTC, None = never wrote before. verified: never true for SMS and calls."""

    address: str | None = None
    domain: str | None = None
    name: str | None = None
    phone: str | None = None
    verified: bool = False
    known_since: datetime | None = None


class CustomerFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What we know of the customer. open_tickets: how many not solved or closed, the new one not counted."""

    organization: str | None = None
    tags: tuple[str, ...] = ()
    language: str | None = None
    open_tickets: int = 0
    first_contact: bool = True


class AgentLoad(msgspec.Struct, frozen=True, omit_defaults=True):
    """How busy an agent is: open tickets assigned, by medium; last_assigned_at: aware UTC, None = never."""

    open_tickets: dict[str, int] = {}
    away: bool = False
    last_assigned_at: datetime | None = None


class Facts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The facts of one event on one ticket; text facts are of the message that caused it.

    at: aware UTC; the time facts derive from it. channel: the medium; account: the configured name.
    recipient: addresses of ours the message came to, in lower case. text = subject and what the customer wrote now.
    language: ISO 639-1, None = unknown. headers: lower-case name -> decoded values.
    agents: the candidates of an assignment; an agent that is not named has no load and is not away.
    """

    at: datetime
    channel: str = ""
    account: str = ""
    unreadable: bool = False
    recipient: tuple[str, ...] = ()
    subject: str = ""
    body: str = ""
    quoted: str = ""
    language: str | None = None
    attachments: tuple[AttachmentFacts, ...] = ()
    automatic: str | None = None
    headers: dict[str, tuple[str, ...]] = {}
    spam_score: float | None = None
    direction: str = "in"
    created_by: str = "customer"
    sender: SenderFacts = SenderFacts()
    customer: CustomerFacts = CustomerFacts()
    agents: dict[str, AgentLoad] = {}
