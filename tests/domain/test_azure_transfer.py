"""Azure by transfer: what must be ready before, what is given, and when all of it has moved (rules J)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tenantfold.domain.actions import (
    Action,
    AdoptOutcome,
    BuyAzurePlan,
    CancelAzureDefault,
    MarkArrived,
    Pause,
    RequestTransfer,
    Resend,
    SubmitTransfer,
)
from tenantfold.domain.azure import AzureKind
from tenantfold.domain.course import next_action
from tenantfold.domain.guards import RefusalCode
from tenantfold.domain.journal import Intent, OpKind, OutcomeKind
from tenantfold.domain.model import OrderId, ProductKind, SubscriptionId
from tenantfold.domain.observation import Observation
from tenantfold.domain.policy import Policy
from tenantfold.domain.records import Case
from tenantfold.domain.requests import TransferProduct, TransferState
from tenantfold.domain.states import Counterpart, Origin, Phase
from tests.domain.samples import C1, NOW, POLICY, TARGET, attested, later, outcome
from tests.domain.transfers import (
    azure,
    azure_plan,
    azure_plan_item,
    moved_line,
    moving,
    ready,
    seats,
    seats_item,
    seen,
    submit_intent,
    transfer,
)

BUYS = replace(POLICY, buys_azure_plan=True)
CLEANS = replace(BUYS, cleans_azure_default=True)
OURS = azure_plan("target-plan", tenant_id=TARGET)
P1 = SubscriptionId("p1")


def _next(known: Case, read: Observation, policy: Policy = POLICY, *, seconds: float = 0.0) -> Action:
    return next_action(known, replace(read, at=later(seconds=seconds)), later(seconds=seconds), policy)


def _known(*items: object, **fields: object) -> Case:
    return moving(*(items or (azure_plan_item(),)), **({"evidence": ready("p1")} | fields))  # type: ignore[arg-type]


def _waits(action: Action) -> tuple[RefusalCode, Phase]:
    assert isinstance(action, Pause), action
    return action.refusal.code, action.refusal.phase


def _bought(**fields: object) -> Intent:
    value = Intent(
        key="buy", plan_id=1, customer_id=C1, tenant_id=TARGET, kind=OpKind.BUY_AZURE_PLAN, at=NOW, subjects=(P1,)
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def test_cost_history_and_access_are_a_persons_before_anything_is_asked_for():
    """Both are lost with the transfer (R-172, R-173); the sentence says which command confirms them."""
    read = seen(azure_plan(), OURS, azure_items=(azure("a1"),))
    action = _next(_known(evidence=()), read)
    assert _waits(action) == (RefusalCode.NEEDS_PERSON, Phase.BY_HAND)
    assert isinstance(action, Pause)
    assert "tenantfold tasks done c1 cost_history_exported" in action.refusal.next_action
    half = _next(_known(evidence=ready("p1")[:1]), read)
    assert isinstance(half, Pause)
    assert "access_listed" in half.refusal.next_action
    assert "cost_history" not in half.refusal.next_action


def test_licenses_go_on_while_azure_waits_for_a_person():
    """One request for what is ready; Azure goes with the next."""
    known = _known(azure_plan_item(), seats_item(), evidence=())
    action = _next(known, seen(azure_plan(), seats(), OURS, azure_items=(azure("a1"),)))
    assert isinstance(action, RequestTransfer)
    assert (action.subjects, action.wish.product_types) == (("n1",), (TransferProduct.LICENSE,))


def test_everything_active_is_given_and_nothing_else():
    """An inactive reservation in the selection would refuse all of it (R-167)."""
    things = (
        azure("a1"),
        azure("a2", status="disabled"),
        azure("r1", kind=AzureKind.RESERVATION, plan_id=None),
        azure("r2", kind=AzureKind.RESERVATION, plan_id=None, status="Cancelled"),
        azure("s1", kind=AzureKind.SAVINGS_PLAN, plan_id=None),
    )
    read = seen(azure_plan(), OURS, azure_items=things)
    asked = _next(_known(), read)
    assert isinstance(asked, RequestTransfer)
    assert set(asked.wish.product_types) == {
        TransferProduct.AZURE_SUBSCRIPTION,
        TransferProduct.AZURE_RESERVATION,
        TransferProduct.AZURE_SAVINGS_PLAN,
    }
    pending = transfer(product_types=tuple(one.value for one in asked.wish.product_types))
    given = _next(_known(), seen(azure_plan(), OURS, azure_items=things, transfers=(pending,)))
    assert isinstance(given, SubmitTransfer)
    assert (given.subjects, set(given.entries)) == (("p1",), {"a1", "r1", "s1"})


def test_the_target_needs_an_azure_plan_first():
    """R-164: a person buys it, or we do where the policy allows it; one that was bought is waited for."""
    read = seen(azure_plan(), azure_items=(azure("a1"),))
    assert _waits(_next(_known(), read)) == (RefusalCode.TARGET_MISSING, Phase.BY_HAND)
    assert _next(_known(), read, BUYS) == BuyAzurePlan((P1,))
    settled = (attested(), (_bought(), outcome(_bought())))
    assert _waits(_next(_known(settled=settled), read, BUYS))[0] is RefusalCode.TARGET_NOT_ACTIVE
    pending = seen(azure_plan(), replace(OURS, wire_status="pending"), azure_items=(azure("a1"),))
    assert _waits(_next(_known(), pending, BUYS))[0] is RefusalCode.TARGET_NOT_ACTIVE


def test_the_empty_subscription_of_a_plan_we_bought_is_canceled_before_anything_is_under_it():
    """R-174: only where it cannot be anything else, and only once."""
    default = azure("d1", tenant_id=TARGET, plan_id=SubscriptionId("target-plan"))
    read = seen(azure_plan(), OURS, azure_items=(azure("a1"), default))
    bought = (attested(), (_bought(), outcome(_bought())))
    assert _next(_known(settled=bought), read, CLEANS) == CancelAzureDefault(OURS.id, default.id)
    assert isinstance(_next(_known(settled=bought), read, BUYS), RequestTransfer)
    assert isinstance(_next(_known(), read, CLEANS), RequestTransfer)  # somebody else's plan
    baseline = (_bought(baseline=(OURS.id,)), outcome(_bought()))
    assert isinstance(_next(_known(settled=(attested(), baseline)), read, CLEANS), RequestTransfer)
    two = seen(azure_plan(), OURS, azure_items=(azure("a1"), default, replace(default, id=SubscriptionId("d2"))))
    assert isinstance(_next(_known(settled=bought), two, CLEANS), RequestTransfer)


def test_a_plan_of_which_nothing_active_is_left_has_merged():
    """It stays behind empty; what was given must show at the target, because somebody pays for it (R-171)."""
    given = submit_intent("p1", entries=(SubscriptionId("a1"),))
    settled = (attested(), (given, outcome(given, reference="transfer-1")))
    done = transfer(TransferState.COMPLETE, moved_line("a1", "target-plan"))
    gone = seen(azure_plan(), OURS, transfers=(done,))
    waiting = _next(_known(settled=settled), gone)
    assert _waits(waiting) == (RefusalCode.TARGET_MISSING, Phase.TRANSFERRING)
    moved = azure("a1", tenant_id=TARGET, plan_id=SubscriptionId("target-plan"))
    action = _next(_known(settled=settled), seen(azure_plan(), OURS, transfers=(done,), azure_items=(moved,)))
    counterpart = Counterpart(source_id=P1, target_id=None, order_id="", origin=Origin.MERGED, verified_at=NOW)  # type: ignore[arg-type]
    assert action == MarkArrived((counterpart,), Phase.TRANSFERRING)


def test_a_license_that_went_along_is_not_looked_for_in_azure():
    """Also when a later plan no longer lists it, because it has moved: it has a counterpart of its own (seed 69)."""
    given = submit_intent("n1", "p1", entries=(SubscriptionId("n1"), SubscriptionId("a1")))
    settled = (attested(), (given, outcome(given, reference="transfer-1")))
    done = transfer(TransferState.COMPLETE, moved_line("n1", "t1"), moved_line("a1", "target-plan"))
    license_moved = Counterpart(
        source_id=SubscriptionId("n1"),
        target_id=SubscriptionId("t1"),
        order_id=OrderId("order-1"),
        origin=Origin.TRANSFERRED,
        verified_at=NOW,
    )
    moved = azure("a1", tenant_id=TARGET, plan_id=SubscriptionId("target-plan"))
    read = seen(azure_plan(), OURS, transfers=(done,), azure_items=(moved,))
    action = _next(_known(settled=settled, counterparts=(license_moved,)), read)
    assert isinstance(action, MarkArrived)
    assert [one.source_id for one in action.counterparts] == [P1]


def test_what_could_not_be_read_has_not_merged():
    """A tenant that was not asked says nothing (invariant 9)."""
    read = seen(azure_plan(), OURS)
    blind = replace(read, beside=replace(read.beside, azure={}))
    action = _next(_known(), blind)
    assert not isinstance(action, MarkArrived)


def test_a_lost_purchase_of_the_plan_is_found_or_sent_again_as_it_was():
    """There is one plan per customer: what is new is ours (27006)."""
    open_one = _known(open_intents=(_bought(),))
    found = _next(open_one, seen(azure_plan(), OURS, azure_items=(azure("a1"),)), BUYS)
    assert isinstance(found, AdoptOutcome)
    assert found.outcome.kind is OutcomeKind.ADOPTED
    nothing = seen(azure_plan(), azure_items=(azure("a1"),))
    assert _waits(_next(open_one, nothing, BUYS))[1] is Phase.STRANDED
    assert _next(open_one, nothing, BUYS, seconds=POLICY.settling_seconds) == Resend(_bought())


@pytest.mark.parametrize("shows", [True, False])
def test_a_lost_cancellation_is_told_by_what_is_under_the_plan(shows: bool):  # noqa: FBT001 - a case
    """No longer active means canceled."""
    intent = _bought(
        key="cancel", kind=OpKind.CANCEL_AZURE_DEFAULT, subjects=(SubscriptionId("d1"),), reference=OURS.id
    )
    default = azure("d1", tenant_id=TARGET, plan_id=OURS.id, status="active" if shows else "disabled")
    action = _next(_known(open_intents=(intent,)), seen(azure_plan(), OURS, azure_items=(azure("a1"), default)), CLEANS)
    assert isinstance(action, Pause if shows else AdoptOutcome)


def test_a_savings_plan_in_the_list_of_subscriptions_is_given_itself():
    """It is no Azure subscription under the plan, and it is not done while it is active at the source (R-168)."""
    saving = azure_plan("sp", offer_id="DZH318Z08B81:0001:X", product_type="AzureSavingsPlan")
    known = azure_plan_item("sp", offer_id=saving.offer_id, kind=ProductKind.AZURE_COMMITMENT)
    asked = _next(_known(known, evidence=ready("sp")), seen(saving, OURS))
    assert isinstance(asked, RequestTransfer)
    assert asked.wish.product_types == (TransferProduct.AZURE_SAVINGS_PLAN,)
    gone = _next(_known(known, evidence=ready("sp")), seen(OURS))
    assert isinstance(gone, MarkArrived)
