"""The legacy catalog (state room): the offers every new world starts with, and what they cost.

``catalog.json`` beside this module holds the offers: ids, names, quantities, limits and prerequisites as the public
catalog had them (commerce reference 1.1); descriptions and prices are invented. A world owns its offers, so a test or
the demo may take one off sale without touching anybody else's world.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from importlib.resources import files

import msgspec

from partner_center_emulator.world import Offer

# Commerce reference 1.1: name and rank of the categories seen on the wire; add-ons have an empty one.
CATEGORIES: dict[str, tuple[str, int]] = {
    "Enterprise_Key": ("Enterprise", 20),
    "SmallBusiness_Key": ("Small business", 30),
    "Government_Key": ("Government", 40),
    "Nonprofit_Key": ("Nonprofit", 60),
    "Trial_Key": ("Trial", 70),
    "Internal_Key": ("Internal", 100),
    "": ("", 0),
}

# What one euro of list price becomes in a partner tenant's currency; fixed, so that a world's money never moves.
_PER_EURO: dict[str, Decimal] = {
    "EUR": Decimal(1),
    "SEK": Decimal("10.60"),
    "NOK": Decimal("10.10"),
    "DKK": Decimal("7.46"),
    "GBP": Decimal("0.88"),
    "USD": Decimal("1.18"),
}
_CENT = Decimal("0.01")


class _CatalogFile(msgspec.Struct, forbid_unknown_fields=True):
    """The shape of ``catalog.json``."""

    note: str
    offers: list[Offer]


@cache
def _catalog_text() -> bytes:
    return files("partner_center_emulator").joinpath("catalog.json").read_bytes()


def catalog_offers() -> dict[str, Offer]:
    """Return a fresh copy of the catalog, keyed by upper-case offer id; the caller may change it."""
    return {offer.id: offer for offer in msgspec.json.decode(_catalog_text(), type=_CatalogFile).offers}


def offer_by_name(offers: dict[str, Offer], name: str) -> Offer:
    """Return the offer with exactly this name; raises KeyError if there is none."""
    for offer in offers.values():
        if offer.name == name:
            return offer
    raise KeyError(name)


def price_in(offer: Offer, currency: str) -> Decimal:
    """Return the monthly list price of one license in ``currency``, rounded to cents; raises KeyError if unknown."""
    return in_currency(Decimal(offer.monthly_price), currency)


def in_currency(euros: Decimal, currency: str) -> Decimal:
    """Return an amount of euros in ``currency``, rounded to cents; raises KeyError if unknown."""
    return (euros * _PER_EURO[currency]).quantize(_CENT, rounding=ROUND_HALF_UP)


def exchange(amount: str, old: str, new: str) -> str:
    """Return a decimal amount of the currency ``old`` in ``new``, rounded to cents; raises KeyError if unknown."""
    if old == new:
        return amount
    return str((Decimal(amount) / _PER_EURO[old] * _PER_EURO[new]).quantize(_CENT, rounding=ROUND_HALF_UP))


def is_sold_in(offer: Offer, country: str) -> bool:
    """Whether the catalog of ``country`` (two letters) shows the offer."""
    return not offer.off_catalog and country.upper() not in offer.not_sold_in


def is_purchasable(offer: Offer, country: str) -> bool:
    """Whether a partner may buy the offer for a customer in ``country`` today."""
    return offer.is_available_for_purchase and is_sold_in(offer, country)
