"""Inventory of an emulated partner into SQLite, in one process, at two sizes: memory must not grow with customers."""

from __future__ import annotations

import asyncio
import gc
from dataclasses import dataclass
from pathlib import Path

from benchmarks.emulated_partner import Partner
from benchmarks.fresh_process import in_fresh_process
from benchmarks.measure import Bench, CpuTime, Figure, Outcome, peak_memory_mb
from partner_center_emulator.emulator import Options
from partner_center_emulator.seed import generate_world
from tenantfold.bootstrap import regions
from tenantfold.flow.inventory import InventoryTask, take
from tenantfold.flow.progress import Silent
from tenantfold.store import Store

FULL_SIZE = 100_000
CPU_BUDGET = 120.0
MEMORY_BUDGET = 400.0
STEPS = (10, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What the inventory of one world took; ``memory_mb`` is what the process grew by after the world was there."""

    customers: int
    subscriptions: int
    calls: int
    cpu_seconds: float
    emulator_seconds: float
    memory_mb: float


def inventory(customers: int, folder: Path) -> Taken:
    """Generate a world, then take inventory of its four tenants."""
    return asyncio.run(_inventory(customers, folder))


async def _inventory(customers: int, folder: Path) -> Taken:
    partner = Partner(generate_world(1, customers), Options(throttling=False))
    world = partner.emulator.world
    async with Store.open(f"sqlite:///{folder / f'inventory-{customers}.db'}") as store, partner.http:
        await store.migrate()
        await _warm_up(partner)
        gc.collect()
        gc.freeze()  # the world is the emulator's; the product's garbage collection need not look at it
        before = peak_memory_mb()
        partner.meter.total, partner.meter.cpu_seconds = 0, 0.0
        with CpuTime() as cpu:
            read = await _take_all(partner, store)
    assert read == sum(one.status != "" for one in world.subscriptions.values()), "everything was read"
    return Taken(
        customers=customers,
        subscriptions=read,
        calls=partner.meter.total,
        cpu_seconds=cpu.seconds,
        emulator_seconds=partner.meter.cpu_seconds,
        memory_mb=peak_memory_mb() - before,
    )


async def _warm_up(partner: Partner) -> None:
    """Sign in everywhere and let the emulator build its indexes: they are part of the world, not of the inventory."""
    for tenant in partner.tenants:
        client = partner.clients[tenant.id]
        page = await client.customer_page(None)
        for read in page.items[:1]:
            await client.customer(read.value.id)
            await client.subscriptions(read.value.id)


async def _take_all(partner: Partner, store: Store) -> int:
    """Inventory of every tenant, target last; how many subscriptions were read."""
    total = 0
    for tenant in partner.tenants:
        task = InventoryTask(
            tenant=tenant,
            partner_center=partner.clients[tenant.id],
            inventory=store,
            clock=partner.clock,
            regions=regions(),
        )
        snapshot = await take(task, Silent())
        assert snapshot.unread_customers == 0, "every customer could be read"
        total += snapshot.subscriptions
    return total


def run(size: int, folder: Path) -> Outcome:
    """Take inventory of a tenth and the whole of the size, each in a process of its own."""
    first, last = [in_fresh_process(inventory, max(1, size // part), folder) for part in STEPS]
    figures = [
        Figure(
            what="CPU, product and emulator",
            unit="s",
            measured=round(last.cpu_seconds, 2),
            budget=round(CPU_BUDGET * size / FULL_SIZE, 3),
        ),
        Figure(what="of that, in the emulator", unit="s", measured=round(last.emulator_seconds, 2)),
        Figure(
            what="memory beside the emulated world",
            unit="MB",
            measured=round(last.memory_mb, 1),
            budget=MEMORY_BUDGET,
        ),
        Figure(what=f"the same at {first.customers:,} customers", unit="MB", measured=round(first.memory_mb, 1)),
        Figure(
            what="growth for 1,000 customers more",
            unit="MB",
            measured=round(1_000 * (last.memory_mb - first.memory_mb) / (last.customers - first.customers), 2),
        ),
        Figure(
            what="CPU a customer, ten times the customers over before",
            unit="times",
            measured=round((last.cpu_seconds / last.customers) / (first.cpu_seconds / first.customers), 2),
        ),
    ]
    return Outcome(figures=tuple(figures), facts={"subscriptions": last.subscriptions, "calls": last.calls})


BENCH = Bench(
    name="inventory",
    what="inventory of an emulated partner with four tenants into SQLite, in one process",
    unit="customers",
    full_size=FULL_SIZE,
    run=run,
)
