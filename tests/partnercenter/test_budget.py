"""Pacing, pauses and slots."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from tenantfold.clock import ManualClock, SystemClock
from tenantfold.errors import ConfigError
from tenantfold.partnercenter import COMMERCIAL, US_GOVERNMENT, Budget, LeakyPacer, NoPacer, cloud_named, one_host
from tenantfold.partnercenter.budget import BURST, CALLS_PER_MINUTE


@pytest.fixture
def clock() -> ManualClock:
    """Noon."""
    return ManualClock(datetime(2026, 3, 2, 12, 0, tzinfo=UTC))


def test_the_defaults_stay_below_the_published_limit_in_any_minute():
    """A leaky bucket lets its burst out on top of its rate: together at most 500 (core reference 4)."""
    assert all(rate + BURST < 500 for rate in CALLS_PER_MINUTE.values())


async def test_spaces_calls_out_after_the_burst():
    """Six calls with a burst of two at 6,000 a minute take the time of four gaps of 10 ms."""
    pacer = LeakyPacer({"customer": 6000}, burst=2)
    machine = SystemClock()
    started_at = machine.now()
    for _ in range(6):
        await pacer.admit("se", "customer")
    assert machine.now() - started_at >= timedelta(seconds=0.035)


async def test_gives_each_tenant_and_resource_its_own_bucket():
    """One tenant's inventory must not slow another's suspensions."""
    pacer = LeakyPacer({"customer": 0.001, "order": 0.001}, burst=1)
    async with asyncio.timeout(5):
        for tenant in ("se", "no"):
            for resource in ("customer", "order", "", "offers"):
                await pacer.admit(tenant, resource)


async def test_holds_no_more_calls_in_flight_than_slots(clock: ManualClock):
    """httpx2 slows down above about a hundred connections."""
    budget = Budget(clock, pacer=NoPacer(), in_flight=3)
    inside = most = 0

    async def call() -> None:
        nonlocal inside, most
        async with budget.admission("se", "customer"):
            inside += 1
            most = max(most, inside)
            await clock.sleep(0)
            inside -= 1

    await asyncio.gather(*(call() for _ in range(20)))
    assert most == 3


async def test_a_pause_reaches_those_who_already_wait_for_a_slot(clock: ManualClock):
    """Sixty callers queue for slots; a 429 to the first must hold back the others."""
    budget = Budget(clock, pacer=NoPacer(), in_flight=1)
    entered: list[datetime] = []

    async def call() -> None:
        async with budget.admission("se", "customer"):
            entered.append(clock.now())
            await clock.sleep(0)
            if len(entered) == 1:
                budget.pause("se", "customer", 30)

    await asyncio.gather(*(call() for _ in range(3)))
    assert [(when - entered[0]).total_seconds() for when in entered] == [0, 30, 30]


async def test_a_shorter_pause_does_not_end_a_longer_one(clock: ManualClock):
    """Answers arrive out of order."""
    budget = Budget(clock, pacer=NoPacer())
    budget.pause("se", "customer", 30)
    budget.pause("se", "customer", 5)
    assert budget.pause_left("se", "customer") == 30
    assert budget.pause_left("no", "customer") == 0
    clock.move(30)
    assert budget.pause_left("se", "customer") == 0


async def test_frees_its_slot_when_a_call_fails(clock: ManualClock):
    """Errors must not eat slots until nothing moves."""
    budget = Budget(clock, pacer=NoPacer(), in_flight=1)
    for _ in range(3):
        with pytest.raises(RuntimeError):
            async with asyncio.timeout(5), budget.admission("se", "customer"):
                raise RuntimeError


def test_knows_the_two_clouds():
    """The Partner Center host is the same for both; sign-in and Graph are not (core reference 1.1)."""
    assert cloud_named("commercial") is COMMERCIAL
    assert cloud_named("us_government") is US_GOVERNMENT
    assert COMMERCIAL.partner_center == US_GOVERNMENT.partner_center
    assert COMMERCIAL.authority != US_GOVERNMENT.authority
    assert not US_GOVERNMENT.has_agreements


@pytest.mark.parametrize("overrides", [{"hosts": "x"}, {"graph": True}, {"has_agreements": "yes"}])
def test_names_a_cloud_setting_that_is_wrong(overrides: dict[str, str | bool]):
    """A misspelled override must not silently leave the real Microsoft in place."""
    with pytest.raises(ConfigError):
        COMMERCIAL.with_overrides(overrides)


def test_overrides_every_field_of_a_cloud():
    """The emulator is a cloud like any other."""
    here = one_host("http://127.0.0.1:8700/")
    overrides: dict[str, str | bool] = {
        "authority": "http://127.0.0.1:8700",
        "partner_center": "http://127.0.0.1:8700/",
        "audience": "http://127.0.0.1:8700",
        "graph": "http://127.0.0.1:8700/graph",
        "graph_audience": "http://127.0.0.1:8700/graph",
        "name": "emulator",
    }
    assert COMMERCIAL.with_overrides(overrides) == here


def test_an_unknown_cloud_is_a_setting_to_correct():
    """The message lists the known ones."""
    with pytest.raises(ConfigError, match="commercial"):
        cloud_named("mars")
