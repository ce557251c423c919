"""HTTP of validations: country rules, addresses, domains, account status, codes, and their control pages."""

from __future__ import annotations

from typing import Literal

import msgspec
from starlette.requests import Request

from partner_center_emulator import control
from partner_center_emulator.coverage import behaviour
from partner_center_emulator.customers.creation import is_taken
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import refusal
from partner_center_emulator.requests import Call, Page, Reply, Route
from partner_center_emulator.state.people import AccountStatus, ValidationCode
from partner_center_emulator.validations import countries, models
from partner_center_emulator.wire import text_field, wire_time, without_nulls

behaviour("HEAD /v1/domains/{domain}", source="documented", page="core 5.18", note="200 taken, 404 free, no body")


class CustomerOrder(msgspec.Struct, forbid_unknown_fields=True):
    """What the control plane sets of a customer."""

    account_status: Literal["Allowed", "UnderReview", "NotAllowed", "Unknown", "Not Ready", "none"] | None = None
    delegated_access: str = ""  # key or id of the partner tenant that gets delegated admin of the old kind


class CodeOrder(msgspec.Struct, forbid_unknown_fields=True):
    """A validation code for a partner tenant."""

    tenant: str
    organization_name: str
    validation_id: str
    max_creates: int = 1


async def read_country(call: Call) -> Reply:
    """Return the validation rules of a country."""
    return Reply(countries.view(countries.country_of(call.path["country"])))


async def validate_address(call: Call) -> Reply:
    """Judge an address."""
    names = ("addressLine1", "city", "state", "postalCode", "country")
    given = {name: text_field(call.members(), name) for name in names}
    for name, value in given.items():
        if not value and name != "state":
            raise refusal(2000, f"The member {name} of the address is missing.")
    second = text_field(call.members(), "addressLine2") or None
    original = without_nulls({**given, "addressLine2": second, "state": given["state"] or None})
    status, message, has_suggestion = countries.judge(given)
    tidy = original | {"country": given["country"].upper(), "postalCode": given["postalCode"].upper()}
    return Reply(
        {
            "originalAddress": original,
            "suggestedAddresses": [tidy] if has_suggestion else [],
            "status": status,
            "validationMessage": message,
        }
    )


async def head_domain(call: Call) -> Reply:
    """Say whether a domain is taken (200) or free (404)."""
    return Reply(None, 200 if is_taken(call.emulator, call.path["domain"]) else 404)


async def read_status(call: Call) -> Reply:
    """Return the account validation status of a customer."""
    customer = call.customer()
    kind = call.query.get("type", "account").lower()
    if kind != "account":
        raise refusal(900126, kind)
    found = models.status_of(call.emulator, customer)
    moment = wire_time(found.updated_at).partition(".")[0]
    return Reply({"type": "account", "status": found.status, "lastUpdateDateTime": moment})


async def list_codes(call: Call) -> Reply:
    """Return the tenant's validation codes: a bare array."""
    return Reply([models.view(code) for code in models.codes_of(call.emulator, call.tenant.id)])


async def list_codes_of_customer(call: Call) -> Reply:
    """Return the validation codes for one customer: those that name its organization."""
    name = call.customer().company_name.casefold()
    codes = models.codes_of(call.emulator, call.tenant.id)
    return Reply([models.view(code) for code in codes if code.organization_name.casefold() == name])


@control.guarded
async def set_customer(emulator: Emulator, request: Request) -> object:
    """Set the account status of a customer, or give a partner delegated admin of the old kind."""
    order = await control.read_order(request, CustomerOrder)
    customer = control.find_customer(emulator, request.path_params["customer"])
    statuses = emulator.world.people.account_statuses
    if order.account_status == "none":
        statuses.pop(customer.id, None)
    elif order.account_status is not None:
        statuses[customer.id] = AccountStatus(status=order.account_status, updated_at=emulator.clock.now())
    if order.delegated_access:
        tenant = control.find_tenant(emulator, order.delegated_access)
        relationship = emulator.world.relationships.get(f"{tenant.id}/{customer.id}")
        if relationship is None:
            raise control.ControlError("The partner tenant has no relationship with the customer.")
        relationship.delegated_access = True
    return {"id": customer.id, "account_status": statuses[customer.id].status if customer.id in statuses else None}


@control.guarded
async def add_code(emulator: Emulator, request: Request) -> object:
    """Give a partner tenant a validation code."""
    order = await control.read_order(request, CodeOrder)
    made = ValidationCode(
        tenant_id=control.find_tenant(emulator, order.tenant).id,
        organization_name=order.organization_name,
        validation_id=order.validation_id,
        max_creates=order.max_creates,
        remaining_creates=order.max_creates,
        issued_at=emulator.clock.now(),
    )
    emulator.world.people.validation_codes.append(made)
    return made


ROUTES: tuple[Route | Page, ...] = (
    Route("GET", "/v1/countryvalidationrules/{country}", read_country),
    Route("POST", "/v1/validations/address", validate_address),
    Route("HEAD", "/v1/domains/{domain}", head_domain),
    Route("GET", "/v1/customers/{customer}/validationStatus", read_status, auth="AU"),
    Route("GET", "/v1/customers/all/validations", list_codes),
    Route("GET", "/v1/customers/{customer}/validations", list_codes_of_customer),
    Page("POST", "/_emulator/customers/{customer}", set_customer),
    Page("POST", "/_emulator/validationcodes", add_code),
)
