"""Many machines: due customers are jobs in PostgreSQL (Procrastinate), and any number of workers drives them.

The queue only hands out. The ledger decides what happens, its versions refuse a step of a worker that was believed
dead, and its due times bring back every customer whose job was lost. Hence no retries here: a drive that ended early
leaves its customer due, and the feeder queues it again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.exceptions import ConnectorException

from tenantfold.dispatch.feeder import DRIVE, DRIVES
from tenantfold.dispatch.jobs import queue_connector
from tenantfold.dispatch.upkeep import Upkeep
from tenantfold.domain.model import CustomerId
from tenantfold.errors import StoreError, TenantfoldError
from tenantfold.flow.ports import Clock, Work

log = structlog.get_logger()

CONNECTIONS = 6  # of the queue in one worker, beside two that listen
IDLE_LOOK_SECONDS = 2.0  # an idle worker looks for jobs that nobody announced: those of a lost worker
GLANCE_SECONDS = 0.2  # how soon a stop is noticed
DRIVES_END_WITHIN = 3_600.0  # seconds; a call under way may wait for the rate limit
CHORES_END_WITHIN = 5.0  # seconds; then another worker takes them over


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueOptions:
    """How a worker works: customers at once, and when it is believed lost (seconds)."""

    concurrency: int
    heartbeat_seconds: float
    lost_after_seconds: float


class QueueDispatcher:
    """Drives what the queue hands to this worker. Implements ``flow.ports.Dispatcher``.

    ``on_queue_id`` is told once what the queue calls this worker, before its first drive begins.
    """

    def __init__(
        self,
        conninfo: str,
        clock: Clock,
        options: QueueOptions,
        upkeep: Upkeep,
        on_queue_id: Callable[[int], Awaitable[None]],
    ) -> None:
        self._connector = queue_connector(conninfo, connections=CONNECTIONS)
        self._clock = clock
        self._options = options
        self._upkeep = upkeep
        self._on_queue_id = on_queue_id

    async def dispatch(self, work: Work) -> None:
        """Drive until the work is stopping; the drives under way then end between two actions.

        What a drive raises arrives as itself. StoreError when the queue's database went away.
        """
        drives = _Drives(work, self._on_queue_id)
        try:
            with _library_log():
                async with drives.app(self._connector).open_async() as app:
                    await self._until_stopped(work, app, self._upkeep.app(self._connector))
        except ConnectorException as error:
            raise StoreError(
                f"The job queue failed: {error}.", next_step="Check the database, then start the worker again."
            ) from error
        if drives.failure is not None:
            raise drives.failure

    async def _until_stopped(self, work: Work, drives: App, upkeep: App) -> None:
        """Run both kinds of jobs side by side, so that no lack of free places delays the upkeep."""
        workers = [
            asyncio.create_task(self._worker(drives, [DRIVES], self._options.concurrency, DRIVES_END_WITHIN)),
            asyncio.create_task(self._worker(upkeep, self._upkeep.queues, self._upkeep.concurrency, CHORES_END_WITHIN)),
        ]
        glance = asyncio.create_task(self._glance(work))
        try:
            await asyncio.wait([*workers, glance], return_when=asyncio.FIRST_COMPLETED)
        finally:
            glance.cancel()
            for worker in workers:
                worker.cancel()  # which is how it is asked to end in order: it waits for its jobs
            ended = await asyncio.gather(*workers, return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception):
                raise error
        if not work.stopping():
            raise StoreError(
                "The job queue ended by itself: its connection broke.",
                next_step="Check the database, then start the worker again.",
            )

    async def _worker(self, app: App, queues: Sequence[str], concurrency: int, ends_within: float) -> None:
        await app.run_worker_async(
            queues=list(queues),
            concurrency=concurrency,
            install_signal_handlers=False,  # the command does that
            delete_jobs="successful",
            shutdown_graceful_timeout=ends_within,
            fetch_job_polling_interval=IDLE_LOOK_SECONDS,
            update_heartbeat_interval=self._options.heartbeat_seconds,
            stalled_worker_timeout=self._options.lost_after_seconds,
        )

    async def _glance(self, work: Work) -> None:
        while not work.stopping():
            await self._clock.sleep(GLANCE_SECONDS)


class _Forward(logging.Handler):
    """The library's warnings, as lines of our own log."""

    def emit(self, record: logging.LogRecord) -> None:
        """Pass one on, without its traceback: what it means for us is raised and logged by us."""
        log.warning("worker.queue.said", text=str(record.msg))


@contextmanager
def _library_log() -> Iterator[None]:
    library = logging.getLogger("procrastinate")
    before = library.handlers, library.propagate
    library.handlers, library.propagate = [_Forward(logging.WARNING)], False
    try:
        yield
    finally:
        library.handlers, library.propagate = before


class _Drives:
    """The only task of the queue of customers."""

    def __init__(self, work: Work, on_queue_id: Callable[[int], Awaitable[None]]) -> None:
        self.failure: TenantfoldError | None = None
        self._work = work
        self._on_queue_id = on_queue_id
        self._known_as: int | None = None

    def app(self, connector: PsycopgConnector) -> App:
        """A Procrastinate application that knows how to drive."""
        app = App(connector=connector)
        app.task(name=DRIVE, queue=DRIVES, pass_context=True)(self._drive)
        return app

    async def _drive(self, context: JobContext, customer_id: str) -> None:
        """Drive one customer. A job that is left at once does no harm: its customer is still due."""
        queue_id = context.job.worker_id
        try:
            if queue_id is not None and queue_id != self._known_as:
                self._known_as = queue_id
                await self._on_queue_id(queue_id)
            if not self._work.stopping():
                await self._work.drive(CustomerId(customer_id))
        except TenantfoldError as error:  # what stops all: the work is stopping from now on
            self.failure = self.failure or error
            log.warning("worker.drive.failed", customer_id=customer_id, error=error.message)
