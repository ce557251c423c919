"""Small pieces of Markdown that the pages are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

NOTICE = "<!-- Written by `make docs` from the code. Change the code, not this page. -->"


def head(title: str, purpose: str) -> str:
    """The beginning of a page: its title and what it is for."""
    return f"# {title}\n\n{purpose}\n\n{NOTICE}\n"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells may hold anything, bars and line ends are made harmless. Empty when there are no rows."""
    body = ["| " + " | ".join(map(cell, row)) + " |" for row in rows]
    if not body:
        return ""
    lines = ["| " + " | ".join(headings) + " |", "|" + "---|" * len(headings), *body]
    return "\n".join(lines) + "\n"


def cell(text: str) -> str:
    """One cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def code(text: object) -> str:
    """Text set as code; nothing stays nothing."""
    return f"`{text}`" if str(text) else ""


def first_sentence(docstring: str | None) -> str:
    """The first paragraph of a docstring in one line."""
    return " ".join((docstring or "").strip().split("\n\n")[0].split())


def page(*parts: str) -> str:
    """Join parts with one empty line between them, and one line end at the end."""
    return "\n\n".join(part.strip("\n") for part in parts if part.strip()) + "\n"
