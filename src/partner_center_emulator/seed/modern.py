"""New-commerce subscriptions of a mixed world, each as it is asked for (seed room): term, age, state, promotion.

Nothing is recorded as a change: what stands here stood before the world's clock began.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from random import Random

import msgspec

from partner_center_emulator.products.prices import price_of
from partner_center_emulator.seed.new_commerce import LETTERS, add_order, elapsed_terms
from partner_center_emulator.seed.portfolio import new_guid
from partner_center_emulator.state.catalog import Plan, Product, Sku
from partner_center_emulator.state.commerce import SeatBatch, SubscriptionTerms
from partner_center_emulator.subscriptions.months import TERM_MONTHS, add_months, midnight_after, term_end
from partner_center_emulator.subscriptions.windows import SEVEN_DAYS
from partner_center_emulator.world import PartnerTenant, Subscription, World


class Modern(msgspec.Struct, frozen=True, kw_only=True):
    """What to put into the world. ``key`` is ``product:sku``, ``bought_days`` how long ago it was bought.

    ``ended_days`` (with ``status`` expired) is how long ago its last term ended; 0 for a term that runs.
    """

    key: str
    quantity: int
    duration: str = "P1Y"
    cycle: str = "monthly"
    bought_days: int = 100
    status: str = "active"
    ended_days: int = 0
    auto_renew: bool = True
    promotion_id: str = ""
    reseller: str | None = None


def put_modern(world: World, rng: Random, tenant: PartnerTenant, customer_id: str, wish: Modern) -> Subscription:
    """Put one new-commerce subscription with an order of its own into the world and return it.

    Raises KeyError for a product, SKU or plan that the catalog does not have.
    """
    product, sku, plan = _of_catalog(world, wish)
    bought = _bought_at(world, rng, wish)
    elapsed = _elapsed(world, bought.date(), wish)
    end = term_end(bought.date(), wish.duration, elapsed)
    availability = product.id[:7] + "".join(rng.choices(LETTERS, k=5))
    subscription = Subscription(
        id=new_guid(rng),
        tenant_id=tenant.id,
        customer_id=customer_id,
        offer_id=f"{product.id}:{sku.id}:{availability}",
        offer_name=sku.title,
        friendly_name=sku.title,
        quantity=wish.quantity,
        status=wish.status,
        order_id=new_guid(rng).replace("-", "")[-12:],
        created_at=bought,
        effective_start=bought.date(),
        commitment_end=end,
        billing_cycle=wish.cycle,
        unit_type=sku.unit_type,
        is_trial=sku.is_trial,
        auto_renew=wish.auto_renew and wish.status == "active",
        partner_id_on_record=wish.reseller,
    )
    if wish.status == "suspended":
        subscription.suspended_at = world.started_at - timedelta(days=rng.randint(1, 10))
    terms = _terms(world, tenant, subscription, wish, (product, sku, plan), elapsed)
    if wish.status == "expired":
        terms.state_since = midnight_after(end)
    world.subscriptions[subscription.id] = subscription
    world.commerce.terms[subscription.id] = terms
    add_order(world, tenant, subscription, terms)
    return subscription


def _of_catalog(world: World, wish: Modern) -> tuple[Product, Sku, Plan]:
    product_id, _, sku_id = wish.key.partition(":")
    product = world.commerce.products[product_id]
    sku = next((one for one in product.skus if one.id == sku_id), None)
    plans = sku.plans if sku is not None else []
    plan = next((one for one in plans if (one.duration, one.billing_cycle) == (wish.duration, wish.cycle)), None)
    if sku is None or plan is None:
        raise KeyError(f"{wish.key} {wish.duration} {wish.cycle}")
    return product, sku, plan


def _bought_at(world: World, rng: Random, wish: Modern) -> datetime:
    """When it was bought; for an expired one, a whole term before its end."""
    day = world.started_at.date() - timedelta(days=wish.bought_days)
    if wish.status == "expired":
        last = world.started_at.date() - timedelta(days=wish.ended_days)
        day = add_months(last + timedelta(days=1), -TERM_MONTHS[wish.duration])
    bought = datetime.combine(day, time(), tzinfo=world.started_at.tzinfo) + timedelta(seconds=rng.randint(0, 72_000))
    return min(bought, world.started_at)


def _elapsed(world: World, anchor: date, wish: Modern) -> int:
    return 0 if wish.status == "expired" else elapsed_terms(anchor, wish.duration, world.started_at.date())


def _terms(
    world: World,
    tenant: PartnerTenant,
    subscription: Subscription,
    wish: Modern,
    bought: tuple[Product, Sku, Plan],
    elapsed: int,
) -> SubscriptionTerms:
    product, sku, plan = bought
    promotion = world.commerce.promotions.get(wish.promotion_id)
    price = price_of(plan, tenant.currency, promotion)
    anchor = subscription.effective_start
    began = add_months(anchor, TERM_MONTHS.get(wish.duration, 0) * elapsed)
    started = datetime.combine(began, time(), tzinfo=world.started_at.tzinfo) if elapsed else subscription.created_at
    seats = SeatBatch(quantity=subscription.quantity, added_at=started, until=started + SEVEN_DAYS)
    return SubscriptionTerms(
        product_id=product.id,
        sku_id=sku.id,
        product_type=product.type,
        term_duration=plan.duration,
        purchased_at=subscription.created_at,
        term_started_at=started,
        anchor=anchor,
        terms_elapsed=elapsed,
        currency=tenant.currency,
        unit_price=str(price.unit_price),
        list_price=str(price.list_price),
        promotion_id=wish.promotion_id,
        promotions_used=[wish.promotion_id] if wish.promotion_id else [],
        batches=[seats] if seats.until > world.started_at else [],
    )
