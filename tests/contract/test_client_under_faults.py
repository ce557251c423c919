"""The client while the emulator misbehaves: reads tell the truth or say that they cannot, writes never happen twice."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import cache

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from partner_center_emulator import demo_world
from partner_center_emulator.faults import plan as plans
from partner_center_emulator.seed import generate_world
from partner_center_emulator.state.behaviour import Fault, FaultPlan
from partner_center_emulator.world import World
from tenantfold.domain.model import CustomerId
from tenantfold.errors import NoAnswerError, PartnerCenterError, UnavailableError
from tests.contract.stage import Stage, lines_for, ready_customer, wish

# after these the client reads again and gets the truth; the others may cost it an error, but no wrong value
OVERCOME: tuple[str, ...] = (
    "latency",
    "throttle_storm",
    "server_error",
    "reset",
    "lost_answer",
    "slow_body",
    "truncated_body",
)
OVERCOME += ("token_expires", "stale_list")
HARMFUL = (*OVERCOME, "truncated_json", "unknown_value", "failed_line")
MOST_TRIES = 8


@cache
def _demo() -> bytes:
    return msgspec.json.encode(demo_world.build())


def stage_of() -> Stage:
    """Return a stage with the demo's world; the world is made once and copied."""
    stage = Stage(msgspec.json.decode(_demo(), type=World))
    stage.emulator.options.strict = "record"
    return stage


def faults(kinds: tuple[str, ...], most: int) -> st.SearchStrategy[dict[str, object]]:
    """Any fault of these kinds that hits at most so often."""
    return st.fixed_dictionaries(
        {
            "kind": st.sampled_from(kinds),
            "probability": st.sampled_from([1.0, 0.7, 0.3]),
            "skip": st.integers(0, 4),
            "count": st.integers(1, most),
            "effect": st.sampled_from(["before", "after"]),
            "status": st.sampled_from([500, 502, 503, 504]),
            "seconds": st.sampled_from([0.5, 5.0, 90.0]),
            "distribution": st.sampled_from(["fixed", "uniform", "lognormal", "exponential"]),
            "spread": st.sampled_from([0.1, 1.0]),
        }
    )


def plan(stage: Stage, *given_faults: dict[str, object], seed: int = 0) -> None:
    """Put a plan in place."""
    made = [msgspec.convert(fault, Fault) for fault in given_faults]
    plans.install(stage.emulator.world, FaultPlan(seed=seed, faults=made))


async def read_everything(stage: Stage, customer_id: CustomerId) -> tuple[object, ...]:
    """Read what planning reads of one tenant and one customer."""
    client = stage.client("dk")
    customers = {read.value.id async for read in client.customers()}
    subscriptions = {read.value.id: read.value.license_count for read in await client.subscriptions(customer_id)}
    orders = {order.id for order in await client.orders(customer_id)}
    one = (await client.customer(customer_id)).value
    return customers, subscriptions, orders, one.company_name, (await client.identity()).currency


@settings(max_examples=25, deadline=None)
@given(fault=faults(OVERCOME, 2), seed=st.integers(0, 99))
def test_reads_survive_every_fault_that_passes(fault: dict[str, object], seed: int):
    """Whatever breaks twice at most, everything is read in the end, as it is, and no rule is broken."""

    async def story() -> None:
        stage = stage_of()
        customer_id = stage.cast("seat_change")
        truth = await read_everything(stage, customer_id)
        # two refused tokens in a row are a sign-in that does not work: the client says so, and rightly
        plan(stage, {**fault, "count": 1} if fault["kind"] == "token_expires" else fault, seed=seed)
        assert await read_everything(stage, customer_id) == truth
        assert stage.violations() == []
        await stage.http.aclose()

    asyncio.run(story())


@settings(max_examples=25, deadline=None)
@given(fault=faults(HARMFUL, 1000), second=faults(HARMFUL, 1000), seed=st.integers(0, 99))
def test_reads_never_lie(fault: dict[str, object], second: dict[str, object], seed: int):
    """Two faults without end: the truth, or an error of ours; nothing foreign, nothing false."""

    async def story() -> None:
        stage = stage_of()
        customer_id = stage.cast("seat_change")
        truth = await read_everything(stage, customer_id)
        plan(stage, fault, second, seed=seed)
        with suppress(PartnerCenterError):
            seen = await read_everything(stage, customer_id)
            # the identity leaves empty what it cannot read, and says so
            assert seen in (truth, (*truth[:-1], ""))
        assert set(stage.violations()) <= {"left_pages_unread"}
        await stage.http.aclose()

    asyncio.run(story())


@settings(max_examples=25, deadline=None)
@given(fault=faults(HARMFUL, 3), seed=st.integers(0, 99))
def test_an_order_is_never_placed_twice(fault: dict[str, object], seed: int):
    """Sent again under its own request id until it is answered: one order at most, one exactly once it is answered."""

    async def story() -> None:
        stage = stage_of()
        customer_id, _ = await ready_customer(stage)
        lines = lines_for(await stage.client("dk").subscriptions(customer_id), "annual")
        before = set(stage.emulator.world.orders)
        target = stage.client("target")
        plan(stage, {**fault, "methods": ["POST"]}, seed=seed)
        answered = False
        for _ in range(MOST_TRIES):
            try:
                await target.place_order(customer_id, "annual", lines, wish("bases"))
            except (NoAnswerError, UnavailableError, PartnerCenterError):
                stage.clock.move(60)
            else:
                answered = True
                break
        made = [order for key, order in stage.emulator.world.orders.items() if key not in before]
        assert answered
        assert len(made) == 1
        assert len(made[0].lines) == len(lines)
        assert stage.violations() == []
        await stage.http.aclose()

    asyncio.run(story())


@settings(max_examples=15, deadline=None)
@given(fault=faults(HARMFUL, 3), seed=st.integers(0, 99))
def test_a_suspension_happens_once(fault: dict[str, object], seed: int):
    """However often it is sent, the subscription changes once, or not at all if the client gave up."""

    async def story() -> None:
        stage = stage_of()
        customer_id = stage.cast("seat_change")
        source = stage.client("dk")
        read = next(one for one in await source.subscriptions(customer_id) if one.value.wire_status == "active")
        plan(stage, {**fault, "methods": ["PATCH", "GET"]}, seed=seed)
        for _ in range(MOST_TRIES):
            with suppress(PartnerCenterError):
                await source.suspend(customer_id, read, wish("suspend"))
                break
            stage.clock.move(60)
        changes = [row for row in stage.emulator.world.changes if row.subject_id == read.value.id]
        assert len(changes) <= 1
        assert stage.violations() == []
        await stage.http.aclose()

    asyncio.run(story())


@pytest.mark.parametrize("kind", ["repeated_page", "skipped_page"])
async def test_pages_that_repeat_or_skip_do_not_go_on_forever(kind: str):
    """Every page is hit: the list ends, or the client says that it goes in a circle; nobody is invented."""
    stage = Stage(generate_world(7, 1300))
    key = max(("se", "no", "dk"), key=lambda one: len(_customers(stage, one)))
    plan(stage, {"kind": kind})
    seen: set[str] = set()
    with suppress(PartnerCenterError):
        seen = {read.value.id async for read in stage.client(key).customers()}
    assert seen <= _customers(stage, key)
    assert stage.client(key).calls["GET /v1/customers"] < 10
    await stage.http.aclose()


def _customers(stage: Stage, key: str) -> set[str]:
    tenant = stage.tenant(key)
    return {row.customer_id for row in stage.emulator.world.relationships.values() if row.tenant_id == tenant.id}


async def test_a_list_that_lags_hides_a_new_order_from_the_client():
    """The lag of real life: the order is there, the list does not show it yet, a read by id does."""
    stage = stage_of()
    customer_id, lines = await ready_customer(stage)
    plan(stage, {"kind": "stale_list", "seconds": 900.0})
    target = stage.client("target")
    placed = await target.place_order(customer_id, "annual", lines, wish("bases"))
    assert await target.orders(customer_id) == ()
    assert placed.lines[0].subscription_id is not None
    one = await target.subscription(customer_id, placed.lines[0].subscription_id)
    assert one.value.wire_status == "active"
    stage.clock.move(900)
    assert [order.id for order in await target.orders(customer_id)] == [placed.id]
    await stage.http.aclose()
