"""What the history adds up to: calls of runs and workers, and cutovers that were late."""

from __future__ import annotations

from tenantfold.domain.records import CALLS_MADE, CUTOVER_LATE, RUN_FINISHED
from tenantfold.store import Store
from tenantfold.store.tally import Tally
from tests.store.samples import NOW, customer_id, later

ORDERS, CUSTOMERS = "POST /v1/customers/{customer}/orders", "GET /v1/customers"


async def test_calls_of_runs_and_workers_are_added_up(store: Store):
    """Also those that an older program left at the end of its runs; other events are none."""
    await store.add_event(RUN_FINISHED, NOW, None, **{CUSTOMERS: "4", ORDERS: "2"})
    await store.add_event(CALLS_MADE, later(hours=1), None, **{CUSTOMERS: "1"})
    await store.add_event(CALLS_MADE, later(hours=2), None, **{ORDERS: "3"})
    await store.add_event(RUN_FINISHED, later(hours=2))
    await store.add_event("job.done", later(hours=2), kind="inventory", result="7")
    tally = Tally(store.database)
    assert await tally.calls() == {CUSTOMERS: 5, ORDERS: 5}
    assert await tally.calls(later(hours=1)) == {CUSTOMERS: 1, ORDERS: 3}
    assert await tally.calls(later(hours=3)) == {}


async def test_a_customer_that_was_late_counts_once(store: Store):
    """Two alarms of one cutover are one late case; those of an earlier plan are not asked for."""
    await store.add_event(CUTOVER_LATE, NOW, customer_id(0))
    for number in (1, 1, 2):
        await store.add_event(CUTOVER_LATE, later(hours=1), customer_id(number))
    assert await Tally(store.database).late_cases(later(hours=1)) == 2
    assert await Tally(store.database).late_cases(NOW) == 3
