"""A customer's users, licenses, products, organization, and who may see them (core reference 5.9, 5.10, 5.14)."""

from __future__ import annotations

import json
from urllib.parse import quote

import httpx2
import pytest

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.graph import gdap
from partner_center_emulator.graph.models import group_id
from partner_center_emulator.state.gdap import GdapRelationship
from partner_center_emulator.users.access import DOMAIN_ADMINISTRATOR, GLOBAL_READER, USER_ADMINISTRATOR
from partner_center_emulator.world import Relationship, Subscription
from tests.emulator.conftest import Client, tenant_by_key
from tests.emulator.samples import missing, sample_body
from tests.emulator.small_world import ALFA, PLAIN_OFFER, SE, START, TARGET

CUSTOMER = f"/v1/customers/{ALFA}"
BOM = b"\xef\xbb\xbf"


def give_roles(emulator: Emulator, *roles: str) -> None:
    """Give the Swedish Admin agents these roles at Alfa."""
    made = GdapRelationship(
        id="r", tenant_id=SE, display_name="r", duration="P90D", roles=list(roles), status="created",
        created_at=START, modified_at=START,
    )  # fmt: skip
    gdap.activate_at_once(emulator, made, emulator.world.customers[ALFA])
    gdap.assign(emulator, made, group_id(tenant_by_key(emulator, "se"), "admin_agent"), list(roles))
    emulator.clock.advance(0)


def hold(emulator: Emulator, tenant_id: str, quantity: int, status: str = "active") -> None:
    """Let Alfa hold the plain offer at a partner."""
    number = len(emulator.world.subscriptions)
    emulator.world.subscriptions[f"s{number}"] = Subscription(
        id=f"s{number}", tenant_id=tenant_id, customer_id=ALFA, offer_id=PLAIN_OFFER, offer_name="Plain Plan",
        friendly_name="Plain Plan", quantity=quantity, status=status, order_id="o", created_at=START,
        effective_start=START.date(), commitment_end=START.date(), billing_cycle="monthly",
    )  # fmt: skip


@pytest.mark.parametrize("path", ["users", "subscribedskus", "organization", "customDomains"])
async def test_without_a_role_nothing_of_the_tenant_shows(client: Client, path: str):
    """403 900308 for each."""
    answer = await client("se").get(f"{CUSTOMER}/{path}")
    assert (answer.status_code, answer.json()["code"]) == (403, 900308)


async def test_a_role_counts_for_the_groups_it_was_given_to(emulator: Emulator, client: Client):
    """An Admin agent sees the users, a Helpdesk agent does not."""
    give_roles(emulator, GLOBAL_READER)
    statuses = [(await client("se", user).get(f"{CUSTOMER}/users")).status_code for user in ("admin", "helper")]
    assert statuses == [200, 403]


async def test_the_old_kind_of_delegated_admin_opens_users_but_not_the_organization(
    emulator: Emulator, anonymous: httpx2.AsyncClient, client: Client
):
    """DAP is accepted for users and SKUs only."""
    await anonymous.post(f"/_emulator{CUSTOMER.removeprefix('/v1')}", json={"delegated_access": "se"})
    se = client("se")
    paths = ("users", "subscribedskus", "organization", "customDomains")
    assert [(await se.get(f"{CUSTOMER}/{path}")).status_code for path in paths] == [200, 200, 403, 403]


async def test_the_organization_answers_like_the_published_sample(emulator: Emulator, client: Client):
    """An object; with a switch an array of one; domains need their own role."""
    give_roles(emulator, GLOBAL_READER)
    se = client("se")
    body = (await se.get(f"{CUSTOMER}/organization")).json()
    emulator.options.organization_as_array = True
    rows = (await se.get(f"{CUSTOMER}/organization")).json()
    assert list(missing(sample_body("get-customer-organization"), body)) == []
    assert rows == [body]


async def test_domains_are_a_bare_list(emulator: Emulator, client: Client):
    """For a Domain Administrator, who sees no users."""
    give_roles(emulator, DOMAIN_ADMINISTRATOR)
    se = client("se")
    assert (await se.get(f"{CUSTOMER}/customDomains")).json() == ["alfa.onmicrosoft.com"]
    assert (await se.get(f"{CUSTOMER}/users")).status_code == 403


async def test_users_come_in_pages_and_always_the_same(emulator: Emulator, client: Client):
    """Following the links gives every user once; another run of the same world gives the same names."""
    give_roles(emulator, GLOBAL_READER)
    se = client("se")
    everyone = (await se.get(f"{CUSTOMER}/users")).json()["items"]
    seen, page = [], (await se.get(f"{CUSTOMER}/users?size=2")).json()
    while True:
        seen += page["items"]
        following = page["links"].get("next")
        if following is None:
            break
        headers = {row["key"]: row["value"] for row in following["headers"]}
        page = (await se.get(f"/v1{following['uri']}", headers=headers)).json()
    assert seen == everyone
    assert len({row["id"] for row in seen}) == len(seen) >= 5
    assert everyone[0]["userPrincipalName"] == "admin@alfa.onmicrosoft.com"


async def test_users_can_be_sorted_either_way(emulator: Emulator, client: Client):
    """By display name, ascending and descending, across pages."""
    give_roles(emulator, GLOBAL_READER)
    url = f"{CUSTOMER}/users?sortField=DisplayName&sortDirection="
    se = client("se")
    up = [row["displayName"] for row in (await se.get(f"{url}Ascending")).json()["items"]]
    down = [row["displayName"] for row in (await se.get(f"{url}Descending")).json()["items"]]
    bad = await se.get(f"{CUSTOMER}/users?sortField=Shoe")
    assert (up, bad.status_code) == (sorted(up), 400)
    assert down == sorted(up, reverse=True)


async def test_the_second_page_can_be_missing(emulator: Emulator, client: Client):
    """The quirk of 2021: page 1 and its link are fine, page 2 is 404."""
    give_roles(emulator, GLOBAL_READER)
    emulator.options.users_second_page_missing = True
    se = client("se")
    following = (await se.get(f"{CUSTOMER}/users?size=2")).json()["links"]["next"]
    headers = {row["key"]: row["value"] for row in following["headers"]}
    assert (await se.get(f"/v1{following['uri']}", headers=headers)).status_code == 404


async def test_a_user_is_made_changed_deleted_and_brought_back(emulator: Emulator, client: Client):
    """Deleted users show with the filter only; reading takes no writing role."""
    give_roles(emulator, USER_ADMINISTRATOR)
    se, url = client("se"), f"{CUSTOMER}/users"
    body = {"userPrincipalName": "new@alfa.onmicrosoft.com", "displayName": "New One", "usageLocation": "SE"}
    made = await se.post(url, json=body)
    twice = await se.post(url, json=body)
    elsewhere = await se.post(url, json=body | {"userPrincipalName": "new@else.example"})
    one = f"{url}/{made.json()['id']}"
    changed = await se.patch(one, json={"DisplayName": "Newer One"})
    gone = await se.delete(one)
    query = quote(json.dumps({"Field": "UserState", "Value": "Inactive", "Operator": "equals"}))
    deleted = (await se.get(f"{url}?filter={query}")).json()["items"]
    back = await se.patch(one, json={"state": "active"})
    read = await se.get(one)
    unknown = await se.get(f"{url}/nobody")
    statuses = [row.status_code for row in (made, twice, elsewhere, gone, unknown)]
    assert statuses == [201, 409, 400, 204, 404]
    assert changed.json()["displayName"] == "Newer One"
    assert [row["state"] for row in deleted] == ["inactive"]
    assert back.json()["state"] == "active"
    assert read.content.startswith(BOM)
    operations = [record.operation_type for record in emulator.world.audit][-4:]
    assert operations == [f"{word}_customer_user" for word in ("create", "update", "delete", "restore")]


async def test_products_count_over_all_partners_of_the_tenant(emulator: Emulator, client: Client):
    """Ten here and five there are fifteen; suspended ones stand apart; deleted ones are gone; a BOM comes first."""
    give_roles(emulator, GLOBAL_READER)
    emulator.world.relationships[f"{TARGET}/{ALFA}"] = Relationship(tenant_id=TARGET, customer_id=ALFA, since=START)
    hold(emulator, SE, 10)
    hold(emulator, TARGET, 5)
    hold(emulator, SE, 3, "suspended")
    hold(emulator, SE, 8, "deleted")
    answer = await client("se").get(f"{CUSTOMER}/subscribedskus?licenseGroupIds=Group1&licenseGroupIds=Group2")
    other_group = (await client("se").get(f"{CUSTOMER}/subscribedskus?licenseGroupIds=group2")).content
    bad = await client("se").get(f"{CUSTOMER}/subscribedskus?licenseGroupIds=group3")
    (entry,) = json.loads(answer.content.removeprefix(BOM))["items"]
    assert answer.content.startswith(BOM)
    assert (entry["activeUnits"], entry["totalUnits"], entry["suspendedUnits"]) == (15, 15, 3)
    assert entry["availableUnits"] == entry["totalUnits"] - entry["consumedUnits"]
    assert entry["productSku"]["name"] == "Plain Plan"
    assert json.loads(other_group.removeprefix(BOM))["items"] == []
    assert bad.status_code == 400


async def test_consumed_units_are_the_licenses_of_users(emulator: Emulator, client: Client):
    """As many users have a license as the product says."""
    give_roles(emulator, GLOBAL_READER)
    hold(emulator, SE, 4)
    se = client("se")
    (entry,) = json.loads((await se.get(f"{CUSTOMER}/subscribedskus")).content.removeprefix(BOM))["items"]
    users = (await se.get(f"{CUSTOMER}/users")).json()["items"]
    held = 0
    for user in users:
        answer = await se.get(f"{CUSTOMER}/users/{user['id']}/licenses")
        held += json.loads(answer.content.removeprefix(BOM))["totalCount"]
    assert held == entry["consumedUnits"] == 4


async def test_managed_services_follow_from_products(emulator: Emulator, client: Client):
    """None without a product, three with one."""
    se, url = client("se"), f"{CUSTOMER}/managedservices"
    before = (await se.get(url)).json()["totalCount"]
    hold(emulator, SE, 1)
    after = (await se.get(url)).json()["items"]
    assert before == 0
    assert [row["id"] for row in after] == ["Exchange", "Lync", "SharePoint"]
    assert set(after[0]["links"]) == {"adminService", "serviceHealth", "serviceTicket"}


async def test_the_end_of_the_relationship_ends_delegated_admin(emulator: Emulator, client: Client):
    """The granular relationship walks to terminated."""
    give_roles(emulator, GLOBAL_READER)
    await client("se").patch(CUSTOMER, json={"relationshipToPartner": "none"})
    emulator.clock.advance(0)
    assert emulator.world.gdap.relationships["r"].status == "terminated"


async def test_products_answer_like_the_published_sample(emulator: Emulator, client: Client):
    """Every member of an item, with its product and service plans."""
    give_roles(emulator, GLOBAL_READER)
    hold(emulator, SE, 10)
    answer = await client("se").get(f"{CUSTOMER}/subscribedskus")
    body = json.loads(answer.content.removeprefix(BOM))
    assert list(missing(sample_body("get-a-list-of-available-licenses"), body)) == []
