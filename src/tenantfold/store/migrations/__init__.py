"""Store: Alembic migrations, shipped inside the package and run by ``store.schema``."""
