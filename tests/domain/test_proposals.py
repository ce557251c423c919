"""Proposals: what could be ordered instead of an offer that is no longer sold. Nothing is decided (R-119, R-121)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tenantfold.domain.model import Offer, OfferId, Sku, SkuTerm
from tenantfold.domain.proposals import ENOUGH, Proposal, Wanted, family, likeness, propose
from tests.domain.samples import offer

OLD = Wanted(
    offer_id=OfferId("OLD"),
    name="Microsoft 365 Business Premium Campaign",
    is_add_on=False,
    countries=frozenset({"SE"}),
    billing_cycles=frozenset({"monthly"}),
    fewest=5,
    most=20,
)
PREMIUM = offer("BP", name="Microsoft 365 Business Premium")
MONTH = SkuTerm(duration="P1M", billing_cycle="monthly")
YEAR = SkuTerm(duration="P1Y", billing_cycle="monthly")
SKU = Sku(
    id=OfferId("CFQ7TTC0LCHC:0002"),
    title="Microsoft 365 Business Premium",
    country="SE",
    is_sold=True,
    terms=(MONTH, YEAR),
)


def _catalog(*offers: Offer) -> dict[str, dict[str, Offer]]:
    return {"SE": {one.id: one for one in offers}, "NO": {one.id: one for one in offers if one.limit != 7}}


def _propose(wanted: Wanted, offers: dict[str, dict[str, Offer]], limit: int = 3) -> tuple[Proposal, ...]:
    """What is proposed where no new commerce is sold."""
    return propose(wanted, offers, {}, limit=limit)


def test_the_likeliest_comes_first():
    """By the words that tell products apart, not by the vendor's name."""
    others = (offer("E3", name="Microsoft 365 E3"), offer("BS", name="Microsoft 365 Business Standard"))
    found = _propose(OLD, _catalog(*others, PREMIUM))
    assert found[0].offer_id == "BP"
    assert all(one.likeness >= ENOUGH for one in found)
    assert "E3" not in {one.offer_id for one in found}


def test_a_proposal_has_no_effect_until_somebody_signs_it():
    """It becomes a row without a name, with the warning that licenses must be assigned again."""
    (found,) = _propose(OLD, _catalog(PREMIUM))
    row = found.as_mapping()
    assert (row.source_offer_id, row.target_offer_id, row.is_approved) == ("OLD", "BP", False)
    assert "R-119" in row.note


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"is_available": False}, id="R-121 not sold"),
        pytest.param({"is_trial": True}, id="a trial"),
        pytest.param({"is_add_on": True}, id="R-124 an add-on for a base"),
        pytest.param({"minimum_quantity": 6}, id="R-123 too many at least"),
        pytest.param({"maximum_quantity": 19}, id="R-123 too few at most"),
        pytest.param({"billing_cycles": ("annual",)}, id="R-27 other billing cycle"),
        pytest.param({"name": "Visio Plan 2"}, id="another family"),
        pytest.param({"id": OfferId("OLD")}, id="itself"),
    ],
)
def test_what_could_not_take_its_place_is_not_proposed(fields: dict[str, object]):
    """The nearest neighbor of an offer that could."""
    assert _propose(OLD, _catalog(PREMIUM))
    assert _propose(OLD, _catalog(replace(PREMIUM, **fields))) == ()  # type: ignore[arg-type]  # the test names the fields


def test_it_must_be_sold_in_every_country_that_needs_it():
    """One mapping counts for all customers."""
    wanted = replace(OLD, countries=frozenset({"SE", "NO"}))
    assert _propose(wanted, _catalog(PREMIUM))
    assert _propose(wanted, _catalog(replace(PREMIUM, limit=7))) == ()  # only sold in Sweden


def test_another_unit_counts_against_it():
    """Licenses are not replaced by gigabytes, however alike the names."""
    wanted = replace(OLD, unit="Licenses")
    assert _propose(wanted, _catalog(replace(PREMIUM, unit_type="Licenses")))[0].likeness > ENOUGH
    assert _propose(wanted, _catalog(replace(PREMIUM, unit_type="Gigabytes"))) == ()


def test_a_new_commerce_product_is_proposed_with_term_and_billing_plan():
    """The year with the same billing cycle, as a legacy license was."""
    (found,) = propose(OLD, {}, {"SE": {SKU.id: SKU}})
    assert (found.offer_id, found.sold_as) == (SKU.id, YEAR)


def test_a_product_is_proposed_on_terms_that_every_country_sells():
    """One row of the mapping counts for all customers: the year is not sold in Norway, the month is."""
    wanted = replace(OLD, countries=frozenset({"NO", "SE"}))
    monthly = replace(SKU, country="NO", terms=(MONTH,))
    (found,) = propose(wanted, {}, {"SE": {SKU.id: SKU}, "NO": {SKU.id: monthly}})
    assert found.sold_as == MONTH
    nowhere: list[dict[str, Sku]] = [
        {},
        {SKU.id: replace(monthly, is_sold=False)},
        {SKU.id: replace(monthly, maximum_quantity=19)},
    ]
    for there in nowhere:
        assert propose(wanted, {}, {"SE": {SKU.id: SKU}, "NO": there}) == ()


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"is_sold": False}, id="not sold"),
        pytest.param({"is_trial": True}, id="trial"),
        pytest.param({"is_add_on": True}, id="add-on"),
        pytest.param({"maximum_quantity": 19}, id="too few seats"),
        pytest.param({"minimum_quantity": 6}, id="too many seats"),
        pytest.param({"terms": (SkuTerm(duration="P1Y", billing_cycle="annual"),)}, id="not billed so"),
        pytest.param({"country": "NO", "title": "Visio Plan 2"}, id="another family"),
    ],
)
def test_a_product_that_could_not_take_its_place_is_not_proposed(fields: dict[str, object]):
    """The same conditions hold for SKUs."""
    sku = replace(SKU, **fields)  # type: ignore[arg-type]  # the test names the fields
    assert propose(OLD, {}, {"SE": {sku.id: sku}}) == ()


@pytest.mark.parametrize(
    ("one", "other", "least", "most"),
    [
        ("Office 365 E3", "Microsoft 365 E3", 1.0, 1.0),
        ("Office 365 E3", "Office 365 E5", 0.0, 0.1),
        ("Visio Online Plan 2", "Visio Plan 2", 1.0, 1.0),
        ("Project Plan 3", "Visio Plan 3", 0.0, 0.35),
        ("Exchange Online (Plan 1)", "Exchange Online (Plan 2)", 0.0, 0.4),
        ("Office 365", "Office 365", 1.0, 1.0),
        ("Office 365", "Microsoft 365 E3", 0.0, 0.0),
        ("Microsoft 365 Business Campaign - 15%", "Microsoft 365 Business", 1.0, 1.0),
    ],
)
def test_names_are_alike_by_their_telling_words(one: str, other: str, least: float, most: float):
    """A word with a digit says more than one without; another family halves it."""
    assert least <= likeness(one, other) <= most
    assert likeness(one, other) == likeness(other, one)


def test_families():
    """Office and Microsoft 365 are one family; a name of none has none."""
    assert family("Office 365 E3") == family("Microsoft 365 E3") == "365"
    assert family("Visio Plan 2") == "visio"
    assert family("Audio Something") == ""
