"""The pace of lifecycles: what is unfinished at first, and when it is done."""

from __future__ import annotations

from typing import cast

import httpx2
import msgspec
import pytest

from partner_center_emulator import pace
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.state.behaviour import Pace
from partner_center_emulator.world import World
from tests.emulator.commerce import (
    AUDIO,
    E3,
    Json,
    bought,
    buy,
    buy_one,
    commerce_emulator,
    line,
    orders_path,
    subscription_path,
)
from tests.emulator.conftest import Client
from tests.emulator.small_world import ALFA, TARGET

READS = Pace(advance="after_reads", reads=2)
MINUTE = Pace(advance="after_seconds", seconds=60)
POST = "POST /v1/customers/{customer}/orders"


@pytest.fixture
def emulator() -> Emulator:
    """Return the small world with the real catalog."""
    return commerce_emulator()


@pytest.fixture
def target(client: Client) -> httpx2.AsyncClient:
    """Return a client of the target tenant."""
    return client("target")


async def ids_shown(target: httpx2.AsyncClient, order: Json) -> list[bool]:
    """Read the order and say which of its lines have a subscription id."""
    lines = (await target.get(orders_path() + f"/{order['id']}")).json()["lineItems"]
    return ["subscriptionId" in row for row in lines]


async def test_everything_is_done_at_once_by_default(emulator: Emulator, target: httpx2.AsyncClient):
    """The order has its ids, the subscription is active, nothing waits."""
    assert (await buy_one(target))["status"] == "active"
    assert emulator.world.behaviour.pace.waiting == {}


async def test_a_subscription_id_arrives_after_some_seconds(emulator: Emulator, target: httpx2.AsyncClient):
    """Until then the subscription is in no list and 404; afterwards it is an ordinary one."""
    emulator.options.pace = {pace.SUBSCRIPTION_ID: MINUTE}
    order = await buy(target, line(E3))
    hidden = next(iter(emulator.world.subscriptions))
    assert bought_ids(order) == [None]
    assert (await target.get(subscription_path())).json()["items"] == []
    missing = await target.get(subscription_path(hidden))
    assert (missing.status_code, missing.json()["code"]) == (404, 20003)
    emulator.clock.advance(59)
    assert await ids_shown(target, order) == [False]
    emulator.clock.advance(1)
    assert await ids_shown(target, order) == [True]
    assert (await target.get(subscription_path(hidden))).json()["status"] == "active"
    assert len((await target.get(subscription_path())).json()["items"]) == 1


def bought_ids(order: Json) -> list[object]:
    """Return the subscription ids of an order's lines, None where there is none."""
    return [row.get("subscriptionId") for row in cast("list[Json]", order["lineItems"])]


async def test_a_subscription_id_arrives_after_some_reads(emulator: Emulator, target: httpx2.AsyncClient):
    """The answer to the order does not count, each read does; each line has its own count."""
    emulator.options.pace = {pace.SUBSCRIPTION_ID: READS}
    order = await buy(target, line(E3, 1, 0), line(E3, 2, 1))
    assert bought_ids(order) == [None, None]
    assert [await ids_shown(target, order) for _ in range(3)] == [[False] * 2, [False] * 2, [True] * 2]


async def test_a_new_subscription_is_pending_first(emulator: Emulator, target: httpx2.AsyncClient):
    """It becomes active by itself, with a new etag, and the ledger knows that no call did it."""
    emulator.options.pace = {pace.SUBSCRIPTION_STATUS: MINUTE}
    first = await buy_one(target)
    change = await target.patch(subscription_path(str(first["id"])), json={**first, "status": "suspended"})
    emulator.clock.advance(60)
    later = (await target.get(subscription_path(str(first["id"])))).json()
    assert (first["status"], change.json()["code"], later["status"]) == ("pending", 800040, "active")
    assert later["attributes"]["etag"] != cast("Json", first["attributes"])["etag"]
    last = emulator.world.changes[-1]
    assert (last.what, last.request_id, last.after["status"]) == ("subscription.changed", "", "active")


async def test_pending_lasts_some_reads(emulator: Emulator, target: httpx2.AsyncClient):
    """List and single reads count alike, also when another order waits longer."""
    emulator.options.pace = {pace.SUBSCRIPTION_STATUS: READS}
    order = await buy(target, line(E3))
    path = subscription_path(bought(order)[0])
    seen = [(await target.get(subscription_path())).json()["items"][0]["status"]]
    seen += [(await target.get(path)).json()["status"] for _ in range(2)]
    assert seen == ["pending", "pending", "active"]


async def test_a_new_order_is_pending_first(emulator: Emulator, target: httpx2.AsyncClient):
    """The order is completed by the clock."""
    emulator.options.pace = {pace.ORDER_STATUS: MINUTE}
    order = await buy(target, line(E3))
    emulator.clock.advance(60)
    later = (await target.get(f"{orders_path()}/{order['id']}")).json()
    assert (order["status"], later["status"]) == ("pending", "completed")
    assert emulator.world.changes[-1].what == "order.completed"


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({}, "at_once"),
        ({"*": READS}, "after_reads"),
        ({"*": READS, POST: MINUTE}, "after_seconds"),
        ({POST: READS, pace.ORDER_STATUS: MINUTE}, "after_seconds"),
        ({pace.ORDER_STATUS: MINUTE, f"{POST} {pace.ORDER_STATUS}": READS}, "after_reads"),
        ({"*": READS, pace.ORDER_STATUS: Pace()}, "at_once"),
        ({f"PATCH {POST}": READS}, "at_once"),
    ],
)
def test_the_most_exact_rule_wins(emulator: Emulator, rules: dict[str, Pace], expected: str):
    """Route and step, step, route, everything."""
    emulator.options.pace = rules
    assert pace.rule_for(emulator, pace.ORDER_STATUS, POST).advance == expected


async def test_add_ons_have_a_pace_of_their_own_route(emulator: Emulator, target: httpx2.AsyncClient):
    """The base is there at once, the add-on late."""
    emulator.options.pace = {"PATCH /v1/customers/{customer}/orders/{order} order.subscription_id": MINUTE}
    order = await buy(target, line(E3))
    base = bought(order)[0]
    add_on = line(AUDIO, 1, 1, parentSubscriptionId=base)
    answer = await target.patch(f"{orders_path()}/{order['id']}", json={**order, "lineItems": [add_on]})
    assert bought_ids(answer.json()) == [base, None]
    assert (await target.get(f"{subscription_path(base)}/addons")).json()["items"] == []
    emulator.clock.advance(60)
    assert len((await target.get(f"{subscription_path(base)}/addons")).json()["items"]) == 1


async def test_what_waits_survives_a_snapshot(emulator: Emulator, target: httpx2.AsyncClient):
    """Both the seconds and the reads go on after a load."""
    emulator.options.pace = {pace.SUBSCRIPTION_STATUS: MINUTE, pace.ORDER_STATUS: READS}
    order = await buy(target, line(E3))
    path = f"{orders_path()}/{order['id']}"
    await target.get(path)
    emulator.world.clock_at = emulator.clock.now()
    emulator.replace_world(msgspec.json.decode(msgspec.json.encode(emulator.world), type=World))
    emulator.clock.advance(60)
    assert [row.status for row in emulator.world.subscriptions.values()] == ["active"]
    assert [(await target.get(path)).json()["status"] for _ in range(2)] == ["pending", "completed"]


async def test_a_pending_subscription_counts_toward_the_limits(emulator: Emulator, target: httpx2.AsyncClient):
    """Who buys faster than Microsoft provisions does not get around the 300."""
    emulator.options.pace = {"*": MINUTE}
    emulator.options.subscription_limit = 1
    await buy(target, line(E3))
    answer = await target.post(orders_path(), json={"billingCycle": "monthly", "lineItems": [line(E3)]})
    assert answer.json()["code"] == 900419


async def test_the_control_plane_sets_reads_and_clears_the_pace(
    emulator: Emulator, anonymous: httpx2.AsyncClient, target: httpx2.AsyncClient
):
    """Rules are merged; what waits is shown; bad rules are 400."""
    path = "/_emulator/state/pace"
    await anonymous.post(path, json={pace.ORDER_STATUS: {"advance": "after_reads", "reads": 3}})
    both = (await anonymous.post(path, json={"*": {"advance": "after_seconds", "seconds": 5}})).json()
    assert set(both["rules"]) == {"*", pace.ORDER_STATUS}
    await buy(target, line(E3))
    shown = (await anonymous.get(path)).json()
    assert {row["step"] for row in shown["waiting"]} <= {*shown["steps"]}
    assert {(row["tenant_id"], row["customer_id"]) for row in shown["waiting"]} == {(TARGET, ALFA)}
    assert len(shown["waiting"]) == 3
    wrong: list[object] = [{"*": {"advance": "soon"}}, {"*": {"reads": -1}}, {"*": {"seconds": -1}}, []]
    for bad in wrong:
        assert (await anonymous.post(path, json=bad)).status_code == 400
    assert (await anonymous.delete(path)).json() == {"rules": {}}
    assert emulator.options.pace == {}


def test_a_part_registers_its_own_step(emulator: Emulator):
    """What other resources do: begin, and be told at the end."""
    told: list[str] = []
    pace.on_done("test.step")(lambda _emulator, waiting: told.append(waiting.subject_id))
    emulator.options.pace = {"test.step": MINUTE}
    assert pace.begin(emulator, "test.step", "THING", tenant_id=TARGET, customer_id=ALFA)
    assert pace.is_waiting(emulator, "test.step", "thing")
    emulator.clock.advance(60)
    assert told == ["THING"]
    assert not pace.is_waiting(emulator, "test.step", "thing")
