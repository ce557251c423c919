"""HTTP side of carts (wire room): create, read, replace, check out (commerce reference 2.1)."""

from __future__ import annotations

from partner_center_emulator.audit import models as audit
from partner_center_emulator.carts.checkout import check_out
from partner_center_emulator.carts.models import create_cart, find_cart, replace_cart
from partner_center_emulator.carts.wire_form import wire_cart
from partner_center_emulator.coverage import behaviour
from partner_center_emulator.orders.models import wire_order
from partner_center_emulator.orders.new_commerce_form import wire_new_order
from partner_center_emulator.requests import Call, Reply, Route
from partner_center_emulator.state.commerce import Cart
from partner_center_emulator.wire import Json, attributes
from partner_center_emulator.world import Customer, Order

_BUYERS = frozenset({"admin_agent", "sales_agent", "global_admin"})


def _who(call: Call) -> str:
    return call.principal.object_id or call.principal.app_id


def _cart(call: Call, customer: Customer) -> Cart:
    return find_cart(call.emulator, call.tenant.id, customer.id, call.path["cart"])


async def post_cart(call: Call) -> Reply:
    """Answer ``POST /customers/{customer}/carts``: 201, also with faulty lines."""
    customer = call.customer()
    cart = create_cart(call.emulator, call.tenant, customer, call.members(), _who(call))
    return Reply(wire_cart(call.emulator, cart), status=201)


async def read_cart(call: Call) -> Reply:
    """Answer ``GET /customers/{customer}/carts/{cart}``."""
    return Reply(wire_cart(call.emulator, _cart(call, call.customer())))


async def put_cart(call: Call) -> Reply:
    """Answer ``PUT /customers/{customer}/carts/{cart}``: the whole cart anew, 201 as the sample has it."""
    customer = call.customer()
    cart = _cart(call, customer)
    replace_cart(call.emulator, call.tenant, customer, cart, call.members(), _who(call))
    return Reply(wire_cart(call.emulator, cart), status=201)


async def post_checkout(call: Call) -> Reply:
    """Answer ``POST .../carts/{cart}/checkout``: the orders, and the groups that failed."""
    customer = call.customer()
    cart = _cart(call, customer)
    known = set(cart.orders.values())
    orders = check_out(call.emulator, call.tenant, customer, cart, call.request_id)
    for order in orders:
        if order.id not in known:
            _write_audit(call, customer, order)
    faults = [
        {"orderGroupId": fault.order_group, "code": fault.code, "description": fault.description}
        for fault in cart.faults
    ]
    body: Json = {"orders": [_show(call, order) for order in orders], "attributes": attributes("CartCheckoutResult")}
    if faults:
        body["orderErrors"] = faults
    return Reply(body, status=201)


def _show(call: Call, order: Order) -> Json:
    record = call.world.commerce.orders.get(order.id)
    return wire_order(order) if record is None else wire_new_order(order, record)


def _write_audit(call: Call, customer: Customer, order: Order) -> None:
    activity = audit.Activity(
        operation_type="create_order",
        resource_type="order",
        user_principal_name=call.principal.upn,
        application_id=call.principal.app_id,
        new_value=_show(call, order),
        customized_data=(("OrderId", order.id), ("BillingCycle", order.billing_cycle)),
    )
    audit.write(call.emulator, call.tenant.id, customer, activity)


_CARTS = "/v1/customers/{customer}/carts"
_CART = "/v1/customers/{customer}/carts/{cart}"
ROUTES: tuple[Route, ...] = (
    Route("POST", _CARTS, post_cart, resource="order", roles=_BUYERS),
    Route("GET", _CART, read_cart, resource="order", roles=_BUYERS),
    Route("PUT", _CART, put_cart, resource="order", roles=_BUYERS),
    Route("POST", f"{_CART}/checkout", post_checkout, resource="order", roles=_BUYERS),
)

behaviour(f"POST {_CARTS}", source="documented", page="commerce 2.2", note="201 with the faults in the lines, by code")
behaviour(f"POST {_CARTS}", source="documented", page="commerce 2.2", note="Legacy lines share the group `OMS-0`")
behaviour(f"POST {_CARTS}", source="assumed", page="commerce 2.2", note="New lines are grouped by billing cycle")
behaviour(f"GET {_CART}", source="documented", page="commerce 2.1", note="A cart lives 7 days; then 404 code 800008")
behaviour(f"PUT {_CART}", source="documented", page="commerce 2.1", note="Replaces the whole cart")
behaviour(f"PUT {_CART}", source="assumed", page="commerce 2.4", note="400 code 800065 once it is ordered")
_CHECKOUT = f"POST {_CART}/checkout"
behaviour(_CHECKOUT, source="documented", page="commerce 2.1", note="Repeated: the first result; failed groups again")
behaviour(_CHECKOUT, source="documented", page="commerce 2.2", note="One order per group; partial success")
behaviour(_CHECKOUT, source="assumed", page="core 7", note="403 code 13605 until the agreement is confirmed")
behaviour(_CHECKOUT, source="assumed", page="commerce 2.1", note="Carts count as order calls for the rate limit")
