"""How long a cutover takes against what the rate limit allows, on virtual time: the product, and a script as its peer.

The emulator limits as documented: 500 calls a minute for each partner tenant and resource, in a window that slides. The
**bound** is the calls that are needed of the busiest of these limits (``made_world.calls_needed``) over that limit. It
comes from the world and from the emulator's options, not from what was measured. A window that slides would let a first
burst of 500 leave at once: whoever dared that could be a minute faster than the bound; that ratio is given, too.

The run starts at 00:05 UTC with everybody accepted and has the rest of the day: at the documented limit 10,000
customers need two hours, so neither the stop in the evening nor admission holds anybody back; nothing is overridden.

Faults: storms of 429 at the source, 503, connections that break before a call took effect, and answers that are lost
after it did. While a storm lasts nobody gets through, so its seconds are added to the bound of that run. A write that
broke off before it took effect is sent again only after the settling time (15 minutes), and a run is over when the last
of those is: nothing is added to the bound for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks.fresh_process import in_fresh_process
from benchmarks.made_world import SOURCE_KEY
from benchmarks.measure import Bench, Figure, Outcome
from benchmarks.virtual_cutover import LATENCY_SECONDS, Moved, product, script
from partner_center_emulator.state.behaviour import Fault, FaultPlan

BUDGET = 1.05
WINDOW_SECONDS = 60.0
SMALL = 1_000  # customers; a full run measures so many as well


def trouble() -> FaultPlan:
    """Each call goes wrong with a chance of 3 in 1,000; at the source a storm begins about every four minutes."""
    storm = Fault(name="storms", kind="throttle_storm", tenants=[SOURCE_KEY], seconds=15.0, probability=1 / 2_000)
    others = [
        Fault(name="503", kind="server_error", status=503, probability=0.001),
        Fault(name="resets", kind="reset", effect="before", probability=0.001),
        Fault(name="lost answers", kind="lost_answer", probability=0.001),
    ]
    return FaultPlan(seed=1, faults=[storm, *others])


def run(customers: int, folder: Path) -> Outcome:
    """Move a thousand and all of the customers, without and with faults, and all of them with the script."""
    figures: list[Figure] = []
    sizes = sorted({min(customers, SMALL), customers})
    for size in sizes:
        plain = in_fresh_process(product, size, folder)
        troubled = in_fresh_process(product, size, folder, trouble())
        figures += _plain(plain)
        figures += _troubled(troubled)
    peer = in_fresh_process(script, sizes[-1], folder)
    figures += _against(plain, peer)
    return Outcome(
        figures=tuple(figures),
        facts={
            "subscriptions": plain.subscriptions,
            "seconds a call": LATENCY_SECONDS,
            "slowest limit": " ".join(plain.bottleneck),
            "faults met": ", ".join(f"{count} {name}" for name, count in sorted(troubled.faults.items())),
        },
    )


def _plain(moved: Moved) -> Sequence[Figure]:
    figure = partial(_figure, f"{moved.customers:,} customers")
    burst_bound = max(WINDOW_SECONDS, moved.bound_seconds - WINDOW_SECONDS)
    return (
        figure("makespan", "virtual s", moved.seconds),
        figure("of the bound", "times", moved.seconds / moved.bound_seconds, BUDGET),
        figure("of the bound less a minute's burst", "times", moved.seconds / burst_bound),
        figure("calls each beyond one a subscription", "calls", _beyond(moved)),
        figure("answered 429", "calls", moved.throttled),
        figure("CPU of product and emulator, a call", "ms", 1_000 * moved.cpu_seconds / moved.calls),
    )


def _troubled(moved: Moved) -> Sequence[Figure]:
    figure = partial(_figure, f"{moved.customers:,} customers with faults")
    bound = moved.bound_seconds + moved.storm_seconds
    return (
        figure("makespan", "virtual s", moved.seconds),
        figure("of the bound and the storms", "times", moved.seconds / bound, BUDGET),
        figure("99 of 100 customers moved, of the same", "times", moved.all_but_one_percent_seconds / bound),
        figure("of the bound without the storms", "times", moved.seconds / moved.bound_seconds),
        figure("calls each beyond one a subscription", "calls", _beyond(moved)),
        figure("answered 429", "calls", moved.throttled),
    )


def _against(moved: Moved, peer: Moved) -> Sequence[Figure]:
    figure = partial(_figure, f"sequential script, {peer.customers:,} customers")
    return (
        figure("makespan", "virtual s", peer.seconds),
        figure("slower than the product", "times", peer.seconds / moved.seconds),
        figure("calls each beyond one a subscription", "calls", _beyond(peer)),
    )


def _figure(prefix: str, what: str, unit: str, measured: float, budget: float | None = None) -> Figure:
    return Figure(what=f"{prefix}: {what}", unit=unit, measured=round(measured, 3), budget=budget)


def _beyond(moved: Moved) -> float:
    return (moved.calls - moved.subscriptions) / moved.customers


BENCH = Bench(
    name="makespan",
    what="a cutover on virtual time against the lower bound of the rate limit, and a sequential script beside it",
    unit="customers",
    full_size=10_000,
    usual=0.1,
    run=run,
)
