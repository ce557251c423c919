"""The new-commerce catalog and owned software on the wire (partnercenter room, wire). Commerce reference 1.2, 3.2."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Raw

from tenantfold.domain.model import OfferId, Sku, SkuTerm
from tenantfold.domain.reads import Read
from tenantfold.domain.software import OwnedSoftware
from tenantfold.partnercenter.wire import Wire, decode, known_word, lower_guid

_LICENSE = "onlineservicesnce"
_SOFTWARE = "software"
_CYCLES = frozenset({"monthly", "annual", "triennial", "biennial", "one_time", "none"})
_COMMERCIAL = "commercial"


class ProductKind(Wire):
    """What kind of product it is."""

    id: str | None = None


class ProductItem(Wire):
    """One product of the catalog."""

    id: str
    product_type: ProductKind | None = None


class SkuFacts(Wire):
    """The free map of a SKU, as far as we read it."""

    is_addon: bool | None = None
    prerequisite_skus: list[str] | None = None


class SkuItem(Wire):
    """One SKU of a product."""

    id: str
    title: str | None = None
    minimum_quantity: int | None = None
    maximum_quantity: int | None = None
    is_trial: bool | None = None
    dynamic_attributes: SkuFacts | None = None


class Term(Wire):
    """One way a catalog item is sold."""

    duration: str | None = None
    billing_cycle: str | int | None = None


class Availability(Wire):
    """One catalog item of today."""

    catalog_item_id: str | None = None
    segment: str | None = None
    is_purchasable: bool | None = None
    terms: list[Term] | None = None


class SoftwareQuantity(Wire):
    """How many of an entitlement are in which status."""

    status: str | None = None


class SoftwareOrder(Wire):
    """The order that made an entitlement."""

    id: str | None = None


class SoftwareEntitlement(Wire):
    """Software as the customer's entitlements show it."""

    product_id: str | None = None
    sku_id: str | None = None
    quantity: int | None = None
    quantity_details: list[SoftwareQuantity] | None = None
    entitlement_type: str | None = None
    reference_order: SoftwareOrder | None = None


def read_software(document: bytes | Raw) -> OwnedSoftware | None:
    """One entitlement to software; None for another type, should the filter let it through."""
    item = decode(document, SoftwareEntitlement)
    if (item.entitlement_type or _SOFTWARE).lower() != _SOFTWARE:
        return None
    statuses = [one.status.strip() for one in item.quantity_details or () if one.status]
    return OwnedSoftware(
        sku_id=":".join(part.strip() for part in (item.product_id, item.sku_id) if part),
        count=item.quantity,
        status=", ".join(dict.fromkeys(statuses)),
        order_id=lower_guid(item.reference_order.id) if item.reference_order else "",
    )


def license_product(document: bytes | Raw) -> str | None:
    """The id of a product, if it is a new-commerce license."""
    item = decode(document, ProductItem)
    kind = (item.product_type.id or "") if item.product_type else ""
    return item.id.strip() if kind.lower() == _LICENSE else None


def sku_id_of(document: bytes | Raw) -> str:
    """The id of a SKU inside its product."""
    return decode(document, SkuItem).id.strip()


def read_availability(document: bytes | Raw) -> Availability:
    """One catalog item."""
    return decode(document, Availability)


def read_sku(document: bytes | Raw, product_id: str, country: str, offered: Iterable[Availability]) -> Read[Sku]:
    """A SKU with the terms it is sold for to businesses; without any it is not sold.

    The limit on subscriptions of a SKU is not in the catalog (R-125): it shows when a purchase is refused.
    """
    item = decode(document, SkuItem)
    facts = item.dynamic_attributes or SkuFacts()
    terms = tuple(dict.fromkeys(term for one in offered if _for_business(one) for term in _terms(one)))
    sku = Sku(
        id=OfferId(f"{product_id}:{item.id.strip()}"),
        title=item.title or "",
        country=country.upper(),
        is_sold=bool(terms),
        is_trial=bool(item.is_trial),
        is_add_on=bool(facts.is_addon),
        minimum_quantity=item.minimum_quantity or 1,
        maximum_quantity=item.maximum_quantity or 0,
        prerequisites=tuple(OfferId(one.replace("/", ":")) for one in facts.prerequisite_skus or ()),
        terms=terms,
    )
    return Read(value=sku, document=bytes(document))


def item_for(offered: Iterable[Availability], sold_as: SkuTerm) -> OfferId | None:
    """The catalog item that is sold on these terms to businesses."""
    return next(
        (
            OfferId(one.catalog_item_id)
            for one in offered
            if one.catalog_item_id and _for_business(one) and sold_as in _terms(one)
        ),
        None,
    )


def _for_business(item: Availability) -> bool:
    return bool(item.is_purchasable) and (item.segment or _COMMERCIAL).lower() == _COMMERCIAL


def _terms(item: Availability) -> list[SkuTerm]:
    return [
        SkuTerm(duration=(term.duration or "").upper(), billing_cycle=known_word(term.billing_cycle, _CYCLES))
        for term in item.terms or ()
    ]
