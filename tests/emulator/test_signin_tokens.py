"""Tokens that stop working, tokens for the wrong place, and the switches of the second factor (core reference 1.6)."""

from __future__ import annotations

import httpx2
import pytest

from partner_center_emulator.emulator import Emulator
from tests.emulator.conftest import access_token, tenant_by_key
from tests.emulator.small_world import TARGET


async def status(page: httpx2.AsyncClient, token: str, path: str = "/v1/customers") -> tuple[int, object]:
    """Return HTTP status and code of one read with this token."""
    answer = await page.get(path, headers={"Authorization": f"Bearer {token}"})
    return answer.status_code, answer.json().get("code")


async def test_a_token_for_the_retired_audience_is_issued_and_refused(
    emulator: Emulator, anonymous: httpx2.AsyncClient
):
    """graph.windows.net still gives tokens; Partner Center answers 401 900420."""
    token = access_token(emulator, "target", None, "https://graph.windows.net")
    assert await status(anonymous, token) == (401, 900420)


async def test_revoking_access_ends_tokens_that_were_issued_and_not_later_ones(
    emulator: Emulator, anonymous: httpx2.AsyncClient
):
    """For one user, or for the whole tenant; others of the tenant go on until it is the tenant's turn."""
    admin, seller = access_token(emulator, "target"), access_token(emulator, "target", "seller")
    order = {"tenant": "target", "user": "target-admin", "access": True}
    revoked = await anonymous.post("/_emulator/tokens/revoke", json=order)
    assert revoked.json() == {"revoked": 2}
    assert [(await status(anonymous, token))[0] for token in (admin, seller)] == [401, 200]
    later = access_token(emulator, "target")
    assert (await status(anonymous, later))[0] == 200
    await anonymous.post("/_emulator/tokens/revoke", json={"tenant": "target", "access": True})
    assert [(await status(anonymous, token))[0] for token in (later, seller)] == [401, 401]


async def test_revoking_refresh_tokens_leaves_access_tokens_alone(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """The next refresh is 50173; what was issued lives out its hour."""
    token = access_token(emulator, "target")
    await anonymous.post("/_emulator/tokens/revoke", json={"tenant": TARGET})
    refresh = next(text for text, row in emulator.world.refresh_tokens.items() if row.tenant_id == TARGET)
    data = {"grant_type": "refresh_token", "refresh_token": refresh, "client_id": "app-target"}
    data |= {"client_secret": "secret-target", "resource": emulator.options.base_url}
    refused = await anonymous.post("/organizations/oauth2/token", data=data)
    assert refused.json()["error_codes"] == [50173]
    assert (await status(anonymous, token))[0] == 200


@pytest.mark.parametrize("body", [{"tenant": "nowhere"}, {"tenant": "target", "user": "ghost"}, {}, {"x": 1}])
async def test_a_revocation_of_nobody_is_explained(anonymous: httpx2.AsyncClient, body: dict[str, object]):
    """Bad input to the control plane is 400 with a sentence."""
    answer = await anonymous.post("/_emulator/tokens/revoke", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"].endswith(".")


@pytest.mark.parametrize(
    ("mode", "sandbox", "expected"),
    [
        ("off", True, 200),
        ("report", True, 200),
        ("sandbox", False, 200),
        ("sandbox", True, 401),
        ("on", False, 401),
    ],
)
async def test_each_switch_of_the_second_factor(
    emulator: Emulator, anonymous: httpx2.AsyncClient, mode: str, sandbox: object, expected: int
):
    """The same careless token passes or fails by the switch; the header tells in each case."""
    await anonymous.post("/_emulator/options", json={"mfa": mode})
    await anonymous.post("/_emulator/tenants/target", json={"is_sandbox": sandbox})
    headers = {"Authorization": f"Bearer {access_token(emulator, 'target', 'careless')}", "ValidateMfa": "true"}
    answer = await anonymous.get("/v1/customers", headers=headers)
    assert answer.status_code == expected
    if expected == 200:
        assert answer.headers["isMfaCompliant"] == "false"


async def test_a_changed_role_shows_with_the_next_token(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """The old token keeps its roles, a new one has the new ones."""
    path = "/v1/customers/relationshiprequests"
    before = access_token(emulator, "target", "helper")
    order = {"user": "target-helper", "roles": ["sales_agent"]}
    await anonymous.post("/_emulator/tenants/target", json=order)
    after = access_token(emulator, "target", "helper")
    assert [(await status(anonymous, token, path))[0] for token in (before, after)] == [403, 200]
    assert tenant_by_key(emulator, "target").users[2].roles == ["sales_agent"]


async def test_a_role_without_a_user_is_explained(anonymous: httpx2.AsyncClient):
    """Whose role it is must be said."""
    answer = await anonymous.post("/_emulator/tenants/target", json={"roles": []})
    assert answer.status_code == 400
