"""Writes the generated pages of docs/reference; with ``--check`` only says what is out of date, or linked and gone.

``python -m checks.docs`` is ``make docs``. A page that cannot be built breaks both.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from checks.pages import cli, coverage, errors, preflight, settings

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = Path("docs") / "reference"
LINK = re.compile(r"\]\((?!https?://|mailto:)(?P<target>[^)#\s]+)")
PAGES: Mapping[str, Callable[[], str]] = {
    "cli.md": cli.build,
    "settings.md": settings.build,
    "errors.md": errors.build,
    "preflight.md": preflight.build,
    "emulator-coverage.md": coverage.build,
}


def stale(folder: Path, pages: Mapping[str, Callable[[], str]]) -> list[str]:
    """The names of pages that are missing or differ from what the code says."""
    return [name for name, build in pages.items() if _read(folder / name) != build()]


def _read(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.exists() else None


def write(folder: Path, pages: Mapping[str, Callable[[], str]]) -> list[str]:
    """Write the pages that changed; return their names."""
    names = stale(folder, pages)
    for name in names:
        (folder / name).write_text(pages[name](), encoding="utf-8")
    return names


def broken_links(root: Path) -> Iterator[str]:
    """Every link of a Markdown page to a file that is not there, with the page and the line."""
    for page in (*sorted(root.glob("*.md")), *sorted((root / "docs").rglob("*.md"))):
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
            for link in LINK.finditer(line):
                if not (page.parent / link["target"]).exists():
                    yield f"{page.relative_to(root).as_posix()}:{number}: links to {link['target']}, which is not there"


def main(
    arguments: Sequence[str] | None = None, root: Path = ROOT, pages: Mapping[str, Callable[[], str]] = PAGES
) -> int:
    """Write or check the pages; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m checks.docs", description="The generated pages of docs/reference.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 when a page is out of date")
    options = parser.parse_args(arguments)
    folder = root / REFERENCE
    if not options.check:
        names = write(folder, pages)
        print(f"docs: wrote {', '.join(names)}" if names else f"docs: {len(pages)} pages were fresh")
        return 0
    faults = [f"{(REFERENCE / name).as_posix()}: out of date; run: make docs" for name in stale(folder, pages)]
    faults += broken_links(root)
    print("\n".join(faults) if faults else f"docs: {len(pages)} generated pages fresh, no broken links")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
