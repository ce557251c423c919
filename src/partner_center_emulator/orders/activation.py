"""Activation of SaaS (model room): links by order and by subscription, and the sandbox's activation (commerce 3.1).

The link leads to the maker's page; opening it is the customer's business. ``POST .../activate`` does it for tests.
"""

from __future__ import annotations

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import refusal
from partner_center_emulator.wire import Json, attributes, link
from partner_center_emulator.world import Order, Subscription


def order_links(emulator: Emulator, order: Order, line_number: str = "") -> list[Json]:
    """Return the activation links of an order's SaaS lines, or of one line; none before provisioning."""
    terms = emulator.world.commerce.terms
    return [
        wire_link(line.subscription_id)
        for line in order.lines
        if line.subscription_id in terms
        and line.subscription_id
        and terms[line.subscription_id].product_type == "SaaS"
        and line_number in ("", str(line.line_item_number))
    ]


def wire_link(subscription_id: str) -> Json:
    """Return one activation link; its address is invented and leads nowhere."""
    uri = f"https://saas.example/activate?subscription={subscription_id}"
    return {"link": link(uri), "attributes": attributes("SubscriptionActivationLink")}


def subscription_links(emulator: Emulator, subscription: Subscription) -> list[Json]:
    """Return the activation link of a SaaS subscription; empty for everything else."""
    terms = emulator.world.commerce.terms.get(subscription.id)
    return [wire_link(subscription.id)] if terms is not None and terms.product_type == "SaaS" else []


def activate(emulator: Emulator, subscription: Subscription, request_id: str) -> Json:
    """Activate a SaaS subscription as its customer would; raises 400 code 800002 for other products."""
    terms = emulator.world.commerce.terms.get(subscription.id)
    if terms is None or terms.product_type != "SaaS":
        raise refusal(800002, "only SaaS subscriptions are activated.")
    if not terms.is_activated:
        terms.is_activated = True
        emulator.record(
            "subscription.activated",
            tenant_id=subscription.tenant_id,
            customer_id=subscription.customer_id,
            subject_id=subscription.id,
            request_id=request_id,
        )
    return {
        "subscriptionId": subscription.id,
        "status": "Success",
        "attributes": attributes("SubscriptionActivationResult"),
    }
