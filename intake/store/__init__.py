"""The store: one schema, one write contract, on SQLite (embedded) and PostgreSQL."""
