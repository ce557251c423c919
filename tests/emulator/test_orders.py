"""Orders: buying, reading, changing (commerce reference 2.1, 2.3, 2.4)."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.world import Agreement
from tests.emulator.commerce import (
    AUDIO,
    E1,
    E3,
    POWER_BI,
    PREMIUM,
    PROTECTION,
    SHIFT,
    TRIAL,
    Json,
    bought,
    buy,
    buy_one,
    commerce_emulator,
    line,
    order_body,
    orders_path,
    patch,
    read,
    refused,
)
from tests.emulator.conftest import Client
from tests.emulator.samples import missing, sample_body
from tests.emulator.small_world import ALFA, BRAVO, CHARLIE, SE, TARGET


@pytest.fixture
def emulator() -> Emulator:
    """Return the small world with the real catalog; Alfa and Bravo are customers of both tenants."""
    return commerce_emulator()


# -- buying -----------------------------------------------------------------------------------------------------------


async def test_completes_a_legacy_order_at_once(client: Client):
    """201 with a completed order, the tenant's currency, and a subscription in every line."""
    order = await buy(client(), line(E3, 25, friendlyName="Office"), line(POWER_BI, 3, 1), cycle="annual")
    assert (order["status"], order["billingCycle"], order["currencyCode"]) == ("completed", "annual", "EUR")
    assert order["totalPrice"] == 0.0
    assert order["referenceCustomerId"] == ALFA
    first, second = [await read(client(), found) for found in bought(order)]
    assert (first["friendlyName"], first["quantity"], first["status"]) == ("Office", 25, "active")
    assert second["friendlyName"] == "Power BI Pro"
    assert first["orderId"] == str(order["id"]).upper()


async def test_a_year_ends_one_day_before_it_began(client: Client):
    """The commitment of a legacy subscription ends inclusively a year minus a day later; a trial after its month."""
    found = await buy_one(client())
    assert found["effectiveStartDate"] == "2026-03-02T00:00:00Z"
    assert found["commitmentEndDate"] == "2027-03-01T00:00:00Z"
    order = await buy(client(), line(TRIAL, 25), cycle="none")
    trial = await read(client(), bought(order)[0])
    assert (trial["isTrial"], trial["commitmentEndDate"]) == (True, "2026-04-01T00:00:00Z")


async def test_reads_pascal_case_and_unknown_members(client: Client):
    """Members in any case, numbers for the cycle, nulls, and members nobody knows."""
    body = {
        "BillingCycle": 2,
        "PartnerOnRecordAttestationAccepted": True,
        "Surprise": {"a": 1},
        "LineItems": [{"LineItemNumber": 0, "OfferId": E3.lower(), "Quantity": 4, "FriendlyName": None}],
    }
    answer = await client().post(orders_path(), json=body)
    assert answer.status_code == 201
    assert answer.json()["billingCycle"] == "annual"
    assert answer.json()["lineItems"][0]["offerId"] == E3


@pytest.mark.parametrize(("offer", "quantity", "cycle"), [(E3, 1, "monthly"), (TRIAL, 25, "none")])
async def test_without_a_cycle_the_order_is_monthly(client: Client, offer: str, quantity: int, cycle: str):
    """The documented default; trials have no cycle."""
    answer = await client().post(orders_path(), json={"lineItems": [line(offer, quantity)]})
    assert answer.json()["billingCycle"] == cycle


async def test_writes_ledger_and_audit(emulator: Emulator, client: Client):
    """The change carries the call's request id; the activity log gets a create_order with its facts."""
    answer = await client().post(orders_path(), json=order_body(line(E3, 7)), headers={"MS-RequestId": _GUID})
    created = [change for change in emulator.world.changes if change.what == "subscription.created"]
    assert [(change.request_id, change.tenant_id, change.after["quantity"]) for change in created] == [
        (_GUID, TARGET, 7)
    ]
    record = emulator.world.audit[-1]
    assert (record.operation_type, record.resource_type, record.customer_id) == ("create_order", "order", ALFA)
    assert ("Quantity-0", "7") in record.customized_data
    assert ("OrderId", answer.json()["id"]) in record.customized_data


_GUID = "0b7a4d5e-1c8e-4f0a-9a53-2f3d7b6c1a11"


async def test_a_repeated_request_buys_once(emulator: Emulator, client: Client):
    """The same request id and body give the same answer and one subscription."""
    caller = client()
    answers = [
        await caller.post(orders_path(), json=order_body(line(E3)), headers={"MS-RequestId": _GUID}) for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    assert len(emulator.world.subscriptions) == 1


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], (400, 2000)),
        ("no list", (400, 2000)),
        (["no object"], (400, 2000)),
        ([line("CFQ7TTC0LH18:0001:CFQ7TTC0K971")], (404, 400019)),
        ([line("00000000-0000-4000-8000-000000000000")], (400, 800004)),
        ([line(SHIFT)], (403, 2091)),
        ([line(E3, 0)], (400, 2002)),
        ([line(PREMIUM, 301)], (400, 2002)),
        ([line(TRIAL, 10)], (400, 2002)),
        ([line(E3, "ten")], (400, 2000)),  # type: ignore[arg-type]
        ([line(E3, number=-1)], (400, 800071)),
        ([line(E3), line(E1)], (400, 800071)),
        ([line(TRIAL, 25)], (400, 6001)),
        ([line(E3, partnerIdOnRecord="99")], (404, 2072)),
        ([line(AUDIO)], (400, 800029)),
        ([line(PREMIUM), line(PREMIUM, number=1), line(PREMIUM, number=2)], (400, 27006)),
        ([line(E3), line(PREMIUM, 301, number=1)], (400, 2002)),
    ],
)
async def test_refuses_a_purchase_by_number(
    emulator: Emulator, client: Client, lines: object, expected: tuple[int, int]
):
    """Each documented error, and nothing is bought."""
    answer = await client().post(orders_path(), json={"billingCycle": "monthly", "lineItems": lines})
    assert refused(answer) == expected
    assert emulator.world.subscriptions == {}
    assert emulator.world.orders == {}


async def test_refuses_what_the_country_does_not_sell(emulator: Emulator, client: Client):
    """800070 for the customer's country, 2006 for a partner that may not sell the offer."""
    emulator.world.offers[E3].not_sold_in.append("SE")
    emulator.world.offers[E1].closed_to.append(TARGET)
    assert refused(await client().post(orders_path(), json=order_body(line(E3)))) == (400, 800070)
    assert refused(await client().post(orders_path(), json=order_body(line(E1)))) == (403, 2006)
    assert (await buy(client("se"), line(E1)))["status"] == "completed"


async def test_needs_the_customers_agreement(emulator: Emulator, client: Client):
    """13605 until the agreement is attested at this very tenant, or signed directly."""
    customer = emulator.world.customers[ALFA]
    customer.direct_signed_agreement = False
    emulator.world.agreements.append(_attestation(SE))
    assert refused(await client().post(orders_path(), json=order_body(line(E3)))) == (403, 13605)
    emulator.world.agreements.append(_attestation(TARGET))
    await buy(client(), line(E3))


def _attestation(tenant_id: str) -> Agreement:
    return Agreement(
        tenant_id=tenant_id,
        customer_id=ALFA,
        user_id="u",
        template_id="t",
        type="MicrosoftCustomerAgreement",
        first_name="Kim",
        last_name="Alfa",
        email="kim@alfa.example",
        phone_number=None,
        date_agreed="2026-01-01T00:00:00Z",
    )


async def test_sells_nothing_to_a_stranger(client: Client):
    """Without relationship 403 code 20002, for an unknown tenant 404 code 60003."""
    assert refused(await client().post(orders_path(CHARLIE), json=order_body(line(E3)))) == (403, 20002)
    unknown = "99999999-0000-4000-8000-000000000000"
    assert refused(await client().post(orders_path(unknown), json=order_body(line(E3)))) == (404, 60003)


async def test_counts_a_limit_over_all_partners(client: Client):
    """Two of a Concurrent offer per customer tenant: one at each partner fills it, suspended ones count too."""
    await buy(client("se"), line(PREMIUM))
    mine = await buy_one(client(), PREMIUM)
    assert refused(await client().post(orders_path(), json=order_body(line(PREMIUM)))) == (400, 27006)
    assert (await patch(client(), mine, status="suspended")).status_code == 200
    assert refused(await client("se").post(orders_path(), json=order_body(line(PREMIUM)))) == (400, 27006)
    await buy(client("se"), line(PREMIUM), customer_id=BRAVO)


async def test_a_deleted_subscription_frees_its_place(emulator: Emulator, client: Client):
    """Ninety days after the suspension the offer can be bought again; a trial's lifetime limit remains."""
    caller = client()
    first, second = await buy_one(caller, PREMIUM), await buy_one(caller, PREMIUM)
    await buy(caller, line(TRIAL, 25), cycle="none")
    await patch(caller, first, status="suspended")
    emulator.clock.advance(timedelta(days=91).total_seconds())
    await buy(client(), line(PREMIUM))
    assert (await read(client(), str(second["id"])))["status"] == "active"
    assert refused(await client().post(orders_path(), json=order_body(line(TRIAL, 25), cycle="none"))) == (400, 27006)


async def test_stops_at_the_limit_of_the_customer_tenant(emulator: Emulator, client: Client):
    """Active and suspended subscriptions of all partners count toward the limit."""
    emulator.options.subscription_limit = 3
    await buy(client("se"), line(E3), line(POWER_BI, number=1))
    assert refused(await client().post(orders_path(), json=order_body(line(E3), line(E1, number=1)))) == (400, 900419)
    await buy(client(), line(E3))


async def test_keeps_the_partner_on_record(client: Client):
    """A known reseller stands in line and subscription, and the list can be filtered by it."""
    found = await buy_one(client(), E3, 5, partnerIdOnRecord="4847383")
    assert found["partnerId"] == "4847383"
    await buy_one(client(), E1, 5)
    body = (await client().get(f"/v1/customers/{ALFA}/subscriptions?mpn_id=4847383")).json()
    assert [row["id"] for row in body["items"]] == [found["id"]]


async def test_only_sellers_buy(client: Client):
    """Helpdesk agents lack the right, sales agents and the application alone have it."""
    assert refused(await client("se", "helper").post(orders_path(), json=order_body(line(E3)))) == (403, 900150)
    await buy(client("se", "seller"), line(E3))
    await buy(client("se", None), line(E3))


async def test_refuses_the_wrong_customer_in_the_body(client: Client):
    """The customer in the path is the one that buys."""
    body = {**order_body(line(E3)), "referenceCustomerId": BRAVO}
    assert refused(await client().post(orders_path(), json=body)) == (400, 2000)
    answer = await client().post(orders_path(), json={**body, "referenceCustomerId": ALFA.upper()})
    assert answer.status_code == 201


# -- add-ons ----------------------------------------------------------------------------------------------------------


async def test_an_order_may_name_a_base_bought_earlier(emulator: Emulator, client: Client):
    """An add-on in a new order hangs on an active base and ends with it."""
    base = await buy_one(client())
    emulator.clock.advance(timedelta(days=40).total_seconds())
    add_on = await buy_one(client(), AUDIO, 4, parentSubscriptionId=base["id"])
    assert add_on["parentSubscriptionId"] == base["id"]
    assert add_on["commitmentEndDate"] == base["commitmentEndDate"]


async def test_refuses_an_add_on_without_its_base(client: Client):
    """Wrong offer, another partner's base, another customer's base, unknown base: 800029; inactive base: 27009."""
    base, other = await buy_one(client()), await buy_one(client(), POWER_BI)
    foreign = bought(await buy(client("se"), line(E3)))[0]
    bravos = bought(await buy(client(), line(E3), customer_id=BRAVO))[0]
    for parent in (other["id"], foreign, bravos, "nothing"):
        body = order_body(line(AUDIO, parentSubscriptionId=parent))
        assert refused(await client().post(orders_path(), json=body)) == (400, 800029)
    await patch(client(), base, status="suspended")
    body = order_body(line(AUDIO, parentSubscriptionId=base["id"]))
    assert refused(await client().post(orders_path(), json=body)) == (409, 27009)


async def test_refuses_a_base_on_a_base(client: Client):
    """Only add-ons have parents."""
    base = await buy_one(client())
    assert refused(await client().post(orders_path(), json=order_body(line(E1, parentSubscriptionId=base["id"])))) == (
        400,
        800029,
    )


async def test_a_patch_buys_several_add_ons(client: Client):
    """New lines join the order of their base; the answer is the whole order with a higher etag."""
    order = await buy(client(), line(E3, 20), line(E1, 5, 1))
    first, second = bought(order)
    body = order_body(
        line(AUDIO, 7, parentSubscriptionId=first),
        line(PROTECTION, 5, 1, parentSubscriptionId=second, friendlyName="Shield"),
    )
    answer = await client().patch(f"{orders_path()}/{order['id']}", json=body)
    changed = answer.json()
    assert answer.status_code == 200
    assert [row["lineItemNumber"] for row in changed["lineItems"]] == [0, 1, 2, 3]
    assert [row.get("parentSubscriptionId") for row in changed["lineItems"]] == [None, None, first, second]
    assert changed["attributes"]["etag"] != order["attributes"]["etag"]  # type: ignore[index]
    add_ons = (await client().get(f"/v1/customers/{ALFA}/subscriptions/{second}/addons")).json()
    assert [(row["friendlyName"], row["quantity"]) for row in add_ons["items"]] == [("Shield", 5)]


async def test_a_patch_with_the_whole_order_buys_only_what_is_new(emulator: Emulator, client: Client):
    """Lines that repeat what the order has are read as an echo."""
    order = await buy(client(), line(E3, 20))
    new = line(AUDIO, 7, 1, parentSubscriptionId=bought(order)[0])
    body = {**order, "lineItems": [*order["lineItems"], new]}  # type: ignore[misc]
    answer = await client().patch(f"{orders_path()}/{order['id']}", json=body)
    assert len(answer.json()["lineItems"]) == 2
    again = await client().patch(f"{orders_path()}/{order['id']}", json=answer.json())
    assert again.json() == answer.json()
    assert len(emulator.world.subscriptions) == 2


async def test_refuses_a_stale_order(client: Client):
    """The etag in body or header must be of the newest version."""
    order = await buy(client(), line(E3, 20))
    path, parent = f"{orders_path()}/{order['id']}", bought(order)[0]
    first = {**order, "lineItems": [line(AUDIO, 2, 1, parentSubscriptionId=parent)]}
    second = {**order, "lineItems": [line(PROTECTION, 2, 2, parentSubscriptionId=parent)]}
    newer = (await client().patch(path, json=first)).json()
    assert refused(await client().patch(path, json=second)) == (400, 2055)
    etag = f'"{newer["attributes"]["etag"]}"'
    assert (await client().patch(path, json=second, headers={"If-Match": etag})).status_code == 200


async def test_an_add_on_joins_only_the_order_of_its_base(client: Client):
    """A parent in another order, or none, is 800029; another cycle than the offer has is 6001."""
    order, other = await buy(client(), line(E3)), await buy(client(), line(E3))
    path = f"{orders_path()}/{order['id']}"
    for new in (line(AUDIO, 1, 1, parentSubscriptionId=bought(other)[0]), line(E1, 1, 1)):
        assert refused(await client().patch(path, json=order_body(new))) == (400, 800029)


# -- changing and reading ---------------------------------------------------------------------------------------------


async def test_changes_the_billing_cycle_of_the_whole_order(client: Client):
    """Every subscription of the order follows, each with a new etag."""
    order = await buy(client(), line(E3, 20), line(POWER_BI, 5, 1))
    body = {**order, "billingCycle": "Annual"}
    answer = await client().patch(f"{orders_path()}/{order['id']}", json=body)
    assert answer.json()["billingCycle"] == "annual"
    for subscription_id in bought(order):
        assert (await read(client(), subscription_id))["billingCycle"] == "annual"


async def test_refuses_a_billing_cycle_that_cannot_be(client: Client):
    """6001 for a cycle the offer lacks, 6000 with an inactive subscription, 800063 for cancelling."""
    order = await buy(client(), line(E3, 20))
    path = f"{orders_path()}/{order['id']}"
    assert refused(await client().patch(path, json={"billingCycle": "triennial"})) == (400, 6001)
    assert refused(await client().patch(path, json={"status": "cancelled"})) == (400, 800063)
    await patch(client(), await read(client(), bought(order)[0]), status="suspended")
    assert refused(await client().patch(path, json={"billingCycle": "annual"})) == (400, 6000)


async def test_reads_only_its_own_orders(client: Client):
    """By id in any case; another tenant's or customer's order is not found."""
    order = await buy(client("se"), line(E3))
    assert (await client("se").get(f"{orders_path()}/{str(order['id']).upper()}")).json() == order
    assert refused(await client().get(f"{orders_path()}/{order['id']}")) == (404, 20000)
    assert refused(await client("se").get(f"{orders_path(BRAVO)}/{order['id']}")) == (404, 20000)
    assert (await client().get(orders_path())).json()["items"] == []


async def test_lists_orders_with_the_documented_lag(emulator: Emulator, client: Client):
    """With the lag a new order can be read by id but not yet in the list."""
    emulator.options.order_list_lag_seconds = 900
    order = await buy(client(), line(E3))
    assert (await client().get(orders_path())).json()["totalCount"] == 0
    assert (await client().get(f"{orders_path()}/{order['id']}")).status_code == 200
    emulator.clock.advance(901)
    assert [row["id"] for row in (await client().get(orders_path())).json()["items"]] == [order["id"]]


async def test_lists_orders_by_billing_type(client: Client):
    """The filter takes the cycle with or without underscore."""
    await buy(client(), line(E3))
    annual = await buy(client(), line(E1), cycle="annual")
    body = (await client().get(f"{orders_path()}?billingType=Annual")).json()
    assert [row["id"] for row in body["items"]] == [annual["id"]]
    assert (await client().get(f"{orders_path()}?billingType=onetime")).json()["items"] == []


async def test_says_that_legacy_lines_are_fulfilled(client: Client):
    """Provisioning status needs a user."""
    order = await buy(client(), line(E3, 12))
    path = f"{orders_path()}/{order['id']}/provisioningstatus"
    (row,) = (await client().get(path)).json()["items"]
    assert (row["status"], row["quantityProvisioningInformation"][0]["quantity"]) == ("fulfilled", 12)
    assert refused(await client(user=None).get(path)) == (403, 900329)


async def test_orders_survive_a_snapshot(emulator: Emulator, client: Client):
    """The indexes are built again after the world was replaced."""
    order = await buy(client(), line(E3))
    text = msgspec.json.encode(emulator.world)
    emulator.replace_world(msgspec.json.decode(text, type=type(emulator.world)))
    assert [row["id"] for row in (await client().get(orders_path())).json()["items"]] == [order["id"]]


# -- published examples -----------------------------------------------------------------------------------------------


async def _whole_order(client: Client) -> Json:
    """Return an order with a reseller, an add-on and a changed cycle, as the published examples show them."""
    order = await buy(client(), line(E3, 5, partnerIdOnRecord="4847383"))
    new = line(AUDIO, 2, 1, parentSubscriptionId=bought(order)[0])
    body = {**order, "billingCycle": "annual", "lineItems": [*order["lineItems"], new]}  # type: ignore[misc]
    answer = await client().patch(f"{orders_path()}/{order['id']}", json=body)
    assert answer.status_code == 200
    return dict(answer.json())


@pytest.mark.parametrize(
    ("sample", "absent"),
    [
        ("create-an-order-for-a-customer-of-an-indirect-reseller", set()),
        ("change-the-billing-cycle", set()),
        # a reservation's line points to a SKU; legacy lines point to their subscription
        ("create-an-order", {"/lineItems[0]/links/sku: missing"}),
    ],
)
async def test_an_order_has_every_member_of_the_published_examples(client: Client, sample: str, absent: set[str]):
    """Documentation examples of legacy orders, and of a new one as far as it makes sense."""
    assert set(missing(sample_body(sample), await _whole_order(client))) == absent


async def test_the_list_has_every_member_of_the_published_example(client: Client):
    """Envelope and order of the list by billing cycle."""
    await _whole_order(client)
    answer = (await client().get(orders_path())).json()
    found = set(missing(sample_body("get-a-list-of-orders-by-customer-and-billing-cycle-type"), answer))
    assert found == {"/items[0]/lineItems[0]/links/sku: missing"}
