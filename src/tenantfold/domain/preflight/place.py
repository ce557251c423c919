"""Rules about region, country and cloud (domain room, preflight). R-82 to R-96, R-208 to R-215; S-6, S-8."""

from __future__ import annotations

from tenantfold.domain.findings import FindingCode, Severity
from tenantfold.domain.model import Route
from tenantfold.domain.policy import GovernmentCloud
from tenantfold.domain.preflight.review import Review
from tenantfold.domain.preflight.rule import Answer, Rule, Said, Topic, customer_rule
from tenantfold.domain.routes import US_GOVERNMENT
from tenantfold.domain.states import Owner


@customer_rule(
    Rule(
        topic=Topic.PLACE,
        code=FindingCode.NOT_READ,
        severity=Severity.BLOCKER,
        rules=("invariant 9",),
        owner=Owner.OPERATIONS,
        how="Take inventory again; if it stays, look at the customer in Partner Center.",
    )
)
def customer_not_read(review: Review) -> Answer:
    """The customer could not be read in one of its tenants."""
    if not review.entry.unread:
        return None
    said = "; ".join(f"Could not be read in tenant {tenant}: {reason}" for tenant, reason in review.entry.unread)
    return Said(said)


@customer_rule(
    Rule(
        topic=Topic.PLACE,
        code=FindingCode.COUNTRY_UNKNOWN,
        severity=Severity.BLOCKER,
        rules=("R-82",),
        owner=Owner.OPERATIONS,
        how="Read the customer's billing profile in Partner Center; without a country no catalog applies.",
    )
)
def country_unknown(review: Review) -> Answer:
    """No tenant shows the customer's country."""
    if review.country or not review.wants_to_move:
        return None
    return Said("No tenant shows this customer's country.")


@customer_rule(
    Rule(
        topic=Topic.PLACE,
        code=FindingCode.OUTSIDE_REGION,
        severity=Severity.BLOCKER,
        rules=("R-83", "R-75", "R-85", "R-94"),
        owner=Owner.OPERATIONS,
        how="Keep this customer in a tenant of its own region.",
    )
)
def outside_region(review: Review) -> Answer:
    """The customer's country lies in another CSP region than the target tenant (data/csp-regions.json)."""
    if review.in_region is not False or not review.wants_to_move:
        return None
    regions, country, target = review.context.regions, review.country, review.context.target.country
    return Said(
        f"The customer is in {country} ({regions.region_of(country) or 'no CSP region'}), the target tenant in "
        f"{target} ({regions.region_of(target) or 'no CSP region'}): it cannot accept the relationship."
    )


@customer_rule(
    Rule(
        topic=Topic.PLACE,
        code=FindingCode.NOT_READ,
        severity=Severity.BLOCKER,
        rules=("R-27",),
        owner=Owner.OPERATIONS,
        how="Take inventory of the target again.",
    )
)
def catalog_not_read(review: Review) -> Answer:
    """The target's catalog for the customer's country is missing, so nothing can be said about offers."""
    if not review.in_region or review.offers is not None or not review.goes(Route.RECREATE):
        return None
    return Said(f"The target tenant's catalog for {review.country} is not in its newest snapshot.")


@customer_rule(
    Rule(
        topic=Topic.PLACE,
        code=FindingCode.OTHER_COUNTRY,
        severity=Severity.WARNING,
        rules=("R-82", "R-91"),
        owner=Owner.APPROVER,
        how="Check that the country is right: catalog, prices and invoice follow it (S-8).",
    )
)
def other_country(review: Review) -> Answer:
    """The customer's country is none of its source tenants' countries; the region is one, so it can move."""
    if not review.in_region:
        return None
    sources = review.context.sources
    if any(sources[tenant].country == review.country for tenant in review.sources) or not review.wants_to_move:
        return None
    homes = ", ".join(sorted({sources[tenant].country for tenant in review.sources}))
    return Said(f"The customer is in {review.country}, its partner tenant in {homes}; the region is one.")


@customer_rule(
    Rule(
        topic=Topic.PLACE,
        code=FindingCode.CLOUD_PLAN_ONLY,
        severity=Severity.BLOCKER,
        rules=("R-210", "R-213"),
        owner=Owner.APPROVER,
        how='Ask Microsoft whether customers may change the partner there; if so, set policy.us_government = "move".',
    )
)
def cloud_plan_only(review: Review) -> Answer:
    """In Microsoft Cloud for US Government a customer may have to transact with a single partner (S-6)."""
    context = review.context
    if context.cloud != US_GOVERNMENT or context.policy.us_government is GovernmentCloud.MOVE:
        return None
    if not review.wants_to_move:
        return None
    return Said("The tenants are in Microsoft Cloud for US Government, where this program only plans.")
