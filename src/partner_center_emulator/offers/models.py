"""Behaviour of the catalog (model room): which offers a country sees and how the wire shows them (commerce 1.1)."""

from __future__ import annotations

from collections.abc import Callable

from partner_center_emulator.catalog import CATEGORIES, is_sold_in
from partner_center_emulator.errors import refusal
from partner_center_emulator.wire import Json, attributes, collection, link
from partner_center_emulator.world import Offer, World

# The catalog's own id in every offer's `uri`, the same in all published samples.
_CATALOG_ID = "3c95518e-8c37-41e3-9627-0ca339200f53"


class OfferLinks:
    """Which offers have add-ons, worked out once per world (``hasAddOns``, ``hasPurchasableAddons``)."""

    def __init__(self, world: World) -> None:
        self.bases: frozenset[str] = frozenset(
            base for offer in world.offers.values() if offer.is_add_on for base in offer.prerequisite_offers
        )


def find_offer(world: World, offer_id: str, country: str) -> Offer:
    """Return the offer of ``country``'s catalog.

    Raises 400 code 2100 for an id of the new catalog, 404 code 1000 for an unknown one, one that is gone, or one that
    the country does not sell.
    """
    if ":" in offer_id:
        raise refusal(2100, offer_id)
    offer = world.offers.get(offer_id.upper())
    if offer is None or not is_sold_in(offer, country):
        raise refusal(1000)
    return offer


def list_offers(world: World, country: str, category_id: str = "") -> list[Offer]:
    """Return the catalog of ``country`` by rank, only one category if asked."""
    wanted = category_id.casefold()
    found = [
        offer
        for offer in world.offers.values()
        if is_sold_in(offer, country) and (not wanted or offer.category.casefold() == wanted)
    ]
    return sorted(found, key=lambda offer: (offer.rank, offer.name, offer.id))


def list_add_ons(world: World, base: Offer, country: str) -> list[Offer]:
    """Return the add-ons that may hang on a subscription of ``base`` in ``country``."""
    return [offer for offer in list_offers(world, country) if base.id in offer.prerequisite_offers]


def list_categories(world: World, country: str) -> list[str]:
    """Return the ids of the categories that ``country``'s catalog uses, by rank; add-ons have none."""
    used = {offer.category for offer in world.offers.values() if offer.category and is_sold_in(offer, country)}
    return sorted(used, key=lambda category: CATEGORIES[category][1])


def wire_category(category_id: str, country: str, locale: str) -> Json:
    """Return one OfferCategory as the wire shows it."""
    name, rank = CATEGORIES[category_id]
    return {
        "id": category_id,
        "name": name,
        "rank": rank,
        "locale": locale,
        "country": country,
        "attributes": attributes("OfferCategory"),
    }


def wire_offer(offer: Offer, *, has_add_ons: bool, country: str, locale: str) -> Json:
    """Return one Offer with every member that the recorded catalog has (commerce 1.1)."""
    body: Json = {
        **_what_it_is(offer, country, locale),
        **_how_it_is_sold(offer, has_add_ons=has_add_ons),
        "product": {"id": offer.product_id, "name": offer.product_name, "unit": offer.unit_type},
        "unitType": offer.unit_type,
        "links": {
            "learnMore": {"method": "GET", "headers": []},
            "self": link(f"/offers/{offer.id}?country={country}"),
        },
        "attributes": attributes("Offer"),
    }
    if offer.upgrade_target_offers:  # most recorded offers leave the member out
        body["upgradeTargetOffers"] = offer.upgrade_target_offers
    return body


def _what_it_is(offer: Offer, country: str, locale: str) -> Json:
    return {
        "id": offer.id,
        "name": offer.name,
        "description": offer.description,
        "minimumQuantity": offer.minimum_quantity,
        "maximumQuantity": offer.maximum_quantity,
        "rank": offer.rank,
        "uri": f"/{_CATALOG_ID}/Offers/{offer.id}",
        "locale": locale,
        "country": country,
        "category": wire_category(offer.category, country, locale),
        "limitUnitOfMeasure": offer.limit_unit,
        "limit": offer.limit,
        "termUnitOfMeasure": offer.term_unit,
        "term": offer.term,
    }


def _how_it_is_sold(offer: Offer, *, has_add_ons: bool) -> Json:
    return {
        "prerequisiteOffers": offer.prerequisite_offers,
        "isAddOn": offer.is_add_on,
        "hasAddOns": has_add_ons,
        "isAvailableForPurchase": offer.is_available_for_purchase,
        "billing": "license",
        "supportedBillingCycles": offer.billing_cycles,
        "isAutoRenewable": not offer.is_trial,
        "isInternal": False,
        "isMicrosoftProduct": True,
        "conversionTargetOffers": offer.conversion_target_offers,
        "reselleeQualifications": [],
        "resellerQualifications": [],
        "salesGroupId": f"Trial-{offer.id}" if offer.is_trial else "Default",
        "isTrial": offer.is_trial,
        "acquisitionType": "purchase",
        "supportedCatalogTypes": ["sandbox", "live"],
        "actions": ["Cancel", "Edit"],
    }


def offer_page(offers: list[Offer], show: Callable[[Offer], Json], *, path: str, offset: int, size: int | None) -> Json:
    """Return a slice of ``offers`` as a collection; ``next`` stands in the links only while there is more.

    Offset paging (core reference 3); without ``size`` the whole list comes in one answer, as recorded.
    """
    chosen = offers[offset:] if size is None else offers[offset : offset + size]
    links: Json = {"self": link(path)}
    if size is not None and offset + size < len(offers):
        joint = "&" if "?" in path else "?"
        links["next"] = link(f"{path}{joint}offset={offset + size}&size={size}")
    return collection([show(offer) for offer in chosen], links=links)
