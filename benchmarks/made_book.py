"""The customers that several benchmarks plan, move and report: five legacy subscriptions each, all ready to move."""

from __future__ import annotations

from collections.abc import Iterator

from tenantfold.domain.model import (
    Customer,
    CustomerId,
    Offer,
    OfferId,
    OrderId,
    Subscription,
    SubscriptionId,
    Tenant,
    TenantId,
    TenantRole,
)
from tenantfold.domain.preflight import PlanContext
from tenantfold.domain.records import BookEntry
from tenantfold.domain.regions import RegionMap

SOURCE = TenantId("00000000-0000-4000-8000-000000000001")
TARGET = TenantId("00000000-0000-4000-8000-000000000002")
OFFERS = tuple(OfferId(f"{number:08X}-0000-4000-8000-000000000000") for number in range(20))
SUBSCRIPTIONS = 5
SOURCE_TENANT = Tenant(id=SOURCE, key="se", role=TenantRole.SOURCE, name="Source", country="SE")
TARGET_TENANT = Tenant(
    id=TARGET, key="target", role=TenantRole.TARGET, name="Target", country="IE", partner_id="4711001"
)
REGIONS = RegionMap({"SE": "Europe", "IE": "Europe"})


def context() -> PlanContext:
    """One source and one target tenant, twenty offers, all on sale."""
    offers: dict[str, Offer] = {
        offer: Offer(
            id=offer,
            name=f"Offer {number}",
            country="SE",
            is_available=True,
            is_add_on=False,
            is_trial=False,
            minimum_quantity=1,
            maximum_quantity=10_000,
            billing_cycles=("monthly", "annual"),
        )
        for number, offer in enumerate(OFFERS)
    }
    return PlanContext(
        target=TARGET_TENANT,
        sources={SOURCE: SOURCE_TENANT},
        catalog={"SE": offers},
        mapping={},
        regions=REGIONS,
        counterparts={},
        contacts={},
    )


def entries(customers: int) -> Iterator[BookEntry]:
    """The book of customers, one at a time, in the order of their ids."""
    for number in range(customers):
        customer_id = CustomerId(f"{number:08x}-0000-4000-8000-000000000001")
        seen = Customer(
            id=customer_id,
            tenant_id=SOURCE,
            company_name=f"Customer {number}",
            domain=f"customer{number}.example",
            relationship="reseller",
            country="SE",
        )
        held = tuple(subscription(customer_id, number, position) for position in range(SUBSCRIPTIONS))
        yield BookEntry(customer_id=customer_id, seen=(seen,), subscriptions=held)


def subscription(customer_id: CustomerId, number: int, position: int) -> Subscription:
    """One active legacy subscription."""
    offer = (number + position) % len(OFFERS)
    return Subscription(
        id=SubscriptionId(f"{number:08x}-{position:04x}-4000-8000-000000000002"),
        tenant_id=SOURCE,
        customer_id=customer_id,
        offer_id=OFFERS[offer],
        offer_name=f"Offer {offer}",
        friendly_name="",
        license_count=1 + number % 300,
        wire_status="active",
        billing_type="license",
        billing_cycle="monthly",
        order_id=OrderId(f"order-{number}"),
    )
