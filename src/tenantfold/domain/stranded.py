"""What became of an order whose answer we never saw (DESIGN 7, in doubt).

Never resend first. Look at what stands at the target that was not there before: exactly our lines in one order
means it took effect; nothing at all, after the settling time, means it did not; anything else is for a person.
What a person decides is checked in ``domain.stranded_decisions``.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tenantfold.domain.guards import Refusal, RefusalCode
from tenantfold.domain.journal import Intent, OpKind, Outcome, OutcomeKind
from tenantfold.domain.model import OrderId, PlacedLine, Subscription, SubscriptionId
from tenantfold.domain.observation import Observation
from tenantfold.domain.policy import Policy
from tenantfold.domain.products import product_sku
from tenantfold.domain.states import Counterpart, Owner, Phase

Shape = tuple[str, int, str, SubscriptionId | None]


@dataclass(frozen=True, slots=True)
class Found:
    """The order took effect."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Gone:
    """The order had no effect, and the settling time is over: it may be sent again, with the same request id."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """Too early to tell, or a case for a person; the refusal says which."""

    refusal: Refusal


Verdict = Found | Gone | Unclear


def look_up(
    intent: Intent, observation: Observation, counterparts: Iterable[Counterpart], now: datetime, policy: Policy
) -> Verdict:
    """Judge an order intent without outcome from a fresh read of the target."""
    explained = set(intent.baseline) | {one.target_id for one in counterparts if one.target_id is not None}
    new = [one for one in observation.target.values() if one.id not in explained]
    wanted = Counter(wanted_shapes(intent))
    by_order: dict[OrderId, list[Subscription]] = defaultdict(list)
    for subscription in new:
        if shape_of(subscription, intent) in wanted:
            by_order[subscription.order_id].append(subscription)
    matches = [group for group in by_order.values() if Counter(shape_of(one, intent) for one in group) == wanted]
    if len(matches) == 1 and len(by_order) == 1:
        return Found(adopted(intent, matches[0], now, "found at the target after the answer was lost"))
    settled_at = settles_at(intent, policy)
    if observation.at < settled_at:  # a read begun earlier proves nothing, however late it is judged
        return Unclear(settling(intent, settled_at))  # the rest of a half-seen order may still appear
    return Unclear(_needs_person(intent, by_order)) if by_order else Gone()


def settles_at(intent: Intent, policy: Policy) -> datetime:
    """From when on a read proves that a call had no effect."""
    return intent.at + timedelta(seconds=policy.settling_seconds)


def wanted_shapes(intent: Intent) -> list[Shape]:
    """Offer, license count, billing cycle and base of each line of an order, in the order of its lines."""
    return [(line.offer_id, line.license_count, intent.billing_cycle, line.parent_target_id) for line in intent.lines]


def shape_of(subscription: Subscription, intent: Intent) -> Shape:
    """The same four of a subscription, new commerce by ``PRODUCT:SKU``; an add-on never stands for a base."""
    parent = subscription.parent_id if intent.kind is OpKind.BUY_ADD_ONS else None
    if intent.kind is OpKind.PLACE_ORDER and subscription.parent_id is not None:
        parent = subscription.parent_id
    return (product_sku(subscription.offer_id), subscription.license_count, subscription.billing_cycle, parent)


def adopted(intent: Intent, group: Sequence[Subscription], now: datetime, detail: str) -> Outcome:
    """The outcome the call would have had, lines in the order of the intent. The group must fit line by line.

    Lines of several orders get no order id: the orders are looked up by subscription later.
    """
    left = list(group)
    placed = []
    for shape in wanted_shapes(intent):
        match = next(one for one in left if shape_of(one, intent) == shape)
        left.remove(match)
        placed.append(
            PlacedLine(
                offer_id=match.offer_id,
                license_count=match.license_count,
                subscription_id=match.id,
                parent_id=match.parent_id,
            )
        )
    orders = {one.order_id for one in group}
    return Outcome(
        intent_key=intent.key,
        kind=OutcomeKind.ADOPTED,
        at=now,
        order_id=orders.pop() if len(orders) == 1 else None,
        lines=tuple(placed),
        detail=detail,
    )


def settling(intent: Intent, settled_at: datetime) -> Refusal:
    """Too early to tell: what was sent may still take effect or show."""
    return Refusal(
        code=RefusalCode.SETTLING,
        phase=Phase.STRANDED,
        rule="invariant 6",
        detail=f"The answer to an order sent at {intent.at:%Y-%m-%d %H:%M:%S} UTC was lost; nothing of it shows at the "
        f"target yet. It is sent again only if nothing shows until {settled_at:%H:%M:%S} UTC.",
        owner=Owner.TENANTFOLD,
        next_action="Keep tenantfold run going, or run it again: it looks again.",
        due_at=settled_at,
    )


def _needs_person(intent: Intent, by_order: dict[OrderId, list[Subscription]]) -> Refusal:
    seen = "; ".join(f"order {order}: {', '.join(one.id for one in group)}" for order, group in by_order.items())
    return Refusal(
        code=RefusalCode.NEEDS_PERSON,
        phase=Phase.STRANDED,
        rule="invariant 6",
        detail=f"The answer to an order of {len(intent.lines)} line(s) was lost, and what shows at the target fits it "
        f"only in part or more than once ({seen}).",
        owner=Owner.OPERATIONS,
        next_action="Look at the evidence and decide: tenantfold stranded <customer>",
    )
