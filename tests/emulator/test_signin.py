"""Sign-in: tokens, refresh tokens, errors in Entra's form, and what the API makes of tokens (core reference 1)."""

from __future__ import annotations

from datetime import timedelta

import httpx2
import jwt
import pytest

from partner_center_emulator.credentials import live_refresh_token
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.signin import models as signin
from tests.emulator.conftest import Client, access_token, tenant_by_key
from tests.emulator.small_world import SE, TARGET


def form(emulator: Emulator, **changes: str) -> dict[str, str]:
    """Return the form of an app-only sign-in to the target tenant, with changes."""
    return {
        "grant_type": "client_credentials",
        "client_id": "app-target",
        "client_secret": "secret-target",
        "resource": emulator.options.base_url,
    } | changes


def refresh_token(emulator: Emulator, key: str = "target", user: int = 0) -> str:
    """Return a fresh refresh token of a tenant's user."""
    tenant = tenant_by_key(emulator, key)
    return live_refresh_token(emulator, tenant, tenant.users[user])


async def test_an_application_signs_in_at_the_v1_endpoint_and_reads_numbers_as_strings(
    emulator: Emulator, anonymous: httpx2.AsyncClient
):
    """The v1 token answer carries expires_in and its kin as strings."""
    body = (await anonymous.post(f"/{TARGET}/oauth2/token", data=form(emulator))).json()
    assert body["expires_in"] == "3599"
    assert int(body["expires_on"]) - int(body["not_before"]) == 3600
    assert "refresh_token" not in body
    claims = jwt.decode(body["access_token"], options={"verify_signature": False})
    assert (claims["tid"], claims["appid"], claims["roles"]) == (TARGET, "app-target", [])


async def test_a_user_signs_in_at_the_v2_endpoint_with_a_refresh_token(
    emulator: Emulator, anonymous: httpx2.AsyncClient
):
    """The v2 answer has numbers, a scope, the next refresh token, and claims about user, MFA and roles."""
    data = form(
        emulator,
        grant_type="refresh_token",
        refresh_token=refresh_token(emulator),
        scope=f"{emulator.options.base_url}/.default offline_access openid",
    )
    body = (await anonymous.post(f"/{TARGET}/oauth2/v2.0/token", data=data)).json()
    claims = jwt.decode(body["access_token"], options={"verify_signature": False})
    assert body["expires_in"] == 3599
    assert body["scope"] == f"{emulator.options.base_url}/user_impersonation"
    assert claims["amr"] == ["pwd", "mfa"]
    assert claims["scp"] == "user_impersonation"
    assert claims["pc_roles"] == ["admin_agent", "global_admin"]
    assert claims["upn"] == "admin@foldtarget.onmicrosoft.com"
    assert body["id_token"]
    assert body["refresh_token"] != data["refresh_token"]


async def test_a_used_refresh_token_stays_valid_beside_its_successor(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """Rotation issues a new token and does not revoke the old one."""
    data = form(emulator, grant_type="refresh_token", refresh_token=refresh_token(emulator))
    first = await anonymous.post(f"/{TARGET}/oauth2/token", data=data)
    again = await anonymous.post(f"/{TARGET}/oauth2/token", data=data)
    next_one = await anonymous.post(
        f"/{TARGET}/oauth2/token", data={**data, "refresh_token": first.json()["refresh_token"]}
    )
    assert [first.status_code, again.status_code, next_one.status_code] == [200, 200, 200]


@pytest.mark.parametrize(
    ("tenant", "changes", "number", "status", "error"),
    [
        (TARGET, {"client_id": "who"}, 700016, 400, "unauthorized_client"),
        (TARGET, {"client_secret": "wrong"}, 7000215, 401, "invalid_client"),
        ("nowhere.example", {}, 90002, 400, "invalid_request"),
        (TARGET, {"grant_type": "password"}, 70003, 400, "unsupported_grant_type"),
        (TARGET, {"grant_type": ""}, 900144, 400, "invalid_request"),
        (TARGET, {"resource": "https://vault.azure.net"}, 500011, 400, "invalid_resource"),
        (TARGET, {"grant_type": "refresh_token", "refresh_token": "made up"}, 9002313, 400, "invalid_grant"),
    ],
)
async def test_refuses_a_sign_in_with_the_number_entra_uses(
    emulator: Emulator,
    anonymous: httpx2.AsyncClient,
    tenant: str,
    changes: dict[str, str],
    number: int,
    status: int,
    error: str,
):
    """Each mistake has its AADSTS number in text and list."""
    answer = await anonymous.post(f"/{tenant}/oauth2/token", data=form(emulator, **changes))
    body = answer.json()
    assert (answer.status_code, body["error"], body["error_codes"]) == (status, error, [number])
    assert body["error_description"].startswith(f"AADSTS{number}: ")


async def test_refuses_an_expired_secret(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """A secret past its end is 7000222."""
    emulator.clock.advance(366 * 86_400)
    body = (await anonymous.post(f"/{TARGET}/oauth2/token", data=form(emulator))).json()
    assert body["error_codes"] == [7000222]


async def test_refuses_a_refresh_token_after_90_days_and_after_revocation(
    emulator: Emulator, anonymous: httpx2.AsyncClient
):
    """Old is 700082, revoked is 50173."""
    old = refresh_token(emulator)
    emulator.clock.advance(timedelta(days=90).total_seconds())
    young = refresh_token(emulator)
    assert young != old
    data = form(emulator, grant_type="refresh_token")
    expired = await anonymous.post(f"/{TARGET}/oauth2/token", data={**data, "refresh_token": old})
    assert signin.revoke(emulator, tenant_by_key(emulator, "target")) >= 1
    revoked = await anonymous.post(f"/{TARGET}/oauth2/token", data={**data, "refresh_token": young})
    assert expired.json()["error_codes"] == [700082]
    assert revoked.json()["error_codes"] == [50173]


async def test_a_refresh_token_of_another_tenant_is_unknown(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """The Swedish tenant's token does not open the target tenant."""
    data = form(emulator, grant_type="refresh_token", refresh_token=refresh_token(emulator, "se"))
    assert (await anonymous.post(f"/{TARGET}/oauth2/token", data=data)).json()["error_codes"] == [9002313]


async def test_the_api_refuses_calls_in_the_order_of_the_checklist(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """No token 400, wrong audience 900420, no MFA 900421, app-only 900329, no role 900150."""
    base = emulator.options.base_url
    tokens = [
        ("", 401, 400),
        ("nonsense", 401, 400),
        (access_token(emulator, "target", None, f"{base}/graph"), 401, 900420),
        (access_token(emulator, "target", "careless"), 401, 900421),
        (access_token(emulator, "target", None), 403, 900329),
        (access_token(emulator, "target", "nobody"), 403, 900150),
        (access_token(emulator, "target", "helper"), 200, None),
    ]
    for token, status, code in tokens:
        answer = await anonymous.get("/v1/profiles/organization", headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.json().get("code")) == (status, code)
        assert ("WWW-Authenticate" in answer.headers) is (status == 401)


async def test_an_access_token_lapses_after_an_hour_of_the_emulators_clock(emulator: Emulator, client: Client):
    """The token works for 3599 seconds and no longer, whatever the machine's clock says."""
    target = client("target")
    emulator.clock.advance(3599)
    assert (await target.get("/v1/customers")).status_code == 200
    emulator.clock.advance(1)
    answer = await target.get("/v1/customers")
    assert (answer.status_code, answer.json()["code"]) == (401, 400)


async def test_a_token_signed_by_another_key_is_refused(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """A forged token of the right shape does not pass."""
    claims = jwt.decode(access_token(emulator, "target"), options={"verify_signature": False})
    forged = jwt.encode(claims, "a secret of somebody else, long enough for HS256", algorithm="HS256")
    answer = await anonymous.get("/v1/customers", headers={"Authorization": f"Bearer {forged}"})
    assert answer.status_code == 401


async def test_reports_missing_mfa_instead_of_refusing_when_switched(emulator: Emulator, client: Client):
    """With the switch on report the call passes and the header tells on request."""
    emulator.options.mfa = "report"
    careless = client("target", user="careless")
    answer = await careless.get("/v1/customers", headers={"ValidateMfa": "true"})
    assert (answer.status_code, answer.headers["isMfaCompliant"]) == (200, "false")
    assert "isMfaCompliant" not in (await careless.get("/v1/customers")).headers


async def test_checks_a_share_of_the_calls_when_enforcement_is_progressive(emulator: Emulator, client: Client):
    """At 0 percent nobody is refused, at 100 percent everybody without MFA."""
    emulator.options.mfa = "progressive"
    careless = client("target", user="careless")
    seen: dict[int, set[int]] = {}
    for percent in (0, 100):
        emulator.options.mfa_percent = percent
        seen[percent] = {(await careless.get("/v1/customers")).status_code for _ in range(3)}
    assert seen == {0: {200}, 100: {401}}


async def test_graph_names_groups_and_the_directory_role_of_the_user(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """Partner Center roles are groups, Global admin is a directory role with its template id."""
    token = access_token(emulator, "target", "admin", f"{emulator.options.base_url}/graph")
    answer = await anonymous.get("/graph/v1.0/me/memberOf", headers={"Authorization": f"Bearer {token}"})
    found = {(row["@odata.type"], row["displayName"], row.get("roleTemplateId")) for row in answer.json()["value"]}
    assert found == {
        ("#microsoft.graph.group", "AdminAgents", None),
        ("#microsoft.graph.directoryRole", "Global Administrator", "62e90394-69f5-4237-9190-012177145e10"),
    }


async def test_graph_refuses_in_its_own_form(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """Graph errors carry error.code and error.message."""
    token = access_token(emulator, "target")
    answer = await anonymous.get("/graph/v1.0/me/memberOf", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")


async def test_signs_in_by_domain_and_with_basic_credentials(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """The tenant may be named by domain, the client by the Authorization header."""
    data = {"grant_type": "client_credentials", "resource": emulator.options.base_url}
    answer = await anonymous.post("/foldse.onmicrosoft.com/oauth2/token", data=data, auth=("app-se", "secret-se"))
    claims = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    assert claims["tid"] == SE
