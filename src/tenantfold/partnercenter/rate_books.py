"""Rate books that need no database (partnercenter room): one process' own, and one without limits.

The book that all workers share is the ledger's: ``store.rates``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from tenantfold.domain.model import TenantId
from tenantfold.domain.rates import (
    LIMITED_RESOURCES,
    PUBLISHED,
    Limit,
    Rate,
    RateKey,
    Reservation,
    fresh,
    measured,
    reserve,
    throttled,
)


class MemoryRateBook:
    """The rates of one process: for programs that use this package alone, and for tests."""

    def __init__(self, limit: Limit = PUBLISHED) -> None:
        self.limit = limit
        self._rates: dict[RateKey, Rate] = {}

    @property
    def rates(self) -> Mapping[RateKey, Rate]:
        """What is known of every tenant and resource called so far."""
        return self._rates

    def is_limited(self, tenant_id: TenantId, resource: str) -> bool:
        """Whether a limit is published for the resource, or a 429 has shown one."""
        return resource in LIMITED_RESOURCES or (tenant_id, resource) in self._rates

    async def reserve(  # the protocol's
        self, tenant_id: TenantId, resource: str, wanted: int, now: datetime, *, urgent: bool, left: int
    ) -> Reservation:
        """Reserve slots from the bucket in memory."""
        known = measured(self._rate(tenant_id, resource, now), left, now)
        reservation, rate = reserve(known, self.limit, wanted, now, urgent=urgent)
        self._rates[tenant_id, resource] = rate
        return reservation

    async def throttled(
        self, tenant_id: TenantId, resource: str, retry_after_seconds: float, left_at: datetime, now: datetime
    ) -> datetime:
        """Slow the bucket down and pause it."""
        rate = throttled(self._rate(tenant_id, resource, now), self.limit, retry_after_seconds, left_at, now)
        self._rates[tenant_id, resource] = rate
        return rate.not_before or now

    def _rate(self, tenant_id: TenantId, resource: str, now: datetime) -> Rate:
        return self._rates.get((tenant_id, resource)) or fresh(self.limit, now)


class NoLimits:
    """Limits nothing and learns nothing; only ``Retry-After`` is kept to. For emulators without limits."""

    def is_limited(self, tenant_id: TenantId, resource: str) -> bool:
        """Nothing is."""
        del tenant_id, resource
        return False

    async def reserve(  # the protocol's
        self, tenant_id: TenantId, resource: str, wanted: int, now: datetime, *, urgent: bool, left: int
    ) -> Reservation:
        """All that is wanted, at once."""
        del tenant_id, resource, urgent, left
        return Reservation(slots=(now,) * wanted)

    async def throttled(
        self, tenant_id: TenantId, resource: str, retry_after_seconds: float, left_at: datetime, now: datetime
    ) -> datetime:
        """The end of ``Retry-After``."""
        del tenant_id, resource, left_at
        return now + timedelta(seconds=retry_after_seconds)
