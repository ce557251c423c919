"""Charts: what they show is what they were given, in words too."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from tenantfold.reports.charts import (
    Bar,
    ChartIds,
    Series,
    horizontal_bars,
    scale_top,
    share_bar,
    stacked_timeline,
    timeline_columns,
)

DAY = date(2026, 3, 2)  # a Monday
LAYERS = (Series(label="created", tone="moved"), Series(label="late", tone="attention"))


def drawing(markup: Markup) -> ET.Element:
    """The chart as a tree; what is not well-formed fails here."""
    return ET.fromstring(markup)  # noqa: S314 - made by this program a moment ago


def texts(markup: Markup) -> list[str]:
    """Every text of a chart, in order."""
    return ["".join(node.itertext()) for node in drawing(markup).iter("text")]


def widths(markup: Markup) -> list[float]:
    """How wide the colored parts are, in percent."""
    return [
        float(node.attrib["width"].rstrip("%"))
        for node in drawing(markup).iter("rect")
        if node.attrib["class"].startswith("tone-")
    ]


def test_bars_carry_label_value_and_share():
    """The figures stand as text: color and length are never the only way to know them."""
    chart = horizontal_bars(
        ChartIds(),
        "Phases",
        [Bar(label="Moved", value=1500, tone="moved"), Bar(label="Failed", value=3, tone="attention")],
    )
    assert texts(chart) == ["Moved", "1,500 100 %", "Failed", "3 under 1 %"]
    assert widths(chart) == [100.0, 0.6]


def test_a_chart_has_a_name_and_a_description():
    """An image for those who do not see it; ids differ between charts of one page."""
    ids = ChartIds()
    for number in (1, 2):
        chart = drawing(share_bar(ids, "By group", [Bar(label="Moved", value=2, tone="moved")]))
        assert chart.attrib["role"] == "img"
        assert chart.attrib["aria-labelledby"] == f"chart-{number}-title chart-{number}-desc"
        assert [(node.tag, node.attrib["id"], node.text) for node in list(chart)[:2]] == [
            ("title", f"chart-{number}-title", "By group"),
            ("desc", f"chart-{number}-desc", "Moved: 2."),
        ]


@given(st.text())
def test_labels_are_escaped(label: str):
    """A label from outside is text in the chart, whatever it looks like."""
    clean = "".join(char for char in label if char.isprintable())
    chart = horizontal_bars(ChartIds(), clean, [Bar(label=f"<script>{clean}&", value=1, tone="moved")])
    assert texts(chart)[0] == f"<script>{clean}&"
    assert not list(drawing(chart).iter("script"))


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=8))
def test_shares_fill_the_bar_and_never_more(values: list[int]):
    """The parts add up to the whole, or to nothing when there is nothing."""
    parts = widths(share_bar(ChartIds(), "x", [Bar(label="a", value=value, tone="moved") for value in values]))
    assert len(parts) == sum(value > 0 for value in values)
    assert sum(parts) == pytest.approx(100 if any(values) else 0, abs=0.01)


@given(
    st.dictionaries(
        st.integers(0, 900).map(lambda days: DAY + timedelta(days=days)),
        st.tuples(st.integers(0, 99), st.integers(0, 99)),
        min_size=1,
        max_size=40,
    )
)
def test_a_timeline_loses_nothing_and_has_no_holes(days: dict[date, tuple[int, int]]):
    """Summed up by day, week or month, the figures stay whole, and time without figures stays visible."""
    columns = timeline_columns(days.items())
    for layer in (0, 1):
        assert sum(column.values[layer] for column in columns) == sum(value[layer] for value in days.values())
    starts = [column.on for column in columns]
    assert starts == sorted(set(starts))
    gaps = {(later - earlier).days for earlier, later in pairwise(starts)}
    assert gaps <= {1} or gaps <= {7} or gaps <= {28, 29, 30, 31}
    assert starts[0] <= min(days)
    assert len(columns) <= 46


@pytest.mark.parametrize(
    ("span", "first", "last"),
    [
        (1, "2026-03-02", "2026-03-02"),
        (44, "2026-03-02", "2026-04-15"),
        (45, "week of 2026-03-02", "week of 2026-04-13"),
    ],
)
def test_long_spans_are_summed_up(span: int, first: str, last: str):
    """Forty-five days are days; more are weeks, which begin on Monday."""
    columns = timeline_columns([(DAY, (1,)), (DAY + timedelta(days=span), (1,))])
    assert columns[-1].label == last if span > 1 else columns[0].label == first
    assert columns[0].label == first


def test_the_timeline_stacks_its_layers_to_scale():
    """Heights are to scale from the base line, and each column says its figures when pointed at."""
    chart = stacked_timeline(ChartIds(), "Cutovers", LAYERS, [(DAY, (3, 1)), (DAY + timedelta(days=1), (0, 2))])
    rects = [node.attrib for node in drawing(chart).iter("rect")]
    assert [(one["class"], float(one["height"])) for one in rects] == [
        ("tone-moved", 135.0),
        ("tone-attention", 45.0),
        ("tone-attention", 90.0),
    ]
    hints = [node.text for node in drawing(chart).iter("title")]
    assert hints == ["Cutovers", "2026-03-02: 3 created, 1 late", "2026-03-03: 2 late"]
    assert texts(chart) == ["0", "2", "4", "2026-03-02", "2026-03-03"]


def test_nothing_to_draw_is_said_in_words():
    """An empty frame would look like a fault."""
    for chart in (
        horizontal_bars(ChartIds(), "Phases", []),
        stacked_timeline(ChartIds(), "Cutovers", LAYERS, []),
        stacked_timeline(ChartIds(), "Cutovers", LAYERS, [(DAY, (0, 0))]),
    ):
        assert chart.endswith(": nothing yet.</p>")


@given(st.integers(1, 10**9))
def test_the_scale_ends_at_a_round_even_number_just_above(value: int):
    """Half of it is a whole number too, and the tallest column takes at least two fifths of the height."""
    top = scale_top(value)
    assert top >= value
    assert top % 2 == 0
    assert value == 1 or value > top * 0.4
