"""The catalog's facts, prices and availability."""

from __future__ import annotations

import re
from decimal import Decimal

import msgspec
import pytest

from partner_center_emulator.catalog import (
    CATEGORIES,
    catalog_offers,
    is_purchasable,
    is_sold_in,
    offer_by_name,
    price_in,
)
from tests.emulator.samples import missing, sample_body
from tests.emulator.small_world import PLAIN_OFFER, small_world

GUID = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")


def test_every_offer_is_complete_and_consistent():
    """Ids are upper-case GUIDs, add-ons have bases, trials have a paid offer, limits have a number."""
    offers = catalog_offers()
    assert len(offers) >= 60
    assert len({offer.name for offer in offers.values()}) == len(offers)
    for offer_id, offer in offers.items():
        assert offer_id == offer.id
        assert GUID.fullmatch(offer.id)
        assert offer.category in CATEGORIES
        assert (offer.category == "") == offer.is_add_on == bool(offer.prerequisite_offers)
        assert (offer.limit_unit == "None") == (offer.limit == 0)
        assert 1 <= offer.minimum_quantity <= offer.maximum_quantity
        assert bool(offer.conversion_target_offers) == offer.is_trial
        for other in (*offer.prerequisite_offers, *offer.conversion_target_offers, *offer.replaced_by):
            assert other in offers


def test_small_business_plans_end_at_three_hundred():
    """The documented limits: 300 seats and two at a time per customer tenant."""
    offer = offer_by_name(catalog_offers(), "Office 365 Business Premium")
    assert (offer.id, offer.category) == ("031C9E47-4802-4248-838E-778FB1D2CC05", "SmallBusiness_Key")
    assert (offer.maximum_quantity, offer.limit_unit, offer.limit) == (300, "Concurrent", 2)


def test_a_world_owns_its_offers():
    """Changing one copy of the catalog leaves the next one alone."""
    first = catalog_offers()
    offer_by_name(first, "Intune").off_catalog = True
    assert not offer_by_name(catalog_offers(), "Intune").off_catalog


def test_prices_follow_the_currency():
    """List prices are in euro and converted with cents."""
    offer = offer_by_name(catalog_offers(), "Power BI Pro")
    assert price_in(offer, "EUR") == Decimal("8.40")
    assert price_in(offer, "SEK") == Decimal("89.04")
    with pytest.raises(KeyError):
        price_in(offer, "XXX")


def test_an_unknown_name_is_an_error():
    """A name is found exactly or not at all."""
    with pytest.raises(KeyError):
        offer_by_name(catalog_offers(), "Power BI")


@pytest.mark.parametrize(
    ("changes", "country", "sold", "purchasable"),
    [
        ({}, "SE", True, True),
        ({"not_sold_in": ["SE"]}, "se", False, False),
        ({"not_sold_in": ["SE"]}, "NO", True, True),
        ({"off_catalog": True}, "NO", False, False),
        ({"is_available_for_purchase": False}, "NO", True, False),
    ],
)
def test_says_where_an_offer_is_sold(changes: dict[str, object], country: str, sold: bool, purchasable: bool):  # noqa: FBT001 - a table's columns
    """Gone offers are nowhere, others are missing in some countries or cannot be bought."""
    offer = msgspec.structs.replace(small_world().offers[PLAIN_OFFER], **changes)
    assert is_sold_in(offer, country) is sold
    assert is_purchasable(offer, country) is purchasable


def test_agrees_with_the_recorded_catalog():
    """Every offer's facts are those of the recorded catalog of the United States."""
    recorded = {row["id"]: row for row in sample_body("powershell-getpartneroffer")["items"]}  # type: ignore[attr-defined]
    offers = catalog_offers()
    for offer in offers.values():
        row = recorded[offer.id]
        assert (offer.name, offer.category, offer.rank) == (row["name"], row["category"]["id"], row["rank"])
        assert (offer.minimum_quantity, offer.maximum_quantity) == (row["minimumQuantity"], row["maximumQuantity"])
        assert (offer.limit_unit, offer.limit) == (row["limitUnitOfMeasure"], row["limit"])
        assert (offer.term, offer.term_unit) == (row["term"], row["termUnitOfMeasure"])
        assert offer.billing_cycles == row["supportedBillingCycles"]
        assert set(offer.prerequisite_offers) == set(row["prerequisiteOffers"]) & set(offers)
        assert (offer.is_add_on, offer.is_trial) == (row["isAddOn"], row["isTrial"])
        assert (offer.product_id, offer.unit_type) == (row["product"]["id"], row["unitType"])


def test_finds_what_a_shape_lacks():
    """The comparison used by the contract tests sees missing members and other types."""
    sample = {"a": 1, "b": [{"c": "x"}], "d": True, "e": None}
    assert list(missing(sample, {"a": 1.5, "b": [{"c": "y", "z": 1}], "d": False, "e": 3})) == []
    assert list(missing(sample, {"a": "1", "b": [{}], "d": 1, "e": 3})) == [
        "/a: str instead of int",
        "/b[0]/c: missing",
        "/d: int instead of bool",
    ]
