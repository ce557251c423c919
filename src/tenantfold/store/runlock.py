"""Store: at most one run per ledger. The lock belongs to a process and is gone the moment the process is.

SQLite: an operating-system lock on a file beside the database. PostgreSQL: an advisory lock of a session. The row in
``run_holder`` only says who it was; it is believed only while the lock is taken.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout
from sqlalchemy import Connection, delete, func, select

from tenantfold.errors import LedgerBusyError
from tenantfold.store import tables
from tenantfold.store.database import Database
from tenantfold.store.statements import upsert

_DEAD_HOLDER_MS = 1000  # a PostgreSQL server needs a moment to see that a killed client is gone
_holder = tables.run_holder.c


class _Lock(Protocol):
    def acquire(self) -> None: ...

    def release(self) -> None: ...


@asynccontextmanager
async def exclusive(database: Database, name: str) -> AsyncIterator[None]:
    """Hold the lock of this name. LedgerBusyError, naming process and host of the holder, when another has it."""
    lock: _Lock = _AdvisoryLock(database, name) if database.path is None else _OsLock(database, database.path, name)
    try:
        await asyncio.to_thread(lock.acquire)
    except LedgerBusyError:
        raise await _busy(database, name) from None
    try:
        await database.write(lambda conn: _sign(conn, name), durable=False)
        try:
            yield
        finally:
            await database.write(lambda conn: _sign_off(conn, name), durable=False)
    finally:
        await asyncio.to_thread(lock.release)


class _OsLock:
    def __init__(self, database: Database, path: Path, name: str) -> None:
        self._database = database
        # never the soft kind, a mere file: it would outlive a killed process
        self._lock = FileLock(f"{path}.{name}.lock", thread_local=False, fallback_to_soft=False)

    def acquire(self) -> None:
        """Take the lock or raise LedgerBusyError at once."""
        with self._database.translating():
            try:
                self._lock.acquire(blocking=False)
            except Timeout as error:
                raise LedgerBusyError("Another process works on this ledger.") from error

    def release(self) -> None:
        """Give the lock back."""
        self._lock.release()


class _AdvisoryLock:
    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._engine = database.lock_engine()
        self._key = int.from_bytes(hashlib.sha256(f"tenantfold:{name}".encode()).digest()[:8], signed=True)
        self._session: Connection | None = None

    def acquire(self) -> None:
        """Take the lock or raise LedgerBusyError after a second."""
        with self._database.translating():
            session = self._engine.connect()
            try:
                session.exec_driver_sql(f"SET lock_timeout = {_DEAD_HOLDER_MS}")
                session.execute(select(func.pg_advisory_lock(self._key)))
            except BaseException:
                session.close()
                raise
            self._session = session

    def release(self) -> None:
        """Give the lock back by ending its session."""
        if self._session is not None:
            self._session.close()
        self._engine.dispose()


def _sign(conn: Connection, name: str) -> None:
    upsert(conn, tables.run_holder, {"name": name, "pid": os.getpid(), "host": socket.gethostname()})


def _sign_off(conn: Connection, name: str) -> None:
    conn.execute(delete(tables.run_holder).where(_holder.name == name))


async def _busy(database: Database, name: str) -> LedgerBusyError:
    row = await database.read(
        lambda conn: conn.execute(select(_holder.pid, _holder.host).where(_holder.name == name)).first()
    )
    who = f"process {row.pid} on {row.host}" if row else "another process"
    return LedgerBusyError(
        f"The ledger {database.name} is in use by {who}.",
        next_step="Wait until that run ends, or stop that process; its lock is free at once.",
        database=database.name,
        pid=row.pid if row else None,
        host=row.host if row else "",
    )
