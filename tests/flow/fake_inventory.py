"""A fake of the snapshots' side of the ledger, and a Partner Center that lists its customers in pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from tenantfold.domain.facts import TenantFacts, holds
from tenantfold.domain.model import (
    Customer,
    CustomerId,
    Offer,
    ProductKind,
    Sku,
    Subscription,
    Tenant,
    TenantId,
    TenantRole,
)
from tenantfold.domain.reads import Page, PartnerIdentity, Read
from tenantfold.domain.records import BookEntry, Snapshot
from tenantfold.domain.resellers import Reseller
from tenantfold.errors import RefusedError, TenantfoldError
from tests.flow.fakes import FakePartnerCenter


@dataclass
class Content:
    """What one snapshot holds."""

    listed: dict[CustomerId, Customer] = field(default_factory=dict)
    read: dict[CustomerId, tuple[Customer, tuple[Subscription, ...]]] = field(default_factory=dict)
    unread: dict[CustomerId, str] = field(default_factory=dict)
    offers: dict[str, dict[str, Offer]] = field(default_factory=dict)
    facts: dict[CustomerId, TenantFacts] = field(default_factory=dict)
    skus: dict[str, dict[str, Sku]] = field(default_factory=dict)


@dataclass
class FakeInventory:
    """Snapshots in memory, whole protocol. ``calls`` counts what was asked of it."""

    known: dict[TenantId, Tenant] = field(default_factory=dict)
    snapshots: dict[tuple[TenantId, int], Snapshot] = field(default_factory=dict)
    contents: dict[tuple[TenantId, int], Content] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    planned: frozenset[CustomerId] = frozenset()  # whom the newest plan is to move

    async def save_tenant(self, tenant: Tenant) -> None:
        """Keep it."""
        self.known[tenant.id] = tenant

    async def tenants(self) -> tuple[Tenant, ...]:
        """Target last."""
        return tuple(sorted(self.known.values(), key=lambda one: (one.role is TenantRole.TARGET, one.id)))

    async def open_snapshot(self, tenant_id: TenantId, now: datetime) -> Snapshot:
        """The unfinished one, or the next number."""
        newest = await self.newest_snapshot(tenant_id)
        if newest is not None and newest.completed_at is None:
            return newest
        snapshot = Snapshot(number=newest.number + 1 if newest else 1, tenant_id=tenant_id, started_at=now)
        self.contents[tenant_id, snapshot.number] = Content()
        return self._keep(snapshot)

    def _keep(self, snapshot: Snapshot) -> Snapshot:
        self.snapshots[snapshot.tenant_id, snapshot.number] = snapshot
        return snapshot

    def content(self, snapshot: Snapshot) -> Content:
        """What it holds, by tenant and number."""
        return self.contents[snapshot.tenant_id, snapshot.number]

    async def save_customer_page(
        self, snapshot: Snapshot, customers: Sequence[Read[Customer]], next_link: str | None
    ) -> None:
        """One page, again and again the same."""
        self.calls["pages"] += 1
        listed = self.content(snapshot).listed
        listed.update({read.value.id: read.value for read in customers})
        stored = self.snapshots[snapshot.tenant_id, snapshot.number]
        self._keep(replace(stored, customers=len(listed), customers_listed=next_link is None, next_link=next_link))

    async def customers_to_read(self, snapshot: Snapshot, limit: int) -> tuple[CustomerId, ...]:
        """In id order."""
        content = self.content(snapshot)
        return tuple(sorted(set(content.listed) - set(content.read) - set(content.unread)))[:limit]

    async def save_customers(
        self, snapshot: Snapshot, customers: Sequence[tuple[Read[Customer], Sequence[Read[Subscription]]]]
    ) -> None:
        """Details and subscriptions."""
        self.calls["saves"] += 1
        for customer, subscriptions in customers:
            held = tuple(read.value for read in subscriptions)
            self.content(snapshot).read[customer.value.id] = (customer.value, held)

    async def save_unread_customer(self, snapshot: Snapshot, customer_id: CustomerId, reason: str) -> None:
        """And why."""
        self.content(snapshot).unread[customer_id] = reason

    async def save_offers(self, snapshot: Snapshot, country: str, offers: Sequence[Read[Offer]]) -> None:
        """One country."""
        self.content(snapshot).offers[country] = {read.value.id: read.value for read in offers}
        stored = self.snapshots[snapshot.tenant_id, snapshot.number]
        self._keep(replace(stored, offer_countries=(*stored.offer_countries, country)))

    async def save_facts(self, snapshot: Snapshot, facts: Sequence[TenantFacts]) -> None:
        """By customer."""
        self.content(snapshot).facts.update({one.customer_id: one for one in facts})

    async def save_skus(self, snapshot: Snapshot, country: str, skus: Sequence[Read[Sku]]) -> None:
        """One country."""
        self.content(snapshot).skus[country] = {read.value.id: read.value for read in skus}
        stored = self.snapshots[snapshot.tenant_id, snapshot.number]
        self._keep(replace(stored, sku_countries=(*stored.sku_countries, country)))

    async def skus(self, snapshot: Snapshot, country: str) -> Mapping[str, Sku]:
        """By product and SKU."""
        return self.content(snapshot).skus.get(country, {})

    async def license_countries(self) -> tuple[str, ...]:
        """Of source customers with an active license, new commerce or legacy."""
        newest = [await self.newest_snapshot(one.id) for one in self.known.values() if one.role is TenantRole.SOURCE]
        read = [pair for one in newest if one is not None for pair in self.content(one).read.values()]
        kinds = frozenset({ProductKind.LICENSE, ProductKind.LEGACY_LICENSE})
        return tuple(sorted({customer.country for customer, held in read if holds(held, kinds)}))

    async def active_at_sources(self, ids: Sequence[CustomerId]) -> frozenset[CustomerId]:
        """By the newest snapshot of any source."""
        newest = [await self.newest_snapshot(one.id) for one in self.known.values() if one.role is TenantRole.SOURCE]
        held = [self.content(made).read.get(one, (None, ()))[1] for made in newest if made is not None for one in ids]
        return frozenset(one.customer_id for some in held for one in some if one.wire_status == "active")

    async def planned_to_move(self, ids: Sequence[CustomerId]) -> frozenset[CustomerId]:
        """Whoever a test says."""
        return self.planned.intersection(ids)

    async def source_countries(self) -> tuple[str, ...]:
        """Of all source customers in the newest snapshots."""
        found = set()
        for tenant in self.known.values():
            snapshot = await self.newest_snapshot(tenant.id)
            if tenant.role is TenantRole.SOURCE and snapshot is not None:
                found |= {customer.country for customer, _ in self.content(snapshot).read.values()}
        return tuple(sorted(found))

    async def complete_snapshot(self, snapshot: Snapshot, now: datetime) -> Snapshot:
        """Close it, with its counts."""
        content = self.content(snapshot)
        held = sum(len(subscriptions) for _, subscriptions in content.read.values())
        stored = self.snapshots[snapshot.tenant_id, snapshot.number]
        return self._keep(replace(stored, completed_at=now, subscriptions=held, unread_customers=len(content.unread)))

    async def newest_snapshot(self, tenant_id: TenantId) -> Snapshot | None:
        """By number."""
        numbers = [number for tenant, number in self.snapshots if tenant == tenant_id]
        return self.snapshots[tenant_id, max(numbers)] if numbers else None

    async def book(self, snapshots: Sequence[Snapshot]) -> AsyncIterator[BookEntry]:
        """Everybody some source holds."""
        sources = [one for one in snapshots if self.known[one.tenant_id].role is TenantRole.SOURCE]
        for customer_id in sorted({key for one in sources for key in self.content(one).listed}):
            entry = await self.book_entry(snapshots, customer_id)
            if entry is not None:
                yield entry

    async def book_entry(self, snapshots: Sequence[Snapshot], customer_id: CustomerId) -> BookEntry | None:
        """One of them."""
        contents = [(one.tenant_id, self.content(one)) for one in snapshots]
        here = [content for _, content in contents if customer_id in content.listed]
        if not here:
            return None
        return BookEntry(
            customer_id=customer_id,
            seen=tuple(one.read.get(customer_id, (one.listed[customer_id], ()))[0] for one in here),
            subscriptions=tuple(held for one in here if customer_id in one.read for held in one.read[customer_id][1]),
            unread=tuple((tenant, one.unread[customer_id]) for tenant, one in contents if customer_id in one.unread),
            looked_up=tuple(one.facts[customer_id] for one in here if customer_id in one.facts),
        )

    async def catalog(self, snapshot: Snapshot, country: str) -> Mapping[str, Offer]:
        """Offers by id."""
        return self.content(snapshot).offers.get(country, {})

    async def find_customers(self, text: str) -> tuple[tuple[CustomerId, str], ...]:
        """By part of the name."""
        found = {
            customer.id: customer.company_name
            for content in self.contents.values()
            for customer in content.listed.values()
            if text.casefold() in customer.company_name.casefold()
        }
        return tuple(sorted(found.items()))


@dataclass
class PagedPartnerCenter(FakePartnerCenter):
    """Lists customers a few at a time, under links that can lapse, and fails where it is told to."""

    page_size: int = 2
    lapsed: set[str] = field(default_factory=set)
    broken: dict[str, TenantfoldError] = field(default_factory=dict)  # a customer id, "page" or "offers"
    sold: dict[str, tuple[Offer, ...]] = field(default_factory=dict)
    sold_skus: dict[str, tuple[Sku, ...]] = field(default_factory=dict)
    roles: frozenset[str] = frozenset({"AdminAgents"})
    home: str = "IE"
    belongs_to: TenantId | None = None
    calls: Counter[str] = field(default_factory=Counter)

    async def identity(self) -> PartnerIdentity:
        """As told."""
        self._fail("identity")
        found = await super().identity()
        return replace(found, tenant_id=self.belongs_to or self.tenant_id, country=self.home, roles=self.roles)

    async def skus(self, country: str) -> tuple[Read[Sku], ...]:
        """As told."""
        self.calls[f"skus {country}"] += 1
        self._fail("skus")
        return tuple(Read(value=one, document=b"{}") for one in self.sold_skus.get(country, ()))

    async def relationship_url(self, reseller_id: TenantId | None = None) -> str:
        """As told."""
        self.calls["relationship_url"] += 1
        self._fail("relationship_url")
        return await super().relationship_url(reseller_id)

    async def resellers(self) -> tuple[Reseller, ...]:
        """As told."""
        self._fail("resellers")
        return await super().resellers()

    async def customer_page(self, next_link: str | None = None) -> Page[Read[Customer]]:
        """The link is the number of the first customer."""
        self.calls["pages"] += 1
        if self.calls["pages"] > 100:
            raise AssertionError("The list is read without end.")
        self._fail(f"page {next_link}")
        if next_link in self.lapsed:
            self.lapsed.discard(next_link)
            raise RefusedError("The continuation has lapsed.", code="1000")
        start = int(next_link or 0)
        everybody = self._customers()
        end = start + self.page_size
        return Page(items=tuple(everybody[start:end]), next_link=str(end) if end < len(everybody) else None)

    async def customer(self, customer_id: CustomerId) -> Read[Customer]:
        """With a country."""
        self.calls["customers"] += 1
        self._fail(customer_id)
        read = await super().customer(customer_id)
        return Read(value=replace(read.value, country="SE"), document=read.document)

    async def customers(self) -> AsyncIterator[Read[Customer]]:
        """All of them, counted as one walk."""
        self.calls["walks"] += 1
        async for read in super().customers():
            yield read

    async def offers(self, country: str) -> tuple[Read[Offer], ...]:
        """As told."""
        self.calls[f"offers {country}"] += 1
        return tuple(Read(value=one, document=b"{}") for one in self.sold.get(country, ()))

    def _fail(self, point: str) -> None:
        if point in self.broken:
            raise self.broken[point]
