"""Calls of the way of running out whose answer was lost: looked up by reading, never sent blindly (invariant 6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tenantfold.domain.actions import Action, AdoptOutcome, MarkArrived, Observe, Pause, Resend
from tenantfold.domain.course import next_action
from tenantfold.domain.guards import RefusalCode
from tenantfold.domain.journal import Outcome, OutcomeKind
from tenantfold.domain.model import SubscriptionId
from tenantfold.domain.observation import Observation
from tenantfold.domain.pairing import counterparts_of
from tenantfold.domain.plan import Disposition
from tenantfold.domain.records import Case
from tenantfold.domain.states import Origin, Owner
from tests.domain.rebuys import (
    EARLY,
    LAST_DAY,
    OTHER_ORDER,
    again,
    again_line,
    buy_intent,
    ending,
    ending_item,
    rebought,
    running_out,
    seen,
    stop_intent,
)
from tests.domain.samples import ORDER, POLICY, placed
from tests.domain.transfers import ENDS

SETTLED = LAST_DAY + timedelta(seconds=POLICY.settling_seconds)


def _next(known: Case, read: Observation | None, now: datetime | None = None) -> Action:
    return next_action(known, read, now or (read.at if read else EARLY), POLICY)


def _failed(action: Action) -> str:
    assert isinstance(action, AdoptOutcome), action
    assert action.outcome.kind is OutcomeKind.FAILED
    return action.outcome.detail


# --- the renewal -----------------------------------------------------------------------------------------------------


def test_a_renewal_that_reads_off_was_stopped():
    """Found, not repeated."""
    action = _next(running_out(open_intents=(stop_intent(),)), seen(EARLY, ending()))
    assert isinstance(action, AdoptOutcome)
    assert action.outcome.kind is OutcomeKind.ADOPTED


def test_a_renewal_that_reads_on_is_stopped_again():
    """Turning it off twice turns it off once."""
    intent = stop_intent()
    action = _next(running_out(open_intents=(intent,)), seen(EARLY, ending(auto_renew=True)))
    assert action == Resend(intent)


@pytest.mark.parametrize("fields", [{"license_count": 6}, {"wire_status": "suspended"}])
def test_a_renewal_is_not_stopped_for_what_is_not_as_planned(fields: dict[str, object]):
    """Invariant 5: the intent is closed without effect, and the plan is stale."""
    known = running_out(open_intents=(stop_intent(),))
    assert _failed(_next(known, seen(EARLY, ending(auto_renew=True, **fields))))


def test_a_renewal_of_what_is_not_planned_any_more_is_left_alone():
    """The newest plan counts."""
    known = running_out(ending_item("n2"), open_intents=(stop_intent(),))
    assert _failed(_next(known, seen(EARLY, ending(auto_renew=True), ending("n2"))))


# --- the purchase ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "read", [None, seen(LAST_DAY - timedelta(minutes=5), ending()), seen(LAST_DAY, ending(), target_is_old=True)]
)
def test_it_is_looked_up_on_a_fresh_read_of_both_sides(read: Observation | None):
    """An older one proves nothing."""
    assert _next(running_out(open_intents=(buy_intent(),)), read, LAST_DAY) == Observe()


def test_a_purchase_that_shows_is_taken_as_made():
    """By product and SKU: the catalog item was looked up at the call and is not in the intent."""
    intent = buy_intent()
    action = _next(running_out(open_intents=(intent,)), seen(LAST_DAY, ending(), again("t5")))
    assert isinstance(action, AdoptOutcome)
    assert action.outcome.kind is OutcomeKind.ADOPTED
    (found,) = counterparts_of(intent, action.outcome, (), ENDS)
    assert found == rebought("n1", "t5")


def test_what_stood_before_is_not_the_effect_of_it():
    """The baseline tells them apart."""
    intent = buy_intent(baseline=(SubscriptionId("t5"),))
    action = _next(running_out(open_intents=(intent,)), seen(LAST_DAY, ending(), again("t5")))
    assert isinstance(action, Pause)
    assert action.refusal.code is RefusalCode.SETTLING


def test_nothing_is_sent_again_before_the_settling_time():
    """It may still take effect."""
    intent = buy_intent()
    action = _next(running_out(open_intents=(intent,)), seen(SETTLED - timedelta(seconds=1), ending()))
    assert isinstance(action, Pause)
    assert (action.refusal.code, action.refusal.due_at) == (RefusalCode.SETTLING, SETTLED)


def test_what_surely_had_no_effect_is_sent_again():
    """On a read begun after the settling time."""
    intent = buy_intent()
    assert _next(running_out(open_intents=(intent,)), seen(SETTLED, ending())) == Resend(intent)


def test_half_an_order_is_for_a_person():
    """Neither sending again nor going on would be right."""
    intent = buy_intent(again_line(), again_line("n2", license_count=9))
    known = running_out(ending_item(), ending_item("n2", license_count=9), open_intents=(intent,))
    read = seen(SETTLED, ending(), ending("n2", license_count=9), again("t5"))
    action = _next(known, read)
    assert isinstance(action, Pause)
    assert (action.refusal.code, action.refusal.owner) == (RefusalCode.NEEDS_PERSON, Owner.OPERATIONS)


@pytest.mark.parametrize(
    ("known", "read"),
    [
        pytest.param(
            running_out(customer=replace(running_out().customer, disposition=Disposition.BLOCKED)),
            seen(SETTLED, ending()),
            id="blocked",
        ),
        pytest.param(
            running_out(ending_item(license_count=6)), seen(SETTLED, ending(license_count=6)), id="other plan"
        ),
        pytest.param(running_out(ending_item("n2")), seen(SETTLED, ending("n2")), id="not in the plan"),
        pytest.param(running_out(), seen(SETTLED, ending(license_count=6)), id="changed at the source"),
        pytest.param(
            running_out(), seen(SETTLED + timedelta(days=1), ending(wire_status="disabled")), id="past the grace"
        ),
        pytest.param(
            running_out(counterparts=(rebought("n1", "t5", verified_at=LAST_DAY),)), seen(SETTLED, ending()), id="done"
        ),
    ],
)
def test_an_order_that_had_no_effect_is_not_sent_again_once_it_may_not_be_made(known: Case, read: Observation):
    """What holds for an order holds for its repetition (invariant 5, R-132)."""
    assert _failed(_next(replace(known, open_intents=(buy_intent(),)), read))


# --- pairing ---------------------------------------------------------------------------------------------------------


def test_every_line_of_an_answer_gets_a_counterpart_that_was_bought_again():
    """Nothing of it is ever a half-done cutover."""
    intent = buy_intent(again_line(), again_line("n2", license_count=9))
    lines = (placed("t5", offer_id=again().offer_id),)
    answer = Outcome(intent_key=intent.key, kind=OutcomeKind.DONE, at=LAST_DAY, order_id=ORDER, lines=lines)
    first, second = counterparts_of(intent, answer, (), ENDS)
    assert (first.source_id, first.target_id, first.origin) == ("n1", "t5", Origin.REBOUGHT)
    assert (second.source_id, second.target_id, second.order_id) == ("n2", None, ORDER)


def test_a_late_id_is_not_looked_for_in_another_order():
    """The same may be bought twice on purpose."""
    known = running_out(counterparts=(rebought("n1", None),))
    action = _next(known, seen(LAST_DAY, ending(), again("t5", order_id=OTHER_ORDER)))
    assert not isinstance(action, MarkArrived)
