"""Proposes what to order instead of an offer that is no longer sold (R-119, R-121). A person approves; see mapping.

Pure: names, units, quantities and billing cycles are compared, nothing is decided. A proposal is never used until
somebody puts their name to it in the offer mapping.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tenantfold.domain.mapping import OfferMapping
from tenantfold.domain.model import Offer, OfferId, Sku, SkuTerm

ENOUGH = 0.4  # below this two names have little more in common than the word for the vendor
_WORD = re.compile(r"[a-z0-9]+")
_DISCOUNT = re.compile(r"\d+\s*%")  # "15 %" is no version of a product
_NOISE = frozenset(
    {"microsoft", "for", "the", "and", "a", "of", "with", "plan", "online", "office", "365"}
    | {"campaign", "promo", "promotion", "discount", "off", "special"}
)
_FAMILIES = (
    "exchange", "sharepoint", "onedrive", "visio", "project", "dynamics", "power", "intune", "mobility", "defender",
    "windows", "teams", "phone", "conferencing", "entra", "directory", "business", "enterprise", "office", "365",
)  # fmt: skip
_TERMS = {"P1M": 1, "P1Y": 0, "P3Y": 2}  # a year is what a legacy license was


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An offer that needs a replacement, and what its replacement must be able to take in every country.

    ``unit`` is empty where it is not known; ``fewest`` and ``most`` are the smallest and largest license count.
    """

    offer_id: OfferId
    name: str
    is_add_on: bool
    countries: frozenset[str]
    billing_cycles: frozenset[str]
    fewest: int
    most: int
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One candidate: ``likeness`` from 0 to 1, and why. ``sold_as`` is set for a new-commerce SKU."""

    wanted: Wanted
    offer_id: OfferId
    name: str
    likeness: float
    why: str
    sold_as: SkuTerm | None = None

    def as_mapping(self) -> OfferMapping:
        """The row of the offer mapping, without anybody's name: it has no effect until it is approved."""
        return OfferMapping(
            source_offer_id=self.wanted.offer_id,
            target_offer_id=self.offer_id,
            sold_as=self.sold_as,
            source_offer_name=self.wanted.name,
            target_offer_name=self.name,
            note=f"proposed: {self.why}; another offer, licenses must be assigned again (R-119)",
        )


def propose(
    wanted: Wanted,
    catalog: Mapping[str, Mapping[str, Offer]],
    products: Mapping[str, Mapping[str, Sku]],
    *,
    limit: int = 3,
) -> tuple[Proposal, ...]:
    """The likeliest replacements that are sold in all its countries, best first; legacy offers before equal SKUs."""
    found = [*_offers(wanted, catalog), *_skus(wanted, products)]
    found.sort(key=lambda one: (-one.likeness, one.sold_as is not None, one.name, one.offer_id))
    return tuple(found[:limit])


def likeness(one: str, other: str) -> float:
    """How much two product names mean the same, from 0 to 1: their telling words, and whether the family is one."""
    words, others = _words(one), _words(other)
    if not words or not others:
        return 1.0 if one.casefold() == other.casefold() else 0.0
    shared = 2 * _weight(words & others) / (_weight(words) + _weight(others))
    return round(shared if family(one) == family(other) else shared / 2, 3)


def family(name: str) -> str:
    """The product family a name belongs to: its first telling word of a list, else nothing."""
    words = set(_WORD.findall(name.casefold()))
    found = next((word for word in _FAMILIES if word in words), "")
    return "365" if found == "office" else found


def _words(name: str) -> frozenset[str]:
    return frozenset(_WORD.findall(_DISCOUNT.sub(" ", name.casefold()))) - _NOISE


def _weight(words: Iterable[str]) -> int:
    """Words with a digit in them (E3, P1, F1) say more than others."""
    return sum(2 if any(letter.isdigit() for letter in word) else 1 for word in words)


def _offers(wanted: Wanted, catalog: Mapping[str, Mapping[str, Offer]]) -> Iterable[Proposal]:
    first = next(iter(sorted(wanted.countries)), "")
    for offer in catalog.get(first, {}).values():
        if not all(_fits(wanted, catalog.get(country, {}).get(offer.id)) for country in wanted.countries):
            continue
        unit_differs = bool(wanted.unit and offer.unit_type and wanted.unit != offer.unit_type)
        like = likeness(wanted.name, offer.name) / (3 if unit_differs else 1)
        if like >= ENOUGH:
            yield _proposal(wanted, offer.id, offer.name, like)


def _fits(wanted: Wanted, offer: Offer | None) -> bool:
    """Whether an offer of one country can take every subscription that needs a replacement."""
    return (
        offer is not None
        and offer.id != wanted.offer_id
        and offer.is_available
        and not offer.is_trial
        and offer.is_add_on is wanted.is_add_on
        and offer.minimum_quantity <= wanted.fewest
        and wanted.most <= offer.maximum_quantity
        and (not offer.billing_cycles or wanted.billing_cycles <= set(offer.billing_cycles))
    )


def _skus(wanted: Wanted, products: Mapping[str, Mapping[str, Sku]]) -> Iterable[Proposal]:
    first = next(iter(sorted(wanted.countries)), "")
    for sku in products.get(first, {}).values():
        like = likeness(wanted.name, sku.title)
        if like < ENOUGH:
            continue
        everywhere = [products.get(country, {}).get(sku.id) for country in wanted.countries]
        fitting = (term for term in _terms(wanted, sku) if all(_takes(wanted, one, term) for one in everywhere))
        term = next(fitting, None)
        if term is not None:
            yield _proposal(wanted, sku.id, sku.title, like, term)


def _takes(wanted: Wanted, sku: Sku | None, term: SkuTerm) -> bool:
    """Whether a SKU of one country can take every subscription that needs a replacement, on these terms."""
    return (
        sku is not None
        and sku.is_sold
        and not sku.is_trial
        and sku.is_add_on is wanted.is_add_on
        and sku.sells(term)
        and sku.minimum_quantity <= wanted.fewest
        and (not sku.maximum_quantity or wanted.most <= sku.maximum_quantity)
    )


def _terms(wanted: Wanted, sku: Sku) -> list[SkuTerm]:
    """Terms and billing plans with the billing cycle that is needed, the nearest to a legacy year first."""
    fitting = [one for one in sku.terms if {one.billing_cycle} >= wanted.billing_cycles]
    return sorted(fitting, key=lambda one: _TERMS.get(one.duration, 9))


def _proposal(wanted: Wanted, offer_id: OfferId, name: str, like: float, term: SkuTerm | None = None) -> Proposal:
    shared = ", ".join(sorted(_words(wanted.name) & _words(name))) or "the whole name"
    why = f"{like:.0%} alike ({shared})"
    return Proposal(wanted=wanted, offer_id=offer_id, name=name, likeness=like, why=why, sold_as=term)
