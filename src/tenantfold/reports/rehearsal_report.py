"""A rehearsal as one HTML file (reports room): the house style of the report, no script, every text escaped.

What is on the page is the prediction and nothing else, so that it can be kept beside the approval.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path

from markupsafe import Markup

from tenantfold.domain.prediction import BucketLoad, Prediction
from tenantfold.domain.states import Phase
from tenantfold.errors import InputError
from tenantfold.reports.cells import clean_text
from tenantfold.reports.charts import ChartIds, Column, Series, column_chart
from tenantfold.reports.drafts import drafted
from tenantfold.reports.html_report import GROUPS, Group, content_policy, templates

COLUMNS = 72  # of a chart over time; more would be thinner than a pixel on a phone
CHARTED = 12  # rate limits with a chart of their own, the busiest ones
_CALLS = (Series(label="calls a minute", tone="underway"),)
_NICE_SECONDS = (1, 5, 15, 60, 300, 900, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400)


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalPage:
    """A prediction with what the page says around it."""

    prediction: Prediction
    consolidation: str
    program: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class _Check:
    """One thing that must hold: what, how often it did not, and what that means."""

    label: str
    found: int
    meaning: str


def render_rehearsal(page: RehearsalPage) -> str:
    """The whole page as text."""
    return "".join(_pieces(page))


def write_rehearsal(page: RehearsalPage, path: Path) -> None:
    """Write the page to a .html file, whole or not at all. InputError for another suffix or a missing folder."""
    if path.suffix.lower() not in {".html", ".htm"}:
        raise InputError(
            f"{path.name}: the rehearsal is written as .html.",
            next_step="Give the file a name that ends in .html.",
            path=str(path),
        )
    with drafted(path) as draft, draft.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(_pieces(page))


def _pieces(page: RehearsalPage) -> Iterator[str]:
    css = files("tenantfold.reports").joinpath("templates/report.css").read_text(encoding="utf-8")
    prediction = page.prediction
    ids = ChartIds()
    yield from (
        templates()
        .get_template("rehearsal.html")
        .generate(
            page=page,
            prediction=prediction,
            css=Markup(css),  # noqa: S704 - our own file, no text from outside
            policy=content_policy(css),
            summary=summary(prediction),
            checks=checks(prediction),
            duration=duration(prediction),
            groups=_groups(prediction),
            customers_chart=_customers_chart(ids, prediction),
            buckets=_by_use(prediction),
            call_charts=[(bucket, _calls_chart(ids, prediction, bucket)) for bucket in _charted(prediction)],
            routes=routes(prediction),
            tenants=sorted({one.tenant for one in prediction.calls}),
        )
    )


# --- words ----------------------------------------------------------------------------------------------------------


def summary(prediction: Prediction) -> str:
    """The whole rehearsal in a few sentences."""
    moved = len(prediction.moved_at)
    if not prediction.is_complete:
        start = "The rehearsal was not carried through to its end."
    elif prediction.is_good:
        start = "The rehearsal found no fault."
    else:
        start = "The rehearsal found faults that would happen for real."
    if prediction.ends_at is None:
        return f"{start} No customer would move under these conditions."
    who = f"{moved} of {prediction.to_move} customers would move"
    when = f"the last suspension on {prediction.ends_at:%Y-%m-%d} at {prediction.ends_at:%H:%M} UTC"
    return f"{start} {who}, {when}, with {prediction.total_calls} calls. {bottleneck(prediction)}"


def duration(prediction: Prediction) -> str:
    """How long the move takes, from the start of the rehearsal to the last suspension."""
    if prediction.ends_at is None:
        return "none"
    return span(prediction.ends_at - prediction.begins_at)


def span(length: timedelta) -> str:
    """A length of time in its two largest units."""
    seconds = max(0, round(length.total_seconds()))
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, rest = divmod(rest, 60)
    parts = [f"{value} {unit}" for value, unit in ((days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")) if value]
    return " ".join(parts[:2]) or "0 s"


def bottleneck(prediction: Prediction) -> str:
    """What holds the move up, in a sentence."""
    slowest = prediction.bottleneck
    if slowest is not None:
        return (
            f"What takes time is the rate limit of tenant {slowest.tenant} for {slowest.resource} calls: "
            f"{slowest.full_minutes} minute(s) at the limit."
        )
    return (
        "No rate limit is ever used up: what takes time is waiting for customers, for Microsoft and for the next day."
    )


def checks(prediction: Prediction) -> list[_Check]:
    """What must hold, and how often it did not."""
    truth = prediction.truth
    return [
        _Check("Twins", truth.twins, "A customer would hold more at the target than it had."),
        _Check("Gaps", truth.gaps, "Licenses would be off with nothing in their place."),
        _Check("Not equal", truth.unequal, "A moved subscription would differ from what it was."),
        _Check("Double billing, license days", truth.overlap_seat_days, "Both tenants would bill on these days."),
        _Check("Late cases", prediction.late_cases, "A cutover would not end on the day it began."),
        _Check("Not explained", prediction.unexplained, "A customer would stay behind and nobody would know why."),
    ]


def routes(prediction: Prediction) -> list[tuple[str, Mapping[str, int], int]]:
    """Calls by route, most first: the route, its calls by tenant, and all of them."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for one in prediction.calls:
        found[one.route][one.tenant] = found[one.route].get(one.tenant, 0) + one.calls
    rows = [(route, tenants, sum(tenants.values())) for route, tenants in found.items()]
    return sorted(rows, key=lambda row: (-row[2], row[0]))


# --- charts ---------------------------------------------------------------------------------------------------------


def _in_group(phases: Mapping[str, int], group: Sequence[Phase]) -> int:
    return sum(phases.get(phase.value, 0) for phase in group)


def _groups(prediction: Prediction) -> list[Group]:
    """The groups that anybody is ever in."""
    return [group for group in GROUPS if any(_in_group(one.phases, group.phases) for one in prediction.timeline)]


def _customers_chart(ids: ChartIds, prediction: Prediction) -> Markup:
    """How many customers are in each group, over time."""
    groups = _groups(prediction)
    series = [Series(label=group.label.lower(), tone=group.tone) for group in groups]
    times = [one.at for one in prediction.timeline]
    columns = []
    for ends_at, label in _slots(prediction.begins_at, prediction.over_at):
        position = max(1, bisect_right(times, ends_at))
        phases = prediction.timeline[position - 1].phases if prediction.timeline else {}
        values = tuple(_in_group(phases, group.phases) for group in groups)
        columns.append(Column(on=ends_at.date(), label=label, values=values))
    return column_chart(ids, "Customers by group over time", series, columns)


def _slots(begins_at: datetime, ends_at: datetime) -> list[tuple[datetime, str]]:
    """The ends of equal pieces of time, at most ``COLUMNS`` of them, each with its name."""
    seconds = max(1.0, (ends_at - begins_at).total_seconds())
    step = next((one for one in _NICE_SECONDS if seconds / one <= COLUMNS), None)
    if step is None:
        step = 86_400 * -(-int(seconds) // (86_400 * COLUMNS))
    count = int(seconds // step) + 1
    form = "%Y-%m-%d %H:%M:%S" if step < 60 else "%Y-%m-%d %H:%M"  # noqa: PLR2004 - a minute
    ends = [begins_at + timedelta(seconds=step * number) for number in range(1, count + 1)]
    return [(one, one.strftime(form)) for one in ends]


def _by_use(prediction: Prediction) -> list[BucketLoad]:
    """Rate limits, the most used first."""
    return sorted(prediction.buckets, key=lambda one: (-one.full_minutes, -one.busiest, one.tenant, one.resource))


def _charted(prediction: Prediction) -> list[BucketLoad]:
    """Rate limits that are worth a picture: below a tenth of the limit there is nothing to see."""
    return [one for one in _by_use(prediction) if one.busiest * 10 >= one.published_limit][:CHARTED]


def _calls_chart(ids: ChartIds, prediction: Prediction, bucket: BucketLoad) -> Markup:
    """The calls of one rate limit: the busiest minute of every piece of time, under the published limit."""
    last = max((minute for minute, _ in bucket.per_minute), default=0)
    step = -(-(last + 1) // COLUMNS)
    tops: dict[int, int] = defaultdict(int)
    for minute, calls in bucket.per_minute:
        tops[minute // step] = max(tops[minute // step], calls)
    columns = []
    for slot in range(last // step + 1):
        at = prediction.begins_at + timedelta(minutes=slot * step)
        columns.append(Column(on=at.date(), label=at.strftime("%Y-%m-%d %H:%M"), values=(tops[slot],)))
    title = str(clean_text(f"Calls a minute: {bucket.tenant}, {bucket.resource}"))
    return column_chart(ids, title, _CALLS, columns, limit=bucket.published_limit)
