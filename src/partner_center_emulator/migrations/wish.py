"""Reading what a migration asks for, and whether it may be (model room, commerce reference 4.3).

A legacy offer's way to new commerce is the product that names it (``Product.legacy_names``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import cast

import msgspec

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import ApiError, refusal
from partner_center_emulator.index import CommerceIndex
from partner_center_emulator.products.availability import items_of
from partner_center_emulator.state.catalog import Plan, Product, Sku
from partner_center_emulator.subscriptions.months import TERM_MONTHS, add_months, midnight_after
from partner_center_emulator.transfers.lines import is_busy
from partner_center_emulator.transfers.placing import is_new_commerce
from partner_center_emulator.wire import Json, field, text_field
from partner_center_emulator.world import Offer, Subscription

_CLOSED_CATEGORIES = frozenset({"Government_Key", "Nonprofit_Key"})
_EDUCATION = ("education", "student", "faculty", "academic")


class Wish(msgspec.Struct, kw_only=True):
    """A checked wish for one subscription; ``plan`` is how it will be paid."""

    subscription: Subscription
    catalog_item_id: str
    plan: Plan
    quantity: int
    ends: date
    full_term: bool
    custom_term_end: date | None = None


def read_wishes(emulator: Emulator, tenant_id: str, customer_id: str, members: Mapping[str, object]) -> list[Wish]:
    """Return what a body asks for: the base, then its add-ons.

    Raises 404 code 20003 for an unknown subscription, and the codes 900215 to 900222, 900226, 900248, 900262, 900291,
    2000 or 2002 for what stands in the way.
    """
    base = _find(emulator, tenant_id, customer_id, text_field(members, "currentSubscriptionId"))
    if base.parent_subscription_id:
        raise refusal(900219, base.id)
    wishes = [_read_wish(emulator, base, members)]
    asked: set[str] = set()
    for raw in add_on_bodies(members):
        add_on = _find(emulator, tenant_id, customer_id, text_field(raw, "currentSubscriptionId"))
        if add_on.id in asked:
            raise refusal(900248, add_on.id)
        if (add_on.parent_subscription_id or "").lower() != base.id:
            raise refusal(900221, add_on.id)
        asked.add(add_on.id)
        wishes.append(_read_wish(emulator, add_on, {**_inherited(members), **raw}))
    for add_on in emulator.derived(CommerceIndex).add_ons_of(base.id):
        if add_on.status == "active" and add_on.id not in asked:
            raise refusal(900262, add_on.id)
    return wishes


def add_on_bodies(members: Mapping[str, object]) -> list[Json]:
    """Return the add-on migrations of a body; raises 400 code 2000 if they are no list of objects."""
    raw = field(members, "addOnMigrations") or []
    if not isinstance(raw, list) or not all(isinstance(row, dict) for row in raw):
        raise refusal(2000, "The addOnMigrations must be a list of objects.")
    return cast("list[Json]", raw)


def read_day(value: object) -> date | None:
    """Return the day of a date or time on the wire, None for none; raises 400 code 2000 if it cannot be read."""
    if value in (None, ""):
        return None
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise refusal(2000, f"The date {value} cannot be read.") from None
    return moment.astimezone(UTC).date() if moment.tzinfo else moment.date()


def _inherited(members: Mapping[str, object]) -> Json:
    return {
        name: value
        for name in ("termDuration", "billingCycle", "purchaseFullTerm", "customTermEndDate")
        if (value := field(members, name)) is not None
    }


def _find(emulator: Emulator, tenant_id: str, customer_id: str, subscription_id: str) -> Subscription:
    found = emulator.world.subscriptions.get(subscription_id.lower())
    if found is None or (found.tenant_id, found.customer_id) != (tenant_id, customer_id) or found.moved_to:
        raise refusal(20003, subscription_id)
    return found


def _read_wish(emulator: Emulator, row: Subscription, members: Mapping[str, object]) -> Wish:
    _check_state(emulator, row)
    product, sku = _way(emulator, row)
    customer = emulator.world.customers[row.customer_id]
    items = items_of(emulator, product, sku, customer.address.country)
    if not items:
        raise refusal(900220, row.offer_id)
    plan = _read_plan(sku, row, members)
    quantity = field(members, "quantity", row.quantity) or row.quantity
    if isinstance(quantity, bool) or not isinstance(quantity, int):
        raise refusal(2000, "The quantity must be a whole number.")
    if not sku.minimum_quantity <= quantity <= sku.maximum_quantity:
        raise refusal(2002, quantity, sku.minimum_quantity, sku.maximum_quantity)
    full_term = field(members, "purchaseFullTerm") is True
    _check_time(emulator, row, full_term=full_term)
    custom = read_day(field(members, "customTermEndDate"))
    ends = _term_end(emulator, row, plan, full_term=full_term)
    if custom is not None and not emulator.clock.now().date() < custom <= ends:
        raise refusal(900291)
    return Wish(
        subscription=row,
        catalog_item_id=items[0].catalog_item_id,
        plan=plan,
        quantity=quantity,
        ends=custom or ends,
        full_term=full_term,
        custom_term_end=custom,
    )


def _check_state(emulator: Emulator, row: Subscription) -> None:
    if row.status != "active":
        raise refusal(900215, row.id)
    migrations = emulator.world.transfers.migrations.values()
    migrating = any(
        migration.status == "Processing"
        and row.id in (migration.current_subscription_id, *(x.current_subscription_id for x in migration.add_ons))
        for migration in migrations
    )
    if migrating or is_busy(emulator.world, row.id):
        raise refusal(900216, row.id)
    if row.is_trial:
        raise refusal(900218, row.id)


def _check_time(emulator: Emulator, row: Subscription, *, full_term: bool) -> None:
    now = emulator.clock.now()
    if add_months(row.effective_start, 1) >= now.date():
        raise refusal(900226, row.id)
    if midnight_after(row.commitment_end) - now < timedelta(hours=24) and not full_term:
        raise refusal(900217, row.id)


def _way(emulator: Emulator, row: Subscription) -> tuple[Product, Sku]:
    offer = emulator.world.offers.get(row.offer_id)
    if offer is None or is_new_commerce(emulator, row) or _is_closed(offer):
        raise refusal(900220, row.offer_id)
    for product in emulator.world.commerce.products.values():
        if offer.name in product.legacy_names:
            return product, next(sku for sku in product.skus if not sku.is_trial)
    raise refusal(900220, row.offer_id)


def _is_closed(offer: Offer) -> bool:
    return offer.category in _CLOSED_CATEGORIES or any(word in offer.name.lower() for word in _EDUCATION)


def _read_plan(sku: Sku, row: Subscription, members: Mapping[str, object]) -> Plan:
    term = text_field(members, "termDuration").upper() or "P1Y"
    cycle = text_field(members, "billingCycle").lower() or row.billing_cycle
    for plan in sku.plans:
        if (plan.duration, plan.billing_cycle) == (term, cycle):
            return plan
    raise refusal(900222, term, cycle)


def _term_end(emulator: Emulator, row: Subscription, plan: Plan, *, full_term: bool) -> date:
    # without a full term the new subscription ends when the legacy one would have ended, if that lies in the term
    fresh = add_months(emulator.clock.now().date(), TERM_MONTHS[plan.duration]) - timedelta(days=1)
    return fresh if full_term else min(fresh, row.commitment_end)


_VALIDATION_CODES = {900215: 1, 900226: 2, 900217: 3, 900218: 4, 900220: 5}


def validation_error(error: ApiError) -> Json:
    """Return an obstacle as the validation writes it: 5 is published for "no equivalent offer", 0 is any other."""
    return {"code": _VALIDATION_CODES.get(error.code, 0), "description": error.description}
