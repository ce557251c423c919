"""Builds one customer's part of a plan from what the snapshots hold. Reading order 4, second half.

Pure and one customer at a time: a plan over 100,000 customers is a stream of these calls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from tenantfold.domain import routes
from tenantfold.domain.findings import Finding, FindingCode, Severity
from tenantfold.domain.mapping import OfferMapping
from tenantfold.domain.model import (
    Offer,
    OfferId,
    Route,
    Subscription,
    SubscriptionId,
    WireStatus,
)
from tenantfold.domain.plan import Disposition, PlanCustomer, PlanItem
from tenantfold.domain.preflight import HELD, PlanContext, blocker, customer_findings, finding
from tenantfold.domain.records import BookEntry
from tenantfold.domain.states import Counterpart, Owner


def build_customer(entry: BookEntry, context: PlanContext) -> PlanCustomer:
    """Plan one customer: a route for every source subscription, findings, and what it means as a whole."""
    country = _country(entry)
    sources = tuple(tenant for tenant in context.sources if any(seen.tenant_id == tenant for seen in entry.seen))
    items = _items(entry, context, country)
    findings = customer_findings(entry, context, country, sources, items)
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
    customer = _finishing(customer, context.counterparts)
    disposition = _disposition(customer, context.counterparts)
    # most customers move: copying every one of them would be a tenth of all planning
    return customer if disposition is customer.disposition else replace(customer, disposition=disposition)


def _finishing(customer: PlanCustomer, counterparts: Mapping[SubscriptionId, Counterpart]) -> PlanCustomer:
    """A blocker that appears in the middle of a cutover does not stop what stands at the target already.

    Leaving it half-done would bill both sides (R-33): what has a counterpart is finished, the rest stays where it is.
    """
    blockers = customer.blockers()
    begun = [item for item in customer.items if item.moves and item.subscription_id in counterparts]
    if not blockers or not begun:
        return customer
    items = tuple(replace(item, route=_kept(item, begun), findings=_softened(item.findings)) for item in customer.items)
    note = finding(
        FindingCode.CUTOVER_HAS_BEGUN,
        Severity.WARNING,
        "R-33",
        f"Its cutover has begun: {len(begun)} subscription(s) are finished although something new stands in the way.",
        Owner.OPERATIONS,
        "Take inventory and plan again afterwards: what is left shows as blocked then.",
    )
    return replace(customer, items=items, findings=(note, *_softened(customer.findings)))


def _kept(item: PlanItem, begun: list[PlanItem]) -> Route:
    return Route.KEEP if item.moves and item not in begun else item.route


def _softened(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    return tuple(
        replace(one, severity=Severity.WARNING) if one.severity is Severity.BLOCKER else one for one in findings
    )


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
    free = [one for one in at_target if one.id not in context.spoken_for and one.wire_status == WireStatus.ACTIVE]
    items = tuple(_item(one, context, offers) for one in sorted(held, key=lambda one: (one.tenant_id, one.id)))
    if free:
        items = _adopt_add_ons(_adopt_bases(items, free), free)
    if offers is None:
        return items
    return _check_bases(_check_limits(items, entry.subscriptions, offers), offers)


def _item(source: Subscription, context: PlanContext, offers: Mapping[str, Offer] | None) -> PlanItem:
    """One source subscription with its route and target offer, before it is compared with its neighbors."""
    counterpart = context.counterparts.get(source.id)
    route, noted = routes.choose(source)
    if counterpart is not None:
        # ours already: an unfinished cutover goes on whatever the snapshot says, a finished one stays finished
        route, noted = (Route.SKIP if counterpart.suspended_at else Route.RECREATE), None
    # the usual target is the same offer; it is filled in here, because copying an item costs more than making it
    same = _same_offer(source, offers) if route is Route.RECREATE else None
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
        target_offer_id=same.id if same else None,
        target_offer_name=same.name if same else "",
        parent_id=source.parent_id,
        partner_id_on_record=source.partner_id_on_record,
        term_duration=source.term_duration,
        target_id=counterpart.target_id if counterpart else None,
        findings=(noted,) if noted else (),
    )
    if same is not None:
        return _checked(item, same)
    if offers is None or not item.moves:
        return item
    return _with_other_offer(item, context.mapping, offers)


def _same_offer(source: Subscription, offers: Mapping[str, Offer] | None) -> Offer | None:
    """The offer of the source, where the target sells it (R-27)."""
    same = offers.get(source.offer_id) if offers is not None else None
    return same if same is not None and same.is_available else None


def _with_other_offer(item: PlanItem, mapping: Mapping[OfferId, OfferMapping], offers: Mapping[str, Offer]) -> PlanItem:
    """Choose what to order where the same offer is not sold: an approved other one (R-121)."""
    mapped = mapping.get(item.offer_id)
    if mapped is None and item.target_id is not None:  # ordered when it was still sold
        return replace(item, target_offer_id=item.offer_id, target_offer_name=item.offer_name)
    if mapped is None:
        return _add(
            item,
            blocker(
                FindingCode.OFFER_NOT_SOLD,
                "R-121",
                f"{item.offer_name} ({item.offer_id}) is no longer sold in this country.",
                "Choose another (tenantfold catalog COUNTRY), add an approved row to the mapping file, plan again.",
            ),
        )
    if not mapped.is_approved:
        return _add(
            item,
            blocker(
                FindingCode.MAPPING_NOT_APPROVED,
                "R-121",
                f"The mapping of {item.offer_name} to {mapped.target_offer_id} has no approver.",
                "Fill in approved_by in the offer mapping file and plan again.",
                Owner.APPROVER,
            ),
        )
    other = offers.get(mapped.target_offer_id)
    if other is None or not other.is_available:
        return _add(
            item,
            blocker(
                FindingCode.OFFER_NOT_SOLD,
                "R-121",
                f"{item.offer_name} is mapped to {mapped.target_offer_id}, which is not sold in this country either.",
                "Map it to an offer of this country's catalog and plan again.",
            ),
        )
    warning = finding(
        FindingCode.MAPPED_OFFER,
        Severity.WARNING,
        "R-119",
        f"{item.offer_name} becomes {other.name} (mapping approved by {mapped.approved_by}); it is another offer, so "
        "licenses must be assigned again.",
        Owner.APPROVER,
        "Plan the license assignment with the customer.",
    )
    return _checked(_add(replace(item, target_offer_id=other.id, target_offer_name=other.name), warning), other)


def _checked(item: PlanItem, offer: Offer) -> PlanItem:
    """Check the order line against the offer: billing cycle and license count (commerce reference 2.4)."""
    if item.target_id is not None:
        return item  # exists already, nothing will be ordered
    if offer.billing_cycles and item.billing_cycle not in offer.billing_cycles:
        item = _add(
            item,
            blocker(
                FindingCode.BILLING_CYCLE_NOT_SOLD,
                "R-27",
                f"{offer.name} is sold {' or '.join(offer.billing_cycles)}, not {item.billing_cycle}.",
                "Map it to an offer that is, or change the billing cycle at the source first.",
            ),
        )
    if not offer.minimum_quantity <= item.license_count <= offer.maximum_quantity:
        item = _add(
            item,
            blocker(
                FindingCode.LICENSE_COUNT_OUT_OF_RANGE,
                "R-123",
                f"{offer.name} allows {offer.minimum_quantity} to {offer.maximum_quantity} licenses; the source has "
                f"{item.license_count}.",
                "Change the license count at the source, or map it to another offer.",
            ),
        )
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
        one
        for one in free
        if one.offer_id == item.target_offer_id and not one.is_trial and one.parent_id == parent_target_id
    ]
    equal = [one for one in same if (one.license_count, one.billing_cycle) == (item.license_count, item.billing_cycle)]
    if equal:
        free.remove(equal[0])
        return _add(
            replace(item, target_id=equal[0].id),
            finding(
                FindingCode.ADOPTS_EXISTING,
                Severity.WARNING,
                "R-28",
                f"The target has {item.offer_name} with {item.license_count} licenses already ({equal[0].id}); it is "
                "taken as the counterpart and nothing is ordered.",
                Owner.APPROVER,
                "If the customer bought it separately, leave this customer out of the list.",
            ),
        )
    if same:
        return _add(
            item,
            finding(
                FindingCode.TARGET_HAS_OTHER_COUNT,
                Severity.WARNING,
                "R-28",
                f"The target has {item.offer_name} already with {same[0].license_count} licenses "
                f"({same[0].billing_cycle}); it stays, and {item.license_count} more are ordered.",
                Owner.APPROVER,
                "Check that the customer means to have both.",
            ),
        )
    return item


def _check_bases(items: tuple[PlanItem, ...], offers: Mapping[str, Offer]) -> tuple[PlanItem, ...]:
    """Every add-on that moves needs a base that moves and that its offer may stand on (R-124)."""
    by_id = {item.subscription_id: item for item in items}
    return tuple(_check_base(item, by_id, offers) for item in items)


def _check_base(item: PlanItem, by_id: Mapping[SubscriptionId, PlanItem], offers: Mapping[str, Offer]) -> PlanItem:
    if not item.moves or item.parent_id is None or item.target_offer_id is None:
        return item
    base = by_id.get(item.parent_id)
    if base is None or not base.moves:
        return _add(
            item,
            blocker(
                FindingCode.ADD_ON_WITHOUT_BASE,
                "R-124",
                f"{item.offer_name} is an add-on of {item.parent_id}, which does not move.",
                "Settle the base subscription first.",
            ),
        )
    allowed = offers[item.target_offer_id].prerequisite_offers if item.target_offer_id in offers else ()
    if allowed and base.target_offer_id is not None and base.target_offer_id not in allowed:
        return _add(
            item,
            blocker(
                FindingCode.ADD_ON_WITHOUT_BASE,
                "R-124",
                f"{item.offer_name} cannot be added to {base.target_offer_name}.",
                "Map the base to an offer that takes this add-on, or map the add-on.",
            ),
        )
    return item


def _check_limits(
    items: tuple[PlanItem, ...], held: tuple[Subscription, ...], offers: Mapping[str, Offer]
) -> tuple[PlanItem, ...]:
    """Offers limited per customer tenant count all partners' subscriptions, ours twice while both stand (R-122)."""
    standing = Counter(one.offer_id for one in held if one.wire_status in HELD)
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
    return _add(
        item,
        blocker(
            FindingCode.OFFER_LIMIT_REACHED,
            "R-122",
            f"{offer.name} may exist {offer.limit} times at one customer; with the new order there would be {total}.",
            "Merge or remove subscriptions of this offer at the source first.",
        ),
    )


def _add(item: PlanItem, found: Finding) -> PlanItem:
    return replace(item, findings=(*item.findings, found))
