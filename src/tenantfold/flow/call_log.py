"""How many calls a process made, told to the ledger now and then: one that is killed loses a few minutes of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from tenantfold.domain.records import CALLS_MADE
from tenantfold.errors import TenantfoldError
from tenantfold.flow.ports import Clock, Ledger

log = structlog.get_logger()

TOLD_EVERY_SECONDS = 300.0


class CallLog:
    """Tells the ledger's history what ``calls`` (by route, growing) counted since it was told the last time."""

    def __init__(self, ledger: Ledger, clock: Clock, calls: Counter[str]) -> None:
        self._ledger = ledger
        self._clock = clock
        self._calls = calls
        self._told: Counter[str] = Counter()
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Tell every few minutes while the block runs, and the rest when it ends, however it ends."""
        task = asyncio.create_task(self._now_and_then())
        try:
            yield
        finally:
            async with self._lock:  # a line that is being written is waited for: cut off, it could be counted twice
                task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.tell()

    async def tell(self) -> None:
        """Write down the calls that are new. A ledger that refuses is told again later: a count stops nobody."""
        async with self._lock:
            now = Counter(self._calls)
            new = now - self._told
            if not new:
                return
            try:
                facts = {route: str(count) for route, count in new.items()}
                await self._ledger.add_event(CALLS_MADE, self._clock.now(), None, **facts)
            except TenantfoldError as error:
                log.warning("calls.not_told", error=error.message)
                return
            self._told = now

    async def _now_and_then(self) -> None:
        while True:
            await self._clock.sleep(TOLD_EVERY_SECONDS)
            await self.tell()
