"""New-commerce subscriptions of generated customers (seed room): what follows a legacy offer.

A world has none unless the generator is asked for a share. Each is what the same company would have bought today
instead of a legacy base offer; it has no add-ons, and its term runs when the world begins.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from random import Random

import msgspec

from partner_center_emulator.products.prices import price_of
from partner_center_emulator.seed.portfolio import new_guid
from partner_center_emulator.state.catalog import Plan, Product, Sku
from partner_center_emulator.state.commerce import NewOrder, NewOrderLine, SubscriptionTerms
from partner_center_emulator.subscriptions.months import TERM_MONTHS, add_months, term_end
from partner_center_emulator.world import Order, OrderLine, PartnerTenant, Subscription, World

_PLANS = (("P1Y", "monthly", 55), ("P1Y", "annual", 25), ("P1M", "monthly", 20))
LETTERS = "0123456789BCDFGHJKLMNPQRSTVWXYZ"
_WITHOUT_RENEWAL = 0.1
_SUSPENDED = 0.03


class Successor(msgspec.Struct, frozen=True):
    """What follows a legacy offer: a product and its paid SKU."""

    product: Product
    sku: Sku


def successors(world: World) -> dict[str, Successor]:
    """Return what follows each legacy base offer, by the offer's name."""
    return {
        name: Successor(product, product.skus[0])
        for product in world.commerce.products.values()
        if not product.skus[0].required_skus
        for name in product.legacy_names
    }


def hold_new(
    world: World, rng: Random, tenant: PartnerTenant, customer_id: str, successor: Successor, quantity: int
) -> Subscription:
    """Put one new-commerce subscription with an order of its own into the world and return it."""
    duration, cycle = rng.choices([row[:2] for row in _PLANS], [row[2] for row in _PLANS])[0]
    plan = next(plan for plan in successor.sku.plans if (plan.duration, plan.billing_cycle) == (duration, cycle))
    bought = _bought_at(rng, world.started_at, duration)
    elapsed = elapsed_terms(bought.date(), duration, world.started_at.date())
    quantity = max(successor.sku.minimum_quantity, min(quantity, successor.sku.maximum_quantity))
    availability = successor.product.id[:7] + "".join(rng.choices(LETTERS, k=5))
    subscription = Subscription(
        id=new_guid(rng),
        tenant_id=tenant.id,
        customer_id=customer_id,
        offer_id=f"{successor.product.id}:{successor.sku.id}:{availability}",
        offer_name=successor.sku.title,
        friendly_name=successor.sku.title,
        quantity=quantity,
        status="active",
        order_id=new_guid(rng).replace("-", "")[-12:],
        created_at=bought,
        effective_start=bought.date(),
        commitment_end=term_end(bought.date(), duration, elapsed),
        billing_cycle=cycle,
        auto_renew=rng.random() >= _WITHOUT_RENEWAL,
    )
    if rng.random() < _SUSPENDED:
        since = world.started_at - timedelta(days=rng.randint(1, 10))
        subscription.status, subscription.auto_renew, subscription.suspended_at = "suspended", False, max(bought, since)
    price = price_of(plan, tenant.currency)
    terms = _terms(world, subscription, successor, plan, elapsed)
    terms.unit_price = terms.list_price = str(price.unit_price)
    terms.currency = tenant.currency
    world.subscriptions[subscription.id] = subscription
    world.commerce.terms[subscription.id] = terms
    add_order(world, tenant, subscription, terms)
    return subscription


def _terms(
    world: World, subscription: Subscription, successor: Successor, plan: Plan, elapsed: int
) -> SubscriptionTerms:
    anchor = subscription.effective_start
    began = add_months(anchor, TERM_MONTHS[plan.duration] * elapsed)
    return SubscriptionTerms(
        product_id=successor.product.id,
        sku_id=successor.sku.id,
        product_type=successor.product.type,
        term_duration=plan.duration,
        purchased_at=subscription.created_at,
        term_started_at=datetime.combine(began, time(), tzinfo=world.started_at.tzinfo)
        if elapsed
        else subscription.created_at,
        anchor=anchor,
        terms_elapsed=elapsed,
        currency="",
        unit_price="",
        list_price="",
    )


def _bought_at(rng: Random, started_at: datetime, duration: str) -> datetime:
    # at least eight days ago, so that no window is open and no seats can be given back
    days = rng.randint(8, 200 if duration == "P1M" else 700)
    day = started_at.date() - timedelta(days=days)
    return datetime.combine(day, time(), tzinfo=started_at.tzinfo) + timedelta(seconds=rng.randint(6 * 3600, 64800))


def elapsed_terms(anchor: date, duration: str, today: date) -> int:
    """Return how many whole terms are over since the anchor, before the one that runs today."""
    elapsed = 0
    while term_end(anchor, duration, elapsed) < today:
        elapsed += 1
    return elapsed


def add_order(world: World, tenant: PartnerTenant, subscription: Subscription, terms: SubscriptionTerms) -> None:
    """Put the completed order of a subscription that was bought before the world began into the world."""
    line = OrderLine(
        line_item_number=0,
        offer_id=subscription.offer_id,
        quantity=subscription.quantity,
        friendly_name=subscription.friendly_name,
        subscription_id=subscription.id,
    )
    world.orders[subscription.order_id] = Order(
        id=subscription.order_id,
        tenant_id=tenant.id,
        customer_id=subscription.customer_id,
        billing_cycle=subscription.billing_cycle,
        currency=tenant.currency,
        currency_symbol=tenant.currency_symbol,
        created_at=subscription.created_at,
        lines=[line],
    )
    row = NewOrderLine(
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
    )
    world.commerce.orders[subscription.order_id] = NewOrder(lines=[row], provision_at=None)
