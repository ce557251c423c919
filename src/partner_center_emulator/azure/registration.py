"""Registering an Azure subscription for reservations (wire room, commerce reference 3.1): 202, and a status to poll."""

from __future__ import annotations

from datetime import timedelta

from partner_center_emulator.azure.models import LEGACY_OFFER, is_plan
from partner_center_emulator.coverage import behaviour
from partner_center_emulator.errors import ApiError
from partner_center_emulator.requests import Call, Reply, Route
from partner_center_emulator.subscriptions.models import find_subscription
from partner_center_emulator.wire import attributes
from partner_center_emulator.world import Subscription

_SECONDS = 600.0


def _subscription(call: Call) -> Subscription:
    found = find_subscription(call.world, call.tenant.id, call.customer().id, call.path["subscription"])
    if found.offer_id != LEGACY_OFFER and not is_plan(found):
        raise ApiError(400, 800011, "This is not a valid Azure subscription.")
    return found


def _status(call: Call, subscription: Subscription) -> str:
    since = call.world.azure.registrations.get(subscription.id)
    if since is None:
        return "NotRegistered"
    return "Registered" if since + timedelta(seconds=_SECONDS) <= call.clock.now() else "Registering"


async def read_status(call: Call) -> Reply:
    """Answer ``GET .../subscriptions/{subscription}/registrationstatus``."""
    subscription = _subscription(call)
    return Reply(
        {
            "subscriptionId": subscription.id,
            "status": _status(call, subscription),
            "attributes": attributes("SubscriptionRegistrationStatus"),
        }
    )


async def register(call: Call) -> Reply:
    """Answer ``POST .../subscriptions/{subscription}/registrations``: 202 with the address of the status."""
    subscription = _subscription(call)
    if subscription.status != "active":
        raise ApiError(400, 800012, "The Azure subscription is not active.")
    call.world.azure.registrations.setdefault(subscription.id, call.clock.now())
    path = f"/customers/{subscription.customer_id}/subscriptions/{subscription.id}/registrationstatus"
    return Reply(None, 202, {"Location": path})


_ONE = "/v1/customers/{customer}/subscriptions/{subscription}"

ROUTES: tuple[Route, ...] = (
    Route("GET", f"{_ONE}/registrationstatus", read_status, resource="subscription"),
    Route("POST", f"{_ONE}/registrations", register, resource="subscription"),
)

behaviour(
    f"GET {_ONE}/registrationstatus",
    source="documented",
    page="commerce 3.1",
    note="NotRegistered, Registering, Registered",
)
behaviour(f"POST {_ONE}/registrations", source="documented", page="commerce 3.1", note="202 with Location")
behaviour(f"POST {_ONE}/registrations", source="assumed", page="commerce 3.1", note="Takes ten minutes")
