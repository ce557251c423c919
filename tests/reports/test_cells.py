"""Cells from outside: nothing that a customer can call itself becomes a formula or breaks a file."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantfold.domain.states import Phase
from tenantfold.reports.cells import LONGEST_TEXT, clean_text, csv_cell, csv_text, plain_cell, xlsx_cell

HOSTILE = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    '=HYPERLINK("http://x","y")',
    "'=1",
    "''-1",
    "\uff1d1",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_csv_cell_starts_like_a_formula(text: str):
    """An apostrophe comes first, and taking it away again gives the text that was meant."""
    assert csv_cell(text) == f"'{text}"
    assert csv_text(csv_cell(text)) == text


@given(st.text())
def test_any_text_survives_the_apostrophe(text: str):
    """The escape is reversible for every text that a file can carry, so nothing is confused with anything else."""
    cell = csv_cell(text)
    assert csv_text(cell) == clean_text(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@given(st.text(alphabet=st.characters(codec=None)))
def test_a_clean_text_can_be_written_anywhere(text: str):
    """No control characters (a terminal would obey them), no broken Unicode, and nothing else is changed."""
    clean = clean_text(text)
    assert len(clean) == len(text)
    assert clean.encode("utf-8").decode("utf-8") == clean
    assert all(char in "\t\n\r" or not (ord(char) < 32 or 127 <= ord(char) < 160) for char in clean)
    assert all(new in (old, "\N{REPLACEMENT CHARACTER}") for old, new in zip(text, clean, strict=True))


@pytest.mark.parametrize(
    ("value", "csv", "xlsx"),
    [
        (None, "", None),
        (-5, "-5", -5),
        (True, "true", True),
        (Decimal("-1.50"), "-1.50", Decimal("-1.50")),
        (Phase.CUTTING_OVER, "cutting_over", "cutting_over"),
        (date(2026, 3, 1), "2026-03-01", date(2026, 3, 1)),
        (
            datetime(2026, 3, 1, 1, 30, tzinfo=timezone(timedelta(hours=2))),
            "2026-02-28T23:30:00Z",
            datetime(2026, 2, 28, 23, 30),  # noqa: DTZ001 - spreadsheets know no zone
        ),
        (("a", "b"), "a; b", "a; b"),
        (("=a", "b"), "'=a; b", "=a; b"),
    ],
)
def test_values_are_shown_in_one_way(value: object, csv: str, xlsx: object):
    """Negative numbers stay numbers, times are UTC in both files, lists are words."""
    assert csv_cell(value) == csv
    assert xlsx_cell(value) == xlsx


def test_a_text_that_excel_cannot_hold_is_cut_and_says_so():
    """Excel counts emoji twice; a longer cell would make the whole workbook unreadable."""
    for text in ("x" * 40_000, "\N{GRINNING FACE}" * 20_000):
        cell = xlsx_cell(text)
        assert isinstance(cell, str)
        assert len(cell.encode("utf-16-le")) // 2 <= LONGEST_TEXT
        assert cell.endswith(" [cut]")
    assert xlsx_cell("x" * LONGEST_TEXT) == "x" * LONGEST_TEXT


def test_a_time_without_a_zone_is_taken_as_utc():
    """All times here are UTC (R-192); the machine's own zone must not move them."""
    assert plain_cell(datetime(2026, 3, 1, 1)) == datetime(2026, 3, 1, 1, tzinfo=UTC)  # noqa: DTZ001 - the case
