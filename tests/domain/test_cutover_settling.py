"""The next action while an intent has no outcome, and what must hold before any suspension (invariants 1, 5, 6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from tenantfold.domain.actions import (
    Action,
    AdoptOutcome,
    Attest,
    MarkSuspended,
    MarkVerified,
    Observe,
    Pause,
    PlaceOrder,
    Resend,
    Suspend,
)
from tenantfold.domain.course import next_action
from tenantfold.domain.guards import RefusalCode
from tenantfold.domain.journal import Intent, OpKind, OutcomeKind
from tenantfold.domain.model import Subscription
from tenantfold.domain.observation import Observation
from tenantfold.domain.plan import Disposition
from tenantfold.domain.records import Case
from tenantfold.domain.states import Counterpart
from tests.domain.samples import (
    CONTACT,
    E3,
    NOW,
    ORDER,
    POLICY,
    VISIO,
    attested,
    case,
    counterpart,
    item,
    later,
    line,
    observation,
    order_intent,
    outcome,
    plan_customer,
    plan_record,
    source,
    suspend_intent,
    target,
)

SETTLED = NOW + timedelta(seconds=POLICY.settling_seconds)
NIGHT = datetime(2026, 3, 2, 22, 0, tzinfo=UTC)
UNAPPROVED = plan_record(approved_at=None)
ATTEST = attested()[0]


def _next(known: Case, seen: Observation | None, now: datetime = NOW) -> Action:
    return next_action(known, seen, now, POLICY)


# --- stranded comes first --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"plan": UNAPPROVED}, id="unapproved"),
        pytest.param({"customer": plan_customer(disposition=Disposition.BLOCKED)}, id="blocked"),
        pytest.param({"counterparts": (counterpart(suspended_at=NOW),)}, id="finished"),
    ],
)
@pytest.mark.parametrize("intent", [order_intent(), suspend_intent()], ids=["order", "suspension"])
def test_an_intent_without_outcome_is_looked_up_before_anything_else(intent: Intent, fields: dict[str, object]):
    """Invariant 6: whatever the plan says by now, first we must know what we did."""
    known = case(**fields, open_intents=(intent,))
    assert _next(known, None) == Observe()


def test_the_oldest_intent_is_settled_first():
    """One after the other."""
    known = case(open_intents=(ATTEST, order_intent()))
    assert _next(known, None) == Resend(ATTEST)


def test_a_lost_attestation_is_simply_made_again():
    """An identical one is answered as done (core reference, 600061)."""
    assert _next(case(open_intents=(ATTEST,), settled=()), observation(source())) == Resend(ATTEST)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        pytest.param(
            {"customer": plan_customer(contact=replace(CONTACT, email="bo@ekdal.example"))},
            "superseded",
            id="corrected",
        ),
        pytest.param({"customer": plan_customer(contact=None)}, "superseded", id="taken away"),
        pytest.param({"plan": UNAPPROVED}, "not_applied", id="unapproved"),
        pytest.param({"customer": plan_customer(disposition=Disposition.BLOCKED)}, "not_applied", id="blocked"),
    ],
)
def test_a_lost_attestation_the_plan_does_not_hold_any_more_is_closed(fields: dict[str, object], code: str):
    """Invariant 5: never sent again; what the newest plan says instead is attested on its own."""
    known = case(**fields, open_intents=(ATTEST,), settled=())
    action = _next(known, observation(source()))
    assert isinstance(action, AdoptOutcome)
    assert (action.outcome.kind, action.outcome.code) == (OutcomeKind.FAILED, code)
    after = _next(replace(known, open_intents=(), settled=((ATTEST, action.outcome),)), observation(source()))
    if known.customer.contact is not None and code == "superseded":
        assert after == Attest(known.customer.contact)
    else:
        assert isinstance(after, Pause)


@pytest.mark.parametrize("intent", [order_intent(), suspend_intent()], ids=["order", "suspension"])
def test_nothing_is_settled_on_an_old_read(intent: Intent):
    """A drive that was held up reads again before it sends anything again (invariant 5)."""
    known = case(counterparts=(counterpart(verified_at=NOW),), open_intents=(intent,))
    seen = observation(source(), target(), at=SETTLED)
    assert _next(known, seen, SETTLED + timedelta(seconds=POLICY.observation_max_age_seconds + 1)) == Observe()


def test_an_order_found_at_the_target_gets_its_outcome():
    """Nothing is called."""
    intent = order_intent()
    action = _next(case(open_intents=(intent,)), observation(source(), target()))
    assert isinstance(action, AdoptOutcome)
    assert action.intent == intent
    assert (action.outcome.kind, action.outcome.order_id) == (OutcomeKind.ADOPTED, ORDER)


def test_an_order_that_does_not_show_is_waited_for_and_then_sent_again():
    """With the same intent, so with the same request id."""
    intent = order_intent()
    known = case(open_intents=(intent,))
    early = _next(known, observation(source()))
    assert isinstance(early, Pause)
    assert early.refusal.code is RefusalCode.SETTLING
    assert _next(known, observation(source(), at=SETTLED), SETTLED) == Resend(intent)


@pytest.mark.parametrize(
    ("fields", "held", "now", "why"),
    [
        pytest.param({"plan": UNAPPROVED}, [source()], SETTLED, RefusalCode.NOT_APPROVED, id="newer plan unapproved"),
        pytest.param(
            {"customer": plan_customer(disposition=Disposition.BLOCKED)},
            [source()],
            SETTLED,
            RefusalCode.BLOCKED,
            id="blocked by now",
        ),
        pytest.param({}, [source(license_count=6)], SETTLED, RefusalCode.PLAN_STALE, id="seats changed since"),
        pytest.param({}, [], SETTLED, RefusalCode.PLAN_STALE, id="source gone"),
        pytest.param(
            {"customer": plan_customer(item(license_count=6))},
            [source(license_count=6)],
            SETTLED,
            None,
            id="another license count approved since",
        ),
        pytest.param({}, [source()], NIGHT, RefusalCode.TOO_LATE_TODAY, id="too late today"),
        pytest.param(
            {"customer": plan_customer(item("s9"))},
            [source("s9")],
            SETTLED,
            None,
            id="no longer in the plan",
        ),
    ],
)
def test_an_order_that_had_no_effect_is_not_sent_again_where_it_may_not_run(
    fields: dict[str, object], held: list[Subscription], now: datetime, why: RefusalCode | None
):
    """Invariant 5: the guards are asked again; the attempt is closed, and the normal path says why."""
    intent = order_intent()
    known = case(**fields, open_intents=(intent,))
    seen = observation(*held, at=now)
    action = _next(known, seen, now)
    assert isinstance(action, AdoptOutcome)
    assert (action.outcome.kind, action.outcome.code) == (OutcomeKind.FAILED, "not_applied")
    assert action.outcome.detail
    closed = replace(known, open_intents=(), settled=(attested(), (intent, action.outcome)))
    after = _next(closed, seen, now)
    if why is None:
        assert isinstance(after, PlaceOrder)
        assert after.lines != intent.lines
    else:
        assert isinstance(after, Pause)
        assert after.refusal.code is why


def test_a_begun_cutover_sends_its_lost_add_ons_even_in_the_evening():
    """R-33: what began today is finished today."""
    add_on = item("s2", offer_id=VISIO, target_offer_id=VISIO, parent_id="s1")
    lines = (line("s2", offer_id=VISIO, parent_target_id="t1"),)
    intent = order_intent(*lines, kind=OpKind.BUY_ADD_ONS, order_id=ORDER)
    known = case(item(), add_on, counterparts=(counterpart(),), open_intents=(intent,))
    seen = observation(source(), source("s2", offer_id=VISIO, parent_id="s1"), target(), at=NIGHT)
    assert _next(known, seen, NIGHT) == Resend(intent)


@pytest.mark.parametrize(
    ("held", "standing", "expected"),
    [
        pytest.param([source(wire_status="suspended")], [target()], OutcomeKind.ADOPTED, id="it was suspended"),
        pytest.param([source(wire_status="suspended")], [], OutcomeKind.ADOPTED, id="suspended, target gone"),
        pytest.param([source()], [target()], None, id="still active and may be suspended"),
        pytest.param([source()], [target(wire_status="suspended")], OutcomeKind.FAILED, id="target not active"),
        pytest.param([source()], [target(license_count=4)], OutcomeKind.FAILED, id="target drifted"),
        pytest.param([source(license_count=6)], [target()], OutcomeKind.FAILED, id="source drifted"),
        pytest.param([source(wire_status="frozen")], [target()], OutcomeKind.FAILED, id="status unknown"),
        pytest.param([], [target()], OutcomeKind.FAILED, id="source not listed"),
        pytest.param([source()], [], OutcomeKind.FAILED, id="target not listed"),
    ],
)
def test_a_lost_suspension_is_found_done_or_asked_its_guard_again(
    held: list[Subscription], standing: list[Subscription], expected: OutcomeKind | None
):
    """Sent again only if it may still run on a fresh read (invariant 5); else closed as without effect."""
    intent = suspend_intent()
    known = case(counterparts=(counterpart(verified_at=NOW),), open_intents=(intent,))
    action = _next(known, observation(*held, *standing))
    if expected is None:
        assert action == Resend(intent)
    else:
        assert isinstance(action, AdoptOutcome)
        assert action.outcome.kind is expected


def test_a_lost_suspension_of_what_the_plan_no_longer_holds_is_closed():
    """Nothing the plan does not name is written."""
    known = case(item("s9"), counterparts=(counterpart(verified_at=NOW),), open_intents=(suspend_intent(),))
    action = _next(known, observation(source(), target()))
    assert isinstance(action, AdoptOutcome)
    assert action.outcome.kind is OutcomeKind.FAILED


# --- over all cases --------------------------------------------------------------------------------------------------

FLAWS = ("target_status", "target_count", "target_gone", "unverified", "late_id", "no_counterpart", "source_status")
CASE_FLAWS = ("unapproved", "unaccepted", "in_doubt", "target_is_old", "suspended_since", "old_read")


@st.composite
def _worlds(draw: st.DrawFn) -> tuple[Case, Observation, datetime]:
    """A customer anywhere between verification and its end, with up to two things that are not right."""
    number = draw(st.integers(1, 3))
    flaws = draw(st.lists(st.sampled_from(FLAWS + CASE_FLAWS), max_size=2))
    struck = draw(st.integers(0, number - 1))
    planned = [item(f"s{index}", **_base_of(index, add_on=draw(st.booleans()))) for index in range(number)]
    held, standing, links = [], [], []
    for index, one in enumerate(planned):
        here = flaws if index == struck else []
        status = "frozen" if "source_status" in here else draw(st.sampled_from(["active", "suspended"]))
        held.append(source(one.subscription_id, parent_id=one.parent_id, wire_status=status))
        if "target_gone" not in here:
            standing.append(_standing(index, one.parent_id, here))
        if "no_counterpart" not in here:
            links.append(_link(index, here))
    known = case(
        *planned,
        counterparts=tuple(links),
        plan=UNAPPROVED if "unapproved" in flaws else plan_record(),
        progress=replace(case().progress, accepted_at=None if "unaccepted" in flaws else NOW),
        open_intents=(order_intent(baseline=("t0", "t1", "t2")),) if "in_doubt" in flaws else (),
    )
    seen = observation(
        *held,
        *standing,
        target_is_old="target_is_old" in flaws,
        suspended_since=frozenset({held[struck].id}) if "suspended_since" in flaws else frozenset(),
    )
    return known, seen, later(seconds=121 if "old_read" in flaws else 60)


def _standing(index: int, parent_id: str | None, flaws: list[str]) -> Subscription:
    return target(
        f"t{index}",
        parent_id="t0" if parent_id else None,
        wire_status="pending" if "target_status" in flaws else "active",
        license_count=4 if "target_count" in flaws else 5,
    )


def _link(index: int, flaws: list[str]) -> Counterpart:
    target_id = None if "late_id" in flaws else f"t{index}"
    return counterpart(f"s{index}", target_id, verified_at=None if "unverified" in flaws else NOW)


def _base_of(index: int, *, add_on: bool) -> dict[str, object]:
    return {"parent_id": "s0"} if add_on and index else {}


@given(world=_worlds())
def test_suspends_only_when_everything_stands(world: tuple[Case, Observation, datetime]):
    """Invariants 1, 4, 5, 6: approved, accepted, nothing in doubt, read after our last write, all equal, verified."""
    known, seen, now = world
    action = _next(known, seen, now)
    event(type(action).__name__)
    if not isinstance(action, Suspend | MarkVerified):
        return
    assert known.plan.approved_at is not None
    assert known.progress.accepted_at is not None
    assert not known.open_intents
    assert not seen.target_is_old
    assert (now - seen.at).total_seconds() <= POLICY.observation_max_age_seconds
    links = {one.source_id: one for one in known.counterparts}
    for one in known.customer.items:
        standing = seen.target[links[one.subscription_id].target_id or one.subscription_id]
        assert (standing.wire_status, standing.license_count, standing.offer_id) == ("active", 5, E3)
        assert isinstance(action, MarkVerified) or links[one.subscription_id].verified_at is not None
    if isinstance(action, Suspend):
        _is_next_to_suspend(action, known, seen)


def _is_next_to_suspend(action: Suspend, known: Case, seen: Observation) -> None:
    """Active by a read that is not older than our own suspension; an add-on only after every base."""
    chosen = action.item.subscription_id
    assert seen.source[chosen].wire_status == "active"
    assert chosen not in seen.suspended_since
    if action.item.is_add_on:
        bases = [one for one in known.customer.items if not one.is_add_on]
        assert all(seen.source[one.subscription_id].wire_status == "suspended" for one in bases)


@given(world=_worlds())
def test_is_finished_only_when_every_source_reads_suspended(world: tuple[Case, Observation, datetime]):
    """And the read is not older than our own writes."""
    known, seen, now = world
    action = _next(known, seen, now)
    if isinstance(action, MarkSuspended):
        assert {one.wire_status for one in seen.source.values()} == {"suspended"}
        assert {one.source_id for one in action.counterparts} == set(seen.source)
        assert not known.open_intents


def test_an_unverified_outcome_does_not_skip_the_verification():
    """A settled order is followed by a read, then by verification, and only then by suspension."""
    intent = order_intent()
    known = case(counterparts=(counterpart(),), settled=(attested(), (intent, outcome(intent))))
    assert isinstance(_next(known, observation(source(), target())), MarkVerified)
