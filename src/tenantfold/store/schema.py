"""Store: bringing a database to this program's schema, and refusing one that does not fit.

Migrations lie inside the package and run through Alembic without any ini file, all in one transaction.
"""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from tenantfold.errors import SchemaTooNewError, SchemaTooOldError
from tenantfold.store import queue
from tenantfold.store.database import Database

_MIGRATION_LOCK = 0x7466_6D69  # an advisory lock of our own, so that two workers do not migrate at once


def migrate(database: Database) -> None:
    """Create the schema or bring it up to date. SchemaTooNewError when a newer program wrote it; then nothing changes.

    Blocking: call it in a thread.
    """
    if database.path is not None and not database.path.exists():
        with database.translating():
            database.path.touch(mode=0o600)  # the ledger holds names and addresses of customers
    with database.translating(), database.write_engine.begin() as conn:
        if not database.is_sqlite:
            conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
        config = _config()
        _refuse_newer(conn, config, database.name)
        config.attributes["connection"] = conn
        command.upgrade(config, "head")
        queue.prepare(conn)


def check_schema(database: Database) -> None:
    """Raise SchemaTooOldError or SchemaTooNewError unless the database has exactly this program's schema.

    Changes nothing and creates no file. Blocking: call it in a thread.
    """
    if database.path is not None and not database.path.exists():
        raise SchemaTooOldError(
            f"There is no ledger at {database.name} yet.", next_step="Run: tenantfold init", database=database.name
        )
    config = _config()
    newest = ScriptDirectory.from_config(config).get_current_head()
    with database.translating(), database.read_engine.connect() as conn:
        found = _refuse_newer(conn, config, database.name)
        queue_is_current = queue.is_current(conn)
    if found == newest and not queue_is_current:
        raise SchemaTooOldError(
            f"The job queue in {database.name} is missing or older than this program.",
            next_step="Run: tenantfold init (it keeps all data).",
            database=database.name,
        )
    if found != newest:
        raise SchemaTooOldError(
            f"The ledger {database.name} has schema {found or 'none'}; this program needs {newest}.",
            next_step="Run: tenantfold init (it keeps all data).",
            database=database.name,
            found=found or "",
            needed=newest or "",
        )


def _refuse_newer(conn: Connection, config: Config, name: str) -> str | None:
    found = MigrationContext.configure(conn).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise SchemaTooNewError(
            f"The ledger {name} has schema {found}, which this program does not know: a newer program wrote it. "
            "Nothing was changed.",
            next_step="Use the newest tenantfold on this ledger.",
            database=name,
            found=found,
        )
    return found


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "tenantfold.store:migrations")
    config.set_main_option("path_separator", "os")
    return config
