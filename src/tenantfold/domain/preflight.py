"""Preflight: what stands in the way of one customer's move, seen from inventory alone.

Each check yields findings with severity, rule, owner and next action; nothing here chooses a route or an offer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tenantfold.domain.findings import Finding, FindingCode, Severity
from tenantfold.domain.mapping import OfferMapping
from tenantfold.domain.model import (
    AgreementContact,
    Customer,
    CustomerId,
    Offer,
    OfferId,
    SubscriptionId,
    Tenant,
    TenantId,
    WireStatus,
)
from tenantfold.domain.plan import PlanItem
from tenantfold.domain.records import BookEntry
from tenantfold.domain.regions import RegionMap
from tenantfold.domain.states import Counterpart, Owner

SUBSCRIPTIONS_PER_CUSTOMER_TENANT = 300  # R-72, R-74: both partners' subscriptions count
HELD = frozenset({WireStatus.ACTIVE, WireStatus.SUSPENDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanContext:
    """What planning knows beside the customer itself. ``catalog`` maps a country to its offers by id.

    ``spoken_for`` are the target subscriptions that are counterparts already: made once, asked for every customer.
    """

    target: Tenant
    sources: Mapping[TenantId, Tenant]
    catalog: Mapping[str, Mapping[str, Offer]]
    mapping: Mapping[OfferId, OfferMapping]
    regions: RegionMap
    counterparts: Mapping[SubscriptionId, Counterpart]
    contacts: Mapping[CustomerId, AgreementContact]
    spoken_for: frozenset[SubscriptionId] = field(init=False)

    def __post_init__(self) -> None:
        targets = frozenset(counterpart.target_id for counterpart in self.counterparts.values())
        object.__setattr__(self, "spoken_for", targets)


def customer_findings(
    entry: BookEntry,
    context: PlanContext,
    country: str,
    sources: tuple[TenantId, ...],
    items: tuple[PlanItem, ...],
) -> tuple[Finding, ...]:
    """Everything about the customer as a whole that an approver must know, blockers first."""
    findings = [
        blocker(
            FindingCode.NOT_READ,
            "invariant 9",
            f"Could not be read in tenant {tenant}: {reason}",
            "Take inventory again; if it stays, look at the customer in Partner Center.",
        )
        for tenant, reason in entry.unread
    ]
    if any(item.moves for item in items):
        findings += _place_findings(country, context, entry.seen)
        findings += _move_findings(entry, context, sources, items)
    elif not findings and not any(item.findings or item.subscription_id in context.counterparts for item in items):
        findings.append(
            finding(
                FindingCode.NOTHING_TO_MOVE,
                Severity.NOTE,
                "R-32",
                "No subscription of this customer is active and moves.",
                Owner.NOBODY,
                "Nothing.",
            )
        )
    return tuple(findings)


def _place_findings(country: str, context: PlanContext, seen: tuple[Customer, ...]) -> list[Finding]:
    """Region and country (R-75, R-83; S-8: the region decides, another country warns)."""
    target = context.target.country
    if not country:
        return [
            blocker(
                FindingCode.COUNTRY_UNKNOWN,
                "R-82",
                "No tenant shows this customer's country.",
                "Read the customer's billing profile in Partner Center; without a country no catalog applies.",
            )
        ]
    if not context.regions.same_region(country, target):
        return [
            blocker(
                FindingCode.OUTSIDE_REGION,
                "R-83",
                f"The customer is in {country} ({context.regions.region_of(country) or 'no CSP region'}), the target "
                f"tenant in {target} ({context.regions.region_of(target) or 'no CSP region'}): it cannot accept the "
                "relationship.",
                "Keep this customer in a tenant of its own region.",
            )
        ]
    if country not in context.catalog:
        return [
            blocker(
                FindingCode.NOT_READ,
                "R-27",
                f"The target tenant's catalog for {country} is not in its newest snapshot.",
                "Take inventory of the target again.",
            )
        ]
    homes = {context.sources[one.tenant_id].country for one in seen if one.tenant_id in context.sources}
    if country not in homes:
        return [
            finding(
                FindingCode.OTHER_COUNTRY,
                Severity.NOTE,
                "R-82",
                f"The customer is in {country}, its partner tenant in {', '.join(sorted(homes))}; the region is one.",
                Owner.NOBODY,
                "Nothing.",
            )
        ]
    return []


def _move_findings(
    entry: BookEntry, context: PlanContext, sources: tuple[TenantId, ...], items: tuple[PlanItem, ...]
) -> list[Finding]:
    findings = []
    if len(sources) > 1:
        names = ", ".join(context.sources[tenant].key for tenant in sources)
        findings.append(
            finding(
                FindingCode.TWO_SOURCES,
                Severity.WARNING,
                "R-101",
                f"The customer is in several source tenants ({names}); all its subscriptions move together.",
                Owner.APPROVER,
                "Check that both belong to the same consolidation.",
            )
        )
    standing = sum(1 for one in entry.subscriptions if one.wire_status in HELD)
    orders = sum(1 for item in items if item.moves and item.target_id is None)
    if standing + orders > SUBSCRIPTIONS_PER_CUSTOMER_TENANT:
        findings.append(
            blocker(
                FindingCode.SUBSCRIPTION_LIMIT_REACHED,
                "R-74",
                f"The customer's tenant holds {standing} subscriptions and {orders} would be added; "
                f"{SUBSCRIPTIONS_PER_CUSTOMER_TENANT} are allowed.",
                "Let some expire or remove them before this customer moves (R-131).",
            )
        )
    if entry.customer_id not in context.contacts:
        findings.append(
            finding(
                FindingCode.AGREEMENT_CONTACT_MISSING,
                Severity.WARNING,
                "R-113",
                "No contact and date for the Microsoft Customer Agreement were given; unless the customer signed it "
                "directly, it waits before the first order.",
                Owner.OPERATIONS,
                "Add contact columns and agreed_on for this customer to the list of customers to move.",
            )
        )
    return findings


def blocker(code: FindingCode, rule: str, detail: str, next_action: str, owner: Owner = Owner.OPERATIONS) -> Finding:
    """A finding that keeps the customer where it is."""
    return finding(code, Severity.BLOCKER, rule, detail, owner, next_action)


def finding(code: FindingCode, severity: Severity, rule: str, detail: str, owner: Owner, next_action: str) -> Finding:
    """One finding, arguments in the order a person would say them."""
    return Finding(code=code, severity=severity, rule=rule, detail=detail, owner=owner, next_action=next_action)
