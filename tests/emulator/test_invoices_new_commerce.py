"""Invoices of new commerce and Azure over HTTP: calendar month, unbilled lines, transfers, use, published samples."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import cast

import httpx2
import pytest

from partner_center_emulator import ledger
from partner_center_emulator.azure import models as azure
from partner_center_emulator.emulator import Emulator, Options
from tests.emulator.commerce import E3, buy_one, commerce_emulator
from tests.emulator.conftest import Client
from tests.emulator.moving import new_commerce, requested, submitted
from tests.emulator.new_commerce import NEW_E3, acquire, lasting, look, pass_days, send
from tests.emulator.samples import missing, sample_body
from tests.emulator.small_world import ALFA, SE, TARGET

Json = dict[str, object]
ONE_TIME = "provider=onetime&invoicelineitemtype=billinglineitems"
UNBILLED = f"/v1/invoices/unbilled/lineitems?{ONE_TIME}&currencycode=eur&period=current"
USAGE = "provider=onetime&invoicelineitemtype=usagelineitems"


@pytest.fixture
def emulator() -> Emulator:
    """Return the small world with both catalogs, in which provisioning takes no time."""
    return commerce_emulator(Options(provisioning_seconds=0.0, transfer_seconds=0.0))


async def unbilled(caller: httpx2.AsyncClient, period: str = "current", currency: str = "EUR") -> list[Json]:
    """Return the unbilled lines of a tenant."""
    answer = await caller.get(f"/v1/invoices/unbilled/lineitems?{ONE_TIME}&currencycode={currency}&period={period}")
    assert answer.status_code == 200, answer.text
    return cast("list[Json]", answer.json()["items"])


async def invoices(caller: httpx2.AsyncClient) -> list[Json]:
    """Return the invoices of a tenant."""
    return cast("list[Json]", (await caller.get("/v1/invoices")).json()["items"])


async def lines(caller: httpx2.AsyncClient, invoice: Json, query: str = ONE_TIME) -> list[Json]:
    """Return the lines of an invoice."""
    answer = await caller.get(f"/v1/invoices/{invoice['id']}/lineitems?{query}")
    assert answer.status_code == 200, answer.text
    return cast("list[Json]", answer.json()["items"])


async def test_a_purchase_shows_as_unbilled_after_some_hours_and_is_billed_on_the_sixth(
    emulator: Emulator, client: Client
):
    """R-186, R-196: unbilled with a delay, previous in the next month, then on an invoice with a G."""
    caller = lasting(emulator, client)
    bought = await acquire(caller, emulator, NEW_E3, 10)
    assert await unbilled(caller) == []
    emulator.clock.advance(7 * 3600)
    (line,) = await unbilled(caller)
    assert (line["chargeType"], line["subscriptionId"], line["quantity"]) == ("new", bought["id"], "10")
    assert (line["invoiceNumber"], line["chargeStartDate"], line["chargeEndDate"]) == (
        "",
        "2026-03-02T00:00:00Z",
        "2026-04-01T00:00:00Z",
    )
    assert await unbilled(caller, currency="SEK") == []
    pass_days(emulator, 31)
    assert [row["chargeType"] for row in await unbilled(caller)] == ["cycleCharge"]
    assert len(await unbilled(caller, "previous")) == 1
    pass_days(emulator, 4)
    assert await unbilled(caller, "previous") == []
    (invoice,) = await invoices(caller)
    assert str(invoice["id"]).startswith("G")
    assert (invoice["invoiceType"], invoice["invoiceDate"]) == ("OneTime", "2026-04-06T00:00:00.0000000Z")
    (billed,) = await lines(caller, invoice)
    assert billed == {**line, "invoiceNumber": invoice["id"]}
    assert Decimal(str(billed["subtotal"])) == Decimal(str(invoice["totalCharges"]))


async def test_suspension_goes_on_costing_and_seats_come_in_pairs(emulator: Emulator, client: Client):
    """R-135 and the pair of lines with one referenceId, from the service's own PATCH."""
    caller = lasting(emulator, client)
    bought = await acquire(caller, emulator, NEW_E3, 10)
    pass_days(emulator, 2)
    assert (await send(caller, await look(caller, bought["id"]), quantity=12)).status_code == 200
    pass_days(emulator, 2)
    assert (await send(caller, await look(caller, bought["id"]), status="suspended")).status_code == 200
    pass_days(emulator, 32)
    assert [row["chargeType"] for row in await unbilled(caller)] == ["cycleCharge"]
    (invoice,) = await invoices(caller)
    first, back, charged = await lines(caller, invoice)
    assert [first["chargeType"], back["chargeType"], charged["chargeType"]] == ["new", "addQuantity", "addQuantity"]
    assert back["referenceId"] == charged["referenceId"] != first["referenceId"]
    assert (back["quantity"], charged["quantity"]) == ("10", "12")
    assert Decimal(str(back["effectiveUnitPrice"])) == -Decimal(str(charged["effectiveUnitPrice"]))


async def test_a_cancellation_in_the_window_gives_the_rest_back(emulator: Emulator, client: Client):
    """R-138: bought on the 2nd, cancelled on the 4th of March, 29 of 31 days; numbers as numbers by switch."""
    caller = lasting(emulator, client)
    bought = await acquire(caller, emulator, NEW_E3, 10)
    pass_days(emulator, 2)
    assert (await send(caller, await look(caller, bought["id"]), status="deleted")).status_code == 200
    pass_days(emulator, 60)
    await caller.post("/_emulator/options", json={"billing": {"numbers_as_text": False}})
    (invoice,) = await invoices(caller)
    charged, back = await lines(caller, invoice)
    assert (back["chargeType"], back["chargeStartDate"]) == ("cancelImmediate", "2026-03-04T00:00:00Z")
    price = cast("float", charged["unitPrice"])
    assert 0 <= price * 29 / 31 + cast("float", back["effectiveUnitPrice"]) < 0.01


async def test_a_transfer_is_split_at_its_day(emulator: Emulator, client: Client):
    """S-5: the source gets back what the target is charged from the day of the transfer; nobody pays twice."""
    row = new_commerce(emulator)
    pass_days(emulator, 9)
    transfer = await requested(lasting(emulator, client))
    assert (await submitted(lasting(emulator, client, "se"), transfer, row.id)).status_code == 200
    pass_days(emulator, 28)
    source, target = lasting(emulator, client, "se"), lasting(emulator, client)
    given = (await lines(source, (await invoices(source))[0]))[-1]
    taken = (await lines(target, (await invoices(target))[0]))[0]
    assert (given["chargeStartDate"], given["chargeEndDate"]) == (taken["chargeStartDate"], taken["chargeEndDate"])
    assert str(given["chargeStartDate"]).startswith("2026-03-11")
    assert (given["chargeType"], taken["chargeType"]) == ("cancelImmediate", "new")
    money = ledger.report(emulator, customer_id=ALFA).money
    assert money.double_billing == []
    assert isinstance(money.accounts, list)
    assert all(account.expected == account.invoiced for account in money.accounts)


async def test_one_time_lines_come_by_seek(emulator: Emulator, client: Client):
    """Pages follow by MS-ContinuationToken, which also stands at the top; the older path form gives the same lines."""
    caller = lasting(emulator, client)
    for _ in range(3):
        await acquire(caller, emulator, NEW_E3, 1)
    pass_days(emulator, 40)
    (invoice,) = await invoices(caller)
    page = (await caller.get(f"/v1/invoices/{invoice['id']}/lineitems?{ONE_TIME}&size=2")).json()
    following = page["links"]["next"]
    header = following["headers"][0]
    assert header == {"key": "MS-ContinuationToken", "value": page["continuationToken"]}
    rest = (await caller.get(f"/v1{following['uri']}", headers={header["key"]: header["value"]})).json()
    assert "continuationToken" not in rest
    assert [*page["items"], *rest["items"]] == await lines(caller, invoice)
    path = f"/v1/invoices/{invoice['id']}/lineitems/OneTime/BillingLineItems"
    assert (await caller.get(path)).json()["items"] == await lines(caller, invoice)


async def test_azure_use_is_paid_afterward_and_by_whom_it_was_billed_to(emulator: Emulator, client: Client):
    """A month of use is one line per Azure subscription; rated days a day late; the day of a move is the target's."""
    tenant, customer = emulator.world.partner_tenants[SE], emulator.world.customers[ALFA]
    plan = azure.open_plan(emulator, tenant, customer, with_default=False)
    used = azure.add_entitlement(emulator, plan, "Production")
    used.monthly_cost = "310"
    emulator.clock.advance(3 * 86_400)
    caller = lasting(emulator, client, "se")
    query = f"{USAGE}&currencycode=SEK&period=current"
    days = (await caller.get(f"/v1/invoices/unbilled/lineitems?{query}")).json()["items"]
    assert [row["usageDate"][:10] for row in days] == ["2026-03-02", "2026-03-03", "2026-03-04"]
    other = azure.open_plan(emulator, emulator.world.partner_tenants[TARGET], customer, with_default=False)
    azure.move_entitlement(emulator, used, other, "call-1")
    pass_days(emulator, 33)
    for key, first, last, cost in (("se", "02", "04", "30"), ("target", "05", "31", "270")):
        caller = lasting(emulator, client, key)
        (invoice,) = await invoices(caller)
        (line,) = await lines(caller, invoice)
        assert (line["chargeStartDate"], line["chargeEndDate"]) == (
            f"2026-03-{first}T00:00:00Z",
            f"2026-03-{last}T00:00:00Z",
        )
        assert line["subtotal"] == cost
        assert len(await lines(caller, invoice, USAGE)) == int(cost) / 10
        assert await lines(caller, invoice, f"{USAGE}&hasPartnerEarnedCredit=true") == []


async def test_legacy_azure_is_on_the_legacy_invoice(emulator: Emulator, client: Client):
    """Provider azure: a line for the month and one for each day (commerce 6.5)."""
    old = azure.open_legacy(emulator, emulator.world.partner_tenants[SE], emulator.world.customers[ALFA])
    emulator.world.azure.entitlements[old.id].monthly_cost = "310"
    pass_days(emulator, 33)
    caller = lasting(emulator, client, "se")
    (invoice,) = await invoices(caller)
    assert [row["billingProvider"] for row in cast("list[Json]", invoice["invoiceDetails"])] == ["azure", "azure"]
    (month,) = await lines(caller, invoice, "provider=azure&invoicelineitemtype=billinglineitems")
    assert (month["chargeType"], month["postTaxTotal"]) == ("Assess usage fee for current cycle", 300.0)
    days = await lines(caller, invoice, "provider=azure&invoicelineitemtype=usagelineitems")
    assert (len(days), days[0]["consumedQuantity"]) == (30, 24.0)
    assert await lines(caller, invoice, "provider=office&invoicelineitemtype=billinglineitems") == []


@pytest.mark.parametrize(
    ("sample", "path"),
    [
        ("get-a-collection-of-invoices", "/v1/invoices"),
        ("get-invoice-summaries", "/v1/invoices/summaries"),
        ("get-invoice-unbilled-recon-lineitems", UNBILLED),
        ("get-invoice-unbilled-recon-lineitems-2", UNBILLED),
        ("get-invoice-billed-consumption-lineitems", "{one_time}"),
        ("get-invoice-billed-consumption-lineitems-2", "{one_time}"),
    ],
)
async def test_answers_like_the_published_sample(emulator: Emulator, client: Client, sample: str, path: str):
    """Every member of the sample, same type and casing; the sample of invoices has its first page's link too."""
    caller = lasting(emulator, client)
    await buy_one(caller, E3)
    await acquire(caller, emulator, NEW_E3)
    plan = azure.open_plan(
        emulator, emulator.world.partner_tenants[TARGET], emulator.world.customers[ALFA], with_default=False
    )
    azure.add_entitlement(emulator, plan, "Production").monthly_cost = "310"
    pass_days(emulator, 70)
    if "{one_time}" in path:
        number = next(row["id"] for row in await invoices(caller) if row["invoiceType"] == "OneTime")
        path = f"/v1/invoices/{number}/lineitems?{USAGE}&currencycode=eur&size=2"
    path = f"{path}?size=1" if path == "/v1/invoices" else path
    answer = await caller.get(path)
    assert answer.status_code == 200
    assert set(missing(sample_body(sample), answer.json())) == set()


async def test_the_life_of_a_subscription_of_each_kind_ends_in_a_last_invoice(emulator: Emulator, client: Client):
    """From purchase to the last invoice on the virtual clock: legacy suspended, new commerce expired."""
    caller = lasting(emulator, client)
    legacy = await buy_one(caller, E3, 5)
    modern = await acquire(caller, emulator, NEW_E3, 5, termDuration="P1M", billingCycle="monthly")
    await send(caller, await look(caller, modern["id"]), autoRenewEnabled=False)
    emulator.options.extended_term_after = ""
    pass_days(emulator, 40)
    await send(caller, await look(caller, legacy["id"]), status="suspended")
    pass_days(emulator, 400)
    issued = await invoices(caller)
    last = max(str(row["billingPeriodEndDate"]) for row in issued)
    assert last < "2026-06-01"
    kinds = [row["chargeType"] for invoice in issued for row in await lines(caller, invoice)]
    assert kinds == ["new"]
    account = ledger.report(emulator, customer_id=ALFA).money.accounts
    assert isinstance(account, list)
    assert [(row.expected == row.invoiced, row.pending) for row in account] == [(True, Decimal(0))]
    assert emulator.clock.now() - emulator.world.started_at == timedelta(days=440)
