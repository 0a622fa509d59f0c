"""The tables, once for both engines.

A column is BigInteger, Text or LargeBinary and nothing else: instants are microseconds UTC (`…_at`), booleans 0/1
(`is_…`), structures JSON text. Statements run on the driver's own connection, so SQLAlchemy's type processors and Python-side defaults do not run and must not be relied on.

Every table with personal text names its customer, so that erasure can find it. Ids come from `Tx.new_id()` (time
ordered, so that new rows stand at the end of each table's tree, whatever the table's size); `journal` and `events`
count for themselves, because their order of commit means something.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

# SQLite numbers rows by itself only in a column spelled INTEGER.
_Serial = BigInteger().with_variant(Integer, "sqlite")


def _id() -> Column[int]:
    return Column("id", _Serial, primary_key=True, autoincrement=False)


def _text(name: str, default: str | None = None, *, nullable: bool = False) -> Column[str]:
    return Column(
        name, Text, nullable=nullable, server_default=None if default is None else text(f"'{default}'")
    )


def _number(name: str, default: int | None = None, *, nullable: bool = False) -> Column[int]:
    return Column(
        name, BigInteger, nullable=nullable, server_default=None if default is None else text(str(default))
    )


def _partial_index(name: str, *columns: str, where: str) -> Index:
    return Index(name, *columns, sqlite_where=text(where), info={"where": where})


def tell_postgresql() -> None:
    """Give PostgreSQL the WHERE of partial indexes: only what makes tables or steps needs it.

    Said in the tables themselves it would load SQLAlchemy's PostgreSQL dialect into every daemon: 3 MB, 0.1 s.
    """
    for table in metadata.sorted_tables:
        for index in table.indexes:
            if where := index.info.get("where"):
                index.dialect_kwargs["postgresql_where"] = text(where)


blobs = Table(  # raw bytes, once by content hash; body NULL = a file in the blob folder
    "blobs",
    metadata,
    _id(),
    _text("hash"),
    _number("size_bytes"),
    _number("refs"),
    Column("body", LargeBinary, nullable=True),
    UniqueConstraint("hash", name="blobs_hash"),
)

journal = Table(  # what came in, and what became of it
    "journal",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    _text("kind"),
    _text("account"),
    _text("lane"),
    _number("received_at"),
    _text("envelope", "{}"),
    _number("blob_id"),
    _text("key", "", nullable=True),  # the keyed hash that identifies it, for people to compare
    # pending -> ticket | automatic | ignored | duplicate | quarantined; `replay` sends one back to pending
    _text("state", "pending"),
    _number("duplicate_of", nullable=True),
    _number("customer_id", nullable=True),
    _number("ticket_id", nullable=True),
    _number("message_id", nullable=True),
    _text("problem", nullable=True),
    _number("attempts", 0),
    _number("next_at", nullable=True),
    _number("settled_at", nullable=True),
    _partial_index("journal_pending", "id", where="state = 'pending'"),
    _partial_index("journal_quarantined", "id", where="state = 'quarantined'"),
    Index("journal_ticket", "ticket_id"),
    sqlite_autoincrement=True,
)

journal_keys = Table(  # unique for ever, keyed hashes: they outlive the erasure of what they stood for
    "journal_keys",
    metadata,
    Column("key", Text, primary_key=True),
    _number("journal_id"),
    sqlite_with_rowid=False,
)

cursors = Table(
    "cursors",
    metadata,
    Column("name", Text, primary_key=True),
    Column("position", LargeBinary, nullable=False),
)

customers = Table(
    "customers",
    metadata,
    _id(),
    _text("name", ""),
    _text("language", nullable=True),
    _text("organization", nullable=True),
    _text("tags", "[]"),
    _text("tier", nullable=True),
    _text("fields", "{}"),  # the desk's own facts: name -> text
    _number("last_rating", nullable=True),  # 1 to 5
    _number("opted_out_at", nullable=True),
    _number("created_at"),
)

identities = Table(  # by what a customer is known; evidence: why we believe it is theirs
    "identities",
    metadata,
    _id(),
    _text("kind"),
    _text("value"),
    _number("customer_id"),
    _number("is_verified", 0),
    _text("evidence", "{}"),
    _number("created_at"),
    UniqueConstraint("kind", "value", name="identities_kind_value"),
    Index("identities_customer", "customer_id"),
)

rulebooks = Table(
    "rulebooks", metadata, Column("hash", Text, primary_key=True), _text("source"), _number("loaded_at")
)

armaments = Table(  # policy, ladder and calendar as they were when tickets were armed with them, by hash
    "armaments", metadata, Column("hash", Text, primary_key=True), _text("source"), _number("created_at")
)

tickets = Table(
    "tickets",
    metadata,
    _id(),
    _text("ref"),
    _number("customer_id"),
    _text("subject"),
    _text("status", "new"),
    _text("priority", "normal"),
    _text("team", nullable=True),
    _text("level", nullable=True),
    _text("agent", nullable=True),
    _text("nature", nullable=True),
    _text("language", nullable=True),
    _text("tags", "[]"),
    _text("fields", "{}"),  # the desk's own facts, text as written
    _text("medium"),
    _text("account"),
    _text("own_address", ""),  # of ours, that the customer wrote to: answers come from it
    _text("sla", nullable=True),
    _text("armament", nullable=True),
    _text("rule"),
    _text("outcome", nullable=True),
    _number("is_spam", 0),
    _number("reopened", 0),
    _number("messages", 0),  # how many the customer wrote
    _number("linked_to", nullable=True),  # the ticket this one follows up
    _number("suggested_link", nullable=True),  # the ticket it may belong to; an agent decides
    _text("gathered_by", nullable=True),  # keyed hash of what gathers messages here
    _number("created_at"),
    _number("updated_at"),
    _number("solved_at", nullable=True),
    # The last of each since-event (created_at is another), here and not counted from events: rules ask at each change.
    _number("customer_replied_at", nullable=True),
    _number("agent_replied_at", nullable=True),
    _number("assigned_at", nullable=True),
    _number("status_changed_at", nullable=True),
    _number(
        "taken_at", nullable=True
    ),  # when a person first did something with it: from then on nothing routes again
    _number("promised_at", nullable=True),  # the moment agreed with the customer
    _text(
        "skills", nullable=True
    ),  # what an agent must know to get it, until it is relaxed: routing.people.Skills
    UniqueConstraint("ref", name="tickets_ref"),
    Index("tickets_customer", "customer_id"),
    _partial_index("tickets_gathered", "gathered_by", "id", where="gathered_by IS NOT NULL"),
    _partial_index("tickets_waiting", "team", where="agent IS NULL AND solved_at IS NULL"),
    _partial_index("tickets_living", "id", where="status <> 'closed'"),
)

participants = Table(  # who may write into the conversation without a question
    "participants",
    metadata,
    Column("ticket_id", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    _number("customer_id"),
    sqlite_with_rowid=False,
)

messages = Table(  # direction: in, out, note. visible_text NULL = the same as text
    "messages",
    metadata,
    _id(),
    _number("ticket_id"),
    _number("customer_id"),
    _number("journal_id", nullable=True),
    _text("direction"),
    _text("author"),  # the customer's address, an agent's name, or "rule:<id>"
    _text("author_name", ""),
    _text("medium"),
    _text("account"),
    _text("external_id", nullable=True),  # Message-ID without <>, or the provider's id
    _text("subject", ""),
    _text("body", ""),
    _text("visible_text", nullable=True),
    _text("language", nullable=True),
    _text("automatic", nullable=True),
    _number("is_verified", 0),
    _text("attachments", "[]"),
    _text("problems", "[]"),
    _number("at"),
    _number("sent_at", nullable=True),
    Index("messages_ticket", "ticket_id", "id"),
    _partial_index("messages_external_id", "external_id", where="external_id IS NOT NULL"),
)

decisions = Table(  # facts: frozen, as the rules saw them; text by message id
    "decisions",
    metadata,
    _id(),
    _number("ticket_id"),
    _number("customer_id"),
    _number("message_id"),
    _number("at"),
    _text("rulebook"),
    _number("facts_version"),
    _text("facts"),
    _text("decision"),
    Index("decisions_ticket", "ticket_id"),
)

clocks = Table(  # one running, paused or ended SLA target of a ticket
    "clocks",
    metadata,
    Column("ticket_id", BigInteger, primary_key=True, autoincrement=False),
    Column("target", Text, primary_key=True),
    _text("state"),
    _text("clock"),  # the routing.sla.Clock as JSON
    _number("due_at", nullable=True),
    sqlite_with_rowid=False,
)

timers = Table(  # one row for each (ticket, policy, step, due): fires once
    "timers",
    metadata,
    _id(),
    _number("ticket_id"),
    _number("customer_id"),
    _text(
        "kind"
    ),  # "step" (of a ladder), "breach"; "ack", "quiet", "clock", "relax", "snooze": see intake.timers
    _text(
        "policy"
    ),  # whose: an SLA policy; of a quiet rule the event it counts from, of a clock rule its name
    _text("step"),
    _text("target", nullable=True),
    _number("due_at"),
    _text("state", "pending"),  # pending -> fired | cancelled | skipped
    _number("fired_at", nullable=True),
    # Of a step whose notice somebody is asked to acknowledge: whether it went to anybody, and when one did so.
    _number("is_reached", nullable=True),
    _number("acknowledged_at", nullable=True),
    UniqueConstraint("ticket_id", "policy", "step", "due_at", name="timers_once"),
    _partial_index("timers_due", "due_at", where="state = 'pending'"),
)

events = Table(  # every change is a row here first
    "events",
    metadata,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    _number("ticket_id", nullable=True),
    _number("customer_id", nullable=True),
    _text("kind"),
    _text("actor", ""),  # "customer", "agent:ania", "rule:vip", "system"
    _text("details", "{}"),
    _number("at"),
    Index("events_ticket", "ticket_id", "id"),
    sqlite_autoincrement=True,
)

outbox = Table(  # effects, written with their cause; (cause, action) decides each exactly once
    "outbox",
    metadata,
    _id(),
    _text("cause"),
    _text("action"),
    _number("ticket_id", nullable=True),
    _number("customer_id", nullable=True),
    _number("message_id", nullable=True),
    _text("medium"),
    _text("account"),
    _text("recipient"),
    _text("payload"),  # the OutboundMessage as JSON
    _text("state", "queued"),  # queued -> sent -> delivered -> read; failed; dropped
    _number("attempts", 0),
    _number("next_at", nullable=True),  # when to try (again); NULL = no further try
    _text("provider_id", nullable=True),
    _text("error", nullable=True),
    _number("created_at"),
    _number("sent_at", nullable=True),
    UniqueConstraint("cause", "action", name="outbox_once"),
    _partial_index("outbox_due", "next_at", where="state = 'queued'"),
    _partial_index("outbox_failed", "id", where="state = 'failed'"),
    Index("outbox_ticket", "ticket_id"),
)

counters = Table(  # limits: one conditional UPDATE, never count-then-insert
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    _number("window_start"),
    _number("used"),
    sqlite_with_rowid=False,
)

dailies = Table(  # when each clock rule runs next; cursor: the last ticket looked at of a run under way
    "dailies",
    metadata,
    Column("rule", Text, primary_key=True),
    _text("spec"),  # days, time and calendar as they were: a rule that says another time starts anew
    _number("next_at"),
    _number("cursor", nullable=True),
)

list_values = Table(  # lists that are kept at the desk
    "list_values",
    metadata,
    Column("list", Text, primary_key=True),
    Column("value", Text, primary_key=True),  # lower case
    _text("added_by", ""),
    _number("added_at"),
    sqlite_with_rowid=False,
)

agent_load = (
    Table(  # open tickets of each agent, kept as they change: counting them would cost more with every ticket
        "agent_load",
        metadata,
        Column("name", Text, primary_key=True),
        Column("medium", Text, primary_key=True),
        _number("open_tickets"),
        sqlite_with_rowid=False,
    )
)

agent_state = Table(  # presence and turn of the agents that the rules name
    "agent_state",
    metadata,
    Column("name", Text, primary_key=True),
    _number("is_away", 0),
    _number("last_assigned_at", nullable=True),
)

writes = Table(  # PostgreSQL only: a COMMIT whose answer was lost is looked up here
    "writes", metadata, Column("id", Text, primary_key=True), _number("at")
)

active_rules = Table(  # PostgreSQL only: one row, the rules that are in force for all daemons of this store
    "active_rules",
    metadata,
    Column("name", Text, primary_key=True),  # "rules"
    _text("digest"),  # SHA-256 of sources, hex
    _text("sources"),  # files, lists and reply templates: intake.rule_files.Sources as JSON
    _text("publisher"),
    _number("published_at"),
)

publications = Table(  # PostgreSQL only: which daemon has published what, so that an old file is known as one
    "publications",
    metadata,
    Column("publisher", Text, primary_key=True),
    Column("digest", Text, primary_key=True),
    _number("published_at"),
)
