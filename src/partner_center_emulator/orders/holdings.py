"""What a customer's tenant already holds of new commerce, over all its partners (model room).

Seats of a pooled SKU, concurrent and lifetime limits, prerequisites of add-ons and the 300 subscriptions count for the
customer's tenant, whoever sold them (R-74, R-123, R-124). Orders that are not provisioned yet count as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.index import LIVE_STATUSES, CommerceIndex
from partner_center_emulator.world import Customer


class Holding(msgspec.Struct, frozen=True):
    """One new-commerce subscription, or a line of an order on its way to become one."""

    key: str  # product:sku
    quantity: int
    status: str
    promotions: tuple[str, ...]
    subscription_id: str = ""
    tenant_id: str = ""  # the partner tenant that sold it


class Holdings:
    """Everything of new commerce in one customer's tenant, and how many legacy subscriptions are live there."""

    def __init__(self, emulator: Emulator, customer: Customer) -> None:
        self.rows = [*_held(emulator, customer), *_on_the_way(emulator, customer)]
        terms = emulator.world.commerce.terms
        self._live_legacy = sum(
            found.status in LIVE_STATUSES and found.id not in terms and not found.moved_to
            for found in emulator.derived(CommerceIndex).held_by(customer.id)
        )

    def live(self, key: str) -> list[Holding]:
        """Return the active and suspended ones of a ``product:sku``."""
        return [row for row in self.rows if row.key == key and row.status in LIVE_STATUSES]

    def seats(self, key: str) -> int:
        """Return the seats of a ``product:sku`` in use."""
        return sum(row.quantity for row in self.live(key))

    def ever(self, key: str) -> int:
        """Return how many subscriptions of a ``product:sku`` there ever were; deleted ones count (R-127)."""
        return sum(row.key == key for row in self.rows)

    def owns_any(self, keys: Iterable[str]) -> bool:
        """Whether the tenant has an active subscription of one of these ``product:sku``."""
        wanted = set(keys)
        return any(row.key in wanted and row.status == "active" for row in self.rows)

    def redemptions(self, promotion_id: str) -> int:
        """Return how often a promotion was used; a cancelled purchase has used it up (R-127)."""
        return sum(row.promotions.count(promotion_id) for row in self.rows)

    def count(self) -> int:
        """Return how many live subscriptions of both generations the tenant has."""
        return self._live_legacy + sum(row.status in LIVE_STATUSES for row in self.rows)


def _held(emulator: Emulator, customer: Customer) -> Iterator[Holding]:
    terms = emulator.world.commerce.terms
    for found in emulator.derived(CommerceIndex).held_by(customer.id):
        facts = terms.get(found.id)
        if facts is not None and not found.moved_to:
            key = f"{facts.product_id}:{facts.sku_id}"
            yield Holding(key, found.quantity, found.status, tuple(facts.promotions_used), found.id, found.tenant_id)


def _on_the_way(emulator: Emulator, customer: Customer) -> Iterator[Holding]:
    commerce = emulator.world.commerce
    for order_id in commerce.pending_orders:
        order = emulator.world.orders[order_id]
        if order.customer_id != customer.id:
            continue
        for line, facts in zip(order.lines, commerce.orders[order_id].lines, strict=True):
            promotions = (facts.promotion_id,) if facts.promotion_id else ()
            key = f"{facts.product_id}:{facts.sku_id}"
            yield Holding(key, line.quantity, "active", promotions, "", order.tenant_id)
