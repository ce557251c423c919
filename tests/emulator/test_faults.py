"""Fault plans: what they do to calls in process, how often, and that a seed repeats itself."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

import httpx2
import msgspec
import pytest

from partner_center_emulator.app import create_app
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.faults import plan as plans
from partner_center_emulator.faults.hooks import webhook_deliveries
from partner_center_emulator.state.behaviour import Fault, FaultPlan
from partner_center_emulator.world import World
from tests.emulator.commerce import E3, buy, commerce_emulator, line, order_body, orders_path, subscription_path
from tests.emulator.conftest import Client, access_token, tenant_by_key
from tests.emulator.small_world import ALFA, BRAVO, SE, TARGET

REQUEST = "99999999-0000-4000-8000-00000000000a"
OTHER = "99999999-0000-4000-8000-00000000000b"
ORDERS = "GET /v1/customers/{customer}/orders"
SUBSCRIPTIONS = "GET /v1/customers/{customer}/subscriptions"


@pytest.fixture
def emulator() -> Emulator:
    """Return the small world with the real catalog."""
    return commerce_emulator()


@pytest.fixture
def target(client: Client) -> httpx2.AsyncClient:
    """Return a client of the target tenant."""
    return client("target")


def plan(emulator: Emulator, *faults: Fault, seed: int = 0) -> None:
    """Put a plan in place."""
    plans.install(emulator.world, FaultPlan(seed=seed, faults=list(faults)))


def fired(emulator: Emulator) -> int:
    """Return how often faults hit."""
    return sum(emulator.world.behaviour.faults.fired.values())


async def statuses(caller: httpx2.AsyncClient, times: int, path: str = f"/v1/customers/{ALFA}") -> list[int]:
    """Return the statuses of some reads."""
    return [(await caller.get(path)).status_code for _ in range(times)]


async def test_hits_by_route_tenant_and_customer(emulator: Emulator, client: Client):
    """Everybody else is left in peace."""
    plan(
        emulator,
        Fault(kind="server_error", route="/v1/customers/{customer}", tenants=["TARGET"], customers=[ALFA.upper()]),
    )
    assert await statuses(client("target"), 1) == [503]
    assert await statuses(client("target"), 1, f"/v1/customers/{BRAVO}") == [200]
    assert await statuses(client("target"), 1, f"/v1/customers/{ALFA}/subscriptions") == [200]
    assert await statuses(client("se"), 1) == [200]


async def test_lets_some_calls_pass_and_stops_after_its_count(emulator: Emulator, target: httpx2.AsyncClient):
    """Skip two, hit three."""
    plan(emulator, Fault(kind="server_error", skip=2, count=3, status=502))
    assert await statuses(target, 7) == [200, 200, 502, 502, 502, 200, 200]


async def test_hits_only_between_its_times(emulator: Emulator, client: Client):
    """The emulator's clock opens and closes the window."""
    now = emulator.clock.now()
    later = now.replace(hour=9)
    plan(emulator, Fault(kind="server_error", begins_at=later, ends_at=now.replace(hour=10)))
    seen = []
    for _ in range(3):
        seen += await statuses(client("target"), 1)
        emulator.clock.advance(3600)
    assert seen == [200, 503, 200]


async def test_the_same_seed_hits_the_same_calls(emulator: Emulator, target: httpx2.AsyncClient):
    """Half of the calls, and the same half again; another seed hits others; a snapshot goes on where it stood."""
    runs = []
    for seed in (1, 1, 2):
        plan(emulator, Fault(kind="server_error", probability=0.5), seed=seed)
        runs.append(await statuses(target, 40))
    plan(emulator, Fault(kind="server_error", probability=0.5), seed=1)
    first = await statuses(target, 20)
    emulator.replace_world(msgspec.json.decode(msgspec.json.encode(emulator.world), type=World))
    rest = await statuses(target, 20)
    assert runs[0] == runs[1] != runs[2]
    assert first + rest == runs[0]
    assert 8 <= runs[0].count(503) <= 32


async def test_a_storm_answers_429_until_it_is_over(emulator: Emulator, target: httpx2.AsyncClient):
    """Retry-After counts down, the count counts storms, and who ignores it is recorded."""
    plan(emulator, Fault(kind="throttle_storm", seconds=20, count=1))
    first = await target.get(f"/v1/customers/{ALFA}")
    emulator.clock.advance(5)
    second = await target.get(f"/v1/customers/{ALFA}")
    assert [first.headers["Retry-After"], second.headers["Retry-After"]] == ["20", "15"]
    assert second.json() == {"statusCode": 429, "message": "Rate limit is exceeded. Try again in 15 seconds."}
    emulator.clock.advance(15)
    assert await statuses(target, 2) == [200, 200]
    assert [row.rule for row in emulator.world.violations] == ["ignored_retry_after"]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_fails_before_the_effect(emulator: Emulator, target: httpx2.AsyncClient, status: int):
    """The order does not exist, and the same request id may try again."""
    plan(emulator, Fault(kind="server_error", status=status, count=1, methods=["POST"]))
    headers = {"MS-RequestId": REQUEST}
    body = order_body(line(E3))
    failed = await target.post(orders_path(), json=body, headers=headers)
    assert (failed.status_code, emulator.world.orders) == (status, {})
    assert (await target.post(orders_path(), json=body, headers=headers)).status_code == 201
    assert len(emulator.world.orders) == 1
    assert emulator.world.violations == []


async def test_fails_after_the_effect(emulator: Emulator, target: httpx2.AsyncClient):
    """The answer is 500, the order exists, and the same request id gets its true answer without a second order."""
    plan(emulator, Fault(kind="server_error", status=500, effect="after", count=1, methods=["POST"]))
    headers = {"MS-RequestId": REQUEST}
    body = order_body(line(E3))
    failed = await target.post(orders_path(), json=body, headers=headers)
    again = await target.post(orders_path(), json=body, headers=headers)
    assert (failed.status_code, failed.json()["code"]) == (500, 800003)
    assert (again.status_code, len(emulator.world.orders)) == (201, 1)


@pytest.mark.parametrize(
    ("fault", "effect"),
    [
        (Fault(kind="reset"), False),
        (Fault(kind="reset", effect="after"), True),
        (Fault(kind="lost_answer"), True),
        (Fault(kind="truncated_body"), True),
    ],
)
async def test_loses_the_answer_of_a_write(
    emulator: Emulator, target: httpx2.AsyncClient, fault: Fault, *, effect: bool
):
    """The client sees a lost answer; whether the order exists depends on the fault; a new id is a violation."""
    plan(emulator, msgspec.structs.replace(fault, count=1, methods=["POST"]))
    body = order_body(line(E3))
    with pytest.raises(ConnectionResetError):
        await target.post(orders_path(), json=body, headers={"MS-RequestId": REQUEST})
    assert len(emulator.world.orders) == int(effect)
    again = await target.post(orders_path(), json=body, headers={"MS-RequestId": REQUEST})
    assert (again.status_code, len(emulator.world.orders)) == (201, 1)
    assert emulator.world.violations == []


@pytest.mark.parametrize("fault", [Fault(kind="reset"), Fault(kind="lost_answer"), Fault(kind="truncated_json")])
async def test_records_a_write_that_comes_again_under_a_new_id(
    emulator: Emulator, target: httpx2.AsyncClient, fault: Fault
):
    """With or without effect: the client cannot know, so the id has to stay."""
    plan(emulator, msgspec.structs.replace(fault, count=1, methods=["POST"]))
    body = order_body(line(E3))
    try:
        await target.post(orders_path(), json=body, headers={"MS-RequestId": REQUEST})
    except ConnectionResetError:
        assert fault.kind != "truncated_json"
    await target.post(orders_path(), json=body, headers={"MS-RequestId": OTHER})
    assert [row.rule for row in emulator.world.violations] == ["resent_with_new_id"]


async def test_cuts_the_json_of_a_whole_answer(emulator: Emulator, target: httpx2.AsyncClient):
    """HTTP is in order, the JSON is not."""
    plan(emulator, Fault(kind="truncated_json"))
    answer = await target.get(f"/v1/customers/{ALFA}")
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"JSON|char|Expecting|Unterminated"):
        answer.json()


async def test_a_slow_body_takes_the_clock_along(emulator: Emulator, target: httpx2.AsyncClient):
    """The answer is whole, and its seconds have passed."""
    before = emulator.clock.now()
    plan(emulator, Fault(kind="slow_body", seconds=40))
    answer = await target.get(f"/v1/customers/{ALFA}")
    assert answer.json()["id"].lower() == ALFA
    assert (emulator.clock.now() - before).total_seconds() == pytest.approx(40)


async def test_an_answer_that_says_to_wait_is_not_slow_itself(emulator: Emulator, target: httpx2.AsyncClient):
    """Nobody can keep to what has not arrived: a client would be blamed for calls it had every right to make."""
    before = emulator.clock.now()
    plan(emulator, Fault(kind="slow_body", seconds=40), Fault(kind="throttle_storm", seconds=20))
    answer = await target.get(f"/v1/customers/{ALFA}")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "20")
    assert (emulator.clock.now() - before).total_seconds() < 1


@pytest.mark.parametrize("distribution", ["fixed", "uniform", "normal", "lognormal", "exponential", "pareto"])
async def test_latency_takes_the_clock_along(emulator: Emulator, target: httpx2.AsyncClient, distribution: str):
    """Every distribution gives delays between nothing and the most, and they add up on the emulator's clock."""
    fault = msgspec.convert(
        {"kind": "latency", "seconds": 4, "spread": 1.5, "most_seconds": 9, "distribution": distribution}, Fault
    )
    plan(emulator, fault)
    delays = []
    for _ in range(20):
        before = emulator.clock.now()
        await target.get(f"/v1/customers/{ALFA}")
        delays.append((emulator.clock.now() - before).total_seconds())
    assert all(0 <= seconds <= 9 for seconds in delays)
    assert (len(set(delays)) > 10) == (distribution != "fixed")


async def test_a_token_expires_before_its_time(emulator: Emulator, client: Client):
    """The token is dead from then on; a new one works."""
    plan(emulator, Fault(kind="token_expires", skip=1, count=1))
    old = client("target")
    seen = [await old.get(f"/v1/customers/{ALFA}") for _ in range(3)]
    assert [answer.status_code for answer in seen] == [200, 401, 401]
    assert seen[1].json()["code"] == 400
    emulator.clock.advance(1)  # a token of another second is another token
    assert await statuses(client("target"), 1) == [200]


async def test_shows_values_nobody_has_seen(emulator: Emulator, target: httpx2.AsyncClient):
    """In one object and in the items of a list; members that are not there do not appear."""
    order = await buy(target, line(E3))
    subscription = str(cast("list[dict[str, object]]", order["lineItems"])[0]["subscriptionId"])
    plan(emulator, Fault(kind="unknown_value", member="Status", value="mystery"))
    one = (await target.get(subscription_path(subscription))).json()
    many = (await target.get(subscription_path())).json()
    customer = (await target.get(f"/v1/customers/{ALFA}")).json()
    assert (one["status"], [row["status"] for row in many["items"]]) == ("mystery", ["mystery"])
    assert "status" not in customer
    assert "Status" not in customer
    assert emulator.world.subscriptions[subscription.lower()].status == "active"


async def test_a_list_lags_behind_a_write(emulator: Emulator, target: httpx2.AsyncClient):
    """New things are missing and changed things are old, each for its own time; single reads are fresh."""
    first = await buy(target, line(E3))
    held = str(cast("list[dict[str, object]]", first["lineItems"])[0]["subscriptionId"])
    plan(emulator, Fault(kind="stale_list", seconds=60, route="GET /v1/customers/{customer}/*"))
    body = (await target.get(subscription_path(held))).json()
    assert (await target.patch(subscription_path(held), json={**body, "status": "suspended"})).status_code == 200
    emulator.clock.advance(30)
    await buy(target, line(E3))

    async def listed() -> tuple[int, list[str]]:
        seen = (await target.get(subscription_path())).json()
        assert seen["totalCount"] == len(seen["items"])
        return len((await target.get(orders_path())).json()["items"]), [row["status"] for row in seen["items"]]

    assert await listed() == (1, ["active"])
    assert (await target.get(subscription_path(held))).json()["status"] == "suspended"
    emulator.clock.advance(30)
    assert await listed() == (1, ["suspended"])
    emulator.clock.advance(30)
    assert await listed() == (2, ["suspended", "active"])
    await buy(target, line(E3))
    images = emulator.world.behaviour.faults.stale.values()
    assert {image.until for kept in images for image in kept} == {emulator.clock.now() + timedelta(seconds=60)}


async def test_one_line_of_an_order_fails(emulator: Emulator, target: httpx2.AsyncClient):
    """The other lines are bought, the failed one has no subscription, and the order says so."""
    plan(emulator, Fault(kind="failed_line", line=1, count=1))
    order = await buy(target, line(E3, 1, 0), line(E3, 2, 1), line(E3, 3, 2))
    lines = cast("list[dict[str, object]]", order["lineItems"])
    assert ["subscriptionId" in row for row in lines] == [True, False, True]
    assert order["status"] == "partial_success"
    assert sorted(row.quantity for row in emulator.world.subscriptions.values()) == [1, 3]


@pytest.mark.parametrize(("kind", "expected"), [("repeated_page", [0, 0, 2, 4]), ("skipped_page", [0, 4])])
async def test_a_page_repeats_or_skips(emulator: Emulator, client: Client, kind: str, expected: list[int]):
    """Seek pages of two: the second one is the first again, or the third."""
    se = client("se")
    plan(emulator, msgspec.convert({"kind": kind, "count": 1}, Fault))
    everybody = [row["id"] for row in (await se.get("/v1/customers?size=500")).json()["items"]]
    starts = []
    answer = (await se.get("/v1/customers?size=2")).json()
    while True:
        starts.append(everybody.index(answer["items"][0]["id"]))
        following = answer["links"].get("next")
        if following is None:
            break
        headers = {row["key"]: row["value"] for row in following["headers"]}
        answer = (await se.get(f"/v1{following['uri']}", headers=headers)).json()
    assert starts == expected


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        ([], (0.0,)),
        ([Fault(kind="duplicate_webhook", copies=3, seconds=5)], (0.0, 5.0, 10.0)),
        ([Fault(kind="late_webhook", seconds=60)], (60.0,)),
        ([Fault(kind="late_webhook", seconds=60), Fault(kind="duplicate_webhook", seconds=1)], (60.0, 61.0)),
        ([Fault(kind="lost_webhook")], ()),
        ([Fault(kind="lost_webhook", event="test-*")], (0.0,)),
        ([Fault(kind="lost_webhook", customers=[BRAVO])], (0.0,)),
        ([Fault(kind="lost_webhook", enabled=False)], (0.0,)),
    ],
)
def test_webhooks_ask_when_to_deliver(emulator: Emulator, faults: list[Fault], expected: tuple[float, ...]):
    """One delivery at once, or more, or later, or none."""
    plan(emulator, *faults)
    assert webhook_deliveries(emulator, "subscription-updated", TARGET, ALFA) == expected


async def test_sign_in_fails_as_well(emulator: Emulator, anonymous: httpx2.AsyncClient):
    """Gateway errors, resets, and answers that get lost at the token endpoint."""
    tenant = tenant_by_key(emulator, "target")
    form = {"grant_type": "client_credentials", "client_id": tenant.apps[0].client_id}
    form |= {"client_secret": tenant.apps[0].secret, "resource": emulator.options.base_url}
    path = f"/{tenant.id}/oauth2/token"
    route = "POST /{tenant}/oauth2/token"
    plan(
        emulator,
        Fault(kind="server_error", route=route, count=1),
        Fault(kind="reset", route=route, count=1),
        Fault(kind="lost_answer", route=route, count=1),
        Fault(kind="truncated_json", route=route, tenants=["se"]),
    )
    assert (await anonymous.post(path, data=form)).status_code == 503
    for _ in range(2):
        with pytest.raises(ConnectionResetError):
            await anonymous.post(path, data=form)
    assert (await anonymous.post(path, data=form)).json()["token_type"] == "Bearer"
    cut = await anonymous.post(f"/{SE}/oauth2/token", data=form)
    assert cut.headers["content-length"] == str(len(cut.content))
    assert fired(emulator) == 4


async def test_without_a_plan_nothing_is_counted(emulator: Emulator, target: httpx2.AsyncClient):
    """No plan, no counters, no cost."""
    assert await statuses(target, 3) == [200] * 3
    assert emulator.world.behaviour.faults.matched == {}


async def test_counts_what_never_arrived_as_an_error(emulator: Emulator):
    """The tally of a route knows the cut call."""
    plan(emulator, Fault(kind="reset"))
    transport = httpx2.ASGITransport(app=create_app(emulator))
    token = access_token(emulator, "target")
    async with httpx2.AsyncClient(transport=transport, base_url=emulator.options.base_url) as caller:
        with pytest.raises(ConnectionResetError):
            await caller.get(f"/v1/customers/{ALFA}", headers={"Authorization": f"Bearer {token}"})
    assert emulator.world.tallies["GET /v1/customers/{customer}"].errors == 1


@pytest.mark.parametrize(
    ("route", "status"), [("*", 200), ("GET *", 200), ("/Adminportal/*", 503), ("GET /Admin*", 503)]
)
async def test_pages_for_people_fail_only_when_named(
    emulator: Emulator, anonymous: httpx2.AsyncClient, route: str, status: int
):
    """The icon of a page does not use up a fault that is meant for a program."""
    plan(emulator, Fault(kind="server_error", route=route))
    assert (await anonymous.get("/Adminportal/icon.svg")).status_code == status
