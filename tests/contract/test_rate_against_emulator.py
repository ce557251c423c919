"""The client keeps to the published limit by itself: minutes of calls against the emulator's window, virtual time."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2
import pytest

from partner_center_emulator import demo_world
from partner_center_emulator.app import create_app
from partner_center_emulator.clock import Clock as WorldClock
from partner_center_emulator.credentials import live_refresh_token
from partner_center_emulator.emulator import Emulator, Options
from tenantfold.domain.model import CustomerId, TenantId
from tenantfold.partnercenter import (
    Account,
    Budget,
    CallRecord,
    ClientOptions,
    InProcessTransport,
    MemoryRateBook,
    MemorySecretStore,
    PartnerCenterClient,
    connect,
    one_host,
    open_http,
)
from tests.partnercenter.virtual import LoopClock, loop_seconds, pass_seconds, run

MINUTES = 3


class SlowTransport(httpx2.AsyncBaseTransport):
    """Ways to the service and back that take between a tenth of a second and a whole one."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, seed: int) -> None:
        self._inner = inner
        self._random = random.Random(seed)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await pass_seconds(self._random.uniform(0.05, 0.5))
        response = await self._inner.handle_async_request(request)
        await pass_seconds(self._random.uniform(0.05, 0.5))
        return response


@dataclass
class Scene:
    """An emulator on the loop's time, and workers that call one of its tenants."""

    emulator: Emulator
    workers: list[PartnerCenterClient]
    customers: list[CustomerId]
    answers: Counter[int]


@asynccontextmanager
async def opened(workers: int, **options: object) -> AsyncIterator[Scene]:
    """A scene whose workers share a rate book, each with 64 places in flight."""
    world = demo_world.build()
    given = Options(strict="record", **options)  # type: ignore[arg-type]  # by name
    clock = LoopClock()
    emulator = Emulator(world, given, WorldClock(clock.now(), monotonic=loop_seconds))
    tenant = next(one for one in world.partner_tenants.values() if one.key != "target")
    person = next(one for one in tenant.users if one.has_mfa and "admin_agent" in one.roles)
    app, book, answers = tenant.apps[0], MemoryRateBook(), Counter[int]()

    def note(record: CallRecord) -> None:
        answers[record.status] += 1

    async with open_http(transport=SlowTransport(InProcessTransport(create_app(emulator)), 1)) as http:
        clients = [
            connect(
                Account(tenant_key=tenant.key, tenant_id=TenantId(tenant.id), client_id=app.client_id),
                cloud=one_host(given.base_url),
                secrets=MemorySecretStore(
                    {tenant.key: app.secret}, {tenant.key: live_refresh_token(emulator, tenant, person)}
                ),
                clock=clock,
                http=http,
                budget=Budget(clock, book=book, in_flight=64),
                options=ClientOptions(on_call=note),
            )
            for _ in range(workers)
        ]
        customers = [item.value.id async for item in clients[0].customers()]
        answers.clear()
        yield Scene(emulator, clients, customers, answers)


async def keep_busy(scene: Scene, minutes: float) -> None:
    """Let 64 callers of each worker ask for customers one after the other, until the time is over."""
    end = loop_seconds() + 60 * minutes

    async def caller(client: PartnerCenterClient, number: int) -> None:
        while loop_seconds() < end:
            await client.customer(scene.customers[number % len(scene.customers)])

    await asyncio.gather(*(caller(client, number) for client in scene.workers for number in range(64)))


@pytest.mark.parametrize("workers", [1, 3])
def test_uses_the_limit_to_the_full_without_a_single_429(workers: int):
    """At least 96 of 100 calls that Microsoft would have let through were made, and none was turned away."""

    async def story() -> Scene:
        async with opened(workers) as scene:
            await keep_busy(scene, MINUTES)
            return scene

    scene = run(story())
    assert set(scene.answers) == {200}
    assert scene.answers.total() >= 0.96 * 500 * MINUTES
    assert scene.emulator.world.violations == []


def test_learns_a_lower_limit_and_lives_with_it():
    """The published number is wrong, or another program uses half of it: few are turned away, most of it is used."""

    async def story() -> Scene:
        async with opened(2, throttle_limit=250) as scene:
            await keep_busy(scene, 2 * MINUTES)
            return scene

    scene = run(story())
    assert scene.answers[429] <= 0.05 * scene.answers[200]
    assert scene.answers[200] >= 0.65 * 250 * 2 * MINUTES
