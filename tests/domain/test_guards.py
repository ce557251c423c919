"""Guards: may this step run now? Above all: may a source subscription be suspended (invariants 1, 4, 7, 9)."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from tenantfold.domain.guards import (
    RefusalCode,
    may_drive,
    may_start_today,
    may_suspend,
    plan_is_fresh,
    unplanned,
)
from tenantfold.domain.model import CommerceKind, Subscription, SubscriptionId
from tenantfold.domain.plan import Disposition
from tenantfold.domain.policy import Policy
from tenantfold.domain.routes import commerce_kind
from tenantfold.domain.states import Owner, Phase
from tests.domain.samples import E3, E5, NOW, POLICY, item, plan_record, source, target

STATUSES = st.sampled_from(["active", "active", "suspended", "pending", "frozen", "deleted", ""])
COUNTS = st.sampled_from([5, 5, 5, 4])
KINDS = st.sampled_from(
    [
        {},
        {},
        {"product_type": "OnlineServicesNCE"},
        {"offer_id": "CFQ7TTC0LF8S:0002"},
        {"billing_type": "usage"},
        {"offer_id": "MS-AZR-0145P"},
        {"billing_type": "benefit"},
    ]
)


@st.composite
def _subscriptions(draw: st.DrawFn) -> tuple[Subscription, Subscription | None]:
    """A source subscription of any kind, and what the target shows for it."""
    kind = draw(KINDS)
    held = source(**kind, wire_status=draw(STATUSES), license_count=draw(COUNTS))
    fields = {
        "wire_status": draw(STATUSES),
        "license_count": draw(COUNTS),
        "billing_cycle": draw(st.sampled_from(["monthly", "monthly", "annual"])),
        "offer_id": draw(st.sampled_from([held.offer_id, held.offer_id, E5])),
        "partner_id_on_record": draw(st.sampled_from(["", "", "517285"])),
    }
    return held, draw(st.sampled_from([None, *[target(**{**kind, **fields})] * 4]))


@given(pair=_subscriptions())
def test_suspends_only_a_legacy_license_whose_equal_stands_active(pair: tuple[Subscription, Subscription | None]):
    """Invariants 1, 4, 7 and 9: everything must be known to be right; and then it may be done."""
    held, standing = pair
    legacy = commerce_kind(held) is CommerceKind.LEGACY_LICENSE
    planned = item(offer_id=held.offer_id if legacy else E3, target_offer_id=held.offer_id)  # no plan can say others
    refusal = may_suspend(planned, held, standing)
    right = (
        commerce_kind(held) is CommerceKind.LEGACY_LICENSE
        and held.wire_status in {"active", "suspended"}
        and standing is not None
        and standing.wire_status == "active"
        and (standing.offer_id, standing.billing_cycle) == (held.offer_id, "monthly")
        and standing.license_count == held.license_count == planned.license_count
        and standing.partner_id_on_record == ""
    )
    event(refusal.code.value if refusal else "passes")
    assert (refusal is None) is right
    assert refusal is None or (refusal.phase, refusal.due_at) == (Phase.DRIFTED, None)


@given(status=STATUSES, product=st.sampled_from(["OnlineServicesNCE", "Azure", "Software"]))
def test_never_suspends_new_commerce(status: str, product: str):
    """Invariant 7: whatever else is right, suspension would not stop its bill (R-135)."""
    held = source(product_type=product, wire_status=status)
    refusal = may_suspend(item(), held, target(product_type=product))
    assert refusal is not None
    assert (refusal.code, refusal.rule) == (RefusalCode.NEW_COMMERCE_SUSPENSION, "R-135")


@pytest.mark.parametrize(
    ("held", "standing", "code"),
    [
        pytest.param({"billing_type": "usage"}, {}, RefusalCode.NEW_COMMERCE_SUSPENSION, id="R-135 not a license"),
        pytest.param({"wire_status": "frozen"}, {}, RefusalCode.SOURCE_STATUS_UNKNOWN, id="R-227 source unknown"),
        pytest.param({"wire_status": "deleted"}, {}, RefusalCode.SOURCE_STATUS_UNKNOWN, id="R-227 source is gone"),
        pytest.param({}, None, RefusalCode.TARGET_MISSING, id="R-32 no target"),
        pytest.param({}, {"wire_status": "pending"}, RefusalCode.TARGET_NOT_ACTIVE, id="R-59 target pending"),
        pytest.param({}, {"wire_status": "suspended"}, RefusalCode.TARGET_NOT_ACTIVE, id="R-59 target suspended"),
        pytest.param({}, {"wire_status": "brand new"}, RefusalCode.TARGET_NOT_ACTIVE, id="R-59 target unknown"),
        pytest.param({}, {"license_count": 4}, RefusalCode.DRIFT, id="R-28 fewer licenses at the target"),
        pytest.param({}, {"license_count": 6}, RefusalCode.DRIFT, id="R-28 more licenses at the target"),
        pytest.param({"license_count": 6}, {}, RefusalCode.DRIFT, id="R-28 more licenses at the source since"),
        pytest.param({"license_count": 6}, {"license_count": 6}, RefusalCode.DRIFT, id="R-28 equal but not approved"),
        pytest.param({}, {}, None, id="R-33 both equal"),
        pytest.param({"wire_status": "suspended"}, {}, None, id="R-33 suspended already"),
    ],
)
def test_says_why_it_does_not_suspend(
    held: dict[str, object], standing: dict[str, object] | None, code: RefusalCode | None
):
    """One row per reason; the first that holds is said, and nothing was done."""
    refusal = may_suspend(item(), source(**held), target(**standing) if standing is not None else None)
    assert (refusal.code if refusal else None) is code
    assert refusal is None or "Nothing was suspended" in refusal.next_action


def test_suspends_no_add_on_whose_base_is_not_seen_at_the_target():
    """An add-on without its base serves nobody (R-124)."""
    add_on = item(parent_id="s9")
    held, standing = source(parent_id="s9"), target(parent_id="t9")
    assert may_suspend(add_on, held, standing, target("t9")) is None
    for parent, found in ((None, standing), (target("t8"), standing), (None, target())):
        refusal = may_suspend(add_on, held, found, parent)
        assert refusal is not None
        assert refusal.code is RefusalCode.DRIFT


@pytest.mark.parametrize(
    ("disposition", "approved", "code", "owner"),
    [
        (Disposition.BLOCKED, True, RefusalCode.BLOCKED, Owner.OPERATIONS),
        (Disposition.BLOCKED, False, RefusalCode.BLOCKED, Owner.OPERATIONS),
        (Disposition.MOVE, False, RefusalCode.NOT_APPROVED, Owner.APPROVER),
        (Disposition.MOVE, True, None, None),
        (Disposition.MOVED, True, None, None),
    ],
)
def test_nothing_unapproved_and_nobody_blocked_is_driven(
    disposition: Disposition,
    approved: bool,  # noqa: FBT001 - a column
    code: RefusalCode | None,
    owner: Owner | None,
):
    """Invariant 5 and R-32."""
    refusal = may_drive(plan_record(approved_at=NOW if approved else None), disposition, "It cannot be read.")
    assert (refusal.code if refusal else None) is code
    assert (refusal.owner if refusal else None) is owner
    if code is RefusalCode.BLOCKED:
        assert refusal is not None
        assert refusal.detail == "It cannot be read."


@pytest.mark.parametrize(
    ("at", "late"),
    [(time(0, 0), 0), (time(8, 0), 0), (time(20, 59, 59, 999999), 0), (time(21, 0), 1), (time(23, 59, 59), 1)],
    ids=str,
)
def test_starts_nothing_that_could_not_be_finished_today(at: time, late: int):
    """R-33, R-192: UTC days; a refusal says when it goes on, early the next day."""
    now = datetime.combine(NOW.date(), at, tzinfo=UTC)
    refusal = may_start_today(now, POLICY)
    assert (refusal is not None) == bool(late)
    if refusal is not None:
        assert refusal.code is RefusalCode.TOO_LATE_TODAY
        assert refusal.due_at == datetime(2026, 3, 3, 0, 5, tzinfo=UTC)
        assert may_start_today(refusal.due_at, POLICY) is None


def test_the_last_hour_is_the_partners_choice():
    """The policy says when starting stops."""
    assert may_start_today(NOW, Policy(stop_starting_at=time(7, 0))) is not None


@pytest.mark.parametrize(
    ("fresh", "words"),
    [
        pytest.param(None, "no longer", id="gone"),
        pytest.param({"wire_status": "suspended"}, "was active, is now suspended", id="suspended since"),
        pytest.param({"license_count": 6}, "expected 5, found 6", id="seats changed"),
        pytest.param({"offer_id": E5}, "expected E3, found E5", id="upgraded"),
        pytest.param({"parent_id": SubscriptionId("s9")}, "base subscription", id="another base"),
    ],
)
def test_a_source_that_changed_makes_the_plan_stale(fresh: dict[str, object] | None, words: str):
    """Invariant 5: what the approver saw must still be so."""
    refusal = plan_is_fresh(item(), source(**fresh) if fresh is not None else None)
    assert refusal is not None
    assert (refusal.code, refusal.phase) == (RefusalCode.PLAN_STALE, Phase.STALE)
    assert words in refusal.detail


def test_an_unchanged_source_keeps_the_plan_fresh():
    """Names and eTags may change."""
    assert plan_is_fresh(item(), source(friendly_name="New name", etag="2")) is None


def test_what_the_approver_never_saw_makes_the_plan_stale():
    """It is named, so that somebody can look."""
    refusal = unplanned(source("s7"))
    assert refusal.code is RefusalCode.PLAN_STALE
    assert "s7" in refusal.detail
