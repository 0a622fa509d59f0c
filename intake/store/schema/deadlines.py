"""What falls due: SLA clocks, the timers of tickets, the rules that run at an hour of the day, and looks at what waits."""

from sqlalchemy import BigInteger, Column, Index, Table, Text, UniqueConstraint

from intake.store.schema.columns import metadata, number, partial_index, row_id, text

clocks = Table(  # one running, paused or ended SLA target of a ticket
    "clocks",
    metadata,
    Column("ticket_id", BigInteger, primary_key=True, autoincrement=False),
    Column("target", Text, primary_key=True),
    text("state"),
    text("clock"),  # the routing.sla.Clock as JSON
    number("due_at", nullable=True),
    sqlite_with_rowid=False,
)

timers = Table(  # one row for each (ticket, policy, step, due): fires once
    "timers",
    metadata,
    row_id(),
    number("ticket_id"),
    number("customer_id"),
    # "step" (of a ladder), "breach"; "ack", "quiet", "clock", "relax", "snooze": see intake.timers
    text("kind"),
    # whose: an SLA policy; of a quiet rule the event it counts from, of a clock rule its name
    text("policy"),
    text("step"),
    text("target", nullable=True),
    number("due_at"),
    text(
        "state", "pending"
    ),  # pending -> fired | cancelled | skipped; failing: broke, is tried again -> failed
    number("fired_at", nullable=True),
    # Of a step whose notice somebody is asked to acknowledge: whether it went to anybody, and when one did so.
    number("is_reached", nullable=True),
    number("acknowledged_at", nullable=True),
    number("attempts", 0),  # tries that failed
    number("retry_at", nullable=True),  # of a failing one
    UniqueConstraint("ticket_id", "policy", "step", "due_at", name="timers_once"),
    partial_index("timers_due", "due_at", where="state = 'pending'"),
    partial_index("timers_again", "retry_at", where="state = 'failing'"),
    partial_index("timers_failed", "id", where="state = 'failed'"),
)

promises = Table(  # what was agreed with a customer for when, and what became of it: see intake.promises
    "promises",
    metadata,
    row_id(),
    number("ticket_id"),
    number("customer_id"),
    text("made_by"),  # "agent:ania", "rule:call-back"
    number("made_at"),
    number("due_at"),
    text("state", "open"),
    number("ended_at", nullable=True),  # of a broken one: when it was made good
    number("is_told", 0),  # whether the customer was told by us
    Index("promises_ticket", "ticket_id", "made_at"),
    Index("promises_due", "due_at", "id"),
)

dailies = Table(  # when each clock rule runs next; cursor: the last ticket looked at of a run under way
    "dailies",
    metadata,
    Column("rule", Text, primary_key=True),
    text("spec"),  # days, time and calendar as they were: a rule that says another time starts anew
    number("next_at"),
    number("cursor", nullable=True),
)

alarms = Table(  # when to look again at something that is no ticket's, one row for each thing
    "alarms",
    metadata,
    Column("name", Text, primary_key=True),
    number("due_at"),
    sqlite_with_rowid=False,
)
