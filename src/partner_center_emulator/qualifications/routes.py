"""HTTP of qualifications, the present calls and the deprecated ones (core reference 5.11)."""

from __future__ import annotations

from partner_center_emulator.coverage import behaviour
from partner_center_emulator.errors import refusal
from partner_center_emulator.qualifications import models
from partner_center_emulator.requests import Call, Reply, Route

behaviour("GET /v1/customers/{customer}/qualifications", source="documented", page="core 5.11", note="A bare array")
behaviour(
    "PUT /v1/customers/{customer}/qualification",
    source="assumed",
    page="core 5.11",
    note="Deprecated: the same vetting as the present call; a school is taken without its particulars",
)
behaviour(
    "GET /v1/customers/{customer}/qualification",
    source="documented",
    page="core 5.11",
    note="Deprecated: the one approved qualification as text, or none",
)


async def list_qualifications(call: Call) -> Reply:
    """Return the customer's qualifications: a bare array."""
    customer = call.customer()
    return Reply([models.view(row, "vettingCreatedDate") for row in models.of(call.emulator, customer)])


async def add_qualification(call: Call) -> Reply:
    """Set a qualification; its vetting follows."""
    return Reply(models.view(models.add(call, call.customer()), "vettingCreateDate"), 201)


async def read_old(call: Call) -> Reply:
    """Return the customer's approved qualification as the deprecated call writes it."""
    approved = [row for row in models.of(call.emulator, call.customer()) if row.vetting_status == "Approved"]
    return Reply(approved[-1].qualification.lower() if approved else "none")


async def put_old(call: Call) -> Reply:
    """Set a qualification through the deprecated call; ``code`` is the validation code."""
    value = call.body if isinstance(call.body, str) else call.field("qualification")
    if not isinstance(value, str):
        raise refusal(2000, "The body must be the name of a qualification.")
    name = value.replace("_", "")
    call.body = {"qualification": name, "validationCode": call.query.get("code", "")}
    if name.lower() == "education":
        call.body |= {"educationSegment": "K12", "website": "unknown.example"}
    return Reply(models.add(call, call.customer()).qualification.lower())


_PATH = "/v1/customers/{customer}/qualifications"
_OLD = "/v1/customers/{customer}/qualification"
ROUTES = (
    Route("GET", _PATH, list_qualifications),
    Route("POST", _PATH, add_qualification, auth="AU"),
    Route("GET", _OLD, read_old),
    Route("PUT", _OLD, put_old, auth="AU"),
)
