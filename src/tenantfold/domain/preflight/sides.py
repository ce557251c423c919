"""Rules about the two sides, transfers and kinds of products (domain room, preflight). R-28, R-101, R-145 to R-169."""

from __future__ import annotations

from collections import Counter

from tenantfold.domain.findings import FindingCode, Severity
from tenantfold.domain.model import ProductKind, Route, WireStatus
from tenantfold.domain.plan import PlanItem
from tenantfold.domain.preflight.review import STAYS, Review, sku_id
from tenantfold.domain.preflight.rule import Answer, Rule, Said, Topic, Unverified, customer_rule, item_rule
from tenantfold.domain.states import Owner

_RECREATE = (Route.RECREATE,)
_TRANSFERS = frozenset({Route.TRANSFER, Route.AZURE_TRANSFER})
_LATER = "Leave this customer for a later version, or move it by hand as the guide says."
_TERM_END = "the last day of its term"


@customer_rule(
    Rule(
        topic=Topic.SIDES,
        code=FindingCode.TWO_SOURCES,
        severity=Severity.WARNING,
        rules=("R-101",),
        owner=Owner.APPROVER,
        how="Check that both belong to the same consolidation.",
    )
)
def two_sources(review: Review) -> Answer:
    """The customer is in several source tenants; all its subscriptions move together."""
    if len(review.sources) < 2 or not any(item.route is not Route.SKIP for item in review.items):  # noqa: PLR2004 - two
        return None
    names = ", ".join(review.context.sources[tenant].key for tenant in review.sources)
    return Said(f"The customer is in several source tenants ({names}); all its subscriptions move together.")


@customer_rule(
    Rule(
        topic=Topic.SIDES,
        code=FindingCode.SAME_SKU_TWICE,
        severity=Severity.NOTE,
        rules=("R-28", "R-06"),
        owner=Owner.NOBODY,
        how="Nothing: each keeps its own counterpart, and none are merged.",
    )
)
def same_sku_twice(review: Review) -> Answer:
    """Several moving subscriptions of one customer are of the same product."""
    if len(review.items) < 2:  # noqa: PLR2004 - two of them
        return None
    held = [sku_id(item.offer_id) for item in review.items if item.route not in STAYS]
    if len(set(held)) == len(held):
        return None
    names = {sku_id(item.offer_id): item.offer_name for item in review.items}
    twice = [(offer, count) for offer, count in Counter(held).items() if count > 1]
    return Said(", ".join(f"{names[offer]}: {count} subscriptions" for offer, count in twice) + ".")


@customer_rule(
    Rule(
        topic=Topic.SIDES,
        code=FindingCode.OPEN_TRANSFER,
        severity=Severity.BLOCKER,
        rules=("R-158", "R-165"),
        owner=Owner.OPERATIONS,
        how="Finish or cancel the open transfer request in Partner Center, then take inventory and plan again.",
        when="30 days after the request at the latest, when it expires (R-147)",
        needs="open transfer requests of the customer",
    )
)
def open_transfer(review: Review) -> Answer:
    """A subscription is part of a transfer request that is still open."""
    if not any(item.route in _TRANSFERS for item in review.items):
        return None
    if review.facts.in_open_transfer is None:
        return Unverified("whether a transfer request for this customer is open already.")
    held = [item.offer_name for item in review.items if item.subscription_id in review.facts.in_open_transfer]
    return Said(f"In an open transfer request: {', '.join(held)}.") if held else None


@item_rule(
    Rule(
        topic=Topic.SIDES,
        code=FindingCode.ADOPTS_EXISTING,
        severity=Severity.WARNING,
        rules=("R-28",),
        owner=Owner.APPROVER,
        how="If the customer bought it separately, leave this customer out of the list.",
        routes=_RECREATE,
    )
)
def adopts_existing(review: Review, item: PlanItem) -> Answer:
    """An equal subscription stands at the target already and is taken as the counterpart."""
    if item.target_id is None or item.subscription_id in review.context.counterparts:
        return None
    return Said(
        f"The target has {item.offer_name} with {item.license_count} licenses already ({item.target_id}); it is taken "
        "as the counterpart and nothing is ordered."
    )


@item_rule(
    Rule(
        topic=Topic.SIDES,
        code=FindingCode.TARGET_NOT_VERIFIED,
        severity=Severity.BLOCKER,
        rules=("R-227", "R-28"),
        owner=Owner.OPERATIONS,
        how="Look at it in the target's Partner Center, then take inventory of the target and plan again.",
        routes=_RECREATE,
    )
)
def target_not_verified(review: Review, item: PlanItem) -> Answer:
    """The target holds the same offer with a status or billing cycle nobody knows: it may be the counterpart."""
    if item.target_id is not None or item.target_offer_id is None:
        return None
    same = next((one for one in review.unverified if one.offer_id == item.target_offer_id), None)
    if same is None:
        return None
    return Said(
        f"The target has {item.offer_name} already ({same.id}), with status '{same.wire_status}' and billing cycle "
        f"'{same.billing_cycle}', which prove nothing: ordering it could bill it twice."
    )


@item_rule(
    Rule(
        topic=Topic.SIDES,
        code=FindingCode.TARGET_HAS_OTHER_COUNT,
        severity=Severity.WARNING,
        rules=("R-28",),
        owner=Owner.APPROVER,
        how="Check that the customer means to have both.",
        routes=_RECREATE,
    )
)
def target_has_other_count(review: Review, item: PlanItem) -> Answer:
    """The target holds the same offer already, with another license count or billing cycle."""
    if not review.free or item.target_id is not None or item.target_offer_id is None:
        return None
    parent = None
    if item.parent_id is not None:
        base = next((one for one in review.items if one.subscription_id == item.parent_id), None)
        parent = base.target_id if base else None
        if parent is None:
            return None
    same = [
        one
        for one in review.free
        if one.offer_id == item.target_offer_id and not one.is_trial and one.parent_id == parent
    ]
    if not same:
        return None
    return Said(
        f"The target has {item.offer_name} already with {same[0].license_count} licenses ({same[0].billing_cycle}); it "
        f"stays, and {item.license_count} more are ordered."
    )


@item_rule(
    Rule(
        topic=Topic.SIDES,
        code=FindingCode.UNKNOWN_STATUS,
        severity=Severity.BLOCKER,
        rules=("R-227",),
        owner=Owner.OPERATIONS,
        how="Look at the subscription in Partner Center, settle its status there, then take inventory again.",
        routes=(Route.MANUAL,),
    )
)
def unknown_status(_review: Review, item: PlanItem) -> Answer:
    """A subscription has a status that proves nothing: pending, or unknown to this program."""
    if not is_unsettled(item):
        return None
    return Said(
        f"{item.offer_name} has the status '{item.wire_status}', which proves nothing: it is neither known to be "
        "billed nor known to be off."
    )


def is_unsettled(item: PlanItem) -> bool:
    """Whether the status alone sent an item to a person."""
    return item.wire_status not in {WireStatus.ACTIVE, WireStatus.SUSPENDED}


def _not_supported(item: PlanItem, why: str) -> Said:
    route = item.route.value
    return Said(f"{item.offer_name}: {why} (route '{route}'), which this version does not carry out yet.")


def _unsupported(rules: tuple[str, ...], route: Route, needs: str = "", when: str = "") -> Rule:
    return Rule(
        topic=Topic.SIDES,
        code=FindingCode.ROUTE_NOT_SUPPORTED,
        severity=Severity.BLOCKER,
        rules=rules,
        owner=Owner.OPERATIONS,
        how=_LATER,
        when=when or "with the version that carries it out",
        needs=needs,
        routes=(route,),
    )


@item_rule(_unsupported(("R-145", "R-148"), Route.TRANSFER))
def needs_transfer(_review: Review, item: PlanItem) -> Answer:
    """A new-commerce subscription moves by transfer, which is planned but not carried out yet."""
    return _not_supported(item, "a new-commerce subscription moves by partner-to-partner transfer")


@item_rule(_unsupported(("R-164", "R-165"), Route.AZURE_TRANSFER))
def needs_azure_transfer(_review: Review, item: PlanItem) -> Answer:
    """Azure plans, reservations and savings plans move by transfer, which is planned but not carried out yet."""
    return _not_supported(item, "an Azure plan with all below it moves by partner-to-partner transfer")


@item_rule(_unsupported(("R-46", "R-185"), Route.AZURE_SUPPORT))
def needs_azure_support(_review: Review, item: PlanItem) -> Answer:
    """Legacy usage-based Azure is handed off to Microsoft, which is planned but not carried out yet."""
    return _not_supported(item, "usage-based Azure is moved by Microsoft")


@item_rule(_unsupported(("R-132",), Route.EXPIRE_AND_REBUY, when=_TERM_END))
def needs_expiry(_review: Review, item: PlanItem) -> Answer:
    """A subscription ends without renewal and is bought again, which is planned but not carried out yet."""
    said = _not_supported(item, "it ends without renewal and is bought again")
    return Said(said.detail, on=item.ends_on)


@item_rule(_unsupported(("R-151", "R-142"), Route.MANUAL))
def software_by_hand(_review: Review, item: PlanItem) -> Answer:
    """Software cannot be transferred; a person cancels it, buys it again or lets it run out."""
    if is_unsettled(item) or item.kind is not ProductKind.SOFTWARE:
        return None
    return Said(_not_supported(item, "software is not transferred").detail, on=item.ends_on)


@item_rule(_unsupported(("R-169", "R-142"), Route.MANUAL))
def marketplace_by_hand(_review: Review, item: PlanItem) -> Answer:
    """A marketplace product does not move with the customer; a person cancels it and buys it again."""
    if is_unsettled(item) or item.kind is not ProductKind.SAAS:
        return None
    return Said(_not_supported(item, "a marketplace product is not transferred").detail, on=item.ends_on)


@item_rule(_unsupported(("R-216", "R-145"), Route.MANUAL, needs="how each tenant is billed"))
def reseller_cannot_transfer(_review: Review, item: PlanItem) -> Answer:
    """One of the tenants is an indirect reseller's: only its provider, which Microsoft bills, can transfer."""
    if is_unsettled(item) or item.kind not in {
        ProductKind.LICENSE,
        ProductKind.AZURE_PLAN,
        ProductKind.AZURE_COMMITMENT,
    }:
        return None
    return _not_supported(item, "one of the tenants has no bill of its own, so its indirect provider must act")


@item_rule(_unsupported(("R-227",), Route.MANUAL))
def unknown_kind(_review: Review, item: PlanItem) -> Answer:
    """A product of a kind that this program does not know."""
    if is_unsettled(item) or item.kind is not ProductKind.UNKNOWN:
        return None
    return _not_supported(item, "its kind is not known to this program")


@item_rule(
    Rule(
        topic=Topic.SIDES,
        code=FindingCode.NOT_TRANSFERABLE,
        severity=Severity.WARNING,
        rules=("R-151", "R-132"),
        owner=Owner.OPERATIONS,
        how="Turn auto-renew off at the source and buy it at the target when its term ends.",
        when=_TERM_END,
        needs="transfer eligibility of the subscription",
        routes=(Route.EXPIRE_AND_REBUY,),
    )
)
def not_transferable(_review: Review, item: PlanItem) -> Answer:
    """Microsoft says that this new-commerce subscription is not eligible for a transfer."""
    if item.terms is None or item.terms.is_transferable is not False:
        return None
    return Said(f"{item.offer_name} is not eligible for a transfer.", on=item.ends_on)


def _is_running_trial(item: PlanItem) -> bool:
    return item.terms is not None and item.terms.is_trial and item.wire_status == WireStatus.ACTIVE


def _becomes_paid(item: PlanItem) -> bool:
    """Only new-commerce trials turn into something paid by themselves."""
    return item.kind is not ProductKind.LEGACY_LICENSE and item.terms is not None and item.terms.auto_renew


@item_rule(
    Rule(
        topic=Topic.SIDES,
        code=FindingCode.TRIAL_RUNS_OUT,
        severity=Severity.NOTE,
        rules=("R-151", "R-169"),
        owner=Owner.NOBODY,
        how="Nothing: it ends by itself.",
        when=_TERM_END,
        routes=(Route.SKIP,),
    )
)
def trial_runs_out(_review: Review, item: PlanItem) -> Answer:
    """A trial cannot be moved; it runs out where it is."""
    if not _is_running_trial(item) or _becomes_paid(item):
        return None
    return Said(
        f"{item.offer_name} is a trial; it runs out{f' on {item.ends_on}' if item.ends_on else ''}.", item.ends_on
    )


@item_rule(
    Rule(
        topic=Topic.SIDES,
        code=FindingCode.AUTO_RENEW_ON,
        severity=Severity.WARNING,
        rules=("R-151", "R-133"),
        owner=Owner.OPERATIONS,
        how="Turn auto-renew off, or let it become a paid subscription and plan again afterward.",
        when=_TERM_END,
        routes=(Route.SKIP,),
    )
)
def trial_becomes_paid(_review: Review, item: PlanItem) -> Answer:
    """A trial that stays behind would turn into a paid subscription at the source."""
    if not _is_running_trial(item) or not _becomes_paid(item):
        return None
    when = f"on {item.ends_on}" if item.ends_on else "when its term ends"
    return Said(f"{item.offer_name} is a trial that becomes a paid subscription {when}.", on=item.ends_on)


@item_rule(
    Rule(
        topic=Topic.SIDES,
        code=FindingCode.STILL_BILLED,
        severity=Severity.WARNING,
        rules=("R-135", "R-137", "R-199"),
        owner=Owner.APPROVER,
        how="Reactivate it and plan again if it is needed; else let it end, and its data with it.",
        when=_TERM_END,
        routes=(Route.KEEP,),
    )
)
def still_billed(_review: Review, item: PlanItem) -> Answer:
    """A suspended new-commerce subscription stays: it is billed to the end of its term all the same (S-1)."""
    if item.wire_status != WireStatus.SUSPENDED:
        return None
    until = f"until {item.ends_on}" if item.ends_on else "to the end of its term"
    return Said(f"{item.offer_name} is suspended, and billed {until} at the source.", on=item.ends_on)
