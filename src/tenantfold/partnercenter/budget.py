"""How fast this process may call (partnercenter room): two lanes, pauses after 429, how many calls are in flight.

One ``Budget`` is shared by all clients of a process. It reserves slots in a rate book, which all workers share, a
second's worth at a time, and gives them to the calls that wait: first those that must end today, by deadline, then the
others in order of coming (DESIGN 7). A part of the slots ahead and of the places in flight is kept for the first lane
while it is in use. A 429 pauses its customer, and its tenant unless other customers' calls go well at the same time.

Nothing polls: a bucket with somebody waiting has one task, which sleeps on the clock until the next slot or the end of
a pause; a bucket without has none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from tenantfold.domain.model import TenantId
from tenantfold.domain.rates import LATE_SECONDS, URGENT_SHARE, RateKey
from tenantfold.partnercenter.bucket import Bucket, Waiter
from tenantfold.partnercenter.ports import Clock, RateBook
from tenantfold.partnercenter.rate_books import MemoryRateBook

IN_FLIGHT = 64  # httpx2 slows down above about a hundred (measured)

_NO_LEAD = timedelta(0)
_SMALL_LEAD = timedelta(seconds=LATE_SECONDS / 2)
_LONGEST_LEAD = timedelta(seconds=10)
_LONGEST_WAIT = 10.0  # seconds until the book is asked again
_SHORTEST_NAP = 0.001

_deadline: ContextVar[float | None] = ContextVar("deadline of the urgent lane", default=None)


class Budget:
    """What all clients of a process share. Implements ``flow.ports.Lanes``.

    ``book`` is where rates are known; left out, it is this process' own with the published limits.
    """

    def __init__(self, clock: Clock, *, book: RateBook | None = None, in_flight: int = IN_FLIGHT) -> None:
        self._clock = clock
        self._book: RateBook = book if book is not None else MemoryRateBook()
        self._free = in_flight
        self._share = int(in_flight * URGENT_SHARE)  # places kept while the urgent lane is in use
        self._urgent = 0
        self._arrivals = 0
        self._lead = _NO_LEAD  # how long the book takes to answer
        self._buckets: dict[RateKey, Bucket] = {}
        self._starving: dict[Bucket, None] = {}  # their calls wait for a place in flight, not for time

    @contextmanager
    def urgent(self, deadline: datetime) -> Iterator[None]:
        """Calls begun inside go before all others, earlier deadlines first."""
        token = _deadline.set(deadline.timestamp())
        self._urgent += 1
        try:
            yield
        finally:
            _deadline.reset(token)
            self._urgent -= 1
            if self._urgent == 0:
                self._feed()  # the places that were kept are free for everybody

    def admission(self, tenant_id: TenantId, resource: str, customer_id: str = "") -> Admission:
        """Permission for one call, held while it is under way: ``async with budget.admission(...) as admission``."""
        bucket = self._buckets.get((tenant_id, resource))
        if bucket is None:
            bucket = Bucket(tenant_id, resource, is_limited=self._book.is_limited(tenant_id, resource))
            self._buckets[tenant_id, resource] = bucket
        return Admission(self, bucket, customer_id)

    def pause_left(self, tenant_id: TenantId, resource: str) -> float:
        """Seconds until calls of this tenant and resource may leave again; 0 when nothing is paused."""
        bucket = self._buckets.get((tenant_id, resource))
        return max(0.0, (bucket.not_before - self._clock.now()).total_seconds()) if bucket else 0.0

    def now(self) -> datetime:
        """The present."""
        return self._clock.now()

    # --- in and out ---

    async def enter(self, bucket: Bucket, customer_id: str) -> datetime:
        """Wait for a slot and a place in flight; returns the time of leaving. StoreError when the book fails."""
        deadline, now = _deadline.get(), self._clock.now()
        if (
            not bucket.live
            and self._free > self._kept(urgent=deadline is not None)
            and bucket.admits(customer_id, now)
            and bucket.has_slot(now)
        ):
            bucket.take_slot()
            self._free -= 1
            return now
        self._arrivals += 1
        key = (1, 0.0, self._arrivals) if deadline is None else (0, deadline, self._arrivals)
        waiter = Waiter(key, customer_id, asyncio.get_running_loop().create_future())
        bucket.push(waiter)
        self._serve(bucket)
        try:
            await waiter.future
        except asyncio.CancelledError:
            self._gave_up(bucket, waiter)
            raise
        return self._clock.now()

    def leave(self) -> None:
        """Give a place in flight back."""
        self._free += 1
        if self._starving:
            self._feed()

    async def blame(self, bucket: Bucket, until: datetime, left_at: datetime) -> None:
        """Tell the book that a whole tenant is throttled, and keep to what it says."""
        now = self._clock.now()
        asked = max(0.0, (until - now).total_seconds())
        bucket.condemn(await self._book.throttled(bucket.tenant_id, bucket.resource, asked, left_at, now))
        bucket.is_limited = self._book.is_limited(bucket.tenant_id, bucket.resource)
        self.attend(bucket)

    def attend(self, bucket: Bucket) -> None:
        """Let go who may, and see to it that the rest is thought of in time."""
        if bucket.live:
            self._serve(bucket)

    def _gave_up(self, bucket: Bucket, waiter: Waiter) -> None:
        if waiter.future.done() and not waiter.future.cancelled():
            if waiter.future.exception() is None:
                self.leave()  # its turn had come; the place is the next one's
            return
        bucket.forget()
        if not bucket.live:
            self._starving.pop(bucket, None)
            if bucket.task is not None and bucket.naps_until is not None:
                bucket.task.cancel()
                bucket.task = bucket.naps_until = None

    def _kept(self, *, urgent: bool) -> int:
        return self._share if self._urgent and not urgent else 0

    # --- serving ---

    def _feed(self) -> None:
        """Give free places to those who wait for one: the urgent lane first, then in order of coming."""
        now = self._clock.now()
        for bucket in [one for one in self._starving if one.head(now) is None]:
            self._serve(bucket)  # whoever waited there is paused by now: time wakes them, no place does
        while self._free > 0 and self._starving:
            heads = [(head.key, bucket) for bucket in self._starving if (head := bucket.head(now)) is not None]
            bucket = min(heads, key=lambda one: one[0])[1]
            self._serve(bucket)
            if bucket in self._starving:
                return

    def _serve(self, bucket: Bucket) -> None:
        now = self._clock.now()
        self._starving.pop(bucket, None)
        while not bucket.is_held(now) and (head := bucket.head(now)) is not None:
            if self._free <= self._kept(urgent=head.is_urgent):
                self._starving[bucket] = None
                return
            if not bucket.has_slot(now):
                break
            bucket.take(head)
            self._free -= 1
        self._rouse(bucket, now)

    def _rouse(self, bucket: Bucket, now: datetime) -> None:
        """Start the bucket's task, or wake it when something is to be done earlier than it thinks."""
        step = bucket.next_step(now, self._lead)
        if step is None:
            return
        if bucket.task is not None:
            if bucket.naps_until is None or bucket.naps_until <= step:
                return  # it is at work and will look again, or wakes early enough
            bucket.task.cancel()
        bucket.naps_until = None
        bucket.task = asyncio.get_running_loop().create_task(self._tend(bucket), name=f"budget {bucket.resource}")

    async def _tend(self, bucket: Bucket) -> None:
        """Reserve, serve and sleep, as long as somebody waits for more than a place in flight."""
        try:
            while (nap := await self._step(bucket)) is not None:
                await self._clock.sleep(max(nap, _SHORTEST_NAP))
                bucket.naps_until = None
        except Exception as error:  # noqa: BLE001  # whatever the clock or the book raises belongs to those who wait
            bucket.fail(error)
        finally:
            if bucket.task is asyncio.current_task():
                bucket.task = bucket.naps_until = None

    async def _step(self, bucket: Bucket) -> float | None:
        """Do what is due; returns the seconds until the next step, None when there is none."""
        now = self._clock.now()
        suspicion = bucket.suspicion
        if suspicion is not None and suspicion.decide_at <= now:
            bucket.condemn(suspicion.until)
            await self.blame(bucket, suspicion.until, suspicion.left_at)
        elif not bucket.is_held(now) and bucket not in self._starving and (wanted := bucket.wanted(now, self._lead)):
            # beside this task: slots come due while the book thinks
            asking = self._reserve(bucket, min(wanted, max(1, self._free)), now)
            bucket.asking = asyncio.get_running_loop().create_task(asking, name=f"reservation {bucket.resource}")
        self._serve(bucket)
        now = self._clock.now()
        bucket.naps_until = None if bucket in self._starving else bucket.next_step(now, self._lead)
        return None if bucket.naps_until is None else (bucket.naps_until - now).total_seconds()

    async def _reserve(self, bucket: Bucket, wanted: int, now: datetime) -> None:
        """Get slots. A book that is slow to answer is asked for slots that begin only when it will have answered."""
        lead = self._lead if self._lead > _SMALL_LEAD else _NO_LEAD
        head = bucket.head(now)
        urgent = head is not None and head.is_urgent
        left, bucket.left = bucket.left, 0
        try:
            reservation = await self._book.reserve(
                bucket.tenant_id, bucket.resource, wanted, now + lead, urgent=urgent, left=left
            )
        except Exception as error:  # noqa: BLE001  # whatever the book raises belongs to those who wait
            bucket.asking = None
            bucket.fail(error)
            return
        took = max(_NO_LEAD, self._clock.now() - now)
        self._lead = min(took, 2 * self._lead + _SMALL_LEAD, _LONGEST_LEAD)  # step by step: the clock may have jumped
        wait = 0.0 if reservation.slots else min(max(reservation.retry_seconds, _SHORTEST_NAP), _LONGEST_WAIT)
        ask_at = now + timedelta(seconds=wait)
        bucket.asking = None
        bucket.add_slots(reservation.slots, ask_at, urgent=urgent)
        self.attend(bucket)


class Admission:
    """One call's permission to leave; ``left_at`` is when it did. Say ``refused`` inside when the answer is 429."""

    __slots__ = ("_bucket", "_budget", "_retry_after", "customer_id", "left_at")

    left_at: datetime

    def __init__(self, budget: Budget, bucket: Bucket, customer_id: str) -> None:
        self._budget = budget
        self._bucket = bucket
        self.customer_id = customer_id
        self._retry_after: float | None = None

    async def __aenter__(self) -> Self:
        self.left_at = await self._budget.enter(self._bucket, self.customer_id)
        self._bucket.under_way.add(self)
        return self

    def refused(self, retry_after_seconds: float) -> None:
        """The call was answered with 429, to wait so long before it is made again."""
        self._retry_after = retry_after_seconds

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        bucket = self._bucket
        bucket.under_way.discard(self)
        blamed: tuple[datetime, datetime] | None = None
        if self._retry_after is not None:
            now = self._budget.now()
            until = now + timedelta(seconds=self._retry_after)
            if bucket.accuse(self, until, now):
                blamed = (bucket.not_before, self.left_at)
        elif error is None and bucket.vouch(self):
            self._budget.attend(bucket)
        suspicion = bucket.suspicion
        if suspicion is not None and not bucket.has_witnesses():
            blamed = (suspicion.until, suspicion.left_at)
            bucket.condemn(suspicion.until)
        self._budget.leave()
        if blamed is not None:
            await self._budget.blame(bucket, *blamed)
