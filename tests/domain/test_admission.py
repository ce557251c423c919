"""Admission: calls needed against calls left, for one customer and for a wave (DESIGN 7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantfold.domain.admission import (
    ORDER,
    SUBSCRIPTION,
    Demand,
    KnownRates,
    Load,
    SourceLoad,
    bottleneck_of,
    can_finish_today,
    cannot_finish,
    day_sentence,
    demand_of,
    eta_sentence,
    eta_words,
    held_refusal,
    load_of,
    may_begin,
    together,
)
from tenantfold.domain.guards import RefusalCode
from tenantfold.domain.model import SubscriptionId
from tenantfold.domain.plan import PlanCustomer, PlanItem
from tenantfold.domain.policy import Policy
from tenantfold.domain.waves import Held, LimitRule
from tests.domain.samples import NO, SE, TARGET, item, plan_customer

AT_2320 = datetime(2026, 3, 2, 23, 20, tzinfo=UTC)
LATE_START = Policy(stop_starting_at=time(23, 59), late_at=time(23, 30))
TEN = KnownRates(fallback=10.0)
ONE: Demand = {(TARGET, SUBSCRIPTION): 2, (TARGET, ORDER): 1, (SE, SUBSCRIPTION): 3}
DEMANDS = st.dictionaries(
    st.tuples(st.sampled_from([SE, NO, TARGET]), st.sampled_from([SUBSCRIPTION, ORDER])), st.integers(0, 200)
)
NOWS = st.integers(0, 24 * 3600 - 1).map(lambda seconds: datetime(2026, 3, 2, tzinfo=UTC) + timedelta(seconds=seconds))
RATES = st.floats(0, 600).map(lambda rate: KnownRates(fallback=rate))


def customer(*items: PlanItem) -> PlanCustomer:
    """A customer with these subscriptions, or with none."""
    return plan_customer(*items) if items else replace(plan_customer(), items=())


def test_a_pause_comes_before_the_calls():
    """While Microsoft has said ``Retry-After``, its minutes are lost for today's calls."""
    paused = KnownRates(fallback=10.0, paused={(SE, SUBSCRIPTION): 8.0})
    worst = bottleneck_of(ONE, paused)
    assert worst is not None
    assert (worst.tenant_id, worst.minutes, worst.calls_in(10), worst.calls_in(5)) == (SE, 8.3, 20, 0)
    assert may_begin(ONE, {}, TEN, AT_2320, LATE_START) is None
    late = may_begin(ONE, {}, paused, AT_2320 + timedelta(minutes=2), LATE_START)
    assert late is not None
    assert "3 subscription calls" in late.detail
    assert "0 can be made until 23:30" in late.detail


# --- how many calls -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("items", "orders", "suspends"),
    [
        ((), 0, {}),
        ((item("a"),), 1, {SE: 1}),
        ((item("a"), item("b")), 1, {SE: 2}),
        ((item("a"), item("b", billing_cycle="annual")), 2, {SE: 2}),
        ((item("a"), item("b", parent_id=SubscriptionId("a"))), 2, {SE: 1}),
        ((item("a", target_id=SubscriptionId("t")),), 0, {SE: 1}),
        ((item("a"), item("b", tenant_id=NO)), 1, {SE: 1, NO: 1}),
    ],
)
def test_the_load_of_a_customer(items: tuple[PlanItem, ...], orders: int, suspends: dict[str, int]):
    """One order a billing cycle, add-ons in a call of their own; only bases are suspended, the adopted not ordered."""
    load = load_of(customer(*items))
    assert (load.customers, load.orders) == (int(bool(items)), orders)
    assert {tenant: one.suspends for tenant, one in load.sources.items()} == suspends
    assert {one.customers for one in load.sources.values()} <= {1}


def test_the_calls_of_a_load():
    """Two reads of each side, the orders at the target, the suspensions at the source."""
    load = Load(customers=3, orders=4, sources={SE: SourceLoad(customers=2, suspends=5)})
    assert demand_of(load, TARGET) == {(TARGET, SUBSCRIPTION): 6, (TARGET, ORDER): 4, (SE, SUBSCRIPTION): 9}
    assert demand_of(Load(), TARGET) == {}


@given(DEMANDS, DEMANDS)
def test_demands_add_up(one: Demand, other: Demand):
    """Nothing gets lost, in whichever order."""
    total = together(one, other)
    assert total == together(other, one)
    assert sum(total.values()) == sum(one.values()) + sum(other.values())


def test_the_bottleneck_takes_longest():
    """Not the most calls: the most minutes."""
    rates = KnownRates(fallback=100.0, learned={(SE, SUBSCRIPTION): 1.0})
    worst = bottleneck_of({(TARGET, ORDER): 500, (SE, SUBSCRIPTION): 6}, rates)
    assert worst is not None
    assert (worst.tenant_id, worst.resource, worst.minutes) == (SE, SUBSCRIPTION, 6.0)
    said = eta_sentence(worst, {SE: "se"})
    assert "6 minutes" in said
    assert "subscription calls at se: 6 at 1 a minute" in said
    assert eta_words(worst, {SE: "se"}) == "6 minutes left by subscription calls at se"
    assert bottleneck_of({}, rates) is None


# --- can this wave finish today? ------------------------------------------------------------------------------------


def test_a_wave_that_does_not_fit_is_refused_with_the_numbers():
    """100 customers at ten calls a minute, ten minutes before the day is late: 300 calls, 100 possible, 33 fit."""
    demand = {key: 100 * count for key, count in ONE.items()}
    found = can_finish_today(demand, 100, {}, TEN, AT_2320, LATE_START)
    assert found is not None
    assert (found.bottleneck.tenant_id, found.bottleneck.calls, found.bottleneck.minutes) == (SE, 300, 30.0)
    assert (found.calls_left, found.minutes_left, found.fitting) == (100, 10.0, 33)
    said = day_sentence(found, {SE: "se"})
    for number in (
        "300 subscription calls at se",
        "100 can be made until 23:30",
        "30 minutes where 10 are left",
        "33 of",
    ):
        assert number in said
    refusal = cannot_finish("north", found, {})
    assert (refusal.code, refusal.rule) == (RefusalCode.CANNOT_FINISH_TODAY, LimitRule.TODAY)
    assert refusal.numbers["calls_needed"] == "300"
    assert "--override today" in refusal.override


@pytest.mark.parametrize(
    ("at", "policy", "until"),
    [
        (AT_2320, Policy(), "21:00"),
        (AT_2320.replace(hour=20, minute=59), Policy(), "21:00"),
        (AT_2320, LATE_START, "23:30"),
    ],
)
def test_a_wave_has_until_new_cutovers_stop_or_the_day_is_late(at: datetime, policy: Policy, until: str):
    """Whichever is earlier; after it nobody fits."""
    found = can_finish_today({(SE, SUBSCRIPTION): 1_000}, 500, {}, TEN, at, policy)
    assert found is not None
    assert f"{found.until:%H:%M}" == until
    assert (found.fitting == 0) == (found.minutes_left == 0)


@given(DEMANDS, st.integers(1, 100), DEMANDS, RATES, NOWS)
def test_what_fits_can_be_done_in_the_minutes_left(
    demand: Demand, customers: int, begun: Demand, rates: KnownRates, now: datetime
):
    """None exactly when every bottleneck, what is open included, is through in time; and the rest would not fit."""
    found = can_finish_today(demand, customers, begun, rates, now, LATE_START)
    end = now.replace(hour=23, minute=30, second=0)
    minutes = max(0.0, (end - now).total_seconds() / 60)
    calls = {key: count + begun.get(key, 0) for key, count in demand.items() if count}
    fits = all(rates.fallback > 0 and count / rates.fallback <= minutes for count in calls.values())
    assert (found is None) == fits
    if found is not None:
        assert 0 <= found.fitting <= customers
        assert found.bottleneck.calls > found.calls_left


# --- may one more customer begin? -----------------------------------------------------------------------------------


def test_a_customer_that_could_not_end_today_waits_for_tomorrow():
    """98 calls are open, 100 can be made: three more are too many; it is due right after midnight."""
    found = may_begin(ONE, {(SE, SUBSCRIPTION): 98}, TEN, AT_2320, LATE_START)
    assert found is not None
    assert found.code is RefusalCode.CANNOT_FINISH_TODAY
    assert "101 subscription calls at se" in found.detail
    assert "100 can be made until 23:30 UTC" in found.detail
    assert found.due_at == datetime(2026, 3, 3, 0, 5, tzinfo=UTC)
    assert may_begin(ONE, {(SE, SUBSCRIPTION): 97}, TEN, AT_2320, LATE_START) is None


def test_what_is_open_elsewhere_does_not_count():
    """Each tenant and resource has its own calls."""
    assert may_begin(ONE, {(NO, SUBSCRIPTION): 10_000}, TEN, AT_2320, LATE_START) is None


@given(st.integers(0, 60), RATES, NOWS)
def test_whoever_is_let_in_one_after_the_other_can_all_end_today(asking: int, rates: KnownRates, now: datetime):
    """However many ask: the calls of those let in never pass what can be made until the day is late (invariant 3)."""
    begun: Demand = {}
    for _ in range(asking):
        if may_begin(ONE, begun, rates, now, LATE_START) is None:
            begun = together(begun, ONE)
    minutes = max(0.0, (now.replace(hour=23, minute=30, second=0) - now).total_seconds() / 60)
    assert all(calls <= rates.fallback * minutes * (1 + 1e-9) for calls in begun.values())


@given(DEMANDS, DEMANDS, DEMANDS, RATES, NOWS)
def test_more_open_work_never_lets_anybody_in(
    demand: Demand, begun: Demand, more: Demand, rates: KnownRates, now: datetime
):
    """Admission only gets stricter."""
    refused = may_begin(demand, begun, rates, now, LATE_START)
    assert refused is None or may_begin(demand, together(begun, more), rates, now, LATE_START) is not None


@pytest.mark.parametrize("held", list(Held))
def test_who_is_held_is_told_why_and_what_to_do(held: Held):
    """Only who is not held passes; lifting the hold makes the others due again, so they have no time of their own."""
    found = held_refusal(held)
    assert (found is None) == (held is Held.NOTHING)
    assert found is None or (found.code is RefusalCode.HELD and found.next_action and found.due_at is None)
