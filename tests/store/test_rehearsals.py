"""What rehearsals read, copy and keep, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenantfold.domain.model import OfferId, SubscriptionId
from tenantfold.domain.plan import Disposition
from tenantfold.domain.states import Phase
from tenantfold.store import RowSet, Store
from tenantfold.store.database import Database
from tenantfold.store.rehearsals import KEPT_BATCH, Rehearsals
from tests.reports.test_rehearsal_report import PREDICTION
from tests.store.samples import (
    NOW,
    SOURCE,
    TARGET,
    counterpart,
    customer,
    customer_id,
    intent,
    later,
    offer,
    outcome,
    plan_customer,
    plan_item,
    saved_plan,
    send,
    snapshot_of,
    step_of,
    subscription,
)


async def test_a_snapshot_streams_in_order_with_every_document(store: Store):
    """Beyond one batch, customers come by id, each with its subscriptions and the bytes they were read from."""
    last = KEPT_BATCH + 2
    held = {number: [subscription(number, "b"), subscription(number, "a")] if number < 3 else [] for number in (1, 2)}
    held |= {number: [] for number in range(3, last + 1)}
    snapshot = await store.open_snapshot(SOURCE, NOW)
    await store.save_customer_page(snapshot, [customer(number) for number in held], None)
    await store.save_customers(snapshot, [(customer(number), held[number]) for number in held if number != last])
    found = [one async for one in Rehearsals(store.database).kept_customers(snapshot)]
    assert [one.customer.value.id for one in found] == [customer_id(number) for number in range(1, last + 1)]
    assert found[0].customer == customer(1)
    assert found[0].subscriptions == (subscription(1, "a"), subscription(1, "b"))
    assert (found[-2].is_read, found[-1].is_read) == (True, False)


async def test_a_catalog_comes_with_its_documents(store: Store):
    """By offer id, of one country only."""
    snapshot = await store.open_snapshot(TARGET, NOW)
    await store.save_offers(snapshot, "SE", [offer("Z"), offer("A")])
    await store.save_offers(snapshot, "NO", [offer("N", "NO")])
    assert await Rehearsals(store.database).kept_offers(snapshot, "SE") == [offer("A"), offer("Z")]


async def _begun(store: Store) -> None:
    """A plan of three customers: one moved, one accepted, one blocked."""
    item = plan_item(1, target_offer_id=OfferId("OFFER-NEW"))
    await saved_plan(
        store, plan_customer(1, items=(item,)), plan_customer(2), plan_customer(3, Disposition.BLOCKED), now=NOW
    )
    await store.mark_accepted([customer_id(1), customer_id(2)], NOW)
    await send(store, intent(1))
    step = await step_of(
        store,
        1,
        Phase.MOVED,
        outcome=outcome(),
        counterparts=(counterpart(1, suspended_at=later(hours=1)),),
        event="cutover.customer.moved",
        facts={"subscriptions": "1"},
    )
    await store.record_step(step, later(hours=1))


async def test_what_the_twin_asks_of_plan_and_progress(store: Store):
    """Who is to move, who accepted, what the plan orders in place of what, and when the move began."""
    await _begun(store)
    rows = Rehearsals(store.database)
    plan = await store.newest_plan()
    assert plan is not None
    assert await rows.customers_to_move(plan.id) == (customer_id(1), customer_id(2))
    assert await rows.accepted_customers() == {customer_id(1), customer_id(2)}
    wanted = [SubscriptionId(f"{SOURCE}-1-a"), SubscriptionId("unknown")]
    ordered = await rows.ordered_items(wanted)
    assert {one: item.target_offer_id for one, item in ordered.items()} == {
        SubscriptionId(f"{SOURCE}-1-a"): OfferId("OFFER-NEW")
    }
    assert await rows.begun_at(plan.id) == NOW
    assert await rows.begun_at(plan.id, later(seconds=1)) is None
    assert await rows.begun_at(plan.id + 1) is None


async def test_the_copy_holds_everything_a_run_needs_and_nothing_that_was_read(store: Store, tmp_path: Path):
    """Plans, progress, journal and history are the same on the copy, also from PostgreSQL; snapshots stay behind."""
    await snapshot_of(store, SOURCE, {1: [subscription(1, "a")]})
    await _begun(store)
    async with Store.open(f"sqlite:///{tmp_path / 'copy.db'}", inline=True) as copy:
        await copy.migrate()
        await Rehearsals(store.database).copy_to(copy.database)
        for name in (RowSet.JOURNAL, RowSet.RESULTS):
            assert [row async for row in copy.rows(name)] == [row async for row in store.rows(name)]
        assert await copy.newest_plan() == await store.newest_plan()
        for number in (1, 2, 3):
            assert await copy.case(customer_id(number)) == await store.case(customer_id(number))
        assert await copy.events() == await store.events()
        assert await copy.newest_snapshot(SOURCE) is None
        await send(copy, intent(2, "key-2"))  # numbers go on where the original's ended
    assert len([row async for row in store.rows(RowSet.JOURNAL)]) == 1


async def test_only_an_inline_ledger_can_be_the_copy(store: Store, tmp_path: Path):
    """A ledger with threads would let virtual time run away; it is refused before anything is written."""
    database = Database.open(f"sqlite:///{tmp_path / 'copy.db'}")
    with pytest.raises(ValueError, match="inline"):
        await Rehearsals(store.database).copy_to(database)
    await database.close()


async def test_a_prediction_comes_back_as_it_was_kept_and_the_newest_counts(store: Store):
    """By plan; a plan that nobody rehearsed has none."""
    rows = Rehearsals(store.database)
    first = await saved_plan(store, plan_customer(1))
    assert await rows.newest(first.id) is None
    await rows.save(first.id, PREDICTION, NOW)
    kept = await rows.save(first.id, PREDICTION, later(hours=1))
    found = await rows.newest(first.id)
    assert found == kept
    assert found is not None
    assert (found.at, found.prediction) == (later(hours=1), PREDICTION)
    second = await saved_plan(store, plan_customer(1), now=later(hours=2))
    assert await rows.newest(second.id) is None
