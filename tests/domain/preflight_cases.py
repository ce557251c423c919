"""Tests of preflight: customers of every kind, each with what planning knows of it. Nothing here decides."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from tenantfold.domain.facts import AzureCommitment, BillingModel, CustomerFacts
from tenantfold.domain.mapping import OfferMapping
from tenantfold.domain.model import Customer, ModernTerms, Offer, OfferId, Sku, SkuTerm, Subscription, SubscriptionId
from tenantfold.domain.policy import AgreementSource, GovernmentCloud, PartialCustomers, PlanPolicy
from tenantfold.domain.preflight import PlanContext
from tenantfold.domain.records import BookEntry
from tenantfold.domain.software import OwnedSoftware
from tests.domain.samples import (
    C1,
    E3,
    E5,
    SE,
    SOURCES,
    TARGET,
    TODAY,
    VISIO,
    context,
    counterpart,
    customer,
    entry,
    offer,
    source,
    target,
)

SIDE = tuple[BookEntry, PlanContext]
APPROVED = OfferMapping(source_offer_id=E3, target_offer_id=E5, approved_by="Eva")
PROPOSED = OfferMapping(source_offer_id=E3, target_offer_id=E5)
BUSINESS = OfferId("CFQ7TTC0LH18:0001")
TO_NEW = OfferMapping(
    source_offer_id=E3,
    target_offer_id=BUSINESS,
    approved_by="Eva",
    sold_as=SkuTerm(duration="P1Y", billing_cycle="monthly"),
)
GONE = offer("E3", is_available=False)
ADD_ON = offer("VISIO", is_add_on=True, prerequisite_offers=(OfferId("E3"),))
SKU = Sku(id=BUSINESS, title="Business Premium", country="SE", is_sold=True)
OVER = TODAY + timedelta(days=20)  # the end of a term with days of grace
LATE = date(2026, 6, 30)  # the end of one without


def plain(*offers: Offer, **fields: object) -> SIDE:
    """The ordinary customer, and what planning knows."""
    return entry(source()), context(*offers, **fields)


def in_country(country: str, **fields: object) -> SIDE:
    """The ordinary customer in another country, whose catalog was read."""
    catalog = {code: {E3: offer(country=code)} for code in ("SE", "NO", "IE", "US")}
    return entry(source(), seen=(customer(country=country),)), context(catalog=catalog, **fields)


def with_add_on(base_status: str = "active", add_on_offer: Offer = ADD_ON) -> SIDE:
    """A base with an add-on."""
    base = source("s1", wire_status=base_status)
    add_on = source("s2", offer_id=VISIO, parent_id=base.id)
    return entry(base, add_on), context(offer(), add_on_offer)


def held(count: int, gone: int = 0) -> SIDE:
    """So many subscriptions at the source that move, and others there that are known to be over."""
    moving = (source(f"s{number:03}") for number in range(count))
    return entry(*moving, *(source(f"x{number:03}", wire_status="deleted") for number in range(gone))), context()


def standing(moving: int, staying: int) -> SIDE:
    """A customer of whom some subscriptions move and others stand at the target already."""
    others = (target(f"t{number:03}", license_count=9, offer_id=E5) for number in range(staying))
    return entry(*(source(f"s{number:03}") for number in range(moving)), *others), context()


def limited(limit: int, standing: int) -> SIDE:
    """One subscription of an offer that is limited per customer, others stand at the target."""
    others = (target(f"t{number}", license_count=9) for number in range(standing))
    return entry(source(), *others), context(offer(limit_unit="Concurrent", limit=limit))


def begun(*others: Subscription) -> SIDE:
    """A customer whose first subscription stands at the target already, its source not suspended yet."""
    known = {one.source_id: one for one in (counterpart(),)}
    return entry(source(), *others, target()), context(counterparts=known)


def licensed(name: str = "n1", **fields: object) -> Subscription:
    """A new-commerce license without a promotion."""
    value = source(
        name,
        offer_id=f"{BUSINESS}:CFQ7TTC0K971",
        product_type="OnlineServicesNCE",
        modern=ModernTerms(),
        term_duration="P1Y",
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def modern(*subscriptions: Subscription, facts: CustomerFacts | None = None, **fields: object) -> SIDE:
    """A customer of new commerce, with what was looked up of it."""
    known = {C1: facts} if facts is not None else {}
    book = entry(*subscriptions, seen=(customer(email="it@ekdal.example"),))
    return book, context(customer_facts=known, today=TODAY, **fields)


def expiring(
    *others: Subscription, sku: Sku | None = SKU, facts: CustomerFacts | None = None, **fields: object
) -> SIDE:
    """A new-commerce license that cannot be transferred and is bought again when its term ends."""
    held = licensed("n1", **{"commitment_end_on": OVER, **fields})
    products = {"SE": {sku.id: sku}} if sku is not None else {"SE": {}}
    stays = frozenset({held.id})
    known = replace(facts or CustomerFacts(), not_transferable=stays)
    return modern(held, *others, facts=known, products=products)


def without_email() -> SIDE:
    """A customer of new commerce whose address no tenant shows."""
    book, known = modern(licensed())
    return replace(book, seen=(customer(),)), known


def azure(*others: Subscription, facts: CustomerFacts | None = None, **fields: object) -> SIDE:
    """A customer with an Azure plan on both sides."""
    plan = {"offer_id": "DZH318Z0BPS6:0001:DZH318Z0BMTV", "product_type": "Azure", "billing_type": "usage"}
    return modern(source("a1", **plan), target("a2", **plan), *others, facts=facts, **fields)


def without_plan() -> SIDE:
    """The Azure customer whom the target sold no plan."""
    book, known = azure()
    return replace(book, subscriptions=book.subscriptions[:1]), known


def mapped_to_sku(
    sku: Sku | None = SKU, *others: Subscription, count: int = 5, facts: CustomerFacts | None = None
) -> SIDE:
    """A legacy license that an approved mapping turns into new commerce."""
    products = {"SE": {sku.id: sku}} if sku is not None else None
    known = {C1: facts} if facts is not None else {}
    return entry(source(license_count=count), *others), context(
        offer("E5"), mapping={E3: TO_NEW}, products=products, customer_facts=known
    )


def in_part(policy: PartialCustomers, *others: Subscription) -> SIDE:
    """The ordinary customer with others beside it, under this policy."""
    return entry(source(), *others), context(policy=PlanPolicy(partial_customers=policy))


def government(choice: GovernmentCloud = GovernmentCloud.PLAN_ONLY, cloud: str = "us_government") -> SIDE:
    """The ordinary customer in Microsoft Cloud for US Government."""
    return plain(cloud=cloud, policy=PlanPolicy(us_government=choice))


def agreed(*, has: bool | None, source_of: AgreementSource = AgreementSource.CUSTOMER) -> SIDE:
    """The ordinary customer who has accepted the agreement, or not."""
    facts = {C1: CustomerFacts(has_agreement=has)}
    return plain(policy=PlanPolicy(agreement_source=source_of), customer_facts=facts)


def paid(*commitments: AzureCommitment, currency: str = "SEK") -> SIDE:
    """An Azure customer with these reservations; the source tenant pays in this currency, the target in EUR."""
    sources = {SE: replace(SOURCES[SE], currency=currency)}
    return azure(facts=CustomerFacts(azure_commitments=commitments), sources=sources)


def seen_in(*seen: Customer) -> SIDE:
    """The ordinary customer as these tenants see it."""
    return entry(source(), seen=seen), context()


MONTHLY = AzureCommitment(name="VM reservation", status="active", is_monthly=True)
UPFRONT = replace(MONTHLY, is_monthly=False)
UNSURE = replace(MONTHLY, is_monthly=None)
OFF = replace(UPFRONT, status="cancelled")
OPEN = CustomerFacts(in_open_transfer={SubscriptionId("n1"): OVER})
NONE_OPEN = CustomerFacts(in_open_transfer={})
PROMOTED = ModernTerms(promotion_id="39NFJQT1X7KP:0001:39NFJQT1PG1Q")
BY_YEAR = replace(SKU, terms=(SkuTerm(duration="P1Y", billing_cycle="monthly"),))
BY_MONTH = replace(SKU, terms=(SkuTerm(duration="P1M", billing_cycle="monthly"),))
MANY_SEATS = replace(SKU, maximum_quantity=300)
SOFTWARE = licensed(product_type="Software")
OFFICE = OwnedSoftware(sku_id="DG7GMGF0D7FX:0002", count=2, status="valid", order_id="4711")
PROVIDER = {TARGET: BillingModel.INDIRECT_PROVIDER, SE: BillingModel.DIRECT_BILL}
DIRECT = {TARGET: BillingModel.DIRECT_BILL, SE: BillingModel.INDIRECT_PROVIDER}
TO_PROVIDER = {TARGET: BillingModel.INDIRECT_PROVIDER, SE: BillingModel.INDIRECT_RESELLER}
RESELLER = {TARGET: BillingModel.DIRECT_BILL, SE: BillingModel.INDIRECT_RESELLER}
