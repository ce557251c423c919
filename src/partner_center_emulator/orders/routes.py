"""HTTP side of orders (wire room): buy, read, list, change (commerce 2.1 and 2.3)."""

from __future__ import annotations

from typing import cast

from partner_center_emulator import pace
from partner_center_emulator.audit import models as audit
from partner_center_emulator.coverage import behaviour
from partner_center_emulator.errors import refusal
from partner_center_emulator.orders import activation, new_commerce
from partner_center_emulator.orders.models import find_order, list_orders, patch_order, wire_order
from partner_center_emulator.orders.new_commerce_form import is_new, read_requests, wire_new_order, wire_provisioning
from partner_center_emulator.orders.purchase import place_order, read_lines
from partner_center_emulator.requests import Call, Reply, Route
from partner_center_emulator.wire import Json, collection, self_link, text_field
from partner_center_emulator.world import Customer, Order

_BUYERS = frozenset({"admin_agent", "sales_agent", "global_admin"})


def _write_audit(call: Call, customer: Customer, order: Order, operation: str, first_line: int = 0) -> None:
    facts = [("OrderId", order.id), ("AlternateId", order.id), ("BillingCycle", order.billing_cycle)]
    for number, line in enumerate(order.lines[first_line:]):
        facts += [
            (f"OfferId-{number}", line.offer_id),
            (f"SubscriptionId-{number}", line.subscription_id or ""),
            (f"SubscriptionName-{number}", line.friendly_name),
            (f"Quantity-{number}", str(line.quantity)),
            (f"PartnerOnRecord-{number}", line.partner_id_on_record or ""),
        ]
    activity = audit.Activity(
        operation_type=operation,
        resource_type="order",
        user_principal_name=call.principal.upn,
        application_id=call.principal.app_id,
        new_value=_plain(call, order),
        customized_data=tuple(facts),
    )
    audit.write(call.emulator, call.tenant.id, customer, activity)


def _plain(call: Call, order: Order) -> Json:
    record = call.world.commerce.orders.get(order.id)
    return wire_order(order) if record is None else wire_new_order(order, record)


def _show(call: Call, order: Order) -> Json:
    """Return the order as this answer shows it: without the subscription ids that have not arrived yet."""
    body = _plain(call, order)
    if not call.world.behaviour.pace.waiting:
        return body
    pace.show(call, pace.ORDER_STATUS, order.id)
    lines = cast("list[Json]", body["lineItems"])
    for line, shown in zip(order.lines, lines, strict=True):
        if line.subscription_id is not None and pace.show(call, pace.SUBSCRIPTION_ID, line.subscription_id):
            shown.pop("subscriptionId", None)
            shown.pop("links", None)
    return body


async def create_order(call: Call) -> Reply:
    """Answer ``POST /customers/{customer}/orders``: buy; a legacy order is completed, one of new commerce pending."""
    customer = call.customer()
    raw_lines = read_lines(call.members())
    if is_new(raw_lines):
        requests = read_requests(call.members(), raw_lines)
        order = new_commerce.buy(call.emulator, call.tenant, customer, requests, call.request_id)
    else:
        order = place_order(call.emulator, call.tenant, customer, call.members(), call.request_id)
    _write_audit(call, customer, order, "create_order")
    return Reply(_show(call, order), status=201)


async def read_orders(call: Call) -> Reply:
    """Answer ``GET /customers/{customer}/orders``, all or those of one ``billingType``."""
    customer = call.customer()
    orders = list_orders(call.emulator, call.tenant.id, customer.id, billing_cycle=call.query.get("billingtype", ""))
    uri = f"/customers/{customer.id}/orders"
    return Reply(collection([_show(call, order) for order in orders], links=self_link(uri)))


async def read_order(call: Call) -> Reply:
    """Answer ``GET /customers/{customer}/orders/{order}``."""
    return Reply(_show(call, _order(call, call.customer())))


async def update_order(call: Call) -> Reply:
    """Answer ``PATCH /customers/{customer}/orders/{order}``: buy add-ons, change the billing cycle."""
    customer = call.customer()
    order = _order(call, customer)
    known, version = len(order.lines), order.version
    if order.id in call.world.commerce.orders:
        if text_field(call.members(), "status").lower() != "cancelled":
            raise refusal(800002, "an order of new commerce can only be cancelled.")
        new_commerce.cancel_software(call.emulator, order, call.members(), call.request_id)
        _write_audit(call, customer, order, "update_order")
        return Reply(_plain(call, order))
    patch_order(call.emulator, call.tenant, customer, order, call.members(), call.headers, call.request_id)
    if order.version != version:
        _write_audit(call, customer, order, "update_order", first_line=known if len(order.lines) > known else 0)
    return Reply(_show(call, order))


async def read_provisioning_status(call: Call) -> Reply:
    """Answer ``GET .../orders/{order}/provisioningstatus``: legacy lines are fulfilled at once."""
    order = _order(call, call.customer())
    record = call.world.commerce.orders.get(order.id)
    if record is not None:
        return Reply(collection(wire_provisioning(order, record)))
    rows: list[Json] = [
        {
            "orderLineItemId": line.line_item_number,
            "lineItemNumber": line.line_item_number,
            "status": "fulfilled",
            "quantityProvisioningInformation": [{"quantity": line.quantity, "status": "fulfilled"}],
        }
        for line in order.lines
    ]
    return Reply(collection(rows))


async def read_activation_links(call: Call) -> Reply:
    """Answer ``GET .../orders/{order}/activationlinks`` and ``.../lineitems/{line}/activationlinks`` (SaaS)."""
    order = _order(call, call.customer())
    return Reply(collection(activation.order_links(call.emulator, order, call.path.get("line", ""))))


def _order(call: Call, customer: Customer) -> Order:
    return find_order(call.world, call.tenant.id, customer.id, call.path["order"])


_ORDERS = "/v1/customers/{customer}/orders"
_ORDER = "/v1/customers/{customer}/orders/{order}"

ROUTES: tuple[Route, ...] = (
    Route("POST", _ORDERS, create_order, resource="order", roles=_BUYERS),
    Route("GET", _ORDERS, read_orders, resource="order"),
    Route("GET", _ORDER, read_order, resource="order"),
    Route("PATCH", _ORDER, update_order, resource="order", roles=_BUYERS),
    Route("GET", f"{_ORDER}/activationlinks", read_activation_links, resource="order"),
    Route("GET", f"{_ORDER}/lineitems/{{line}}/activationlinks", read_activation_links, resource="order"),
    Route("GET", f"{_ORDER}/provisioningstatus", read_provisioning_status, auth="AU", resource="order", roles=_BUYERS),
)

_POST = f"POST {_ORDERS}"
behaviour(_POST, source="documented", page="commerce 2.3", note="Legacy orders are `completed` at once")
behaviour(_POST, source="documented", page="commerce 2.4", note="Purchase errors by number")
behaviour(_POST, source="documented", page="core 7", note="403 code 13605 until the customer agreement is confirmed")
behaviour(_POST, source="documented", page="commerce 1.1", note="`Concurrent` counts active and suspended ones")
behaviour(_POST, source="assumed", page="commerce 1.1", note="`Concurrent` and `Lifetime` count over all partners")
behaviour(_POST, source="assumed", page="commerce 0", note="300 active or suspended subscriptions per customer tenant")
behaviour(_POST, source="assumed", page="commerce 2.3", note="A purchase is all or nothing; no cycle means `monthly`")
behaviour(_POST, source="assumed", page="commerce 2.3", note="An add-on line may name an active base bought earlier")
behaviour(f"GET {_ORDERS}", source="documented", page="commerce 0", note="List lags by `order_list_lag_seconds`")
behaviour(f"GET {_ORDERS}", source="documented", page="commerce 2.1", note="Filter `billingType`")
behaviour(f"GET {_ORDER}", source="documented", page="commerce 2.1", note="404 code 20000")
behaviour(f"PATCH {_ORDER}", source="documented", page="commerce 2.3", note="Buys add-ons; etag version rises")
behaviour(f"PATCH {_ORDER}", source="documented", page="commerce 2.3", note="Changes the billing cycle; 6000, 6001")
behaviour(f"PATCH {_ORDER}", source="assumed", page="commerce 2.4", note="Cancelling a legacy order is 400 code 800063")
behaviour(f"PATCH {_ORDER}", source="assumed", page="commerce 2.3", note="The parent must belong to the order")
behaviour(
    f"GET {_ORDER}/provisioningstatus", source="documented", page="commerce 2.3", note="App+user; legacy: fulfilled"
)
behaviour("orders: roles", source="assumed", page="core 1.7", note="Buying needs Admin, Sales agent or Global admin")
behaviour(_POST, source="documented", page="commerce 2.3", note="New commerce: `pending`, `subscriptionId` comes later")
behaviour(_POST, source="assumed", page="commerce 2.3", note="New commerce: done after `provisioning_seconds`")
behaviour(_POST, source="documented", page="rules R-123", note="Pooled seat maximum over all partners: 403 code 800088")
behaviour(_POST, source="documented", page="commerce 2.2", note="Add-on without its base product: 400 code 400041")
behaviour(f"PATCH {_ORDER}", source="documented", page="commerce 2.3", note="Cancels perpetual software in 30 days")
behaviour(f"GET {_ORDER}/activationlinks", source="documented", page="commerce 2.1", note="SaaS only")
behaviour(f"GET {_ORDER}/lineitems/{{line}}/activationlinks", source="documented", page="commerce 2.1", note="One line")
