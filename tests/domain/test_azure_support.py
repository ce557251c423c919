"""The route azure_support: hand off, wait for Microsoft, confirm by reading both sides (R-46 to R-52, R-179)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tenantfold.domain.actions import AdoptOutcome, MarkArrived, Observe, OpenServiceRequest, Pause
from tenantfold.domain.course import next_action, parts_of
from tenantfold.domain.evidence import TaskKind
from tenantfold.domain.guards import Refusal, RefusalCode
from tenantfold.domain.journal import OutcomeKind
from tenantfold.domain.model import ModernTerms, OfferId, SubscriptionId
from tenantfold.domain.observation import Observation, Part
from tenantfold.domain.policy import Policy
from tenantfold.domain.products import AZURE_PLAN_SKU
from tenantfold.domain.records import Case
from tenantfold.domain.requests import ServiceRequestId, ServiceRequestState
from tenantfold.domain.states import Counterpart, Origin, Owner, Phase
from tests.domain.hand_samples import (
    azure_item,
    azure_read,
    azure_source,
    azure_target,
    evidence,
    request_intent,
    service_request,
    under,
)
from tests.domain.samples import NO, NOW, ORDER, POLICY, S1, SE, T1, TARGET, case, counterpart, later, outcome

BY_CALL = Policy(opens_service_requests=True)
HANDED_OFF = evidence(TaskKind.HANDED_OFF, note="sr-1", at=NOW - timedelta(hours=1))
STILL = azure_read(azure_source(), azure=(under("s1", SE),))
MOVED = azure_read(azure_source(wire_status="suspended"), azure_target(), azure=(under("t1", TARGET),))


def support(**fields: object) -> Case:
    """A customer with one usage-based Azure subscription."""
    return replace(case(azure_item()), **fields)  # type: ignore[arg-type]  # the test names the fields


def asked(reference: str = "sr-1") -> Case:
    """The same customer after its service request was opened through the API."""
    intent = request_intent()
    return support(settled=((intent, replace(outcome(intent), reference=reference)),))


def refused(subject: Case, read: Observation, policy: Policy = POLICY) -> Refusal:
    """Why it waits."""
    action = next_action(subject, read, NOW, policy)
    assert isinstance(action, Pause)
    return action.refusal


def test_only_these_customers_are_read_more_of():
    """Azure and service requests are read while something is to be moved this way, and not afterwards."""
    assert parts_of(support()) == {Part.AZURE, Part.SERVICE_REQUESTS}
    done = counterpart(origin=Origin.BY_HAND, verified_at=NOW)
    assert parts_of(support(counterparts=(done,))) == frozenset()
    assert Part.SERVICE_REQUESTS in parts_of(support(counterparts=(done,), open_intents=(request_intent(),)))


# --- the hand-off ----------------------------------------------------------------------------------------------------


def test_a_person_hands_off_where_the_api_may_not():
    """The careful default: the task is named, and that tenantfold handoff writes what to send."""
    refusal = refused(support(), STILL)
    assert (refusal.code, refusal.phase) == (RefusalCode.NEEDS_PERSON, Phase.BY_HAND)
    assert "tenantfold handoff" in refusal.detail


def test_one_request_holds_everything_of_one_source():
    """It names ids only, of both partners and every subscription, and says what Microsoft's form asks (R-180)."""
    subject = replace(case(azure_item("s1"), azure_item("s2")))
    action = next_action(subject, azure_read(azure_source("s1"), azure_source("s2")), NOW, BY_CALL)
    assert isinstance(action, OpenServiceRequest)
    assert (action.tenant_id, action.subjects) == (SE, ("s1", "s2"))
    for words in ("Subscription ID: s1", "Subscription ID: s2", "New partner Microsoft ID: target", "Severity: C"):
        assert words in action.wish.description
    assert "Ekdal" not in action.wish.title + action.wish.description
    assert "c1" in action.wish.title


def test_every_source_asks_for_its_own():
    """Microsoft acts for the current partner only (R-179)."""
    items = (azure_item("s1"), azure_item("s2", tenant_id=NO))
    read = azure_read(azure_source("s1"), azure_source("s2", tenant_id=NO))
    action = next_action(replace(case(*items)), read, NOW, BY_CALL)
    assert isinstance(action, OpenServiceRequest)
    assert (action.tenant_id, action.subjects) == (NO, ("s2",))


def test_what_changed_since_the_plan_is_not_handed_off():
    """The approver saw an active one (invariant 5)."""
    read = azure_read(azure_source(wire_status="suspended"), azure=(under("s1", SE),))
    assert refused(support(), read, BY_CALL).code is RefusalCode.PLAN_STALE


def test_a_failed_request_is_tried_again_later_and_then_left_to_a_person():
    """A little later at first; where the API refuses for good, a person writes in the portal."""
    tries = [request_intent(f"try-{number}") for number in range(3)]
    failed = tuple((one, replace(outcome(one, OutcomeKind.FAILED), detail="404")) for one in tries)
    waits = refused(support(settled=failed[:1]), STILL, BY_CALL)
    assert (waits.code, waits.due_at) == (RefusalCode.MICROSOFT_REFUSED, later(seconds=BY_CALL.retry_seconds))
    again = next_action(support(settled=failed[:1]), replace(STILL, at=later(minutes=1)), later(minutes=1), BY_CALL)
    assert isinstance(again, OpenServiceRequest)
    assert "tasks done" in refused(support(settled=failed), STILL, BY_CALL).next_action


# --- waiting and confirming ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("subject", [asked(), support(evidence=(HANDED_OFF,))])
def test_microsoft_is_waited_for(subject: Case):
    """Whether asked by call or by hand: looked at again in hours, and nobody has anything to do."""
    refusal = refused(subject, STILL)
    assert (refusal.phase, refusal.owner) == (Phase.HANDED_OFF, Owner.MICROSOFT)
    assert refusal.due_at == NOW + timedelta(seconds=POLICY.hand_off_poll_seconds)


@pytest.mark.parametrize("status", ["suspended", "disabled", "deleted", "inactive", "expired"])
def test_off_at_the_source_and_active_at_the_target_is_arrived(status: str):
    """Other subscription id, same Azure subscription id (R-51, R-52, commerce reference 5)."""
    read = azure_read(azure_source(wire_status=status), azure_target(), azure=(under("t1", TARGET),))
    action = next_action(asked(), read, NOW, POLICY)
    wanted = Counterpart(source_id=S1, target_id=T1, order_id=ORDER, origin=Origin.BY_HAND, verified_at=NOW)
    assert action == MarkArrived((wanted,), Phase.HANDED_OFF)


def test_gone_at_the_source_is_off():
    """A subscription the list does not hold any more."""
    read = azure_read(azure_target(), azure=(under("t1", TARGET),))
    assert isinstance(next_action(asked(), read, NOW, POLICY), MarkArrived)


def test_what_microsoft_moved_without_being_asked_by_us_has_arrived_too():
    """What is read counts, not who asked."""
    assert isinstance(next_action(support(), MOVED, NOW, POLICY), MarkArrived)


def test_what_went_into_the_azure_plan_is_merged():
    """Converted on the way: the target's plan holds it beside others, so it is nobody's counterpart (R-170)."""
    plan = azure_target("plan", offer_id=OfferId(f"{AZURE_PLAN_SKU}:1"), product_type="Azure", modern=None)
    read = azure_read(azure_source(wire_status="disabled"), plan, azure=(under("plan", TARGET),))
    action = next_action(asked(), read, NOW, POLICY)
    assert isinstance(action, MarkArrived)
    assert (action.counterparts[0].origin, action.counterparts[0].target_id) == (Origin.MERGED, None)


@pytest.mark.parametrize(
    ("read", "words"),
    [
        (azure_read(azure_source(wire_status="suspended")), "not active at the target"),
        (azure_read(azure_source(wire_status="suspended"), azure_target(wire_status="pending")), "not active at the"),
        (azure_read(azure_source(), azure_target(), azure=(under("t1", TARGET),)), "although it stands at the target"),
        (azure_read(azure_source(wire_status="deleted"), azure=(under("s1", SE),)), "at the source"),
        (
            azure_read(
                azure_source(wire_status="suspended"),
                azure_target(modern=ModernTerms(entitlement_id="another")),
                azure=(under("t1", TARGET, id_="another"),),
            ),
            "not active at the target",
        ),
        (azure_read(azure_source(wire_status="odd"), azure_target(), azure=(under("t1", TARGET),)), "'odd'"),
    ],
)
def test_half_of_it_is_not_arrived(read: Observation, words: str):
    """Both sides, matched on the Azure subscription's id; a wrong one or an unknown word proves nothing."""
    assert words in refused(asked(), read).detail


def test_without_a_known_id_the_subscription_itself_is_matched():
    """At creation both ids are the same (commerce reference 5)."""
    subject = replace(case(azure_item(terms=None)))
    read = azure_read(
        azure_source(wire_status="suspended", modern=None),
        azure_target(modern=None),
        azure=(under("t1", TARGET, id_="s1"),),
    )
    assert isinstance(next_action(subject, read, NOW, POLICY), MarkArrived)


@pytest.mark.parametrize(
    ("state", "words"),
    [(ServiceRequestState.ATTENTION_NEEDED, "needs an answer"), (ServiceRequestState.CLOSED, "is closed, but")],
)
@pytest.mark.parametrize("subject", [asked(), support(evidence=(HANDED_OFF,))])
def test_what_support_asks_back_or_leaves_out_is_a_persons(subject: Case, state: ServiceRequestState, words: str):
    """With Microsoft's last words; the request is found by our reference or by the number that was noted."""
    request = service_request(state, notes=("Please attach the form.",))
    refusal = refused(subject, azure_read(azure_source(), azure=(under("s1", SE),), requests=(request,)))
    assert words in refusal.detail
    assert "Please attach the form." in refusal.detail
    assert refusal.owner is Owner.OPERATIONS
    assert refusal.due_at is not None


def test_a_request_about_another_subscription_says_nothing():
    """Only ours, or the one whose number was noted."""
    other = service_request(ServiceRequestState.ATTENTION_NEEDED, id=ServiceRequestId("sr-9"))
    read = azure_read(azure_source(), azure=(under("s1", SE),), requests=(other,))
    assert refused(asked(), read).owner is Owner.MICROSOFT


def test_after_two_weeks_somebody_asks():
    """Support answers within eight business hours (R-181)."""
    old = replace(HANDED_OFF, at=NOW - timedelta(days=15))
    assert refused(support(evidence=(old,)), STILL).owner is Owner.OPERATIONS


def test_one_that_waits_does_not_hold_another():
    """What has arrived is noted although another was left out."""
    items = (azure_item("s1"), azure_item("s2", terms=None))
    intent = request_intent(subjects=(S1, SubscriptionId("s2")))
    subject = replace(case(*items), settled=((intent, outcome(intent)),))
    left = azure_source("s2", modern=ModernTerms(entitlement_id="azure-2"))
    read = azure_read(
        azure_source(wire_status="suspended"),
        left,
        azure_target(),
        azure=(under("t1", TARGET), under("s2", SE, id_="azure-2")),
    )
    action = next_action(subject, read, NOW, POLICY)
    assert isinstance(action, MarkArrived)
    assert [one.source_id for one in action.counterparts] == ["s1"]


# --- a lost answer ---------------------------------------------------------------------------------------------------


def test_a_lost_answer_is_looked_up_by_its_title():
    """Adopted with its number; nothing is sent."""
    subject = support(open_intents=(request_intent(),))
    read = azure_read(azure_source(), requests=(service_request(),))
    action = next_action(subject, read, NOW, BY_CALL)
    assert isinstance(action, AdoptOutcome)
    assert (action.outcome.kind, action.outcome.reference) == (OutcomeKind.ADOPTED, "sr-1")


@pytest.mark.parametrize(
    "request_", [service_request(created_at=later(hours=-3)), service_request(title="Something else")]
)
def test_an_older_or_another_request_is_not_its_effect(request_: object):
    """It waits until the settling time is over."""
    subject = support(open_intents=(request_intent(),))
    refusal = refused(subject, azure_read(azure_source(), requests=(request_,)), BY_CALL)  # type: ignore[arg-type]
    assert (refusal.code, refusal.due_at) == (RefusalCode.SETTLING, later(seconds=BY_CALL.settling_seconds))


def test_without_a_fresh_read_nothing_is_concluded():
    """An old read could miss it."""
    subject = support(open_intents=(request_intent(),))
    assert next_action(subject, None, NOW, BY_CALL) == Observe()
    assert next_action(subject, azure_read(azure_source()), later(hours=1), BY_CALL) == Observe()


def test_what_never_showed_is_closed_and_asked_anew_after_a_pause():
    """Only a read after the settling time proves that there is none; it is not sent again at once."""
    late = later(seconds=BY_CALL.settling_seconds + 1)
    subject = support(open_intents=(request_intent(),))
    action = next_action(subject, azure_read(azure_source(), at=late), late, BY_CALL)
    assert isinstance(action, AdoptOutcome)
    assert (action.outcome.kind, action.outcome.code) == (OutcomeKind.FAILED, "not_applied")
    closed = support(settled=((request_intent(), replace(action.outcome, at=late)),))
    waits = next_action(closed, azure_read(azure_source(), at=late), late, BY_CALL)
    assert isinstance(waits, Pause)
    much_later = late + timedelta(minutes=1)
    assert isinstance(
        next_action(closed, azure_read(azure_source(), at=much_later), much_later, BY_CALL), OpenServiceRequest
    )


def test_a_request_that_shows_after_it_was_given_up_is_not_made_again():
    """Its effect came late: Microsoft is waited for, a second one would confuse support."""
    intent = request_intent()
    closed = support(settled=((intent, replace(outcome(intent, OutcomeKind.FAILED), at=NOW)),))
    late = later(hours=1)
    read = azure_read(azure_source(), azure=(under("s1", SE),), requests=(service_request(),), at=late)
    action = next_action(closed, read, late, BY_CALL)
    assert isinstance(action, Pause)
    assert "sr-1" in action.refusal.detail
