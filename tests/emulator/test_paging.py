"""Seek paging over the customer list (core reference 3)."""

from __future__ import annotations

import json

import httpx2
import pytest

from partner_center_emulator.customers.models import RelationshipIndex
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.world import Relationship
from tests.emulator.conftest import Client
from tests.emulator.small_world import ALFA, BRAVO, CHARLIE, HELPLESS, OVERSEAS, SE, TARGET


async def follow(tenant: httpx2.AsyncClient, answer: httpx2.Response) -> httpx2.Response:
    """Ask for the page behind links.next, with the headers that stand in the link."""
    link = answer.json()["links"]["next"]
    headers = {header["key"]: header["value"] for header in link["headers"]}
    return await tenant.request(link["method"], f"/v1{link['uri']}", headers=headers)


def ids(answer: httpx2.Response) -> list[str]:
    """Return the customer ids of a page."""
    return [item["id"] for item in answer.json()["items"]]


async def test_walks_all_pages_once_and_in_order(client: Client):
    """Three pages of two, two and one; the last has no next link."""
    se = client("se")
    pages = [await se.get("/v1/customers?size=2")]
    while "next" in pages[-1].json()["links"]:
        pages.append(await follow(se, pages[-1]))
    assert [ids(page) for page in pages] == [[ALFA, BRAVO], [CHARLIE, OVERSEAS], [HELPLESS]]
    assert [page.json()["totalCount"] for page in pages] == [2, 2, 1]


async def test_neither_skips_nor_repeats_when_the_list_changes_between_pages(emulator: Emulator, client: Client):
    """A customer that leaves and one that comes do not move the others."""
    se = client("se")
    first = await se.get("/v1/customers?size=2")
    index = emulator.derived(RelationshipIndex)
    index.remove(emulator.world.relationships[f"{SE}/{ALFA}"])
    index.add(Relationship(tenant_id=SE, customer_id=ALFA, since=emulator.clock.now()))
    second = await follow(se, first)
    third = await follow(se, second)
    assert [ids(second), ids(third)] == [[CHARLIE, OVERSEAS], [HELPLESS, ALFA]]


async def test_keeps_the_filter_on_the_next_page(client: Client):
    """The next link repeats the filter, and a token does not fit another filter."""
    se = client("se")
    text = json.dumps({"Field": "Domain", "Value": "", "Operator": "starts_with"})
    first = await se.get("/v1/customers", params={"filter": text, "size": "3"})
    assert ids(await follow(se, first)) == [OVERSEAS, HELPLESS]
    headers = {header["key"]: header["value"] for header in first.json()["links"]["next"]["headers"]}
    other = await se.get("/v1/customers?size=3&seekOperation=Next", headers=headers)
    assert (other.status_code, other.json()["code"]) == (400, 2000)


async def test_refuses_the_next_page_without_the_header(client: Client):
    """seekOperation=Next alone is 400: the token is in the headers, not in the address."""
    answer = await client("se").get("/v1/customers?size=2&seekOperation=Next")
    assert (answer.status_code, answer.json()["code"]) == (400, 2000)


async def test_refuses_a_token_that_lapsed_or_belongs_to_another_tenant(emulator: Emulator, client: Client):
    """A token lives 15 minutes and opens only its own tenant's list."""
    se = client("se")
    link = (await se.get("/v1/customers?size=2")).json()["links"]["next"]
    headers = {header["key"]: header["value"] for header in link["headers"]}
    emulator.world.relationships[f"{TARGET}/{ALFA}"] = Relationship(
        tenant_id=TARGET, customer_id=ALFA, since=emulator.clock.now()
    )
    stolen = await client("target").get(f"/v1{link['uri']}", headers=headers)
    emulator.clock.advance(901)
    late = await se.get(f"/v1{link['uri']}", headers=headers)
    assert [stolen.status_code, late.status_code] == [400, 400]


@pytest.mark.parametrize("size", ["-1", "many"])
async def test_refuses_a_size_that_is_no_number(client: Client, size: str):
    """A negative or written-out size is 400 2000."""
    answer = await client("se").get(f"/v1/customers?size={size}")
    assert (answer.status_code, answer.json()["code"]) == (400, 2000)


@pytest.mark.parametrize("size", ["0", "500", "100000", ""])
async def test_size_zero_means_the_default_and_500_is_the_cap(client: Client, size: str):
    """0 and missing mean 500, more is cut down."""
    answer = await client("se").get(f"/v1/customers?size={size}")
    assert answer.json()["totalCount"] == 5


async def test_counts_the_whole_list_when_switched(emulator: Emulator, client: Client):
    """The total can mean the grand total."""
    emulator.options.total_count = "grand"
    assert (await client("se").get("/v1/customers?size=2")).json()["totalCount"] == 5


async def test_a_fresh_customer_shows_after_the_configured_delay(emulator: Emulator, client: Client):
    """With a delay the list and the address know the customer only later."""
    emulator.options.relationship_delay_seconds = 60
    emulator.derived(RelationshipIndex).add(
        Relationship(tenant_id=TARGET, customer_id=ALFA, since=emulator.clock.now())
    )
    target = client("target")
    assert ids(await target.get("/v1/customers")) == []
    assert (await target.get(f"/v1/customers/{ALFA}")).json()["code"] == 20002
    emulator.clock.advance(60)
    assert ids(await target.get("/v1/customers")) == [ALFA]
    assert (await target.get(f"/v1/customers/{ALFA}")).status_code == 200
