"""Browsers that agents have asked to be told in."""

from sqlalchemy import Index, Table, UniqueConstraint

from intake.store.schema.columns import metadata, number, row_id, text

push_browsers = Table(
    "push_browsers",
    metadata,
    row_id(),
    text("agent"),
    text("endpoint"),  # of the browser's maker: where what we send goes
    text("p256dh"),  # the browser's key, base64url (RFC 8291)
    text("auth"),
    text("session", ""),  # the sign-in that it was asked in: it ends with that
    text("name", ""),  # "Firefox on Linux", for its owner to know it by
    number("created_at"),
    number("told_at", nullable=True),
    number("failures", 0),
    UniqueConstraint("endpoint", name="push_browsers_once"),
    Index("push_browsers_agent", "agent"),
)
