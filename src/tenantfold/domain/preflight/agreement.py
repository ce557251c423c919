"""Rules about the customer agreement and partner ids (domain room, preflight). R-84, R-112 to R-117, R-207 to R-221."""

from __future__ import annotations

from tenantfold.domain.facts import BillingModel
from tenantfold.domain.findings import FindingCode, Severity
from tenantfold.domain.policy import AgreementSource
from tenantfold.domain.preflight.review import Review
from tenantfold.domain.preflight.rule import Answer, Rule, Said, Topic, Unverified, customer_rule
from tenantfold.domain.states import Owner


@customer_rule(
    Rule(
        topic=Topic.AGREEMENT,
        code=FindingCode.AGREEMENT_CONTACT_MISSING,
        severity=Severity.WARNING,
        rules=("R-113", "R-112"),
        owner=Owner.OPERATIONS,
        how="Add contact columns and agreed_on for this customer to the list of customers to move.",
        when="before the first order",
    )
)
def agreement_contact_missing(review: Review) -> Answer:
    """The agreement is attested from the list of customers, but the list has no contact and date for this one."""
    context = review.context
    if review.entry.customer_id in context.contacts or context.policy.agreement_source is AgreementSource.CUSTOMER:
        return None
    if review.facts.has_agreement or not review.wants_to_move or not context.has_agreements:
        return None
    return Said(
        "No contact and date for the Microsoft Customer Agreement were given; unless the customer signed it directly, "
        "it waits before the first order."
    )


@customer_rule(
    Rule(
        topic=Topic.AGREEMENT,
        code=FindingCode.AGREEMENT_MISSING,
        severity=Severity.WARNING,
        rules=("R-112", "R-115", "R-116"),
        owner=Owner.CUSTOMER,
        how="Ask the customer to accept the Microsoft Customer Agreement in the Microsoft 365 admin center.",
        when="before the first order",
        needs="whether the customer signed the agreement",
    )
)
def agreement_missing(review: Review) -> Answer:
    """The customer must accept the agreement itself (policy.agreement_source), and has not with the target."""
    context = review.context
    if context.policy.agreement_source is AgreementSource.LIST or not review.wants_to_move:
        return None
    if not context.has_agreements:
        return None
    if review.facts.has_agreement is None:
        return Unverified("whether the customer accepted the Microsoft Customer Agreement directly.")
    if review.facts.has_agreement:
        return None
    return Said("The customer has not accepted the Microsoft Customer Agreement; nothing is attested for it.")


@customer_rule(
    Rule(
        topic=Topic.AGREEMENT,
        code=FindingCode.PARTNER_ID_MISSING,
        severity=Severity.WARNING,
        rules=("R-84", "R-87", "R-205"),
        owner=Owner.OPERATIONS,
        how="Give the target tenant an active partner location id in Partner Center, then take inventory of it again.",
        when="before the first order",
    )
)
def partner_id_missing(review: Review) -> Answer:
    """The target tenant shows no partner location id; without an active one it may not sell."""
    if review.context.target.partner_id or not review.wants_to_move:
        return None
    return Said("The target tenant shows no partner location id of its own.")


@customer_rule(
    Rule(
        topic=Topic.AGREEMENT,
        code=FindingCode.RESELLER_MISSING,
        severity=Severity.WARNING,
        rules=("R-207", "R-221"),
        owner=Owner.OPERATIONS,
        how="Set the reseller on these subscriptions at the source and take inventory again, if one belongs there.",
    )
)
def reseller_missing(review: Review) -> Answer:
    """Some subscriptions name a reseller on record and others do not, or the target sells through resellers."""
    bare = sum(1 for item in review.items if not item.partner_id_on_record)
    if not bare or not review.wants_to_move:
        return None
    provider = review.context.billing_models.get(review.context.target.id) is BillingModel.INDIRECT_PROVIDER
    if bare == len(review.items) and not provider:
        return None
    return Said(
        f"{bare} of {len(review.items)} subscriptions name no reseller; they will have none at the target either."
    )


@customer_rule(
    Rule(
        topic=Topic.AGREEMENT,
        code=FindingCode.RESELLER_NOT_POSSIBLE,
        severity=Severity.WARNING,
        rules=("R-207", "R-216", "commerce 2.4"),
        owner=Owner.OPERATIONS,
        how="Settle who sells to this customer from now on; Microsoft may refuse to keep the reseller on record.",
        when="before the first order",
        needs="how each tenant is billed",
    )
)
def reseller_not_possible(review: Review) -> Answer:
    """Subscriptions that move name a reseller on record, and a direct-bill target has no resellers."""
    if review.context.billing_models.get(review.context.target.id) is not BillingModel.DIRECT_BILL:
        return None
    named = sorted({item.partner_id_on_record for item in review.items if item.is_carried_out} - {""})
    if not named:
        return None
    return Said(f"Its subscriptions name the reseller {', '.join(named)}, and a direct-bill partner has none.")
