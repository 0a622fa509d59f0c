"""Tickets, what was said in them, and every change of them."""

from sqlalchemy import BigInteger, Column, Index, Table, Text, UniqueConstraint

from intake.store.schema.columns import Serial, metadata, number, partial_index, row_id, text

tickets = Table(
    "tickets",
    metadata,
    row_id(),
    text("ref"),
    number("customer_id"),
    text("subject"),
    text("status", "new"),
    text("priority", "normal"),
    text("team", nullable=True),
    text("level", nullable=True),
    text("agent", nullable=True),
    text("nature", nullable=True),
    text("language", nullable=True),
    text("tags", "[]"),
    text("fields", "{}"),  # the desk's own facts, text as written
    text("medium"),
    text("account"),
    text("own_address", ""),  # of ours, that the customer wrote to: answers come from it
    text("sla", nullable=True),
    text("armament", nullable=True),
    text("rule"),
    text("outcome", nullable=True),
    number("is_spam", 0),
    number("reopened", 0),
    number("messages", 0),  # how many the customer wrote
    number("linked_to", nullable=True),  # the ticket this one follows up
    number("suggested_link", nullable=True),  # the ticket it may belong to; an agent decides
    number("merged_into", nullable=True),  # the ticket that has its messages now
    text("gathered_by", nullable=True),  # keyed hash of what gathers messages here
    number("created_at"),
    number("updated_at"),
    number("solved_at", nullable=True),
    # The last of each since-event (created_at is another), here and not counted from events: rules ask at each change.
    number("customer_replied_at", nullable=True),
    number("agent_replied_at", nullable=True),
    number("assigned_at", nullable=True),
    number("status_changed_at", nullable=True),
    # when a person first did something with it: from then on nothing routes again
    number("taken_at", nullable=True),
    number("promised_at", nullable=True),  # the moment agreed with the customer
    # what an agent must know to get it, until it is relaxed: routing.people.Skills
    text("skills", nullable=True),
    # since when it waits for somebody of its team, NULL = it does not; whose it was, who gets it first then
    number("waits_since", nullable=True),
    text("prefers", nullable=True),
    UniqueConstraint("ref", name="tickets_ref"),
    Index("tickets_customer", "customer_id"),
    partial_index("tickets_gathered", "gathered_by", "id", where="gathered_by IS NOT NULL"),
    partial_index("tickets_unassigned", "team", where="agent IS NULL AND solved_at IS NULL"),
    partial_index("tickets_waiting", "team", where="waits_since IS NOT NULL AND solved_at IS NULL"),
    partial_index("tickets_held", "agent", where="agent IS NOT NULL AND solved_at IS NULL"),
    partial_index("tickets_living", "id", where="status <> 'closed'"),
    partial_index("tickets_promised", "promised_at", where="promised_at IS NOT NULL"),
)

participants = Table(  # who may write into the conversation without a question
    "participants",
    metadata,
    Column("ticket_id", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    number("customer_id"),
    sqlite_with_rowid=False,
)

messages = Table(  # direction: in, out, note. visible_text NULL = the same as text
    "messages",
    metadata,
    row_id(),
    number("ticket_id"),
    number("customer_id"),
    number("journal_id", nullable=True),
    text("direction"),
    text("author"),  # the customer's address, an agent's name, or "rule:<id>"
    text("author_name", ""),
    text("medium"),
    text("account"),
    text("external_id", nullable=True),  # Message-ID without <>, or the provider's id
    text("subject", ""),
    text("body", ""),
    text("visible_text", nullable=True),
    text("language", nullable=True),
    text("automatic", nullable=True),
    number("is_verified", 0),
    text("attachments", "[]"),
    text("problems", "[]"),
    number("at"),
    number("sent_at", nullable=True),
    Index("messages_ticket", "ticket_id", "id"),
    partial_index("messages_external_id", "external_id", where="external_id IS NOT NULL"),
)

decisions = Table(  # facts: frozen, as the rules saw them; text by message id
    "decisions",
    metadata,
    row_id(),
    number("ticket_id"),
    number("customer_id"),
    number("message_id"),
    number("at"),
    text("rulebook"),
    number("facts_version"),
    text("facts"),
    text("decision"),
    Index("decisions_ticket", "ticket_id"),
)

events = Table(  # every change is a row here first
    "events",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    number("ticket_id", nullable=True),
    number("customer_id", nullable=True),
    text("kind"),
    text("actor", ""),  # "customer", "agent:ania", "rule:vip", "system"
    text("details", "{}"),
    number("at"),
    Index("events_ticket", "ticket_id", "id"),
    sqlite_autoincrement=True,
)
