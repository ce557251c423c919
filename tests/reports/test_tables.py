"""The reports as tables: every column documented, in step with the store."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tenantfold.errors import InputError
from tenantfold.reports.tables import TABLES, Kind, Table, columns_markdown, table_named, table_rows
from tenantfold.store.rows import COLUMNS, Plain, RowSet

by_name = pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name.value)


class Held:
    """Rows held in memory, as the store would stream them."""

    def __init__(self, *rows: tuple[Plain, ...]) -> None:
        self.held = rows

    async def rows(self, name: RowSet, /) -> AsyncIterator[tuple[Plain, ...]]:
        assert name is RowSet.JOURNAL
        for row in self.held:
            yield row


@by_name
def test_every_column_of_the_store_is_shown_and_documented(table: Table):
    """A column that the store adds must get a heading here, or this module does not even load."""
    assert [column.key for column in table.columns] == list(COLUMNS[table.name])
    assert all(column.meaning and column.width > 0 for column in table.columns)
    assert table.about.endswith(".")


@by_name
def test_headings_are_unique_and_fit_a_worksheet(table: Table):
    """Rows are written by heading: two of the same name would lose a column. Worksheet names have 31 characters."""
    assert len(set(table.headings)) == len(table.headings)
    assert len(table.title) <= 31


@by_name
def test_days_times_and_numbers_are_told_by_their_names(table: Table):
    """The naming rules of the house decide the kind: ..._at is a time, ..._on a day, ..._count a number."""
    for column in table.columns:
        assert (column.kind is Kind.TIME) == column.key.endswith("_at")
        assert (column.kind is Kind.DAY) == (column.key.endswith("_on"))
        assert not column.key.endswith("_count") or column.kind is Kind.WHOLE_NUMBER
        assert (column.kind is Kind.YES_NO) == column.key.startswith("is_")
        assert column.kind is not Kind.TIME or column.heading.endswith("(UTC)")


def test_an_unknown_report_is_told_with_the_nearest_name():
    """The CLI passes on what people type."""
    assert table_named("plan") is TABLES["plan"]
    with pytest.raises(InputError, match=r"Did you mean results\?"):
        table_named("result")


async def test_rows_come_in_the_order_of_the_columns():
    """Cells stay below their headings."""
    row = tuple(COLUMNS[RowSet.JOURNAL])
    assert [found async for found in table_rows(Held(row), TABLES["journal"])] == [
        tuple(column.key for column in TABLES["journal"].columns)
    ]


def test_the_documentation_lists_every_column():
    """The reference page is made from the tables."""
    text = columns_markdown()
    assert all(f"`{key}`" in text for columns in COLUMNS.values() for key in columns)
