"""What a customer owns through a partner tenant besides subscriptions (model room, commerce reference 3.2)."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from partner_center_emulator.azure.index import AzureIndex
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.index import CommerceIndex


class Owned(msgspec.Struct, frozen=True, kw_only=True):
    """One entitlement of either kind."""

    kind: Literal["software", "reservedInstance"]
    product_id: str
    sku_id: str
    quantity: int
    order_id: str
    resource_id: str
    status: str
    expires_at: datetime | None


def owned(emulator: Emulator, tenant_id: str, customer_id: str) -> list[Owned]:
    """Return the reservations, then the perpetual software bought through a partner tenant, oldest first."""
    reservations = [
        Owned(
            kind="reservedInstance",
            product_id=row.product_id,
            sku_id=row.sku_id,
            quantity=row.quantity,
            order_id=row.order_id,
            resource_id=row.id,
            status=row.status,
            expires_at=row.ends_at,
        )
        for row in emulator.derived(AzureIndex).benefits_of(customer_id)
        if row.kind == "reservation" and row.tenant_id == tenant_id
    ]
    return reservations + _software(emulator, tenant_id, customer_id)


def _software(emulator: Emulator, tenant_id: str, customer_id: str) -> list[Owned]:
    found: list[Owned] = []
    for order in emulator.derived(CommerceIndex).orders_of(tenant_id, customer_id):
        new_order = emulator.world.commerce.orders.get(order.id)
        if new_order is None or new_order.provision_at is not None:
            continue
        quantities = {line.line_item_number: line.quantity for line in order.lines}
        found += [
            Owned(
                kind="software",
                product_id=line.product_id,
                sku_id=line.sku_id,
                quantity=quantities.get(line.line_item_number, 0),
                order_id=order.id,
                resource_id=f"{order.id}-{line.line_item_number}",
                status="valid",
                expires_at=None,
            )
            for line in new_order.lines
            # perpetual: software without a term creates an entitlement and no subscription
            if line.product_type == "Software" and not line.term_duration and not line.is_cancelled
        ]
    return found
