"""The US Government cloud beside the commercial one: addresses and what it cannot do (core reference 1.1)."""

from __future__ import annotations

import httpx2
import pytest

from partner_center_emulator.emulator import Emulator
from tests.emulator.conftest import access_token, tenant_by_key
from tests.emulator.small_world import ALFA, PLAIN_OFFER, SE

FORM = {"grant_type": "client_credentials", "client_id": "app-se", "client_secret": "secret-se"}


@pytest.fixture(autouse=True)
def _government(emulator: Emulator) -> None:
    """Let the Swedish tenant be one of the US Government cloud."""
    tenant_by_key(emulator, "se").cloud = "us_government"


async def test_each_authority_knows_only_the_tenants_of_its_cloud(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """By path prefix or by host; Partner Center's resource has the same name in both."""
    form = FORM | {"resource": "https://api.partnercenter.microsoft.com"}
    commercial = await anonymous.post(f"/{SE}/oauth2/token", data=form)
    by_path = await anonymous.post(f"/usgov/{SE}/oauth2/token", data=form)
    by_host = await anonymous.post(f"http://usgov.localhost:8700/{SE}/oauth2/token", data=form)
    assert commercial.json()["error_codes"] == [90002]
    assert (by_path.status_code, by_host.status_code) == (200, 200)


async def test_partner_center_has_one_host_for_both_clouds(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """The tenant of the token decides; the prefix may stand before the path."""
    headers = {"Authorization": f"Bearer {access_token(emulator, 'se')}"}
    for path in ("/v1/customers", "/usgov/v1/customers"):
        assert (await anonymous.get(path, headers=headers)).json()["totalCount"] == 5


async def test_graph_has_an_address_of_its_own_per_cloud(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """A government token works at the government's Graph only."""
    token = access_token(emulator, "se", resource="https://graph.microsoft.us")
    headers = {"Authorization": f"Bearer {token}"}
    own = await anonymous.get("/usgov/graph/v1.0/me/memberOf", headers=headers)
    other = await anonymous.get("/graph/v1.0/me/memberOf", headers=headers)
    assert (own.status_code, other.status_code) == (200, 401)
    assert other.json()["error"]["code"] == "InvalidAuthenticationToken"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/agreements"),
        ("GET", f"/v1/customers/{ALFA}/agreements"),
        ("GET", f"/v1/customers/{ALFA}/directSignedMicrosoftCustomerAgreementStatus"),
        ("POST", f"/v1/customers/{ALFA}/users"),
    ],
)
async def test_what_the_cloud_lacks_is_not_found_in_form_c(
    emulator: Emulator, anonymous: httpx2.AsyncClient, method: str, path: str
):
    """Agreements and writing users: 404 with statusCode and message."""
    headers = {"Authorization": f"Bearer {access_token(emulator, 'se')}"}
    answer = await anonymous.request(method, path, headers=headers, json={})
    assert answer.status_code == 404
    assert answer.json() == {"statusCode": 404, "message": "Resource not found"}


async def test_relationship_requests_depend_on_a_switch(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """On by default, because the published pages contradict each other."""
    headers = {"Authorization": f"Bearer {access_token(emulator, 'se')}"}
    path = "/v1/customers/relationshiprequests"
    offered = await anonymous.get(path, headers=headers)
    await anonymous.post("/_emulator/options", json={"gov_relationship_requests": False})
    taken_away = await anonymous.get(path, headers=headers)
    assert (offered.status_code, taken_away.status_code) == (200, 404)


async def test_a_purchase_needs_no_agreement_where_there_are_none(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """The US Government cloud has no agreements to attest, so 13605 does not stand in the way."""
    emulator.world.customers[ALFA].direct_signed_agreement = False
    headers = {"Authorization": f"Bearer {access_token(emulator, 'se')}"}
    line = {"lineItemNumber": 0, "offerId": PLAIN_OFFER, "quantity": 1}
    order = {"referenceCustomerId": ALFA, "billingCycle": "monthly", "lineItems": [line]}
    answer = await anonymous.post(f"/v1/customers/{ALFA}/orders", json=order, headers=headers)
    assert answer.status_code == 201
