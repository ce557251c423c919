"""What Azure needs before it may move by transfer, and when all of it has moved (domain room, rules J).

The Azure plan itself stays behind, empty: what moves are the active Azure subscriptions under it and the customer's
reservations and savings plans, into the plan the target has (R-164, R-167, R-168).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from tenantfold.domain import tasks, transfer_refusals
from tenantfold.domain.actions import Action, BuyAzurePlan, CancelAzureDefault
from tenantfold.domain.attempts import waiting_after_failure
from tenantfold.domain.azure import AzureItem, AzureKind
from tenantfold.domain.guards import Refusal, RefusalCode
from tenantfold.domain.journal import Intent, OpKind, Outcome, OutcomeKind
from tenantfold.domain.model import OrderId, ProductKind, Route, Subscription, SubscriptionId, WireStatus
from tenantfold.domain.observation import Observation
from tenantfold.domain.plan import PlanItem
from tenantfold.domain.policy import Policy
from tenantfold.domain.products import product_kind
from tenantfold.domain.records import Case
from tenantfold.domain.requests import TransferLine, TransferProduct
from tenantfold.domain.states import Counterpart, Origin, Owner, Phase

_PRODUCT_TYPES = {
    AzureKind.SUBSCRIPTION: TransferProduct.AZURE_SUBSCRIPTION,
    AzureKind.RESERVATION: TransferProduct.AZURE_RESERVATION,
    AzureKind.SAVINGS_PLAN: TransferProduct.AZURE_SAVINGS_PLAN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """What one planned item gives to a transfer: itself, or what is under an Azure plan."""

    item: PlanItem
    entries: tuple[SubscriptionId, ...]
    product_types: tuple[TransferProduct, ...]


def portion(
    item: PlanItem, case: Case, observation: Observation, now: datetime, policy: Policy
) -> Portion | Action | Refusal | None:
    """What an Azure item gives to a transfer now; None when nothing of it is active that may go.

    The answer is an action where the target must be made ready first, a refusal where a person or Microsoft must. What
    Microsoft refused is left out (R-167): ``left_behind`` says why.
    """
    kept = {one.id for one in transfer_refusals.waiting(case, item, now, policy)}
    things = tuple(one for one in still_active(item, case, observation) if one.id not in kept)
    if not things:
        return None
    missing = [one for one in tasks.tasks_of(case, item, policy, now.date()) if one.stage is tasks.Stage.BEFORE]
    if missing:  # what is lost with the transfer
        return tasks.to_be_done(missing)
    plan = _target_plan(observation)
    if plan is None:
        return _plan_missing(case, now, policy)
    if plan.wire_status != WireStatus.ACTIVE:
        return _plan_not_active(f"The Azure plan at the target is '{plan.wire_status}', not active.", now, policy)
    empty = _default_to_cancel(plan, case, observation) if policy.cleans_azure_default else None
    if empty is not None:
        return CancelAzureDefault(plan.id, empty)
    kinds = {_PRODUCT_TYPES[one.kind] for one in things}
    return Portion(item=item, entries=tuple(one.id for one in things), product_types=tuple(sorted(kinds)))


def left_behind(
    item: PlanItem, case: Case, observation: Observation, now: datetime, policy: Policy
) -> tuple[Refusal, ...]:
    """Why some of an Azure item stays at the source for now; what a person removed there is no longer told of."""
    active = {one.id for one in still_active(item, case, observation)}
    kept = [one for one in transfer_refusals.waiting(case, item, now, policy) if one.id in active]
    return transfer_refusals.left_behind(case, item, kept, now, policy)


def merged(
    item: PlanItem,
    case: Case,
    observation: Observation,
    done: Mapping[SubscriptionId, TransferLine],
    look_again: datetime,
) -> Counterpart | Refusal | None:
    """The counterpart of an Azure item of which nothing active is left at the source; None while something is.

    A refusal while something Microsoft calls moved does not show at the target yet: somebody must pay for it.
    """
    if item.tenant_id not in observation.beside.azure or still_active(item, case, observation):
        return None
    at_target = {one.id for one in observation.beside.azure.get(case.plan.header.target_id, ())}
    missing = sorted((_given_for(item, case) & set(done)) - at_target)
    if missing:
        return Refusal(
            code=RefusalCode.TARGET_MISSING,
            phase=Phase.TRANSFERRING,
            rule="R-171",
            detail=f"{', '.join(missing)} of {item.offer_name} left the source and does not show at the target yet.",
            owner=Owner.MICROSOFT,
            next_action="Keep tenantfold run going, or run it again: it looks again.",
            due_at=look_again,
        )
    return Counterpart(
        source_id=item.subscription_id,
        target_id=None,
        order_id=OrderId(""),
        origin=Origin.MERGED,
        verified_at=observation.target_at or observation.at,
    )


def still_active(item: PlanItem, case: Case, observation: Observation) -> tuple[AzureItem, ...]:
    """What is active at the source of an item: under an Azure plan, or the reservation itself (R-167)."""
    held = [one for one in observation.beside.azure.get(item.tenant_id, ()) if one.is_active]
    if item.kind is ProductKind.AZURE_COMMITMENT:
        return tuple(one for one in held if one.id == item.subscription_id) or _committed(item, observation)
    own = {one.subscription_id for one in case.customer.items if one.kind is ProductKind.AZURE_COMMITMENT}
    plans = [
        one.subscription_id
        for one in case.customer.items
        if (one.route, one.tenant_id, one.kind) == (Route.AZURE_TRANSFER, item.tenant_id, ProductKind.AZURE_PLAN)
    ]
    carries_rest = not plans or item.subscription_id == min(plans)
    under = [one for one in held if one.kind is AzureKind.SUBSCRIPTION and one.plan_id == item.subscription_id]
    rest = [one for one in held if one.kind is not AzureKind.SUBSCRIPTION and one.id not in own]
    return tuple(sorted((*under, *(rest if carries_rest else ())), key=lambda one: (one.kind.value, one.id)))


def _committed(item: PlanItem, observation: Observation) -> tuple[AzureItem, ...]:
    """A savings plan or reservation that stands in the list of subscriptions itself (commerce reference 3.2)."""
    source = observation.source.get(item.subscription_id)
    if source is None or source.wire_status != WireStatus.ACTIVE:
        return ()
    is_plan = "saving" in source.product_type.lower()
    return (
        AzureItem(
            id=source.id,
            tenant_id=source.tenant_id,
            kind=AzureKind.SAVINGS_PLAN if is_plan else AzureKind.RESERVATION,
            name=source.offer_name,
            status=source.wire_status,
        ),
    )


def _given_for(item: PlanItem, case: Case) -> set[SubscriptionId]:
    """What was submitted for an item: its own things, and those of others that went along.

    Not what is shown for itself: items of the plan, and what an earlier plan moved that this one no longer lists.
    """
    others = {one.subscription_id for one in case.customer.items} | {one.source_id for one in case.counterparts}
    return {
        entry
        for intent, _ in case.settled
        if intent.kind is OpKind.SUBMIT_TRANSFER and item.subscription_id in intent.subjects
        for entry in intent.entries
        if entry not in others
    }


# --- the plan at the target ------------------------------------------------------------------------------------------


def _target_plan(observation: Observation) -> Subscription | None:
    """The customer's Azure plan at the target, an active one first; there is one per customer (27006)."""
    plans = [one for one in observation.target.values() if product_kind(one) is ProductKind.AZURE_PLAN]
    plans.sort(key=lambda one: (one.wire_status != WireStatus.ACTIVE, one.id))
    return next((one for one in plans if one.wire_status != WireStatus.DELETED), None)


def _plan_missing(case: Case, now: datetime, policy: Policy) -> Action | Refusal:
    """Buy the plan where the policy allows, wait for one that was bought, or ask a person."""
    if _purchase(case) is not None:
        return _plan_not_active("The Azure plan that was bought does not show at the target yet.", now, policy)
    subjects = tuple(sorted(one.subscription_id for one in case.customer.items if one.route is Route.AZURE_TRANSFER))
    if policy.buys_azure_plan:
        waiting = waiting_after_failure(case, OpKind.BUY_AZURE_PLAN, subjects, now, policy)
        return waiting or BuyAzurePlan(subjects)
    return Refusal(
        code=RefusalCode.TARGET_MISSING,
        phase=Phase.BY_HAND,
        rule="R-164",
        detail="The customer has no Azure plan at the target, which its Azure subscriptions need there.",
        owner=Owner.OPERATIONS,
        next_action="Buy it in the target's Partner Center, or set policy.buys_azure_plan; then run again.",
        due_at=now + timedelta(seconds=policy.hand_off_poll_seconds),
    )


def _plan_not_active(detail: str, now: datetime, policy: Policy) -> Refusal:
    return Refusal(
        code=RefusalCode.TARGET_NOT_ACTIVE,
        phase=Phase.TRANSFERRING,
        rule="R-164",
        detail=detail,
        owner=Owner.MICROSOFT,
        next_action="Keep tenantfold run going, or run it again: it looks again.",
        due_at=now + timedelta(seconds=policy.transfer_poll_seconds),
    )


def _purchase(case: Case) -> tuple[Intent, Outcome] | None:
    """Our own purchase of the plan, if there was one."""
    return next(
        (
            (intent, outcome)
            for intent, outcome in reversed(case.settled)
            if intent.kind is OpKind.BUY_AZURE_PLAN and outcome.kind is not OutcomeKind.FAILED
        ),
        None,
    )


def _default_to_cancel(plan: Subscription, case: Case, observation: Observation) -> SubscriptionId | None:
    """The empty Azure subscription that came with the plan we bought, before anything else is under it (R-174).

    One that cannot be told from others, or whose cancellation failed, is left to a person.
    """
    bought = _purchase(case)
    if bought is None or plan.id in bought[0].baseline:
        return None
    under = [one for one in observation.beside.azure.get(plan.tenant_id, ()) if one.plan_id == plan.id]
    if len(under) != 1 or not under[0].is_active or any(i.kind is OpKind.SUBMIT_TRANSFER for i, _ in case.settled):
        return None
    empty = under[0].id
    elsewhere = {
        one.id for tenant, held in observation.beside.azure.items() if tenant != plan.tenant_id for one in held
    }
    tried = any(intent.kind is OpKind.CANCEL_AZURE_DEFAULT for intent, _ in case.settled)
    return None if tried or empty in elsewhere else empty
