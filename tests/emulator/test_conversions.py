"""Legacy trials that become paid."""

from __future__ import annotations

import pytest

from partner_center_emulator.emulator import Emulator
from tests.emulator.commerce import TRIAL, bought, buy, line, offer_id, read, subscription_path
from tests.emulator.new_commerce import Client, new_emulator
from tests.emulator.samples import missing, sample_body

E5 = offer_id("Office 365 Enterprise E5")


@pytest.fixture
def emulator() -> Emulator:
    """Return both catalogs, and a trial that may become the paid offer."""
    made = new_emulator()
    made.world.offers[TRIAL].conversion_target_offers = [E5]
    return made


async def test_a_legacy_trial_becomes_paid(emulator: Emulator, client: Client):
    """Same id, another offer, a term of a year from today, renewing; then there is nothing to convert."""
    caller = client()
    trial = bought(await buy(caller, line(TRIAL, 25), cycle="none"))[0]
    path = f"{subscription_path(trial)}/conversions"
    possible = (await caller.get(path)).json()["items"]
    assert [row["targetOfferId"] for row in possible] == [E5]
    answer = (await caller.post(path, json={**possible[0], "quantity": 30, "billingCycle": "annual"})).json()
    assert set(missing(sample_body("convert-a-trial-subscription-to-paid"), answer)) == set()
    paid = await read(caller, trial)
    assert (paid["offerId"], paid["quantity"], paid["isTrial"]) == (E5, 30, False)
    assert (paid["commitmentEndDate"], paid["autoRenewEnabled"]) == ("2027-03-01T00:00:00Z", True)
    assert (await caller.get(path)).json()["items"] == []


async def test_a_conversion_that_is_not_possible_says_so_in_the_answer(emulator: Emulator, client: Client):
    """Another offer is 1, a cycle it lacks 0; nothing changes."""
    caller = client()
    trial = bought(await buy(caller, line(TRIAL, 25), cycle="none"))[0]
    path = f"{subscription_path(trial)}/conversions"
    for body, code in (
        ({"targetOfferId": TRIAL}, 1),
        ({"targetOfferId": E5, "billingCycle": "one_time"}, 0),
        ({"targetOfferId": E5, "quantity": 0}, 0),
    ):
        assert (await caller.post(path, json=body)).json()["error"]["code"] == code
    assert emulator.world.subscriptions[trial.lower()].is_trial is True
