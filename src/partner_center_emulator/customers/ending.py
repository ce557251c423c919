"""What keeps a customer with its partner, and the deletion of sandbox customers (core reference 5.7, 5.8)."""

from __future__ import annotations

from partner_center_emulator.coverage import behaviour
from partner_center_emulator.customers.models import RelationshipIndex
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import ApiError, refusal
from partner_center_emulator.index import CommerceIndex
from partner_center_emulator.world import Customer, PartnerTenant

behaviour(
    "PATCH /v1/customers/{customer}",
    source="documented",
    page="core 5.8",
    note="Active reservations and software that is not cancelled keep the relationship, as active subscriptions do; "
    "its end ends delegated admin relationships, too",
)
behaviour(
    "DELETE /v1/customers/{customer}",
    source="documented",
    page="core 5.7",
    note="Sandbox tenants only; reservations and software must be cancelled first",
)
behaviour(
    "DELETE /v1/customers/{customer}",
    source="assumed",
    page="core 5.7",
    note="Outside the sandbox 400 800042, with something left 400 3000; the customer's tenant is unknown afterwards",
)


def holdings(emulator: Emulator, tenant_id: str, customer_id: str) -> list[str]:
    """Return the reservations, savings plans and software of the customer that are not cancelled, by id."""
    found = [
        benefit.id
        for benefit in emulator.world.azure.benefits.values()
        if (benefit.tenant_id, benefit.customer_id, benefit.status) == (tenant_id, customer_id, "active")
    ]
    newer = emulator.world.commerce.orders
    for order in emulator.derived(CommerceIndex).orders_of(tenant_id, customer_id):
        lines = newer[order.id].lines if order.id in newer else ()
        if any("software" in line.product_type.lower() and not line.is_cancelled for line in lines):
            found.append(order.id)
    return found


def delete(emulator: Emulator, tenant: PartnerTenant, customer: Customer, request_id: str) -> None:
    """Delete a customer of the sandbox with everything it has.

    Raises 400 code 800042 outside the sandbox, 400 code 3000 while reservations or software are left.
    """
    if not tenant.is_sandbox:
        raise refusal(800042, "customers are deleted in the integration sandbox only")
    if holdings(emulator, tenant.id, customer.id):
        raise ApiError(400, 3000, "Cancel the customer's reservations and software first.")
    emulator.derived(RelationshipIndex).remove(emulator.world.relationships[f"{tenant.id}/{customer.id}"])
    emulator.world.people.deleted_customers.append(customer.id)
    emulator.record(
        "customer.deleted",
        tenant_id=tenant.id,
        customer_id=customer.id,
        subject_id=customer.id,
        request_id=request_id,
    )
