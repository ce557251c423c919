"""What only a person can do, item by item: the sentence, the rule, who, and when (domain room).

A task is open until somebody confirms it (``domain.evidence``). What can be read is read besides: the machines of the
routes (``by_hand``, ``azure_support``, ``azure_transfer``, ``rebuy``) never take a confirmation against what they see.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from tenantfold.domain import transfer_refusals
from tenantfold.domain.attempts import PATIENT, failures
from tenantfold.domain.evidence import Evidence, TaskKind
from tenantfold.domain.guards import Refusal, RefusalCode
from tenantfold.domain.journal import OpKind, OutcomeKind
from tenantfold.domain.model import KNOWN_STATUSES, CustomerId, ProductKind, Route, SubscriptionId, WireStatus
from tenantfold.domain.plan import Disposition, PlanItem
from tenantfold.domain.policy import Policy
from tenantfold.domain.records import Case
from tenantfold.domain.routes import EXTENDED_TERMS_FROM, rebuy_until
from tenantfold.domain.states import Owner, Phase

_TERM_DAYS = {"P1M": 31, "P1Y": 366, "P3Y": 1096}  # at most
_WITH_ACCESS = frozenset({ProductKind.AZURE_PLAN, ProductKind.LEGACY_AZURE})  # roles do not move with the bill
NAMED = 3  # items named in one sentence; the list has them all


class Stage(StrEnum):
    """When a task is to be done. Nothing waits for those after the move, but they stay on the list."""

    BEFORE = "before"
    MOVE = "move"
    AFTER = "after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """How a kind of task is explained: what to do, the rule it comes from, and who does it."""

    sentence: str
    rule: str
    owner: Owner = Owner.OPERATIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One open task for one source subscription; ``sentence`` says what to do before it is confirmed."""

    customer_id: CustomerId
    subscription_id: SubscriptionId
    offer_name: str
    kind: TaskKind
    stage: Stage
    sentence: str
    rule: str
    owner: Owner


GUIDES: Mapping[TaskKind, Guide] = {
    TaskKind.COST_HISTORY_EXPORTED: Guide(
        sentence="Export the cost and usage history of the Azure subscriptions: it stays behind and cannot be read "
        "after the transfer.",
        rule="R-173",
    ),
    TaskKind.ACCESS_LISTED: Guide(
        sentence="List who has a role in the Azure subscriptions: the transfer changes no access, so the list is what "
        "is cleaned up by afterwards.",
        rule="R-172",
    ),
    TaskKind.OLD_ACCESS_REMOVED: Guide(
        sentence="Remove the source partner's foreign principal from the role assignments of the Azure subscriptions.",
        rule="R-172, R-182",
        owner=Owner.CUSTOMER,
    ),
    TaskKind.NEW_ACCESS_ADDED: Guide(
        sentence="Give the target partner's foreign principal the role it needs in the Azure subscriptions.",
        rule="R-172",
        owner=Owner.CUSTOMER,
    ),
    TaskKind.TRANSFER_UNBLOCKED: Guide(
        sentence="Remove what Microsoft named when it refused to transfer it; then it is tried again.",
        rule="R-167, R-169",
    ),
    TaskKind.HANDED_OFF: Guide(
        sentence="Ask Microsoft's support, as the source partner, to move it, and note the number of the request "
        "(tenantfold handoff writes what to send).",
        rule="R-46, R-179",
    ),
    TaskKind.END_OF_TERM_CHOSEN: Guide(
        sentence="Choose in the source's Partner Center that it ends with its term: without that choice it goes on, "
        "paid, as an extended service term.",
        rule="commerce reference 3.7",
    ),
    TaskKind.DATA_SAFE: Guide(
        sentence="Make sure that nothing is lost if nobody can sign in between the end of the term and the purchase.",
        rule="R-132",
        owner=Owner.CUSTOMER,
    ),
    TaskKind.BOUGHT_AT_TARGET: Guide(
        sentence="Buy it in the target's Partner Center, and name the new subscription.",
        rule="R-142, R-32",
    ),
    TaskKind.ENDED_AT_SOURCE: Guide(
        sentence="End it in the source's Partner Center (cancel it inside its window, or with Microsoft's support).",
        rule="R-142, R-33",
    ),
    TaskKind.STATUS_SETTLED: Guide(
        sentence="Find out at Microsoft what its status means and bring it into one that is known, then take inventory "
        "and plan again.",
        rule="R-227",
    ),
}


_BY_ROUTE: Mapping[Route, tuple[tuple[TaskKind, Stage], ...]] = {
    Route.TRANSFER: ((TaskKind.TRANSFER_UNBLOCKED, Stage.MOVE),),
    Route.AZURE_SUPPORT: (
        (TaskKind.HANDED_OFF, Stage.MOVE),
        (TaskKind.OLD_ACCESS_REMOVED, Stage.AFTER),
        (TaskKind.NEW_ACCESS_ADDED, Stage.AFTER),
    ),
    Route.EXPIRE_AND_REBUY: ((TaskKind.END_OF_TERM_CHOSEN, Stage.BEFORE), (TaskKind.DATA_SAFE, Stage.BEFORE)),
}
"""The tasks of the routes that ask the same of everything that goes by them."""


def needs_status(item: PlanItem) -> bool:
    """Whether its status proves nothing: no way can be chosen before somebody has settled it (R-227)."""
    return item.wire_status not in KNOWN_STATUSES or item.wire_status == WireStatus.PENDING


def confirmed(case: Case, item: PlanItem, kind: TaskKind) -> Evidence | None:
    """The newest confirmation of a task for an item; of what runs out only one of the term that ends now counts."""
    since = _term_began(item) if item.route is Route.EXPIRE_AND_REBUY else date.min
    mine = (one for one in reversed(case.evidence) if one.subscription_id == item.subscription_id)
    return next((one for one in mine if one.task is kind and one.at.date() >= since), None)


def end_is_chosen(case: Case, item: PlanItem) -> bool:
    """Whether a term that does not renew ends at all: since May 2026 only an explicit choice ends it (commerce 3.7)."""
    ends_by_itself = item.ends_on is None or item.ends_on <= EXTENDED_TERMS_FROM
    return ends_by_itself or confirmed(case, item, TaskKind.END_OF_TERM_CHOSEN) is not None


def _term_began(item: PlanItem) -> date:
    days = _TERM_DAYS.get(item.term_duration)
    return date.min if item.ends_on is None or days is None else item.ends_on - timedelta(days=days)


def may_be_asked(item: PlanItem) -> tuple[tuple[TaskKind, Stage], ...]:
    """The tasks of an item by its route, in the order they are done, whether or not they are confirmed or due yet."""
    match item.route:
        case Route.MANUAL if needs_status(item):
            return ((TaskKind.STATUS_SETTLED, Stage.BEFORE),)
        case Route.MANUAL:
            return (TaskKind.BOUGHT_AT_TARGET, Stage.MOVE), (TaskKind.ENDED_AT_SOURCE, Stage.MOVE)
        case Route.AZURE_TRANSFER if item.kind is ProductKind.AZURE_COMMITMENT:
            return (
                (TaskKind.COST_HISTORY_EXPORTED, Stage.BEFORE),
                (TaskKind.ACCESS_LISTED, Stage.BEFORE),
                (TaskKind.TRANSFER_UNBLOCKED, Stage.MOVE),
            )
        case Route.AZURE_TRANSFER:
            return (
                (TaskKind.COST_HISTORY_EXPORTED, Stage.BEFORE),
                (TaskKind.ACCESS_LISTED, Stage.BEFORE),
                (TaskKind.TRANSFER_UNBLOCKED, Stage.MOVE),
                (TaskKind.OLD_ACCESS_REMOVED, Stage.AFTER),
                (TaskKind.NEW_ACCESS_ADDED, Stage.AFTER),
            )
        case Route.SKIP if item.kind in _WITH_ACCESS:  # planned again after it moved
            return (TaskKind.OLD_ACCESS_REMOVED, Stage.AFTER), (TaskKind.NEW_ACCESS_ADDED, Stage.AFTER)
        case _:
            return _BY_ROUTE.get(item.route, ())


def tasks_of(case: Case, item: PlanItem, policy: Policy, today: date) -> tuple[Task, ...]:
    """What is to be done for an item now, in order; what follows an unconfirmed task is not asked for yet."""
    found: list[Task] = []
    for kind, stage in may_be_asked(item):
        may_be_repeated = kind is TaskKind.TRANSFER_UNBLOCKED  # open again as soon as Microsoft refuses again
        if why_not_now(case, item, kind) or (confirmed(case, item, kind) is not None and not may_be_repeated):
            continue
        if kind is TaskKind.HANDED_OFF and not asks_person_to_hand_off(case, item, policy):
            continue
        if item.route is not Route.EXPIRE_AND_REBUY or _is_due(item, kind, today):
            found.append(_task(case, item, kind, stage))
    return tuple(found)


def open_tasks(case: Case, policy: Policy, today: date) -> tuple[Task, ...]:
    """What a person has to do for a customer now; of a blocked one what unblocks it and what is left of a move."""
    if case.plan.approved_at is None:
        return ()
    found = tuple(task for item in case.customer.items for task in tasks_of(case, item, policy, today))
    if case.customer.disposition is not Disposition.BLOCKED:
        return found
    return tuple(task for task in found if task.kind is TaskKind.STATUS_SETTLED or task.stage is Stage.AFTER)


def why_not_now(case: Case, item: PlanItem, kind: TaskKind) -> str:
    """Why a task of an item can neither be asked for nor confirmed now, as a sentence; empty when it can."""
    stage = dict(may_be_asked(item)).get(kind)
    name = f"{item.offer_name} ({item.subscription_id})"
    if stage is None:
        return f"{name} goes by the route {item.route.value}, which has no task {kind.value}."
    is_done = any(one.source_id == item.subscription_id and one.is_done for one in case.counterparts)
    if stage is Stage.AFTER and not is_done:
        return f"{name} has not moved yet; {kind.value} comes after that."
    if stage is not Stage.AFTER and is_done:
        return f"{name} has moved already."
    if stage is Stage.MOVE and case.progress.accepted_at is None:
        return "The customer has not accepted the relationship yet; nothing can move before that."
    if kind is TaskKind.TRANSFER_UNBLOCKED and not transfer_refusals.standing(case, item):
        return f"Microsoft refused nothing of {name} that still waits for a person."
    if kind is TaskKind.ENDED_AT_SOURCE and confirmed(case, item, TaskKind.BOUGHT_AT_TARGET) is None:
        return f"{name} is ended after its successor stands; confirm {TaskKind.BOUGHT_AT_TARGET.value} first."
    if kind is TaskKind.HANDED_OFF and handed_off_by_call(case, item):
        return f"Microsoft was asked to move {name} through the API already."
    return ""


def _is_due(item: PlanItem, kind: TaskKind, today: date) -> bool:
    """Of what runs out: the end is chosen before it comes, the data are looked at when the days of grace are over."""
    if item.ends_on is None:
        return False
    if kind is TaskKind.END_OF_TERM_CHOSEN:
        return item.ends_on > EXTENDED_TERMS_FROM and today <= item.ends_on
    until = rebuy_until(item.ends_on)
    return until is not None and today > until


def asks_person_to_hand_off(case: Case, item: PlanItem, policy: Policy) -> bool:
    """Whether a person writes to Microsoft's support: the API may not be used for it, or refused again and again."""
    if handed_off_by_call(case, item):
        return False
    return not policy.opens_service_requests or _api_refused(case, item)


def handed_off_by_call(case: Case, item: PlanItem) -> bool:
    """Whether a service request of ours about this item came true, or may have."""
    asked = [intent for intent in case.open_intents if intent.kind is OpKind.OPEN_SERVICE_REQUEST]
    asked += [
        intent
        for intent, outcome in case.settled
        if intent.kind is OpKind.OPEN_SERVICE_REQUEST and outcome.kind is not OutcomeKind.FAILED
    ]
    return any(item.subscription_id in intent.subjects for intent in asked)


def _api_refused(case: Case, item: PlanItem) -> bool:
    tried = {
        intent.subjects
        for intent, _ in case.settled
        if intent.kind is OpKind.OPEN_SERVICE_REQUEST and item.subscription_id in intent.subjects
    }
    return any(len(failures(case, OpKind.OPEN_SERVICE_REQUEST, subjects)) > PATIENT for subjects in tried)


def _task(case: Case, item: PlanItem, kind: TaskKind, stage: Stage) -> Task:
    guide = GUIDES[kind]
    kept = transfer_refusals.standing(case, item) if kind is TaskKind.TRANSFER_UNBLOCKED else ()
    return Task(
        customer_id=case.customer.customer_id,
        subscription_id=item.subscription_id,
        offer_name=item.offer_name,
        kind=kind,
        stage=stage,
        sentence=transfer_refusals.sentence(kept) or guide.sentence,
        rule=transfer_refusals.rule(kept) or guide.rule,
        owner=guide.owner,
    )


def to_be_done(open_now: Sequence[Task], due_at: datetime | None = None) -> Refusal:
    """Why a customer waits for a person; raises ValueError without any task."""
    if not open_now:
        raise ValueError("Nobody has to do anything.")
    first = open_now[0]
    named = "; ".join(f"{one.offer_name} ({one.subscription_id}): {one.sentence}" for one in open_now[:NAMED])
    more = f" And {len(open_now) - NAMED} more." if len(open_now) > NAMED else ""
    return Refusal(
        code=RefusalCode.NEEDS_PERSON,
        phase=Phase.BY_HAND,
        rule=first.rule,
        detail=f"{named}{more}",
        owner=first.owner,
        next_action=f"See the list: tenantfold tasks --customer {first.customer_id}; confirm with: "
        f"tenantfold tasks done {first.customer_id} {first.kind.value}",
        due_at=due_at,
    )
