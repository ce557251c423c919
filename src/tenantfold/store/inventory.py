"""Store: the ``Inventory`` half of the ledger: snapshots, written once and read as the book of customers.

Everything here can be read again from Partner Center, so its commits need not reach the disk one by one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from functools import partial

from tenantfold.domain.facts import TenantFacts
from tenantfold.domain.model import (
    Customer,
    CustomerId,
    Offer,
    Sku,
    Subscription,
    SubscriptionId,
    Tenant,
    TenantId,
)
from tenantfold.domain.reads import Read
from tenantfold.domain.records import BookEntry, Snapshot
from tenantfold.store import book, looked_up, snapshots
from tenantfold.store.database import Database


class InventoryStore:
    """Snapshots of partner tenants. Implements ``flow.ports.Inventory``; all methods may raise StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save_tenant(self, tenant: Tenant) -> None:
        """Keep a partner tenant's facts (upsert by id)."""
        await self._database.write(lambda conn: snapshots.save_tenant(conn, tenant), durable=False)

    async def tenants(self) -> tuple[Tenant, ...]:
        """The partner tenants known: sources by key, the target last."""
        return await self._database.read(snapshots.tenants)

    async def open_snapshot(self, tenant_id: TenantId, now: datetime) -> Snapshot:
        """Continue the tenant's unfinished snapshot, or begin the next number (1, 2, ... per tenant)."""
        return await self._database.write(lambda conn: snapshots.open_snapshot(conn, tenant_id, now), durable=False)

    async def save_customer_page(
        self, snapshot: Snapshot, customers: Sequence[Read[Customer]], next_link: str | None
    ) -> None:
        """Keep one page; ``next_link`` None means that the list is complete. ConflictError on a closed snapshot."""
        await self._database.write(
            lambda conn: snapshots.save_customer_page(conn, snapshot, customers, next_link), durable=False
        )

    async def customers_to_read(self, snapshot: Snapshot, limit: int) -> tuple[CustomerId, ...]:
        """Customers whose details and subscriptions are still missing, in id order."""
        return await self._database.read(lambda conn: snapshots.customers_to_read(conn, snapshot, limit))

    async def save_customers(
        self, snapshot: Snapshot, customers: Sequence[tuple[Read[Customer], Sequence[Read[Subscription]]]]
    ) -> None:
        """Keep the details and subscriptions of some customers in one unit; saving one again replaces them."""
        await self._database.write(lambda conn: snapshots.save_customers(conn, snapshot, customers), durable=False)

    async def save_unread_customer(self, snapshot: Snapshot, customer_id: CustomerId, reason: str) -> None:
        """Keep that this customer could not be read, and why (invariant 9)."""
        await self._database.write(
            lambda conn: snapshots.save_unread_customer(conn, snapshot, customer_id, reason), durable=False
        )

    async def save_offers(self, snapshot: Snapshot, country: str, offers: Sequence[Read[Offer]]) -> None:
        """Keep the catalog of one country with the snapshot; saving it again replaces it."""
        await self._database.write(lambda conn: snapshots.save_offers(conn, snapshot, country, offers), durable=False)

    async def save_facts(self, snapshot: Snapshot, facts: Sequence[TenantFacts]) -> None:
        """Keep what was looked up beside the subscriptions of some listed customers; saving one again replaces it."""
        await self._database.write(lambda conn: looked_up.save_facts(conn, snapshot, facts), durable=False)

    async def facts_ever_seen(self, customer_id: CustomerId) -> Sequence[TenantFacts]:
        """What all inventories looked up of a customer beside its subscriptions, oldest first."""
        return await self._database.read(lambda conn: looked_up.facts_ever_seen(conn, customer_id))

    async def save_skus(self, snapshot: Snapshot, country: str, skus: Sequence[Read[Sku]]) -> None:
        """Keep the new-commerce SKUs of one country with the snapshot; saving it again replaces it."""
        await self._database.write(lambda conn: looked_up.save_skus(conn, snapshot, country, skus), durable=False)

    async def skus(self, snapshot: Snapshot, country: str) -> Mapping[str, Sku]:
        """New-commerce SKUs by ``PRODUCT:SKU`` sold in a country, as the snapshot holds them."""
        return await self._database.read(lambda conn: looked_up.skus(conn, snapshot, country))

    async def license_countries(self) -> tuple[str, ...]:
        """The countries of the source customers who hold licenses, new commerce or legacy, in order."""
        return await self._database.read(looked_up.license_countries)

    async def source_countries(self) -> tuple[str, ...]:
        """The countries of all source customers in the newest snapshots, in order."""
        return await self._database.read(book.source_countries)

    async def active_at_sources(self, ids: Sequence[CustomerId]) -> frozenset[CustomerId]:
        """Which of these customers hold something active at a source, by its newest snapshot."""
        return await self._database.read(lambda conn: book.active_at_sources(conn, ids))

    async def planned_to_move(self, ids: Sequence[CustomerId]) -> frozenset[CustomerId]:
        """Which of these customers the newest plan moves, or would but for a blocker; nobody without a plan."""
        return await self._database.read(lambda conn: looked_up.planned_to_move(conn, ids))

    async def complete_snapshot(self, snapshot: Snapshot, now: datetime) -> Snapshot:
        """Close a snapshot: from now on plans may rest on it. SnapshotIncompleteError while it has gaps."""
        completed = await self._database.write(
            lambda conn: snapshots.complete_snapshot(conn, snapshot, now), durable=True
        )
        await self._database.refresh_statistics()
        return completed

    async def newest_snapshot(self, tenant_id: TenantId) -> Snapshot | None:
        """The newest snapshot of a tenant, complete or not."""
        return await self._database.read(lambda conn: snapshots.newest_snapshot(conn, tenant_id))

    async def book(self, chosen: Sequence[Snapshot]) -> AsyncIterator[BookEntry]:
        """All customers seen in any source snapshot, in id order, with what the target holds of them.

        Memory does not grow with the number of customers: a few hundred are held at a time.
        """
        after = ""
        while True:
            entries = await self._database.read(
                partial(book.book_batch, snapshots=chosen, after=after, limit=book.BOOK_BATCH)
            )
            for entry in entries:
                yield entry
            if len(entries) < book.BOOK_BATCH:
                return
            after = entries[-1].customer_id

    async def book_entry(self, chosen: Sequence[Snapshot], customer_id: CustomerId) -> BookEntry | None:
        """One customer of the book; None when no source snapshot has it."""
        return await self._database.read(lambda conn: book.book_entry(conn, chosen, customer_id))

    async def catalog(self, snapshot: Snapshot, country: str) -> Mapping[str, Offer]:
        """Offers by id sold in a country, as the snapshot holds them; empty when that catalog was not read."""
        return await self._database.read(lambda conn: book.catalog(conn, snapshot, country))

    async def document(
        self, snapshot: Snapshot, customer_id: CustomerId, subscription_id: SubscriptionId | None = None
    ) -> bytes | None:
        """The JSON a customer, or one of its subscriptions, was read from; None when the snapshot lacks it."""
        return await self._database.read(lambda conn: book.document(conn, snapshot, customer_id, subscription_id))

    async def find_customers(self, text: str) -> tuple[tuple[CustomerId, str], ...]:
        """Up to 50 customers whose id, company name or domain matches (exact id or domain first), with name."""
        return await self._database.read(lambda conn: book.find_customers(conn, text))
