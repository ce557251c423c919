"""Store: writing snapshots, and what is asked about them while they are written. Functions over a connection."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, func, insert, select, update

from tenantfold.domain.model import Customer, CustomerId, Offer, Subscription, Tenant, TenantId, TenantRole
from tenantfold.domain.reads import Read
from tenantfold.domain.records import Snapshot
from tenantfold.errors import ConflictError, SnapshotIncompleteError, StoreError
from tenantfold.store import codec, tables
from tenantfold.store.statements import bulk_insert, insert_if_absent, upsert, upsert_many

LISTED, READ, UNREAD = "listed", "read", "unread"

_snapshot = tables.snapshot.c
_customer = tables.snapshot_customer.c
_held = tables.snapshot_subscription.c
_ROW = select(tables.snapshot).where(
    _snapshot.tenant_id == bindparam("tenant_id"), _snapshot.number == bindparam("number")
)
_READ_BEFORE = select(_customer.customer_id).where(
    _customer.snapshot_id == bindparam("snapshot_id"),
    _customer.customer_id.in_(bindparam("customer_ids", expanding=True)),
    _customer.state != LISTED,
)
_DROP_HELD = delete(tables.snapshot_subscription).where(
    _held.snapshot_id == bindparam("snapshot_id"), _held.customer_id == bindparam("customer_id")
)


def save_tenant(conn: Connection, tenant: Tenant) -> None:
    """Keep a partner tenant's facts."""
    row = {"id": tenant.id, "key": tenant.key, "role": tenant.role.value, "value": codec.to_json(tenant)}
    upsert(conn, tables.tenant, row)


def tenants(conn: Connection) -> tuple[Tenant, ...]:
    """All partner tenants: sources by key, the target last."""
    column = tables.tenant.c
    rows = conn.execute(select(column.value).order_by(column.role == TenantRole.TARGET.value, column.key, column.id))
    return tuple(codec.tenants(rows.scalars()))


def open_snapshot(conn: Connection, tenant_id: TenantId, now: datetime) -> Snapshot:
    """Continue the tenant's unfinished snapshot, or begin the next number. StoreError for an unknown tenant."""
    newest = newest_snapshot(conn, tenant_id)
    if newest is not None and newest.completed_at is None:
        return newest
    if conn.execute(select(tables.tenant.c.id).where(tables.tenant.c.id == tenant_id)).first() is None:
        raise StoreError(f"The ledger does not know the tenant {tenant_id}; save it first.", tenant_id=tenant_id)
    opened = Snapshot(number=newest.number + 1 if newest else 1, tenant_id=tenant_id, started_at=now)
    conn.execute(
        insert(tables.snapshot).values(
            tenant_id=tenant_id,
            number=opened.number,
            started_at=now,
            customers_listed=False,
            customers=0,
            subscriptions=0,
            unread_customers=0,
        )
    )
    return opened


def newest_snapshot(conn: Connection, tenant_id: TenantId) -> Snapshot | None:
    """The newest snapshot of a tenant with its counts, complete or not."""
    query = select(tables.snapshot).where(_snapshot.tenant_id == tenant_id).order_by(_snapshot.number.desc()).limit(1)
    row = conn.execute(query).first()
    return None if row is None else _read_snapshot(conn, row)


def complete_snapshot(conn: Connection, snapshot: Snapshot, now: datetime) -> Snapshot:
    """Close a snapshot and freeze its counts. SnapshotIncompleteError while anything of it is still unread."""
    row = open_row(conn, snapshot)
    waiting = _count(conn, tables.snapshot_customer, _customer.snapshot_id == row.id, _customer.state == LISTED)
    if not row.customers_listed or waiting:
        raise SnapshotIncompleteError(
            f"Snapshot {snapshot.number} of tenant {snapshot.tenant_id} is not read to its end: "
            + (f"{waiting} customers are still to be read." if row.customers_listed else "the customer list goes on."),
            next_step="Run: tenantfold inventory (it continues where it stopped).",
            tenant_id=snapshot.tenant_id,
            number=snapshot.number,
        )
    counts = _counts(conn, row.id)
    conn.execute(update(tables.snapshot).where(_snapshot.id == row.id).values(completed_at=now, **counts))
    return _read_snapshot(conn, conn.execute(select(tables.snapshot).where(_snapshot.id == row.id)).one())


def save_customer_page(
    conn: Connection, snapshot: Snapshot, customers: Sequence[Read[Customer]], next_link: str | None
) -> None:
    """Keep a page of the customer list; customers that are in already keep what is known of them."""
    row = open_row(conn, snapshot)
    rows = [_customer_row(row.id, read, LISTED) for read in customers]
    insert_if_absent(conn, tables.snapshot_customer, rows, ["snapshot_id", "customer_id"])
    conn.execute(
        update(tables.snapshot)
        .where(_snapshot.id == row.id)
        .values(next_link=next_link, customers_listed=next_link is None)
    )


def customers_to_read(conn: Connection, snapshot: Snapshot, limit: int) -> tuple[CustomerId, ...]:
    """The next customers whose details are missing, in id order."""
    query = (
        select(_customer.customer_id)
        .where(_customer.snapshot_id == snapshot_id(conn, snapshot), _customer.state == LISTED)
        .order_by(_customer.customer_id)
        .limit(limit)
    )
    return tuple(CustomerId(found) for found in conn.execute(query).scalars())


def save_customers(
    conn: Connection, snapshot: Snapshot, customers: Sequence[tuple[Read[Customer], Sequence[Read[Subscription]]]]
) -> None:
    """Keep the details of some customers and exactly these subscriptions of each."""
    row = open_row(conn, snapshot)
    if not customers:
        return
    ids = [customer.value.id for customer, _ in customers]
    read_before = conn.execute(_READ_BEFORE, {"snapshot_id": row.id, "customer_ids": ids}).scalars().all()
    for customer_id in read_before:  # what it held then goes
        conn.execute(_DROP_HELD, {"snapshot_id": row.id, "customer_id": customer_id})
    upsert_many(conn, tables.snapshot_customer, [_customer_row(row.id, customer, READ) for customer, _ in customers])
    bulk_insert(
        conn,
        tables.snapshot_subscription,
        [
            (
                row.id,
                customer.value.id,
                read.value.id,
                read.value.offer_id,
                read.value.license_count,
                read.value.wire_status,
                codec.to_json(read.value),
                read.document,
            )
            for customer, subscriptions in customers
            for read in subscriptions
        ],
    )


def save_unread_customer(conn: Connection, snapshot: Snapshot, customer_id: CustomerId, reason: str) -> None:
    """Keep that a listed customer could not be read, and why. StoreError when it is not in the list."""
    row = open_row(conn, snapshot)
    changed = conn.execute(
        update(tables.snapshot_customer)
        .where(_customer.snapshot_id == row.id, _customer.customer_id == customer_id)
        .values(state=UNREAD, reason=reason)
    )
    if not changed.rowcount:
        raise StoreError(
            f"Customer {customer_id} is not in snapshot {snapshot.number} of tenant {snapshot.tenant_id}.",
            customer_id=customer_id,
        )


def save_offers(conn: Connection, snapshot: Snapshot, country: str, offers: Sequence[Read[Offer]]) -> None:
    """Keep the catalog of a country, replacing what was kept of it in this snapshot."""
    row = open_row(conn, snapshot)
    kept = tables.snapshot_offer.c
    insert_if_absent(
        conn, tables.snapshot_catalog, [{"snapshot_id": row.id, "country": country}], ["snapshot_id", "country"]
    )
    conn.execute(delete(tables.snapshot_offer).where(kept.snapshot_id == row.id, kept.country == country))
    rows = [(row.id, country, read.value.id, codec.to_json(read.value), read.document) for read in offers]
    bulk_insert(conn, tables.snapshot_offer, rows)


def snapshot_id(conn: Connection, snapshot: Snapshot) -> int:
    """The row of a snapshot. StoreError when the ledger does not hold it."""
    return int(_row(conn, snapshot).id)


def _row(conn: Connection, snapshot: Snapshot) -> Row[Any]:
    row = conn.execute(_ROW, {"tenant_id": snapshot.tenant_id, "number": snapshot.number}).first()
    if row is None:
        raise StoreError(
            f"The ledger holds no snapshot {snapshot.number} of tenant {snapshot.tenant_id}.",
            tenant_id=snapshot.tenant_id,
            number=snapshot.number,
        )
    return row


def open_row(conn: Connection, snapshot: Snapshot) -> Row[Any]:
    """The row of a snapshot that is being written. ConflictError when it is complete."""
    row = _row(conn, snapshot)
    if row.completed_at is not None:
        raise ConflictError(
            f"Snapshot {snapshot.number} of tenant {snapshot.tenant_id} is complete; nothing may change in it.",
            tenant_id=snapshot.tenant_id,
            number=snapshot.number,
        )
    return row


def _read_snapshot(conn: Connection, row: Row[Any]) -> Snapshot:
    catalog = tables.snapshot_catalog.c
    countries = conn.execute(
        select(catalog.country).where(catalog.snapshot_id == row.id).order_by(catalog.country)
    ).scalars()
    skus = tables.snapshot_sku_catalog.c
    sku_countries = conn.execute(
        select(skus.country).where(skus.snapshot_id == row.id).order_by(skus.country)
    ).scalars()
    frozen = {name: getattr(row, name) for name in ("customers", "subscriptions", "unread_customers")}
    counts = frozen if row.completed_at is not None else _counts(conn, row.id)
    return Snapshot(
        number=row.number,
        tenant_id=row.tenant_id,
        started_at=row.started_at,
        completed_at=row.completed_at,
        customers_listed=row.customers_listed,
        next_link=row.next_link,
        offer_countries=tuple(countries),
        sku_countries=tuple(sku_countries),
        **counts,
    )


def _counts(conn: Connection, row_id: int) -> dict[str, int]:
    return {
        "customers": _count(conn, tables.snapshot_customer, _customer.snapshot_id == row_id),
        "subscriptions": _count(conn, tables.snapshot_subscription, _held.snapshot_id == row_id),
        "unread_customers": _count(
            conn, tables.snapshot_customer, _customer.snapshot_id == row_id, _customer.state == UNREAD
        ),
    }


def _count(conn: Connection, table: Any, *conditions: ColumnElement[bool]) -> int:  # noqa: ANN401 - any table
    return conn.execute(select(func.count()).select_from(table).where(*conditions)).scalar_one()


def _customer_row(row_id: int, read: Read[Customer], state: str) -> dict[str, object]:
    customer = read.value
    return {
        "snapshot_id": row_id,
        "customer_id": customer.id,
        "state": state,
        "reason": "",
        "company_name": customer.company_name,
        "domain": customer.domain,
        "country": customer.country,
        "search_text": f"{customer.company_name}\n{customer.domain}".casefold(),
        "value": codec.to_json(customer),
        "document": read.document,
    }
