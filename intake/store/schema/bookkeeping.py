"""What the daemon keeps for itself: bytes, where a channel has got to, limits, commits under way."""

from sqlalchemy import Column, LargeBinary, Table, Text, UniqueConstraint

from intake.store.schema.columns import metadata, number, row_id, text

blobs = Table(  # raw bytes, once by content hash; body NULL = a file in the blob folder
    "blobs",
    metadata,
    row_id(),
    text("hash"),
    number("size_bytes"),
    number("refs"),
    Column("body", LargeBinary, nullable=True),
    UniqueConstraint("hash", name="blobs_hash"),
)

cursors = Table(
    "cursors",
    metadata,
    Column("name", Text, primary_key=True),
    Column("position", LargeBinary, nullable=False),
)

counters = Table(  # limits: one conditional UPDATE, never count-then-insert
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    number("window_start"),
    number("used"),
    sqlite_with_rowid=False,
)

writes = Table(  # PostgreSQL only: a COMMIT whose answer was lost is looked up here
    "writes", metadata, Column("id", Text, primary_key=True), number("at")
)
