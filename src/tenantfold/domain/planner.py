"""Builds one customer's part of a plan from what the snapshots hold. Reading order 4, second half.

Pure and one customer at a time: a plan over 100,000 customers is a stream of these calls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from tenantfold.domain import routes
from tenantfold.domain.findings import Finding, FindingCode, Severity
from tenantfold.domain.mapping import OfferMapping
from tenantfold.domain.model import (
    AgreementContact,
    Customer,
    CustomerId,
    Offer,
    OfferId,
    Route,
    Subscription,
    SubscriptionId,
    Tenant,
    TenantId,
    WireStatus,
)
from tenantfold.domain.plan import Disposition, PlanCustomer, PlanItem
from tenantfold.domain.records import BookEntry
from tenantfold.domain.regions import RegionMap
from tenantfold.domain.states import Counterpart, Owner

SUBSCRIPTIONS_PER_CUSTOMER_TENANT = 300  # R-72, R-74: both partners' subscriptions count
_HELD = frozenset({WireStatus.ACTIVE, WireStatus.SUSPENDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanContext:
    """What planning knows beside the customer itself. ``catalog`` maps a country to its offers by id."""

    target: Tenant
    sources: Mapping[TenantId, Tenant]
    catalog: Mapping[str, Mapping[str, Offer]]
    mapping: Mapping[OfferId, OfferMapping]
    regions: RegionMap
    counterparts: Mapping[SubscriptionId, Counterpart]
    contacts: Mapping[CustomerId, AgreementContact]


def build_customer(entry: BookEntry, context: PlanContext) -> PlanCustomer:
    """Plan one customer: a route for every source subscription, findings, and what it means as a whole."""
    country = _country(entry)
    sources = tuple(tenant for tenant in context.sources if any(seen.tenant_id == tenant for seen in entry.seen))
    items = _items(entry, context, country)
    findings = _customer_findings(entry, context, country, sources, items)
    customer = PlanCustomer(
        customer_id=entry.customer_id,
        company_name=_name(entry),
        country=country,
        source_tenant_ids=sources,
        disposition=Disposition.MOVE,
        items=items,
        findings=findings,
        contact=context.contacts.get(entry.customer_id),
        at_target_already=any(seen.tenant_id == context.target.id for seen in entry.seen),
    )
    return replace(customer, disposition=_disposition(customer, context.counterparts))


def _disposition(customer: PlanCustomer, counterparts: Mapping[SubscriptionId, Counterpart]) -> Disposition:
    if customer.blockers():
        return Disposition.BLOCKED
    if any(item.moves for item in customer.items):
        return Disposition.MOVE
    if any(item.subscription_id in counterparts for item in customer.items):
        return Disposition.MOVED
    return Disposition.NOTHING_TO_MOVE


def _name(entry: BookEntry) -> str:
    return next((seen.company_name for seen in entry.seen if seen.company_name), entry.customer_id)


def _country(entry: BookEntry) -> str:
    return next((seen.country.upper() for seen in entry.seen if seen.country), "")


def _items(entry: BookEntry, context: PlanContext, country: str) -> tuple[PlanItem, ...]:
    held = [one for one in entry.subscriptions if one.tenant_id in context.sources]
    at_target = [one for one in entry.subscriptions if one.tenant_id == context.target.id]
    offers = context.catalog.get(country)  # None: this country's catalog was not read, nothing is said about offers
    spoken_for = {counterpart.target_id for counterpart in context.counterparts.values()}
    free = [one for one in at_target if one.id not in spoken_for and one.wire_status == WireStatus.ACTIVE]
    items = tuple(_item(one, context, offers) for one in sorted(held, key=lambda one: (one.tenant_id, one.id)))
    items = _adopt_bases(items, free)
    items = _adopt_add_ons(items, free)
    if offers is None:
        return items
    return _check_bases(_check_limits(items, entry.subscriptions, offers), offers)


def _item(source: Subscription, context: PlanContext, offers: Mapping[str, Offer] | None) -> PlanItem:
    """One source subscription with its route and target offer, before it is compared with its neighbors."""
    counterpart = context.counterparts.get(source.id)
    route, finding = routes.choose(source)
    if counterpart is not None:
        # ours already: an unfinished cutover goes on whatever the snapshot says, a finished one stays finished
        route, finding = (Route.SKIP if counterpart.suspended_at else Route.RECREATE), None
    item = PlanItem(
        subscription_id=source.id,
        tenant_id=source.tenant_id,
        offer_id=source.offer_id,
        offer_name=source.offer_name,
        friendly_name=source.friendly_name,
        license_count=source.license_count,
        billing_cycle=source.billing_cycle,
        wire_status=source.wire_status,
        route=route,
        parent_id=source.parent_id,
        partner_id_on_record=source.partner_id_on_record,
        target_id=counterpart.target_id if counterpart else None,
        findings=(finding,) if finding else (),
    )
    if offers is None or not item.moves:
        return item
    return _with_target_offer(item, context.mapping, offers)


def _with_target_offer(
    item: PlanItem, mapping: Mapping[OfferId, OfferMapping], offers: Mapping[str, Offer]
) -> PlanItem:
    """Choose what to order: the same offer where it is sold, an approved other one where it is not (R-27, R-121)."""
    same = offers.get(item.offer_id)
    if same is not None and same.is_available:
        return _checked(replace(item, target_offer_id=same.id, target_offer_name=same.name), same)
    mapped = mapping.get(item.offer_id)
    if mapped is None:
        return _add(item, _blocker(
            FindingCode.OFFER_NOT_SOLD, "R-121",
            f"{item.offer_name} ({item.offer_id}) is no longer sold in this country.",
            "Choose an offer to replace it: add a row to the offer mapping file, with who approved it, and plan again."))
    if not mapped.is_approved:
        return _add(item, _blocker(
            FindingCode.MAPPING_NOT_APPROVED, "R-121",
            f"The mapping of {item.offer_name} to {mapped.target_offer_id} has no approver.",
            "Fill in approved_by in the offer mapping file and plan again.", Owner.APPROVER))
    other = offers.get(mapped.target_offer_id)
    if other is None or not other.is_available:
        return _add(item, _blocker(
            FindingCode.OFFER_NOT_SOLD, "R-121",
            f"{item.offer_name} is mapped to {mapped.target_offer_id}, which is not sold in this country either.",
            "Map it to an offer of this country's catalog and plan again."))
    warning = _finding(
        FindingCode.MAPPED_OFFER, Severity.WARNING, "R-119",
        f"{item.offer_name} becomes {other.name} (mapping approved by {mapped.approved_by}); it is another offer, so "
        "licenses must be assigned again.",
        Owner.APPROVER, "Plan the license assignment with the customer.")
    return _checked(_add(replace(item, target_offer_id=other.id, target_offer_name=other.name), warning), other)


def _checked(item: PlanItem, offer: Offer) -> PlanItem:
    """Check the order line against the offer: billing cycle and license count (commerce reference 2.4)."""
    if item.target_id is not None:
        return item  # exists already, nothing will be ordered
    if offer.billing_cycles and item.billing_cycle not in offer.billing_cycles:
        item = _add(item, _blocker(
            FindingCode.BILLING_CYCLE_NOT_SOLD, "R-27",
            f"{offer.name} is sold {' or '.join(offer.billing_cycles)}, not {item.billing_cycle}.",
            "Map it to an offer that is, or change the billing cycle at the source first."))
    if not offer.minimum_quantity <= item.license_count <= offer.maximum_quantity:
        item = _add(item, _blocker(
            FindingCode.LICENSE_COUNT_OUT_OF_RANGE, "R-123",
            f"{offer.name} allows {offer.minimum_quantity} to {offer.maximum_quantity} licenses; the source has "
            f"{item.license_count}.",
            "Change the license count at the source, or map it to another offer."))
    return item


def _adopt_bases(items: tuple[PlanItem, ...], free: list[Subscription]) -> tuple[PlanItem, ...]:
    """Pair planned bases with equal subscriptions that the target has already (adopted, never ordered twice)."""
    return tuple(item if item.is_add_on else _adopt(item, free, None) for item in items)


def _adopt_add_ons(items: tuple[PlanItem, ...], free: list[Subscription]) -> tuple[PlanItem, ...]:
    """An existing add-on is adopted only under the base that was adopted for its own base."""
    target_of = {item.subscription_id: item.target_id for item in items}
    return tuple(
        _adopt(item, free, target_of.get(item.parent_id)) if item.parent_id is not None else item for item in items
    )


def _adopt(item: PlanItem, free: list[Subscription], parent_target_id: SubscriptionId | None) -> PlanItem:
    if not item.moves or item.target_id is not None or item.target_offer_id is None:
        return item
    if item.is_add_on and parent_target_id is None:
        return item
    same = [
        one for one in free
        if one.offer_id == item.target_offer_id and not one.is_trial and one.parent_id == parent_target_id
    ]
    equal = [one for one in same if (one.license_count, one.billing_cycle) == (item.license_count, item.billing_cycle)]
    if equal:
        free.remove(equal[0])
        return _add(replace(item, target_id=equal[0].id), _finding(
            FindingCode.ADOPTS_EXISTING, Severity.WARNING, "R-28",
            f"The target has {item.offer_name} with {item.license_count} licenses already ({equal[0].id}); it is taken "
            "as the counterpart and nothing is ordered.",
            Owner.APPROVER, "If the customer bought it separately, leave this customer out of the list."))
    if same:
        return _add(item, _finding(
            FindingCode.TARGET_HAS_OTHER_COUNT, Severity.WARNING, "R-28",
            f"The target has {item.offer_name} already with {same[0].license_count} licenses "
            f"({same[0].billing_cycle}); it stays, and {item.license_count} more are ordered.",
            Owner.APPROVER, "Check that the customer means to have both."))
    return item


def _check_bases(items: tuple[PlanItem, ...], offers: Mapping[str, Offer]) -> tuple[PlanItem, ...]:
    """Every add-on that moves needs a base that moves and that its offer may stand on (R-124)."""
    by_id = {item.subscription_id: item for item in items}
    return tuple(_check_base(item, by_id, offers) for item in items)


def _check_base(
    item: PlanItem, by_id: Mapping[SubscriptionId, PlanItem], offers: Mapping[str, Offer]
) -> PlanItem:
    if not item.moves or item.parent_id is None or item.target_offer_id is None:
        return item
    base = by_id.get(item.parent_id)
    if base is None or not base.moves:
        return _add(item, _blocker(
            FindingCode.ADD_ON_WITHOUT_BASE, "R-124",
            f"{item.offer_name} is an add-on of {item.parent_id}, which does not move.",
            "Settle the base subscription first."))
    allowed = offers[item.target_offer_id].prerequisite_offers if item.target_offer_id in offers else ()
    if allowed and base.target_offer_id is not None and base.target_offer_id not in allowed:
        return _add(item, _blocker(
            FindingCode.ADD_ON_WITHOUT_BASE, "R-124",
            f"{item.offer_name} cannot be added to {base.target_offer_name}.",
            "Map the base to an offer that takes this add-on, or map the add-on."))
    return item


def _check_limits(
    items: tuple[PlanItem, ...], held: tuple[Subscription, ...], offers: Mapping[str, Offer]
) -> tuple[PlanItem, ...]:
    """Offers limited per customer tenant count all partners' subscriptions, ours twice while both stand (R-122)."""
    standing = Counter(one.offer_id for one in held if one.wire_status in _HELD)
    orders = Counter(item.target_offer_id for item in items if item.moves and item.target_id is None)
    return tuple(_check_limit(item, standing, orders, offers) for item in items)


def _check_limit(
    item: PlanItem, standing: Mapping[OfferId, int], orders: Mapping[OfferId | None, int], offers: Mapping[str, Offer]
) -> PlanItem:
    offer = offers.get(item.target_offer_id or "")
    if offer is None or not item.moves or item.target_id is not None or offer.limit_unit == "None":
        return item
    total = standing.get(offer.id, 0) + orders.get(offer.id, 0)
    if total <= offer.limit:
        return item
    return _add(item, _blocker(
        FindingCode.OFFER_LIMIT_REACHED, "R-122",
        f"{offer.name} may exist {offer.limit} times at one customer; with the new order there would be {total}.",
        "Merge or remove subscriptions of this offer at the source first."))


def _customer_findings(
    entry: BookEntry,
    context: PlanContext,
    country: str,
    sources: tuple[TenantId, ...],
    items: tuple[PlanItem, ...],
) -> tuple[Finding, ...]:
    findings = [
        _blocker(FindingCode.NOT_READ, "invariant 9", f"Could not be read in tenant {tenant}: {reason}",
                 "Take inventory again; if it stays, look at the customer in Partner Center.")
        for tenant, reason in entry.unread
    ]
    if any(item.moves for item in items):
        findings += _place_findings(country, context, entry.seen)
        findings += _move_findings(entry, context, sources, items)
    return tuple(findings)


def _place_findings(country: str, context: PlanContext, seen: tuple[Customer, ...]) -> list[Finding]:
    """Region and country (R-75, R-83; S-8: the region decides, another country warns)."""
    target = context.target.country
    if not country:
        return [_blocker(
            FindingCode.COUNTRY_UNKNOWN, "R-82", "No tenant shows this customer's country.",
            "Read the customer's billing profile in Partner Center; without a country no catalog applies.")]
    if not context.regions.same_region(country, target):
        return [_blocker(
            FindingCode.OUTSIDE_REGION, "R-83",
            f"The customer is in {country} ({context.regions.region_of(country) or 'no CSP region'}), the target tenant "
            f"in {target} ({context.regions.region_of(target) or 'no CSP region'}): it cannot accept the relationship.",
            "Keep this customer in a tenant of its own region.")]
    if country not in context.catalog:
        return [_blocker(
            FindingCode.NOT_READ, "R-27", f"The target tenant's catalog for {country} is not in its newest snapshot.",
            "Take inventory of the target again.")]
    homes = {context.sources[one.tenant_id].country for one in seen if one.tenant_id in context.sources}
    if country not in homes:
        return [_finding(
            FindingCode.OTHER_COUNTRY, Severity.NOTE, "R-82",
            f"The customer is in {country}, its partner tenant in {', '.join(sorted(homes))}; one region, so it may move.",
            Owner.NOBODY, "Nothing.")]
    return []


def _move_findings(
    entry: BookEntry, context: PlanContext, sources: tuple[TenantId, ...], items: tuple[PlanItem, ...]
) -> list[Finding]:
    findings = []
    if len(sources) > 1:
        names = ", ".join(context.sources[tenant].key for tenant in sources)
        findings.append(_finding(
            FindingCode.TWO_SOURCES, Severity.WARNING, "R-101",
            f"The customer is in several source tenants ({names}); all its subscriptions move together.",
            Owner.APPROVER, "Check that both belong to the same consolidation."))
    standing = sum(1 for one in entry.subscriptions if one.wire_status in _HELD)
    orders = sum(1 for item in items if item.moves and item.target_id is None)
    if standing + orders > SUBSCRIPTIONS_PER_CUSTOMER_TENANT:
        findings.append(_blocker(
            FindingCode.SUBSCRIPTION_LIMIT_REACHED, "R-74",
            f"The customer's tenant holds {standing} subscriptions and {orders} would be added; "
            f"{SUBSCRIPTIONS_PER_CUSTOMER_TENANT} are allowed.",
            "Let some expire or remove them before this customer moves (R-131)."))
    if entry.customer_id not in context.contacts:
        findings.append(_finding(
            FindingCode.AGREEMENT_CONTACT_MISSING, Severity.WARNING, "R-113",
            "No contact and date for the Microsoft Customer Agreement were given; unless the customer signed it "
            "directly, it waits before the first order.",
            Owner.OPERATIONS, "Add contact columns and agreed_on for this customer to the list of customers to move."))
    return findings


def _add(item: PlanItem, finding: Finding) -> PlanItem:
    return replace(item, findings=(*item.findings, finding))


def _blocker(
    code: FindingCode, rule: str, detail: str, next_action: str, owner: Owner = Owner.OPERATIONS
) -> Finding:
    return _finding(code, Severity.BLOCKER, rule, detail, owner, next_action)


def _finding(
    code: FindingCode, severity: Severity, rule: str, detail: str, owner: Owner, next_action: str
) -> Finding:
    return Finding(code=code, severity=severity, rule=rule, detail=detail, owner=owner, next_action=next_action)
