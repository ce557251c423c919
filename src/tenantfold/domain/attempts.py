"""How long a route waits after a call of its own failed: a little at first, hours later on (domain room).

Nobody has to start it again: what was in the way may be gone the next time. A person is asked from the third time on.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from tenantfold.domain.guards import Refusal, RefusalCode
from tenantfold.domain.journal import Intent, OpKind, Outcome, OutcomeKind
from tenantfold.domain.model import SubscriptionId
from tenantfold.domain.policy import Policy
from tenantfold.domain.records import Case
from tenantfold.domain.states import Owner, Phase

PATIENT = 2  # failures of one call in a row before a person is asked
LONGEST_PAUSE = timedelta(hours=6)
_GROWTH = 4


def waiting_after_failure(
    case: Case,
    kind: OpKind,
    subjects: tuple[SubscriptionId, ...],
    now: datetime,
    policy: Policy,
    entries: tuple[SubscriptionId, ...] | None = None,
) -> Refusal | None:
    """Why a call that failed before is not made again yet; None when it may be made now."""
    failed = failures(case, kind, subjects, entries)
    if not failed:
        return None
    _, outcome = failed[-1]
    again_at = outcome.at + pause_after(len(failed), policy)
    if now >= again_at:
        return None
    asks_person = len(failed) > PATIENT
    return Refusal(
        code=RefusalCode.MICROSOFT_REFUSED,
        phase=Phase.FAILED,
        rule="commerce reference 2.4",
        detail=f"{_NAMES.get(kind, kind.value.replace('_', ' '))} failed {len(failed)} time(s): {outcome.detail}",
        owner=Owner.OPERATIONS if asks_person else Owner.TENANTFOLD,
        next_action="Remove the reason Microsoft gives; it is tried again by itself."
        if asks_person
        else "Keep tenantfold run going, or run it again: it tries again.",
        due_at=again_at,
    )


def failures(
    case: Case,
    kind: OpKind,
    subjects: tuple[SubscriptionId, ...],
    entries: tuple[SubscriptionId, ...] | None = None,
) -> tuple[tuple[Intent, Outcome], ...]:
    """The failed attempts at a call since it last came true, oldest first.

    ``entries``: only those that named the same things; None where that makes no difference.
    """
    found: list[tuple[Intent, Outcome]] = []
    for intent, outcome in case.settled:
        if intent.kind is not kind or set(intent.subjects) != set(subjects):
            continue
        if entries is not None and set(intent.entries) != set(entries):
            continue
        found = [*found, (intent, outcome)] if outcome.kind is OutcomeKind.FAILED else []
    return tuple(found)


def pause_after(failed: int, policy: Policy) -> timedelta:
    """How long to wait after so many failures in a row."""
    growth = float(_GROWTH) ** min(failed - 1, 20)
    return min(timedelta(seconds=policy.retry_seconds * growth), LONGEST_PAUSE)


_NAMES = {
    OpKind.REQUEST_TRANSFER: "The transfer request",
    OpKind.SUBMIT_TRANSFER: "Submitting the transfer",
    OpKind.CANCEL_TRANSFER: "Canceling the transfer",
    OpKind.BUY_AZURE_PLAN: "Buying the Azure plan",
    OpKind.CANCEL_AZURE_DEFAULT: "Canceling the default Azure subscription",
    OpKind.OPEN_SERVICE_REQUEST: "Opening the service request",
    OpKind.STOP_RENEWAL: "Turning the renewal off",
    OpKind.BUY_AGAIN: "Buying again",
}
