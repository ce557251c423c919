"""Store: the job queue's tables (Procrastinate, PostgreSQL only): applying their schema, and reading what is queued.

The tables belong to the library; here stands only what its interface does not offer. Jobs are never the record of
anything: a lost job costs a moment, because the ledger knows who is due.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

import psycopg
from procrastinate.schema import SchemaManager
from sqlalchemy import Connection, select, text

from tenantfold.domain.model import CustomerId
from tenantfold.store import tables
from tenantfold.store.database import Database
from tenantfold.store.progress import due_customers

DriverConnection: TypeAlias = psycopg.Connection[tuple[Any, ...]]
_FEEDER_LOCK = 0x7466_6665  # an advisory lock of our own: one feeder at a time
_IS_THERE = text("SELECT to_regclass('procrastinate_jobs') IS NOT NULL")
_SCHEMA = text("SELECT obj_description('procrastinate_jobs'::regclass, 'pg_class')")
_QUEUED = text(
    "SELECT lock, status::text AS status FROM procrastinate_jobs"
    " WHERE queue_name = :queue AND status IN ('todo', 'doing')"
)
_BE_THE_FEEDER = text("SELECT pg_try_advisory_xact_lock(:key)")
_TABLES = ("procrastinate_jobs", "procrastinate_events", "procrastinate_periodic_defers", "procrastinate_workers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One customer to queue. ``deadline_at`` is the end of the day its cutover began on; None when it has not."""

    customer_id: CustomerId
    deadline_at: datetime | None


Put = Callable[[Sequence[Due], DriverConnection], None]
"""Puts customers into the queue over the driver's own connection, inside the transaction that is open on it."""


def prepare(conn: Connection) -> None:
    """Create the queue's tables or bring them to the installed library's schema; nothing on SQLite."""
    if conn.dialect.name != "postgresql":
        return
    newest = _library_migrations()[-1].name
    if not conn.execute(_IS_THERE).scalar_one():
        _run(conn, SchemaManager.get_schema())
    else:
        known = conn.execute(_SCHEMA).scalar() or ""
        for file in _library_migrations():
            if file.name > known:
                _run(conn, file.read_text("utf-8"))
    conn.exec_driver_sql(f"COMMENT ON TABLE procrastinate_jobs IS '{newest}'")


def is_current(conn: Connection) -> bool:
    """Whether the queue's tables are there and of the installed library's schema; True on SQLite, which has none."""
    if conn.dialect.name != "postgresql":
        return True
    there = conn.execute(_IS_THERE).scalar_one()
    return bool(there) and conn.execute(_SCHEMA).scalar() == _library_migrations()[-1].name


async def feed(database: Database, queue: str, now: datetime, backlog: int, put: Put) -> int:
    """Fill a queue with due customers up to its backlog, in one transaction with what the ledger says of them.

    Returns how many were put; 0 as well when somebody else feeds just now. ``put`` may be called twice (a broken
    deadlock), the first time without effect. StoreError.
    """

    def fill(conn: Connection) -> int:
        if not conn.execute(_BE_THE_FEEDER, {"key": _FEEDER_LOCK}).scalar():
            return 0
        due = _to_queue(conn, queue, now, backlog)
        if due:
            put(due, _driver_connection(conn))
        return len(due)

    return await database.write(fill, durable=False)


async def analyze(database: Database) -> None:
    """Count the queue's tables afresh: they change faster than the server looks at them (engine.md c)."""

    def count(conn: Connection) -> None:
        for name in _TABLES:
            conn.exec_driver_sql(f"ANALYZE {name}")

    await database.write(count, durable=False)


def conninfo(database: Database) -> str:
    """The ledger's database as the driver wants it, with its password: for connections, never for messages."""
    return database.url.set(drivername="postgresql").render_as_string(hide_password=False)


def _to_queue(conn: Connection, queue: str, now: datetime, backlog: int) -> tuple[Due, ...]:
    """Due customers that are neither queued nor driven, as many as the backlog has room for, most urgent first.

    The queue is read before the ledger: a drive that ends in between has written its customer's next due time before
    its job went away, so nobody is queued for what was done already.
    """
    queued = conn.execute(_QUEUED, {"queue": queue}).all()
    room = backlog - sum(row.status == "todo" for row in queued)
    if room <= 0:
        return ()
    known = {row.lock for row in queued}
    due = [one for one in due_customers(conn, now, room + len(known)) if one not in known][:room]
    deadlines = _deadlines(conn, due)
    return tuple(Due(customer_id=one, deadline_at=deadlines.get(one)) for one in due)


def _driver_connection(conn: Connection) -> DriverConnection:
    """The driver's own connection, for the library to write in this very transaction."""
    found: DriverConnection = conn.connection.driver_connection  # type: ignore[assignment]  # psycopg on PostgreSQL
    return found


def _deadlines(conn: Connection, customer_ids: Sequence[CustomerId]) -> dict[str, datetime]:
    progress = tables.progress.c
    query = select(progress.customer_id, progress.deadline_at).where(
        progress.customer_id.in_(customer_ids), progress.deadline_at.is_not(None)
    )
    return {row.customer_id: row.deadline_at for row in conn.execute(query)} if customer_ids else {}


def _library_migrations() -> list[Path]:
    """The library's own migrations by name, which begins with its version."""
    return sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))


def _run(conn: Connection, script: str) -> None:
    _driver_connection(conn).execute(script.encode())  # many statements, as the library ships them
