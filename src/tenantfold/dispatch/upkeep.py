"""What the workers do besides driving: feed the queue, take over from the lost, look for acceptances, clean up, chores.

Every task runs on one worker at a time, whichever is free. Ticks hold no lock of the queue, so that a worker that dies
in the middle of one holds up nobody; what must not run twice has a lock that its successor inherits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import time

import structlog
from procrastinate import App, BaseRetryStrategy, PsycopgConnector, RetryDecision
from procrastinate.exceptions import JobAborted, ProcrastinateException
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager

from tenantfold.dispatch.feeder import Feeder
from tenantfold.errors import TenantfoldError
from tenantfold.flow.webhooks import Doorbell
from tenantfold.store import queue
from tenantfold.store.database import Database
from tenantfold.store.workers import WorkerBook

log = structlog.get_logger()

TICKS = "ticks"  # the queue of the short periodic tasks
CHORES = "chores"  # the queue of the coarse jobs: inventory, exports, reminders
TICKS_FIRST = 10
FEED_EVERY = "* * * * * */2"  # with seconds as the sixth field
RECOVER_EVERY = "* * * * * */2"
POLL_EVERY = "* * * * * 5"
LISTEN_EVERY = "* * * * * */5"
CLEAN_EVERY = "17 * * * *"
KEPT_SECONDS = 7 * 24 * 3600.0  # how long rows of ended workers and failed jobs stay
ANALYZE_EVERY = "*/5 * * * *"

Chore = Callable[[], Awaitable[None]]
"""A coarse job. Repeatable: one that its worker left is done by another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """The tasks beside driving.

    ``may_feed`` says whether anybody may be driven at all (an approved plan); ``poll`` finds who accepted;
    ``schedules`` run before each feeding (the start of scheduled waves). ``daily`` names chores that are handed in by
    themselves, at a UTC time of the queue's own clock. ``doorbell`` hears what webhooks ask for.
    """

    database: Database
    feeder: Feeder
    workers: WorkerBook
    lost_after_seconds: float
    may_feed: Callable[[], Awaitable[bool]]
    poll: Callable[[], Awaitable[int]]
    chores: Mapping[str, Chore] = field(default_factory=dict)
    daily: Mapping[str, time] = field(default_factory=dict)
    schedules: tuple[Callable[[], Awaitable[object]], ...] = ()
    doorbell: Doorbell | None = None

    @property
    def queues(self) -> tuple[str, ...]:
        """The queues of these tasks."""
        return (TICKS, CHORES)

    @property
    def concurrency(self) -> int:
        """Room for every chore (each runs once in the whole fleet) and two ticks."""
        return len(self.chores) + 2

    def app(self, connector: PsycopgConnector) -> App:
        """A Procrastinate application that knows these tasks and their schedules; on an open connector."""
        app = App(connector=connector)
        for name, cron, tick in (
            ("feed", FEED_EVERY, self.feed),
            ("recover", RECOVER_EVERY, lambda: self.recover(app.job_manager)),
            ("clean", CLEAN_EVERY, lambda: self.clean(app.job_manager)),
            ("analyze", ANALYZE_EVERY, self.analyze),
        ):
            _schedule(app, name, cron, tick, lock=None)
        _schedule(app, "poll", POLL_EVERY, self.poll_and_feed, lock="poll")
        if self.doorbell is not None:
            _schedule(app, "listen", LISTEN_EVERY, self.listen, lock="poll")  # never beside the look of the schedule
        for name, chore in self.chores.items():
            task = app.task(name=name, queue=CHORES, lock=name, queueing_lock=name, retry=_Inherited())(_chore(chore))
            if name in self.daily:
                app.periodic(cron=f"{self.daily[name].minute} {self.daily[name].hour} * * *")(task)
        return app

    async def feed(self) -> None:
        """Start what is scheduled for now and queue who is due, if a plan is approved."""
        if not await self.may_feed():
            return
        for schedule in self.schedules:
            await schedule()
        await self.feeder.feed()

    async def poll_and_feed(self) -> None:
        """Find everybody who accepted by one list, and queue them."""
        if await self.may_feed() and await self.poll():
            await self.feeder.feed()

    async def listen(self) -> None:
        """Find everybody who accepted, if a webhook asked for that, and queue them."""
        if self.doorbell is not None and await self.may_feed() and await self.doorbell.answer(self.poll):
            await self.feeder.feed()

    async def recover(self, jobs: JobManager) -> int:
        """Give the jobs of lost workers back to the queue. Returns how many."""
        lost = await self.workers.bury(self.lost_after_seconds)
        for one in lost:
            log.warning("worker.lost", worker=one.id, silent_seconds=round(one.silent_seconds, 1))
        stalled = {job.id: job for job in await jobs.get_stalled_jobs(seconds_since_heartbeat=self.lost_after_seconds)}
        for one in lost:
            if one.queue_worker_id is not None:
                held = await jobs.list_jobs_async(status=Status.DOING.value, worker_id=one.queue_worker_id)
                stalled |= {job.id: job for job in held}
        for job in stalled.values():
            await _give_back(jobs, job)
        if stalled:
            log.warning("worker.jobs.recovered", jobs=len(stalled))
        return len(stalled)

    async def clean(self, jobs: JobManager) -> None:
        """Drop what nobody looks at any more."""
        await self.workers.forget(KEPT_SECONDS)
        await jobs.delete_old_jobs(nb_hours=int(KEPT_SECONDS // 3600), include_failed=True, include_aborted=True)

    async def analyze(self) -> None:
        """Let the server count the queue's tables."""
        await queue.analyze(self.database)


class _Inherited(BaseRetryStrategy):
    """A chore that its worker's end interrupted is done by another one; a chore that failed is not repeated."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """Again at once, or never."""
        del job
        return RetryDecision() if isinstance(exception, (asyncio.CancelledError, JobAborted)) else None


def _chore(chore: Chore) -> Callable[..., Awaitable[None]]:
    """A chore as the queue calls it: with its time when nobody but the schedule handed it in."""

    async def run(timestamp: int | None = None) -> None:
        del timestamp
        await chore()

    return run


def _schedule(app: App, name: str, cron: str, tick: Callable[[], Awaitable[object]], lock: str | None) -> None:
    async def run(timestamp: int) -> None:
        del timestamp
        try:
            await tick()
        except TenantfoldError as error:  # the next tick tries again; a drive notices what stops everything
            log.warning("worker.tick.failed", tick=name, error=error.message)

    task = app.task(name=name, queue=TICKS, queueing_lock=name, lock=lock, priority=TICKS_FIRST)(run)
    app.periodic(cron=cron)(task)


async def _give_back(jobs: JobManager, job: Job) -> None:
    """Back to "todo", or away where the same is queued already; whoever else gave it back was faster."""
    assert job.id is not None  # noqa: S101  # it came from the database
    try:
        await jobs.retry_job(job)
    except ProcrastinateException:
        try:
            await jobs.finish_job(job, Status.FAILED, delete_job=True)
        except ProcrastinateException:
            log.info("worker.job.gone", job=job.id)
