"""The life of one subscription of each kind, from the purchase to its last invoice, over HTTP on the virtual clock.

Everything is bought, changed and ended through the API; the bill is read as the partner reads it. Each test ends a year
after the last invoice and finds that nothing has come since.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple, cast

import httpx2
import pytest

from partner_center_emulator import ledger
from partner_center_emulator.emulator import Emulator
from tests.emulator.commerce import E3, buy_one, refused
from tests.emulator.new_commerce import (
    AZURE_PLAN,
    NEW_E3,
    PERPETUAL,
    PREMIUM_TRIAL,
    SAAS,
    SOFTWARE,
    Client,
    Json,
    acquire,
    cart_line,
    check_out,
    fill,
    lasting,
    look,
    new_emulator,
    pass_days,
    send,
)
from tests.emulator.small_world import ALFA


class Line(NamedTuple):
    """One line as the partner reads it: on which day's invoice, what for, which days, how much."""

    invoiced: str
    type: str
    first: str
    last: str
    amount: Decimal


@pytest.fixture
def emulator() -> Emulator:
    """Return both catalogs; provisioning takes no time."""
    return new_emulator()


def until(emulator: Emulator, text: str) -> None:
    """Let time pass until an ISO date and time, UTC."""
    emulator.clock.advance_to(datetime.fromisoformat(text).replace(tzinfo=UTC))


def line(invoiced: str, kind: str, first: str, last: str, amount: str) -> Line:
    """Return the line that is expected."""
    return Line(invoiced, kind, first, last, Decimal(amount))


async def bill(caller: httpx2.AsyncClient) -> list[Line]:
    """Return all lines of all invoices, in order; each invoice's lines add up to its total."""
    found: list[Line] = []
    for invoice in (await caller.get("/v1/invoices?size=500")).json()["items"]:
        rows = [row for detail in invoice["invoiceDetails"] for row in await detail_lines(caller, invoice, detail)]
        assert sum(row.amount for row in rows) == Decimal(str(invoice["totalCharges"]))
        found += rows
    return found


async def detail_lines(caller: httpx2.AsyncClient, invoice: Json, detail: Json) -> list[Line]:
    """Return the billing lines that one part of an invoice links to."""
    if "usage" in str(detail["invoiceLineItemType"]):
        return []
    kind = f"provider={detail['billingProvider']}&invoicelineitemtype={detail['invoiceLineItemType']}"
    answer = await caller.get(f"/v1/invoices/{invoice['id']}/lineitems?{kind}&size=2000")
    assert answer.status_code == 200, answer.text
    return [
        Line(
            str(invoice["invoiceDate"])[:10],
            str(row["chargeType"]),
            str(row["chargeStartDate"])[:10],
            str(row["chargeEndDate"])[:10],
            Decimal(str(row["subtotal"])),
        )
        for row in cast("list[Json]", answer.json()["items"])
    ]


async def whole_bill(emulator: Emulator, caller: httpx2.AsyncClient) -> list[Line]:
    """Return the bill a year on: the last invoice was the last, nothing waits, and the truth ledger agrees."""
    before = await bill(caller)
    pass_days(emulator, 365)
    after = await bill(caller)
    assert after == before
    query = "provider=onetime&invoicelineitemtype=billinglineitems&currencycode=EUR&period=current"
    assert (await caller.get(f"/v1/invoices/unbilled/lineitems?{query}")).json()["items"] == []
    accounts = ledger.report(emulator, customer_id=ALFA).money.accounts
    assert isinstance(accounts, list)
    assert all((row.expected, row.pending) == (row.invoiced, Decimal(0)) for row in accounts)
    return after


async def changed(caller: httpx2.AsyncClient, subscription: Json, **changes: object) -> Json:
    """Send the subscription as it now is back with changes, and insist on 200."""
    answer = await send(caller, await look(caller, subscription["id"]), **changes)
    assert answer.status_code == 200, answer.text
    return cast("Json", answer.json())


async def test_a_legacy_license_that_is_suspended_is_credited_on_its_last_invoice(emulator: Emulator, client: Client):
    """R-57, R-58: three months charged ahead, the days from the suspension on come back, then silence."""
    caller = lasting(emulator, client)
    bought = await buy_one(caller, E3, 10)
    until(emulator, "2026-05-20T09:00")
    await changed(caller, bought, status="suspended")
    until(emulator, "2026-08-30T00:00")
    assert (await look(caller, bought["id"]))["status"] == "deleted"
    assert await whole_bill(emulator, caller) == [
        line("2026-04-03", "New purchase cycle fee", "2026-03-02", "2026-04-01", "197"),
        line("2026-05-03", "Cycle fee", "2026-04-02", "2026-05-01", "197"),
        line("2026-06-03", "Cycle fee", "2026-05-02", "2026-06-01", "197"),
        line("2026-06-03", "Cancel fee", "2026-05-20", "2026-06-01", "-82.6"),  # 13 of 31 days, 8.26 each
    ]


async def test_a_legacy_license_that_renews_goes_on_being_charged(emulator: Emulator, client: Client):
    """Twelve months, a renewal, one month of the second year, and the credit of what was left of it."""
    caller = lasting(emulator, client)
    bought = await buy_one(caller, E3, 10)
    until(emulator, "2027-03-20T09:00")
    assert (await look(caller, bought["id"]))["commitmentEndDate"] == "2028-03-01T00:00:00Z"
    await changed(caller, bought, status="suspended")
    pass_days(emulator, 100)
    lines = await whole_bill(emulator, caller)
    assert [row.type for row in lines] == ["New purchase cycle fee", *["Cycle fee"] * 12, "Cancel fee"]
    assert {row.amount for row in lines[:13]} == {Decimal(197)}
    assert lines[12:] == [
        line("2027-04-03", "Cycle fee", "2027-03-02", "2027-04-01", "197"),
        line("2027-04-03", "Cancel fee", "2027-03-20", "2027-04-01", "-82.6"),
    ]


async def test_a_monthly_license_cancelled_in_the_window_gives_its_rest_back(emulator: Emulator, client: Client):
    """R-138: bought on the 2nd, cancelled on the 5th of March: 28 of 31 days come back, one invoice in all."""
    caller = lasting(emulator, client)
    bought = await acquire(caller, emulator, NEW_E3, 10, termDuration="P1M")
    pass_days(emulator, 3)
    await changed(caller, bought, status="deleted")
    pass_days(emulator, 60)
    assert await whole_bill(emulator, caller) == [
        line("2026-04-06", "new", "2026-03-02", "2026-04-01", "259.2"),
        line("2026-04-06", "cancelImmediate", "2026-03-05", "2026-04-01", "-234.1"),
    ]


async def test_an_annual_license_that_expires_is_charged_twelve_times(emulator: Emulator, client: Client):
    """No credit at the end of the term, no line afterward while it is expired, disabled, deleted."""
    emulator.options.extended_term_after = ""
    caller = lasting(emulator, client)
    bought = await acquire(caller, emulator, NEW_E3, 10)
    await changed(caller, bought, autoRenewEnabled=False)
    until(emulator, "2027-03-02T00:00")
    assert (await look(caller, bought["id"]))["status"] == "expired"
    pass_days(emulator, 120)
    assert (await look(caller, bought["id"]))["status"] == "deleted"
    lines = await whole_bill(emulator, caller)
    assert [row.type for row in lines] == ["new", *["cycleCharge"] * 11]
    assert {row.amount for row in lines} == {Decimal(216)}
    assert lines[-1] == line("2027-03-06", "cycleCharge", "2027-02-02", "2027-03-01", "216")


async def test_a_trial_costs_nothing_until_it_is_paid_for(emulator: Emulator, client: Client):
    """A free month, two paid ones of the product it became; the end without renewal gives nothing back."""
    emulator.options.extended_term_after = ""
    caller = lasting(emulator, client)
    trial = await acquire(caller, emulator, PREMIUM_TRIAL, 25, termDuration="P1M", billingCycle="none")
    until(emulator, "2026-05-10T00:00")
    assert (await look(caller, trial["id"]))["isTrial"] is False
    await changed(caller, trial, autoRenewEnabled=False)
    pass_days(emulator, 150)
    assert (await look(caller, trial["id"]))["status"] == "deleted"
    assert await whole_bill(emulator, caller) == [
        line("2026-05-06", "new", "2026-04-02", "2026-05-01", "618"),
        line("2026-06-06", "renew", "2026-05-02", "2026-06-01", "618"),
    ]


async def test_a_trial_that_nobody_pays_for_is_on_no_invoice(emulator: Emulator, client: Client):
    """Without auto-renew it ends after its month and leaves no trace in the bill."""
    caller = lasting(emulator, client)
    trial = await acquire(caller, emulator, PREMIUM_TRIAL, 25, termDuration="P1M", billingCycle="none")
    await changed(caller, trial, autoRenewEnabled=False)
    pass_days(emulator, 160)
    assert (await look(caller, trial["id"]))["status"] == "deleted"
    assert await whole_bill(emulator, caller) == []


async def test_perpetual_software_is_charged_once_and_comes_back_whole(emulator: Emulator, client: Client):
    """R-142: two orders, one cancelled on the 29th day with a full credit; neither has a subscription."""
    caller = lasting(emulator, client)
    terms: Json = {"billingCycle": "one_time", "termDuration": ""}
    for _ in range(2):
        result = await check_out(caller, await fill(caller, {**cart_line(emulator, PERPETUAL, 3), **terms}))
    order = cast("list[Json]", result["orders"])[0]
    pass_days(emulator, 29)
    path = f"/v1/customers/{ALFA}/orders/{order['id']}"
    assert (await caller.patch(path, json={**order, "status": "cancelled"})).json()["status"] == "cancelled"
    pass_days(emulator, 20)
    (invoice,) = (await caller.get("/v1/invoices")).json()["items"]
    query = "provider=onetime&invoicelineitemtype=billinglineitems"
    rows = (await caller.get(f"/v1/invoices/{invoice['id']}/lineitems?{query}")).json()["items"]
    assert {row["subscriptionId"] for row in rows} == {""}
    assert [row["orderId"] == order["id"] for row in rows] == [False, True, True]
    assert await whole_bill(emulator, caller) == [
        line("2026-04-06", "new", "2026-03-02", "2026-03-02", "1194"),
        line("2026-04-06", "new", "2026-03-02", "2026-03-02", "1194"),
        line("2026-04-06", "cancelImmediate", "2026-03-02", "2026-03-02", "-1194"),
    ]


async def test_a_software_subscription_is_paid_for_its_whole_term_at_once(emulator: Emulator, client: Client):
    """Renewed once, then expired: one line for each year, at the price of the year."""
    caller = lasting(emulator, client)
    bought = await acquire(caller, emulator, SOFTWARE, 4, billingCycle="one_time", termDuration="P1Y")
    until(emulator, "2027-04-01T00:00")
    await changed(caller, bought, autoRenewEnabled=False)
    until(emulator, "2028-07-01T00:00")
    assert (await look(caller, bought["id"]))["status"] == "deleted"
    assert await whole_bill(emulator, caller) == [
        line("2026-04-06", "new", "2026-03-02", "2027-03-01", "848"),
        line("2027-04-06", "renew", "2027-03-02", "2028-03-01", "848"),
    ]


async def test_a_software_subscription_comes_back_whole_within_seven_days(emulator: Emulator, client: Client):
    """R-142: cancelled on the sixth day, the term's price is credited."""
    caller = lasting(emulator, client)
    bought = await acquire(caller, emulator, SOFTWARE, 4, billingCycle="one_time", termDuration="P1Y")
    pass_days(emulator, 6)
    await changed(caller, bought, status="deleted")
    pass_days(emulator, 40)
    assert [row.amount for row in await whole_bill(emulator, caller)] == [Decimal(848), Decimal(-848)]


async def test_a_saas_subscription_is_charged_by_the_month_until_it_ends(emulator: Emulator, client: Client):
    """Activated, renewed, too late to cancel, ended at the end of its month without a credit."""
    caller = lasting(emulator, client)
    bought = await acquire(caller, emulator, SAAS, 10, termDuration="P1M")
    path = f"/v1/customers/{ALFA}/subscriptions/{bought['id']}/activate"
    assert (await caller.post(path)).json()["status"] == "Success"
    until(emulator, "2026-04-20T00:00")
    assert refused(await send(caller, await look(caller, bought["id"]), status="deleted")) == (400, 900213)
    await changed(caller, bought, autoRenewEnabled=False)
    pass_days(emulator, 150)
    assert (await look(caller, bought["id"]))["status"] == "deleted"
    assert await whole_bill(emulator, caller) == [
        line("2026-04-06", "new", "2026-03-02", "2026-04-01", "32"),
        line("2026-05-06", "renew", "2026-04-02", "2026-05-01", "32"),
    ]


async def test_the_use_of_an_azure_plan_is_paid_afterward_until_it_is_switched_off(emulator: Emulator, client: Client):
    """R-174, R-186: nothing for the plan, a line for each month of use; the default subscription is then cancelled."""
    caller = lasting(emulator, client)
    plan = await acquire(caller, emulator, AZURE_PLAN, 1, billingCycle="one_time", termDuration="")
    path = f"/v1/customers/{ALFA}/subscriptions/{plan['id']}/azureEntitlements"
    (used,) = (await caller.get(path)).json()["items"]
    await caller.post(f"/_emulator/azure/items/{used['id']}", json={"monthly_cost": "310"})
    until(emulator, "2026-05-10T12:00")
    answer = await caller.post(f"{path}/{used['id']}/cancel", json={"cancellationReason": "compromise"})
    assert answer.status_code == 200
    pass_days(emulator, 1)
    await changed(caller, plan, status="suspended")
    pass_days(emulator, 60)
    assert await whole_bill(emulator, caller) == [
        line("2026-04-06", "new", "2026-03-02", "2026-03-31", "300"),
        line("2026-05-06", "new", "2026-04-01", "2026-04-30", "310"),
        line("2026-06-06", "new", "2026-05-01", "2026-05-09", "90"),
    ]
