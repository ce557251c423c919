"""The published charging rules of legacy subscriptions as pure functions (rule room): R-186 to R-193, T-1 to T-6."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec

from partner_center_emulator.invoices.life import Charge, Life, Segment, Span, Step
from partner_center_emulator.invoices.periods import DAY, MONTHS_OF_CYCLE, Period, cycle_at, last_day_before
from partner_center_emulator.invoices.terms import BillingTerms, Rounding


def part_of(life: Life, cycle: str, days: Period, rounding: Rounding) -> Decimal:
    """Return the price of one license for ``days`` of the legacy charge cycle that holds them."""
    whole = cycle_at(life.anchor, MONTHS_OF_CYCLE[cycle], days.start)
    return rounding.part(life.prices[cycle], days.days, whole.days)


def legacy_charges(life: Life, since: date, until: date, terms: BillingTerms) -> list[Charge]:
    """Return the lines of a legacy subscription that arise from ``since`` up to the day before ``until``.

    Charges are in advance per cycle. A suspension gives back everything if it comes within 30 days of the purchase,
    else the days from the suspension (included) to the cycle's end (R-188). A seat change gives the cycle back and
    charges its two parts (T-5).
    """
    account = _LegacyAccount(life, since, terms)
    for step in life.steps:
        if step.at.date() >= until:
            break
        account.charge_cycles(last_day_before(step.at))
        account.take(step)
    account.charge_cycles(until - DAY)
    return [charge for charge in account.charges if charge.billed_on >= since]


class _LegacyAccount:
    """The walk through one life; cycles that ended before the asked days are skipped by arithmetic."""

    def __init__(self, life: Life, since: date, terms: BillingTerms) -> None:
        shift = DAY if terms.first_charged_day == "next_day" else 0 * DAY
        self.life = msgspec.structs.replace(life, anchor=life.anchor + shift) if shift else life
        self.terms = terms
        self.charges: list[Charge] = []
        self._first_day = life.bought_on + shift
        # a refund may reach back to the purchase, so a young life is told from its beginning
        is_young = (since - life.bought_on).days <= terms.full_refund_days
        self._floor = life.bought_on if is_young else since
        self._open: list[Segment] = []
        self._now: Step | None = None
        self._charged: date = date.min  # cycles that start up to here are done

    def charge_cycles(self, day: date) -> None:
        """Charge every cycle that begins after the last look and not after ``day``."""
        now = self._now
        if now is None or not _is_billed(now):
            return
        months = MONTHS_OF_CYCLE[now.cycle]
        cycle = cycle_at(self.life.anchor, months, max(self._charged, self._floor))
        while cycle.start <= day:
            if cycle.start > self._charged:
                self._charged = cycle.start
                self._open = [kept for kept in self._open if self._may_refund(kept)]
                self._charge(cycle.start, "Cycle fee", cycle, now)
            cycle = cycle_at(self.life.anchor, months, cycle.end + DAY)

    def take(self, step: Step) -> None:
        """Charge and credit what one step means."""
        before, self._now = self._now, step
        day = step.at.date()
        if before is None:
            if _is_billed(step):
                self._begin(day, self._first_day, step, "New purchase cycle fee")
        elif _is_billed(before) and not _is_billed(step):
            self._stop(day, step)
        elif _is_billed(step) and not _is_billed(before):
            self._begin(day, day, step, "Cycle fee")
        elif _is_billed(step) and step.cycle != before.cycle:
            self._convert(day, step)
        elif _is_billed(step) and step.quantity != before.quantity:
            self._change_seats(day, step)

    def _begin(self, day: date, first: date, step: Step, whole_type: str) -> None:
        cycle = cycle_at(self.life.anchor, MONTHS_OF_CYCLE[step.cycle], first)
        kind = whole_type if first == cycle.start else "Prorate fees when purchase"
        self._charged = first
        self._charge(day, kind, Period(first, cycle.end), step)

    def _stop(self, day: date, step: Step) -> None:
        # what moves to another partner is split by days, however young it is
        if step.cause != "transfer" and (day - self.life.bought_on).days < self.terms.full_refund_days:
            for paid in self._open:
                self._give_back(day, "Cancel fee", paid, paid.days)
            self._open = []
        else:
            self._credit(day, "Cancel fee")

    def _credit(self, day: date, kind: str) -> None:
        """Give back what is charged from ``day`` on."""
        left: list[Segment] = []
        for paid in self._open:
            if paid.days.end < day:
                left.append(paid)
                continue
            rest = Period(max(day, paid.days.start), paid.days.end)
            self._give_back(day, kind, paid, rest)
            if rest.start > paid.days.start:
                left.append(msgspec.structs.replace(paid, days=Period(paid.days.start, rest.start - DAY)))
        self._open = left

    def _convert(self, day: date, step: Step) -> None:
        if not any(paid.days.end >= day for paid in self._open):
            return  # at the turn of the cycle: the new one is charged as it now is
        self._credit(day, "Prorate fees when convert away")
        rest = Period(day, cycle_at(self.life.anchor, MONTHS_OF_CYCLE[step.cycle], day).end)
        self._charged = day
        self._charge(day, "Prorate fees when convert to", rest, step)

    def _change_seats(self, day: date, step: Step) -> None:
        for paid in [found for found in self._open if found.days.start <= day <= found.days.end]:
            self._open.remove(paid)
            self._give_back(day, "Cancel instance prorate", paid, paid.days)
            if day > paid.days.start:
                used = msgspec.structs.replace(step, quantity=paid.quantity)
                self._charge(day, "Cycle instance prorate", Period(paid.days.start, day - DAY), used)
            self._charge(day, "Cycle instance prorate", Period(day, paid.days.end), step)

    def _charge(self, day: date, kind: str, days: Period, step: Step) -> None:
        effective = part_of(self.life, step.cycle, days, self._rounding(step.cycle))
        self._open.append(Segment(days, step.quantity, effective, step))
        price = self.life.prices[step.cycle]
        self.charges.append(Charge(day, kind, days.start, days.end, price, effective, step.quantity))

    def _give_back(self, day: date, kind: str, paid: Segment, days: Period) -> None:
        effective = paid.effective
        if days != paid.days:
            effective = part_of(self.life, paid.step.cycle, days, self._rounding(paid.step.cycle))
        price = self.life.prices[paid.step.cycle]
        self.charges.append(Charge(day, kind, days.start, days.end, price, -effective, paid.quantity))

    def _may_refund(self, paid: Segment) -> bool:
        return (self._charged - paid.days.start).days < self.terms.full_refund_days

    def _rounding(self, cycle: str) -> Rounding:
        return self.terms.legacy_monthly if cycle == "monthly" else self.terms.legacy_annual


def _is_billed(step: Step) -> bool:
    return step.status == "active" and step.cycle in MONTHS_OF_CYCLE


def legacy_spans(life: Life, until: date, terms: BillingTerms) -> list[Span]:
    """Return the days a legacy subscription costs money in the end, up to the day before ``until``.

    The state at the end of a day counts for the whole day, because the day of a suspension is given back.
    """
    spans: list[Span] = []
    start, seats = life.bought_on, 0
    for step in life.steps:
        day = min(step.at.date(), until)
        wanted = step.quantity if _is_billed(step) else 0
        if wanted == seats:
            continue
        is_young = step.cause != "transfer" and (day - life.bought_on).days < terms.full_refund_days
        if seats and not wanted and is_young:
            spans.clear()
        elif seats and day > start:
            spans.append(Span(start, day - DAY, seats))
        start, seats = day, wanted
    if seats and start < until:
        spans.append(Span(start, until - DAY, seats))
    return spans


def legacy_daily_price(life: Life, cycle: str, day: date) -> Decimal:
    """Return what one license costs on ``day``, not rounded."""
    whole = cycle_at(life.anchor, MONTHS_OF_CYCLE[cycle], day)
    return life.prices[cycle] / whole.days
