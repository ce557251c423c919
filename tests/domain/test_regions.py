"""Regions: the shipped list of countries and the questions asked of it (R-75, R-83, R-85, S-11)."""

from __future__ import annotations

import json
from collections import Counter
from importlib.resources import files

import pytest

from tenantfold.bootstrap import regions
from tenantfold.domain.regions import RegionMap

REGIONS = regions()
EU = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()  # noqa: SIM905 - read as a list of countries
DOCUMENT = json.loads(files("tenantfold").joinpath("data/csp-regions.json").read_text("utf-8"))


def test_no_country_stands_in_two_regions():
    """A country twice would make its region depend on the order of the file."""
    counted = Counter(country for region in DOCUMENT["regions"] for country in region["countries"])
    assert [country for country, times in counted.items() if times > 1] == []
    assert len(REGIONS.region_by_country) == sum(counted.values())


def test_every_region_is_read_whole_and_written_the_same_way():
    """Countries are no more than the source page's rows (some have one a currency), codes are two capitals."""
    for region in DOCUMENT["regions"]:
        assert 0 < len(region["countries"]) <= region["rows_in_source"], region["name"]
        assert all(len(code) == 2 and code.isupper() for code in region["countries"])


@pytest.mark.parametrize("country", EU)
def test_the_european_union_is_one_region(country: str):
    """Every member state lies in one region with Ireland (R-75)."""
    assert REGIONS.same_region(country, "IE")


@pytest.mark.parametrize(
    ("one", "other"),
    [("US", "CA"), ("DE", "US"), ("IN", "JP"), ("BR", "AR"), ("CN", "TW"), ("AU", "NZ")],
    ids=str,
)
def test_these_countries_lie_apart(one: str, other: str):
    """R-85: a United States tenant cannot sell to Canada; single-country regions stay alone."""
    assert not REGIONS.same_region(one, other)
    assert not REGIONS.same_region(other, one)


@pytest.mark.parametrize(
    "region", [one for one in DOCUMENT["regions"] if one["confined_to_one_market"]], ids=lambda one: str(one["name"])
)
def test_a_market_of_its_own_holds_one_country(region: dict[str, list[str]]):
    """R-85: Brazil, China, India, Japan, Korea and Taiwan."""
    assert len(region["countries"]) == 1


def test_case_does_not_matter():
    """Partner Center mixes cases."""
    assert REGIONS.region_of("se") == REGIONS.region_of("SE") == "Europe"


def test_two_unknown_countries_are_not_one_region():
    """Unknown is never read as fine (invariant 9), not even for a country and itself."""
    assert REGIONS.region_of("XX") is None
    assert not REGIONS.same_region("XX", "XX")
    assert not REGIONS.same_region("", "")
    assert not RegionMap({}).same_region("SE", "SE")


def test_a_country_is_in_its_own_region():
    """Same region holds for every country and itself."""
    assert all(REGIONS.same_region(country, country) for country in REGIONS.region_by_country)
