"""Writes the tables of docs/explanation/performance.md from the kept results; ``--check`` only says if they are old.

``python -m benchmarks.page``. The words around the tables are written by hand and stay.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import Figure
from benchmarks.results import RESULTS, Result, read_all

PAGE = Path(__file__).parent.parent / "docs" / "explanation" / "performance.md"
BEGIN = "<!-- figures: written by `python -m benchmarks.page` from benchmarks/results; do not edit -->"
END = "<!-- figures: end -->"
HEADING = ("| What | Budget | Measured | Ratio | |", "|---|--:|--:|--:|---|")
FEW = 100  # below this, decimals are worth showing
BUSY = 1.0  # a load average above this, before we begin, means that others were at work


def tables(results: Sequence[Result]) -> str:
    """One table for each result, with its size, its machine and its facts."""
    return "\n\n".join(_section(result) for result in results)


def _section(result: Result) -> str:
    measured = result.measurement
    part = measured.size / measured.full_size
    size = f"{measured.size:,} {measured.unit}" + ("" if part == 1 else f", {part:g} of the full size")
    facts = "".join(f"; {key} {_number(value)}" for key, value in measured.facts.items())
    lines = [f"### `{measured.name}`: {measured.what}", "", f"Run with {size}{facts}.", f"{_machine(result)}", ""]
    return "\n".join([*lines, *HEADING, *map(_row, measured.figures)])


def _machine(result: Result) -> str:
    facts = result.machine
    load = float(facts["load_average"])
    busy = f"the machine was busy (load average {load:g} before)" if load > BUSY else f"load average {load:g} before"
    return (
        f"Python {facts['python']} on {facts['system']}, {facts['cores']} cores of {facts['processor']}; {busy}, "
        f"the yardstick took {facts['yardstick_seconds']} s."
    )


def _row(figure: Figure) -> str:
    measured = f"{_number(figure.measured)} {figure.unit}"
    if figure.budget is None or figure.ratio is None:
        return f"| {figure.what} | | {measured} | | |"
    budget = f"{'≥' if figure.at_least else '≤'} {_number(figure.budget)} {figure.unit}"
    verdict = "kept" if figure.is_within_budget else "**missed**"
    return f"| {figure.what} | {budget} | {measured} | {figure.ratio:.2f} | {verdict} |"


def _number(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if abs(value) >= FEW or value == int(value) else f"{value:g}"


def filled(page: str, results: Sequence[Result]) -> str:
    """The page with fresh tables; ValueError when it lacks the two marks between which they belong."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("The page lacks the marks between which the figures belong.")
    return f"{before}{BEGIN}\n\n{tables(results)}\n\n{END}{after}"


def main(arguments: Sequence[str] | None = None, page: Path = PAGE, results: Path = RESULTS) -> int:
    """Write or check the page; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description="The page about performance.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 when the page is out of date")
    options = parser.parse_args(arguments)
    present = page.read_text(encoding="utf-8")
    fresh = filled(present, read_all(results))
    if options.check:
        print("performance: fresh" if fresh == present else "performance: out of date; run: python -m benchmarks.page")
        return 0 if fresh == present else 1
    page.write_text(fresh, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
