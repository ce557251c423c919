"""How fast this process may call (partnercenter room): pacing, the pause after a 429, and how many calls are in flight.

One ``Budget`` is shared by all clients of a process. Microsoft limits the customer, order and subscription resources to
500 calls a minute each (core reference 4); we stay below, because rejected calls count, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from aiolimiter import AsyncLimiter

from tenantfold.partnercenter.ports import Clock, Pacer

CALLS_PER_MINUTE: Mapping[str, float] = {"customer": 450, "order": 450, "subscription": 450}
BURST = 45
IN_FLIGHT = 64  # httpx2 slows down above about a hundred (measured)


class LeakyPacer:
    """Leaky buckets on the event loop's time: at most ``burst`` calls at once, then evenly spaced.

    In any minute at most ``burst`` more than the rate leave, so 450 and 45 stay below the published 500. Resources
    without a rate are not paced.
    """

    def __init__(self, calls_per_minute: Mapping[str, float] = CALLS_PER_MINUTE, *, burst: int = BURST) -> None:
        self._rates = dict(calls_per_minute)
        self._burst = burst
        self._buckets: dict[tuple[str, str], AsyncLimiter] = {}

    async def admit(self, tenant_key: str, resource: str) -> None:
        """Return when one more call to this resource of this tenant may leave."""
        rate = self._rates.get(resource)
        if rate is None:
            return
        bucket = self._buckets.get((tenant_key, resource))
        if bucket is None:
            bucket = AsyncLimiter(self._burst, time_period=self._burst * 60 / rate)
            self._buckets[tenant_key, resource] = bucket
        await bucket.acquire()


class NoPacer:
    """Lets every call leave at once: for virtual time and for emulators without limits."""

    async def admit(self, tenant_key: str, resource: str) -> None:
        """Return at once."""


class Budget:
    """What all clients of a process share: the pacer, the pauses after 429, the slots for calls in flight."""

    def __init__(self, clock: Clock, *, pacer: Pacer | None = None, in_flight: int = IN_FLIGHT) -> None:
        self._clock = clock
        self._pacer = pacer or LeakyPacer()
        self._slots = asyncio.Semaphore(in_flight)
        self._paused_until: dict[tuple[str, str], datetime] = {}

    @asynccontextmanager
    async def admission(self, tenant_key: str, resource: str) -> AsyncIterator[None]:
        """Hold a slot for one call, entered when the pacer admits it and no pause is on."""
        await self._pacer.admit(tenant_key, resource)
        while True:
            await self._wait_out(tenant_key, resource)
            async with self._slots:
                # a pause may have begun while this call waited for its slot
                if self.pause_left(tenant_key, resource) <= 0:
                    yield
                    return

    def pause(self, tenant_key: str, resource: str, seconds: float) -> None:
        """Let no call of this tenant and resource leave for so long: what ``Retry-After`` asks of all of us."""
        until = self._clock.now() + timedelta(seconds=seconds)
        known = self._paused_until.get((tenant_key, resource))
        self._paused_until[tenant_key, resource] = max(known, until) if known else until

    def pause_left(self, tenant_key: str, resource: str) -> float:
        """Seconds until calls of this tenant and resource may leave again; 0 when nothing is paused."""
        until = self._paused_until.get((tenant_key, resource))
        return max(0.0, (until - self._clock.now()).total_seconds()) if until else 0.0

    async def _wait_out(self, tenant_key: str, resource: str) -> None:
        while (left := self.pause_left(tenant_key, resource)) > 0:
            await self._clock.sleep(left)
