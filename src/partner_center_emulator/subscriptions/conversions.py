"""Legacy trials that become paid (model room, commerce 3.1)."""

from __future__ import annotations

from collections.abc import Mapping

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.orders.purchase import term_end
from partner_center_emulator.orders.reading import read_cycle, read_quantity
from partner_center_emulator.subscriptions.changes import change
from partner_center_emulator.subscriptions.lapse import enter_term
from partner_center_emulator.wire import Json, attributes, field, text_field
from partner_center_emulator.world import Offer, Subscription

_OTHER, _NOT_FOUND = 0, 1


def targets(emulator: Emulator, subscription: Subscription) -> list[Offer]:
    """Return the paid offers an active legacy trial may become."""
    offer = emulator.world.offers.get(subscription.offer_id)
    if offer is None or not subscription.is_trial or subscription.status != "active":
        return []
    known = emulator.world.offers
    return [known[key.upper()] for key in offer.conversion_target_offers if key.upper() in known]


def wire_conversion(subscription: Subscription, offer: Offer) -> Json:
    """Return one Conversion that is possible."""
    return {
        "offerId": subscription.offer_id,
        "targetOfferId": offer.id,
        "orderId": subscription.order_id.upper(),
        "quantity": subscription.quantity,
        "billingCycle": "monthly" if "monthly" in offer.billing_cycles else offer.billing_cycles[0],
        "attributes": attributes("Conversion"),
    }


def convert(emulator: Emulator, subscription: Subscription, members: Mapping[str, object], request_id: str) -> Json:
    """Turn a legacy trial into the paid offer of the body; what is wrong stands in the answer's ``error``."""
    source, wanted = subscription.offer_id, text_field(members, "targetOfferId").upper()
    result: Json = {"subscriptionId": subscription.id.upper(), "offerId": source, "targetOfferId": wanted}
    offer = next((row for row in targets(emulator, subscription) if row.id == wanted), None)
    cycle = read_cycle(field(members, "billingCycle")) or "monthly"
    quantity = read_quantity(members) if field(members, "quantity") is not None else subscription.quantity
    if offer is None:
        result["error"] = {"code": _NOT_FOUND, "description": "The trial cannot become this offer."}
    elif cycle not in offer.billing_cycles or not offer.minimum_quantity <= quantity <= offer.maximum_quantity:
        result["error"] = {"code": _OTHER, "description": "The offer is not sold with this cycle or quantity."}
    else:
        _become(emulator, subscription, offer, quantity, cycle, request_id)
    result["attributes"] = attributes("ConversionResult")
    return result


def _become(
    emulator: Emulator, subscription: Subscription, offer: Offer, quantity: int, cycle: str, request_id: str
) -> None:
    change(
        emulator,
        subscription,
        request_id,
        offer_id=offer.id,
        offer_name=offer.name,
        quantity=quantity,
        billing_cycle=cycle,
        is_trial=False,
        auto_renew=True,
        commitment_end=term_end(offer, emulator.clock.now().date()),
    )
    enter_term(emulator, subscription)
    order = emulator.world.orders.get(subscription.order_id)
    if order is not None:
        order.billing_cycle = cycle
        for line in order.lines:
            if line.subscription_id == subscription.id:
                line.offer_id, line.quantity = offer.id, quantity
