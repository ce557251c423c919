"""A loop whose time is virtual: sleeping costs nothing, and every moment is exact."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from looptime import LoopTimeEventLoop

T = TypeVar("T")

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class VirtualLoop(LoopTimeEventLoop, asyncio.SelectorEventLoop):
    """A selector loop on virtual time."""


class LoopClock:
    """The loop's virtual time as a clock that starts at noon."""

    def now(self) -> datetime:
        """Noon, and what has passed since the loop began."""
        return NOON + timedelta(seconds=asyncio.get_running_loop().time())

    async def sleep(self, seconds: float) -> None:
        """Let virtual seconds pass."""
        await asyncio.sleep(seconds)


async def pass_seconds(seconds: float) -> None:
    """Let virtual seconds pass."""
    await asyncio.sleep(seconds)


def loop_seconds() -> float:
    """Virtual seconds since the loop began."""
    return asyncio.get_running_loop().time()


def run(story: Coroutine[Any, Any, T]) -> T:
    """Run a story to its end on virtual time; nothing may be left running behind it."""
    loop = VirtualLoop(start=0, noop_cycles=2)
    try:
        result = loop.run_until_complete(story)
        loop.run_until_complete(asyncio.sleep(0))
        left = [task for task in asyncio.all_tasks(loop) if not task.done()]
        assert not left, left
        return result
    finally:
        loop.close()


def since_noon(when: datetime) -> float:
    """Seconds after noon."""
    return (when - NOON).total_seconds()
