"""One worker's life: it signs on, drives whoever is due until it is told to stop, and signs off.

Alone (SQLite) it looks for work itself; in a fleet (PostgreSQL) the queue hands it out. Both say every few seconds that
they live. A worker that the others believed lost ends itself: its customers are driven by others by then.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from tenantfold.errors import (
    AuthError,
    LedgerBusyError,
    PartnerCenterError,
    PlanRefusedError,
    StoreError,
    TenantfoldError,
)
from tenantfold.flow.approval import Consent
from tenantfold.flow.ports import Clock, Dispatcher, Ledger
from tenantfold.flow.reconciler import Reconciler, StopSign
from tenantfold.store.workers import WorkerBook, WorkerState

log = structlog.get_logger()

GLANCE_SECONDS = 0.2  # how soon a stop is noticed
LOOK_SECONDS = 5.0  # how soon a lone worker notices what another command changed in its file


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who a worker is. ``name`` is unique among those alive."""

    name: str
    host: str
    pid: int
    program: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """How often a worker says that it lives, and after how long a silence it is believed lost (seconds)."""

    heartbeat_seconds: float
    lost_after_seconds: float


class Worker:
    """A worker over a reconciler; the caller holds the ledger's lock for it."""

    def __init__(self, work: Reconciler, stop: StopSign, book: WorkerBook, identity: Identity, pulse: Pulse) -> None:
        self._work = work
        self._stop = stop
        self._book = book
        self._identity = identity
        self._pulse = pulse
        self._broken: TenantfoldError | None = None
        self._consent = Consent(work.cutover.ledger)

    @property
    def _clock(self) -> Clock:
        return self._work.cutover.clock

    @property
    def _ledger(self) -> Ledger:
        return self._work.cutover.ledger

    async def serve_fleet(self, dispatcher: Dispatcher) -> None:
        """Drive what the queue hands out until told to stop. AuthError, StoreError; LedgerBusyError when lost."""
        async with self._on_duty():
            await dispatcher.dispatch(self._work)
        self._raise_what_broke()

    async def serve_alone(self, dispatcher: Dispatcher, poll_seconds: float) -> None:
        """Drive whoever is due, look for acceptances every so often, until told to stop. AuthError, StoreError."""
        async with self._on_duty():
            polls = asyncio.create_task(self._poll(poll_seconds))
            try:
                while not self._work.stopping():
                    if await self._consent.given():
                        await dispatcher.dispatch(self._work)
                    await self._wait_for_work()
            finally:
                await _ended(polls)
        self._raise_what_broke()

    @asynccontextmanager
    async def _on_duty(self) -> AsyncIterator[None]:
        """Sign on and off. Whoever comes first looks again at everybody who stopped for a reason, as a run does."""
        me = self._identity
        await self._book.bury(self._pulse.lost_after_seconds)
        is_first = not any(
            one.state in {WorkerState.RUNNING, WorkerState.STOPPING} for one in await self._book.everybody()
        )
        await self._book.sign_on(me.name, host=me.host, pid=me.pid, program=me.program)
        log.info("worker.started", worker=me.name, first=is_first)
        if is_first and await self._consent.given():
            await self._work.wake()
        heart = asyncio.create_task(self._heart())
        try:
            yield
        finally:
            await _ended(heart)
            await self._book.sign_off(me.name, driven=self._work.drives)
            log.info("worker.stopped", worker=me.name, driven=self._work.drives)

    async def _heart(self) -> None:
        """Say that we live, at once when we begin to stop. A beat that nobody accepts, or that fails, is our end."""
        said = WorkerState.RUNNING
        while True:
            await self._nap(self._pulse.heartbeat_seconds, wake_on_stop=said is WorkerState.RUNNING)
            said = WorkerState.STOPPING if self._work.stopping() else WorkerState.RUNNING
            try:
                known = await self._book.beat(self._identity.name, state=said, driven=self._work.drives)
            except TenantfoldError as error:
                self._end(error)
                return
            if not known:
                self._end(self._lost())
                return

    def _lost(self) -> LedgerBusyError:
        return LedgerBusyError(
            f"The worker '{self._identity.name}' was silent for over {self._pulse.lost_after_seconds:.0f} s and was "
            "believed lost; its customers went to the others.",
            next_step="Start it again. If this happens often, raise workers.lost_after_seconds.",
            worker=self._identity.name,
        )

    def _end(self, error: TenantfoldError) -> None:
        log.warning("worker.ends", worker=self._identity.name, error=error.message)
        self._broken = self._broken or error
        self._stop.raised = True

    def _raise_what_broke(self) -> None:
        if self._broken is not None:
            raise self._broken

    async def _poll(self, seconds: float) -> None:
        while True:
            try:
                if await self._consent.given():
                    await self._work.poll()
            except (AuthError, PlanRefusedError, StoreError) as error:
                self._end(error)
            except PartnerCenterError as error:  # the next look may find Partner Center there again
                log.warning("worker.poll.failed", error=error.message)
            await self._nap(seconds, wake_on_stop=False)

    async def _wait_for_work(self) -> None:
        """Sleep until somebody becomes due; look now and then, because other commands write to the ledger, too."""
        due = await self._ledger.next_due_at()
        seconds = LOOK_SECONDS
        if due is not None and await self._consent.given():
            seconds = min(LOOK_SECONDS, max(GLANCE_SECONDS, (due - self._clock.now()).total_seconds()))
        await self._nap(seconds, wake_on_stop=True)

    async def _nap(self, seconds: float, *, wake_on_stop: bool) -> None:
        """Sleep in short pieces, so that a stop is noticed; counted, because a server's clock may stand still."""
        for _ in range(max(1, round(seconds / GLANCE_SECONDS))):
            if wake_on_stop and self._work.stopping():
                return
            await self._clock.sleep(GLANCE_SECONDS)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
