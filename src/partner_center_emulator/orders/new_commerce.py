"""New-commerce orders (model room): placing one, provisioning it later, cancelling software (commerce 2.3).

An order is ``pending`` until its subscriptions exist; until then its lines have no ``subscriptionId`` (commerce 0, fact
7). Seats, limits and windows count from the purchase, not from the provisioning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from partner_center_emulator.agreements.models import is_confirmed
from partner_center_emulator.azure.models import add_default
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import refusal
from partner_center_emulator.index import CommerceIndex
from partner_center_emulator.orders.holdings import Holdings
from partner_center_emulator.orders.purchase import read_lines
from partner_center_emulator.orders.wanted import LineFault, Request, Wanted, examine
from partner_center_emulator.state.commerce import NewOrder, NewOrderLine, SeatBatch, SubscriptionTerms
from partner_center_emulator.subscriptions.lapse import enter_term
from partner_center_emulator.subscriptions.months import term_end
from partner_center_emulator.subscriptions.terms import facts
from partner_center_emulator.subscriptions.windows import SEVEN_DAYS
from partner_center_emulator.validations.models import check_may_buy
from partner_center_emulator.wire import Json, text_field
from partner_center_emulator.world import Customer, Order, OrderLine, PartnerTenant, Subscription

PERPETUAL_DAYS = 30


def check_customer(emulator: Emulator, tenant: PartnerTenant, customer: Customer) -> None:
    """Raise 403: 13605 without a confirmed agreement, 800073 or 800075 while the account's validation forbids it."""
    if not is_confirmed(emulator, tenant.id, customer):
        raise refusal(13605)
    check_may_buy(emulator, customer)


def check_room(emulator: Emulator, customer: Customer, more: int) -> None:
    """Raise 400 code 900419 if ``more`` subscriptions would exceed the customer tenant's limit (R-74)."""
    limit = emulator.options.subscription_limit
    if Holdings(emulator, customer).count() + more > limit:
        raise refusal(900419, limit)


def buy(
    emulator: Emulator, tenant: PartnerTenant, customer: Customer, requests: Sequence[Request], request_id: str
) -> Order:
    """Place a direct order for all lines or none of them; raises what the first faulty line says (commerce 2.4)."""
    check_customer(emulator, tenant, customer)
    try:
        wanted = [examine(emulator, tenant, customer, request, requests) for request in requests]
    except LineFault as fault:
        raise fault.error from None
    check_room(emulator, customer, len(wanted))
    return place(emulator, tenant, customer, wanted, request_id)


def place(
    emulator: Emulator,
    tenant: PartnerTenant,
    customer: Customer,
    wanted: Sequence[Wanted],
    request_id: str,
    origin: NewOrder | None = None,
) -> Order:
    """Write an order of examined lines and let it be provisioned; ``origin`` brings the cart's facts."""
    now = emulator.clock.now()
    order = Order(
        id=emulator.next_id("order").replace("-", "")[-12:],
        tenant_id=tenant.id,
        customer_id=customer.id,
        billing_cycle=wanted[0].plan.billing_cycle,
        currency=tenant.currency,
        currency_symbol=tenant.currency_symbol,
        created_at=now,
        lines=[_line(row) for row in wanted],
        status="pending",
    )
    record = origin or NewOrder(lines=[], provision_at=None)
    record.lines = [_new_line(row) for row in wanted]
    record.request_id = request_id
    record.provision_at = now + timedelta(seconds=emulator.options.provisioning_seconds)
    commerce = emulator.world.commerce
    commerce.orders[order.id] = record
    commerce.pending_orders.append(order.id)
    emulator.derived(CommerceIndex).put_order(order)
    emulator.record(
        "order.created",
        tenant_id=tenant.id,
        customer_id=customer.id,
        subject_id=order.id,
        request_id=request_id,
        after={"billing_cycle": order.billing_cycle, "status": order.status, "lines": _charges(order, record)},
    )
    arm(emulator, order.id)
    return order


def _charges(order: Order, record: NewOrder) -> list[dict[str, object]]:
    return [
        {
            "line": line.line_item_number,
            "catalog_item_id": line.offer_id,
            "quantity": line.quantity,
            "term_duration": new.term_duration,
            "list_price": new.list_price,
            "unit_price": new.unit_price,
            "prorated_price": new.prorated_price,
            "promotion_id": new.promotion_id,
        }
        for line, new in zip(order.lines, record.lines, strict=True)
    ]


def _line(row: Wanted) -> OrderLine:
    return OrderLine(
        line_item_number=row.request.number,
        offer_id=row.item.catalog_item_id,
        quantity=row.request.quantity,
        friendly_name=row.request.friendly_name or row.item.sku.title,
        partner_id_on_record=row.request.partner_id,
    )


def _new_line(row: Wanted) -> NewOrderLine:
    return NewOrderLine(
        line_item_number=row.request.number,
        product_id=row.item.product.id,
        sku_id=row.item.sku.id,
        product_type=row.item.product.type,
        sub_type=row.item.product.sub_type,
        billing_cycle=row.plan.billing_cycle,
        term_duration=row.plan.duration,
        currency=row.price.currency,
        list_price=str(row.price.list_price),
        unit_price=str(row.price.unit_price),
        prorated_price=str(row.price.prorated_price),
        promotion_id=row.promotion.id if row.promotion else "",
        segment=row.item.segment,
        custom_term_end=row.request.custom_term_end,
        renews_to=row.request.renews_to,
        is_activated=row.item.product.type != "SaaS",
        participants=row.request.participants,
    )


def rearm(emulator: Emulator) -> None:
    """Put the provisioning of every order that still waits back on the clock."""
    for order_id in list(emulator.world.commerce.pending_orders):
        arm(emulator, order_id)


def arm(emulator: Emulator, order_id: str) -> None:
    """Put an order's provisioning on the clock; without a delay it is done at once."""
    due = emulator.world.commerce.orders[order_id].provision_at
    if due is None:
        return
    if due <= emulator.clock.now():
        provision(emulator, order_id)
    else:
        emulator.clock.at(due, f"provisioning of the order {order_id}", lambda: provision(emulator, order_id))


def provision(emulator: Emulator, order_id: str) -> None:
    """Give every line its subscription and complete the order; does nothing the second time."""
    commerce = emulator.world.commerce
    order, record = emulator.world.orders[order_id], commerce.orders[order_id]
    if record.provision_at is None:
        return
    record.provision_at = None
    commerce.pending_orders.remove(order_id)
    for line, new in zip(order.lines, record.lines, strict=True):
        if not new.is_cancelled and new.sub_type != "Perpetual":
            _create(emulator, order, line, new, record.request_id)
    order.status = "cancelled" if all(new.is_cancelled for new in record.lines) else "completed"
    emulator.record(
        "order.completed",
        tenant_id=order.tenant_id,
        customer_id=order.customer_id,
        subject_id=order.id,
        after={"status": order.status},
    )


def _create(emulator: Emulator, order: Order, line: OrderLine, new: NewOrderLine, request_id: str) -> None:
    subscription = _subscription(emulator, order, line, new)
    terms = _terms(order, line, new)
    line.subscription_id = subscription.id
    emulator.world.commerce.terms[subscription.id] = terms
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
            "billing_cycle": subscription.billing_cycle,
            "commitment_end": subscription.commitment_end.isoformat(),
            "purchased_at": order.created_at.isoformat(),
            "prorated_price": new.prorated_price,
            **facts(terms, "new"),
        },
    )
    add_default(emulator, subscription, request_id)


def _subscription(emulator: Emulator, order: Order, line: OrderLine, new: NewOrderLine) -> Subscription:
    product = emulator.world.commerce.products[new.product_id]
    sku = next(sku for sku in product.skus if sku.id == new.sku_id)
    start = order.created_at.date()
    by_use = new.product_type == "Azure"
    return Subscription(
        id=emulator.next_id("subscription"),
        tenant_id=order.tenant_id,
        customer_id=order.customer_id,
        offer_id=line.offer_id,
        offer_name=sku.title,
        friendly_name=line.friendly_name,
        quantity=line.quantity,
        status="active",
        order_id=order.id,
        created_at=emulator.clock.now(),
        effective_start=start,
        commitment_end=new.custom_term_end or term_end(start, new.term_duration),
        billing_cycle=new.billing_cycle,
        billing_type="usage" if by_use else "license",
        unit_type=sku.unit_type,
        is_trial=sku.is_trial,
        auto_renew=not by_use,
        partner_id_on_record=line.partner_id_on_record,
    )


def _terms(order: Order, line: OrderLine, new: NewOrderLine) -> SubscriptionTerms:
    bought: datetime = order.created_at
    seats = SeatBatch(quantity=line.quantity, added_at=bought, until=bought + SEVEN_DAYS)
    return SubscriptionTerms(
        product_id=new.product_id,
        sku_id=new.sku_id,
        product_type=new.product_type,
        term_duration=new.term_duration,
        purchased_at=bought,
        term_started_at=bought,
        anchor=bought.date(),
        currency=new.currency,
        unit_price=new.unit_price,
        list_price=new.list_price,
        segment=new.segment,
        renewal_term_duration=new.renews_to,
        promotion_id=new.promotion_id,
        promotions_used=[new.promotion_id] if new.promotion_id else [],
        batches=[seats],
        custom_term_end=new.custom_term_end,
        is_activated=new.is_activated,
    )


def cancel_software(emulator: Emulator, order: Order, members: Mapping[str, object], request_id: str) -> None:
    """Cancel perpetual software through its order (commerce 2.3, R-142: within 30 days, all of a line).

    Lines with quantity 0 or all lines if none is named. Raises 400 with 800063 for an order of other products, 800077
    when the time is over.
    """
    record = emulator.world.commerce.orders[order.id]
    if any(new.sub_type != "Perpetual" for new in record.lines):
        raise refusal(800063)
    if emulator.clock.now() >= order.created_at + timedelta(days=PERPETUAL_DAYS):
        raise refusal(800077)
    numbers = _cancelled_numbers(members) or {line.line_item_number for line in order.lines}
    for line, new in zip(order.lines, record.lines, strict=True):
        if line.line_item_number not in numbers or new.is_cancelled:
            continue
        quantity, line.quantity, new.is_cancelled = line.quantity, 0, True
        emulator.record(
            "order.line_cancelled",
            tenant_id=order.tenant_id,
            customer_id=order.customer_id,
            subject_id=order.id,
            request_id=request_id,
            before={"quantity": quantity},
            after={"line": line.line_item_number, "quantity": 0, "unit_price": new.unit_price, "charge": "cancel"},
        )
    order.status = "cancelled" if all(new.is_cancelled for new in record.lines) else "completed"
    order.version += 1


def _cancelled_numbers(members: Mapping[str, object]) -> set[int]:
    rows: list[Json] = read_lines(members)
    chosen = {
        int(text_field(row, "lineItemNumber"))
        for row in rows
        if text_field(row, "lineItemNumber").isdigit() and text_field(row, "quantity", "0") == "0"
    }
    return chosen if len(rows) > len(chosen) else set()
