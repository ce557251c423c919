"""Profiles of the partner tenant (core reference 9.1)."""

from __future__ import annotations

import pytest

from tests.emulator.conftest import Client
from tests.emulator.small_world import TARGET


async def test_the_organization_profile_says_who_and_where_the_tenant_is(client: Client):
    """Tenant id, country and etag."""
    body = (await client("target").get("/v1/profiles/organization")).json()
    assert (body["tenantId"], body["defaultAddress"]["country"]) == (TARGET, "IE")
    assert body["profileType"] == "OrganizationProfile"
    assert body["attributes"]["etag"]


async def test_the_legal_profile_is_open_to_applications(client: Client):
    """Both kinds of token read it; the vetting status is authorized."""
    answer = await client("target", user=None).get("/v1/profiles/legalbusiness?vettingVersion=Current")
    assert (answer.status_code, answer.json()["vettingStatus"]) == (200, "authorized")
    wrong = await client("target").get("/v1/profiles/legalbusiness?vettingVersion=Old")
    assert wrong.json()["code"] == 900126


async def test_the_billing_profile_names_the_currency(client: Client):
    """Billing currency is what the region check reads."""
    body = (await client("se").get("/v1/profiles/billing")).json()
    assert body["billingCurrency"] == "SEK"


async def test_finds_partners_by_their_partner_id(client: Client):
    """Own without a number, another with its number, 404 3000 for nobody's."""
    target = client("target")
    own = (await target.get("/v1/profiles/mpn")).json()
    other = (await target.get("/v1/profiles/mpn?mpnId=1000001")).json()
    unknown = await target.get("/v1/profiles/mpn?mpnId=7")
    assert (own["mpnId"], other["partnerName"]) == ("1000009", "Fold & Sons SE")
    assert (unknown.status_code, unknown.json()["code"], unknown.json()["source"]) == (404, 3000, "PartnerFD")


async def test_changes_the_organization_with_the_etag_it_was_read_with(client: Client):
    """The second PUT with the same etag is stale."""
    target = client("target")
    profile = (await target.get("/v1/profiles/organization")).json()
    profile["email"] = "new@fold.example"
    first = await target.put("/v1/profiles/organization", json=profile)
    second = await target.put("/v1/profiles/organization", json=profile)
    assert first.json()["email"] == "new@fold.example"
    assert (second.status_code, second.json()["code"]) == (400, 2055)


async def test_the_answer_to_a_billing_change_is_pascal_case(client: Client):
    """PUT billing answers PascalCase and keeps the currency."""
    target = client("target")
    profile = (await target.get("/v1/profiles/billing")).json()
    changed = await target.put("/v1/profiles/billing", json={**profile, "PurchaseOrderNumber": "X", "taxId": "T1"})
    assert changed.json()["TaxId"] == "T1"
    fresh = (await target.get("/v1/profiles/billing")).json()
    refused = await target.put("/v1/profiles/billing", json={**fresh, "billingCurrency": "USD"})
    assert refused.status_code == 400


@pytest.mark.parametrize("path", ["support", "supportprofile"])
async def test_changes_the_support_profile_at_both_paths(client: Client, path: str):
    """The documented path and the SDK's path do the same."""
    target = client("target")
    answer = await target.put(f"/v1/profiles/{path}", json={"email": "help@fold.example", "website": "fold.example"})
    assert answer.json()["attributes"]["objectType"] == "PartnerSupportProfile"
    assert (await target.get("/v1/profiles/support")).json()["email"] == "help@fold.example"


async def test_changes_the_contact_of_the_legal_profile_but_never_the_country(client: Client):
    """The contact is taken over; another country is refused."""
    target = client("target")
    profile = (await target.get("/v1/profiles/legalbusiness")).json()
    profile["primaryContact"]["firstName"] = "Ada"
    assert (await target.put("/v1/profiles/legalbusiness", json=profile)).json()["primaryContact"]["firstName"] == "Ada"
    profile["address"]["country"] = "US"
    assert (await target.put("/v1/profiles/legalbusiness", json=profile)).status_code == 400
