"""The reports as tables (reports room): heading, kind and width of every column of the store's read models.

The store says which columns a row set has and what they mean (``store.rows.COLUMNS``); here is how they are shown.
CLI, dashboard, CSV and XLSX all take their columns from this one table.
"""

from __future__ import annotations

import difflib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from tenantfold.errors import InputError
from tenantfold.store.rows import COLUMNS, Plain, RowSet


class Kind(StrEnum):
    """What the cells of a column are; decides alignment and number format."""

    TEXT = "text"
    WHOLE_NUMBER = "whole number"
    DAY = "day"
    TIME = "time"
    YES_NO = "yes or no"


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``key`` is its name in the store and in JSON; ``width`` is in characters of a spreadsheet."""

    key: str
    heading: str
    kind: Kind
    width: int
    meaning: str


@dataclass(frozen=True, slots=True)
class Table:
    """One report: a row set of the store with its columns in the order they are shown."""

    name: RowSet
    title: str
    about: str
    columns: tuple[Column, ...]

    @property
    def headings(self) -> tuple[str, ...]:
        """The headings in order; each is there once."""
        return tuple(column.heading for column in self.columns)


class RowSource(Protocol):
    """Where rows come from: ``tenantfold.store.Store``, or rows held in memory by a test."""

    def rows(self, name: RowSet, /) -> AsyncIterator[tuple[Plain, ...]]:
        """All rows of a row set, cells in the order of ``store.rows.COLUMNS``."""
        ...


_GUID = 38
_NAME = 32
_WORD = 14
_TEXT, _NUMBER, _DAY, _TIME, _YES_NO = Kind.TEXT, Kind.WHOLE_NUMBER, Kind.DAY, Kind.TIME, Kind.YES_NO

# How each key is shown, wherever it appears: heading, kind, width.
_SHOWN: dict[str, tuple[str, Kind, int]] = {
    "customer_id": ("Customer id", _TEXT, _GUID),
    "company_name": ("Company", _TEXT, _NAME),
    "domain": ("Domain", _TEXT, _NAME),
    "country": ("Country", _TEXT, 9),
    "tenant": ("Tenant", _TEXT, _WORD),
    "side": ("Side", _TEXT, 9),
    "relationship": ("Relationship", _TEXT, _WORD),
    "email": ("E-mail", _TEXT, _NAME),
    "reading": ("Reading", _TEXT, 10),
    "reason": ("Reason", _TEXT, 48),
    "snapshot": ("Snapshot", _NUMBER, 10),
    "subscription_id": ("Subscription id", _TEXT, _GUID),
    "offer_id": ("Offer id", _TEXT, _GUID),
    "offer_name": ("Offer", _TEXT, _NAME),
    "friendly_name": ("Friendly name", _TEXT, _NAME),
    "license_count": ("Licenses", _NUMBER, 10),
    "wire_status": ("Status", _TEXT, 11),
    "billing_type": ("Billing type", _TEXT, 12),
    "billing_cycle": ("Billing cycle", _TEXT, 13),
    "term_duration": ("Term", _TEXT, 8),
    "commitment_end_on": ("Term ends on", _DAY, 13),
    "is_trial": ("Trial", _YES_NO, 8),
    "parent_id": ("Base subscription id", _TEXT, _GUID),
    "partner_id_on_record": ("Partner on record", _TEXT, 18),
    "order_id": ("Order id", _TEXT, 20),
    "created_at": ("Created at (UTC)", _TIME, 19),
    "disposition": ("Disposition", _TEXT, 16),
    "customer_findings": ("Customer findings", _TEXT, _NAME),
    "severity": ("Severity", _TEXT, 9),
    "rule": ("Rule", _TEXT, 12),
    "estimated_on": ("Estimated day (UTC)", _DAY, 18),
    "route": ("Route", _TEXT, _WORD),
    "target_offer_id": ("Target offer id", _TEXT, _GUID),
    "target_offer_name": ("Target offer", _TEXT, _NAME),
    "target_id": ("Target subscription id", _TEXT, _GUID),
    "item_findings": ("Subscription findings", _TEXT, _NAME),
    "origin": ("Origin", _TEXT, 10),
    "cutover_on": ("Cutover day (UTC)", _DAY, 18),
    "verified_at": ("Verified at (UTC)", _TIME, 19),
    "suspended_at": ("Suspended at (UTC)", _TIME, 19),
    "phase": ("Phase", _TEXT, _WORD),
    "owner": ("Owner", _TEXT, 12),
    "next_action": ("Next action", _TEXT, 48),
    "number": ("Number", _NUMBER, 10),
    "key": ("Key", _TEXT, 42),
    "request_id": ("Request id", _TEXT, _GUID),
    "plan": ("Plan", _NUMBER, 8),
    "tenant_id": ("Tenant id", _TEXT, _GUID),
    "kind": ("Kind", _TEXT, 17),
    "generation": ("Failed before", _NUMBER, 14),
    "subjects": ("Source subscriptions", _TEXT, _GUID),
    "intended_at": ("Intended at (UTC)", _TIME, 19),
    "outcome": ("Outcome", _TEXT, 10),
    "settled_at": ("Settled at (UTC)", _TIME, 19),
    "code": ("Code", _TEXT, 10),
    "detail": ("Detail", _TEXT, 48),
}
_ABOUT: dict[RowSet, tuple[str, str]] = {
    RowSet.CUSTOMERS: ("Customers", "Every customer as each partner tenant shows it, from the newest snapshots."),
    RowSet.SUBSCRIPTIONS: ("Subscriptions", "Every subscription at each partner tenant, from the newest snapshots."),
    RowSet.PLAN: ("Plan", "What the newest plan does with every source subscription, and what it found."),
    RowSet.FINDINGS: ("Findings", "What the newest plan found, one row each: who must act, how, and by when."),
    RowSet.RESULTS: ("Results", "How far every subscription is, and who must act next."),
    RowSet.JOURNAL: ("Journal", "Every write to Microsoft: what was intended, and how it ended."),
}


def _table(name: RowSet) -> Table:
    columns = []
    for key, meaning in COLUMNS[name].items():
        heading, kind, width = _SHOWN[key]
        columns.append(Column(key, heading, kind, width, meaning))
    title, about = _ABOUT[name]
    return Table(name, title, about, tuple(columns))


TABLES: dict[str, Table] = {name.value: _table(name) for name in RowSet}


def table_named(name: str) -> Table:
    """The report of this name. InputError with the nearest name when there is none."""
    table = TABLES.get(name)
    if table is not None:
        return table
    close = difflib.get_close_matches(name, TABLES, n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    raise InputError(f"There is no report {name!r}.{hint}", next_step=f"Choose one of: {', '.join(TABLES)}.")


def table_rows(source: RowSource, table: Table) -> AsyncIterator[tuple[Plain, ...]]:
    """The rows of a report with their cells in the order of its columns."""
    places = {key: place for place, key in enumerate(COLUMNS[table.name])}
    order = [places[column.key] for column in table.columns]
    if order == list(range(len(places))):  # the usual case: half a million rows need no second pair of hands
        return source.rows(table.name)
    return _reordered(source.rows(table.name), order)


async def _reordered(rows: AsyncIterator[tuple[Plain, ...]], order: Sequence[int]) -> AsyncIterator[tuple[Plain, ...]]:
    async for row in rows:
        yield tuple(row[place] for place in order)


def columns_markdown() -> str:
    """Every report and column as Markdown, for docs/reference; made from the tables so that it cannot be outdated."""
    parts = []
    for table in TABLES.values():
        lines = [f"## {table.title} (`{table.name}`)", "", table.about, "", "| Column | Key | Kind | Meaning |"]
        lines.append("|---|---|---|---|")
        lines += [f"| {one.heading} | `{one.key}` | {one.kind} | {one.meaning} |" for one in table.columns]
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"
