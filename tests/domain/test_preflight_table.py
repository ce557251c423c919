"""Preflight: every rule of the table, once where it must speak and once where it must not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest

from tenantfold.domain.facts import AzureCommitment, BillingModel, CustomerFacts
from tenantfold.domain.findings import Finding, FindingCode, Severity
from tenantfold.domain.mapping import OfferMapping
from tenantfold.domain.model import Customer, ModernTerms, Offer, OfferId, Sku, SkuTerm, Subscription, SubscriptionId
from tenantfold.domain.plan import Disposition, PlanCustomer
from tenantfold.domain.planner import build_customer
from tenantfold.domain.policy import AgreementSource, GovernmentCloud, PartialCustomers, PlanPolicy
from tenantfold.domain.preflight import RULES, PlanContext, Rule
from tenantfold.domain.records import BookEntry
from tenantfold.domain.states import Owner
from tests.domain.samples import (
    C1,
    CENTRAL,
    E3,
    E5,
    NO,
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
BY_NAME = {rule.name: rule for rule in RULES}


@dataclass(frozen=True)
class Row:
    """A customer of whom this rule must speak, and its nearest neighbor of whom it must not."""

    rule: str
    said: SIDE
    unsaid: SIDE
    about: str = ""
    unverified: bool = False

    def __str__(self) -> str:
        """The test's name."""
        return f"{BY_NAME[self.rule].rules[0]} {self.rule}{' ' if self.about else ''}{self.about}"


def _plain(*offers: Offer, **fields: object) -> SIDE:
    return entry(source()), context(*offers, **fields)


def _in_country(country: str, **fields: object) -> SIDE:
    """The ordinary customer in another country, whose catalog was read."""
    catalog = {code: {E3: offer(country=code)} for code in ("SE", "NO", "IE", "US")}
    return entry(source(), seen=(customer(country=country),)), context(catalog=catalog, **fields)


def _with_add_on(base_status: str = "active", add_on_offer: Offer = ADD_ON) -> SIDE:
    base = source("s1", wire_status=base_status)
    add_on = source("s2", offer_id=VISIO, parent_id=base.id)
    return entry(base, add_on), context(offer(), add_on_offer)


def _held(count: int, gone: int = 0) -> SIDE:
    """So many subscriptions at the source that move, and others there that are known to be over."""
    moving = (source(f"s{number:03}") for number in range(count))
    return entry(*moving, *(source(f"x{number:03}", wire_status="deleted") for number in range(gone))), context()


def _standing(moving: int, staying: int) -> SIDE:
    """A customer of whom some subscriptions move and others stand at the target already."""
    others = (target(f"t{number:03}", license_count=9, offer_id=E5) for number in range(staying))
    return entry(*(source(f"s{number:03}") for number in range(moving)), *others), context()


def _limited(limit: int, standing: int) -> SIDE:
    """One subscription of an offer that is limited per customer, others stand at the target."""
    others = (target(f"t{number}", license_count=9) for number in range(standing))
    return entry(source(), *others), context(offer(limit_unit="Concurrent", limit=limit))


def _begun(*others: Subscription) -> SIDE:
    """A customer whose first subscription stands at the target already, its source not suspended yet."""
    known = {one.source_id: one for one in (counterpart(),)}
    return entry(source(), *others, target()), context(counterparts=known)


def _license(name: str = "n1", **fields: object) -> Subscription:
    """A new-commerce license without a promotion."""
    value = source(
        name,
        offer_id=f"{BUSINESS}:CFQ7TTC0K971",
        product_type="OnlineServicesNCE",
        modern=ModernTerms(),
        term_duration="P1Y",
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def _modern(*subscriptions: Subscription, facts: CustomerFacts | None = None, **fields: object) -> SIDE:
    """A customer of new commerce, with what was looked up of it."""
    known = {C1: facts} if facts is not None else {}
    return entry(*subscriptions), context(customer_facts=known, today=TODAY, **fields)


def _expiring(
    *others: Subscription, sku: Sku | None = SKU, facts: CustomerFacts | None = None, **fields: object
) -> SIDE:
    """A new-commerce license that cannot be transferred and is bought again when its term ends."""
    held = _license("n1", **{"commitment_end_on": OVER, **fields})
    products = {"SE": {sku.id: sku}} if sku is not None else {"SE": {}}
    stays = frozenset({held.id})
    known = replace(facts or CustomerFacts(), not_transferable=stays)
    return _modern(held, *others, facts=known, products=products)


def _azure(*others: Subscription, facts: CustomerFacts | None = None, **fields: object) -> SIDE:
    """A customer with an Azure plan on both sides."""
    plan = {"offer_id": "DZH318Z0BPS6:0001:DZH318Z0BMTV", "product_type": "Azure", "billing_type": "usage"}
    return _modern(source("a1", **plan), target("a2", **plan), *others, facts=facts, **fields)


def _without_plan() -> SIDE:
    book, known = _azure()
    return replace(book, subscriptions=book.subscriptions[:1]), known


def _mapped_to_sku(sku: Sku | None = SKU, *others: Subscription, count: int = 5) -> SIDE:
    products = {"SE": {sku.id: sku}} if sku is not None else None
    return entry(source(license_count=count), *others), context(offer("E5"), mapping={E3: TO_NEW}, products=products)


def _in_part(policy: PartialCustomers, *others: Subscription) -> SIDE:
    return entry(source(), *others), context(policy=PlanPolicy(partial_customers=policy))


def _government(choice: GovernmentCloud = GovernmentCloud.PLAN_ONLY, cloud: str = "us_government") -> SIDE:
    return _plain(cloud=cloud, policy=PlanPolicy(us_government=choice))


def _agreed(*, has: bool | None, source_of: AgreementSource = AgreementSource.CUSTOMER) -> SIDE:
    facts = {C1: CustomerFacts(has_agreement=has)}
    return _plain(policy=PlanPolicy(agreement_source=source_of), customer_facts=facts)


def _paid(*commitments: AzureCommitment, currency: str = "SEK") -> SIDE:
    """An Azure customer with these reservations; the source tenant pays in this currency, the target in EUR."""
    sources = {SE: replace(SOURCES[SE], currency=currency)}
    return _azure(facts=CustomerFacts(azure_commitments=commitments), sources=sources)


def _seen(*seen: Customer) -> SIDE:
    return entry(source(), seen=seen), context()


MONTHLY = AzureCommitment(name="VM reservation", status="active", is_monthly=True)
UPFRONT = replace(MONTHLY, is_monthly=False)
OFF = replace(UPFRONT, status="cancelled")
OPEN = CustomerFacts(in_open_transfer=frozenset({SubscriptionId("n1")}))
NONE_OPEN = CustomerFacts(in_open_transfer=frozenset())
PROMOTED = ModernTerms(promotion_id="39NFJQT1X7KP:0001:39NFJQT1PG1Q")
MANY_SEATS = replace(SKU, maximum_quantity=300)
SOFTWARE = _license(product_type="Software")
PROVIDER = {TARGET: BillingModel.INDIRECT_PROVIDER, SE: BillingModel.DIRECT_BILL}
RESELLER = {TARGET: BillingModel.DIRECT_BILL, SE: BillingModel.INDIRECT_RESELLER}

ROWS = [
    # region, country, cloud
    Row("customer_not_read", (entry(source(), unread=((TARGET, "no access"),)), context()), _plain()),
    Row("customer_not_read", (entry(unread=((SE, "no access"),)), context()), (entry(), context()), "nothing is known"),
    Row("country_unknown", _in_country(""), _in_country("SE")),
    Row("outside_region", _in_country("US"), _in_country("NO")),
    Row("outside_region", _in_country("XX"), _in_country("se"), "country of no region"),
    Row("catalog_not_read", _plain(catalog={"NO": {}}), _plain()),
    Row("other_country", _in_country("NO"), _in_country("SE")),
    Row("cloud_plan_only", _government(), _government(GovernmentCloud.MOVE)),
    Row("cloud_plan_only", _government(), _government(cloud="commercial"), "commercial cloud"),
    # agreement and partner ids
    Row("agreement_contact_missing", _plain(contacts={}), _plain()),
    Row("agreement_contact_missing", _plain(contacts={}), _agreed(has=True), "signed by the customer"),
    Row("agreement_missing", _agreed(has=False), _agreed(has=True)),
    Row(
        "agreement_missing", _agreed(has=False), _agreed(has=False, source_of=AgreementSource.LIST), "attested by list"
    ),
    Row("agreement_missing", _agreed(has=None), _agreed(has=True), "nobody looked", unverified=True),
    Row("partner_id_missing", _plain(target=replace(CENTRAL, partner_id="")), _plain()),
    Row(
        "reseller_missing",
        (entry(source(), source("s2", partner_id_on_record="517285")), context()),
        (entry(source(partner_id_on_record="517285"), source("s2", partner_id_on_record="517285")), context()),
    ),
    Row("reseller_missing", _plain(billing_models=PROVIDER), _plain(), "sold through a provider"),
    # what is ordered
    Row("offer_not_sold", _plain(offer("E5")), _plain(), "offer unknown"),
    Row("offer_not_sold", _plain(GONE), _plain(GONE, offer("E5"), mapping={E3: APPROVED}), "withdrawn"),
    Row(
        "mapped_offer_not_sold",
        _plain(GONE, offer("E5", is_available=False), mapping={E3: APPROVED}),
        _plain(GONE, offer("E5"), mapping={E3: APPROVED}),
    ),
    Row(
        "mapping_not_approved",
        _plain(GONE, offer("E5"), mapping={E3: PROPOSED}),
        _plain(GONE, offer("E5"), mapping={E3: APPROVED}),
    ),
    Row(
        "mapped_offer",
        _plain(GONE, offer("E5"), mapping={E3: APPROVED}),
        _plain(offer(), offer("E5"), mapping={E3: APPROVED}),
    ),
    Row("mapped_to_new_commerce", _mapped_to_sku(), _plain(GONE, offer("E5"), mapping={E3: APPROVED})),
    Row("mapped_offer_not_sold", _mapped_to_sku(replace(SKU, is_sold=False)), _mapped_to_sku(), "SKU"),
    Row("billing_cycle_not_sold", _plain(offer(billing_cycles=("annual",))), _plain(offer(billing_cycles=()))),
    Row("license_count_out_of_range", _plain(offer(maximum_quantity=4)), _plain(offer(maximum_quantity=5)), "too many"),
    Row("license_count_out_of_range", _plain(offer(minimum_quantity=6)), _plain(offer(minimum_quantity=5)), "too few"),
    Row("add_on_without_base", _with_add_on("suspended"), _with_add_on(), "base does not move"),
    Row(
        "add_on_without_base",
        (entry(source("s2", offer_id=VISIO, parent_id="s9")), context(ADD_ON)),
        _with_add_on(),
        "base not listed",
    ),
    Row(
        "add_on_of_other_offer",
        _with_add_on(add_on_offer=offer("VISIO", prerequisite_offers=(E5,))),
        _with_add_on(add_on_offer=offer("VISIO")),
    ),
    Row(
        "prerequisite_missing",
        _expiring(sku=replace(SKU, is_add_on=True, prerequisites=(OfferId("CFQ7TTC0LF8S:0002"),))),
        _expiring(
            _license("n2", offer_id="CFQ7TTC0LF8S:0002:CFQ7TTC0K000"),
            sku=replace(SKU, is_add_on=True, prerequisites=(OfferId("CFQ7TTC0LF8S:0002"),)),
        ),
    ),
    Row("product_not_sold", _expiring(sku=replace(SKU, is_sold=False)), _expiring()),
    Row("product_not_sold", _expiring(sku=None), _expiring(), "unknown in this country"),
    # how much a customer may hold
    Row("subscription_limit_reached", _held(151), _held(150)),
    Row("subscription_limit_reached", _held(151), _held(150, gone=20), "what is over does not count"),
    Row("many_subscriptions", _standing(1, 150), _standing(1, 149)),
    Row("offer_limit_reached", _limited(2, 1), _limited(3, 1)),
    Row("one_per_customer", _limited(1, 0), _limited(2, 0), "source and target together"),
    Row(
        "seat_maximum_reached",
        _mapped_to_sku(MANY_SEATS, _license(license_count=151), count=150),
        _mapped_to_sku(MANY_SEATS, _license(license_count=150), count=150),
    ),
    Row("seat_maximum_reached", _mapped_to_sku(None), _mapped_to_sku(MANY_SEATS), "SKUs not read", unverified=True),
    Row(
        "seats_cannot_be_doubled",
        _expiring(sku=MANY_SEATS, license_count=151),
        _expiring(sku=MANY_SEATS, license_count=150),
        "above half",
    ),
    Row(
        "seats_cannot_be_doubled",
        _expiring(sku=MANY_SEATS, license_count=100, facts=CustomerFacts(seats_elsewhere={BUSINESS: 101})),
        _expiring(sku=MANY_SEATS, license_count=100, facts=CustomerFacts(seats_elsewhere={BUSINESS: 100})),
        "seats at other partners",
    ),
    Row("seats_cannot_be_doubled", _expiring(sku=None), _expiring(), "SKU not read", unverified=True),
    # price, promotions, end dates
    Row("promotion_lost", _expiring(modern=PROMOTED), _expiring()),
    Row("promotion_lost", _expiring(modern=None), _expiring(), "nobody looked", unverified=True),
    Row("promotion_in_transfer", _modern(_license(modern=PROMOTED)), _modern(_license()), unverified=True),
    Row(
        "end_dates_split",
        _expiring(_license("n2", commitment_end_on=OVER)),
        _expiring(_license("n2", commitment_end_on=LATE)),
    ),
    Row("auto_renew_on", _expiring(auto_renew=True), _expiring()),
    Row("extended_term", _expiring(commitment_end_on=LATE), _expiring()),
    Row("grace_ends", _expiring(wire_status="expired"), _expiring()),
    # Azure
    Row("azure_plan_missing", _without_plan(), _azure()),
    Row("reservation_inactive", _paid(OFF), _paid(UPFRONT)),
    Row("reservation_inactive", _azure(), _paid(), "nobody looked", unverified=True),
    Row("reservation_currency", _paid(MONTHLY), _paid(UPFRONT)),
    Row("reservation_currency", _paid(MONTHLY), _paid(MONTHLY, currency="EUR"), "one currency"),
    Row("reservation_currency", _paid(MONTHLY, currency=""), _paid(UPFRONT), "currency not known", unverified=True),
    Row("reservation_currency", _azure(), _paid(), "nobody looked", unverified=True),
    # both sides, transfers, kinds
    Row("two_sources", _seen(customer(), customer(tenant_id=NO)), _seen(customer(), customer(tenant_id=TARGET))),
    Row(
        "same_sku_twice",
        (entry(source(), source("s2")), context()),
        (entry(source(), source("s2", offer_id=E5)), context(offer("E3"), offer("E5"))),
    ),
    Row(
        "same_sku_twice", _modern(_license(), _license("n2", offer_id=f"{BUSINESS}:CFQ7TTC0K000")), _modern(_license())
    ),
    Row("open_transfer", _modern(_license(), facts=OPEN), _modern(_license(), facts=NONE_OPEN)),
    Row("open_transfer", _modern(_license()), _modern(_license(), facts=NONE_OPEN), "nobody looked", unverified=True),
    Row("adopts_existing", (entry(source(), target()), context()), _plain()),
    Row(
        "target_has_other_count",
        (entry(source(), target(license_count=6)), context()),
        (entry(source(), target()), context()),
    ),
    Row(
        "target_not_verified",
        (entry(source(), target(billing_cycle="never_seen_before", wire_status="frozen")), context()),
        (entry(source(), target(offer_id="SOMETHING-ELSE", wire_status="frozen")), context()),
    ),
    Row("unknown_status", (entry(source(wire_status="frozen")), context()), _plain()),
    Row("needs_transfer", _modern(_license()), _plain()),
    Row("needs_azure_transfer", _azure(), _plain()),
    Row("needs_azure_support", (entry(source(billing_type="usage")), context()), _plain()),
    Row("needs_expiry", _expiring(), _modern(_license())),
    Row("software_by_hand", _modern(SOFTWARE), _modern(_license())),
    Row("marketplace_by_hand", _modern(_license(product_type="SaaS")), _modern(SOFTWARE)),
    Row("reseller_cannot_transfer", _modern(_license(), billing_models=RESELLER), _modern(_license())),
    Row("unknown_kind", (entry(source(billing_type="benefit")), context()), _modern(SOFTWARE)),
    Row("not_transferable", _expiring(), _modern(_license(), facts=CustomerFacts(not_transferable=frozenset()))),
    Row("trial_runs_out", (entry(source(is_trial=True)), context()), _plain()),
    Row(
        "trial_runs_out",
        _modern(_license(is_trial=True)),
        _modern(_license(is_trial=True, auto_renew=True)),
        "unless it becomes a paid one",
    ),
    Row("trial_becomes_paid", _modern(_license(is_trial=True, auto_renew=True)), _modern(_license(is_trial=True))),
    Row(
        "still_billed", _modern(_license(wire_status="suspended")), (entry(source(wire_status="suspended")), context())
    ),
    # the customer as a whole
    Row("cutover_has_begun", _begun(source("s2", wire_status="frozen")), _begun()),
    Row(
        "part_stays",
        _in_part(PartialCustomers.ALLOWED, source("s2", wire_status="frozen")),
        _in_part(PartialCustomers.ALL_OR_NOTHING, source("s2", wire_status="frozen")),
    ),
    Row("nothing_to_move", (entry(source(wire_status="deleted")), context()), _plain()),
    Row(
        "nothing_to_move",
        (entry(source(is_trial=True)), context()),
        (entry(unread=((SE, "no access"),)), context()),
        "unread is not nothing",
    ),
]


def test_no_rule_is_without_a_case():
    """A new rule needs a row here."""
    assert {row.rule for row in ROWS} == set(BY_NAME)


def test_no_finding_is_without_a_rule():
    """Every code that planning can give comes from the table; names are used once."""
    assert {rule.code for rule in RULES} | {FindingCode.NOT_VERIFIED} == set(FindingCode)
    assert len(BY_NAME) == len(RULES)


def _found(plan: PlanCustomer, rule: Rule, *, unverified: bool) -> list[Finding]:
    code = FindingCode.NOT_VERIFIED if unverified else rule.code
    found = [one for one in plan.all_findings() if (one.code, one.rule) == (code, rule.rules[0])]
    usual = [one for one in found if one.next_action == rule.how]
    return usual or found


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_rule_speaks_where_it_holds(row: Row):
    """With its severity and rule, a sentence, and somebody who must act; a blocker keeps the customer in place."""
    rule = BY_NAME[row.rule]
    plan = build_customer(*row.said)
    found = _found(plan, rule, unverified=row.unverified)
    assert {one.severity for one in found} == {Severity.WARNING if row.unverified else rule.severity}
    assert all(one.detail and one.next_action for one in found)
    assert all((one.owner is Owner.NOBODY) is (one.severity is Severity.NOTE) for one in found)
    assert (plan.disposition is Disposition.BLOCKED) is bool(plan.blockers())


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_rule_is_silent_where_it_does_not_hold(row: Row):
    """The nearest harmless neighbor of the case."""
    rule = BY_NAME[row.rule]
    code = FindingCode.NOT_VERIFIED if row.unverified else rule.code
    plan = build_customer(*row.unsaid)
    said = {(one.code, one.rule, one.next_action) for one in plan.all_findings()}
    assert not [one for one in said if one[:2] == (code, rule.rules[0]) and (row.unverified or one[2] == rule.how)]


def test_a_customer_with_nothing_to_move_is_not_asked_about_country_or_contact():
    """What does not move needs neither region nor agreement."""
    nothing = entry(source(wire_status="deleted"), seen=(customer(country=""),))
    plan = build_customer(nothing, context(contacts={}))
    assert plan.disposition is Disposition.NOTHING_TO_MOVE
    assert not plan.blockers()


def test_the_ordinary_customer_moves_without_a_word():
    """No rule speaks of it."""
    plan = build_customer(entry(source()), context())
    assert plan.all_findings() == ()
    assert plan.disposition is Disposition.MOVE
    assert (plan.customer_id, plan.company_name, plan.country) == (C1, "Ekdal AB", "SE")


def test_a_cutover_that_has_begun_is_finished_although_something_new_is_blocked():
    """R-33: what stands at the target is not left half-done, what is blocked stays, and the next plan blocks it."""
    plan = build_customer(*_begun(source("s2", wire_status="frozen"), source("s3")))
    assert plan.disposition is Disposition.MOVE
    assert [item.subscription_id for item in plan.items if item.moves] == ["s1"]
    assert not plan.blockers()


def test_a_date_is_estimated_where_the_rule_says_how():
    """The end of the term for what expires, 30 days more for what has expired."""
    dates = {one.code: one.estimated_on for one in build_customer(*_expiring(auto_renew=True)).all_findings()}
    assert dates[FindingCode.AUTO_RENEW_ON] == OVER
    expired = build_customer(*_expiring(wire_status="expired")).all_findings()
    assert OVER + timedelta(days=30) in {one.estimated_on for one in expired}


def test_a_customer_outside_the_region_keeps_what_it_has():
    """Nothing of it is ordered; the blocker says why (R-85, R-94)."""
    plan = build_customer(*_in_country("US"))
    assert not any(item.moves for item in plan.items)
    assert plan.disposition is Disposition.BLOCKED


def test_with_customers_consent_only_nobody_is_attested():
    """policy.agreement_source = customer: the contact of the list never reaches the plan (R-113)."""
    policy = PlanPolicy(agreement_source=AgreementSource.CUSTOMER)
    assert build_customer(*_plain(policy=policy)).contact is None


@pytest.mark.parametrize(
    ("others", "moving"),
    [
        pytest.param([source("s2", wire_status="frozen")], ["s1"], id="another one is blocked"),
        pytest.param([source("s2", offer_id=VISIO, parent_id="s1", wire_status="frozen")], [], id="its own add-on is"),
        pytest.param(
            [source("s2", wire_status="frozen"), source("s3", offer_id=VISIO, parent_id="s1")],
            ["s1", "s3"],
            id="its add-on goes with it",
        ),
    ],
)
def test_in_part_a_base_and_its_add_ons_stay_together(others: list[Subscription], moving: list[str]):
    """Suspending a base suspends its add-ons: neither leaves without the other (R-124)."""
    policy = PlanPolicy(partial_customers=PartialCustomers.ALLOWED)
    plan = build_customer(entry(source(), *others), context(offer(), ADD_ON, policy=policy))
    assert [item.subscription_id for item in plan.items if item.moves and not plan.blockers()] == moving
    assert plan.disposition is (Disposition.MOVE if moving else Disposition.BLOCKED)


def test_a_blocked_customer_stays_whole_also_where_parts_are_allowed():
    """What the rules say of the customer itself keeps all of it."""
    policy = PlanPolicy(partial_customers=PartialCustomers.ALLOWED)
    blocked = entry(source(), source("s2", wire_status="frozen"), unread=((NO, "no access"),))
    assert build_customer(blocked, context(policy=policy)).disposition is Disposition.BLOCKED
