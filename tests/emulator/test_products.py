"""The new-commerce catalog: views, segments, rotating availabilities, inventory, and the published samples."""

from __future__ import annotations

from typing import cast

import httpx2
import pytest

from partner_center_emulator.emulator import Emulator
from tests.emulator.commerce import refused
from tests.emulator.new_commerce import AZURE_PLAN, NEW_AUDIO, PREMIUM, Client, Json, item_id, new_emulator, pass_days
from tests.emulator.samples import missing, sample_body
from tests.emulator.small_world import ALFA, STRANGER

BELOW = f"/v1/customers/{ALFA}/products"


@pytest.fixture
def emulator() -> Emulator:
    """Return both catalogs."""
    return new_emulator()


def path_of(key: str, base: str = "/v1/products") -> str:
    """Return the address of a SKU."""
    product, sku = key.split(":")
    return f"{base}/{product}/skus/{sku}"


async def rows(caller: httpx2.AsyncClient, path: str) -> list[Json]:
    """Return the items of a collection."""
    answer = await caller.get(path)
    assert answer.status_code == 200, answer.text
    return cast("list[Json]", answer.json()["items"])


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        ("OnlineServices", "CFQ7TTC0LCHC"),
        ("azure", "DZH318Z0BPS6"),
        ("MicrosoftAzure", "DZH318Z0BPS6"),
        ("SoftwarePerpetual", "DG7GMGF0FLR2"),
        ("SoftwareSubscriptions", "DG7GMGF0DVSZ"),
        ("MarketplaceSaaS", "DZH318Z0BXWC"),
    ],
)
async def test_a_target_view_shows_its_products(client: Client, view: str, expected: str):
    """By country and by customer alike, the view in any case; app-only is enough."""
    caller = client(user=None)
    by_country = await rows(caller, f"/v1/products?country=SE&targetView={view}")
    by_customer = await rows(caller, f"{BELOW}?targetView={view}")
    assert expected in {row["id"] for row in by_country}
    assert [row["id"] for row in by_country] == [row["id"] for row in by_customer]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v1/products?country=SE&targetView=Nonsense", (403, 400036)),
        ("/v1/products?country=SE&targetView=OnlineServices&targetSegment=rich", (403, 400030)),
        ("/v1/products?targetView=OnlineServices", (400, 2000)),
        ("/v1/products/CFQ7TTC0XXXX?country=SE", (404, 400013)),
        ("/v1/products/CFQ7TTC0LCHC/skus/0099?country=SE", (404, 400018)),
        ("/v1/products/CFQ7TTC0LCHC/skus/0001/availabilities/CFQ7TTC0NONE?country=SE", (404, 400019)),
        (f"/v1/customers/{STRANGER}/products?targetView=OnlineServices", (404, 60003)),
    ],
)
async def test_refuses_by_number(client: Client, path: str, expected: tuple[int, int]):
    """Each documented error of the catalog."""
    assert refused(await client().get(path)) == expected


async def test_a_segment_narrows_the_catalog(client: Client):
    """Nonprofit shows only what is sold to nonprofits; without a segment the rest is there too."""
    nonprofit = await rows(client(), "/v1/products?country=SE&targetView=OnlineServices&targetSegment=Nonprofit")
    assert [row["title"] for row in nonprofit] == ["Office 365 E1", "Office 365 E3"]


async def test_what_a_country_does_not_sell_is_not_there(emulator: Emulator, client: Client):
    """The SKU is 400018, its product shows no SKU, and the inventory says why."""
    emulator.world.commerce.products["CFQ7TTC0LHXH"].skus[0].not_sold_in = ["SE"]
    caller = client()
    assert refused(await caller.get(f"{path_of(NEW_AUDIO)}?country=SE")) == (404, 400018)
    assert await rows(caller, "/v1/products/CFQ7TTC0LHXH/skus?country=SE") == []
    body = {"targetItems": [{"productId": "CFQ7TTC0LHXH"}, {"productId": "UNKNOWN"}, {"productId": "CFQ7TTC0LCHC"}]}
    answer = (await caller.post("/v1/extensions/product/checkinventory?country=SE", json=body)).json()
    assert [(row["productId"], row["isRestricted"]) for row in answer] == [
        ("CFQ7TTC0LHXH", True),
        ("CFQ7TTC0LCHC", False),
        ("CFQ7TTC0LCHC", False),
    ]
    assert answer[0]["restrictions"][0]["reasonCode"] == "NotAvailableForMarket"


async def test_availability_ids_rotate(emulator: Emulator, client: Client):
    """Stable within the period, another one after it; the old one is 400019, product and SKU stay."""
    caller = client()
    before = (await rows(caller, f"{path_of(PREMIUM)}/availabilities?country=SE"))[0]
    again = (await rows(caller, f"{path_of(PREMIUM, BELOW)}/availabilities"))[0]
    assert before["catalogItemId"] == again["catalogItemId"] == f"{PREMIUM}:{before['id']}"
    pass_days(emulator, 30)
    after = item_id(emulator, PREMIUM)
    assert after != before["catalogItemId"]
    late = await client().get(f"{path_of(PREMIUM)}/availabilities/{before['id']}?country=SE")
    assert refused(late) == (404, 400019)


async def test_an_availability_has_terms_currency_and_what_it_belongs_to(client: Client):
    """By id with product and SKU inside; the currency is the country's."""
    caller = client()
    listed = (await rows(caller, f"{path_of(PREMIUM)}/availabilities?country=NO"))[0]
    assert listed["defaultCurrency"] == {"code": "NOK", "symbol": "kr"}
    assert {(row["duration"], row["billingCycle"]) for row in cast("list[Json]", listed["terms"])} == {
        ("P1M", "Monthly"),
        ("P1Y", "Monthly"),
        ("P1Y", "Annual"),
    }
    whole = (await caller.get(f"{path_of(PREMIUM)}/availabilities/{listed['id']}?country=NO")).json()
    assert (whole["product"]["id"], whole["sku"]["id"]) == tuple(PREMIUM.split(":"))


async def test_a_product_answers_like_the_published_sample(client: Client):
    """The Azure plan of a customer."""
    answer = await client().get(f"{BELOW}/DZH318Z0BPS6")
    assert set(missing(sample_body("get-a-list-of-skus-for-a-product-by-customer"), answer.json())) == set()


async def test_a_sku_answers_like_the_published_samples(client: Client):
    """Members of the machine sizes of a reservation and of a pilot are about products that this catalog lacks."""
    caller = client()
    sku = (await caller.get(f"{path_of(AZURE_PLAN)}?country=US")).json()
    absent = set(missing(sample_body("get-a-sku-by-id"), sku))
    assert all(row.startswith("/dynamicAttributes/") for row in absent)
    listed = cast("list[Json]", sample_body("get-a-list-of-products-by-customer")["items"])[1]
    assert set(missing(listed, sku)) == {"/dynamicAttributes/pilotProgram: missing"}
