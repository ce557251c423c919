"""Preflight: what the rules mean for a customer as a whole."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tenantfold.domain.facts import CustomerFacts
from tenantfold.domain.findings import FindingCode
from tenantfold.domain.model import Subscription
from tenantfold.domain.plan import Disposition
from tenantfold.domain.planner import build_customer
from tenantfold.domain.policy import AgreementSource, PartialCustomers, PlanPolicy
from tests.domain import preflight_cases as cases
from tests.domain.preflight_cases import ADD_ON, OVER
from tests.domain.samples import (
    C1,
    NO,
    VISIO,
    context,
    customer,
    entry,
    offer,
    source,
)


def test_a_customer_with_nothing_to_move_is_not_asked_about_country_or_contact():
    """What does not move needs neither region nor agreement."""
    nothing = entry(source(wire_status="deleted"), seen=(customer(country=""),))
    plan = build_customer(nothing, context(contacts={}))
    assert plan.disposition is Disposition.NOTHING_TO_MOVE
    assert not plan.blockers()


def test_the_ordinary_customer_moves_without_a_word():
    """No rule speaks of it."""
    plan = build_customer(entry(source()), context(customer_facts={C1: CustomerFacts(software=())}))
    assert plan.all_findings() == ()
    assert plan.disposition is Disposition.MOVE
    assert (plan.customer_id, plan.company_name, plan.country) == (C1, "Ekdal AB", "SE")


def test_a_cutover_that_has_begun_is_finished_although_something_new_is_blocked():
    """R-33: what stands at the target is not left half-done, what is blocked stays, and the next plan blocks it."""
    plan = build_customer(*cases.begun(source("s2", wire_status="frozen"), source("s3")))
    assert plan.disposition is Disposition.MOVE
    assert [item.subscription_id for item in plan.items if item.moves] == ["s1"]
    assert not plan.blockers()


def test_a_date_is_estimated_where_the_rule_says_how():
    """The end of the term for what expires, 30 days more for what has expired."""
    dates = {one.code: one.estimated_on for one in build_customer(*cases.expiring(auto_renew=True)).all_findings()}
    assert dates[FindingCode.AUTO_RENEW_ON] == OVER
    expired = build_customer(*cases.expiring(wire_status="expired")).all_findings()
    assert OVER + timedelta(days=30) in {one.estimated_on for one in expired}


def test_a_customer_outside_the_region_keeps_what_it_has():
    """Nothing of it is ordered; the blocker says why (R-85, R-94)."""
    plan = build_customer(*cases.in_country("US"))
    assert not any(item.moves for item in plan.items)
    assert plan.disposition is Disposition.BLOCKED


def test_with_customers_consent_only_nobody_is_attested():
    """policy.agreement_source = customer: the contact of the list never reaches the plan (R-113)."""
    policy = PlanPolicy(agreement_source=AgreementSource.CUSTOMER)
    assert build_customer(*cases.plain(policy=policy)).contact is None


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
