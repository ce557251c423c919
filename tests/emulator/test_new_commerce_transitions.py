"""Upgrades of new-commerce subscriptions: paths, all seats, some seats, into another subscription, refusals."""

from __future__ import annotations

from typing import cast

import pytest

from partner_center_emulator.emulator import Emulator
from tests.emulator.commerce import buy_one, refused, subscription_path
from tests.emulator.new_commerce import (
    NEW_E3,
    NEW_E5,
    Client,
    Json,
    acquire,
    charges,
    held,
    item_id,
    look,
    new_emulator,
    send,
)
from tests.emulator.samples import missing, sample_body


@pytest.fixture
def emulator() -> Emulator:
    """Return both catalogs; provisioning takes no time."""
    return new_emulator()


def wish(emulator: Emulator, quantity: int, **more: object) -> Json:
    """Return the body of an upgrade to Office 365 E5."""
    body: Json = {"toCatalogItemId": item_id(emulator, NEW_E5), "quantity": quantity}
    return {**body, "transitionType": "transition_only", **more}


def path_of(subscription: Json, leaf: str = "transitions") -> str:
    """Return an address below a subscription."""
    return f"{subscription_path(str(subscription['id']))}/{leaf}"


async def test_paths_and_answers_are_like_the_published_samples(emulator: Emulator, client: Client):
    """Eligibility with another subscription of the target; the sample's ``Events`` is an odd casing."""
    caller = client()
    other = await acquire(caller, emulator, NEW_E5, 1, termDuration="P1M")
    bought = await acquire(caller, emulator, NEW_E3)
    listed = (await caller.get(path_of(bought, "transitionEligibilities?eligibilityType=immediate"))).json()
    assert [row["title"] for row in listed["items"]] == ["Office 365 E5", "Microsoft 365 E3"]
    shorter = listed["items"][0]["subscriptionEligibilities"][0]
    assert (shorter["subscriptionId"], shorter["isEligible"]) == (other["id"], False)
    sample = sample_body("transition-a-new-commerce-subscription")
    assert set(missing(sample, listed)) <= {"/items[0]/eligibilities[0]/errors: missing"}
    answer = (await caller.post(path_of(bought), json=wish(emulator, 10))).json()
    sample = sample_body("transition-a-new-commerce-subscription-2")
    sample["events"] = sample.pop("Events")
    assert set(missing(sample, answer)) == set()


async def test_all_seats_keep_the_subscription(emulator: Emulator, client: Client):
    """Same id and term end, another product and price, nothing to give back; the history says it is done."""
    caller = client()
    bought = await acquire(caller, emulator, NEW_E3)
    started = (await caller.post(path_of(bought), json=wish(emulator, 10))).json()
    assert (started["toSubscriptionId"], started["events"][0]["status"]) == (bought["id"], "Started")
    upgraded = await look(caller, bought["id"])
    assert (upgraded["offerName"], upgraded["commitmentEndDate"]) == ("Office 365 E5", bought["commitmentEndDate"])
    assert cast("Json", upgraded["refundableQuantity"])["totalQuantity"] == 0
    assert emulator.world.commerce.terms[str(bought["id"])].unit_price == "35.70"
    history = (await caller.get(path_of(bought, f"transitions?operationId={started['operationId']}"))).json()
    assert [row["events"][0]["status"] for row in history["items"]] == ["Completed"]
    assert charges(emulator, bought) == ["new", "convert"]


async def test_some_seats_become_a_subscription_of_their_own(emulator: Emulator, client: Client):
    """The rest stays; a second upgrade goes into the one that is there, with licenses reassigned."""
    caller = client()
    bought = await acquire(caller, emulator, NEW_E3)
    started = (await caller.post(path_of(bought), json=wish(emulator, 4))).json()
    fresh = await look(caller, started["toSubscriptionId"])
    assert (held(emulator, bought).quantity, fresh["quantity"]) == (6, 4)
    more = wish(emulator, 6, toSubscriptionId=fresh["id"], transitionType="transition_with_license_transfer")
    again = (await caller.post(path_of(bought), json=more)).json()
    assert [row["name"] for row in again["events"]] == ["Conversion", "LicenseReassignment"]
    assert (held(emulator, bought).status, held(emulator, fresh).quantity) == ("deleted", 10)


async def test_refuses_what_is_no_upgrade(emulator: Emulator, client: Client):
    """Another product, too many seats, no type, an unknown target, a plan it lacks, a suspended or legacy one."""
    caller = client()
    bought = await acquire(caller, emulator, NEW_E3)
    for body, expected in (
        (wish(emulator, 10, toCatalogItemId="CFQ7TTC0LH16:0001:X"), (400, 800002)),
        (wish(emulator, 11), (400, 2000)),
        (wish(emulator, 10, transitionType=""), (400, 2000)),
        (wish(emulator, 10, toSubscriptionId="none"), (404, 20003)),
        (wish(emulator, 10, billingCycle="one_time"), (400, 6001)),
    ):
        assert refused(await caller.post(path_of(bought), json=body)) == expected
    await send(caller, bought, status="suspended")
    assert refused(await caller.post(path_of(bought), json=wish(emulator, 10))) == (400, 800096)
    legacy = await buy_one(caller)
    assert refused(await caller.get(path_of(legacy))) == (400, 800002)
