"""What a benchmark is, and how one is measured: processor time and peak memory, which other jobs disturb least."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

Facts = Mapping[str, str | int | float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one benchmark may use at its full size: CPU seconds (user and system) and MB of peak memory."""

    cpu_seconds: float
    memory_mb: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One thing that was measured. Without a ``budget`` it only informs; ``at_least`` turns the budget round."""

    what: str
    unit: str
    measured: float
    budget: float | None = None
    at_least: bool = False

    @property
    def ratio(self) -> float | None:
        """The part of the budget that was used; over 1 is a miss. None without a budget."""
        if self.budget is None:
            return None
        above, below = (self.budget, self.measured) if self.at_least else (self.measured, self.budget)
        if below > 0:
            return above / below
        return float("inf") if above > 0 else 0.0  # nothing of nothing

    @property
    def is_within_budget(self) -> bool:
        """Whether it keeps its budget; a figure without one always does."""
        if self.budget is None:
            return True
        return self.measured >= self.budget if self.at_least else self.measured <= self.budget


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run has to say: figures, each with its own budget or none, and facts for the reader."""

    figures: tuple[Figure, ...] = ()
    facts: Facts = field(default_factory=dict)


def _nothing(size: int, folder: Path) -> None:
    del size, folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """One benchmark. ``run`` takes a size (in ``unit``) and a folder of its own.

    ``usual`` is the part of the full size that is run when nobody asks for another, so that all of them take minutes.
    ``prepare`` fills that folder first, in another process, so that it costs the figures nothing. ``budget`` is for
    the whole run; None when only the figures that ``run`` returns have budgets.
    """

    name: str
    what: str
    unit: str
    full_size: int
    usual: float = 1.0
    run: Callable[[int, Path], Outcome]
    budget: Budget | None = None
    prepare: Callable[[int, Path], None] = _nothing

    def size(self, scale: float) -> int:
        """The size at a part of the full one."""
        return max(1, round(self.full_size * scale))


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What one run measured, and what it was: the content of one file of results."""

    name: str
    what: str
    size: int
    full_size: int
    unit: str
    wall_seconds: float
    figures: tuple[Figure, ...]
    facts: Facts = field(default_factory=dict)

    @property
    def is_within_budget(self) -> bool:
        """Whether no figure is over its budget."""
        return all(figure.is_within_budget for figure in self.figures)


class CpuTime:
    """Measures the CPU seconds of this process (all its threads) between entering and leaving."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __enter__(self) -> Self:
        self._began = time.process_time()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.seconds += time.process_time() - self._began


def measure(bench: Bench, scale: float, folder: Path) -> Measurement:
    """Run a benchmark at a part of its full size. Give each one a process of its own: peak memory never sinks.

    The budget shrinks with the size in time, not in memory: memory has a floor.
    """
    size = bench.size(scale)
    wall = time.perf_counter()
    with CpuTime() as cpu:
        outcome = bench.run(size, folder)
    figures = outcome.figures
    if bench.budget is not None:
        seconds = Figure(
            what="CPU",
            unit="s",
            measured=round(cpu.seconds, 2),
            budget=round(bench.budget.cpu_seconds * size / bench.full_size, 3),
        )
        memory = Figure(
            what="peak memory", unit="MB", measured=round(peak_memory_mb(), 1), budget=bench.budget.memory_mb
        )
        figures = (seconds, memory, *figures)
    return Measurement(
        name=bench.name,
        what=bench.what,
        size=size,
        full_size=bench.full_size,
        unit=bench.unit,
        wall_seconds=round(time.perf_counter() - wall, 1),
        figures=figures,
        facts=outcome.facts,
    )


def peak_memory_mb() -> float:
    """The most memory this process has held so far, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1_000_000 if sys.platform == "darwin" else peak * 1024 / 1_000_000
