"""One worker's life: it signs on, works, ends in order when told to, and ends itself when the others buried it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from tenantfold.dispatch.local import LocalDispatcher
from tenantfold.dispatch.worker import Identity, Pulse, Worker
from tenantfold.domain.states import Phase
from tenantfold.errors import LedgerBusyError
from tenantfold.flow.progress import Silent
from tenantfold.flow.reconciler import Reconciler, StopSign
from tenantfold.flow.webhooks import Doorbell
from tenantfold.store import Store
from tenantfold.store.workers import WorkerBook, WorkerState
from tests.flow.fake_webhooks import FakeWakeUps
from tests.flow.fakes import TARGET
from tests.flow.stage import Stage, customer_id
from tests.workers.conftest import until


@pytest.fixture
async def book(tmp_path: Path) -> AsyncIterator[WorkerBook]:
    """The workers of a SQLite ledger."""
    async with Store.open(f"sqlite:///{tmp_path / 'ledger.db'}") as store:
        await store.migrate()
        yield WorkerBook(store.database)


async def _stage(*, approved: bool = True) -> Stage:
    stage = Stage()
    stage.add(0)
    await stage.plan(approved=approved)
    return stage


def _serve(
    stage: Stage, book: WorkerBook, stop: StopSign, doorbell: Doorbell | None = None, poll_seconds: float = 60.0
) -> asyncio.Task[None]:
    work = Reconciler(stage.cutover(), Silent(), stop)
    work.doorbell = doorbell
    identity = Identity(name="w1", host="here", pid=7, program="1.0")
    worker = Worker(work, stop, book, identity, Pulse(heartbeat_seconds=1.0, lost_after_seconds=30.0))
    return asyncio.create_task(worker.serve_alone(LocalDispatcher(stage.clock, 4), poll_seconds))


async def _moved(stage: Stage) -> bool:
    return stage.has_moved(0)


async def test_moves_who_accepted_and_signs_off_when_told_to_stop(book: WorkerBook):
    """Nobody has to ask for acceptances; the row says what it did."""
    stage, stop = await _stage(), StopSign()
    task = _serve(stage, book, stop)
    await until(lambda: _moved(stage), also=task)
    stop.raised = True
    await task
    (row,) = await book.everybody()
    assert (row.id, row.state, row.driven, row.host, row.pid) == ("w1", WorkerState.STOPPED, 1, "here", 7)


async def test_a_worker_that_was_believed_lost_ends_itself(book: WorkerBook):
    """Its next beat is not accepted: whoever supervises it starts it again under the same name."""
    stage = await _stage()
    task = _serve(stage, book, StopSign())
    await until(lambda: _moved(stage), also=task)
    assert [one.id for one in await book.bury(30.0)] == ["w1"]
    with pytest.raises(LedgerBusyError, match="believed lost"):
        await task
    (row,) = await book.everybody()
    assert row.state is WorkerState.LOST


async def test_hears_what_a_webhook_asks_for(book: WorkerBook):
    """Its own look would come in a year; the customer accepts after the first one."""
    stage, stop = Stage(), StopSign()
    stage.add(0, accepted=False)
    await stage.plan()
    wake_ups = FakeWakeUps(stage.ledger)
    bell = Doorbell(wake_ups, stage.clock, timedelta(seconds=60))
    task = _serve(stage, book, stop, bell, poll_seconds=365 * 86_400.0)
    begun = stage.clock.now()

    async def napped() -> bool:
        return stage.clock.now() > begun

    await until(napped, also=task)
    stage.world.related.add((TARGET, customer_id(0)))
    wake_ups.rings = True
    await until(lambda: _moved(stage), also=task)
    stop.raised = True
    await task
    assert len(wake_ups.taken_at) == 1


async def test_waits_for_the_approval_of_the_plan(book: WorkerBook):
    """Started too early it does nothing, and begins when somebody has approved (invariant 5)."""
    stage, stop = await _stage(approved=False), StopSign()
    task = _serve(stage, book, stop)

    async def signed_on() -> bool:
        return bool(await book.everybody())

    await until(signed_on, also=task)
    for _ in range(50):
        await asyncio.sleep(0)
    assert not stage.world.writes
    plan = await stage.ledger.newest_plan()
    assert plan is not None
    await stage.ledger.approve_plan(plan.id, "Eva", stage.clock.now())
    await until(lambda: _moved(stage), also=task)
    stop.raised = True
    await task
    assert stage.phase(0) is Phase.MOVED
