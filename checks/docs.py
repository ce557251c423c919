"""Writes the generated pages of docs/reference; with ``--check`` only says which of them are out of date.

``python -m checks.docs`` is ``make docs``. A page that cannot be built breaks both.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from checks.pages import cli, coverage, errors, settings

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"
PAGES: Mapping[str, Callable[[], str]] = {
    "cli.md": cli.build,
    "settings.md": settings.build,
    "errors.md": errors.build,
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


def main(
    arguments: Sequence[str] | None = None, folder: Path = FOLDER, pages: Mapping[str, Callable[[], str]] = PAGES
) -> int:
    """Write or check the pages; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m checks.docs", description="The generated pages of docs/reference.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 when a page is out of date")
    options = parser.parse_args(arguments)
    if not options.check:
        names = write(folder, pages)
        print(f"docs: wrote {', '.join(names)}" if names else f"docs: {len(pages)} pages were fresh")
        return 0
    names = stale(folder, pages)
    for name in names:
        print(f"docs/reference/{name}: out of date; run: make docs")
    if not names:
        print(f"docs: {len(pages)} pages fresh")
    return 1 if names else 0


if __name__ == "__main__":
    sys.exit(main())
