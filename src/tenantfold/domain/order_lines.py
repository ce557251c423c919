"""What is ordered at the target for a plan item: which offer, for which term, how billed (domain room).

Legacy offers are ordered by their id. New commerce is wished for by ``PRODUCT:SKU``; the catalog item behind it changes
with time, so it is looked up right before the call (commerce reference 1.2).
"""

from __future__ import annotations

from tenantfold.domain.model import OfferId, OrderLine, SkuTerm, SubscriptionId
from tenantfold.domain.plan import PlanItem
from tenantfold.domain.products import is_modern_offer, product_sku


def wanted_offer(item: PlanItem) -> OfferId:
    """The legacy offer or ``PRODUCT:SKU`` that stands for an item at the target."""
    return OfferId(product_sku(item.target_offer_id or item.offer_id))


def wanted_terms(item: PlanItem) -> SkuTerm:
    """Term and billing cycle at the target: what the approved mapping says, else what the source has."""
    return item.sold_as or SkuTerm(duration=item.term_duration, billing_cycle=item.billing_cycle)


def is_new_commerce(item: PlanItem) -> bool:
    """Whether what is ordered for an item is new commerce, whatever the source holds."""
    return is_modern_offer(wanted_offer(item))


def line_of(item: PlanItem, parent_target_id: SubscriptionId | None = None) -> OrderLine:
    """The order line of an item. New-commerce lines have a term, and no base: their add-ons are lines of their own."""
    is_new = is_new_commerce(item)
    return OrderLine(
        source_subscription_id=item.subscription_id,
        offer_id=wanted_offer(item),
        license_count=item.license_count,
        friendly_name=item.friendly_name or item.offer_name,
        partner_id_on_record=item.partner_id_on_record,
        parent_target_id=None if is_new else parent_target_id,
        term_duration=wanted_terms(item).duration if is_new else "",
    )
