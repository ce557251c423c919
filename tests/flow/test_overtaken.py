"""A drive that was overtaken, stopped or stood still: what it decided before is not sent any more (invariant 5)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from tenantfold.domain.admission import held_refusal
from tenantfold.domain.guards import Refusal
from tenantfold.domain.journal import Intent, OpKind
from tenantfold.domain.model import CustomerId
from tenantfold.domain.policy import LateCase, Policy
from tenantfold.domain.records import Case, Step
from tenantfold.domain.states import Phase, Progress
from tenantfold.domain.waves import Held
from tenantfold.errors import ConflictError
from tenantfold.flow.gates import OpenGate
from tenantfold.flow.progress import Silent
from tenantfold.flow.reconciler import Reconciler, StopSign
from tests.flow.fakes import TARGET, FakeLedger
from tests.flow.stage import Stage, customer_id

LATE = datetime(2026, 3, 2, 23, 31, tzinfo=UTC)


@dataclass
class FrozenBeforeIntent(FakeLedger):
    """A process that stands still right before the intent of its first suspension."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    thawed: asyncio.Event = field(default_factory=asyncio.Event)

    async def record_intent(self, intent: Intent, version: int) -> None:
        """Wait in front of the suspension, once."""
        if intent.kind is OpKind.SUSPEND and not self.reached.is_set():
            self.reached.set()
            await self.thawed.wait()
        await super().record_intent(intent, version)


@dataclass
class Watched(FakeLedger):
    """Something happens right after the intent of an order is kept, or to how a customer is held."""

    after_order: Callable[[], object] = bool
    held: Held = Held.NOTHING

    async def record_intent(self, intent: Intent, version: int) -> None:
        """Keep it, then let it happen."""
        if self.held is Held.STOPPED:
            raise ConflictError("It was stopped.")
        await super().record_intent(intent, version)
        if intent.kind is OpKind.PLACE_ORDER:
            self.after_order()

    async def case(self, customer_id: CustomerId) -> Case | None:
        """With its hold."""
        found = await super().case(customer_id)
        return None if found is None else replace(found, held=self.held)


async def test_a_suspension_decided_before_another_worker_withdrew_is_not_sent():
    """Else its people would be locked out: the source suspended, and the target taken back (invariant 1)."""
    stage = Stage(policy=Policy(late_case=LateCase.WITHDRAW))
    ledger = stage.ledger = FrozenBeforeIntent(clock=stage.clock)
    stage.add(0)
    await stage.plan()
    await ledger.mark_accepted([customer_id(0)], stage.clock.now())
    zombie = asyncio.create_task(stage.cutover().drive(customer_id(0)))
    await asyncio.wait_for(ledger.reached.wait(), 30)

    await stage.clock.sleep((LATE - stage.clock.now()).total_seconds())
    stage.change_target(0, license_count=1)  # somebody in the portal: it cannot be finished, so it is taken back
    await stage.cutover().drive(customer_id(0))
    assert stage.world.writes["withdraw"] == 1

    ledger.thawed.set()
    with pytest.raises(ConflictError):
        await zombie
    assert stage.world.writes["suspend"] == 0
    assert stage.world.gaps == []
    assert stage.source(0).wire_status == "active"


async def test_two_workers_that_decided_alike_send_once():
    """Both read the same row; the second to write its intent is told that the row moved."""
    stage = Stage()
    ledger = stage.ledger = FrozenBeforeIntent(clock=stage.clock)
    stage.add(0)
    await stage.plan()
    await ledger.mark_accepted([customer_id(0)], stage.clock.now())
    first = asyncio.create_task(stage.cutover().drive(customer_id(0)))
    await asyncio.wait_for(ledger.reached.wait(), 30)
    assert (await stage.cutover().drive(customer_id(0))).phase is Phase.MOVED
    ledger.thawed.set()
    with pytest.raises(ConflictError):
        await first
    assert (stage.world.writes["order"], stage.world.writes["suspend"]) == (1, 1)
    assert stage.has_moved(0)


async def test_a_call_that_stood_still_after_its_intent_does_not_leave():
    """Somebody may have concluded meanwhile that it had no effect; it is closed as not made and decided again."""
    stage = Stage()
    ledger = stage.ledger = Watched(clock=stage.clock)
    naps = [7_200.0]
    ledger.after_order = lambda: stage.clock.move(naps.pop()) if naps else None
    stage.add(0)
    await stage.plan()
    await ledger.mark_accepted([customer_id(0)], stage.clock.now())
    waiting = await stage.cutover().drive(customer_id(0))
    assert stage.world.writes["order"] == 0
    assert waiting.due_at is not None
    assert "stood still" in waiting.detail
    await stage.clock.sleep(60)
    assert (await stage.cutover().drive(customer_id(0))).phase is Phase.MOVED
    assert stage.world.writes["order"] == 1


async def test_who_is_stopped_in_the_middle_gets_no_further_call():
    """``abort --now``: the order that was on its way arrives, nothing is suspended until somebody lifts that."""
    stage = Stage()
    ledger = stage.ledger = Watched(clock=stage.clock)
    ledger.after_order = lambda: setattr(ledger, "held", Held.STOPPED)
    stage.add(0)
    await stage.plan()
    await ledger.mark_accepted([customer_id(0)], stage.clock.now())
    with pytest.raises(ConflictError):
        await stage.cutover().drive(customer_id(0))
    assert (stage.world.writes["order"], stage.world.writes["suspend"]) == (1, 0)


async def test_who_was_stopped_after_being_handed_out_is_left_alone():
    """A job that was queued before the stop does nothing at all: it reads nothing, and keeps its row as it is."""
    stage = Stage()
    ledger = stage.ledger = Watched(clock=stage.clock, held=Held.STOPPED)
    stage.add(0)
    await stage.plan()
    await ledger.mark_accepted([customer_id(0)], stage.clock.now())
    before = ledger.rows[customer_id(0)]
    assert await stage.cutover().drive(customer_id(0)) == before
    assert (ledger.rows[customer_id(0)], stage.at_target(0), TARGET in stage.centers) == (before, [], True)


async def test_who_was_stopped_wakes_nobody_while_others_are_driven():
    """Its row stays due, and still there is no time to look again: the dispatcher would turn without a rest."""
    stage = Stage()
    stage.ledger = Watched(clock=stage.clock, held=Held.STOPPED)
    stage.add(0)
    await stage.plan()
    await stage.ledger.mark_accepted([customer_id(0)], stage.clock.now())
    work = Reconciler(stage.cutover(), Silent(), StopSign())
    await work.drive(customer_id(0))
    assert work.next_at() is None


@dataclass
class StoppedBeforeResend(Watched):
    """``abort --now`` comes when a suspension whose answer was lost is about to be sent again."""

    async def record_step(self, step: Step, now: datetime) -> Progress:
        """As the ledger does."""
        if step.event == "cutover.suspend.sent_again":
            self.held = Held.STOPPED
        if step.sends and self.held is Held.STOPPED:
            raise ConflictError("It was stopped.")
        return await super().record_step(step, now)


async def test_a_suspension_without_answer_is_not_sent_again_for_who_is_stopped_meanwhile():
    """Whoever decided to send it again read the row before the stop (ADR 0017)."""
    stage = Stage()
    stage.ledger = StoppedBeforeResend(clock=stage.clock)
    stage.add(0)
    await stage.plan()
    await stage.ledger.mark_accepted([customer_id(0)], stage.clock.now())
    lost = ["lost_before"]
    stage.world.fault = lambda point: lost.pop() if point == "suspend" and lost else ""
    with pytest.raises(ConflictError):
        await stage.cutover().drive(customer_id(0))
    assert lost == []
    assert stage.world.writes["suspend"] == 0


@dataclass
class Phases(FakeLedger):
    """Remembers the phase after each event."""

    after: dict[str, Phase] = field(default_factory=dict)

    async def record_step(self, step: Step, now: datetime) -> Progress:
        """As ever."""
        self.after[step.event] = step.progress.phase
        return await super().record_step(step, now)


@pytest.mark.parametrize("before", [Phase.ACCEPTED, Phase.STALE, Phase.FAILED, Phase.BY_HAND, Phase.TRANSFERRING])
async def test_an_attested_agreement_is_no_beginning(before: Phase):
    """Nothing stands at the target yet: a customer that is paused then does not begin."""
    stage = Stage()
    ledger = stage.ledger = Phases(clock=stage.clock)
    stage.add(0)
    await stage.plan()
    await ledger.mark_accepted([customer_id(0)], stage.clock.now())
    ledger.rows[customer_id(0)] = replace(ledger.rows[customer_id(0)], phase=before)
    await stage.cutover().drive(customer_id(0))
    assert ledger.after["cutover.attest_agreement.done"] is Phase.ACCEPTED
    assert ledger.after["cutover.place_order.done"] is Phase.CUTTING_OVER
    assert stage.has_moved(0)


@dataclass
class LiftedMeanwhile(OpenGate):
    """The hold is lifted after the gate was asked, and before the ledger knows that somebody was turned back."""

    turned_back: int = 0

    async def refusal(self, case: Case) -> Refusal | None:
        """Held, the first time."""
        self.turned_back += 1
        return held_refusal(Held.PAUSED) if self.turned_back == 1 else None


async def test_a_hold_lifted_while_somebody_is_turned_back_at_the_gate_keeps_nobody():
    """Whoever lifted it found nobody to make due: else the customer would wait for a next run or worker."""
    stage = Stage(gate=LiftedMeanwhile())
    stage.add(0)
    await stage.plan()
    await stage.ledger.mark_accepted([customer_id(0)], stage.clock.now())
    assert (await stage.cutover().drive(customer_id(0))).phase is Phase.MOVED
