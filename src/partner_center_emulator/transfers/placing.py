"""Putting a subscription that was not bought into the world (state room): order, terms, timers, record together.

Transfers, migrations, the opening of an Azure plan and Microsoft's support all end here, so that such a subscription
has everything a bought one has.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import msgspec

from partner_center_emulator.catalog import exchange
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.index import CommerceIndex
from partner_center_emulator.state.commerce import NewOrder, NewOrderLine, SubscriptionTerms
from partner_center_emulator.subscriptions import lapse
from partner_center_emulator.subscriptions.terms import facts
from partner_center_emulator.world import Order, OrderLine, PartnerTenant, Subscription


def is_new_commerce(emulator: Emulator, subscription: Subscription) -> bool:
    """Whether the subscription belongs to new commerce: it has terms there, or an offer id with colons."""
    return subscription.id in emulator.world.commerce.terms or ":" in subscription.offer_id


def put_subscription(
    emulator: Emulator,
    subscription: Subscription,
    request_id: str,
    terms: SubscriptionTerms | None = None,
    cause: str = "",
) -> Order:
    """Put a new subscription with an order of its own into the world, record both, and return the order.

    ``terms`` belongs to new commerce; legacy ones have none. ``cause`` says in the record why it exists without a
    purchase: transfer, migration, support.
    """
    world = emulator.world
    index = emulator.derived(CommerceIndex)
    order = _order_of(world.partner_tenants[subscription.tenant_id], subscription)
    index.put_order(order)
    index.put_subscription(subscription)
    if terms is not None:
        world.commerce.terms[subscription.id] = terms
        world.commerce.orders[order.id] = _new_order(subscription, terms, request_id)
    lapse.enter_term(emulator, subscription)
    _record(emulator, subscription, order, request_id, cause)
    return order


def moved_terms(emulator: Emulator, old: Subscription, tenant: PartnerTenant) -> SubscriptionTerms | None:
    """Return a copy of a subscription's new-commerce terms for another partner tenant; None if it has none.

    Term, end, promotion and seat windows stay (R-149); the price is the same in the other tenant's currency. What was
    scheduled and not confirmed by anyone to move along (R-154) is dropped.
    """
    terms = emulator.world.commerce.terms.get(old.id)
    if terms is None:
        return None
    return msgspec.structs.replace(
        terms,
        currency=tenant.currency,
        unit_price=exchange(terms.unit_price, terms.currency, tenant.currency),
        list_price=exchange(terms.list_price, terms.currency, tenant.currency),
        batches=list(terms.batches),
        next_term=None,
        next_charge=None,
        next_charge_at=None,
        pending=None,
        transitions=[],
        changes=0,
    )


def fresh_terms(
    subscription: Subscription, currency: str, term: str, price: str = "0.00", migrated_from: str = ""
) -> SubscriptionTerms:
    """Return the terms of a new-commerce subscription that begins with its creation."""
    product_id, sku_id, *_ = subscription.offer_id.split(":")
    return SubscriptionTerms(
        product_id=product_id,
        sku_id=sku_id,
        product_type="Azure" if not term else "OnlineServicesNCE",
        term_duration=term,
        purchased_at=subscription.created_at,
        term_started_at=subscription.created_at,
        anchor=subscription.effective_start,
        currency=currency,
        unit_price=price,
        list_price=price,
        migrated_from=migrated_from,
    )


def end_of(day: date) -> datetime:
    """Return the last second of a day in UTC."""
    return datetime.combine(day, time(23, 59, 59), tzinfo=UTC)


def _order_of(tenant: PartnerTenant, subscription: Subscription) -> Order:
    return Order(
        id=subscription.order_id,
        tenant_id=subscription.tenant_id,
        customer_id=subscription.customer_id,
        billing_cycle=subscription.billing_cycle,
        currency=tenant.currency,
        currency_symbol=tenant.currency_symbol,
        created_at=subscription.created_at,
        lines=[
            OrderLine(
                line_item_number=0,
                offer_id=subscription.offer_id,
                quantity=subscription.quantity,
                friendly_name=subscription.friendly_name,
                subscription_id=subscription.id,
                parent_subscription_id=subscription.parent_subscription_id,
                partner_id_on_record=subscription.partner_id_on_record,
            )
        ],
    )


def _new_order(subscription: Subscription, terms: SubscriptionTerms, request_id: str) -> NewOrder:
    line = NewOrderLine(
        line_item_number=0,
        product_id=terms.product_id,
        sku_id=terms.sku_id,
        product_type=terms.product_type,
        sub_type="",
        billing_cycle=subscription.billing_cycle,
        term_duration=terms.term_duration,
        currency=terms.currency,
        list_price=terms.list_price,
        unit_price=terms.unit_price,
        prorated_price=terms.unit_price,
        promotion_id=terms.promotion_id,
        segment=terms.segment,
    )
    return NewOrder(lines=[line], provision_at=None, request_id=request_id)


def _record(emulator: Emulator, subscription: Subscription, order: Order, request_id: str, cause: str) -> None:
    terms = emulator.world.commerce.terms.get(subscription.id)
    emulator.record(
        "order.created",
        tenant_id=order.tenant_id,
        customer_id=order.customer_id,
        subject_id=order.id,
        request_id=request_id,
        after={"billing_cycle": order.billing_cycle, "status": order.status},
    )
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
            **({"cause": cause} if cause else {}),
            **(facts(terms, "new") if terms is not None else {}),
            "commitment_end": subscription.commitment_end.isoformat(),
        },
    )
