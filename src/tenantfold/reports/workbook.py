"""Writes reports as XLSX and CSV (reports room), streaming: memory does not grow with the number of rows.

The writers are blocking libraries, so they run in a thread that asks the event loop for batches of rows.
"""

from __future__ import annotations

import asyncio
import csv
from collections.abc import AsyncIterable, Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import rustpy_xlsxwriter as xlsx

from tenantfold.errors import InputError
from tenantfold.reports.cells import csv_cell, xlsx_row
from tenantfold.reports.drafts import drafted
from tenantfold.reports.tables import Kind, Table

Rows = AsyncIterable[Sequence[object]]

MAX_SHEET_ROWS = 1_048_575  # Excel's limit, less the heading
_BATCH = 1_000
_FORMATS = {Kind.WHOLE_NUMBER: "0", Kind.DAY: "yyyy-mm-dd", Kind.TIME: "yyyy-mm-dd hh:mm:ss"}


class _Feed:
    """Lets a writer in a thread read rows that only the event loop can fetch."""

    def __init__(self, rows: Rows, loop: asyncio.AbstractEventLoop) -> None:
        self._rows = aiter(rows)
        self._loop = loop
        self._is_stopped = False
        self.count = 0

    def __iter__(self) -> Iterator[Sequence[object]]:
        while batch := asyncio.run_coroutine_threadsafe(self._batch(), self._loop).result():
            self.count += len(batch)
            yield from batch

    def stop(self) -> None:
        """Make the writer end at its next batch, because nobody waits for it any more."""
        self._is_stopped = True

    async def _batch(self) -> list[Sequence[object]]:
        if self._is_stopped:
            raise InputError("Writing was stopped.")
        batch: list[Sequence[object]] = []
        async for row in self._rows:
            batch.append(row)
            if len(batch) == _BATCH:
                break
        return batch


async def write_table(table: Table, rows: Rows, path: Path) -> int:
    """Write one report to a .xlsx or .csv file and return the number of rows. The file appears whole or not at all.

    Raises InputError for another suffix, a missing folder, a file that cannot be written, or more rows than a
    worksheet holds.
    """
    return (await write_tables([(table, rows)], path))[0]


async def write_tables(sheets: Sequence[tuple[Table, Rows]], path: Path) -> tuple[int, ...]:
    """Write several reports to one workbook, a worksheet each; CSV takes one only. Returns the rows of each.

    Raises InputError as ``write_table`` does.
    """
    suffix = path.suffix.lower()
    if suffix not in {".xlsx", ".csv"}:
        raise InputError(
            f"{path.name}: reports are written as .xlsx or .csv, not as {suffix or 'a file without a suffix'}.",
            next_step="Give the file a name that ends in .xlsx or .csv.",
            path=str(path),
        )
    if suffix == ".csv" and len(sheets) != 1:
        raise InputError(
            f"{path.name}: a CSV file holds one report, not {len(sheets)}.",
            next_step="Write a .xlsx file, or one CSV file for each report.",
            path=str(path),
        )
    loop = asyncio.get_running_loop()
    feeds = [(table, _Feed(rows, loop)) for table, rows in sheets]
    with drafted(path) as draft:
        await _in_thread(partial(_write_csv if suffix == ".csv" else _write_xlsx, feeds, draft), feeds)
    return tuple(feed.count for _, feed in feeds)


async def _in_thread(work: Callable[[], None], feeds: Sequence[tuple[Table, _Feed]]) -> None:
    """Run the writer in a thread. Whoever stops waiting also stops the writer, before its draft is removed."""
    writing = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        for _, feed in feeds:
            feed.stop()
        await asyncio.wait({writing})
        if not writing.cancelled():
            writing.exception()  # what it says no longer matters, but must be taken
        raise


def _write_csv(feeds: Sequence[tuple[Table, _Feed]], draft: Path) -> None:
    """UTF-8 with the mark that Excel needs to see it is UTF-8; commas; lines end as RFC 4180 says."""
    [(table, feed)] = feeds
    with draft.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(table.headings)
        writer.writerows([csv_cell(value) for value in row] for row in feed)


def _write_xlsx(feeds: Sequence[tuple[Table, _Feed]], draft: Path) -> None:
    """One worksheet per report: heading frozen and filterable, widths and number formats by column."""
    xlsx.write_worksheets(
        [(table.title, _records(table, feed)) for table, feed in feeds],
        str(draft),
        freeze_panes={"general": {"row": 1, "col": 0}},
        header_format={"general": xlsx.Format().set_bold().set_background_color("#E8EEF7").set_border_bottom("thin")},
        column_widths={table.title: {one.heading: float(one.width) for one in table.columns} for table, _ in feeds},
        column_formats={table.title: _formats(table) for table, _ in feeds},
        autofilter={"general": True},
    )


def _formats(table: Table) -> dict[str, xlsx.Format]:
    return {
        column.heading: xlsx.Format().set_num_format(_FORMATS[column.kind])
        for column in table.columns
        if column.kind in _FORMATS
    }


def _records(table: Table, feed: _Feed) -> Iterator[dict[str, object]]:
    """The rows as the writer takes them. It takes the heading from the first, so an empty report has a blank one."""
    headings = table.headings
    number = 0
    for number, row in enumerate(feed, start=1):
        if number > MAX_SHEET_ROWS:
            raise InputError(
                f"The report {table.name} has more rows than the {MAX_SHEET_ROWS:,} that a worksheet can hold.",
                next_step="Write it as .csv, which has no such limit.",
            )
        yield dict(zip(headings, xlsx_row(row), strict=True))
    if number == 0:
        yield dict.fromkeys(headings)
