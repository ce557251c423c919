"""The one next action, asked step by step: the order of the questions is the order of safety (R-32, R-33, R-59)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tenantfold.domain.actions import (
    Action,
    Attest,
    BuyAddOns,
    Link,
    MarkSuspended,
    MarkVerified,
    Observe,
    Pause,
    PlaceOrder,
    Suspend,
)
from tenantfold.domain.course import next_action
from tenantfold.domain.cutover import needs_agreement_read
from tenantfold.domain.guards import RefusalCode
from tenantfold.domain.journal import OutcomeKind
from tenantfold.domain.model import OrderId, Route, Subscription
from tenantfold.domain.observation import Observation
from tenantfold.domain.plan import Disposition
from tenantfold.domain.records import Case
from tenantfold.domain.states import Origin, Owner, Phase, Progress
from tests.domain.samples import (
    C1,
    CONTACT,
    E5,
    NOW,
    ORDER,
    POLICY,
    TODAY,
    VISIO,
    attested,
    case,
    counterpart,
    finding,
    item,
    later,
    observation,
    order_intent,
    outcome,
    plan_customer,
    plan_record,
    source,
    suspend_intent,
    target,
)

EVENING = datetime(2026, 3, 2, 22, 0, tzinfo=UTC)
ADD_ON = item("s2", offer_id=VISIO, target_offer_id=VISIO, parent_id="s1")
HELD = (source("s1"), source("s2", offer_id=VISIO, parent_id="s1"))
STANDING = (target("t1"), target("t2", offer_id=VISIO, parent_id="t1"))
VERIFIED = (counterpart("s1", "t1", verified_at=NOW), counterpart("s2", "t2", verified_at=NOW))


def _next(known: Case, seen: Observation | None, now: datetime = NOW) -> Action:
    return next_action(known, seen, now, POLICY)


def _refused(action: Action) -> tuple[RefusalCode, Phase]:
    assert isinstance(action, Pause), action
    return action.refusal.code, action.refusal.phase


def _waits(phase: Phase = Phase.PLANNED, **fields: object) -> Progress:
    return replace(Progress(customer_id=C1, phase=phase), **fields)  # type: ignore[arg-type]  # the test names them


# --- may it run at all -----------------------------------------------------------------------------------------------


def test_a_blocked_customer_stays_whatever_else_holds():
    """Said with the plan's own words (R-32)."""
    blocked = plan_customer(disposition=Disposition.BLOCKED, findings=(finding(),))
    known = case(customer=blocked, plan=plan_record(approved_at=None), progress=_waits())
    action = _next(known, None)
    assert _refused(action) == (RefusalCode.BLOCKED, Phase.BLOCKED)
    assert isinstance(action, Pause)
    assert action.refusal.detail == "It cannot be read."


def test_nothing_unapproved_is_read_or_written():
    """Invariant 5 comes before acceptance and before any call."""
    known = case(plan=plan_record(approved_at=None), progress=_waits())
    assert _refused(_next(known, None)) == (RefusalCode.NOT_APPROVED, Phase.PLANNED)


@pytest.mark.parametrize(
    ("invited_at", "phase", "owner"), [(None, Phase.PLANNED, Owner.OPERATIONS), (NOW, Phase.INVITED, Owner.CUSTOMER)]
)
def test_who_has_not_accepted_is_waited_for(invited_at: datetime | None, phase: Phase, owner: Owner):
    """Before the invitation we must act, after it the customer (R-22)."""
    action = _next(case(progress=_waits(), invited_at=invited_at), None)
    assert _refused(action) == (RefusalCode.NOT_ACCEPTED, phase)
    assert isinstance(action, Pause)
    assert action.refusal.owner is owner


def test_decides_only_on_a_fresh_read():
    """Without one, or with one older than the policy allows, both sides are read."""
    oldest = later(seconds=POLICY.observation_max_age_seconds)
    assert _next(case(), None) == Observe()
    assert isinstance(_next(case(), observation(source()), oldest), PlaceOrder)
    assert _next(case(), observation(source()), oldest.replace(microsecond=1)) == Observe()


def test_who_is_finished_is_only_noted():
    """Everything suspended: one last look at the source for something new, and nothing is written at Microsoft."""
    known = case(counterparts=(counterpart(suspended_at=NOW),), progress=_waits())
    assert _next(known, None) == Observe()
    assert _next(known, observation(source(wire_status="suspended"))) == MarkSuspended((), finished=True)


def test_a_subscription_bought_at_the_source_meanwhile_keeps_the_customer_open():
    """R-32: who still holds something active at the source, which no approver saw, has not moved."""
    known = case(counterparts=(counterpart(suspended_at=NOW),))
    action = _next(known, observation(source(wire_status="suspended"), source("s-new")))
    assert isinstance(action, Pause)
    assert action.refusal.code is RefusalCode.PLAN_STALE


# --- stale, adopt, too late, agreement -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "held",
    [
        pytest.param([], id="gone"),
        pytest.param([source(license_count=6)], id="seats changed"),
        pytest.param([source(wire_status="suspended")], id="suspended by hand"),
        pytest.param([source(), source("s7")], id="one the approver never saw"),
    ],
)
@pytest.mark.parametrize("target_id", [None, "t1"], ids=["to order", "to adopt"])
def test_a_changed_source_is_planned_again_before_anything_is_ordered_or_adopted(
    held: list[Subscription], target_id: str | None
):
    """Invariant 5; asked before the hour and the agreement."""
    stale = (RefusalCode.PLAN_STALE, Phase.STALE)
    assert _refused(_next(case(item(target_id=target_id)), observation(*held, target()))) == stale
    late = observation(*held, target(), at=EVENING)
    assert _refused(_next(case(item(target_id=target_id), settled=()), late, EVENING)) == stale


@pytest.mark.parametrize(
    ("planned", "now", "stale"),
    [
        pytest.param("suspended", "active", 1, id="reactivated since"),
        pytest.param("suspended", "suspended", 0, id="still suspended"),
        pytest.param("suspended", "deleted", 0, id="gone for good since"),
        pytest.param("active", "active", 0, id="a trial that runs on"),
    ],
)
def test_what_the_plan_left_alone_and_is_active_again_makes_it_stale(planned: str, now: str, stale: int):
    """The approver left it out because it was off (invariant 5, R-32)."""
    left = item("s2", route=Route.SKIP, wire_status=planned)
    action = _next(case(item(), left), observation(source(), source("s2", wire_status=now)))
    assert isinstance(action, Pause) is bool(stale)
    if stale:
        assert _refused(action) == (RefusalCode.PLAN_STALE, Phase.STALE)


def test_a_new_subscription_that_is_off_does_not_matter():
    """Only what is active would be left behind."""
    seen = observation(source(), source("s7", wire_status="deleted"))
    assert isinstance(_next(case(), seen), PlaceOrder)


def test_what_was_planned_to_be_adopted_is_linked_without_a_call():
    """Even in the evening: adopting starts nothing at Microsoft."""
    action = _next(case(item(target_id="t1"), settled=()), observation(source(), target(), at=EVENING), EVENING)
    assert action == Link((counterpart(order_id="", origin=Origin.ADOPTED, cutover_on=None),))


def test_an_adoption_that_disappeared_makes_the_plan_stale():
    """Nothing is ordered in its place without approval."""
    action = _next(case(item(target_id="t1")), observation(source()))
    assert _refused(action) == (RefusalCode.PLAN_STALE, Phase.STALE)


def test_nothing_starts_in_the_evening():
    """R-33: asked before the agreement, so that nothing at all is written."""
    seen = observation(source(), at=EVENING)
    assert _refused(_next(case(settled=()), seen, EVENING)) == (RefusalCode.TOO_LATE_TODAY, Phase.ACCEPTED)


def test_what_began_today_is_finished_in_the_evening():
    """A half cutover is worse than a late one: the add-on of an ordered base is still bought."""
    known = case(item(), ADD_ON, counterparts=(counterpart(),))
    assert isinstance(_next(known, observation(*HELD, target(), at=EVENING), EVENING), BuyAddOns)


def test_a_begun_adoption_does_not_count_as_begun():
    """Nothing of it was set up today, so nothing has to be finished today."""
    adopted = counterpart(origin=Origin.ADOPTED, cutover_on=None)
    known = case(item(), ADD_ON, counterparts=(adopted,))
    action = _next(known, observation(*HELD, target(), at=EVENING), EVENING)
    assert _refused(action)[0] is RefusalCode.TOO_LATE_TODAY


def test_the_agreement_is_attested_before_the_first_order():
    """R-112: with the contact that a person gave."""
    assert _next(case(settled=()), observation(source())) == Attest(CONTACT)


@pytest.mark.parametrize(("agreed", "ordered"), [(True, 1), (False, 0), (None, 0)])
def test_without_a_contact_only_the_customers_own_signature_helps(agreed: bool | None, ordered: int):  # noqa: FBT001 - a column
    """R-113: never invented; unknown is not signed (invariant 9)."""
    known = case(customer=plan_customer(contact=None), settled=())
    assert needs_agreement_read(known, POLICY)
    action = _next(known, observation(source(), has_agreement=agreed))
    assert isinstance(action, PlaceOrder) is bool(ordered)
    if not ordered:
        assert _refused(action) == (RefusalCode.AGREEMENT_CONTACT_MISSING, Phase.ACCEPTED)


def test_an_attestation_that_failed_is_made_again():
    """Only one that took effect counts."""
    intent, _ = attested()
    known = case(settled=((intent, outcome(intent, OutcomeKind.FAILED)),))
    assert _next(known, observation(source())) == Attest(CONTACT)
    assert not needs_agreement_read(known, POLICY)
    assert not needs_agreement_read(case(customer=plan_customer(contact=None)), POLICY)


# --- ordering --------------------------------------------------------------------------------------------------------


def test_orders_all_bases_of_one_billing_cycle_together_and_the_others_next():
    """One order holds one billing cycle (commerce reference 2.3)."""
    yearly = item("s3", billing_cycle="annual")
    known = case(item("s1"), yearly, item("s2"))
    held = (source("s1"), source("s2"), source("s3", billing_cycle="annual"))
    first = _next(known, observation(*held))
    assert isinstance(first, PlaceOrder)
    assert (first.billing_cycle, [one.source_subscription_id for one in first.lines]) == ("monthly", ["s1", "s2"])
    after = replace(known, counterparts=(counterpart("s1", "t1"), counterpart("s2", "t2")))
    second = _next(after, observation(*held, target_is_old=True))
    assert isinstance(second, PlaceOrder)
    assert (second.billing_cycle, [one.source_subscription_id for one in second.lines]) == ("annual", ["s3"])


def test_an_order_line_holds_what_was_approved():
    """Mapped offer, license count, name, partner id on record."""
    planned = item(target_offer_id=E5, partner_id_on_record="517285", friendly_name="")
    action = _next(case(planned), observation(source(partner_id_on_record="517285")))
    assert isinstance(action, PlaceOrder)
    (line,) = action.lines
    assert (line.offer_id, line.license_count, line.friendly_name) == (E5, 5, "Office 365 E3")
    assert (line.partner_id_on_record, line.parent_target_id) == ("517285", None)


def test_orders_bases_before_their_add_ons():
    """R-124: an add-on needs its base, so the order of bases leaves it out."""
    first = _next(case(ADD_ON, item()), observation(*HELD))
    assert isinstance(first, PlaceOrder)
    assert [one.source_subscription_id for one in first.lines] == ["s1"]
    second = _next(case(ADD_ON, item(), counterparts=(counterpart(),)), observation(*HELD, target_is_old=True))
    assert isinstance(second, BuyAddOns)
    assert second.order_id == ORDER
    assert [(one.source_subscription_id, one.parent_target_id) for one in second.lines] == [("s2", "t1")]


def test_buys_add_ons_on_one_order_at_a_time():
    """Two bases of two orders: two purchases."""
    other = item("s4", offer_id=VISIO, target_offer_id=VISIO, parent_id="s3")
    known = case(
        item("s1"), ADD_ON, item("s3"), other,
        counterparts=(counterpart("s1", "t1"), counterpart("s3", "t3", order_id="order-2")),
    )  # fmt: skip
    held = (*HELD, source("s3"), source("s4", offer_id=VISIO, parent_id="s3"))
    action = _next(known, observation(*held, target("t1"), target("t3", order_id="order-2")))
    assert isinstance(action, BuyAddOns)
    assert (action.order_id, [one.source_subscription_id for one in action.lines]) == (ORDER, ["s2"])


def test_the_order_of_an_adopted_base_is_found_before_its_add_on_is_bought():
    """The add-on must go onto the order the base has at the target."""
    adopted = counterpart(order_id="", origin=Origin.ADOPTED, cutover_on=None)
    known = case(item(target_id="t1"), ADD_ON, counterparts=(adopted,))
    action = _next(known, observation(*HELD, target(order_id="order-9")))
    assert action == Link((replace(adopted, order_id=OrderId("order-9")),))


# --- late ids --------------------------------------------------------------------------------------------------------


def test_a_late_subscription_id_is_found_by_order_and_shape():
    """Never by the shape alone: an equal one of another order is not ours (invariant 2)."""
    late = counterpart("s1", None)
    known = case(counterparts=(late,))
    seen = observation(source(), target("t7", order_id="order-2"), target("t1"), ordered_as={"s1": ("E3", 5)})
    assert _next(known, seen) == Link((replace(late, target_id=target().id),))


def test_two_late_ids_of_one_order_get_one_subscription_each():
    """Equal lines are told apart by taking each subscription once."""
    known = case(item("s1"), item("s2"), counterparts=(counterpart("s1", None), counterpart("s2", None)))
    ordered = {"s1": ("E3", 5), "s2": ("E3", 5)}
    both = observation(source("s1"), source("s2"), target("t1"), target("t2"), ordered_as=ordered)
    action = _next(known, both)
    assert isinstance(action, Link)
    assert sorted((one.source_id, one.target_id or "") for one in action.counterparts) == [("s1", "t1"), ("s2", "t2")]
    one_seen = observation(source("s1"), source("s2"), target("t1"), ordered_as=ordered)
    action = _next(known, one_seen)
    assert isinstance(action, Link)
    assert [one.target_id for one in action.counterparts] == ["t1"]


def test_a_late_id_is_found_although_somebody_changed_its_count_meanwhile():
    """The only line of that offer in our order is ours; parity says that it differs, waiting would never end."""
    late = counterpart("s1", None)
    changed = target(license_count=7)
    seen = observation(source(), changed, ordered_as={"s1": ("E3", 5)})
    assert _next(case(counterparts=(late,)), seen) == Link((replace(late, target_id=changed.id),))


def test_a_changed_count_is_not_guessed_at_among_several():
    """Two lines of one offer, one of them changed: the equal one is taken; of two changed ones nobody knows."""
    known = case(item("s1"), item("s2"), counterparts=(counterpart("s1", None), counterpart("s2", None)))
    ordered = {"s1": ("E3", 5), "s2": ("E3", 5)}
    both_changed = (target("t1", license_count=7), target("t2", license_count=8))
    action = _next(known, observation(source("s1"), source("s2"), *both_changed, ordered_as=ordered))
    assert _refused(action)[0] is RefusalCode.TARGET_MISSING


@pytest.mark.parametrize(
    "standing",
    [[], [target(order_id="order-2")], [target(offer_id=E5)]],
    ids=["nothing", "other order", "other offer"],
)
def test_an_id_that_does_not_show_is_looked_for_again(standing: list[Subscription]):
    """Orders take up to 15 minutes to show (commerce reference 0.7); nothing is ordered meanwhile."""
    known = case(counterparts=(counterpart("s1", None),))
    action = _next(known, observation(source(), *standing, ordered_as={"s1": ("E3", 5)}))
    assert _refused(action) == (RefusalCode.TARGET_MISSING, Phase.CUTTING_OVER)
    assert isinstance(action, Pause)
    assert action.refusal.due_at == later(seconds=POLICY.retry_seconds)


def test_an_id_that_does_not_show_for_too_long_is_for_a_person():
    """Microsoft's quarter of an hour is over; it is looked for all the same."""
    ordered = order_intent()
    known = case(counterparts=(counterpart("s1", None),), settled=(attested(), (ordered, outcome(ordered))))
    late = later(seconds=POLICY.provisioning_wait_seconds + 1)
    action = _next(known, replace(observation(source(), ordered_as={"s1": ("E3", 5)}), at=late), late)
    assert isinstance(action, Pause)
    assert (action.refusal.owner, action.refusal.due_at) == (
        Owner.OPERATIONS,
        late + timedelta(seconds=POLICY.retry_seconds),
    )


def test_a_late_id_is_looked_for_before_the_next_order():
    """On a read from after our order; an older one shows nothing."""
    known = case(item("s1"), item("s3", billing_cycle="annual"), counterparts=(counterpart("s1", None),))
    held = (source("s1"), source("s3", billing_cycle="annual"))
    assert _next(known, observation(*held, target_is_old=True)) == Observe()
    assert _refused(_next(known, observation(*held)))[0] is RefusalCode.TARGET_MISSING


# --- the switch ------------------------------------------------------------------------------------------------------


def test_reads_back_after_the_last_order():
    """Invariant 1: what was read before our own write proves nothing about it."""
    known = case(counterparts=(counterpart(),))
    assert _next(known, observation(source(), target(), target_is_old=True)) == Observe()


def test_verifies_all_before_the_first_suspension():
    """R-32: together, in one step."""
    known = case(item(), ADD_ON, counterparts=(counterpart("s1", "t1"), counterpart("s2", "t2")))
    assert _next(known, observation(*HELD, *STANDING)) == MarkVerified(VERIFIED)


@pytest.mark.parametrize("broken", [0, 1], ids=["base", "add-on"])
@pytest.mark.parametrize(
    ("fields", "code"),
    [({"wire_status": "pending"}, RefusalCode.TARGET_NOT_ACTIVE), ({"license_count": 4}, RefusalCode.DRIFT)],
)
def test_one_target_that_does_not_stand_keeps_every_source_running(
    broken: int, fields: dict[str, object], code: RefusalCode
):
    """R-32: even if all was verified before, and whichever it is."""
    standing = [replace(one, **(fields if index == broken else {})) for index, one in enumerate(STANDING)]  # type: ignore[arg-type]  # the row names them
    action = _next(case(item(), ADD_ON, counterparts=VERIFIED), observation(*HELD, *standing))
    assert _refused(action)[0] is code


@pytest.mark.parametrize(
    ("on", "origin", "phase"),
    [
        (TODAY, Origin.CREATED, Phase.CUTTING_OVER),
        (datetime(2026, 3, 1, tzinfo=UTC).date(), Origin.CREATED, Phase.DRIFTED),
        (None, Origin.ADOPTED, Phase.DRIFTED),
    ],
    ids=["ordered today", "ordered yesterday", "adopted"],
)
@pytest.mark.parametrize("standing", [[], [target(wire_status="pending")]], ids=["not listed", "pending"])
def test_a_target_ordered_today_may_still_be_on_its_way(
    on: object, origin: Origin, phase: Phase, standing: list[Subscription]
):
    """It is looked at again; one of yesterday or one adopted is drift, and a person's."""
    known = case(counterparts=(counterpart(cutover_on=on, origin=origin),))
    action = _next(known, observation(source(), *standing))
    assert _refused(action)[1] is phase
    assert isinstance(action, Pause)
    assert (action.refusal.due_at is None) is (phase is Phase.DRIFTED)


def test_drift_is_never_waited_out():
    """Another license count does not heal by itself, not even on the day of the order."""
    known = case(counterparts=(counterpart(),))
    assert _refused(_next(known, observation(source(), target(license_count=4)))) == (RefusalCode.DRIFT, Phase.DRIFTED)


def test_a_source_that_disappeared_is_not_taken_for_suspended():
    """Missing is not gone (invariant 9)."""
    known = case(counterparts=(counterpart(verified_at=NOW),))
    assert _refused(_next(known, observation(target()))) == (RefusalCode.SOURCE_MISSING, Phase.DRIFTED)


def test_suspends_bases_reads_back_and_only_then_their_add_ons():
    """Add-ons follow their base by themselves (R-124); what did not follow is suspended on a fresh read."""
    known = case(ADD_ON, item(), counterparts=VERIFIED)
    assert _next(known, observation(*HELD, *STANDING)) == Suspend(item())
    after = observation(*HELD, *STANDING, suspended_since=frozenset({"s1"}))
    assert _next(known, after) == Observe(sources_only=True)
    base_off = replace(HELD[0], wire_status="suspended")
    assert _next(known, observation(base_off, HELD[1], *STANDING)) == Suspend(ADD_ON)


def test_is_finished_only_when_every_source_was_read_back_suspended():
    """R-41, R-43: our own word for it does not count."""
    known = case(item(), ADD_ON, counterparts=VERIFIED)
    off = [replace(one, wire_status="suspended") for one in HELD]
    action = _next(known, observation(*off, *STANDING), later(seconds=1))
    assert action == MarkSuspended(
        tuple(replace(one, suspended_at=later(seconds=1)) for one in VERIFIED), finished=False
    )
    both_since = observation(*HELD, *STANDING, suspended_since=frozenset({"s1", "s2"}))
    assert _next(known, both_since) == Observe(sources_only=True)


@pytest.mark.parametrize(
    ("minutes", "phase", "owner"), [(1, Phase.CUTTING_OVER, Owner.MICROSOFT), (20, Phase.DRIFTED, Owner.OPERATIONS)]
)
def test_a_source_that_reads_active_after_its_suspension_is_not_suspended_twice(
    minutes: int, phase: Phase, owner: Owner
):
    """A lagging list at first; later somebody reactivated it, and a person must know (R-43)."""
    intent = suspend_intent()
    known = case(counterparts=(counterpart(verified_at=NOW),), settled=(attested(), (intent, outcome(intent))))
    now = later(minutes=minutes)
    action = _next(known, observation(source(), target(), at=now), now)
    assert _refused(action) == (RefusalCode.SOURCE_STILL_ACTIVE, phase)
    assert isinstance(action, Pause)
    assert action.refusal.owner is owner


def test_a_suspension_that_failed_is_tried_again():
    """It had no effect."""
    intent = suspend_intent()
    failed = (intent, outcome(intent, OutcomeKind.FAILED))
    known = case(counterparts=(counterpart(verified_at=NOW),), settled=(attested(), failed))
    assert _next(known, observation(source(), target())) == Suspend(item())
