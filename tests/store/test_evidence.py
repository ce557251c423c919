"""Evidence in the ledger: what persons confirmed, on both databases."""

from dataclasses import replace

import pytest

from tenantfold.domain.evidence import TaskKind
from tenantfold.domain.model import SubscriptionId
from tenantfold.domain.plan import Disposition
from tenantfold.domain.records import Event
from tenantfold.domain.states import Phase
from tenantfold.errors import ConflictError
from tenantfold.store import Store
from tests.store.samples import NOW, customer_id, evidence, later, plan_customer, saved_plan, step_of


def event(number: int) -> Event:
    """The line of history beside a confirmation."""
    return Event(at=later(minutes=3), customer_id=customer_id(number), name="task.done", facts={"task": "x"})


@pytest.fixture
async def planned(store: Store) -> Store:
    """A ledger with two customers that accepted and wait for a person."""
    await saved_plan(store, plan_customer(1), plan_customer(2))
    await store.mark_accepted([customer_id(1), customer_id(2)], NOW)
    for number in (1, 2):
        await store.record_step(await step_of(store, number, Phase.BY_HAND, due_at=None), NOW)
    return store


async def test_a_case_holds_what_was_confirmed_oldest_first(planned: Store):
    """Every field comes back; a later confirmation stands behind the earlier, which stays."""
    first = evidence(1, note="not sure", file="ä.pdf", sha256="ab" * 32)
    second = evidence(1, TaskKind.BOUGHT_AT_TARGET, at=later(minutes=9), target_id=SubscriptionId("new-1"))
    for one in (first, second):
        await planned.record_evidence(one, event(1), one.at)
    case = await planned.case(customer_id(1))
    assert case is not None
    assert case.evidence == (first, second)


async def test_evidence_is_of_one_customer_or_of_all(planned: Store):
    """A question about one customer is not answered with another's."""
    for number in (2, 1):
        await planned.record_evidence(evidence(number), event(number), NOW)
    assert await planned.evidence(customer_id(2)) == (evidence(2),)
    assert await planned.evidence() == (evidence(2), evidence(1))
    assert await planned.evidence(customer_id(9)) == ()


async def test_who_was_confirmed_for_is_due_at_once_and_nobody_else(planned: Store):
    """What waited for a person goes on without anybody asking; its history says so."""
    await planned.record_evidence(evidence(1), event(1), later(minutes=4))
    assert await planned.due_customers(later(hours=1), 10) == (customer_id(1),)
    assert await planned.next_due_at() == later(minutes=4)
    assert await planned.events(customer_id(1), name="task.done") == (event(1),)


async def test_a_step_that_did_not_see_the_evidence_is_refused(planned: Store):
    """Whoever drives the customer meanwhile must look again, or the confirmation would go unseen."""
    stale = await step_of(planned, 1, Phase.BY_HAND, due_at=None)
    await planned.record_evidence(evidence(1), event(1), NOW)
    with pytest.raises(ConflictError):
        await planned.record_step(stale, NOW)


async def test_evidence_makes_nobody_due_who_may_not_be_driven(store: Store):
    """Somebody who has not accepted, is blocked or has moved is not handed out because of a confirmation."""
    await saved_plan(store, plan_customer(1), plan_customer(2, Disposition.BLOCKED), plan_customer(3))
    await store.mark_accepted([customer_id(2), customer_id(3)], NOW)
    moved = await step_of(store, 3, Phase.MOVED)
    await store.record_step(replace(moved, progress=replace(moved.progress, due_at=None)), NOW)
    for number in (1, 2, 3):
        await store.record_evidence(evidence(number), event(number), NOW)
    assert await store.due_customers(later(hours=1), 10) == ()
