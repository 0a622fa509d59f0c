"""All that a rule may look at, typed. Frozen values that intake fills and routing only reads.

`facts_version` is stored with every decision, so that an old decision can be explained with the facts of its day.
"""

from datetime import datetime

import msgspec

from routing.schedule import Override

FACTS_VERSION = 1

EVENTS = (
    "created", "customer_replied", "agent_replied", "note_added", "status_changed", "reopened", "assigned",
    "unassigned", "team_changed", "merged", "rated", "quiet", "clock", "sla_warning", "sla_breached", "promise_due",
    "acknowledged", "delivery_failed", "transcribed", "call_missed", "chat_left", "incident_opened", "incident_closed",
)  # fmt: skip
"""What react rules may wait for."""

EVENTS_OF_CLOCKS = ("sla_warning", "sla_breached", "promise_due")
"""Events that are about one target of the ticket: the fact `target` names it."""

CHANGEABLE = ("status", "priority", "team", "agent", "level")
"""What `changed` may ask for."""

SINCE_EVENTS = ("agent_replied", "customer_replied", "created", "assigned", "status_changed")
"""Events from which `quiet` counts."""

NATURES = ("question", "complaint", "technical", "sales", "feedback", "other")
"""What a ticket may be by its nature."""


class AttachmentFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """One file of the message. size: bytes."""

    name: str = ""
    type: str = ""
    size: int = 0


class SenderFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who wrote. known_since: aware UTC, None = never wrote before. verified: never true for SMS and calls.

    country: ISO 3166-1 alpha-2 of the phone number, None = unknown.
    """

    address: str | None = None
    domain: str | None = None
    name: str | None = None
    phone: str | None = None
    country: str | None = None
    verified: bool = False
    known_since: datetime | None = None


class CustomerFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What we know of the customer. open_tickets: how many not solved or closed, the new one not counted.

    tickets: when the earlier tickets were created, aware UTC, newest first, the newest hundred, the new one not among
    them. last_rating: 1 to 5, None = never rated. fields: the desk's own facts of the customer.
    answered_by: the agent who answered them last, whatever the ticket; answered_at: when, aware UTC. None = nobody yet.
    """

    organization: str | None = None
    tags: tuple[str, ...] = ()
    tier: str | None = None
    language: str | None = None
    open_tickets: int = 0
    tickets: tuple[datetime, ...] = ()
    last_rating: int | None = None
    opted_out: bool = False
    first_contact: bool = True
    fields: dict[str, str] = {}
    answered_by: str | None = None
    answered_at: datetime | None = None


class TicketFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """The ticket as it was before the event. sla: target -> running, paused, warned, breached or met.

    promise: the instant agreed with the customer, aware; None = none. fields: the desk's own facts, text as written.
    """

    created_at: datetime
    status: str = "new"
    priority: str = "normal"
    team: str | None = None
    level: str | None = None
    agent: str | None = None
    nature: str | None = None
    reopened: int = 0
    tags: tuple[str, ...] = ()
    fields: dict[str, str] = {}
    sla: dict[str, str] = {}
    promise: datetime | None = None


class DeskFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """The desk at this moment. incident_open: a known outage that customers are told about.

    waiting: team -> open tickets that nobody has taken. Who is on duty follows from agents, hours and schedules.
    """

    incident_open: bool = False
    waiting: dict[str, int] = {}


class AgentLoad(msgspec.Struct, frozen=True, omit_defaults=True):
    """How busy an agent is: open tickets assigned, by medium; last_assigned_at: aware UTC, None = never.

    presence: medium -> "busy" or "away", of media that they take nothing new of.
    """

    open_tickets: dict[str, int] = {}
    away: bool = False
    last_assigned_at: datetime | None = None
    presence: dict[str, str] = {}


class Facts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The facts of one event on one ticket; text facts are of the message that caused it, or of the customer's last.

    at: aware UTC; the time facts derive from it. event: see EVENTS. ticket: None = it is only being opened.
    changed: field -> (before, after) of what the event changes. target: of a ticket's clocks, the one that an event is
    about (see EVENTS_OF_CLOCKS), None = the event is about none. channel: the medium; account: the configured name.
    recipient: addresses of ours the message came to, in lower case. text = subject and what the customer wrote now.
    language: ISO 639-1, None = unknown. headers: lower-case name -> decoded values. rating: 1 to 5 of a `rated` event.
    form: name -> value of a form or webhook. kept: list kept at the desk -> those values of this message that are in it.
    agents: the candidates of an assignment; an agent that is not named has no load and is not away.
    on_call: schedule -> hours that the desk took or swapped, the later ones win; {} = it is as the rules say.
    """

    at: datetime
    event: str = "created"
    ticket: TicketFacts | None = None
    changed: dict[str, tuple[str | None, str | None]] = {}
    rating: int | None = None
    target: str | None = None
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
    form: dict[str, str] = {}
    call_choice: str | None = None
    call_outcome: str | None = None
    chat_page: str | None = None
    direction: str = "in"
    created_by: str = "customer"
    sender: SenderFacts = SenderFacts()
    customer: CustomerFacts = CustomerFacts()
    desk: DeskFacts = DeskFacts()
    kept: dict[str, tuple[str, ...]] = {}
    agents: dict[str, AgentLoad] = {}
    on_call: dict[str, tuple[Override, ...]] = {}
