"""Which behaviour is emulated, and how sure we are of it (report room).

Each entry says whether the behaviour is *documented* (with the page of the reference it comes from) or *assumed* (our
choice where Microsoft publishes nothing). What is left out stands in ``left_out.py``. ``partner-center-emulator
coverage`` prints the table: supported, partial or absent.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from partner_center_emulator.left_out import GAPS

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
    """Return the coverage table as Markdown: one line per behaviour, and one per gap with its reason.

    A call with a gap is partial in all its lines. What is absent or missing is documented: the page describes it.
    """
    partial = {gap.route for gap in GAPS if gap.extent == "partial"}
    rows = [
        (entry.route, "partial" if entry.route in partial else "supported", entry.source, entry.page, entry.note)
        for entry in behaviours()
    ]
    rows += [(gap.route, gap.extent, "documented", gap.page, f"Missing: {gap.reason}") for gap in GAPS]
    lines = ["| Route or part | Emulated | Source | Page | Behaviour |", "|---|---|---|---|---|"]
    # stable: a call's gap comes after its behaviour
    for route, *cells in sorted(rows, key=lambda row: row[0].split(" ")[::-1]):
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in (f"`{route}`", *cells)) + " |")
    return "\n".join(lines) + "\n"
