"""Checkout of a cart (model room): one order per group, partial success, done once (commerce 2.1, 2.2).

A repeated checkout returns the first result; groups that failed are tried again.
"""

from __future__ import annotations

from collections.abc import Sequence

from partner_center_emulator.carts.models import LEGACY_GROUP, as_request
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import ApiError
from partner_center_emulator.orders.new_commerce import check_customer, check_room, place
from partner_center_emulator.orders.purchase import buy_add_ons, place_order
from partner_center_emulator.orders.wanted import LineFault, examine
from partner_center_emulator.state.commerce import Cart, CartLine, CheckoutFault, NewOrder
from partner_center_emulator.wire import Json
from partner_center_emulator.world import Customer, Order, PartnerTenant


def check_out(
    emulator: Emulator, tenant: PartnerTenant, customer: Customer, cart: Cart, request_id: str
) -> list[Order]:
    """Turn the cart's groups into orders and return all orders of the cart, in the order of the groups.

    Raises 403 code 13605 without the customer's agreement. Groups that fail stand in ``cart.faults``.
    """
    check_customer(emulator, tenant, customer)
    cart.faults = []
    groups = list(dict.fromkeys(line.order_group for line in cart.lines))
    for group in groups:
        if group in cart.orders:
            continue
        lines = [line for line in cart.lines if line.order_group == group]
        try:
            order = _order_group(emulator, tenant, customer, cart, group, lines, request_id)
        except ApiError as error:
            cart.faults.append(CheckoutFault(order_group=group, code=error.code, description=error.description))
        else:
            cart.orders[group] = order.id
    if cart.orders:
        cart.status = "Ordered"
    return [emulator.world.orders[cart.orders[group]] for group in groups if group in cart.orders]


def _order_group(
    emulator: Emulator,
    tenant: PartnerTenant,
    customer: Customer,
    cart: Cart,
    group: str,
    lines: Sequence[CartLine],
    request_id: str,
) -> Order:
    if group == LEGACY_GROUP:
        return _order_legacy(emulator, tenant, customer, lines, request_id)
    # lines of other groups count as bases of add-ons only while they are still to be ordered or just were
    together = [as_request(line) for line in cart.lines if line.order_group == group or _is_open(cart, line)]
    try:
        wanted = [examine(emulator, tenant, customer, as_request(line), together) for line in lines]
    except LineFault as fault:
        raise fault.error from None
    check_room(emulator, customer, len(wanted))
    origin = NewOrder(
        lines=[],
        provision_at=None,
        cart_id=cart.id,
        order_group=group,
        attestation_accepted=cart.attestation_accepted,
    )
    return place(emulator, tenant, customer, wanted, request_id, origin)


def _is_open(cart: Cart, line: CartLine) -> bool:
    return line.order_group not in cart.orders and line.fault is None and line.order_group != LEGACY_GROUP


def _order_legacy(
    emulator: Emulator, tenant: PartnerTenant, customer: Customer, lines: Sequence[CartLine], request_id: str
) -> Order:
    body: Json = {"billingCycle": lines[0].billing_cycle, "lineItems": [_legacy_line(line) for line in lines]}
    order = place_order(emulator, tenant, customer, body, request_id)
    for line in lines:
        if not line.add_on_lines:
            continue
        base = next(row.subscription_id for row in order.lines if row.line_item_number == line.id)
        rows = [{**_legacy_line(add_on), "parentSubscriptionId": base} for add_on in line.add_on_lines]
        buy_add_ons(emulator, tenant, customer, order, rows, request_id)
    return order


def _legacy_line(line: CartLine) -> Json:
    request = as_request(line)
    return {
        "lineItemNumber": line.id,
        "offerId": line.catalog_item_id,
        "quantity": line.quantity,
        "friendlyName": line.friendly_name,
        "parentSubscriptionId": line.provisioning_context.get("parentSubscriptionId", ""),
        "partnerIdOnRecord": request.partner_id or "",
    }
