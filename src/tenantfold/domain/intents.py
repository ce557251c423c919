"""Turns an action that writes at Microsoft into the intent that is committed before its call."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from tenantfold.domain.actions import (
    Attest,
    BuyAddOns,
    BuyAgain,
    BuyAzurePlan,
    CancelAzureDefault,
    CancelTransfer,
    OpenServiceRequest,
    PlaceOrder,
    Reactivate,
    RequestTransfer,
    RouteWrite,
    StopRenewal,
    SubmitTransfer,
    Suspend,
    Withdraw,
    Write,
)
from tenantfold.domain.journal import Intent, OpKind, OutcomeKind, intent_key
from tenantfold.domain.model import OrderLine, SubscriptionId, TenantId
from tenantfold.domain.observation import Observation
from tenantfold.domain.records import Case


def intent_for(
    action: Write, case: Case, observation: Observation | None, consolidation: str, target_id: TenantId, now: datetime
) -> Intent:
    """The intent of an action. Its key depends only on what is wanted and how often it failed before."""
    baseline = _baseline(case, observation)
    match action:
        case Attest(contact=contact):
            return replace(_intent(OpKind.ATTEST_AGREEMENT, target_id, (), case, consolidation, now), contact=contact)
        case PlaceOrder(billing_cycle=cycle, lines=lines):
            intent = _intent(OpKind.PLACE_ORDER, target_id, _subjects(lines), case, consolidation, now)
            return replace(intent, billing_cycle=cycle, lines=lines, baseline=baseline)
        case BuyAddOns(order_id=order_id, billing_cycle=cycle, lines=lines):
            intent = _intent(OpKind.BUY_ADD_ONS, target_id, _subjects(lines), case, consolidation, now)
            return replace(intent, order_id=order_id, billing_cycle=cycle, lines=lines, baseline=baseline)
        case Suspend(item=item):
            return _intent(OpKind.SUSPEND, item.tenant_id, (item.subscription_id,), case, consolidation, now)
        case Withdraw(counterpart=one):
            intent = _intent(OpKind.WITHDRAW, target_id, (one.source_id,), case, consolidation, now)
            return replace(intent, target_id=one.target_id)
        case Reactivate(counterpart=one):
            intent = _intent(OpKind.REACTIVATE, target_id, (one.source_id,), case, consolidation, now)
            return replace(intent, target_id=one.target_id)
        case _:
            return _other_intent(action, case, baseline, consolidation, target_id, now)


def _other_intent(
    action: RouteWrite,
    case: Case,
    baseline: tuple[SubscriptionId, ...],
    consolidation: str,
    target_id: TenantId,
    now: datetime,
) -> Intent:
    """The intent of a write of the other routes."""

    def intent(kind: OpKind, tenant_id: TenantId, subjects: tuple[SubscriptionId, ...]) -> Intent:
        return _intent(kind, tenant_id, subjects, case, consolidation, now)

    match action:
        case RequestTransfer(subjects=subjects, wish=wish):
            return replace(intent(OpKind.REQUEST_TRANSFER, target_id, subjects), transfer=wish)
        case SubmitTransfer(transfer=one, subjects=subjects, entries=entries):
            submitted = intent(OpKind.SUBMIT_TRANSFER, one.source_id, subjects)
            return replace(submitted, reference=one.id, entries=entries)
        case CancelTransfer(transfer=one, subjects=subjects):
            return replace(intent(OpKind.CANCEL_TRANSFER, target_id, subjects), reference=one.id)
        case BuyAzurePlan(subjects=subjects):
            return replace(intent(OpKind.BUY_AZURE_PLAN, target_id, subjects), baseline=baseline)
        case CancelAzureDefault(plan_id=plan_id, item_id=item_id):
            return replace(intent(OpKind.CANCEL_AZURE_DEFAULT, target_id, (item_id,)), reference=plan_id)
        case OpenServiceRequest(tenant_id=tenant_id, subjects=subjects, wish=asked):
            return replace(intent(OpKind.OPEN_SERVICE_REQUEST, tenant_id, subjects), service_request=asked)
        case StopRenewal(item=item):
            return intent(OpKind.STOP_RENEWAL, item.tenant_id, (item.subscription_id,))
        case BuyAgain(billing_cycle=cycle, lines=lines):
            bought = intent(OpKind.BUY_AGAIN, target_id, _subjects(lines))
            return replace(bought, billing_cycle=cycle, lines=lines, baseline=baseline)


def sent_again(intent: Intent, consolidation: str, now: datetime) -> Intent:
    """The intent of sending an order again that had no effect: same request id, same baseline, and a time of its own.

    Its own time matters: the settling time of what was sent last must be over before anything is concluded again. The
    baseline stays that of the first time: whatever came since may be the effect of either.
    """
    generation = intent.generation + 1
    key = intent_key(consolidation, intent.customer_id, intent.kind, intent.subjects, generation)
    return replace(intent, key=key, at=now, generation=generation, sent_as=intent.sent_as or intent.key)


def _intent(
    kind: OpKind,
    tenant_id: TenantId,
    subjects: tuple[SubscriptionId, ...],
    case: Case,
    consolidation: str,
    now: datetime,
) -> Intent:
    generation = sum(
        1
        for intent, outcome in case.settled
        if (intent.kind, intent.subjects) == (kind, subjects)
        and (kind.may_repeat or outcome.kind is OutcomeKind.FAILED)
    )
    customer_id = case.customer.customer_id
    return Intent(
        key=intent_key(consolidation, customer_id, kind, subjects, generation),
        plan_id=case.plan.id,
        customer_id=customer_id,
        tenant_id=tenant_id,
        kind=kind,
        at=now,
        subjects=subjects,
        generation=generation,
    )


def _baseline(case: Case, observation: Observation | None) -> tuple[SubscriptionId, ...]:
    """What is known to stand at the target: what was read, and what we ordered since."""
    ours = {one.target_id for one in case.counterparts if one.target_id is not None}
    return tuple(sorted(ours | set(observation.target if observation else ())))


def _subjects(lines: tuple[OrderLine, ...]) -> tuple[SubscriptionId, ...]:
    return tuple(line.source_subscription_id for line in lines)
