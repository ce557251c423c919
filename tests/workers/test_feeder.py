"""The feeder: a bounded look ahead over who is due, most urgent first, and nobody twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from procrastinate import App
from procrastinate.jobs import Job

from tenantfold.dispatch.feeder import DRIVES, NO_DEADLINE, priority_of
from tenantfold.domain.states import Phase
from tenantfold.store import Store
from tests.store.samples import NOW, customer_id, later, step_of
from tests.workers.conftest import due_customers, feeder

pytestmark = pytest.mark.postgres


async def queued(jobs: App, status: str = "todo") -> list[Job]:
    """Jobs of customers in a state, in the order they will be handed out."""
    found = await jobs.job_manager.list_jobs_async(queue=DRIVES, status=status)
    return sorted(found, key=lambda job: (-job.priority, job.id or 0))


async def test_queues_who_is_due_once_and_with_a_lock_of_its_own(ledger: Store, jobs: App):
    """One job a customer; the lock keeps two workers from one customer, the queueing lock two jobs."""
    await due_customers(ledger, 3)
    assert await feeder(ledger).feed() == 3
    assert [(job.lock, job.queueing_lock, job.task_kwargs) for job in await queued(jobs)] == [
        (customer_id(number), customer_id(number), {"customer_id": customer_id(number)}) for number in range(3)
    ]


async def test_never_queues_more_than_the_backlog(ledger: Store, jobs: App):
    """What is queued is a short look ahead; it is filled up as jobs are taken."""
    await due_customers(ledger, 30)
    assert await feeder(ledger, backlog=10).feed() == 10
    assert await feeder(ledger, backlog=10).feed() == 0
    worker_id = await jobs.job_manager.register_worker()
    for _ in range(4):
        assert await jobs.job_manager.fetch_job([DRIVES], worker_id)
    assert await feeder(ledger, backlog=10).feed() == 4
    assert len(await queued(jobs)) == 10
    assert len(await queued(jobs, "doing")) == 4


async def test_queues_nobody_twice_whoever_feeds_and_how_often(ledger: Store, jobs: App):
    """Feeders of many workers at once: each customer is queued once, also while it is driven and still due."""
    await due_customers(ledger, 40)
    worker_id = await jobs.job_manager.register_worker()
    for _ in range(5):
        await asyncio.gather(*(feeder(ledger).feed() for _ in range(6)))
        await jobs.job_manager.fetch_job([DRIVES], worker_id)
    await feeder(ledger).feed()
    everybody = [*await queued(jobs), *await queued(jobs, "doing")]
    assert sorted(job.lock or "" for job in everybody) == [customer_id(number) for number in range(40)]


async def test_who_must_end_today_is_handed_out_first(ledger: Store, jobs: App):
    """By deadline; whoever has not begun comes after all of them."""
    await due_customers(ledger, 4)
    for number, hours in ((2, 5), (3, 2)):
        step = await step_of(ledger, number, Phase.CUTTING_OVER, due_at=NOW, deadline_at=later(hours=hours))
        await ledger.record_step(step, NOW)
    await feeder(ledger).feed()
    assert [job.lock for job in await queued(jobs)] == [customer_id(number) for number in (3, 2, 0, 1)]


async def test_who_is_not_due_is_not_queued(ledger: Store, jobs: App):
    """Waits are rows: nothing of them is in the queue before their time."""
    await due_customers(ledger, 2)
    await ledger.record_step(await step_of(ledger, 0, Phase.STRANDED, due_at=later(minutes=15)), NOW)
    await feeder(ledger).feed()
    assert [job.lock for job in await queued(jobs)] == [customer_id(1)]


def test_a_priority_fits_its_column_and_grows_with_urgency():
    """32 bits hold it for centuries, and no deadline is the least urgent."""
    near, far = priority_of(NOW), priority_of(NOW + timedelta(days=365 * 300))
    assert near > far > NO_DEADLINE == priority_of(None)
    assert NO_DEADLINE >= -(2**31)
