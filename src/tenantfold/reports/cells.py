"""Cells that come from outside (reports room): made harmless before they reach a spreadsheet.

Customers choose their own company names. A text that starts like a formula is a text in every file we write, and
characters that no file format can carry are replaced, never dropped silently.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum

Cell = str | int | float | bool | datetime | date | Decimal | None

LONGEST_TEXT = 32_767  # Excel counts UTF-16 units; longer cells make the whole workbook unreadable
_SURELY_SHORT = 16_000
_CUT = " [cut]"
_EASY = frozenset({str, int, bool, date, datetime, type(None)})
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Spreadsheets run a CSV cell that starts like this; the apostrophes keep the escape reversible.
_FORMULA = re.compile(
    "'*[=+\\-@\t\r\n\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\uff0d\N{FULLWIDTH COMMERCIAL AT}]"
)
_RISKY_STARTS = frozenset("'=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def plain_cell(value: object) -> Cell:
    """A value as a cell: enums by their value, times in UTC, collections as a list of words, texts made writable."""
    if type(value) is str:  # nearly all cells are
        return clean_text(value)
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, str):
        return clean_text(str(value))
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    if value is None or isinstance(value, int | float | date | Decimal):
        return value
    if isinstance(value, Iterable):
        return clean_text("; ".join(str(plain_cell(part)) for part in value))
    return clean_text(str(value))


def clean_text(text: str) -> str:
    """A text that every file format can carry: control characters and broken Unicode become the replacement sign."""
    if text.isprintable():
        return text
    return _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def xlsx_cell(value: object) -> Cell:
    """A cell for XLSX: times without a zone (they are UTC by heading), texts no longer than Excel allows."""
    if type(value) is str:  # nearly all cells are
        return value if value.isprintable() and len(value) < _SURELY_SHORT else _shortened(clean_text(value))
    if value is None or type(value) is int or type(value) is bool:
        return value
    cell = plain_cell(value)
    if isinstance(cell, str):
        return _shortened(cell)
    if isinstance(cell, datetime):
        return cell.replace(tzinfo=None)
    return cell


def xlsx_row(row: Sequence[object]) -> Sequence[object]:
    """A row of cells for XLSX, as ``xlsx_cell`` makes them; most rows show in one look that nothing is to be done."""
    kinds = set(map(type, row))
    if kinds <= _EASY:
        texts = "".join([cell for cell in row if type(cell) is str])
        if texts.isprintable() and len(texts) < _SURELY_SHORT:
            return (
                row if datetime not in kinds else [xlsx_cell(cell) if type(cell) is datetime else cell for cell in row]
            )
    return [xlsx_cell(cell) for cell in row]


def _shortened(text: str) -> str:
    units = text.encode("utf-16-le")
    if len(units) // 2 <= LONGEST_TEXT:
        return text
    return units[: (LONGEST_TEXT - len(_CUT)) * 2].decode("utf-16-le", errors="ignore") + _CUT


def csv_cell(value: object) -> str:
    """A cell for CSV as text. What starts like a formula gets an apostrophe; ``csv_text`` takes it away again."""
    if value is None:
        return ""
    cell = plain_cell(value)
    if isinstance(cell, str):
        return f"'{cell}" if cell[:1] in _RISKY_STARTS and _FORMULA.match(cell) else cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%dT%H:%M:%SZ")
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def csv_text(cell: str) -> str:
    """The text that ``csv_cell`` wrote, without the apostrophe it may have put before it."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
