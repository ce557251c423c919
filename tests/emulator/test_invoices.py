"""Invoices over HTTP and by the clock: periods, numbers, lines, credits, balance, statement (commerce reference 6)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import cast
from urllib.parse import quote

import msgspec
import pytest

from partner_center_emulator import worlds
from partner_center_emulator.clock import Clock
from partner_center_emulator.emulator import Emulator, Options
from partner_center_emulator.seed import generate_world
from partner_center_emulator.subscriptions.models import change_in_portal
from partner_center_emulator.world import Subscription, World
from tests.emulator.commerce import E3, PREMIUM, buy_one, commerce_emulator, patch, read
from tests.emulator.conftest import Client
from tests.emulator.small_world import ALFA, SE, TARGET

Json = dict[str, object]
OFFICE = "?provider=office&invoicelineitemtype=billinglineitems"


@pytest.fixture
def emulator() -> Emulator:
    """Return the small world with the catalog; the Swedish tenant's billing period begins on the 15th."""
    found = commerce_emulator()
    found.world.partner_tenants[SE].anniversary_day = 15
    found.replace_world(found.world)
    return found


def until(emulator: Emulator, day: str) -> None:
    """Move the clock to noon of a day of 2026."""
    emulator.clock.advance_to(datetime.fromisoformat(f"2026-{day}T12:00:00").replace(tzinfo=UTC))


def items(body: Mapping[str, object]) -> list[Json]:
    """Return the items of a collection."""
    return cast("list[Json]", body["items"])


def held(emulator: Emulator, name: str, bought: str, *, quantity: int = 10, cycle: str = "monthly") -> Subscription:
    """Put a subscription of the Swedish tenant into the world that was bought long ago."""
    offer = emulator.world.offers[E3]
    at = datetime.fromisoformat(f"{bought}T09:00:00").replace(tzinfo=UTC)
    row = Subscription(
        id=name,
        tenant_id=SE,
        customer_id=ALFA,
        offer_id=offer.id,
        offer_name=offer.name,
        friendly_name=offer.name,
        quantity=quantity,
        status="active",
        order_id=f"order-{name}",
        created_at=at,
        effective_start=at.date(),
        commitment_end=(at + timedelta(days=10_000)).date(),
        billing_cycle=cycle,
    )
    emulator.world.subscriptions[name] = row
    return row


async def lines(client: Client, number: int = 0, key: str = "se") -> list[tuple[object, ...]]:
    """Return (charge type, first day, last day, amount) of the lines of a tenant's invoice."""
    caller = client(key)
    found = items((await caller.get("/v1/invoices")).json())[number]
    rows = items((await caller.get(f"/v1/invoices/{found['id']}/lineitems{OFFICE}")).json())
    return [
        (row["chargeType"], str(row["chargeStartDate"])[:10], str(row["chargeEndDate"])[:10], row["amount"])
        for row in rows
    ]


async def test_a_legacy_invoice_comes_two_days_after_the_anniversary(emulator: Emulator, client: Client):
    """Period from the anniversary day, number with D, one charge per cycle that began in the period (R-186)."""
    held(emulator, "s1", "2025-06-20")
    until(emulator, "03-16")
    assert items((await client("se").get("/v1/invoices")).json()) == []
    until(emulator, "03-17")
    (invoice,) = items((await client("se").get("/v1/invoices")).json())
    assert re.fullmatch(r"D02[0-9A-Z]{7}", str(invoice["id"]))
    assert invoice["invoiceDate"] == "2026-03-17T00:00:00.0000000Z"
    assert (invoice["billingPeriodStartDate"], invoice["billingPeriodEndDate"]) == (
        "2026-02-15T00:00:00Z",
        "2026-03-14T00:00:00Z",
    )
    price = 10 * 10.60 * float(emulator.world.offers[E3].monthly_price)
    assert await lines(client) == [("Cycle fee", "2026-02-20", "2026-03-19", pytest.approx(price))]
    assert (invoice["currencyCode"], invoice["totalCharges"]) == ("SEK", pytest.approx(price))


async def test_the_last_invoice_credits_the_unused_days_and_none_follows(emulator: Emulator, client: Client):
    """R-57, R-58: suspended on 3 March, the days from then on come back, and that was the last invoice."""
    held(emulator, "s1", "2025-06-20")
    caller = client("se")
    answer = await patch(caller, await read(caller, "s1"), status="suspended")
    assert answer.status_code == 200
    until(emulator, "08-20")
    assert len(items((await client("se").get("/v1/invoices")).json())) == 1
    charge, credit = await lines(client)
    assert charge[:3] == ("Cycle fee", "2026-02-20", "2026-03-19")
    assert credit[:3] == ("Cancel fee", "2026-03-02", "2026-03-19")
    assert -1 < cast("float", credit[3]) / cast("float", charge[3]) < -0.5


async def test_a_purchase_that_is_suspended_at_once_costs_nothing(emulator: Emulator, client: Client):
    """Bought and suspended within 30 days: charge and full credit on the invoices of the target tenant (R-188)."""
    caller = client("target")
    bought = await buy_one(caller, PREMIUM, 5)
    until(emulator, "03-10")
    caller = client("target")
    await patch(caller, await read(caller, str(bought["id"])), status="suspended")
    until(emulator, "04-05")
    charge, credit = await lines(client, key="target")
    assert (charge[0], credit[0]) == ("New purchase cycle fee", "Cancel fee")
    assert cast("float", charge[3]) == -cast("float", credit[3])
    assert items((await client("target").get("/v1/invoices")).json())[0]["totalCharges"] == 0


async def test_a_line_has_the_ids_of_the_api(emulator: Emulator, client: Client):
    """The API's id is in syndicationPartnerSubscriptionNumber, its offer in durableOfferId (commerce 6.3)."""
    held(emulator, "s1", "2025-06-20").partner_id_on_record = "4847383"
    until(emulator, "03-17")
    caller = client("se")
    (invoice,) = items((await caller.get("/v1/invoices")).json())
    (line,) = items((await caller.get(f"/v1/invoices/{invoice['id']}/lineitems/Office/BillingLineItems")).json())
    assert (line["syndicationPartnerSubscriptionNumber"], line["durableOfferId"]) == ("S1", E3)
    assert line["subscriptionId"] != "S1"
    assert (line["mpnId"], line["tier2MpnId"]) == (1000001, 4847383)
    assert (line["customerId"], line["currency"]) == (ALFA.upper(), "SEK")
    assert line["amount"] == pytest.approx(cast("float", line["unitPrice"]) * 10)


async def test_reads_an_invoice_by_its_number_in_every_spelling(emulator: Emulator, client: Client):
    """With and without the kind before the number; another tenant's is 404; an application alone may not."""
    held(emulator, "s1", "2025-06-20")
    until(emulator, "03-17")
    caller = client("se")
    (invoice,) = items((await caller.get("/v1/invoices")).json())
    for spelling in (invoice["id"], str(invoice["id"]).lower(), f"Recurring-{invoice['id']}"):
        assert (await caller.get(f"/v1/invoices/{spelling}")).json() == invoice
    assert (await client("target").get(f"/v1/invoices/{invoice['id']}")).status_code == 404
    assert (await client("se", user=None).get(f"/v1/invoices/{invoice['id']}")).status_code == 403
    assert (await client("se", user=None).get("/v1/invoices")).status_code == 200
    assert (await client("se", user="seller").get("/v1/invoices")).status_code == 403


async def test_lists_by_offset_and_by_date(emulator: Emulator, client: Client):
    """Three months are three invoices; offset, size, and the filter on InvoiceDate."""
    held(emulator, "s1", "2025-06-20")
    until(emulator, "05-18")
    caller = client("se")
    everything = items((await caller.get("/v1/invoices")).json())
    assert len({row["id"] for row in everything}) == 3
    page = (await caller.get("/v1/invoices?size=2&offset=0")).json()
    assert items(page) == everything[:2]
    following = cast("dict[str, Json]", page["links"])["next"]["uri"]
    assert items((await caller.get(f"/v1{following}")).json()) == everything[2:]
    wish = quote('{"Field":"InvoiceDate","Value":"2026-04-17","Operator":"greater_than_or_equals"}')
    assert items((await caller.get(f"/v1/invoices?filter={wish}")).json()) == everything[1:]
    for broken in ("nonsense", '{"Field":"Total","Value":"2026-01-01","Operator":"equals"}', '{"Field":"InvoiceDate"}'):
        assert (await caller.get(f"/v1/invoices?filter={quote(broken)}")).status_code == 400


async def test_the_balance_falls_when_an_invoice_is_paid(emulator: Emulator, client: Client):
    """Net 60 days; no invoice at all is a balance of zero (R-191)."""
    caller = client("se")
    empty = (await caller.get("/v1/invoices/summary")).json()
    assert (empty["balanceAmount"], empty["currencyCode"], empty["latestInvoiceDate"]) == (
        0,
        "SEK",
        "0001-01-01T00:00:00",
    )
    held(emulator, "s1", "2025-06-20")
    until(emulator, "03-18")
    caller = client("se")
    owed = (await caller.get("/v1/invoices/summary")).json()
    assert owed["balanceAmount"] > 0
    assert [part["invoiceType"] for part in owed["details"]] == ["Recurring"]
    change_in_portal(emulator, "s1", {"status": "suspended"})
    until(emulator, "05-20")
    (summary,) = items((await client("se").get("/v1/invoices/summaries")).json())
    assert summary["lastPaymentAmount"] == owed["balanceAmount"]
    assert cast("float", summary["balanceAmount"]) < 0  # the credit of the second invoice
    assert summary["lastPaymentDate"] == "2026-05-16T00:00:00.0000000Z"
    assert (await client("se", user=None).get("/v1/invoices/summary")).status_code == 403


async def test_the_statement_is_a_pdf(emulator: Emulator, client: Client):
    """Statement and tax receipt are application/pdf with a cross-reference table that points at its objects."""
    held(emulator, "s1", "2025-06-20")
    until(emulator, "03-17")
    caller = client("se")
    (invoice,) = items((await caller.get("/v1/invoices")).json())
    receipt = cast("list[Json]", invoice["taxReceipts"])[0]
    for link in (invoice["pdfDownloadLink"], receipt["taxReceiptPdfDownloadLink"]):
        answer = await caller.get(f"/v1{link}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
        assert answer.content.startswith(b"%PDF-1.4")
        table = int(answer.content.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
        places = re.findall(rb"(\d{10}) 00000 n", answer.content[table:])
        for number, place in enumerate(places, start=1):
            assert answer.content[int(place) :].startswith(b"%d 0 obj" % number)
        assert str(invoice["id"]).encode() in answer.content
    assert (await caller.get(f"/v1/invoices/{invoice['id']}/receipts/1/documents/statement")).status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?provider=office",
        "?provider=cobol&invoicelineitemtype=billinglineitems",
        "?provider=office&size=x&invoicelineitemtype=billinglineitems",
    ],
)
async def test_refuses_lines_of_no_known_kind(emulator: Emulator, client: Client, query: str):
    """Provider and type must be documented ones, sizes must be numbers."""
    held(emulator, "s1", "2025-06-20")
    until(emulator, "03-17")
    caller = client("se")
    (invoice,) = items((await caller.get("/v1/invoices")).json())
    assert (await caller.get(f"/v1/invoices/{invoice['id']}/lineitems{query}")).status_code == 400


async def test_lines_come_in_pages(emulator: Emulator, client: Client):
    """Office lines by offset; a provider the invoice has nothing of is an empty collection."""
    for number in range(5):
        held(emulator, f"s{number}", "2025-06-20")
    until(emulator, "03-17")
    caller = client("se")
    (invoice,) = items((await caller.get("/v1/invoices")).json())
    path = f"/v1/invoices/{invoice['id']}/lineitems"
    seen: list[Json] = []
    following = f"{path}{OFFICE}&size=2"
    while following:
        body = (await caller.get(following)).json()
        seen += items(body)
        follow = cast("dict[str, Json]", body["links"]).get("next")
        following = f"/v1{follow['uri']}" if follow else ""
    assert [row["syndicationPartnerSubscriptionNumber"] for row in seen] == [f"S{number}" for number in range(5)]
    for query in (
        "?provider=azure&invoicelineitemtype=billinglineitems",
        "?provider=onetime&invoicelineitemtype=billinglineitems",
    ):
        assert items((await caller.get(f"{path}{query}")).json()) == []


async def test_links_to_estimates_lead_to_unbilled_lines(client: Client):
    """Four links, each of which answers; a currency is needed."""
    caller = client("target")
    body = (await caller.get("/v1/invoices/estimates/links?currencycode=eur")).json()
    assert body["totalCount"] == 4
    for row in body["items"]:
        answer = await caller.get(f"/v1{row['link']['uri']}")
        assert (answer.status_code, answer.json()["items"]) == (200, [])
    assert (await caller.get("/v1/invoices/estimates/links")).status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        "?provider=onetime&invoicelineitemtype=billinglineitems&period=current",
        "?provider=onetime&invoicelineitemtype=billinglineitems&currencycode=eur",
        "?provider=office&invoicelineitemtype=billinglineitems&currencycode=eur&period=current",
        "?provider=onetime&invoicelineitemtype=billinglineitems&currencycode=eur&period=next",
    ],
)
async def test_unbilled_lines_need_provider_currency_and_period(client: Client, query: str):
    """What is missing or unknown is 400."""
    assert (await client("target").get(f"/v1/invoices/unbilled/lineitems{query}")).status_code == 400


def test_month_ends_survive_a_snapshot(emulator: Emulator):
    """A world that was saved between two invoices issues the next one once, with the next number."""
    held(emulator, "s1", "2025-06-20")
    until(emulator, "03-20")
    text = msgspec.json.encode(worlds.snapshot(emulator))
    emulator.replace_world(msgspec.json.decode(text, type=World))
    until(emulator, "04-20")
    again = Emulator(
        msgspec.json.decode(text, type=World), None, Clock(datetime(2026, 3, 20, 12, tzinfo=UTC), frozen=True)
    )
    until(again, "04-20")
    for found in (emulator, again):
        issued = list(found.world.invoices.invoices.values())
        assert [row.period_start.isoformat() for row in issued] == ["2026-02-15", "2026-03-15"]
        assert len({row.id for row in issued}) == 2
    assert emulator.world.invoices == again.world.invoices


def test_the_switches_of_billing_can_be_set():
    """First charged day and the delay of the invoice are options (S-4)."""
    terms = msgspec.convert({"first_charged_day": "next_day", "legacy_invoice_days": 5}, type(Options().billing))
    emulator = commerce_emulator(Options(billing=terms))
    held(emulator, "s1", "2025-06-20")
    until(emulator, "03-05")
    assert emulator.world.invoices.invoices == {}
    until(emulator, "03-06")
    (invoice,) = emulator.world.invoices.invoices.values()
    assert invoice.lines[0].start.isoformat() == "2026-02-21"


def test_a_generated_world_gives_the_same_invoices_again():
    """The same seed and the same days give the same numbers, lines and totals; money is decimal throughout."""
    runs = []
    for _ in range(2):
        world = generate_world(3, 60)
        emulator = Emulator(world, None, Clock(world.started_at, frozen=True))
        emulator.clock.advance(40 * 86_400)
        runs.append(world.invoices)
    assert runs[0] == runs[1]
    issued = runs[0].invoices.values()
    assert {row.currency for row in issued} == {"SEK", "NOK", "DKK"}
    for row in issued:
        assert row.total == sum(line.amount for line in row.lines)
        assert row.total.as_tuple().exponent == -2
    assert TARGET not in {row.tenant_id for row in issued}
