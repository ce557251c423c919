"""The life of one subscription of each kind, from the purchase to its end, on the virtual clock."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from partner_center_emulator.emulator import Emulator
from tests.emulator.commerce import buy_one, read, refused
from tests.emulator.new_commerce import (
    NEW_E3,
    PERPETUAL,
    PREMIUM,
    PREMIUM_TRIAL,
    SAAS,
    SOFTWARE,
    Client,
    Json,
    acquire,
    cart_line,
    charges,
    check_out,
    fill,
    held,
    lasting,
    look,
    new_emulator,
    pass_days,
    send,
    statuses,
)


@pytest.fixture
def emulator() -> Emulator:
    """Return both catalogs; provisioning takes no time."""
    return new_emulator()


def advance_to(emulator: Emulator, text: str) -> None:
    """Let time pass until an ISO date, UTC."""
    emulator.clock.advance_to(datetime.fromisoformat(text).replace(tzinfo=UTC))


async def test_a_legacy_subscription_renews_then_rests_suspended_and_is_deleted(emulator: Emulator, client: Client):
    """Bought, renewed for a year, suspended by the partner, deleted after 90 days."""
    caller = lasting(emulator, client)
    bought = await buy_one(caller, quantity=7)
    advance_to(emulator, "2027-03-03T00:00:00")
    renewed = await read(caller, str(bought["id"]))
    assert (renewed["status"], renewed["commitmentEndDate"]) == ("active", "2028-03-01T00:00:00Z")
    assert "productType" not in renewed
    await send(caller, renewed, status="suspended")
    pass_days(emulator, 89.9)
    assert held(emulator, bought).status == "suspended"
    pass_days(emulator, 0.2)
    assert statuses(emulator, bought) == ["active", "suspended", "deleted"]


async def test_a_monthly_license_renews_every_month_and_expires_before_may_2026(emulator: Emulator, client: Client):
    """Without auto-renew: expired for 30 days, disabled for 90, deleted; each renewal opens a new window."""
    caller = lasting(emulator, client)
    bought = await acquire(caller, emulator, NEW_E3, termDuration="P1M")
    assert bought["commitmentEndDateTime"] == "2026-04-01T23:59:59Z"
    advance_to(emulator, "2026-04-02T00:00:00")
    renewed = await look(caller, bought["id"])
    assert (renewed["commitmentEndDate"], renewed["cancellationAllowedUntilDate"]) == (
        "2026-05-01T00:00:00Z",
        "2026-04-09T00:00:00.0000000Z",
    )
    await send(caller, renewed, autoRenewEnabled=False)
    advance_to(emulator, "2026-05-02T00:00:00")
    assert held(emulator, bought).status == "expired"
    assert refused(await send(caller, renewed, status="active")) == (400, 800096)
    advance_to(emulator, "2026-06-01T00:00:00")
    assert held(emulator, bought).status == "disabled"
    advance_to(emulator, "2026-08-30T00:00:00")
    assert statuses(emulator, bought) == ["active", "expired", "disabled", "deleted"]
    assert charges(emulator, bought) == ["new", "renew"]


async def test_an_annual_license_goes_on_by_the_month_after_its_term(emulator: Emulator, client: Client):
    """Ending after 4 May 2026 without auto-renew: Extended Service Term at 3 % more, same id, cancellable any time."""
    caller = lasting(emulator, client)
    bought = await acquire(caller, emulator, NEW_E3, quantity=5)
    await send(caller, bought, autoRenewEnabled=False)
    advance_to(emulator, "2027-03-02T00:00:00")
    extended = await look(caller, bought["id"])
    assert (extended["status"], extended["termDuration"], extended["commitmentEndDate"]) == (
        "active",
        "P1M",
        "2027-04-01T00:00:00Z",
    )
    terms = emulator.world.commerce.terms[str(bought["id"])]
    assert (terms.is_extended, terms.unit_price) == (True, "26.70")  # 21.60 * 1.2 = 25.92 by the month, + 3 %
    assert refused(await send(caller, extended, quantity=6)) == (400, 800096)
    advance_to(emulator, "2027-05-20T00:00:00")
    assert held(emulator, bought).commitment_end.isoformat() == "2027-06-01"
    assert (await send(caller, await look(caller, bought["id"]), status="deleted")).status_code == 200
    assert charges(emulator, bought) == ["new", "extendTerm", "extendTerm", "extendTerm", "cancelImmediate"]


async def test_a_license_may_be_cancelled_at_the_end_of_its_term(emulator: Emulator, client: Client):
    """The choice against the Extended Service Term: disabled at once, deleted after 90 days, never expired."""
    caller = lasting(emulator, client)
    bought = await acquire(caller, emulator, NEW_E3)
    chosen = await send(caller, bought, autoRenewEnabled=False, endOfTermAction="cancel")
    assert chosen.json()["endOfTermAction"] == "cancel"
    advance_to(emulator, "2027-03-02T00:00:00")
    assert held(emulator, bought).status == "disabled"
    pass_days(emulator, 90)
    assert statuses(emulator, bought) == ["active", "disabled", "deleted"]


async def test_a_suspended_license_is_disabled_at_its_term_end(emulator: Emulator, client: Client):
    """30 and 90 days disabled, then deleted; suspended it stays for the whole term, billed all the while."""
    caller = lasting(emulator, client)
    bought = await acquire(caller, emulator, NEW_E3, termDuration="P1M")
    suspended = await send(caller, bought, status="suspended")
    assert (suspended.json()["status"], suspended.json()["autoRenewEnabled"]) == ("suspended", False)
    advance_to(emulator, "2026-04-02T00:00:00")
    assert held(emulator, bought).status == "disabled"
    pass_days(emulator, 119.9)
    assert held(emulator, bought).status == "disabled"
    pass_days(emulator, 0.2)
    assert statuses(emulator, bought) == ["active", "suspended", "disabled", "deleted"]


async def test_a_trial_becomes_the_paid_product(emulator: Emulator, client: Client):
    """After a month: the SKU it converts to, with a price, no longer a trial, then renewed like every other."""
    caller = lasting(emulator, client)
    trial = await acquire(caller, emulator, PREMIUM_TRIAL, 25, termDuration="P1M", billingCycle="none")
    assert (trial["isTrial"], trial["refundOptions"]) == (True, [])
    advance_to(emulator, "2026-04-02T00:00:00")
    paid = await look(caller, trial["id"])
    assert (paid["isTrial"], paid["billingCycle"], str(paid["offerId"])[:17]) == (False, "monthly", PREMIUM)
    terms = emulator.world.commerce.terms[str(trial["id"])]
    assert terms.unit_price == "24.72"
    advance_to(emulator, "2026-05-02T00:00:00")
    assert charges(emulator, trial) == ["new", "renew", "renew"]


async def test_a_trial_without_auto_renew_ends(emulator: Emulator, client: Client):
    """It expires also after 4 May 2026: trials have no Extended Service Term."""
    caller = lasting(emulator, client)
    advance_to(emulator, "2026-06-01T00:00:00")
    trial = await acquire(caller, emulator, PREMIUM_TRIAL, 25, termDuration="P1M", billingCycle="none")
    await send(caller, trial, autoRenewEnabled=False)
    pass_days(emulator, 30 + 30 + 90)
    assert statuses(emulator, trial) == ["active", "expired", "disabled", "deleted"]


async def test_perpetual_software_is_an_order_without_subscription(emulator: Emulator, client: Client):
    """Paid once; cancelled through the order within 30 days, later no more."""
    caller = lasting(emulator, client)
    lines = [cart_line(emulator, PERPETUAL, 3, number, billingCycle="one_time", termDuration="") for number in range(2)]
    result = await check_out(caller, await fill(caller, *lines))
    order = result["orders"][0]  # type: ignore[index]
    assert order["status"] == "completed"
    assert emulator.world.subscriptions == {}
    assert all("subscriptionId" not in row for row in order["lineItems"])
    path = f"/v1/customers/{order['referenceCustomerId']}/orders/{order['id']}"
    first = [{**order["lineItems"][0], "quantity": 0}, order["lineItems"][1]]
    partly = (await caller.patch(path, json={**order, "status": "cancelled", "lineItems": first})).json()
    assert (partly["status"], [row["quantity"] for row in partly["lineItems"]]) == ("completed", [0, 3])
    pass_days(emulator, 30)
    assert refused(await caller.patch(path, json={**order, "status": "cancelled"})) == (400, 800077)


async def test_perpetual_software_is_cancelled_whole(emulator: Emulator, client: Client):
    """All lines at once, on the last day."""
    caller = lasting(emulator, client)
    line = cart_line(emulator, PERPETUAL, 3, billingCycle="one_time", termDuration="")
    order = (await check_out(caller, await fill(caller, line)))["orders"][0]  # type: ignore[index]
    pass_days(emulator, 29.9)
    path = f"/v1/customers/{order['referenceCustomerId']}/orders/{order['id']}"
    gone = (await caller.patch(path, json={**order, "status": "cancelled"})).json()
    assert (gone["status"], gone["lineItems"][0]["quantity"]) == ("cancelled", 0)
    statuses_of_lines = (await caller.get(f"{path}/provisioningstatus")).json()["items"]
    assert statuses_of_lines[0]["status"] == "unfulfilled"


async def test_a_software_subscription_never_shrinks_and_expires(emulator: Emulator, client: Client):
    """One year, no seat reduction, cancellable for 7 days as a whole, expired at the end (no extended term)."""
    caller = lasting(emulator, client)
    bought = await acquire(caller, emulator, SOFTWARE, 4, billingCycle="one_time", termDuration="P1Y")
    assert bought["productType"] == {"id": "Software", "displayName": "Software"}
    assert refused(await send(caller, bought, quantity=3)) == (400, 800090)
    pass_days(emulator, 7)
    assert refused(await send(caller, bought, status="deleted")) == (400, 900117)
    await send(caller, bought, autoRenewEnabled=False)
    advance_to(emulator, "2027-03-02T00:00:00")
    assert held(emulator, bought).status == "expired"
    pass_days(emulator, 120)
    assert held(emulator, bought).status == "deleted"


async def test_a_saas_subscription_is_activated_and_cancelled_within_a_day(emulator: Emulator, client: Client):
    """The activation link stands in the order, the month's window is 24 hours, then 900213; without renewal it ends."""
    caller = lasting(emulator, client)
    bought: Json = await acquire(caller, emulator, SAAS, 10, termDuration="P1M")
    assert (bought["isMicrosoftProduct"], bought["attentionNeeded"]) == (False, True)
    path = f"/v1/customers/{emulator.world.subscriptions[str(bought['id'])].customer_id}"
    links = (await caller.get(f"{path}/orders/{bought['orderId']}/activationlinks")).json()["items"]
    assert links == (await caller.get(f"{path}/subscriptions/{bought['id']}/activationlinks")).json()["items"]
    assert len(links) == 1
    assert (await caller.post(f"{path}/subscriptions/{bought['id']}/activate")).json()["status"] == "Success"
    assert (await look(caller, bought["id"]))["attentionNeeded"] is False
    pass_days(emulator, 1)
    assert refused(await send(caller, bought, status="deleted")) == (400, 900213)
    await send(caller, bought, autoRenewEnabled=False)
    pass_days(emulator, 30 + 30 + 90)
    assert statuses(emulator, bought) == ["active", "expired", "disabled", "deleted"]
