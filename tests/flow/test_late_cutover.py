"""A cutover that cannot end on its own UTC day: what each policy makes of it, watched by the world's own judge."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tenantfold.domain.model import OfferId, SubscriptionId
from tenantfold.domain.policy import LateCase
from tenantfold.domain.states import Owner, Phase
from tests.flow.stage import Stage, customer_id

TO_2340 = timedelta(hours=15, minutes=40).total_seconds()
TO_NEXT_MORNING = timedelta(hours=9).total_seconds()


async def _stuck(policy: LateCase) -> Stage:
    """Ordered at 08:00, then stuck until 23:40: the target is being set up for hours."""
    stage = Stage()
    stage.policy = replace(stage.policy, late_case=policy)
    stage.add(0)
    await stage.plan()
    await stage.ledger.mark_accepted([customer_id(0)], stage.clock.now())
    await stage.drive(0, until="order")
    stage.change_target(0, wire_status="pending")
    stage.clock.move(TO_2340)
    return stage


def _alarms(stage: Stage) -> int:
    return sum(1 for event in stage.ledger.history if event.name == "alarm.cutover_late")


async def test_a_stuck_cutover_is_withdrawn_and_taken_up_on_another_day():
    """The target is suspended while the source runs; the next day it is reactivated, verified and cut over."""
    stage = await _stuck(LateCase.WITHDRAW)
    late = await stage.drive(0)
    assert (late.code, late.phase, late.owner) == ("withdrawn", Phase.ACCEPTED, Owner.TENANTFOLD)
    assert [one.wire_status for one in stage.at_target(0)] == ["suspended"]
    assert stage.source(0).wire_status == "active"
    assert _alarms(stage) == 1
    assert late.due_at is not None
    assert late.due_at.date() == date(2026, 3, 3)
    stage.clock.move(TO_NEXT_MORNING)
    assert (await stage.drive(0)).phase is Phase.MOVED
    (counterpart,) = (await stage.ledger.counterparts(customer_id(0))).values()
    assert counterpart.cutover_on == date(2026, 3, 3)
    assert counterpart.withdrawn_at is None
    assert len(stage.at_target(0)) == 1
    assert stage.has_moved(0)
    assert stage.world.gaps == []


async def test_a_stuck_cutover_stays_under_the_policy_finish_and_raises_one_alarm():
    """Nothing is taken back; once the target is active the source is suspended, late, and the alarm stands."""
    stage = await _stuck(LateCase.FINISH)
    late = await stage.drive(0)
    assert late.phase is not Phase.MOVED
    assert late.alarmed_at is not None
    await stage.drive(0)
    assert _alarms(stage) == 1
    assert stage.world.writes["withdraw"] == 0
    stage.change_target(0, wire_status="active")
    assert (await stage.drive(0)).phase is Phase.MOVED
    assert stage.world.gaps == []


@pytest.mark.parametrize("policy", LateCase)
async def test_what_can_be_finished_at_2340_is_finished(policy: LateCase):
    """A target that stands is better suspended for than withdrawn, whatever the policy says."""
    stage = await _stuck(policy)
    stage.change_target(0, wire_status="active")
    assert (await stage.drive(0)).phase is Phase.MOVED
    assert stage.world.writes["withdraw"] == 0


async def test_nothing_is_withdrawn_once_a_source_is_suspended():
    """The customer already lives on the target: taking that away would lock people out."""
    stage = await _stuck(LateCase.WITHDRAW)
    stage.change(0, wire_status="suspended")
    await stage.drive(0)
    assert stage.world.writes["withdraw"] == 0
    assert stage.world.gaps == []


@pytest.mark.parametrize("fault", ["lost_before", "lost_after"])
@pytest.mark.parametrize("write", ["withdraw", "activate"])
async def test_a_lost_answer_to_a_withdrawal_or_reactivation_is_settled_by_reading(write: str, fault: str):
    """Sent again until it shows; never two subscriptions, never a gap."""
    stage = await _stuck(LateCase.WITHDRAW)
    lost = [fault]
    stage.world.fault = lambda point: lost.pop() if point == write and lost else ""
    assert (await stage.drive(0)).code == "withdrawn"
    stage.clock.move(TO_NEXT_MORNING)
    assert (await stage.drive(0)).phase is Phase.MOVED
    assert lost == []
    assert stage.has_moved(0)
    assert stage.world.gaps == []


async def test_a_cutover_can_be_withdrawn_on_several_days():
    """Each day is a wish of its own in the journal."""
    stage = await _stuck(LateCase.WITHDRAW)
    await stage.drive(0)
    stage.clock.move(TO_NEXT_MORNING)
    await stage.drive(0, until="activate")
    stage.change_target(0, wire_status="pending")
    stage.clock.move(timedelta(hours=14, minutes=50).total_seconds())
    assert (await stage.drive(0)).code == "withdrawn"
    assert stage.world.writes["withdraw"] == 2
    stage.clock.move(TO_NEXT_MORNING)
    assert (await stage.drive(0)).phase is Phase.MOVED


async def test_whoever_waits_for_a_person_is_looked_at_again_before_the_day_ends():
    """A drifted target is nobody's turn, but at 23:30 the policy is."""
    stage = Stage()
    stage.add(0)
    await stage.plan()
    await stage.ledger.mark_accepted([customer_id(0)], stage.clock.now())
    await stage.drive(0, until="order")
    stage.change_target(0, license_count=4)
    waiting = await stage.drive(0)
    assert waiting.owner is Owner.OPERATIONS
    assert waiting.due_at is not None
    assert (waiting.due_at.hour, waiting.due_at.minute) == (23, 30)


async def test_a_moved_customer_with_something_new_does_not_begin_at_night():
    """What moved earlier is no cutover that has begun: the stop time holds (R-33)."""
    stage = Stage()
    stage.add(0)
    await stage.plan()
    await stage.ledger.mark_accepted([customer_id(0)], stage.clock.now())
    assert (await stage.drive(0)).phase is Phase.MOVED
    second = replace(stage.source(0), id=type(stage.source(0).id)("s0b"), wire_status="active")
    stage.world.subscriptions[second.id] = second
    stage.clock.move(TO_2340)
    await stage.plan()
    assert (await stage.drive(0)).code == "too_late_today"


async def test_a_withdrawal_is_read_back_before_anything_else_is_decided():
    """An add-on is still to be ordered when the day ends: its base is withdrawn once, not again and again."""
    stage = Stage()
    stage.policy = replace(stage.policy, late_case=LateCase.WITHDRAW)
    base = stage.add(0)
    add_on = replace(base, id=SubscriptionId("s0a"), offer_id=OfferId("ADDON"), parent_id=base.id)
    stage.world.subscriptions[add_on.id] = add_on
    await stage.plan()
    await stage.ledger.mark_accepted([customer_id(0)], stage.clock.now())
    await stage.drive(0, until="order")
    stage.clock.move(TO_2340)
    assert (await stage.drive(0)).code == "withdrawn"
    assert stage.world.writes["withdraw"] == 1
    assert stage.world.writes["add_ons"] == 0
    stage.clock.move(TO_NEXT_MORNING)
    assert (await stage.drive(0)).phase is Phase.MOVED
    assert stage.world.gaps == []


async def test_what_can_go_on_the_next_morning_is_finished_and_not_withdrawn_first():
    """The process was down over night: an add-on is still to be ordered, and the whole day is ahead."""
    stage = Stage()
    stage.policy = replace(stage.policy, late_case=LateCase.WITHDRAW)
    base = stage.add(0)
    add_on = replace(base, id=SubscriptionId("s0a"), offer_id=OfferId("ADDON"), parent_id=base.id)
    stage.world.subscriptions[add_on.id] = add_on
    await stage.plan()
    await stage.ledger.mark_accepted([customer_id(0)], stage.clock.now())
    await stage.drive(0, until="order")
    stage.clock.move(timedelta(days=1).total_seconds())
    assert (await stage.drive(0)).phase is Phase.MOVED
    assert stage.world.writes["withdraw"] == 0
    assert _alarms(stage) == 1


async def test_a_withdrawal_that_has_begun_is_completed_whatever_waits_beside_it():
    """The base drifted yesterday, its add-on was ordered this morning: both are withdrawn, though one might be late."""
    stage = Stage()
    stage.policy = replace(stage.policy, late_case=LateCase.WITHDRAW)
    base = stage.add(0)
    add_on = replace(base, id=SubscriptionId("s0a"), offer_id=OfferId("ADDON"), parent_id=base.id)
    stage.world.subscriptions[add_on.id] = add_on
    await stage.plan()
    await stage.ledger.mark_accepted([customer_id(0)], stage.clock.now())
    await stage.drive(0, until="order")
    stage.change_target(0, license_count=4)
    stage.clock.move(timedelta(days=1).total_seconds())
    late = await stage.drive(0)
    assert (late.code, late.owner) == ("withdrawn", Owner.OPERATIONS)
    assert {one.wire_status for one in stage.at_target(0)} == {"suspended"}
    assert len(stage.at_target(0)) == 2
    assert stage.world.gaps == []
