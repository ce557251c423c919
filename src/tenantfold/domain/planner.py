"""Builds one customer's part of a plan from what the snapshots hold. Reading order 4, second half.

Pure and one customer at a time: a plan over 100,000 customers is a stream of these calls. Routes are chosen in
``domain.routes``, offers here, and what stands in the way is asked of ``domain.preflight``.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date

from tenantfold.domain import routes
from tenantfold.domain.facts import NEEDS_TRANSFERS, NO_FACTS, CustomerFacts, together
from tenantfold.domain.findings import Finding, Severity
from tenantfold.domain.mapping import OfferMapping
from tenantfold.domain.model import (
    KNOWN_BILLING_CYCLES,
    KNOWN_STATUSES,
    Offer,
    OfferId,
    ProductKind,
    Route,
    Sku,
    SkuTerm,
    Subscription,
    SubscriptionId,
    WireStatus,
)
from tenantfold.domain.plan import Disposition, PlanCustomer, PlanItem
from tenantfold.domain.policy import AgreementSource, PartialCustomers
from tenantfold.domain.preflight import PlanContext, Review, customer_findings, with_findings
from tenantfold.domain.preflight.review import sku_id
from tenantfold.domain.preflight.rule import Said
from tenantfold.domain.preflight.whole import CUTOVER_HAS_BEGUN, PART_STAYS
from tenantfold.domain.records import BookEntry
from tenantfold.domain.routes import Market
from tenantfold.domain.states import Counterpart, Origin

Counterparts = Mapping[SubscriptionId, Counterpart]

_OVER = frozenset({Route.SKIP, Route.KEEP, Route.EXPIRE_AND_REBUY})


def build_customer(entry: BookEntry, context: PlanContext) -> PlanCustomer:
    """Plan one customer: a route for every source subscription, findings, and what it means as a whole."""
    review = _reviewed(entry, context)
    attests = context.policy.agreement_source is AgreementSource.LIST and context.has_agreements
    customer = PlanCustomer(
        customer_id=entry.customer_id,
        company_name=_name(entry),
        country=review.country,
        source_tenant_ids=review.sources,
        disposition=Disposition.MOVE,
        items=review.items,
        findings=customer_findings(review),
        contact=context.contacts.get(entry.customer_id) if attests else None,
        at_target_already=any(seen.tenant_id == context.target.id for seen in entry.seen),
        email=review.email if review.is_transferred else "",
    )
    if context.policy.partial_customers is PartialCustomers.ALLOWED:
        customer = _in_part(customer, context.counterparts)
    customer = _finishing(customer, context.counterparts)
    disposition = _disposition(customer, context)
    # most customers move: copying every one of them would be a tenth of all planning
    return customer if disposition is customer.disposition else replace(customer, disposition=disposition)


def _reviewed(entry: BookEntry, context: PlanContext) -> Review:
    """The customer with its items, and what the preflight rules say of each."""
    country = _country(entry)
    sources = tuple(tenant for tenant in context.sources if any(seen.tenant_id == tenant for seen in entry.seen))
    facts = _facts(entry, context)
    skus = context.products.get(country) if context.products is not None else None
    in_region = context.regions.same_region(country, context.target.country) if country else None
    items, free = _items(entry, context, country, facts, skus)
    review = Review(
        entry=entry,
        context=context,
        country=country,
        sources=sources,
        items=items,
        offers=context.catalog.get(country),
        skus=skus,
        facts=facts,
        in_region=in_region,
        free=free,
        unverified=_unverified(entry, context),
    )
    review.items = with_findings(review)
    return review


def _facts(entry: BookEntry, context: PlanContext) -> CustomerFacts:
    """What is known of the customer beside its subscriptions: looked up, or taught by earlier runs."""
    known = context.customer_facts.get(entry.customer_id, NO_FACTS)
    if entry.looked_up:
        known = together(entry.looked_up, entry.subscriptions, context.target.id, known)
    below = context.earlier.with_marketplace.get(entry.customer_id)
    known = known if below is None else replace(known, with_marketplace=below)
    refused = context.earlier.refused.get(entry.customer_id)
    return known if refused is None else replace(known, not_transferable=refused | (known.not_transferable or set()))


def _in_part(customer: PlanCustomer, counterparts: Counterparts) -> PlanCustomer:
    """What cannot move stays, and the rest moves, where the policy allows it (R-32). Base and add-ons stay together.

    A blocker of the customer itself keeps all of it; so does one of every item. What has begun is finished.
    """
    if any(one.severity is Severity.BLOCKER for one in customer.findings):
        return customer
    blocked = {one.parent_id or one.subscription_id for one in customer.items if _is_blocked(one)}
    staying = {one.subscription_id for one in customer.items if (one.parent_id or one.subscription_id) in blocked}
    going = [one for one in customer.items if one.is_carried_out and one.subscription_id not in staying]
    if not blocked or not going:
        return customer
    begun = [one for one in customer.items if _has_begun(one, counterparts)]
    items = tuple(
        replace(one, route=_kept(one, begun), findings=_softened(one.findings))
        if one.subscription_id in staying
        else one
        for one in customer.items
    )
    said = PART_STAYS.finding(Said(f"{len(staying)} of {len(items)} subscriptions stay at the source for now."))
    return replace(customer, items=items, findings=(*customer.findings, said))


def _is_blocked(item: PlanItem) -> bool:
    return any(one.severity is Severity.BLOCKER for one in item.findings)


def _has_begun(item: PlanItem, counterparts: Counterparts) -> bool:
    """Whether something stands for it at the target that is not done yet."""
    return item.is_carried_out and item.subscription_id in counterparts


def _finishing(customer: PlanCustomer, counterparts: Counterparts) -> PlanCustomer:
    """A blocker that appears in the middle of a cutover does not stop what stands at the target already.

    Leaving it half-done would bill both sides (R-33): what has a counterpart is finished, the rest stays where it is.
    """
    if not customer.blockers():
        return customer
    begun = [item for item in customer.items if _has_begun(item, counterparts)]
    if not begun:
        return customer
    items = tuple(replace(item, route=_kept(item, begun), findings=_softened(item.findings)) for item in customer.items)
    note = CUTOVER_HAS_BEGUN.finding(
        Said(f"Its move has begun: {len(begun)} subscription(s) are finished although something new stands in the way.")
    )
    return replace(customer, items=items, findings=(note, *_softened(customer.findings)))


def _kept(item: PlanItem, begun: list[PlanItem]) -> Route:
    return Route.KEEP if item.is_carried_out and item not in begun else item.route


def _softened(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    return tuple(
        replace(one, severity=Severity.WARNING) if one.severity is Severity.BLOCKER else one for one in findings
    )


def _disposition(customer: PlanCustomer, context: PlanContext) -> Disposition:
    counterparts = context.counterparts
    if customer.blockers():
        return Disposition.BLOCKED
    if any(item.is_carried_out for item in customer.items):
        return Disposition.MOVE
    if customer.customer_id in context.earlier.moved or any(_is_done(item, counterparts) for item in customer.items):
        return Disposition.MOVED
    return Disposition.NOTHING_TO_MOVE


def _is_done(item: PlanItem, counterparts: Counterparts) -> bool:
    counterpart = counterparts.get(item.subscription_id)
    return counterpart is not None and counterpart.is_done


def _name(entry: BookEntry) -> str:
    return next((seen.company_name for seen in entry.seen if seen.company_name), entry.customer_id)


def _country(entry: BookEntry) -> str:
    return next((seen.country.upper() for seen in entry.seen if seen.country), "")


def _items(
    entry: BookEntry, context: PlanContext, country: str, facts: CustomerFacts, skus: Mapping[str, Sku] | None
) -> tuple[tuple[PlanItem, ...], tuple[Subscription, ...]]:
    """The items of one customer, and the target subscriptions that stand for none of them."""
    held = [one for one in entry.subscriptions if one.tenant_id in context.sources]
    at_target = [one for one in entry.subscriptions if one.tenant_id == context.target.id]
    offers = context.catalog.get(country)  # None: this country's catalog was not read, nothing is said about offers
    free = [one for one in at_target if one.id not in context.spoken_for and one.wire_status == WireStatus.ACTIVE]
    held.sort(key=lambda one: (one.tenant_id, one.id))
    items = tuple(_item(one, context, offers, context.market(one.tenant_id, country), facts) for one in held)
    items += _carried(entry, context)
    if any(item.route is Route.EXPIRE_AND_REBUY for item in items):
        items = tuple(_bought_again(item, context.mapping, skus) for item in items)
    if offers is not None and context.mapping:
        items = tuple(_with_other_offer(item, context.mapping, offers, skus) for item in items)
    if free:
        items = _adopt_add_ons(_adopt_bases(items, free), free)
    return items, tuple(free)


def _carried(entry: BookEntry, context: PlanContext) -> tuple[PlanItem, ...]:
    """What moves and left its source's list already, as the plan had it: it is followed until the target shows it."""
    carried = context.earlier.carried.get(entry.customer_id, ())
    if not carried:
        return ()
    listed = {one.id for one in entry.subscriptions}
    return tuple(
        replace(item, target_id=_target_of(item, context), findings=())
        for item in carried
        if item.subscription_id not in listed and item.tenant_id in context.sources
    )


def _target_of(item: PlanItem, context: PlanContext) -> SubscriptionId | None:
    counterpart = context.counterparts.get(item.subscription_id)
    return counterpart.target_id if counterpart is not None else None


def _unverified(entry: BookEntry, context: PlanContext) -> tuple[Subscription, ...]:
    """What the target holds of which nobody can say whether it stands for something (invariant 9)."""
    return tuple(
        one
        for one in entry.subscriptions
        if one.tenant_id == context.target.id
        and one.id not in context.spoken_for
        and (one.wire_status not in KNOWN_STATUSES or one.billing_cycle not in KNOWN_BILLING_CYCLES)
    )


def _item(
    source: Subscription,
    context: PlanContext,
    offers: Mapping[str, Offer] | None,
    market: Market,
    customer_facts: CustomerFacts,
) -> PlanItem:
    """One source subscription with its route and target offer, before it is compared with its neighbors."""
    counterpart = context.counterparts.get(source.id)
    facts = routes.facts_of(source, _is_transferable(source, customer_facts))
    route = routes.choose(facts, market).route
    if counterpart is not None:
        route = _begun_route(counterpart, facts.kind, route)
    elif route in _OVER:
        route = _promised(source, facts.kind, route, context)
    # the usual target is the same offer; it is filled in here, because copying an item costs more than making it
    is_ordered = (
        counterpart is not None and counterpart.target_id is not None and source.offer_id not in context.mapping
    )
    offer_id, offer_name = _same_offer(source, offers, is_ordered) if route is Route.RECREATE else (None, "")
    return PlanItem(
        subscription_id=source.id,
        tenant_id=source.tenant_id,
        offer_id=source.offer_id,
        offer_name=source.offer_name,
        friendly_name=source.friendly_name,
        license_count=source.license_count,
        billing_cycle=source.billing_cycle,
        wire_status=source.wire_status,
        route=route,
        target_offer_id=offer_id,
        target_offer_name=offer_name,
        parent_id=source.parent_id,
        partner_id_on_record=source.partner_id_on_record,
        term_duration=source.term_duration,
        kind=facts.kind,
        ends_on=facts.ends_on,
        terms=facts.terms,
        target_id=counterpart.target_id if counterpart else None,
    )


def _begun_route(counterpart: Counterpart, kind: ProductKind, chosen: Route) -> Route:
    """Ours already: what is unfinished goes on its way whatever the snapshot says, what is finished stays finished."""
    if counterpart.is_done:
        return Route.SKIP
    match counterpart.origin:
        case Origin.CREATED | Origin.ADOPTED:
            return Route.RECREATE if kind is ProductKind.LEGACY_LICENSE else chosen
        case Origin.TRANSFERRED | Origin.MERGED:
            return _transfer_of(kind)
        case Origin.REBOUGHT:
            return Route.EXPIRE_AND_REBUY
        case Origin.BY_HAND:
            return Route.AZURE_SUPPORT if kind is ProductKind.LEGACY_AZURE else Route.MANUAL


def _promised(source: Subscription, kind: ProductKind, chosen: Route, context: PlanContext) -> Route:
    """What left the source by our own doing, or ran out as planned, is followed until it stands at the target."""
    if source.id in context.earlier.under_way and kind in NEEDS_TRANSFERS:
        return _transfer_of(kind)
    if source.id in context.earlier.promised and chosen is Route.SKIP and _has_run_out(source, context.today):
        return Route.EXPIRE_AND_REBUY
    return chosen


def _has_run_out(source: Subscription, today: date | None) -> bool:
    """Whether it is over because its term is, and not because somebody ended it before."""
    return source.commitment_end_on is not None and today is not None and source.commitment_end_on <= today


def _transfer_of(kind: ProductKind) -> Route:
    if kind is ProductKind.LEGACY_AZURE:
        return Route.AZURE_SUPPORT
    return Route.TRANSFER if kind is ProductKind.LICENSE else Route.AZURE_TRANSFER


def _is_transferable(source: Subscription, facts: CustomerFacts) -> bool | None:
    """Only a refusal is ever known: no call says beforehand what may be transferred (R-155)."""
    return False if facts.not_transferable and source.id in facts.not_transferable else None


def _same_offer(
    source: Subscription,
    offers: Mapping[str, Offer] | None,
    is_ordered: bool,  # noqa: FBT001 - a fact
) -> tuple[OfferId | None, str]:
    """The offer of the source, where the target sells it (R-27), or sold it when it was ordered."""
    if offers is None:
        return None, ""
    same = offers.get(source.offer_id)
    if same is not None and same.is_available:
        return same.id, same.name
    return (source.offer_id, source.offer_name) if is_ordered else (None, "")


def _bought_again(item: PlanItem, mapping: Mapping[OfferId, OfferMapping], skus: Mapping[str, Sku] | None) -> PlanItem:
    """What is bought when a term ends: the same product on the same terms, or what an approved mapping names."""
    if item.route is not Route.EXPIRE_AND_REBUY:
        return item
    wanted, sold_as = sku_id(item.offer_id), SkuTerm(duration=item.term_duration, billing_cycle=item.billing_cycle)
    mapped = mapping.get(wanted)
    if mapped is not None and mapped.is_approved and mapped.sold_as is not None:
        wanted, sold_as = mapped.target_offer_id, mapped.sold_as
    sku = skus.get(wanted) if skus is not None else None
    if sku is not None and not sku.sells(sold_as):
        return item  # the rules name it: nothing is ordered on other terms than a person chose
    name = sku.title if sku is not None else item.offer_name
    return replace(item, target_offer_id=wanted, target_offer_name=name, sold_as=sold_as)


def _with_other_offer(
    item: PlanItem,
    mapping: Mapping[OfferId, OfferMapping],
    offers: Mapping[str, Offer],
    skus: Mapping[str, Sku] | None,
) -> PlanItem:
    """Order what an approved mapping names where the same offer is not sold (R-121); else leave it to the rules."""
    mapped = mapping.get(item.offer_id) if item.moves and item.target_offer_id is None else None
    if mapped is None or not mapped.is_approved:
        return item
    if mapped.sold_as is not None:
        sku = skus.get(mapped.target_offer_id) if skus is not None else None
        if skus is not None and (sku is None or not sku.is_sold or not sku.sells(mapped.sold_as)):
            return item
        name = sku.title if sku else mapped.target_offer_id
        return replace(item, target_offer_id=mapped.target_offer_id, target_offer_name=name, sold_as=mapped.sold_as)
    other = offers.get(mapped.target_offer_id)
    if other is None or not other.is_available:
        return item
    return replace(item, target_offer_id=other.id, target_offer_name=other.name)


def _adopt_bases(items: tuple[PlanItem, ...], free: list[Subscription]) -> tuple[PlanItem, ...]:
    """Pair planned bases with equal subscriptions that the target has already (adopted, never ordered twice).

    Among equal ones their add-ons tell which stands for which: else an add-on would be ordered beside its like.
    """
    theirs = _families((one.parent_id, one.offer_id, one.license_count) for one in free)
    ours = _families((one.parent_id, one.target_offer_id, one.license_count) for one in items if one.moves)
    kin = {
        item.subscription_id: [one for one in free if theirs[one.id] == ours[item.subscription_id]]
        for item in items
        if not item.is_add_on
    }
    for of_family in (True, False):
        found = []
        for item in items:
            choices = [one for one in kin.get(item.subscription_id, ()) if one in free] if of_family else free
            adopted = item if item.is_add_on else _adopt(item, choices, None)
            if of_family and adopted is not item:
                free[:] = [one for one in free if one.id != adopted.target_id]
            found.append(adopted)
        items = tuple(found)
    return items


Family = Counter[tuple[str | None, int]]


def _families(members: Iterable[tuple[SubscriptionId | None, str | None, int]]) -> Mapping[SubscriptionId, Family]:
    """Offers and license counts of the add-ons by their base; a base without has an empty family."""
    found: dict[SubscriptionId, Family] = defaultdict(Counter)
    for parent_id, offer_id, license_count in members:
        if parent_id is not None:
            found[parent_id][offer_id, license_count] += 1
    return found


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
    if not equal:
        return item
    free.remove(equal[0])
    return replace(item, target_id=equal[0].id)
