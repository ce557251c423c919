"""Offers and offer categories (commerce reference 1.1)."""

from __future__ import annotations

import pytest

from partner_center_emulator.emulator import Emulator
from tests.emulator.commerce import CALLS, E3, PREMIUM, PROTECTION, SHIFT, commerce_emulator, refused
from tests.emulator.conftest import Client
from tests.emulator.samples import first_item, missing, sample_body
from tests.emulator.small_world import ALFA, OVERSEAS

OFFERS = "/v1/offers?country=SE"


@pytest.fixture
def emulator() -> Emulator:
    """Return the small world with the real catalog."""
    return commerce_emulator()


async def test_lists_the_catalog_of_a_country_at_once(emulator: Emulator, client: Client):
    """Without size the whole catalog comes in one answer with only a self link, ordered by rank."""
    body = (await client().get(OFFERS)).json()
    hidden = sum(offer.off_catalog or "SE" in offer.not_sold_in for offer in emulator.world.offers.values())
    assert body["totalCount"] == len(body["items"]) == len(emulator.world.offers) - hidden
    assert list(body["links"]) == ["self"]
    assert [row["rank"] for row in body["items"]] == sorted(row["rank"] for row in body["items"])


async def test_pages_with_offset_and_size(client: Client):
    """Following next leads through the whole catalog without repetition."""
    whole = [row["id"] for row in (await client().get(OFFERS)).json()["items"]]
    caller, uri, seen = client(), f"{OFFERS}&size=25", []
    while uri:
        body = (await caller.get(uri)).json()
        seen += [row["id"] for row in body["items"]]
        uri = f"/v1{body['links']['next']['uri']}" if "next" in body["links"] else ""
    assert seen == whole


async def test_leaves_out_what_a_country_does_not_sell(client: Client):
    """A calling plan is not sold in Sweden, a finished campaign nowhere."""
    swedish = {row["id"] for row in (await client().get(OFFERS)).json()["items"]}
    american = {row["id"] for row in (await client().get("/v1/offers?country=us")).json()["items"]}
    assert american - swedish >= {CALLS}
    assert SHIFT not in american | swedish


async def test_filters_by_category(client: Client):
    """Only offers of the category, named in any case."""
    body = (await client().get(f"{OFFERS}&offer_category_id=smallbusiness_key")).json()
    assert {row["category"]["id"] for row in body["items"]} == {"SmallBusiness_Key"}


async def test_reads_one_offer_in_the_callers_locale(client: Client):
    """By id in any case; locale and country are those of the call."""
    answer = await client().get(f"/v1/offers/{PREMIUM.lower()}?country=se", headers={"X-Locale": "sv-SE"})
    body = answer.json()
    assert (body["id"], body["locale"], body["country"]) == (PREMIUM, "sv-SE", "SE")
    assert (body["maximumQuantity"], body["limitUnitOfMeasure"], body["limit"]) == (300, "Concurrent", 2)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v1/offers", (400, 2000)),
        ("/v1/offers?country=Sweden", (400, 2000)),
        ("/v1/offers?country=SE&size=x", (400, 2000)),
        (f"/v1/offers/{E3}", (400, 2000)),
        ("/v1/offers/CFQ7TTC0LH18:0001?country=SE", (400, 2100)),
        ("/v1/offers/00000000-0000-4000-8000-000000000000?country=SE", (404, 1000)),
        (f"/v1/offers/{SHIFT}?country=SE", (404, 1000)),
        (f"/v1/offers/{CALLS}/addons?country=SE", (404, 1000)),
    ],
)
async def test_refuses_what_is_not_there(client: Client, path: str, expected: tuple[int, int]):
    """Missing country, new-commerce ids, unknown, finished and unsold offers."""
    assert refused(await client().get(path)) == expected


async def test_lists_the_add_ons_of_a_base(client: Client):
    """What names the base among its prerequisites."""
    body = (await client().get(f"/v1/offers/{E3}/addons?country=SE")).json()
    assert PROTECTION in {row["id"] for row in body["items"]}
    assert all(row["isAddOn"] and E3 in row["prerequisiteOffers"] for row in body["items"])


async def test_lists_categories_by_rank(client: Client):
    """The categories that the catalog uses; add-ons have none."""
    body = (await client().get("/v1/offercategories?country=SE")).json()
    assert [(row["id"], row["rank"]) for row in body["items"]] == [
        ("Enterprise_Key", 20),
        ("SmallBusiness_Key", 30),
        ("Trial_Key", 70),
    ]


async def test_lists_what_a_customer_may_buy(client: Client):
    """By the customer's own country."""
    at_home = (await client("se").get(f"/v1/customers/{ALFA}/offers")).json()
    abroad = (await client("se").get(f"/v1/customers/{OVERSEAS}/offers?size=1000")).json()
    categories = (await client("se").get(f"/v1/customers/{OVERSEAS}/offercategories")).json()
    assert {row["country"] for row in at_home["items"]} == {"SE"}
    assert CALLS in {row["id"] for row in abroad["items"]}
    assert {row["country"] for row in categories["items"]} == {"US"}


async def test_has_every_member_of_the_recorded_offer(client: Client):
    """The recorded offer of 2019 is answered member for member."""
    sample = sample_body("powershell-getpartnerofferbyofferid")
    answer = (await client().get(f"/v1/offers/{sample['id']}?country=US")).json()
    assert list(missing(sample, answer)) == []
    facts = {name: value for name, value in sample.items() if name != "description"}
    assert {name: answer[name] for name in facts} == facts


@pytest.mark.parametrize(
    ("sample", "path", "absent"),
    [
        # the older example's learnMore link has an address; the recorded one has none
        ("get-an-offer-by-id", f"/v1/offers/{PREMIUM}?country=US", {"/links/learnMore/uri: missing"}),
        ("get-a-list-of-offer-categories-by-country-and-locale", "/v1/offercategories?country=US", set()),
    ],
)
async def test_has_every_member_of_the_published_examples(client: Client, sample: str, path: str, absent: set[str]):
    """Documentation examples of the same routes."""
    assert set(missing(sample_body(sample), (await client().get(path)).json())) == absent


async def test_has_every_member_of_the_recorded_catalog(client: Client):
    """Envelope and items of the recorded list."""
    sample = sample_body("powershell-getpartneroffer")
    answer = (await client().get("/v1/offers?country=US")).json()
    assert list(missing({**sample, "items": []}, answer)) == []
    assert set(first_item(sample)) - set(answer["items"][-1]) <= {"upgradeTargetOffers"}
