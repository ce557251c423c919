"""Months and terms of a calendar (time room): where a term that starts on a day ends."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta

# "Never ends" on the wire (commerce 0.1, 3.2).
ENDLESS = date(9999, 12, 10)
TERM_MONTHS = {"P1M": 1, "P1Y": 12, "P3Y": 36}
CYCLE_MONTHS = {"monthly": 1, "annual": 12, "triennial": 36}


def add_months(day: date, months: int) -> date:
    """Return ``day`` moved by ``months``; a day the month does not have becomes its last one (31 Jan -> 28 Feb)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def midnight_after(day: date) -> datetime:
    """Return the instant at which ``day`` is over, UTC."""
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=UTC)


def term_end(anchor: date, duration: str, terms_elapsed: int = 0) -> date:
    """Return the last day inside a term: the ``terms_elapsed``-th after the one that began on ``anchor``.

    Counted from the anchor, so that terms begun on the 31st end on the 30th, 29th, 28th or 27th by the length of the
    month (commerce 6.6) and do not drift. "" has no end.
    """
    if duration not in TERM_MONTHS:
        return ENDLESS
    return add_months(anchor, TERM_MONTHS[duration] * (terms_elapsed + 1)) - timedelta(days=1)


def charge_cycle(anchor: date, billing_cycle: str, on: date, last: date) -> tuple[date, date]:
    """Return first and last day of the charge cycle that ``on`` lies in; cycles begin on the anchor's day (6.6).

    ``last`` is the end of the term: no cycle goes beyond it. A one-time or free item has one cycle: its term.
    """
    months = CYCLE_MONTHS.get(billing_cycle)
    if months is None:
        return anchor, last
    count = max(0, (on.year - anchor.year) * 12 + on.month - anchor.month) // months
    while count > 0 and add_months(anchor, months * count) > on:
        count -= 1
    first = add_months(anchor, months * count)
    return first, min(last, add_months(anchor, months * (count + 1)) - timedelta(days=1))
