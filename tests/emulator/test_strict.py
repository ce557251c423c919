"""Conduct of clients: what is recorded, what strict mode answers, and what is no violation."""

from __future__ import annotations

import httpx2
import msgspec
import pytest

from partner_center_emulator import pace
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.faults import plan as plans
from partner_center_emulator.state.behaviour import Fault, FaultPlan, Pace
from partner_center_emulator.strict import TOLD_ABOUT_ANOTHER
from partner_center_emulator.world import World
from tests.emulator.commerce import E3, buy, commerce_emulator, line, order_body, orders_path
from tests.emulator.conftest import Client
from tests.emulator.small_world import ALFA, BRAVO

CUSTOMER = f"/v1/customers/{ALFA}"


@pytest.fixture
def emulator() -> Emulator:
    """Return the small world with the real catalog, recording conduct."""
    made = commerce_emulator()
    made.options.strict = "record"
    return made


@pytest.fixture
def target(client: Client) -> httpx2.AsyncClient:
    """Return a client of the target tenant."""
    return client("target")


def rules(emulator: Emulator) -> list[str]:
    """Return the broken rules."""
    return [row.rule for row in emulator.world.violations]


def storm(emulator: Emulator, **more: object) -> None:
    """Let one storm of 20 seconds come."""
    fault = msgspec.convert({"kind": "throttle_storm", "seconds": 20, "count": 1, **more}, Fault)
    plans.install(emulator.world, FaultPlan(faults=[fault]))


@pytest.mark.parametrize("seconds", [0, 0.5])
async def test_calls_on_their_way_are_no_violation(emulator: Emulator, target: httpx2.AsyncClient, seconds: float):
    """What left before the 429 could be read is forgiven."""
    storm(emulator)
    await target.get(CUSTOMER)
    emulator.clock.advance(seconds)
    await target.get(CUSTOMER)
    assert rules(emulator) == []


async def test_ignoring_retry_after_fails_in_strict_mode(emulator: Emulator, client: Client):
    """400 instead of another 429, for the same kind of calls of the same tenant only."""
    emulator.options.strict = "fail"
    storm(emulator, tenants=["target"])
    target, se = client("target"), client("se")
    await target.get(CUSTOMER)
    emulator.clock.advance(10)
    early = await target.get(f"/v1/customers/{BRAVO}")
    assert (early.status_code, "Strict mode" in early.json()["message"]) == (400, True)
    assert (await se.get(CUSTOMER)).status_code == 200
    emulator.clock.advance(10)
    assert (await target.get(CUSTOMER)).status_code == 200
    assert rules(emulator) == ["ignored_retry_after"]


async def test_record_mode_answers_as_ever(emulator: Emulator, target: httpx2.AsyncClient):
    """The violation is recorded and the client gets its 429."""
    storm(emulator)
    await target.get(CUSTOMER)
    emulator.clock.advance(10)
    assert (await target.get(CUSTOMER)).status_code == 429
    assert rules(emulator) == ["ignored_retry_after"]


async def test_a_violation_says_when_the_advice_was_about_another_customer(
    emulator: Emulator, target: httpx2.AsyncClient
):
    """A limit may be the tenant's or one customer's: the client could not be sure (core reference 4)."""
    storm(emulator)
    await target.get(CUSTOMER)
    emulator.clock.advance(10)
    await target.get(f"/v1/customers/{BRAVO}")
    emulator.clock.advance(5)
    await target.get(f"/v1/customers/{BRAVO}")
    others = [violation.detail.endswith(TOLD_ABOUT_ANOTHER) for violation in emulator.world.violations]
    assert others == [True, False]


@pytest.mark.parametrize(("strict", "status"), [("record", 201), ("fail", 409), (True, 409)])
async def test_a_cut_write_that_comes_again_under_a_new_id(
    emulator: Emulator, target: httpx2.AsyncClient, *, strict: object, status: int
):
    """The connection broke before anything happened, but the client cannot know that."""
    emulator.options = msgspec.convert(
        msgspec.structs.asdict(emulator.options) | {"strict": strict}, type(emulator.options)
    )
    plans.install(emulator.world, FaultPlan(faults=[Fault(kind="reset", methods=["POST"], count=1)]))
    body = order_body(line(E3))
    with pytest.raises(ConnectionResetError):
        await target.post(orders_path(), json=body, headers={"MS-RequestId": "one"})
    again = await target.post(orders_path(), json=body, headers={"MS-RequestId": "two"})
    assert (again.status_code, rules(emulator)) == (status, ["resent_with_new_id"])


async def test_an_old_cut_write_is_forgotten(emulator: Emulator, target: httpx2.AsyncClient):
    """After a quarter of an hour the same order is a new wish."""
    plans.install(emulator.world, FaultPlan(faults=[Fault(kind="reset", methods=["POST"], count=1)]))
    body = order_body(line(E3))
    with pytest.raises(ConnectionResetError):
        await target.post(orders_path(), json=body, headers={"MS-RequestId": "one"})
    emulator.clock.advance(16 * 60)
    await target.post(orders_path(), json=body, headers={"MS-RequestId": "two"})
    assert rules(emulator) == []


@pytest.mark.parametrize(("wait", "found"), [(0, ["polled_too_fast"]), (4, ["polled_too_fast"]), (5, [])])
async def test_polling_something_unfinished_too_fast(
    emulator: Emulator, target: httpx2.AsyncClient, wait: float, found: list[str]
):
    """Only the path that was unfinished, and only within the advised seconds."""
    emulator.options.poll_seconds = 5
    emulator.options.pace = {pace.ORDER_STATUS: Pace(advance="after_seconds", seconds=60)}
    order = await buy(target, line(E3))
    path = f"{orders_path()}/{order['id']}"
    await target.get(path)
    await target.get(orders_path())
    emulator.clock.advance(wait)
    await target.get(path)
    assert rules(emulator) == found


async def test_reading_finished_things_often_is_no_polling(emulator: Emulator, target: httpx2.AsyncClient):
    """Nothing was advised, nothing is judged."""
    order = await buy(target, line(E3))
    for _ in range(20):
        await target.get(f"{orders_path()}/{order['id']}")
    assert rules(emulator) == []


async def test_without_the_switch_polling_is_not_judged(emulator: Emulator, target: httpx2.AsyncClient):
    """The default looks away."""
    emulator.options.strict = False
    emulator.options.pace = {pace.ORDER_STATUS: Pace(advance="after_seconds", seconds=60)}
    order = await buy(target, line(E3))
    for _ in range(3):
        await target.get(f"{orders_path()}/{order['id']}")
    assert rules(emulator) == []


async def test_a_list_left_after_its_first_page(emulator: Emulator, client: Client):
    """Recorded when the time is over; in strict mode the next call of the tenant fails once."""
    emulator.options.strict = "fail"
    se = client("se")
    await se.get("/v1/customers?size=2")
    emulator.clock.advance(299)
    assert rules(emulator) == []
    emulator.clock.advance(1)
    assert rules(emulator) == ["left_pages_unread"]
    answers = [await se.get(CUSTOMER) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [400, 200]
    assert "pages unread" in answers[0].json()["message"]


async def test_a_list_read_to_its_end_is_in_order(emulator: Emulator, client: Client):
    """However long the list, the last page closes it."""
    se = client("se")
    answer = (await se.get("/v1/customers?size=2")).json()
    while following := answer["links"].get("next"):
        emulator.clock.advance(200)
        headers = {row["key"]: row["value"] for row in following["headers"]}
        answer = (await se.get(f"/v1{following['uri']}", headers=headers)).json()
    emulator.clock.advance(1000)
    assert rules(emulator) == []


async def test_an_open_list_is_judged_after_a_snapshot_was_loaded(emulator: Emulator, client: Client):
    """The timer comes back with the world."""
    await client("se").get("/v1/customers?size=2")
    emulator.clock.advance(100)
    emulator.world.clock_at = emulator.clock.now()
    emulator.replace_world(msgspec.json.decode(msgspec.json.encode(emulator.world), type=World))
    emulator.clock.advance(200)
    assert rules(emulator) == ["left_pages_unread"]
