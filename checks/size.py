"""The size gate: how long functions and files may be, and the figures behind it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median

from checks.source import Finding, Source

MAX_FUNCTION_LINES = 80
MAX_FUNCTION_P95 = 35
MAX_FILE_LINES = 500
ROOMS = ("src/tenantfold", "src/partner_center_emulator", "tests", "benchmarks", "checks")


@dataclass(frozen=True, slots=True)
class Function:
    """One function's place and length in lines, from its ``def`` to its last line."""

    path: str
    line: int
    name: str
    lines: int


@dataclass(frozen=True, slots=True)
class Figures:
    """The sizes of one room of the repository; all lengths in lines."""

    room: str
    files: int
    lines: int
    functions: int
    function_median: float
    function_p95: int
    function_max: int
    file_max: int


def functions(source: Source) -> Iterator[Function]:
    """Every function of a file, nested ones too."""
    for node in source.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            yield Function(source.path, node.lineno, node.name, length)


def line_count(source: Source) -> int:
    """The number of lines of a file."""
    return len(source.text.splitlines())


def p95(lengths: Iterable[int]) -> int:
    """The 95th percentile by nearest rank; 0 of nothing."""
    ordered = sorted(lengths)
    return ordered[ceil(len(ordered) * 0.95) - 1] if ordered else 0


def too_long(sources: Sequence[Source]) -> Iterator[Finding]:
    """Everything that is over a hard limit, then each room whose functions are long as a rule."""
    for source in sources:
        count = line_count(source)
        if count > MAX_FILE_LINES:
            advice = f"{count} lines, {MAX_FILE_LINES} allowed; split by Partner Center resource or step of the job"
            yield Finding(source.path, 1, "file-size", advice)
        for function in functions(source):
            if function.lines > MAX_FUNCTION_LINES:
                advice = (
                    f"{function.name} has {function.lines} lines, {MAX_FUNCTION_LINES} allowed; take steps out of it"
                )
                yield Finding(function.path, function.line, "function-size", advice)
    for room in ROOMS:
        yield from _too_long_as_a_rule(room, _inside(room, sources))


def _too_long_as_a_rule(room: str, sources: Sequence[Source]) -> Iterator[Finding]:
    found = [function for source in sources for function in functions(source)]
    value = p95(function.lines for function in found)
    if value > MAX_FUNCTION_P95:
        longest = max(found, key=lambda function: function.lines)
        advice = (
            f"{room}: 95 % of functions must have at most {MAX_FUNCTION_P95} lines, it is {value}; start with this one"
        )
        yield Finding(longest.path, longest.line, "function-p95", advice)


def _inside(room: str, sources: Sequence[Source]) -> list[Source]:
    return [source for source in sources if source.path.startswith(f"{room}/")]


def figures(sources: Sequence[Source]) -> Iterator[Figures]:
    """The figures of each room that has files."""
    for room in ROOMS:
        inside = _inside(room, sources)
        lengths = [function.lines for source in inside for function in functions(source)]
        if inside:
            yield Figures(
                room=room,
                files=len(inside),
                lines=sum(map(line_count, inside)),
                functions=len(lengths),
                function_median=median(lengths) if lengths else 0,
                function_p95=p95(lengths),
                function_max=max(lengths, default=0),
                file_max=max(map(line_count, inside)),
            )
