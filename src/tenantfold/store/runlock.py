"""Store: who may move customers of a ledger: one run, one worker on SQLite, or any number of workers on PostgreSQL.

The lock belongs to a process and is gone the moment the process is (ADR 0012). SQLite: an operating-system lock on a
file beside the database. PostgreSQL: advisory locks of a session. The row in ``run_holder`` only says who it was; it
is believed only while the lock is taken.
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
_worker = tables.worker.c


class _Lock(Protocol):
    def acquire(self) -> None: ...

    def release(self) -> None: ...


@asynccontextmanager
async def exclusive(database: Database, name: str) -> AsyncIterator[None]:
    """Hold the lock of this name. LedgerBusyError, naming process and host of the holder, when another has it."""
    lock: _Lock = (
        _SessionLocks(database, alone=name) if database.path is None else _OsLock(database, database.path, name)
    )
    async with _held(database, lock, name):
        await database.write(lambda conn: _sign(conn, name), durable=False)
        try:
            yield
        finally:
            await database.write(lambda conn: _sign_off(conn, name), durable=False)


@asynccontextmanager
async def beside_others(database: Database, name: str, member: str) -> AsyncIterator[None]:
    """Hold the lock of this name together with other members, each of a name of its own; PostgreSQL only.

    LedgerBusyError when somebody holds the lock alone, or a member of the same name is here already.
    """
    own, common = _SessionLocks(database, alone=member_lock(member)), _SessionLocks(database, shared=name)
    async with _held(database, own, name, member), _held(database, common, name):
        yield


def member_lock(member: str) -> str:
    """The name of the lock that a worker holds as long as its process lives."""
    return f"worker:{member}"


def is_free(conn: Connection, name: str) -> bool:
    """Whether nobody holds the lock of this name; asked by taking it for the rest of the transaction.

    On SQLite nobody can tell: whoever asks holds the only lock there is, so everybody else is gone.
    """
    if conn.dialect.name == "sqlite":
        return True
    return bool(conn.execute(select(func.pg_try_advisory_xact_lock(_key(name)))).scalar())


@asynccontextmanager
async def _held(database: Database, lock: _Lock, name: str, member: str = "") -> AsyncIterator[None]:
    try:
        await asyncio.to_thread(lock.acquire)
    except LedgerBusyError:
        raise await (_taken(database, member) if member else _busy(database, name)) from None
    try:
        yield
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


class _SessionLocks:
    """An advisory lock of a session of its own: taken alone, or shared with others."""

    def __init__(self, database: Database, *, alone: str = "", shared: str = "") -> None:
        self._database = database
        self._engine = database.lock_engine()
        take = func.pg_advisory_lock if alone else func.pg_advisory_lock_shared
        self._statement = select(take(_key(alone or shared)))
        self._session: Connection | None = None

    def acquire(self) -> None:
        """Take the lock or raise LedgerBusyError after a second."""
        with self._database.translating():
            session = self._engine.connect()
            try:
                session.exec_driver_sql(f"SET lock_timeout = {_DEAD_HOLDER_MS}")
                session.execute(self._statement)
            except BaseException:
                session.close()
                raise
            self._session = session

    def release(self) -> None:
        """Give the lock back by ending its session."""
        if self._session is not None:
            self._session.close()
        self._engine.dispose()


def _key(name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"tenantfold:{name}".encode()).digest()[:8], signed=True)


def _sign(conn: Connection, name: str) -> None:
    upsert(conn, tables.run_holder, {"name": name, "pid": os.getpid(), "host": socket.gethostname()})


def _sign_off(conn: Connection, name: str) -> None:
    conn.execute(delete(tables.run_holder).where(_holder.name == name))


async def _busy(database: Database, name: str) -> LedgerBusyError:
    row = await database.read(
        lambda conn: conn.execute(select(_holder.pid, _holder.host).where(_holder.name == name)).first()
    )
    workers = () if row or name != "run" else await database.read(_workers)
    if workers:
        return LedgerBusyError(
            f"The customers of the ledger {database.name} are moved by {len(workers)} worker(s): {', '.join(workers)}.",
            next_step="They do what a run does: tenantfold workers, tenantfold status. Or stop them first.",
            database=database.name,
            workers=workers,
        )
    who = f"process {row.pid} on {row.host}" if row else "another process"
    return LedgerBusyError(
        f"The ledger {database.name} is in use by {who}.",
        next_step="Wait until that run ends, or stop that process; its lock is free at once.",
        database=database.name,
        pid=row.pid if row else None,
        host=row.host if row else "",
    )


async def _taken(database: Database, member: str) -> LedgerBusyError:
    return LedgerBusyError(
        f"A worker named '{member}' works on the ledger {database.name} already.",
        next_step="Give this one another name (--name), or stop the other.",
        database=database.name,
        worker=member,
    )


def _workers(conn: Connection) -> tuple[str, ...]:
    states = ("running", "stopping")
    return tuple(conn.execute(select(_worker.id).where(_worker.state.in_(states)).order_by(_worker.id)).scalars())
