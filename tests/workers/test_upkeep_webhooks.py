"""Workers on PostgreSQL hear what webhooks ask for: one of them looks, and who accepted is queued."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from tenantfold.clock import ManualClock
from tenantfold.domain.records import Event
from tenantfold.flow.webhooks import Doorbell
from tenantfold.store import Store
from tests.store.samples import NOW, customer_id, plan_customer, saved_plan
from tests.workers.conftest import Ledgered, until, upkeep, worker

pytestmark = pytest.mark.postgres

QUIET = timedelta(seconds=60)


async def _waited_for(store: Store) -> None:
    """One customer that has not accepted, of an approved plan, and a delivery about it."""
    plan = await saved_plan(store, plan_customer(1))
    await store.approve_plan(plan.id, "Eva", NOW)
    event = Event(at=NOW, customer_id=customer_id(1), name="webhook.acceptances_asked_for", facts={})
    assert await store.ask_for_acceptances(customer_id(1), event)


async def test_of_many_workers_one_makes_the_look_that_a_delivery_asks_for(ledger: Store):
    """And nobody a second one before the quiet time is over."""
    await _waited_for(ledger)
    looks: list[int] = []

    async def look() -> int:
        looks.append(1)
        return await ledger.mark_accepted([customer_id(1)], NOW)

    fleet = [upkeep(ledger, poll=look, doorbell=Doorbell(ledger, ManualClock(NOW), QUIET)) for _ in range(4)]
    await asyncio.gather(*(one.listen() for one in fleet))
    await asyncio.gather(*(one.listen() for one in fleet))
    assert looks == [1]
    assert await ledger.due_customers(NOW, 5) == (customer_id(1),)


async def test_nobody_looks_before_a_plan_is_approved(ledger: Store):
    """Invariant 5; the ask stays."""
    await _waited_for(ledger)

    async def no() -> bool:
        return False

    await upkeep(ledger, may_feed=no, doorbell=Doorbell(ledger, ManualClock(NOW), QUIET)).listen()
    assert await ledger.take_ask(NOW, QUIET)


@pytest.mark.slow
async def test_a_worker_of_the_fleet_moves_who_a_delivery_was_about(ledger: Store):
    """The schedule of the fleet listens every few seconds; its own look comes once a minute."""
    await _waited_for(ledger)

    class Finding(Doorbell):
        """Finds the customer when it rings; the look of the schedule finds nobody."""

        async def answer(self, poll: Callable[[], Awaitable[int]]) -> int:
            async def look() -> int:
                return await ledger.mark_accepted([customer_id(1)], NOW)

            return await super().answer(look)

    work = Ledgered(ledger)
    task = worker(ledger, work, doorbell=Finding(ledger, ManualClock(NOW), QUIET))

    async def moved() -> bool:
        return work.drives[customer_id(1)] == 1

    await until(moved, also=task)
    work.stopped = True
    await task
