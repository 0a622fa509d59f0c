"""Frozen values that the parts of intake hand to each other."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from channels import contract
from intake import instants
from intake import keys as keyring
from intake.sections import Answers, Calls, Consent, Limits, Notices, OnCall, Phone
from routing import rulebook as rules
from routing.people import Skills

Status = Literal["new", "open", "pending", "on_hold", "solved", "closed"]
STATUSES: tuple[Status, ...] = ("new", "open", "pending", "on_hold", "solved", "closed")
OUTCOMES = ("solved", "partly", "workaround", "refused", "no_answer")  # how a ticket came out
OPEN_STATUSES = frozenset(("new", "open", "pending", "on_hold"))


class Account(msgspec.Struct, frozen=True):
    """A configured channel, as the rest of intake sees it. addresses: ours, lower case, the first is the main one.

    languages: in which a word means START or HELP; countries: where it may text and call to, () = where our numbers are.
    templates: of channels.twilio.templates; price: of one segment ("0.0079 USD"), "" = not known. spoken: what callers hear;
    agents_language: what every agent hears on the phone, "" = their own. closed_text: the reply template that callers may
    have texted while we are closed, "" = none. leaving: channels.webchat.leaving.Options, None = it is no chat; origins: the sites
    that it is on; quick_replies: names of what may be pressed there.
    """

    name: str
    kind: str
    medium: str
    addresses: tuple[str, ...] = ()
    delimiter: str = "+"
    can_deliver: bool = False
    languages: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    templates: tuple[Any, ...] = ()
    price: str = ""
    spoken: tuple[str, ...] = ()
    agents_language: str = ""
    closed_text: str = ""
    leaving: Any = None
    origins: tuple[str, ...] = ()
    quick_replies: frozenset[str] = frozenset()


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What a settlement decides with: one rulebook, the accounts, keys and templates. Replaced whole, never changed."""

    rulebook: rules.Rulebook
    armaments: Mapping[str, Any]  # policy name -> intake.armaments.Armament
    accounts: Mapping[str, Account]
    keys: keyring.Keys
    replies: Any  # intake.replies.Replies; typed there, because it needs this module
    organization: str = ""
    public_url: str = ""
    limits: Limits = Limits()
    notices: Notices = Notices()
    answers: Answers = Answers()
    oncall: OnCall = OnCall()
    calls: Calls = Calls()
    consent: Consent = Consent()
    phone: Phone = Phone()


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """A journal row on its way to settlement. duplicate_of: the journal row that brought the same message first.

    ticket_id, message_id: where it already stands (a replay). attempts: failed settlements so far.
    evidence: what its channel looked up about it, None = nothing (yet).
    """

    id: int
    raw: contract.RawMessage
    duplicate_of: int | None = None
    ticket_id: int | None = None
    message_id: int | None = None
    attempts: int = 0
    evidence: Any = None


class Customer(msgspec.Struct, frozen=True):
    id: int
    name: str
    language: str | None
    organization: str | None
    tags: tuple[str, ...]
    created_at: int
    is_new: bool = False
    tier: str | None = None
    fields: dict[str, str] = {}
    last_rating: int | None = None
    opted_out_at: int | None = None


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """One row of `tickets`, without the columns that only reports look at. Instants: microseconds UTC.

    …_at of an event: its last time, None = never; taken_at: when a person first did something with it.
    gathered_by: what gathers further messages here (see intake.gathering), None = nothing.
    merged_into: the id of the ticket that has its messages now, None = it has them itself.
    outcome: how it came out (intake.solving), None = nobody has said. fields: the desk's own facts; skills: what an agent must know to get it, None = nothing (any more).
    waits_since: since when it waits for somebody of its team who may have it, None = it does not. prefers: whose it was
    before, who gets it first as soon as they can.
    """

    id: int
    ref: str
    customer_id: int
    subject: str
    status: Status
    priority: str
    team: str | None
    level: str | None
    agent: str | None
    language: str | None
    tags: tuple[str, ...]
    medium: str
    account: str
    own_address: str
    sla: str | None
    armament: str | None
    reopened: int
    is_spam: bool
    created_at: int
    solved_at: int | None
    nature: str | None = None
    outcome: str | None = None
    fields: dict[str, str] = {}
    skills: Skills | None = None
    customer_replied_at: int | None = None
    agent_replied_at: int | None = None
    assigned_at: int | None = None
    status_changed_at: int | None = None
    taken_at: int | None = None
    promised_at: int | None = None
    gathered_by: str | None = None
    waits_since: int | None = None
    prefers: str | None = None
    merged_into: int | None = None

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATUSES


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """A message on its way into a conversation, and what is known of it by now.

    recipients: addresses it was delivered to, lower case. problem: why it could not be read, None = it was.
    """

    received: Received
    message: contract.Message
    account: Account
    customer: Customer
    recipients: tuple[str, ...]
    problem: str | None = None

    def at(self, now_us: int) -> int:
        """When it came, microseconds UTC: what it waited for us counts, and a clock set back makes nothing later."""
        return min(instants.us_from_datetime(self.received.raw.received_at), now_us)

    @property
    def state(self) -> str:
        """What its journal row becomes when the message stands in a ticket."""
        return "quarantined" if self.problem else "automatic" if self.message.automatic else "ticket"
