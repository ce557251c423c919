"""Customers: the list, one customer, profiles, the end of a relationship (core reference 5)."""

from __future__ import annotations

import json
from datetime import date

import pytest

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.world import Subscription
from tests.emulator.conftest import Client
from tests.emulator.small_world import ALFA, BRAVO, HELPLESS, PLAIN_OFFER, SE, START, STRANGER, TARGET


def subscription(status: str) -> Subscription:
    """Return a subscription of Alfa at the Swedish tenant."""
    return Subscription(
        id="44444444-0000-4000-8000-000000000001",
        tenant_id=SE,
        customer_id=ALFA,
        offer_id=PLAIN_OFFER,
        offer_name="Plain Plan",
        friendly_name="Plain Plan",
        quantity=5,
        status=status,
        order_id="55555555-0000-4000-8000-000000000001",
        created_at=START,
        effective_start=date(2026, 1, 1),
        commitment_end=date(2026, 12, 31),
        billing_cycle="monthly",
    )


async def test_lists_thin_customers_of_this_tenant_only(client: Client):
    """List items carry no billing profile and no delegated access; another tenant's list is empty."""
    body = (await client("se").get("/v1/customers")).json()
    first = body["items"][0]
    assert (body["totalCount"], body["attributes"]) == (5, {"objectType": "Collection"})
    assert first["companyProfile"]["companyName"] == "Alfa Bygg AB"
    assert first["relationshipToPartner"] == "reseller"
    assert not {"billingProfile", "allowDelegatedAccess", "commerceId"} & set(first)
    assert (await client("target").get("/v1/customers")).json()["items"] == []


@pytest.mark.parametrize("path", ["/v1//customers/", "/V1/Customers", "/v1/customers"])
async def test_takes_paths_with_odd_slashes_and_case(client: Client, path: str):
    """Doubled and trailing slashes and another case lead to the same list."""
    assert (await client("se").get(path)).json()["totalCount"] == 5


async def test_reads_a_customer_by_id_in_any_case(client: Client):
    """The customer in full, without what only delegated access shows."""
    body = (await client("se").get(f"/v1/customers/{ALFA.upper()}")).json()
    assert body["id"] == ALFA
    assert body["billingProfile"]["firstName"] == "Kim"
    assert body["allowDelegatedAccess"] is False
    assert "customDomains" not in body
    assert not {"address", "email"} & set(body["companyProfile"])


async def test_shows_address_and_domains_with_delegated_access(emulator: Emulator, client: Client):
    """Delegated access adds company address, company email and custom domains."""
    emulator.world.relationships[f"{SE}/{ALFA}"].delegated_access = True
    body = (await client("se").get(f"/v1/customers/{ALFA}")).json()
    profile = (await client("se").get(f"/v1/customers/{ALFA}/profiles/company")).json()
    assert body["customDomains"] == ["alfa.onmicrosoft.com"]
    assert body["companyProfile"]["address"]["country"] == "SE"
    assert profile == body["companyProfile"]


async def test_tells_an_unknown_tenant_from_one_without_relationship(client: Client):
    """Nobody's tenant is 404 60003, somebody else's customer 403 20002."""
    target = client("target")
    unknown = await target.get(f"/v1/customers/{STRANGER}")
    unrelated = await target.get(f"/v1/customers/{ALFA}")
    no_guid = await target.get("/v1/customers/alfa")
    assert (no_guid.status_code, no_guid.json()["code"]) == (400, 2000)
    assert (unknown.status_code, unknown.json()["code"]) == (404, 60003)
    assert (unrelated.status_code, unrelated.json()["code"]) == (403, 20002)
    assert set(unrelated.json()) == {"code", "description", "data", "source"}


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [("CompanyName", "ALF", [ALFA]), ("Domain", "bravo", [BRAVO]), ("companyname", "x", []), ("CompanyName", "", 5)],
)
async def test_filters_by_the_beginning_of_name_or_domain(
    client: Client, name: str, value: str, found: list[str] | int
):
    """The filter ignores case and matches only the beginning."""
    text = json.dumps({"Field": name, "Value": value, "Operator": "starts_with"})
    items = (await client("se").get("/v1/customers", params={"filter": text})).json()["items"]
    assert (len(items) if isinstance(found, int) else [item["id"] for item in items]) == found


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        '{"Field":"CompanyName","Value":"a","Operator":"equals"}',
        '{"Field":"Country","Value":"a","Operator":"starts_with"}',
        "[]",
    ],
)
async def test_refuses_a_filter_it_does_not_know(client: Client, text: str):
    """Another field, operator or shape is 400 2000."""
    answer = await client("se").get("/v1/customers", params={"filter": text})
    assert (answer.status_code, answer.json()["code"]) == (400, 2000)


async def test_updates_the_billing_profile_with_the_present_etag_only(client: Client):
    """A PUT with the etag that was read works once; the same etag again is stale."""
    path = f"/v1/customers/{ALFA}/profiles/billing"
    se = client("se")
    profile = (await se.get(path)).json()
    changed = {**profile, "Email": "new@alfa.example", "email": None}
    del changed["email"]
    first = await se.put(path, json=changed)
    again = await se.put(path, json={**changed, "firstName": "Another"})
    assert (first.status_code, first.json()["email"]) == (200, "new@alfa.example")
    assert first.json()["attributes"]["etag"] != profile["attributes"]["etag"]
    assert (again.status_code, again.json()["code"]) == (400, 2055)


@pytest.mark.parametrize("headers", [{}, {"If-Match": '"1"'}])
async def test_refuses_a_billing_profile_without_the_right_etag(client: Client, headers: dict[str, str]):
    """Neither no etag nor a wrong If-Match is enough."""
    path = f"/v1/customers/{ALFA}/profiles/billing"
    se = client("se")
    profile = (await se.get(path)).json()
    del profile["attributes"]
    answer = await se.put(path, json=profile, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, 2055)


async def test_takes_the_etag_from_if_match_alone(client: Client):
    """A quoted If-Match does for the body's etag."""
    path = f"/v1/customers/{ALFA}/profiles/billing"
    se = client("se")
    profile = (await se.get(path)).json()
    etag = profile.pop("attributes")["etag"]
    assert (await se.put(path, json=profile, headers={"If-Match": f'"{etag}"'})).status_code == 200


async def test_keeps_a_relationship_while_a_subscription_is_active(emulator: Emulator, client: Client):
    """Removal is refused with the generic error, and the customer stays in the list."""
    held = subscription("active")
    emulator.world.subscriptions[held.id] = held
    se = client("se")
    answer = await se.patch(f"/v1/customers/{ALFA}", json={"relationshipToPartner": "none"})
    assert answer.status_code == 400
    assert (await se.get("/v1/customers")).json()["totalCount"] == 5


async def test_ends_a_relationship_and_answers_in_pascal_case(emulator: Emulator, client: Client):
    """With only suspended subscriptions the customer leaves list and address; ledger and audit know."""
    held = subscription("suspended")
    emulator.world.subscriptions[held.id] = held
    se = client("se")
    body = {"relationshipToPartner": "none", "attributes": {"objectType": "Customer"}}
    answer = await se.patch(f"/v1/customers/{ALFA}", json=body)
    assert answer.json()["RelationshipToPartner"] == "none"
    assert answer.json()["CompanyProfile"] is None
    assert (await se.get("/v1/customers")).json()["totalCount"] == 4
    assert (await se.get(f"/v1/customers/{ALFA}")).json()["code"] == 20002
    assert [change.what for change in emulator.world.changes] == ["relationship.removed"]
    assert emulator.world.audit[-1].operation_type == "remove_partner_customer_relationship"


async def test_ends_delegated_access_and_keeps_the_relationship(emulator: Emulator, client: Client):
    """AllowDelegatedAccess false leaves the reseller relationship alone."""
    emulator.world.relationships[f"{SE}/{ALFA}"].delegated_access = True
    se = client("se")
    answer = await se.patch(f"/v1/customers/{ALFA}", json={"AllowDelegatedAccess": False})
    assert (answer.status_code, answer.json()["AllowDelegatedAccess"]) == (200, False)
    assert (await se.get(f"/v1/customers/{ALFA}")).json()["allowDelegatedAccess"] is False


@pytest.mark.parametrize("body", [{}, {"relationshipToPartner": "advisor"}, ["none"]])
async def test_refuses_any_other_change_of_a_customer(client: Client, body: object):
    """Only the two documented uses of PATCH are known."""
    answer = await client("se").patch(f"/v1/customers/{ALFA}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, 2000)


async def test_only_admins_may_end_a_relationship(client: Client):
    """A sales agent gets 900150."""
    answer = await client("se", user="seller").patch(f"/v1/customers/{ALFA}", json={"relationshipToPartner": "none"})
    assert (answer.status_code, answer.json()["code"]) == (403, 900150)


async def test_answers_carry_the_ids_of_the_request(client: Client):
    """MS-RequestId and MS-CorrelationId are echoed; Date is the emulator's clock."""
    headers = {"MS-RequestId": "aaaaaaaa-0000-4000-8000-000000000001", "MS-CorrelationId": "corr"}
    answer = await client("se").get(f"/v1/customers/{HELPLESS}", headers=headers)
    assert answer.headers["MS-RequestId"] == headers["MS-RequestId"]
    assert answer.headers["MS-CorrelationId"] == "corr"
    assert answer.headers["Date"] == "Mon, 02 Mar 2026 08:00:00 GMT"


async def test_unknown_routes_and_methods_are_answered_by_the_gateway(client: Client):
    """404 and 405 come in form C."""
    target = client("target")
    missing = await target.get("/v1/nothing")
    wrong = await target.put(f"/v1/customers/{TARGET}")
    assert missing.json() == {"statusCode": 404, "message": "Resource not found"}
    assert (wrong.status_code, wrong.json()["statusCode"]) == (405, 405)


async def test_switches_change_links_numbers_and_the_byte_order_mark(emulator: Emulator, client: Client):
    """/v1 in links, codes as strings and a BOM are options."""
    emulator.options.link_prefix = True
    emulator.options.integer_code = False
    emulator.options.bom = "always"
    se = client("se")
    found = await se.get(f"/v1/customers/{ALFA}")
    missing = await se.get(f"/v1/customers/{STRANGER}")
    assert found.content.startswith(b"\xef\xbb\xbf")
    body = json.loads(found.content.decode("utf-8-sig"))
    assert body["links"]["self"]["uri"] == f"/v1/customers/{ALFA}"
    assert missing.json()["code"] == "60003"
