"""The rules as they were, and what they ask for beside their files."""

from sqlalchemy import Column, Table, Text

from intake.store.schema.columns import metadata, number, text

rulebooks = Table(
    "rulebooks", metadata, Column("hash", Text, primary_key=True), text("source"), number("loaded_at")
)

armaments = Table(  # policy, ladder and calendar as they were when tickets were armed with them, by hash
    "armaments", metadata, Column("hash", Text, primary_key=True), text("source"), number("created_at")
)

list_values = Table(  # lists that are kept at the desk
    "list_values",
    metadata,
    Column("list", Text, primary_key=True),
    Column("value", Text, primary_key=True),  # lower case
    text("added_by", ""),
    number("added_at"),
    sqlite_with_rowid=False,
)

active_rules = Table(  # PostgreSQL only: one row, the rules that are in force for all daemons of this store
    "active_rules",
    metadata,
    Column("name", Text, primary_key=True),  # "rules"
    text("digest"),  # SHA-256 of sources, hex
    text("sources"),  # files, lists and reply templates: intake.rule_files.Sources as JSON
    text("publisher"),
    number("published_at"),
)

publications = Table(  # PostgreSQL only: which daemon has published what, so that an old file is known as one
    "publications",
    metadata,
    Column("publisher", Text, primary_key=True),
    Column("digest", Text, primary_key=True),
    number("published_at"),
)
