"""One, two and four workers on PostgreSQL, at the documented rate limit: what more processes cost and bring.

The rate limit of the busiest resource binds, not the processor: more workers must not be slower, must not be throttled
more, and should cost little more processor time for each customer.
"""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.living_partner import living_partner
from benchmarks.measure import Bench, Figure, Outcome
from benchmarks.postgres import postgres

FLEETS = (1, 2, 4)
LIMIT = 500  # calls a minute for each tenant and resource (core reference 4)
SETTINGS = {
    "settling_seconds": "10",
    "retry_seconds": "2",
    "requests_per_minute": str(LIMIT),
    "max_customers": "0",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What one fleet did. ``cpu_seconds``: of the workers alone, with their start."""

    workers: int
    customers: int
    seconds: float
    cpu_seconds: float
    throttled: int
    wrong: int


def run(customers: int, folder: Path) -> Outcome:
    """The same partner for each fleet, one after the other."""
    fleets = []
    for workers in FLEETS:
        with postgres(folder / f"server-{workers}") as url:
            fleets.append(_moved(workers, customers, folder / str(workers), url))
    figures = [figure for one in fleets for figure in _figures(one, fleets[0])]
    return Outcome(figures=tuple(figures), facts={"calls a minute allowed": LIMIT})


def _moved(workers: int, customers: int, folder: Path, url: str) -> Moved:
    with living_partner(folder, customers) as partner:
        partner.world.post("options", {"throttle_limit": LIMIT})
        to_move = partner.begin(SETTINGS, url)
        cpu, began = _children(), time.perf_counter()
        fleet = [partner.start("worker", "--name", f"w{number}", "--json") for number in range(workers)]
        partner.until_moved(to_move)
        seconds = time.perf_counter() - began
        for one in fleet:
            one.terminate()
        for one in fleet:
            one.communicate()
        totals = partner.totals()
    return Moved(
        workers=workers,
        customers=to_move,
        seconds=seconds,
        cpu_seconds=_children() - cpu,
        throttled=totals["throttled"],
        wrong=totals["twins"] + totals["gaps"] + totals["unequal"],
    )


def _children() -> float:
    """Processor seconds of the processes that ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _figures(one: Moved, alone: Moved) -> list[Figure]:
    name = f"{one.workers} worker{'s' if one.workers > 1 else ''}"
    return [
        Figure(what=f"{name}: CPU a customer", unit="ms", measured=round(1_000 * one.cpu_seconds / one.customers, 1)),
        Figure(
            what=f"{name}: time for all of them", unit="times one's", measured=round(one.seconds / alone.seconds, 2)
        ),
        Figure(what=f"{name}: answered 429", unit="calls", measured=one.throttled),
        Figure(what=f"{name}: twins, gaps, unequal", unit="subscriptions", measured=one.wrong, budget=0),
    ]


BENCH = Bench(
    name="workers",
    what="1, 2 and 4 workers on PostgreSQL at 500 calls a minute for each tenant and resource",
    unit="customers",
    full_size=150,
    run=run,
)
