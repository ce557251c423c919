"""Who we are: what must be readable, what may be missing."""

from __future__ import annotations

import httpx2
import pytest

from tenantfold.clock import ManualClock
from tenantfold.errors import AuthError, RoleMissingError
from tenantfold.partnercenter import Account, Cloud, MemorySecretStore, PartnerCenterClient, connect
from tests.partnercenter.fake_microsoft import BASE, SECRET, TENANT, FakeMicrosoft, reply

MEMBERS = "/graph/v1.0/me/memberOf"
ADMIN_AGENTS = {"@odata.type": "#microsoft.graph.group", "displayName": "AdminAgents"}
HELPDESK = {"@odata.type": "#microsoft.graph.group", "displayName": "Helpdesk Agents"}
SOMETHING = {"@odata.type": "#microsoft.graph.group", "displayName": "All of Stockholm"}
GLOBAL_ADMIN = {
    "@odata.type": "#microsoft.graph.directoryRole",
    "displayName": "Global Administrator",
    "roleTemplateId": "62E90394-69f5-4237-9190-012177145e10",
}


@pytest.fixture
def partner(microsoft: FakeMicrosoft) -> FakeMicrosoft:
    """A Microsoft that knows us."""
    organization = {"tenantId": TENANT.upper(), "companyName": "Nord SE", "defaultAddress": {"country": "se"}}
    microsoft.on("GET", "/v1/profiles/organization", reply(organization))
    microsoft.on("GET", "/v1/profiles/billing", reply({"billingCurrency": "SEK", "profileType": "x"}))
    microsoft.on("GET", "/v1/profiles/mpn", reply({"mpnId": "4391507"}))
    microsoft.on("GET", MEMBERS, reply({"value": [ADMIN_AGENTS, HELPDESK, SOMETHING, GLOBAL_ADMIN]}))
    return microsoft


async def test_puts_the_identity_together(client: PartnerCenterClient, partner: FakeMicrosoft):
    """Organization, currency, partner id, and the roles among all groups (core reference 1.7, 9.1)."""
    identity = await client.identity()
    assert identity.tenant_id == TENANT
    assert (identity.company_name, identity.country, identity.currency) == ("Nord SE", "SE", "SEK")
    assert identity.partner_id == "4391507"
    assert identity.user_name == "agent@partner.example"
    assert identity.roles == {"AdminAgents", "HelpdeskAgents", "Global administrator"}


async def test_asks_graph_with_a_token_of_its_own(client: PartnerCenterClient, partner: FakeMicrosoft):
    """A Partner Center token is not valid at Graph; the same refresh token gives both."""
    await client.identity()
    assert {form["scope"].split("/.default")[0] for form in partner.token_requests} == {BASE, f"{BASE}/graph"}


async def test_reads_the_groups_over_all_pages(client: PartnerCenterClient, partner: FakeMicrosoft):
    """The role may be on the second page."""
    partner.on(
        "GET",
        MEMBERS,
        reply({"value": [SOMETHING], "@odata.nextLink": f"{BASE}{MEMBERS}?$skiptoken=2"}),
        reply({"value": [ADMIN_AGENTS]}),
    )
    assert (await client.identity()).roles == {"AdminAgents"}


@pytest.mark.parametrize(
    "answer",
    [
        reply({"value": [ADMIN_AGENTS], "@odata.nextLink": "https://evil.example/x"}),
        reply({"error": {"code": "Authorization_RequestDenied", "message": "no"}}, 403),
        reply(b"<html>", 200),
        reply(None, 503),
    ],
)
async def test_knows_no_roles_rather_than_wrong_ones(
    client: PartnerCenterClient, partner: FakeMicrosoft, answer: httpx2.Response
):
    """What Graph does not tell is not assumed."""
    partner.on("GET", MEMBERS, answer)
    assert (await client.identity()).roles == frozenset()


@pytest.mark.parametrize("status", [403, 404, 500])
async def test_does_without_currency_and_partner_id(client: PartnerCenterClient, partner: FakeMicrosoft, status: int):
    """Only some roles may read the billing profile."""
    partner.on("GET", "/v1/profiles/billing", reply({"code": 900150}, status))
    partner.on("GET", "/v1/profiles/mpn", reply({"code": 3000}, status))
    identity = await client.identity()
    assert (identity.currency, identity.partner_id) == ("", "")


async def test_needs_the_organization(client: PartnerCenterClient, partner: FakeMicrosoft):
    """Without it nobody knows which tenant the token belongs to."""
    partner.on("GET", "/v1/profiles/organization", reply({"code": 900150, "description": "no"}, 403))
    with pytest.raises(RoleMissingError):
        await client.identity()


async def test_does_not_hide_a_failing_sign_in_to_graph(client: PartnerCenterClient, partner: FakeMicrosoft):
    """Missing consent is something a person can fix, if told."""
    refusal = reply({"error": "x", "error_codes": [65001], "error_description": "AADSTS65001"}, 400)
    partner.token_replies = [reply({"access_token": "a"}), refusal]
    with pytest.raises(AuthError, match="consented"):
        await client.identity()


async def test_an_application_alone_has_no_roles(
    account: Account, cloud: Cloud, http: httpx2.AsyncClient, clock: ManualClock, partner: FakeMicrosoft
):
    """App-only tokens belong to no user, so Graph is not asked."""
    client = connect(account, cloud=cloud, secrets=MemorySecretStore({"se": SECRET}), clock=clock, http=http)
    assert (await client.identity()).roles == frozenset()
    assert all(request.url.path != MEMBERS for request in partner.requests)
