"""Preflight: every rule of the table, once where it must speak and once where it must not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import pytest

from tenantfold.domain.facts import CustomerFacts
from tenantfold.domain.findings import Finding, FindingCode, Severity
from tenantfold.domain.model import ModernTerms, OfferId, SubscriptionId
from tenantfold.domain.plan import Disposition, PlanCustomer
from tenantfold.domain.planner import build_customer
from tenantfold.domain.policy import AgreementSource, GovernmentCloud, PartialCustomers
from tenantfold.domain.preflight import RULES, Rule
from tenantfold.domain.states import Owner
from tests.domain import preflight_cases as cases
from tests.domain.preflight_cases import (
    ADD_ON,
    APPROVED,
    BUSINESS,
    BY_MONTH,
    BY_YEAR,
    DIRECT,
    GONE,
    LATE,
    MANY_SEATS,
    MONTHLY,
    NONE_OPEN,
    OFF,
    OFFICE,
    OPEN,
    OVER,
    PROMOTED,
    PROPOSED,
    PROVIDER,
    RESELLER,
    SIDE,
    SKU,
    SOFTWARE,
    TO_PROVIDER,
    UNSURE,
    UPFRONT,
)
from tests.domain.samples import (
    C1,
    CENTRAL,
    E3,
    E5,
    NO,
    SE,
    TARGET,
    TODAY,
    VISIO,
    context,
    customer,
    entry,
    offer,
    source,
    target,
)

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


_ASKED = (entry(source()), context(customer_facts={C1: CustomerFacts(software=())}))
_HALF_ASKED = (entry(source()), context(customer_facts={C1: CustomerFacts(software=(), software_unasked=True)}))
_OVER = (entry(source(wire_status="deleted")), context())  # nothing of it wants to move
ROWS = [
    # region, country, cloud
    Row("customer_not_read", (entry(source(), unread=((TARGET, "no access"),)), context()), cases.plain()),
    Row("customer_not_read", (entry(unread=((SE, "no access"),)), context()), (entry(), context()), "nothing is known"),
    Row("country_unknown", cases.in_country(""), cases.in_country("SE")),
    Row("outside_region", cases.in_country("US"), cases.in_country("NO")),
    Row("outside_region", cases.in_country("XX"), cases.in_country("se"), "country of no region"),
    Row("catalog_not_read", cases.plain(catalog={"NO": {}}), cases.plain()),
    Row("other_country", cases.in_country("NO"), cases.in_country("SE")),
    Row("cloud_plan_only", cases.government(), cases.government(GovernmentCloud.MOVE)),
    Row("cloud_plan_only", cases.government(), cases.government(cloud="commercial"), "commercial cloud"),
    # agreement and partner ids
    Row("agreement_contact_missing", cases.plain(contacts={}), cases.plain()),
    Row("agreement_contact_missing", cases.plain(contacts={}), cases.agreed(has=True), "signed by the customer"),
    Row("agreement_missing", cases.agreed(has=False), cases.agreed(has=True)),
    Row(
        "agreement_missing",
        cases.agreed(has=False),
        cases.agreed(has=False, source_of=AgreementSource.LIST),
        "attested by list",
    ),
    Row(
        "agreement_contact_missing",
        cases.plain(contacts={}),
        cases.plain(contacts={}, cloud="us_government"),
        "no agreements in this cloud",
    ),
    Row("agreement_missing", cases.agreed(has=None), cases.agreed(has=True), "nobody looked", unverified=True),
    Row("partner_id_missing", cases.plain(target=replace(CENTRAL, partner_id="")), cases.plain()),
    Row(
        "reseller_missing",
        (entry(source(), source("s2", partner_id_on_record="517285")), context()),
        (entry(source(partner_id_on_record="517285"), source("s2", partner_id_on_record="517285")), context()),
    ),
    Row("reseller_missing", cases.plain(billing_models=PROVIDER), cases.plain(), "sold through a provider"),
    Row(
        "reseller_not_possible",
        (entry(source(partner_id_on_record="517285")), context(billing_models=DIRECT)),
        (entry(source(partner_id_on_record="517285")), context(billing_models=PROVIDER)),
    ),
    Row(
        "reseller_not_possible",
        (entry(source(partner_id_on_record="517285")), context(billing_models=DIRECT)),
        (entry(source(partner_id_on_record="517285", wire_status="suspended")), context(billing_models=DIRECT)),
        "what moves",
    ),
    # what is ordered
    Row("offer_not_sold", cases.plain(offer("E5")), cases.plain(), "offer unknown"),
    Row("offer_not_sold", cases.plain(GONE), cases.plain(GONE, offer("E5"), mapping={E3: APPROVED}), "withdrawn"),
    Row(
        "mapped_offer_not_sold",
        cases.plain(GONE, offer("E5", is_available=False), mapping={E3: APPROVED}),
        cases.plain(GONE, offer("E5"), mapping={E3: APPROVED}),
    ),
    Row(
        "mapping_not_approved",
        cases.plain(GONE, offer("E5"), mapping={E3: PROPOSED}),
        cases.plain(GONE, offer("E5"), mapping={E3: APPROVED}),
    ),
    Row(
        "mapped_offer",
        cases.plain(GONE, offer("E5"), mapping={E3: APPROVED}),
        cases.plain(offer(), offer("E5"), mapping={E3: APPROVED}),
    ),
    Row("mapped_to_new_commerce", cases.mapped_to_sku(), cases.plain(GONE, offer("E5"), mapping={E3: APPROVED})),
    Row("mapped_offer_not_sold", cases.mapped_to_sku(replace(SKU, is_sold=False)), cases.mapped_to_sku(), "SKU"),
    Row("mapped_offer_not_sold", cases.mapped_to_sku(BY_MONTH), cases.mapped_to_sku(BY_YEAR), "SKU on other terms"),
    Row("mapped_offer_not_sold", cases.mapped_to_sku(None), cases.mapped_to_sku(), "nobody looked", unverified=True),
    Row(
        "billing_cycle_not_sold", cases.plain(offer(billing_cycles=("annual",))), cases.plain(offer(billing_cycles=()))
    ),
    Row(
        "license_count_out_of_range",
        cases.plain(offer(maximum_quantity=4)),
        cases.plain(offer(maximum_quantity=5)),
        "too many",
    ),
    Row(
        "license_count_out_of_range",
        cases.plain(offer(minimum_quantity=6)),
        cases.plain(offer(minimum_quantity=5)),
        "too few",
    ),
    Row("add_on_without_base", cases.with_add_on("suspended"), cases.with_add_on(), "base does not move"),
    Row(
        "add_on_without_base",
        (entry(source("s2", offer_id=VISIO, parent_id="s9")), context(ADD_ON)),
        cases.with_add_on(),
        "base not listed",
    ),
    Row(
        "add_on_of_other_offer",
        cases.with_add_on(add_on_offer=offer("VISIO", prerequisite_offers=(E5,))),
        cases.with_add_on(add_on_offer=offer("VISIO")),
    ),
    Row(
        "prerequisite_missing",
        cases.expiring(sku=replace(SKU, is_add_on=True, prerequisites=(OfferId("CFQ7TTC0LF8S:0002"),))),
        cases.expiring(
            cases.licensed("n2", offer_id="CFQ7TTC0LF8S:0002:CFQ7TTC0K000"),
            sku=replace(SKU, is_add_on=True, prerequisites=(OfferId("CFQ7TTC0LF8S:0002"),)),
        ),
    ),
    Row("product_not_sold", cases.expiring(sku=replace(SKU, is_sold=False)), cases.expiring()),
    Row("product_not_sold", cases.expiring(sku=None), cases.expiring(), "unknown in this country"),
    Row("terms_not_sold", cases.expiring(sku=BY_MONTH), cases.expiring(sku=BY_YEAR)),
    Row("terms_not_sold", cases.expiring(sku=BY_MONTH), cases.expiring(sku=None), "nobody looked"),
    # how much a customer may hold
    Row("subscription_limit_reached", cases.held(151), cases.held(150)),
    Row("subscription_limit_reached", cases.held(151), cases.held(150, gone=20), "what is over does not count"),
    Row("many_subscriptions", cases.standing(1, 150), cases.standing(1, 149)),
    Row("offer_limit_reached", cases.limited(2, 1), cases.limited(3, 1)),
    Row("one_per_customer", cases.limited(1, 0), cases.limited(2, 0), "source and target together"),
    Row(
        "seat_maximum_reached",
        cases.mapped_to_sku(MANY_SEATS, cases.licensed(license_count=151), count=150),
        cases.mapped_to_sku(MANY_SEATS, cases.licensed(license_count=150), count=150),
    ),
    Row(
        "seat_maximum_reached",
        cases.mapped_to_sku(None),
        cases.mapped_to_sku(MANY_SEATS, facts=CustomerFacts(seats_elsewhere={})),
        "SKUs not read",
        unverified=True,
    ),
    Row(
        "seats_elsewhere",
        cases.mapped_to_sku(MANY_SEATS, count=150),
        cases.mapped_to_sku(SKU, count=150),
        "no maximum",
        unverified=True,
    ),
    Row(
        "seats_elsewhere",
        cases.mapped_to_sku(MANY_SEATS),
        cases.mapped_to_sku(replace(SKU, maximum_quantity=10_000_000)),
        "a maximum that is none",
        unverified=True,
    ),
    Row(
        "seats_elsewhere",
        cases.expiring(sku=MANY_SEATS),
        cases.expiring(sku=MANY_SEATS, facts=CustomerFacts(seats_elsewhere={})),
        "bought again",
        unverified=True,
    ),
    Row(
        "seats_elsewhere",
        cases.mapped_to_sku(MANY_SEATS, count=300),
        cases.mapped_to_sku(MANY_SEATS, count=301),
        "nor where they do not fit anyway",
        unverified=True,
    ),
    Row(
        "seats_cannot_be_doubled",
        cases.expiring(sku=MANY_SEATS, license_count=151),
        cases.expiring(sku=MANY_SEATS, license_count=150),
        "above half",
    ),
    Row(
        "seats_cannot_be_doubled",
        cases.expiring(sku=MANY_SEATS, license_count=100, facts=CustomerFacts(seats_elsewhere={BUSINESS: 101})),
        cases.expiring(sku=MANY_SEATS, license_count=100, facts=CustomerFacts(seats_elsewhere={BUSINESS: 100})),
        "seats at other partners",
    ),
    Row("seats_cannot_be_doubled", cases.expiring(sku=None), cases.expiring(), "SKU not read", unverified=True),
    # price, promotions, end dates
    Row("promotion_lost", cases.expiring(modern=PROMOTED), cases.expiring()),
    Row("promotion_lost", cases.expiring(modern=None), cases.expiring(), "nobody looked", unverified=True),
    Row(
        "promotion_in_transfer",
        cases.modern(cases.licensed(modern=PROMOTED)),
        cases.modern(cases.licensed()),
        unverified=True,
    ),
    Row(
        "end_dates_split",
        cases.expiring(cases.licensed("n2", commitment_end_on=OVER)),
        cases.expiring(cases.licensed("n2", commitment_end_on=LATE)),
    ),
    Row("auto_renew_on", cases.expiring(auto_renew=True), cases.expiring()),
    Row("extended_term", cases.expiring(commitment_end_on=LATE), cases.expiring()),
    Row("grace_ends", cases.expiring(wire_status="expired"), cases.expiring()),
    Row("runs_out", cases.expiring(), cases.expiring(wire_status="expired")),
    Row("runs_out", cases.expiring(), cases.modern(cases.licensed()), "what is transferred does not end"),
    # Azure
    Row("azure_plan_missing", cases.without_plan(), cases.azure()),
    Row("reservation_inactive", cases.paid(OFF), cases.paid(UPFRONT)),
    Row("reservation_inactive", cases.azure(), cases.paid(), "nobody looked", unverified=True),
    Row("reservation_currency", cases.paid(MONTHLY), cases.paid(UPFRONT)),
    Row("reservation_currency", cases.paid(MONTHLY), cases.paid(MONTHLY, currency="EUR"), "one currency"),
    Row(
        "reservation_currency",
        cases.paid(MONTHLY, currency=""),
        cases.paid(UPFRONT),
        "currency not known",
        unverified=True,
    ),
    Row("reservation_currency", cases.azure(), cases.paid(), "nobody looked", unverified=True),
    Row("reservation_currency", cases.paid(UNSURE), cases.paid(UPFRONT), "payment not known", unverified=True),
    Row("reservation_currency", cases.paid(MONTHLY, UNSURE), cases.paid(UNSURE), "one is monthly"),
    Row("reservation_currency", cases.paid(UNSURE), cases.paid(UNSURE, currency="EUR"), "no change", unverified=True),
    Row(
        "marketplace_products",
        cases.azure(facts=CustomerFacts(with_marketplace=frozenset({SubscriptionId("e1")}))),
        cases.modern(cases.licensed()),
    ),
    Row("marketplace_products", cases.azure(), cases.modern(cases.licensed()), "no call shows them", unverified=True),
    Row("access_and_history", cases.azure(), cases.modern(cases.licensed())),
    Row("handed_off", (entry(source(billing_type="usage")), context()), cases.azure()),
    # both sides, transfers, kinds
    Row(
        "two_sources",
        cases.seen_in(customer(), customer(tenant_id=NO)),
        cases.seen_in(customer(), customer(tenant_id=TARGET)),
    ),
    Row(
        "same_sku_twice",
        (entry(source(), source("s2")), context()),
        (entry(source(), source("s2", offer_id=E5)), context(offer("E3"), offer("E5"))),
    ),
    Row(
        "same_sku_twice",
        cases.modern(cases.licensed(), cases.licensed("n2", offer_id=f"{BUSINESS}:CFQ7TTC0K000")),
        cases.modern(cases.licensed()),
    ),
    Row("open_transfer", cases.modern(cases.licensed(), facts=OPEN), cases.modern(cases.licensed(), facts=NONE_OPEN)),
    Row(
        "open_transfer",
        cases.modern(cases.licensed()),
        cases.modern(cases.licensed(), facts=NONE_OPEN),
        "nobody looked",
        unverified=True,
    ),
    Row("adopts_existing", (entry(source(), target()), context()), cases.plain()),
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
    Row("unknown_status", (entry(source(wire_status="frozen")), context()), cases.plain()),
    Row(
        "software_stays",
        cases.modern(cases.licensed(), facts=CustomerFacts(software=(OFFICE,))),
        cases.modern(cases.licensed(), facts=CustomerFacts(software=())),
    ),
    Row(
        "software_stays",
        (entry(), context(customer_facts={C1: CustomerFacts(software=(OFFICE,))})),
        (entry(), context(customer_facts={C1: CustomerFacts(software=())})),
        "nothing else",
    ),
    Row("software_stays", cases.modern(cases.licensed()), _ASKED, "nobody looked", unverified=True),
    Row("software_stays", cases.plain(), _ASKED, "nobody asked about legacy licenses alone", unverified=True),
    Row("software_stays", _HALF_ASKED, _OVER, "one of two sources did not say", unverified=True),
    Row(
        "software_stays",
        (entry(), context()),
        (entry(unread=((SE, "no access"),)), context()),
        "said once where nothing was read",
        unverified=True,
    ),
    Row("software_by_hand", cases.modern(SOFTWARE), cases.modern(cases.licensed())),
    Row("marketplace_by_hand", cases.modern(cases.licensed(product_type="SaaS")), cases.modern(SOFTWARE)),
    Row(
        "reseller_cannot_transfer",
        cases.modern(cases.licensed(), billing_models=RESELLER),
        cases.modern(cases.licensed()),
    ),
    Row("reseller_cannot_transfer", cases.plain(billing_models=RESELLER), cases.plain(), "a legacy license"),
    Row("legacy_to_provider", cases.plain(billing_models=TO_PROVIDER), cases.plain(billing_models=RESELLER)),
    Row(
        "reseller_cannot_transfer",
        cases.plain(billing_models=RESELLER),
        cases.plain(billing_models=TO_PROVIDER),
        "a legacy license that its provider takes over",
    ),
    Row("cloud_without_transfers", cases.azure(cloud="us_government"), cases.azure()),
    Row(
        "cloud_without_transfers",
        cases.azure(cloud="us_government"),
        cases.modern(cases.licensed(), cloud="us_government"),
        "a license runs out there",
    ),
    Row("customer_email_missing", cases.without_email(), cases.modern(cases.licensed())),
    Row("customer_email_missing", cases.without_email(), cases.plain(), "nothing is transferred"),
    Row("unknown_kind", (entry(source(billing_type="benefit")), context()), cases.modern(SOFTWARE)),
    Row(
        "not_transferable",
        cases.expiring(),
        cases.modern(cases.licensed(), facts=CustomerFacts(not_transferable=frozenset())),
    ),
    Row("trial_runs_out", (entry(source(is_trial=True)), context()), cases.plain()),
    Row(
        "trial_runs_out",
        cases.modern(cases.licensed(is_trial=True)),
        cases.modern(cases.licensed(is_trial=True, auto_renew=True)),
        "unless it becomes a paid one",
    ),
    Row(
        "trial_becomes_paid",
        cases.modern(cases.licensed(is_trial=True, auto_renew=True)),
        cases.modern(cases.licensed(is_trial=True)),
    ),
    Row(
        "still_billed",
        cases.modern(cases.licensed(wire_status="suspended")),
        (entry(source(wire_status="suspended")), context()),
    ),
    # the customer as a whole
    Row("cutover_has_begun", cases.begun(source("s2", wire_status="frozen")), cases.begun()),
    Row(
        "part_stays",
        cases.in_part(PartialCustomers.ALLOWED, source("s2", wire_status="frozen")),
        cases.in_part(PartialCustomers.ALL_OR_NOTHING, source("s2", wire_status="frozen")),
    ),
    Row("nothing_to_move", (entry(source(wire_status="deleted")), context()), cases.plain()),
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
    unasked = Severity.NOTE if rule.severity is Severity.NOTE else Severity.WARNING
    assert {one.severity for one in found} == {unasked if row.unverified else rule.severity}
    assert all(one.detail and one.next_action for one in found)
    assert all(one.owner is not Owner.NOBODY or one.severity is Severity.NOTE for one in found)
    assert (plan.disposition is Disposition.BLOCKED) is bool(plan.blockers())


def test_a_date_is_carried_by_the_rules_that_promise_one_and_by_no_other():
    """The reference page says which; there is a case with a day for each of them."""
    dated = {row.rule for row in ROWS for one in _said(row) if one.estimated_on is not None}
    assert dated == {rule.name for rule in RULES if rule.is_dated}


def _said(row: Row) -> list[Finding]:
    book, known = row.said
    ending = tuple(replace(one, commitment_end_on=one.commitment_end_on or OVER) for one in book.subscriptions)
    plan = build_customer(replace(book, subscriptions=ending), known)
    return _found(plan, BY_NAME[row.rule], unverified=row.unverified)


def test_an_end_that_stands_for_never_is_no_date():
    """Usage-based products end in the year 9999 on the wire."""
    never = cases.licensed(product_type="Mystery", commitment_end_on=date(9999, 12, 31))
    plan = build_customer(*cases.modern(never, facts=CustomerFacts(software=())))
    assert [(one.code, one.estimated_on) for one in plan.all_findings() if one.code is FindingCode.BY_HAND] == [
        (FindingCode.BY_HAND, None)
    ]


@pytest.mark.parametrize(
    ("days", "expected"),
    [pytest.param(3, TODAY + timedelta(days=3), id="open"), pytest.param(-1, OVER, id="closed")],
)
def test_a_window_to_cancel_comes_before_the_end_of_the_term(days: int, expected: date):
    """While it is open it is the day to act by (R-142); afterward only the end of the term is left."""
    until = datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC) + timedelta(days=days)
    held = replace(SOFTWARE, modern=ModernTerms(cancellable_until=until), commitment_end_on=OVER)
    (item,) = build_customer(*cases.modern(held)).items
    assert [one.estimated_on for one in item.findings if one.code is FindingCode.BY_HAND] == [expected]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_rule_is_silent_where_it_does_not_hold(row: Row):
    """The nearest harmless neighbor of the case."""
    rule = BY_NAME[row.rule]
    code = FindingCode.NOT_VERIFIED if row.unverified else rule.code
    plan = build_customer(*row.unsaid)
    said = {(one.code, one.rule, one.next_action) for one in plan.all_findings()}
    assert not [one for one in said if one[:2] == (code, rule.rules[0]) and (row.unverified or one[2] == rule.how)]
