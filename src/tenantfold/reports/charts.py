"""Charts as SVG made on the server (reports room): bars and a timeline, the same on a page, on paper and in a mail.

They have no fixed width: lengths across are percentages, so that texts keep their size on a phone. Colors come from
the page's style sheet by class (``tone-...``). Each chart has a title, a description in words and its figures as text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count

from markupsafe import Markup

_BAR_STEP = 46  # pixels from one bar to the next: its label, the bar, and air
_PLOT_HEIGHT = 180
_PLOT_TOP = 18
_PLOT_LEFT = 8.0  # percent kept for the numbers of the scale
_LEAST_BAR = 0.6  # percent: what is not zero must be seen
_DAYS_AS_DAYS = 45
_DAYS_AS_WEEKS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar: its label, its value, and the tone (class) it is drawn in."""

    label: str
    value: int
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One layer of a stacked chart."""

    label: str
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a timeline: the first day it stands for, its label, and a value for each series."""

    on: date
    label: str
    values: tuple[int, ...]

    @property
    def total(self) -> int:
        """The height of the column."""
        return sum(self.values)


class ChartIds:
    """Gives the charts of one page ids that differ, for their titles and descriptions."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def take(self) -> str:
        """The next id."""
        return f"chart-{next(self._numbers)}"


def horizontal_bars(ids: ChartIds, title: str, bars: Sequence[Bar]) -> Markup:
    """Bars below each other, each with its label, value and share of the whole."""
    if not bars:
        return _nothing(title)
    whole = sum(bar.value for bar in bars)
    longest = max(bar.value for bar in bars)
    description = "; ".join(f"{bar.label}: {bar.value}" for bar in bars)
    drawn = [_bar(position, bar, whole, longest) for position, bar in enumerate(bars)]
    return _svg(ids, title, description, _BAR_STEP * len(bars), drawn)


def _nothing(title: str) -> Markup:
    return Markup('<p class="quiet">{}: nothing yet.</p>').format(title)


def _bar(position: int, bar: Bar, whole: int, longest: int) -> Markup:
    top = position * _BAR_STEP
    width = max(_percent(bar.value, longest), _LEAST_BAR) if bar.value else 0.0
    share = f"{_percent(bar.value, whole):.0f} %" if bar.value * 100 >= whole or not bar.value else "under 1 %"
    return Markup(
        '<text class="label" x="0" y="{text}">{label}</text>'
        '<text class="value" x="100%" y="{text}" text-anchor="end">{value} <tspan class="share">{share}</tspan></text>'
        '<rect class="track" x="0" y="{y}" width="100%" height="12" rx="3"/>'
        '<rect class="tone-{tone}" x="0" y="{y}" width="{width:.2f}%" height="12" rx="3"/>'
    ).format(
        text=top + 15, y=top + 22, label=bar.label, value=f"{bar.value:,}", share=share, tone=bar.tone, width=width
    )


def share_bar(ids: ChartIds, title: str, bars: Sequence[Bar]) -> Markup:
    """One bar divided into shares of the whole, without texts: for a place where the numbers stand beside it."""
    whole = sum(bar.value for bar in bars)
    description = "; ".join(f"{bar.label}: {bar.value}" for bar in bars)
    drawn = [Markup('<rect class="track" x="0" y="0" width="100%" height="14" rx="4"/>')]
    left = 0.0
    for bar in bars:
        width = _percent(bar.value, whole)
        if width:
            part = Markup('<rect class="tone-{}" x="{:.3f}%" y="0" width="{:.3f}%" height="14"/>')
            drawn.append(part.format(bar.tone, left, width))
        left += width
    return _svg(ids, title, description, 14, drawn)


def stacked_timeline(
    ids: ChartIds, title: str, series: Sequence[Series], days: Iterable[tuple[date, tuple[int, ...]]]
) -> Markup:
    """Columns over time, each stacked from the series. Long spans are summed up by week or by month."""
    return column_chart(ids, title, series, timeline_columns(days))


def column_chart(
    ids: ChartIds, title: str, series: Sequence[Series], columns: Sequence[Column], *, limit: int = 0
) -> Markup:
    """Columns side by side, each stacked from the series; ``limit`` (0: none) is drawn as a line across."""
    tallest = max((column.total for column in columns), default=0)
    if not tallest:
        return _nothing(title)
    top = scale_top(max(tallest, limit))
    drawn = [_grid_line(part, top) for part in (0, top // 2, top)]
    width = (100 - _PLOT_LEFT) / len(columns)
    for position, column in enumerate(columns):
        drawn.append(_column(column, series, _PLOT_LEFT + position * width, width, top))
    if limit:
        drawn.append(_limit_line(limit, top))
    drawn += _time_labels(columns)
    description = f"{len(columns)} columns; the highest, {max(columns, key=lambda one: one.total).label}, has {tallest}"
    description += f"; the limit is {limit}" if limit else ""
    return _svg(ids, title, description, _PLOT_TOP + _PLOT_HEIGHT + 24, drawn)


def _limit_line(value: int, whole: int) -> Markup:
    y = _PLOT_TOP + _PLOT_HEIGHT * (1 - value / whole)
    return Markup(
        '<line class="limit" x1="{left}%" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>'
        '<text class="scale" x="100%" y="{above:.1f}" text-anchor="end">limit {value}</text>'
    ).format(left=_PLOT_LEFT, y=y, above=y - 4, value=f"{value:,}")


def _grid_line(value: int, whole: int) -> Markup:
    y = _PLOT_TOP + _PLOT_HEIGHT * (1 - value / whole)
    return Markup(
        '<line class="grid" x1="{left}%" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>'
        '<text class="scale" x="{text}%" y="{below:.1f}" text-anchor="end">{value}</text>'
    ).format(left=_PLOT_LEFT, text=_PLOT_LEFT - 1, y=y, below=y + 4, value=f"{value:,}")


def _column(column: Column, series: Sequence[Series], left: float, width: float, top: int) -> Markup:
    air = width * 0.12
    parts = []
    base = float(_PLOT_TOP + _PLOT_HEIGHT)
    for layer, value in zip(series, column.values, strict=True):
        height = _PLOT_HEIGHT * value / top
        base -= height
        if value:
            rect = Markup('<rect class="tone-{}" x="{:.3f}%" y="{:.2f}" width="{:.3f}%" height="{:.2f}"/>')
            parts.append(rect.format(layer.tone, left + air, base, width - 2 * air, height))
    words = ", ".join(f"{value} {layer.label}" for layer, value in zip(series, column.values, strict=True) if value)
    hint = Markup("<title>{}: {}</title>").format(column.label, words or "none")
    return Markup("<g>{}{}</g>").format(hint, Markup("").join(parts))


def _time_labels(columns: Sequence[Column]) -> list[Markup]:
    """The first and the last column by name, and the middle one where there is room for it."""
    y = _PLOT_TOP + _PLOT_HEIGHT + 18
    width = (100 - _PLOT_LEFT) / len(columns)
    places = [(0, "start", _PLOT_LEFT)]
    if len(columns) >= 9:  # noqa: PLR2004 - below this, three labels crowd each other on a phone
        middle = len(columns) // 2
        places.append((middle, "middle", _PLOT_LEFT + (middle + 0.5) * width))
    if len(columns) > 1:
        places.append((len(columns) - 1, "end", 100.0))
    text = Markup('<text class="scale" x="{:.2f}%" y="{}" text-anchor="{}">{}</text>')
    return [text.format(x, y, anchor, columns[place].label) for place, anchor, x in places]


def timeline_columns(days: Iterable[tuple[date, tuple[int, ...]]]) -> list[Column]:
    """Days as columns without holes: each day of a short span, each week (from Monday) or month of a longer one."""
    values = sorted(days)
    if not values:
        return []
    first, last = values[0][0], values[-1][0]
    span = (last - first).days + 1
    unit = "day" if span <= _DAYS_AS_DAYS else "week" if span <= _DAYS_AS_WEEKS else "month"
    sums: dict[date, list[int]] = {}
    for start in _starts(first, last, unit):
        sums[start] = [0] * len(values[0][1])
    for on, parts in values:
        start = _start(on, unit)
        sums[start] = [old + new for old, new in zip(sums[start], parts, strict=True)]
    return [Column(on=start, label=_label(start, unit), values=tuple(parts)) for start, parts in sums.items()]


def _starts(first: date, last: date, unit: str) -> Iterable[date]:
    at = _start(first, unit)
    while at <= last:
        yield at
        at = _start(at + timedelta(days={"day": 1, "week": 7, "month": 31}[unit]), unit)


def _start(on: date, unit: str) -> date:
    """The first day of the unit a day lies in."""
    if unit == "day":
        return on
    return on - timedelta(days=on.weekday()) if unit == "week" else on.replace(day=1)


def _label(start: date, unit: str) -> str:
    if unit == "day":
        return start.isoformat()
    return f"week of {start.isoformat()}" if unit == "week" else f"{start:%Y-%m}"


def scale_top(value: int) -> int:
    """The least even round number (2, 4, 6, 10, 20, 40 ...) that a scale can end at so that the value fits below."""
    power = 1
    while True:
        for step in (2, 4, 6, 10):
            if step * power >= value:
                return step * power
        power *= 10


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0


def _svg(ids: ChartIds, title: str, description: str, height: int, drawn: Sequence[Markup]) -> Markup:
    """The frame of every chart: an image with a name and a description for those who do not see it."""
    mark = ids.take()
    return Markup(
        '<svg class="chart" role="img" aria-labelledby="{mark}-title {mark}-desc" width="100%" height="{height}">'
        '<title id="{mark}-title">{title}</title><desc id="{mark}-desc">{description}.</desc>{drawn}</svg>'
    ).format(mark=mark, height=height, title=title, description=description, drawn=Markup("").join(drawn))
