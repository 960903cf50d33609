"""Alembic's entry: run the missing steps on the connection that `upgrade` brought, in its transaction."""

from alembic import context

from gateway.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # SQLite's is sound since the transaction is begun by hand
)
context.run_migrations()
