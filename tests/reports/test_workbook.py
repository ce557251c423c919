"""XLSX and CSV files: what is in them, and that they appear whole or not at all."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pytest
import python_calamine
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tenantfold.errors import InputError
from tenantfold.listfiles import read_customer_list
from tenantfold.reports import workbook
from tenantfold.reports.cells import clean_text, csv_text
from tenantfold.reports.tables import TABLES, Column, Kind, Table
from tenantfold.reports.workbook import write_table, write_tables
from tenantfold.store.rows import RowSet

JOURNAL = TABLES["journal"]
TWO = Table(
    RowSet.CUSTOMERS,
    "Two",
    "Two columns.",
    (
        Column("company_name", "Company name", Kind.TEXT, 20, "a name"),
        Column("domain", "Domain", Kind.TEXT, 20, "a domain"),
    ),
)


async def stream(rows: Sequence[Sequence[object]]) -> AsyncIterator[Sequence[object]]:
    """Rows as the store gives them, with a turn for others between."""
    for row in rows:
        await asyncio.sleep(0)  # house: clock - a turn for others, no time passes
        yield row


def read_csv(path: Path) -> list[list[str]]:
    """What a program sees that reads the CSV file."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, strict=True))


def names(folder: Path) -> list[str]:
    """The files of a folder."""
    return sorted(path.name for path in folder.iterdir())


async def test_a_workbook_has_typed_cells_below_its_headings(tmp_path: Path):
    """Numbers, days and times are numbers, days and times; text that looks like a number stays text."""
    at = datetime(2026, 3, 1, 1, 2, 3, tzinfo=UTC)
    begin: list[object] = [7, "key", "id", 1, "007", None, "suspend", 0, ""]
    row = [*begin, at, "done", None, None, "=1+1", "-1"]
    path = tmp_path / "journal.xlsx"
    assert await write_table(JOURNAL, stream([row]), path) == 1
    sheet = openpyxl.load_workbook(path)["Journal"]
    heading, cells = sheet.iter_rows()
    assert [cell.value for cell in heading] == list(JOURNAL.headings)
    assert cells[0].value == 7
    assert cells[4].value == "007"
    assert cells[9].value == datetime(2026, 3, 1, 1, 2, 3)  # noqa: DTZ001 - spreadsheets know no zone
    assert cells[9].number_format == "yyyy-mm-dd hh:mm:ss"
    assert [(cell.value, cell.data_type) for cell in cells[-2:]] == [("=1+1", "s"), ("-1", "s")]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref


async def test_several_reports_share_one_workbook(tmp_path: Path):
    """One file for the approver: a worksheet for each report, also for one without rows."""
    path = tmp_path / "all.xlsx"
    sheets = [(TWO, stream([("A", "a.se"), ("B", "b.se")])), (JOURNAL, stream([]))]
    assert await write_tables(sheets, path) == (2, 0)
    with python_calamine.load_workbook(path) as book:
        assert book.sheet_names == ["Two", "Journal"]
        assert book.get_sheet_by_name("Two").to_python() == [["Company name", "Domain"], ["A", "a.se"], ["B", "b.se"]]
        assert book.get_sheet_by_name("Journal").to_python() == [list(JOURNAL.headings)]


async def test_a_csv_file_is_what_excel_and_programs_read(tmp_path: Path):
    """The UTF-8 mark is for Excel; days and times are ISO 8601 in UTC; an empty report has its heading."""
    path = tmp_path / "two.CSV"
    assert await write_table(TWO, stream([("Å, B", date(2026, 3, 1)), (None, "=x")]), path) == 2
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert read_csv(path) == [["Company name", "Domain"], ["Å, B", "2026-03-01"], ["", "'=x"]]
    await write_table(TWO, stream([]), path)
    assert read_csv(path) == [["Company name", "Domain"]]


texts = st.text(alphabet=st.characters(codec=None), max_size=30)
hostile = st.builds(
    lambda start, rest: start + rest, st.sampled_from(["=", "+", "-", "@", "\t", "'=", "_x0041_"]), texts
)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(texts | hostile, texts | hostile), min_size=1, max_size=5))
@example(rows=[("=cmd|' /C calc'!A0", '"quoted", and\r\nbroken'), ("\x00\x1b[31m", "\ud800_x000D_")])
def test_texts_come_back_from_both_files_as_they_went_in(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
):
    """Whatever a customer is called, both files hold it as text: no formula, no lost cell, no broken file."""
    folder = tmp_path_factory.mktemp("cells")
    expected = [[clean_text(text) for text in row] for row in rows]

    async def write() -> None:
        await write_table(TWO, stream(rows), folder / "a.csv")
        await write_table(TWO, stream(rows), folder / "a.xlsx")

    asyncio.run(write())
    assert [[csv_text(cell) for cell in row] for row in read_csv(folder / "a.csv")[1:]] == expected
    for row in read_csv(folder / "a.csv")[1:]:
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)
    sheet = openpyxl.load_workbook(folder / "a.xlsx").active
    assert all(cell.data_type == "s" or cell.value is None for row in sheet.iter_rows() for cell in row)
    with python_calamine.load_workbook(folder / "a.xlsx") as book:
        read = book.get_sheet_by_index(0).to_python(skip_empty_area=False)[1:]
    padded = [[*row, "", ""][:2] for row in read] + [["", ""]] * (len(expected) - len(read))
    assert padded == expected


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
async def test_what_we_write_our_own_reader_reads(tmp_path: Path, suffix: str):
    """A list taken from a report goes back into the program, with companies of any name."""
    path = tmp_path / f"list{suffix}"
    companies = ["-ing AB", "'quoted' AS", "Å; B, C", "=1+1"] if suffix == ".csv" else ["'quoted' AS", "Å; B, C"]
    await write_table(TWO, stream([(name, "") for name in companies]), path)
    assert [row.company_name for row in read_customer_list(path, today=date(2026, 1, 1)).rows] == companies


@pytest.mark.parametrize(
    ("name", "word"),
    [("report.pdf", ".xlsx or .csv"), ("report", ".xlsx or .csv"), ("no/such/report.csv", "no/such does not exist")],
)
async def test_a_place_that_cannot_be_written_is_told_before_anything_is_read(tmp_path: Path, name: str, word: str):
    """An unknown suffix or a missing folder is answered at once."""
    with pytest.raises(InputError) as caught:
        await write_table(TWO, stream([("A", "B")]), tmp_path / name)
    assert word in f"{caught.value.message} {caught.value.next_step}"
    assert names(tmp_path) == []


async def test_two_reports_do_not_fit_one_csv_file(tmp_path: Path):
    """The answer says what to do instead."""
    with pytest.raises(InputError, match="holds one report, not 2"):
        await write_tables([(TWO, stream([])), (JOURNAL, stream([]))], tmp_path / "a.csv")


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
async def test_rows_that_break_off_leave_the_old_file(tmp_path: Path, suffix: str):
    """Nothing half-written appears, and the error of the source is passed on."""

    async def broken() -> AsyncIterator[Sequence[object]]:
        yield ("A", "a.se")
        raise LookupError("the database went away")

    path = tmp_path / f"report{suffix}"
    path.write_bytes(b"old")
    with pytest.raises(LookupError, match="went away"):
        await write_table(TWO, broken(), path)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == [path.name]


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
async def test_whoever_stops_waiting_leaves_nothing_behind(tmp_path: Path, suffix: str):
    """A cancelled export ends its thread and removes its draft."""
    begun = asyncio.Event()

    async def endless() -> AsyncIterator[Sequence[object]]:
        while True:
            begun.set()
            await asyncio.sleep(0)  # house: clock - a turn for others, no time passes
            yield ("A", "a.se")

    writing = asyncio.create_task(write_table(TWO, endless(), tmp_path / f"report{suffix}"))
    await begun.wait()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert names(tmp_path) == []


async def test_a_worksheet_that_would_overflow_points_to_csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Excel's limit is told in words instead of as a workbook that cannot be opened."""
    monkeypatch.setattr(workbook, "MAX_SHEET_ROWS", 2)
    rows = [("A", "a.se")] * 3
    with pytest.raises(InputError) as caught:
        await write_table(TWO, stream(rows), tmp_path / "a.xlsx")
    assert ".csv" in caught.value.next_step
    assert names(tmp_path) == []
    assert await write_table(TWO, stream(rows), tmp_path / "a.csv") == 3


async def test_a_folder_in_the_place_of_the_file_is_told(tmp_path: Path):
    """The draft is written, but cannot take that place: an answer in words, and no draft left."""
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(InputError, match="could not be written"):
        await write_table(TWO, stream([]), tmp_path / "a.csv")
    assert names(tmp_path) == ["a.csv"]
