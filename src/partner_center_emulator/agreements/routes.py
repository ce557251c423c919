"""HTTP of agreements (core reference 7); all of them need a user."""

from __future__ import annotations

from partner_center_emulator.agreements import models
from partner_center_emulator.coverage import behaviour
from partner_center_emulator.requests import Call, Reply, Route
from partner_center_emulator.wire import collection

behaviour(
    "GET /v1/agreements",
    source="documented",
    page="core 7",
    note="Metadata with the template ids; the type is MicrosoftCloudAgreement unless asked for, * means all",
)
behaviour(
    "GET /v1/customers/{customer}/directSignedMicrosoftCustomerAgreementStatus",
    source="documented",
    page="core 7",
    note="Whether the customer itself signed",
)


async def list_metadata(call: Call) -> Reply:
    """Return the templates of the agreement types asked for."""
    wanted = models.wanted_types(call)
    items = [
        {"templateId": row.id, "agreementType": row.type, "agreementLink": row.link, "versionRank": 0}
        for row in models.TEMPLATES
        if row.type in wanted
    ]
    return Reply(collection(items))


async def list_agreements(call: Call) -> Reply:
    """Return what this partner stated about the customer."""
    customer, wanted = call.customer(), models.wanted_types(call)
    stated = call.emulator.derived(models.AgreementIndex).of(call.tenant.id, customer.id)
    return Reply(collection([models.view(row, with_link=True) for row in stated if row.type in wanted]))


async def attest(call: Call) -> Reply:
    """Record the partner's attestation; 201 with what was recorded."""
    return Reply(models.view(models.attest(call, call.customer()), with_link=False), 201)


async def direct_signed_status(call: Call) -> Reply:
    """Return whether the customer itself accepted the Microsoft Customer Agreement."""
    return Reply({"isSigned": call.customer().direct_signed_agreement})


ROUTES = (
    Route("GET", "/v1/agreements", list_metadata, auth="AU"),
    Route("GET", "/v1/customers/{customer}/agreements", list_agreements, auth="AU"),
    Route("POST", "/v1/customers/{customer}/agreements", attest, auth="AU"),
    Route(
        "GET",
        "/v1/customers/{customer}/directSignedMicrosoftCustomerAgreementStatus",
        direct_signed_status,
        auth="AU",
    ),
)
