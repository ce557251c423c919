"""HTTP side of the catalog (wire room): offers and offer categories by country or by customer (commerce 1.1)."""

from __future__ import annotations

from partner_center_emulator.coverage import behaviour
from partner_center_emulator.errors import refusal
from partner_center_emulator.offers.models import (
    OfferLinks,
    find_offer,
    list_add_ons,
    list_categories,
    list_offers,
    offer_page,
    wire_category,
    wire_offer,
)
from partner_center_emulator.requests import Call, Reply, Route
from partner_center_emulator.wire import Json, collection
from partner_center_emulator.world import Offer


def _country(call: Call) -> str:
    country = call.query.get("country", "").upper()
    if not (len(country) == 2 and country.isalpha()):  # noqa: PLR2004 - ISO 3166 alpha-2
        raise refusal(2000, "The parameter country must be a two-letter country code.")
    return country


def _locale(call: Call) -> str:
    return call.headers.get("x-locale") or "en-US"


def _show(call: Call, offer: Offer, country: str) -> Json:
    has_add_ons = offer.id in call.emulator.derived(OfferLinks).bases
    return wire_offer(offer, has_add_ons=has_add_ons, country=country, locale=_locale(call))


def _page(call: Call, offers: list[Offer], country: str, path: str) -> Reply:
    size = call.whole_number("size", 0) or None
    offset = call.whole_number("offset", 0)
    return Reply(offer_page(offers, lambda offer: _show(call, offer, country), path=path, offset=offset, size=size))


async def read_offers(call: Call) -> Reply:
    """Answer ``GET /offers``: the catalog of a country."""
    country = _country(call)
    category = call.query.get("offer_category_id", "")
    return _page(call, list_offers(call.world, country, category), country, f"/offers?country={country}")


async def read_offer(call: Call) -> Reply:
    """Answer ``GET /offers/{offer}``."""
    country = _country(call)
    return Reply(_show(call, find_offer(call.world, call.path["offer"], country), country))


async def read_offer_add_ons(call: Call) -> Reply:
    """Answer ``GET /offers/{offer}/addons``."""
    country = _country(call)
    base = find_offer(call.world, call.path["offer"], country)
    path = f"/offers/{base.id}/addons?country={country}"
    return _page(call, list_add_ons(call.world, base, country), country, path)


async def read_offer_categories(call: Call) -> Reply:
    """Answer ``GET /offercategories``."""
    country = _country(call)
    locale = _locale(call)
    rows = [wire_category(category, country, locale) for category in list_categories(call.world, country)]
    return Reply(collection(rows))


async def read_customer_offers(call: Call) -> Reply:
    """Answer ``GET /customers/{customer}/offers``: what this customer may buy, by its own country."""
    customer = call.customer()
    country = customer.address.country.upper()
    return _page(call, list_offers(call.world, country), country, f"/customers/{customer.id}/offers")


async def read_customer_offer_categories(call: Call) -> Reply:
    """Answer ``GET /customers/{customer}/offercategories``."""
    country = call.customer().address.country.upper()
    locale = _locale(call)
    rows = [wire_category(category, country, locale) for category in list_categories(call.world, country)]
    return Reply(collection(rows))


ROUTES: tuple[Route, ...] = (
    Route("GET", "/v1/offers", read_offers),
    Route("GET", "/v1/offers/{offer}", read_offer),
    Route("GET", "/v1/offers/{offer}/addons", read_offer_add_ons),
    Route("GET", "/v1/offercategories", read_offer_categories),
    Route("GET", "/v1/customers/{customer}/offers", read_customer_offers),
    Route("GET", "/v1/customers/{customer}/offercategories", read_customer_offer_categories),
)

behaviour("GET /v1/offers", source="documented", page="commerce 1.1", note="The whole catalog of a country at once")
behaviour("GET /v1/offers", source="documented", page="commerce 1.1", note="`offset`, `size` and `offer_category_id`")
behaviour("GET /v1/offers", source="assumed", page="commerce 1.1", note="A missing or wrong `country` is 400 code 2000")
behaviour("GET /v1/offers/{offer}", source="documented", page="commerce 1.1", note="400 code 2100 for a new id")
behaviour("GET /v1/offers/{offer}", source="assumed", page="core 2.5", note="404 code 1000 for an offer that is gone")
behaviour("GET /v1/offers/{offer}/addons", source="documented", page="commerce 1.1", note="Collection of offers")
behaviour("GET /v1/offercategories", source="documented", page="commerce 1.1", note="Categories in use, by rank")
behaviour(
    "GET /v1/customers/{customer}/offers", source="assumed", page="commerce 1.1", note="By the customer's own country"
)
behaviour(
    "GET /v1/customers/{customer}/offercategories",
    source="assumed",
    page="commerce 1.1",
    note="By the customer's own country",
)
