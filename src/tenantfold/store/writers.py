"""Store: how units of work become transactions. One thread with group commit on SQLite, a small pool on PostgreSQL.

In the simulation there are no threads: ``InlineWriter`` works in the event loop's own.

A unit is a plain function over a connection. It must leave nothing behind but its SQL, because it may run a second
time when PostgreSQL breaks a deadlock.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from sqlite3 import Connection as SqliteConnection
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

T = TypeVar("T")

_RERUNNABLE = frozenset({"40001", "40P01"})  # serialization failure, deadlock: PostgreSQL undid it, run it again
_RUNS = 4


class Writer(Protocol):
    """Takes units of work; the future is done only after the commit (or the failure) of the unit."""

    def submit(self, work: Callable[[Connection], T], *, durable: bool) -> Future[T]:
        """Queue a unit; ``durable`` means that it must survive a power cut once the future is done."""
        ...

    def close(self) -> None:
        """Finish what is queued and stop."""
        ...


@dataclass(frozen=True, slots=True)
class _Unit:
    work: Callable[[Connection], Any]
    durable: bool
    future: Future[Any]

    def settle(self, value: object, error: BaseException | None) -> None:
        if error is None:
            self.future.set_result(value)
        else:
            self.future.set_exception(error)


class GroupWriter:
    """SQLite: everything that queued up during a commit goes into the next one (engine.md, "Verdict").

    Each unit runs in its own savepoint, so that one that fails takes nobody with it. ``commits`` counts transactions.
    """

    def __init__(self, engine: Engine, *, group_limit: int = 256) -> None:
        self.commits = 0
        self._engine = engine
        self._group_limit = group_limit
        self._queue: queue.SimpleQueue[_Unit | None] = queue.SimpleQueue()
        self._synchronous = ""
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Connection], T], *, durable: bool) -> Future[T]:
        """Queue a unit for the next transaction."""
        future: Future[T] = Future()
        self._queue.put(_Unit(work, durable, future))
        return future

    def close(self) -> None:
        """Commit what is queued and end the thread."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        stopping = False
        while not stopping:
            group, stopping = self._next_group()
            started = [unit for unit in group if unit.future.set_running_or_notify_cancel()]
            if started:
                self._commit(started)

    def _next_group(self) -> tuple[list[_Unit], bool]:
        unit = self._queue.get()
        group: list[_Unit] = []
        while unit is not None:
            group.append(unit)
            if len(group) == self._group_limit:
                return group, False
            try:
                unit = self._queue.get_nowait()
            except queue.Empty:
                return group, False
        return group, True

    def _commit(self, group: list[_Unit]) -> None:
        try:
            with self._engine.connect() as conn:
                self._set_synchronous(conn, durable=any(unit.durable for unit in group))
                with conn.begin():
                    results = [_in_savepoint(conn, unit) for unit in group]
        except BaseException as error:  # noqa: BLE001  # nothing of the group was committed: every caller must hear it
            for unit in group:
                unit.settle(None, error)
            return
        self.commits += 1
        for unit, (value, failure) in zip(group, results, strict=True):
            unit.settle(value, failure)

    def _set_synchronous(self, conn: Connection, *, durable: bool) -> None:
        wanted = "FULL" if durable else "NORMAL"
        if wanted != self._synchronous:  # only between transactions, hence past SQLAlchemy, which would begin one
            _driver(conn).execute(f"PRAGMA synchronous = {wanted}")
            self._synchronous = wanted


def _in_savepoint(conn: Connection, unit: _Unit) -> tuple[object, Exception | None]:
    driver = _driver(conn)
    driver.execute("SAVEPOINT unit")
    try:
        value = unit.work(conn)
    except Exception as error:  # the unit's own failure, whatever it is, belongs to its caller alone
        if not driver.in_transaction:  # SQLite gave the whole transaction up (disk full, say): nobody has anything
            raise
        driver.execute("ROLLBACK TO unit")
        driver.execute("RELEASE unit")
        return None, error
    driver.execute("RELEASE unit")
    return value, None


def _driver(conn: Connection) -> SqliteConnection:
    driver = conn.connection.driver_connection
    assert isinstance(driver, SqliteConnection)  # noqa: S101  # this writer is built for SQLite engines only
    return driver


class InlineWriter:
    """SQLite in the simulation: every unit at once, in the caller's thread, in a transaction of its own.

    Nothing is forced to the disk: a killed program loses no committed unit, a power cut would. One connection is kept.
    """

    def __init__(self, engine: Engine) -> None:
        self._conn = engine.connect()
        _driver(self._conn).execute("PRAGMA synchronous = OFF")

    def submit(self, work: Callable[[Connection], T], *, durable: bool) -> Future[T]:
        """Do the unit now; the future is done already."""
        del durable
        future: Future[T] = Future()
        try:
            with self._conn.begin():
                value = work(self._conn)
        except Exception as error:  # noqa: BLE001  # whatever it is, it belongs to the caller
            future.set_exception(error)
        else:
            future.set_result(value)
        return future

    def close(self) -> None:
        """Close the connection."""
        self._conn.close()


class PooledWriter:
    """PostgreSQL: every unit in a transaction of its own, a few at a time."""

    def __init__(self, engine: Engine, *, threads: int) -> None:
        self._engine = engine
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="ledger-writer")

    def submit(self, work: Callable[[Connection], T], *, durable: bool) -> Future[T]:
        """Queue a unit for the next free connection."""
        return self._pool.submit(self._transact, work, durable)

    def close(self) -> None:
        """Finish what is queued and end the threads."""
        self._pool.shutdown()

    def _transact(self, work: Callable[[Connection], T], durable: bool) -> T:  # noqa: FBT001  # submit() passes it on
        for remaining in reversed(range(_RUNS)):
            try:
                with self._engine.begin() as conn:
                    if not durable:
                        conn.exec_driver_sql("SET LOCAL synchronous_commit = off")
                    return work(conn)
            except OperationalError as error:
                if not remaining or getattr(error.orig, "sqlstate", None) not in _RERUNNABLE:
                    raise
        raise AssertionError("unreachable: the last run returns or raises")
