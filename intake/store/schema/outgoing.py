"""What leaves the house."""

from sqlalchemy import Index, Table, UniqueConstraint

from intake.store.schema.columns import metadata, number, partial_index, row_id, text

outbox = Table(  # effects, written with their cause; (cause, action) decides each exactly once
    "outbox",
    metadata,
    row_id(),
    text("cause"),
    text("action"),
    number("ticket_id", nullable=True),
    number("customer_id", nullable=True),
    number("message_id", nullable=True),
    text("medium"),
    text("account"),
    text("recipient"),
    text("payload"),  # the OutboundMessage as JSON
    text("state", "queued"),  # queued -> sent -> delivered -> read; failed; withheld; dropped
    number("attempts", 0),
    number("next_at", nullable=True),  # when to try (again); NULL = no further try
    text("provider_id", nullable=True),
    text("error", nullable=True),
    number("created_at"),
    number("sent_at", nullable=True),
    UniqueConstraint("cause", "action", name="outbox_once"),
    partial_index("outbox_due", "next_at", where="state = 'queued'"),
    partial_index("outbox_failed", "id", where="state = 'failed'"),
    Index("outbox_ticket", "ticket_id"),
)

digest_items = Table(  # notices beyond what an agent can read; (cause, action) as the outbox row that each stands for
    "digest_items",
    metadata,
    row_id(),
    text("cause"),
    text("action"),
    number("ticket_id"),
    number("customer_id"),
    text("address"),  # lower case
    text("agent", ""),  # "" = a bare address
    text("rule"),  # the rule or step that asked for it
    number("due_at", nullable=True),  # of its timer; NULL = no timer's
    number("held_at"),
    number("send_at"),  # when the digest goes out
    text("state", "held"),  # held -> sent | settled: everybody's tickets were seen to before it went out
    number("outbox_id", nullable=True),  # the digest
    UniqueConstraint("cause", "action", name="digest_items_once"),
    partial_index("digest_items_due", "send_at", where="state = 'held'"),
    partial_index("digest_items_held", "address", "id", where="state = 'held'"),
    Index("digest_items_outbox", "outbox_id"),
    Index("digest_items_ticket", "ticket_id"),
)
