"""How Alembic reaches the database: through the connection that `tenfold.worker.db.schema` hands it."""

from alembic import context

from tenfold.worker.db.records import Record

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Record.metadata, render_as_batch=True)
context.run_migrations()
