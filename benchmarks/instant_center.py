"""A Partner Center without HTTP that answers at once: what is left of a cutover's CPU time is the product's own."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from uuid import UUID

from benchmarks.made_book import SOURCE, TARGET, entries
from tenantfold.domain.model import (
    AgreementContact,
    CustomerId,
    OrderId,
    OrderLine,
    PlacedLine,
    PlacedOrder,
    Subscription,
    SubscriptionId,
    TenantId,
)
from tenantfold.domain.reads import Read

DOCUMENT = b"{" + b" " * 1_200 + b"}"  # as long as Partner Center's answers are


@dataclass(slots=True)
class Sides:
    """What both tenants hold. ``cpu_seconds`` is what pretending took, ``writes`` how many calls changed something."""

    held: dict[tuple[TenantId, CustomerId], dict[SubscriptionId, Subscription]]
    numbers: int = 0
    writes: int = 0
    reads: int = 0
    cpu_seconds: float = 0.0

    @contextmanager
    def pretending(self) -> Iterator[None]:
        """Time spent inside is not the product's."""
        began = time.thread_time()
        yield
        self.cpu_seconds += time.thread_time() - began


def sides(customers: int) -> Sides:
    """The made book at the source, and nothing at the target."""
    held: dict[tuple[TenantId, CustomerId], dict[SubscriptionId, Subscription]] = {}
    for entry in entries(customers):
        held[SOURCE, entry.customer_id] = {one.id: replace(one, etag="1") for one in entry.subscriptions}
        held[TARGET, entry.customer_id] = {}
    return Sides(held)


@dataclass(frozen=True, slots=True)
class InstantCenter:
    """One tenant's Partner Center: the part of ``flow.partner_center.PartnerCenter`` that a plain cutover calls."""

    tenant_id: TenantId
    sides: Sides
    agreed: set[CustomerId] = field(default_factory=set)

    async def subscriptions(self, customer_id: CustomerId) -> tuple[Read[Subscription], ...]:
        """A fresh list."""
        with self.sides.pretending():
            self.sides.reads += 1
            held = self.sides.held[self.tenant_id, customer_id]
            return tuple(Read(value=one, document=DOCUMENT) for one in held.values())

    async def has_agreement(self, customer_id: CustomerId) -> bool:
        """Whether it was attested."""
        return customer_id in self.agreed

    async def attest_agreement(self, customer_id: CustomerId, contact: AgreementContact, request_id: UUID) -> None:
        """Keep it."""
        del contact, request_id
        self.sides.writes += 1
        self.agreed.add(customer_id)

    async def place_order(
        self, customer_id: CustomerId, billing_cycle: str, lines: Sequence[OrderLine], request_id: UUID
    ) -> PlacedOrder:
        """Create one active subscription a line."""
        del request_id
        with self.sides.pretending():
            self.sides.writes += 1
            self.sides.numbers += 1
            order_id = OrderId(f"made-order-{self.sides.numbers}")
            placed = [self._placed(customer_id, billing_cycle, line, order_id) for line in lines]
            return PlacedOrder(id=order_id, status="completed", lines=tuple(placed))

    async def suspend(self, customer_id: CustomerId, read: Read[Subscription], request_id: UUID) -> Read[Subscription]:
        """Suspend one."""
        del request_id
        with self.sides.pretending():
            self.sides.writes += 1
            suspended = replace(read.value, wire_status="suspended", etag=f"{read.value.etag}+")
            self.sides.held[self.tenant_id, customer_id][suspended.id] = suspended
            return Read(value=suspended, document=DOCUMENT)

    def _placed(self, customer_id: CustomerId, cycle: str, line: OrderLine, order_id: OrderId) -> PlacedLine:
        self.sides.numbers += 1
        made = Subscription(
            id=SubscriptionId(f"{self.sides.numbers:08x}-0000-4000-8000-000000000003"),
            tenant_id=self.tenant_id,
            customer_id=customer_id,
            offer_id=line.offer_id,
            offer_name=line.offer_id,
            friendly_name=line.friendly_name,
            license_count=line.license_count,
            wire_status="active",
            billing_type="license",
            billing_cycle=cycle,
            order_id=order_id,
            partner_id_on_record=line.partner_id_on_record,
        )
        self.sides.held[self.tenant_id, customer_id][made.id] = made
        return PlacedLine(offer_id=made.offer_id, license_count=made.license_count, subscription_id=made.id)


def centers(known: Sides) -> Mapping[TenantId, InstantCenter]:
    """Both tenants."""
    return {tenant_id: InstantCenter(tenant_id, known) for tenant_id in (SOURCE, TARGET)}
