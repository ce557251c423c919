"""The emulator's clock (time room): the only module of this package that looks at the machine's time.

The clock runs at any speed, stands still when frozen, and is moved by hand. What becomes due (an acceptance, a
suspended subscription that is deleted after 90 days) is kept here as callbacks: moving the clock runs them in the order
of their times, and while one runs ``now()`` is exactly its due time. On a running clock they run at the start of the
next request (``run_due``), so nothing happens in the background and a seed always tells the same story.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec

DEFAULT_START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

Due = Callable[[], None]


def wall_now() -> datetime:
    """Return the machine's time in UTC; for the ledger's second time column only."""
    return datetime.now(UTC)


class ClockState(msgspec.Struct, kw_only=True):
    """What the control plane shows of the clock."""

    now: datetime
    frozen: bool
    speed: float
    next_due: datetime | None = None
    due: int = 0


class Clock:
    """A clock in aware UTC that runs, stands still, or is moved by hand.

    ``start`` is its first reading; ``speed`` is emulated seconds per real second; ``monotonic`` is the source of real
    seconds (tests put their own in its place).
    """

    def __init__(
        self,
        start: datetime = DEFAULT_START,
        *,
        frozen: bool = False,
        speed: float = 1.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._base = start.astimezone(UTC)
        self._since = monotonic()
        self._frozen = frozen
        self._speed = speed
        self._pinned: datetime | None = None
        self._heap: list[tuple[datetime, int, str, Due]] = []
        self._order = itertools.count()

    def now(self) -> datetime:
        """Return the emulated time, aware UTC."""
        if self._pinned is not None:
            return self._pinned
        if self._frozen:
            return self._base
        return self._base + timedelta(seconds=(self._monotonic() - self._since) * self._speed)

    @property
    def frozen(self) -> bool:
        """Whether the clock stands still."""
        return self._frozen

    @property
    def speed(self) -> float:
        """Emulated seconds per real second while the clock runs."""
        return self._speed

    def freeze(self, *, frozen: bool = True) -> None:
        """Stop the clock, or with ``frozen=False`` let it run on from where it stands."""
        self._rebase(self.now())
        self._frozen = frozen

    def set_speed(self, speed: float) -> None:
        """Let ``speed`` emulated seconds pass per real second from now on; raises ValueError unless it is positive."""
        if not speed > 0:
            raise ValueError("The speed of the clock must be a positive number.")
        self._rebase(self.now())
        self._speed = speed

    def advance(self, seconds: float) -> datetime:
        """Move the clock forward by ``seconds`` and run what becomes due; raises ValueError if that is backward."""
        if seconds < 0:
            raise ValueError("The clock only moves forward.")
        return self.advance_to(self.now() + timedelta(seconds=seconds))

    def advance_to(self, when: datetime) -> datetime:
        """Move the clock forward to ``when`` and run what becomes due; raises ValueError if that is backward."""
        target = when.astimezone(UTC)
        if target < self.now():
            raise ValueError("The clock only moves forward.")
        self._run_until(target)
        self._rebase(target)
        return target

    def at(self, when: datetime, name: str, fn: Due) -> None:
        """Run ``fn`` when the clock reaches ``when``; equal times keep the order in which they were asked for."""
        heapq.heappush(self._heap, (when.astimezone(UTC), next(self._order), name, fn))

    def run_due(self) -> None:
        """Run every callback whose time has come; called at the start of each request."""
        if self._heap and self._pinned is None and self._heap[0][0] <= (now := self.now()):
            self._run_until(now)

    def next_due(self) -> datetime | None:
        """Return when the next callback is due, or None; a simulation jumps there when it has nothing else to do."""
        return self._heap[0][0] if self._heap else None

    def restart(self, start: datetime) -> None:
        """Begin again at ``start`` with nothing due; used when the world is replaced."""
        self._heap.clear()
        self._rebase(start.astimezone(UTC))

    def state(self) -> ClockState:
        """Return what the control plane shows."""
        return ClockState(
            now=self.now(), frozen=self._frozen, speed=self._speed, next_due=self.next_due(), due=len(self._heap)
        )

    def _rebase(self, now: datetime) -> None:
        self._base = now
        self._since = self._monotonic()

    def _run_until(self, target: datetime) -> None:
        try:
            while self._heap and self._heap[0][0] <= target:
                when, _, _, fn = heapq.heappop(self._heap)
                # a callback asked for a time already past runs "now", never backward
                self._pinned = max(when, self._pinned) if self._pinned is not None else max(when, self._base)
                fn()
        finally:
            self._pinned = None


async def rest(seconds: float) -> None:
    """Let real seconds pass; only for faults that are to be felt by a waiting client."""
    await asyncio.sleep(seconds)
