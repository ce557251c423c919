"""Store: what a rehearsal reads (the inventory with its documents), its throwaway copy of the ledger, its prediction.

The copy is made row by row through SQLAlchemy, so that a ledger on PostgreSQL is rehearsed on SQLite, too. Snapshots
stay behind: the twin world is made of them, and a run never looks at them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import msgspec
from sqlalchemy import Connection, Table, func, insert, select

from tenantfold.domain.model import Customer, CustomerId, Offer, Sku, Subscription, SubscriptionId
from tenantfold.domain.plan import Disposition, PlanItem
from tenantfold.domain.prediction import Prediction
from tenantfold.domain.reads import Read
from tenantfold.domain.records import Snapshot
from tenantfold.store import codec, tables
from tenantfold.store.database import Database
from tenantfold.store.plans import plan_customer
from tenantfold.store.snapshots import READ, snapshot_id

KEPT_BATCH = 500  # customers with their documents in memory at a time
_COPY_BATCH = 1_000
_IDS = 500  # ids in one statement
# What was read, and rows that are about processes of this machine: a run needs none of it.
_LEFT_BEHIND = frozenset(
    {
        tables.snapshot.name,
        tables.snapshot_customer.name,
        tables.snapshot_subscription.name,
        tables.snapshot_catalog.name,
        tables.snapshot_offer.name,
        tables.snapshot_fact.name,
        tables.snapshot_sku_catalog.name,
        tables.snapshot_sku.name,
        tables.worker.name,
        tables.rehearsal.name,
        tables.run_holder.name,
    }
)
_PREDICTION = msgspec.json.Decoder(Prediction)

_customer = tables.snapshot_customer.c
_held = tables.snapshot_subscription.c
_rehearsal = tables.rehearsal.c


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCustomer:
    """One customer of a snapshot with its documents; ``is_read`` False: only the list said something about it."""

    customer: Read[Customer]
    subscriptions: tuple[Read[Subscription], ...]
    is_read: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRehearsal:
    """A prediction and when it was made (the ledger's time)."""

    id: int
    at: datetime
    prediction: Prediction


class Rehearsals:
    """The part of a ledger that rehearsals need; all methods may raise StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def kept_customers(self, snapshot: Snapshot) -> AsyncIterator[KeptCustomer]:
        """Everybody in a snapshot in id order, with documents; a few hundred in memory at a time."""
        after = ""
        while True:
            batch = await self._database.read(partial(_kept_batch, snapshot=snapshot, after=after))
            for kept in batch:
                yield kept
            if len(batch) < KEPT_BATCH:
                return
            after = batch[-1].customer.value.id

    async def kept_offers(self, snapshot: Snapshot, country: str) -> list[Read[Offer]]:
        """The catalog of a country as a snapshot holds it, with documents, in id order."""
        return await self._database.read(partial(_kept_offers, snapshot=snapshot, country=country))

    async def customers_to_move(self, plan_id: int) -> tuple[CustomerId, ...]:
        """The customers a plan moves, in id order."""
        return await self._database.read(partial(_customers_to_move, plan_id=plan_id))

    async def accepted_customers(self) -> frozenset[CustomerId]:
        """Customers whose acceptance the ledger has noted."""
        return await self._database.read(_accepted_customers)

    async def kept_skus(self, snapshot: Snapshot, country: str) -> list[Read[Sku]]:
        """The new-commerce catalog of a country as a snapshot holds it, with documents, in id order."""
        return await self._database.read(partial(_kept_skus, snapshot=snapshot, country=country))

    async def ordered_items(self, source_ids: Sequence[SubscriptionId]) -> dict[SubscriptionId, PlanItem]:
        """The newest plan items of these source subscriptions that say what is ordered for them at the target."""
        return await self._database.read(partial(_ordered_items, source_ids=source_ids))

    async def copy_to(self, copy: Database) -> None:
        """Fill an empty ledger with everything of this one that a run needs. This one is only read.

        All rows come from one consistent transaction, also while somebody else writes.
        """
        if not copy.inline:
            raise ValueError("A throwaway copy is written inline.")
        await self._database.read(lambda conn: _copy(conn, copy))

    async def save(self, plan_id: int, prediction: Prediction, now: datetime) -> StoredRehearsal:
        """Keep a prediction. The one thing a rehearsal writes."""
        value = codec.to_json(prediction)
        row_id = await self._database.write(
            lambda conn: _save(conn, plan_id, value, now),
            durable=False,  # it can be made again
        )
        return StoredRehearsal(id=row_id, at=now, prediction=prediction)

    async def newest(self, plan_id: int) -> StoredRehearsal | None:
        """The newest prediction for a plan, if there is one."""
        return await self._database.read(partial(_newest, plan_id=plan_id))

    async def begun_at(self, plan_id: int, since: datetime | None = None) -> datetime | None:
        """When the first write of a plan was intended, at all or ``since`` a time; None when there was none."""
        return await self._database.read(partial(_begun_at, plan_id=plan_id, since=since))


def _kept_batch(conn: Connection, snapshot: Snapshot, after: str) -> list[KeptCustomer]:
    row_id = snapshot_id(conn, snapshot)
    rows = conn.execute(
        select(_customer.customer_id, _customer.state, _customer.value, _customer.document)
        .where(_customer.snapshot_id == row_id, _customer.customer_id > after)
        .order_by(_customer.customer_id)
        .limit(KEPT_BATCH)
    ).all()
    held = _subscriptions(conn, row_id, [row.customer_id for row in rows])
    customers = codec.customers(row.value for row in rows)
    return [
        KeptCustomer(
            customer=Read(value=customer, document=bytes(row.document)),
            subscriptions=tuple(held[row.customer_id]),
            is_read=row.state == READ,
        )
        for customer, row in zip(customers, rows, strict=True)
    ]


def _subscriptions(conn: Connection, row_id: int, ids: Sequence[str]) -> defaultdict[str, list[Read[Subscription]]]:
    rows = conn.execute(
        select(_held.customer_id, _held.value, _held.document)
        .where(_held.snapshot_id == row_id, _held.customer_id.in_(ids))
        .order_by(_held.customer_id, _held.id)
    ).all()
    found: defaultdict[str, list[Read[Subscription]]] = defaultdict(list)
    for row, value in zip(rows, codec.subscriptions(row.value for row in rows), strict=True):
        found[row.customer_id].append(Read(value=value, document=bytes(row.document)))
    return found


def _kept_offers(conn: Connection, snapshot: Snapshot, country: str) -> list[Read[Offer]]:
    column = tables.snapshot_offer.c
    query = select(column.value, column.document).where(
        column.snapshot_id == snapshot_id(conn, snapshot), column.country == country
    )
    rows = conn.execute(query.order_by(column.offer_id)).all()
    values = codec.offers(row.value for row in rows)
    return [Read(value=value, document=bytes(row.document)) for value, row in zip(values, rows, strict=True)]


def _kept_skus(conn: Connection, snapshot: Snapshot, country: str) -> list[Read[Sku]]:
    column = tables.snapshot_sku.c
    query = select(column.value, column.document).where(
        column.snapshot_id == snapshot_id(conn, snapshot), column.country == country
    )
    rows = conn.execute(query.order_by(column.sku_id)).all()
    return [
        Read(value=value, document=bytes(row.document))
        for value, row in zip(codec.skus(row.value for row in rows), rows, strict=True)
    ]


def _customers_to_move(conn: Connection, plan_id: int) -> tuple[CustomerId, ...]:
    column = tables.plan_customer.c
    query = select(column.customer_id).where(column.plan_id == plan_id, column.disposition == Disposition.MOVE.value)
    return tuple(CustomerId(found) for found in conn.execute(query.order_by(column.customer_id)).scalars())


def _accepted_customers(conn: Connection) -> frozenset[CustomerId]:
    column = tables.progress.c
    query = select(column.customer_id).where(column.accepted_at.is_not(None))
    return frozenset(CustomerId(found) for found in conn.execute(query).scalars())


def _ordered_items(conn: Connection, source_ids: Sequence[SubscriptionId]) -> dict[SubscriptionId, PlanItem]:
    column = tables.plan_item.c
    where: dict[SubscriptionId, tuple[int, CustomerId]] = {}
    for start in range(0, len(source_ids), _IDS):
        query = (
            select(column.subscription_id, column.plan_id, column.customer_id)
            .where(column.subscription_id.in_(source_ids[start : start + _IDS]), column.target_offer_id.is_not(None))
            .order_by(column.plan_id)  # later plans write over earlier ones
        )
        where |= {SubscriptionId(row[0]): (int(row[1]), CustomerId(row[2])) for row in conn.execute(query)}
    found: dict[SubscriptionId, PlanItem] = {}
    for plan_id, customer_id in sorted(set(where.values())):
        planned = plan_customer(conn, plan_id, customer_id)
        for item in planned.items if planned is not None else ():
            if where.get(item.subscription_id) == (plan_id, customer_id):
                found[item.subscription_id] = item
    return found


def _copy(source: Connection, copy: Database) -> None:
    with copy.translating(), copy.write_engine.begin() as target:
        for table in tables.metadata.sorted_tables:
            if table.name not in _LEFT_BEHIND:
                _copy_table(source, target, table)


def _copy_table(source: Connection, target: Connection, table: Table) -> None:
    keys = list(table.primary_key.columns)
    rows = source.execution_options(yield_per=_COPY_BATCH).execute(select(table).order_by(*keys))
    for batch in rows.mappings().partitions():
        target.execute(insert(table), [dict(row) for row in batch])


def _save(conn: Connection, plan_id: int, value: str, now: datetime) -> int:
    done = conn.execute(insert(tables.rehearsal).values(plan_id=plan_id, at=now, value=value))
    (row_id,) = done.inserted_primary_key or (0,)
    return int(row_id)


def _newest(conn: Connection, plan_id: int) -> StoredRehearsal | None:
    query = select(tables.rehearsal).where(_rehearsal.plan_id == plan_id).order_by(_rehearsal.id.desc()).limit(1)
    row = conn.execute(query).first()
    if row is None:
        return None
    return StoredRehearsal(id=row.id, at=row.at, prediction=_PREDICTION.decode(row.value))


def _begun_at(conn: Connection, plan_id: int, since: datetime | None) -> datetime | None:
    column = tables.intent.c
    query = select(func.min(column.at)).where(column.plan_id == plan_id)
    return conn.execute(query if since is None else query.where(column.at >= since)).scalar()
