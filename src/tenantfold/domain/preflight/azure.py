"""Rules about Azure plans, reservations and savings plans (domain room, preflight). R-164 to R-176."""

from __future__ import annotations

from collections.abc import Sequence

from tenantfold.domain.facts import AzureCommitment
from tenantfold.domain.findings import FindingCode, Severity
from tenantfold.domain.model import KNOWN_BILLING_CYCLES, ProductKind, Route, WireStatus
from tenantfold.domain.preflight.review import Review
from tenantfold.domain.preflight.rule import Answer, Rule, Said, Topic, Unverified, customer_rule
from tenantfold.domain.products import product_kind
from tenantfold.domain.states import Owner

_PAYING_CYCLES = KNOWN_BILLING_CYCLES - {"none"}


def _commitments(review: Review) -> Sequence[AzureCommitment] | None:
    """Reservations and savings plans: those the inventory lists as subscriptions, and those looked up beside it."""
    listed = [
        AzureCommitment(name=one.offer_name, status=one.wire_status, is_monthly=_is_monthly(one.billing_cycle))
        for one in review.items
        if one.kind is ProductKind.AZURE_COMMITMENT
    ]
    if review.facts.azure_commitments is None:
        return listed or None
    return [*listed, *review.facts.azure_commitments]


def _is_monthly(billing_cycle: str) -> bool | None:
    """How a commitment is paid; a cycle that says nothing leaves it open (invariant 9)."""
    return billing_cycle == "monthly" if billing_cycle in _PAYING_CYCLES else None


@customer_rule(
    Rule(
        topic=Topic.AZURE,
        code=FindingCode.AZURE_PLAN_MISSING,
        severity=Severity.WARNING,
        rules=("R-164",),
        owner=Owner.OPERATIONS,
        how="Buy an Azure plan for this customer at the target before the transfer is requested; it costs nothing.",
        when="before the transfer is requested",
    )
)
def azure_plan_missing(review: Review) -> Answer:
    """The target has no Azure plan for a customer whose Azure is to be transferred."""
    if not review.goes(Route.AZURE_TRANSFER):
        return None
    target = review.context.target.id
    has_one = any(
        one.tenant_id == target and one.wire_status == WireStatus.ACTIVE and product_kind(one) is ProductKind.AZURE_PLAN
        for one in review.entry.subscriptions
    )
    return None if has_one else Said("The target tenant has no active Azure plan for this customer.")


@customer_rule(
    Rule(
        topic=Topic.AZURE,
        code=FindingCode.RESERVATION_INACTIVE,
        severity=Severity.WARNING,
        rules=("R-167",),
        owner=Owner.OPERATIONS,
        how="Leave these out of the transfer: one of them makes the whole acceptance fail.",
        when="before the transfer is accepted",
        needs="the customer's reservations and savings plans",
    )
)
def reservation_inactive(review: Review) -> Answer:
    """A reservation or savings plan beside the Azure plan is not active."""
    if not review.goes(Route.AZURE_TRANSFER):
        return None
    commitments = _commitments(review)
    if commitments is None:
        return Unverified("whether all reservations and savings plans of the customer are active.")
    off = [f"{one.name} ({one.status})" for one in commitments if one.status != WireStatus.ACTIVE]
    return Said(f"Not active: {', '.join(off)}.") if off else None


@customer_rule(
    Rule(
        topic=Topic.AZURE,
        code=FindingCode.RESERVATION_CURRENCY,
        severity=Severity.WARNING,
        rules=("R-168", "R-89"),
        owner=Owner.APPROVER,
        how="Plan to buy them again at the target, at today's price, before their next charge.",
        when="the next billing cycle after the transfer",
        needs="the customer's reservations and savings plans, and how each is paid; both tenants' currencies",
    )
)
def reservation_currency(review: Review) -> Answer:
    """The billing currency changes, which cancels monthly-paid reservations and savings plans."""
    if not review.goes(Route.AZURE_TRANSFER):
        return None
    pairs = {review.currencies(tenant) for tenant in review.sources}
    unknown = any("" in pair for pair in pairs)
    changes = sorted({" to ".join(pair) for pair in pairs if pair[0] != pair[1] and "" not in pair})
    if not changes and not unknown:
        return None
    commitments = _commitments(review)
    if commitments is None:
        return Unverified(
            f"whether the customer pays reservations or savings plans by month; the currency changes "
            f"({', '.join(changes) or 'not known'})."
        )
    monthly = [one.name for one in commitments if one.is_monthly and one.status == WireStatus.ACTIVE]
    unsure = [one.name for one in commitments if one.is_monthly is None and one.status == WireStatus.ACTIVE]
    if not monthly and not unsure:
        return None
    if not changes:
        return Unverified("the billing currency of both tenants.")
    if not monthly:
        return Unverified(f"how {', '.join(unsure)} is paid; the currency changes ({', '.join(changes)}).")
    more = f" How {', '.join(unsure)} is paid is not known." if unsure else ""
    return Said(
        f"{', '.join(monthly)}: canceled at the next billing cycle, as the bill goes from {', '.join(changes)}.{more}"
    )


@customer_rule(
    Rule(
        topic=Topic.AZURE,
        code=FindingCode.MARKETPLACE_PRODUCTS,
        severity=Severity.WARNING,
        rules=("R-169",),
        owner=Owner.OPERATIONS,
        how="Cancel these products before the transfer and buy them again after it; the rest moves without them.",
        when="before the transfer is requested",
        needs="a refusal of an earlier run: no list of Partner Center shows them",
    )
)
def marketplace_products(review: Review) -> Answer:
    """Marketplace products below an Azure subscription that do not pass the check keep it from moving."""
    if not review.goes(Route.AZURE_TRANSFER):
        return None
    if not any((one.route, one.kind) == (Route.AZURE_TRANSFER, ProductKind.AZURE_PLAN) for one in review.items):
        return None
    named = review.facts.with_marketplace
    if not named:
        return Unverified("whether marketplace products of others are in use below the Azure plan; no call shows them.")
    return Said(f"Microsoft refused {', '.join(sorted(named))} for marketplace products below it.")


@customer_rule(
    Rule(
        topic=Topic.AZURE,
        code=FindingCode.ACCESS_AND_HISTORY,
        severity=Severity.WARNING,
        rules=("R-172", "R-173", "R-171"),
        owner=Owner.OPERATIONS,
        how="Export the cost history and list who has access, then confirm both: tenantfold tasks",
        when="before the transfer is requested",
    )
)
def access_and_history(review: Review) -> Answer:
    """A transfer of Azure leaves the old partner's access standing, gives the new one none, and loses the history."""
    if not review.goes(Route.AZURE_TRANSFER):
        return None
    return Said(
        "In a transfer Azure keeps the old partner's access, gives the new one none and loses its cost history."
    )


@customer_rule(
    Rule(
        topic=Topic.AZURE,
        code=FindingCode.HANDED_OFF,
        severity=Severity.WARNING,
        rules=("R-46", "R-185", "R-179"),
        owner=Owner.OPERATIONS,
        how="Hand the customer off to Microsoft: tenantfold handoff",
        when="days to weeks after the hand-off; Microsoft says no time",
    )
)
def handed_off(review: Review) -> Answer:
    """Legacy usage-based Azure is moved by Microsoft, which must be asked for it."""
    if not review.goes(Route.AZURE_SUPPORT):
        return None
    return Said("Its usage-based Azure is moved by Microsoft: somebody must ask, and then wait.")
