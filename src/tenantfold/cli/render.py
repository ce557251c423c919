"""The renderer: the only place of the product that writes to the terminal. Text from outside is made harmless here."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from enum import Enum

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from tenantfold.errors import TenantfoldError

Row = Sequence[object]
WIDTH_OF_FILES = 150


def safe(value: object) -> str:
    """A value as terminal text: no markup, no control characters (company names come from outside)."""
    text = "" if value is None else f"{value:%Y-%m-%d %H:%M} UTC" if isinstance(value, datetime) else str(value)
    return escape("".join(letter if letter.isprintable() else " " for letter in text))


def jsonable(value: object) -> object:
    """A value as JSON can hold it; dataclasses become objects, times ISO text."""
    match value:
        case None | bool() | int() | float():
            return value
        case Enum():
            return value.value
        case str():
            return value
        case datetime() | date():
            return value.isoformat()
        case Mapping():
            return {str(jsonable(key)): jsonable(one) for key, one in value.items()}
        case list() | tuple() | set() | frozenset():
            return [jsonable(one) for one in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            return jsonable(asdict(value))
        case _:
            return str(value)


class Renderer:
    """Prints for people, or one JSON document for programs. Progress goes to stderr and only to a terminal."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._out = Console(highlight=False)
        if not self._out.is_terminal:
            self._out = Console(highlight=False, width=WIDTH_OF_FILES)  # a file or pipe has no width of its own
        self._err = Console(stderr=True, highlight=False)
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._note = ""

    def document(self, value: object) -> None:
        """Print the JSON answer (with --json only)."""
        if self.as_json:
            sys.stdout.write(json.dumps(jsonable(value), indent=2, ensure_ascii=False) + "\n")

    def line(self, text: str = "", *, style: str | None = None) -> None:
        """Print one line for people; the text may come from outside."""
        if not self.as_json:
            self._out.print(safe(text), style=style)

    def title(self, text: str) -> None:
        """Print a heading."""
        self.line(text, style="bold")

    def table(self, title: str, headings: Sequence[str], rows: Sequence[Row], *, numbers: Sequence[int] = ()) -> None:
        """Print a table; columns whose index is in ``numbers`` are right-aligned."""
        if self.as_json:
            return
        table = Table(title=safe(title) if title else None, title_justify="left", title_style="bold", expand=False)
        for index, heading in enumerate(headings):
            table.add_column(heading, justify="right" if index in numbers else "left", overflow="fold")
        for row in rows:
            table.add_row(*(safe(cell) for cell in row))
        self._out.print(table)

    def hint(self, text: str) -> None:
        """Say what to do next."""
        self.line(f"-> {text}", style="cyan")

    def error(self, error: TenantfoldError) -> None:
        """Say what went wrong and what to do next; with --json as an object on stdout."""
        if self.as_json:
            facts = {"code": error.code, "message": error.message, "next_step": error.next_step}
            self.document({"error": facts | {"facts": error.facts}})
            return
        for number, line in enumerate(error.message.splitlines()):
            self._err.print(f"{'       ' if number else 'error: '}{safe(line)}", style="red", soft_wrap=True)
        if error.next_step:
            self._err.print(f"-> {safe(error.next_step)}", style="cyan", soft_wrap=True)

    @contextmanager
    def progress(self) -> Iterator[Renderer]:
        """Show progress while a long use case runs; this object is its reporter."""
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        if self.as_json or not self._err.is_terminal:
            yield self
            return
        with Progress(*columns, console=self._err, transient=True) as progress:
            self._progress = progress
            try:
                yield self
            finally:
                self._progress = None
                self._tasks.clear()

    def update(self, label: str, done: int, total: int | None) -> None:
        """Take a progress report (flow.progress.Reporter)."""
        if self._progress is None:
            return
        if label not in self._tasks:
            self._tasks[label] = self._progress.add_task("", total=total)
        text = f"{label}, {self._note}" if self._note else label
        self._progress.update(self._tasks[label], description=safe(text), completed=done, total=total)

    @property
    def shows_progress(self) -> bool:
        """Whether anybody sees the progress now."""
        return self._progress is not None

    def note(self, text: str) -> None:
        """Say something beside every progress from its next report on, such as when all will be done."""
        self._note = text
