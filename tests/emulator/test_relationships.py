"""Relationship requests and the acceptance page, without a browser (core reference 6)."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.relationships.models import region_of
from tests.emulator.conftest import Client
from tests.emulator.small_world import ALFA, BRAVO, TARGET

HOME = f"/Adminportal/Home?invType=ResellerRelationship&partnerId={TARGET}&msppId=0&DAP=false"
ALFA_ADMIN = "admin@alfa.onmicrosoft.com"


@pytest.fixture(autouse=True)
def _leave(emulator: Emulator) -> None:
    """Let nobody begin as a customer of the target tenant."""
    assert not [pair for pair in emulator.world.relationships if pair.startswith(TARGET)]


async def accept(page: httpx2.AsyncClient, user_name: str = ALFA_ADMIN) -> httpx2.Response:
    """Send the form of step 2 with the box ticked."""
    return await page.post(HOME, data={"step": "accept", "user_name": user_name, "agreed": "yes"})


def text_of(answer: httpx2.Response) -> str:
    """Return the text of a page with entities resolved and tags removed."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", answer.text)))


async def test_the_link_belongs_to_the_tenant_and_leads_to_this_host(emulator: Emulator, client: Client):
    """The same link every time, with partner id, DAP=false and the fragment; nothing is created."""
    target = client("target")
    first, second = [(await target.get("/v1/customers/relationshiprequests")).json() for _ in range(2)]
    parts = urlsplit(first["url"])
    query = parse_qs(parts.query)
    assert first == second
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{emulator.options.base_url}/Adminportal/Home"
    assert (query["invType"], query["partnerId"], query["DAP"]) == (["ResellerRelationship"], [TARGET], ["false"])
    assert parts.fragment == "/BillingAccounts/partner-invitation"
    assert emulator.world.changes == []


async def test_only_sellers_with_a_user_may_ask_for_the_link(client: Client):
    """Sales agents may, helpdesk agents and applications alone may not."""
    path = "/v1/customers/relationshiprequests"
    answers = [await client("target", user=user).get(path) for user in ("seller", "helper", None)]
    assert [answer.status_code for answer in answers] == [200, 403, 403]
    assert [answer.json().get("code") for answer in answers] == [None, 900150, 900329]


async def test_the_admin_signs_in_ticks_and_accepts(emulator: Emulator, anonymous: httpx2.AsyncClient, client: Client):
    """The three steps end in a relationship, a ledger entry, an audit record and the customer in the list."""
    step_1 = await anonymous.get(HOME)
    step_2 = await anonymous.post(HOME, data={"step": "sign-in", "user_name": " ADMIN@alfa.onmicrosoft.com "})
    step_3 = await accept(anonymous)
    done = await anonymous.get(step_3.headers["Location"])
    assert "Fold & Sons IE" in text_of(step_1)
    assert "What you agree to" in text_of(step_2)
    assert step_3.status_code == 303
    assert "Fold & Sons IE is now your reseller" in text_of(done)
    assert f"{TARGET}/{ALFA}" in emulator.world.relationships
    assert [(change.what, change.tenant_id) for change in emulator.world.changes] == [("relationship.accepted", TARGET)]
    assert emulator.world.audit[-1].operation_type == "reseller_relationship_accepted_by_customer"
    assert [row["id"] for row in (await client("target").get("/v1/customers")).json()["items"]] == [ALFA]
    assert (await client("se").get(f"/v1/customers/{ALFA}")).status_code == 200


async def test_pages_are_strict_and_need_no_script(anonymous: httpx2.AsyncClient):
    """A Content-Security-Policy without scripts, no script and no inline style in the page."""
    answer = await anonymous.get(HOME)
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'")
    assert "<script" not in answer.text
    assert "style=" not in answer.text
    style = await anonymous.get("/Adminportal/style.css")
    assert style.headers["Content-Type"].startswith("text/css")


async def test_text_from_the_world_and_the_form_is_escaped(anonymous: httpx2.AsyncClient):
    """Neither a company name nor a user name can become markup."""
    named = await anonymous.post(HOME, data={"user_name": "admin@bravo.onmicrosoft.com"})
    typed = await anonymous.post(HOME, data={"user_name": '"><i>x'})
    assert "Bravo &lt;b&gt;&amp; Co&lt;/b&gt;" in named.text
    assert "<b>" not in named.text
    assert "<i>" not in typed.text


async def test_without_the_tick_nothing_is_accepted(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """The agreement comes back with an explanation."""
    answer = await anonymous.post(HOME, data={"step": "accept", "user_name": ALFA_ADMIN})
    assert answer.status_code == 422
    assert "Tick the box" in text_of(answer)
    assert emulator.world.changes == []


@pytest.mark.parametrize("user_name", ["", "who@nowhere.example", "plain text"])
async def test_a_stranger_cannot_sign_in(anonymous: httpx2.AsyncClient, user_name: str):
    """The sign-in form comes back with an explanation."""
    answer = await anonymous.post(HOME, data={"user_name": user_name})
    assert (answer.status_code, 'role="alert"' in answer.text) == (422, True)


@pytest.mark.parametrize(
    ("user_name", "sentence"),
    [
        ("admin@helpless.onmicrosoft.com", "Only a Global admin of Helpless AB can accept"),
        ("kim@alfa.onmicrosoft.com", "Only a Global admin of Alfa Bygg AB can accept"),
        ("admin@overseas.onmicrosoft.com", "are not in the same region"),
    ],
)
async def test_explains_why_somebody_cannot_accept(
    emulator: Emulator, anonymous: httpx2.AsyncClient, user_name: str, sentence: str
):
    """No Global admin, an ordinary user, another region: all refused at sign-in and at the last step."""
    for answer in (await anonymous.post(HOME, data={"user_name": user_name}), await accept(anonymous, user_name)):
        assert answer.status_code == 403
        assert sentence in text_of(answer)
    assert emulator.world.changes == []


async def test_says_so_when_the_customer_accepted_before(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """A second acceptance changes nothing."""
    await accept(anonymous)
    again = await accept(anonymous)
    assert (again.status_code, "already a customer" in text_of(again)) == (200, True)
    assert len(emulator.world.changes) == 1


async def test_help_lists_the_admins_and_the_plain_page_does_not(anonymous: httpx2.AsyncClient):
    """The list of demo admins needs ?help."""
    plain, helped = await anonymous.get(HOME), await anonymous.get(f"{HOME}&help")
    assert ALFA_ADMIN not in plain.text
    assert ALFA_ADMIN in helped.text


@pytest.mark.parametrize(
    "path",
    [
        "/Adminportal/Home?invType=ResellerRelationship",
        f"/Adminportal/Home?partnerId={BRAVO}",
        HOME.replace("Reseller", "Other"),
    ],
)
async def test_a_link_of_nobody_is_not_valid(anonymous: httpx2.AsyncClient, path: str):
    """An unknown partner or kind of invitation is 404, for reading and for sending."""
    assert [(await anonymous.get(path)).status_code, (await anonymous.post(path)).status_code] == [404, 404]


async def test_the_success_page_cannot_be_had_without_acceptance(anonymous: httpx2.AsyncClient):
    """accepted= in the address alone shows the sign-in form."""
    assert "Sign in" in text_of(await anonymous.get(f"{HOME}&accepted={ALFA}"))


async def test_partner_relationships_of_a_direct_partner_are_empty(client: Client):
    """Both lists are empty collections; an unknown type is 400."""
    target, se = client("target"), client("se")
    known = await target.get("/v1/relationships?relationship_type=IsIndirectCloudSolutionProviderOf")
    unknown = await target.get("/v1/relationships?relationship_type=IsFriendOf")
    of_customer = await se.get(f"/v1/customers/{ALFA}/relationships")
    assert (known.json()["items"], unknown.status_code, of_customer.json()["totalCount"]) == ([], 400, 0)


def test_regions_follow_the_published_table():
    """The Nordics and Ireland sell in one region; the United States are another; an unknown country stands alone."""
    assert {region_of(country) for country in ("SE", "no", "DK", "IE")} == {"Europe"}
    assert region_of("US") == "United States"
    assert region_of("XX") == "XX"
