"""Store: the rate buckets all workers share: one row per partner tenant and resource, read and written as one unit.

A reservation locks its row (PostgreSQL) or has the only writer (SQLite), asks ``domain.rates`` and writes the answer.
It is not durable: after a power cut the worst that is lost is a second's worth of calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, bindparam, select, update

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
from tenantfold.store import tables
from tenantfold.store.database import Database
from tenantfold.store.statements import insert_if_absent

T = TypeVar("T")

_rate = tables.rate.c
_FIELDS = tuple(field.name for field in fields(Rate))
_KEY = (_rate.tenant_id == bindparam("tenant"), _rate.resource == bindparam("of_resource"))
_SELECT = select(*(_rate[name] for name in _FIELDS)).where(*_KEY).with_for_update()
_UPDATE = update(tables.rate).where(*_KEY).values({name: bindparam(name) for name in _FIELDS})


class StoredRates:
    """The rate book of the ledger. Implements ``partnercenter.ports.RateBook``; all methods may raise StoreError."""

    def __init__(self, database: Database, limit: Limit = PUBLISHED) -> None:
        self._database = database
        self._limit = limit
        self._seen: set[RateKey] = set()  # resources without a published limit that answered 429 all the same

    def is_limited(self, tenant_id: TenantId, resource: str) -> bool:
        """Whether a limit is published for the resource, or a 429 has shown one to this process."""
        return resource in LIMITED_RESOURCES or (tenant_id, resource) in self._seen

    async def reserve(
        self, tenant_id: TenantId, resource: str, wanted: int, now: datetime, *, urgent: bool, left: int
    ) -> Reservation:
        """Reserve slots from the shared bucket."""

        def change(rate: Rate) -> tuple[Reservation, Rate]:
            return reserve(measured(rate, left, now), self._limit, wanted, now, urgent=urgent)

        return await self._change((tenant_id, resource), now, change)

    async def throttled(
        self, tenant_id: TenantId, resource: str, retry_after_seconds: float, left_at: datetime, now: datetime
    ) -> datetime:
        """Slow the shared bucket down and pause it, for all workers."""

        def change(rate: Rate) -> tuple[datetime, Rate]:
            slower = throttled(rate, self._limit, retry_after_seconds, left_at, now)
            return slower.not_before or now, slower

        self._seen.add((tenant_id, resource))
        return await self._change((tenant_id, resource), now, change)

    async def _change(self, key: RateKey, now: datetime, change: Callable[[Rate], tuple[T, Rate]]) -> T:
        work = partial(_change, key=key, unknown=fresh(self._limit, now), change=change)
        return await self._database.write(work, durable=False)


def rates(conn: Connection) -> Mapping[RateKey, Rate]:
    """What is known of every tenant and resource called so far, in key order."""
    rows = conn.execute(select(tables.rate).order_by(_rate.tenant_id, _rate.resource))
    return {(TenantId(row.tenant_id), row.resource): _read(row) for row in rows}


def _change(conn: Connection, key: RateKey, unknown: Rate, change: Callable[[Rate], tuple[T, Rate]]) -> T:
    """Read a bucket, change it and write it back; nobody else can in between."""
    tenant_id, resource = key
    at = {"tenant": tenant_id, "of_resource": resource}
    row = conn.execute(_SELECT, at).one_or_none()
    if row is None:
        new = {"tenant_id": tenant_id, "resource": resource, **_written(unknown)}
        insert_if_absent(conn, tables.rate, [new], ("tenant_id", "resource"))
        row = conn.execute(_SELECT, at).one()
    answer, rate = change(_read(row))
    conn.execute(_UPDATE, {**at, **_written(rate)})
    return answer


def _written(rate: Rate) -> dict[str, object]:
    return {name: getattr(rate, name) for name in _FIELDS}


def _read(row: Row[Any]) -> Rate:
    return Rate(**{name: getattr(row, name) for name in _FIELDS})
