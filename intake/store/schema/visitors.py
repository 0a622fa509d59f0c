"""Who chats: where an answer reaches them when they have left, who the site says they are, what they agreed to."""

from sqlalchemy import Column, Index, Table, Text, UniqueConstraint

from intake.store.schema.columns import metadata, number, partial_index, row_id, text

visitors = Table(  # one row for a session; goes with its feed
    "visitors",
    metadata,
    Column("session", Text, primary_key=True),
    text("account"),
    number("customer_id", nullable=True),
    text("email", ""),  # as the visitor wrote it, proven by nothing
    text("name", ""),
    text("subject", ""),  # the site's name for them; "" = nobody has vouched for them
    text("proven_email", ""),
    text("page", ""),
    text("locale", ""),
    number("mailed_seq", 0),  # up to which lines of ours have gone out by mail
    number(
        "mail_at", nullable=True
    ),  # when to look whether ours came to a page; NULL = nothing is to be mailed
    number("idle_at", nullable=True),  # when the chat ends by itself unless somebody says something
    partial_index("visitors_mail", "mail_at", where="mail_at IS NOT NULL"),
    partial_index("visitors_idle", "idle_at", where="idle_at IS NOT NULL"),
    partial_index("visitors_customer", "customer_id", where="customer_id IS NOT NULL"),
    partial_index("visitors_subject", "account", "subject", where="subject <> ''"),
    sqlite_with_rowid=False,
)

agreements = Table(  # what a visitor agreed to: the very words, in the language in which they stood there
    "agreements",
    metadata,
    row_id(),
    number("customer_id"),
    text("account"),
    text("session"),
    text("version"),
    text("language", ""),
    text("text"),
    text("link", ""),
    number("at"),
    UniqueConstraint("session", "version", name="agreements_once"),
    Index("agreements_customer", "customer_id"),
)

session_aliases = Table(  # a page whose session is another one: the same person, proven, on another device
    "session_aliases",
    metadata,
    Column("alias", Text, primary_key=True),
    text("session"),
    number("at"),
    Index("session_aliases_session", "session"),
    sqlite_with_rowid=False,
)
