"""Weighing the items of a plan: on its day, at the partner's prices, each different reason once."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tenantfold.domain.alternatives import Confidence
from tenantfold.domain.model import OfferId, ProductKind, Route, SkuTerm
from tenantfold.domain.plan import ItemTerms, PlanItem
from tenantfold.domain.prices import Price, price_book, price_of
from tenantfold.domain.weighing import Weighing
from tests.domain.samples import CENTRAL, E3, E5, REGIONS, SOURCES, TARGET, TODAY, item

PRICES = price_book(
    [
        Price(offer_id=E3, monthly_unit_price=Decimal("12.50"), currency="EUR"),
        Price(offer_id=E3, monthly_unit_price=Decimal("15.00"), currency="SEK", country="SE", billing_cycle="annual"),
        Price(offer_id=OfferId("CFQ7TTC0LH18:0001"), monthly_unit_price=Decimal(20), currency="EUR"),
    ]
)
WEIGHING = Weighing(
    tenants={**SOURCES, TARGET: CENTRAL},
    target_id=TARGET,
    regions=REGIONS,
    cloud="commercial",
    today=TODAY,
    prices=PRICES,
)
PREMIUM = item(
    offer_id=OfferId("CFQ7TTC0LH18:0001:CFQ7TTC0K971"),
    route=Route.EXPIRE_AND_REBUY,
    kind=ProductKind.LICENSE,
    terms=ItemTerms(),
    target_offer_id=None,
    ends_on=TODAY,
)


@pytest.mark.parametrize(
    ("planned", "country", "price"),
    [
        pytest.param(item(), "SE", "today's price 5 x 12.50 = 62.50 EUR a month", id="of the offer"),
        pytest.param(
            item(billing_cycle="annual"), "SE", "today's price 5 x 15.00 = 75.00 SEK a month", id="of place and cycle"
        ),
        pytest.param(
            item(target_offer_id=E5), "SE", "today's price not known", id="of what is bought, not of what was"
        ),
        pytest.param(PREMIUM, "NO", "today's price 5 x 20.00 = 100.00 EUR a month", id="of product and SKU"),
        pytest.param(
            replace(PREMIUM, target_offer_id=E3, sold_as=SkuTerm(duration="P1Y", billing_cycle="annual")),
            "SE",
            "today's price 5 x 15.00 = 75.00 SEK a month",
            id="of the billing it is bought with",
        ),
    ],
)
def test_a_purchase_costs_what_the_price_list_says(planned: PlanItem, country: str, price: str):
    """Unit price times count; an offer that is not listed has no made-up price."""
    assert price in WEIGHING.of(planned, country).cost.words()


def test_without_a_price_list_no_price_is_known():
    """The file is optional."""
    assert price_of({}, E3, "SE", "monthly") is None
    assert "today's price not known" in replace(WEIGHING, prices={}).of(item(), "SE").cost.words()


def test_the_day_a_legacy_license_ends_is_no_reason_of_its_own():
    """Thousands of equal licenses are weighed once."""
    first = WEIGHING.of(item(ends_on=TODAY), "SE")
    assert WEIGHING.of(item("s2", ends_on=None), "SE") is first
    assert first.confidence is Confidence.DOCUMENTED


def test_a_country_of_no_region_leaves_facts_missing():
    """Each customer is weighed in its own market."""
    assert WEIGHING.of(item(), "").confidence is Confidence.FACTS_MISSING
