"""What runs out and is bought again, asked step by step (rules R-130 to R-135, commerce reference 3.7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from tenantfold.domain.actions import (
    Action,
    Attest,
    BuyAgain,
    MarkArrived,
    MarkSuspended,
    Observe,
    Pause,
    PlaceOrder,
    StopRenewal,
)
from tenantfold.domain.course import MACHINES, next_action, parts_of, sets_out
from tenantfold.domain.evidence import Evidence, TaskKind
from tenantfold.domain.guards import RefusalCode
from tenantfold.domain.journal import OpKind, OutcomeKind
from tenantfold.domain.model import Route
from tenantfold.domain.observation import Observation
from tenantfold.domain.policy import AgreementSource
from tenantfold.domain.records import Case
from tenantfold.domain.states import Origin, Owner, Phase
from tests.domain.rebuys import (
    CHOSEN,
    EARLY,
    LAST_DAY,
    SAFE,
    SOLD_NOW,
    again,
    again_line,
    buy_intent,
    confirmed,
    ending,
    ending_item,
    on,
    rebought,
    running_out,
    seen,
    stop_intent,
)
from tests.domain.samples import POLICY, attested, item, order_intent, outcome, plan_customer, source
from tests.domain.transfers import ENDS, seats_item

BEFORE_MAY = date(2026, 4, 20)  # a term with 30 free days after it
NEAR = LAST_DAY - timedelta(days=POLICY.reminds_days_before_end)
NEXT_DAY = ENDS + timedelta(days=1)


def _next(known: Case, read: Observation | None, now: datetime | None = None) -> Action:
    assert read is not None or now is not None
    return next_action(known, read, now or (read.at if read else EARLY), POLICY)


def _waits(action: Action) -> tuple[RefusalCode, Phase, Owner]:
    assert isinstance(action, Pause), action
    return action.refusal.code, action.refusal.phase, action.refusal.owner


def _due(action: Action) -> datetime | None:
    assert isinstance(action, Pause), action
    return action.refusal.due_at


# --- before the end --------------------------------------------------------------------------------------------------


def test_the_renewal_is_stopped_at_once():
    """However long the term still runs: a forgotten renewal is a year's bill (R-132)."""
    assert _next(running_out(), seen(EARLY, ending(auto_renew=True))) == StopRenewal(ending_item())


def test_no_more_is_read_for_it_than_the_subscriptions():
    """It costs no call beside the two lists."""
    assert parts_of(running_out()) == frozenset()


def test_stopping_the_renewal_must_not_end_on_its_day():
    """It is no cutover: it respects holds and nothing else."""
    assert sets_out(running_out(), StopRenewal(ending_item()))


@pytest.mark.parametrize(("minutes", "acts"), [(1, False), (16, True)])
def test_a_renewal_that_still_shows_was_stopped_a_moment_ago_or_is_stopped_again(minutes: int, acts: bool):  # noqa: FBT001 - a case of the table
    """A lagging list is waited for; what somebody turned on again is turned off again."""
    intent = stop_intent()
    known = running_out(settled=(attested(), (intent, outcome(intent, at=EARLY))))
    action = _next(known, seen(EARLY + timedelta(minutes=minutes), ending(auto_renew=True)))
    if acts:
        assert action == StopRenewal(ending_item())
    else:
        assert _waits(action) == (RefusalCode.SETTLING, Phase.RUNNING_OUT, Owner.MICROSOFT)


def test_a_refused_stop_waits_a_little_and_is_tried_again():
    """Microsoft refuses some changes for a while (800082, 900278)."""
    intent = stop_intent()
    failed = outcome(intent, OutcomeKind.FAILED, at=EARLY, detail="900278 pending operation")
    known = running_out(settled=(attested(), (intent, failed)))
    action = _next(known, seen(EARLY, ending(auto_renew=True)))
    assert _waits(action)[0] is RefusalCode.MICROSOFT_REFUSED
    assert _next(known, seen(EARLY + timedelta(minutes=1), ending(auto_renew=True))) == StopRenewal(ending_item())


def test_the_choice_against_the_extended_term_is_a_persons():
    """Since May 2026 no renewal means paying on; the API does not show the choice (commerce reference 3.7)."""
    action = _next(running_out(evidence=()), seen(EARLY, ending()))
    assert _waits(action) == (RefusalCode.END_OF_TERM_OPEN, Phase.RUNNING_OUT, Owner.OPERATIONS)
    assert isinstance(action, Pause)
    assert "end_of_term_chosen" in action.refusal.next_action


def test_a_term_that_ended_by_may_needs_no_choice():
    """Its free days are as they were (R-132)."""
    known = running_out(ending_item(ends_on=BEFORE_MAY), evidence=())
    action = _next(known, seen(on(date(2026, 3, 1)), ending(commitment_end_on=BEFORE_MAY)))
    assert _waits(action) == (RefusalCode.TERM_RUNNING, Phase.RUNNING_OUT, Owner.TENANTFOLD)


def test_what_was_confirmed_for_an_earlier_term_does_not_count():
    """The choice is made anew for every term."""
    old = replace(CHOSEN, at=on(date(2025, 8, 1)))
    assert _waits(_next(running_out(evidence=(old,)), seen(EARLY, ending())))[0] is RefusalCode.END_OF_TERM_OPEN


def test_it_sleeps_until_the_days_of_reminding_begin():
    """Nothing matters before."""
    action = _next(running_out(), seen(EARLY, ending()))
    assert _waits(action) == (RefusalCode.TERM_RUNNING, Phase.RUNNING_OUT, Owner.TENANTFOLD)
    assert _due(action) == NEAR


def test_a_person_is_reminded_two_weeks_before():
    """Somebody must see to it that a run is going on the last day."""
    action = _next(running_out(), seen(NEAR, ending()))
    assert _waits(action) == (RefusalCode.TERM_RUNNING, Phase.RUNNING_OUT, Owner.OPERATIONS)
    assert _due(action) == NEAR + timedelta(days=1)
    assert isinstance(action, Pause)
    assert str(ENDS) in action.refusal.detail


def test_the_evening_before_it_is_due_when_the_last_day_begins():
    """Not a day later."""
    action = _next(running_out(), seen(LAST_DAY - timedelta(hours=3), ending()))
    assert _due(action) == LAST_DAY


def test_a_missing_contact_for_the_agreement_is_said_before_the_last_day():
    """On the last day it would be too late to ask the customer (R-113)."""
    known = running_out(customer=plan_customer(ending_item(), contact=None), settled=())
    action = _next(known, seen(NEAR, ending(), has_agreement=False))
    assert _waits(action) == (RefusalCode.AGREEMENT_CONTACT_MISSING, Phase.RUNNING_OUT, Owner.OPERATIONS)


def test_a_customer_that_must_agree_itself_is_asked_before_the_last_day():
    """policy.agreement_source = customer: the same warning, to whom it belongs (R-113)."""
    known = running_out(settled=())
    policy = replace(POLICY, agreement_source=AgreementSource.CUSTOMER)
    action = next_action(known, seen(NEAR, ending(), has_agreement=False), NEAR, policy)
    assert _waits(action) == (RefusalCode.AGREEMENT_MISSING, Phase.RUNNING_OUT, Owner.CUSTOMER)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"license_count": 6}, id="other count"),
        pytest.param({"wire_status": "suspended"}, id="suspended"),
        pytest.param({"wire_status": "deleted"}, id="gone before its end"),
        pytest.param({"commitment_end_on": date(2026, 8, 1)}, id="ends earlier"),
        pytest.param({"partner_id_on_record": "4711"}, id="other reseller"),
    ],
)
def test_what_is_not_as_planned_is_planned_again(fields: dict[str, object]):
    """Invariant 5: not even the renewal is stopped for it."""
    action = _next(running_out(), seen(EARLY, ending(**fields)))
    assert _waits(action) == (RefusalCode.PLAN_STALE, Phase.STALE, Owner.OPERATIONS)


def test_only_new_commerce_goes_this_way():
    """A hand-edited plan is refused: a legacy license has its own route."""
    legacy = item(route=Route.EXPIRE_AND_REBUY, ends_on=ENDS)
    action = _next(running_out(legacy), seen(EARLY, source(commitment_end_on=ENDS, auto_renew=True)))
    assert _waits(action)[0] is RefusalCode.PLAN_STALE


def test_a_source_that_is_not_listed_proves_nothing():
    """Invariant 9."""
    assert _waits(_next(running_out(), seen(LAST_DAY)))[0] is RefusalCode.SOURCE_MISSING


def test_nothing_is_done_for_a_plan_that_nobody_approved():
    """Invariant 5."""
    known = running_out()
    known = replace(known, plan=replace(known.plan, approved_at=None))
    assert _waits(_next(known, seen(LAST_DAY, ending(auto_renew=True))))[0] is RefusalCode.NOT_APPROVED


# --- buying ----------------------------------------------------------------------------------------------------------


def test_on_its_last_day_it_is_bought_by_product_and_sku_for_the_same_term():
    """The catalog item behind it changes with time (commerce reference 1.2)."""
    assert _next(running_out(), seen(LAST_DAY, ending())) == BuyAgain("monthly", (again_line(),))


def test_a_choice_nobody_confirmed_does_not_keep_people_from_working():
    """A doubled month costs less than a gap (invariant 1)."""
    assert isinstance(_next(running_out(evidence=()), seen(LAST_DAY, ending())), BuyAgain)


def test_the_agreement_comes_before_the_purchase():
    """R-112."""
    action = _next(running_out(settled=()), seen(LAST_DAY, ending(), has_agreement=False))
    assert isinstance(action, Attest)


@pytest.mark.parametrize("status", ["active", "expired"])
@pytest.mark.parametrize("days", [0, 1, 30])
def test_inside_the_days_of_grace_it_is_bought(days: int, status: str):
    """A term that ended by May 2026 has 30 of them (R-132)."""
    known = running_out(ending_item(ends_on=BEFORE_MAY))
    now = on(BEFORE_MAY + timedelta(days=days))
    assert isinstance(_next(known, seen(now, ending(commitment_end_on=BEFORE_MAY, wire_status=status))), BuyAgain)


def test_what_had_expired_when_it_was_planned_is_bought_at_once():
    """The days of grace run already."""
    known = running_out(ending_item(ends_on=BEFORE_MAY, wire_status="expired"))
    now = on(BEFORE_MAY + timedelta(days=3))
    assert isinstance(_next(known, seen(now, ending(commitment_end_on=BEFORE_MAY, wire_status="expired"))), BuyAgain)


@pytest.mark.parametrize(("ends_on", "grace"), [(BEFORE_MAY, 30), (ENDS, 0)])
def test_past_the_days_of_grace_a_person_looks_at_the_data_first(ends_on: date, grace: int):
    """Never bought silently, never left silently; with the confirmation it is bought late."""
    known = running_out(ending_item(ends_on=ends_on))
    read = seen(on(ends_on + timedelta(days=grace + 1)), ending(commitment_end_on=ends_on, wire_status="disabled"))
    action = _next(known, read)
    assert _waits(action) == (RefusalCode.TOO_LATE_TO_REBUY, Phase.RUNNING_OUT, Owner.OPERATIONS)
    safe = replace(SAFE, at=on(ends_on))
    assert isinstance(_next(replace(known, evidence=(*known.evidence, safe)), read), BuyAgain)


def test_what_went_on_after_its_term_is_not_bought_beside_it():
    """The Extended Service Term serves people; a person decides, and only then both are billed for a while."""
    known = running_out()
    extended = ending(commitment_end_on=date(2026, 10, 1), term_duration="P1M")
    read = seen(on(NEXT_DAY), extended)
    assert _waits(_next(known, read)) == (RefusalCode.SOURCE_GOES_ON, Phase.STALE, Owner.OPERATIONS)
    assert isinstance(_next(replace(known, evidence=(*known.evidence, SAFE)), read), BuyAgain)


def test_what_renewed_itself_is_planned_again_whatever_was_confirmed():
    """A year more is paid at the source: buying it again would double that."""
    known = running_out(evidence=(CHOSEN, SAFE))
    renewed = ending(commitment_end_on=ENDS + timedelta(days=365), auto_renew=True)
    assert _waits(_next(known, seen(on(NEXT_DAY), renewed)))[0] is RefusalCode.SOURCE_GOES_ON


def test_one_order_holds_one_term_and_one_billing_cycle():
    """The rest follows in an order of its own."""
    two, three = ending_item("n2"), ending_item("n3", term_duration="P1M")
    known = running_out(ending_item(), three, two)
    read = seen(LAST_DAY, ending(), ending("n2"), ending("n3", term_duration="P1M"))
    first = _next(known, read)
    assert isinstance(first, BuyAgain)
    assert len({line.term_duration for line in first.lines}) == 1
    bought = tuple(rebought(line.source_subscription_id, f"t-{line.source_subscription_id}") for line in first.lines)
    fresh = [again(one.target_id or "", term_duration=first.lines[0].term_duration) for one in bought]
    second = _next(replace(known, counterparts=bought), replace(read, target={one.id: one for one in fresh}))
    assert isinstance(second, BuyAgain)
    ordered = {line.source_subscription_id for line in (*first.lines, *second.lines)}
    assert ordered == {"n1", "n2", "n3"}


def test_what_ends_another_day_is_not_bought_along():
    """Each on its own last day."""
    later = ENDS + timedelta(days=20)
    known = running_out(ending_item(), ending_item("n2", ends_on=later))
    action = _next(known, seen(LAST_DAY, ending(), ending("n2", commitment_end_on=later)))
    assert action == BuyAgain("monthly", (again_line(),))


def test_after_a_refused_order_each_is_bought_alone():
    """What is not sold any more must not keep the others from being bought in time."""
    both = buy_intent(again_line(), again_line("n2"))
    alone = buy_intent(again_line(), key="alone")
    at = LAST_DAY + timedelta(hours=1)
    settled = tuple((one, outcome(one, OutcomeKind.FAILED, at=at, detail="not sold")) for one in (both, alone))
    known = running_out(ending_item(), ending_item("n2"), settled=(attested(), *settled))
    assert _next(known, seen(at, ending(), ending("n2"))) == BuyAgain("monthly", (again_line("n2"),))


def test_a_customer_with_legacy_licenses_is_not_held_up():
    """The cutover goes on while a term runs, and the term is looked after while the cutover waits."""
    known = running_out(ending_item(), item())
    assert isinstance(_next(known, seen(EARLY, ending(), source())), PlaceOrder)
    waiting = replace(known, open_intents=(order_intent(at=EARLY),))
    assert isinstance(_next(waiting, seen(EARLY, ending(auto_renew=True), source())), StopRenewal)


# --- what stands already ---------------------------------------------------------------------------------------------


def test_an_equal_subscription_at_the_target_is_taken_instead_of_bought():
    """Somebody bought it by hand."""
    action = _next(running_out(), seen(LAST_DAY, ending(), again("t9")))
    assert isinstance(action, MarkArrived)
    (found,) = action.counterparts
    assert (found.source_id, found.target_id, found.origin) == ("n1", "t9", Origin.BY_HAND)
    assert found.verified_at is None


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"license_count": 6}, id="count"),
        pytest.param({"term_duration": "P1M"}, id="term"),
        pytest.param({"wire_status": "suspended"}, id="status"),
        pytest.param({"is_trial": True}, id="trial"),
        pytest.param({"offer_id": "CFQ7TTC0LCHC:0003:CFQ7TTC0NEWER"}, id="SKU"),
    ],
)
def test_what_is_not_equal_is_not_taken(fields: dict[str, object]):
    """It may be something the customer has beside it."""
    assert isinstance(_next(running_out(), seen(LAST_DAY, ending(), again("t9", **fields))), BuyAgain)


def test_one_subscription_stands_for_one_only():
    """Two of the same that end, one that stands: the other is bought."""
    known = running_out(ending_item(), ending_item("n2"))
    read = seen(LAST_DAY, ending(), ending("n2"), again("t9"))
    action = _next(known, read)
    assert isinstance(action, MarkArrived)
    after = _next(replace(known, counterparts=action.counterparts), read)
    assert after == BuyAgain("monthly", (again_line("n2"),))


def test_what_a_transfer_is_bringing_is_not_taken():
    """An equal one is on its way for another item."""
    rival = seats_item("n7", route=Route.TRANSFER)
    known = running_out(ending_item(), rival)
    read = seen(LAST_DAY, ending(), replace(ending("n7"), commitment_end_on=ENDS), again("t9"))
    action = _next(known, read)
    assert not isinstance(action, MarkArrived)


def test_what_an_order_without_answer_may_have_made_is_not_taken():
    """It is that order's until it is settled; this one is bought."""
    other = order_intent(at=LAST_DAY)
    known = running_out(ending_item(), item(), open_intents=(other,))
    action = _next(known, seen(LAST_DAY, ending(), source(), again("t9")))
    assert isinstance(action, BuyAgain)


# --- what was bought -------------------------------------------------------------------------------------------------


def test_it_is_done_when_the_target_equals_it_and_the_source_is_over():
    """The catalog item differs, the product and SKU do not."""
    read = seen(on(NEXT_DAY), ending(wire_status="disabled"), again())
    known = running_out(counterparts=(rebought(),))
    action = _next(known, read)
    assert action == MarkArrived((rebought(verified_at=read.at),), Phase.RUNNING_OUT)
    done = _next(replace(known, counterparts=(rebought(verified_at=read.at),)), read)
    assert done == MarkSuspended((), finished=True)


def test_until_the_day_is_over_both_stand():
    """It is looked at when the day is over, not before."""
    action = _next(running_out(counterparts=(rebought(),)), seen(LAST_DAY, ending(), again()))
    assert _waits(action) == (RefusalCode.SETTLING, Phase.RUNNING_OUT, Owner.MICROSOFT)
    assert _due(action) == LAST_DAY + timedelta(days=1)


def test_a_source_that_renews_again_on_its_last_day_is_stopped_again():
    """Whoever turned it on: the same stands at the target."""
    read = seen(LAST_DAY, ending(auto_renew=True), again())
    assert _next(running_out(counterparts=(rebought(),)), read) == StopRenewal(ending_item())


def test_a_source_that_goes_on_is_a_persons_to_end():
    """Both are billed until then (commerce reference 3.7)."""
    read = seen(on(NEXT_DAY), ending(commitment_end_on=date(2026, 10, 1)), again())
    action = _next(running_out(counterparts=(rebought(),)), read)
    assert _waits(action) == (RefusalCode.SOURCE_GOES_ON, Phase.RUNNING_OUT, Owner.OPERATIONS)
    assert isinstance(action, Pause)
    assert "Both sides are billed." in action.refusal.detail


@pytest.mark.parametrize(("evidence", "is_done"), [((CHOSEN,), True), ((), False)])
def test_an_end_that_does_not_show_for_two_days_counts_if_it_was_chosen(evidence: tuple[Evidence, ...], is_done: bool):  # noqa: FBT001 - a case of the table
    """A list may lag; without the choice it may be the Extended Service Term."""
    known = running_out(counterparts=(rebought(),), evidence=evidence)
    lagging = _next(known, seen(on(NEXT_DAY), ending(), again()))
    assert _waits(lagging)[0] is RefusalCode.SETTLING
    action = _next(known, seen(on(NEXT_DAY + timedelta(days=1)), ending(), again()))
    assert isinstance(action, MarkArrived) is is_done


@pytest.mark.parametrize(
    ("minutes", "fields", "expected"),
    [
        (1, {"wire_status": "pending"}, (RefusalCode.TARGET_MISSING, Phase.RUNNING_OUT, Owner.MICROSOFT)),
        (30, {"wire_status": "pending"}, (RefusalCode.TARGET_MISSING, Phase.DRIFTED, Owner.OPERATIONS)),
        (1, {"license_count": 4}, (RefusalCode.DRIFT, Phase.DRIFTED, Owner.OPERATIONS)),
        (1, {"term_duration": "P1M"}, (RefusalCode.DRIFT, Phase.DRIFTED, Owner.OPERATIONS)),
        (1, {"partner_id_on_record": "4711"}, (RefusalCode.DRIFT, Phase.DRIFTED, Owner.OPERATIONS)),
    ],
)
def test_what_stands_but_not_as_bought_waits_or_is_a_persons(
    minutes: int, fields: dict[str, object], expected: tuple[RefusalCode, Phase, Owner]
):
    """Invariants 4 and 9; a moment after the order it may still be on its way."""
    intent = buy_intent()
    known = running_out(counterparts=(rebought(),), settled=(attested(), (intent, outcome(intent, at=LAST_DAY))))
    read = seen(LAST_DAY + timedelta(minutes=minutes), ending(wire_status="expired"), again(**fields))
    assert _waits(_next(known, read)) == expected


def test_an_unknown_status_at_the_source_proves_nothing():
    """R-227."""
    read = seen(on(NEXT_DAY), ending(wire_status="hibernating"), again())
    action = _next(running_out(counterparts=(rebought(),)), read)
    assert _waits(action)[0] is RefusalCode.SOURCE_STATUS_UNKNOWN


def test_a_subscription_id_that_comes_late_is_found_in_its_order():
    """The order was answered without it; it is never ordered again (invariant 2)."""
    intent = buy_intent()
    known = running_out(
        counterparts=(rebought("n1", None),), settled=(attested(), (intent, outcome(intent, at=LAST_DAY)))
    )
    assert _waits(_next(known, seen(LAST_DAY, ending())))[0] is RefusalCode.TARGET_MISSING
    action = _next(known, seen(LAST_DAY, ending(), again("t5", offer_id=SOLD_NOW)))
    assert action == MarkArrived((rebought("n1", "t5"),), Phase.RUNNING_OUT)


def test_after_an_order_of_ours_both_sides_are_read_again():
    """What it brought does not show in an older read."""
    assert _next(running_out(), seen(LAST_DAY, ending(), target_is_old=True)) == Observe()


def test_evidence_for_another_subscription_says_nothing():
    """Each subscription is confirmed on its own."""
    other = confirmed(TaskKind.DATA_SAFE, "n2")
    known = running_out(evidence=(CHOSEN, other))
    read = seen(on(NEXT_DAY), ending(wire_status="disabled"))
    assert _waits(_next(known, read))[0] is RefusalCode.TOO_LATE_TO_REBUY


def test_every_kind_of_call_belongs_to_one_route():
    """Else two machines would settle the same open call, or none."""
    kinds = [kind for machine in MACHINES for kind in machine.kinds]
    assert len(kinds) == len(set(kinds))
    assert {OpKind.STOP_RENEWAL, OpKind.BUY_AGAIN} <= set(kinds)
