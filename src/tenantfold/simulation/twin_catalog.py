"""The twin's catalog (simulation room): legacy offers as they were read, and a stand-in for new commerce.

New-commerce products are never sold in a twin: a rehearsal orders legacy offers only. They are there so that a
subscription that is held can be shown, renewed and extended.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from partner_center_emulator.catalog import CATEGORIES
from partner_center_emulator.products.availability import parse_item_id
from partner_center_emulator.state.catalog import Plan, Product, ProductKind, Sku
from partner_center_emulator.state.commerce import SubscriptionTerms
from partner_center_emulator.world import Offer as TwinOffer
from partner_center_emulator.world import Subscription as TwinSubscription
from partner_center_emulator.world import World
from tenantfold.domain.model import Offer, Subscription
from tenantfold.domain.reads import Read
from tenantfold.simulation.twin_documents import KeptProduct, offer_document

_KINDS: tuple[ProductKind, ...] = get_args(ProductKind)
_TERM_UNITS = {"year": "Year", "month": "Month", "day": "Day"}
_LIMIT_UNITS = {"none": "None", "concurrent": "Concurrent", "lifetime": "Lifetime"}


class Catalog:
    """Fills a world's offers and products."""

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

    def close(self) -> None:
        """Note for every offer in which of the countries that were read it is not sold."""
        for offer_id, sold_in in self._sold_in.items():
            offer = self._world.offers[offer_id]
            # one that is for sale nowhere stays in the catalogs, as it was read
            offer.not_sold_in = sorted(self._countries - sold_in) if sold_in else []

    def hold_new(self, held: Subscription, subscription: TwinSubscription, currency: str) -> None:
        """Give a subscription the terms of new commerce; nothing about them but the term itself is known."""
        product_id, sku_id, _ = parse_item_id(held.offer_id)
        kind: ProductKind = next((one for one in _KINDS if one == held.product_type), "OnlineServicesNCE")
        self._stand_in(product_id, sku_id, kind, subscription, held.term_duration)
        self._world.commerce.terms[subscription.id] = SubscriptionTerms(
            product_id=product_id,
            sku_id=sku_id,
            product_type=kind,
            term_duration=held.term_duration,
            purchased_at=subscription.created_at,
            term_started_at=subscription.created_at,
            anchor=subscription.effective_start,
            currency=currency,
            unit_price="0",
            list_price="0",
        )

    def _stand_in(
        self, product_id: str, sku_id: str, kind: ProductKind, subscription: TwinSubscription, duration: str
    ) -> None:
        """See that product, SKU and plan exist; they cost nothing."""
        products = self._world.commerce.products
        product = products.get(product_id)
        if product is None:
            product = products[product_id] = Product(
                id=product_id, title=subscription.offer_name, description="", type=kind, views=[], skus=[]
            )
        sku = next((one for one in product.skus if one.id == sku_id), None)
        if sku is None:
            sku = Sku(id=sku_id, title=subscription.offer_name, description="", plans=[])
            product.skus.append(sku)
        cycle = subscription.billing_cycle
        if not any((plan.duration, plan.billing_cycle) == (duration, cycle) for plan in sku.plans):
            sku.plans.append(Plan(duration=duration, billing_cycle=cycle, price="0"))


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
