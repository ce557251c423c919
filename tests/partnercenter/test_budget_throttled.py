"""What a 429 pauses: its customer, its tenant's resource, or everybody who shares the book; on virtual time."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenantfold.clock import ManualClock
from tenantfold.domain.model import TenantId
from tenantfold.domain.rates import Limit
from tenantfold.partnercenter import Budget, MemoryRateBook, NoLimits
from tests.partnercenter.virtual import NOON, LoopClock, loop_seconds, pass_seconds, run, since_noon

SE, NO = TenantId("se"), TenantId("no")
FAST = Limit(6000)  # a slot every ten milliseconds


@dataclass
class Service:
    """A pretended service: which customers it turns away at which second, and how long answers take."""

    budget: Budget
    refused: dict[str, list[float]] = field(default_factory=dict)  # customer -> Retry-After of its next answers
    seconds: dict[str, float] = field(default_factory=dict)  # customer -> how long its answers take
    left: list[tuple[str, float]] = field(default_factory=list)

    async def call(self, customer: str, *, resource: str = "order", tenant: TenantId = SE) -> None:
        """One call, made once."""
        async with self.budget.admission(tenant, resource, customer) as admission:
            self.left.append((customer, since_noon(admission.left_at)))
            retry_after = self.refused[customer].pop(0) if self.refused.get(customer) else None
            await pass_seconds(self.seconds.get(customer, 0.2))
            if retry_after is not None:
                admission.refused(retry_after)

    def times(self, customer: str) -> list[float]:
        """When this customer's calls left."""
        return [when for name, when in self.left if name == customer]


def test_a_429_with_nobody_beside_it_pauses_the_tenant():
    """Without a sign that others are served, the worst case holds (core reference 4)."""

    async def story() -> Service:
        service = Service(Budget(LoopClock(), book=MemoryRateBook(FAST)), {"a": [30]})
        await service.call("a")
        assert service.budget.pause_left(SE, "order") == pytest.approx(30)
        assert service.budget.pause_left(NO, "order") == 0
        await asyncio.gather(
            service.call("b"), service.call("c", tenant=NO), service.call("d", resource="subscription")
        )
        return service

    service = run(story())
    assert service.times("b")[0] >= 30.2
    assert service.times("c") == service.times("d") == [0.2]


def test_a_customer_that_alone_is_throttled_does_not_stall_the_others():
    """Another customer's call, sent at the same time, went well: the limit is that customer's."""

    async def story() -> tuple[Service, MemoryRateBook]:
        book = MemoryRateBook(FAST)
        service = Service(Budget(LoopClock(), book=book), {"a": [30]})
        await asyncio.gather(service.call("a"), service.call("b"))
        await asyncio.gather(service.call("a"), *(service.call("c") for _ in range(10)))
        return service, book

    service, book = run(story())
    assert service.times("a") == [0, pytest.approx(30.2)]
    assert max(service.times("c")) < 1
    assert book.rates[SE, "order"].throttled == 0


def test_waits_for_the_verdict_of_a_slower_call():
    """While another customer's call is under way nobody leaves; when it goes well all go on at once."""

    async def story() -> Service:
        service = Service(Budget(LoopClock(), book=MemoryRateBook(FAST)), {"a": [30]}, {"b": 1.0})
        first = [asyncio.ensure_future(service.call(name)) for name in ("a", "b")]
        await pass_seconds(0.5)
        await asyncio.gather(*first, *(service.call("c") for _ in range(3)))
        return service

    assert run(story()).times("c")[0] == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("witness", [90.0, 3.0])
def test_a_verdict_does_not_take_longer_than_two_seconds(witness: float):
    """A call that hangs says nothing; the worst case holds then."""

    async def story() -> Service:
        service = Service(Budget(LoopClock(), book=MemoryRateBook(FAST)), {"a": [30]}, {"b": witness})
        first = [asyncio.ensure_future(service.call(name)) for name in ("a", "b")]
        await pass_seconds(0.5)
        waiting = asyncio.ensure_future(service.call("c"))
        await pass_seconds(10)
        assert service.budget.pause_left(SE, "order") > 15
        await asyncio.gather(*first, waiting)
        return service

    assert run(story()).times("c")[0] >= 30


def test_two_customers_turned_away_mean_the_tenant():
    """A window that is just full lets some through and turns others away."""

    async def story() -> tuple[Service, MemoryRateBook]:
        book = MemoryRateBook(FAST)
        service = Service(Budget(LoopClock(), book=book), {"a": [5], "b": [5]})
        await asyncio.gather(*(service.call(name) for name in "abc"))
        await service.call("d")
        return service, book

    service, book = run(story())
    assert service.times("d")[0] >= 5.2
    assert book.rates[SE, "order"].throttled == 1
    assert book.rates[SE, "order"].per_minute == pytest.approx(FAST.pace * 0.75, rel=0.01)


def test_a_call_sent_before_says_nothing_about_what_came_after():
    """The call that filled the window went well; the next one was turned away."""

    async def story() -> Service:
        service = Service(Budget(LoopClock(), book=MemoryRateBook(FAST)), {"a": [30]}, {"b": 0.4})
        before = asyncio.ensure_future(service.call("b"))
        await pass_seconds(0.1)
        await asyncio.gather(before, service.call("a"))
        await service.call("c")
        return service

    assert run(story()).times("c")[0] >= 30


def test_everybody_on_the_book_keeps_to_a_pause():
    """Another worker's 429 holds for us, too: it shows in the next reservation."""

    async def story() -> float:
        book = MemoryRateBook(FAST)
        here, there = (Service(Budget(LoopClock(), book=book)) for _ in range(2))
        here.refused["a"] = [30]
        await here.call("a")
        await there.call("b")
        return there.times("b")[0]

    assert run(story()) >= 30.2


def test_there_is_no_rush_after_a_pause():
    """Sixty calls waited; they come back one by one at the slower pace."""

    async def story() -> Service:
        service = Service(Budget(LoopClock(), book=MemoryRateBook(Limit(600))), {"": [10]})
        await service.call("")
        await asyncio.gather(*(service.call("x") for _ in range(60)))
        return service

    times = run(story()).times("x")
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert times[0] > 10.2
    assert min(gaps) > 0.13
    assert all(sum(start <= one < start + 1 for one in times) <= 8 for start in times)


def test_a_resource_without_a_limit_is_paced_once_it_was_throttled():
    """All calls to the host may be throttled; where nothing is published, the first 429 is the news."""

    async def story() -> Service:
        service = Service(Budget(LoopClock(), book=MemoryRateBook(Limit(60))), {"": [1]})
        await asyncio.gather(*(service.call("", resource="/free") for _ in range(50)))
        await asyncio.gather(*(service.call("later", resource="/free") for _ in range(10)))
        return service

    service = run(story())
    assert set(service.times("")) == {0}
    assert service.times("later")[-1] > 10


def test_without_limits_a_pause_ends_for_all_at_once():
    """An emulator without limits still may say Retry-After."""

    async def story() -> Service:
        service = Service(Budget(LoopClock(), book=NoLimits()), {"a": [30]})
        await service.call("a")
        await asyncio.gather(*(service.call("b") for _ in range(60)))
        return service

    assert set(run(story()).times("b")) == {30.2}


async def test_works_on_a_clock_that_is_moved_by_hand():
    """Rehearsals and tests pass time at once, without a loop of their own."""
    clock = ManualClock(NOON)
    budget = Budget(clock, book=MemoryRateBook(Limit(60)))
    left = []
    for _ in range(30):
        async with budget.admission(SE, "order") as admission:
            left.append(since_noon(admission.left_at))
    assert left[:6] == [0] * 6
    assert left[-1] == pytest.approx(24 * 60 / 52.8, abs=0.1)


def test_a_clock_that_is_set_back_stalls_nobody():
    """The laptop was an hour ahead until the first answer told the server's time."""

    class WrongClock(LoopClock):
        """An hour ahead during the first second."""

        def now(self):
            ahead = 3600 if loop_seconds() < 1 else 0
            return super().now().replace(hour=12 + ahead // 3600)

    async def story() -> float:
        budget = Budget(WrongClock(), book=MemoryRateBook(Limit(60)))
        service = Service(budget)
        await asyncio.gather(*(service.call("a") for _ in range(12)))
        return loop_seconds()

    assert run(story()) < 30


def test_whoever_waits_for_a_place_while_its_customer_is_paused_goes_on_after_the_pause():
    """The last place came free just when the waiting customer was turned away: only time can help it, and does."""

    async def story() -> Service:
        budget = Budget(LoopClock(), book=MemoryRateBook(FAST), in_flight=2)
        service = Service(budget, {"a": [30]}, {"a": 1.0, "b": 0.1, "c": 2.0})
        async with asyncio.timeout(100):
            await asyncio.gather(*(service.call(name) for name in ("a", "b", "c", "a")))
        return service

    service = run(story())
    assert service.times("a") == [0, pytest.approx(31, abs=0.1)]
    assert service.times("c") == [pytest.approx(0.1, abs=0.05)]


@settings(deadline=None, max_examples=100)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([0.0, 0.001, 0.2, 3.0]),  # until the call comes
            st.sampled_from("abc"),
            st.sampled_from(["order", "/free"]),
            st.sampled_from([0.0, 0.1, 1.0, 8.0]),  # how long it takes
            st.sampled_from([None, None, None, 1.0, 30.0]),  # Retry-After
        ),
        min_size=10,
        max_size=60,
    ),
    st.integers(1, 5),
    st.sampled_from([10, 600, 6000]),
)
def test_everybody_leaves_in_the_end_whoever_is_turned_away(
    steps: list[tuple[float, str, str, float, float | None]], in_flight: int, per_minute: int
):
    """Pauses of customers and tenants, few places and slow answers: no wake-up is lost."""

    async def story() -> None:
        budget = Budget(LoopClock(), book=MemoryRateBook(Limit(per_minute)), in_flight=in_flight)

        async def call(customer: str, resource: str, seconds: float, retry_after: float | None) -> None:
            async with budget.admission(SE, resource, customer) as admission:
                await pass_seconds(seconds)
                if retry_after is not None:
                    admission.refused(retry_after)

        tasks = []
        for pause, customer, resource, seconds, retry_after in steps:
            await pass_seconds(pause)
            tasks.append(asyncio.ensure_future(call(customer, resource, seconds, retry_after)))
        async with asyncio.timeout(36_000):
            await asyncio.gather(*tasks)

    run(story())
