"""Store: connections, threads and the translation of database errors. The only module that knows the drivers' errors.

Reads run on a small pool of threads, each inside one consistent transaction; writes go through ``writers``. For the
simulation a database can be opened *inline*: the same work without threads, so that virtual time stands still while the
database works, and the same seed always gives the same order of events.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from tenantfold.errors import ConfigError, ConflictError, LedgerBusyError, StoreError, TenantfoldError
from tenantfold.store.writers import GroupWriter, InlineWriter, PooledWriter, Writer

T = TypeVar("T")

READ_THREADS = 4
WRITE_THREADS = 4  # PostgreSQL only; SQLite has one writer
BUSY_SECONDS = 30  # how long SQLite waits for another process that writes

_DUPLICATE = frozenset({"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "23505"})
_LOCK_TIMEOUT = "55P03"


class _Turn:
    """Awaited: everybody else on the event loop gets one turn."""

    def __await__(self) -> Generator[None, None, None]:
        yield


class Database:
    """One ledger database: a SQLite file or a PostgreSQL database. Opening connects to nothing yet.

    ``inline`` (SQLite only): no threads; around each piece of work the others on the event loop get a turn.
    """

    def __init__(self, url: URL, *, inline: bool = False) -> None:
        self.url = url
        self.inline = inline
        self.is_sqlite = url.get_backend_name() == "sqlite"
        self.read_engine = self._engine(read_only=True)
        self.write_engine = self._engine(read_only=False)
        self._readers = ThreadPoolExecutor(READ_THREADS, thread_name_prefix="ledger-reader")
        self._writer: Writer | None = None

    @classmethod
    def open(cls, url: str, password: str | None = None, *, inline: bool = False) -> Database:
        """Prepare a database from its URL (without password). ConfigError when the URL is not one we can use."""
        checked = _checked_url(url)
        if inline and checked.get_backend_name() != "sqlite":
            raise ConfigError("Only a SQLite ledger can be opened inline.")
        return cls(checked.set(password=password) if password else checked, inline=inline)

    @property
    def path(self) -> Path | None:
        """The SQLite file; None on PostgreSQL."""
        return Path(self.url.database) if self.is_sqlite and self.url.database else None

    @property
    def name(self) -> str:
        """The database for messages, without its password (invariant 10)."""
        return str(self.path) if self.path else self.url.render_as_string(hide_password=True)

    @property
    def writer(self) -> Writer:
        """The writer, started at the first write."""
        if self._writer is None:
            if self.inline:
                self._writer = InlineWriter(self.write_engine)
            elif self.is_sqlite:
                self._writer = GroupWriter(self.write_engine)
            else:
                self._writer = PooledWriter(self.write_engine, threads=WRITE_THREADS)
        return self._writer

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run a reading function in one consistent transaction on a reader thread. StoreError when that fails."""
        if self.inline:
            found = self._read(work)
            await _Turn()
            return found
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    async def write(self, work: Callable[[Connection], T], *, durable: bool) -> T:
        """Run a writing function as one unit: all of it or nothing, committed when this returns.

        ``durable``: on the disk even after a power cut (intents, outcomes, approvals); else only after a crash of
        this program. Errors of the house pass through; ConflictError on a duplicate key, StoreError on all others.
        """
        with self.translating():
            if not self.inline:
                return await asyncio.wrap_future(self.writer.submit(work, durable=durable))
            await _Turn()  # queued, not committed
            value = self.writer.submit(work, durable=durable).result()
            await _Turn()  # committed, not known
            return value

    async def call(self, work: Callable[[Database], T]) -> T:
        """Run a blocking function of this package over the whole database: in a thread, or here when inline."""
        return work(self) if self.inline else await asyncio.to_thread(work, self)

    async def refresh_statistics(self) -> None:
        """After a bulk load: PostgreSQL plans badly on tables it has not counted (engine.md c). SQLite needs none."""
        if not self.is_sqlite:
            await self.write(lambda conn: conn.exec_driver_sql("ANALYZE").close(), durable=False)

    def lock_engine(self) -> Engine:
        """An engine whose connections belong to the caller alone, outside of the pools: for session locks."""
        return create_engine(self.url, poolclass=NullPool, hide_parameters=True, isolation_level="AUTOCOMMIT")

    @contextmanager
    def translating(self) -> Iterator[None]:
        """Turn the errors of SQLAlchemy and its drivers into ours. Statements and parameters stay out of them."""
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error, psycopg.Error, OSError) as error:
            raise self._translated(error) from error

    async def close(self) -> None:
        """Finish queued writes, stop all threads and close all connections."""
        await self.call(Database.close_now)

    def close_now(self) -> None:
        """The same for callers without an event loop; blocking."""
        if self._writer is not None:
            self._writer.close()
        self._readers.shutdown()
        self.read_engine.dispose()
        self.write_engine.dispose()

    def _read(self, work: Callable[[Connection], T]) -> T:
        with self.translating(), self.read_engine.connect() as conn:
            return work(conn)

    def _engine(self, *, read_only: bool) -> Engine:
        if self.inline:
            return _inline_engine(self.url, read_only=read_only)
        if self.is_sqlite:
            return _sqlite_engine(self.url, read_only=read_only)
        options: dict[str, Any] = {"isolation_level": "REPEATABLE READ"} if read_only else {}
        engine = create_engine(
            self.url,
            pool_size=READ_THREADS if read_only else WRITE_THREADS,
            max_overflow=0,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={"application_name": "tenantfold"},
            **options,
        )
        _prepare_postgresql(engine)
        return engine.execution_options(postgresql_readonly=True) if read_only else engine

    def _translated(self, error: Exception) -> TenantfoldError:
        cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        code = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or ""
        said = " ".join(str(cause).split())
        if code in _DUPLICATE:
            return ConflictError(f"The ledger holds this already: {said}.", database=self.name)
        if code == _LOCK_TIMEOUT:
            return LedgerBusyError("Another process works on this ledger.", database=self.name)
        kind = "refused a row" if isinstance(error, IntegrityError | sqlite3.IntegrityError) else "failed"
        return StoreError(
            f"The ledger database {self.name} {kind}: {said}.",
            next_step="Check that the database is there, reachable, writable and not full, then run the command again.",
            database=self.name,
            code=code,
        )


def _checked_url(text: str) -> URL:
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise ConfigError(
            "The ledger's database URL cannot be read. It looks like sqlite:///ledger.db or "
            "postgresql://user@host/database."
        ) from error
    backend = "postgresql" if url.drivername == "postgres" else url.get_backend_name()
    if backend == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise ConfigError(f"The ledger cannot live in '{backend}'; it lives in SQLite or PostgreSQL.")
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise ConfigError("The ledger needs a file (sqlite:///ledger.db): a database in memory forgets its intents.")
    return url.set(drivername="sqlite")


def _sqlite_engine(url: URL, *, read_only: bool) -> Engine:
    engine = create_engine(url, pool_size=READ_THREADS if read_only else 1, max_overflow=0, hide_parameters=True)
    _prepare_sqlite(engine, read_only=read_only)
    return engine


# kept for the next opening of the same file: a simulation opens it many times, and compiling statements takes longest
_inline_engine = lru_cache(maxsize=4)(_sqlite_engine)


def _prepare_sqlite(engine: Engine, *, read_only: bool) -> None:
    def connected(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA query_only = ON" if read_only else "PRAGMA journal_mode = WAL")

    def begun(conn: Connection) -> None:
        # a writer that begins without IMMEDIATE could fail half-way when another process writes
        conn.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)


def _prepare_postgresql(engine: Engine) -> None:
    def connected(connection: Any, _record: object) -> None:  # noqa: ANN401  # psycopg's connection, generic in its rows
        with connection.cursor() as cursor:
            cursor.execute("SET TIME ZONE 'UTC'")
            cursor.execute("SET synchronous_commit = on")  # a durable unit is durable whatever the server's default is
        connection.commit()

    event.listen(engine, "connect", connected)
