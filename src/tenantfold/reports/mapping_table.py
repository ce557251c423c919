"""The offer mapping as a file that people review, and ``plan`` reads back (reports room; R-119, R-121)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from tenantfold.domain.mapping import OfferMapping
from tenantfold.reports.tables import Column, Kind, Table
from tenantfold.store import RowSet
from tenantfold.store.rows import Plain

TABLE = Table(
    RowSet.SUBSCRIPTIONS,
    "Offer mapping",
    "One row an offer that is no longer sold; sign a row in approved_by, or delete it.",
    (
        Column("source_offer_id", "source_offer_id", Kind.TEXT, 38, "the offer that is no longer sold"),
        Column("source_offer_name", "source_offer_name", Kind.TEXT, 40, "its name, for people"),
        Column("target_offer_id", "target_offer_id", Kind.TEXT, 38, "the offer, or PRODUCT:SKU, to order instead"),
        Column("target_offer_name", "target_offer_name", Kind.TEXT, 40, "its name, for people"),
        Column("term", "term", Kind.TEXT, 8, "P1M, P1Y or P3Y, for a PRODUCT:SKU"),
        Column("billing_plan", "billing_plan", Kind.TEXT, 12, "how a PRODUCT:SKU is billed"),
        Column("approved_by", "approved_by", Kind.TEXT, 24, "who answers for it; without a name it is not used"),
        Column("note", "note", Kind.TEXT, 60, "anything worth remembering"),
    ),
)


async def mapping_rows(mappings: Sequence[OfferMapping]) -> AsyncIterator[tuple[Plain, ...]]:
    """One row an entry, in the given order."""
    for one in mappings:
        sold = one.sold_as
        yield (
            one.source_offer_id,
            one.source_offer_name,
            one.target_offer_id,
            one.target_offer_name,
            sold.duration if sold else "",
            sold.billing_cycle if sold else "",
            one.approved_by,
            one.note,
        )
