"""Reports on multifactor authentication, and the roles of a partner (core reference 1.6, 1.7)."""

from __future__ import annotations

from partner_center_emulator.emulator import Emulator
from tests.emulator.conftest import Client
from tests.emulator.samples import missing, sample_body
from tests.emulator.small_world import ALFA


async def test_calls_with_and_without_the_second_factor_are_reported(emulator: Emulator, client: Client):
    """Newest first, with user, application and operation; those of applications alone are left out."""
    emulator.options.mfa = "report"
    await client("se", "careless").get(f"/v1/customers/{ALFA}")
    await client("se", None).get("/v1/customers")
    se = client("se")
    requests = (await se.get("/v1/partnerRequests")).json()
    people = (await se.get("/v1/nonMfaCompliantPartnerPrincipals")).json()
    adopted = (await se.get("/v1/applicationmfaadoptionstatus")).json()
    assert [row["mfaCompliant"] for row in requests["items"]] == [True, False]
    assert requests["items"][1]["operationName"] == "Get /v{version}/customers/{customer_id}"
    assert [row["upn"] for row in people["items"]] == ["careless@foldse.onmicrosoft.com"]
    assert [(row["mfaCompliantRequestCount"], row["totalRequestCount"]) for row in adopted] == [(3, 4)]
    assert list(missing(sample_body("get-api-request-details"), requests)) == []
    assert list(missing(sample_body("get-portal-requests-without-mfa"), people)) == []


async def test_refused_calls_are_reported_and_forgotten_after_seven_days(emulator: Emulator, client: Client):
    """A call that failed for want of the factor is in the report; a week later it is not."""
    await client("se", "careless").get("/v1/customers")
    before = (await client("se").get("/v1/nonMfaCompliantPartnerPrincipals")).json()["totalCount"]
    emulator.clock.advance(8 * 86400)
    after = (await client("se").get("/v1/nonMfaCompliantPartnerPrincipals")).json()["totalCount"]
    assert (before, after) == (1, 0)


async def test_reports_are_of_the_own_tenant_and_need_a_user(client: Client):
    """Another tenant's calls do not show; an application alone gets 900329."""
    await client("se").get("/v1/customers")
    own = (await client("target").get("/v1/partnerRequests")).json()["items"]
    alone = await client("target", None).get("/v1/partnerRequests")
    assert {row["upn"] for row in own} == {"admin@foldtarget.onmicrosoft.com"}
    assert alone.json()["code"] == 900329


async def test_roles_and_their_members_are_listed(client: Client):
    """Four roles; the members of one; an unknown one is 404."""
    se = client("se")
    roles = (await se.get("/v1/roles")).json()["items"]
    ids = {row["name"]: row["id"] for row in roles}
    members = (await se.get(f"/v1/roles?role_id={ids['Sales agent']}")).json()["items"]
    assert set(ids) == {"Admin agent", "Sales agent", "Helpdesk agent", "Global admin"}
    assert [row["userPrincipalName"] for row in members] == ["seller@foldse.onmicrosoft.com"]
    assert (await se.get("/v1/roles?role_id=x")).status_code == 404
