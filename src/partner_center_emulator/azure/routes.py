"""HTTP side of Azure (wire room): the Azure subscriptions under a plan, their cancellation, and usage (commerce 5)."""

from __future__ import annotations

from partner_center_emulator.audit import models as audit
from partner_center_emulator.azure import control, registration, usage
from partner_center_emulator.azure.models import (
    LEGACY_OFFER,
    cancel_entitlement,
    find_entitlement,
    is_plan,
    list_entitlements,
    reactivate_entitlement,
)
from partner_center_emulator.coverage import behaviour
from partner_center_emulator.errors import ApiError
from partner_center_emulator.requests import Call, Page, Reply, Route
from partner_center_emulator.state.azure import Entitlement
from partner_center_emulator.subscriptions.models import find_subscription
from partner_center_emulator.wire import Json, attributes, collection, self_link, text_field
from partner_center_emulator.world import Customer, Subscription

_ADMINS = frozenset({"admin_agent", "global_admin"})


def _wire(entitlement: Entitlement) -> Json:
    path = f"/customers/{entitlement.customer_id}/subscriptions/{entitlement.subscription_id}"
    return {
        "id": entitlement.id,
        "friendlyName": entitlement.friendly_name,
        "status": entitlement.status,
        "subscriptionId": entitlement.subscription_id,
        "links": self_link(f"{path}/azureEntitlements/{entitlement.id}"),
        "attributes": attributes("AzureEntitlement"),
    }


def _subscription(call: Call, customer: Customer) -> Subscription:
    found = find_subscription(call.world, call.tenant.id, customer.id, call.path["subscription"])
    if not is_plan(found) and found.offer_id != LEGACY_OFFER:
        raise ApiError(400, 800011, "This is not a valid Azure subscription.")
    return found


def _entitlement(call: Call, customer: Customer) -> Entitlement:
    return find_entitlement(call.emulator, _subscription(call, customer), call.path["entitlement"])


async def read_entitlements(call: Call) -> Reply:
    """Answer ``GET .../subscriptions/{subscription}/azureEntitlements``."""
    subscription = _subscription(call, call.customer())
    return Reply(collection([_wire(row) for row in list_entitlements(call.emulator, subscription)]))


async def read_entitlement(call: Call) -> Reply:
    """Answer ``GET .../azureEntitlements/{entitlement}``."""
    return Reply(_wire(_entitlement(call, call.customer())))


async def cancel(call: Call) -> Reply:
    """Answer ``POST .../azureEntitlements/{entitlement}/cancel``: 200, the status still is active."""
    customer = call.customer()
    entitlement = _entitlement(call, customer)
    reason = text_field(call.members(), "cancellationReason") if call.body is not None else ""
    cancel_entitlement(call.emulator, entitlement, reason, call.request_id)
    _note(call, customer, _wire(entitlement))
    return Reply(_wire(entitlement))


async def reactivate(call: Call) -> Reply:
    """Answer ``POST .../azureEntitlements/{entitlement}/reactivate``: 202."""
    customer = call.customer()
    entitlement = _entitlement(call, customer)
    reactivate_entitlement(call.emulator, entitlement, call.request_id)
    _note(call, customer, _wire(entitlement))
    return Reply(_wire(entitlement), 202)


def _note(call: Call, customer: Customer, body: Json) -> None:
    activity = audit.Activity(
        operation_type="update_subscription",
        resource_type="subscription",
        user_principal_name=call.principal.upn,
        application_id=call.principal.app_id,
        new_value=body,
    )
    audit.write(call.emulator, call.tenant.id, customer, activity)


_LIST = "/v1/customers/{customer}/subscriptions/{subscription}/azureEntitlements"
_ONE = f"{_LIST}/{{entitlement}}"

ROUTES: tuple[Route | Page, ...] = (
    Route("GET", _LIST, read_entitlements, resource="subscription"),
    Route("GET", _ONE, read_entitlement, resource="subscription"),
    Route("POST", f"{_ONE}/cancel", cancel, resource="subscription", roles=_ADMINS),
    Route("POST", f"{_ONE}/reactivate", reactivate, resource="subscription", roles=_ADMINS),
    *usage.ROUTES,
    *registration.ROUTES,
    *control.ROUTES,
)

behaviour(f"GET {_LIST}", source="documented", page="commerce 5", note="What moved away is no longer listed")
behaviour(f"GET {_LIST}", source="assumed", page="commerce 5", note="Also for MS-AZR-0145P; others are 400 code 800011")
behaviour(f"GET {_ONE}", source="documented", page="commerce 5", note="404 code 800111")
behaviour(
    f"POST {_ONE}/cancel",
    source="documented",
    page="commerce 5",
    note="200 with the status still active; inactive after about 10 minutes",
)
behaviour(f"POST {_ONE}/cancel", source="assumed", page="commerce 5", note="400 code 800002 for one that is not active")
behaviour(f"POST {_ONE}/reactivate", source="documented", page="commerce 5", note="202")
behaviour(f"POST {_ONE}/reactivate", source="assumed", page="commerce 5", note="409 code 800082 while being cancelled")
behaviour(
    "azure",
    source="documented",
    page="rules R-172",
    note="Role assignments stay as they are when the billing moves: the old partner keeps its access",
)
behaviour(
    "azure",
    source="documented",
    page="rules R-168",
    note="Monthly-paid reservations and savings plans end at the next cycle when the billing currency changes",
)
behaviour("azure", source="documented", page="commerce 3.2", note="One Azure plan per partner and customer")
behaviour("azure", source="documented", page="rules R-174", note="A new plan comes with a default Azure subscription")
behaviour("azure", source="documented", page="commerce 3.3", note="403 code 900115: a plan with active items stays")
