"""What stands on the screens of visitors who chat: a feed for each session, and its lines, of both sides."""

from sqlalchemy import BigInteger, Column, Index, Table, Text

from intake.store.schema.columns import metadata, number, partial_index, text

feeds = Table(  # a session that others may say something to; its lines are numbered from 1
    "feeds",
    metadata,
    Column("session", Text, primary_key=True),
    text("account"),
    number("customer_id", nullable=True),  # NULL = nothing of it has been settled yet
    number("ticket_id", nullable=True),  # on which its last line stands
    number("last_seq", 0),
    number("settled_seq", 0),  # up to which the visitor's lines are messages
    number("got_seq", 0),  # up to which lines have come to a page of theirs
    number("read_seq", 0),  # … and were on the screen
    number("seen_seq", 0),  # up to which lines an agent has seen theirs
    number("updated_at"),
    partial_index("feeds_ticket", "ticket_id", where="ticket_id IS NOT NULL"),
    partial_index("feeds_customer", "customer_id", where="customer_id IS NOT NULL"),
    Index("feeds_updated", "updated_at"),
    sqlite_with_rowid=False,
)

session_lines = Table(  # customer: that of its feed
    "session_lines",
    metadata,
    Column("session", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    number("id"),  # grows with time: what another daemon has written is looked for by it
    number("at"),
    text("author"),  # customer, agent, system
    text("name", ""),
    text("text", ""),
    text("files", "[]"),  # JSON of channels.turns.LineFile
    text("line_id", ""),  # the page's; "" = no page said it
    text("code", ""),  # of a system's line
    number("outbox_id", nullable=True),  # whose delivery it is
    Index("session_lines_id", "id"),
    sqlite_with_rowid=False,
)
