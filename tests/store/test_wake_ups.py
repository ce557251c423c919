"""Wake-ups in the ledger: what a delivery asks for reaches whoever runs, once, on both databases."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from tenantfold.domain.model import CustomerId
from tenantfold.domain.plan import Disposition
from tenantfold.domain.records import Event
from tenantfold.domain.states import Phase
from tenantfold.store import Store
from tests.store.samples import NOW, customer_id, plan_customer, saved_plan, step_of

QUIET = timedelta(seconds=60)


def event(at: datetime = NOW) -> Event:
    """A line of history of a delivery."""
    return Event(at=at, customer_id=None, name="webhook.test", facts={"delivered": "subscription-updated"})


async def due_at(store: Store, number: int) -> datetime | None:
    """When a customer is due."""
    case = await store.case(customer_id(number))
    assert case is not None
    return case.progress.due_at


async def waiting_until(store: Store, number: int, when: datetime | None) -> None:
    """An accepted customer in the middle of a transfer, looked at again later."""
    await store.mark_accepted([customer_id(number)], NOW)
    await store.record_step(await step_of(store, number, Phase.TRANSFERRING, due_at=when), NOW)


async def test_a_look_is_asked_for_once_and_taken_once(store: Store):
    """A flood of deliveries is one ask; of two workers one takes it."""
    await saved_plan(store, plan_customer(1))
    asked = [await store.ask_for_acceptances(customer_id(1), event()) for _ in range(5)]
    taken = await asyncio.gather(*(store.take_ask(NOW, QUIET) for _ in range(4)))
    assert asked == [True, False, False, False, False]
    assert sorted(taken) == [False, False, False, True]
    assert len(await store.events(name="webhook.test")) == 1


async def test_the_next_look_waits_for_the_quiet_time(store: Store):
    """Asked for again at once, it is taken a minute after the first."""
    await saved_plan(store, plan_customer(1))
    await store.ask_for_acceptances(None, event())
    assert await store.take_ask(NOW, QUIET)
    assert await store.ask_for_acceptances(None, event())
    assert not await store.take_ask(NOW + timedelta(seconds=59), QUIET)
    assert await store.take_ask(NOW + timedelta(seconds=60), QUIET)


async def test_an_ask_that_came_to_nothing_is_given_back(store: Store):
    """It waits for the quiet time like any other."""
    await saved_plan(store, plan_customer(1))
    await store.ask_for_acceptances(None, event())
    assert await store.take_ask(NOW, QUIET)
    await store.give_ask_back()
    assert not await store.take_ask(NOW, QUIET)
    assert await store.take_ask(NOW + QUIET, QUIET)


async def test_nobody_asks_where_nobody_is_waited_for(store: Store):
    """Without a plan, for a stranger, for who accepted or has nothing to move."""
    assert not await store.ask_for_acceptances(None, event())
    await saved_plan(store, plan_customer(1), plan_customer(2, Disposition.BLOCKED))
    assert not await store.ask_for_acceptances(customer_id(9), event())
    assert not await store.ask_for_acceptances(customer_id(2), event())
    await store.mark_accepted([customer_id(1)], NOW)
    assert not await store.ask_for_acceptances(customer_id(1), event())
    assert not await store.ask_for_acceptances(None, event())
    assert not await store.take_ask(NOW, QUIET)
    assert await store.events(name="webhook.test") == ()


async def test_a_customer_that_waits_becomes_due_now_and_soon_again_not(store: Store):
    """The second delivery within the quiet time makes it due when that is over."""
    await saved_plan(store, plan_customer(1))
    await waiting_until(store, 1, NOW + timedelta(hours=1))
    assert await store.due_customers(NOW, 10) == ()
    assert await store.wake_customer(customer_id(1), QUIET, event()) == NOW
    assert await store.due_customers(NOW, 10) == (customer_id(1),)
    assert await store.wake_customer(customer_id(1), QUIET, event()) is None
    await waiting_until(store, 1, NOW + timedelta(hours=1))
    second = NOW + timedelta(seconds=10)
    assert await store.wake_customer(customer_id(1), QUIET, event(second)) == NOW + QUIET
    assert await due_at(store, 1) == NOW + QUIET
    assert len(await store.events(name="webhook.test")) == 2


async def test_of_deliveries_at_the_same_moment_one_wakes(store: Store):
    """All of them saw the customer wait; the row's version lets one through."""
    await saved_plan(store, plan_customer(1))
    await waiting_until(store, 1, NOW + timedelta(hours=1))
    found = await asyncio.gather(*(store.wake_customer(customer_id(1), QUIET, event()) for _ in range(5)))
    assert sorted(one is None for one in found) == [False, True, True, True, True]
    assert len(await store.events(name="webhook.test")) == 1


async def test_a_wake_up_moves_the_version_so_that_a_late_writer_is_refused(store: Store):
    """As every write to a customer's row."""
    await saved_plan(store, plan_customer(1))
    await waiting_until(store, 1, NOW + timedelta(hours=1))
    before = await store.case(customer_id(1))
    await store.wake_customer(customer_id(1), QUIET, event())
    after = await store.case(customer_id(1))
    assert before is not None
    assert after is not None
    assert after.progress.version == before.progress.version + 1


@pytest.mark.parametrize(
    ("phase", "hours"), [(Phase.STRANDED, None), (Phase.TRANSFERRING, -1), (Phase.MOVED, None)], ids=str
)
async def test_who_waits_for_a_person_or_is_due_or_moved_is_left_alone(store: Store, phase: Phase, hours: int | None):
    """A delivery brings forward what was due later, and nothing else."""
    await saved_plan(store, plan_customer(1))
    await store.mark_accepted([customer_id(1)], NOW)
    when = None if hours is None else NOW + timedelta(hours=hours)
    await store.record_step(await step_of(store, 1, phase, due_at=when), NOW)
    assert await store.wake_customer(customer_id(1), QUIET, event()) is None
    assert await due_at(store, 1) == when


async def test_a_customer_nobody_planned_is_left_alone(store: Store):
    """Partners have other customers, too; no row is made for them."""
    assert await store.wake_customer(CustomerId("stranger"), QUIET, event()) is None
