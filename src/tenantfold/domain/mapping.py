"""The offer mapping: which offer stands for one that the target's catalog no longer sells (R-119, R-121)."""

from __future__ import annotations

from dataclasses import dataclass

from tenantfold.domain.model import OfferId, SkuTerm


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferMapping:
    """One replacement, as a person wrote it. ``approved_by`` is who answers for it; without a name it has no effect.

    The target is a legacy offer, or a new-commerce ``PRODUCT:SKU`` with ``sold_as``: its term and billing plan. The
    third part of a catalog item id changes with time and is never kept (commerce reference 1.2). Names are for people.
    """

    source_offer_id: OfferId
    target_offer_id: OfferId
    approved_by: str = ""
    note: str = ""
    sold_as: SkuTerm | None = None
    source_offer_name: str = ""
    target_offer_name: str = ""

    @property
    def is_approved(self) -> bool:
        """Whether somebody put their name to it; planning reports the others and uses none of them."""
        return bool(self.approved_by)
