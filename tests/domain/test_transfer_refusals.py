"""Submissions that Microsoft refuses in part: what was named stays a person's, and the rest moves (R-167, R-169)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenantfold.domain.actions import Action, Pause, RequestTransfer, SubmitTransfer
from tenantfold.domain.course import next_action
from tenantfold.domain.evidence import Evidence, TaskKind
from tenantfold.domain.guards import Refusal, RefusalCode
from tenantfold.domain.journal import Intent, Outcome, OutcomeKind
from tenantfold.domain.model import ProductKind, SubscriptionId
from tenantfold.domain.observation import Observation
from tenantfold.domain.records import Case
from tenantfold.domain.requests import TransferProduct, TransferState
from tenantfold.domain.states import Counterpart, Origin, Owner, Phase
from tenantfold.domain.tasks import open_tasks, why_not_now
from tenantfold.domain.transfer_refusals import kept_back, not_transferable
from tests.domain.hand_samples import evidence
from tests.domain.samples import NOW, ORDER, POLICY, TARGET, TODAY, attested, later, outcome
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

ALL = tuple(TransferProduct)
OURS = azure_plan("target-plan", tenant_id=TARGET)
MARKETPLACE = "The Azure subscription a1 has marketplace items that cannot be moved."
AGE = timedelta(seconds=POLICY.refused_retry_seconds)
FIXED = evidence(TaskKind.TRANSFER_UNBLOCKED, subscription_id="p1")


def _refused(code: str, detail: str, *entries: str, **fields: object) -> tuple[Intent, Outcome]:
    intent = submit_intent("n1", "p1", entries=tuple(map(SubscriptionId, entries or ("n1", "a1"))))
    return intent, outcome(intent, OutcomeKind.FAILED, code=code, detail=detail, **fields)


def _known(*failed: tuple[Intent, Outcome], **fields: object) -> Case:
    """License "n1" and the Azure plan "p1", after these refusals."""
    return moving(
        seats_item(), azure_plan_item(), **{"evidence": ready("p1"), "settled": (attested(), *failed)} | fields
    )


def _read(*names: str, is_pending: bool = True, licenses: Iterable[str] = ("n1",)) -> Observation:
    """Both sides with these Azure subscriptions below "p1", and an open request for everything."""
    held = [seats(one) for one in licenses]
    pending = (transfer(product_types=tuple(one.value for one in ALL)),) if is_pending else ()
    return seen(*held, azure_plan(), OURS, azure_items=[azure(one) for one in names or ("a1",)], transfers=pending)


def _next(known: Case, read: Observation, after: timedelta = timedelta()) -> Action:
    at = NOW + after
    return next_action(known, replace(read, at=at), at, POLICY)


def _entries(action: Action) -> Sequence[str]:
    assert isinstance(action, SubmitTransfer), action
    return action.entries


def _refusal(action: Action) -> Refusal:
    assert isinstance(action, Pause), action
    return action.refusal


@pytest.mark.parametrize("code", ["800078", "900104", "900134", "900145", "900146"])
def test_one_azure_subscription_does_not_keep_all_licenses_from_moving(code: str):
    """What the refusal names is dropped, below an Azure plan too; the same is never submitted again without end."""
    known = _known(_refused(code, f"Microsoft says no: A1 is not what it should be (HTTP 400, code {code})."))
    assert _entries(_next(known, _read())) == ("n1",)
    assert _entries(_next(known, _read("a1", "a2"))) == ("n1", "a2")


def test_what_stays_behind_is_a_persons():
    """With the rule, the thing by name, and how to say that it is in order (R-169)."""
    moved = Counterpart(
        source_id=SubscriptionId("n1"),
        target_id=SubscriptionId("t1"),
        order_id=ORDER,
        origin=Origin.TRANSFERRED,
        verified_at=NOW,
    )
    known = _known(_refused("900146", MARKETPLACE), counterparts=(moved,))
    refusal = _refusal(_next(known, _read(is_pending=False)))
    assert (refusal.code, refusal.phase, refusal.owner) == (
        RefusalCode.NEEDS_PERSON,
        Phase.BY_HAND,
        Owner.OPERATIONS,
    )
    assert refusal.rule == "R-169"
    assert "a1 has marketplace products" in refusal.detail
    assert "tenantfold tasks done c1 transfer_unblocked --subscription p1" in refusal.next_action
    assert refusal.due_at == later(days=1)


def test_what_a_person_removed_at_the_source_keeps_nothing_back():
    """No longer active there: the plan is empty and has merged, without any confirmation."""
    known = _known(_refused("900146", MARKETPLACE))
    read = seen(azure_plan(), OURS, seats(), azure_items=(azure("a1", status="disabled"),))
    action = _next(known, read)
    assert not isinstance(action, Pause), action


def test_what_a_person_fixed_is_tried_again():
    """A confirmation after the refusal; the one before it is about an older refusal."""
    failed = _refused("900146", MARKETPLACE)
    fixed = replace(FIXED, at=later(seconds=60))
    again = _next(_known(failed, evidence=(*ready("p1"), fixed)), _read(), timedelta(minutes=2))
    assert _entries(again) == ("n1", "a1")
    old = replace(FIXED, at=later(seconds=-60))
    assert _entries(_next(_known(failed, evidence=(*ready("p1"), old)), _read())) == ("n1",)


def test_a_refusal_older_than_the_policy_says_is_tried_again():
    """People fix things and forget to say so."""
    known = _known(_refused("900146", MARKETPLACE))
    assert _entries(_next(known, _read(), AGE - timedelta(seconds=1))) == ("n1",)
    assert _entries(_next(known, _read(), AGE)) == ("n1", "a1")


def test_what_was_taken_later_is_not_kept_back():
    """The newest answer about a thing counts."""
    failed, taken = _refused("900146", MARKETPLACE), submit_intent("p1", entries=(SubscriptionId("a1"),))
    assert set(kept_back((failed,))) == {"a1"}
    assert not kept_back((failed, (taken, outcome(taken, reference="transfer-1"))))


def test_an_id_inside_a_longer_one_is_not_named():
    """a1 is not a10."""
    detail = MARKETPLACE.replace("a1", "a10")
    assert _entries(_next(_known(_refused("900146", detail, "n1", "a1", "a10")), _read("a1", "a10"))) == ("n1", "a1")


def test_a_license_that_is_not_available_is_planned_anew_and_nobodys_task():
    """900134 of a license is for good: it is planned to run out (R-131). Every other refusal of it is a person's."""
    gone = _known(_refused("900134", "n1 is not available for a transfer."))
    assert not_transferable(gone.settled) == {"n1"}
    assert open_tasks(gone, POLICY, TODAY) == ()
    busy = _known(_refused("900104", "n1 is in another transfer."))
    assert not_transferable(busy.settled) == frozenset()
    assert [(one.subscription_id, one.rule) for one in open_tasks(busy, POLICY, TODAY)] == [("n1", "R-163")]
    assert _entries(_next(busy, _read())) == ("a1",)


def test_a_savings_plan_of_its_own_that_is_refused_is_a_persons():
    """It has no term that could simply run out into a purchase."""
    item = azure_plan_item("sp", kind=ProductKind.AZURE_COMMITMENT)
    intent = submit_intent("sp")
    failed = (intent, outcome(intent, OutcomeKind.FAILED, code="900134", detail="sp is not available for a transfer."))
    known = moving(item, evidence=ready("sp"), settled=(attested(), failed))
    saving = azure_plan("sp", product_type="AzureSavingsPlan")
    assert _refusal(_next(known, seen(saving, OURS))).rule == "R-151"


# --- a refusal that names nothing ------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["900146", "900132", "2000", "refused"])
def test_what_is_refused_without_a_name_is_tried_in_halves(code: str):
    """Until the one that may not move is alone; what may moves at once, without waiting for it."""
    all_of_it = _refused(code, "One of these cannot be moved.")
    assert _entries(_next(_known(all_of_it), _read())) == ("n1",)
    alone = _refused(code, "One of these cannot be moved.", "a1")
    alone = (replace(alone[0], subjects=(SubscriptionId("p1"),)), alone[1])
    waits = _refusal(_next(_known(all_of_it, alone), _read(licenses=())))
    assert waits.code in {RefusalCode.NEEDS_PERSON, RefusalCode.MICROSOFT_REFUSED, RefusalCode.PLAN_STALE}


@pytest.mark.parametrize("code", ["unavailable", "throttled", "not_applied", "900101", "900102"])
def test_what_failed_as_a_whole_is_tried_as_a_whole(code: str):
    """No network, a limit, or the request itself: with less in it, it would fail the same."""
    known = _known(_refused(code, "Microsoft could not be reached."))
    assert _refusal(_next(known, _read())).code is RefusalCode.MICROSOFT_REFUSED
    assert _entries(_next(known, _read(), timedelta(seconds=POLICY.retry_seconds))) == ("n1", "a1")


_NAMES = [f"n{number}" for number in range(9)]


@settings(max_examples=60, deadline=None)
@given(st.sets(st.sampled_from(_NAMES), max_size=4), st.booleans())
def test_everything_that_may_move_moves_whatever_is_refused(bad: set[str], is_named: bool):  # noqa: FBT001 - drawn
    """Against a Microsoft that refuses all for one: in few calls the rest is given, and the bad ones are left."""
    settled = [attested()]
    left = list(_NAMES)
    for _ in range(60):
        known = moving(*(seats_item(one) for one in left), settled=tuple(settled))
        action = _next(known, seen(*(seats(one) for one in left), transfers=(transfer(),)))
        if not isinstance(action, SubmitTransfer):
            break
        intent = submit_intent(*action.subjects, entries=action.entries)
        wrong = sorted(bad & set(action.entries))
        if wrong:
            detail = f"The subscription {wrong[0]} is not valid." if is_named else "Something is not valid."
            settled.append((intent, outcome(intent, OutcomeKind.FAILED, code="800078", detail=detail)))
        else:
            left = [one for one in left if one not in action.entries]
    assert set(left) == bad
    assert not bad or isinstance(action, Pause)


# --- the list of tasks -----------------------------------------------------------------------------------------------


def test_the_task_names_what_is_refused_and_goes_when_it_is_confirmed():
    """It is open again as soon as Microsoft refuses again; nothing can be confirmed that was not refused."""
    failed = _refused("900146", MARKETPLACE)
    (task,) = open_tasks(_known(failed), POLICY, TODAY)
    assert (task.kind, task.subscription_id, task.rule) == (TaskKind.TRANSFER_UNBLOCKED, "p1", "R-169")
    assert "a1 has marketplace products" in task.sentence
    fixed: tuple[Evidence, ...] = (*ready("p1"), replace(FIXED, at=later(seconds=60)))
    assert open_tasks(_known(failed, evidence=fixed), POLICY, TODAY) == ()
    again = _refused("900146", MARKETPLACE, at=later(hours=1))
    assert len(open_tasks(_known(failed, again, evidence=fixed), POLICY, TODAY)) == 1
    assert "refused nothing" in why_not_now(_known(), azure_plan_item(), TaskKind.TRANSFER_UNBLOCKED)


# --- a request that expires ------------------------------------------------------------------------------------------


def _open_until(days: float) -> Observation:
    """Nothing of the plan may go with an open request that expires then."""
    request = transfer(expires_at=later(days=days), product_types=tuple(one.value for one in ALL))
    return seen(azure_plan(), OURS, azure_items=(azure("a1"),), transfers=(request,))


def _left() -> Case:
    return moving(azure_plan_item(), evidence=ready("p1"), settled=(attested(), _refused("900146", MARKETPLACE)))


def test_a_request_that_expires_is_looked_at_three_days_before():
    """Whatever the pause is: it never reaches into the last three days (R-147)."""
    assert _refusal(_next(_left(), _open_until(3.1))).due_at == later(days=0.1)
    assert _refusal(_next(_left(), _open_until(20))).due_at == later(days=1)
    unknown = transfer(TransferState.UNKNOWN, expires_at=later(days=3, seconds=5))
    assert _refusal(_next(moving(), seen(seats(), transfers=(unknown,)))).due_at == later(seconds=5)


def test_in_its_last_three_days_a_request_is_operations():
    """The sentence says which request, until when, and what to do; what keeps it back stands beside it."""
    refusal = _refusal(_next(_left(), _open_until(2)))
    assert (refusal.owner, refusal.rule) == (Owner.OPERATIONS, "R-147")
    assert refusal.next_action.startswith("Transfer transfer-1 expires on 2026-03-04 08:00 UTC; accept or cancel it.")
    assert "a1 has marketplace products" in refusal.detail
    assert refusal.due_at == later(days=1)


def test_a_request_in_its_last_days_is_still_answered():
    """The reminder holds nothing up; and what is under way at Microsoft does not expire."""
    request = transfer(expires_at=later(days=1))
    assert isinstance(_next(moving(), seen(seats(), transfers=(request,))), SubmitTransfer)
    running = transfer(TransferState.IN_PROGRESS, expires_at=later(days=1))
    assert _refusal(_next(moving(), seen(seats(), transfers=(running,)))).owner is Owner.MICROSOFT


def test_what_expired_is_asked_for_again():
    """After its end nobody is reminded of it any more."""
    ended = transfer(TransferState.EXPIRED, expires_at=later(days=-1), changed_at=later(days=-1))
    action = _next(moving(), seen(seats(), transfers=(ended,)))
    assert isinstance(action, RequestTransfer)
    done = transfer(TransferState.COMPLETE, moved_line("x1"), expires_at=later(days=1))
    assert isinstance(_next(moving(), seen(seats(), transfers=(done,))), RequestTransfer)
