"""Planning 100,000 customers with 500,000 subscriptions with the ledger: snapshots in SQLite to a saved plan."""

from __future__ import annotations

import asyncio
from pathlib import Path

from benchmarks.made_book import REGIONS, SUBSCRIPTIONS
from benchmarks.made_snapshots import NOW, ledger, write_source, write_target
from benchmarks.measure import Bench, Budget, Outcome
from tenantfold.clock import ManualClock
from tenantfold.collecting import collect_seldom
from tenantfold.flow.planning import PlanTask, make
from tenantfold.flow.progress import Silent
from tenantfold.store import Store


def prepare(customers: int, folder: Path) -> None:
    """Write the snapshots that a plan needs."""
    asyncio.run(_prepare(customers, folder))


async def _prepare(customers: int, folder: Path) -> None:
    async with Store.open(ledger(folder)) as store:
        await store.migrate()
        await write_source(store, customers)
        await write_target(store)


def run(customers: int, folder: Path) -> Outcome:
    """Build and save the plan."""
    collect_seldom()  # as the command line does at its start
    return asyncio.run(_run(customers, folder))


async def _run(customers: int, folder: Path) -> Outcome:
    async with Store.open(ledger(folder)) as store:
        task = PlanTask(
            consolidation="bench",
            tenants=await store.tenants(),
            inventory=store,
            ledger=store,
            clock=ManualClock(NOW),
            regions=REGIONS,
            mapping=(),
        )
        record = await make(task, Silent())
    assert record.to_move == customers, "every customer of this book can move"
    return Outcome(facts={"customers to move": record.to_move, "subscriptions": customers * SUBSCRIPTIONS})


BENCH = Bench(
    name="plan_store",
    what="plan 100,000 customers with 500,000 subscriptions, from snapshots in SQLite to a saved plan",
    unit="customers",
    full_size=100_000,
    budget=Budget(cpu_seconds=20, memory_mb=500),
    prepare=prepare,
    run=run,
)
