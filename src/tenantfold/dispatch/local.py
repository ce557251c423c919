"""One machine: due customers are driven in this process, N of them at any time until nobody is left.

A steady pool: whoever ends makes room for the next at once, so that the slowest customer holds up nobody and the rate
limit, not the pool, decides how long it takes. Nothing is asked of the ledger while nothing can have changed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import datetime

from tenantfold.domain.model import CustomerId
from tenantfold.errors import TenantfoldError
from tenantfold.flow.cutover import Cutover
from tenantfold.flow.ports import Clock, Work
from tenantfold.flow.progress import Reporter
from tenantfold.flow.reconciler import StopSign
from tenantfold.flow.run import Run, RunOptions

LONGEST_NAP = 1.0  # seconds; a stop and a moved server clock are noticed within


def local_run(cutover: Cutover, options: RunOptions, report: Reporter, stop: StopSign) -> Run:
    """A run that drives ``options.in_flight`` customers at a time in this process."""
    return Run(cutover, options, report, stop, LocalDispatcher(cutover.clock, options.in_flight))


class LocalDispatcher:
    """Drives in this process. Implements ``flow.ports.Dispatcher``."""

    def __init__(self, clock: Clock, in_flight: int) -> None:
        self._clock = clock
        self._in_flight = in_flight

    async def dispatch(self, work: Work) -> None:
        """Drive until nobody is due. An error that ``work.drive`` raises ends all drives and arrives as itself.

        Canceled (the process is told to end at once), it cancels the drives: their intents stay open and are settled
        by reading before anything else happens to these customers.
        """
        pool = _Pool(work, self._clock, self._in_flight)
        try:
            await pool.drain()
        finally:
            await pool.abandon()


class _Pool:
    """The drives under way, and the customers looked up for the next free places, most urgent first."""

    def __init__(self, work: Work, clock: Clock, size: int) -> None:
        self._work = work
        self._clock = clock
        self._size = size
        self._running: dict[asyncio.Task[None], CustomerId] = {}
        self._ready: deque[CustomerId] = deque()

    async def drain(self) -> None:
        """Start and await drives until nobody is due."""
        failure: TenantfoldError | None = None
        while True:
            await self._fill()
            if not self._running:
                break
            await self._somebody_ends_or_becomes_due()
            for task in [task for task in self._running if task.done()]:
                del self._running[task]
                try:
                    task.result()
                except TenantfoldError as error:  # the others end in order; anything else is the end of everything
                    failure = failure or error
        if failure is not None:
            raise failure

    async def _fill(self) -> None:
        """Start whoever is next until all places are taken. Asks the ledger only when nobody is known to be next."""
        while len(self._running) < self._size and not self._work.stopping():
            if not self._ready and not await self._look():
                return
            customer_id = self._ready.popleft()
            self._running[asyncio.create_task(self._work.drive(customer_id))] = customer_id

    async def _look(self) -> bool:
        """Look up one pool's worth of due customers: more would be driven in an order that is out of date."""
        underway = set(self._running.values())  # still due in the ledger
        due = await self._work.due(len(underway) + self._size)
        self._ready.extend(one for one in due if one not in underway)
        return bool(self._ready)

    async def _somebody_ends_or_becomes_due(self) -> None:
        may_start = len(self._running) < self._size and not self._work.stopping()  # else this would turn without a wait
        wakes_at = self._work.next_at() if may_start else None
        if wakes_at is None:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
            return
        alarm = asyncio.create_task(self._until(wakes_at))
        try:
            await asyncio.wait({*self._running, alarm}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _canceled([alarm])

    async def _until(self, when: datetime) -> None:
        while not self._work.stopping() and (left := (when - self._clock.now()).total_seconds()) > 0:
            await self._clock.sleep(min(left, LONGEST_NAP))

    async def abandon(self) -> None:
        """Cancel whatever still runs."""
        await _canceled(list(self._running))


async def _canceled(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
