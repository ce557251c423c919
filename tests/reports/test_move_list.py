"""The exported list of customers is the list that plan reads (R-07)."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tenantfold.listfiles import CUSTOMER_COLUMNS, read_customer_list
from tenantfold.reports.move_list import TABLE
from tenantfold.reports.workbook import write_table


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
async def test_what_is_exported_is_read_back_as_the_list(tmp_path: Path, suffix: str):
    """Every column is known to the reader; without contacts each customer is on the list without one."""

    async def rows():
        for number in range(3):
            yield (f"00000000-0000-4000-8000-00000000000{number}", f"Company {number}", "", "", "", "")

    file = tmp_path / f"list{suffix}"
    assert await write_table(TABLE, rows(), file) == 3
    selection = read_customer_list(file, today=date(2026, 3, 2))
    assert [row.company_name for row in selection.rows] == ["Company 0", "Company 1", "Company 2"]
    assert {column.key for column in TABLE.columns} <= set(CUSTOMER_COLUMNS)
