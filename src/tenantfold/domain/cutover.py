"""What happens next to the legacy licenses of one customer: the route ``recreate``. Reading order 7.

It looks at everything the ledger knows and at a fresh read of both sides and names exactly one action. It never skips
ahead: order, read back, verify all, only then suspend (R-32, R-33, R-59).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from tenantfold.domain import guards, lateness, pairing, stranded
from tenantfold.domain.actions import (
    Action,
    AdoptOutcome,
    Attest,
    BuyAddOns,
    Link,
    MarkSuspended,
    MarkVerified,
    Observe,
    Pause,
    PlaceOrder,
    Reactivate,
    Resend,
    Suspend,
)
from tenantfold.domain.guards import Refusal, RefusalCode
from tenantfold.domain.journal import Intent, OpKind, Outcome, OutcomeKind
from tenantfold.domain.machine import Machine, is_old
from tenantfold.domain.model import AgreementContact, OrderId, Route, SubscriptionId, WireStatus
from tenantfold.domain.observation import Observation
from tenantfold.domain.order_lines import is_new_commerce, line_of, wanted_terms
from tenantfold.domain.plan import PlanItem
from tenantfold.domain.policy import AgreementSource, Policy
from tenantfold.domain.records import Case
from tenantfold.domain.states import Counterpart, Origin, Owner, Phase


def begins(case: Case, action: Action) -> bool:
    """Whether an action is the first write of a cutover: from here on it must end today (invariant 3)."""
    return isinstance(action, PlaceOrder | BuyAddOns | Reactivate) and lateness.open_since(case) is None


def forward(case: Case, observation: Observation, now: datetime, policy: Policy) -> Action:
    """The next step of the cutover, or what the policy says when its day ends."""
    return lateness.held_to_the_day(_forward(case, observation, now, policy), case, observation, now, policy)


def _forward(case: Case, observation: Observation, now: datetime, policy: Policy) -> Action:
    """The next step toward a moved customer, whatever the time of day."""
    items = tuple(item for item in case.customer.items if item.moves)
    counterparts = {one.source_id: one for one in case.counterparts if one.origin.is_cutover}
    if observation.source_is_old:
        return Observe(sources_only=True)
    if lateness.withdrawn(case):
        stale = _staleness(case, items, observation)
        by_id = {item.subscription_id: item for item in items}
        return Pause(stale) if stale else lateness.take_up_again(case, by_id, observation, now, policy)
    missing = tuple(item for item in items if item.subscription_id not in counterparts)
    if missing:
        return _provide(case, missing, counterparts, observation, now, policy)
    if observation.target_is_old:
        return Observe(target_only=_sources_are_guarded(items, observation))
    return _cut_over(case, items, counterparts, observation, now, policy)


def may_drive(case: Case) -> Refusal | None:
    """Why nothing may be done under this plan; None when its steps may run (invariant 5, R-32)."""
    blockers = " ".join(blocker.detail for blocker in case.customer.blockers())
    return guards.may_drive(case.plan, case.customer.disposition, blockers or "The plan blocks this customer.")


def _is_suspended(counterpart: Counterpart | None) -> bool:
    return counterpart is not None and counterpart.suspended_at is not None


def _sources_are_guarded(items: tuple[PlanItem, ...], observation: Observation) -> bool:
    """Whether Microsoft itself refuses to suspend a source that changed since it was read (eTag, R-225).

    An add-on is suspended along with its base, without an eTag of its own being asked: it is read again.
    """
    sources = [observation.source.get(item.subscription_id) for item in items]
    return all(source is not None and source.etag and not source.is_add_on for source in sources)


def needs_agreement_read(case: Case, policy: Policy) -> bool:
    """Whether the agreement must be asked for at Microsoft: we may attest nothing, and have attested nothing yet."""
    return _contact(case, policy) is None and not _is_attested(case)


def _contact(case: Case, policy: Policy) -> AgreementContact | None:
    """Whom we may attest for: nobody where only the customer's own acceptance counts, whatever the plan holds."""
    return case.customer.contact if policy.agreement_source is AgreementSource.LIST else None


def _is_attested(case: Case) -> bool:
    return any(
        intent.kind is OpKind.ATTEST_AGREEMENT and outcome.kind is not OutcomeKind.FAILED
        for intent, outcome in case.settled
    )


# --- an intent without outcome ---------------------------------------------------------------------------------------


def settle(case: Case, intent: Intent, observation: Observation | None, now: datetime, policy: Policy) -> Action:
    """Reconciliation comes before everything else, whatever the plan says by now (invariant 6)."""
    if intent.kind is OpKind.ATTEST_AGREEMENT:
        return _settle_attestation(case, intent, now)
    if observation is None or observation.source_is_old or is_old(observation, now, policy):
        return Observe()  # what is sent again rests on a read as fresh as the first time (invariant 5)
    if intent.kind is OpKind.SUSPEND:
        return _settle_suspension(case, intent, observation, now)
    if intent.kind.may_repeat:
        action, refusal = lateness.settle(intent, observation, now), may_drive(case)
        return Pause(refusal) if refusal is not None and isinstance(action, Resend) else action
    verdict = stranded.look_up(intent, observation, case.counterparts, now, policy)
    match verdict:
        case stranded.Found(outcome=outcome):
            return AdoptOutcome(intent, outcome)
        case stranded.Gone():
            reason = _not_to_send_again(case, intent, observation, now, policy)
            return AdoptOutcome(intent, _not_applied(intent, reason, now)) if reason else Resend(intent)
        case stranded.Unclear(refusal=refusal):
            return Pause(refusal)


def _settle_attestation(case: Case, intent: Intent, now: datetime) -> Action:
    """Sent again as it was (an identical one is answered 600061, which counts as done), unless the plan says otherwise.

    A corrected contact is attested on its own, and nothing is attested for a plan that nobody approved (invariant 5).
    """
    refusal = may_drive(case)
    if refusal is not None:
        return AdoptOutcome(intent, _not_applied(intent, refusal.detail, now))
    if intent.contact != case.customer.contact:
        reason = "The newest plan names another contact; that one is attested instead."
        return AdoptOutcome(intent, replace(_not_applied(intent, reason, now), code="superseded"))
    return Resend(intent)


def _settle_suspension(case: Case, intent: Intent, observation: Observation, now: datetime) -> Action:
    source = observation.source.get(intent.subjects[0])
    if source is not None and source.wire_status == WireStatus.SUSPENDED:
        return AdoptOutcome(intent, Outcome(intent_key=intent.key, kind=OutcomeKind.ADOPTED, at=now))
    # its add-ons follow it: what is asked of one is asked of all
    struck = [one for one in case.customer.items if intent.subjects[0] in {one.subscription_id, one.parent_id}]
    counterparts = {counterpart.source_id: counterpart for counterpart in case.counterparts}
    refusals = (_suspension_refusal(one, counterparts, observation) for one in struck if one.moves)
    refusal = may_drive(case) or next((one for one in refusals if one is not None), None)
    if not struck or refusal is not None:
        # not suspended and may not be any more: the intent is closed without effect, the normal path explains why
        reason = refusal.detail if refusal else "The plan no longer holds this subscription."
        return AdoptOutcome(intent, _not_applied(intent, reason, now))
    return Resend(intent)


def _not_to_send_again(case: Case, intent: Intent, observation: Observation, now: datetime, policy: Policy) -> str:
    """Why an order that had no effect may not be sent again (invariant 5, R-33); empty when it may."""
    refusal = may_drive(case)
    if refusal is None:
        wanted = {item.subscription_id: item for item in case.customer.items if item.moves}
        for line in intent.lines:
            item = wanted.get(line.source_subscription_id)
            if item is None or line_of(item, line.parent_target_id) != line:
                return "The newest plan no longer holds this order."
            if wanted_terms(item).billing_cycle != intent.billing_cycle:
                return "The newest plan no longer holds this order."
        ordered = tuple(wanted[subscription_id] for subscription_id in intent.subjects)
        refusal = _staleness(case, ordered, observation) or _too_late(case.counterparts, now, policy)
    return refusal.detail if refusal else ""


def _not_applied(intent: Intent, reason: str, now: datetime) -> Outcome:
    return Outcome(intent_key=intent.key, kind=OutcomeKind.FAILED, at=now, code="not_applied", detail=reason)


# --- the target side -------------------------------------------------------------------------------------------------


def _provide(
    case: Case,
    missing: tuple[PlanItem, ...],
    counterparts: Mapping[SubscriptionId, Counterpart],
    observation: Observation,
    now: datetime,
    policy: Policy,
) -> Action:
    """Give every moving subscription a counterpart: adopt, else order bases, then add-ons."""
    stale = _staleness(case, missing, observation)
    if stale is not None:
        return Pause(stale)
    adopted = tuple(_adopted(item) for item in missing if item.target_id is not None)
    if adopted:
        absent = next((one for one in adopted if one.target_id not in observation.target), None)
        return Pause(_adoption_gone(absent)) if absent else Link(adopted)
    late = _too_late(counterparts.values(), now, policy)
    if late is not None:
        return Pause(late)
    needed = agreement(case, observation, policy)
    if needed is not None:
        return needed
    waiting = _late_ids(case, counterparts, observation, now, policy)
    if waiting is not None:
        return Observe() if observation.target_is_old else waiting
    bases = tuple(item for item in missing if not item.is_add_on)
    if not bases:  # add-ons of new commerce have no base: they are ordered like one, once theirs were (commerce 2.2)
        bases = tuple(item for item in missing if is_new_commerce(item))
    return _order_bases(bases) if bases else _order_add_ons(missing, counterparts)


def _too_late(counterparts: Iterable[Counterpart], now: datetime, policy: Policy) -> Refusal | None:
    """A cutover that has begun today is finished, not stopped (R-33)."""
    begun = any(lateness.is_open(one) for one in counterparts)
    return None if begun else guards.may_start_today(now, policy)


def _staleness(case: Case, missing: tuple[PlanItem, ...], observation: Observation) -> Refusal | None:
    """Why the plan is not what stands at the source any more; None while it is."""
    for item in missing:
        refusal = guards.plan_is_fresh(item, observation.source.get(item.subscription_id))
        if refusal is not None:
            return refusal
    return unplanned(case, observation)


def unplanned(case: Case, observation: Observation) -> Refusal | None:
    """An active source subscription that no approver saw as one to move or keep."""
    planned = {item.subscription_id: item for item in case.customer.items}
    for subscription in observation.source.values():
        seen = planned.get(subscription.id)
        if subscription.wire_status != WireStatus.ACTIVE:
            continue
        if seen is None:
            return guards.unplanned(subscription)
        if not seen.moves and seen.wire_status != WireStatus.ACTIVE:  # left out because it was off
            return guards.plan_is_fresh(seen, subscription)
    return None


def _adopted(item: PlanItem) -> Counterpart:
    return Counterpart(
        source_id=item.subscription_id, target_id=item.target_id, order_id=OrderId(""), origin=Origin.ADOPTED
    )


def _adoption_gone(counterpart: Counterpart) -> Refusal:
    return Refusal(
        code=RefusalCode.PLAN_STALE,
        phase=Phase.STALE,
        rule="R-28",
        detail=f"The target subscription {counterpart.target_id} that was to be adopted is not in the target's list.",
        owner=Owner.OPERATIONS,
        next_action="Run: tenantfold inventory, tenantfold plan, approve the new plan, then tenantfold run.",
    )


def agreement(case: Case, observation: Observation, policy: Policy) -> Action | None:
    """The agreement must be accepted towards this tenant before the first order (R-112, R-115)."""
    if _is_attested(case) or observation.has_agreement:
        return None
    contact = _contact(case, policy)
    if contact is not None:
        return Attest(contact)
    return Pause(_nobody_agreed() if policy.agreement_source is AgreementSource.LIST else _customer_must_agree())


def _nobody_agreed() -> Refusal:
    return Refusal(
        code=RefusalCode.AGREEMENT_CONTACT_MISSING,
        phase=Phase.ACCEPTED,
        rule="R-113",
        detail="The customer accepted the relationship but not the Microsoft Customer Agreement, and no "
        "contact and date were given to attest it.",
        owner=Owner.OPERATIONS,
        next_action="Add contact_first_name, contact_last_name, contact_email and agreed_on to the customer list, "
        "plan and approve again; or have the customer sign it.",
    )


def _customer_must_agree() -> Refusal:
    """Where the policy counts the customer's own acceptance only, no column of a list helps (R-113, R-116)."""
    return Refusal(
        code=RefusalCode.AGREEMENT_MISSING,
        phase=Phase.ACCEPTED,
        rule="R-113",
        detail="The customer accepted the relationship but not the Microsoft Customer Agreement, and "
        'policy.agreement_source = "customer" lets nobody attest it in its place.',
        owner=Owner.CUSTOMER,
        next_action="Ask the customer's global administrator to accept the Microsoft Customer Agreement in the "
        "Microsoft 365 admin center; it is looked for again by itself. If it cannot (R-116), set "
        'policy.agreement_source to "list" and plan again with a contact.',
    )


def _order_bases(bases: tuple[PlanItem, ...]) -> PlaceOrder:
    """One order holds one billing cycle, and either legacy or new commerce (commerce reference 2.3)."""
    kind = _kind_of_order(bases[0])
    return PlaceOrder(kind[0], tuple(line_of(item) for item in bases if _kind_of_order(item) == kind))


def _kind_of_order(item: PlanItem) -> tuple[str, bool]:
    return wanted_terms(item).billing_cycle, is_new_commerce(item)


def _order_add_ons(add_ons: tuple[PlanItem, ...], counterparts: Mapping[SubscriptionId, Counterpart]) -> Action:
    """Add-ons go onto the order of their base, one order at a time (an adopted base has an order too)."""
    bases = {item.subscription_id: counterparts[item.parent_id] for item in add_ons if item.parent_id is not None}
    first = bases[add_ons[0].subscription_id]
    lines = tuple(
        line_of(item, bases[item.subscription_id].target_id)
        for item in add_ons
        if bases[item.subscription_id].order_id == first.order_id and item.billing_cycle == add_ons[0].billing_cycle
    )
    return BuyAddOns(first.order_id, add_ons[0].billing_cycle, lines)


def _late_ids(
    case: Case,
    counterparts: Mapping[SubscriptionId, Counterpart],
    observation: Observation,
    now: datetime,
    policy: Policy,
) -> Action | None:
    """Find subscription ids (and the orders of adopted bases) that were unknown so far, by reading."""
    unknown = [one for one in counterparts.values() if one.target_id is None]
    found = tuple(pairing.identified(unknown, counterparts.values(), observation))
    orderless = tuple(pairing.with_order(counterparts.values(), observation))
    if found or orderless:
        return Link(found + orderless)
    return Pause(_provisioning(case, unknown, now, policy)) if unknown else None


def _provisioning(case: Case, unknown: list[Counterpart], now: datetime, policy: Policy) -> Refusal:
    """What was ordered and does not show: Microsoft's business at first, a person's when it takes too long."""
    sources = {one.source_id for one in unknown}
    ordered = [outcome.at for intent, outcome in case.settled if intent.kind.creates and sources & set(intent.subjects)]
    since = max(ordered, default=now)
    late = (now - since).total_seconds() > policy.provisioning_wait_seconds
    return Refusal(
        code=RefusalCode.TARGET_MISSING,
        phase=Phase.CUTTING_OVER,
        rule="commerce reference 0.7",
        detail=f"{len(unknown)} subscription(s) ordered at {since:%Y-%m-%d %H:%M} UTC do not show at the target yet.",
        owner=Owner.OPERATIONS if late else Owner.MICROSOFT,
        next_action="Look at the order in the target's Partner Center; if it failed, ask Microsoft's support. It is "
        "looked for again by itself."
        if late
        else "Keep tenantfold run going, or run it again: it looks again (up to 15 minutes).",
        due_at=now + timedelta(seconds=policy.retry_seconds),
    )


# --- the switch ------------------------------------------------------------------------------------------------------


def _cut_over(
    case: Case,
    items: tuple[PlanItem, ...],
    counterparts: Mapping[SubscriptionId, Counterpart],
    observation: Observation,
    now: datetime,
    policy: Policy,
) -> Action:
    """Verify all, then suspend one after the other, then read back."""
    waiting = _late_ids(case, counterparts, observation, now, policy)
    if waiting is not None:
        return waiting
    open_items = tuple(item for item in items if not _is_suspended(counterparts[item.subscription_id]))
    for item in open_items:
        refusal = _suspension_refusal(item, counterparts, observation)
        if refusal is not None:
            return Pause(_patient(refusal, counterparts[item.subscription_id], now, policy))
    unverified = tuple(
        replace(counterparts[item.subscription_id], verified_at=observation.target_at or observation.at)
        for item in open_items
        if counterparts[item.subscription_id].verified_at is None
    )
    if unverified:
        return MarkVerified(unverified)
    return _suspend_or_confirm(case, open_items, counterparts, observation, now, policy)


def _suspension_refusal(
    item: PlanItem, counterparts: Mapping[SubscriptionId, Counterpart], observation: Observation
) -> Refusal | None:
    source = observation.source.get(item.subscription_id)
    if source is None:
        return Refusal(
            code=RefusalCode.SOURCE_MISSING,
            phase=Phase.DRIFTED,
            rule="invariant 9",
            detail=f"{item.offer_name} ({item.subscription_id}) is no longer in the source tenant's list.",
            owner=Owner.OPERATIONS,
            next_action="Look at the customer in the source tenant; nothing was suspended.",
        )
    counterpart = counterparts.get(item.subscription_id)
    parent = counterparts.get(item.parent_id) if item.parent_id else None
    target = observation.target.get(counterpart.target_id) if counterpart and counterpart.target_id else None
    parent_target = observation.target.get(parent.target_id) if parent and parent.target_id else None
    return guards.may_suspend(item, source, target, parent_target)


def _patient(refusal: Refusal, counterpart: Counterpart, now: datetime, policy: Policy) -> Refusal:
    """A target we ordered moments ago may still be on its way: look again before calling it drift."""
    waiting = refusal.code in {RefusalCode.TARGET_MISSING, RefusalCode.TARGET_NOT_ACTIVE}
    if not waiting or counterpart.origin is not Origin.CREATED or counterpart.cutover_on != now.date():
        return refusal
    return replace(
        refusal,
        phase=Phase.CUTTING_OVER,
        owner=Owner.MICROSOFT,
        next_action="Keep tenantfold run going, or run it again: it looks again.",
        due_at=now + timedelta(seconds=policy.retry_seconds),
    )


def _suspend_or_confirm(
    case: Case,
    open_items: tuple[PlanItem, ...],
    counterparts: Mapping[SubscriptionId, Counterpart],
    observation: Observation,
    now: datetime,
    policy: Policy,
) -> Action:
    """Bases first: their add-ons follow by themselves (R-124); what did not follow is suspended on the next read."""
    still_active = [item for item in open_items if not _reads_suspended(item, observation)]
    to_suspend = [item for item in still_active if item.subscription_id not in observation.suspended_since]
    suspended_at = _suspended_by_us(case)
    for item in to_suspend:
        if item.subscription_id in suspended_at:
            return Pause(_still_active(item, suspended_at[item.subscription_id], now, policy))
    bases = [item for item in to_suspend if not item.is_add_on]
    if bases:
        return Suspend(bases[0])
    if observation.suspended_since:
        return Observe(sources_only=True)
    if to_suspend:
        return Suspend(to_suspend[0])
    done = tuple(replace(counterparts[item.subscription_id], suspended_at=now) for item in open_items)
    return MarkSuspended(done, finished=False)


def _suspended_by_us(case: Case) -> dict[SubscriptionId, datetime]:
    return {
        intent.subjects[0]: outcome.at
        for intent, outcome in case.settled
        if intent.kind is OpKind.SUSPEND and outcome.kind is not OutcomeKind.FAILED
    }


def _still_active(item: PlanItem, suspended_at: datetime, now: datetime, policy: Policy) -> Refusal:
    """A suspension that does not show: a lagging list at first, a person's doing later. Never suspended twice."""
    lagging = (now - suspended_at).total_seconds() < policy.provisioning_wait_seconds
    return Refusal(
        code=RefusalCode.SOURCE_STILL_ACTIVE,
        phase=Phase.CUTTING_OVER if lagging else Phase.DRIFTED,
        rule="R-43",
        detail=f"{item.offer_name} was suspended at {suspended_at:%Y-%m-%d %H:%M} UTC but reads active.",
        owner=Owner.MICROSOFT if lagging else Owner.OPERATIONS,
        next_action="Keep tenantfold run going, or run it again: it looks again."
        if lagging
        else "Somebody may have reactivated it: while it is active both sides are billed.",
        due_at=now + timedelta(seconds=policy.retry_seconds) if lagging else None,
    )


def _reads_suspended(item: PlanItem, observation: Observation) -> bool:
    source = observation.source.get(item.subscription_id)
    return source is not None and source.wire_status == WireStatus.SUSPENDED


MACHINE = Machine(
    routes=frozenset({Route.RECREATE}),
    kinds=frozenset(kind for kind in OpKind if kind.is_cutover),
    forward=forward,
    settle=settle,
)
