"""Signing in with a person: authorization code, device code, metadata, without a browser (core reference 1.3)."""

from __future__ import annotations

import base64
from hashlib import sha256
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import jwt
import pytest

from partner_center_emulator.emulator import Emulator
from tests.emulator.conftest import tenant_by_key
from tests.emulator.small_world import TARGET

BACK = "http://127.0.0.1:9999/back"
ADMIN, CARELESS = "admin@foldtarget.onmicrosoft.com", "careless@foldtarget.onmicrosoft.com"
SECRET = {"client_id": "app-target", "client_secret": "secret-target"}


def address(tenant: str = TARGET, version: str = "", **changes: str) -> str:
    """Return the address of the sign-in page for the target's application."""
    query = {"client_id": "app-target", "response_type": "code", "redirect_uri": BACK, "state": "s 1"} | changes
    return f"/{tenant}/oauth2/{version}authorize?{urlencode(query)}"


async def sign_in(page: httpx2.AsyncClient, url: str, user: str = ADMIN, step: str = "approve") -> dict[str, str]:
    """Fill in the pages and return what came back to the application."""
    answer = await page.post(url, data={"step": step, "user_name": user})
    assert answer.status_code == 303, answer.text
    parts = urlsplit(answer.headers["location"])
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == BACK
    return {name: values[0] for name, values in parse_qs(parts.query or parts.fragment).items()}


async def redeem(page: httpx2.AsyncClient, emulator: Emulator, code: str, **changes: str) -> httpx2.Response:
    """Redeem a code at the v1 endpoint."""
    data = SECRET | {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    return await page.post(f"/{TARGET}/oauth2/token", data=data | {"resource": emulator.options.base_url} | changes)


async def test_a_person_signs_in_and_the_code_becomes_a_token_with_both_factors(
    emulator: Emulator, anonymous: httpx2.AsyncClient
):
    """Two pages, a redirect with code and state, a token whose roles and factors are those of the person."""
    first = await anonymous.get(address())
    second = await anonymous.post(address(), data={"step": "name", "user_name": ADMIN})
    came_back = await sign_in(anonymous, address())
    body = (await redeem(anonymous, emulator, came_back["code"], scope="openid")).json()
    claims = jwt.decode(body["access_token"], options={"verify_signature": False})
    assert "script" not in first.text.lower()
    assert "default-src 'none'" in first.headers["content-security-policy"]
    assert "form-action 'self' http://127.0.0.1:9999" in first.headers["content-security-policy"]
    assert "Approve the sign-in" in second.text
    assert came_back["state"] == "s 1"
    assert (claims["amr"], claims["upn"], claims["scp"]) == (["pwd", "mfa"], ADMIN, "user_impersonation")
    assert claims["wids"] == ["62e90394-69f5-4237-9190-012177145e10"]
    assert set(body) >= {"refresh_token", "id_token", "expires_on"}
    answer = await anonymous.get("/v1/customers", headers={"Authorization": f"Bearer {body['access_token']}"})
    assert answer.status_code == 200


@pytest.mark.parametrize(("user", "step"), [(ADMIN, "skip"), (CARELESS, "name")])
async def test_a_sign_in_without_the_second_factor_is_refused_by_the_api(
    emulator: Emulator, anonymous: httpx2.AsyncClient, user: str, step: str
):
    """Skipped, or not set up at all: the token lacks the claim and every app+user call is 401 900421."""
    code = (await sign_in(anonymous, address(), user, step))["code"]
    token = (await redeem(anonymous, emulator, code)).json()["access_token"]
    answer = await anonymous.get("/v1/customers", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["code"]) == (401, 900421)


async def test_a_code_works_once_within_ten_minutes_and_only_for_its_address(
    emulator: Emulator, anonymous: httpx2.AsyncClient
):
    """Used, unknown, with another redirect address, too old: four numbers."""
    used = (await sign_in(anonymous, address()))["code"]
    await redeem(anonymous, emulator, used)
    other = (await sign_in(anonymous, address()))["code"]
    answers = [
        await redeem(anonymous, emulator, used),
        await redeem(anonymous, emulator, "nonsense"),
        await redeem(anonymous, emulator, other, redirect_uri="http://127.0.0.1:9999/else"),
    ]
    emulator.clock.advance(600)
    answers.append(await redeem(anonymous, emulator, other))
    assert [answer.json()["error_codes"][0] for answer in answers] == [54005, 9002313, 50011, 70008]


async def test_a_proof_key_is_checked(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """PKCE with S256: the wrong verifier fails and leaves the code usable, the right one works."""
    verifier = "a-verifier-that-is-long-enough-for-the-rule"
    challenge = base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    url = address(code_challenge=challenge, code_challenge_method="S256")
    code = (await sign_in(anonymous, url))["code"]
    wrong = await redeem(anonymous, emulator, code, code_verifier="else")
    right = await redeem(anonymous, emulator, code, code_verifier=verifier)
    assert (wrong.json()["error_codes"], right.status_code) == ([501481], 200)


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"client_id": "nobody"}, 700016),
        ({"redirect_uri": "https://elsewhere.example/back"}, 50011),
        ({"redirect_uri": "http://[::1"}, 50011),
        ({"redirect_uri": "http://localhost:80;x/"}, 50011),
        ({"redirect_uri": "http://a;b@localhost/"}, 50011),
        ({"redirect_uri": "javascript://localhost/%0aalert(1)"}, 50011),
        ({"response_type": "token"}, 700054),
        ({"response_mode": "pigeon"}, 70007),
    ],
)
async def test_a_request_that_cannot_be_trusted_is_explained_on_the_page_and_never_redirected(
    anonymous: httpx2.AsyncClient, changes: dict[str, str], number: int
):
    """Application, address, response type and mode are checked before anything else, on reading and on sending."""
    url = address(**changes)
    for answer in (await anonymous.get(url), await anonymous.post(url, data={"user_name": ADMIN})):
        assert answer.status_code == 400
        assert f"AADSTS{number}" in answer.text


async def test_a_registered_address_replaces_the_freedom_of_this_machine(
    emulator: Emulator, anonymous: httpx2.AsyncClient
):
    """As soon as an application names addresses, only those are answered."""
    tenant_by_key(emulator, "target").apps[0].redirect_uris = ["https://tool.example/back/"]
    local = await anonymous.get(address())
    registered = await anonymous.get(address(redirect_uri="https://tool.example/back"))
    assert (local.status_code, registered.status_code) == (400, 200)


async def test_a_stranger_is_asked_again_with_the_name_escaped(anonymous: httpx2.AsyncClient):
    """Also a user of another tenant is a stranger here."""
    for name in ("<b>x</b>", "admin@foldse.onmicrosoft.com"):
        answer = await anonymous.post(address(), data={"step": "name", "user_name": name})
        assert answer.status_code == 422
        assert "no such user" in answer.text
        assert "<b>x</b>" not in answer.text


async def test_organizations_stands_for_the_tenant_of_the_person(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """The v2 endpoint of organizations signs in a person of the target and redeems the code for that tenant."""
    code = (await sign_in(anonymous, address("organizations", "v2.0/", response_mode="fragment")))["code"]
    scope = "https://api.partnercenter.microsoft.com/user_impersonation offline_access openid"
    data = SECRET | {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "scope": scope}
    body = (await anonymous.post("/organizations/oauth2/v2.0/token", data=data)).json()
    claims = jwt.decode(body["access_token"], options={"verify_signature": False})
    assert (claims["tid"], claims["aud"]) == (TARGET, "https://api.partnercenter.microsoft.com")


async def test_a_person_who_cancels_sends_the_refusal_back(anonymous: httpx2.AsyncClient):
    """The application learns of it as access_denied; as a form if it asked for one."""
    came_back = await sign_in(anonymous, address(), step="cancel")
    page = await anonymous.post(address(response_mode="form_post"), data={"step": "cancel"})
    assert came_back["error"] == "access_denied"
    assert f'action="{BACK}"' in page.text
    assert "access_denied" in page.text


async def device_poll(page: httpx2.AsyncClient, code: str) -> httpx2.Response:
    """Ask the v2 token endpoint once for the outcome of a device sign-in."""
    grant = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": code}
    scope = {"scope": "https://api.partnercenter.microsoft.com/.default offline_access"}
    return await page.post(f"/{TARGET}/oauth2/v2.0/token", data=SECRET | grant | scope)


async def device_start(page: httpx2.AsyncClient) -> dict[str, str]:
    """Begin a device sign-in at the v2 endpoint."""
    data = {"client_id": "app-target", "scope": "https://api.partnercenter.microsoft.com/.default"}
    return dict((await page.post(f"/{TARGET}/oauth2/v2.0/devicecode", data=data)).json())


async def test_a_device_sign_in_waits_for_the_person_and_works_once(anonymous: httpx2.AsyncClient):
    """Pending, then approved on the page in three steps, then used up."""
    started = await device_start(anonymous)
    pending = await device_poll(anonymous, started["device_code"])
    form = {"code": started["user_code"]}
    asked = await anonymous.post("/devicelogin", data=form)
    factor = await anonymous.post("/devicelogin", data=form | {"step": "name", "user_name": ADMIN})
    done = await anonymous.post("/devicelogin", data=form | {"step": "approve", "user_name": ADMIN})
    got = await device_poll(anonymous, started["device_code"])
    again = await device_poll(anonymous, started["device_code"])
    claims = jwt.decode(got.json()["access_token"], options={"verify_signature": False})
    assert started["verification_uri"].endswith("/devicelogin")
    assert pending.json()["error"] == "authorization_pending"
    assert ("User name" in asked.text, "Approve" in factor.text, "signed in" in done.text) == (True, True, True)
    assert claims["amr"] == ["pwd", "mfa"]
    assert again.json()["error_codes"] == [54005]


async def test_a_device_sign_in_can_be_declined_lapse_or_be_unknown(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """Each in the word that a polling client waits for; a lapsed code no longer works on the page either."""
    declined, lapsed = await device_start(anonymous), await device_start(anonymous)
    await anonymous.post("/devicelogin", data={"code": declined["user_code"], "step": "cancel"})
    words = [(await device_poll(anonymous, declined["device_code"])).json()["error"]]
    emulator.clock.advance(900)
    words += [(await device_poll(anonymous, code)).json()["error"] for code in (lapsed["device_code"], "nonsense")]
    page = await anonymous.post("/devicelogin", data={"code": lapsed["user_code"]})
    assert words == ["authorization_declined", "expired_token", "bad_verification_code"]
    assert page.status_code == 422


async def test_polling_too_fast_is_recorded(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """On a running clock two polls at once are a violation; in strict mode the second is slow_down."""
    started = await device_start(anonymous)
    emulator.clock.freeze(frozen=False)
    await device_poll(anonymous, started["device_code"])
    second = await device_poll(anonymous, started["device_code"])
    emulator.options.strict = True
    third = await device_poll(anonymous, started["device_code"])
    assert (second.json()["error"], third.json()["error"]) == ("authorization_pending", "slow_down")
    assert [row.rule for row in emulator.world.violations] == ["polled_too_fast"] * 2


async def test_the_v1_device_endpoint_writes_numbers_as_strings(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """And names the address verification_url; a public client needs no secret to redeem."""
    tenant_by_key(emulator, "target").apps[0].public_client = True
    resource = {"client_id": "app-target", "resource": emulator.options.base_url}
    started = (await anonymous.post("/common/oauth2/devicecode", data=resource)).json()
    form = {"code": started["user_code"], "step": "approve", "user_name": ADMIN}
    await anonymous.post("/devicelogin", data=form)
    grant = {"grant_type": "device_code", "code": started["device_code"]}
    body = (await anonymous.post("/common/oauth2/token", data=resource | grant)).json()
    app_only = {"grant_type": "client_credentials"} | resource
    refused = (await anonymous.post(f"/{TARGET}/oauth2/token", data=app_only)).json()
    assert (started["expires_in"], started["interval"]) == ("900", "5")
    assert started["verification_url"].endswith("/devicelogin")
    assert body["expires_in"] == "3599"
    assert refused["error_codes"] == [700025]


async def test_the_public_key_verifies_a_token_found_through_the_metadata(
    emulator: Emulator, anonymous: httpx2.AsyncClient
):
    """Metadata leads to the keys, the keys verify an access token and its issuer."""
    metadata = (await anonymous.get(f"/{TARGET}/.well-known/openid-configuration")).json()
    keys = (await anonymous.get(urlsplit(metadata["jwks_uri"]).path)).json()
    data = SECRET | {"grant_type": "client_credentials", "resource": emulator.options.base_url}
    token = (await anonymous.post(urlsplit(metadata["token_endpoint"]).path, data=data)).json()["access_token"]
    unchecked = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
    claims = jwt.decode(
        token,
        jwt.PyJWK(keys["keys"][0]).key,
        algorithms=["RS256"],
        audience=emulator.options.base_url,
        issuer=metadata["issuer"],
        options=unchecked,  # type: ignore[arg-type]  # a plain dict of switches
    )
    assert claims["tid"] == TARGET
    v2 = (await anonymous.get("/common/v2.0/.well-known/openid-configuration")).json()
    missing = await anonymous.get("/nowhere/v2.0/.well-known/openid-configuration")
    assert v2["issuer"] == f"{emulator.options.base_url}/{{tenantid}}/v2.0"
    assert (missing.status_code, missing.json()["error_codes"]) == (400, [90002])
