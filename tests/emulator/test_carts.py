"""Carts and checkout: faults in lines, groups, partial success, idempotency, limits over all partners."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

import pytest

from partner_center_emulator.emulator import Emulator
from tests.emulator.commerce import E3, PROTECTION, SHIFT, line, order_body, orders_path, refused
from tests.emulator.new_commerce import (
    AZURE_PLAN,
    NEW_AUDIO,
    NEW_E3,
    PERPETUAL,
    PREMIUM,
    PREMIUM_TRIAL,
    Client,
    Json,
    acquire,
    cart_line,
    carts_path,
    check_out,
    fill,
    item_id,
    new_emulator,
    pass_days,
    send,
)
from tests.emulator.samples import missing, sample_body
from tests.emulator.small_world import ALFA


@pytest.fixture
def emulator() -> Emulator:
    """Return both catalogs; provisioning takes no time."""
    return new_emulator()


def lines_of(cart: Json) -> list[Json]:
    """Return a cart's lines."""
    return cast("list[Json]", cart["lineItems"])


def fault_of(cart: Json, number: int = 0) -> str:
    """Return the error code of a line, "" if it has none."""
    error = cast("Json", lines_of(cart)[number].get("error", {}))
    return str(error.get("errorCode", ""))


async def test_a_cart_has_prices_groups_and_seven_days(emulator: Emulator, client: Client):
    """Legacy lines share OMS-0, new ones are grouped by billing cycle; the currency is the partner's."""
    cart = await fill(
        client(),
        {"id": 0, "catalogItemId": E3, "quantity": 3, "billingCycle": "monthly"},
        cart_line(emulator, NEW_E3, number=1),
        cart_line(emulator, PREMIUM, number=2, billingCycle="annual"),
        cart_line(emulator, PERPETUAL, number=3, billingCycle="one_time", termDuration=""),
    )
    assert [row["orderGroup"] for row in lines_of(cart)] == ["OMS-0", "0", "1", "2"]
    assert [row["currencyCode"] for row in lines_of(cart)] == ["EUR"] * 4
    assert lines_of(cart)[1]["pricing"] == {
        "listPrice": 21.6,
        "discountedPrice": 21.6,
        "proratedPrice": 21.6,
        "price": 21.6,
        "extendedPrice": 216.0,
    }
    assert (cart["status"], cart["expirationTimestamp"]) == ("Active", "2026-03-09T08:00:00.0000000Z")


async def test_a_cart_lives_seven_days(emulator: Emulator, client: Client):
    """Readable until then, gone after; unknown ones are 800008 as well, and another partner never sees it."""
    caller = client(user=None)
    cart = await fill(caller, cart_line(emulator, NEW_E3))
    path = carts_path(str(cart["id"]))
    assert (await caller.get(path)).json() == cart
    assert refused(await client("se").get(path)) == (404, 800008)
    emulator.clock.advance_to(emulator.clock.now() + timedelta(days=7))
    assert refused(await client().get(path)) == (404, 800008)


@pytest.mark.parametrize(
    ("key", "more", "expected"),
    [
        (NEW_E3, {"catalogItemId": "CFQ7TTC0LF8R:0001:CFQ7TTC0GONE"}, "10001"),
        (NEW_E3, {"billingCycle": "triennial", "termDuration": "P1Y"}, "10013"),
        (NEW_E3, {"billingCycle": None}, "10013"),
        (PREMIUM, {"quantity": 301}, "10015"),
        (NEW_E3, {"quantity": 0}, "10010"),
        (NEW_E3, {"promotionId": "no:such:one"}, "10014"),
        (NEW_E3, {"currencyCode": "CHF"}, "10000"),
        (NEW_AUDIO, {}, "400041"),
        (NEW_E3, {"customTermEndDate": "2026-09-17T00:00:00Z"}, "10017"),
        (PERPETUAL, {"billingCycle": "one_time", "termDuration": "", "customTermEndDate": "2026-09-30"}, "10016"),
    ],
)
async def test_a_faulty_line_is_created_with_its_code(
    emulator: Emulator, client: Client, key: str, more: Json, expected: str
):
    """The cart is 201 all the same; its checkout orders nothing and says why."""
    caller = client()
    cart = await fill(caller, {**cart_line(emulator, key), **more})
    assert fault_of(cart) == expected
    if expected != "10000":
        result = await check_out(caller, cart)
        assert (result["orders"], len(cast("list[Json]", result["orderErrors"]))) == ([], 1)
    assert emulator.world.orders == {}


async def test_a_put_replaces_the_cart_until_it_is_ordered(emulator: Emulator, client: Client):
    """Faults are judged anew; afterwards 800065."""
    caller = client()
    cart = await fill(caller, cart_line(emulator, NEW_AUDIO))
    path = carts_path(str(cart["id"]))
    lines = [cart_line(emulator, NEW_E3), cart_line(emulator, NEW_AUDIO, 5, 1)]
    changed = await caller.put(path, json={**cart, "lineItems": lines})
    assert (changed.status_code, [fault_of(changed.json(), n) for n in (0, 1)]) == (201, ["", ""])
    assert len((await check_out(caller, cart))["orders"]) == 1  # type: ignore[arg-type]
    assert refused(await caller.put(path, json={**cart, "lineItems": lines})) == (400, 800065)


async def test_a_checkout_makes_one_order_per_group_and_only_once(emulator: Emulator, client: Client):
    """Repeated under another request id it returns the first result."""
    caller = client()
    cart = await fill(
        caller, cart_line(emulator, NEW_E3), cart_line(emulator, PREMIUM, number=1, billingCycle="annual")
    )
    first, second = await check_out(caller, cart), await check_out(caller, cart)
    assert first == second
    assert (len(emulator.world.orders), len(emulator.world.subscriptions)) == (2, 2)
    assert (await caller.get(carts_path(str(cart["id"])))).json()["status"] == "Ordered"


async def test_a_checkout_succeeds_in_part_and_tries_the_rest_again(emulator: Emulator, client: Client):
    """The group of an offer that is gone fails; the other one is ordered, once, also when the first is mended."""
    caller = client()
    cart = await fill(
        caller,
        {"id": 0, "catalogItemId": SHIFT, "quantity": 3, "billingCycle": "monthly"},
        cart_line(emulator, NEW_E3, number=1),
    )
    result = await check_out(caller, cart)
    assert [row["orderGroupId"] for row in cast("list[Json]", result["orderErrors"])] == ["OMS-0"]
    assert cast("list[Json]", result["orderErrors"])[0]["code"] == 2091
    emulator.world.offers[SHIFT].off_catalog = False
    emulator.world.offers[SHIFT].is_available_for_purchase = True
    again = await check_out(caller, cart)
    assert "orderErrors" not in again
    assert len(cast("list[Json]", again["orders"])) == len(emulator.world.orders) == 2


async def test_a_legacy_add_on_goes_with_its_base(emulator: Emulator, client: Client):
    """``addonItems`` end in the base's order as children."""
    add_on = {"id": 0, "catalogItemId": PROTECTION, "quantity": 2, "billingCycle": "monthly"}
    base = {"id": 0, "catalogItemId": E3, "quantity": 3, "billingCycle": "monthly", "addonItems": [add_on]}
    caller = client()
    order = cast("list[Json]", (await check_out(caller, await fill(caller, base)))["orders"])[0]
    rows = cast("list[Json]", order["lineItems"])
    assert rows[1]["parentSubscriptionId"] == rows[0]["subscriptionId"]


async def test_the_subscription_id_arrives_late(emulator: Emulator, client: Client):
    """The order is pending and its line has no subscription until the provisioning is done."""
    emulator.options.provisioning_seconds = 90.0
    caller = client()
    order = cast("list[Json]", (await check_out(caller, await fill(caller, cart_line(emulator, NEW_E3))))["orders"])[0]
    assert (order["status"], "subscriptionId" in lines_of(order)[0]) == ("pending", False)
    path = f"{orders_path()}/{order['id']}"
    waiting = (await caller.get(f"{path}/provisioningstatus")).json()["items"][0]
    assert waiting["status"] == "prefulfillment_pending"
    emulator.clock.advance(90)
    done = (await caller.get(path)).json()
    assert done["status"] == "completed"
    shown = (await caller.get(f"/v1/customers/{ALFA}/subscriptions?order_id={order['id']}")).json()["items"]
    assert [row["id"] for row in shown] == [lines_of(done)[0]["subscriptionId"]]
    assert shown[0]["cancellationAllowedUntilDate"] == "2026-03-09T08:00:00.0000000Z"


async def test_an_order_that_waits_survives_a_snapshot(emulator: Emulator, client: Client):
    """The provisioning is armed again when the world is put back."""
    emulator.options.provisioning_seconds = 90.0
    caller = client()
    await check_out(caller, await fill(caller, cart_line(emulator, NEW_E3)))
    emulator.replace_world(emulator.world)
    emulator.clock.advance(90)
    assert len(emulator.world.subscriptions) == 1


async def test_pooled_seats_count_over_all_partners(emulator: Emulator, client: Client):
    """200 at the source leave 100: the cart tells how many, the order refuses, and a PATCH as well."""
    source, target = client("se"), client()
    await acquire(source, emulator, PREMIUM, 200)
    cart = await fill(target, cart_line(emulator, PREMIUM, 150))
    assert fault_of(cart) == "10015"
    error = cast("Json", lines_of(cart)[0]["error"])
    assert error["additionalInformation"] == {"availableQuantity": 100, "purchasedQuantity": 200}
    body = order_body(line(item_id(emulator, PREMIUM), 101, termDuration="P1Y"))
    answer = await target.post(orders_path(), json=body)
    assert refused(answer) == (403, 800088)
    assert "100" in answer.json()["description"]
    own = await acquire(target, emulator, PREMIUM, 100)
    assert refused(await send(target, own, quantity=101)) == (403, 800088)


async def test_limits_of_ownership_count_over_all_partners(emulator: Emulator, client: Client):
    """One trial ever; of Azure plans one at once for each partner, because a transfer needs both."""
    source, target = client("se"), client()
    plan: Json = {"billingCycle": "one_time", "termDuration": ""}
    await acquire(source, emulator, AZURE_PLAN, 1, **plan)
    assert fault_of(await fill(source, {**cart_line(emulator, AZURE_PLAN, 1), **plan})) == "10002"
    await acquire(target, emulator, AZURE_PLAN, 1, **plan)
    trial: Json = {"billingCycle": "none", "termDuration": "P1M"}
    bought = await acquire(source, emulator, PREMIUM_TRIAL, 5, **trial)
    assert (await send(source, bought, status="deleted")).status_code == 200
    assert fault_of(await fill(target, {**cart_line(emulator, PREMIUM_TRIAL, 5), **trial})) == "10002"


async def test_an_add_on_is_content_with_a_base_at_another_partner(emulator: Emulator, client: Client):
    """The prerequisite counts in the customer's tenant; suspended it does not."""
    source, target = client("se"), client()
    base = await acquire(source, emulator, NEW_E3)
    assert fault_of(await fill(target, cart_line(emulator, NEW_AUDIO))) == ""
    await send(source, base, status="suspended")
    assert fault_of(await fill(target, cart_line(emulator, NEW_AUDIO))) == "400041"


async def test_the_customer_tenant_has_room_for_so_many(emulator: Emulator, client: Client):
    """Both generations and all partners together; a cart's group fails, an order is refused."""
    emulator.options.subscription_limit = 2
    source, target = client("se"), client()
    await source.post(orders_path(), json=order_body(line(E3)))
    await acquire(target, emulator, NEW_E3)
    result = await check_out(target, await fill(target, cart_line(emulator, PREMIUM)))
    assert cast("list[Json]", result["orderErrors"])[0]["code"] == 900419
    body = order_body(line(item_id(emulator, PREMIUM), termDuration="P1Y"))
    assert refused(await target.post(orders_path(), json=body)) == (400, 900419)


async def test_a_stale_availability_is_refused_and_the_new_one_works(emulator: Emulator, client: Client):
    """Between reading and buying the id has rotated."""
    stale = cart_line(emulator, NEW_E3)
    pass_days(emulator, 30)
    caller = client()
    assert fault_of(await fill(caller, stale)) == "10001"
    assert fault_of(await fill(caller, cart_line(emulator, NEW_E3))) == ""


async def test_nothing_is_bought_without_the_agreement(emulator: Emulator, client: Client):
    """The cart may be filled, its checkout is 13605."""
    emulator.world.customers[ALFA].direct_signed_agreement = False
    caller = client()
    cart = await fill(caller, cart_line(emulator, NEW_E3))
    assert refused(await caller.post(f"{carts_path(str(cart['id']))}/checkout")) == (403, 13605)


@pytest.mark.parametrize("lines", [[], "no list", ["no object"], [{"catalogItemId": "a:b:c"}]])
async def test_a_cart_that_cannot_be_read_is_refused(client: Client, lines: object):
    """400, and nothing is stored."""
    assert refused(await client().post(carts_path(), json={"lineItems": lines})) == (400, 2000)


async def test_carts_and_orders_answer_like_the_published_samples(emulator: Emulator, client: Client):
    """Provisioning contexts come back; the legacy Azure line's term and the sample's odd casing are left aside."""
    caller = client()
    context = {"subscriptionId": "1C461A25-F729-4FA5-AADB-280947DD05E8", "scope": "shared", "duration": "1Year"}
    plain = cart_line(emulator, NEW_E3, friendlyName="A plan", provisioningContext=context)
    cart = await fill(caller, plain)
    assert set(missing(sample_body("create-a-cart"), cart)) == set()
    changed = (await caller.put(carts_path(str(cart["id"])), json={"lineItems": [plain]})).json()
    assert set(missing(sample_body("update-a-cart"), changed)) == {"/lineItems[0]/ProvisioningContext: missing"}
    order = cast("list[Json]", (await check_out(caller, cart))["orders"])[0]
    assert set(missing(sample_body("create-an-order"), order)) == set()
