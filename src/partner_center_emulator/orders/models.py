"""Behaviour of orders (model room): reading them, and the documented changes of a legacy order (commerce 2.3).

Buying is in ``purchase.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from partner_center_emulator import pace
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import ApiError, refusal
from partner_center_emulator.index import CommerceIndex
from partner_center_emulator.orders import new_commerce, purchase
from partner_center_emulator.orders.reading import read_cycle
from partner_center_emulator.state.behaviour import Waiting
from partner_center_emulator.subscriptions.changes import change
from partner_center_emulator.subscriptions.etags import check_etag
from partner_center_emulator.wire import (
    Json,
    attributes,
    field,
    link,
    text_field,
    version_etag,
    wire_time,
    without_nulls,
)
from partner_center_emulator.world import Customer, Order, OrderLine, PartnerTenant, World

rearm = new_commerce.rearm


def find_order(world: World, tenant_id: str, customer_id: str, order_id: str) -> Order:
    """Return an order of this partner tenant and customer; raises 404 code 20000."""
    found = world.orders.get(order_id.lower())
    if found is None or found.tenant_id != tenant_id or found.customer_id != customer_id:
        raise refusal(20000, order_id)
    return found


def list_orders(emulator: Emulator, tenant_id: str, customer_id: str, *, billing_cycle: str = "") -> list[Order]:
    """Return the orders that the list already shows, oldest first.

    A new order may take up to 15 minutes to show (commerce 0, fact 7): the option ``order_list_lag_seconds``.
    """
    wanted = billing_cycle.lower().replace("_", "")
    shown_before = emulator.clock.now() - timedelta(seconds=emulator.options.order_list_lag_seconds)
    return [
        order
        for order in emulator.derived(CommerceIndex).orders_of(tenant_id, customer_id)
        if order.created_at <= shown_before and (not wanted or order.billing_cycle.replace("_", "") == wanted)
    ]


def patch_order(
    emulator: Emulator,
    tenant: PartnerTenant,
    customer: Customer,
    order: Order,
    members: Mapping[str, object],
    headers: Mapping[str, str],
    request_id: str,
) -> None:
    """Apply a PATCH of a legacy order: buy add-ons, or change the billing cycle of everything in it (commerce 2.3).

    Raises 400 code 2055 for a stale etag, 800063 for an attempt to cancel, 6000 and 6001 for the billing cycle, and
    what ``purchase.buy_add_ons`` raises. A line that names a known subscription, or repeats a known number with its
    offer, is read as the echo of that line.
    """
    check_etag(members, headers, order.id, order.version)
    if text_field(members, "status").lower() == "cancelled":
        raise ApiError(400, 800063, "This order cannot be cancelled; suspend its subscriptions instead.")
    new_lines = [line for line in purchase.read_lines(members) if not _is_echo(order, line)]
    sent = field(members, "billingCycle")
    cycle = sent.lower() if isinstance(sent, str) else read_cycle(sent)
    changes_cycle = cycle not in ("", "unknown", order.billing_cycle)
    if changes_cycle:
        _check_cycle(emulator.world, order, cycle)
    if new_lines:
        purchase.buy_add_ons(emulator, tenant, customer, order, new_lines, request_id)
    if changes_cycle:
        _set_cycle(emulator, order, cycle, request_id)
    if new_lines or changes_cycle:
        order.version += 1


def _is_echo(order: Order, members: Json) -> bool:
    subscription_id = text_field(members, "subscriptionId").lower()
    if subscription_id:
        return any(line.subscription_id == subscription_id for line in order.lines)
    number, offer_id = field(members, "lineItemNumber"), text_field(members, "offerId").upper()
    return any(line.line_item_number == number and line.offer_id == offer_id for line in order.lines)


def _check_cycle(world: World, order: Order, cycle: str) -> None:
    for line in order.lines:
        if line.subscription_id is None:  # a line that failed
            raise refusal(6000)
        subscription = world.subscriptions[line.subscription_id]
        if subscription.status != "active":
            raise refusal(6000)
        offer = world.offers.get(line.offer_id)
        if offer is None or cycle not in offer.billing_cycles:
            raise refusal(6001, line.offer_id, cycle)


def _set_cycle(emulator: Emulator, order: Order, cycle: str, request_id: str) -> None:
    for line in order.lines:
        subscription = emulator.world.subscriptions[line.subscription_id or ""]
        change(emulator, subscription, request_id, billing_cycle=cycle)
    order.billing_cycle = cycle


@pace.on_done(pace.ORDER_STATUS)
def _complete(emulator: Emulator, waiting: Waiting) -> None:
    order = emulator.world.orders[waiting.subject_id]
    if order.status != "pending":
        return
    order.status = "completed"
    emulator.record(
        "order.completed",
        tenant_id=order.tenant_id,
        customer_id=order.customer_id,
        subject_id=order.id,
        before={"status": "pending"},
        after={"status": order.status},
    )


def wire_order(order: Order) -> Json:
    """Return one Order; its own id in lower case, the ids of its subscriptions in upper case, as samples mix them."""
    uri = f"/customers/{order.customer_id}/orders/{order.id}"
    return {
        "id": order.id,
        "alternateId": order.id,
        "referenceCustomerId": order.customer_id,
        "billingCycle": order.billing_cycle,
        "currencyCode": order.currency,
        "currencySymbol": order.currency_symbol,
        "lineItems": [_wire_line(order, line) for line in order.lines],
        "creationDate": wire_time(order.created_at),
        "status": order.status,
        "transactionType": "UserPurchase",
        "totalPrice": 0.0,
        "links": {
            "provisioningStatus": link(f"{uri}/provisioningstatus"),
            "self": link(uri),
            "patchOperation": link(uri, "PATCH"),
        },
        "client": {},
        "attributes": attributes("Order", version_etag(order.id, order.version)),
    }


def _wire_line(order: Order, line: OrderLine) -> Json:
    subscription_id = line.subscription_id.upper() if line.subscription_id else None
    uri = f"/customers/{order.customer_id}/subscriptions/{subscription_id}"
    return without_nulls(
        {
            "lineItemNumber": line.line_item_number,
            "offerId": line.offer_id,
            "subscriptionId": subscription_id,
            "parentSubscriptionId": line.parent_subscription_id.upper() if line.parent_subscription_id else None,
            "friendlyName": line.friendly_name,
            "quantity": line.quantity,
            "partnerIdOnRecord": line.partner_id_on_record,
            "links": {"subscription": link(uri)} if subscription_id else None,
        }
    )
