"""The reasons a person is shown: short ids, each reason once, readable on a narrow terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tenantfold.cli import render
from tenantfold.cli.reasons import facts_line, routes_document, short_ids, show_reasons
from tenantfold.cli.render import Renderer, jsonable
from tenantfold.domain.alternatives import weigh
from tenantfold.domain.model import ProductKind, Route
from tenantfold.domain.plan import ItemTerms
from tenantfold.domain.routes import Market, facts_of_item
from tests.domain.samples import TODAY, item

EUROPE = Market(today=TODAY, in_region=True, source_currency="SEK", target_currency="EUR")
MODERN = item(
    "s9",
    route=Route.TRANSFER,
    kind=ProductKind.LICENSE,
    terms=ItemTerms(),
    offer_name="Business Premium",
    ends_on=TODAY,
)
ITEMS = (item("s1"), item("s2"), MODERN, item("s3", route=Route.SKIP, wire_status="deleted"))
WEIGHED = [(one, weigh(facts_of_item(one), EUROPE, one.route)) for one in ITEMS]


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("target a356ac8c-e310-44f4-bf85-c7f29044af99.", "target a356ac8c\u2026."),
        ("key=" + "0123456789abcdef" * 4, "key=01234567\u2026"),
        ("tenantfold approve abcdef012345", "tenantfold approve abcdef012345"),
        ("2026-03-02 08:00 UTC, 80 licenses", "2026-03-02 08:00 UTC, 80 licenses"),
    ],
)
def test_ids_are_cut_and_nothing_else(text: str, short: str):
    """Eight digits tell two apart; commands, dates and numbers stay whole."""
    assert short_ids(text) == short


def test_facts_without_a_value_are_left_out():
    """An event's facts fit one line."""
    assert facts_line({"tenant": "se", "order": "", "key": "f" * 40}) == "tenant=se key=ffffffff\u2026"


def test_each_reason_is_said_once_and_fits_a_narrow_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    """Route, rules, cost, confidence and what speaks against the others, in 80 columns; what is over is left out."""
    monkeypatch.setattr(render, "WIDTH_OF_FILES", 80)
    show_reasons(Renderer(as_json=False), WEIGHED)
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= 80
    assert "Route recreate: Office 365 E3 (2)" in said
    assert "Route transfer: Business Premium" in said
    assert "R-145" in said
    assert "SEK becomes EUR" in said
    assert "confidence: facts missing" in said
    assert "Route skip" not in said


def test_many_reasons_are_counted(capsys: pytest.CaptureFixture[str]):
    """A customer with many different subscriptions does not fill the screen."""
    many = [
        (one, weigh(facts_of_item(one), replace(EUROPE, target_currency=f"C{number}"), one.route))
        for number, one in enumerate([item()] * 12)
    ]
    show_reasons(Renderer(as_json=False), many)
    assert "... and 4 more" in capsys.readouterr().out


def test_programs_get_every_alternative():
    """With --json nothing is shortened."""
    first = jsonable(routes_document(WEIGHED)[0])
    assert isinstance(first, dict)
    assert first["subscription_id"] == "s1"
    weighed = first["weighed"]
    assert isinstance(weighed, dict)
    assert len(weighed["alternatives"]) == len(Route) - 1
