"""Workers on the queue: everybody is driven, a stop is an orderly one, and whoever is lost leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, time, timedelta

import pytest
from procrastinate import App
from procrastinate.periodic import PeriodicDeferrer

from tenantfold.clock import ManualClock, SystemClock
from tenantfold.dispatch.feeder import DRIVES
from tenantfold.dispatch.jobs import JobOffice, journaled, queue_connector
from tenantfold.dispatch.upkeep import CHORES, Upkeep
from tenantfold.domain.admission import KnownRates
from tenantfold.domain.model import CustomerId
from tenantfold.domain.policy import Policy
from tenantfold.domain.states import Phase
from tenantfold.domain.waves import Limits, WaveState
from tenantfold.errors import AuthError, InputError, StoreError
from tenantfold.flow.waves import Approval, WaveDesk, WaveKeeper
from tenantfold.store import Store
from tenantfold.store.queue import conninfo
from tenantfold.store.runlock import beside_others
from tenantfold.store.workers import WorkerBook, WorkerState
from tests.store.samples import NOW, TARGET, customer_id
from tests.workers.conftest import Ledgered, due_customers, feeder, until, upkeep, worker

pytestmark = pytest.mark.postgres


async def _all_moved(store: Store, count: int) -> bool:
    return (await store.phase_counts()).get(Phase.MOVED, 0) == count


async def test_two_workers_drive_everybody_once(ledger: Store):
    """Fed, handed out, driven, and the queue is empty afterward."""
    await due_customers(ledger, 60)
    works = [Ledgered(ledger), Ledgered(ledger)]
    tasks = [worker(ledger, work, f"w{number}") for number, work in enumerate(works)]
    await until(lambda: _all_moved(ledger, 60), also=tasks[0])
    for work in works:
        work.stopped = True
    await asyncio.gather(*tasks)
    drives = works[0].drives + works[1].drives
    assert drives == Counter({customer_id(number): 1 for number in range(60)})
    assert max(work.most_at_once for work in works) <= 4


async def test_nothing_is_handed_out_before_a_plan_is_approved(ledger: Store, jobs: App):
    """Invariant 5 begins at the feeder."""
    await due_customers(ledger, 2)

    async def no() -> bool:
        return False

    await upkeep(ledger, may_feed=no).feed()
    assert not list(await jobs.job_manager.list_jobs_async(queue=DRIVES))


async def test_a_stop_lets_drives_end_and_leaves_the_rest_to_others(ledger: Store, jobs: App):
    """Those under way come to their end; nobody new begins; who is left is still queued or due."""
    await due_customers(ledger, 30)
    released = asyncio.Event()

    async def wait(_customer: CustomerId) -> None:
        await released.wait()

    work = Ledgered(ledger, before=wait)
    task = worker(ledger, work)

    async def busy() -> bool:
        return work.at_once == 4

    await until(busy, also=task)
    work.stopped = True
    await SystemClock().sleep(0.5)
    assert not task.done()
    released.set()
    await task
    assert sum(work.drives.values()) == 4
    assert (await ledger.phase_counts())[Phase.MOVED] == 4
    assert not list(await jobs.job_manager.list_jobs_async(queue=DRIVES, status="doing"))
    assert len(await ledger.due_customers(NOW, 100)) == 26


async def test_what_stops_everything_stops_the_worker_as_itself(ledger: Store):
    """A lost sign-in is no matter of one job."""
    await due_customers(ledger, 1)
    work = Ledgered(ledger)

    async def fail(_customer: CustomerId) -> None:
        work.stopped = True
        raise AuthError("The secret has expired.")

    work.before = fail
    with pytest.raises(AuthError, match="secret has expired"):
        await worker(ledger, work)


async def test_a_queue_that_breaks_ends_the_worker_with_an_error(ledger: Store, jobs: App):
    """Not silently: whoever supervises it must start it again."""
    await due_customers(ledger, 1)
    work = Ledgered(ledger)
    task = worker(ledger, work)
    await until(lambda: _all_moved(ledger, 1), also=task)
    await jobs.job_manager.connector.execute_query_async(
        query="ALTER TABLE procrastinate_workers RENAME TO procrastinate_workers_gone"
    )
    with pytest.raises(StoreError, match="job queue"):
        await asyncio.wait_for(task, 30)


# --- the lost --------------------------------------------------------------------------------------------------------


async def _die_with_a_job(store: Store, jobs: App, name: str) -> None:
    """A worker took a job and was gone: its row says running, its lock is free, its job is being done."""
    book = WorkerBook(store.database)
    await book.sign_on(name, host="h", pid=1, program="0")
    queue_id = await jobs.job_manager.register_worker()
    await book.name_in_queue(name, queue_id)
    assert await jobs.job_manager.fetch_job([DRIVES], queue_id)


async def test_the_jobs_of_a_dead_worker_go_back_at_once(ledger: Store, jobs: App):
    """Its lock is gone with its process: nobody waits for its silence to last long enough."""
    await due_customers(ledger, 3)
    await feeder(ledger).feed()
    await _die_with_a_job(ledger, jobs, "dead")
    keeping: Upkeep = upkeep(ledger)
    assert await keeping.recover(jobs.job_manager) == 1
    assert await keeping.recover(jobs.job_manager) == 0
    assert len(list(await jobs.job_manager.list_jobs_async(queue=DRIVES, status="todo"))) == 3
    (row,) = await WorkerBook(ledger.database).everybody()
    assert row.state is WorkerState.LOST


async def test_the_jobs_of_a_living_worker_stay(ledger: Store, jobs: App):
    """Its lock is held and it is not silent for long."""
    await due_customers(ledger, 3)
    await feeder(ledger).feed()
    async with beside_others(ledger.database, "run", "alive"):
        await _die_with_a_job(ledger, jobs, "alive")
        assert await upkeep(ledger).recover(jobs.job_manager) == 0
    assert len(list(await jobs.job_manager.list_jobs_async(queue=DRIVES, status="doing"))) == 1


async def test_a_worker_that_hangs_is_lost_after_its_silence(ledger: Store, jobs: App):
    """Its lock is held, but it says nothing any more; its next beat tells it that it has to end."""
    await due_customers(ledger, 3)
    await feeder(ledger).feed()
    book = WorkerBook(ledger.database)
    async with beside_others(ledger.database, "run", "hangs"):
        await _die_with_a_job(ledger, jobs, "hangs")
        assert await upkeep(ledger, lost_after_seconds=0.0).recover(jobs.job_manager) == 1
        assert not await book.beat("hangs", state=WorkerState.RUNNING, driven=1)


async def test_another_worker_finishes_what_the_dead_one_began(ledger: Store, jobs: App):
    """The whole way: lost, given back, driven."""
    await due_customers(ledger, 5)
    await feeder(ledger).feed()
    await _die_with_a_job(ledger, jobs, "dead")
    work = Ledgered(ledger)
    task = worker(ledger, work)
    await until(lambda: _all_moved(ledger, 5), also=task)
    work.stopped = True
    await task


# --- coarse jobs -----------------------------------------------------------------------------------------------------


async def test_a_coarse_job_is_done_once_and_its_result_kept(ledger: Store):
    """Handed in twice while it waits is once; the history says what came out."""
    done = []

    async def count() -> str:
        done.append(1)
        return "all counted"

    async def fail() -> str:
        raise InputError("The file is gone.")

    office = JobOffice(conninfo(ledger.database), ledger, ("count", "fail"))
    assert await office.submit("count")
    assert not await office.submit("count")
    assert await office.submit("fail")
    with pytest.raises(InputError, match="no job 'dance'"):
        await office.submit("dance")
    assert [(line.kind, line.state) for line in await office.lines()] == [("count", "waiting"), ("fail", "waiting")]
    work = Ledgered(ledger)
    chores = journaled({"count": count, "fail": fail}, ledger, ManualClock(NOW))
    task = worker(ledger, work, chores=chores)

    async def both_ended() -> bool:
        return {line.state for line in await office.lines()} == {"done", "failed"}

    await until(both_ended, also=task)
    work.stopped = True
    await task
    assert done == [1]
    results = {(line.kind, line.state): line.result for line in await office.lines() if line.result}
    assert results == {("count", "done"): "all counted", ("fail", "failed"): "The file is gone."}


async def test_a_chore_that_its_worker_left_is_done_by_another(ledger: Store, jobs: App):
    """A graceful stop does not wait for hours of inventory: the next worker goes on."""
    begun = asyncio.Event()

    async def long() -> None:
        begun.set()
        await asyncio.Event().wait()

    await jobs.configure_task("long", queue=CHORES, lock="long", queueing_lock="long").defer_async()
    work = Ledgered(ledger)
    task = worker(ledger, work, chores={"long": long})
    await asyncio.wait_for(begun.wait(), 30)
    work.stopped = True
    await task
    (job,) = await jobs.job_manager.list_jobs_async(queue=CHORES)
    assert job.status == "todo"


async def test_a_daily_chore_is_handed_in_at_its_time_and_never_twice(ledger: Store, jobs: App):
    """At 03:30 UTC, by whichever worker asks first; while one waits, no second one is queued."""
    done = []

    async def count() -> None:
        done.append(1)

    keeping = upkeep(ledger, chores={"count": count, "other": count}, daily={"count": time(3, 30)})
    connector = queue_connector(conninfo(ledger.database), connections=2)
    app = keeping.app(connector)
    deferrer = PeriodicDeferrer(registry=app.periodic_registry)
    daily = [one for one in app.periodic_registry.periodic_tasks.values() if one.task.queue == CHORES]
    assert [(one.task.name, one.cron) for one in daily] == [("count", "30 3 * * *")]
    at = int(datetime(2026, 3, 3, 3, 30, tzinfo=UTC).timestamp())
    assert list(deferrer.get_timestamps(daily[0], since=at - 86_400, until=at)) == [at]
    async with app.open_async():
        for _ in range(2):
            await deferrer.defer_jobs([(daily[0], at)])
        await deferrer.defer_jobs([(daily[0], at + 86_400)])
    assert len(list(await jobs.job_manager.list_jobs_async(queue=CHORES))) == 1
    work = Ledgered(ledger)
    task = worker(ledger, work, chores={"count": count})

    async def ended() -> bool:
        return bool(done)

    await until(ended, also=task)
    work.stopped = True
    await task
    assert done == [1]


async def test_a_worker_starts_the_wave_whose_time_has_come(ledger: Store):
    """Nobody runs anything: the feeding starts it, and its customers are driven; those of no wave wait."""
    await due_customers(ledger, 3)
    clock = ManualClock(NOW)

    async def rates() -> KnownRates:
        return KnownRates(fallback=1_000.0)

    desk = WaveDesk(
        waves=ledger,
        clock=clock,
        policy=Policy(),
        limits=Limits(),
        rates=rates,
        target_id=TARGET,
        prices=tuple,
        keys={},
    )
    await desk.create("north", [customer_id(0), customer_id(1)], "Eva")
    await desk.schedule("north", NOW + timedelta(hours=1), Approval(by="Eva"))
    work = Ledgered(ledger)
    asked: list[datetime] = []
    keeper = WaveKeeper(desk)

    async def keep() -> None:
        asked.append(clock.now())
        await keeper.keep()

    task = worker(ledger, work, schedules=(keep,))

    async def fed() -> bool:
        return bool(asked)

    await until(fed, also=task)
    assert (await desk.find("north")).state is WaveState.SCHEDULED
    assert not work.drives
    clock.move(3_600)
    await until(lambda: _all_moved(ledger, 2), also=task)
    work.stopped = True
    await task
    assert sorted(work.drives) == [customer_id(0), customer_id(1)]
    (event,) = await ledger.events(name="wave.running")
    assert event.facts["by"] == "tenantfold"
