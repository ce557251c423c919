"""What a subscription is: its commerce system and its kind of product. Reading order 3, first part.

Partner Center says it nowhere in one word; it follows from the product type, the shape of the offer id and the billing
type (commerce reference 3.2, 1.2).
"""

from __future__ import annotations

from functools import lru_cache

from tenantfold.domain.model import CommerceKind, OfferId, ProductKind, Subscription

CACHED = 4096  # offers that one partner holds; half a million subscriptions ask for few of them
AZURE_PLAN = "DZH318Z0BPS6"  # product id of the Azure plan (commerce reference 1.2)
AZURE_PLAN_SKU = OfferId(f"{AZURE_PLAN}:0001")
LEGACY_AZURE = "MS-AZR"  # how offer ids of legacy Azure begin
LICENSE_PRODUCTS = "CFQ7TTC0"  # how product ids of licenses begin
_SOFTWARE = "DG7GMGF0"  # and those of software
_BY_TYPE = {"onlineservicesnce": ProductKind.LICENSE, "azure": ProductKind.AZURE_PLAN}


def commerce_kind(subscription: Subscription) -> CommerceKind:
    """Tell the commerce system of a subscription (commerce reference 3.2: ``productType`` is absent on legacy)."""
    if subscription.offer_id.upper().startswith(LEGACY_AZURE) or subscription.billing_type == "usage":
        return CommerceKind.AZURE
    if subscription.product_type or ":" in subscription.offer_id:
        return CommerceKind.AZURE if subscription.product_type.lower() == "azure" else CommerceKind.NEW_COMMERCE
    if subscription.billing_type == "license":
        return CommerceKind.LEGACY_LICENSE
    return CommerceKind.OTHER


def product_kind(subscription: Subscription) -> ProductKind:
    """Tell what is sold; a kind this program does not know is unknown, never the nearest (R-227)."""
    return _kind_of(subscription.offer_id, subscription.product_type, subscription.billing_type)


@lru_cache(maxsize=CACHED)
def _kind_of(offer_id: str, product_type: str, billing_type: str) -> ProductKind:
    if not product_type and ":" not in offer_id:
        return _legacy_kind(offer_id, billing_type)
    if product_type:
        return _kind_of_type(product_type.lower())
    if offer_id.startswith(AZURE_PLAN):
        return ProductKind.AZURE_PLAN
    if offer_id.startswith(LICENSE_PRODUCTS):
        return ProductKind.LICENSE
    return ProductKind.SOFTWARE if offer_id.startswith(_SOFTWARE) else ProductKind.UNKNOWN


def _legacy_kind(offer_id: str, billing_type: str) -> ProductKind:
    if billing_type == "usage" or offer_id.upper().startswith(LEGACY_AZURE):
        return ProductKind.LEGACY_AZURE
    return ProductKind.LEGACY_LICENSE if billing_type == "license" else ProductKind.UNKNOWN


def _kind_of_type(product_type: str) -> ProductKind:
    known = _BY_TYPE.get(product_type)
    if known is not None:
        return known
    if "reservation" in product_type or "savings" in product_type:
        return ProductKind.AZURE_COMMITMENT
    if "saas" in product_type:
        return ProductKind.SAAS
    return ProductKind.SOFTWARE if "software" in product_type else ProductKind.UNKNOWN


@lru_cache(maxsize=CACHED)
def is_modern_offer(offer_id: str) -> bool:
    """Whether an offer id can only be new commerce or Azure: suspending such a one stops no bill (R-135)."""
    return ":" in offer_id or offer_id.upper().startswith(LEGACY_AZURE)


def product_sku(offer_id: str) -> str:
    """``PRODUCT:SKU`` of a new-commerce offer id; the availability behind it changes with country and terms.

    A legacy offer id is returned as it is.
    """
    return ":".join(offer_id.split(":")[:2]) if ":" in offer_id else offer_id
