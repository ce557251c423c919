"""Days, charge cycles and billing periods (rule room): calendar arithmetic only, no world, no clock.

A *charge cycle* is what a subscription pays for at once: a month or a year counted from its anchor day. A *billing
period* is what one invoice covers: a month from the partner tenant's anniversary day (legacy) or a calendar month (new
commerce). Days are UTC dates (R-192); ends are inclusive unless a name says ``until``.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime, time, timedelta

import msgspec

from partner_center_emulator.subscriptions.months import add_months

DAY = timedelta(days=1)
# what is bought for good is a cycle that nobody lives to see the end of
FOR_GOOD = 1200
MONTHS_OF_CYCLE = {"monthly": 1, "annual": 12, "biennial": 24, "triennial": 36, "one_time": FOR_GOOD}


class Period(msgspec.Struct, frozen=True):
    """A run of days; both ends belong to it."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """Return how many days it has."""
        return (self.end - self.start).days + 1


def cycle_at(anchor: date, months: int, day: date) -> Period:
    """Return the charge cycle of ``months`` that holds ``day``, counted from ``anchor`` (R-194)."""
    number = cycle_number(anchor, months, day)
    return Period(add_months(anchor, number * months), add_months(anchor, (number + 1) * months) - DAY)


def cycle_number(anchor: date, months: int, day: date) -> int:
    """Return how many whole cycles lie between ``anchor`` and ``day``; negative before the anchor."""
    number = ((day.year - anchor.year) * 12 + day.month - anchor.month) // months
    return number if add_months(anchor, number * months) <= day else number - 1


def anniversary_period(anniversary_day: int, day: date) -> Period:
    """Return the legacy billing period that holds ``day``: a month from the tenant's anniversary day (R-186)."""
    # any anchor of 31 days length keeps the day of the month
    return cycle_at(date(2000, 1, anniversary_day), 1, day)


def calendar_period(day: date) -> Period:
    """Return the calendar month that holds ``day`` (R-186)."""
    return Period(day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1]))


def last_day_before(moment: datetime) -> date:
    """Return the last UTC day whose midnight lies before ``moment``; at midnight itself that is the day before."""
    day = moment.date()
    return day - DAY if moment.time() == time() else day
