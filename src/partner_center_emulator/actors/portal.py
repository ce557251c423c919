"""A person of the partner in the portal (world room): buys, ends, and lets run out what no program may touch.

Nothing of it carries a request id, so the truth ledger knows that no program did it.
"""

from __future__ import annotations

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.orders import new_commerce
from partner_center_emulator.orders.wanted import Request
from partner_center_emulator.products.availability import current_item, parse_item_id
from partner_center_emulator.servicerequests import models as service_requests
from partner_center_emulator.state.azure import ServiceRequest
from partner_center_emulator.state.transfers import Transfer
from partner_center_emulator.subscriptions.terms import record_change
from partner_center_emulator.transfers import models as transfers
from partner_center_emulator.world import Order, PartnerTenant, Subscription


def buy_alike(emulator: Emulator, tenant: PartnerTenant, like: Subscription) -> Order:
    """Buy at a tenant what a customer holds elsewhere: same product, seats, term and billing cycle.

    Raises KeyError for a subscription without new-commerce terms, ApiError for what Microsoft refuses.
    """
    terms = emulator.world.commerce.terms[like.id]
    customer = emulator.world.customers[like.customer_id]
    product_id, sku_id, _ = parse_item_id(like.offer_id)
    item = current_item(emulator, f"{product_id}:{sku_id}", customer.address.country, terms.segment)
    wish = Request(
        number=0,
        catalog_item_id=item.catalog_item_id,
        quantity=like.quantity,
        billing_cycle=like.billing_cycle,
        term_duration=terms.term_duration,
        friendly_name=like.friendly_name,
        partner_id=like.partner_id_on_record,
    )
    return new_commerce.buy(emulator, tenant, customer, [wish], "")


def end(emulator: Emulator, subscription: Subscription) -> None:
    """End a new-commerce subscription: inside its window, or by Microsoft's support afterwards (R-142, R-143)."""
    record_change(emulator, subscription, "", "cancelImmediate", status="deleted", auto_renew=False)


def choose_end_of_term(emulator: Emulator, subscription: Subscription) -> None:
    """Say in the portal that a subscription ends with its term instead of going on extended (commerce 3.7)."""
    emulator.world.commerce.terms[subscription.id].end_action = "cancel"
    record_change(emulator, subscription, "", auto_renew=False)


def cancel_marketplace(emulator: Emulator, subscription: Subscription) -> int:
    """Cancel the marketplace products of others below an Azure plan, so that it may move (R-169); returns how many."""
    having = [
        one
        for one in emulator.world.azure.entitlements.values()
        if one.subscription_id == subscription.id and one.has_marketplace_items
    ]
    for one in having:
        one.has_marketplace_items = False
    return len(having)


def hand_off(
    emulator: Emulator, tenant: PartnerTenant, target: PartnerTenant, subscription_ids: list[str]
) -> ServiceRequest:
    """Write to Microsoft's support as the current partner: move these usage-based subscriptions (R-179, R-180)."""
    rows = [emulator.world.subscriptions[one] for one in subscription_ids]
    names = sorted({emulator.world.customers[row.customer_id].company_name for row in rows})
    draft = service_requests.Draft(
        title="Change of Cloud Solution Provider",
        description=f"Please move the Azure subscriptions of {', '.join(names)} to {target.company_name}.",
        customer_id=rows[0].customer_id if rows else None,
        subscription_ids=subscription_ids,
        target_tenant_id=target.id,
    )
    return service_requests.open_request(emulator, tenant, draft)


def answer_transfer(emulator: Emulator, transfer: Transfer, *, rejects: bool) -> None:
    """Let somebody reject (as the source) or cancel (as the target) a transfer that still waits; raises ApiError."""
    side = transfer.source_tenant_id if rejects else transfer.target_tenant_id
    wish: dict[str, object] = {"status": "reject" if rejects else "cancel"}
    transfers.answer(emulator, transfer, side, wish, "", "somebody in the portal")
