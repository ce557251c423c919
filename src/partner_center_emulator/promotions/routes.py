"""HTTP side of promotions (wire room): list, read, eligibility of a customer (commerce reference 1.4)."""

from __future__ import annotations

from typing import cast

from partner_center_emulator.coverage import behaviour
from partner_center_emulator.errors import ApiError, refusal
from partner_center_emulator.orders.holdings import Holdings
from partner_center_emulator.orders.reading import read_cycle, read_quantity
from partner_center_emulator.orders.wanted import Request as Line
from partner_center_emulator.products.availability import find_item, parse_item_id
from partner_center_emulator.products.models import read_segment
from partner_center_emulator.promotions.models import eligibility_errors, find_promotion, list_promotions
from partner_center_emulator.promotions.wire_form import wire_promotion
from partner_center_emulator.requests import Call, Reply, Route
from partner_center_emulator.state.catalog import Promotion
from partner_center_emulator.wire import Json, attributes, collection, field, text_field
from partner_center_emulator.world import Customer

_ROLES = frozenset({"admin_agent", "global_admin"})


def _country(call: Call) -> str:
    country = call.query.get("country", "").upper()
    if not (len(country) == 2 and country.isalpha()):  # noqa: PLR2004 - ISO 3166 alpha-2
        raise refusal(2000, "The parameter country must be a two-letter country code.")
    return country


async def read_promotions(call: Call) -> Reply:
    """Answer ``GET /productpromotions``: those that run today."""
    found = list_promotions(call.emulator, _country(call), read_segment(call.query.get("segment", "")))
    return Reply(collection([wire_promotion(promotion) for promotion in found]))


async def read_promotion(call: Call) -> Reply:
    """Answer ``GET /productpromotions/{promotion}``, also after its end."""
    return Reply(wire_promotion(find_promotion(call.emulator, call.path["promotion"], _country(call))))


async def post_eligibilities(call: Call) -> Reply:
    """Answer ``POST /customers/{customer}/promotionEligibilities``: per item, which promotions it could have."""
    customer = call.customer()
    rows = call.field("items")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise refusal(2000, "The items must be a list of objects.")
    holdings = Holdings(call.emulator, customer)
    answers = [_eligibilities(call, customer, row, holdings) for row in cast("list[Json]", rows)]
    return Reply(collection(answers))


def _eligibilities(call: Call, customer: Customer, row: Json, holdings: Holdings) -> Json:
    item_id, promotion_id = text_field(row, "catalogItemId"), text_field(row, "promotionId").upper()
    line = Line(
        number=0,
        catalog_item_id=item_id,
        quantity=read_quantity(row),
        billing_cycle=read_cycle(field(row, "billingCycle")),
        term_duration=text_field(row, "termDuration").upper(),
    )
    body: Json = {
        "id": field(row, "id", 0),
        "catalogItemId": item_id,
        "quantity": line.quantity,
        "billingCycle": line.billing_cycle,
        "termDuration": line.term_duration,
        "eligibilities": _judged(call, customer, line, promotion_id, holdings),
        "attributes": attributes("PromotionEligibilities"),
    }
    return {**body, "promotionId": promotion_id} if promotion_id else body


def _judged(call: Call, customer: Customer, line: Line, promotion_id: str, holdings: Holdings) -> list[Json]:
    country = customer.address.country.upper()
    product_id, sku_id, availability_id = parse_item_id(line.catalog_item_id)
    try:
        find_item(call.emulator, product_id, sku_id, availability_id, country)
    except ApiError:
        return [_verdict(promotion_id, [_lack("InvalidCatalogItemId", "The catalog item id is not valid.")])]
    key = f"{product_id}:{sku_id}"
    known = call.world.commerce.promotions
    if promotion_id:
        candidates: list[Promotion] = [known[promotion_id]] if promotion_id in known else []
        if not candidates:
            return [_verdict(promotion_id, [_lack("InvalidPromotion", "The promotion is not known.")])]
    else:
        running = list_promotions(call.emulator, country, "")
        candidates = [row for row in running if key == f"{row.product_id}:{row.sku_id}"]
        if not candidates:
            return [_verdict("", [_lack("NoPromotionsAvailable", "There is no promotion for the item.")])]
    return [
        _verdict(row.id, eligibility_errors(call.emulator, customer, row, key, line, holdings)) for row in candidates
    ]


def _verdict(promotion_id: str, errors: list[Json]) -> Json:
    body: Json = {"promotionId": promotion_id, "isEligible": not errors}
    return {**body, "errors": errors} if errors else body


def _lack(kind: str, text: str) -> Json:
    return {"type": kind, "description": text}


_ELIGIBLE = "/v1/customers/{customer}/promotionEligibilities"
ROUTES: tuple[Route, ...] = (
    Route("GET", "/v1/productpromotions", read_promotions, roles=_ROLES),
    Route("GET", "/v1/productpromotions/{promotion}", read_promotion, roles=_ROLES),
    Route("POST", _ELIGIBLE, post_eligibilities, roles=_ROLES),
)

behaviour("GET /v1/productpromotions", source="documented", page="commerce 1.4", note="Running ones only; by segment")
behaviour("GET /v1/productpromotions/{promotion}", source="documented", page="commerce 1.4", note="Also after its end")
behaviour(
    f"POST {_ELIGIBLE}", source="documented", page="commerce 1.4", note="Error types of the page; all if none named"
)
behaviour(f"POST {_ELIGIBLE}", source="documented", page="commerce 1.4", note="Redemptions count over all partners")
behaviour(f"POST {_ELIGIBLE}", source="assumed", page="commerce 1.4", note="`availableSeats` is the maximum")
