"""Which behaviour is emulated, and how sure we are of it (report room).

Each entry says whether the behaviour is *documented* (with the page of the reference it comes from) or *assumed* (our
choice where Microsoft publishes nothing). ``partner-center-emulator coverage`` prints the table.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Source = Literal["documented", "assumed"]


class Behaviour(msgspec.Struct, frozen=True, kw_only=True):
    """One emulated behaviour: where (route or part), how sure, which page, and what in one sentence."""

    route: str
    source: Source
    page: str
    note: str


_BEHAVIOURS: list[Behaviour] = []


def behaviour(route: str, *, source: Source, page: str, note: str) -> None:
    """Register one behaviour; called at the top level of the module that implements it.

    ``route`` is ``"METHOD /template"`` or the name of a part such as ``"throttle"``; ``page`` a section of the
    reference ("core 5.1", "commerce 3.3").
    """
    _BEHAVIOURS.append(Behaviour(route=route, source=source, page=page, note=note))


def behaviours() -> tuple[Behaviour, ...]:
    """Return what was registered so far, by route, documented before assumed."""

    def place(entry: Behaviour) -> tuple[list[str], bool, str]:
        return entry.route.split(" ")[::-1], entry.source == "assumed", entry.note

    return tuple(sorted(_BEHAVIOURS, key=place))


def markdown_table() -> str:
    """Return the coverage table as Markdown, one line per behaviour."""
    lines = ["| Route or part | Source | Page | Behaviour |", "|---|---|---|---|"]
    for entry in behaviours():
        cells = (f"`{entry.route}`", entry.source, entry.page, entry.note)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"
