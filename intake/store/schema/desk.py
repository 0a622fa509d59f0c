"""What open pages of the desk tell each other where several daemons serve them, and what agents have chosen for theirs."""

from sqlalchemy import Column, Table, Text

from intake.store.schema.columns import metadata, number, partial_index, text

whereabouts = (
    Table(  # one row for each page on which an agent has a ticket before them; written on a shared store only
        "whereabouts",
        metadata,
        Column("page", Text, primary_key=True),  # made by the page
        text("ref"),
        text("agent"),
        text("doing"),  # looking | replying | noting
        text("stream", ""),  # that the page listens to: the row holds for as long as that is open
        number("since"),
        number("until"),  # from then on it counts for nothing
        partial_index("whereabouts_stream", "stream", where="stream <> ''"),
        sqlite_with_rowid=False,
    )
)

agent_choices = Table(  # one row for each thing that somebody has chosen otherwise than the desk has it
    "agent_choices",
    metadata,
    Column("name", Text, primary_key=True),
    Column("choice", Text, primary_key=True),  # single | announce | key:<command>
    text("value"),
    number("chosen_at"),
    sqlite_with_rowid=False,
)
