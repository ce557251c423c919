"""Catalog item ids (catalog room): ``product:sku:availability``, whose third part rotates (commerce reference 1.2).

An availability id is computed from the SKU, the country, the segment and the period of the emulator's clock, so
nothing about it is stored: a client that keeps one too long gets 404 code 400019 and has to read the catalog again.
"""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import blake2b

import msgspec

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import refusal
from partner_center_emulator.state.catalog import Plan, Product, Sku

_LETTERS = "0123456789BCDFGHJKLMNPQRSTVWXYZ"
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
_DAY = 86_400


class Item(msgspec.Struct, frozen=True):
    """One thing in the catalog of a country and segment at this moment."""

    product: Product
    sku: Sku
    segment: str
    country: str
    availability_id: str

    @property
    def catalog_item_id(self) -> str:
        """``product:sku:availability``."""
        return f"{self.product.id}:{self.sku.id}:{self.availability_id}"

    @property
    def key(self) -> str:
        """``product:sku``: the part that never changes."""
        return f"{self.product.id}:{self.sku.id}"


def is_sold(sku: Sku, country: str) -> bool:
    """Whether the country's catalog has the SKU."""
    return country.upper() not in sku.not_sold_in


def find_product(emulator: Emulator, product_id: str) -> Product:
    """Return a product; raises 404 code 400013."""
    product = emulator.world.commerce.products.get(product_id.upper())
    if product is None:
        raise refusal(400013, product_id)
    return product


def find_sku(product: Product, sku_id: str, country: str = "") -> Sku:
    """Return a SKU of the product, in the country's catalog if one is named; raises 404 code 400018."""
    for sku in product.skus:
        if sku.id == sku_id.upper() and (not country or is_sold(sku, country)):
            return sku
    raise refusal(400018, sku_id)


def items_of(emulator: Emulator, product: Product, sku: Sku, country: str, segment: str = "") -> list[Item]:
    """Return today's availabilities of a SKU in a country, all segments or one; empty if it is not sold there."""
    if not is_sold(sku, country):
        return []
    return [
        Item(product, sku, name, country, _availability_id(emulator, product, sku, country, name))
        for name in sku.segments
        if segment in ("", name)
    ]


def find_item(emulator: Emulator, product_id: str, sku_id: str, availability_id: str, country: str) -> Item:
    """Return what a country's catalog has under these ids today.

    Raises 404 with 400013, 400018, or 400019 for an availability id that has rotated away.
    """
    product = find_product(emulator, product_id)
    sku = find_sku(product, sku_id, country)
    for item in items_of(emulator, product, sku, country):
        if item.availability_id == availability_id.upper():
            return item
    raise refusal(400019, availability_id)


def parse_item_id(text: str) -> tuple[str, str, str]:
    """Return product, SKU and availability id of a catalog item id; missing parts are empty."""
    product_id, _, rest = text.strip().partition(":")
    sku_id, _, availability_id = rest.partition(":")
    return product_id.upper(), sku_id.upper(), availability_id.upper()


def current_item(emulator: Emulator, key: str, country: str, segment: str = "commercial") -> Item:
    """Return today's item of a ``product:sku``; raises 404 with 400013, 400018 or 400019."""
    product_id, sku_id, _ = parse_item_id(key)
    product = find_product(emulator, product_id)
    found = items_of(emulator, product, find_sku(product, sku_id, country), country, segment)
    if not found:
        raise refusal(400019, key)
    return found[0]


def plan_of(sku: Sku, duration: str, billing_cycle: str) -> Plan | None:
    """Return the SKU's plan of this term and billing cycle, or None."""
    for plan in sku.plans:
        if plan.duration == duration.upper() and plan.billing_cycle == billing_cycle:
            return plan
    return None


def term_id(sku: Sku, plan: Plan) -> str:
    """Return the 12-letter id of a term in an availability."""
    return _letters(f"{sku.title}/{plan.duration}/{plan.billing_cycle}", 12).lower()


def _availability_id(emulator: Emulator, product: Product, sku: Sku, country: str, segment: str) -> str:
    length = max(1, emulator.options.availability_days) * _DAY
    period = int((emulator.clock.now() - _EPOCH).total_seconds() // length)
    facts = f"{emulator.world.seed}/{product.id}/{sku.id}/{country.upper()}/{segment}/{period}"
    return product.id[:7] + _letters(facts, 5)


def _letters(facts: str, length: int) -> str:
    number = int.from_bytes(blake2b(facts.encode(), digest_size=8).digest())
    letters = []
    for _ in range(length):
        number, digit = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[digit])
    return "".join(letters)
