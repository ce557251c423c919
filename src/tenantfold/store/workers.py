"""Store: the workers of a ledger: who they are, when each was last seen, and which of them are gone.

A worker holds a lock of its own as long as its process lives (``runlock.beside_others``): a lock that can be taken
belongs to nobody any more. One that hangs or lost its network still has its lock and is known by its silence.
Times are the database's, so that clocks of different machines are never compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, delete, func, or_, select, type_coerce, update

from tenantfold.store import tables
from tenantfold.store.database import Database
from tenantfold.store.runlock import is_free, member_lock
from tenantfold.store.statements import upsert

_worker = tables.worker.c
_PRESENT = type_coerce(func.now(), tables.UtcTime())


class WorkerState(StrEnum):
    """What a worker's row says of it."""

    RUNNING = "running"
    STOPPING = "stopping"  # ends what is between two actions
    STOPPED = "stopped"
    LOST = "lost"  # gone without a word, or silent for too long: its customers went to others


ALIVE = (WorkerState.RUNNING.value, WorkerState.STOPPING.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRow:
    """One worker. ``silent_seconds`` since it was last seen, by the database's clock; ``driven`` drives it made."""

    id: str
    host: str
    pid: int
    program: str
    state: WorkerState
    started_at: datetime
    seen_at: datetime
    silent_seconds: float
    driven: int
    queue_worker_id: int | None


class WorkerBook:
    """The table of workers; all methods may raise StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sign_on(self, worker_id: str, *, host: str, pid: int, program: str) -> None:
        """Enter a worker as running; a row of the same name is an earlier life of it."""
        row: dict[str, Any] = {
            "id": worker_id,
            "host": host,
            "pid": pid,
            "program": program,
            "state": WorkerState.RUNNING.value,
            "driven": 0,
            "queue_worker_id": None,
        }

        def enter(conn: Connection) -> None:
            present = conn.execute(select(_PRESENT)).scalar_one()
            upsert(conn, tables.worker, row | {"started_at": present, "seen_at": present})

        await self._database.write(enter, durable=False)

    async def beat(self, worker_id: str, *, state: WorkerState, driven: int) -> bool:
        """Say that a worker lives. False: the others believe it lost and took its customers; it has to end."""
        statement = (
            update(tables.worker)
            .where(_worker.id == worker_id, _worker.state.in_(ALIVE))
            .values(state=state.value, driven=driven, seen_at=_PRESENT)
        )
        return await self._database.write(lambda conn: conn.execute(statement).rowcount == 1, durable=False)

    async def name_in_queue(self, worker_id: str, queue_worker_id: int) -> None:
        """Note what the job queue calls this worker, so that its jobs can be found when it is gone."""
        statement = update(tables.worker).where(_worker.id == worker_id).values(queue_worker_id=queue_worker_id)
        await self._database.write(lambda conn: conn.execute(statement).close(), durable=False)

    async def sign_off(self, worker_id: str, *, driven: int) -> None:
        """Enter that a worker ended in order."""
        statement = (
            update(tables.worker)
            .where(_worker.id == worker_id, _worker.state.in_(ALIVE))
            .values(state=WorkerState.STOPPED.value, driven=driven, seen_at=_PRESENT)
        )
        await self._database.write(lambda conn: conn.execute(statement).close(), durable=False)

    async def everybody(self) -> tuple[WorkerRow, ...]:
        """All workers known, those alive first, then by name."""
        query = select(tables.worker, _PRESENT.label("present")).order_by(_worker.state.not_in(ALIVE), _worker.id)
        return await self._database.read(lambda conn: tuple(_row(row) for row in conn.execute(query)))

    async def bury(self, lost_after_seconds: float) -> tuple[WorkerRow, ...]:
        """Mark workers lost that are gone (their lock is free) or were silent for so long; returns those."""
        return await self._database.write(lambda conn: _bury(conn, lost_after_seconds), durable=False)

    async def forget(self, older_than_seconds: float) -> int:
        """Drop rows of workers that ended so long ago; returns how many."""

        def drop(conn: Connection) -> int:
            before = conn.execute(select(_PRESENT)).scalar_one() - timedelta(seconds=older_than_seconds)
            gone = delete(tables.worker).where(_worker.state.not_in(ALIVE), _worker.seen_at < before)
            return conn.execute(gone).rowcount

        return await self._database.write(drop, durable=False)


def _bury(conn: Connection, lost_after_seconds: float) -> tuple[WorkerRow, ...]:
    query = select(tables.worker, _PRESENT.label("present")).where(_worker.state.in_(ALIVE)).order_by(_worker.id)
    lost = [
        one
        for one in map(_row, conn.execute(query).all())
        if one.silent_seconds > lost_after_seconds or is_free(conn, member_lock(one.id))
    ]
    if lost:
        names = or_(*(_worker.id == one.id for one in lost))
        conn.execute(update(tables.worker).where(names).values(state=WorkerState.LOST.value))
    return tuple(lost)


def _row(row: Row[Any]) -> WorkerRow:
    return WorkerRow(
        id=row.id,
        host=row.host,
        pid=row.pid,
        program=row.program,
        state=WorkerState(row.state),
        started_at=row.started_at,
        seen_at=row.seen_at,
        silent_seconds=max(0.0, (row.present - row.seen_at).total_seconds()),
        driven=row.driven,
        queue_worker_id=row.queue_worker_id,
    )
