"""What leaves the house."""

from sqlalchemy import Column, Index, Table, Text, UniqueConstraint

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
    number("counted", 0),  # segments that the budgets have counted for the try under way
    number("next_at", nullable=True),  # when to try (again); NULL = no further try
    text("provider_id", nullable=True),
    text("error", nullable=True),
    number("created_at"),
    number("sent_at", nullable=True),
    UniqueConstraint("cause", "action", name="outbox_once"),
    partial_index("outbox_due", "next_at", where="state = 'queued'"),
    partial_index("outbox_failed", "id", where="state = 'failed'"),
    Index("outbox_ticket", "ticket_id"),
    # Reports of mail name our own ids; everybody else's theirs.
    partial_index("outbox_provider", "provider_id", where="medium <> 'email' AND provider_id IS NOT NULL"),
)

digest_items = (
    Table(  # notices beyond what an agent can read; (cause, action) as the outbox row that each stands for
        "digest_items",
        metadata,
        row_id(),
        text("cause"),
        text("action"),
        number("ticket_id"),
        number("customer_id"),
        text("address"),  # lower case
        number("place"),  # counts the notices of an address, in the order in which they were held
        text("rule"),  # the rule or step that asked for it
        number("due_at", nullable=True),  # of its timer; NULL = no timer's
        number("held_at"),
        UniqueConstraint("cause", "action", name="digest_items_once"),
        Index("digest_items_place", "address", "place", unique=True),
        Index("digest_items_ticket", "ticket_id"),
    )
)

digest_boxes = Table(  # of each address: how many notices were held, how many of them are told, when the next digest goes out
    "digest_boxes",
    metadata,
    Column("address", Text, primary_key=True),
    text("agent", ""),  # "" = a bare address
    number("held"),
    number("told", 0),
    number("send_at", nullable=True),  # NULL = nothing waits
    number("is_quiet", 0),  # send_at is when the agent's hours begin
    partial_index("digest_boxes_due", "send_at", where="send_at IS NOT NULL"),
    sqlite_with_rowid=False,
)

digests = Table(  # what was told: the items of an address behind a place, up to another
    "digests",
    metadata,
    row_id(),  # of its outbox row, when it was sent
    text("address"),
    text("agent", ""),
    text("state"),  # sent; settled: all tickets were seen to before; unsent: nothing could carry it
    number("told_after"),
    number("told_to"),
    number("written_at"),
)
