"""Rules about what is ordered at the target (domain room, preflight). R-27, R-118 to R-124."""

from __future__ import annotations

from tenantfold.domain.findings import FindingCode, Severity
from tenantfold.domain.mapping import OfferMapping
from tenantfold.domain.model import Route, WireStatus
from tenantfold.domain.plan import PlanItem
from tenantfold.domain.preflight.review import Review, sku_id
from tenantfold.domain.preflight.rule import Answer, Rule, Said, Topic, Unverified, item_rule
from tenantfold.domain.states import Owner

_RECREATE = (Route.RECREATE,)
_MODERN = (Route.TRANSFER, Route.EXPIRE_AND_REBUY)


def _unanswered(review: Review, item: PlanItem) -> bool:
    """Whether the item has nothing to order although the catalog is known."""
    return item.target_offer_id is None and review.offers is not None


def _mapping(review: Review, item: PlanItem) -> OfferMapping | None:
    return review.context.mapping.get(item.offer_id)


@item_rule(
    Rule(
        topic=Topic.OFFERS,
        code=FindingCode.OFFER_NOT_SOLD,
        severity=Severity.BLOCKER,
        rules=("R-121", "R-119"),
        owner=Owner.OPERATIONS,
        how="Run tenantfold mapping for a proposal (or look with tenantfold catalog COUNTRY), sign it, plan again.",
        routes=_RECREATE,
    )
)
def offer_not_sold(review: Review, item: PlanItem) -> Answer:
    """The target no longer sells the offer in the customer's country, and no mapping names another."""
    if not _unanswered(review, item) or _mapping(review, item) is not None:
        return None
    return Said(f"{item.offer_name} ({item.offer_id}) is no longer sold in this country.")


@item_rule(
    Rule(
        topic=Topic.OFFERS,
        code=FindingCode.MAPPING_NOT_APPROVED,
        severity=Severity.BLOCKER,
        rules=("R-121",),
        owner=Owner.APPROVER,
        how="Fill in approved_by in the offer mapping file and plan again.",
        routes=_RECREATE,
    )
)
def mapping_not_approved(review: Review, item: PlanItem) -> Answer:
    """A mapping names another offer, but nobody put their name to it."""
    mapped = _mapping(review, item) if _unanswered(review, item) else None
    if mapped is None or mapped.is_approved:
        return None
    return Said(f"The mapping of {item.offer_name} to {mapped.target_offer_id} has no approver.")


@item_rule(
    Rule(
        topic=Topic.OFFERS,
        code=FindingCode.OFFER_NOT_SOLD,
        severity=Severity.BLOCKER,
        rules=("R-121",),
        owner=Owner.OPERATIONS,
        how="Map it to an offer of this country's catalog and plan again.",
        needs="new-commerce SKUs of the country",
        routes=_RECREATE,
    )
)
def mapped_offer_not_sold(review: Review, item: PlanItem) -> Answer:
    """An approved mapping names an offer or SKU that this country's catalog does not have, or not on these terms."""
    if item.sold_as is not None and item.target_id is None and review.skus is None:
        on = f"{item.sold_as.duration} {item.sold_as.billing_cycle}"
        return Unverified(f"whether {item.target_offer_id} is sold {on} in {review.country}.")
    mapped = _mapping(review, item) if _unanswered(review, item) else None
    if mapped is None or not mapped.is_approved:
        return None
    on = f" for {mapped.sold_as.duration} {mapped.sold_as.billing_cycle}" if mapped.sold_as else ""
    return Said(
        f"{item.offer_name} is mapped to {mapped.target_offer_id}{on}, which is not sold in this country either."
    )


@item_rule(
    Rule(
        topic=Topic.OFFERS,
        code=FindingCode.MAPPED_OFFER,
        severity=Severity.WARNING,
        rules=("R-119", "R-118"),
        owner=Owner.APPROVER,
        how="Plan the license assignment with the customer.",
        routes=_RECREATE,
    )
)
def mapped_offer(review: Review, item: PlanItem) -> Answer:
    """Another offer is ordered than the source holds, so licenses must be assigned again."""
    if item.target_offer_id is None or item.target_offer_id == item.offer_id:
        return None
    mapped = _mapping(review, item)
    if mapped is None:
        return None
    return Said(
        f"{item.offer_name} becomes {item.target_offer_name} (mapping approved by {mapped.approved_by}); it is another "
        "offer, so licenses must be assigned again."
    )


@item_rule(
    Rule(
        topic=Topic.OFFERS,
        code=FindingCode.TERM_COMMITTED,
        severity=Severity.WARNING,
        rules=("R-121", "R-138", "R-135"),
        owner=Owner.APPROVER,
        how="Tell the customer that it cannot give the product back before its term ends.",
        when="a few days after the purchase, when its window to cancel closes",
        routes=_RECREATE,
    )
)
def mapped_to_new_commerce(_review: Review, item: PlanItem) -> Answer:
    """A mapping names a new-commerce SKU: the customer is bound to its term, whatever the legacy license allowed."""
    if item.sold_as is None or item.target_id is not None:
        return None
    sold = item.sold_as
    return Said(
        f"{item.offer_name} becomes {item.target_offer_name} ({sold.duration}, {sold.billing_cycle}), a new-commerce "
        "product, which is billed to the end of its term."
    )


@item_rule(
    Rule(
        topic=Topic.OFFERS,
        code=FindingCode.BILLING_CYCLE_NOT_SOLD,
        severity=Severity.BLOCKER,
        rules=("R-27",),
        owner=Owner.OPERATIONS,
        how="Map it to an offer that is, or change the billing cycle at the source first.",
        routes=_RECREATE,
    )
)
def billing_cycle_not_sold(review: Review, item: PlanItem) -> Answer:
    """The offer is not sold with the billing cycle the source has."""
    offer = review.orders(item)
    if offer is None or not offer.billing_cycles or item.billing_cycle in offer.billing_cycles:
        return None
    return Said(f"{offer.name} is sold {' or '.join(offer.billing_cycles)}, not {item.billing_cycle}.")


@item_rule(
    Rule(
        topic=Topic.OFFERS,
        code=FindingCode.LICENSE_COUNT_OUT_OF_RANGE,
        severity=Severity.BLOCKER,
        rules=("R-123",),
        owner=Owner.OPERATIONS,
        how="Change the license count at the source, or map it to another offer.",
        routes=_RECREATE,
    )
)
def license_count_out_of_range(review: Review, item: PlanItem) -> Answer:
    """The license count is outside of what one subscription of the offer may have."""
    offer = review.orders(item)
    if offer is None or offer.minimum_quantity <= item.license_count <= offer.maximum_quantity:
        return None
    return Said(
        f"{offer.name} allows {offer.minimum_quantity} to {offer.maximum_quantity} licenses; the source has "
        f"{item.license_count}."
    )


@item_rule(
    Rule(
        topic=Topic.OFFERS,
        code=FindingCode.ADD_ON_WITHOUT_BASE,
        severity=Severity.BLOCKER,
        rules=("R-124",),
        owner=Owner.OPERATIONS,
        how="Settle the base subscription first.",
        routes=_RECREATE,
    )
)
def add_on_without_base(review: Review, item: PlanItem) -> Answer:
    """An add-on moves while its base subscription does not, or is not listed."""
    if item.parent_id is None:
        return None
    base = _base_of(review, item)
    if item.target_offer_id is None or (base is not None and base.moves):
        return None
    return Said(f"{item.offer_name} is an add-on of {item.parent_id}, which does not move.")


@item_rule(
    Rule(
        topic=Topic.OFFERS,
        code=FindingCode.ADD_ON_WITHOUT_BASE,
        severity=Severity.BLOCKER,
        rules=("R-124",),
        owner=Owner.OPERATIONS,
        how="Map the base to an offer that takes this add-on, or map the add-on.",
        routes=_RECREATE,
    )
)
def add_on_of_other_offer(review: Review, item: PlanItem) -> Answer:
    """An add-on's offer does not stand on the offer its base becomes."""
    if item.parent_id is None or item.target_offer_id is None or review.offers is None:
        return None
    base, offer = _base_of(review, item), review.offers.get(item.target_offer_id)
    if base is None or not base.moves or base.target_offer_id is None or offer is None:
        return None
    if not offer.prerequisite_offers or base.target_offer_id in offer.prerequisite_offers:
        return None
    return Said(f"{item.offer_name} cannot be added to {base.target_offer_name}.")


def _base_of(review: Review, item: PlanItem) -> PlanItem | None:
    return next((one for one in review.items if one.subscription_id == item.parent_id), None)


@item_rule(
    Rule(
        topic=Topic.OFFERS,
        code=FindingCode.PREREQUISITE_MISSING,
        severity=Severity.WARNING,
        rules=("R-124",),
        owner=Owner.OPERATIONS,
        how="Move a product it needs with it, or before it.",
        when="the last day of the source's term, where it is bought again then",
        is_dated=True,
        needs="new-commerce SKUs of the country",
        routes=_MODERN,
    )
)
def prerequisite_missing(review: Review, item: PlanItem) -> Answer:
    """A new-commerce add-on needs a product in the customer's tenant that none of its subscriptions is."""
    sku = review.sku_of(item)
    if sku is None or not sku.is_add_on or not sku.prerequisites:
        return None  # what is not known of the SKU is said by the rule about its being sold
    held = {sku_id(one.offer_id) for one in review.entry.subscriptions if one.wire_status == WireStatus.ACTIVE}
    if held.intersection(sku.prerequisites):
        return None
    ends_on = item.ends_on if item.route is Route.EXPIRE_AND_REBUY else None
    return Said(f"{item.offer_name} is an add-on, and the customer has none of the products it stands on.", on=ends_on)


@item_rule(
    Rule(
        topic=Topic.OFFERS,
        code=FindingCode.OFFER_NOT_SOLD,
        severity=Severity.BLOCKER,
        rules=("R-27", "R-121"),
        owner=Owner.OPERATIONS,
        how="Choose another product with the customer before the term ends.",
        when="the last day of the source's term",
        is_dated=True,
        needs="new-commerce SKUs of the country",
        routes=(Route.EXPIRE_AND_REBUY,),
    )
)
def product_not_sold(review: Review, item: PlanItem) -> Answer:
    """A product that is to be bought again is not sold in the customer's country."""
    if review.skus is None:
        return Unverified(f"whether {item.offer_name} is still sold in {review.country}.", on=item.ends_on)
    sku = review.sku_of(item)
    if sku is not None and sku.is_sold:
        return None
    return Said(f"{item.offer_name} ({sku_id(item.offer_id)}) is not sold in {review.country}.", on=item.ends_on)


@item_rule(
    Rule(
        topic=Topic.OFFERS,
        code=FindingCode.BILLING_CYCLE_NOT_SOLD,
        severity=Severity.BLOCKER,
        rules=("R-27", "R-121"),
        owner=Owner.OPERATIONS,
        how="Name the term and billing to buy it with in the offer mapping (PRODUCT:SKU to PRODUCT:SKU), plan again.",
        when="the last day of the source's term",
        is_dated=True,
        needs="new-commerce SKUs of the country",
        routes=(Route.EXPIRE_AND_REBUY,),
    )
)
def terms_not_sold(review: Review, item: PlanItem) -> Answer:
    """A product that is to be bought again is not sold for the source's term and billing cycle."""
    sku = review.sku_of(item)
    if item.sold_as is not None or sku is None or not sku.is_sold:
        return None
    sold = ", ".join(f"{one.duration} {one.billing_cycle}" for one in sku.terms) or "on no terms at all"
    return Said(
        f"{item.offer_name} is sold {sold} in {review.country}, not {item.term_duration or 'without a term'} "
        f"{item.billing_cycle}.",
        on=item.ends_on,
    )
