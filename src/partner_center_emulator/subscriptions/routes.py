"""HTTP side of subscriptions (wire room): list, read, add-ons, PATCH of the whole object (commerce 3.1)."""

from __future__ import annotations

from partner_center_emulator import pace
from partner_center_emulator.audit import models as audit
from partner_center_emulator.coverage import behaviour
from partner_center_emulator.errors import refusal
from partner_center_emulator.offers.models import OfferLinks
from partner_center_emulator.requests import Call, Reply, Route
from partner_center_emulator.subscriptions import extra_routes
from partner_center_emulator.subscriptions.models import (
    find_subscription,
    list_add_ons,
    list_subscriptions,
    patch_subscription,
)
from partner_center_emulator.subscriptions.new_commerce import patch_new
from partner_center_emulator.subscriptions.new_commerce_form import wire_new_subscription
from partner_center_emulator.subscriptions.wire_form import wire_subscription
from partner_center_emulator.wire import Json, collection
from partner_center_emulator.world import Customer, Subscription

_EDITORS = frozenset({"admin_agent", "sales_agent", "global_admin"})


def _show(call: Call, subscription: Subscription) -> Json:
    pace.show(call, pace.SUBSCRIPTION_STATUS, subscription.id)
    if subscription.id in call.world.commerce.terms:
        return wire_new_subscription(call.world, subscription, call.clock.now())
    return wire_subscription(call.world, call.emulator.derived(OfferLinks), subscription)


def _subscription(call: Call, customer: Customer) -> Subscription:
    found = find_subscription(call.world, call.tenant.id, customer.id, call.path["subscription"])
    if not _is_there(call, found):
        raise refusal(20003, call.path["subscription"])
    return found


def _is_there(call: Call, subscription: Subscription) -> bool:
    """Whether the subscription shows already: one whose id the order does not tell yet is nowhere."""
    return not pace.is_waiting(call.emulator, pace.SUBSCRIPTION_ID, subscription.id)


async def read_subscriptions(call: Call) -> Reply:
    """Answer ``GET /customers/{customer}/subscriptions``: every state, one answer without pages."""
    customer = call.customer()
    found = list_subscriptions(
        call.emulator,
        call.tenant.id,
        customer.id,
        order_id=call.query.get("order_id", ""),
        partner_id=call.query.get("mpn_id", ""),
    )
    return Reply(collection([_show(call, row) for row in found if _is_there(call, row)]))


async def read_subscription(call: Call) -> Reply:
    """Answer ``GET /customers/{customer}/subscriptions/{subscription}``."""
    return Reply(_show(call, _subscription(call, call.customer())))


async def read_add_ons(call: Call) -> Reply:
    """Answer ``GET .../subscriptions/{subscription}/addons``."""
    base = _subscription(call, call.customer())
    add_ons = list_add_ons(call.emulator, base)
    return Reply(collection([_show(call, add_on) for add_on in add_ons if _is_there(call, add_on)]))


async def update_subscription(call: Call) -> Reply:
    """Answer ``PATCH .../subscriptions/{subscription}``: 200 with the changed object, or 202 and where to look."""
    customer = call.customer()
    subscription = _subscription(call, customer)
    version = subscription.version
    if subscription.id not in call.world.commerce.terms:
        patch_subscription(call.emulator, subscription, call.members(), call.headers, call.request_id)
    elif not patch_new(call.emulator, subscription, call.members(), call.request_id):
        location = f"/customers/{customer.id}/subscriptions/{subscription.id}"
        return Reply(None, status=202, headers={"Location": location})
    body = _show(call, subscription)
    if subscription.version != version:
        activity = audit.Activity(
            operation_type="update_subscription",
            resource_type="subscription",
            user_principal_name=call.principal.upn,
            application_id=call.principal.app_id,
            new_value=body,
        )
        audit.write(call.emulator, call.tenant.id, customer, activity)
    return Reply(body)


_LIST = "/v1/customers/{customer}/subscriptions"
_ONE = "/v1/customers/{customer}/subscriptions/{subscription}"

ROUTES: tuple[Route, ...] = (
    Route("GET", _LIST, read_subscriptions, resource="subscription"),
    Route("GET", _ONE, read_subscription, resource="subscription"),
    Route("PATCH", _ONE, update_subscription, resource="subscription", roles=_EDITORS),
    Route("GET", f"{_ONE}/addons", read_add_ons, resource="subscription"),
    *extra_routes.ROUTES,
)

_PATCH = f"PATCH {_ONE}"
behaviour(f"GET {_LIST}", source="documented", page="commerce 3.1", note="All states at once; `order_id`, `mpn_id`")
behaviour(f"GET {_ONE}", source="documented", page="commerce 3.1", note="404 code 20003")
behaviour(f"GET {_ONE}", source="documented", page="commerce 3.2", note="Legacy ids in upper case, legacy etag")
behaviour(f"GET {_ONE}", source="assumed", page="commerce 3.2", note="An unknown status is served as it is")
behaviour(f"GET {_ONE}/addons", source="documented", page="commerce 3.1", note="Legacy add-ons of a base")
behaviour(_PATCH, source="documented", page="commerce 0.1", note="Stale etag in `If-Match` or body is 400 code 2055")
behaviour(_PATCH, source="assumed", page="commerce 0.1", note="Without any etag the change is accepted")
behaviour(_PATCH, source="documented", page="commerce 3.3", note="active <-> suspended; a base takes its add-ons along")
behaviour(_PATCH, source="documented", page="commerce 3.3", note="800040, 2001, 2011, 2054, 27009")
behaviour(_PATCH, source="assumed", page="commerce 3.3", note="Reactivating a base leaves its add-ons suspended")
behaviour(_PATCH, source="assumed", page="commerce 3.3", note="409 code 800082 while the status is an unknown one")
behaviour(_PATCH, source="documented", page="commerce 0", note="Without `autoRenewEnabled` auto-renew is switched off")
behaviour("subscriptions: time", source="documented", page="commerce 3.3", note="Suspended: deleted after 90 days")
behaviour("subscriptions: time", source="documented", page="commerce 3.3", note="Active: renews for 12 months")
behaviour(
    "subscriptions: time",
    source="assumed",
    page="commerce 3.3",
    note="Active without auto-renew: suspended at term end with the reason Expiration",
)
behaviour(_PATCH, source="documented", page="commerce 3.4", note="New commerce: what is left out is reset")
behaviour(
    _PATCH, source="documented", page="commerce 3.4", note="New commerce: `deleted` in the window; 900117, 900213"
)
behaviour(_PATCH, source="documented", page="rules R-141", note="Seats go down only within 168 hours of being added")
behaviour(
    _PATCH, source="documented", page="rules R-136", note="Suspending ends auto-renew and schedules, not the bill"
)
behaviour(_PATCH, source="documented", page="commerce 3.1", note="202 with Location (`update_seconds`); then 900278")
behaviour(_PATCH, source="documented", page="rules R-140", note="The window is the purchase instant plus 168 hours")
behaviour(_PATCH, source="assumed", page="commerce 3.4", note="A schedule without auto-renew is 400 code 800002")
behaviour(_PATCH, source="assumed", page="commerce 3.5", note="Trials may be cancelled at any time")
behaviour(
    _PATCH, source="assumed", page="commerce 3.7", note="`endOfTermAction` cancel or extend: the page names no field"
)
behaviour("subscriptions: time", source="documented", page="commerce 3.3", note="Expired 30, disabled 90 days, deleted")
behaviour(
    "subscriptions: time",
    source="documented",
    page="commerce 3.7",
    note="Licenses whose term ends after 4 May 2026 without auto-renew go on by the month at the monthly price + 3 %",
)
behaviour(
    "subscriptions: time",
    source="assumed",
    page="commerce 3.3",
    note="A trial with auto-renew becomes the paid product; other products than licenses expire after 4 May as before",
)
