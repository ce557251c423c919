"""What happens next to what only a person can move: the route ``manual`` (domain room).

The person buys at the target, then ends at the source, and confirms both; what can be read is read besides. A
confirmation that contradicts what is read is refused with a sentence: nothing counts as moved on a word alone that
Microsoft shows to be wrong (invariants 1 and 9).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from tenantfold.domain import guards, tasks
from tenantfold.domain.actions import Action, MarkArrived, Observe, Pause
from tenantfold.domain.evidence import Evidence, TaskKind
from tenantfold.domain.guards import Refusal, RefusalCode
from tenantfold.domain.journal import Intent
from tenantfold.domain.machine import Machine, together, unfinished
from tenantfold.domain.model import OrderId, ProductKind, Route, SubscriptionId, WireStatus
from tenantfold.domain.observation import Observation
from tenantfold.domain.plan import PlanItem
from tenantfold.domain.policy import Policy
from tenantfold.domain.records import Case
from tenantfold.domain.states import Counterpart, Origin, Owner, Phase

ROUTES = frozenset({Route.MANUAL})
_OVER = frozenset({"disabled", "deleted", "expired", "inactive"})  # the last was seen, but is not published
_BILLED_WHILE_SUSPENDED = frozenset({ProductKind.LICENSE, ProductKind.SOFTWARE, ProductKind.SAAS})


def forward(case: Case, observation: Observation, now: datetime, policy: Policy) -> Action | None:
    """Note what has arrived; else ask a person for what is left, or say what speaks against a confirmation."""
    if observation.target_is_old or observation.source_is_old:
        return Observe()
    items = unfinished(case, ROUTES)
    taken = {one.target_id for one in case.counterparts if one.target_id is not None}
    arrived: list[Counterpart] = []
    waiting: list[Refusal] = []
    asked: list[tasks.Task] = []
    for item in items:
        open_now = tasks.tasks_of(case, item, policy, now.date())
        answer = _answer(case, item, observation, taken, now, policy)
        if isinstance(answer, Counterpart):
            arrived.append(answer)
            taken.add(answer.target_id or item.subscription_id)
        elif answer is not None:
            waiting.append(answer)
        else:
            asked += open_now
    if arrived:
        return MarkArrived(tuple(arrived), Phase.BY_HAND)
    if asked:
        waiting.append(tasks.to_be_done(asked))
    return Pause(together(waiting)) if waiting else None


def _answer(
    case: Case,
    item: PlanItem,
    observation: Observation,
    taken: Collection[SubscriptionId],
    now: datetime,
    policy: Policy,
) -> Counterpart | Refusal | None:
    """The counterpart of an item, why its confirmations do not count, or None while a task is open."""
    if tasks.needs_status(item):
        return _status(case, item, observation, now, policy)
    bought = tasks.confirmed(case, item, TaskKind.BOUGHT_AT_TARGET)
    if bought is None:
        return None
    refusal = _not_bought(item, bought, observation, taken, now, policy)
    if refusal is not None:
        return refusal
    ended = tasks.confirmed(case, item, TaskKind.ENDED_AT_SOURCE)
    if ended is None:
        return None
    source = observation.source.get(item.subscription_id)
    if source is not None and not is_over(item, source.wire_status):
        what = f"that it ended at the source, but it reads '{source.wire_status}' there"
        return _contradicted(item, ended, what, "End it in the source's Partner Center.", now, policy)
    target = observation.target.get(bought.target_id) if bought.target_id else None
    return Counterpart(
        source_id=item.subscription_id,
        target_id=bought.target_id,
        order_id=target.order_id if target else OrderId(""),
        origin=Origin.BY_HAND,
        verified_at=observation.target_at or observation.at,
    )


def is_over(item: PlanItem, wire_status: str) -> bool:
    """Whether a status at the source means that it is over: new commerce is billed while it is suspended (R-135)."""
    if wire_status == WireStatus.SUSPENDED:
        return item.kind not in _BILLED_WHILE_SUSPENDED
    return wire_status in _OVER


def _status(case: Case, item: PlanItem, observation: Observation, now: datetime, policy: Policy) -> Refusal | None:
    """A status that proves nothing is settled when it reads otherwise: then the item is planned anew (R-227)."""
    stale = guards.plan_is_fresh(item, observation.source.get(item.subscription_id))
    if stale is not None:
        return stale
    settled = tasks.confirmed(case, item, TaskKind.STATUS_SETTLED)
    if settled is None:
        return None
    what = f"that its status is settled, but it still reads '{item.wire_status}'"
    return _contradicted(item, settled, what, "Bring it into a known status at the source.", now, policy)


def _not_bought(
    item: PlanItem,
    bought: Evidence,
    observation: Observation,
    taken: Collection[SubscriptionId],
    now: datetime,
    policy: Policy,
) -> Refusal | None:
    """Why a purchase that was confirmed does not count; without an id there is nothing the API could show."""
    if bought.target_id is None:
        return None
    target = observation.target.get(bought.target_id)
    if bought.target_id in taken:
        what = f"{bought.target_id} as its successor, but that stands for another subscription already"
    elif target is None:
        what = f"{bought.target_id} as its successor, but that is not in the target's list"
    elif target.wire_status != WireStatus.ACTIVE:
        what = f"{bought.target_id} as its successor, but that reads '{target.wire_status}' at the target, not active"
    else:
        return None
    refusal = _contradicted(item, bought, what, "Name the subscription that was bought for it.", now, policy)
    may_lag = bought.target_id not in taken and (target is None or target.wire_status == WireStatus.PENDING)
    if may_lag and (now - bought.at).total_seconds() < policy.provisioning_wait_seconds:
        return replace(
            refusal,
            owner=Owner.MICROSOFT,
            next_action="Keep tenantfold run going, or run it again: it looks again.",
            due_at=now + timedelta(seconds=policy.retry_seconds),
        )
    return refusal


def _contradicted(
    item: PlanItem, evidence: Evidence, what: str, next_action: str, now: datetime, policy: Policy
) -> Refusal:
    return Refusal(
        code=RefusalCode.NEEDS_PERSON,
        phase=Phase.BY_HAND,
        rule="R-32",
        detail=f"{item.offer_name} ({item.subscription_id}): {evidence.by} confirmed at {evidence.at:%Y-%m-%d %H:%M} "
        f"UTC {what}.",
        owner=Owner.OPERATIONS,
        next_action=f"{next_action} Then confirm again: tenantfold tasks done {evidence.customer_id} "
        f"{evidence.task.value} --subscription {item.subscription_id}",
        due_at=now + timedelta(seconds=policy.hand_off_poll_seconds),
    )


def settle(case: Case, intent: Intent, observation: Observation | None, now: datetime, policy: Policy) -> Action:
    """No call is ever made by hand, so there is none to settle: being asked is a mistake of the program."""
    del case, observation, now, policy
    raise ValueError(f"The route manual makes no calls; it cannot settle {intent.key}.")


MACHINE = Machine(routes=ROUTES, kinds=frozenset(), forward=forward, settle=settle)
