"""Who may sign in, their second factors, and the sessions of those who did. Nothing in here lets anybody in by itself.

Passwords stand as argon2id hashes; tokens, codes and links as keyed hashes (intake.keys), so that a copy of the store
without keys.json opens nothing; a second factor's secret is not stored at all: it is made from its salt and the keys.
"""

from sqlalchemy import Column, Index, Table, Text

from intake.store.schema.columns import metadata, number, row_id, text

credentials = Table(  # who may sign in: agents of the rules, and admins and auditors of any name
    "credentials",
    metadata,
    Column("name", Text, primary_key=True),
    text("role"),  # agent | lead | admin | auditor
    text("password", nullable=True),  # argon2id; NULL = they have not chosen one yet
    number("password_at", nullable=True),
    text("totp_salt", nullable=True),  # NULL = no second factor
    number("totp_at", nullable=True),
    number("totp_step", 0),  # the last time step a code was taken for: each is good once
    text("totp_pending", nullable=True),  # the salt of one that is being set up
    number("disabled_at", nullable=True),
    number("signed_in_at", nullable=True),
    number("created_at"),
    sqlite_with_rowid=False,
)

recovery_codes = Table(  # instead of a code of the second factor, each once
    "recovery_codes",
    metadata,
    Column("code", Text, primary_key=True),  # keyed hash
    text("name"),
    number("made_at"),
    number("used_at", nullable=True),
    Index("recovery_codes_name", "name"),
    sqlite_with_rowid=False,
)

web_sessions = Table(
    "web_sessions",
    metadata,
    row_id(),
    text("token"),  # keyed hash of what the cookie holds
    text("name"),
    text(
        "stage"
    ),  # full | second_factor = a code is still to come | enrolment = a second factor is to be set up first
    text("browser", ""),
    text("client", ""),
    number("created_at"),
    number("seen_at"),
    number("expires_at"),
    number("ended_at", nullable=True),
    text("ended_by", nullable=True),
    Index("web_sessions_token", "token", unique=True),
    Index("web_sessions_name", "name"),
    Index("web_sessions_expires", "expires_at"),
)

invitations = Table(  # one-time links by which somebody chooses a password
    "invitations",
    metadata,
    Column("token", Text, primary_key=True),  # keyed hash
    text("name"),  # "" = whoever opens it makes the first admin
    text("role"),
    text("made_by"),
    number("made_at"),
    number("expires_at"),
    number("used_at", nullable=True),
    Index("invitations_name", "name"),
    sqlite_with_rowid=False,
)
