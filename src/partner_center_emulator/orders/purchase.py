"""Buying legacy offers (model room): every check of commerce reference 2.4 first, then order and subscriptions at once.

A purchase is all or nothing: no line is created while another one is refused. Legacy orders are complete at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import cast

import msgspec

from partner_center_emulator import pace
from partner_center_emulator.agreements.models import is_confirmed
from partner_center_emulator.catalog import is_sold_in
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import ApiError, refusal
from partner_center_emulator.faults import hooks
from partner_center_emulator.index import LIVE_STATUSES, CommerceIndex
from partner_center_emulator.orders.reading import read_number, read_quantity
from partner_center_emulator.subscriptions.lapse import enter_term
from partner_center_emulator.subscriptions.months import add_months
from partner_center_emulator.validations.models import check_may_buy
from partner_center_emulator.wire import Json, field, text_field
from partner_center_emulator.world import Customer, Offer, Order, OrderLine, PartnerTenant, Subscription, World

# Commerce 1.2: BillingCycleType by number; "monthly" is what an order without a cycle gets.
_CYCLE_BY_NUMBER = ("unknown", "monthly", "annual", "none", "one_time", "triennial", "biennial")


_POST = "POST /v1/customers/{customer}/orders"
_PATCH = "PATCH /v1/customers/{customer}/orders/{order}"


class WantedLine(msgspec.Struct, kw_only=True):
    """One line of a purchase after reading and checking."""

    number: int
    offer: Offer
    quantity: int
    friendly_name: str
    parent: Subscription | None
    partner_id_on_record: str | None


def place_order(
    emulator: Emulator, tenant: PartnerTenant, customer: Customer, members: Mapping[str, object], request_id: str
) -> Order:
    """Buy what a POST to the customer's orders asks for and return the completed order.

    Raises 403 with 13605, 2006 or 2091, 404 with 2072, 409 with 27009, else 400 with 2000, 2002, 6001, 27006, 800004,
    800029, 800070, 800071 or 900419.
    """
    _check_agreement(emulator, tenant, customer)
    claimed = text_field(members, "referenceCustomerId")
    if claimed and claimed.lower() != customer.id:
        raise refusal(2000, "The referenceCustomerId is not the customer in the path.")
    raw_lines = read_lines(members)
    if not raw_lines:
        raise refusal(2000, "An order needs at least one line item.")
    lines = [_read_line(emulator.world, tenant, customer, raw) for raw in raw_lines]
    if len({line.number for line in lines}) < len(lines):
        raise ApiError(400, 800071, "Two line items have the same number.")
    cycle = _read_cycle(members, lines)
    _check_limits(emulator, customer, lines)
    order = Order(
        id=emulator.next_id("order"),
        tenant_id=tenant.id,
        customer_id=customer.id,
        billing_cycle=cycle,
        currency=tenant.currency,
        currency_symbol=tenant.currency_symbol,
        created_at=emulator.clock.now(),
        lines=[],
    )
    emulator.derived(CommerceIndex).put_order(order)
    _record_order(emulator, order, "order.created", request_id)
    if pace.begin(emulator, pace.ORDER_STATUS, order.id, tenant_id=tenant.id, customer_id=customer.id, route=_POST):
        order.status = "pending"
    for index, line in enumerate(lines):
        if hooks.line_fails(index):
            _fail(order, line, line.number)
        else:
            _create(emulator, order, line, line.number, request_id, _POST)
    return order


def buy_add_ons(
    emulator: Emulator,
    tenant: PartnerTenant,
    customer: Customer,
    order: Order,
    raw_lines: Sequence[Json],
    request_id: str,
) -> None:
    """Buy add-ons into the order of their base subscriptions (commerce 2.3); raises what ``place_order`` raises.

    New lines are numbered on from the order's last one. Each needs a ``parentSubscriptionId`` of this very order.
    """
    _check_agreement(emulator, tenant, customer)
    lines = [_read_line(emulator.world, tenant, customer, raw) for raw in raw_lines]
    for line in lines:
        if line.parent is None or line.parent.order_id != order.id:
            raise refusal(800029, line.offer.id)
        if order.billing_cycle not in line.offer.billing_cycles:
            raise refusal(6001, line.offer.id, order.billing_cycle)
    _check_limits(emulator, customer, lines)
    _record_order(emulator, order, "order.changed", request_id)
    first = max(known.line_item_number for known in order.lines) + 1
    for index, line in enumerate(lines):
        if hooks.line_fails(index):
            _fail(order, line, first + index)
        else:
            _create(emulator, order, line, first + index, request_id, _PATCH)


def read_lines(members: Mapping[str, object]) -> list[Json]:
    """Return the line items of a body as objects; raises 400 code 2000 if they are something else."""
    lines = field(members, "lineItems")
    if lines is None:
        return []
    if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
        raise refusal(2000, "The lineItems must be a list of objects.")
    return cast("list[Json]", lines)


def _check_agreement(emulator: Emulator, tenant: PartnerTenant, customer: Customer) -> None:
    if not is_confirmed(emulator, tenant.id, customer):
        raise refusal(13605)
    check_may_buy(emulator, customer)


def _read_line(world: World, tenant: PartnerTenant, customer: Customer, raw: Json) -> WantedLine:
    number = read_number(raw)
    offer = _read_offer(world, tenant, customer, text_field(raw, "offerId"))
    quantity = read_quantity(raw)
    if not offer.minimum_quantity <= quantity <= offer.maximum_quantity:
        raise refusal(2002, quantity, offer.minimum_quantity, offer.maximum_quantity)
    return WantedLine(
        number=number,
        offer=offer,
        quantity=quantity,
        friendly_name=text_field(raw, "friendlyName") or offer.name,
        parent=_read_parent(world, tenant, customer, offer, text_field(raw, "parentSubscriptionId").lower()),
        partner_id_on_record=_read_partner(world, text_field(raw, "partnerIdOnRecord")),
    )


def _read_offer(world: World, tenant: PartnerTenant, customer: Customer, offer_id: str) -> Offer:
    offer = world.offers.get(offer_id.upper())
    if offer is None:
        raise refusal(800004, offer_id)
    if offer.off_catalog or not offer.is_available_for_purchase:
        raise refusal(2091, offer.id)
    if tenant.id in offer.closed_to:
        raise refusal(2006, offer.id)
    if not is_sold_in(offer, customer.address.country):
        raise refusal(800070, offer.id, customer.address.country)
    return offer


def _read_parent(
    world: World, tenant: PartnerTenant, customer: Customer, offer: Offer, parent_id: str
) -> Subscription | None:
    if not offer.is_add_on and not parent_id:
        return None
    parent = world.subscriptions.get(parent_id)
    if (
        parent is None
        or (parent.tenant_id, parent.customer_id) != (tenant.id, customer.id)
        or parent.offer_id not in offer.prerequisite_offers
    ):
        raise refusal(800029, offer.id)
    if parent.status != "active":
        raise refusal(27009)
    return parent


def _read_partner(world: World, partner_id: str) -> str | None:
    if not partner_id:
        return None
    if partner_id in world.reseller_partner_ids or any(
        partner_id == tenant.partner_id for tenant in world.partner_tenants.values()
    ):
        return partner_id
    raise refusal(2072, partner_id)


def _read_cycle(members: Mapping[str, object], lines: Sequence[WantedLine]) -> str:
    value = field(members, "billingCycle")
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(_CYCLE_BY_NUMBER):
        value = _CYCLE_BY_NUMBER[value]
    cycle = value.lower().replace("onetime", "one_time") if isinstance(value, str) else ""
    if cycle in ("", "unknown"):
        cycle = "none" if all(line.offer.is_trial for line in lines) else "monthly"
    for line in lines:
        if cycle not in line.offer.billing_cycles:
            raise refusal(6001, line.offer.id, cycle)
    return cycle


def _check_limits(emulator: Emulator, customer: Customer, lines: Sequence[WantedLine]) -> None:
    # counted over all partners, because the customer's tenant is one (commerce 1.1 and 0, R-74)
    live: Counter[str] = Counter()
    ever: Counter[str] = Counter()
    for held in emulator.derived(CommerceIndex).held_by(customer.id):
        ever[held.offer_id] += 1
        if held.status in LIVE_STATUSES:
            live[held.offer_id] += 1
    if live.total() + len(lines) > emulator.options.subscription_limit:
        raise refusal(900419, emulator.options.subscription_limit)
    for offer_id, wanted in Counter(line.offer.id for line in lines).items():
        offer = emulator.world.offers[offer_id]
        used = {"Concurrent": live[offer_id], "Lifetime": ever[offer_id], "None": 0}[offer.limit_unit]
        if offer.limit_unit != "None" and used + wanted > offer.limit:
            raise refusal(27006, offer_id)


def _fail(order: Order, line: WantedLine, number: int) -> None:
    """Keep a line that the fault plan lets fail: it never gets a subscription."""
    order.lines.append(_order_line(line, number, None))
    order.status = "partial_success"


def _order_line(line: WantedLine, number: int, subscription_id: str | None) -> OrderLine:
    return OrderLine(
        line_item_number=number,
        offer_id=line.offer.id,
        quantity=line.quantity,
        friendly_name=line.friendly_name,
        subscription_id=subscription_id,
        parent_subscription_id=line.parent.id if line.parent else None,
        partner_id_on_record=line.partner_id_on_record,
    )


def _set_pace(emulator: Emulator, subscription: Subscription, route: str) -> None:
    """Let the subscription be pending, or its id arrive late, as the pace of the route says."""
    tenant_id, customer_id = subscription.tenant_id, subscription.customer_id
    for step in (pace.SUBSCRIPTION_ID, pace.SUBSCRIPTION_STATUS):
        takes_time = pace.begin(
            emulator, step, subscription.id, tenant_id=tenant_id, customer_id=customer_id, route=route
        )
        if takes_time and step == pace.SUBSCRIPTION_STATUS:
            subscription.status = "pending"


def _create(emulator: Emulator, order: Order, line: WantedLine, number: int, request_id: str, route: str) -> None:
    subscription = _new_subscription(emulator, order, line)
    _set_pace(emulator, subscription, route)
    order.lines.append(_order_line(line, number, subscription.id))
    emulator.derived(CommerceIndex).put_subscription(subscription)
    enter_term(emulator, subscription)
    emulator.record(
        "subscription.created",
        tenant_id=order.tenant_id,
        customer_id=order.customer_id,
        subject_id=subscription.id,
        request_id=request_id,
        after={
            "status": subscription.status,
            "quantity": subscription.quantity,
            "offer_id": subscription.offer_id,
            "order_id": order.id,
        },
    )


def _new_subscription(emulator: Emulator, order: Order, line: WantedLine) -> Subscription:
    now = emulator.clock.now()
    start = now.date()
    return Subscription(
        id=emulator.next_id("subscription"),
        tenant_id=order.tenant_id,
        customer_id=order.customer_id,
        offer_id=line.offer.id,
        offer_name=line.offer.name,
        friendly_name=line.friendly_name,
        quantity=line.quantity,
        status="active",
        order_id=order.id,
        created_at=now,
        effective_start=start,
        # an add-on runs to the end of its base
        commitment_end=line.parent.commitment_end if line.parent else term_end(line.offer, start),
        billing_cycle=order.billing_cycle,
        unit_type=line.offer.unit_type,
        is_trial=line.offer.is_trial,
        auto_renew=not line.offer.is_trial,
        parent_subscription_id=line.parent.id if line.parent else None,
        partner_id_on_record=line.partner_id_on_record,
    )


def term_end(offer: Offer, start: date) -> date:
    """Return the last day inside the first term of a subscription that starts on ``start``."""
    if offer.term_unit == "Day":
        return start + timedelta(days=offer.term - 1)
    months = offer.term * (12 if offer.term_unit == "Year" else 1)
    return add_months(start, months) - timedelta(days=1)


def _record_order(emulator: Emulator, order: Order, what: str, request_id: str) -> None:
    emulator.record(
        what,
        tenant_id=order.tenant_id,
        customer_id=order.customer_id,
        subject_id=order.id,
        request_id=request_id,
        after={"billing_cycle": order.billing_cycle, "status": order.status},
    )
