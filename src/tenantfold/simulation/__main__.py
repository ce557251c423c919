"""``python -m tenantfold.simulation``: plays seeds on all cores and says in its last line what became of them."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from tenantfold.cli.render import Renderer
from tenantfold.simulation import crash_search, mixed_scenario
from tenantfold.simulation.hearing import Verdict
from tenantfold.simulation.scenario import Scenario, draw

T = TypeVar("T")

HARM = {"twin": "twins", "gap": "gaps", "parity": "unequal", "unapproved": "unapproved writes"}
MIXED_HARM = {"suspended": "billed suspensions", "azure": "Azure payers wrong", "way": "wrong ways"}
RARER = {
    "overlap": "overlaps without reason",
    "unexplained": "unexplained",
    "untrue": "untrue",
    "stuck": "stuck",
    "conduct": "rude calls",
    "held": "begun while held",
    "stopped": "calls after a stop",
    "radius": "waves too large",
    "access": "access wrong",
    "woken": "changed by a delivery",
    "broken": "broken",
}
SHOWN = 3  # failing seeds that are shrunk and told; the others are only named
PROGRESS_EVERY = 100
CHUNK = 4
SWEPT_EVERY = 250  # each so manieth seed is killed at every one of its boundaries as well, one play for each


@dataclass(slots=True)
class Tally:
    """What all seeds came to."""

    is_mixed: bool = False
    seeds: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    failing: list[int] = field(default_factory=list)
    customers: int = 0
    moved: int = 0
    late: int = 0
    kills: int = 0
    faults_fired: int = 0
    calls: int = 0
    swept: int = 0
    swept_failing: int = 0

    def add(self, verdict: Verdict) -> None:
        """Count one more seed."""
        self.seeds += 1
        if verdict.faults:
            self.failing.append(verdict.seed)
        self._count(verdict)

    def add_swept(self, verdict: Verdict) -> None:
        """Count one more boundary at which a seed was killed."""
        self.swept += 1
        self.swept_failing += bool(verdict.faults)
        self._count(verdict)

    @property
    def is_clean(self) -> bool:
        """Whether nothing has a fault."""
        return not self.failing and not self.swept_failing

    def _count(self, verdict: Verdict) -> None:
        self.faults.update(fault.partition(":")[0] for fault in verdict.faults)
        self.customers += verdict.customers
        self.moved += verdict.moved
        self.late += verdict.late
        self.kills += verdict.kills
        self.faults_fired += verdict.faults_fired
        self.calls += verdict.calls

    def details(self) -> str:
        """What was survived, and the rarer faults."""
        rarer = ", ".join(f"{self.faults[kind]:,} {name}" for kind, name in RARER.items())
        swept = f"; killed at {self.swept:,} boundaries one by one" if self.swept else ""
        return f"{self.moved:,} of {self.customers:,} customers moved, {self.late:,} explained overlaps; {rarer}{swept}"

    def line(self) -> str:
        """The verdict in one line; what must be zero comes first."""
        harm = HARM | MIXED_HARM if self.is_mixed else HARM
        zeros = ", ".join(f"{self.faults[kind]:,} {name}" for kind, name in harm.items())
        other = sum(self.faults[kind] for kind in RARER)
        trouble = f"{self.kills:,} crashes, {self.faults_fired:,} faults, {self.calls:,} calls"
        return f"{self.seeds:,} seeds, {zeros}, {other:,} other; {trouble}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Play what the command line asks for; exit code 0 only when no seed has a fault."""
    given = _parser().parse_args(arguments)
    renderer = Renderer(as_json=False)
    if given.seed is not None:
        return _one(renderer, given)
    return _many(renderer, range(given.first, given.first + given.seeds), given)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tenantfold.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many seeds to play")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument("--mixed", action="store_true", help="worlds of every kind of subscription, over weeks")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (as many as cores)")
    parser.add_argument("--seed", type=int, help="play this one alone")
    parser.add_argument("--story", action="store_true", help="with --seed: tell what happened")
    parser.add_argument("--every-boundary", action="store_true", help="with --seed: kill at each journal boundary")
    return parser


def _one(renderer: Renderer, given: argparse.Namespace) -> int:
    scenario = _draw(given.seed, is_mixed=given.mixed)
    if given.every_boundary:
        tally = Tally(is_mixed=given.mixed)
        for killed in crash_search.every_boundary(scenario):
            verdict = crash_search.play(killed)
            tally.add(verdict)
            if verdict.faults:
                _tell(renderer, killed, verdict)
                break
        renderer.line(tally.line())
        return 1 if tally.failing else 0
    if given.story:
        for line in crash_search.tell(scenario):
            renderer.line(line)
    verdict = crash_search.play(scenario)
    for fault in verdict.faults:
        renderer.line(fault, style="red")
    return 1 if verdict.faults else 0


def _many(renderer: Renderer, seeds: range, given: argparse.Namespace) -> int:
    tally = Tally(is_mixed=given.mixed)
    for verdict in _verdicts(seeds, given.jobs, _mixed_verdict_of if given.mixed else _verdict_of):
        tally.add(verdict)
        for fault in verdict.faults:
            renderer.line(f"seed {verdict.seed}: {fault}", style="red")
        if tally.seeds % PROGRESS_EVERY == 0:
            renderer.line(f"{tally.seeds:,} of {len(seeds):,} seeds played, {len(tally.failing)} failing")
    _sweep(renderer, tally, seeds, given)
    for seed in tally.failing[:SHOWN]:
        scenario = _draw(seed, is_mixed=given.mixed)
        _tell(renderer, scenario, crash_search.play(scenario))
    renderer.line(tally.details())
    renderer.line(tally.line(), style="bold green" if tally.is_clean else "bold red")
    return 0 if tally.is_clean else 1


def _sweep(renderer: Renderer, tally: Tally, seeds: range, given: argparse.Namespace) -> None:
    """Kill some of the seeds at every boundary: random kills leave gaps. Mixed seeds have thousands of boundaries."""
    for seed in seeds if not given.mixed else ():
        if seed % SWEPT_EVERY:
            continue
        killed = list(crash_search.every_boundary(draw(seed)))
        for scenario, verdict in zip(killed, _verdicts(killed, given.jobs, crash_search.play), strict=True):
            tally.add_swept(verdict)
            for fault in verdict.faults:
                renderer.line(f"seed {seed}, killed at boundary {scenario.kills[0].number}: {fault}", style="red")
            if verdict.faults and tally.swept_failing <= SHOWN:
                _tell(renderer, scenario, verdict)
        renderer.line(f"seed {seed} was killed at each of its {len(killed):,} boundaries")


def _verdicts(work: Sequence[T], jobs: int, verdict_of: Callable[[T], Verdict]) -> Iterator[Verdict]:
    if jobs <= 1:
        yield from map(verdict_of, work)
        return
    with ProcessPoolExecutor(jobs, initializer=_settle) as pool:
        yield from pool.map(verdict_of, work, chunksize=CHUNK)


def _settle() -> None:
    """What was imported stays: the collector need not look at it again for every seed."""
    gc.freeze()


def _draw(seed: int, *, is_mixed: bool) -> Scenario:
    return mixed_scenario.draw(seed) if is_mixed else draw(seed)


def _verdict_of(seed: int) -> Verdict:
    return crash_search.play(draw(seed))


def _mixed_verdict_of(seed: int) -> Verdict:
    return crash_search.play(mixed_scenario.draw(seed))


def _tell(renderer: Renderer, scenario: Scenario, verdict: Verdict) -> None:
    """Shrink a failing scenario and tell its story."""
    renderer.line()
    renderer.title(f"Seed {scenario.seed} fails; its shortest story:")
    for line in crash_search.tell(crash_search.shrink(scenario, verdict.kinds)):
        renderer.line(line)


if __name__ == "__main__":
    sys.exit(main())
