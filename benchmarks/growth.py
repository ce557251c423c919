"""How each cost grows: the same benchmarks at a hundredth, a tenth and all of their full size, drawn as one chart.

``python -m benchmarks.growth --save`` runs them, keeps the results in ``results/growth`` and draws
``docs/explanation/growth.svg``; without ``--save`` it draws what was kept.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import msgspec

from benchmarks.__main__ import run_apart, table
from benchmarks.machine import machine
from benchmarks.measure import Measurement
from benchmarks.results import RESULTS, Result

KEPT = RESULTS / "growth"
CHART = Path(__file__).parent.parent / "docs" / "explanation" / "growth.svg"
NAMES = ("inventory", "plan", "plan_store", "workbook", "parity")
SCALES = (0.01, 0.1, 1.0)
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 760, 380, 70, 40, 170, 50
LABEL_HEIGHT = 16
COLORS = ("#1f5fa8", "#a8501f", "#2f7d3a", "#7a3fa0", "#555555")


def seconds_of(measured: Measurement) -> float:
    """The CPU seconds (or seconds in the database) of a measurement: its first figure in seconds or milliseconds."""
    first = next(figure for figure in measured.figures if figure.unit in {"s", "ms"})
    return first.measured / (1_000 if first.unit == "ms" else 1)


def chart(series: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """A chart with both axes logarithmic: a straight line at the slope of the guide is a cost in proportion."""
    points = [point for line in series.values() for point in line]
    low = math.floor(min(math.log10(seconds) for _, seconds in points))
    high = math.ceil(max(math.log10(seconds) for _, seconds in points))

    def place(part: float, seconds: float) -> tuple[float, float]:
        across = (math.log10(part) + 2) / 2
        up = (math.log10(seconds) - low) / (high - low)
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    frame = f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13"'
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {frame}>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="22" font-size="15">CPU seconds by part of the full size (both axes logarithmic)</text>',
    ]
    for power in range(low, high + 1):
        _, y = place(1.0, 10.0**power)
        drawn.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#dddddd"/>')
        drawn.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g} s</text>')
    for part, label in zip(SCALES, ("1 % (1,000 customers)", "10 % (10,000)", "100 % (100,000)"), strict=True):
        x, _ = place(part, 10.0**low)
        drawn.append(f'<text x="{x:.1f}" y="{HEIGHT - 22}" text-anchor="middle">{label}</text>')
    heights = _apart({name: place(*line[-1])[1] for name, line in series.items()})
    for color, (name, line) in zip(COLORS, series.items(), strict=False):
        places = [place(*point) for point in line]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        drawn += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{color}"/>' for x, y in places]
        x, y = places[-1][0], heights[name]
        drawn.append(f'<text x="{x + 10:.1f}" y="{y + 4:.1f}" fill="{color}">{escape(name)}: {line[-1][1]:g} s</text>')
    return "\n".join([*drawn, "</svg>", ""])


def _apart(heights: Mapping[str, float]) -> dict[str, float]:
    """The heights of labels, moved down where they would lie on each other."""
    found: dict[str, float] = {}
    free = 0.0
    for name, height in sorted(heights.items(), key=lambda one: one[1]):
        found[name] = max(height, free)
        free = found[name] + LABEL_HEIGHT
    return found


def kept(folder: Path) -> dict[str, list[tuple[float, float]]]:
    """The kept points of every benchmark, by part of the full size."""
    series: dict[str, list[tuple[float, float]]] = {}
    for file in sorted(folder.glob("*.json")):
        measured = msgspec.json.decode(file.read_bytes(), type=Result).measurement
        series.setdefault(measured.name, []).append((measured.size / measured.full_size, seconds_of(measured)))
    return {name: sorted(points) for name, points in sorted(series.items())}


def _run(names: Sequence[str], scales: Sequence[float]) -> bool:
    KEPT.mkdir(parents=True, exist_ok=True)
    for name in names:
        for scale in scales:
            facts, measured = machine(), run_apart(name, scale)
            if measured is None:
                return False
            print(table(measured), flush=True)
            document = msgspec.json.format(msgspec.json.encode(Result(machine=facts, measurement=measured)), indent=1)
            (KEPT / f"{name}-{measured.size}.json").write_bytes(document + b"\n")
    return True


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for, and draw; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description="How each cost grows.")
    parser.add_argument("only", nargs="*", help="names of benchmarks; all of the chart when none is given")
    parser.add_argument("--save", action="store_true", help="run them and keep the results")
    parser.add_argument("--scales", type=float, nargs="*", default=SCALES, help="parts of the full size")
    options = parser.parse_args(arguments)
    if options.save and not _run(tuple(options.only) or NAMES, options.scales):
        return 1
    CHART.write_text(chart(kept(KEPT)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
