"""The product's clocks (time room): with ``partner_center_emulator.clock`` the only modules that look at the machine.

``SystemClock`` trusts the machine. ``ServerClock`` follows the ``Date`` header of Microsoft's answers, so that a wrong
laptop clock cannot break the same-day rule and an emulator with a moved clock just works (DESIGN 6). ``ManualClock``
stands still until somebody sleeps or moves it: for tests and rehearsals.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache

# Date counts whole seconds, so half a second of doubt is always there; within one more second we keep our own count.
_TOLERANCE = timedelta(seconds=1)
_HALF_A_SECOND = timedelta(seconds=0.5)
# A step back of up to this is jitter and is waited out; a larger one is a server clock that was set back, and is true.
_JITTER = timedelta(seconds=60)


def _system_now() -> datetime:
    return datetime.now(UTC)


def _elapsed() -> float:
    """Seconds since some moment, those a laptop slept included: Linux stops its usual timer meanwhile."""
    counts_sleep = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if counts_sleep is None else time.clock_gettime(counts_sleep)


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The present as the machine knows it, aware UTC."""
        return _system_now()

    async def sleep(self, seconds: float) -> None:
        """Let this many real seconds pass."""
        await asyncio.sleep(max(0.0, seconds))


class ServerClock:
    """A clock that follows the server's once an answer was seen, and the machine's until then.

    Between answers it counts with the machine's monotonic timer, so setting the machine's clock changes nothing.
    ``system`` and ``monotonic`` (seconds) are replaced in tests.
    """

    def __init__(
        self, *, system: Callable[[], datetime] = _system_now, monotonic: Callable[[], float] = _elapsed
    ) -> None:
        self._system = system
        self._monotonic = monotonic
        self._anchor = system()
        self._since = monotonic()
        self._latest = self._anchor
        self._has_server_time = False

    @property
    def has_server_time(self) -> bool:
        """Whether any answer told us the server's time."""
        return self._has_server_time

    @property
    def offset_seconds(self) -> float:
        """How far the server's clock is ahead of the machine's, in seconds; 0.0 until the server's time is known."""
        if not self._has_server_time:
            return 0.0
        return (self._counted() - self._system()).total_seconds()

    def now(self) -> datetime:
        """The present, aware UTC; never runs backward, unless the server's clock was set back by over a minute."""
        self._latest = max(self._latest, self._counted())
        return self._latest

    def observe(self, date_header_value: str, round_trip_seconds: float = 0.0) -> None:
        """Learn from the ``Date`` header of an answer that took ``round_trip_seconds`` from sending to its last byte.

        The header says when the answer was written: one second to the left of the dot, and up to a round trip ago.
        Only a clock outside that window (and one second of doubt) is set anew. A header that is no date is ignored.
        """
        written_at = _parsed(date_header_value)
        if written_at is None:
            return
        round_trip = timedelta(seconds=max(0.0, round_trip_seconds))
        counted = self._counted()
        latest_possible = written_at + 2 * _HALF_A_SECOND + round_trip
        if self._has_server_time and written_at - _TOLERANCE <= counted <= latest_possible + _TOLERANCE:
            return
        self._anchor = written_at + _HALF_A_SECOND + round_trip / 2
        self._since = self._monotonic()
        if not self._has_server_time or self._latest - self._anchor > _JITTER:
            self._latest = self._anchor
        self._has_server_time = True

    async def sleep(self, seconds: float) -> None:
        """Let this many real seconds pass."""
        await asyncio.sleep(max(0.0, seconds))

    def _counted(self) -> datetime:
        return self._anchor + timedelta(seconds=self._monotonic() - self._since)


class ManualClock:
    """A clock that moves only when somebody sleeps or moves it. ``slept`` lists every sleep, in seconds.

    ``on_move`` is told how many seconds passed, so that an emulator in the same process can be moved along.
    """

    def __init__(self, start: datetime, *, on_move: Callable[[float], object] | None = None) -> None:
        self._now = start.astimezone(UTC)
        self._on_move = on_move
        self.slept: list[float] = []

    def now(self) -> datetime:
        """The time it was set to, aware UTC."""
        return self._now

    def move(self, seconds: float) -> None:
        """Let ``seconds`` pass at once; ValueError for a move backward."""
        if seconds < 0:
            raise ValueError("A clock only moves forward.")
        self._move_to(self._now + timedelta(seconds=seconds))

    async def sleep(self, seconds: float) -> None:
        """Pass ``seconds`` at once; sleepers that began together wake together, as on a real clock."""
        self.slept.append(seconds)
        wake_at = self._now + timedelta(seconds=max(0.0, seconds))
        await asyncio.sleep(0)
        if wake_at > self._now:
            self._move_to(wake_at)

    def _move_to(self, when: datetime) -> None:
        passed = (when - self._now).total_seconds()
        self._now = when
        if self._on_move is not None:
            self._on_move(passed)


@lru_cache(maxsize=8)  # hundreds of answers a second carry the same text
def _parsed(date_header_value: str) -> datetime | None:
    try:
        written_at = parsedate_to_datetime(date_header_value)
    except (TypeError, ValueError):
        return None
    return written_at.replace(tzinfo=UTC) if written_at.tzinfo is None else written_at.astimezone(UTC)
