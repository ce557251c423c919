"""The twin's legacy catalog (simulation room): offers as they were read, and those that are held and sold no more."""

from __future__ import annotations

from collections.abc import Iterable

from partner_center_emulator.catalog import CATEGORIES
from partner_center_emulator.world import Offer as TwinOffer
from partner_center_emulator.world import Subscription as TwinSubscription
from partner_center_emulator.world import World
from tenantfold.domain.model import Offer, OfferId
from tenantfold.domain.reads import Read
from tenantfold.simulation.twin_documents import KeptProduct, offer_document

_TERM_UNITS = {"year": "Year", "month": "Month", "day": "Day"}
_LIMIT_UNITS = {"none": "None", "concurrent": "Concurrent", "lifetime": "Lifetime"}


class Catalog:
    """Fills a world's offers."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._sold_in: dict[str, set[str]] = {}
        self._countries: set[str] = set()

    def add(self, country: str, offers: Iterable[Read[Offer]]) -> int:
        """Take the catalog of a country; returns how many offers it lists without selling them."""
        self._countries.add(country.upper())
        not_for_sale = 0
        for read in offers:
            offer = read.value
            sold_in = self._sold_in.setdefault(offer.id, set())
            if offer.id not in self._world.offers:
                self._world.offers[offer.id] = _twin_offer(read)
            if offer.is_available:
                sold_in.add(country.upper())
                self._world.offers[offer.id].is_available_for_purchase = True
            else:
                not_for_sale += 1
        return not_for_sale

    def keep_off_sale(self, subscription: TwinSubscription) -> bool:
        """See that the offer of a subscription exists; True when it had to be made, in no catalog."""
        offer_id = subscription.offer_id
        if offer_id in self._world.offers:
            return False
        self._world.offers[offer_id] = TwinOffer(
            id=offer_id,
            name=subscription.offer_name,
            description="",
            product_id=offer_id,
            product_name=subscription.offer_name,
            category="",
            is_add_on=subscription.parent_subscription_id is not None,
            is_trial=subscription.is_trial,
            unit_type=subscription.unit_type,
            off_catalog=True,
        )
        return True

    def replace(self, offer_id: OfferId, other_id: OfferId) -> None:
        """Take a mapping of the plan: what is ordered for an offer stands for it (R-119)."""
        offer = self._world.offers.get(offer_id)
        if offer is not None and other_id not in offer.replaced_by:
            offer.replaced_by.append(other_id)

    def close(self) -> None:
        """Note for every offer in which of the countries that were read it is not sold."""
        for offer_id, sold_in in self._sold_in.items():
            offer = self._world.offers[offer_id]
            # one that is for sale nowhere stays in the catalogs, as it was read
            offer.not_sold_in = sorted(self._countries - sold_in) if sold_in else []


def _twin_offer(read: Read[Offer]) -> TwinOffer:
    offer, document = read.value, offer_document(read)
    product = document.product or KeptProduct()
    category = (document.category.id if document.category else None) or ""
    twin = TwinOffer(
        id=offer.id,
        name=offer.name,
        description=document.description or "",
        product_id=product.id or offer.id,
        product_name=product.name or offer.name,
        category=category if category in CATEGORIES else "",
        minimum_quantity=offer.minimum_quantity,
        maximum_quantity=offer.maximum_quantity,
        limit=offer.limit,
        term=document.term or 1,
        term_unit=_TERM_UNITS.get((document.term_unit_of_measure or "").lower(), "Year"),
        billing_cycles=list(offer.billing_cycles),
        prerequisite_offers=list(offer.prerequisite_offers),
        is_add_on=offer.is_add_on,
        is_trial=offer.is_trial,
        unit_type=document.unit_type or "Licenses",
        rank=document.rank or 0,
        is_available_for_purchase=False,  # until a country sells it
    )
    match _LIMIT_UNITS.get(offer.limit_unit.lower()):
        case "Concurrent":
            twin.limit_unit = "Concurrent"
        case "Lifetime":
            twin.limit_unit = "Lifetime"
        case _:
            twin.limit_unit = "None"
    return twin
