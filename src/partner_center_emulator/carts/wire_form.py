"""How the wire shows carts (wire room, commerce reference 2.2)."""

from __future__ import annotations

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import ApiError
from partner_center_emulator.orders.new_commerce_form import wire_pricing
from partner_center_emulator.products.availability import find_product, find_sku, parse_item_id, plan_of
from partner_center_emulator.products.prices import price_of
from partner_center_emulator.state.commerce import Cart, CartFault, CartLine
from partner_center_emulator.wire import Json, attributes, self_link, wire_date, wire_time, without_nulls


def wire_cart(emulator: Emulator, cart: Cart) -> Json:
    """Return one Cart."""
    return {
        "id": cart.id,
        "creationTimestamp": wire_time(cart.created_at),
        "lastModifiedTimestamp": wire_time(cart.changed_at),
        "expirationTimestamp": wire_time(cart.expires_at),
        "lastModifiedUser": cart.changed_by,
        "status": cart.status,
        "lineItems": [_wire_line(emulator, line) for line in cart.lines],
        "partnerOnRecordAttestationAccepted": cart.attestation_accepted,
        "links": self_link(f"/customers/{cart.customer_id}/carts/{cart.id}"),
        "attributes": attributes("Cart"),
    }


def _wire_line(emulator: Emulator, line: CartLine) -> Json:
    return without_nulls(
        {
            "id": line.id,
            "catalogItemId": line.catalog_item_id,
            "friendlyName": line.friendly_name or None,
            "quantity": line.quantity,
            "currencyCode": line.currency or None,
            "billingCycle": line.billing_cycle,
            "termDuration": line.term_duration or None,
            "customTermEndDate": wire_date(line.custom_term_end) if line.custom_term_end else None,
            "promotionId": line.promotion_id or None,
            "participants": line.participants or None,
            "provisioningContext": line.provisioning_context or None,
            "addonItems": [_wire_line(emulator, add_on) for add_on in line.add_on_lines] or None,
            "renewsTo": {"termDuration": line.renews_to} if line.renews_to else None,
            "orderGroup": line.order_group or None,
            "pricing": _pricing(emulator, line),
            "error": _wire_fault(line.fault) if line.fault else None,
        }
    )


def _pricing(emulator: Emulator, line: CartLine) -> Json | None:
    """Return the price of a new-commerce line without faults; the legacy catalog has no prices on the wire."""
    if line.fault is not None or ":" not in line.catalog_item_id:
        return None
    product_id, sku_id, _ = parse_item_id(line.catalog_item_id)
    try:
        sku = find_sku(find_product(emulator, product_id), sku_id)
    except ApiError:  # the catalog has changed since the cart was filled
        return None
    plan = plan_of(sku, line.term_duration, line.billing_cycle)
    if plan is None and not line.term_duration:
        plan = next((row for row in sku.plans if row.billing_cycle == line.billing_cycle), None)
    if plan is None:
        return None
    price = price_of(plan, line.currency, emulator.world.commerce.promotions.get(line.promotion_id))
    return wire_pricing(str(price.list_price), str(price.unit_price), str(price.prorated_price), line.quantity)


def _wire_fault(fault: CartFault) -> Json:
    body: Json = {"errorCode": str(fault.code), "errorDescription": fault.description}
    if fault.available is not None:
        body["additionalInformation"] = {
            "availableQuantity": fault.available,
            "purchasedQuantity": fault.purchased or 0,
        }
    return body
