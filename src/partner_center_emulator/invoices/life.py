"""What goes into the charging rules and what comes out (rule room): plain structs, no world, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import msgspec

from partner_center_emulator.invoices.periods import FOR_GOOD, Period

Generation = Literal["legacy", "new_commerce"]
Cause = Literal["change", "transfer"]


class Step(msgspec.Struct, frozen=True, gc=False):
    """From this moment on the subscription is like this."""

    at: datetime
    status: str
    quantity: int
    cycle: str  # monthly, annual ...; "none" is free
    cause: Cause = "change"
    # new commerce: what the term says from here on; None = as in the life
    price: Decimal | None = None  # of one license for one cycle, after promotions
    anchor: date | None = None  # charge cycles count from here since the term began anew
    ends: date | None = None  # last day of the term: the last cycle is cut there
    charge: str = ""  # the charge type of the wire, if who recorded the change knows better


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules need to know of one subscription; ``steps`` is never empty, the first one is the purchase."""

    subscription_id: str
    generation: Generation
    anchor: date  # charge cycles are counted from here: the day of purchase, for an add-on that of its base
    prices: Mapping[str, Decimal]  # of one license for one cycle, by cycle, in the partner tenant's currency
    steps: tuple[Step, ...]
    term_months: int = 12
    one_time_months: int = FOR_GOOD  # what is paid once lasts this long: the term of a software subscription

    @property
    def bought_on(self) -> date:
        """Return the UTC day of the purchase."""
        return self.steps[0].at.date()


class Charge(msgspec.Struct, frozen=True, gc=False):
    """One line of an invoice to be; a credit has a negative ``effective`` price."""

    billed_on: date  # the day it arose: the invoice whose period holds this day shows it
    type: str
    start: date
    end: date
    unit_price: Decimal  # list price of one license for the whole cycle
    effective: Decimal  # price of one license for these days
    quantity: int
    reference: str = ""  # equal for lines that belong together

    @property
    def amount(self) -> Decimal:
        """Return the money of the line, before tax."""
        return self.effective * self.quantity


class Span(msgspec.Struct, frozen=True):
    """Days that are paid for in the end, refunds taken off, and for how many seats."""

    start: date
    end: date
    seats: int


class Segment(msgspec.Struct, frozen=True):
    """Days already charged and not given back, and the state by which they were."""

    days: Period
    quantity: int
    effective: Decimal
    step: Step
