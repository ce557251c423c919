"""The switches of billing (rule room): rounding, day rules, windows. What Microsoft contradicts itself on is here.

Pure data: no world, no clock. The defaults reproduce Microsoft's published examples T-1 to T-7.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Literal

import msgspec

CENT = Decimal("0.01")


class Rounding(msgspec.Struct, frozen=True, kw_only=True):
    """How the price of a part of a charge cycle is rounded, per license.

    ``daily_places``: decimals to which the daily price is rounded (half up) before it is multiplied by days; None keeps
    it exact. ``unit_mode``: how the product becomes cents. The published examples need 3 decimals for legacy months, 2
    for legacy years, and an exact daily price with cut cents for new commerce (rules section T).
    """

    daily_places: int | None
    unit_mode: Literal["half_up", "down"] = "half_up"

    def part(self, price: Decimal, days: int, of_days: int) -> Decimal:
        """Return what ``days`` of a cycle of ``of_days`` cost at ``price`` a cycle; a whole cycle costs the price."""
        if days == of_days:
            return price
        if self.daily_places is None:
            exact = price * days / of_days
        else:
            daily = (price / of_days).quantize(Decimal(1).scaleb(-self.daily_places), rounding=ROUND_HALF_UP)
            exact = daily * days
        return exact.quantize(CENT, rounding=ROUND_DOWN if self.unit_mode == "down" else ROUND_HALF_UP)


class BillingTerms(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about billing that can be set; the sources are in the comments."""

    legacy_monthly: Rounding = Rounding(daily_places=3)  # T-2, T-5, T-6
    legacy_annual: Rounding = Rounding(daily_places=2)  # T-4
    new_commerce: Rounding = Rounding(daily_places=None, unit_mode="down")  # T-7
    first_charged_day: Literal["order_day", "next_day"] = "order_day"  # S-4
    transfer_day_payer: Literal["target", "source"] = "target"  # S-5
    full_refund_days: int = 30  # legacy: suspended earlier than this after the purchase, all comes back
    full_refund_hours: float = 24.0  # new commerce
    window_hours: float = 168.0  # new commerce: later there is no refund (S-3)
    software_refund_days: int = 30  # perpetual software
    legacy_invoice_days: int = 2  # after the anniversary day
    new_commerce_invoice_day: int = 6  # of the next month; Microsoft says from the 6th, by the 8th
    payment_days: int = 60  # net
    unbilled_delay_hours: float = 6.0  # 1 to 24, on average 6
    numbers_as_text: bool = True  # one-time lines carry numbers as strings, as newer samples do (commerce 6.4)
