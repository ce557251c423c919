"""What a license costs (catalog room): list prices by currency, promotions, and the share of a shortened first term.

All prices are invented; one euro is worth the same in every world, so a world's money never moves. The bill is in the
currency of the partner's own location (R-89).
"""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

import msgspec

from partner_center_emulator.catalog import in_currency
from partner_center_emulator.state.catalog import Plan, Promotion

_CENT = Decimal("0.01")
SYMBOLS = {"EUR": "€", "SEK": "kr", "NOK": "kr", "DKK": "kr", "GBP": "£", "USD": "$"}
_CURRENCY_OF = {"SE": "SEK", "NO": "NOK", "DK": "DKK", "GB": "GBP", "US": "USD"}


class Price(msgspec.Struct, frozen=True):
    """One license for one billing cycle in one currency: as listed, after promotion, and for the first cycle."""

    currency: str
    list_price: Decimal
    unit_price: Decimal
    prorated_price: Decimal


def currency_of(country: str) -> str:
    """Return the currency of a country's price list; countries without one of their own are priced in euros."""
    return _CURRENCY_OF.get(country.upper(), "EUR")


def price_of(plan: Plan, currency: str, promotion: Promotion | None = None, share: Decimal = Decimal(1)) -> Price:
    """Return what one license of ``plan`` costs; ``share`` is the part of the first cycle that is paid for."""
    listed = in_currency(Decimal(plan.price), currency)
    off = Decimal(promotion.percent) if promotion is not None else Decimal(0)
    unit = (listed * (1 - off)).quantize(_CENT, rounding=ROUND_HALF_UP)
    prorated = unit if share == 1 else (unit * share).quantize(_CENT, rounding=ROUND_DOWN)
    return Price(currency, listed, unit, prorated)


def extended_price(plan: Plan | None, fallback: Plan, currency: str) -> Decimal:
    """Return the month's price in the Extended Service Term: 3 % on the monthly plan, 23 % without one (3.7)."""
    if plan is not None:
        return (in_currency(Decimal(plan.price), currency) * Decimal("1.03")).quantize(_CENT, rounding=ROUND_HALF_UP)
    months = {"P1Y": 12, "P3Y": 36}.get(fallback.duration, 1)
    cycles = {"annual": 12, "triennial": 36}.get(fallback.billing_cycle, 1)
    monthly = in_currency(Decimal(fallback.price), currency) / min(months, cycles)
    return (monthly * Decimal("1.23")).quantize(_CENT, rounding=ROUND_HALF_UP)


def is_running(promotion: Promotion, when: datetime) -> bool:
    """Whether the promotion can be bought at ``when``."""
    return promotion.starts_at <= when <= promotion.ends_at
