from collections.abc import Sequence
from dataclasses import replace

import pytest

from tenantfold.domain.findings import Severity
from tenantfold.domain.journal import OutcomeKind
from tenantfold.domain.plan import Disposition
from tenantfold.domain.states import Phase
from tenantfold.store import COLUMNS, RowSet, Store
from tenantfold.store.rows import Plain
from tests.store.samples import (
    BLOCKER,
    NOW,
    OTHER_SOURCE,
    SOURCE,
    TARGET,
    counterpart,
    customer,
    customer_id,
    intent,
    later,
    outcome,
    plan_customer,
    plan_item,
    saved_plan,
    send,
    snapshot_of,
    step_of,
    subscription,
)


async def all_rows(store: Store, name: RowSet) -> list[dict[str, Plain]]:
    """The whole stream, every row by column."""
    return [dict(zip(COLUMNS[name], row, strict=True)) async for row in store.rows(name)]


def picked(rows: Sequence[dict[str, Plain]], *columns: str) -> list[tuple[Plain, ...]]:
    """Some columns of the rows."""
    return [tuple(row[column] for column in columns) for row in rows]


@pytest.mark.parametrize("name", list(RowSet))
async def test_an_empty_ledger_has_headings_and_no_rows(store: Store, name: RowSet):
    """Every stream knows its columns, each with its meaning, before there is anything in it."""
    page = await store.row_page(name)
    assert (page.columns, page.rows, page.next_after) == (tuple(COLUMNS[name]), (), None)
    assert all(COLUMNS[name].values())


async def test_customers_as_every_tenant_sees_them(store: Store):
    """One row per customer and tenant, by customer, of the newest complete snapshots only."""
    await snapshot_of(store, SOURCE, {1: [], 2: []})
    await snapshot_of(store, TARGET, {2: []})
    await snapshot_of(store, OTHER_SOURCE, {2: []})
    unfinished = await store.open_snapshot(SOURCE, NOW)
    await store.save_customer_page(unfinished, [customer(9)], "more")
    rows = await all_rows(store, RowSet.CUSTOMERS)
    assert picked(rows, "customer_id", "tenant", "side", "reading", "snapshot") == [
        (customer_id(1), "se", "source", "read", 1),
        (customer_id(2), "fi", "source", "read", 1),
        (customer_id(2), "se", "source", "read", 1),
        (customer_id(2), "central", "target", "read", 1),
    ]


async def test_subscriptions_of_both_sides(store: Store):
    """Every subscription with its customer's name, as plain values."""
    await snapshot_of(store, SOURCE, {1: [subscription(1, "b"), subscription(1, "a", parent_id="p", is_trial=True)]})
    await snapshot_of(store, TARGET, {1: [subscription(1, "t", TARGET, wire_status="brand-new-status")]})
    rows = await all_rows(store, RowSet.SUBSCRIPTIONS)
    assert picked(rows, "subscription_id", "company_name", "tenant", "parent_id", "is_trial", "wire_status") == [
        (f"{SOURCE}-1-a", "Company 1", "se", "p", True, "active"),
        (f"{SOURCE}-1-b", "Company 1", "se", None, False, "active"),
        (f"{TARGET}-1-t", "Company 1", "central", None, False, "brand-new-status"),
    ]
    assert (rows[0]["created_at"], str(rows[0]["commitment_end_on"])) == (NOW, "2027-02-28")


async def test_the_plan_item_by_item(store: Store):
    """The newest plan; a customer without subscriptions has a row of its own."""
    await saved_plan(store, plan_customer(5))
    await saved_plan(
        store,
        plan_customer(1, items=(plan_item(1, "a"), plan_item(1, "b", findings=(BLOCKER, BLOCKER)))),
        plan_customer(2, Disposition.BLOCKED, items=()),
    )
    rows = await all_rows(store, RowSet.PLAN)
    assert picked(rows, "customer_id", "disposition", "subscription_id", "customer_findings", "item_findings") == [
        (customer_id(1), "move", f"{SOURCE}-1-a", "", ""),
        (customer_id(1), "move", f"{SOURCE}-1-b", "", "offer_not_sold offer_not_sold"),
        (customer_id(2), "blocked", None, "offer_not_sold", None),
    ]


async def test_findings_one_a_row_the_customers_own_first(store: Store):
    """Of the newest plan only; with the tenant of a subscription, and a day where there is one."""
    dated = replace(BLOCKER, severity=Severity.WARNING, estimated_on=NOW.date())
    await saved_plan(store, plan_customer(5, Disposition.BLOCKED))
    await saved_plan(
        store,
        plan_customer(1),
        plan_customer(2, Disposition.BLOCKED, items=(plan_item(2, "a"), plan_item(2, "b", findings=(dated,)))),
    )
    rows = await all_rows(store, RowSet.FINDINGS)
    assert picked(rows, "customer_id", "disposition", "tenant", "subscription_id", "severity", "estimated_on") == [
        (customer_id(2), "blocked", None, None, "blocker", None),
        (customer_id(2), "blocked", "se", f"{SOURCE}-2-b", "warning", NOW.date()),
    ]
    assert picked(rows[:1], "code", "rule", "detail", "owner", "next_action") == [
        ("offer_not_sold", "R-121", "No longer sold.", "approver", "Map it.")
    ]


async def test_results_say_what_became_of_every_source_subscription(store: Store):
    """Moved and unmoved ones, also of a customer that the newest plan no longer has."""
    await saved_plan(store, plan_customer(1), plan_customer(2, items=(plan_item(2, "a"), plan_item(2, "b"))))
    done = counterpart(1, verified_at=later(minutes=1), suspended_at=later(minutes=2))
    await store.record_step(await step_of(store, 1, Phase.MOVED, counterparts=(done,)), NOW)
    await store.record_step(
        await step_of(store, 2, Phase.DRIFTED, counterparts=(counterpart(2, "new-2"),), detail="count differs"), NOW
    )
    await saved_plan(store, plan_customer(2, items=(plan_item(2, "a"), plan_item(2, "b"))))
    rows = await all_rows(store, RowSet.RESULTS)
    assert picked(rows, "subscription_id", "target_id", "origin", "suspended_at", "phase", "reason") == [
        (f"{SOURCE}-1-a", "new-1", "created", later(minutes=2), "moved", ""),
        (f"{SOURCE}-2-a", "new-2", "created", None, "drifted", "count differs"),
        (f"{SOURCE}-2-b", None, None, None, "drifted", "count differs"),
    ]
    assert picked(rows[:1], "tenant", "offer_id", "license_count", "cutover_on", "verified_at") == [
        ("se", "OFFER-E3", 5, NOW.date(), later(minutes=1))
    ]


async def test_results_keep_what_moved_when_a_later_plan_no_longer_sees_it(store: Store):
    """What was transferred is gone from the source; it is listed as the last plan that had it knew it."""
    both = (plan_item(1, "a", license_count=3), plan_item(1, "b"))
    await saved_plan(store, plan_customer(1, items=(plan_item(1, "a"), plan_item(1, "b"))))
    await saved_plan(store, plan_customer(1, items=both))
    gone = counterpart(1, verified_at=later(minutes=1))
    await store.record_step(await step_of(store, 1, Phase.TRANSFERRING, counterparts=(gone,)), NOW)
    await saved_plan(store, plan_customer(1, items=both[1:]))
    rows = await all_rows(store, RowSet.RESULTS)
    assert picked(rows, "subscription_id", "license_count", "target_id", "verified_at") == [
        (f"{SOURCE}-1-a", 3, "new-1", later(minutes=1)),
        (f"{SOURCE}-1-b", 5, None, None),
    ]


async def test_the_journal_from_the_first_intent_to_the_last(store: Store):
    """Every intent with its outcome, or with nothing where the effect is unknown."""
    plan = await saved_plan(store, plan_customer(1))
    await send(store, intent(1, "k-2", plan.id))
    await send(store, intent(1, "k-1", plan.id))
    ended = outcome("k-2", OutcomeKind.ADOPTED)
    await store.record_step(await step_of(store, 1, Phase.CUTTING_OVER, outcome=ended), NOW)
    rows = await all_rows(store, RowSet.JOURNAL)
    assert picked(rows, "key", "kind", "outcome", "settled_at", "order_id", "subjects") == [
        ("k-2", "place_order", "adopted", later(seconds=2), "order-9", f"{SOURCE}-1-a"),
        ("k-1", "place_order", None, None, None, f"{SOURCE}-1-a"),
    ]
    assert rows[1]["request_id"] == str(intent(1, "k-1").request_id)


@pytest.mark.parametrize("name", list(RowSet))
async def test_pages_add_up_to_the_whole_in_order(store: Store, name: RowSet):
    """However small the pages, every row comes once and in the same order; whole customers stay together."""
    numbers = range(1, 8)
    for tenant in (SOURCE, TARGET):
        held = {number: [subscription(number, one, tenant) for one in "ab"] for number in numbers}
        await snapshot_of(store, tenant, held)
    plan = await saved_plan(
        store,
        *(
            plan_customer(number, items=(plan_item(number, "a"), plan_item(number, "b", findings=(BLOCKER,))))
            for number in numbers
        ),
    )
    for number in numbers:
        await send(store, intent(number, f"k-{number}", plan.id))
    whole = [row async for row in store.rows(name)]
    counts = {RowSet.JOURNAL: 7, RowSet.CUSTOMERS: 14, RowSet.SUBSCRIPTIONS: 28, RowSet.FINDINGS: 7}
    assert len(whole) == counts.get(name, 14)
    for limit in (1, 2, 7):
        found: list[tuple[Plain, ...]] = []
        after: str | None = ""
        while after is not None:
            page = await store.row_page(name, after, limit)
            found += page.rows
            after = page.next_after
        assert found == whole
