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
    # What lists are ordered by: when the customer wrote last, the first message included; and the soonest of the running
    # clocks, NULL = none runs.
    number("written_at", 0),
    number("next_due_at", nullable=True),
    # what an agent must know to get it, until it is relaxed: routing.people.Skills
    text("skills", nullable=True),
    # since when it waits for somebody of its team, NULL = it does not; whose it was, who gets it first then
    number("waits_since", nullable=True),
    text("prefers", nullable=True),
    UniqueConstraint("ref", name="tickets_ref"),
    Index("tickets_customer", "customer_id", "id"),
    partial_index("tickets_gathered", "gathered_by", "id", where="gathered_by IS NOT NULL"),
    Index("tickets_team", "team", "written_at", "id"),
    Index("tickets_written", "written_at", "id"),
    partial_index("tickets_open", "written_at", "id", where="solved_at IS NULL"),
    partial_index("tickets_open_team", "team", "written_at", "id", where="solved_at IS NULL"),
    partial_index(
        "tickets_unassigned", "team", "written_at", "id", where="agent IS NULL AND solved_at IS NULL"
    ),
    partial_index("tickets_due", "next_due_at", "id", where="next_due_at IS NOT NULL"),
    partial_index("tickets_due_team", "team", "next_due_at", "id", "agent", where="next_due_at IS NOT NULL"),
    partial_index("tickets_waiting", "team", where="waits_since IS NOT NULL AND solved_at IS NULL"),
    partial_index(
        "tickets_held", "agent", "written_at", "id", where="agent IS NOT NULL AND solved_at IS NULL"
    ),
    # All that the counts of the desk's views ask for, in their order. id > 0 is true of each, and said by no list: SQLite
    # would walk this one for some, and sort what it finds.
    partial_index("tickets_counted", "team", "agent", "next_due_at", where="solved_at IS NULL AND id > 0"),
    partial_index("tickets_living", "id", where="status <> 'closed'"),
    partial_index("tickets_merged", "merged_into", where="merged_into IS NOT NULL"),
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

# direction: in, out, note. body of out and note: Markdown, others' words in it escaped. visible_text: of in what was written
# now, without quotes, of out what is read, without the escapes; NULL = the same as body
messages = Table(
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
    number("line_seq", nullable=True),  # of a chat: which line of the author's session it is
    # Behind the id is what counting a ticket's public messages asks for (intake.unseen): no row is read for it.
    Index("messages_ticket", "ticket_id", "id", "direction", "automatic", "line_seq", "author"),
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
    # What rules did beside opening tickets, to be counted: intake.rule_hits
    partial_index(
        "events_of_rules",
        "at",
        "id",
        where="kind = 'reacted' OR kind = 'ignored' OR kind = 'rule_failed'",
    ),
    # Whether changed rules are in force
    partial_index("events_of_reloads", "id", where="kind = 'rules_loaded' OR kind = 'rules_refused'"),
    sqlite_autoincrement=True,
)
