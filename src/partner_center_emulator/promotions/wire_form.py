"""How the wire shows promotions (wire room, commerce reference 1.4)."""

from __future__ import annotations

from datetime import datetime

from partner_center_emulator.products.wire_form import CYCLE_NAMES
from partner_center_emulator.state.catalog import Promotion
from partner_center_emulator.wire import Json


def wire_promotion(promotion: Promotion) -> Json:
    """Return one Promotion; the constraints only where it has some."""
    body: Json = {
        "id": promotion.id,
        "name": promotion.name,
        "description": promotion.description,
        "startDate": _time(promotion.starts_at),
        "endDate": _time(promotion.ends_at),
        "properties": {"isAutoApplicable": promotion.is_auto_applicable},
        "requiredProducts": [
            {
                "productId": promotion.product_id,
                "skuId": promotion.sku_id,
                "term": {
                    "duration": promotion.term_duration,
                    "billingCycle": CYCLE_NAMES[promotion.billing_cycle],
                },
                "pricingPolicies": [{"policyType": "PercentDiscount", "value": promotion.percent}],
            }
        ],
    }
    constraints = _constraints(promotion)
    if constraints:
        body["promotionConstraints"] = constraints
    return body


def _constraints(promotion: Promotion) -> Json:
    members: Json = {}
    if promotion.minimum_seats or promotion.maximum_seats:
        seats = {"minSeats": promotion.minimum_seats, "maxSeats": promotion.maximum_seats}
        members["seatConstraints"] = [{**seats, "type": "SubscriptionQuantity"}]
    if promotion.redemption_limit:
        limits = {"minAssets": 0, "maxAssets": promotion.redemption_limit}
        members["assetOwnershipLimits"] = [{**limits, "type": "LifetimeRedemptionCount"}]
    if promotion.first_purchase_only:
        members["eligibilityConstraints"] = [{"isApplicable": True, "type": "FirstPurchase"}]
    if promotion.owned_products:
        members["productOwnershipConstraints"] = [[{"bigId": row} for row in promotion.owned_products]]
    return members


def _time(moment: datetime) -> str:
    # promotions write their times with an offset and without fractions, as the samples show
    return f"{moment:%Y-%m-%dT%H:%M:%S}+00:00"
