"""The route manual: a person does it, and nothing counts against what is read."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tenantfold.domain.actions import Action, MarkArrived, MarkSuspended, Observe, Pause
from tenantfold.domain.by_hand import MACHINE
from tenantfold.domain.course import next_action
from tenantfold.domain.evidence import Evidence, TaskKind
from tenantfold.domain.guards import Refusal, RefusalCode
from tenantfold.domain.model import ProductKind, Subscription, SubscriptionId
from tenantfold.domain.observation import Observation
from tenantfold.domain.records import Case
from tenantfold.domain.states import Counterpart, Origin, Owner, Phase
from tests.domain.hand_samples import SOFTWARE, evidence, manual_item, request_intent
from tests.domain.samples import NOW, ORDER, POLICY, S1, T1, case, counterpart, later, observation, source, target

HELD = source(offer_id=SOFTWARE)
GONE = source(offer_id=SOFTWARE, wire_status="deleted")
BOUGHT = evidence(TaskKind.BOUGHT_AT_TARGET, target_id=T1, at=later(hours=-2))
ENDED = evidence(TaskKind.ENDED_AT_SOURCE, at=later(hours=-1))


def manual(*confirmed: Evidence, **fields: object) -> Case:
    """A customer with one software subscription, and what was confirmed of it."""
    return replace(case(manual_item()), evidence=confirmed, **fields)  # type: ignore[arg-type]  # the test names them


def refused(subject: Case, read: Observation) -> Refusal:
    """Why it waits."""
    action = next_action(subject, read, NOW, POLICY)
    assert isinstance(action, Pause)
    return action.refusal


def test_a_person_is_asked_first():
    """The customer waits by hand, and the refusal names the task."""
    refusal = refused(manual(), observation(HELD))
    assert (refusal.code, refusal.phase, refusal.owner) == (RefusalCode.NEEDS_PERSON, Phase.BY_HAND, Owner.OPERATIONS)
    assert "bought_at_target" in refusal.next_action


def test_the_end_is_asked_for_once_the_successor_stands():
    """Not before: a gap would lock people out (invariant 1)."""
    assert "ended_at_source" in refused(manual(BOUGHT), observation(HELD, target())).next_action


@pytest.mark.parametrize("end", [(), (GONE,), (replace(GONE, wire_status="expired"),)])
def test_both_confirmed_and_read_is_arrived(end: tuple[Subscription, ...]):
    """Active at the target, over or gone at the source: the counterpart is verified by hand."""
    action = next_action(manual(BOUGHT, ENDED), observation(*end, target()), NOW, POLICY)
    wanted = Counterpart(source_id=S1, target_id=T1, order_id=ORDER, origin=Origin.BY_HAND, verified_at=NOW)
    assert action == MarkArrived((wanted,), Phase.BY_HAND)


def test_after_it_arrived_the_customer_has_moved():
    """Nothing is ever suspended for it."""
    moved = manual(BOUGHT, ENDED, counterparts=(counterpart(origin=Origin.BY_HAND, verified_at=NOW, cutover_on=None),))
    assert next_action(moved, observation(GONE, target()), NOW, POLICY) == MarkSuspended((), finished=True)


@pytest.mark.parametrize(
    ("read", "words"),
    [
        (observation(HELD), "is not in the target's list"),
        (observation(HELD, target(wire_status="suspended")), "reads 'suspended' at the target"),
    ],
)
def test_a_purchase_the_target_does_not_show_is_refused(read: Observation, words: str):
    """Who confirmed it and what speaks against it; the end is not asked for."""
    refusal = refused(manual(BOUGHT), read)
    assert words in refusal.detail
    assert "Eva confirmed" in refusal.detail
    assert refusal.owner is Owner.OPERATIONS
    assert "ended_at_source" not in refusal.next_action


def test_a_purchase_of_this_moment_may_still_be_on_its_way():
    """A list may lag: it is looked at again before anybody is told that it is wrong."""
    refusal = refused(manual(replace(BOUGHT, at=later(seconds=-10))), observation(HELD))
    assert (refusal.owner, refusal.due_at) == (Owner.MICROSOFT, later(seconds=POLICY.retry_seconds))


def test_one_successor_stands_for_one_subscription():
    """A target subscription that stands for another is not taken twice, neither known nor in the same answer."""
    known = counterpart("s2", "t1", origin=Origin.BY_HAND, verified_at=NOW)
    assert "stands for another" in refused(manual(BOUGHT, counterparts=(known,)), observation(HELD, target())).detail
    both = replace(
        case(manual_item("s1"), manual_item("s2")),
        evidence=tuple(
            replace(one, subscription_id=SubscriptionId(name)) for name in ("s1", "s2") for one in (BOUGHT, ENDED)
        ),
    )
    action = next_action(both, observation(target()), NOW, POLICY)
    assert isinstance(action, MarkArrived)
    assert [one.source_id for one in action.counterparts] == ["s1"]


@pytest.mark.parametrize("status", ["active", "suspended", "frozen"])
def test_an_end_the_source_does_not_show_is_refused(status: str):
    """Suspended software is billed to its end, and an unknown word is not over (R-135, invariant 9)."""
    held = replace(HELD, wire_status=status)
    refusal = refused(manual(BOUGHT, ENDED), observation(held, target()))
    assert f"reads '{status}'" in refusal.detail
    assert refusal.due_at == NOW + timedelta(seconds=POLICY.hand_off_poll_seconds)


@pytest.mark.parametrize("kind", [ProductKind.UNKNOWN, ProductKind.LEGACY_LICENSE], ids=str)
def test_a_suspended_subscription_of_a_kind_that_is_not_billed_then_is_over(kind: ProductKind):
    """A reservation or another kind whose bill ends with it; legacy after a self-serve transfer, too (R-161)."""
    subject = replace(case(manual_item(kind=kind)), evidence=(BOUGHT, ENDED))
    action = next_action(subject, observation(replace(HELD, wire_status="suspended"), target()), NOW, POLICY)
    assert isinstance(action, MarkArrived)


def test_what_the_api_cannot_show_is_taken_on_its_evidence():
    """A purchase without subscription id, confirmed by a note or a file."""
    unnamed = replace(BOUGHT, target_id=None, file="invoice.pdf", sha256="ab")
    action = next_action(manual(unnamed, ENDED), observation(GONE), NOW, POLICY)
    assert isinstance(action, MarkArrived)
    assert action.counterparts[0].target_id is None


def test_a_later_confirmation_counts():
    """A wrong id is put right by confirming again."""
    wrong = replace(BOUGHT, target_id=SubscriptionId("t9"))
    right = replace(BOUGHT, at=later(minutes=-90))
    action = next_action(manual(wrong, ENDED, right), observation(GONE, target()), NOW, POLICY)
    assert isinstance(action, MarkArrived)


def test_an_unknown_status_is_settled_by_reading_not_by_word():
    """Asked, refused while it reads as before, planned anew once it reads otherwise (R-227)."""
    unknown = case(manual_item(wire_status="frozen"))
    frozen = replace(HELD, wire_status="frozen")
    assert "status_settled" in refused(unknown, observation(frozen)).next_action
    confirmed = replace(unknown, evidence=(evidence(TaskKind.STATUS_SETTLED),))
    assert "still reads 'frozen'" in refused(confirmed, observation(frozen)).detail
    assert refused(confirmed, observation(HELD)).code is RefusalCode.PLAN_STALE


def test_nothing_is_decided_on_an_old_read():
    """A side that was written to since is read again."""
    old = replace(observation(HELD), target_is_old=True)
    action: Action | None = MACHINE.forward(manual(), old, NOW, POLICY)
    assert action == Observe()


def test_by_hand_settles_no_call():
    """It makes none."""
    with pytest.raises(ValueError, match="makes no calls"):
        MACHINE.settle(manual(), request_intent(), None, NOW, POLICY)
