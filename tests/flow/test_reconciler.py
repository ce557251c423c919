"""The reconciler and its steady pool: who goes first, who holds up whom, and what another worker's step means."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from tenantfold.clock import ManualClock
from tenantfold.dispatch.local import LocalDispatcher
from tenantfold.domain.model import CustomerId
from tenantfold.domain.records import Step
from tenantfold.domain.states import Phase, Progress
from tenantfold.errors import AuthError, ConflictError
from tenantfold.flow.progress import Silent
from tenantfold.flow.reconciler import MAX_CONFLICTS, Reconciler
from tests.flow.stage import START, Stage, customer_id

# --- the pool --------------------------------------------------------------------------------------------------------


@dataclass
class Queue:
    """Work whose drives end when the test says so. Implements ``flow.ports.Work``."""

    waiting: list[str]
    limits: list[int] = field(default_factory=list)
    running: dict[str, asyncio.Future[None]] = field(default_factory=dict)
    started: list[str] = field(default_factory=list)
    later: dict[datetime, str] = field(default_factory=dict)
    stopped: bool = False
    now: Callable[[], datetime] = lambda: START

    async def due(self, limit: int) -> list[CustomerId]:
        """Those under way, too, as the ledger does."""
        self.limits.append(limit)
        self.waiting += [self.later.pop(at) for at in list(self.later) if at <= self.now()]
        return [CustomerId(one) for one in [*self.running, *self.waiting]][:limit]

    async def drive(self, customer_id: CustomerId) -> None:
        """Wait for the test."""
        self.waiting.remove(customer_id)
        self.started.append(customer_id)
        ended = self.running[customer_id] = asyncio.get_running_loop().create_future()
        try:
            await ended
        finally:
            del self.running[customer_id]

    def next_at(self) -> datetime | None:
        """The soonest of those that are due later."""
        return min(self.later, default=None)

    def stopping(self) -> bool:
        """As the test says."""
        return self.stopped

    async def end(self, *names: str, error: Exception | None = None) -> None:
        """End these drives and let the pool react."""
        for name in names:
            if error is None:
                self.running[name].set_result(None)
            else:
                self.running[name].set_exception(error)
        await _settle()


async def _settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def _started(work: Queue, size: int, clock: ManualClock | None = None) -> asyncio.Task[None]:
    task = asyncio.create_task(LocalDispatcher(clock or ManualClock(START), size).dispatch(work))
    await _settle()
    return task


async def test_the_slowest_customer_holds_up_nobody():
    """One drive never ends; all others pass through the second place, one after another."""
    work = Queue([f"c{number}" for number in range(40)])
    pool = await _started(work, 2)
    for _ in range(39):
        await work.end(*[name for name in work.running if name != "c0"])
    assert work.started == [f"c{number}" for number in range(40)]
    assert list(work.running) == ["c0"]
    await work.end("c0")
    await pool


async def test_no_more_are_driven_at_once_than_allowed_and_nobody_twice():
    """The places bound the drives, and a customer under way is not handed out again though it is still due."""
    work = Queue(["a", "b", "c", "d"])
    pool = await _started(work, 3)
    assert list(work.running) == ["a", "b", "c"]
    await work.end("b")
    assert list(work.running) == ["a", "c", "d"]
    await work.end("a", "c", "d")
    await pool
    assert Counter(work.started) == Counter("abcd")


async def test_an_urgent_customer_waits_for_one_pool_at_most():
    """The order is looked up again for every pool's worth of customers, not for hundreds."""
    work = Queue([f"c{number}" for number in range(20)])
    pool = await _started(work, 2)
    work.waiting.insert(0, "urgent")
    while "urgent" not in work.started:
        await work.end(*work.running)
    assert work.started.index("urgent") <= 4
    work.waiting.clear()
    work.stopped = True
    await work.end(*work.running)
    await pool


async def test_somebody_who_becomes_due_meanwhile_gets_a_free_place_in_time():
    """Nobody has to end first: the clock alone wakes the pool."""
    clock = ManualClock(START)
    work = Queue(["slow"], later={START + timedelta(seconds=90): "settled"}, now=clock.now)
    pool = await _started(work, 2, clock)
    for _ in range(20):
        await _settle()
    assert START + timedelta(seconds=90) <= clock.now() <= START + timedelta(seconds=91)
    await work.end("slow", "settled")
    await pool


async def test_the_ledger_is_not_asked_while_nothing_can_have_changed():
    """Places are free and nobody is due: silence until a drive ends."""
    work = Queue(["slow"])
    pool = await _started(work, 8)
    asked = len(work.limits)
    for _ in range(200):
        await asyncio.sleep(0)
    assert len(work.limits) == asked
    await work.end("slow")
    await pool


async def test_what_stops_a_run_arrives_after_the_others_ended_in_order():
    """Nobody is torn from a call: the others come to their end, nobody new begins."""
    work = Queue(["a", "b", "c"])
    pool = await _started(work, 2)
    work.stopped = True  # as the reconciler says from then on
    await work.end("a", error=AuthError("The secret has expired."))
    assert not pool.done()
    await work.end("b")
    with pytest.raises(AuthError, match="secret has expired"):
        await pool
    assert work.started == ["a", "b"]


async def test_a_canceled_pool_takes_its_drives_along():
    """Ctrl-C twice: nothing goes on in the background."""
    work = Queue(["a", "b"])
    pool = await _started(work, 2)
    pool.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pool
    assert work.running == {}


# --- one customer ----------------------------------------------------------------------------------------------------


async def _reconciler(count: int = 1) -> tuple[Stage, Reconciler]:
    stage = Stage()
    for number in range(count):
        stage.add(number)
    await stage.plan()
    work = Reconciler(stage.cutover(), Silent(), lambda: False)
    await work.poll()
    return stage, work


def _overtaken(stage: Stage, times: int) -> Counter[str]:
    """Another worker moves the row just before each of the next steps of this one."""
    record_step, refused = stage.ledger.record_step, Counter[str]()

    async def record(step: Step, now: datetime) -> Progress:
        if refused["step"] < times and not step.event.startswith("cutover.customer.failed"):
            refused["step"] += 1
            raise ConflictError("The progress moved since it was read.")
        return await record_step(step, now)

    stage.ledger.record_step = record  # type: ignore[method-assign]  # the point of the test
    return refused


async def test_a_row_that_another_worker_moved_is_no_failure():
    """The drive just ends; the customer is driven again by whoever it is handed to."""
    stage, work = await _reconciler()
    refused = _overtaken(stage, 1)
    await work.drive(customer_id(0))
    assert refused == {"step": 1}
    assert (stage.phase(0), work.errors, work.stopping()) == (Phase.ACCEPTED, {}, False)
    await work.drive(customer_id(0))
    assert stage.has_moved(0)
    assert (stage.world.writes["order"], stage.world.writes["suspend"]) == (1, 1)


async def test_a_conflict_that_never_ends_is_set_aside():
    """No endless loop: after a few conflicts in a row a person gets to know why."""
    stage, work = await _reconciler()
    _overtaken(stage, 1_000)
    for _ in range(MAX_CONFLICTS):
        await work.drive(customer_id(0))
    assert stage.phase(0) is Phase.FAILED
    assert "moved since it was read" in work.errors[customer_id(0)]
    assert stage.ledger.rows[customer_id(0)].due_at is None


async def test_a_customer_that_left_the_plan_after_it_was_handed_out_is_let_go():
    """A newer plan without it is no fault of the ledger."""
    stage, work = await _reconciler(2)
    stage.world.related.discard((next(iter(stage.centers)), customer_id(1)))
    await stage.plan()
    await work.drive(customer_id(1))
    assert (work.stopping(), work.errors) == (False, {})


async def test_tells_when_the_next_one_becomes_due_within_the_patience():
    """A refused customer waits until tomorrow; whoever has less patience than that sees nobody."""
    stage, work = await _reconciler()
    stage.clock.move(timedelta(hours=14).total_seconds())
    await work.drive(customer_id(0))
    assert work.next_at() == datetime(2026, 3, 3, 0, 5, tzinfo=UTC)
    work.patient_until = stage.clock.now() + timedelta(minutes=20)
    assert work.next_at() is None


async def test_who_is_not_handed_out_when_its_time_has_come_wakes_nobody():
    """It was stopped while it waited: the dispatcher must not ask for it again and again while others are driven."""
    stage, work = await _reconciler()
    stage.clock.move(timedelta(hours=14).total_seconds())
    await work.drive(customer_id(0))
    due_at = work.next_at()
    assert due_at is not None
    stage.ledger.rows[customer_id(0)] = replace(stage.ledger.rows[customer_id(0)], due_at=None)  # as for who is held
    assert (await work.due(10), work.next_at()) == ((), due_at)
    stage.clock.move((due_at - stage.clock.now()).total_seconds())
    assert (await work.due(10), work.next_at()) == ((), None)
