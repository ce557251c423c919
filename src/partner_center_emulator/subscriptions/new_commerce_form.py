"""How the wire shows a new-commerce subscription (wire room, commerce 3.2): lower-case ids, no etag."""

from __future__ import annotations

from datetime import datetime, timedelta

from partner_center_emulator.products.availability import parse_item_id
from partner_center_emulator.state.commerce import NextTerm, SubscriptionTerms
from partner_center_emulator.subscriptions import windows
from partner_center_emulator.subscriptions.months import charge_cycle, midnight_after
from partner_center_emulator.subscriptions.wishes import END_ACTION
from partner_center_emulator.wire import Json, attributes, link, wire_date, wire_time, without_nulls
from partner_center_emulator.world import Subscription, World


def wire_new_subscription(world: World, subscription: Subscription, now: datetime) -> Json:
    """Return one Subscription as it stands at ``now``."""
    terms = world.commerce.terms[subscription.id]
    return without_nulls(
        {
            **_what_it_is(world, subscription, terms),
            **_how_it_stands(subscription, terms),
            **_what_can_be_undone(subscription, terms, now),
            **_what_is_to_come(subscription, terms, now),
            "partnerId": subscription.partner_id_on_record or "",
            "links": _links(subscription, terms),
            "orderId": subscription.order_id,
            "attributes": attributes("Subscription"),
        }
    )


def _what_it_is(world: World, subscription: Subscription, terms: SubscriptionTerms) -> Json:
    product = world.commerce.products.get(terms.product_id)
    key = f"{terms.product_id}:{terms.sku_id}"
    return {
        "id": subscription.id,
        "offerId": subscription.offer_id,
        "offerName": subscription.offer_name,
        "friendlyName": subscription.friendly_name,
        "productType": {"id": terms.product_type, "displayName": terms.product_type},
        "quantity": subscription.quantity,
        "unitType": subscription.unit_type,
        "hasPurchasableAddons": any(
            key in sku.required_skus for other in world.commerce.products.values() for sku in other.skus
        ),
        "creationDate": wire_time(subscription.created_at),
        "effectiveStartDate": wire_date(subscription.effective_start),
        "commitmentEndDate": wire_date(subscription.commitment_end),
        "commitmentEndDateTime": _end_of(midnight_after(subscription.commitment_end)),
        "isMicrosoftProduct": product.is_microsoft_product if product else True,
        "publisherName": product.publisher if product else "Microsoft Corporation",
        "migratedFromSubscriptionId": terms.migrated_from or None,
        "promotionId": terms.promotion_id or None,
    }


def _how_it_stands(subscription: Subscription, terms: SubscriptionTerms) -> Json:
    return {
        "status": subscription.status,
        "autoRenewEnabled": subscription.auto_renew,
        "isTrial": subscription.is_trial,
        "billingType": subscription.billing_type,
        "billingCycle": subscription.billing_cycle,
        "termDuration": terms.term_duration,
        "renewalTermDuration": terms.renewal_term_duration,
        "actions": [],
        "attentionNeeded": not terms.is_activated,
        "actionTaken": False,
        "suspensionReasons": [] if subscription.status == "suspended" else None,
        "contractType": "subscription",
        END_ACTION: terms.end_action or ("extend" if terms.is_extended else None),
    }


def _what_can_be_undone(subscription: Subscription, terms: SubscriptionTerms, now: datetime) -> Json:
    if subscription.status not in ("active", "suspended"):
        return {}
    until = windows.cancellable_until(subscription, terms)
    batches = windows.open_batches(terms, now) if windows.removable_seats(subscription, terms, now) else []
    return {
        # absent once the window is closed (commerce 3.2)
        "cancellationAllowedUntilDate": wire_time(until) if until is not None and now < until else None,
        "refundOptions": [
            {"type": option.kind, "expiresAt": wire_time(option.until)}
            for option in windows.refunds(subscription, terms)
            if now < option.until
        ],
        "refundableQuantity": {
            "totalQuantity": sum(batch.quantity for batch in batches),
            "details": [
                {"quantity": batch.quantity, "allowedUntilDateTime": wire_time(batch.until)} for batch in batches
            ],
        },
    }


def _what_is_to_come(subscription: Subscription, terms: SubscriptionTerms, now: datetime) -> Json:
    today = min(now.date(), subscription.commitment_end)
    last = charge_cycle(terms.anchor, subscription.billing_cycle, today, subscription.commitment_end)[1]
    return {
        "billingCycleEndDate": wire_date(last),
        "billingCycleEndDateTime": _end_of(midnight_after(last)),
        "scheduledNextTermInstructions": _wire_next(terms.next_term),
        "nextChargeInstructions": _wire_next(terms.next_charge),
    }


def _wire_next(wish: NextTerm | None) -> Json | None:
    if wish is None:
        return None
    product = {
        "productId": wish.product_id,
        "skuId": wish.sku_id,
        "availabilityId": wish.availability_id or None,
        "billingCycle": wish.billing_cycle,
        "termDuration": wish.term_duration,
        "promotionId": wish.promotion_id or None,
    }
    body: Json = {"product": without_nulls(product), "quantity": wish.quantity}
    if wish.custom_term_end:
        body["customTermEndDate"] = wire_date(wish.custom_term_end)
    return body


def _end_of(midnight: datetime) -> str:
    # the exact end is the last second of the inclusive day (commerce 3.2)
    return f"{midnight - timedelta(seconds=1):%Y-%m-%dT%H:%M:%S}Z"


def _links(subscription: Subscription, terms: SubscriptionTerms) -> Json:
    product_id, sku_id, availability_id = parse_item_id(subscription.offer_id)
    sku_uri = f"/products/{product_id}/skus/{sku_id}"
    uri = f"/customers/{subscription.customer_id}/subscriptions/{subscription.id}"
    links: Json = {
        "product": link(f"/products/{product_id}"),
        "sku": link(sku_uri),
        "availability": link(f"{sku_uri}/availabilities/{availability_id}"),
        "self": link(uri),
    }
    if terms.product_type == "SaaS":
        links["activationLinks"] = link(f"{uri}/activationlinks")
    return links
