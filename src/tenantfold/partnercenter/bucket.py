"""What one process knows of one partner tenant and resource (partnercenter room): who waits, its slots, its pauses.

A bucket decides nothing about time by itself: the ``Budget`` asks it, with the present in hand, and carries out.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from tenantfold.domain.model import TenantId
from tenantfold.domain.rates import LATE_SECONDS

_LATE = timedelta(seconds=LATE_SECONDS)
_EARLY = timedelta(milliseconds=1)  # timers are no finer
_FAR_AHEAD = timedelta(seconds=15)  # what lies further ahead was noted before the clock was set back
_LOW_WATER = timedelta(seconds=0.4)  # new slots are asked for while the last ones still lie so far ahead
_VERDICT = timedelta(seconds=2)  # how long calls under way may show that only one customer is throttled
_STORM = timedelta(seconds=60)  # 429s to two customers within this time mean the tenant
_NEVER = datetime.min.replace(tzinfo=UTC)


class Caller(Protocol):
    """A call under way: whose it is and when it left."""

    customer_id: str
    left_at: datetime


@dataclass(slots=True, eq=False)
class Waiter:
    """A call that waits. ``key``: the urgent lane (0) by deadline, then the normal one (1); in order of coming."""

    key: tuple[int, float, int]
    customer_id: str
    future: asyncio.Future[None]

    @property
    def is_urgent(self) -> bool:
        """Whether it waits in the urgent lane."""
        return self.key[0] == 0


@dataclass(slots=True)
class Suspicion:
    """A 429 of which nobody knows yet whether it means the customer or the whole tenant."""

    customer_id: str
    left_at: datetime
    until: datetime
    decide_at: datetime


class Bucket:
    """The calls of this process to one resource of one partner tenant."""

    def __init__(self, tenant_id: TenantId, resource: str, *, is_limited: bool) -> None:
        self.tenant_id = tenant_id
        self.resource = resource
        self.is_limited = is_limited
        self.is_calm = True  # nobody was ever turned away: nothing to look at
        self.not_before = _NEVER
        self.suspicion: Suspicion | None = None
        self.under_way: set[Caller] = set()
        self.left = 0  # since the last reservation
        self.live = 0  # waiting and not cancelled
        self.task: asyncio.Task[None] | None = None
        self.naps_until: datetime | None = None
        self.asking: asyncio.Task[None] | None = None
        self._waiting: list[tuple[tuple[int, float, int], Waiter]] = []
        self._parked: list[tuple[datetime, int, Waiter]] = []
        self._slots: deque[datetime] = deque()
        self._ask_at = _NEVER
        self._asked_urgent = False
        self._pauses: dict[str, datetime] = {}
        self._refused_at: dict[str, datetime] = {}
        self._witness = ("", _NEVER)  # whose call went well and left last

    # --- who waits ---

    def push(self, waiter: Waiter) -> None:
        """Queue a call."""
        heapq.heappush(self._waiting, (waiter.key, waiter))
        self.live += 1

    def forget(self) -> None:
        """A queued call was cancelled; it is dropped when it comes up."""
        self.live -= 1
        if self.live == 0:
            self._waiting.clear()
            self._parked.clear()

    def head(self, now: datetime) -> Waiter | None:
        """Who is next: first in its lane, and its customer may call."""
        while self._parked and self._parked[0][0] <= now:
            waiter = heapq.heappop(self._parked)[2]
            heapq.heappush(self._waiting, (waiter.key, waiter))
        while self._waiting:
            waiter = self._waiting[0][1]
            until = self._pauses.get(waiter.customer_id) if self._pauses else None
            if waiter.future.done():
                heapq.heappop(self._waiting)
            elif until is not None and until > now:
                heapq.heappop(self._waiting)
                heapq.heappush(self._parked, (until, waiter.key[2], waiter))
            else:
                return waiter
        return None

    def take(self, waiter: Waiter) -> None:
        """Let the head go, with the slot that is due."""
        heapq.heappop(self._waiting)
        self.live -= 1
        self.take_slot()
        waiter.future.set_result(None)

    def fail(self, error: Exception) -> None:
        """Tell everybody who waits that the rates cannot be known."""
        waiting = [waiter for _, waiter in self._waiting] + [waiter for _, _, waiter in self._parked]
        self._waiting.clear()
        self._parked.clear()
        self.live = 0
        for waiter in waiting:
            if not waiter.future.done():
                waiter.future.set_exception(error)

    # --- slots ---

    def has_slot(self, now: datetime) -> bool:
        """Whether a call may leave now as far as the limit goes; slots nobody used in time are dropped."""
        if not self.is_limited:
            return True
        slots = self._slots
        while slots and slots[0] + _LATE < now:
            slots.popleft()
        if slots and slots[0] - now > _FAR_AHEAD:
            slots.clear()
        return bool(slots) and slots[0] - _EARLY <= now

    def take_slot(self) -> None:
        """Use the slot that is due."""
        if self.is_limited:
            self._slots.popleft()
            self.left += 1

    def add_slots(self, slots: tuple[datetime, ...], ask_at: datetime, *, urgent: bool) -> None:
        """Keep what was reserved; with nothing, nobody asks before ``ask_at``, but the urgent lane for the normal."""
        self._slots.extend(slots)
        self._ask_at, self._asked_urgent = ask_at, urgent

    def wanted(self, now: datetime, lead: timedelta) -> int:
        """How many slots to reserve now, 0 for none."""
        ask_at = self._next_ask(now, lead)
        if ask_at is None or ask_at > now:
            return 0
        return self.live - len(self._parked) - len(self._slots)

    def _next_ask(self, now: datetime, lead: timedelta) -> datetime | None:
        head = self.head(now)
        if (
            self.asking is not None
            or not self.is_limited
            or head is None
            or self.live - len(self._parked) <= len(self._slots)
        ):
            return None
        at = self._slots[-1] - _LOW_WATER - lead if self._slots else now
        overtakes = head.is_urgent and not self._asked_urgent
        return at if overtakes or self._ask_at - now > _FAR_AHEAD else max(at, self._ask_at)

    # --- pauses ---

    def is_held(self, now: datetime) -> bool:
        """Whether nobody may leave: ``Retry-After`` has not passed, or a 429 is not understood yet."""
        return not self.is_calm and (self.suspicion is not None or self.not_before > now)

    def admits(self, customer_id: str, now: datetime) -> bool:
        """Whether nothing holds this customer's calls back."""
        return self.is_calm or (not self.is_held(now) and self._pauses.get(customer_id, _NEVER) <= now)

    def next_step(self, now: datetime, lead: timedelta) -> datetime | None:
        """When something has to be done for those who wait; None: nothing but a free place can help them."""
        if not self.live:
            return None
        if self.suspicion is not None:
            return self.suspicion.decide_at
        if self.not_before > now:
            return self.not_before
        head, has_slot = self.head(now), self.has_slot(now)
        steps = [self._parked[0][0]] if self._parked else []
        if head is not None and not has_slot:
            steps += list(self._slots)[:1]
            ask_at = self._next_ask(now, lead)
            steps += [ask_at] if ask_at is not None else []
        return min(steps, default=None)

    # --- who was turned away ---

    def vouch(self, caller: Caller) -> bool:
        """Note a call that went well; True when it clears the tenant of the suspicion."""
        if caller.left_at >= self._witness[1]:
            self._witness = (caller.customer_id, caller.left_at)
        suspicion = self.suspicion
        if suspicion is None or not _speaks(caller, suspicion.customer_id, suspicion.left_at):
            return False
        self.suspicion = None
        return True

    def accuse(self, caller: Caller, until: datetime, now: datetime) -> bool:
        """Note a 429; True when it means the whole tenant, and everybody is held already.

        Its customer is paused in any case. Another customer's call that left no earlier and went well shows that the
        limit is the customer's; while such calls are under way, all wait for the verdict.
        """
        self.is_calm = False
        customer_id = caller.customer_id
        self._refused_at = {one: at for one, at in self._refused_at.items() if now - at < _STORM}
        others = any(one != customer_id for one in self._refused_at)
        self._refused_at[customer_id] = now
        if customer_id:
            self._pauses = {one: end for one, end in self._pauses.items() if end > now}
            self._pauses[customer_id] = max(until, self._pauses.get(customer_id, until))
            if not others and caller.left_at >= self.not_before:
                if self._witness[0] != customer_id and self._witness[1] >= caller.left_at:
                    return False
                if self._witnesses(customer_id, caller.left_at):
                    self.suspicion = self.suspicion or Suspicion(customer_id, caller.left_at, until, now + _VERDICT)
                    self.suspicion.until = max(self.suspicion.until, until)
                    return False
        self.condemn(max(until, self.suspicion.until) if self.suspicion is not None else until)
        return True

    def condemn(self, until: datetime) -> None:
        """Hold the whole tenant until then."""
        self.suspicion = None
        self.not_before = max(self.not_before, until)
        self._slots.clear()

    def has_witnesses(self) -> bool:
        """Whether a call under way may still clear the tenant."""
        return self.suspicion is not None and self._witnesses(self.suspicion.customer_id, self.suspicion.left_at)

    def _witnesses(self, customer_id: str, left_at: datetime) -> bool:
        return any(_speaks(caller, customer_id, left_at) for caller in self.under_way)


def _speaks(caller: Caller, customer_id: str, left_at: datetime) -> bool:
    """Whether how this call went says something about the tenant of a customer's call that was turned away."""
    return caller.customer_id != customer_id and caller.left_at >= left_at
