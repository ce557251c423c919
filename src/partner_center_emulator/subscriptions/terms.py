"""What the terms of new-commerce subscriptions do by themselves (time room): renew, expire, extend, end.

Commerce 3.3, 3.7. Without auto-renew a term that ends by 4 May 2026 is expired for 30 days, disabled for 90, deleted.
Later ones of licenses go on month by month in the Extended Service Term, unless the partner chose to cancel. One that
ends suspended is disabled for 30 and 90 days. ``lapse.py`` calls ``end_term`` on the day.
"""

from __future__ import annotations

from datetime import date, timedelta

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.products.availability import current_item, parse_item_id, plan_of
from partner_center_emulator.products.prices import extended_price, price_of
from partner_center_emulator.state.catalog import Sku
from partner_center_emulator.state.commerce import NextTerm, SeatBatch, SubscriptionTerms
from partner_center_emulator.subscriptions.changes import change
from partner_center_emulator.subscriptions.months import CYCLE_MONTHS, charge_cycle, term_end
from partner_center_emulator.subscriptions.windows import SEVEN_DAYS
from partner_center_emulator.world import Subscription

EXPIRED_DAYS = 30
DISABLED_DAYS = 90
# Commerce 3.3: what ends suspended is disabled for 30 days first, then for the usual 90.
DISABLED_DAYS_OF_SUSPENDED = 30 + DISABLED_DAYS


def facts(terms: SubscriptionTerms, charge: str) -> dict[str, object]:
    """Return what an invoice needs to know of a change: its charge type (commerce 6.6), product, term and price."""
    return {
        "charge": charge,
        "product_id": terms.product_id,
        "sku_id": terms.sku_id,
        "term_duration": terms.term_duration,
        "currency": terms.currency,
        "unit_price": terms.unit_price,
        "list_price": terms.list_price,
        "promotion_id": terms.promotion_id,
        "anchor": terms.anchor.isoformat(),
    }


def record_change(
    emulator: Emulator, subscription: Subscription, request_id: str, charge: str = "", **wanted: object
) -> bool:
    """Change a new-commerce subscription through ``changes.change`` and note what it means for the invoice."""
    if not change(emulator, subscription, request_id, **wanted):
        return False
    entry = emulator.world.changes[-1]
    terms = emulator.world.commerce.terms[subscription.id]
    entry.after |= facts(terms, charge) | {"commitment_end": subscription.commitment_end.isoformat()}
    return True


def end_term(emulator: Emulator, subscription: Subscription) -> bool:
    """Do what happens at the end of the running term; return True if another term has begun."""
    terms = emulator.world.commerce.terms[subscription.id]
    if subscription.status == "suspended":
        _enter(emulator, subscription, "disabled", DISABLED_DAYS_OF_SUSPENDED)
        return False
    if subscription.status != "active":
        return False
    if subscription.auto_renew:
        _renew(emulator, subscription, terms)
        return True
    if not _extends(emulator, subscription, terms):
        _enter(emulator, subscription, "disabled" if terms.end_action == "cancel" else "expired", DISABLED_DAYS)
        return False
    _extend(emulator, subscription, terms)
    return True


def _extends(emulator: Emulator, subscription: Subscription, terms: SubscriptionTerms) -> bool:
    # commerce 3.7: eligible are licenses whose term ends after the date; trials and other products expire as before
    after = emulator.options.extended_term_after
    if not after or subscription.is_trial or terms.product_type != "OnlineServicesNCE" or terms.end_action == "cancel":
        return False
    return terms.is_extended or subscription.commitment_end > date.fromisoformat(after)


def _extend(emulator: Emulator, subscription: Subscription, terms: SubscriptionTerms) -> None:
    now = emulator.clock.now()
    if not terms.is_extended:
        sku = _sku(emulator, terms.product_id, terms.sku_id)
        present = plan_of(sku, terms.term_duration, subscription.billing_cycle) or sku.plans[0]
        price = extended_price(plan_of(sku, "P1M", "monthly"), present, terms.currency)
        terms.unit_price = terms.list_price = str(price)
        terms.is_extended, terms.term_duration, terms.promotion_id = True, "P1M", ""
        terms.anchor, terms.terms_elapsed = now.date(), 0
        terms.next_charge = terms.next_charge_at = None
    else:
        terms.terms_elapsed += 1
    terms.term_started_at, terms.batches = now, []
    end = term_end(terms.anchor, "P1M", terms.terms_elapsed)
    record_change(emulator, subscription, "", "extendTerm", billing_cycle="monthly", commitment_end=end)


def _renew(emulator: Emulator, subscription: Subscription, terms: SubscriptionTerms) -> None:
    wish = terms.next_term or _plain_renewal(emulator, subscription, terms)
    now = emulator.clock.now()
    sku = _sku(emulator, wish.product_id, wish.sku_id)
    restarts = (wish.term_duration, wish.product_id, wish.sku_id) != (
        terms.term_duration, terms.product_id, terms.sku_id,
    ) or terms.custom_term_end is not None  # fmt: skip
    terms.anchor, terms.terms_elapsed = (now.date(), 0) if restarts else (terms.anchor, terms.terms_elapsed + 1)
    plan = plan_of(sku, wish.term_duration, wish.billing_cycle)
    promotion = emulator.world.commerce.promotions.get(wish.promotion_id)
    if plan is not None:
        price = price_of(plan, terms.currency, promotion)
        terms.list_price, terms.unit_price = str(price.list_price), str(price.unit_price)
    terms.promotion_id = promotion.id if promotion else ""
    terms.promotions_used += [promotion.id] if promotion else []
    terms.product_id, terms.sku_id, terms.term_duration = wish.product_id, wish.sku_id, wish.term_duration
    terms.term_started_at, terms.next_term, terms.renewal_term_duration = now, None, ""
    terms.custom_term_end = wish.custom_term_end
    terms.batches = [SeatBatch(quantity=wish.quantity, added_at=now, until=now + SEVEN_DAYS)]
    end = wish.custom_term_end or term_end(terms.anchor, terms.term_duration, terms.terms_elapsed)
    wanted: dict[str, object] = {
        "quantity": wish.quantity, "billing_cycle": wish.billing_cycle, "commitment_end": end,
        "is_trial": sku.is_trial, "offer_name": sku.title,
    }  # fmt: skip
    if parse_item_id(subscription.offer_id)[:2] != (terms.product_id, terms.sku_id):
        wanted["offer_id"] = _item_id(emulator, subscription, terms)
    record_change(emulator, subscription, "", "renew", **wanted)


def _plain_renewal(emulator: Emulator, subscription: Subscription, terms: SubscriptionTerms) -> NextTerm:
    duration = terms.renewal_term_duration or terms.term_duration
    product_id, sku_id, cycle = terms.product_id, terms.sku_id, subscription.billing_cycle
    sku = _sku(emulator, product_id, sku_id)
    if sku.is_trial and sku.converts_to:
        # a trial becomes the paid product at its end (R-127 calls it a purchase of its own)
        product_id, sku_id, _ = parse_item_id(sku.converts_to)
        paid = _sku(emulator, product_id, sku_id)
        cycle = "monthly" if plan_of(paid, duration, "monthly") else paid.plans[0].billing_cycle
    return NextTerm(
        product_id=product_id,
        sku_id=sku_id,
        billing_cycle=cycle,
        term_duration=duration,
        quantity=subscription.quantity,
    )


def _item_id(emulator: Emulator, subscription: Subscription, terms: SubscriptionTerms) -> str:
    country = emulator.world.customers[subscription.customer_id].address.country
    return current_item(emulator, f"{terms.product_id}:{terms.sku_id}", country, terms.segment).catalog_item_id


def _sku(emulator: Emulator, product_id: str, sku_id: str) -> Sku:
    return next(sku for sku in emulator.world.commerce.products[product_id].skus if sku.id == sku_id)


def _enter(emulator: Emulator, subscription: Subscription, status: str, days: int) -> None:
    terms = emulator.world.commerce.terms[subscription.id]
    terms.state_since, terms.disabled_days = emulator.clock.now(), days
    terms.next_term = terms.next_charge = terms.next_charge_at = None
    record_change(emulator, subscription, "", status=status)
    arm_state(emulator, subscription)


def arm_state(emulator: Emulator, subscription: Subscription) -> None:
    """Put the end of the expired or disabled state on the clock; does nothing in other states."""
    terms = emulator.world.commerce.terms[subscription.id]
    status, since = subscription.status, terms.state_since
    if since is None or status not in ("expired", "disabled"):
        return

    def go_on() -> None:
        if (subscription.status, terms.state_since) != (status, since):
            return
        if status == "expired":
            _enter(emulator, subscription, "disabled", DISABLED_DAYS)
        else:
            record_change(emulator, subscription, "", status="deleted")

    days = EXPIRED_DAYS if status == "expired" else terms.disabled_days
    emulator.clock.at(since + timedelta(days=days), f"{status} is over: {subscription.id}", go_on)


def next_charge_date(emulator: Emulator, subscription: Subscription, terms: SubscriptionTerms) -> date:
    """Return the last day of the charge cycle that runs today."""
    today = emulator.clock.now().date()
    cycle = subscription.billing_cycle if subscription.billing_cycle in CYCLE_MONTHS else "none"
    return charge_cycle(terms.anchor, cycle, today, subscription.commitment_end)[1]


def change_plan(emulator: Emulator, subscription: Subscription, wish: NextTerm) -> bool:
    """Apply a change of billing cycle or term at its charge date; return False if it was withdrawn (commerce 3.4)."""
    terms = emulator.world.commerce.terms[subscription.id]
    if terms.next_charge is not wish or subscription.status not in ("active", "suspended"):
        return False
    terms.next_charge = terms.next_charge_at = None
    plan = plan_of(_sku(emulator, terms.product_id, terms.sku_id), wish.term_duration, wish.billing_cycle)
    if plan is None:
        return False
    price = price_of(plan, terms.currency)
    terms.list_price, terms.unit_price = str(price.list_price), str(price.unit_price)
    end = subscription.commitment_end
    if wish.term_duration != terms.term_duration:
        today = emulator.clock.now().date()
        terms.term_duration, terms.anchor, terms.terms_elapsed = wish.term_duration, today, 0
        end = term_end(today, wish.term_duration)
    return record_change(
        emulator, subscription, "", "changeBillingPlan", billing_cycle=wish.billing_cycle, commitment_end=end
    )
