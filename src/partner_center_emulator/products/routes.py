"""HTTP side of the new-commerce catalog (wire room): by country and by customer (commerce reference 1.2)."""

from __future__ import annotations

from collections.abc import Sequence

from partner_center_emulator.coverage import behaviour
from partner_center_emulator.errors import refusal
from partner_center_emulator.products.availability import find_item, items_of
from partner_center_emulator.products.models import (
    check_inventory,
    find_product,
    find_sku,
    list_products,
    list_skus,
    read_segment,
)
from partner_center_emulator.products.wire_form import Place, wire_availability, wire_product, wire_sku
from partner_center_emulator.requests import Call, Reply, Route
from partner_center_emulator.wire import Json, collection, self_link


def _place(call: Call) -> Place:
    """Return where the catalog is read: below a customer its own country counts, else the parameter."""
    if "customer" in call.path:
        customer = call.customer()
        return Place(customer.address.country.upper(), customer.id)
    country = call.query.get("country", "").upper()
    if not (len(country) == 2 and country.isalpha()):  # noqa: PLR2004 - ISO 3166 alpha-2
        raise refusal(2000, "The parameter country must be a two-letter country code.")
    return Place(country)


def _segment(call: Call) -> str:
    return read_segment(call.query.get("targetsegment", ""))


def _collection(call: Call, place: Place, path: str, rows: Sequence[Json]) -> Reply:
    uri = f"{place.prefix}/products{path}"
    return Reply(collection(rows, links=self_link(f"{uri}?{call.query_text}" if call.query_text else uri)))


async def read_products(call: Call) -> Reply:
    """Answer ``GET /products`` and ``GET /customers/{customer}/products``: the products of a target view."""
    place = _place(call)
    view = call.query.get("targetview", "")
    found = list_products(call.emulator, place.country, view, call.query.get("targetsegment", ""))
    return _collection(call, place, "", [wire_product(product, place) for product in found])


async def read_product(call: Call) -> Reply:
    """Answer ``GET .../products/{product}``."""
    place = _place(call)
    product = find_product(call.emulator, call.path["product"])
    if not any(place.country not in sku.not_sold_in for sku in product.skus):
        raise refusal(400013, product.id)
    return Reply(wire_product(product, place))


async def read_skus(call: Call) -> Reply:
    """Answer ``GET .../products/{product}/skus``."""
    place = _place(call)
    product = find_product(call.emulator, call.path["product"])
    rows = [wire_sku(product, sku, place) for sku in list_skus(product, place.country, _segment(call))]
    return _collection(call, place, f"/{product.id}/skus", rows)


async def read_sku(call: Call) -> Reply:
    """Answer ``GET .../products/{product}/skus/{sku}``."""
    place = _place(call)
    product = find_product(call.emulator, call.path["product"])
    return Reply(wire_sku(product, find_sku(product, call.path["sku"], place.country), place))


async def read_availabilities(call: Call) -> Reply:
    """Answer ``GET .../skus/{sku}/availabilities``: today's ids, which rotate."""
    place = _place(call)
    product = find_product(call.emulator, call.path["product"])
    sku = find_sku(product, call.path["sku"], place.country)
    rows = [
        wire_availability(item, place) for item in items_of(call.emulator, product, sku, place.country, _segment(call))
    ]
    return _collection(call, place, f"/{product.id}/skus/{sku.id}/availabilities", rows)


async def read_availability(call: Call) -> Reply:
    """Answer ``GET .../availabilities/{availability}``, with product and SKU inside."""
    place = _place(call)
    path = call.path
    item = find_item(call.emulator, path["product"], path["sku"], path["availability"], place.country)
    return Reply(wire_availability(item, place, whole=True))


async def post_inventory(call: Call) -> Reply:
    """Answer ``POST /extensions/product/checkinventory``: a bare array."""
    return Reply(check_inventory(call.emulator, call.members(), _place(call).country))


def _tree(base: str) -> tuple[Route, ...]:
    one, skus = f"{base}/{{product}}", f"{base}/{{product}}/skus"
    availabilities = f"{skus}/{{sku}}/availabilities"
    return (
        Route("GET", base, read_products),
        Route("GET", one, read_product),
        Route("GET", skus, read_skus),
        Route("GET", f"{skus}/{{sku}}", read_sku),
        Route("GET", availabilities, read_availabilities),
        Route("GET", f"{availabilities}/{{availability}}", read_availability),
    )


_INVENTORY = "/v1/extensions/product/checkinventory"
ROUTES: tuple[Route, ...] = (
    *_tree("/v1/products"),
    *_tree("/v1/customers/{customer}/products"),
    Route("POST", _INVENTORY, post_inventory),
)

for _base in ("/v1/products", "/v1/customers/{customer}/products"):
    _list = f"GET {_base}"
    behaviour(_list, source="documented", page="commerce 1.2", note="`targetView`, `targetSegment`; 400030, 400036")
    behaviour(f"{_list}/{{product}}", source="documented", page="commerce 1.2", note="404 code 400013")
    behaviour(f"{_list}/{{product}}/skus", source="documented", page="commerce 1.2", note="By `targetSegment`")
    behaviour(f"{_list}/{{product}}/skus/{{sku}}", source="documented", page="commerce 1.2", note="404 code 400018")
    _rotating = f"{_list}/{{product}}/skus/{{sku}}/availabilities"
    behaviour(_rotating, source="documented", page="commerce 1.2", note="Terms, billing cycles, rotating ids")
    behaviour(_rotating, source="assumed", page="commerce 1.2", note="Ids rotate every `availability_days`")
    behaviour(
        f"{_rotating}/{{availability}}",
        source="documented",
        page="commerce 1.2",
        note="404 code 400019 for an id that has rotated away",
    )
behaviour(f"POST {_INVENTORY}", source="documented", page="commerce 1.2", note="Bare array; unknown items left out")
behaviour(f"POST {_INVENTORY}", source="assumed", page="commerce 1.2", note="Restricted where the country sells none")
behaviour("products", source="assumed", page="commerce 1.2", note="Prices are invented; SKUs sold in every country")
