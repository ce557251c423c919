"""Behaviour of promotions (model room): which are running, and why somebody is not eligible (commerce 1.4, R-127).

First-purchase rules and redemptions count for the customer's tenant over all its partners.
"""

from __future__ import annotations

from typing import Protocol

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import refusal
from partner_center_emulator.products.prices import is_running
from partner_center_emulator.state.catalog import Promotion
from partner_center_emulator.wire import Json
from partner_center_emulator.world import Customer


class Bid(Protocol):
    """A line that would like the promotion."""

    quantity: int
    term_duration: str
    billing_cycle: str


class Owned(Protocol):
    """What the customer's tenant holds."""

    def seats(self, key: str) -> int: ...  # noqa: D102 - see orders.holdings.Holdings
    def ever(self, key: str) -> int: ...  # noqa: D102 - see orders.holdings.Holdings
    def owns_any(self, keys: list[str]) -> bool: ...  # noqa: D102 - see orders.holdings.Holdings
    def redemptions(self, promotion_id: str) -> int: ...  # noqa: D102 - see orders.holdings.Holdings


def list_promotions(emulator: Emulator, country: str, segment: str) -> list[Promotion]:
    """Return the promotions that run today in a country and segment."""
    now = emulator.clock.now()
    return [
        promotion
        for promotion in emulator.world.commerce.promotions.values()
        if is_running(promotion, now) and country not in promotion.not_in and segment in ("", promotion.segment)
    ]


def find_promotion(emulator: Emulator, promotion_id: str, country: str) -> Promotion:
    """Return a promotion of a country, over ones included (commerce 1.4); raises 404 code 1000."""
    promotion = emulator.world.commerce.promotions.get(promotion_id.upper())
    if promotion is None or country in promotion.not_in:
        raise refusal(1000)
    return promotion


def eligibility_errors(
    emulator: Emulator, customer: Customer, promotion: Promotion, key: str, bid: Bid, owned: Owned
) -> list[Json]:
    """Return why the customer cannot have the promotion for this ``product:sku``; empty if it can."""
    country = customer.address.country.upper()
    if not is_running(promotion, emulator.clock.now()) or country in promotion.not_in:
        return [_error("InvalidPromotion", "The promotion is not running.")]
    if key != f"{promotion.product_id}:{promotion.sku_id}":
        return [_error("InvalidPromotion", "The promotion is not for this product.")]
    errors: list[Json] = []
    if (bid.term_duration.upper(), bid.billing_cycle) != (promotion.term_duration, promotion.billing_cycle):
        term: Json = {"duration": promotion.term_duration, "billingCycle": promotion.billing_cycle}
        errors.append(_error("Term", "The promotion is for another term.", eligibleTerms=[term]))
    errors += _seat_errors(promotion, bid.quantity)
    used = owned.redemptions(promotion.id)
    if promotion.redemption_limit and used >= promotion.redemption_limit:
        facts: Json = {
            "maxPromotionRedemptionCount": promotion.redemption_limit,
            "remainingPromotionRedemptionCount": max(0, promotion.redemption_limit - used),
        }
        errors.append(_error("RedemptionLimit", "The promotion has been used up.", **facts))
    if promotion.first_purchase_only and owned.ever(key):
        errors.append(_error("OfferPurchasedPreviously", "The customer has bought this product before."))
    if promotion.owned_products and not owned.owns_any([row.replace("/", ":") for row in promotion.owned_products]):
        errors.append(_error("PrerequisiteProductOwnership", "The customer owns none of the products it asks for."))
    return errors


def _seat_errors(promotion: Promotion, quantity: int) -> list[Json]:
    least, most = promotion.minimum_seats, promotion.maximum_seats
    if quantity >= least and (not most or quantity <= most):
        return []
    facts: Json = {"minimumRequiredSeats": least, "maximumRequiredSeats": most, "availableSeats": most}
    text = "The quantity is outside the minimum or maximum number of seats of the promotion."
    return [_error("SeatCount", text, **facts)]


def _error(kind: str, text: str, **facts: object) -> Json:
    return {**facts, "type": kind, "description": text}
