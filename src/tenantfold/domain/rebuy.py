"""What happens next to what runs out and is bought again: new commerce that cannot be transferred (domain room).

The source stops renewing at once; on the last day of its term the target buys the same (R-131, R-132): not earlier,
which would be billed twice, and not later than the days of grace, which would lose data. Past them a person looks
first. Nothing is ever suspended. What is bought is done when it reads equal and active, and the source reads over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby

from tenantfold.domain import cutover, guards, pairing, stranded
from tenantfold.domain import rebuy_refusals as said
from tenantfold.domain.actions import Action, AdoptOutcome, BuyAgain, MarkArrived, Observe, Pause, Resend, StopRenewal
from tenantfold.domain.attempts import failures, waiting_after_failure
from tenantfold.domain.evidence import TaskKind
from tenantfold.domain.guards import Refusal, RefusalCode
from tenantfold.domain.journal import Intent, OpKind, Outcome, OutcomeKind
from tenantfold.domain.machine import Machine, is_old, together, unfinished
from tenantfold.domain.model import CommerceKind, Route, Subscription, SubscriptionId, WireStatus
from tenantfold.domain.observation import Observation
from tenantfold.domain.order_lines import line_of, wanted_offer, wanted_terms
from tenantfold.domain.parity import compare
from tenantfold.domain.plan import PlanItem
from tenantfold.domain.policy import Policy
from tenantfold.domain.products import commerce_kind
from tenantfold.domain.records import Case
from tenantfold.domain.routes import rebuy_until
from tenantfold.domain.states import Counterpart, Origin, Phase
from tenantfold.domain.tasks import confirmed, end_is_chosen

ROUTES = frozenset({Route.EXPIRE_AND_REBUY})
_OVER = frozenset({WireStatus.EXPIRED, WireStatus.DISABLED, WireStatus.DELETED})
_LAG = timedelta(days=1)  # how long a list may show a term as running that is over


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """What one question is about: the case, a fresh read of it, and the time."""

    case: Case
    observation: Observation
    now: datetime
    policy: Policy

    @property
    def today(self) -> date:
        return self.now.date()

    def soon(self) -> datetime:
        """When to look again at what Microsoft is about to do."""
        return said.after(self.now, self.policy.retry_seconds)

    def later(self) -> datetime:
        """When to look again at what a person is to do."""
        return said.after(self.now, self.policy.hand_off_poll_seconds)

    def is_confirmed(self, item: PlanItem, task: TaskKind) -> bool:
        """Whether a person confirmed a task for the term that ends now; what was said of an earlier term is old."""
        return confirmed(self.case, item, task) is not None


def forward(case: Case, observation: Observation, now: datetime, policy: Policy) -> Action | None:
    """The next step of what runs out; one item never waits for another."""
    if observation.target_is_old or observation.source_is_old:
        return Observe()
    view = _View(case=case, observation=observation, now=now, policy=policy)
    items = unfinished(case, ROUTES)
    arrived = [*_late_ids(view, items)]
    ripe: list[PlanItem] = []
    waiting: list[Refusal] = []
    for item in items if not arrived else ():
        match _step(view, item):
            case StopRenewal() as stop:
                return stop
            case Counterpart() as counterpart:
                arrived.append(counterpart)
            case PlanItem() as wanted:
                ripe.append(wanted)
            case Refusal() as refusal:
                waiting.append(refusal)
    arrived = arrived or _standing(view, ripe)
    if arrived:
        return MarkArrived(tuple(arrived), Phase.RUNNING_OUT)
    for answer in _bought(view, ripe):
        if not isinstance(answer, Refusal):
            return answer
        waiting.append(answer)
    return Pause(together(waiting)) if waiting else None


def _step(view: _View, item: PlanItem) -> StopRenewal | Counterpart | PlanItem | Refusal:
    """What one item wants: its renewal stopped, to be noted, to be bought (itself), or to wait."""
    counterpart = next((one for one in view.case.counterparts if one.source_id == item.subscription_id), None)
    source = view.observation.source.get(item.subscription_id)
    if source is None:
        what = "is no longer in the source tenant's list"
        return said.unusable(item, what, RefusalCode.SOURCE_MISSING)
    if counterpart is not None:
        return _arriving(view, item, counterpart, source)
    refusal = _unfit(view, item, source)
    if refusal is not None:
        return refusal
    if _renews(source):
        return _stopping(view, item)
    return item if view.today >= _last_day(item) else _running(view, item)


def _last_day(item: PlanItem) -> date:
    return item.ends_on or date.max


def _renews(source: Subscription) -> bool:
    return source.auto_renew and source.wire_status == WireStatus.ACTIVE


# --- before the end --------------------------------------------------------------------------------------------------


def _unfit(view: _View, item: PlanItem, source: Subscription) -> Refusal | None:
    """Why the source is not what the approver saw; None when it is, or when it has only run out as planned."""
    if item.ends_on is None:
        return said.unusable(item, "shows no end of its term")
    if commerce_kind(source) is not CommerceKind.NEW_COMMERCE:
        return said.unusable(item, "is not new commerce: this route is not for it")
    is_over = view.today >= item.ends_on and source.wire_status in _OVER
    if source.wire_status == WireStatus.ACTIVE and item.wire_status == WireStatus.ACTIVE:
        if view.today > item.ends_on and (source.auto_renew or _is_later(source, item)):
            if not source.auto_renew and view.is_confirmed(item, TaskKind.DATA_SAFE):
                return None  # its term and billing are no longer what they were
            return said.goes_on(item, source, view.later(), is_bought=False)
        if source.commitment_end_on not in {None, item.ends_on}:
            return said.unusable(item, f"ends with {source.commitment_end_on}, not with {item.ends_on} as planned")
    return guards.plan_is_fresh(item, replace(source, wire_status=item.wire_status) if is_over else source)


def _is_later(source: Subscription, item: PlanItem) -> bool:
    return source.commitment_end_on is not None and source.commitment_end_on > _last_day(item)


def _stopping(view: _View, item: PlanItem) -> StopRenewal | Refusal:
    """Turn the renewal off, again if somebody turned it on meanwhile; not while the list may only lag."""
    subjects = (item.subscription_id,)
    stopped = [
        outcome.at
        for intent, outcome in view.case.settled
        if intent.kind is OpKind.STOP_RENEWAL and intent.subjects == subjects and outcome.kind is not OutcomeKind.FAILED
    ]
    if stopped and (view.now - stopped[-1]).total_seconds() < view.policy.provisioning_wait_seconds:
        return said.settles(item, "was told not to renew, which does not show yet", view.soon())
    return waiting_after_failure(view.case, OpKind.STOP_RENEWAL, subjects, view.now, view.policy) or StopRenewal(item)


def _running(view: _View, item: PlanItem) -> Refusal:
    """Why nothing is bought yet, and whether a person has something to do until then."""
    ends_on = _last_day(item)
    last_day = datetime.combine(ends_on, time.min, tzinfo=UTC)
    if not end_is_chosen(view.case, item):
        return said.not_chosen(item, ends_on, min(view.later(), last_day))
    reminds_at = last_day - timedelta(days=view.policy.reminds_days_before_end)
    if view.now < reminds_at:
        return said.running(item, ends_on, reminds_at, is_near=False)
    agreement = cutover.agreement(view.case, view.observation, view.policy)
    if isinstance(agreement, Pause):  # found out now, not on the last day
        return replace(agreement.refusal, phase=Phase.RUNNING_OUT, due_at=min(view.later(), last_day))
    return said.running(item, ends_on, min(view.now + timedelta(days=1), last_day), is_near=True)


# --- buying ----------------------------------------------------------------------------------------------------------


def _standing(view: _View, ripe: Sequence[PlanItem]) -> list[Counterpart]:
    """Equal subscriptions that stand at the target already and for nothing else: taken instead of bought."""
    if any(intent.kind.creates for intent in view.case.open_intents):
        return []  # what shows may be the effect of an order of another route
    found: list[Counterpart] = []
    taken = {one.target_id for one in view.case.counterparts}
    for item in ripe:
        target = _equal(view, item, taken)
        if target is not None:
            taken.add(target.id)
            source_id, order_id = item.subscription_id, target.order_id
            found.append(
                Counterpart(source_id=source_id, target_id=target.id, order_id=order_id, origin=Origin.BY_HAND)
            )
    return found


def _equal(view: _View, item: PlanItem, taken: set[SubscriptionId | None]) -> Subscription | None:
    wanted = (wanted_offer(item), item.license_count)
    others = [one for one in view.case.customer.items if one.subscription_id != item.subscription_id]
    reserved = taken | {one.target_id for one in others}
    reserved |= {one.target_id for one in view.case.evidence if one.subscription_id != item.subscription_id}
    known = {one.source_id for one in view.case.counterparts}
    for other in others:  # what is on its way by another route may look the same
        rival = other.is_carried_out and other.route not in ROUTES and other.subscription_id not in known
        if rival and (wanted_offer(other), other.license_count) == wanted:
            return None
    equal = (
        one
        for one in sorted(view.observation.target.values(), key=lambda one: one.id)
        if one.id not in reserved and one.wire_status == WireStatus.ACTIVE and not one.is_trial
    )
    return next((one for one in equal if not compare(item, one)), None)


def _bought(view: _View, ripe: Iterable[PlanItem]) -> Iterator[Action | Refusal]:
    """Orders of what is due, one for each term and billing cycle; and what is too late for that."""
    due: list[PlanItem] = []
    for item in ripe:
        refusal = _too_late(view, item)
        if refusal is not None:
            yield refusal
        else:
            due.append(item)
    due.sort(key=_terms_key)
    for _, group in groupby(due, key=_terms_key):
        yield from _order(view, tuple(group))


def _too_late(view: _View, item: PlanItem) -> Refusal | None:
    """Past the days of grace nothing is bought before a person looked at the data (R-132)."""
    last = rebuy_until(item.ends_on)
    if last is None or view.today <= last or view.is_confirmed(item, TaskKind.DATA_SAFE):
        return None
    return said.too_late(item, last, view.later())


def _terms_key(item: PlanItem) -> tuple[str, str]:
    terms = wanted_terms(item)
    return terms.billing_cycle, terms.duration


def _order(view: _View, items: tuple[PlanItem, ...]) -> Iterator[Action | Refusal]:
    """One order for all; one by one after that was refused: what cannot be bought must not keep the rest from it."""
    subjects = tuple(one.subscription_id for one in items)
    if len(items) > 1 and failures(view.case, OpKind.BUY_AGAIN, subjects):
        for item in items:
            yield from _order(view, (item,))
        return
    waiting = waiting_after_failure(view.case, OpKind.BUY_AGAIN, subjects, view.now, view.policy)
    yield waiting or BuyAgain(wanted_terms(items[0]).billing_cycle, tuple(line_of(one) for one in items))


# --- what was bought -------------------------------------------------------------------------------------------------


def _late_ids(view: _View, items: Iterable[PlanItem]) -> Iterable[Counterpart]:
    """Subscription ids that came later than the answer to their order."""
    wanted = {item.subscription_id for item in items}
    unknown = [one for one in view.case.counterparts if one.target_id is None and one.source_id in wanted]
    if not unknown:
        return ()
    ordered_as = {
        line.source_subscription_id: (line.offer_id, line.license_count)
        for intent, outcome in view.case.settled
        if intent.kind is OpKind.BUY_AGAIN and outcome.kind is not OutcomeKind.FAILED
        for line in intent.lines
    }
    return pairing.identified(unknown, view.case.counterparts, replace(view.observation, ordered_as=ordered_as))


def _arriving(
    view: _View, item: PlanItem, counterpart: Counterpart, source: Subscription
) -> StopRenewal | Counterpart | Refusal:
    """Whether both sides read as they should: the target equal and active, the source over."""
    target = view.observation.target.get(counterpart.target_id) if counterpart.target_id else None
    if target is None or target.wire_status != WireStatus.ACTIVE:
        return _not_standing(view, item, target)
    drifts = compare(item, target)
    if drifts:
        return said.drifted(item, "; ".join(map(str, drifts)), view.later())
    if source.wire_status in _OVER or source.wire_status == WireStatus.SUSPENDED:
        return replace(counterpart, verified_at=view.observation.target_at or view.observation.at)
    if source.wire_status != WireStatus.ACTIVE:
        what = f"is '{source.wire_status}' at the source"
        return said.unusable(item, what, RefusalCode.SOURCE_STATUS_UNKNOWN)
    return _ending(view, item, counterpart, source)


def _ending(
    view: _View, item: PlanItem, counterpart: Counterpart, source: Subscription
) -> StopRenewal | Counterpart | Refusal:
    """The target stands, the source still reads active: its last day, a lagging list, or it goes on."""
    ends_on = _last_day(item)
    over_at = datetime.combine(ends_on, time.min, tzinfo=UTC) + timedelta(days=1)
    if view.now < over_at and not _is_later(source, item):
        if _renews(source):
            return _stopping(view, item)
        return said.settles(item, f"was bought at the target and ends at the source with {ends_on}", over_at)
    if source.auto_renew or _is_later(source, item):
        return said.goes_on(item, source, view.later(), is_bought=True)
    if view.now >= over_at + _LAG and end_is_chosen(view.case, item):
        return replace(counterpart, verified_at=view.observation.target_at or view.observation.at)
    due_at = said.after(view.now, view.policy.transfer_poll_seconds)
    return said.settles(item, f"ended at the source with {ends_on}, which does not show yet", due_at)


def _not_standing(view: _View, item: PlanItem, target: Subscription | None) -> Refusal:
    bought = [
        outcome.at
        for intent, outcome in view.case.settled
        if intent.kind is OpKind.BUY_AGAIN and item.subscription_id in intent.subjects
    ]
    age = (view.now - bought[-1]).total_seconds() if bought else float("inf")
    is_lag = age < view.policy.provisioning_wait_seconds
    what = f"was bought, but is '{target.wire_status}' at the target" if target else "was bought, but does not show yet"
    return said.not_shown(item, what, "R-59", view.soon() if is_lag else view.later(), is_lag=is_lag)


# --- an intent without outcome ---------------------------------------------------------------------------------------


def settle(case: Case, intent: Intent, observation: Observation | None, now: datetime, policy: Policy) -> Action:
    """What became of a call whose answer was lost: read first, never sent blindly (invariant 6)."""
    if (
        observation is None
        or observation.source_is_old
        or observation.target_is_old
        or is_old(observation, now, policy)
    ):
        return Observe()
    view = _View(case=case, observation=observation, now=now, policy=policy)
    if intent.kind is OpKind.STOP_RENEWAL:
        return _settle_renewal(view, intent)
    match stranded.look_up(intent, observation, case.counterparts, now, policy):
        case stranded.Found(outcome=outcome):
            return AdoptOutcome(intent, outcome)
        case stranded.Gone():
            reason = _not_to_buy(view, intent)
            return _without_effect(view, intent, reason) if reason else Resend(intent)
        case stranded.Unclear(refusal=refusal):
            return Pause(refusal)


def _settle_renewal(view: _View, intent: Intent) -> Action:
    """It shows on the source; where it does not, turning it off once more changes nothing else."""
    source = view.observation.source.get(intent.subjects[0])
    if source is not None and not source.auto_renew:
        return AdoptOutcome(intent, Outcome(intent_key=intent.key, kind=OutcomeKind.ADOPTED, at=view.now))
    item = next((one for one in unfinished(view.case, ROUTES) if one.subscription_id == intent.subjects[0]), None)
    if item is None or source is None:
        return _without_effect(view, intent, "Neither plan nor source hold it any more.")
    refusal = cutover.may_drive(view.case) or _unfit(view, item, source)
    return _without_effect(view, intent, refusal.detail) if refusal is not None else Resend(intent)


def _not_to_buy(view: _View, intent: Intent) -> str:
    """Why an order that had no effect is not sent again (invariant 5, R-132); empty when it is."""
    refusal = cutover.may_drive(view.case)
    if refusal is not None:
        return refusal.detail
    wanted = {item.subscription_id: item for item in unfinished(view.case, ROUTES)}
    for line in intent.lines:
        item = wanted.get(line.source_subscription_id)
        if item is None or (wanted_terms(item).billing_cycle, line_of(item)) != (intent.billing_cycle, line):
            return "The newest plan no longer holds this order."
        step = _step(view, item)
        if not isinstance(step, PlanItem):
            return step.detail if isinstance(step, Refusal) else "Its source is not what it was when it was ordered."
        late = _too_late(view, item)
        if late is not None:
            return late.detail
    return ""


def _without_effect(view: _View, intent: Intent, reason: str) -> AdoptOutcome:
    outcome = Outcome(intent_key=intent.key, kind=OutcomeKind.FAILED, at=view.now, code="not_applied", detail=reason)
    return AdoptOutcome(intent, outcome)


MACHINE = Machine(
    routes=ROUTES,
    kinds=frozenset({OpKind.STOP_RENEWAL, OpKind.BUY_AGAIN}),
    forward=forward,
    settle=settle,
)
