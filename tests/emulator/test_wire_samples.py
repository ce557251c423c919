"""The emulator's answers have every member of Microsoft's published samples (skipped where those are not at hand)."""

from __future__ import annotations

import pytest

from partner_center_emulator.emulator import Emulator
from tests.emulator.conftest import Client
from tests.emulator.samples import missing, sample_body
from tests.emulator.small_world import ALFA, SE
from tests.emulator.test_idempotency import agreement

CUSTOMER = f"/v1/customers/{ALFA}"


@pytest.mark.parametrize(
    ("sample", "path", "absent"),
    [
        ("get-a-list-of-customers", "/v1/customers?size=40", set()),
        # address and state: the small world's customer has no state and no region (optional on the wire)
        (
            "get-a-customer-by-id",
            CUSTOMER,
            {"/companyProfile/address/region: missing", "/billingProfile/defaultAddress/state: missing"},
        ),
        ("get-a-customer-s-company-profile", f"{CUSTOMER}/profiles/company", {"/address/region: missing"}),
        ("request-reseller-relationship", "/v1/customers/relationshiprequests", set()),
        ("get-customer-agreement-metadata", "/v1/agreements?agreementType=MicrosoftCustomerAgreement", set()),
        ("get-partner-network-profile", "/v1/profiles/mpn", set()),
        ("get-partner-by-mpn-id", "/v1/profiles/mpn?mpnId=1000009", set()),
        ("get-support-profile", "/v1/profiles/support", set()),
        (
            "update-legal-business-profile",
            "/v1/profiles/legalbusiness",
            {
                "/address/state: missing",
                "/address/addressLine2: missing",
                "/companyApproverAddress/state: missing",
                "/companyApproverAddress/addressLine2: missing",
            },
        ),
    ],
)
async def test_a_read_answers_like_the_published_sample(
    emulator: Emulator, client: Client, sample: str, path: str, absent: set[str]
):
    """Only optional members of addresses may be absent."""
    emulator.world.relationships[f"{SE}/{ALFA}"].delegated_access = True
    answer = await client("se").get(path)
    assert set(missing(sample_body(sample), answer.json())) == absent


async def test_an_attestation_answers_like_the_published_sample(client: Client):
    """201 with user, contact, template, date and type."""
    body = agreement() | {
        "primaryContact": {"firstName": "T", "lastName": "B", "email": "t@alfa.example", "phoneNumber": "555"}
    }
    answer = await client("se").post(f"{CUSTOMER}/agreements", json=body)
    assert set(missing(sample_body("confirm-customer-consent-customer-agreement"), answer.json())) == set()


async def test_the_end_of_a_relationship_answers_like_the_published_sample(client: Client):
    """PascalCase, all members, nulls included."""
    answer = await client("se").patch(CUSTOMER, json={"relationshipToPartner": "none"})
    assert answer.json() == sample_body("remove-a-reseller-relationship-with-a-customer")
