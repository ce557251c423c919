"""The house's own lint: rules that no linter knows, over src, tests, benchmarks and checks.

``python -m checks.house`` prints one line per finding and exits with 1 if there is any; ``--list`` prints the rules,
``--metrics`` the figures behind the size gate. A line is excused from a rule by ``# house: <rule> - <reason>``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from checks import size
from checks.rules import RULES
from checks.source import Finding, Source

TREES = ("src", "tests", "benchmarks", "checks")
ROOT = Path(__file__).resolve().parent.parent
SIZE_RULES = (
    ("file-size", f"A file has at most {size.MAX_FILE_LINES} lines."),
    ("function-size", f"A function has at most {size.MAX_FUNCTION_LINES} lines."),
    ("function-p95", f"95 % of the functions of a room have at most {size.MAX_FUNCTION_P95} lines."),
)


def read_sources(root: Path) -> list[Source]:
    """Read every Python file of the checked trees, in a stable order. Raises SyntaxError for one that is not Python."""
    files = (file for tree in TREES for file in sorted((root / tree).rglob("*.py")))
    return [Source.read(root, file) for file in files]


def find(sources: Sequence[Source]) -> list[Finding]:
    """Everything that is wrong, by file and line."""

    def _all() -> Iterator[Finding]:
        for source in sources:
            for rule in RULES:
                yield from rule.findings(source)
        yield from size.too_long(sources)

    return sorted(_all())


def rules_table() -> str:
    """The rules and where they look."""
    lines = [
        f"{rule.name:15} {rule.sentence}\n{'':15}   looks at {_places(rule.inside, rule.outside)}" for rule in RULES
    ]
    lines += [f"{name:15} {sentence}\n{'':15}   looks at {_places(TREES, ())}" for name, sentence in SIZE_RULES]
    return "\n".join(lines)


def _places(inside: Sequence[str], outside: Sequence[str]) -> str:
    places = ", ".join(inside)
    return f"{places}; not at {', '.join(outside)}" if outside else places


def metrics_table(sources: Sequence[Source]) -> str:
    """The sizes of each room, in lines."""
    lines = [
        f"{'room':30}{'files':>7}{'lines':>8}{'functions':>11}{'median':>8}{'p95':>6}{'max':>6}{'longest file':>14}"
    ]
    lines += [
        f"{row.room:30}{row.files:>7}{row.lines:>8}{row.functions:>11}{row.function_median:>8g}"
        f"{row.function_p95:>6}{row.function_max:>6}{row.file_max:>14}"
        for row in size.figures(sources)
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Run the checks; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m checks.house", description="The house's own lint.")
    parser.add_argument("--list", action="store_true", help="print the rules and stop")
    parser.add_argument("--metrics", action="store_true", help="print the sizes and stop")
    options = parser.parse_args(arguments)
    if options.list:
        print(rules_table())
        return 0
    sources = read_sources(root)
    if options.metrics:
        print(metrics_table(sources))
        return 0
    findings = find(sources)
    for finding in findings:
        print(finding)
    print(
        f"house: {len(findings)} finding(s) in {len(sources)} files"
        if findings
        else f"house: {len(sources)} files kept"
    )
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
