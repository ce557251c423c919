import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import Connection, func, select, update

from tenantfold.domain.plan import Disposition, PlanCustomer
from tenantfold.errors import PlanMissingError, PlanStaleError, StoreError
from tenantfold.store import Store, plans, tables
from tests.domain.samples import checksum
from tests.store.samples import (
    BLOCKER,
    HEADER,
    NOW,
    customer_id,
    later,
    plan_customer,
    plan_item,
    saved_plan,
    streamed,
)

ALL = tuple(Disposition)


class PlanningFailedError(Exception):
    """What a test throws into the middle of a stream of customers."""


async def breaking_off(*customers: PlanCustomer) -> AsyncIterator[PlanCustomer]:
    """A planning that dies after these customers."""
    for one in customers:
        yield one
    raise PlanningFailedError


async def test_a_saved_plan_comes_back_as_it_was(store: Store):
    """Header, counts and every customer survive; the checksum of what comes back is the checksum of what went in."""
    customers = [plan_customer(number, ALL[number % 4]) for number in range(8)]
    record = await saved_plan(store, *customers)
    assert (record.header, record.created_at, record.customers, record.to_move, record.blocked) == (
        HEADER,
        NOW,
        8,
        2,
        2,
    )
    assert (record.approved_at, record.approved_by) == (None, "")
    assert await store.newest_plan() == record
    found = [one async for one in store.plan_customers(record.id)]
    assert found == customers
    assert record.checksum == checksum(HEADER, customers) == checksum(record.header, found)


async def test_customers_of_one_disposition_come_in_order_over_batch_limits(
    store: Store, monkeypatch: pytest.MonkeyPatch
):
    """Every customer of the disposition once, in id order, though batches are written and read three at a time."""
    monkeypatch.setattr(plans, "PLAN_BATCH", 3)
    record = await saved_plan(store, *(plan_customer(number, ALL[number % 4]) for number in range(30)))
    found = [one.customer_id async for one in store.plan_customers(record.id, Disposition.BLOCKED)]
    assert found == [customer_id(number) for number in range(30) if ALL[number % 4] is Disposition.BLOCKED]
    assert len([one async for one in store.plan_customers(record.id)]) == 30


async def test_one_customer_of_a_plan(store: Store):
    """By plan and id; None for a customer or plan that is not there."""
    record = await saved_plan(store, plan_customer(1))
    assert await store.plan_customer(record.id, customer_id(1)) == plan_customer(1)
    assert await store.plan_customer(record.id, customer_id(2)) is None
    assert await store.plan_customer(record.id + 1, customer_id(1)) is None


async def test_a_half_written_plan_is_invisible_and_the_one_before_stands(
    store: Store, monkeypatch: pytest.MonkeyPatch
):
    """Batches are in the database, the plan is not: nothing shows it and nobody's progress follows it."""
    monkeypatch.setattr(plans, "PLAN_BATCH", 2)
    before = await saved_plan(store, plan_customer(1))
    with pytest.raises(PlanningFailedError):
        await store.save_plan(HEADER, breaking_off(*map(plan_customer, range(1, 6))), NOW)
    count = select(func.count()).select_from(tables.plan_customer)
    assert await store.database.read(lambda conn: conn.execute(count).scalar_one()) == 5  # 1 + two batches of 2
    assert await store.newest_plan() == before
    assert await store.case(customer_id(2)) is None
    with pytest.raises(PlanMissingError):
        await store.approve_plan(before.id + 1, "Eva", NOW)


async def test_the_next_plan_sweeps_up_what_was_left_half_written(store: Store):
    """Its number is not used again, its rows are gone."""
    with pytest.raises(PlanningFailedError):
        await store.save_plan(HEADER, breaking_off(plan_customer(1)), NOW)
    record = await saved_plan(store, plan_customer(7))
    assert record.id == 2
    left = await store.database.read(lambda conn: list(conn.execute(select(tables.plan.c.id)).scalars()))
    assert left == [2]


@pytest.mark.parametrize("stuck_at", ["the first customer", "the end"])
async def test_the_later_of_two_plans_written_at_once_stands(store: Store, stuck_at: str):
    """A plan that is overtaken while it is written says so and changes nothing, wherever it was."""
    goes_on, begun = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[PlanCustomer]:
        if stuck_at == "the end":
            yield plan_customer(1)
        begun.set()
        await goes_on.wait()
        if stuck_at == "the first customer":
            yield plan_customer(1)

    first = asyncio.create_task(store.save_plan(HEADER, slow(), NOW))
    await begun.wait()
    second = await saved_plan(store, plan_customer(2))
    goes_on.set()
    with pytest.raises(PlanStaleError, match="that one stands"):
        await first
    assert await store.newest_plan() == second
    assert await store.case(customer_id(1)) is None


@pytest.mark.parametrize("numbers", [(2, 1), (1, 1)])
async def test_customers_out_of_order_are_refused(store: Store, numbers: tuple[int, int]):
    """The checksum rests on the order; a customer that comes twice would be approved twice."""
    with pytest.raises(StoreError, match="id order"):
        await saved_plan(store, *map(plan_customer, numbers))
    assert await store.newest_plan() is None


async def test_a_plan_of_nobody_is_a_plan(store: Store):
    """Nothing to do is an answer."""
    record = await saved_plan(store)
    assert (record.customers, record.to_move, record.blocked) == (0, 0, 0)
    assert await store.newest_plan() == record


async def test_an_approval_is_kept_with_name_and_time_and_the_first_one_stands(store: Store):
    """Who approved what, and when, is evidence: a second approval does not overwrite it."""
    plan = await saved_plan(store, plan_customer(1))
    approved = await store.approve_plan(plan.id, "Eva", later(hours=1))
    assert approved == replace(plan, approved_at=later(hours=1), approved_by="Eva")
    assert await store.approve_plan(plan.id, "Nils", later(hours=2)) == approved
    assert await store.newest_plan() == approved


async def test_only_the_newest_plan_can_be_approved(store: Store):
    """An approval of what is no longer planned would run something nobody read (invariant 5)."""
    old = await saved_plan(store, plan_customer(1))
    await saved_plan(store, plan_customer(1))
    with pytest.raises(PlanStaleError, match="not the newest"):
        await store.approve_plan(old.id, "Eva", NOW)
    with pytest.raises(PlanMissingError, match="no plan 99"):
        await store.approve_plan(99, "Eva", NOW)


async def test_items_keep_what_reports_ask_for(store: Store):
    """The columns beside the document say the same as the document."""
    item = plan_item(1, "b", target_offer_id=None, target_id="t-1", parent_id="p-1", findings=(BLOCKER,))
    await saved_plan(store, plan_customer(1, items=(plan_item(1, "a"), item)))
    columns = tables.plan_item.c
    query = select(columns.target_offer_id, columns.target_id, columns.parent_id, columns.findings)
    rows = await store.database.read(lambda conn: conn.execute(query.order_by(columns.subscription_id)).all())
    assert [tuple(row) for row in rows] == [("OFFER-E3", None, None, ""), (None, "t-1", "p-1", "offer_not_sold")]


async def test_an_empty_ledger_has_no_plan(store: Store):
    """Asking is no error."""
    assert await store.newest_plan() is None
    assert [one async for one in store.plan_customers(1)] == []
    assert await store.save_plan(HEADER, streamed([]), NOW) is not None


async def test_the_digest_of_a_plan_is_its_checksum_until_somebody_edits_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
):
    """Computed anew over every byte that is kept, over batch limits: what runs is what was approved (invariant 5)."""
    monkeypatch.setattr(plans, "PLAN_BATCH", 3)
    record = await saved_plan(store, *(plan_customer(number) for number in range(7)))
    assert await store.plan_digest(record.id) == record.checksum
    row = tables.plan_customer.c.customer_id == customer_id(5)

    def edit(conn: Connection) -> None:
        text = conn.execute(select(tables.plan_customer.c.value).where(row)).scalar_one()
        conn.execute(update(tables.plan_customer).where(row).values(value=text.replace("Company", "Companion")))

    await store.database.write(edit, durable=False)
    assert await store.plan_digest(record.id) != record.checksum
    with pytest.raises(PlanMissingError):
        await store.plan_digest(record.id + 1)
