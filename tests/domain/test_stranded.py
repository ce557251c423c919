"""Stranded orders: what became of an order whose answer was lost (invariants 2 and 6)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantfold.domain.guards import RefusalCode
from tenantfold.domain.journal import Intent, OpKind, OutcomeKind
from tenantfold.domain.model import Subscription
from tenantfold.domain.stranded import Found, Gone, Unclear, Verdict, look_up
from tests.domain.samples import (
    E5,
    NOW,
    ORDER,
    POLICY,
    VISIO,
    counterpart,
    later,
    line,
    observation,
    order_intent,
    target,
)

BEFORE = later(seconds=30)
SETTLED = NOW + timedelta(seconds=POLICY.settling_seconds)
TWO = order_intent(line("s1"), line("s2", offer_id=E5))
ADD_ONS = order_intent(
    line("s2", offer_id=VISIO, parent_target_id="t1"), kind=OpKind.BUY_ADD_ONS, order_id=ORDER, baseline=("t1",)
)
E5_LINE = target("t2", offer_id=E5)
ADDED = target("t5", offer_id=VISIO, parent_id="t1")


def _verdict(intent: Intent, now: datetime, *standing: Subscription) -> Verdict:
    return look_up(intent, observation(*standing, at=now), (), now, POLICY)


@pytest.mark.parametrize("now", [BEFORE, SETTLED], ids=["before settling", "after settling"])
@pytest.mark.parametrize(
    ("intent", "standing", "ids"),
    [
        pytest.param(order_intent(), [target()], ["t1"], id="one line"),
        pytest.param(TWO, [E5_LINE, target()], ["t1", "t2"], id="two lines, in the order of the intent"),
        pytest.param(
            order_intent(line("s1"), line("s2")), [target(), target("t2")], ["t1", "t2"], id="two equal lines"
        ),
        pytest.param(order_intent(), [target(), target("t9", license_count=7)], ["t1"], id="beside something else"),
        pytest.param(ADD_ONS, [target(), ADDED], ["t5"], id="an add-on under its base"),
    ],
)
def test_exactly_our_lines_in_one_order_mean_that_it_took_effect(
    intent: Intent, standing: list[Subscription], ids: list[str], now: datetime
):
    """The outcome is what the answer would have been; settling need not be waited for."""
    verdict = _verdict(intent, now, *standing)
    assert isinstance(verdict, Found)
    found = verdict.outcome
    assert (found.kind, found.intent_key, found.order_id, found.at) == (OutcomeKind.ADOPTED, intent.key, ORDER, now)
    assert sorted(one.subscription_id or "" for one in found.lines) == ids
    assert [(one.offer_id, one.license_count) for one in found.lines] == [
        (one.offer_id, one.license_count) for one in intent.lines
    ]


@pytest.mark.parametrize(
    ("intent", "standing"),
    [
        pytest.param(order_intent(), [], id="nothing at all"),
        pytest.param(order_intent(baseline=("t1",)), [target()], id="what stood before"),
        pytest.param(order_intent(), [target(license_count=6)], id="another license count"),
        pytest.param(order_intent(), [target(offer_id=E5)], id="another offer"),
        pytest.param(order_intent(), [target(billing_cycle="annual")], id="another billing cycle"),
        pytest.param(order_intent(), [target(parent_id="t9")], id="an add-on of the same offer"),
        pytest.param(ADD_ONS, [target()], id="the base without the add-on"),
        pytest.param(ADD_ONS, [target("t5", offer_id=VISIO)], id="a base of the add-on's offer"),
        pytest.param(ADD_ONS, [target("t5", offer_id=VISIO, parent_id="t9")], id="the add-on under another base"),
    ],
)
def test_nothing_of_ours_is_waited_for_and_only_then_sent_again(intent: Intent, standing: list[Subscription]):
    """Before the settling time nobody knows; after it the order surely had no effect."""
    early = _verdict(intent, SETTLED - timedelta(seconds=1), *standing)
    assert isinstance(early, Unclear)
    assert (early.refusal.code, early.refusal.due_at) == (RefusalCode.SETTLING, SETTLED)
    assert isinstance(_verdict(intent, SETTLED, *standing), Gone)


@pytest.mark.parametrize(
    ("intent", "standing"),
    [
        pytest.param(TWO, [target()], id="half an order"),
        pytest.param(order_intent(), [target(), target("t2")], id="twice in one order"),
        pytest.param(order_intent(), [target(), target("t2", order_id="order-2")], id="two orders"),
        pytest.param(TWO, [target(), target("t2", offer_id=E5, order_id="order-2")], id="halves in two orders"),
        pytest.param(TWO, [target(), E5_LINE, target("t3", order_id="order-2")], id="ours, and a line elsewhere"),
    ],
)
def test_a_partial_or_double_fit_is_for_a_person(intent: Intent, standing: list[Subscription]):
    """Before settling the rest may still come; after it nothing is guessed (two candidates = a person decides)."""
    early = _verdict(intent, BEFORE, *standing)
    assert isinstance(early, Unclear)
    assert early.refusal.code is RefusalCode.SETTLING
    late = _verdict(intent, SETTLED, *standing)
    assert isinstance(late, Unclear)
    assert (late.refusal.code, late.refusal.due_at) == (RefusalCode.NEEDS_PERSON, None)
    assert all(one.id in late.refusal.detail for one in standing)


def test_what_stands_for_others_is_not_ours():
    """A counterpart of another source subscription explains what it stands for."""
    seen = observation(target(), at=SETTLED)
    assert isinstance(look_up(order_intent(), seen, (counterpart("s9", "t1"),), SETTLED, POLICY), Gone)
    unknown = (counterpart("s9", None),)
    assert isinstance(look_up(order_intent(), seen, unknown, SETTLED, POLICY), Found)


def test_a_read_from_before_the_settling_time_does_not_prove_that_nothing_came():
    """A slow read begun too early is no proof, however late it is judged: the order could be there by now."""
    verdict = look_up(order_intent(), observation(at=SETTLED - timedelta(seconds=1)), (), later(hours=1), POLICY)
    assert isinstance(verdict, Unclear)
    assert verdict.refusal.code is RefusalCode.SETTLING


@given(
    seconds=st.integers(0, 3600),
    standing=st.lists(
        st.builds(
            lambda number, order, count, parent: target(
                f"t{number}", order_id=order, license_count=count, parent_id=parent
            ),
            st.integers(1, 5),
            st.sampled_from(["order-1", "order-2"]),
            st.sampled_from([5, 6]),
            st.sampled_from([None, "t9"]),
        ),
        max_size=4,
        unique_by=lambda one: one.id,
    ),
    baseline=st.sets(st.sampled_from(["t1", "t2", "t3"])),
)
def test_is_sent_again_only_if_nothing_like_it_stands_there(
    seconds: int, standing: list[Subscription], baseline: set[str]
):
    """Invariant 2: Gone needs the settling time over and not one new subscription of our shape."""
    now = later(seconds=seconds)
    intent = order_intent(baseline=tuple(sorted(baseline)))
    ours = [one for one in standing if one.id not in baseline and (one.license_count, one.parent_id) == (5, None)]
    verdict = _verdict(intent, now, *standing)
    assert isinstance(verdict, Gone) is (not ours and now >= SETTLED)
    assert isinstance(verdict, Found) is (len(ours) == 1)
