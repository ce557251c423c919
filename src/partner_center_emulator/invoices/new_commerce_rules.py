"""The published charging rules of new commerce as pure functions (rule room): R-135, R-138 to R-148, R-194, T-7.

Charges are in advance per cycle, counted from the day of purchase. Suspension does not stop them. A seat change is a
pair of lines with one reference: all old seats back, all new seats charged, both for the rest of the cycle.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime, timedelta
from decimal import Decimal

import msgspec

from partner_center_emulator.invoices.life import Charge, Life, Segment, Span, Step
from partner_center_emulator.invoices.periods import (
    DAY,
    MONTHS_OF_CYCLE,
    Period,
    cycle_at,
    cycle_number,
    last_day_before,
)
from partner_center_emulator.invoices.terms import BillingTerms
from partner_center_emulator.subscriptions.months import add_months

# Suspended is paid for; expired, disabled and deleted are not. Unknown states are taken as not paid for.
_BILLED = frozenset({"active", "suspended"})
_CANCELLED = frozenset({"deleted", "canceled", "cancelled"})


def is_billed(step: Step) -> bool:
    """Whether this state costs money."""
    return step.status in _BILLED and step.cycle in MONTHS_OF_CYCLE


class Tariff(msgspec.Struct, frozen=True):
    """What one license costs in one state of a subscription: price per cycle, and how cycles are counted."""

    price: Decimal
    anchor: date
    months: int
    ends: date | None = None

    def cycle(self, day: date) -> Period:
        """Return the charge cycle that holds ``day``; the term's end cuts it."""
        whole = cycle_at(self.anchor, self.months, day)
        if self.ends is None or not whole.start <= self.ends < whole.end:
            return whole
        return Period(whole.start, self.ends) if day <= self.ends else Period(self.ends + DAY, whole.end)

    def cycle_days(self, day: date) -> int:
        """Return the days of the charge cycle that holds ``day``: of a month those of the one it began in (R-194)."""
        whole = cycle_at(self.anchor, self.months, day)
        return monthrange(whole.start.year, whole.start.month)[1] if self.months == 1 else whole.days

    def part(self, days: Period, terms: BillingTerms) -> Decimal:
        """Return the effective price of one license for ``days`` of a cycle; the whole cycle costs the price itself."""
        if days == cycle_at(self.anchor, self.months, days.start):
            return self.price
        return terms.new_commerce.part(self.price, days.days, self.cycle_days(days.start))


def tariff(life: Life, step: Step) -> Tariff:
    """Return what ``step`` costs; raises KeyError for a cycle that has no length."""
    price = life.prices[step.cycle] if step.price is None else step.price
    months = life.one_time_months if step.cycle == "one_time" else MONTHS_OF_CYCLE[step.cycle]
    return Tariff(price, step.anchor or life.anchor, months, step.ends)


def new_commerce_charges(life: Life, since: date, until: date, terms: BillingTerms) -> list[Charge]:
    """Return the lines of a new-commerce subscription that arise from ``since`` up to the day before ``until``."""
    account = _Account(life, since, terms)
    for step in life.steps:
        if step.at.date() >= until:
            break
        account.charge_cycles(last_day_before(step.at))
        account.take(step)
    account.charge_cycles(until - DAY)
    return [charge for charge in account.charges if charge.billed_on >= since]


class _Account:
    """The walk through one life; whole cycles before the asked days are skipped by arithmetic."""

    def __init__(self, life: Life, since: date, terms: BillingTerms) -> None:
        self.life = life
        self.terms = terms
        self.charges: list[Charge] = []
        self._floor = since
        self._open: Segment | None = None
        self._now: Step | None = None
        self._charged: date = date.min

    def charge_cycles(self, day: date) -> None:
        """Charge every cycle that begins after the last look and not after ``day``."""
        now = self._now
        if now is None or not is_billed(now):
            return
        rates = tariff(self.life, now)
        cycle = rates.cycle(max(self._charged, self._floor, rates.anchor))
        while cycle.start <= day:
            if cycle.start > self._charged:
                self._charged = cycle.start
                self._charge(cycle.start, self._cycle_type(cycle.start, rates, now), cycle, now)
            cycle = rates.cycle(cycle.end + DAY)

    def take(self, step: Step) -> None:
        """Charge and credit what one step means."""
        before, self._now = self._now, step
        day = step.at.date()
        if before is None:
            if is_billed(step):
                self._begin(step)
        elif is_billed(before) and not is_billed(step):
            self._stop(step)
        elif is_billed(step) and not is_billed(before):
            self._begin(step)
        elif is_billed(step) and _terms_of(self.life, step) != _terms_of(self.life, before):
            self._change(day, before, step)

    def _begin(self, step: Step) -> None:
        day = step.at.date()
        if step.cause == "transfer" and self.terms.transfer_day_payer == "source":
            day += DAY
        self._charged = day
        self._charge(step.at.date(), "new", self._rest(day, step), step)

    def _stop(self, step: Step) -> None:
        paid, self._open = self._open, None
        day = step.at.date()
        if paid is None or paid.days.end < day:
            return
        if step.cause == "transfer":
            first = day + DAY if self.terms.transfer_day_payer == "source" else day
            if first <= paid.days.end:
                self._give_back(day, "cancelImmediate", paid, Period(first, paid.days.end))
        elif step.status in _CANCELLED:
            refund = refund_of(self.life, step, paid.days, self.terms)
            if refund is not None:
                self._give_back(day, "cancelImmediate", paid, refund)

    def _change(self, day: date, before: Step, step: Step) -> None:
        paid = self._open
        if paid is None or paid.days.end < day:
            return  # a change at the turn of the cycle: the new cycle is charged as it now is
        kind = step.charge
        if not kind and step.quantity == before.quantity:
            kind = "changeBillingPlan" if step.cycle != before.cycle else "convert"
        elif not kind:
            kind = "addQuantity" if step.quantity > before.quantity else "removeQuantity"
        reference = f"{self.life.subscription_id}/{step.at.isoformat()}"
        self._give_back(day, kind, paid, Period(max(day, paid.days.start), paid.days.end), reference)
        self._charged = max(self._charged, day)
        self._charge(day, kind, self._rest(day, step), step, reference)

    def _rest(self, day: date, step: Step) -> Period:
        return Period(day, max(day, tariff(self.life, step).cycle(day).end))

    def _cycle_type(self, start: date, rates: Tariff, now: Step) -> str:
        if now.charge == "extendTerm":
            return now.charge
        passed = cycle_number(rates.anchor, rates.months, start) * rates.months
        return "renew" if passed % self.life.term_months == 0 else "cycleCharge"

    def _charge(self, day: date, kind: str, days: Period, step: Step, reference: str = "") -> None:
        rates = tariff(self.life, step)
        effective = rates.part(days, self.terms)
        self._open = Segment(days, step.quantity, effective, step)
        self.charges.append(Charge(day, kind, days.start, days.end, rates.price, effective, step.quantity, reference))

    def _give_back(self, day: date, kind: str, paid: Segment, days: Period, reference: str = "") -> None:
        rates = tariff(self.life, paid.step)
        effective = paid.effective if days == paid.days else rates.part(days, self.terms)
        self.charges.append(Charge(day, kind, days.start, days.end, rates.price, -effective, paid.quantity, reference))


def _terms_of(life: Life, step: Step) -> tuple[int, str, Decimal]:
    return step.quantity, step.cycle, tariff(life, step).price


def term_began(life: Life, at: datetime) -> datetime:
    """Return the instant of the purchase or of the last renewal before ``at``: the windows count from it (R-138)."""
    bought = life.steps[0].at
    renewed = [step.at for step in life.steps if step.charge == "renew" and step.at <= at]
    if renewed:
        return renewed[-1]
    terms_passed = cycle_number(life.anchor, life.term_months, at.date())
    if terms_passed <= 0:
        return bought
    renewed_on = add_months(life.anchor, terms_passed * life.term_months)
    return datetime.combine(renewed_on, datetime.min.time(), bought.tzinfo)


def refund_of(life: Life, step: Step, charged: Period, terms: BillingTerms) -> Period | None:
    """Return the days of the ``charged`` ones that the cancellation ``step`` gives back; None after the window.

    All of them within 24 hours of purchase or renewal, from the day of the cancellation within 168 hours (S-3). What
    was bought for good comes back whole within 30 days (R-142).
    """
    age = step.at - term_began(life, step.at)
    full_hours = terms.software_refund_days * 24 if step.cycle == "one_time" else terms.full_refund_hours
    if age <= timedelta(hours=full_hours):
        return charged
    if age <= timedelta(hours=terms.window_hours):
        return Period(max(step.at.date(), charged.start), charged.end)
    return None


def new_commerce_spans(life: Life, until: date, terms: BillingTerms) -> list[Span]:
    """Return the days a new-commerce subscription costs money in the end, up to the day before ``until``."""
    spans: list[Span] = []
    start, seats = life.bought_on, 0
    previous: Step | None = None
    for step in life.steps:
        day = min(step.at.date(), until)
        wanted = step.quantity if is_billed(step) else 0
        if wanted != seats:
            end = _paid_until(life, previous, step, day, terms) if seats and not wanted and previous else day - DAY
            if seats and end >= start:
                spans.append(Span(start, min(end, until - DAY), seats))
            start, seats = day, wanted
        previous = step
    if seats and start < until:
        spans.append(Span(start, until - DAY, seats))
    return spans


def _paid_until(life: Life, before: Step, step: Step, day: date, terms: BillingTerms) -> date:
    """Return the last day that stays paid when billing stops with ``step``; before the start if all comes back."""
    if step.cause == "transfer":
        return day if terms.transfer_day_payer == "source" else day - DAY
    charged = tariff(life, before).cycle(day)
    if step.status not in _CANCELLED or charged.start == day:
        return day - DAY
    refund = refund_of(life, step, charged, terms)
    return charged.end if refund is None else refund.start - DAY


def new_commerce_daily_price(life: Life, step: Step, day: date) -> Decimal:
    """Return what one license costs on ``day`` in the state of ``step``, not rounded."""
    rates = tariff(life, step)
    return rates.price / rates.cycle_days(day)
