"""What agents are writing: kept at the server at each pause, so that nothing that happens around it loses it."""

from sqlalchemy import Index, Table, UniqueConstraint

from intake.store.schema.columns import metadata, number, partial_index, row_id, text

drafts = Table(  # one row for each text under way; a tab that writes beside another has a row of its own
    "drafts",
    metadata,
    row_id(),
    text("fork"),  # made by who writes: unguessable, one for each text
    text("agent"),
    number("ticket_id", nullable=True),  # NULL = of a ticket that is yet to be
    number("customer_id", nullable=True),
    text("kind"),  # reply | note | ticket
    text("body", ""),
    number("revision", 0),  # counted by who writes: an older save that comes later changes nothing
    text("seen", ""),  # what of the conversation was seen (intake.unseen), "" = nothing is said of it
    text("state", "writing"),  # writing -> sent | discarded; sent -> writing when the answer is taken back
    number("outbox_id", nullable=True),  # of what it was sent as
    text("files", "[]"),  # JSON of channels.contract.OutboundFile: each refers to its blob
    text("undo", "{}"),  # what sending has changed, so that it can be taken back
    number("created_at"),
    number("updated_at"),
    UniqueConstraint("agent", "fork", name="drafts_once"),
    Index("drafts_ticket", "ticket_id"),
    partial_index("drafts_outbox", "outbox_id", where="outbox_id IS NOT NULL"),
    partial_index("drafts_ended", "updated_at", where="state <> 'writing'"),
)
