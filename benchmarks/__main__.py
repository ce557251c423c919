"""Runs the benchmarks, each in a process of its own, and holds them against their budgets.

A benchmark is a module ``benchmarks/bench_<name>.py`` with a ``BENCH``. Exit code 1 when one is over its budget.
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks.machine import machine
from benchmarks.measure import Bench, Figure, Measurement, measure
from benchmarks.results import RESULTS, Result, save

FOLDER = Path(__file__).parent
MEASUREMENT = "measurement.json"  # what a benchmark's process leaves in its folder


def names() -> tuple[str, ...]:
    """The names of all benchmarks there are."""
    return tuple(sorted(file.stem.removeprefix("bench_") for file in FOLDER.glob("bench_*.py")))


def load(name: str) -> Bench:
    """The benchmark of a name."""
    bench: Bench = importlib.import_module(f"benchmarks.bench_{name}").BENCH
    return bench


def run_apart(name: str, scale: float) -> Measurement | None:
    """Prepare and run one benchmark in fresh processes, so that its memory is its own.

    None when it broke; it says why itself.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for step in ("prepare", "run"):
            command = [sys.executable, "-m", "benchmarks", name, "--inside", step, "--folder", folder]
            command += ["--scale", str(scale)]
            if subprocess.run(command, cwd=FOLDER.parent, check=False).returncode != 0:
                return None
        return msgspec.json.decode((Path(folder) / MEASUREMENT).read_bytes(), type=Measurement)


def table(result: Measurement) -> str:
    """The lines of the table for one benchmark: what it was, one line per figure, and facts."""
    facts = ", ".join(f"{key} {value}" for key, value in result.facts.items())
    lines = [f"{result.name}: {result.what}", f"  at {result.size:,} {result.unit}; {facts}".rstrip("; ")]
    return "\n".join([*lines, *map(row, result.figures)])


def row(figure: Figure) -> str:
    """One line: budget, measured, the part of the budget used, verdict."""
    measured = f"{figure.measured:,g} {figure.unit}"
    if figure.budget is None or figure.ratio is None:
        return f"  {figure.what:58}{'':>24}{measured:>22}"
    budget = f"{'>=' if figure.at_least else '<='} {figure.budget:,g} {figure.unit}"
    verdict = "ok" if figure.is_within_budget else "OVER BUDGET"
    return f"  {figure.what:58}{budget:>24}{measured:>22}{figure.ratio:>8.2f}  {verdict}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks asked for; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the budgets of the design.")
    parser.add_argument("only", nargs="*", help="names of benchmarks; all when none is given")
    parser.add_argument("--scale", type=float, help="part of the full size, 0.1 for a tenth; else each one's usual")
    parser.add_argument("--save", action="store_true", help="keep the results in benchmarks/results, for the docs")
    parser.add_argument("--inside", choices=("prepare", "run"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.inside:
        _inside(options.inside, load(options.only[0]), options.scale, options.folder)
        return 0
    wanted = tuple(options.only) or names()
    unknown = sorted(set(wanted) - set(names()))
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}; there are: {', '.join(names())}")
    if not wanted:
        print("There are no benchmarks yet: nothing was measured.")
        return 0
    good = [_run(name, options.scale, keep=options.save) for name in wanted]
    return 0 if all(good) else 1


def _inside(step: str, bench: Bench, scale: float, folder: Path) -> None:
    if step == "prepare":
        bench.prepare(bench.size(scale), folder)
    else:
        (folder / MEASUREMENT).write_bytes(msgspec.json.encode(measure(bench, scale, folder)))


def _run(name: str, scale: float | None, *, keep: bool) -> bool:
    facts = machine()
    result = run_apart(name, load(name).usual if scale is None else scale)
    if result is None:
        print(f"{name}: BROKEN, see above", flush=True)
        return False
    print(table(result), flush=True)
    if keep:
        save(Result(machine=facts, measurement=result), RESULTS)
    return result.is_within_budget


if __name__ == "__main__":
    sys.exit(main())
