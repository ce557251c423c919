"""Promotions: which run, who is eligible and why not, and that redemptions count over all partners."""

from __future__ import annotations

from typing import cast

import httpx2
import pytest

from partner_center_emulator.emulator import Emulator
from tests.emulator.commerce import refused
from tests.emulator.new_commerce import (
    FLOW_F1,
    FLOW_F3,
    NEW_E3,
    PREMIUM,
    Client,
    Json,
    acquire,
    cart_line,
    fill,
    item_id,
    new_emulator,
    send,
)
from tests.emulator.samples import first_item, missing, sample_body
from tests.emulator.small_world import ALFA

F3_OFFER, PREMIUM_OFFER = "39NFJQT1SNC7:0001:39NFJQT1Q5KM", "39NFJQT1PM6C:0005:39NFJQT1Q5L7"
OVER = "39NFJQT1PK2D:0001:39NFJQT1Q5KP"
PATH = f"/v1/customers/{ALFA}/promotionEligibilities"


@pytest.fixture
def emulator() -> Emulator:
    """Return both catalogs; provisioning takes no time."""
    return new_emulator()


async def ask(caller: httpx2.AsyncClient, emulator: Emulator, key: str, **more: object) -> list[Json]:
    """Return the verdicts on one item: 20 seats, a year paid monthly unless told otherwise."""
    item: Json = {"id": 0, "catalogItemId": item_id(emulator, key), "quantity": 20}
    body = {"items": [{**item, "termDuration": "P1Y", "billingCycle": "monthly", **more}]}
    answer = await caller.post(PATH, json=body)
    assert answer.status_code == 200, answer.text
    return cast("list[Json]", answer.json()["items"][0]["eligibilities"])


def kinds(verdict: Json) -> list[object]:
    """Return the types of a verdict's errors."""
    return [row["type"] for row in cast("list[Json]", verdict.get("errors", []))]


async def test_only_running_promotions_are_listed_but_each_can_be_read(client: Client):
    """By country and segment; over ones by id; unknown ones are 404."""
    caller = client()
    listed = (await caller.get("/v1/productpromotions?country=SE&segment=commercial")).json()
    ids = {row["id"] for row in listed["items"]}
    assert F3_OFFER in ids
    assert OVER not in ids
    assert (await caller.get(f"/v1/productpromotions/{OVER}?country=SE")).json()["id"] == OVER
    assert refused(await caller.get("/v1/productpromotions/none?country=SE")) == (404, 1000)
    assert refused(await client(user="helper").get("/v1/productpromotions?country=SE")) == (403, 900150)


async def test_a_fitting_purchase_is_eligible(emulator: Emulator, client: Client):
    """Without a promotion in the question every promotion of the item is judged."""
    assert await ask(client(), emulator, PREMIUM) == [{"promotionId": PREMIUM_OFFER, "isEligible": True}]


async def test_each_condition_has_its_error(emulator: Emulator, client: Client):
    """Term, seats, ownership, unknown item, unknown promotion, none at all."""
    caller = client()
    verdict = (await ask(caller, emulator, FLOW_F3, quantity=5))[0]
    assert kinds(verdict) == ["Term", "SeatCount", "PrerequisiteProductOwnership"]
    assert kinds((await ask(caller, emulator, PREMIUM, catalogItemId="CFQ7TTC0LCHC:0001:OLD"))[0]) == [
        "InvalidCatalogItemId"
    ]
    assert kinds((await ask(caller, emulator, PREMIUM, promotionId="x:y:z"))[0]) == ["InvalidPromotion"]
    assert kinds((await ask(caller, emulator, NEW_E3))[0]) == ["NoPromotionsAvailable"]


async def test_ownership_and_first_purchase_count_over_all_partners(emulator: Emulator, client: Client):
    """Bought from the other partner before: owns the product it asks for, and is no first purchase any more."""
    other, caller = client("se"), client()
    question: Json = {"billingCycle": "annual"}
    await acquire(other, emulator, FLOW_F1)
    assert (await ask(caller, emulator, FLOW_F3, **question))[0]["isEligible"] is True
    await acquire(other, emulator, FLOW_F3, 12)
    assert kinds((await ask(caller, emulator, FLOW_F3, **question))[0]) == ["OfferPurchasedPreviously"]


async def test_a_cancelled_purchase_has_used_a_promotion_up(emulator: Emulator, client: Client):
    """15 percent off, cancelled at once; the next purchase gets no promotion: the cart says 10014."""
    caller = client()
    bought = await acquire(caller, emulator, PREMIUM, promotionId=PREMIUM_OFFER)
    assert bought["promotionId"] == PREMIUM_OFFER
    assert emulator.world.commerce.terms[str(bought["id"])].unit_price == "17.51"
    assert (await send(caller, bought, status="deleted")).status_code == 200
    verdict = (await ask(caller, emulator, PREMIUM))[0]
    assert kinds(verdict) == ["RedemptionLimit"]
    cart = await fill(caller, cart_line(emulator, PREMIUM, promotionId=PREMIUM_OFFER))
    assert cast("list[Json]", cart["lineItems"])[0]["error"]["errorCode"] == "10014"  # type: ignore[index]


async def test_promotions_answer_like_the_published_samples(emulator: Emulator, client: Client):
    """The list's first row, one with every constraint, and both verdicts."""
    caller = client()
    listed = (await caller.get("/v1/productpromotions?country=SE")).json()
    assert set(missing(sample_body("get-promotions"), listed)) == set()
    one = (await caller.get(f"/v1/productpromotions/{F3_OFFER}?country=SE")).json()
    assert set(missing(sample_body("get-promotion-by-id"), one)) == set()
    for sample, seats in (("verify-promotion-eligibility-2", 20), ("verify-promotion-eligibility", 301)):
        item = {"id": 0, "catalogItemId": item_id(emulator, PREMIUM), "quantity": seats}
        body = {"items": [{**item, "termDuration": "P1Y", "billingCycle": "monthly"}]}
        answer = first_item((await caller.post(PATH, json=body)).json())
        assert set(missing(first_item(sample_body(sample)), answer)) == set()
