"""Coarse jobs: long work that a person hands to whichever worker is free: inventory, exports, reminders.

What came out stands in the ledger's history; the queue only keeps what is waiting, running or failed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException

from tenantfold.dispatch.feeder import DRIVES
from tenantfold.dispatch.upkeep import CHORES, Chore
from tenantfold.errors import InputError, StoreError, TenantfoldError
from tenantfold.flow.ports import Clock, Ledger

DONE = "job.done"
FAILED = "job.failed"

Report = Callable[[], Awaitable[str]]
"""A coarse job as its author writes it; returns one sentence on what came out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLine:
    """One line of the list of jobs: how many of a kind are in a state, or how one ended."""

    kind: str
    state: str  # waiting, running, failed, done
    count: int
    at: datetime | None = None
    result: str = ""


class JobOffice:
    """Takes coarse jobs and says how they stand; PostgreSQL only. StoreError when the queue cannot be reached."""

    def __init__(self, conninfo: str, ledger: Ledger, kinds: Sequence[str]) -> None:
        self._conninfo = conninfo
        self._ledger = ledger
        self._kinds = tuple(kinds)

    async def submit(self, kind: str) -> bool:
        """Queue a job of this kind. False: one waits already. InputError for a kind that nobody knows."""
        if kind not in self._kinds:
            raise InputError(f"There is no job '{kind}'; there are {', '.join(self._kinds)}.")
        async with self._app() as app:
            try:
                await app.configure_task(kind, queue=CHORES, lock=kind, queueing_lock=kind).defer_async()
            except AlreadyEnqueued:
                return False
            return True

    async def lines(self, history: int = 20) -> tuple[JobLine, ...]:
        """Customers queued and driven, coarse jobs that wait, run or failed, and how the latest ended."""
        words = {"todo": "waiting", "doing": "running", "failed": "failed"}
        async with self._app() as app:
            queues = {one["name"]: one for one in await app.job_manager.list_queues_async(queue=DRIVES)}
            chores = [job for job in await app.job_manager.list_jobs_async(queue=CHORES) if job.status in words]
        found = [
            JobLine(kind="customers", state=words[state], count=queues[DRIVES][state])
            for state in words
            if queues.get(DRIVES, {}).get(state)
        ]
        found += [JobLine(kind=job.task_name, state=words[job.status or ""], count=1) for job in chores]
        for name, state in ((DONE, "done"), (FAILED, "failed")):
            for event in await self._ledger.events(limit=history, name=name):
                facts = event.facts
                line = JobLine(kind=facts["kind"], state=state, count=1, at=event.at, result=facts["result"])
                found.append(line)
        return tuple(found)

    @asynccontextmanager
    async def _app(self) -> AsyncIterator[App]:
        try:
            async with App(connector=queue_connector(self._conninfo, connections=1)).open_async() as app:
                yield app
        except ConnectorException as error:
            raise StoreError(f"The job queue failed: {error}.") from error


def queue_connector(conninfo: str, *, connections: int) -> PsycopgConnector:
    """The job queue in the ledger's own database (``store.queue.conninfo``)."""
    return PsycopgConnector(
        conninfo=conninfo,
        kwargs={"application_name": "tenantfold queue"},
        min_size=1,
        max_size=connections,
    )


def journaled(reports: Mapping[str, Report], ledger: Ledger, clock: Clock) -> dict[str, Chore]:
    """These jobs as chores: how each ended goes into the ledger's history."""
    return {kind: _journaled(kind, report, ledger, clock) for kind, report in reports.items()}


def _journaled(kind: str, report: Report, ledger: Ledger, clock: Clock) -> Chore:
    async def run() -> None:
        try:
            result = await report()
        except TenantfoldError as error:
            await ledger.add_event(FAILED, clock.now(), None, kind=kind, result=error.message)
            raise
        await ledger.add_event(DONE, clock.now(), None, kind=kind, result=result)

    return run
