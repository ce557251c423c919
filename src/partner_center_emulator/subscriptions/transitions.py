"""Upgrades of new-commerce subscriptions to another SKU (model room, commerce 3.8).

All seats: the subscription keeps its id and term. Some of them: they go to another subscription of the target SKU, or
to a new one. There is no window to undo it, and the conversion is done at once (assumed; the wire shows it started).
"""

from __future__ import annotations

from collections.abc import Mapping

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import ApiError, refusal
from partner_center_emulator.index import CommerceIndex
from partner_center_emulator.orders.new_commerce import place, provision
from partner_center_emulator.orders.reading import read_cycle, read_quantity
from partner_center_emulator.orders.wanted import LineFault, Request, examine
from partner_center_emulator.products.availability import Item, current_item, find_product, find_sku, plan_of
from partner_center_emulator.products.prices import price_of
from partner_center_emulator.state.commerce import SubscriptionTerms, Transition, TransitionEvent
from partner_center_emulator.subscriptions.months import TERM_MONTHS
from partner_center_emulator.subscriptions.terms import record_change
from partner_center_emulator.wire import Json, attributes, field, text_field, wire_time, without_nulls
from partner_center_emulator.world import Subscription

TYPES = ("transition_only", "transition_with_license_transfer")
# Commerce 3.8: numbers of the eligibility errors.
NOT_ACTIVE, CONFLICT = 2, 3


def terms_of(emulator: Emulator, subscription: Subscription) -> SubscriptionTerms:
    """Return the terms of a new-commerce subscription; raises 400 code 800002 for a legacy one."""
    terms = emulator.world.commerce.terms.get(subscription.id)
    if terms is None:
        raise refusal(800002, "transitions are for new-commerce subscriptions.")
    return terms


def eligibilities(emulator: Emulator, subscription: Subscription) -> list[Json]:
    """Return one entry per SKU the subscription may become; none if there is no path."""
    terms = terms_of(emulator, subscription)
    operation_id = emulator.next_request_id()
    return [
        _eligibility(emulator, subscription, item, operation_id) for item in _targets(emulator, subscription, terms)
    ]


def _targets(emulator: Emulator, subscription: Subscription, terms: SubscriptionTerms) -> list[Item]:
    sku = find_sku(find_product(emulator, terms.product_id), terms.sku_id)
    country = emulator.world.customers[subscription.customer_id].address.country.upper()
    found: list[Item] = []
    for key in sku.upgrade_targets:
        try:
            found.append(current_item(emulator, key, country, terms.segment))
        except ApiError:  # not sold in this country or segment
            continue
    return found


def _eligibility(emulator: Emulator, subscription: Subscription, item: Item, operation_id: str) -> Json:
    active = subscription.status == "active"
    errors: list[Json] = [] if active else [_error(NOT_ACTIVE, "The subscription is not active.")]
    return {
        "operationId": operation_id,
        "catalogItemId": item.catalog_item_id,
        "title": item.sku.title,
        "description": item.sku.description,
        "quantity": subscription.quantity,
        "subscriptionEligibilities": [
            _other(emulator, subscription, other) for other in _others(emulator, subscription, item)
        ],
        "eligibilities": [{"isEligible": active, "transitionType": kind, "errors": errors} for kind in TYPES],
        "attributes": attributes("TransitionEligibility"),
    }


def _error(code: int, text: str) -> Json:
    return {"code": code, "description": text}


def _others(emulator: Emulator, subscription: Subscription, item: Item) -> list[Subscription]:
    terms = emulator.world.commerce.terms
    held = emulator.derived(CommerceIndex).subscriptions_of(subscription.tenant_id, subscription.customer_id)
    return [
        row
        for row in held
        if row.status == "active"
        and not row.moved_to
        and row.id in terms
        and f"{terms[row.id].product_id}:{terms[row.id].sku_id}" == item.key
    ]


def _other(emulator: Emulator, subscription: Subscription, other: Subscription) -> Json:
    terms = emulator.world.commerce.terms
    fits = _months(terms[other.id]) >= _months(terms[subscription.id])
    return {
        "isEligible": fits,
        "subscriptionId": other.id,
        "subscriptionFriendlyName": other.friendly_name,
        "subscriptionTermDuration": terms[other.id].term_duration,
        "subscriptionBillingCycle": other.billing_cycle,
        "errors": [] if fits else [_error(CONFLICT, "Its term is shorter than that of the source.")],
    }


def _months(terms: SubscriptionTerms) -> int:
    return TERM_MONTHS.get(terms.term_duration, 0)


def start(emulator: Emulator, subscription: Subscription, members: Mapping[str, object], request_id: str) -> Transition:
    """Do what a POST to the transitions asks for.

    Raises 400 with 2000, 800002 for a target that is no upgrade, 800096 unless active, 6001 for a plan the target
    lacks, and what a purchase of the target raises where it needs a new subscription.
    """
    terms = terms_of(emulator, subscription)
    kind = text_field(members, "transitionType").lower()
    quantity = read_quantity(members)
    if kind not in TYPES or not 0 < quantity <= subscription.quantity:
        raise refusal(2000, "A transition needs its type and a quantity within that of the subscription.")
    if subscription.status != "active":
        raise refusal(800096, subscription.status)
    wanted = text_field(members, "toCatalogItemId").upper()
    item = next((row for row in _targets(emulator, subscription, terms) if row.catalog_item_id == wanted), None)
    if item is None:
        raise refusal(800002, "the target is no upgrade of the subscription.")
    duration = text_field(members, "termDuration").upper() or terms.term_duration
    cycle = read_cycle(field(members, "billingCycle")) or subscription.billing_cycle
    if plan_of(item.sku, duration, cycle) is None:
        raise refusal(6001, item.catalog_item_id, cycle)
    from_item, now = subscription.offer_id, emulator.clock.now()
    request = Request(number=0, catalog_item_id=wanted, quantity=quantity, billing_cycle=cycle, term_duration=duration)
    target_id = text_field(members, "toSubscriptionId").lower()
    reached = _convert(emulator, subscription, item, request, target_id, request_id)
    names = ("Conversion", "LicenseReassignment") if kind == TYPES[1] else ("Conversion",)
    transition = Transition(
        operation_id=emulator.next_id("transition"),
        from_catalog_item_id=from_item,
        from_subscription_id=subscription.id,
        to_catalog_item_id=wanted,
        to_subscription_id=reached.id,
        quantity=quantity,
        term_duration=duration,
        billing_cycle=cycle,
        transition_type=kind,
        events=[TransitionEvent(name=name, status="Completed", at=now) for name in names],  # type: ignore[arg-type]  # of the enum
    )
    terms.transitions.append(transition)
    return transition


def _convert(
    emulator: Emulator, source: Subscription, item: Item, request: Request, target_id: str, request_id: str
) -> Subscription:
    if target_id and target_id != source.id:
        target = next((row for row in _others(emulator, source, item) if row.id == target_id), None)
        if target is None:
            raise refusal(20003, target_id)
        record_change(emulator, target, request_id, "convert", quantity=target.quantity + request.quantity)
    elif request.quantity == source.quantity:
        _become(emulator, source, item, request, request_id)
        return source
    else:
        target = _buy(emulator, source, request, request_id)
    left = source.quantity - request.quantity
    if left:
        record_change(emulator, source, request_id, "convert", quantity=left)
    else:
        record_change(emulator, source, request_id, "convert", status="deleted")
    return target


def _become(emulator: Emulator, source: Subscription, item: Item, request: Request, request_id: str) -> None:
    terms = emulator.world.commerce.terms[source.id]
    plan = plan_of(item.sku, request.term_duration, request.billing_cycle)
    if plan is not None:
        price = price_of(plan, terms.currency)
        terms.list_price, terms.unit_price = str(price.list_price), str(price.unit_price)
    terms.product_id, terms.sku_id, terms.promotion_id, terms.batches = item.product.id, item.sku.id, "", []
    terms.next_term = None
    record_change(
        emulator,
        source,
        request_id,
        "convert",
        offer_id=item.catalog_item_id,
        offer_name=item.sku.title,
        friendly_name=item.sku.title,
    )


def _buy(emulator: Emulator, source: Subscription, request: Request, request_id: str) -> Subscription:
    tenant = emulator.world.partner_tenants[source.tenant_id]
    customer = emulator.world.customers[source.customer_id]
    try:
        wanted = examine(emulator, tenant, customer, request, [request])
    except LineFault as fault:
        raise fault.error from None
    order = place(emulator, tenant, customer, [wanted], request_id)
    provision(emulator, order.id)
    created = emulator.world.subscriptions[order.lines[0].subscription_id or ""]
    emulator.world.commerce.terms[created.id].batches = []  # upgrades have no window (commerce 3.5)
    return created


def wire_transition(transition: Transition, *, just_started: bool = False) -> Json:
    """Return one Transition; the answer that starts it shows its events as started."""
    return without_nulls(
        {
            "operationId": transition.operation_id,
            "fromCatalogItemId": transition.from_catalog_item_id,
            "fromSubscriptionId": transition.from_subscription_id,
            "toCatalogItemId": transition.to_catalog_item_id,
            "toSubscriptionId": transition.to_subscription_id,
            "quantity": transition.quantity,
            "termDuration": transition.term_duration,
            "billingCycle": transition.billing_cycle,
            "transitionType": transition.transition_type,
            "promotionId": transition.promotion_id or None,
            "events": [
                {
                    "name": event.name,
                    "status": "Started" if just_started else event.status,
                    "timestamp": wire_time(event.at),
                    "attributes": attributes("TransitionEvent"),
                }
                for event in transition.events
            ],
            "attributes": attributes("Transition"),
        }
    )
