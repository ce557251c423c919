"""HTTP of a customer's users, their licenses, and the tenant's subscribed SKUs (core reference 5.9, 5.10)."""

from __future__ import annotations

from urllib.parse import parse_qs
from uuid import NAMESPACE_URL, uuid5

import msgspec

from partner_center_emulator.audit import models as audit
from partner_center_emulator.audit.models import Activity
from partner_center_emulator.errors import refusal
from partner_center_emulator.paging import CONTINUATION, seek_page
from partner_center_emulator.requests import Call, Reply, Route
from partner_center_emulator.state.people import CustomerUser
from partner_center_emulator.users import access, models
from partner_center_emulator.users.models import Licensed
from partner_center_emulator.wire import Json, attributes, collection, self_link, text_field, wire_time, without_nulls
from partner_center_emulator.world import Customer

_DEFAULT_SIZE, _LARGEST = 100, 500
_SORTS = {"displayname": "display_name", "userprincipalname": "user_principal_name"}


async def list_users(call: Call) -> Reply:
    """Return one page of the customer's users."""
    customer = call.customer()
    access.require(call, customer, access.READ_USERS)
    if call.emulator.options.users_second_page_missing and call.headers.get(CONTINUATION):
        raise refusal(1000)
    filter_text = call.query.get("filter", "")
    state = "inactive" if filter_text and _wants_inactive(filter_text) else "active"
    users = [user for user in models.users_of(call.emulator, customer) if user.state == state]
    order = call.query.get("sortfield", "").lower()
    if order:
        if order not in _SORTS:
            raise refusal(2000, "The sortField must be DisplayName or UserPrincipalName.")
        descending = call.query.get("sortdirection", "").lower().startswith("desc")
        users.sort(key=lambda user: str(getattr(user, _SORTS[order])), reverse=descending)
    call.query.setdefault("size", str(_DEFAULT_SIZE))
    keys = [f"{place:06d}" for place in range(len(users))]
    uri = f"/customers/{customer.id}/users"
    mark = f"{filter_text}|{order}|{call.query.get('sortdirection', '')}"
    kept = ("filter", "sortfield", "sortdirection")
    body = seek_page(
        call, uri, keys, lambda key: user_view(customer, users[int(key)]), filter_text=mark, most=_LARGEST, kept=kept
    )
    return Reply(body)


def _wants_inactive(text: str) -> bool:
    try:
        members = msgspec.json.decode(text, type=dict[str, object])
    except msgspec.DecodeError:
        raise refusal(2000, "The filter must be a JSON object with Field, Value and Operator.") from None
    name, operator = text_field(members, "Field").lower(), text_field(members, "Operator").lower()
    if name not in {"userstate", "userstatus"} or operator != "equals":
        raise refusal(2000, "The filter takes the field UserState with the operator equals.")
    return text_field(members, "Value").lower() == "inactive"


def user_view(customer: Customer, user: CustomerUser) -> Json:
    """Return a user as the wire has it."""
    return without_nulls(
        {
            "usageLocation": user.usage_location,
            "id": user.id,
            "userPrincipalName": user.user_principal_name,
            "firstName": user.first_name,
            "lastName": user.last_name,
            "displayName": user.display_name,
            "userDomainType": "none",
            "state": user.state,
            "softDeletionTime": wire_time(user.deleted_at) if user.deleted_at else None,
            "links": self_link(f"/customers/{customer.id}/users/{user.id}"),
            "attributes": attributes("CustomerUser"),
        }
    )


async def read_user(call: Call) -> Reply:
    """Return one user."""
    customer = call.customer()
    access.require(call, customer, access.READ_USERS)
    return Reply(user_view(customer, models.find_user(call.emulator, customer, call.path["user"])), bom=True)


async def create_user(call: Call) -> Reply:
    """Make a user; 409 if the name is taken."""
    customer = call.customer()
    access.require(call, customer, access.WRITE_USERS)
    members = call.members()
    name = text_field(members, "userPrincipalName").lower()
    if name.rpartition("@")[2] != customer.domain.lower():
        raise refusal(900147, name.rpartition("@")[2])
    users = models.users_of(call.emulator, customer)
    if any(user.user_principal_name.lower() == name for user in users):
        raise refusal(2000, "The userPrincipalName is taken.", status=409)
    made = CustomerUser(
        id=call.emulator.next_id("customer-user"),
        user_principal_name=name,
        first_name=text_field(members, "firstName"),
        last_name=text_field(members, "lastName"),
        display_name=text_field(members, "displayName") or name,
        usage_location=text_field(members, "usageLocation", customer.address.country),
    )
    users.append(made)
    _note(call, customer, made, "create_customer_user")
    return Reply(user_view(customer, made), 201)


async def update_user(call: Call) -> Reply:
    """Change a user's names, or bring a deleted one back with the state active."""
    customer = call.customer()
    access.require(call, customer, access.WRITE_USERS)
    members, user = call.members(), models.find_user(call.emulator, customer, call.path["user"])
    user.first_name = text_field(members, "firstName", user.first_name)
    user.last_name = text_field(members, "lastName", user.last_name)
    user.display_name = text_field(members, "displayName", user.display_name)
    user.usage_location = text_field(members, "usageLocation", user.usage_location)
    restores = user.state == "inactive" and text_field(members, "state").lower() == "active"
    if restores:
        user.state, user.deleted_at = "active", None
    _note(call, customer, user, "restore_customer_user" if restores else "update_customer_user")
    return Reply(user_view(customer, user))


async def delete_user(call: Call) -> Reply:
    """Delete a user; it can be brought back."""
    customer = call.customer()
    access.require(call, customer, access.WRITE_USERS)
    user = models.find_user(call.emulator, customer, call.path["user"])
    user.state, user.deleted_at = "inactive", call.clock.now()
    _note(call, customer, user, "delete_customer_user")
    return Reply(None, 204)


def _note(call: Call, customer: Customer, user: CustomerUser, operation: str) -> None:
    call.emulator.record(
        f"customer_user.{operation.partition('_')[0]}d",
        tenant_id=call.tenant.id,
        customer_id=customer.id,
        subject_id=user.id,
        request_id=call.request_id,
        after={"user_principal_name": user.user_principal_name, "state": user.state},
    )
    activity = Activity(
        operation_type=operation,
        resource_type="customer_user",
        user_principal_name=call.principal.upn,
        application_id=call.principal.app_id,
    )
    audit.write(call.emulator, call.tenant.id, customer, activity)


def _wants_group1(call: Call) -> bool:
    wanted = {
        value.lower()
        for name, values in parse_qs(call.query_text).items()
        if name.lower() == "licensegroupids"
        for value in values
    }
    if not wanted <= {"group1", "group2"}:
        raise refusal(2000, "The licenseGroupIds are Group1 and Group2.")
    return not wanted or "group1" in wanted


async def list_skus(call: Call) -> Reply:
    """Return the products of the customer's tenant with their units, over all partners."""
    customer = call.customer()
    access.require(call, customer, access.READ_LICENSES)
    found = models.products_of(call.emulator, customer) if _wants_group1(call) else []
    return Reply(collection([_sku_view(entry) for entry in found]), bom=True)


def _sku_view(entry: Licensed) -> Json:
    return {
        "availableUnits": entry.total - entry.consumed,
        "activeUnits": entry.active,
        "consumedUnits": entry.consumed,
        "suspendedUnits": entry.suspended,
        "totalUnits": entry.total,
        "warningUnits": entry.warning,
        "productSku": _product_view(entry),
        "servicePlans": [_plan_view(entry)],
        "capabilityStatus": "Enabled" if entry.total else "Suspended",
        "attributes": attributes("SubscribedSku"),
    }


def _product_view(entry: Licensed) -> Json:
    return {
        "id": entry.id,
        "name": entry.name,
        "skuPartNumber": entry.part_number,
        "targetType": "User",
        "licenseGroupId": "group1",
    }


def _plan_view(entry: Licensed) -> Json:
    return {
        "displayName": entry.name,
        "serviceName": entry.part_number,
        "id": str(uuid5(NAMESPACE_URL, f"{entry.id}/plan")),
        "capabilityStatus": "Enabled" if entry.total else "Suspended",
        "targetType": "User",
    }


async def list_licenses(call: Call) -> Reply:
    """Return the products that one user has a license of."""
    customer = call.customer()
    access.require(call, customer, access.READ_LICENSES)
    user = models.find_user(call.emulator, customer, call.path["user"])
    rows: list[Json] = [
        {
            "productSku": _product_view(entry),
            "servicePlans": [_plan_view(entry)],
            "attributes": attributes("License"),
        }
        for entry in (models.licenses_of(call.emulator, customer, user) if _wants_group1(call) else [])
    ]
    return Reply(collection(rows), bom=True)


_USERS = "/v1/customers/{customer}/users"
ROUTES = (
    Route("GET", _USERS, list_users, auth="AU"),
    Route("POST", _USERS, create_user, auth="AU"),
    Route("GET", f"{_USERS}/{{user}}", read_user, auth="AU"),
    Route("PATCH", f"{_USERS}/{{user}}", update_user, auth="AU"),
    Route("DELETE", f"{_USERS}/{{user}}", delete_user, auth="AU"),
    Route("GET", f"{_USERS}/{{user}}/licenses", list_licenses, auth="AU"),
    Route("GET", "/v1/customers/{customer}/subscribedskus", list_skus, auth="AU"),
)
