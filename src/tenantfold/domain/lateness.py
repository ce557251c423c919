"""A cutover that cannot end on its own UTC day: the alarm, and taking the target back (invariant 3).

Reading order 8. What can be finished is finished; only what is stuck is withdrawn: its target subscriptions are
suspended while the sources still run, which is credited in full within 30 days (R-188), and reactivated another day.
Nothing is withdrawn once a source was suspended: that would lock people out (invariant 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

from tenantfold.domain import guards
from tenantfold.domain.actions import (
    Action,
    AdoptOutcome,
    Attest,
    BuyAddOns,
    Link,
    MarkWithdrawn,
    Observe,
    Pause,
    PlaceOrder,
    Reactivate,
    Resend,
    Withdraw,
)
from tenantfold.domain.guards import Refusal, RefusalCode
from tenantfold.domain.journal import Intent, OpKind, Outcome, OutcomeKind
from tenantfold.domain.model import SubscriptionId, WireStatus
from tenantfold.domain.observation import Observation
from tenantfold.domain.plan import PlanItem
from tenantfold.domain.policy import LateCase, Policy
from tenantfold.domain.products import is_modern_offer
from tenantfold.domain.records import Case
from tenantfold.domain.states import Counterpart, Origin, Owner, Phase

FREE_DAYS = 30  # suspending a legacy subscription is credited in full for so long after its purchase
_STUCK = Pause | PlaceOrder | BuyAddOns | Attest | Reactivate
_OPENABLE = frozenset({WireStatus.ACTIVE.value, WireStatus.PENDING.value})


def is_open(counterpart: Counterpart) -> bool:
    """Whether the target was set up by us and its source is not known to be suspended: both may be billed."""
    return (
        counterpart.origin is Origin.CREATED and counterpart.suspended_at is None and counterpart.withdrawn_at is None
    )


def open_since(case: Case) -> date | None:
    """The UTC day on which the oldest open part of a customer's cutover began; None when nothing is open."""
    days = [one.cutover_on for one in case.counterparts if is_open(one) and one.cutover_on is not None]
    return min(days, default=None)


def is_late(case: Case, now: datetime, policy: Policy) -> bool:
    """Whether a cutover is still open at ``policy.late_at`` of its day, or later."""
    day = open_since(case)
    return day is not None and (now.date() > day or now.time() >= policy.late_at)


def held_to_the_day(
    action: Action, case: Case, observation: Observation | None, now: datetime, policy: Policy
) -> Action:
    """The action itself, or what the policy says of a cutover that is stuck when its day ends."""
    day = open_since(case)
    if day is None:
        return action
    if not is_late(case, now, policy):
        return _looked_at_in_time(action, day, now, policy)
    if observation is None or not isinstance(action, _STUCK):
        return action
    wanted = policy.late_case is LateCase.WITHDRAW and _is_stuck(action, now, policy)
    if not wanted and not _withdrawal_has_begun(case, observation):
        return action
    if observation.target_is_old:  # what we wrote last, a withdrawal among it, does not show in it yet
        return Observe()
    return _withdraw(action, case, observation, now, policy) or action


def _is_stuck(action: Action, now: datetime, policy: Policy) -> bool:
    """Late in a day everything that needs more than the suspensions; with a new day ahead, what waits for a person."""
    if now.time() >= policy.late_at or guards.may_start_today(now, policy) is not None:
        return True
    return isinstance(action, Pause) and action.refusal.due_at is None


def _withdrawal_has_begun(case: Case, observation: Observation) -> bool:
    """Whether a target of ours reads suspended because we withdrew it: then the others follow, whatever else is so."""
    last = {intent.subjects: intent.kind for intent, outcome in case.settled if _turned(intent, outcome)}
    return any(
        last.get((one.source_id,)) is OpKind.WITHDRAW and _target_status(one, observation) == WireStatus.SUSPENDED
        for one in case.counterparts
        if is_open(one)
    )


def _turned(intent: Intent, outcome: Outcome) -> bool:
    return intent.kind.may_repeat and outcome.kind is not OutcomeKind.FAILED


def _looked_at_in_time(action: Action, day: date, now: datetime, policy: Policy) -> Action:
    """Whoever waits in the middle of a cutover is looked at again when the day is about to end."""
    if not isinstance(action, Pause):
        return action
    late_at = datetime.combine(day, policy.late_at, tzinfo=now.tzinfo)
    due_at = min(action.refusal.due_at or late_at, late_at)
    return Pause(replace(action.refusal, due_at=due_at))


def _withdraw(action: Action, case: Case, observation: Observation, now: datetime, policy: Policy) -> Action | None:
    """Suspend one target after the other, bases first; None when nothing may or need be withdrawn."""
    ours = [one for one in case.counterparts if is_open(one)]
    targets = {one.source_id: observation.target.get(one.target_id) for one in ours if one.target_id is not None}
    if len(targets) < len(ours) or not _every_source_runs(case, ours, observation) or not _is_free(ours, now):
        return None
    if any(is_modern_offer(one.offer_id) for one in targets.values() if one is not None):
        return None  # suspending new commerce stops no bill: what was ordered of it is finished
    if not {_status(one) for one in targets.values()} <= _OPENABLE | {WireStatus.SUSPENDED.value}:
        return None  # not listed yet, or of an unknown status, is not gone (invariant 9)
    still_open = [one for one in ours if _status(targets[one.source_id]) in _OPENABLE]
    if not still_open:
        taken_back = tuple(replace(one, withdrawn_at=now, verified_at=None) for one in ours)
        return MarkWithdrawn(taken_back, _until_another_day(action, now, policy))
    parents = {item.subscription_id: item.parent_id for item in case.customer.items}
    bases = [one for one in still_open if parents.get(one.source_id) is None]
    return Withdraw((bases or still_open)[0])


def _status(subscription: object) -> str:
    return str(getattr(subscription, "wire_status", ""))


def _every_source_runs(case: Case, ours: list[Counterpart], observation: Observation) -> bool:
    """No suspension was asked for or seen: people still work with what the sources hold."""
    ids = {one.source_id for one in ours}
    asked_for = any(
        intent.kind is OpKind.SUSPEND and outcome.kind is not OutcomeKind.FAILED and intent.subjects[0] in ids
        for intent, outcome in case.settled
    )
    sources = [observation.source.get(source_id) for source_id in ids]
    running = all(source is not None and source.wire_status == WireStatus.ACTIVE for source in sources)
    return running and not asked_for


def _is_free(counterparts: list[Counterpart], now: datetime) -> bool:
    oldest = min((one.cutover_on for one in counterparts if one.cutover_on is not None), default=None)
    return oldest is not None and (now.date() - oldest).days < FREE_DAYS


def _until_another_day(action: Action, now: datetime, policy: Policy) -> Refusal:
    stuck = action.refusal if isinstance(action, Pause) else None
    why = f" It was stuck: {stuck.detail}" if stuck else ""
    waits_for_person = stuck is not None and stuck.owner not in {Owner.TENANTFOLD, Owner.MICROSOFT}
    return Refusal(
        code=RefusalCode.WITHDRAWN,
        phase=stuck.phase if stuck and waits_for_person else Phase.ACCEPTED,
        rule="R-188",
        detail=f"The cutover could not end on its UTC day; the target subscriptions were suspended again.{why}",
        owner=stuck.owner if stuck and waits_for_person else Owner.TENANTFOLD,
        next_action=stuck.next_action if stuck and waits_for_person else "Run again after 00:05 UTC.",
        due_at=None if waits_for_person else _next_start(now, policy),
    )


def _next_start(now: datetime, policy: Policy) -> datetime:
    too_late = guards.may_start_today(now, policy)
    return now + timedelta(seconds=policy.retry_seconds) if too_late is None else too_late.due_at or now


# --- another day ------------------------------------------------------------------------------------------------------


def withdrawn(case: Case) -> tuple[Counterpart, ...]:
    """The counterparts that were taken back and must be reactivated first."""
    moving = {item.subscription_id for item in case.customer.items if item.moves}
    return tuple(one for one in case.counterparts if one.withdrawn_at is not None and one.source_id in moving)


def take_up_again(
    case: Case, items: Mapping[SubscriptionId, PlanItem], observation: Observation, now: datetime, policy: Policy
) -> Action:
    """Reactivate withdrawn targets, bases before add-ons; the caller has checked that the plan is still fresh."""
    waiting = withdrawn(case)
    active = tuple(
        replace(one, withdrawn_at=None, verified_at=None, cutover_on=now.date())
        for one in waiting
        if _target_status(one, observation) == WireStatus.ACTIVE
    )
    if active:  # somebody reactivated it, or our own answer was lost
        return Link(active)
    for one in waiting:
        if _target_status(one, observation) != WireStatus.SUSPENDED:
            return Pause(_gone(one, items[one.source_id], _target_status(one, observation)))
    if open_since(case) is None:
        too_late = guards.may_start_today(now, policy)
        if too_late is not None:
            return Pause(_still_withdrawn(case, too_late))
    bases = [one for one in waiting if not items[one.source_id].is_add_on]
    return Reactivate((bases or list(waiting))[0])


def _still_withdrawn(case: Case, too_late: Refusal) -> Refusal:
    """The reason of the withdrawal says more than the time of day."""
    known = case.progress
    if known.code != RefusalCode.WITHDRAWN.value:
        return too_late
    return replace(
        too_late,
        code=RefusalCode.WITHDRAWN,
        phase=known.phase,
        detail=known.detail,
        owner=known.owner,
        next_action=known.next_action,
        due_at=too_late.due_at if known.owner is Owner.TENANTFOLD else None,
    )


def _target_status(counterpart: Counterpart, observation: Observation) -> str:
    return _status(observation.target.get(counterpart.target_id)) if counterpart.target_id else ""


def _gone(counterpart: Counterpart, item: PlanItem, status: str) -> Refusal:
    return Refusal(
        code=RefusalCode.WITHDRAWN_TARGET_GONE,
        phase=Phase.DRIFTED,
        rule="R-134",
        detail=f"{item.offer_name}: the withdrawn target subscription {counterpart.target_id} is "
        f"'{status or 'not in the list'}', not suspended.",
        owner=Owner.OPERATIONS,
        next_action="Reactivate it in Partner Center (a suspended one is deleted after 90 days), then run again.",
    )


def settle(intent: Intent, observation: Observation, now: datetime) -> Action:
    """A withdrawal or reactivation without answer: sent again until it shows, because it may still take effect."""
    wanted = WireStatus.SUSPENDED if intent.kind is OpKind.WITHDRAW else WireStatus.ACTIVE
    target = observation.target.get(intent.target_id) if intent.target_id else None
    if target is None:
        return AdoptOutcome(
            intent,
            Outcome(intent_key=intent.key, kind=OutcomeKind.FAILED, at=now, code="not_applied", detail="It is gone."),
        )
    if target.wire_status == wanted:
        return AdoptOutcome(intent, Outcome(intent_key=intent.key, kind=OutcomeKind.ADOPTED, at=now))
    return Resend(intent)
