"""The partner's own price list (``files.price_list``): what licenses cost a month. Pure.

It is given by people and never read at Microsoft; what it does not hold is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from tenantfold.domain.model import OfferId
from tenantfold.domain.products import product_sku

PRICE_NOT_KNOWN = "price not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one license of an offer costs a month. Empty ``country`` or ``billing_cycle`` stand for all."""

    offer_id: OfferId
    monthly_unit_price: Decimal
    currency: str
    country: str = ""
    billing_cycle: str = ""

    def words(self, count: int) -> str:
        """What so many licenses cost a month."""
        unit, total = self.monthly_unit_price, self.monthly_unit_price * count
        return f"price {count} x {unit:.2f} = {total:.2f} {self.currency} a month"


PriceBook = Mapping[tuple[OfferId, str, str], Price]
"""Prices by offer, country and billing cycle."""


def price_book(prices: Iterable[Price]) -> PriceBook:
    """The prices by where they hold."""
    return {(one.offer_id, one.country, one.billing_cycle): one for one in prices}


def price_of(known: PriceBook, offer_id: OfferId, country: str, billing_cycle: str) -> Price | None:
    """The closest price: of this country and cycle, of either, or the offer's only one; None where there is none.

    A new-commerce offer may be listed by its product and SKU alone: its catalog item id changes with time.
    """
    places = ((country, billing_cycle), (country, ""), ("", billing_cycle), ("", ""))
    for offer in dict.fromkeys((offer_id, OfferId(product_sku(offer_id)))):
        for place in places:
            found = known.get((offer, *place))
            if found is not None:
                return found
    return None
