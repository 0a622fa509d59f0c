"""What is said by phone: sessions of calls, who rings, every call, who must not be written to, files to be fetched."""

from sqlalchemy import Column, Index, LargeBinary, Table, Text, UniqueConstraint

from intake.store.schema.columns import metadata, number, partial_index, row_id, text

sessions = Table(  # state machines under way (contract.Gate.turn); one that is over has no row
    "sessions",
    metadata,
    Column("name", Text, primary_key=True),
    text("account"),
    Column("state", LargeBinary, nullable=False),
    number("updated_at"),
    Index("sessions_updated", "updated_at"),
)

holds = Table(  # agents whose phone rings, or who speak: one call for each at a time
    "holds",
    metadata,
    Column("agent", Text, primary_key=True),
    text("session"),
    number("since_at"),
    number("until_at"),
    Index("holds_session", "session"),
)

calls = Table(  # every call, once: one row for the customer's leg
    "calls",
    metadata,
    row_id(),
    text("account"),
    text("call"),  # the provider's id of it
    text("session", nullable=True),
    text("direction"),
    text("caller", nullable=True),  # E.164; NULL = hidden
    text("own", ""),  # our number
    number("customer_id", nullable=True),
    number("ticket_id", nullable=True),
    number("message_id", nullable=True),  # of the conversation
    text("language", nullable=True),
    text("choices", "[]"),  # ids of the menu, in order
    text("agent", nullable=True),  # who took it
    text("outcome", nullable=True),  # see docs/phone.md; NULL = under way
    text("timeline", "[]"),  # JSON of channels.contract.Happened
    number("started_at"),
    number("answered_at", nullable=True),  # by a person
    number("counted_at", nullable=True),  # since when the talk counts as an answer; NULL = it does not
    number("ended_at", nullable=True),
    text("price", nullable=True),  # as the provider says it: "-0.0085 USD"
    UniqueConstraint("account", "call", name="calls_call"),
    Index("calls_ticket", "ticket_id"),
    partial_index("calls_session", "session", where="session IS NOT NULL"),
    Index("calls_customer", "customer_id", "started_at"),
    partial_index("calls_open", "started_at", where="ended_at IS NULL"),
)

summonses = Table(  # an agent who is told of something way after way, until somebody acknowledges it
    "summonses",
    metadata,
    row_id(),
    text("cause"),  # of the notice, as of its outbox rows
    text("kind"),  # of the notice; "test" = only shows that it reaches them
    text("agent"),
    number("ticket_id", nullable=True),
    number("customer_id", nullable=True),
    text("ways"),  # JSON: the agent's own order
    number("place", 0),  # of the way under way
    number("outbox_id", nullable=True),  # of its try; NULL = by a digest
    text(
        "state", "open"
    ),  # open -> acknowledged | passed_on | done (all ways were gone) | failed (none reached)
    text("notice", "{}"),  # JSON of intake.notice_page.Notice
    number("created_at"),
    number("ended_at", nullable=True),
    UniqueConstraint("cause", "kind", "agent", name="summonses_once"),
    Index("summonses_agent", "agent", "id"),
    Index("summonses_ticket", "ticket_id"),
    Index("summonses_outbox", "outbox_id"),
)

opt_outs = Table(  # who said stop, and who took it back: the last row of a value and scope is what holds
    "opt_outs",
    metadata,
    row_id(),
    text("kind"),  # of the identity: phone, whatsapp, email
    text("value"),
    number("customer_id", nullable=True),
    text("scope", ""),  # "" = nothing at all may be sent; else the one medium
    text("state"),  # out | in | suggested | refused
    text("how"),  # word, provider, agent:NAME, import
    text("said", ""),
    text("account", nullable=True),
    number("message_id", nullable=True),
    number("at"),
    number("due_at", nullable=True),  # of a suggestion: by when somebody has to decide
    Index("opt_outs_value", "kind", "value", "id"),
    Index("opt_outs_customer", "customer_id"),
    partial_index("opt_outs_suggested", "due_at", where="state = 'suggested'"),
)

fetches = Table(  # files that another side keeps for us until we have them: pictures of a text, recordings
    "fetches",
    metadata,
    row_id(),
    text("account"),
    text("reference"),  # what the channel's fetch needs to know
    number("ticket_id", nullable=True),
    number("customer_id", nullable=True),
    number("message_id", nullable=True),
    text("part"),  # of the message's attachments
    # queued -> (held, until it is scanned ->) (here, until it is deleted on the other side ->) done | failed | infected,
    # -> forgotten (intake.retention)
    text("state", "queued"),
    number("attempts", 0),
    number("next_at", nullable=True),
    text("error", nullable=True),
    number("blob_id", nullable=True),
    number("thumbnail_id", nullable=True),  # blob of the small picture
    number("created_at"),
    UniqueConstraint("account", "reference", name="fetches_once"),
    partial_index("fetches_due", "next_at", where="next_at IS NOT NULL"),
    Index("fetches_message", "message_id"),
)

incidents = Table(  # known outages that everybody is told about
    "incidents",
    metadata,
    row_id(),
    text("texts"),  # JSON: language -> what is said
    number("opened_at"),
    text("opened_by"),
    number("closed_at", nullable=True),
    text("closed_by", nullable=True),
    # Which of its two events open tickets are being told of, NULL = none; and the last ticket that was.
    text("telling", nullable=True),
    number("told_after", 0),
    partial_index("incidents_open", "id", where="closed_at IS NULL"),
    partial_index("incidents_telling", "id", where="telling IS NOT NULL"),
)
