"""How the wire shows a legacy subscription (wire room, commerce 3.2)."""

from __future__ import annotations

from datetime import timedelta

from partner_center_emulator.offers.models import OfferLinks
from partner_center_emulator.wire import Json, attributes, link, version_etag, wire_date, wire_time, without_nulls
from partner_center_emulator.world import Subscription, World


def wire_subscription(world: World, links: OfferLinks, subscription: Subscription) -> Json:
    """Return one Subscription; ids in upper case, as the legacy service writes them (commerce 3.2 sample)."""
    parent = subscription.parent_subscription_id
    return without_nulls(
        {
            **_what_it_is(subscription),
            **_how_it_stands(subscription),
            "hasPurchasableAddons": subscription.offer_id in links.bases,
            "parentSubscriptionId": parent.upper() if parent else None,
            "partnerId": subscription.partner_id_on_record,
            "links": _links(world, subscription),
            "orderId": subscription.order_id.upper(),
            "attributes": attributes("Subscription", version_etag(subscription.id, subscription.version)),
        }
    )


def _what_it_is(subscription: Subscription) -> Json:
    return {
        "id": subscription.id.upper(),
        "entitlementId": subscription.entitlement_id,
        "offerId": subscription.offer_id,
        "offerName": subscription.offer_name,
        "friendlyName": subscription.friendly_name,
        "quantity": subscription.quantity,
        "unitType": subscription.unit_type,
        "creationDate": wire_time(subscription.created_at),
        "effectiveStartDate": wire_date(subscription.effective_start),
        "commitmentEndDate": wire_date(subscription.commitment_end),
    }


def _how_it_stands(subscription: Subscription) -> Json:
    return {
        "status": subscription.status,
        "autoRenewEnabled": subscription.auto_renew,
        "isTrial": subscription.is_trial,
        "billingType": subscription.billing_type,
        "billingCycle": subscription.billing_cycle,
        "isMicrosoftProduct": True,
        "publisherName": "Microsoft Corporation",
        "actions": ["Edit", "Cancel"],
        "suspensionReasons": _suspension_reasons(subscription),
        "contractType": "subscription",
    }


def _suspension_reasons(subscription: Subscription) -> list[str] | None:
    if subscription.status != "suspended":
        return None
    since = subscription.suspended_at
    # the value set is not published; only this one word was ever seen (commerce 3.2)
    lapsed = since is not None and since.date() == subscription.commitment_end + timedelta(days=1)
    return ["Expiration"] if lapsed and not subscription.auto_renew else []


def _links(world: World, subscription: Subscription) -> Json:
    customer = world.customers.get(subscription.customer_id)
    country = customer.address.country if customer else "US"
    base = f"/customers/{subscription.customer_id}/subscriptions"
    members: Json = {
        "offer": link(f"/offers/{subscription.offer_id}?country={country}"),
        "self": link(f"{base}/{subscription.id.upper()}"),
    }
    if subscription.parent_subscription_id:
        members["parentSubscription"] = link(f"{base}/{subscription.parent_subscription_id.upper()}")
    return members
