"""Every refusal a guard can give is reached by a drive, with reason, owner and next action on the customer's row."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from tenantfold.domain.admission import SUBSCRIPTION, KnownRates, held_refusal, may_begin
from tenantfold.domain.guards import Refusal, RefusalCode
from tenantfold.domain.model import OrderId, SubscriptionId
from tenantfold.domain.plan import Disposition
from tenantfold.domain.policy import AgreementSource, LateCase, Policy
from tenantfold.domain.records import Case
from tenantfold.domain.states import Phase
from tenantfold.domain.waves import Held
from tests.flow.stage import SE, Stage, customer_id

S0, TWIN = SubscriptionId("s0"), SubscriptionId("twin")


async def _accepted(stage: Stage, **fields: object) -> None:
    """Planned, approved and accepted."""
    await stage.plan(**fields)  # type: ignore[arg-type]  # fields of the plan's customers
    await stage.ledger.mark_accepted([customer_id(0)], stage.clock.now())


async def _ordered(stage: Stage) -> None:
    """The order is placed, and nothing was read since."""
    await _accepted(stage)
    await stage.drive(0, until="order")


async def blocked(stage: Stage) -> None:
    """The plan found something in the way."""
    await _accepted(stage, disposition=Disposition.BLOCKED)


async def not_approved(stage: Stage) -> None:
    """A newer plan nobody approved."""
    await _accepted(stage)
    await stage.plan(approved=False)


async def not_accepted(stage: Stage) -> None:
    """Planned and approved only."""
    await stage.plan()


async def agreement_contact_missing(stage: Stage) -> None:
    """Nobody gave a contact and the customer signed nothing."""
    await _accepted(stage, contact=None)


async def agreement_missing(stage: Stage) -> None:
    """The settings count the customer's own acceptance only, and it signed nothing."""
    stage.policy = Policy(agreement_source=AgreementSource.CUSTOMER)
    await _accepted(stage)


async def plan_stale(stage: Stage) -> None:
    """Seats were added after the approval."""
    await _accepted(stage)
    stage.change(0, license_count=7)


async def too_late_today(stage: Stage) -> None:
    """It is 23:00 UTC."""
    await _accepted(stage)
    stage.clock.move(timedelta(hours=15).total_seconds())


async def target_missing(stage: Stage) -> None:
    """The order was answered and its subscription does not show."""
    await _ordered(stage)
    del stage.world.subscriptions[stage.at_target(0)[0].id]


async def target_not_active(stage: Stage) -> None:
    """It is being set up."""
    await _ordered(stage)
    stage.change_target(0, wire_status="pending")


async def drift(stage: Stage) -> None:
    """Somebody took a license away at the target."""
    await _ordered(stage)
    stage.change_target(0, license_count=4)


async def source_missing(stage: Stage) -> None:
    """The source list does not show it any more."""
    await _ordered(stage)
    del stage.world.subscriptions[S0]


async def source_status_unknown(stage: Stage) -> None:
    """A status nobody knows."""
    await _ordered(stage)
    stage.change(0, wire_status="frozen")


async def new_commerce_suspension(stage: Stage) -> None:
    """Microsoft migrated it between order and suspension (R-121)."""
    await _ordered(stage)
    stage.change(0, product_type="OnlineServicesNCE")


async def source_still_active(stage: Stage) -> None:
    """Suspended by us, and somebody switched it on again before we looked."""
    await _accepted(stage)
    await stage.drive(0, until="suspend")
    stage.change(0, wire_status="active")


async def settling(stage: Stage) -> None:
    """The order's answer was lost, and nothing shows."""
    await _accepted(stage)
    stage.world.fault = lambda point: "lost_before" if point == "order" else ""


async def needs_person(stage: Stage) -> None:
    """The order took effect, its answer was lost, and an equal one of another order appeared beside it."""
    await _accepted(stage)
    stage.world.fault = lambda point: "lost_after" if point == "order" else ""
    await stage.drive(0, until="order")
    (ours,) = stage.at_target(0)
    stage.world.subscriptions[TWIN] = replace(ours, id=TWIN, order_id=OrderId("order-9"))
    stage.clock.move(stage.policy.settling_seconds + 1)


async def microsoft_refused(stage: Stage) -> None:
    """A business reason."""
    await _accepted(stage)
    stage.world.fault = lambda point: "refused" if point == "order" else ""


async def not_readable(stage: Stage) -> None:
    """The source's relationship with the customer was removed."""
    await _accepted(stage)
    stage.world.related.discard((SE, customer_id(0)))


async def withdrawn(stage: Stage) -> None:
    """Somebody took a license away at the target, nobody saw to it, and the day is about to end."""
    stage.policy = replace(stage.policy, late_case=LateCase.WITHDRAW)
    await drift(stage)
    stage.clock.move(timedelta(hours=15, minutes=40).total_seconds())


async def withdrawn_target_gone(stage: Stage) -> None:
    """The next day somebody deleted what had been withdrawn."""
    await withdrawn(stage)
    await stage.drive(0)
    stage.clock.move(timedelta(hours=9).total_seconds())
    stage.change_target(0, wire_status="deleted")


@dataclass
class Turnstile:
    """A gate that says what it is told; how it decides is tested with the admission."""

    answer: Refusal | None

    async def refusal(self, case: Case) -> Refusal | None:
        """The answer."""
        return self.answer

    async def held(self, case: Case) -> Refusal | None:
        """The answer, too."""
        return self.answer


async def cannot_finish_today(stage: Stage) -> None:
    """The calls that are left belong to those that have begun."""
    await _accepted(stage)
    rates = KnownRates(fallback=0.001)
    stage.gate = Turnstile(may_begin({(SE, SUBSCRIPTION): 3}, {}, rates, stage.clock.now(), stage.policy))


async def held(stage: Stage) -> None:
    """Its wave was paused after it was handed out."""
    await _accepted(stage)
    stage.gate = Turnstile(held_refusal(Held.PAUSED))


SCENES: dict[RefusalCode, Callable[[Stage], Awaitable[None]]] = {
    RefusalCode(scene.__name__): scene
    for scene in (
        blocked,
        not_approved,
        not_accepted,
        agreement_contact_missing,
        agreement_missing,
        plan_stale,
        too_late_today,
        target_missing,
        target_not_active,
        drift,
        source_missing,
        source_status_unknown,
        new_commerce_suspension,
        source_still_active,
        settling,
        needs_person,
        microsoft_refused,
        not_readable,
        withdrawn,
        withdrawn_target_gone,
        cannot_finish_today,
        held,
    )
}
OF_TERMS = frozenset(  # new commerce that runs out is not played by this fake: tests/domain/test_rebuy.py reaches them
    {
        RefusalCode.TERM_RUNNING,
        RefusalCode.END_OF_TERM_OPEN,
        RefusalCode.TOO_LATE_TO_REBUY,
        RefusalCode.SOURCE_GOES_ON,
    }
)
OF_WAVES = {RefusalCode.WAVE_TOO_LARGE}  # said of a wave, never of a customer
SUSPENDED = {RefusalCode.SOURCE_STILL_ACTIVE}


def test_no_refusal_is_without_a_scene():
    """A new code needs a scene here."""
    assert set(SCENES) == set(RefusalCode) - OF_WAVES - OF_TERMS


@pytest.mark.parametrize("code", SCENES)
async def test_the_refusal_is_kept_with_its_reason_and_harms_nobody(code: RefusalCode):
    """Who acts next and how stands on the row, the history says it once, and the source keeps running."""
    stage = Stage()
    stage.add(0)
    await SCENES[code](stage)
    progress = await stage.drive(0)
    assert progress.code == code.value
    assert progress.detail
    assert progress.next_action
    assert progress.phase not in {Phase.MOVED, Phase.VERIFIED}
    assert stage.ledger.rows[customer_id(0)] == progress
    assert stage.world.writes["suspend"] == (1 if code in SUSPENDED else 0)
    assert stage.world.gaps == []


@pytest.mark.parametrize("code", [one for one in SCENES if one is not RefusalCode.MICROSOFT_REFUSED])
async def test_asking_again_changes_nothing(code: RefusalCode):
    """A second drive refuses for the same reason, writes nothing and tells the history nothing new."""
    stage = Stage()
    stage.add(0)
    await SCENES[code](stage)
    first = await stage.drive(0)
    writes, told = dict(stage.world.writes), len(stage.ledger.history)
    second = await stage.drive(0)
    assert (second.code, second.phase, second.detail) == (first.code, first.phase, first.detail)
    assert stage.world.writes == writes
    assert len(stage.ledger.history) == told


async def test_a_refused_order_is_tried_again_under_a_new_key():
    """It had no effect; the next run may find the reason removed."""
    stage = Stage()
    stage.add(0)
    await microsoft_refused(stage)
    await stage.drive(0)
    stage.world.fault = lambda _point: ""
    assert (await stage.drive(0)).phase is Phase.MOVED
    generations = [one.generation for one in stage.ledger.intents.values() if one.kind.value == "place_order"]
    assert generations == [0, 1]
