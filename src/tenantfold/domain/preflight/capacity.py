"""Rules about how much a customer may hold while both sets stand (domain room, preflight). R-72, R-122 to R-131."""

from __future__ import annotations

from tenantfold.domain.findings import FindingCode, Severity
from tenantfold.domain.model import Offer, ProductKind, Route, Sku, WireStatus
from tenantfold.domain.plan import PlanItem
from tenantfold.domain.preflight.context import HELD
from tenantfold.domain.preflight.review import Review, sku_id
from tenantfold.domain.preflight.rule import Answer, Rule, Said, Topic, Unverified, customer_rule, item_rule
from tenantfold.domain.states import Owner

SUBSCRIPTIONS_PER_CUSTOMER_TENANT = 300  # R-72, R-74: both partners' subscriptions count
DOUBLED = SUBSCRIPTIONS_PER_CUSTOMER_TENANT // 2  # more than so many cannot all stand twice


POOLED = 10_000  # a greater "maximum" is none: small-business SKUs have a few hundred seats


def _new_orders(review: Review) -> int:
    return sum(1 for item in review.items if item.moves and item.target_id is None)


@customer_rule(
    Rule(
        topic=Topic.CAPACITY,
        code=FindingCode.SUBSCRIPTION_LIMIT_REACHED,
        severity=Severity.BLOCKER,
        rules=("R-74", "R-72", "R-131"),
        owner=Owner.OPERATIONS,
        how="Let some expire or remove them before this customer moves (R-131).",
    )
)
def subscription_limit_reached(review: Review) -> Answer:
    """What stands and what would be ordered are together more than 300 subscriptions in the customer's tenant."""
    if len(review.entry.subscriptions) * 2 <= SUBSCRIPTIONS_PER_CUSTOMER_TENANT:
        return None  # nearly all customers: nothing to count
    standing = sum(1 for one in review.entry.subscriptions if one.wire_status in HELD)
    orders = _new_orders(review)
    if not orders or standing + orders <= SUBSCRIPTIONS_PER_CUSTOMER_TENANT:
        return None
    return Said(
        f"The customer's tenant holds {standing} subscriptions and {orders} would be added; "
        f"{SUBSCRIPTIONS_PER_CUSTOMER_TENANT} are allowed."
    )


@customer_rule(
    Rule(
        topic=Topic.CAPACITY,
        code=FindingCode.MANY_SUBSCRIPTIONS,
        severity=Severity.WARNING,
        rules=("R-131", "R-74"),
        owner=Owner.APPROVER,
        how="Nothing more may be bought for this customer until its move has ended.",
    )
)
def many_subscriptions(review: Review) -> Answer:
    """More than 150 active subscriptions: they could not all stand twice, and few places are left."""
    if len(review.entry.subscriptions) <= DOUBLED:
        return None
    active = sum(1 for one in review.entry.subscriptions if one.wire_status == WireStatus.ACTIVE)
    standing = sum(1 for one in review.entry.subscriptions if one.wire_status in HELD)
    orders = _new_orders(review)
    left = SUBSCRIPTIONS_PER_CUSTOMER_TENANT - standing - orders
    if active <= DOUBLED or not orders or left < 0:
        return None
    return Said(
        f"The customer has {active} active subscriptions; with {orders} ordered again, {left} more fit into its tenant."
    )


def _total(review: Review, offer: Offer) -> int:
    """How many of an offer there would be: those that stand at any partner tenant of ours, and those ordered."""
    standing = sum(1 for one in review.entry.subscriptions if one.offer_id == offer.id and one.wire_status in HELD)
    return standing + sum(
        1 for item in review.items if item.moves and item.target_id is None and item.target_offer_id == offer.id
    )


@item_rule(
    Rule(
        topic=Topic.CAPACITY,
        code=FindingCode.OFFER_LIMIT_REACHED,
        severity=Severity.BLOCKER,
        rules=("R-122",),
        owner=Owner.OPERATIONS,
        how="Merge or remove subscriptions of this offer at the source first.",
        routes=(Route.RECREATE,),
    )
)
def offer_limit_reached(review: Review, item: PlanItem) -> Answer:
    """Holding both sets for a while would pass the number of subscriptions of one offer that a customer may have."""
    offer = review.orders(item)
    if offer is None or offer.limit_unit == "None" or offer.limit == 1:
        return None
    total = _total(review, offer)
    if total <= offer.limit:
        return None
    return Said(
        f"{offer.name} may exist {offer.limit} times at one customer; with the new order there would be {total}."
    )


@item_rule(
    Rule(
        topic=Topic.CAPACITY,
        code=FindingCode.ONE_PER_CUSTOMER,
        severity=Severity.BLOCKER,
        rules=("R-125", "R-122"),
        owner=Owner.OPERATIONS,
        how="It cannot stand twice: map it to another offer, or end it at the source before it is ordered.",
        routes=(Route.RECREATE,),
    )
)
def one_per_customer(review: Review, item: PlanItem) -> Answer:
    """The offer may exist once per customer, so the second one cannot be ordered while the first stands."""
    offer = review.orders(item)
    if offer is None or offer.limit_unit == "None" or offer.limit != 1 or _total(review, offer) <= 1:
        return None
    return Said(f"{offer.name} may exist once at one customer, and the source's own still stands when it is ordered.")


def _seats(review: Review, sku: Sku) -> int:
    """Seats of a SKU that are active in the customer's tenant, as far as we know: pooled over all partners."""
    ours = sum(
        one.license_count
        for one in review.entry.subscriptions
        if one.wire_status == WireStatus.ACTIVE and sku_id(one.offer_id) == sku.id
    )
    return ours + (review.facts.seats_elsewhere or {}).get(sku.id, 0)


@item_rule(
    Rule(
        topic=Topic.CAPACITY,
        code=FindingCode.SEAT_MAXIMUM_REACHED,
        severity=Severity.BLOCKER,
        rules=("R-123",),
        owner=Owner.OPERATIONS,
        how="Reduce the seats first, or map it to a SKU without that maximum.",
        needs="new-commerce SKUs of the country",
        routes=(Route.RECREATE,),
    )
)
def seat_maximum_reached(review: Review, item: PlanItem) -> Answer:
    """A legacy license is mapped to a SKU whose seat maximum, pooled over all partners, would be passed."""
    if item.sold_as is None:
        return None
    sku = review.sku_of(item)
    if sku is None:
        return Unverified(f"the seat maximum of {item.target_offer_name or item.target_offer_id}.")
    held = _seats(review, sku)
    if not sku.maximum_quantity or held + item.license_count <= sku.maximum_quantity:
        return None
    left = max(0, sku.maximum_quantity - held)
    return Said(f"{sku.title} allows {sku.maximum_quantity} seats at one customer over all partners; {left} are left.")


@item_rule(
    Rule(
        topic=Topic.CAPACITY,
        code=FindingCode.SEAT_MAXIMUM_REACHED,
        severity=Severity.WARNING,
        rules=("R-123", "R-132"),
        owner=Owner.OPERATIONS,
        how="Buy it again on the day the old term ends, not before.",
        when="the last day of the source's term",
        is_dated=True,
        needs="new-commerce SKUs of the country",
        routes=(Route.EXPIRE_AND_REBUY,),
    )
)
def seats_cannot_be_doubled(review: Review, item: PlanItem) -> Answer:
    """The seats are more than half of a pooled maximum: the new ones cannot be bought while the old ones stand."""
    if item.kind is not ProductKind.LICENSE:
        return None
    sku = review.sku_of(item)
    if sku is None:
        return Unverified(f"whether {item.offer_name} has a seat maximum over all partners.", on=item.ends_on)
    held = _seats(review, sku)
    if not sku.maximum_quantity or held + item.license_count <= sku.maximum_quantity:
        return None
    return Said(
        f"{sku.title} allows {sku.maximum_quantity} seats at one customer over all partners, {held} are in use: "
        f"{item.license_count} more cannot be bought while the old ones stand.",
        on=item.ends_on,
    )


@item_rule(
    Rule(
        topic=Topic.CAPACITY,
        code=FindingCode.SEAT_MAXIMUM_REACHED,
        severity=Severity.NOTE,
        rules=("R-123",),
        owner=Owner.OPERATIONS,
        how="Reduce the seats, or buy them when the old ones have ended.",
        when="the last day of the source's term, where it is bought again then",
        is_dated=True,
        needs="seats other partners hold: no call shows them, a refused purchase does",
        routes=(Route.RECREATE, Route.EXPIRE_AND_REBUY),
    )
)
def seats_elsewhere(review: Review, item: PlanItem) -> Answer:
    """Our seats and the new ones fit the maximum, but it is pooled over all partners, and theirs are not known."""
    if item.sold_as is None or review.facts.seats_elsewhere is not None:
        return None
    sku = review.sku_of(item)
    if sku is None or not 0 < sku.maximum_quantity <= POOLED:
        return None
    left = sku.maximum_quantity - _seats(review, sku) - item.license_count
    if left < 0:
        return None  # the other rules say already that they do not fit
    ends_on = item.ends_on if item.route is Route.EXPIRE_AND_REBUY else None
    return Unverified(
        f"whether other partners hold more than {left} seats of {sku.title}: {sku.maximum_quantity} are allowed at one "
        "customer over all partners.",
        on=ends_on,
    )
