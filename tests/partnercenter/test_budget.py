"""Slots, lanes and places in flight, on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenantfold.domain.model import TenantId
from tenantfold.domain.rates import Limit, Reservation
from tenantfold.errors import StoreError
from tenantfold.partnercenter import Budget, MemoryRateBook, NoLimits
from tests.partnercenter.virtual import NOON, LoopClock, pass_seconds, run, since_noon

SE, NO = TenantId("se"), TenantId("no")
MIDNIGHT = NOON + timedelta(hours=12)
ONE_AT_A_TIME = Limit(10)  # one call after a rest; a slot every seven seconds, then every six


class CountingBook(MemoryRateBook):
    """Counts what it is asked; each answer takes a while."""

    def __init__(self, limit: Limit, *, seconds: float = 0.0) -> None:
        super().__init__(limit)
        self.asked: list[int] = []
        self.left = 0
        self._seconds = seconds

    async def reserve(
        self, tenant_id: TenantId, resource: str, wanted: int, now: datetime, *, urgent: bool, left: int
    ) -> Reservation:
        self.asked.append(wanted)
        self.left += left
        answer = await super().reserve(tenant_id, resource, wanted, now, urgent=urgent, left=left)
        if self._seconds:
            await pass_seconds(self._seconds)
        return answer


class BrokenBook(MemoryRateBook):
    """A ledger whose disk is full."""

    async def reserve(
        self, tenant_id: TenantId, resource: str, wanted: int, now: datetime, *, urgent: bool, left: int
    ) -> Reservation:
        raise StoreError("the disk is full")


class Calls:
    """Makes calls through a budget and notes who left when, in seconds after noon."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.left: list[tuple[str, float]] = []

    @property
    def names(self) -> list[str]:
        """Who left, in order."""
        return [name for name, _ in self.left]

    @property
    def times(self) -> list[float]:
        """When calls left."""
        return [when for _, when in self.left]

    async def call(
        self, name: str, *, tenant: TenantId = SE, resource: str = "order", seconds: float = 0.0, customer: str = ""
    ) -> None:
        """One call that takes ``seconds``."""
        async with self.budget.admission(tenant, resource, customer) as admission:
            self.left.append((name, since_noon(admission.left_at)))
            await pass_seconds(seconds)

    async def urgent(self, name: str, deadline: datetime = MIDNIGHT, *, seconds: float = 0.0) -> None:
        """One call of a customer in the middle of its cutover."""
        with self.budget.urgent(deadline):
            await self.call(name, seconds=seconds)


def most_in_a_minute(times: Iterable[float]) -> int:
    """The most calls in any 60 seconds."""
    ordered = sorted(times)
    return max(sum(0 <= one - first < 60 for one in ordered) for first in ordered)


@asynccontextmanager
async def started(*stories: asyncio.Future[None]) -> AsyncIterator[None]:
    """Tasks that have come as far as they can."""
    await asyncio.sleep(0)
    yield
    await asyncio.gather(*stories)


def test_spaces_the_calls_of_one_bucket_out():
    """After the first tenth calls leave one by one, and no minute sees more than the limit."""

    async def story() -> Calls:
        calls = Calls(Budget(LoopClock(), book=MemoryRateBook(Limit(60))))
        await asyncio.gather(*(calls.call(str(number)) for number in range(200)))
        return calls

    calls = run(story())
    assert calls.names == [str(number) for number in range(200)]
    assert calls.times[:6] == [0] * 6
    assert most_in_a_minute(calls.times) <= 60
    assert calls.times[-1] == pytest.approx(200 * 60 / 58.8, rel=0.02)


def test_gives_each_tenant_and_resource_its_own_bucket_and_free_ones_none():
    """One tenant's inventory must not slow another's suspensions; pages of the customer list are not limited."""

    async def story() -> Calls:
        calls = Calls(Budget(LoopClock(), book=MemoryRateBook(ONE_AT_A_TIME)))
        buckets = [(tenant, resource) for tenant in (SE, NO) for resource in ("customer", "order", "/v1/customers")]
        await asyncio.gather(*(calls.call("", tenant=tenant, resource=resource) for tenant, resource in buckets))
        await asyncio.gather(*(calls.call("", resource="/v1/customers") for _ in range(100)))
        return calls

    assert set(run(story()).times) == {0.0}


def test_the_urgent_lane_goes_first_by_deadline():
    """What must end today overtakes what came before it; within a lane the order of coming holds."""

    async def story() -> Calls:
        calls = Calls(Budget(LoopClock(), book=MemoryRateBook(ONE_AT_A_TIME)))
        loop = asyncio.get_running_loop()
        async with started(loop.create_task(calls.call("first"))):
            pass
        early = MIDNIGHT - timedelta(hours=1)
        tasks = [loop.create_task(calls.call(f"normal {number}")) for number in (1, 2)]
        await pass_seconds(1)
        tasks += [loop.create_task(calls.urgent(f"midnight {number}")) for number in (1, 2)]
        await pass_seconds(1)
        tasks.append(loop.create_task(calls.urgent("eleven", early)))
        await asyncio.gather(*tasks)
        return calls

    assert run(story()).names == ["first", "eleven", "midnight 1", "midnight 2", "normal 1", "normal 2"]


def test_calls_begun_inside_the_lane_are_urgent_in_other_tasks_too():
    """A drive reads both sides at once: its child tasks inherit the lane, its neighbours don't."""

    async def story() -> Calls:
        calls = Calls(Budget(LoopClock(), book=MemoryRateBook(ONE_AT_A_TIME)))
        await calls.call("first")
        normal = asyncio.get_running_loop().create_task(calls.call("normal"))
        await asyncio.sleep(0)
        with calls.budget.urgent(MIDNIGHT):
            await asyncio.gather(calls.call("left"), calls.call("right"))
        await normal
        await calls.call("after")
        return calls

    assert run(story()).names == ["first", "left", "right", "normal", "after"]


def test_the_normal_lane_has_everything_while_nobody_is_urgent():
    """Keeping slots free for nobody would waste them: the same number of calls takes the same time."""

    async def story(*, open_lane: bool) -> float:
        calls = Calls(Budget(LoopClock(), book=MemoryRateBook(Limit(60))))
        if open_lane:
            with calls.budget.urgent(MIDNIGHT):
                await asyncio.sleep(0)
        await asyncio.gather(*(calls.call("") for _ in range(100)))
        return calls.times[-1]

    assert run(story(open_lane=True)) == run(story(open_lane=False))


def test_keeps_places_in_flight_for_customers_in_the_middle():
    """Sixteen slow reads must not stand in the way of a suspension; without anybody in the middle all places serve."""

    async def story() -> tuple[Calls, int]:
        calls = Calls(Budget(LoopClock(), book=NoLimits(), in_flight=16))
        tasks = [asyncio.ensure_future(calls.call("slow", seconds=100)) for _ in range(32)]
        await pass_seconds(1)
        before = len(calls.left)
        with calls.budget.urgent(MIDNIGHT):
            await pass_seconds(100)
            await calls.call("suspend")
        await asyncio.gather(*tasks)
        return calls, before

    calls, before = run(story())
    assert before == 16
    assert [when for name, when in calls.left if name == "suspend"] == [101]
    assert calls.times.count(100) == 14
    assert calls.times.count(101) == 3  # the suspension, and when its lane closed the two places that were kept


def test_holds_no_more_calls_in_flight_than_places():
    """httpx2 slows down above about a hundred connections."""

    async def story() -> Calls:
        calls = Calls(Budget(LoopClock(), book=NoLimits(), in_flight=3))
        await asyncio.gather(*(calls.call("", resource=str(number % 4), seconds=1) for number in range(20)))
        return calls

    times = run(story()).times
    assert [times.count(second) for second in range(7)] == [3, 3, 3, 3, 3, 3, 2]


def test_a_slot_waits_for_no_place_and_a_place_for_no_slot():
    """When answers get slow, saved-up slots must not leave as one burst later; nor may a paused bucket hold places."""

    async def story() -> Calls:
        calls = Calls(Budget(LoopClock(), book=MemoryRateBook(Limit(600)), in_flight=4))
        slow = [asyncio.ensure_future(calls.call("slow", seconds=90)) for _ in range(4)]
        await asyncio.sleep(0)
        await asyncio.gather(*slow, *(calls.call("") for _ in range(1500)))
        return calls

    calls = run(story())
    assert [when for name, when in calls.left if name == "slow"] == [0] * 4
    assert min(when for name, when in calls.left if not name) == 90
    assert most_in_a_minute(calls.times) <= 600


def test_a_full_bucket_does_not_hold_places_others_need():
    """A hundred calls that wait for slots of one resource leave the places to the other resource."""

    async def story() -> Calls:
        calls = Calls(Budget(LoopClock(), book=MemoryRateBook(ONE_AT_A_TIME), in_flight=2))
        tasks = [asyncio.ensure_future(calls.call("order")) for _ in range(5)]
        await pass_seconds(1)
        await calls.call("customer", resource="customer")
        await asyncio.gather(*tasks)
        return calls

    assert ("customer", 1.0) in run(story()).left


def test_frees_its_place_when_a_call_fails():
    """Errors must not eat places until nothing moves."""

    async def story() -> None:
        budget = Budget(LoopClock(), book=NoLimits(), in_flight=1)
        for _ in range(3):
            with pytest.raises(RuntimeError):
                async with asyncio.timeout(5), budget.admission(SE, "customer"):
                    raise RuntimeError

    run(story())


def test_a_call_that_is_given_up_leaves_its_turn_to_the_next():
    """A cancelled call takes neither a slot nor a place with it, whenever it is cancelled."""

    async def story(when: float) -> Calls:
        calls = Calls(Budget(LoopClock(), book=MemoryRateBook(ONE_AT_A_TIME), in_flight=1))
        await calls.call("first")
        given_up = asyncio.ensure_future(calls.call("given up"))
        await asyncio.sleep(0)
        waiting = asyncio.ensure_future(calls.call("waiting"))
        await pass_seconds(when)
        given_up.cancel()
        await waiting
        await calls.call("last")
        return calls

    for when in (0, 1, 5, 6.5):
        calls = run(story(when))
        assert calls.names == ["first", "waiting", "last"]
        assert calls.times[1] <= 7


def test_a_call_that_is_given_up_just_as_its_turn_comes_hands_the_place_on():
    """The place was given in the same instant: nobody else would ever free it."""

    async def story() -> list[str]:
        calls = Calls(Budget(LoopClock(), book=NoLimits(), in_flight=1))
        holder = calls.budget.admission(SE, "order")
        await holder.__aenter__()
        given_up = asyncio.ensure_future(calls.call("given up"))
        waiting = asyncio.ensure_future(calls.call("waiting"))
        await asyncio.sleep(0)
        await holder.__aexit__(None, None, None)  # gives the place to the first, whose task has not run yet
        given_up.cancel()
        await waiting
        return calls.names

    assert run(story()) == ["waiting"]


def test_nothing_runs_when_nobody_waits():
    """A bucket whose last caller gave up has no timer left (``run`` looks for tasks); it works again afterwards."""

    async def story() -> list[float]:
        calls = Calls(Budget(LoopClock(), book=MemoryRateBook(ONE_AT_A_TIME)))
        await calls.call("first")
        given_up = asyncio.ensure_future(calls.call("given up"))
        await pass_seconds(1)
        assert len(asyncio.all_tasks()) == 3
        given_up.cancel()
        again = asyncio.ensure_future(calls.call("again"))
        await pass_seconds(0.01)
        assert len(asyncio.all_tasks()) == 3
        await again
        return calls.times

    times = run(story())
    assert len(times) == 2
    assert times[1] < 15


def test_asks_the_book_about_once_a_second_and_tells_it_what_left():
    """A reservation is a database transaction; ten minutes of calls need about as many as seconds."""

    async def story() -> tuple[CountingBook, Calls]:
        book = CountingBook(Limit())
        calls = Calls(Budget(LoopClock(), book=book))
        await asyncio.gather(*(calls.call("") for _ in range(4900)))
        return book, calls

    book, calls = run(story())
    assert calls.times[-1] == pytest.approx(600, abs=3)
    assert len(book.asked) < 800
    assert 4800 <= book.left <= 4900


def test_a_slow_book_costs_no_slots():
    """Slots are asked for ahead of time, so that half a second of a busy disk does not waste them."""

    async def story(seconds: float) -> float:
        calls = Calls(Budget(LoopClock(), book=CountingBook(Limit(), seconds=seconds)))
        await asyncio.gather(*(calls.call("") for _ in range(2000)))
        return calls.times[-1]

    quick = run(story(0.0))
    assert run(story(0.3)) <= quick * 1.02 + 2
    assert run(story(1.5)) <= quick * 1.8  # a chunk is a second's worth, and one is asked for at a time


def test_a_book_that_fails_tells_everybody_who_waits():
    """No caller may hang because the ledger is gone; the next one asks again."""

    async def story() -> int:
        budget = Budget(LoopClock(), book=BrokenBook())
        calls = Calls(budget)
        async with asyncio.timeout(5):
            results = await asyncio.gather(*(calls.call("") for _ in range(3)), return_exceptions=True)
            results += await asyncio.gather(calls.call(""), return_exceptions=True)
        return sum(isinstance(result, StoreError) for result in results)

    assert run(story()) == 4


def test_several_workers_share_one_book_and_keep_the_limit_together():
    """Four budgets, one bucket: together they use it, none of them starves."""

    async def story() -> list[Calls]:
        book = MemoryRateBook()
        workers = [Calls(Budget(LoopClock(), book=book)) for _ in range(4)]
        await asyncio.gather(*(worker.call("") for worker in workers for _ in range(500)))
        return workers

    workers = run(story())
    times = [when for worker in workers for when in worker.times]
    assert most_in_a_minute(times) <= 500
    assert max(times) <= 2000 * 60 / 490 + 5
    assert all(sum(when < 120 for when in worker.times) >= 100 for worker in workers)


def test_an_urgent_call_of_one_worker_goes_before_the_normal_calls_of_all():
    """The others may have reserved some seconds, but never the last part of the time ahead."""

    async def story() -> float:
        book = MemoryRateBook()
        busy, other = (Calls(Budget(LoopClock(), book=book)) for _ in range(2))
        tasks = [asyncio.ensure_future(busy.call("")) for _ in range(1000)]
        await pass_seconds(90)
        await other.urgent("suspend")
        await asyncio.gather(*tasks)
        return other.times[0] - 90

    assert run(story()) <= 3


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.floats(0, 5),
            st.sampled_from(["call", "urgent", "cancel"]),
            st.floats(0, 8),
            st.sampled_from(["order", "subscription", "/free"]),
        ),
        max_size=80,
    ),
    st.integers(1, 6),
)
def test_everybody_leaves_in_the_end_and_no_minute_sees_too_much(
    steps: list[tuple[float, str, float, str]], in_flight: int
):
    """Whatever comes, waits, is slow or gives up: no wake-up is lost, no task is left."""

    async def story() -> tuple[Calls, int]:
        calls = Calls(Budget(LoopClock(), book=MemoryRateBook(Limit(30)), in_flight=in_flight))
        tasks: list[asyncio.Future[None]] = []
        for pause, what, seconds, resource in steps:
            await pass_seconds(pause)
            if what == "cancel" and tasks:
                tasks[int(seconds * 7) % len(tasks)].cancel()
            elif what == "urgent":
                tasks.append(asyncio.ensure_future(calls.urgent("order", seconds=seconds)))
            else:
                tasks.append(asyncio.ensure_future(calls.call(resource, resource=resource, seconds=seconds)))
        async with asyncio.timeout(3600):
            results = await asyncio.gather(*tasks, return_exceptions=True)
        return calls, sum(result is None for result in results)

    calls, done = run(story())
    assert done <= len(calls.left)
    for resource in ("order", "subscription"):
        times = [when for name, when in calls.left if name == resource]
        assert not times or most_in_a_minute(times) <= 30
