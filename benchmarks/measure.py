"""What a benchmark is, and how one is measured: processor time and peak memory, which other jobs disturb least."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one benchmark may use at its full size: CPU seconds (user and system) and MB of peak memory."""

    cpu_seconds: float
    memory_mb: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """One benchmark. ``run`` takes a size (in ``unit``) and returns facts about what it did, for the reader."""

    name: str
    what: str
    unit: str
    full_size: int
    budget: Budget
    run: Callable[[int], Mapping[str, str | int | float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What one run used. The budget shrinks with the size in time, not in memory: memory has a floor."""

    name: str
    size: int
    unit: str
    cpu_seconds: float
    wall_seconds: float
    memory_mb: float
    budget_cpu_seconds: float
    budget_memory_mb: float
    facts: Mapping[str, str | int | float] = field(default_factory=dict)

    @property
    def is_within_budget(self) -> bool:
        """Whether neither time nor memory is over."""
        return self.cpu_seconds <= self.budget_cpu_seconds and self.memory_mb <= self.budget_memory_mb


def measure(bench: Bench, scale: float) -> Measurement:
    """Run a benchmark at a part of its full size. Give each one a process of its own: peak memory never sinks."""
    size = max(1, round(bench.full_size * scale))
    cpu, wall = time.process_time(), time.perf_counter()
    facts = bench.run(size)
    return Measurement(
        name=bench.name,
        size=size,
        unit=bench.unit,
        cpu_seconds=round(time.process_time() - cpu, 3),
        wall_seconds=round(time.perf_counter() - wall, 3),
        memory_mb=round(peak_memory_mb(), 1),
        budget_cpu_seconds=round(bench.budget.cpu_seconds * size / bench.full_size, 3),
        budget_memory_mb=bench.budget.memory_mb,
        facts=facts,
    )


def peak_memory_mb() -> float:
    """The most memory this process has held so far, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1_000_000 if sys.platform == "darwin" else peak * 1024 / 1_000_000
