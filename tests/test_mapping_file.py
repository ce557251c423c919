"""The offer mapping as a file: what is proposed is read back, and new commerce says its term and billing plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenantfold.domain.mapping import OfferMapping
from tenantfold.domain.model import OfferId, SkuTerm
from tenantfold.errors import InputError
from tenantfold.listfiles import MAPPING_COLUMNS, read_offer_mapping
from tenantfold.reports.mapping_table import TABLE, mapping_rows
from tenantfold.reports.workbook import write_table

ROWS = (
    OfferMapping(
        source_offer_id=OfferId("OLD-1"),
        target_offer_id=OfferId("NEW-1"),
        approved_by="Eva",
        note="reviewed; =not a formula",
        source_offer_name="Old campaign",
        target_offer_name="New one",
    ),
    OfferMapping(
        source_offer_id=OfferId("OLD-2"),
        target_offer_id=OfferId("CFQ7TTC0LCHC:0002"),
        sold_as=SkuTerm(duration="P1Y", billing_cycle="monthly"),
    ),
)


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
async def test_what_is_written_is_read_back(tmp_path: Path, suffix: str):
    """Names, notes, terms and who approved survive; every column is known to the reader."""
    file = tmp_path / f"offer-mapping{suffix}"
    assert await write_table(TABLE, mapping_rows(ROWS), file) == len(ROWS)
    assert read_offer_mapping(file) == ROWS
    assert {column.key for column in TABLE.columns} == set(MAPPING_COLUMNS)


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ("OLD,CFQ7TTC0LCHC:0002,P1Y,", 'column billing_plan: "" is none of'),
        ("OLD,CFQ7TTC0LCHC:0002,,monthly", 'column term: "" is none of'),
        ("OLD,CFQ7TTC0LCHC:0002,P2Y,monthly", '"P2Y" is none of P1M, P1Y, P3Y'),
        ("OLD,CFQ7TTC0LCHC:0002:CFQ7TTC0K971,P1Y,monthly", "is no PRODUCT:SKU"),
        ("OLD,NEW,P1Y,monthly", "empty for a legacy offer"),
    ],
)
def test_a_row_that_nobody_could_order_is_told(tmp_path: Path, row: str, word: str):
    """With its place, as every other problem of a list."""
    file = tmp_path / "offer-mapping.csv"
    file.write_text(f"source_offer_id,target_offer_id,term,billing_plan\n{row}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"row 2, column") as told:
        read_offer_mapping(file)
    assert word in told.value.message
