"""Changes of new-commerce subscriptions: windows to the second, seat batches, schedules, what a PATCH resets, 202."""

from __future__ import annotations

from typing import cast

import pytest

from partner_center_emulator.emulator import Emulator
from tests.emulator.commerce import line, order_body, orders_path, refused, subscription_path
from tests.emulator.new_commerce import (
    AZURE_PLAN,
    NEW_E3,
    NEW_E5,
    PREMIUM,
    SAAS,
    STANDARD,
    Client,
    Json,
    acquire,
    cart_line,
    charges,
    check_out,
    fill,
    held,
    item_id,
    lasting,
    look,
    new_emulator,
    pass_days,
    send,
    without,
)
from tests.emulator.small_world import ALFA

ENDS = f"/v1/customers/{ALFA}/subscriptions/customTermEndDates"


@pytest.fixture
def emulator() -> Emulator:
    """Return both catalogs; provisioning takes no time."""
    return new_emulator()


def scheduled(key: str, quantity: int, **more: object) -> Json:
    """Return instructions for the next term: a year paid monthly unless told otherwise."""
    product, sku = key.split(":")
    wish = {"productId": product, "skuId": sku, "billingCycle": "monthly", "termDuration": "P1Y", **more}
    return {"product": wish, "quantity": quantity}


async def test_a_new_subscription_shows_what_can_be_undone(emulator: Emulator, client: Client):
    """Both refunds, the window, the seats; lower-case id, no etag, and the product type, which legacy ones lack."""
    bought = await acquire(client(), emulator, NEW_E3, 15)
    assert bought["productType"] == {"id": "OnlineServicesNCE", "displayName": "OnlineServicesNCE"}
    assert bought["refundOptions"] == [
        {"type": "Full", "expiresAt": "2026-03-03T08:00:00.0000000Z"},
        {"type": "Partial", "expiresAt": "2026-03-09T08:00:00.0000000Z"},
    ]
    assert bought["refundableQuantity"] == {
        "totalQuantity": 15,
        "details": [{"quantity": 15, "allowedUntilDateTime": "2026-03-09T08:00:00.0000000Z"}],
    }
    assert bought["attributes"] == {"objectType": "Subscription"}
    assert (bought["commitmentEndDateTime"], bought["billingCycleEndDateTime"]) == (
        "2027-03-01T23:59:59Z",
        "2026-04-01T23:59:59Z",
    )
    assert str(bought["id"]) == str(bought["id"]).lower()


async def test_the_window_closes_to_the_second(emulator: Emulator, client: Client):
    """168 hours after the purchase, not at a midnight; afterwards the members about it are gone."""
    caller = lasting(emulator, client)
    first, second = await acquire(caller, emulator, NEW_E3), await acquire(caller, emulator, NEW_E3)
    emulator.clock.advance(168 * 3600 - 1)
    gone = await send(caller, await look(caller, first["id"]), status="deleted")
    assert (gone.status_code, gone.json()["status"]) == (200, "deleted")
    emulator.clock.advance(1)
    late = await look(caller, second["id"])
    assert "cancellationAllowedUntilDate" not in late
    assert (late["refundOptions"], late["refundableQuantity"]) == ([], {"totalQuantity": 0, "details": []})
    assert refused(await send(caller, late, status="deleted")) == (400, 900117)
    assert refused(await send(caller, first, quantity=11)) == (400, 900279)
    assert charges(emulator, first) == ["new", "cancelImmediate"]


async def test_a_year_of_saas_may_be_cancelled_for_fourteen_days(emulator: Emulator, client: Client):
    """A full refund until then, then 900117."""
    caller = lasting(emulator, client)
    bought = await acquire(caller, emulator, SAAS, billingCycle="annual")
    assert [row["type"] for row in cast("list[Json]", bought["refundOptions"])] == ["Full"]
    pass_days(emulator, 14)
    assert refused(await send(caller, bought, status="deleted")) == (400, 900117)


async def test_every_batch_of_seats_has_its_own_window(emulator: Emulator, client: Client):
    """10 bought, 5 more after four days: after seven days only the 5 can go, the last added first."""
    caller = lasting(emulator, client)
    bought = await acquire(caller, emulator, NEW_E3, 10)
    pass_days(emulator, 4)
    more = (await send(caller, await look(caller, bought["id"]), quantity=15)).json()
    assert more["refundableQuantity"]["totalQuantity"] == 15
    pass_days(emulator, 3)
    assert refused(await send(caller, more, quantity=9)) == (400, 900257)
    fewer = (await send(caller, more, quantity=12)).json()
    assert (fewer["quantity"], fewer["refundableQuantity"]["totalQuantity"]) == (12, 2)
    pass_days(emulator, 4)
    assert refused(await send(caller, fewer, quantity=11)) == (400, 900257)
    assert charges(emulator, bought) == ["new", "addQuantity", "removeQuantity"]


async def test_a_patch_resets_what_it_leaves_out(emulator: Emulator, client: Client):
    """Auto-renew, the schedule and the next charge are gone when a body forgets them."""
    caller = client()
    bought = await acquire(caller, emulator, NEW_E3)
    planned = await send(caller, bought, scheduledNextTermInstructions=scheduled(NEW_E5, 4))
    assert planned.json()["scheduledNextTermInstructions"]["quantity"] == 4
    yearly = (await send(caller, planned.json(), billingCycle="annual")).json()
    assert yearly["nextChargeInstructions"]["product"]["billingCycle"] == "annual"
    kept = (await send(caller, yearly, friendlyName="Renamed")).json()
    assert {"scheduledNextTermInstructions", "nextChargeInstructions"} <= set(kept)
    names = ("autoRenewEnabled", "scheduledNextTermInstructions", "nextChargeInstructions")
    answer = await caller.patch(subscription_path(str(bought["id"])), json=without(kept, *names))
    assert answer.json()["autoRenewEnabled"] is False
    assert not {"scheduledNextTermInstructions", "nextChargeInstructions"} & set(answer.json())


async def test_a_body_in_pascal_case_is_understood(emulator: Emulator, client: Client):
    """As the SDK of another language sends it, with members nobody knows."""
    caller = client()
    bought = await acquire(caller, emulator, NEW_E3)
    body = {name[:1].upper() + name[1:]: value for name, value in bought.items()}
    answer = await caller.patch(subscription_path(str(bought["id"]).upper()), json={**body, "Quantity": 11, "X": 1})
    assert (answer.status_code, answer.json()["quantity"]) == (200, 11)


async def test_an_immediate_change_drops_the_schedule(emulator: Emulator, client: Client):
    """More seats today, nothing planned any more."""
    caller = client()
    bought = await acquire(caller, emulator, NEW_E3)
    planned = (await send(caller, bought, scheduledNextTermInstructions=scheduled(NEW_E3, 4))).json()
    changed = (await send(caller, planned, quantity=12)).json()
    assert "scheduledNextTermInstructions" not in changed


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"autoRenewEnabled": False, "scheduledNextTermInstructions": scheduled(NEW_E3, 4)}, (400, 800002)),
        ({"scheduledNextTermInstructions": scheduled(NEW_E3, 4, termDuration="P9Y")}, (400, 6001)),
        ({"scheduledNextTermInstructions": scheduled("CFQ7TTC0NONE:0001", 4)}, (404, 400013)),
        ({"scheduledNextTermInstructions": scheduled(NEW_E3, 0)}, (400, 900275)),
        ({"scheduledNextTermInstructions": "no object"}, (400, 2000)),
        ({"termDuration": "P1M"}, (400, 800002)),
        ({"billingCycle": "triennial"}, (400, 6001)),
        ({"quantity": 0}, (400, 900275)),
        ({"quantity": 1.5}, (400, 2000)),
        ({"status": "expired"}, (400, 800040)),
        ({"status": "nonsense"}, (400, 2000)),
        ({"status": "suspended", "quantity": 11}, (400, 800091)),
        ({"endOfTermAction": "nonsense"}, (400, 2000)),
        ({"id": "22222222-0000-4000-8000-000000000001"}, (400, 2000)),
    ],
)
async def test_refuses_a_change_by_number(emulator: Emulator, client: Client, changes: Json, expected: tuple[int, int]):
    """Each error, and nothing of the change happens."""
    caller = client()
    bought = await acquire(caller, emulator, NEW_E3)
    answer = await caller.patch(subscription_path(str(bought["id"])), json={**bought, **changes})
    assert refused(answer) == expected
    assert await look(caller, bought["id"]) == bought


async def test_the_schedule_comes_true_at_the_renewal(emulator: Emulator, client: Client):
    """Another product, term and count; a new window, a new price, the same id."""
    caller = lasting(emulator, client)
    bought = await acquire(caller, emulator, NEW_E3, termDuration="P1M")
    wish = scheduled(NEW_E5, 4, termDuration="P1Y", billingCycle="annual")
    await send(caller, bought, scheduledNextTermInstructions=wish)
    pass_days(emulator, 31)
    renewed = await look(caller, bought["id"])
    assert (renewed["quantity"], renewed["termDuration"], renewed["billingCycle"]) == (4, "P1Y", "annual")
    assert (renewed["offerName"], renewed["commitmentEndDate"]) == ("Office 365 E5", "2027-04-01T00:00:00Z")
    assert str(renewed["offerId"]).startswith(f"{NEW_E5}:")
    assert "scheduledNextTermInstructions" not in renewed
    assert emulator.world.commerce.terms[str(bought["id"])].unit_price == "428.40"


async def test_a_change_of_the_billing_plan_waits_for_the_next_charge(emulator: Emulator, client: Client):
    """A year instead of a month from the next charge date on; also after a snapshot."""
    caller = lasting(emulator, client)
    bought = await acquire(caller, emulator, NEW_E3, termDuration="P1M")
    waiting = (await send(caller, bought, termDuration="P1Y", billingCycle="annual")).json()
    assert (waiting["billingCycle"], waiting["termDuration"]) == ("monthly", "P1M")
    emulator.world.clock_at = emulator.clock.now()
    emulator.replace_world(emulator.world)
    pass_days(emulator, 31)
    changed = await look(caller, bought["id"])
    assert (changed["billingCycle"], changed["termDuration"]) == ("annual", "P1Y")
    assert "nextChargeInstructions" not in changed
    assert changed["commitmentEndDate"] == "2027-04-01T00:00:00Z"


async def test_suspending_ends_auto_renew_and_schedules_and_resuming_does_not_bring_them_back(
    emulator: Emulator, client: Client
):
    """What is suspended takes no other change."""
    caller = client()
    bought = await acquire(caller, emulator, NEW_E3)
    planned = (await send(caller, bought, scheduledNextTermInstructions=scheduled(NEW_E3, 4))).json()
    suspended = (await send(caller, planned, status="suspended")).json()
    assert (suspended["autoRenewEnabled"], "scheduledNextTermInstructions" in suspended) == (False, False)
    assert suspended["suspensionReasons"] == []
    assert refused(await send(caller, suspended, quantity=12)) == (400, 800091)
    assert refused(await send(caller, suspended, autoRenewEnabled=True)) == (400, 800091)
    resumed = (await send(caller, suspended, status="active")).json()
    assert (resumed["status"], resumed["autoRenewEnabled"]) == ("active", False)


async def test_an_azure_plan_has_no_auto_renew(emulator: Emulator, client: Client):
    """It never ends, and switching renewal on is 800093."""
    caller = client()
    plan = await acquire(caller, emulator, AZURE_PLAN, 1, billingCycle="one_time", termDuration="")
    assert (plan["commitmentEndDate"], plan["billingType"]) == ("9999-12-10T00:00:00Z", "usage")
    assert refused(await send(caller, plan, autoRenewEnabled=True)) == (400, 800093)


async def test_a_patch_may_be_taken_in_first(emulator: Emulator, client: Client):
    """202 with Location; a second one is 900278 until the first has taken effect; then the read shows it."""
    emulator.options.update_seconds = 120.0
    caller = client()
    bought = await acquire(caller, emulator, NEW_E3)
    answer = await send(caller, bought, quantity=12)
    assert (answer.status_code, answer.content) == (202, b"")
    assert answer.headers["Location"] == f"/customers/{ALFA}/subscriptions/{bought['id']}"
    assert (await look(caller, bought["id"]))["quantity"] == 10
    status = f"{subscription_path(str(bought['id']))}/provisioningstatus"
    assert (await caller.get(status)).json()["status"] == "pending"
    assert refused(await send(caller, bought, quantity=13)) == (409, 900278)
    emulator.clock.advance(120)
    assert (await look(caller, bought["id"]))["quantity"] == 12
    assert (await caller.get(status)).json() == {
        "skuId": "0001",
        "status": "success",
        "quantity": 12,
        "endDate": "2027-03-01T00:00:00Z",
        "attributes": {"objectType": "SubscriptionProvisioningStatus"},
    }


async def test_a_change_that_became_impossible_is_dropped(emulator: Emulator, client: Client):
    """Taken in while the window was open, due when it is closed."""
    emulator.options.update_seconds = 8 * 86_400.0
    caller = lasting(emulator, client)
    bought = await acquire(caller, emulator, NEW_E3)
    assert (await send(caller, bought, status="deleted")).status_code == 202
    pass_days(emulator, 8)
    assert held(emulator, bought).status == "active"
    assert emulator.world.changes[-1].after == {"code": 900117}


async def test_a_subscription_is_not_changed_for_ever(emulator: Emulator, client: Client):
    """More than 1,200 changes are an error."""
    caller = client()
    bought = await acquire(caller, emulator, NEW_E3)
    emulator.world.commerce.terms[str(bought["id"])].changes = 1200
    assert refused(await send(caller, bought, friendlyName="Once more")) == (400, 900311)


async def test_a_purchase_takes_the_end_of_another_subscription_or_of_a_month(emulator: Emulator, client: Client):
    """Custom end dates of the same partner's subscriptions; the first charge is by days."""
    caller = lasting(emulator, client)
    first = await acquire(caller, emulator, STANDARD)
    pass_days(emulator, 20)
    rows = (await caller.get(f"{ENDS}?term_duration=P1Y")).json()["items"]
    aligned = [row for row in rows if row["allowedCustomTermEndDateType"] == "subscriptionAligned"]
    assert [row["cotermSubscriptionIds"] for row in aligned] == [[first["id"]]]
    assert aligned[0]["allowedCustomTermEndDate"] == first["commitmentEndDate"]
    assert rows[0]["allowedCustomTermEndDate"] == "2026-03-31T00:00:00Z"
    other = await acquire(caller, emulator, NEW_E3, customTermEndDate=first["commitmentEndDate"])
    assert other["commitmentEndDate"] == first["commitmentEndDate"]
    short = cart_line(emulator, NEW_E3, 1, customTermEndDate="2026-03-31T00:00:00Z")
    order = cast("list[Json]", (await check_out(caller, await fill(caller, short)))["orders"])[0]
    pricing = cast("Json", cast("list[Json]", order["lineItems"])[0]["pricing"])
    assert (pricing["discountedPrice"], pricing["proratedPrice"]) == (21.6, 6.96)  # 10 of 31 days
    assert refused(await caller.get(f"{ENDS}?term_duration=P7D")) == (400, 2000)


async def test_a_direct_order_buys_like_a_cart(emulator: Emulator, client: Client):
    """One billing cycle for all lines; generations do not mix; a faulty line refuses all."""
    caller = client()
    good = line(item_id(emulator, NEW_E3), 3, termDuration="P1Y")
    more = line(item_id(emulator, PREMIUM), 2, 1, termDuration="P1M")
    answer = await caller.post(orders_path(), json=order_body(good, more))
    assert (answer.status_code, answer.json()["totalPrice"]) == (201, 114.24)
    legacy = line("796B6B5F-613C-4E24-A17C-EBA730D49C02", 1, 1)
    assert refused(await caller.post(orders_path(), json=order_body(good, legacy))) == (400, 2000)
    wrong = line(item_id(emulator, PREMIUM), 2, 1, termDuration="P3Y")
    assert refused(await caller.post(orders_path(), json=order_body(good, wrong))) == (400, 6001)
    twice = line(item_id(emulator, PREMIUM), 2, 0, termDuration="P1M")
    assert refused(await caller.post(orders_path(), json=order_body(good, twice))) == (400, 800071)
    assert len(emulator.world.subscriptions) == 2
    path = f"{orders_path()}/{answer.json()['id']}"
    assert refused(await caller.patch(path, json={"status": "cancelled"})) == (400, 800063)
    assert refused(await caller.patch(path, json={"billingCycle": "annual"})) == (400, 800002)
