"""What a person may decide about a call without known outcome (invariants 2, 5, 6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantfold.domain.guards import Refusal, RefusalCode
from tenantfold.domain.journal import Intent, OpKind, Outcome, OutcomeKind
from tenantfold.domain.model import Subscription, SubscriptionId
from tenantfold.domain.pairing import counterparts_of
from tenantfold.domain.records import Case
from tenantfold.domain.stranded_decisions import Decision, DecisionKind, Fit, MaySend, candidates, decide, outlook
from tenantfold.domain.waves import Held
from tests.domain.samples import (
    E5,
    NOW,
    POLICY,
    TARGET,
    TODAY,
    attested,
    case,
    counterpart,
    item,
    later,
    line,
    observation,
    order_intent,
    plan_record,
    source,
    suspend_intent,
    target,
)

SETTLED = NOW + timedelta(seconds=POLICY.settling_seconds)
TWO = order_intent(line("s1"), line("s2", offer_id=E5))
WITHDRAWAL = Intent(
    key="withdraw",
    plan_id=1,
    customer_id=order_intent().customer_id,
    tenant_id=TARGET,
    kind=OpKind.WITHDRAW,
    at=NOW,
    subjects=order_intent().subjects,
    target_id=SubscriptionId("t1"),
)


def decided(
    kind: DecisionKind, intent: Intent, *seen: Subscription, ids: str = "", now: datetime = SETTLED, **fields: object
) -> Outcome | MaySend | Refusal:
    """The answer to a decision about the only open intent of a customer who reads so."""
    known = case(open_intents=(intent,), **fields)
    decision = Decision(
        kind=kind, by="Eva", reason="looked at it", target_ids=tuple(SubscriptionId(one) for one in ids.split())
    )
    return decide(intent, decision, known, observation(*seen, at=now), now, POLICY)


# --- evidence --------------------------------------------------------------------------------------------------------


def test_shows_everything_at_the_target_with_why_it_fits_or_not():
    """What fits comes first; what differs says in what."""
    intent = order_intent(baseline=("t2",))
    seen = observation(target("t4", license_count=7), target("t2"), target("t3"), target("t1"))
    found = candidates(intent, seen, (counterpart("s9", "t3"),))
    assert [(one.subscription.id, one.fit) for one in found] == [
        ("t1", Fit.FITS),
        ("t4", Fit.DIFFERS),
        ("t2", Fit.STOOD_BEFORE),
        ("t3", Fit.TAKEN),
    ]
    assert found[1].why == "license count: wanted 5, is 7"
    assert found[3].why == "stands for s9 already"


@pytest.mark.parametrize(
    ("seen", "now", "needs_person", "word"),
    [
        pytest.param([], later(seconds=30), False, "settles", id="too early"),
        pytest.param([], SETTLED, False, "sends it again", id="settled"),
        pytest.param([target()], SETTLED, False, "took effect", id="found"),
        pytest.param([target(), target("t2", order_id="o2")], SETTLED, True, "person", id="two candidates"),
        pytest.param([source(license_count=6)], SETTLED, False, "without effect", id="stale by now"),
    ],
)
def test_says_what_the_next_run_will_do(seen: list[Subscription], now: datetime, needs_person: bool, word: str):  # noqa: FBT001 - a column of the table
    """The core's own verdict, in a sentence."""
    sources = [] if any(one.tenant_id != TARGET for one in seen) else [source()]
    told = outlook(case(open_intents=(order_intent(),)), observation(*sources, *seen, at=now), now, POLICY)
    assert told.needs_person is needs_person
    assert word in told.sentence


def test_there_is_no_outlook_without_an_open_call():
    """A mistake of the caller."""
    with pytest.raises(ValueError, match="no call"):
        outlook(case(), observation(), NOW, POLICY)


# --- adopt -----------------------------------------------------------------------------------------------------------


def test_adopts_one_of_two_candidates_with_name_and_reason():
    """The outcome is what the answer would have been."""
    answer = decided(DecisionKind.ADOPT, order_intent(), target(), target("t2", order_id="o2"), ids="t2")
    assert isinstance(answer, Outcome)
    assert (answer.kind, answer.order_id, answer.detail) == (OutcomeKind.ADOPTED, "o2", "adopted by Eva: looked at it")
    assert [one.subscription_id for one in answer.lines] == ["t2"]


def test_adopts_lines_of_two_orders_without_an_order_id():
    """The order of each is looked up later by its subscription."""
    seen = (target(), target("t2", offer_id=E5, order_id="o2"))
    answer = decided(DecisionKind.ADOPT, TWO, *seen, ids="t2 t1")
    assert isinstance(answer, Outcome)
    assert answer.order_id is None
    links = counterparts_of(TWO, answer, (), TODAY)
    assert [(one.source_id, one.target_id) for one in links] == [("s1", "t1"), ("s2", "t2")]


@pytest.mark.parametrize(
    ("intent", "seen", "ids", "code"),
    [
        pytest.param(order_intent(), [], "t1", RefusalCode.TARGET_MISSING, id="not there"),
        pytest.param(order_intent(), [target(license_count=4)], "t1", RefusalCode.DRIFT, id="other count"),
        pytest.param(order_intent(), [target(offer_id=E5)], "t1", RefusalCode.DRIFT, id="other offer"),
        pytest.param(order_intent(), [target(billing_cycle="annual")], "t1", RefusalCode.DRIFT, id="other cycle"),
        pytest.param(order_intent(), [target(parent_id="t9")], "t1", RefusalCode.DRIFT, id="an add-on"),
        pytest.param(order_intent(baseline=("t1",)), [target()], "t1", RefusalCode.DRIFT, id="stood there before"),
        pytest.param(
            order_intent(), [target(wire_status="suspended")], "t1", RefusalCode.TARGET_NOT_ACTIVE, id="suspended"
        ),
        pytest.param(order_intent(), [target(), target("t2")], "t1 t2", RefusalCode.DRIFT, id="one too many"),
        pytest.param(TWO, [target()], "t1", RefusalCode.DRIFT, id="one too few"),
        pytest.param(TWO, [target(), target("t2")], "t1 t2", RefusalCode.DRIFT, id="one line twice"),
        pytest.param(suspend_intent(), [target()], "t1", RefusalCode.NEEDS_PERSON, id="no order at all"),
    ],
)
def test_adopts_only_what_was_ordered(intent: Intent, seen: list[Subscription], ids: str, code: RefusalCode):
    """There is no way around: what does not fit stays where it is."""
    answer = decided(DecisionKind.ADOPT, intent, source(), *seen, ids=ids)
    assert isinstance(answer, Refusal)
    assert answer.code is code
    assert answer.detail


def test_adopts_nothing_that_stands_for_another_source():
    """Invariant 2 the other way round."""
    links = (counterpart("s9", "t1"),)
    answer = decided(DecisionKind.ADOPT, order_intent(), target(), ids="t1", counterparts=links)
    assert isinstance(answer, Refusal)
    assert "s9" in answer.detail


# --- send again ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("intent", "seen", "now", "fields", "code"),
    [
        pytest.param(order_intent(), [source()], SETTLED, {}, None, id="nothing stands there"),
        pytest.param(order_intent(), [source()], later(seconds=9), {}, RefusalCode.SETTLING, id="too early"),
        pytest.param(order_intent(), [source(), target()], SETTLED, {}, RefusalCode.NEEDS_PERSON, id="it is there"),
        pytest.param(TWO, [source(), target()], SETTLED, {}, RefusalCode.NEEDS_PERSON, id="half of it is there"),
        pytest.param(
            order_intent(),
            [source()],
            SETTLED,
            {"plan": plan_record(approved_at=None)},
            RefusalCode.NEEDS_PERSON,
            id="unapproved",
        ),
        pytest.param(
            order_intent(), [source(license_count=6)], SETTLED, {}, RefusalCode.NEEDS_PERSON, id="stale by now"
        ),
        pytest.param(
            suspend_intent(), [source(), target()], NOW, {"counterparts": (counterpart(),)}, None, id="a suspension"
        ),
        pytest.param(
            suspend_intent(),
            [source(wire_status="suspended"), target()],
            NOW,
            {},
            RefusalCode.NEEDS_PERSON,
            id="a suspension that shows",
        ),
        pytest.param(attested()[0], [source()], NOW, {}, None, id="an attestation"),
        pytest.param(attested()[0], [source()], NOW, {"held": Held.STOPPED}, RefusalCode.HELD, id="who is stopped"),
    ],
)
def test_sends_again_only_what_surely_had_no_effect_and_may_run(
    intent: Intent, seen: list[Subscription], now: datetime, fields: dict[str, object], code: RefusalCode | None
):
    """The same guards as the run's own."""
    answer = decided(DecisionKind.RESEND, intent, *seen, now=now, **fields)  # type: ignore[arg-type]  # as the table says
    if code is None:
        assert answer == MaySend()
    else:
        assert isinstance(answer, Refusal)
        assert answer.code is code


# --- give up ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("intent", "seen", "now", "allowed"),
    [
        pytest.param(order_intent(), [], SETTLED, True, id="nothing stands there"),
        pytest.param(order_intent(), [], later(seconds=9), False, id="too early"),
        pytest.param(order_intent(), [target()], SETTLED, False, id="it is there"),
        pytest.param(order_intent(), [target(wire_status="suspended")], SETTLED, True, id="somebody suspended it"),
        pytest.param(order_intent(), [target(wire_status="odd")], SETTLED, False, id="of unknown status"),
        pytest.param(TWO, [target()], SETTLED, False, id="half of it is there"),
        pytest.param(suspend_intent(), [source()], SETTLED, True, id="a suspension that does not show"),
        pytest.param(suspend_intent(), [source()], NOW, False, id="a suspension, too early"),
        pytest.param(suspend_intent(), [source(wire_status="suspended")], SETTLED, False, id="a suspension that shows"),
        pytest.param(suspend_intent(), [], SETTLED, False, id="a suspension of what is not listed"),
        pytest.param(WITHDRAWAL, [source(), target()], SETTLED, False, id="a withdrawal"),
        pytest.param(attested()[0], [], NOW, True, id="an attestation"),
    ],
)
def test_gives_up_only_what_cannot_come_true_any_more(
    intent: Intent, seen: list[Subscription], now: datetime, *, allowed: bool
):
    """Else the normal path would make a twin."""
    answer = decided(DecisionKind.ABANDON, intent, *seen, now=now)
    assert isinstance(answer, Outcome) is allowed
    if isinstance(answer, Outcome):
        assert (answer.kind, answer.code) == (OutcomeKind.FAILED, "abandoned")
        assert "Eva" in answer.detail


STANDING = st.lists(
    st.builds(
        lambda number, order, count, status: target(
            f"t{number}", order_id=order, license_count=count, wire_status=status
        ),
        st.integers(1, 4),
        st.sampled_from(["o1", "o2"]),
        st.sampled_from([5, 6]),
        st.sampled_from(["active", "pending", "suspended", "odd"]),
    ),
    max_size=4,
    unique_by=lambda one: one.id,
)


@given(
    standing=STANDING,
    seconds=st.integers(0, 2000),
    kind=st.sampled_from(DecisionKind),
    ids=st.lists(st.sampled_from(["t1", "t2", "t3", "t4"]), max_size=2, unique=True),
    baseline=st.sets(st.sampled_from(["t1", "t2"])),
    taken=st.sampled_from([None, "t1", "t3"]),
)
def test_no_decision_can_make_a_twin(
    standing: list[Subscription],
    seconds: int,
    kind: DecisionKind,
    ids: list[str],
    baseline: set[str],
    taken: str | None,
):
    """Whatever stands there: nothing is ordered anew beside it, and nothing is counted for two sources."""
    intent = order_intent(baseline=tuple(sorted(baseline)))
    now = later(seconds=seconds)
    links = (counterpart("s9", taken),) if taken else ()
    known: Case = replace(case(item(), open_intents=(intent,)), counterparts=links)
    seen = observation(source(), *standing, at=now)
    answer = decide(
        intent,
        Decision(kind=kind, by="E", reason="r", target_ids=tuple(map(SubscriptionId, ids))),
        known,
        seen,
        now,
        POLICY,
    )
    free = [one for one in standing if one.id not in baseline | {taken} and one.license_count == 5]
    if isinstance(answer, MaySend):
        assert not free
        assert now >= SETTLED
    elif isinstance(answer, Outcome) and answer.kind is OutcomeKind.FAILED:
        assert now >= SETTLED
        assert all(one.wire_status == "suspended" for one in free)
    elif isinstance(answer, Outcome):
        assert ids == [one.subscription_id for one in answer.lines]
        assert set(ids) <= {one.id for one in free}
