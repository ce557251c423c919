"""The new-commerce catalog (state room): products, SKUs and plans a new world starts with, and its promotions.

``new_commerce.json`` holds them: the larger part of the titles and ids is as the public catalog has them, prices,
descriptions and promotions are invented (commerce reference 1.2, 1.4). A world owns its copy, so a test may change it.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

ProductKind = Literal["OnlineServicesNCE", "Azure", "Software", "SaaS"]


class Plan(msgspec.Struct, kw_only=True):
    """One way to buy a SKU: for how long, and paid how often."""

    duration: str  # ISO: P1M, P1Y, P3Y; "" for what has no term (perpetual software, the Azure plan)
    billing_cycle: str  # monthly, annual, triennial, one_time, none
    price: str  # decimal as text: EUR of one license for one billing cycle; products.prices has other currencies
    description: str = ""


class Sku(msgspec.Struct, kw_only=True):
    """One thing to buy; its id is unique inside its product only."""

    id: str
    title: str
    description: str
    plans: list[Plan]
    minimum_quantity: int = 1
    maximum_quantity: int = 10_000_000
    is_pooled: bool = False  # the maximum counts over all partners of the customer's tenant
    concurrent_limit: int = 0  # subscriptions at once in the customer's tenant; 0 = any number
    lifetime_limit: int = 0  # subscriptions ever in the customer's tenant; 0 = any number
    is_trial: bool = False
    converts_to: str = ""  # "product:sku" a trial becomes
    required_skus: list[str] = []  # an add-on needs one of these "product:sku" in the customer's tenant
    upgrade_targets: list[str] = []  # "product:sku" a subscription may become
    segments: list[str] = msgspec.field(default_factory=lambda: ["commercial"])
    not_sold_in: list[str] = []  # ISO countries
    enforces_attestation: bool = False
    is_transferable: bool = True  # may be part of a transfer between partners (commerce 4.1, error 900134)
    unit_type: str = "Licenses"


class Product(msgspec.Struct, kw_only=True):
    """A product with its SKUs."""

    id: str
    title: str
    description: str
    type: ProductKind
    views: list[str]  # the targetViews that show it
    skus: list[Sku]
    sub_type: str = ""
    publisher: str = "Microsoft Corporation"
    is_microsoft_product: bool = True
    legacy_names: list[str] = []  # names of the legacy offers that this product follows


class Promotion(msgspec.Struct, kw_only=True):
    """A price reduction for one SKU, term and billing cycle, with its conditions (commerce 1.4)."""

    id: str
    name: str
    description: str
    product_id: str
    sku_id: str
    term_duration: str
    billing_cycle: str
    percent: str  # decimal as text: "0.05" takes five percent off
    starts_at: datetime
    ends_at: datetime
    segment: str = "commercial"
    is_auto_applicable: bool = True
    minimum_seats: int = 0  # 0 = no condition
    maximum_seats: int = 0
    redemption_limit: int = 0  # times per customer tenant over all partners, cancelled ones included
    first_purchase_only: bool = False
    owned_products: list[str] = []  # "product/sku"; the customer must own one
    not_in: list[str] = []  # ISO countries


class _File(msgspec.Struct):
    products: list[Product]
    promotions: list[Promotion]


@cache
def _text() -> bytes:
    return files("partner_center_emulator.state").joinpath("new_commerce.json").read_bytes()


def new_products() -> dict[str, Product]:
    """Return a fresh copy of the catalog's products, keyed by product id; the caller may change it."""
    return {product.id: product for product in msgspec.json.decode(_text(), type=_File).products}


def new_promotions() -> dict[str, Promotion]:
    """Return a fresh copy of the catalog's promotions, keyed by promotion id; the caller may change it."""
    return {promotion.id: promotion for promotion in msgspec.json.decode(_text(), type=_File).promotions}
