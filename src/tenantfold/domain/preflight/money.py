"""Rules about price, promotions and end dates (domain room, preflight). R-126 to R-133; commerce reference 3.7."""

from __future__ import annotations

from tenantfold.domain.findings import FindingCode, Severity
from tenantfold.domain.model import Route, WireStatus
from tenantfold.domain.plan import PlanItem
from tenantfold.domain.preflight.review import Review
from tenantfold.domain.preflight.rule import Answer, Rule, Said, Topic, Unverified, item_rule
from tenantfold.domain.routes import days_of_grace, rebuy_until
from tenantfold.domain.states import Owner

_REBUY = (Route.EXPIRE_AND_REBUY,)
_END = "the last day of the source's term"


@item_rule(
    Rule(
        topic=Topic.MONEY,
        code=FindingCode.PROMOTION_LOST,
        severity=Severity.WARNING,
        rules=("R-127", "R-126"),
        owner=Owner.APPROVER,
        how="Compare today's price with the customer's before approval.",
        when=_END,
        is_dated=True,
        needs="the promotion of the subscription",
        routes=(Route.EXPIRE_AND_REBUY, Route.MANUAL),
    )
)
def promotion_lost(_review: Review, item: PlanItem) -> Answer:
    """A subscription with a promotion is bought again, and promotions do not follow to another partner tenant."""
    if item.terms is None:
        return None
    if item.terms.promotion_id is None:
        return Unverified(f"whether {item.offer_name} has a promotion that a new purchase would lose.", on=item.ends_on)
    if not item.terms.promotion_id:
        return None
    return Said(f"{item.offer_name} has the promotion {item.terms.promotion_id}, which is lost.", on=item.ends_on)


@item_rule(
    Rule(
        topic=Topic.MONEY,
        code=FindingCode.PROMOTION_LOST,
        severity=Severity.WARNING,
        rules=("R-154", "R-149"),
        owner=Owner.APPROVER,
        how="Transfer one such subscription first and compare its next invoice.",
        when="the last day of the source's term, when a promotion is looked at again",
        is_dated=True,
        needs="what a transfer does to a promotion: Microsoft does not say",
        routes=(Route.TRANSFER,),
    )
)
def promotion_in_transfer(_review: Review, item: PlanItem) -> Answer:
    """A subscription with a promotion is transferred; whether the promotion stays is not documented."""
    if item.terms is None or not item.terms.promotion_id:
        return None
    said = f"whether {item.offer_name} keeps the promotion {item.terms.promotion_id} in a transfer."
    return Unverified(said, on=item.ends_on)


@item_rule(
    Rule(
        topic=Topic.MONEY,
        code=FindingCode.END_DATES_SPLIT,
        severity=Severity.WARNING,
        rules=("R-128",),
        owner=Owner.OPERATIONS,
        how="Buy the first one, then give the others its end date (custom term end date).",
        when=_END,
        is_dated=True,
        routes=_REBUY,
    )
)
def end_dates_split(review: Review, item: PlanItem) -> Answer:
    """Subscriptions that end together today would no longer, because an empty target has nothing to align to."""
    if item.ends_on is None:
        return None
    same = sum(1 for one in review.items if one.ends_on == item.ends_on and one is not item)
    if not same:
        return None
    return Said(f"{item.offer_name} ends together with {same} other subscription(s) of this customer.", on=item.ends_on)


@item_rule(
    Rule(
        topic=Topic.MONEY,
        code=FindingCode.AUTO_RENEW_ON,
        severity=Severity.WARNING,
        rules=("R-132", "R-133"),
        owner=Owner.OPERATIONS,
        how="Turn auto-renew off before that day: after it the whole next term is billed.",
        when=_END,
        is_dated=True,
        routes=_REBUY,
    )
)
def auto_renew_on(_review: Review, item: PlanItem) -> Answer:
    """A term that is to end would renew itself."""
    if item.terms is None or not item.terms.auto_renew or item.wire_status != WireStatus.ACTIVE:
        return None
    when = f"on {item.ends_on}" if item.ends_on else "at the end of its term"
    return Said(f"{item.offer_name} renews itself {when}.", on=item.ends_on)


@item_rule(
    Rule(
        topic=Topic.MONEY,
        code=FindingCode.EXTENDED_TERM,
        severity=Severity.WARNING,
        rules=("commerce 3.7", "R-132"),
        owner=Owner.OPERATIONS,
        how="Choose to cancel at the end of the term explicitly, and have the new one bought on that very day.",
        when=_END,
        is_dated=True,
        routes=_REBUY,
    )
)
def extended_term(_review: Review, item: PlanItem) -> Answer:
    """The term ends after 4 May 2026: no free days follow, and without a choice a paid Extended Service Term begins."""
    if item.ends_on is None or days_of_grace(item.ends_on):
        return None
    return Said(
        f"The term of {item.offer_name} ends on {item.ends_on}, after which no free days follow; unless it is canceled "
        "at the end of the term, a paid Extended Service Term begins.",
        on=item.ends_on,
    )


@item_rule(
    Rule(
        topic=Topic.MONEY,
        code=FindingCode.EXTENDED_TERM,
        severity=Severity.WARNING,
        rules=("R-132", "R-137"),
        owner=Owner.OPERATIONS,
        how="Buy it again before that day ends; afterward people are locked out and data is deleted in time.",
        when="the last day of its term and 30 days",
        is_dated=True,
        routes=_REBUY,
    )
)
def grace_ends(_review: Review, item: PlanItem) -> Answer:
    """The term is over and people still work on its days of grace."""
    if item.wire_status != WireStatus.EXPIRED:
        return None
    until = rebuy_until(item.ends_on)
    when = f"on {until}" if until else "on a day that is not known"
    return Said(f"{item.offer_name} has expired; its days of grace end {when}.", on=until)


@item_rule(
    Rule(
        topic=Topic.MONEY,
        code=FindingCode.RUNS_OUT,
        severity=Severity.WARNING,
        rules=("R-132",),
        owner=Owner.APPROVER,
        how="Tell the customer the day: until then it stays with the source, which cannot be closed.",
        when=_END,
        is_dated=True,
        routes=_REBUY,
    )
)
def runs_out(_review: Review, item: PlanItem) -> Answer:
    """A subscription ends without renewal and is bought again on the day its term ends."""
    if item.wire_status != WireStatus.ACTIVE:
        return None
    when = f"on {item.ends_on}" if item.ends_on else "on a day that is not known"
    return Said(f"{item.offer_name} ends {when} and is bought again then.", on=item.ends_on)
