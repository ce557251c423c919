"""Rules about the customer as a whole (domain room, preflight). R-32, R-33."""

from __future__ import annotations

from tenantfold.domain.findings import FindingCode, Severity
from tenantfold.domain.preflight.review import Review
from tenantfold.domain.preflight.rule import Answer, Rule, Said, Topic, customer_rule, planner_rule
from tenantfold.domain.states import Owner

CUTOVER_HAS_BEGUN = planner_rule(
    Rule(
        name="cutover_has_begun",
        about="A blocker appears in the middle of a cutover: what stands at the target already is finished.",
        topic=Topic.WHOLE,
        code=FindingCode.CUTOVER_HAS_BEGUN,
        severity=Severity.WARNING,
        rules=("R-33",),
        owner=Owner.OPERATIONS,
        how="Take inventory and plan again afterwards: what is left shows as blocked then.",
    )
)
PART_STAYS = planner_rule(
    Rule(
        name="part_stays",
        about="Some subscriptions cannot move, and policy.partial_customers allows the others to.",
        topic=Topic.WHOLE,
        code=FindingCode.PART_STAYS,
        severity=Severity.WARNING,
        rules=("R-32",),
        owner=Owner.APPROVER,
        how="Check that the customer may stand at both tenants for a while; plan again when the reason is gone.",
    )
)


@customer_rule(
    Rule(
        topic=Topic.WHOLE,
        code=FindingCode.NOTHING_TO_MOVE,
        severity=Severity.NOTE,
        rules=("R-32",),
        owner=Owner.NOBODY,
        how="Nothing.",
    )
)
def nothing_to_move(review: Review) -> Answer:
    """Nothing of the customer is active and moves."""
    if review.wants_to_move or review.entry.unread or review.entry.customer_id in review.context.earlier.moved:
        return None
    if any(one.severity is not Severity.NOTE for item in review.items for one in item.findings) or any(
        item.subscription_id in review.context.counterparts for item in review.items
    ):
        return None
    return Said("No subscription of this customer is active and moves.")
