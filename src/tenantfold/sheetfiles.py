"""Opens CSV and XLSX files that people give us and turns them into rows of text (no meaning yet: ``listfiles``).

Files are somebody else's: encodings, separators, formulas, broken and huge workbooks are answered, never trusted.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path

import python_calamine

from tenantfold.errors import InputError

MAX_BYTES = 20_000_000  # a list of 100,000 customers is about 10 MB; the reader holds a sheet in memory
_MAX_CELLS = 5_000_000  # a stray value in the last corner of a sheet would make the reader allocate all between
_MAX_UNPACKED = 400_000_000
_DELIMITERS = (",", ";", "\t")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_DIMENSION = re.compile(rb'<dimension ref="[A-Z]+\d+:([A-Z]+)(\d+)"')
_UTF8_ADVICE = 'In Excel: Save As, file type "CSV UTF-8 (Comma delimited)"; or give the .xlsx itself.'


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of texts. ``rows`` pairs each row below the heading with its number as a spreadsheet shows it."""

    place: str
    heading: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]


def read_sheet(path: Path) -> Sheet:
    """Read the first visible sheet of an .xlsx file, or a .csv file with commas, semicolons or tabs.

    Raises InputError for a file that is missing, empty, too big, in another encoding or not what its name says.
    """
    suffix = path.suffix.lower()
    if suffix not in {".csv", ".xlsx"}:
        other = suffix or "files without a suffix"
        raise _refused(path, f"{path}: lists are read from .csv and .xlsx, not from {other}.", _UTF8_ADVICE)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _refused(path, f"There is no file {path}.", "Check the name and the folder.") from None
    except OSError as error:
        reason = error.strerror or "unknown reason"
        raise _refused(path, f"{path} could not be read: {reason}.", "Check that it is a file you may read.") from error
    if len(content) > MAX_BYTES:
        raise _refused(path, f"{path} is too big: lists may have {MAX_BYTES / 1e6:.0f} MB.", "Split the list.")
    if not content.strip():
        raise _refused(path, f"{path} is empty.", "Write a heading and one row per entry.")
    if suffix == ".csv":
        return _sheet(str(path), _csv_rows(path, content))
    name, rows = _xlsx_rows(path, content)
    return _sheet(f"{path}, sheet {name}", rows)


def _sheet(place: str, rows: Sequence[Sequence[str]]) -> Sheet:
    """Take the first row that has anything in it as the heading."""
    for position, cells in enumerate(rows):
        if any(text.strip() for text in cells):
            below = enumerate(rows[position + 1 :], start=position + 2)
            heading = list(cells)
            while heading and not heading[-1].strip():
                heading.pop()
            return Sheet(place, tuple(heading), tuple((number, tuple(row)) for number, row in below))
    raise InputError(f"{place} is empty.", next_step="Write a heading and one row per entry.", place=place)


def _refused(path: Path, sentence: str, next_step: str) -> InputError:
    return InputError(sentence, next_step=next_step, path=str(path))


# --- CSV ------------------------------------------------------------------------------------------------------------


def _csv_rows(path: Path, content: bytes) -> list[list[str]]:
    text = _text(path, content)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True))
    except csv.Error as error:
        advice = 'Look for a quotation mark (") that is not closed.'
        raise _refused(path, f"{path} is not a well-formed CSV file: {error}.", advice) from None


def _text(path: Path, content: bytes) -> str:
    if content.startswith(_UTF16):
        raise _refused(path, f"{path} is UTF-16 text; lists must be UTF-8.", _UTF8_ADVICE)
    if content.startswith(b"PK\x03\x04"):
        raise _refused(path, f"{path} is a workbook although it is named .csv.", "Rename it to .xlsx.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        sentence = f"{path} is not UTF-8 text: line {line} has a byte that UTF-8 does not know."
        raise _refused(path, sentence, _UTF8_ADVICE) from None
    if "\0" in text:
        raise _refused(path, f"{path} is not a text file: it contains zero bytes.", _UTF8_ADVICE)
    return text


def _delimiter(text: str) -> str:
    """The separator of the heading. Excel writes ';' where the comma is the decimal sign, as in the Nordics."""
    heading = next((line for line in text.splitlines() if line.strip()), "")
    unquoted = re.sub(r'"[^"]*"', "", heading)
    return max(_DELIMITERS, key=unquoted.count)


# --- XLSX -----------------------------------------------------------------------------------------------------------


def _xlsx_rows(path: Path, content: bytes) -> tuple[str, list[list[str]]]:
    """The name and the rows of the first visible worksheet."""
    _refuse_huge(path, content)
    try:
        with python_calamine.load_workbook(io.BytesIO(content)) as workbook:
            visible = [
                sheet.name
                for sheet in workbook.sheets_metadata
                if sheet.visible == python_calamine.SheetVisibleEnum.Visible
                and sheet.typ == python_calamine.SheetTypeEnum.WorkSheet
            ]
            if not visible:
                raise _refused(path, f"{path} has no visible worksheet.", "Show the sheet with the list and save.")
            table = workbook.get_sheet_by_name(visible[0]).to_python(skip_empty_area=False)
    except python_calamine.CalamineError:
        raise _not_a_workbook(path) from None
    return visible[0], [[_cell_text(cell) for cell in row] for row in table]


def _refuse_huge(path: Path, content: bytes) -> None:
    """Look into the package before unpacking it: a small file can unpack to more than this machine has."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            unpacked = sum(entry.file_size for entry in package.infolist())
            biggest = max((_cells(head) for head in _sheet_heads(package)), default=0)
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, EOFError, ValueError):
        raise _not_a_workbook(path) from None
    if unpacked > _MAX_UNPACKED or biggest > _MAX_CELLS:
        advice = "Copy the rows you mean into a new workbook; a value far away from the others may hide in this one."
        raise _refused(path, f"{path} has a sheet that is too big for a list.", advice)


def _sheet_heads(package: zipfile.ZipFile) -> Iterator[bytes]:
    for entry in package.infolist():
        if entry.filename.startswith("xl/worksheets/") and entry.filename.endswith(".xml"):
            with package.open(entry) as file:
                yield file.read(4_096)


def _cells(head: bytes) -> int:
    """How many cells a worksheet says it spans; 0 when it does not say."""
    found = _DIMENSION.search(head)
    if found is None:
        return 0
    column = 0
    for letter in found.group(1):
        column = column * 26 + letter - ord("A") + 1
    return column * int(found.group(2))


def _not_a_workbook(path: Path) -> InputError:
    return _refused(
        path,
        f"{path} is not an XLSX workbook that can be read: it is broken, of another kind, or protected by a password.",
        "Open it in Excel and save it as an .xlsx workbook without a password, or give a .csv file.",
    )


def _cell_text(cell: object) -> str:
    """A cell as text: whole numbers without ".0", dates as in 2026-01-31."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time(0) else cell.isoformat(sep=" ")
    return cell.isoformat() if isinstance(cell, date) else str(cell)
