"""What became of a call of a transfer whose answer was lost: looked up by reading, never sent twice (invariant 6).

A second request is refused while one is open (900101), a second submission once the first took effect (900102): what
surely had no effect is closed, and the machine decides anew on what it reads.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from tenantfold.domain import guards
from tenantfold.domain.actions import Action, AdoptOutcome, Observe, Pause, Resend
from tenantfold.domain.guards import Refusal, RefusalCode
from tenantfold.domain.journal import Intent, OpKind, Outcome, OutcomeKind
from tenantfold.domain.machine import is_old
from tenantfold.domain.model import PlacedLine, ProductKind, TenantId
from tenantfold.domain.observation import Observation
from tenantfold.domain.policy import Policy
from tenantfold.domain.products import product_kind
from tenantfold.domain.records import Case
from tenantfold.domain.requests import TransferId, TransferState
from tenantfold.domain.states import Owner, Phase
from tenantfold.domain.stranded import settles_at
from tenantfold.domain.transfer_view import transfers_between

KINDS = frozenset(
    {
        OpKind.REQUEST_TRANSFER,
        OpKind.SUBMIT_TRANSFER,
        OpKind.CANCEL_TRANSFER,
        OpKind.BUY_AZURE_PLAN,
        OpKind.CANCEL_AZURE_DEFAULT,
    }
)
_SKEW = timedelta(minutes=1)  # between our clock and the time Microsoft writes on a request
_UNDONE = frozenset({TransferState.REJECTED, TransferState.CANCELED, TransferState.EXPIRED})


def settle(case: Case, intent: Intent, observation: Observation | None, now: datetime, policy: Policy) -> Action:
    """Say what became of one call without outcome; the plan may be another one by now."""
    if observation is None or is_old(observation, now, policy):
        return Observe()
    found = _found(case, intent, observation)
    if found is not None:
        return AdoptOutcome(intent, found)
    settled_at = settles_at(intent, policy)
    if observation.at < settled_at:
        return Pause(_settling(intent, settled_at, policy, now))
    if intent.kind.creates and guards.may_drive(case.plan, case.customer.disposition, "") is None:
        return Resend(intent)
    detail = "Its answer was lost, and nothing of it showed after the settling time."
    return AdoptOutcome(intent, _outcome(intent, observation, OutcomeKind.FAILED, "not_applied", detail))


def source_of(intent: Intent, case: Case) -> TenantId | None:
    """The source tenant that a transfer's call is about."""
    if intent.transfer is not None:
        return intent.transfer.source_id
    if intent.kind is OpKind.SUBMIT_TRANSFER:
        return intent.tenant_id
    asked = (one for one, outcome in case.settled if outcome.reference == intent.reference and one.transfer is not None)
    return next((one.transfer.source_id for one in asked if one.transfer is not None), None)


def _found(case: Case, intent: Intent, observation: Observation) -> Outcome | None:
    match intent.kind:
        case OpKind.REQUEST_TRANSFER:
            return _request_found(case, intent, observation)
        case OpKind.BUY_AZURE_PLAN:
            return _plan_found(intent, observation)
        case OpKind.CANCEL_AZURE_DEFAULT:
            return _default_gone(intent, observation)
        case _:
            return _answer_found(case, intent, observation)


def _request_found(case: Case, intent: Intent, observation: Observation) -> Outcome | None:
    """The request of ours that shows: made since, and not the effect of another call."""
    if intent.transfer is None:
        return None
    known = {outcome.reference for _, outcome in case.settled if outcome.reference}
    transfers = transfers_between(observation, intent.transfer.source_id, case.plan.header.target_id)
    for one in transfers.values():
        since = one.created_at is not None and one.created_at >= intent.at - _SKEW
        if one.id not in known and since:
            return _outcome(intent, observation, OutcomeKind.ADOPTED, "", "", one.id)
    return None


def _answer_found(case: Case, intent: Intent, observation: Observation) -> Outcome | None:
    """What became of the request that was submitted or canceled; a pending one shows no effect."""
    seen = (
        one
        for source_id in case.customer.source_tenant_ids
        for one in transfers_between(observation, source_id, case.plan.header.target_id).values()
    )
    transfer = next((one for one in seen if one.id == TransferId(intent.reference)), None)
    if transfer is None or transfer.state is TransferState.PENDING:
        return None
    if intent.kind is OpKind.SUBMIT_TRANSFER and transfer.state in _UNDONE:
        detail = f"The request ended as '{transfer.status}'."
        return _outcome(intent, observation, OutcomeKind.FAILED, "not_applied", detail)
    return _outcome(intent, observation, OutcomeKind.ADOPTED, "", "", transfer.id)


def _plan_found(intent: Intent, observation: Observation) -> Outcome | None:
    for one in observation.target.values():
        if one.id not in intent.baseline and product_kind(one) is ProductKind.AZURE_PLAN:
            line = PlacedLine(offer_id=one.offer_id, license_count=one.license_count, subscription_id=one.id)
            return Outcome(
                intent_key=intent.key,
                kind=OutcomeKind.ADOPTED,
                at=observation.at,
                order_id=one.order_id,
                lines=(line,),
                detail="found at the target after the answer was lost",
            )
    return None


def _default_gone(intent: Intent, observation: Observation) -> Outcome | None:
    held = observation.beside.azure.get(intent.tenant_id)
    if held is None or any(one.id == intent.subjects[0] and one.is_active for one in held):
        return None
    return _outcome(intent, observation, OutcomeKind.ADOPTED)


def _outcome(
    intent: Intent, observation: Observation, kind: OutcomeKind, code: str = "", detail: str = "", reference: str = ""
) -> Outcome:
    return Outcome(intent_key=intent.key, kind=kind, at=observation.at, code=code, detail=detail, reference=reference)


def _settling(intent: Intent, settled_at: datetime, policy: Policy, now: datetime) -> Refusal:
    what = intent.kind.value.replace("_", " ")
    return Refusal(
        code=RefusalCode.SETTLING,
        phase=Phase.STRANDED,
        rule="invariant 6",
        detail=f"The answer to '{what}' sent at {intent.at:%Y-%m-%d %H:%M:%S} UTC was lost; nothing of it shows yet.",
        owner=Owner.TENANTFOLD,
        next_action="Keep tenantfold run going, or run it again: it looks again.",
        due_at=min(settled_at, now + timedelta(seconds=policy.transfer_poll_seconds)),
    )
