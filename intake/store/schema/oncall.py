"""Who is on call beyond what the rules say, what has been handed over, and who was told of what meanwhile."""

from sqlalchemy import Column, Index, Table, Text

from intake.store.schema.columns import metadata, number, partial_index, row_id, text

# Hours that somebody took or swapped at the desk; of two that overlap the later one wins.
oncall_changes = Table(
    "oncall_changes",
    metadata,
    row_id(),
    number("change_id"),  # rows of one take or swap have the same
    text("schedule"),
    number("start_at"),
    number("end_at"),  # released hours end early; at start_at they never were
    number("until_at"),  # the end as it was made
    text("agent"),
    text("instead_of", nullable=True),  # who had them; NULL = nobody
    text("kind"),  # taken | swapped
    text("made_by"),
    number("made_at"),
    number("released_at", nullable=True),
    text("released_by", nullable=True),
    Index("oncall_changes_end", "end_at"),
)

oncall_turns = Table(  # what is known of each schedule: who has it, and when to look again
    "oncall_turns",
    metadata,
    Column("schedule", Text, primary_key=True),
    text("spec"),  # hash of its text: one that says something else is looked at anew
    number("revision", 0),  # how often the rules changed it; for calendars that are subscribed to
    number("changed_at"),
    text("agent", nullable=True),  # NULL = nobody
    number("since_at"),
    number("next_at", nullable=True),
    text("told", "{}"),  # JSON: start of a shift (microseconds UTC) -> who was told that it comes
)

pages = Table(  # who on call was told of which ticket; closed_at: handed over, or nothing is left to do
    "pages",
    metadata,
    row_id(),
    text("schedule"),
    text("agent", nullable=True),  # NULL = it reached nobody
    number("ticket_id"),
    number("customer_id"),
    text("rule"),
    text("way", nullable=True),  # how the rule wants it sent; NULL = by mail
    number("sent_at"),
    number("closed_at", nullable=True),
    partial_index("pages_open", "schedule", "id", where="closed_at IS NULL"),
    Index("pages_ticket", "ticket_id"),
)

feed_links = Table(  # calendars that can be subscribed to: a link is good with the version it was made with
    "feed_links",
    metadata,
    Column("name", Text, primary_key=True),  # agent:NAME or schedule:NAME
    number("version", 0),
)
