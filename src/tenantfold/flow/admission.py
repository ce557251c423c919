"""The gate in front of a customer's cutover: it begins only when it can end today beside everything that is open."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tenantfold.domain.admission import (
    Demand,
    KnownRates,
    Load,
    Rates,
    demand_of,
    held_refusal,
    late_today,
    load_of,
    may_begin,
    together,
)
from tenantfold.domain.guards import Refusal
from tenantfold.domain.model import CustomerId, TenantId
from tenantfold.domain.policy import Policy
from tenantfold.domain.records import Case
from tenantfold.flow.ports import Clock, Waves

# how long a count of what is open is believed: a small part of the day that is left, so that it is newest when it
# matters; others may let customers in meanwhile, at most as many as make calls in that time
FRESH_PART = 1 / 200
FRESH_FOR = (1.0, 30.0)  # seconds, at least and at most
ABOUT_TO_BEGIN = timedelta(minutes=2)  # an admitted customer's first write shows in the ledger within this time


@dataclass(frozen=True, slots=True)
class _Admitted:
    """A customer this process let in: what it needs, when, and whether the last count of what is open had it."""

    demand: Demand
    at: datetime
    counted: bool = False


class AdmissionGate:
    """Implements ``flow.ports.Gate`` over the ledger.

    What is open is counted every few seconds, not for every customer; those let in since are added, so that many that
    ask at once are not let in on the same free calls.
    """

    def __init__(
        self, waves: Waves, clock: Clock, policy: Policy, rates: Callable[[], Awaitable[Rates]], target_id: TenantId
    ) -> None:
        self._waves = waves
        self._clock = clock
        self._policy = policy
        self._read_rates = rates
        self._rates: Rates = KnownRates(fallback=0.0)  # until the first count
        self._target_id = target_id
        self._lock = asyncio.Lock()
        self._open: Demand = {}
        self._counted_at: datetime | None = None
        self._admitted: dict[CustomerId, _Admitted] = {}

    async def refusal(self, case: Case) -> Refusal | None:
        """None when the customer is not held and its cutover can end today; else why not, with the numbers."""
        customer_id = case.customer.customer_id
        held = await self.held(case)
        if held is not None:
            return held
        async with self._lock:
            await self._count()
            demand = self._demand(load_of(case.customer))
            others = (one.demand for key, one in self._admitted.items() if not one.counted and key != customer_id)
            refused = may_begin(demand, together(self._open, *others), self._rates, self._clock.now(), self._policy)
            if refused is None:
                self._admitted[customer_id] = _Admitted(demand, self._clock.now())
            return refused

    async def held(self, case: Case) -> Refusal | None:
        """None when the customer is not held; else who holds it."""
        return held_refusal(await self._waves.held(case.customer.customer_id))

    async def _count(self) -> None:
        """Count what is open again when the last count is old; whoever was let in is part of it from then on."""
        now = self._clock.now()
        if self._counted_at is not None and timedelta(0) <= now - self._counted_at < self._fresh_for(now):
            return
        recent = {key: one for key, one in self._admitted.items() if now - one.at < ABOUT_TO_BEGIN}
        self._open = self._demand(await self._waves.open_load(tuple(recent)))
        self._admitted = {key: _Admitted(one.demand, one.at, counted=True) for key, one in recent.items()}
        self._rates = await self._read_rates()
        self._counted_at = now

    def _fresh_for(self, now: datetime) -> timedelta:
        least, most = FRESH_FOR
        left = (late_today(now, self._policy) - now).total_seconds()
        return timedelta(seconds=min(max(left * FRESH_PART, least), most))

    def _demand(self, load: Load) -> Demand:
        return demand_of(load, self._target_id)
