"""What came in, and what became of it."""

from sqlalchemy import Column, Index, Table, Text

from intake.store.schema.columns import Serial, metadata, number, partial_index, text

journal = Table(  # what came in, and what became of it
    "journal",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    text("kind"),
    text("account"),
    text("lane"),
    number("received_at"),
    text("envelope", "{}"),
    # what the channel looked up about it, so that it reads the same when it is parsed again
    text("evidence", nullable=True),
    number("blob_id"),
    text("key", "", nullable=True),  # the keyed hash that identifies it, for people to compare
    # pending -> ticket | automatic | ignored | duplicate | quarantined; `replay` sends one back to pending
    text("state", "pending"),
    number("duplicate_of", nullable=True),
    number("customer_id", nullable=True),
    number("ticket_id", nullable=True),
    number("message_id", nullable=True),
    text("problem", nullable=True),
    number("attempts", 0),
    number("next_at", nullable=True),
    number("settled_at", nullable=True),
    partial_index("journal_pending", "id", where="state = 'pending'"),
    partial_index("journal_quarantined", "id", where="state = 'quarantined'"),
    Index("journal_ticket", "ticket_id"),
    Index("journal_account", "account", "id"),  # when an account last brought something
    sqlite_autoincrement=True,
)

journal_keys = Table(  # unique for ever, keyed hashes: they outlive the erasure of what they stood for
    "journal_keys",
    metadata,
    Column("key", Text, primary_key=True),
    number("journal_id"),
    sqlite_with_rowid=False,
)

# What the other side of an account says it holds, and what accounts for it, at the last count.
ledger = Table(
    "ledger",
    metadata,
    Column("account", Text, primary_key=True),
    Column("place", Text, primary_key=True),
    text("generation", ""),
    number("counted_at", nullable=True),
    number("on_server", nullable=True),
    number("missing", 0),
    number("missing_since", nullable=True),
    text("outcomes", "{}"),
    text("excused", "[]"),
    sqlite_with_rowid=False,
)
