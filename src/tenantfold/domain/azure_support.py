"""What happens next to usage-based Azure, which Microsoft's support moves: the route ``azure_support`` (domain room).

The source asks, through the API where that is allowed, else a person does (R-179); Microsoft moves it; both sides are
read until the source's is off and the target's stands under the same Azure subscription id (R-51, R-52). Nothing is
ever suspended by us: that would stop what runs in it (R-36).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tenantfold.domain import guards, tasks
from tenantfold.domain.actions import Action, AdoptOutcome, MarkArrived, Observe, OpenServiceRequest, Pause
from tenantfold.domain.attempts import waiting_after_failure
from tenantfold.domain.azure import AzureKind
from tenantfold.domain.by_hand import is_over
from tenantfold.domain.evidence import TaskKind
from tenantfold.domain.guards import Refusal, RefusalCode
from tenantfold.domain.journal import Intent, OpKind, Outcome, OutcomeKind
from tenantfold.domain.machine import Machine, is_old, together, unfinished
from tenantfold.domain.model import OrderId, ProductKind, Route, Subscription, SubscriptionId, TenantId, WireStatus
from tenantfold.domain.observation import Observation, Part
from tenantfold.domain.plan import PlanItem
from tenantfold.domain.policy import Policy
from tenantfold.domain.products import product_kind
from tenantfold.domain.records import Case
from tenantfold.domain.requests import ServiceRequest, ServiceRequestState, ServiceRequestWish
from tenantfold.domain.states import Counterpart, Origin, Owner, Phase
from tenantfold.domain.stranded import settles_at

ROUTES = frozenset({Route.AZURE_SUPPORT})
PATIENCE = timedelta(days=14)  # support answers within eight business hours: after two weeks somebody asks
_SKEW = timedelta(minutes=1)  # between our clock and the time Microsoft writes on a request


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """One question to this machine: the customer, what was read of it, and when."""

    case: Case
    observation: Observation
    now: datetime
    policy: Policy


def forward(case: Case, observation: Observation, now: datetime, policy: Policy) -> Action | None:
    """Note what Microsoft has moved; hand off what nobody has asked for yet; else say who is waited for."""
    if observation.target_is_old or observation.source_is_old:
        return Observe()
    view = _View(case=case, observation=observation, now=now, policy=policy)
    items = unfinished(case, ROUTES)
    arrived = tuple(found for found in (_arrived(view, item) for item in items) if found is not None)
    if arrived:
        return MarkArrived(arrived, Phase.HANDED_OFF)
    waiting: list[Refusal] = []
    for tenant_id in sorted({item.tenant_id for item in items}):
        answer = _hand_off(view, tenant_id, tuple(item for item in items if item.tenant_id == tenant_id))
        if isinstance(answer, OpenServiceRequest):
            return answer
        waiting += answer
    return Pause(together(waiting)) if waiting else None


# --- what has arrived ------------------------------------------------------------------------------------------------


def _arrived(view: _View, item: PlanItem) -> Counterpart | None:
    """The counterpart of what is off at the source and stands at the target; None while one of the two does not."""
    if not _is_off(view, item):
        return None
    home = _home_at_target(view, item)
    if home is None:
        return None
    is_merged = product_kind(home) is ProductKind.AZURE_PLAN or home.id in _taken(view.case)
    return Counterpart(
        source_id=item.subscription_id,
        target_id=None if is_merged else home.id,
        order_id=OrderId("") if is_merged else home.order_id,
        origin=Origin.MERGED if is_merged else Origin.BY_HAND,
        verified_at=view.observation.target_at or view.observation.at,
    )


def _is_off(view: _View, item: PlanItem) -> bool:
    """Whether the source's subscription is suspended, disabled, deleted or gone, and nothing below it active (R-51)."""
    source = view.observation.source.get(item.subscription_id)
    held = view.observation.beside.azure.get(item.tenant_id)
    below = held is None or any(one.plan_id == item.subscription_id and one.is_active for one in held)
    return (source is None or is_over(item, source.wire_status)) and not below


def _home_at_target(view: _View, item: PlanItem) -> Subscription | None:
    """The active target subscription that holds the same Azure subscription (R-52, commerce reference 5)."""
    ids = entitlements_of(view.observation, item)
    target_id = view.case.plan.header.target_id
    under = {
        one.plan_id
        for one in view.observation.beside.azure.get(target_id, ())
        if one.kind is AzureKind.SUBSCRIPTION and one.id in ids and one.is_active
    }
    held = (one for one in view.observation.target.values() if one.wire_status == WireStatus.ACTIVE)
    return next(
        (one for one in held if one.id in under or (one.modern is not None and one.modern.entitlement_id in ids)), None
    )


def entitlements_of(observation: Observation, item: PlanItem) -> frozenset[str]:
    """The Azure subscription ids of an item: as planned, as read, or its own id, which was the same at first."""
    found = {item.terms.entitlement_id} if item.terms is not None else set()
    source = observation.source.get(item.subscription_id)
    if source is not None and source.modern is not None:
        found.add(source.modern.entitlement_id)
    found |= {one.id for one in observation.beside.azure.get(item.tenant_id, ()) if one.plan_id == item.subscription_id}
    found.discard("")
    return frozenset(found or {item.subscription_id})


def _taken(case: Case) -> set[SubscriptionId]:
    return {one.target_id for one in case.counterparts if one.target_id is not None}


# --- the hand-off ----------------------------------------------------------------------------------------------------


def _hand_off(view: _View, tenant_id: TenantId, items: tuple[PlanItem, ...]) -> OpenServiceRequest | list[Refusal]:
    """Ask Microsoft for what nobody asked for yet at one source; what was asked for waits for it."""
    waiting: list[Refusal] = []
    asked: list[tasks.Task] = []
    not_asked: list[PlanItem] = []
    for item in items:
        if asked_since(view.case, item) is not None or _late(view, item) is not None:
            waiting.append(_waiting(view, item))
            continue
        stale = guards.plan_is_fresh(item, view.observation.source.get(item.subscription_id))
        if stale is not None:
            waiting.append(stale)
        elif tasks.asks_person_to_hand_off(view.case, item, view.policy):
            asked += tasks.tasks_of(view.case, item, view.policy, view.now.date())
        else:
            not_asked.append(item)
    if asked:
        waiting.append(tasks.to_be_done(asked))
    if not not_asked:
        return waiting
    subjects = tuple(sorted(item.subscription_id for item in not_asked))
    patient = waiting_after_failure(view.case, OpKind.OPEN_SERVICE_REQUEST, subjects, view.now, view.policy)
    if patient is not None:
        return [*waiting, patient]
    return OpenServiceRequest(tenant_id, subjects, wish_for(view.case, tenant_id, subjects))


def title_of(case: Case) -> str:
    """The title of a service request about a customer: what it is found by when its answer was lost."""
    return f"Change of Cloud Solution Provider, customer {case.customer.customer_id}"


def wish_for(case: Case, tenant_id: TenantId, subjects: Iterable[SubscriptionId]) -> ServiceRequestWish:
    """What Microsoft is asked (R-180). It names ids only: a company name may be part of another company's name."""
    wanted = "\n".join(f"Subscription ID: {one}" for one in subjects)
    return ServiceRequestWish(
        title=title_of(case),
        description="Please move these usage-based Azure subscriptions and everything deployed in them from our "
        "partner account to another one of the same company. The customer has accepted both.\n"
        f"Customer Microsoft ID: {case.customer.customer_id}\n"
        f"Current partner Microsoft ID: {tenant_id}\n"
        f"New partner Microsoft ID: {case.plan.header.target_id}\n"
        f"{wanted}\n"
        "Support plan: Cloud Solution Provider. Problem type: Other general questions. Severity: C (minimal impact).",
    )


# --- waiting for Microsoft -------------------------------------------------------------------------------------------


def asked_since(case: Case, item: PlanItem) -> datetime | None:
    """Since when Microsoft has known that it is to move this item; None while nobody asked."""
    evidence = tasks.confirmed(case, item, TaskKind.HANDED_OFF)
    asked = [outcome.at for intent, outcome in _opened(case) if item.subscription_id in intent.subjects]
    return min([*asked, *([evidence.at] if evidence is not None else [])], default=None)


def _opened(case: Case) -> list[tuple[Intent, Outcome]]:
    return [
        (intent, outcome)
        for intent, outcome in case.settled
        if intent.kind is OpKind.OPEN_SERVICE_REQUEST and outcome.kind is not OutcomeKind.FAILED
    ]


def _waiting(view: _View, item: PlanItem) -> Refusal:
    """Why an item that was handed off has not arrived: what is read of it, and what the service request says."""
    request = _request_of(view, item)
    state = request.state if request is not None else ServiceRequestState.UNKNOWN
    still = _what_is_read(view, item)
    said = f" Microsoft says: {request.notes[-1]}" if request is not None and request.notes else ""
    name = f"The service request {request.id}" if request is not None else "The hand-off"
    if state is ServiceRequestState.ATTENTION_NEEDED:
        return _asks_person(view, f"{name} needs an answer. {still}{said}", "Answer it in the source's Partner Center.")
    if state is ServiceRequestState.CLOSED:
        next_action = "Open it again in the source's Partner Center and name the subscription."
        return _asks_person(view, f"{name} is closed, but {still}{said}", next_action)
    since = asked_since(view.case, item) or view.now
    if view.now - since > PATIENCE:
        next_action = "Ask Microsoft's support how far the request is."
        return _asks_person(view, f"{name} has been open since {since:%Y-%m-%d}: {still}{said}", next_action)
    return Refusal(
        code=RefusalCode.SETTLING,
        phase=Phase.HANDED_OFF,
        rule="R-50",
        detail=f"{name} waits for Microsoft since {since:%Y-%m-%d %H:%M} UTC: {still}{said}",
        owner=Owner.MICROSOFT,
        next_action="Keep tenantfold run going, or run it again: it looks again.",
        due_at=view.now + timedelta(seconds=view.policy.hand_off_poll_seconds),
    )


def _what_is_read(view: _View, item: PlanItem) -> str:
    """What keeps an item from having arrived, in words."""
    name = f"{item.offer_name} ({item.subscription_id})"
    home = _home_at_target(view, item)
    source = view.observation.source.get(item.subscription_id)
    status = f"'{source.wire_status}'" if source is not None else "no longer listed"
    if not _is_off(view, item):
        also = " although it stands at the target" if home is not None else ""
        return f"{name} is {status} at the source{also}."
    return f"{name} is {status} at the source and not active at the target."


def _asks_person(view: _View, detail: str, next_action: str) -> Refusal:
    return Refusal(
        code=RefusalCode.NEEDS_PERSON,
        phase=Phase.HANDED_OFF,
        rule="R-181",
        detail=detail,
        owner=Owner.OPERATIONS,
        next_action=f"{next_action} It is looked at again by itself.",
        due_at=view.now + timedelta(seconds=view.policy.hand_off_poll_seconds),
    )


def _request_of(view: _View, item: PlanItem) -> ServiceRequest | None:
    """The service request about an item, as far as the source's list shows it: ours, or one whose number was noted."""
    listed = view.observation.beside.service_requests.get(item.tenant_id, ())
    ours = {outcome.reference for intent, outcome in _opened(view.case) if item.subscription_id in intent.subjects}
    evidence = tasks.confirmed(view.case, item, TaskKind.HANDED_OFF)
    note = evidence.note if evidence is not None else ""
    found = [one for one in listed if one.id in ours or (one.id and one.id in note)]
    return found[-1] if found else _late(view, item)


def _late(view: _View, item: PlanItem) -> ServiceRequest | None:
    """A request of ours that was given up and shows after all: asking anew would make a second one."""
    tried = [
        intent
        for intent, outcome in view.case.settled
        if intent.kind is OpKind.OPEN_SERVICE_REQUEST
        and outcome.kind is OutcomeKind.FAILED
        and item.subscription_id in intent.subjects
    ]
    shown = (_request_made_by(view.case, intent, view.observation) for intent in tried)
    return next((one for one in shown if one is not None), None)


# --- a call whose answer was lost ------------------------------------------------------------------------------------


def settle(case: Case, intent: Intent, observation: Observation | None, now: datetime, policy: Policy) -> Action:
    """Look the request up by its title among those created since; what surely had no effect is closed (invariant 6).

    It is then asked for anew after a pause that grows with every failure: asking at once, again and again, could leave
    as many requests at Microsoft as answers were lost.
    """
    if observation is None or is_old(observation, now, policy):
        return Observe()
    found = _request_made_by(case, intent, observation)
    if found is not None:
        outcome = Outcome(intent_key=intent.key, kind=OutcomeKind.ADOPTED, at=observation.at, reference=found.id)
        return AdoptOutcome(intent, outcome)
    settled_at = settles_at(intent, policy)
    if observation.at < settled_at:
        return Pause(_settling(intent, settled_at))
    detail = "Its answer was lost, and no such request shows at the source after the settling time."
    failed = Outcome(
        intent_key=intent.key, kind=OutcomeKind.FAILED, at=observation.at, code="not_applied", detail=detail
    )
    return AdoptOutcome(intent, failed)


def _request_made_by(case: Case, intent: Intent, observation: Observation) -> ServiceRequest | None:
    """The request that an intent made, told by its title and time; none that another call is known to have made."""
    if intent.service_request is None:
        return None
    known = {outcome.reference for _, outcome in case.settled if outcome.reference}
    for one in observation.beside.service_requests.get(intent.tenant_id, ()):
        is_since = one.created_at is not None and one.created_at >= intent.at - _SKEW
        if one.title == intent.service_request.title and is_since and one.id not in known:
            return one
    return None


def _settling(intent: Intent, settled_at: datetime) -> Refusal:
    return Refusal(
        code=RefusalCode.SETTLING,
        phase=Phase.STRANDED,
        rule="invariant 6",
        detail=f"The answer to the service request sent at {intent.at:%Y-%m-%d %H:%M:%S} UTC was lost; it does not "
        "show yet.",
        owner=Owner.TENANTFOLD,
        next_action="Keep tenantfold run going, or run it again: it looks again.",
        due_at=settled_at,
    )


MACHINE = Machine(
    routes=ROUTES,
    kinds=frozenset({OpKind.OPEN_SERVICE_REQUEST}),
    forward=forward,
    settle=settle,
    parts=frozenset({Part.AZURE, Part.SERVICE_REQUESTS}),
)
