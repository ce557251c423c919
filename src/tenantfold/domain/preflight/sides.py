"""Rules about the two sides, transfers and kinds of products (domain room, preflight). R-28, R-101, R-145 to R-169."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date

from tenantfold.domain.facts import may_own_software
from tenantfold.domain.findings import FindingCode, Severity
from tenantfold.domain.model import ProductKind, Route, WireStatus
from tenantfold.domain.plan import PlanItem
from tenantfold.domain.preflight.review import STAYS, Review, sku_id
from tenantfold.domain.preflight.rule import Answer, Rule, Said, Topic, Unverified, customer_rule, item_rule
from tenantfold.domain.states import Owner

_RECREATE = (Route.RECREATE,)
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
        when="when the request expires, 30 days after it was made (R-147)",
        is_dated=True,
        needs="open transfer requests of the customer",
    )
)
def open_transfer(review: Review) -> Answer:
    """A subscription is part of a transfer request that is still open."""
    if not review.is_transferred:
        return None
    if review.facts.in_open_transfer is None:
        return Unverified("whether a transfer request for this customer is open already.")
    opened = review.facts.in_open_transfer
    held = [item for item in review.items if item.subscription_id in opened]
    if not held:
        return None
    ends = [opened[item.subscription_id] for item in held]
    latest = max((day for day in ends if day is not None), default=None)
    names = ", ".join(item.offer_name for item in held)
    return Said(f"In an open transfer request: {names}.", on=None if None in ends else latest)


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
        when=f"{_TERM_END}, where it has one",
        is_dated=True,
        routes=(Route.MANUAL,),
    )
)
def unknown_status(_review: Review, item: PlanItem) -> Answer:
    """A subscription has a status that proves nothing: pending, or unknown to this program."""
    if not is_unsettled(item):
        return None
    return Said(
        f"{item.offer_name} has the status '{item.wire_status}', which proves nothing: it is neither known to be "
        "billed nor known to be off.",
        on=item.ends_on,
    )


def is_unsettled(item: PlanItem) -> bool:
    """Whether the status alone sent an item to a person."""
    return item.wire_status not in {WireStatus.ACTIVE, WireStatus.SUSPENDED}


def _closes_on(review: Review, item: PlanItem) -> date | None:
    """The day on which its window to cancel closes, while one is open (R-142), else the last day of its term."""
    window = item.terms.cancellable_until if item.terms is not None else None
    is_over = window is None or (review.context.today is not None and window.date() < review.context.today)
    return item.ends_on if window is None or is_over else window.date()


def _by_hand(rules: tuple[str, ...], needs: str = "", how: str = "") -> Rule:
    return Rule(
        topic=Topic.SIDES,
        code=FindingCode.BY_HAND,
        severity=Severity.WARNING,
        rules=rules,
        owner=Owner.OPERATIONS,
        how=how or "Settle it as tenantfold tasks lists it, and confirm it there with a note or a file.",
        when="the day its window to cancel closes (R-142), else the last day of its term",
        is_dated=True,
        needs=needs,
        routes=(Route.MANUAL,),
    )


_LEGACY = frozenset({ProductKind.LEGACY_LICENSE, ProductKind.LEGACY_AZURE})
_BILLED_BY_MICROSOFT = frozenset({ProductKind.LICENSE, ProductKind.AZURE_PLAN, ProductKind.AZURE_COMMITMENT})


@item_rule(_by_hand(("R-151", "R-142")))
def software_by_hand(review: Review, item: PlanItem) -> Answer:
    """Software cannot be transferred; a person cancels it, buys it again or lets it run out."""
    if is_unsettled(item) or item.kind is not ProductKind.SOFTWARE:
        return None
    said = f"{item.offer_name}: software is not transferred; a person ends it or buys it again."
    return Said(said, on=_closes_on(review, item))


@item_rule(_by_hand(("R-169", "R-142")))
def marketplace_by_hand(review: Review, item: PlanItem) -> Answer:
    """A marketplace product does not move with the customer; a person cancels it and buys it again."""
    if is_unsettled(item) or item.kind is not ProductKind.SAAS:
        return None
    said = f"{item.offer_name}: a marketplace product is not transferred; a person cancels it and buys it again."
    return Said(said, on=_closes_on(review, item))


@item_rule(_by_hand(("R-216", "R-145"), needs="how each tenant is billed"))
def reseller_cannot_transfer(review: Review, item: PlanItem) -> Answer:
    """One of the tenants is an indirect reseller's: only its provider, which Microsoft bills, can move anything."""
    if is_unsettled(item) or item.kind not in _BILLED_BY_MICROSOFT | _LEGACY:
        return None
    market = review.context.market(item.tenant_id, review.country)
    if market.billing_owners is not False or (market.to_provider and item.kind in _LEGACY):
        return None
    said = f"{item.offer_name}: one of the tenants has no bill of its own; its provider must move it."
    return Said(said, on=item.ends_on)


@item_rule(
    replace(
        _by_hand(
            ("R-156", "R-157", "R-160"),
            needs="how each tenant is billed",
            how="Request the self-serve transfer at the source, and change no license count meanwhile. When the "
            "provider has accepted it, confirm that: tenantfold tasks",
        ),
        when="before the source tenant is closed",
        is_dated=False,
    )
)
def legacy_to_provider(review: Review, item: PlanItem) -> Answer:
    """Legacy, and its partner became an indirect reseller of the target: the portal's self-serve transfer moves it."""
    if is_unsettled(item) or item.kind not in _LEGACY:
        return None
    if not review.context.market(item.tenant_id, review.country).to_provider:
        return None
    return Said(f"{item.offer_name}: its partner became an indirect reseller, so its provider takes it over.")


@item_rule(
    _by_hand(
        ("commerce 4.1", "R-213", "R-210"),
        how="Ask Microsoft how it changes its partner, then confirm what was done: tenantfold tasks",
    )
)
def cloud_without_transfers(review: Review, item: PlanItem) -> Answer:
    """Azure in a cloud that has no transfers between partners (900138): a person settles it with Microsoft."""
    if is_unsettled(item) or item.kind not in _BILLED_BY_MICROSOFT:
        return None
    market = review.context.market(item.tenant_id, review.country)
    if market.billing_owners is False or market.transfers is not False:
        return None
    return Said(f"{item.offer_name}: this cloud has no transfers between partners.", on=item.ends_on)


@item_rule(_by_hand(("R-227",)))
def unknown_kind(_review: Review, item: PlanItem) -> Answer:
    """A product of a kind that this program does not know; only a person can say how it moves."""
    if is_unsettled(item) or item.kind is not ProductKind.UNKNOWN:
        return None
    return Said(f"{item.offer_name}: its kind is not known to this program, so a person must move it.", on=item.ends_on)


@customer_rule(
    Rule(
        topic=Topic.SIDES,
        code=FindingCode.CUSTOMER_EMAIL_MISSING,
        severity=Severity.BLOCKER,
        rules=("commerce 4.1", "R-165"),
        owner=Owner.OPERATIONS,
        how="Enter an email address in the customer's billing profile at the source, then take inventory again.",
        when="before the transfer is requested",
    )
)
def customer_email_missing(review: Review) -> Answer:
    """A transfer request names the customer's address, and no source tenant shows one."""
    if not review.is_transferred or review.entry.unread or review.email:
        return None
    return Said("A transfer request must name the customer's email address, and no source tenant shows one.")


@item_rule(
    Rule(
        topic=Topic.SIDES,
        code=FindingCode.NOT_TRANSFERABLE,
        severity=Severity.WARNING,
        rules=("R-151", "R-132"),
        owner=Owner.OPERATIONS,
        how="Turn auto-renew off at the source and buy it at the target when its term ends.",
        when=_TERM_END,
        is_dated=True,
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
        is_dated=True,
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
        is_dated=True,
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
        is_dated=True,
        routes=(Route.KEEP,),
    )
)
def still_billed(_review: Review, item: PlanItem) -> Answer:
    """A suspended new-commerce subscription stays: it is billed to the end of its term all the same (S-1)."""
    if item.wire_status != WireStatus.SUSPENDED:
        return None
    until = f"until {item.ends_on}" if item.ends_on else "to the end of its term"
    return Said(f"{item.offer_name} is suspended, and billed {until} at the source.", on=item.ends_on)


_NOT_ASKED = Unverified(
    "whether the customer bought perpetual software beside its legacy licenses: nobody asked (policy.legacy_software)."
)


@customer_rule(
    Rule(
        topic=Topic.SIDES,
        code=FindingCode.SOFTWARE_STAYS,
        severity=Severity.NOTE,
        rules=("R-151", "R-198"),
        owner=Owner.OPERATIONS,
        how=(
            "Save its product keys and downloads for the customer while the source is open; before the customer is "
            "removed from the source's list, these purchases must have ended (R-198)."
        ),
        when="before the customer is removed from the source's list, or its tenant closed",
        needs="the software the customer bought; policy.legacy_software says who of legacy licenses alone is asked",
    )
)
def software_stays(review: Review) -> Answer:
    """Perpetual software has no subscription and is not transferred: it stays with the customer."""
    facts = review.facts
    if facts.software:
        listed = "; ".join(one.words() for one in facts.software)
        more = " Another source, with legacy licenses alone, did not say." if facts.software_unasked else ""
        return Said(f"Perpetual software stays with the customer as it is: {listed}.{more}")
    if review.entry.unread or (facts.software is not None and not facts.software_unasked):
        return None
    if facts.software is None and may_own_software([item.kind for item in review.items]):
        return Unverified("whether the customer bought perpetual software, which stays as it is.")
    return _NOT_ASKED if review.wants_to_move else None
