"""Runs the benchmarks, each in a process of its own, and holds them against their budgets.

A benchmark is a module ``benchmarks/bench_<name>.py`` with a ``BENCH``. Exit code 1 when one is over its budget.
"""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.measure import Bench, Measurement, measure

FOLDER = Path(__file__).parent


def names() -> tuple[str, ...]:
    """The names of all benchmarks there are."""
    return tuple(sorted(file.stem.removeprefix("bench_") for file in FOLDER.glob("bench_*.py")))


def load(name: str) -> Bench:
    """The benchmark of a name."""
    bench: Bench = importlib.import_module(f"benchmarks.bench_{name}").BENCH
    return bench


def run_apart(name: str, scale: float) -> Measurement | None:
    """Run one benchmark in a fresh process, so that its memory is its own. None when it broke; it says why itself."""
    command = [sys.executable, "-m", "benchmarks", "--inside", name, "--scale", str(scale)]
    answer = subprocess.run(command, cwd=FOLDER.parent, check=False, stdout=subprocess.PIPE, text=True)
    return Measurement(**json.loads(answer.stdout)) if answer.returncode == 0 else None


def row(result: Measurement) -> str:
    """One line of the table."""
    verdict = "ok" if result.is_within_budget else "OVER BUDGET"
    facts = ", ".join(f"{key} {value}" for key, value in result.facts.items())
    return (
        f"{result.name:12}{f'{result.size:,} {result.unit}':>22}{result.cpu_seconds:>9.2f} s"
        f"{result.budget_cpu_seconds:>9.2f} s{result.memory_mb:>9.0f} MB{result.budget_memory_mb:>8.0f} MB  {verdict}"
        f"  ({result.wall_seconds:.2f} s on the clock; {facts})"
    )


def machine() -> Mapping[str, str]:
    """What the figures were measured on."""
    return {"python": platform.python_version(), "system": platform.platform(), "processor": platform.machine()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks asked for; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the budgets of the design.")
    parser.add_argument("only", nargs="*", help="names of benchmarks; all when none is given")
    parser.add_argument("--scale", type=float, default=1.0, help="part of the full size, 0.1 for a tenth")
    parser.add_argument("--json", type=Path, help="also write the results to this file")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.inside:
        print(json.dumps(asdict(measure(load(options.inside), options.scale))))
        return 0
    wanted = tuple(options.only) or names()
    unknown = sorted(set(wanted) - set(names()))
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}; there are: {', '.join(names())}")
    if not wanted:
        print("There are no benchmarks yet: nothing was measured.")
        return 0
    results = _run_all(wanted, options.scale)
    if options.json:
        document = {"machine": machine(), "results": [asdict(result) for result in results]}
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 0 if len(results) == len(wanted) and all(result.is_within_budget for result in results) else 1


def _run_all(wanted: Sequence[str], scale: float) -> list[Measurement]:
    print(f"{'benchmark':12}{'size':>22}{'CPU':>11}{'budget':>11}{'memory':>12}{'budget':>11}", flush=True)
    results = []
    for name in wanted:
        result = run_apart(name, scale)
        print(row(result) if result else f"{name:12}BROKEN, see above", flush=True)
        if result:
            results.append(result)
    return results


if __name__ == "__main__":
    sys.exit(main())
