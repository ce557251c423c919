"""Planning one customer: dispositions, target offers, adoption and what an earlier run left behind."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantfold.domain.mapping import OfferMapping
from tenantfold.domain.model import OfferId, Route, Subscription, SubscriptionId
from tenantfold.domain.plan import Disposition, PlanCustomer
from tenantfold.domain.planner import build_customer
from tenantfold.domain.states import Origin
from tests.domain.samples import (
    C1,
    CONTACT,
    E3,
    E5,
    NO,
    NOW,
    S1,
    SE,
    TARGET,
    VISIO,
    context,
    counterpart,
    customer,
    entry,
    offer,
    source,
    target,
)

ADD_ON = offer("VISIO", is_add_on=True, prerequisite_offers=(E3, E5))


def _targets(plan: PlanCustomer) -> dict[str, str | None]:
    return {item.subscription_id: item.target_id for item in plan.items}


# --- the customer as a whole -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subscriptions", "disposition"),
    [
        pytest.param([source()], Disposition.MOVE, id="R-32 everything can move"),
        pytest.param([source(), source("s2", wire_status="deleted")], Disposition.MOVE, id="R-134 the rest is over"),
        pytest.param([source(), source("s2", wire_status="frozen")], Disposition.BLOCKED, id="R-32 one cannot"),
        pytest.param([source("s2", billing_type="usage")], Disposition.MOVE, id="R-46 by another route"),
        pytest.param([source(), source("s2", offer_id="GONE")], Disposition.BLOCKED, id="R-121 one is not sold"),
        pytest.param([source(wire_status="expired")], Disposition.NOTHING_TO_MOVE, id="R-134 all is over"),
        pytest.param([source(is_trial=True)], Disposition.NOTHING_TO_MOVE, id="section E only a trial"),
        pytest.param([], Disposition.NOTHING_TO_MOVE, id="R-05 no subscription"),
        pytest.param([target()], Disposition.NOTHING_TO_MOVE, id="R-05 only at the target"),
    ],
)
def test_all_or_nothing(subscriptions: list[Subscription], disposition: Disposition):
    """One subscription that cannot move keeps the whole customer (R-32)."""
    assert build_customer(entry(*subscriptions), context()).disposition is disposition


def test_a_plan_says_what_the_approver_must_see():
    """The item holds the source's own fields and what will be ordered."""
    held = source(friendly_name="Sales", partner_id_on_record="517285")
    (item,) = build_customer(entry(held), context()).items
    assert (item.subscription_id, item.tenant_id, item.offer_id) == (S1, SE, E3)
    assert (item.license_count, item.billing_cycle, item.wire_status) == (5, "monthly", "active")
    assert (item.friendly_name, item.partner_id_on_record) == ("Sales", "517285")
    assert (item.route, item.target_offer_id, item.target_id) == (Route.RECREATE, E3, None)


def test_a_customer_in_two_source_tenants_is_one_customer():
    """Its subscriptions of both move together, in an order that never changes (R-101)."""
    held = [source("s2"), source("n1", tenant_id=NO), source("s1")]
    book = entry(*held, seen=(customer(tenant_id=NO, country=""), customer(company_name="Ekdal")))
    plan = build_customer(book, context())
    assert set(plan.source_tenant_ids) == {SE, NO}
    assert [item.subscription_id for item in plan.items] == ["n1", "s1", "s2"]
    assert (plan.company_name, plan.country) == ("Ekdal AB", "SE")


def test_only_tenants_that_hold_the_customer_are_read_later():
    """A source tenant that never saw the customer is not asked for it."""
    assert build_customer(entry(source()), context()).source_tenant_ids == (SE,)


def test_a_customer_without_a_name_is_called_by_its_id():
    """The target tenant may withhold names (R-108)."""
    assert build_customer(entry(source(), seen=(customer(company_name=""),)), context()).company_name == C1


def test_the_list_of_customers_brings_the_contact():
    """Contact and date of the agreement come from a person's list (R-113)."""
    assert build_customer(entry(source()), context()).contact == CONTACT
    assert build_customer(entry(source()), context(contacts={})).contact is None


@pytest.mark.parametrize(("tenant", "there"), [(TARGET, True), (NO, False)])
def test_says_whether_the_customer_is_at_the_target_already(tenant: str, there: bool):  # noqa: FBT001 - a column
    """Who is there already is not invited."""
    book = entry(source(), seen=(customer(), customer(tenant_id=tenant)))
    assert build_customer(book, context()).at_target_already is there


def test_an_approved_mapping_changes_what_is_ordered_and_nothing_else():
    """The license count and billing cycle stay those of the source (R-119, R-121)."""
    mapping = {E3: OfferMapping(source_offer_id=E3, target_offer_id=E5, approved_by="Eva")}
    (item,) = build_customer(entry(source()), context(offer("E5"), mapping=mapping)).items
    assert (item.offer_id, item.target_offer_id, item.target_offer_name) == (E3, E5, "Offer E5")
    assert (item.license_count, item.billing_cycle) == (5, "monthly")


# --- adoption --------------------------------------------------------------------------------------------------------


def test_an_equal_subscription_at_the_target_is_adopted():
    """Nothing is ordered a second time (invariant 2)."""
    assert _targets(build_customer(entry(source(), target()), context())) == {"s1": "t1"}


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"license_count": 6}, id="other license count"),
        pytest.param({"billing_cycle": "annual"}, id="other billing cycle"),
        pytest.param({"offer_id": E5}, id="other offer"),
        pytest.param({"wire_status": "suspended"}, id="suspended"),
        pytest.param({"wire_status": "pending"}, id="pending"),
        pytest.param({"is_trial": True}, id="a trial"),
        pytest.param({"parent_id": "t9"}, id="an add-on of something"),
    ],
)
def test_what_is_not_equal_and_active_is_not_adopted(fields: dict[str, object]):
    """It stays what it is, and the order is placed."""
    assert _targets(build_customer(entry(source(), target(**fields)), context())) == {"s1": None}


def test_two_equal_subscriptions_and_one_at_the_target():
    """One is adopted, the other ordered: never one counterpart for both (invariant 2)."""
    plan = build_customer(entry(source("s1"), source("s2"), target()), context())
    assert _targets(plan) == {"s1": "t1", "s2": None}


def test_one_subscription_and_two_equal_ones_at_the_target():
    """One of them is enough."""
    plan = build_customer(entry(source(), target("t1"), target("t2")), context())
    assert list(_targets(plan).values()) in (["t1"], ["t2"])


def test_an_add_on_is_adopted_under_the_base_that_was_adopted():
    """Base and add-on belong together on both sides (R-124)."""
    book = entry(
        source("s1"),
        source("s2", offer_id=VISIO, parent_id="s1"),
        target("t1"),
        target("t2", offer_id=VISIO, parent_id="t1"),
    )
    assert _targets(build_customer(book, context(offer(), ADD_ON))) == {"s1": "t1", "s2": "t2"}


def test_an_add_on_under_another_base_is_not_adopted():
    """The target's add-on belongs to a base that is no counterpart."""
    book = entry(
        source("s1"),
        source("s2", offer_id=VISIO, parent_id="s1"),
        target("t1"),
        target("t8", license_count=9),
        target("t2", offer_id=VISIO, parent_id="t8"),
    )
    assert _targets(build_customer(book, context(offer(), ADD_ON))) == {"s1": "t1", "s2": None}


def test_an_add_on_whose_base_is_ordered_is_ordered_as_well():
    """There is nothing it could stand under yet."""
    book = entry(
        source("s1"), source("s2", offer_id=VISIO, parent_id="s1"), target("t2", offer_id=VISIO, parent_id="t8")
    )
    assert _targets(build_customer(book, context(offer(), ADD_ON))) == {"s1": None, "s2": None}


SHAPES = st.tuples(st.sampled_from(["E3", "E5"]), st.integers(1, 2), st.sampled_from(["monthly", "annual"]))


@given(held=st.lists(SHAPES, max_size=6), standing=st.lists(SHAPES, max_size=6))
def test_adoption_is_one_to_one_and_only_of_equals(
    held: list[tuple[str, int, str]], standing: list[tuple[str, int, str]]
):
    """As many are adopted as both sides have in common, each target subscription once."""
    sources = [_shaped(source(f"s{index}"), shape) for index, shape in enumerate(held)]
    targets = [_shaped(target(f"t{index}"), shape) for index, shape in enumerate(standing)]
    plan = build_customer(entry(*sources, *targets), context(offer("E3"), offer("E5")))
    adopted = [(item.subscription_id, item.target_id) for item in plan.items if item.target_id is not None]
    assert len({target_id for _, target_id in adopted}) == len(adopted)
    assert len(adopted) == (Counter(held) & Counter(standing)).total()
    by_id = {one.id: one for one in (*sources, *targets)}
    assert all(_shape(by_id[one]) == _shape(by_id[other]) for one, other in adopted)


def _shaped(one: Subscription, shape: tuple[str, int, str]) -> Subscription:
    make = target if one.tenant_id == TARGET else source
    return make(one.id, offer_id=OfferId(shape[0]), license_count=shape[1], billing_cycle=shape[2])


def _shape(one: Subscription) -> tuple[str, int, str]:
    return (one.offer_id, one.license_count, one.billing_cycle)


# --- what an earlier run left ----------------------------------------------------------------------------------------


def test_a_counterpart_of_an_earlier_run_is_kept():
    """It was ordered already; its target is not free for another source subscription."""
    book = entry(source("s1"), source("s2"), target("t1"))
    plan = build_customer(book, context(counterparts={SubscriptionId("s2"): counterpart("s2", "t1")}))
    assert _targets(plan) == {"s1": None, "s2": "t1"}
    assert plan.disposition is Disposition.MOVE


@pytest.mark.parametrize("status", ["active", "suspended", "frozen"])
def test_a_begun_cutover_goes_on_whatever_the_snapshot_says(status: str):
    """A source that was suspended by us but not noted yet is finished, not forgotten."""
    known = {S1: counterpart(verified_at=NOW)}
    plan = build_customer(entry(source(wire_status=status), target()), context(counterparts=known))
    assert plan.disposition is Disposition.MOVE
    assert plan.items[0].route is Route.RECREATE


@pytest.mark.parametrize("status", ["active", "suspended", "deleted"])
@pytest.mark.parametrize("origin", Origin)
def test_a_finished_customer_is_moved(status: str, origin: Origin):
    """A finished cutover stays finished and nothing is ordered for it again (invariant 2)."""
    known = {S1: counterpart(origin=origin, verified_at=NOW, suspended_at=NOW)}
    plan = build_customer(entry(source(wire_status=status), target()), context(counterparts=known))
    assert plan.disposition is Disposition.MOVED
    assert plan.items[0].route is Route.SKIP
    assert plan.all_findings() == ()


def test_a_new_subscription_of_a_finished_customer_moves():
    """What was bought at the source afterward is planned like any other."""
    known = {S1: counterpart(suspended_at=NOW)}
    book = entry(source(wire_status="suspended"), source("s2"), target())
    plan = build_customer(book, context(counterparts=known))
    assert plan.disposition is Disposition.MOVE
    assert [item.subscription_id for item in plan.items if item.moves] == ["s2"]
    assert _targets(plan)["s2"] is None


def test_a_begun_cutover_is_not_stopped_by_an_offer_that_was_withdrawn_since():
    """It is ordered and billed already: blocking it now would leave both sides running (invariant 3)."""
    book = entry(source(), target())
    plan = build_customer(book, context(offer("E5"), counterparts={S1: counterpart()}))
    assert plan.disposition is Disposition.MOVE
    assert plan.items[0].target_offer_id == E3
