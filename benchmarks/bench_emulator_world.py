"""Generating worlds of the emulator: 100,000 customers, and as many as it takes to hold 500,000 subscriptions."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from benchmarks.fresh_process import in_fresh_process
from benchmarks.measure import Bench, CpuTime, Figure, Outcome, peak_memory_mb
from partner_center_emulator import worlds
from partner_center_emulator.emulator import Emulator

FULL_SIZE = 100_000
SUBSCRIPTIONS_PER_CUSTOMER = 5
CPU_BUDGET = 60.0
MEMORY_BUDGET = 2_000.0
SPARE = 1.005  # the average of a smaller world, taken for a larger one


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What one world took."""

    customers: int
    subscriptions: int
    cpu_seconds: float
    memory_mb: float
    snapshot_mb: float
    snapshot_seconds: float
    snapshot_memory_mb: float


def make(customers: int, folder: Path) -> Made:
    """Generate one world, then write it to a snapshot file."""
    with CpuTime() as generating:
        world = worlds.make("generated", 1, customers)
    memory = peak_memory_mb()
    emulator = Emulator(world)
    file = folder / "world.json"
    with CpuTime() as saving:
        worlds.save(emulator, file)
    size = file.stat().st_size / 1_000_000
    file.unlink()
    gc.freeze()  # the world dies with its process; looking through it once more would only take time
    return Made(
        customers=len(world.customers),
        subscriptions=len(world.subscriptions),
        cpu_seconds=generating.seconds,
        memory_mb=memory,
        snapshot_mb=size,
        snapshot_seconds=saving.seconds,
        snapshot_memory_mb=peak_memory_mb(),
    )


def run(size: int, folder: Path) -> Outcome:
    """Make both worlds, each in a process of its own."""
    wanted = size * SUBSCRIPTIONS_PER_CUSTOMER
    first = in_fresh_process(make, size, folder)
    second = in_fresh_process(make, ceil(wanted * SPARE * first.customers / first.subscriptions), folder)
    assert second.subscriptions >= wanted, "the second world holds what it is about"
    figures = [*_figures(first, f"{first.customers:,} customers", size)]
    figures += _figures(second, f"{second.subscriptions:,} subscriptions", size)
    return Outcome(
        figures=tuple(figures),
        facts={
            f"subscriptions of {first.customers} customers": first.subscriptions,
            f"customers of {second.subscriptions} subscriptions": second.customers,
        },
    )


def _figures(made: Made, which: str, size: int) -> list[Figure]:
    budget = round(CPU_BUDGET * size / FULL_SIZE, 3)
    return [
        Figure(what=f"{which}: CPU", unit="s", measured=round(made.cpu_seconds, 2), budget=budget),
        Figure(what=f"{which}: peak memory", unit="MB", measured=round(made.memory_mb), budget=MEMORY_BUDGET),
        Figure(what=f"{which}: snapshot file", unit="MB", measured=round(made.snapshot_mb)),
        Figure(what=f"{which}: CPU to write the snapshot", unit="s", measured=round(made.snapshot_seconds, 2)),
        Figure(what=f"{which}: peak memory with it", unit="MB", measured=round(made.snapshot_memory_mb)),
    ]


BENCH = Bench(
    name="emulator_world",
    what="generate worlds of 100,000 customers and of 500,000 subscriptions, each in a process of its own",
    unit="customers",
    full_size=FULL_SIZE,
    run=run,
)
