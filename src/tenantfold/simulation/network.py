"""The way between product and emulator (simulation room): takes time, outlives the client, ends in a timeout.

Each request is served in a task of the emulator's own: a client that dies in the middle takes nothing back, as in life.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context
from random import Random

import httpx2

from tenantfold.clock import SystemClock
from tenantfold.partnercenter import InProcessTransport
from tenantfold.partnercenter.in_process import Application
from tenantfold.simulation.loop import OWNER

SHORTEST_WAY = 0.01  # seconds, one direction
LONGEST_WAY = 0.15
_SIGN_IN = "/oauth2/"
_READS = frozenset({"GET", "HEAD"})

Way = Callable[[Random], float]
"""Draws how many seconds one direction takes."""
OnWrite = Callable[[str], Awaitable[object]]
"""Told what happens to a write: that it was sent, that its answer is here."""


def short_way(rng: Random) -> float:
    """A few hundredths of a second, at most 0.15."""
    return rng.uniform(SHORTEST_WAY, LONGEST_WAY)


class Network(httpx2.AsyncBaseTransport):
    """Carries requests to ``application`` on virtual time; ``under_way`` are the requests nobody may cancel.

    ``on_write`` and ``way`` may be set at any time.
    """

    def __init__(self, application: Application, seed: int | str) -> None:
        self.under_way: set[asyncio.Task[httpx2.Response]] = set()
        self.requests = 0
        self.on_write: OnWrite | None = None
        self.way: Way = short_way
        self._inner = InProcessTransport(application)
        self._rng = Random(f"network/{seed}")
        self._clock = SystemClock()  # on a virtual loop the machine's sleep is virtual

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request and bring its answer; ReadTimeout when it takes longer than the client waits."""
        self.requests += 1
        is_write = request.method not in _READS and _SIGN_IN not in request.url.path
        on_write = self.on_write if is_write else None
        limit = (request.extensions.get("timeout") or {}).get("read")
        # in a context of its own: what the client sets up there for itself is none of the server's business
        task = asyncio.get_running_loop().create_task(self._carry(request), context=Context())
        self.under_way.add(task)
        task.add_done_callback(self._arrived)
        if on_write is not None:
            await on_write(f"{request.method} is on its way")
        try:
            response = await asyncio.wait_for(asyncio.shield(task), limit)
        except TimeoutError:
            raise httpx2.ReadTimeout("The answer took too long.", request=request) from None
        if on_write is not None:
            await on_write(f"{request.method} is answered")
        return response

    def _arrived(self, task: asyncio.Task[httpx2.Response]) -> None:
        self.under_way.discard(task)
        if not task.cancelled():
            task.exception()  # whoever asked may be dead and will not look

    async def _carry(self, request: httpx2.Request) -> httpx2.Response:
        OWNER.set(self)  # what the server starts for itself is none of the client's tasks
        await self._clock.sleep(self.way(self._rng))
        try:
            return await self._inner.handle_async_request(request)
        finally:
            await self._clock.sleep(self.way(self._rng))
