"""Parity of both sides over the newest snapshots: 500,000 source rows against 500,000 target rows, in SQL."""

from __future__ import annotations

import asyncio
from pathlib import Path

from benchmarks.made_book import SUBSCRIPTIONS
from benchmarks.made_snapshots import ledger, moved, write_source, write_target
from benchmarks.measure import Bench, CpuTime, Figure, Outcome, peak_memory_mb
from tenantfold.store import Store

FULL_SIZE = 500_000
CPU_BUDGET = 2.0


def prepare(rows: int, folder: Path) -> None:
    """Write both sides, as they are when everybody has moved but for a few licenses."""
    asyncio.run(_prepare(rows // SUBSCRIPTIONS, folder))


async def _prepare(customers: int, folder: Path) -> None:
    async with Store.open(ledger(folder)) as store:
        await store.migrate()
        await write_source(store, customers)
        await write_target(store, customers, moved)


def run(rows: int, folder: Path) -> Outcome:
    """Find what differs."""
    return asyncio.run(_run(rows, folder))


async def _run(rows: int, folder: Path) -> Outcome:
    async with Store.open(ledger(folder)) as store:
        await store.newest_plan()  # opens the connection
        with CpuTime() as cpu:
            different = [row async for row in store.parity_rows()]
    customers = rows // SUBSCRIPTIONS
    assert len(different) == -(-customers // 1_000), "one offer of every thousandth customer differs"
    budget = round(CPU_BUDGET * rows / FULL_SIZE, 3)
    return Outcome(
        figures=(
            Figure(what="CPU in SQL", unit="s", measured=round(cpu.seconds, 2), budget=budget),
            Figure(what="peak memory", unit="MB", measured=round(peak_memory_mb())),
        ),
        facts={"offers that differ": len(different)},
    )


BENCH = Bench(
    name="parity",
    what="parity of 500,000 source rows against 500,000 target rows in SQLite",
    unit="rows a side",
    full_size=FULL_SIZE,
    prepare=prepare,
    run=run,
)
