"""May this step run now? Reading order 5. A guard's no is a ``Refusal``: a value, not an exception.

Every guard is asked when planning and again on a fresh read right before the write it protects.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from tenantfold.domain.model import CommerceKind, Subscription, WireStatus
from tenantfold.domain.parity import compare, source_drift
from tenantfold.domain.plan import Disposition, PlanItem, PlanRecord
from tenantfold.domain.policy import Policy
from tenantfold.domain.routes import commerce_kind
from tenantfold.domain.states import Owner, Phase


class RefusalCode(StrEnum):
    """Every no a guard can say. Listed in docs/reference/errors.md."""

    BLOCKED = "blocked"
    NOT_APPROVED = "not_approved"
    NOT_ACCEPTED = "not_accepted"
    AGREEMENT_CONTACT_MISSING = "agreement_contact_missing"
    AGREEMENT_MISSING = "agreement_missing"
    PLAN_STALE = "plan_stale"
    TOO_LATE_TODAY = "too_late_today"
    TARGET_MISSING = "target_missing"
    TARGET_NOT_ACTIVE = "target_not_active"
    DRIFT = "drift"
    SOURCE_MISSING = "source_missing"
    SOURCE_STATUS_UNKNOWN = "source_status_unknown"
    NEW_COMMERCE_SUSPENSION = "new_commerce_suspension"
    SOURCE_STILL_ACTIVE = "source_still_active"
    SETTLING = "settling"
    NEEDS_PERSON = "needs_person"
    MICROSOFT_REFUSED = "microsoft_refused"
    NOT_READABLE = "not_readable"
    CANNOT_FINISH_TODAY = "cannot_finish_today"
    WAVE_TOO_LARGE = "wave_too_large"
    HELD = "held"
    WITHDRAWN = "withdrawn"
    WITHDRAWN_TARGET_GONE = "withdrawn_target_gone"
    TERM_RUNNING = "term_running"
    END_OF_TERM_OPEN = "end_of_term_open"
    TOO_LATE_TO_REBUY = "too_late_to_rebuy"
    SOURCE_GOES_ON = "source_goes_on"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a step may not run now, in which phase that leaves the customer, and who does what next."""

    code: RefusalCode
    phase: Phase
    rule: str
    detail: str
    owner: Owner
    next_action: str
    due_at: datetime | None = None


def may_drive(plan: PlanRecord, disposition: Disposition, detail: str) -> Refusal | None:
    """Nothing unapproved runs, and blocked customers stay (invariant 5, R-32)."""
    if disposition is Disposition.BLOCKED:
        return Refusal(
            code=RefusalCode.BLOCKED,
            phase=Phase.BLOCKED,
            rule="R-32",
            detail=detail,
            owner=Owner.OPERATIONS,
            next_action="Remove the reason, then take inventory and plan again.",
        )
    if plan.approved_at is None:
        return Refusal(
            code=RefusalCode.NOT_APPROVED,
            phase=Phase.PLANNED,
            rule="invariant 5",
            detail="The newest plan is not approved.",
            owner=Owner.APPROVER,
            next_action=f"Review it and run: tenantfold approve {plan.checksum[:12]}",
        )
    return None


def may_start_today(now: datetime, policy: Policy) -> Refusal | None:
    """No new cutover begins so late that its suspension could fall on the next UTC day (R-33, R-192)."""
    if now.time() < policy.stop_starting_at:
        return None
    tomorrow = (now + timedelta(days=1)).replace(hour=0, minute=5, second=0, microsecond=0)
    return Refusal(
        code=RefusalCode.TOO_LATE_TODAY,
        phase=Phase.ACCEPTED,
        rule="R-33",
        detail=f"It is {now:%H:%M} UTC; new cutovers stop at {policy.stop_starting_at:%H:%M} UTC so that the source is "
        "suspended on the day the target is set up.",
        owner=Owner.TENANTFOLD,
        next_action="Run again after 00:05 UTC.",
        due_at=tomorrow,
    )


def plan_is_fresh(item: PlanItem, source: Subscription | None) -> Refusal | None:
    """The source must still be what the approver saw, before anything is ordered for it (invariant 5)."""
    if source is None:
        return _stale(f"{item.offer_name} ({item.subscription_id}) is no longer in the source tenant's list.")
    if source.wire_status != item.wire_status:
        return _stale(f"{item.offer_name}: status was {item.wire_status}, is now {source.wire_status}.")
    drifts = source_drift(item, source)
    if drifts:
        return _stale(f"{item.offer_name} changed at the source since the plan: {'; '.join(map(str, drifts))}.")
    return None


def unplanned(subscription: Subscription) -> Refusal:
    """A subscription the approver never saw: the customer must be planned again (invariant 5)."""
    return _stale(f"{subscription.offer_name} ({subscription.id}) appeared at the source after the plan.")


def _stale(detail: str) -> Refusal:
    return Refusal(
        code=RefusalCode.PLAN_STALE,
        phase=Phase.STALE,
        rule="invariant 5",
        detail=detail,
        owner=Owner.OPERATIONS,
        next_action="Run: tenantfold inventory, tenantfold plan, approve the new plan, then tenantfold run.",
    )


def may_suspend(
    item: PlanItem, source: Subscription, target: Subscription | None, parent_target: Subscription | None = None
) -> Refusal | None:
    """The one irreversible write: only when the target stands and equals the source, on fresh reads.

    Invariants 1 (no gap), 4 (parity), 7 (new commerce is never suspended), 9 (unknown is not fine).
    """
    if commerce_kind(source) is not CommerceKind.LEGACY_LICENSE:
        return _refuse(
            RefusalCode.NEW_COMMERCE_SUSPENSION,
            "R-135",
            f"{item.offer_name} is not a legacy license: suspending it would lock people out and not stop its bill.",
        )
    if source.wire_status not in {WireStatus.ACTIVE, WireStatus.SUSPENDED}:
        return _refuse(
            RefusalCode.SOURCE_STATUS_UNKNOWN, "R-227", f"{item.offer_name} is '{source.wire_status}' at the source."
        )
    if target is None:
        return _refuse(RefusalCode.TARGET_MISSING, "R-32", f"{item.offer_name} is not in the target tenant's list.")
    if target.wire_status != WireStatus.ACTIVE:
        return _refuse(
            RefusalCode.TARGET_NOT_ACTIVE,
            "R-59",
            f"{item.offer_name} is '{target.wire_status}' at the target, not active.",
        )
    drifts = compare(item, target, parent_target.id if parent_target else None) + source_drift(item, source)
    if drifts:
        return _refuse(RefusalCode.DRIFT, "R-28", f"{item.offer_name} differs: {'; '.join(map(str, drifts))}.")
    return None


def _refuse(code: RefusalCode, rule: str, detail: str) -> Refusal:
    return Refusal(
        code=code,
        phase=Phase.DRIFTED,
        rule=rule,
        detail=detail,
        owner=Owner.OPERATIONS,
        next_action="Make both sides equal and active in Partner Center, then run again. Nothing was suspended.",
    )
