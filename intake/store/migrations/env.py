"""What Alembic runs: the steps on the connection it was given, inside the transaction that is under way there."""

from alembic import context

from intake.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # SQLite has it too, once BEGIN is sent by us and not by the driver
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
