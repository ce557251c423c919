"""Calls without known outcome: the evidence, and what a person's decision does to the customer."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from tenantfold.domain.guards import Refusal, RefusalCode
from tenantfold.domain.journal import Intent, OpKind, OutcomeKind
from tenantfold.domain.model import CustomerId, OrderId, Subscription, SubscriptionId
from tenantfold.domain.records import BookEntry, Snapshot
from tenantfold.domain.requests import ServiceRequest, ServiceRequestId, ServiceRequestState, ServiceRequestWish
from tenantfold.domain.states import Phase
from tenantfold.domain.stranded_decisions import Decision, DecisionKind, Fit
from tenantfold.errors import InputError, NoAnswerError
from tenantfold.flow.stranded import Settled, StrandedTask, settle, show
from tests.flow.fakes import TARGET, Crash, FakeLedger
from tests.flow.stage import START, Stage, customer_id

SETTLING = 901


@dataclass
class StrandedFakeLedger(FakeLedger):
    """The fake ledger, with the open intents and one snapshot's book."""

    known: BookEntry | None = None

    async def open_intents(self, wanted: CustomerId | None = None) -> tuple[Intent, ...]:
        """Those without outcome."""
        mine = [one for one in self.intents.values() if wanted in {None, one.customer_id}]
        return tuple(one for one in sorted(mine, key=lambda one: one.customer_id) if one.key not in self.outcomes)

    async def newest_snapshot(self, tenant_id: str) -> Snapshot | None:
        """One complete snapshot of each tenant, if there is a book at all."""
        return Snapshot(number=1, tenant_id=TARGET, started_at=START, completed_at=START) if self.known else None

    async def book_entry(self, snapshots: object, wanted: CustomerId) -> BookEntry | None:
        """What the snapshots hold."""
        return self.known


async def stranded_stage(fault: str, customers: int = 1) -> tuple[Stage, StrandedTask]:
    """A stage on which the answer to the first customer's order got lost (or the program died there)."""
    stage = Stage()
    stage.ledger = StrandedFakeLedger(clock=stage.clock)
    for number in range(customers):
        stage.add(number)
    await stage.plan()
    await stage.ledger.mark_accepted([customer_id(number) for number in range(customers)], stage.clock.now())
    stage.world.fault = lambda point: fault if point == "order" else ""
    with pytest.raises(Crash):
        await stage.drive(0)
    stage.world.fault = lambda _point: ""
    return stage, StrandedTask(cutover=stage.cutover(), ledger=stage.ledger)  # type: ignore[arg-type]  # what it uses


def by_hand(stage: Stage, name: str = "hand", **fields: object) -> Subscription:
    """Somebody orders the same at the target."""
    twin = replace(stage.source(0), id=SubscriptionId(name), tenant_id=TARGET, order_id=OrderId(f"{name}-order"))
    twin = replace(twin, **fields)  # type: ignore[arg-type]  # the test names them
    stage.world.subscriptions[twin.id] = twin
    return twin


def decision(kind: DecisionKind, *ids: str) -> Decision:
    """Eva's."""
    return Decision(kind=kind, by="Eva", reason="I looked", target_ids=tuple(SubscriptionId(one) for one in ids))


async def test_shows_what_was_sent_and_what_stands_there_now():
    """Two candidates: ours and one ordered by hand; a person is needed after the settling time."""
    stage, task = await stranded_stage("crash_after")
    by_hand(stage)
    stage.clock.move(SETTLING)
    (found,) = await show(task)
    assert (found.customer_id, found.unreadable) == (customer_id(0), "")
    assert found.request_id == str(found.intent.request_id)
    assert [one.fit for one in found.candidates] == [Fit.FITS, Fit.FITS]
    assert found.outlook.needs_person


async def test_says_when_it_settles_by_itself():
    """Nothing shows yet."""
    _, task = await stranded_stage("crash_before")
    (found,) = await show(task, customer_id(0))
    assert not found.outlook.needs_person
    assert found.outlook.at is not None
    assert found.outlook.at > START


async def test_shows_the_newest_snapshot_when_the_target_cannot_be_read(monkeypatch: pytest.MonkeyPatch):
    """And says so; nothing can be decided on it."""
    stage, task = await stranded_stage("crash_after")
    stage.ledger.known = BookEntry(customer_id=customer_id(0), seen=(), subscriptions=(by_hand(stage),))  # type: ignore[attr-defined]  # the stage's own type is the plain fake

    async def silent(_customer: CustomerId) -> None:
        raise NoAnswerError("Nobody there.")

    monkeypatch.setattr(stage.centers[TARGET], "subscriptions", silent)
    (found,) = await show(task)
    assert found.unreadable == "Nobody there."
    assert [one.subscription.id for one in found.candidates] == ["hand"]
    assert found.seen_at == START
    with pytest.raises(NoAnswerError):
        await settle(task, customer_id(0), decision(DecisionKind.ADOPT, "hand"))


async def test_adopting_ours_moves_the_customer_and_keeps_who_and_why():
    """The run goes on with what was adopted; the one ordered by hand stays as it is."""
    stage, task = await stranded_stage("crash_after")
    by_hand(stage)
    ours = next(one.id for one in stage.at_target(0) if one.id != "hand")
    answer = await settle(task, customer_id(0), decision(DecisionKind.ADOPT, ours))
    assert isinstance(answer, Settled)
    assert stage.ledger.links[stage.source(0).id].target_id == ours
    event = stage.ledger.history[-1]
    assert (event.name, event.facts["by"], event.facts["reason"]) == ("stranded.adopt", "Eva", "I looked")
    await stage.run()
    assert stage.phase(0) is Phase.MOVED
    assert len(stage.at_target(0)) == 2


@pytest.mark.parametrize("kind", [DecisionKind.RESEND, DecisionKind.ABANDON])
async def test_nothing_is_sent_or_given_up_while_a_candidate_stands_there(kind: DecisionKind):
    """It would make a twin; nothing is changed."""
    stage, task = await stranded_stage("crash_after")
    stage.clock.move(SETTLING)
    before = dict(stage.ledger.rows)
    answer = await settle(task, customer_id(0), decision(kind))
    assert isinstance(answer, Refusal)
    assert stage.ledger.rows == before
    assert len(stage.at_target(0)) == 1


async def test_sending_again_waits_for_the_settling_time_and_keeps_the_request_id():
    """Then it is one order, and the run ends the move."""
    stage, task = await stranded_stage("crash_before")
    early = await settle(task, customer_id(0), decision(DecisionKind.RESEND))
    assert isinstance(early, Refusal)
    assert early.code is RefusalCode.SETTLING
    stage.clock.move(SETTLING)
    answer = await settle(task, customer_id(0), decision(DecisionKind.RESEND))
    assert isinstance(answer, Settled)
    assert answer.outcome is not None
    assert answer.outcome.kind is OutcomeKind.DONE
    assert answer.intent.request_id in stage.world.answered
    assert len(stage.at_target(0)) == 1
    await stage.run()
    assert stage.has_moved(0)


async def test_an_order_sent_again_whose_answer_is_lost_once_more_settles_anew():
    """Nothing is concluded before the settling time of the second time is over (found by the model)."""
    stage, task = await stranded_stage("crash_before")
    stage.clock.move(SETTLING)
    stage.world.fault = lambda point: "lost_before" if point == "order" else ""
    answer = await settle(task, customer_id(0), decision(DecisionKind.RESEND))
    assert isinstance(answer, Settled)
    assert answer.outcome is None
    stage.world.fault = lambda _point: ""
    again = await settle(task, customer_id(0), decision(DecisionKind.RESEND))
    assert isinstance(again, Refusal)
    assert again.code is RefusalCode.SETTLING
    (found,) = await show(task)
    assert found.intent.at > START
    assert found.request_id == str(answer.intent.request_id)


async def test_what_is_given_up_is_decided_anew_by_the_run():
    """With another request id; who and why stand in the journal."""
    stage, task = await stranded_stage("crash_before")
    stage.clock.move(SETTLING)
    answer = await settle(task, customer_id(0), decision(DecisionKind.ABANDON))
    assert isinstance(answer, Settled)
    assert answer.outcome is not None
    assert (answer.outcome.code, answer.outcome.detail) == ("abandoned", "abandoned by Eva: I looked")
    await stage.run()
    assert stage.has_moved(0)
    assert answer.intent.request_id not in stage.world.answered


async def test_who_is_not_stranded_cannot_be_settled():
    """And the others are not shown."""
    _, task = await stranded_stage("crash_after", customers=2)
    assert [one.customer_id for one in await show(task)] == [customer_id(0)]
    with pytest.raises(InputError, match="no call without outcome"):
        await settle(task, customer_id(1), decision(DecisionKind.ABANDON))


async def test_a_call_of_another_route_is_shown_by_what_settles_it(monkeypatch: pytest.MonkeyPatch):
    """A service request is found in the list of service requests, not at the target: the next run notes it."""
    stage = Stage()
    stage.ledger = StrandedFakeLedger(clock=stage.clock)
    stage.add(0)
    await stage.plan()
    await stage.ledger.mark_accepted([customer_id(0)], stage.clock.now())
    asked = ServiceRequestWish(title="Please move", description="it")
    subject = stage.source(0)
    await stage.ledger.record_intent(
        Intent(
            key="ask",
            plan_id=1,
            customer_id=customer_id(0),
            tenant_id=subject.tenant_id,
            kind=OpKind.OPEN_SERVICE_REQUEST,
            at=stage.clock.now(),
            subjects=(subject.id,),
            service_request=asked,
        ),
        stage.ledger.rows[customer_id(0)].version,
    )
    listed = ServiceRequest(
        id=ServiceRequestId("615"),
        title=asked.title,
        status="open",
        state=ServiceRequestState.OPEN,
        created_at=stage.clock.now(),
    )

    async def service_requests(_customer: CustomerId) -> tuple[ServiceRequest, ...]:
        return (listed,)

    for center in stage.centers.values():
        monkeypatch.setattr(center, "service_requests", service_requests, raising=False)
    (found,) = await show(StrandedTask(cutover=stage.cutover(), ledger=stage.ledger))  # type: ignore[arg-type]  # what it uses
    assert not found.outlook.needs_person
    assert "It took effect" in found.outlook.sentence
