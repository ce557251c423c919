"""Account validation and codes for the government community cloud (core reference 5.12, 5.13)."""

from __future__ import annotations

from partner_center_emulator.coverage import behaviour
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import refusal
from partner_center_emulator.state.people import AccountStatus, ValidationCode
from partner_center_emulator.wire import Json, wire_time
from partner_center_emulator.world import Customer

behaviour(
    "GET /v1/customers/{customer}/validations",
    source="assumed",
    page="core 5.13",
    note="The codes that name the customer's organization",
)
behaviour(
    "GET /v1/customers/{customer}/validationStatus",
    source="documented",
    page="core 5.12",
    note="404 in form B with 600074 for a customer that was never validated; the control plane sets the status",
)
behaviour(
    "GET /v1/customers/all/validations",
    source="documented",
    page="core 5.13",
    note="A bare array; codes come from the control plane",
)
_BLOCKING = {"UnderReview": 800073, "NotAllowed": 800075, "Unknown": 800073}


def status_of(emulator: Emulator, customer: Customer) -> AccountStatus:
    """Return the customer's account status; raises 404 code 600074 (form B)."""
    found = emulator.world.people.account_statuses.get(customer.id)
    if found is None:
        raise refusal(600074, customer.id, form="B")
    return found


def check_may_buy(emulator: Emulator, customer: Customer) -> None:
    """Let a purchase pass unless the customer's account is under review or rejected; raises 403 800073 or 800075."""
    statuses = emulator.world.people.account_statuses
    if statuses and customer.id in statuses:
        code = _BLOCKING.get(statuses[customer.id].status)
        if code is not None:
            raise refusal(code)


def codes_of(emulator: Emulator, tenant_id: str) -> list[ValidationCode]:
    """Return the tenant's validation codes, oldest first."""
    return [code for code in emulator.world.people.validation_codes if code.tenant_id == tenant_id]


def use_code(emulator: Emulator, tenant_id: str, text: str) -> None:
    """Use a validation code once; raises 400 code 2000 if it is unknown or used up."""
    for code in codes_of(emulator, tenant_id):
        if code.validation_id == text and code.remaining_creates > 0:
            code.remaining_creates -= 1
            return
    raise refusal(2000, "The validationCode is unknown or used up.")


def view(code: ValidationCode) -> Json:
    """Return a validation code as the wire has it."""
    return {
        "partnerId": code.tenant_id,
        "organizationName": code.organization_name,
        "validationId": code.validation_id,
        "maxCreates": code.max_creates,
        "remainingCreates": code.remaining_creates,
        "eTag": f"W/\"datetime'{wire_time(code.issued_at)}'\"",
    }
