"""Writes the made book into a ledger as complete snapshots, as an inventory does, but many customers at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection

from benchmarks.made_book import SOURCE_TENANT, TARGET_TENANT, context, entries
from tenantfold.domain.model import Offer, Subscription, SubscriptionId, Tenant
from tenantfold.domain.reads import Read
from tenantfold.domain.records import BookEntry, Snapshot
from tenantfold.store import Store, snapshots

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
BATCH = 1_000
CUSTOMER_DOCUMENT = b"{" + b" " * 600 + b"}"  # as long as Partner Center's answers are
SUBSCRIPTION_DOCUMENT = b"{" + b" " * 1_200 + b"}"

Held = Callable[[BookEntry], Sequence[Subscription]]


def ledger(folder: Path) -> str:
    """The address of the ledger in a benchmark's folder."""
    return f"sqlite:///{folder / 'ledger.db'}"


async def write_source(store: Store, customers: int) -> None:
    """A complete snapshot of the source tenant: every customer with what it holds."""
    await _write(store, SOURCE_TENANT, entries(customers), lambda entry: entry.subscriptions)


async def write_target(store: Store, customers: int = 0, held: Held | None = None) -> None:
    """A complete snapshot of the target tenant, with its catalog of one country and what ``held`` says."""
    snapshot = await _write(store, TARGET_TENANT, entries(customers), held or nothing, close=False)
    offers: list[Read[Offer]] = [Read(value=one, document=b"{}") for one in context().catalog["SE"].values()]
    await store.save_offers(snapshot, "SE", offers)
    await store.complete_snapshot(snapshot, NOW)


def nothing(entry: BookEntry) -> list[Subscription]:
    """What the target holds of a customer that has not moved."""
    return [one for one in entry.subscriptions if one.tenant_id == TARGET_TENANT.id]


def moved(entry: BookEntry) -> list[Subscription]:
    """What the target holds of a customer that moved; every thousandth has a license too many of one offer."""
    copies = [
        replace(one, tenant_id=TARGET_TENANT.id, id=SubscriptionId(f"9{one.id[1:]}")) for one in entry.subscriptions
    ]
    if int(entry.customer_id[:8], 16) % 1_000 == 0:
        copies[0] = replace(copies[0], license_count=copies[0].license_count + 1)
    return copies


async def _write(
    store: Store, tenant: Tenant, stream: Iterable[BookEntry], held: Held, *, close: bool = True
) -> Snapshot:
    await store.save_tenant(tenant)
    snapshot = await store.open_snapshot(tenant.id, NOW)
    rest = iter(stream)
    while batch := list(islice(rest, BATCH)):
        await store.database.write(_saving(snapshot, tenant, batch, held), durable=False)
    await store.save_customer_page(snapshot, (), None)
    return await store.complete_snapshot(snapshot, NOW) if close else snapshot


def _saving(snapshot: Snapshot, tenant: Tenant, batch: list[BookEntry], held: Held) -> Callable[[Connection], None]:
    def save(conn: Connection) -> None:
        found = [
            (
                Read(value=replace(entry.seen[0], tenant_id=tenant.id), document=CUSTOMER_DOCUMENT),
                [Read(value=one, document=SUBSCRIPTION_DOCUMENT) for one in held(entry)],
            )
            for entry in batch
        ]
        snapshots.save_customers(conn, snapshot, found)

    return save
