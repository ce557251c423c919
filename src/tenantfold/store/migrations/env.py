"""Store: what Alembic runs for every command; the connection and its transaction come from ``store.schema``."""

from __future__ import annotations

from alembic import context

from tenantfold.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
