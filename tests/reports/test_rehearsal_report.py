"""The rehearsal's page and its comparison with reality: what they say, and that nothing on them can hurt."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tenantfold.domain.prediction import (
    Assumption,
    BucketLoad,
    Conditions,
    Day,
    Moment,
    Prediction,
    RouteCalls,
    Truth,
    Unmoved,
)
from tenantfold.errors import InputError
from tenantfold.reports.rehearsal_report import (
    RehearsalPage,
    bottleneck,
    duration,
    render_rehearsal,
    routes,
    span,
    summary,
    write_rehearsal,
)

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
EVIL = "<script>alert('x')</script>\N{RIGHT-TO-LEFT OVERRIDE}\x07"
PREDICTION = Prediction(
    plan_id=1,
    plan_checksum="ab" * 32,
    conditions=Conditions(acceptance="spread:14d", latency_seconds=0.4, seed=1),
    begins_at=START,
    over_at=START + 50 * HOUR,
    ends_at=START + 49 * HOUR,
    begun_at=START + HOUR,
    to_move=3,
    phases={"moved": 2, "blocked": 1},
    moved_at=(START + 2 * HOUR, START + 49 * HOUR),
    timeline=(
        Moment(at=START, phases={"planned": 3}, calls=0),
        Moment(at=START + 2 * HOUR, phases={"moved": 1, "planned": 1, "blocked": 1}, calls=900),
        Moment(at=START + 49 * HOUR, phases={"moved": 2, "blocked": 1}, calls=1_700),
    ),
    days=(Day(on=date(2026, 3, 2), customers_moved=1, subscriptions_suspended=4, calls=900),),
    calls=(
        RouteCalls(tenant="se", route="GET /v1/customers/{customer}/subscriptions", calls=700),
        RouteCalls(tenant="target", route="GET /v1/customers/{customer}/subscriptions", calls=900),
        RouteCalls(tenant="target", route="POST /v1/customers/{customer}/orders", calls=100),
    ),
    buckets=(
        BucketLoad(
            tenant="se", resource="subscription", limit=450, published_limit=500, calls=700, busiest=440,
            full_minutes=3, per_minute=((60, 440), (61, 260)),
        ),
        BucketLoad(
            tenant="target", resource="order", limit=450, published_limit=500, calls=9, busiest=9, full_minutes=0
        ),
    ),
    truth=Truth(),
    late_cases=0,
    unmoved=(
        Unmoved(
            customer_id="c3", company_name="Tystnadens Krog AB", phase="blocked", code="offer_not_sold",
            reason="It is no longer sold.", owner="operations", next_action="Choose another.",
        ),
    ),
    assumptions=(Assumption(text="Prices are not known."), Assumption(text="It stands alone.", count=12)),
)  # fmt: skip
PAGE = RehearsalPage(prediction=PREDICTION, consolidation="nordic", program="tenantfold 0", made_at=START)


def _with(**fields: object) -> Prediction:
    return replace(PREDICTION, **fields)  # type: ignore[arg-type]  # named by the test


def test_the_page_says_who_moves_when_with_how_many_calls_and_what_takes_time():
    """Everything a manager asks stands in the summary."""
    page = render_rehearsal(PAGE)
    assert "2 of 3 customers would move" in page
    assert "2026-03-04 at 09:00 UTC" in page
    assert "with 1700 calls" in page
    assert "rate limit of tenant se for subscription calls: 3 minute(s)" in page
    for text in ("Tystnadens Krog AB", "no longer sold", "Choose another.", "Prices are not known.", "(12)"):
        assert text in page
    assert "money are not rehearsed yet" in page


def test_every_text_from_outside_is_escaped_and_nothing_can_be_loaded_or_run():
    """Names, reasons, owners, tenants, file names: none of them becomes markup or leaves a control character."""
    unmoved = Unmoved(
        customer_id=EVIL, company_name=EVIL, phase=EVIL, code=EVIL, reason=EVIL, owner=EVIL, next_action=EVIL
    )
    prediction = _with(
        unmoved=(unmoved,),
        assumptions=(Assumption(text=EVIL),),
        conditions=Conditions(acceptance=EVIL, latency_seconds=1, seed=1, faults=EVIL),
        calls=(RouteCalls(tenant=EVIL, route=EVIL, calls=1),),
        buckets=(replace(PREDICTION.buckets[0], tenant=EVIL, resource=EVIL),),
    )
    page = render_rehearsal(replace(PAGE, prediction=prediction, consolidation=EVIL, program=EVIL))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "\x07" not in page
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
    assert not re.findall(r"\s(?:src|href)=\"(?!#)", page)
    assert "style=" not in page


def test_a_chart_is_drawn_for_limits_that_matter_only():
    """A tenth of the limit is worth a picture; the table has them all."""
    page = render_rehearsal(PAGE)
    assert page.count('class="limit"') == 1
    assert "Calls a minute: se, subscription" in page
    assert "Calls a minute: target, order" not in page


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"truth": Truth(twins=1)}, "found faults"),
        ({"truth": Truth(overlap_seat_days=5)}, "found faults"),
        ({"late_cases": 1}, "found faults"),
        ({"unexplained": 2}, "found faults"),
        ({"is_complete": False}, "not carried through"),
        ({"ends_at": None, "moved_at": ()}, "No customer would move"),
        ({"buckets": ()}, "waiting for customers"),
        ({}, "found no fault"),
    ],
)
def test_the_summary_says_the_worst_first(fields: dict[str, object], words: str):
    """A fault, an end before its time, and nothing at all each have their sentence."""
    prediction = _with(**fields)
    assert words in summary(prediction)
    assert prediction.is_good == (words not in {"found faults", "not carried through"})
    render_rehearsal(replace(PAGE, prediction=prediction))


def test_a_move_of_years_and_one_of_seconds_both_fit_on_the_page():
    """Charts never have more columns than fit, whatever the time."""
    for length in (timedelta(seconds=1), timedelta(hours=5), timedelta(days=4_000)):
        prediction = _with(over_at=START + length, ends_at=START + length, timeline=PREDICTION.timeline[:2])
        page = render_rehearsal(replace(PAGE, prediction=prediction))
        chart = page[page.index("Customers by group over time") :]
        assert chart[: chart.index("</svg>")].count("<g>") <= 74


def test_calls_are_summed_by_route_over_the_tenants():
    """Most first, with each tenant's part."""
    assert routes(PREDICTION) == [
        ("GET /v1/customers/{customer}/subscriptions", {"se": 700, "target": 900}, 1_600),
        ("POST /v1/customers/{customer}/orders", {"target": 100}, 100),
    ]


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(0), "0 s"),
        (timedelta(seconds=61), "1 min 1 s"),
        (timedelta(hours=25), "1 d 1 h"),
        (timedelta(days=3), "3 d"),
        (timedelta(days=2, minutes=5, seconds=1), "2 d 5 min"),
    ],
)
def test_a_span_of_time_is_said_in_its_two_largest_units(length: timedelta, words: str):
    """Nobody reads 176461 seconds."""
    assert span(length) == words


def test_what_was_moved_and_called_by_a_time_can_be_asked():
    """Both steps and ends: before the first, between two, after the last."""
    assert [PREDICTION.moved_by(START + hours * HOUR) for hours in (0, 2, 48, 49, 99)] == [0, 1, 1, 2, 2]
    assert [PREDICTION.calls_by(START + hours * HOUR) for hours in (-1, 0, 3, 49)] == [0, 0, 900, 1_700]
    assert duration(PREDICTION) == "2 d 1 h"
    assert duration(_with(ends_at=None)) == "none"
    assert bottleneck(PREDICTION).startswith("What takes time is the rate limit of tenant se")


def test_the_page_is_written_as_html_and_nothing_else(tmp_path: Path):
    """A whole file or none; another suffix is refused."""
    write_rehearsal(PAGE, tmp_path / "rehearsal.html")
    assert (tmp_path / "rehearsal.html").read_text().endswith("</html>")
    with pytest.raises(InputError, match=r"\.html"):
        write_rehearsal(PAGE, tmp_path / "rehearsal.xlsx")
    assert [one.name for one in tmp_path.iterdir()] == ["rehearsal.html"]
