"""Customers, what they are known by, and the state of the agents whom the rules name."""

from sqlalchemy import BigInteger, Column, Index, Table, Text, UniqueConstraint

from intake.store.schema.columns import metadata, number, partial_index, ranged_text, row_id, text

customers = Table(
    "customers",
    metadata,
    row_id(),
    text("name", ""),
    text("language", nullable=True),
    text("organization", nullable=True),
    text("tags", "[]"),
    text("tier", nullable=True),
    text("fields", "{}"),  # the desk's own facts: name -> text
    number("last_rating", nullable=True),  # 1 to 5
    number("opted_out_at", nullable=True),
    number("created_at"),
)

identities = Table(  # by what a customer is known; evidence: why we believe it is theirs
    "identities",
    metadata,
    row_id(),
    text("kind"),
    ranged_text("value"),
    number("customer_id"),
    number("is_verified", 0),
    text("evidence", "{}"),
    number("created_at"),
    number(
        "undeliverable_since", nullable=True
    ),  # mail comes back from there; NULL = none did, or mail came since
    text("undeliverable_reason", nullable=True),  # one word: channels.email.bounces.reasons
    number("complained_at", nullable=True),  # called our mail spam: gets no automatic mail
    ranged_text(
        "digits", nullable=True
    ),  # of a phone number, backwards: whoever types its end finds it; NULL = it is none
    UniqueConstraint("kind", "value", name="identities_kind_value"),
    Index("identities_customer", "customer_id"),
    partial_index("identities_digits", "digits", where="digits IS NOT NULL"),
)

# Open tickets of each agent, kept as they change: counting them would cost more with every ticket.
agent_load = Table(
    "agent_load",
    metadata,
    Column("name", Text, primary_key=True),
    Column("medium", Text, primary_key=True),
    number("open_tickets"),
    sqlite_with_rowid=False,
)

agent_state = Table(  # presence and turn of the agents that the rules name
    "agent_state",
    metadata,
    Column("name", Text, primary_key=True),
    number("is_away", 0),
    number("away_since", nullable=True),
    number("away_until", nullable=True),  # NULL = until they say that they are back
    number("is_keeping", 0),  # while away nothing of theirs goes to others
    number("last_assigned_at", nullable=True),  # grows with every turn, whatever the clock says
    text("media", "{}"),  # medium -> intake.medium_presence.Said; one that is not named: they are available
    partial_index("agent_state_away", "away_until", where="is_away = 1"),
)

away_moves = (
    Table(  # tickets of somebody who has gone away, each to be moved once; gone when both sides are told
        "away_moves",
        metadata,
        Column("agent", Text, primary_key=True),
        Column("ticket_id", BigInteger, primary_key=True, autoincrement=False),
        number("since"),  # the away_since that it is of
        text("state", "pending"),  # pending -> moved | waiting | stayed
        text("to_agent", nullable=True),
        sqlite_with_rowid=False,
    )
)
