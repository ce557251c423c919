"""The report as one HTML file (reports room): nothing to load, no script, readable in ten years and on paper.

Every text is escaped by the template engine; a strict content security policy says the same to the browser.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tenantfold.domain.gdap import GdapCondition
from tenantfold.domain.last_days import NEEDED
from tenantfold.domain.states import Owner, Phase
from tenantfold.errors import InputError
from tenantfold.reports.cells import clean_text
from tenantfold.reports.charts import Bar, ChartIds, Series, horizontal_bars, share_bar, stacked_timeline
from tenantfold.reports.drafts import drafted
from tenantfold.reports.report_data import ReportData


@dataclass(frozen=True, slots=True)
class Group:
    """Phases that mean the same to a manager. ``tone`` is the color's class, ``meaning`` the sentence below it."""

    label: str
    tone: str
    meaning: str
    phases: tuple[Phase, ...]


GROUPS = (
    Group(
        "Moved",
        "moved",
        "Every subscription verified at the target; what was ordered again is suspended at the source.",
        (Phase.MOVED,),
    ),
    Group(
        "Under way",
        "underway",
        "The customer accepted; tenantfold goes on by itself.",
        (
            Phase.ACCEPTED,
            Phase.CUTTING_OVER,
            Phase.VERIFIED,
            Phase.TRANSFERRING,
            Phase.HANDED_OFF,
            Phase.RUNNING_OUT,
        ),
    ),
    Group(
        "Waiting",
        "waiting",
        "The customer has not accepted the relationship request yet.",
        (Phase.PLANNED, Phase.INVITED),
    ),
    Group(
        "Blocked",
        "blocked",
        "Planning found a reason not to move them, or they changed since the plan.",
        (Phase.BLOCKED, Phase.STALE),
    ),
    Group(
        "Needs a person",
        "attention",
        "What began and cannot go on by itself, and what only a person can do.",
        (Phase.DRIFTED, Phase.STRANDED, Phase.FAILED, Phase.BY_HAND),
    ),
    Group("Nothing to move", "nothing", "No subscription that has to move.", (Phase.NOTHING_TO_MOVE,)),
)
_GROUP_OF = {phase: group for group in GROUPS for phase in group.phases}
# Who needs somebody most stands first; inside a group the caller's order stays.
_BY_NEED = ("Needs a person", "Blocked", "Under way", "Waiting", "Moved", "Nothing to move")
_URGENCY = {phase: _BY_NEED.index(group.label) for phase, group in _GROUP_OF.items()}
PHASE_LABELS: Mapping[Phase, str] = {
    Phase.PLANNED: "Planned",
    Phase.INVITED: "Invited",
    Phase.ACCEPTED: "Accepted",
    Phase.CUTTING_OVER: "Cutting over",
    Phase.VERIFIED: "Verified",
    Phase.TRANSFERRING: "In transfer",
    Phase.HANDED_OFF: "Handed off to Microsoft",
    Phase.RUNNING_OUT: "Waits for the end of a term",
    Phase.BY_HAND: "By hand",
    Phase.MOVED: "Moved",
    Phase.BLOCKED: "Blocked",
    Phase.NOTHING_TO_MOVE: "Nothing to move",
    Phase.STALE: "Changed since the plan",
    Phase.DRIFTED: "Drifted",
    Phase.STRANDED: "Outcome unknown",
    Phase.FAILED: "Failed",
}
OWNER_LABELS: Mapping[Owner, str] = {
    Owner.NOBODY: "Nobody",
    Owner.TENANTFOLD: "tenantfold",
    Owner.OPERATIONS: "Operations",
    Owner.APPROVER: "Approver",
    Owner.CUSTOMER: "Customer",
    Owner.MICROSOFT: "Microsoft",
}
_ACCESS_TONES: Mapping[GdapCondition, str] = {
    GdapCondition.NEEDS_PERSON: "attention",
    GdapCondition.ENDED: "blocked",
    GdapCondition.NOT_REQUESTED: "nothing",
    GdapCondition.WAITS_FOR_CUSTOMER: "waiting",
    GdapCondition.SETTLING: "underway",
    GdapCondition.WAITS_FOR_MICROSOFT: "underway",
    GdapCondition.ACTIVE: "moved",
}
_DAYS_LISTED = 200  # of those that must not be missed; the command has them all
_TIMELINE = (
    Series(label="created and suspended the same day", tone="moved"),
    Series(label="adopted", tone="underway"),
    Series(label="suspended on a later day", tone="attention"),
)


def render_html(data: ReportData) -> str:
    """The whole page as text."""
    return "".join(_pieces(data))


def write_html(data: ReportData, path: Path) -> None:
    """Write the page to a .html file, whole or not at all. InputError for another suffix or a missing folder."""
    if path.suffix.lower() not in {".html", ".htm"}:
        raise InputError(
            f"{path.name}: the report is written as .html.",
            next_step="Give the file a name that ends in .html; lists of rows go to .xlsx or .csv.",
            path=str(path),
        )
    with drafted(path) as draft, draft.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(_pieces(data))


def _pieces(data: ReportData) -> Iterator[str]:
    """The page piece by piece, so that thousands of customers are not held as one text."""
    css = files("tenantfold.reports").joinpath("templates/report.css").read_text(encoding="utf-8")
    yield from (
        templates()
        .get_template("report.html")
        .generate(
            data=data,
            customers=sorted(data.customers, key=lambda one: _URGENCY[one.phase]),
            css=Markup(css),  # noqa: S704 - our own file, no text from outside
            policy=content_policy(css),
            summary=_summary(data),
            tiles=_tiles(data),
            groups=[(group, _count(data, group)) for group in GROUPS],
            charts=_charts(data),
            timeline_series=_TIMELINE,
            days_listed=_DAYS_LISTED,
        )
    )


def content_policy(css: str) -> str:
    """The policy of the page: nothing may be loaded or run; only this very style sheet applies (by its digest)."""
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


@cache
def templates() -> Environment:
    """The template engine of all pages, once: compiling a page takes longer than filling it."""
    environment = Environment(
        loader=PackageLoader("tenantfold.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "moment": _moment,
        "day": _day,
        "number": _number,
        "phase": PHASE_LABELS.__getitem__,
        "owner": OWNER_LABELS.__getitem__,
        "tone": lambda phase: _GROUP_OF[phase].tone,
        "words": lambda condition: condition.value.replace("_", " ").capitalize(),
        "access_tone": _ACCESS_TONES.__getitem__,
        "day_needs": lambda kind: NEEDED[kind].sentence,
    }
    return environment


def _shown(value: object) -> object:
    """What the template puts on the page; control characters from outside never reach it."""
    return clean_text(value) if type(value) is str else value


def _moment(value: datetime | None) -> str:
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if value else "\N{EN DASH}"


def _day(value: date | None) -> str:
    return value.isoformat() if value else "\N{EN DASH}"


def _number(value: int) -> str:
    return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _count(data: ReportData, group: Group) -> int:
    return sum(data.phases.get(phase, 0) for phase in group.phases)


def _summary(data: ReportData) -> str:
    """The whole report in a sentence or two."""
    counts = {group.label: _count(data, group) for group in GROUPS}
    to_move = sum(counts.values()) - counts["Nothing to move"]
    if not to_move:
        return "There is no customer to move in this plan." if data.plan else "There is no plan yet."
    words = [f"{_number(counts['Moved'])} of {_number(to_move)} customers are moved."]
    held = [
        f"{_number(counts[label])} {one if counts[label] == 1 else more}"
        for label, one, more in (
            ("Needs a person", "needs a person", "need a person"),
            ("Blocked", "is blocked", "are blocked"),
            ("Waiting", "waits for the customer's acceptance", "wait for the customer's acceptance"),
            ("Under way", "is under way", "are under way"),
        )
        if counts[label]
    ]
    if held:
        words.append(f"Of the others, {_listed(held)}.")
    return " ".join(words)


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


@dataclass(frozen=True, slots=True)
class _Tile:
    """One big number of the summary: what it counts, the number, what it is out of, and the color it stands in."""

    label: str
    value: int
    whole: int | None
    tone: str


def _tiles(data: ReportData) -> list[_Tile]:
    counts = data.counts
    customers = sum(data.phases.values()) - data.phases.get(Phase.NOTHING_TO_MOVE, 0)
    stranded = sum(line.stranded for line in data.journal)
    return [
        _Tile("Customers moved", data.phases.get(Phase.MOVED, 0), customers, "moved"),
        _Tile("Subscriptions moved", counts.subscriptions_moved, counts.subscriptions, "moved"),
        _Tile("Licenses moved", counts.licenses_moved, counts.licenses, "moved"),
        _Tile("Writes with unknown outcome", stranded, None, "attention" if stranded else "quiet"),
    ]


def _charts(data: ReportData) -> dict[str, Markup]:
    ids = ChartIds()
    groups = [Bar(label=group.label, value=_count(data, group), tone=group.tone) for group in GROUPS]
    phases = [
        Bar(label=PHASE_LABELS[phase], value=data.phases[phase], tone=_GROUP_OF[phase].tone)
        for phase in Phase
        if data.phases.get(phase)
    ]
    days = [(one.on, (one.created, one.adopted, one.late)) for one in data.cutovers]
    return {
        "share": share_bar(ids, "Customers by group", groups),
        "phases": horizontal_bars(ids, "Customers by phase", phases),
        "cutovers": stacked_timeline(ids, "Subscriptions cut over", _TIMELINE, days),
    }
