"""Planning over all routes: what the plan fills in for each, and what an earlier run left behind."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tenantfold.domain.facts import CustomerFacts, EarlierRuns
from tenantfold.domain.findings import FindingCode
from tenantfold.domain.mapping import OfferMapping
from tenantfold.domain.model import OfferId, ProductKind, Route, Sku, SkuTerm, Subscription, SubscriptionId
from tenantfold.domain.plan import Disposition, PlanCustomer
from tenantfold.domain.planner import build_customer
from tenantfold.domain.policy import GovernmentCloud, PartialCustomers, PlanPolicy
from tenantfold.domain.states import Origin
from tests.domain import preflight_cases as cases
from tests.domain.preflight_cases import BUSINESS, BY_MONTH, BY_YEAR, SKU
from tests.domain.samples import C1, NOW, TODAY, context, counterpart, customer, entry, source, target

NEW = cases.licensed("n1", wire_status="active")
AZURE = source("a1", offer_id="DZH318Z0BPS6:0001:DZH318Z0BMTV", product_type="Azure", billing_type="usage")
LEGACY_AZURE = source("m1", offer_id="MS-AZR-0145P", billing_type="usage")
SOFTWARE = cases.licensed("w1", product_type="Software")
SEEN = (customer(email="it@ekdal.example"),)


def _planned(*subscriptions: Subscription, **fields: object) -> PlanCustomer:
    return build_customer(entry(*subscriptions, seen=SEEN), context(**fields))


@pytest.mark.parametrize(
    ("held", "origin", "route"),
    [
        (NEW, Origin.TRANSFERRED, Route.TRANSFER),
        (AZURE, Origin.TRANSFERRED, Route.AZURE_TRANSFER),
        (AZURE, Origin.MERGED, Route.AZURE_TRANSFER),
        (LEGACY_AZURE, Origin.MERGED, Route.AZURE_SUPPORT),
        (NEW, Origin.REBOUGHT, Route.EXPIRE_AND_REBUY),
        (SOFTWARE, Origin.BY_HAND, Route.MANUAL),
        (LEGACY_AZURE, Origin.BY_HAND, Route.AZURE_SUPPORT),
    ],
)
@pytest.mark.parametrize("status", ["active", "suspended", "expired", "deleted"])
def test_what_is_under_way_keeps_its_route(held: Subscription, origin: Origin, route: Route, status: str):
    """Whatever the source shows by now, a counterpart that is not done goes on where it was."""
    known = {held.id: counterpart(held.id, "t1", origin=origin)}
    plan = _planned(replace(held, wire_status=status), counterparts=known)
    assert [(one.route, one.target_id) for one in plan.items] == [(route, "t1")]
    assert plan.disposition is Disposition.MOVE


@pytest.mark.parametrize("origin", [one for one in Origin if not one.is_cutover])
def test_what_is_verified_is_done(origin: Origin):
    """Nothing is suspended on the other routes: verified is the end, and nothing is planned for it again."""
    known = {NEW.id: counterpart(NEW.id, "t1", origin=origin, verified_at=NOW)}
    plan = _planned(NEW, counterparts=known)
    assert plan.items[0].route is Route.SKIP
    assert plan.disposition is Disposition.MOVED


def test_a_customer_is_not_moved_while_another_route_goes_on():
    """The finished cutover of one subscription does not finish the transfer of another."""
    known = {SubscriptionId("s1"): counterpart(suspended_at=NOW, verified_at=NOW)}
    plan = _planned(source(wire_status="suspended"), NEW, counterparts=known)
    assert plan.disposition is Disposition.MOVE
    assert {one.subscription_id: one.route for one in plan.items} == {"s1": Route.SKIP, "n1": Route.TRANSFER}


def test_nothing_done_and_nothing_left_is_not_moved():
    """What is only over at the source was never moved by anybody."""
    assert _planned(source(wire_status="deleted")).disposition is Disposition.NOTHING_TO_MOVE


@pytest.mark.parametrize(("held", "route"), [(NEW, Route.TRANSFER), (AZURE, Route.AZURE_TRANSFER)])
def test_what_was_given_to_a_transfer_is_followed_though_it_left_the_source(held: Subscription, route: Route):
    """Submitted and gone from the source, not yet seen at the target: forgetting it would leave it unverified."""
    gone = replace(held, wire_status="deleted")
    assert _planned(gone, earlier=EarlierRuns(under_way=frozenset({held.id}))).items[0].route is route
    assert _planned(gone).items[0].route is Route.SKIP


def test_a_transfer_names_the_address_of_the_customer_at_its_source():
    """Only customers who need one have it in their plan (commerce reference 4.1)."""
    assert _planned(NEW).email == "it@ekdal.example"
    assert _planned(AZURE, target("a2", offer_id=AZURE.offer_id, product_type="Azure")).email == "it@ekdal.example"
    assert _planned(source()).email == ""


def test_the_address_at_the_target_is_not_the_source_s():
    """The target may show somebody else; the request is about the source's customer."""
    book = entry(NEW, seen=(customer(), customer(tenant_id="target", email="other@ekdal.example")))
    plan = build_customer(book, context())
    assert plan.email == ""
    assert plan.disposition is Disposition.BLOCKED


@pytest.mark.parametrize("cloud", ["commercial", "us_government"])
def test_nobody_attests_an_agreement_in_a_cloud_that_has_none(cloud: str):
    """US Government has no agreement to attest (R-215): the contact of the list stays out of the plan."""
    policy = PlanPolicy(us_government=GovernmentCloud.MOVE)
    plan = _planned(source(), cloud=cloud, policy=policy)
    assert (plan.contact is None) is (cloud == "us_government")
    assert plan.disposition is Disposition.MOVE


def test_in_a_cloud_without_transfers_licenses_run_out_and_azure_is_a_person_s():
    """900138: a request would be refused for ever."""
    plan = _planned(NEW, AZURE, cloud="us_government", policy=PlanPolicy(us_government=GovernmentCloud.MOVE))
    assert {one.kind: one.route for one in plan.items} == {
        ProductKind.LICENSE: Route.EXPIRE_AND_REBUY,
        ProductKind.AZURE_PLAN: Route.MANUAL,
    }
    assert plan.email == ""


def _rebought(sku: Sku | None, mapping: dict[OfferId, OfferMapping] | None = None) -> PlanCustomer:
    facts = {C1: CustomerFacts(not_transferable=frozenset({NEW.id}))}
    products = {"SE": {sku.id: sku}} if sku is not None else None
    return _planned(NEW, customer_facts=facts, products=products, mapping=mapping or {})


@pytest.mark.parametrize("sku", [SKU, BY_YEAR, None])
def test_what_runs_out_is_bought_again_on_the_same_terms(sku: Sku | None):
    """The same product and SKU, with the term and billing of the source; the availability behind it may change."""
    (item,) = _rebought(sku).items
    assert item.route is Route.EXPIRE_AND_REBUY
    assert (item.target_offer_id, item.sold_as) == (BUSINESS, SkuTerm(duration="P1Y", billing_cycle="monthly"))


def test_terms_that_are_not_sold_any_more_need_a_person():
    """Nothing is bought on terms nobody chose; an approved mapping chooses them."""
    plan = _rebought(BY_MONTH)
    assert (plan.items[0].target_offer_id, plan.items[0].sold_as) == (None, None)
    assert plan.disposition is Disposition.BLOCKED
    by_month = SkuTerm(duration="P1M", billing_cycle="monthly")
    chosen = OfferMapping(source_offer_id=BUSINESS, target_offer_id=BUSINESS, approved_by="Eva", sold_as=by_month)
    plan = _rebought(BY_MONTH, {BUSINESS: chosen})
    assert plan.items[0].sold_as == by_month
    assert plan.disposition is Disposition.MOVE


def test_only_what_microsoft_refused_runs_out():
    """Of two licenses one was named in a refusal; the other is still transferred (R-155, R-167)."""
    facts = {C1: CustomerFacts(not_transferable=frozenset({NEW.id}))}
    plan = _planned(NEW, cases.licensed("n2"), customer_facts=facts, products={"SE": {SKU.id: SKU}})
    assert {one.subscription_id: one.route for one in plan.items} == {
        "n1": Route.EXPIRE_AND_REBUY,
        "n2": Route.TRANSFER,
    }
    assert [one.terms.is_transferable for one in plan.items if one.terms] == [False, None]


def test_in_part_what_has_begun_is_finished_by_any_route():
    """A transfer that stands at the target is verified although something of its own is blocked since."""
    known = {NEW.id: counterpart(NEW.id, "t1", origin=Origin.TRANSFERRED)}
    policy = PlanPolicy(partial_customers=PartialCustomers.ALLOWED)
    plan = _planned(NEW, source("s2", wire_status="frozen"), source("s3"), counterparts=known, policy=policy)
    assert {one.subscription_id: one.route for one in plan.items} == {
        "n1": Route.TRANSFER,
        "s2": Route.KEEP,
        "s3": Route.RECREATE,
    }
    assert plan.disposition is Disposition.MOVE


@pytest.mark.parametrize(
    ("status", "ends_on", "route"),
    [
        ("disabled", TODAY - timedelta(days=40), Route.EXPIRE_AND_REBUY),
        ("expired", TODAY - timedelta(days=40), Route.EXPIRE_AND_REBUY),
        ("deleted", TODAY + timedelta(days=40), Route.SKIP),
        ("deleted", None, Route.SKIP),
    ],
)
def test_what_an_approved_plan_buys_again_is_not_forgotten_after_its_term(
    status: str, ends_on: date | None, route: Route
):
    """The days of grace passed and nothing was bought: a person looks; what was ended before its term is over."""
    held = replace(NEW, wire_status=status, commitment_end_on=ends_on)
    earlier = EarlierRuns(promised=frozenset({held.id}))
    assert _planned(held, earlier=earlier, today=TODAY).items[0].route is route
    assert _planned(held, today=TODAY).items[0].route is Route.SKIP


def test_a_refusal_of_an_earlier_run_changes_the_route():
    """The journal names what cannot be transferred (900134)."""
    earlier = EarlierRuns(refused={C1: frozenset({NEW.id})})
    plan = _planned(NEW, cases.licensed("n2"), earlier=earlier, products={"SE": {SKU.id: SKU}})
    assert [one.route for one in plan.items] == [Route.EXPIRE_AND_REBUY, Route.TRANSFER]


def test_a_refusal_for_marketplace_products_reaches_the_finding():
    """What nobody can read beforehand is known after the first refusal (R-169)."""
    book, _ = cases.azure()
    earlier = EarlierRuns(with_marketplace={C1: frozenset({SubscriptionId("e1")})})
    plan = build_customer(book, context(earlier=earlier, today=TODAY))
    (said,) = [one for one in plan.findings if one.code is FindingCode.MARKETPLACE_PRODUCTS]
    assert (said.rule, "e1" in said.detail) == ("R-169", True)


def test_what_left_its_source_s_list_is_followed_as_the_plan_had_it():
    """After a transfer a source may not list it any more; it is verified at the target all the same."""
    item = _planned(NEW).items[0]
    earlier = EarlierRuns(under_way=frozenset({NEW.id}), carried={C1: (item,)})
    plan = _planned(source("s2"), earlier=earlier)
    assert {one.subscription_id: one.route for one in plan.items} == {"s2": Route.RECREATE, "n1": Route.TRANSFER}
    known = {NEW.id: counterpart("n1", "t1", origin=Origin.TRANSFERRED)}
    plan = _planned(earlier=earlier, counterparts=known)
    assert [(one.route, one.target_id) for one in plan.items] == [(Route.TRANSFER, "t1")]
    assert plan.disposition is Disposition.MOVE
    assert len(_planned(NEW, earlier=earlier).items) == 1


def test_a_customer_whose_subscriptions_all_left_the_source_has_moved():
    """Nothing is listed any more, because it was moved; that is not the same as never having had anything."""
    assert _planned(earlier=EarlierRuns(moved=frozenset({C1}))).disposition is Disposition.MOVED
    assert _planned().disposition is Disposition.NOTHING_TO_MOVE
