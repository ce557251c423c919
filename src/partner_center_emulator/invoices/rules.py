"""The charging rules of both generations (rule room): pure functions, no world, no clock (rules section L and T).

A subscription's ``Life`` goes in, the lines that arise on some days come out. The details are in ``legacy_rules.py``
and ``new_commerce_rules.py``.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from partner_center_emulator.invoices.legacy_rules import legacy_charges, legacy_daily_price, legacy_spans
from partner_center_emulator.invoices.life import Charge, Life, Span
from partner_center_emulator.invoices.new_commerce_rules import (
    new_commerce_charges,
    new_commerce_daily_price,
    new_commerce_spans,
)
from partner_center_emulator.invoices.periods import MONTHS_OF_CYCLE
from partner_center_emulator.invoices.terms import BillingTerms


def charges(life: Life, since: date, until: date, terms: BillingTerms) -> list[Charge]:
    """Return the lines that arise from ``since`` up to the day before ``until``, oldest first."""
    rule = legacy_charges if life.generation == "legacy" else new_commerce_charges
    return rule(life, since, until, terms)


def spans(life: Life, until: date, terms: BillingTerms) -> list[Span]:
    """Return the days paid for in the end, refunds taken off, up to the day before ``until``."""
    rule = legacy_spans if life.generation == "legacy" else new_commerce_spans
    return rule(life, until, terms)


def daily_price(life: Life, day: date) -> Decimal:
    """Return what one license of this life costs on ``day``, not rounded; 0 for what is free."""
    past = [step for step in life.steps if step.at.date() <= day] or [life.steps[0]]
    now = past[-1]
    if now.cycle not in MONTHS_OF_CYCLE:
        return Decimal(0)
    if life.generation == "legacy":
        return legacy_daily_price(life, now.cycle, day)
    return new_commerce_daily_price(life, now, day)
