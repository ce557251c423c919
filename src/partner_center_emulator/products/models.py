"""Behaviour of the new-commerce catalog (model room): views, segments, inventory (commerce reference 1.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import refusal
from partner_center_emulator.products.availability import find_product, find_sku, is_sold
from partner_center_emulator.state.catalog import Product, Sku
from partner_center_emulator.wire import Json, field, object_field, text_field

VIEWS = (
    "Azure", "AzureReservations", "AzureReservationsVM", "AzureReservationsSQL", "AzureReservationsCosmosDb",
    "MicrosoftAzure", "OnlineServices", "Software", "SoftwareSUSELinux", "SoftwarePerpetual", "SoftwareSubscriptions",
    "SpecializedOffers", "MarketplaceSaaS",
)  # fmt: skip
SEGMENTS = ("commercial", "education", "government", "nonprofit")
_VIEW_BY_NAME = {name.lower(): name for name in VIEWS}


def read_segment(text: str) -> str:
    """Return the segment in lower case ("" = none named); raises 403 code 400030 for an unknown one."""
    if text and text.lower() not in SEGMENTS:
        raise refusal(400030, text)
    return text.lower()


def list_products(emulator: Emulator, country: str, view: str, segment: str) -> list[Product]:
    """Return the products of a country's catalog in a target view.

    Without a segment all but those for nonprofits alone are returned (commerce 1.2). Raises 403 with 400036 or 400030.
    """
    wanted = _VIEW_BY_NAME.get(view.lower())
    if wanted is None:
        raise refusal(400036, view)
    name = read_segment(segment)
    return [
        product
        for product in emulator.world.commerce.products.values()
        if wanted in product.views and list_skus(product, country, name)
    ]


def list_skus(product: Product, country: str, segment: str = "") -> list[Sku]:
    """Return the SKUs of a product that a country sells in a segment."""
    return [sku for sku in product.skus if is_sold(sku, country) and _is_for(sku, segment)]


def _is_for(sku: Sku, segment: str) -> bool:
    return segment in sku.segments if segment else any(name != "nonprofit" for name in sku.segments)


def check_inventory(emulator: Emulator, members: Mapping[str, object], country: str) -> list[Json]:
    """Return the answer to an inventory check: known items, each with whether it is restricted.

    Items the country does not sell are restricted with ``NotAvailableForMarket``; unknown ones are left out.
    """
    rows = field(members, "targetItems")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise refusal(2000, "The targetItems must be a list of objects.")
    context = object_field(members, "inventoryContext")
    answers: list[Json] = []
    for row in cast("list[Json]", rows):
        answers += _inventory_of(emulator, row, country, context)
    return answers


def _inventory_of(emulator: Emulator, row: Json, country: str, context: Json) -> list[Json]:
    product = emulator.world.commerce.products.get(text_field(row, "productId").upper())
    if product is None:
        return []
    wanted = text_field(row, "skuId").upper()
    return [_inventory_row(product, sku, country, context) for sku in product.skus if not wanted or sku.id == wanted]


def _inventory_row(product: Product, sku: Sku, country: str, context: Json) -> Json:
    restricted = not is_sold(sku, country)
    restriction: Json = {
        "reasonCode": "NotAvailableForMarket",
        "description": f"{sku.title} is not sold in {country}.",
        "properties": {name: value for name, value in context.items() if isinstance(value, str)},
    }
    return {
        "productId": product.id,
        "skuId": sku.id,
        "isRestricted": restricted,
        "restrictions": [restriction] if restricted else [],
    }


__all__ = ["check_inventory", "find_product", "find_sku", "list_products", "list_skus", "read_segment"]
