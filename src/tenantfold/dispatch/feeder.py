"""The feeder: due customers become jobs, never more than the backlog holds and nobody twice.

What is queued is a short look ahead, not the work to do: priorities of a long queue would be out of date, and every job
would have to be taken out again when somebody pauses a wave.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from procrastinate import SyncPsycopgConnector
from procrastinate.exceptions import ProcrastinateException
from procrastinate.jobs import Job
from procrastinate.manager import JobManager

from tenantfold.errors import StoreError
from tenantfold.flow.ports import Clock
from tenantfold.store import queue
from tenantfold.store.database import Database
from tenantfold.store.queue import DriverConnection, Due

DRIVES = "drives"  # the queue of customers to drive
DRIVE = "drive"  # its only task
NO_DEADLINE = -2_000_000_000  # after every deadline: priorities are whole numbers of 32 bits


class Feeder:
    """Queues who is due. Any number of processes may feed: one of them does at a time, the others leave it at that."""

    def __init__(self, database: Database, clock: Clock, backlog: int) -> None:
        self._database = database
        self._clock = clock
        self._backlog = backlog
        self._jobs = JobManager(SyncPsycopgConnector())  # only ever used with our own connection

    async def feed(self) -> int:
        """Fill the backlog; returns how many customers were queued. StoreError."""
        try:
            return await queue.feed(self._database, DRIVES, self._clock.now(), self._backlog, self._put)
        except ProcrastinateException as error:
            raise StoreError(f"The job queue refused a customer: {error}", database=self._database.name) from error

    def _put(self, due: Sequence[Due], connection: DriverConnection) -> None:
        self._jobs.batch_defer_jobs([_job(one) for one in due], connection=connection)


def _job(due: Due) -> Job:
    """One job: its customer is driven by one worker at a time, and waits in the queue once."""
    return Job(
        queue=DRIVES,
        task_name=DRIVE,
        lock=due.customer_id,
        queueing_lock=due.customer_id,
        priority=priority_of(due.deadline_at),
        task_kwargs={"customer_id": due.customer_id},
    )


def priority_of(deadline: datetime | None) -> int:
    """Higher is sooner: minus the minute of the deadline, so that an older job needs no new priority."""
    return NO_DEADLINE if deadline is None else -int(deadline.timestamp() // 60)
