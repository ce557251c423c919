"""A person decides what became of a call without known outcome: the evidence, what may be decided, and what it means.

``candidates`` and ``outlook`` are what the person sees; ``decide`` asks the guards of a decision (invariants 2, 5, 6)
and turns it into an outcome. Nothing here can make a second order out of a first one: whatever could still be ours
keeps the order from being made anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tenantfold.domain.actions import Action, AdoptOutcome, Pause, Resend
from tenantfold.domain.course import MACHINES
from tenantfold.domain.guards import Refusal, RefusalCode
from tenantfold.domain.journal import Intent, OpKind, Outcome, OutcomeKind
from tenantfold.domain.model import Subscription, SubscriptionId, WireStatus
from tenantfold.domain.observation import Observation
from tenantfold.domain.policy import Policy
from tenantfold.domain.records import Case
from tenantfold.domain.states import Counterpart, Owner, Phase
from tenantfold.domain.stranded import (
    Found,
    Gone,
    Unclear,
    adopted,
    look_up,
    settles_at,
    settling,
    shape_of,
    wanted_shapes,
)
from tenantfold.domain.waves import HELD_BECAUSE, HELD_NEXT, Held

ABANDONED = "abandoned"
_OFF = frozenset({WireStatus.SUSPENDED, WireStatus.DELETED, WireStatus.EXPIRED, WireStatus.DISABLED})
_STANDING = frozenset({WireStatus.ACTIVE, WireStatus.PENDING})
_FIELDS = ("offer", "license count", "billing cycle", "base subscription")


class Fit(StrEnum):
    """How a subscription at the target relates to a call without known outcome."""

    FITS = "fits"
    DIFFERS = "differs"
    STOOD_BEFORE = "stood_before"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A subscription that stands at the target, and why it is or is not what a call without outcome created."""

    subscription: Subscription
    fit: Fit
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What the core makes of a call without known outcome; ``at`` when it looks again by itself."""

    needs_person: bool
    sentence: str
    at: datetime | None = None


class DecisionKind(StrEnum):
    """What a person may decide."""

    ADOPT = "adopt"
    RESEND = "resend"
    ABANDON = "abandon"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A person's decision: what, who and why. ``target_ids`` are the subscriptions to adopt."""

    kind: DecisionKind
    by: str
    reason: str
    target_ids: tuple[SubscriptionId, ...] = ()


@dataclass(frozen=True, slots=True)
class MaySend:
    """The call surely had no effect and its guards agree: it may be sent again, with the same request id."""


# --- the evidence ----------------------------------------------------------------------------------------------------


def candidates(intent: Intent, observation: Observation, counterparts: Iterable[Counterpart]) -> tuple[Candidate, ...]:
    """Everything that stands at the target, what fits first, each with how it fits or why not."""
    taken = {one.target_id: one.source_id for one in counterparts if one.target_id is not None}
    found = [_candidate(intent, one, taken) for one in observation.target.values()]
    order = list(Fit)
    return tuple(sorted(found, key=lambda one: (order.index(one.fit), one.subscription.id)))


def _candidate(intent: Intent, subscription: Subscription, taken: Mapping[SubscriptionId, SubscriptionId]) -> Candidate:
    if subscription.id in taken:
        fit, why = Fit.TAKEN, f"stands for {taken[subscription.id]} already"
    elif subscription.id in intent.baseline:
        fit, why = Fit.STOOD_BEFORE, "stood there before the call was sent"
    elif not intent.kind.creates:
        fit, why = Fit.DIFFERS, "the call ordered nothing"
    else:
        misfits = _misfits(intent, subscription)
        fit, why = (Fit.DIFFERS, "; ".join(misfits)) if misfits else (Fit.FITS, "offer, count, cycle and base fit")
    if fit is Fit.FITS and subscription.wire_status != WireStatus.ACTIVE:
        why += f", but it is '{subscription.wire_status}'"
    return Candidate(subscription=subscription, fit=fit, why=why)


def _misfits(intent: Intent, subscription: Subscription) -> tuple[str, ...]:
    """In what a subscription differs from the line it comes nearest to; empty when it fits one."""
    found = shape_of(subscription, intent)
    differences = [
        tuple(
            f"{name}: wanted {wants or 'none'}, is {has or 'none'}"
            for name, wants, has in zip(_FIELDS, wanted, found, strict=True)
            if wants != has
        )
        for wanted in wanted_shapes(intent)
    ]
    return min(differences, key=len, default=("the call ordered nothing",))


def outlook(case: Case, observation: Observation, now: datetime, policy: Policy) -> Outlook:
    """What the next run would do about the oldest open call of a customer. Raises ValueError when there is none."""
    if not case.open_intents:
        raise ValueError(f"Customer {case.customer.customer_id} has no call without outcome.")
    match _next_of(case, case.open_intents[0], observation, now, policy):
        case AdoptOutcome(outcome=outcome) if outcome.kind is OutcomeKind.FAILED:
            sentence = f"The next run closes it as without effect: {outcome.detail}"
        case AdoptOutcome():
            sentence = "It took effect; the next run notes it and goes on."
        case Resend():
            sentence = "It had no effect; the next run sends it again with the same request id."
        case Pause(refusal=refusal) if refusal.owner is not Owner.TENANTFOLD:
            return Outlook(needs_person=True, sentence=f"It needs a person. {refusal.detail}")
        case Pause(refusal=refusal):
            when = f" by itself at {refusal.due_at:%H:%M:%S} UTC" if refusal.due_at else ""
            return Outlook(needs_person=False, sentence=f"It settles{when}. {refusal.detail}", at=refusal.due_at)
        case _:
            sentence = "The next run reads both sides and settles it."
    return Outlook(needs_person=False, sentence=sentence)


def _next_of(case: Case, intent: Intent, observation: Observation, now: datetime, policy: Policy) -> Action:
    """What the machine of an open call makes of it, whatever the customer's other routes do meanwhile."""
    machine = next(one for one in MACHINES if intent.kind in one.kinds)
    return machine.settle(case, intent, observation, now, policy)


# --- the decision ----------------------------------------------------------------------------------------------------


def decide(
    intent: Intent, decision: Decision, case: Case, observation: Observation, now: datetime, policy: Policy
) -> Outcome | MaySend | Refusal:
    """What a person's decision means for an open intent, from a fresh read; a Refusal when it would do harm."""
    match decision.kind:
        case DecisionKind.ADOPT:
            return _adopt(intent, decision, case.counterparts, observation, now)
        case DecisionKind.RESEND:
            return _resend(intent, case, observation, now, policy)
        case DecisionKind.ABANDON:
            return _abandon(intent, decision, case.counterparts, observation, now, policy)


def _adopt(
    intent: Intent, decision: Decision, counterparts: Sequence[Counterpart], observation: Observation, now: datetime
) -> Outcome | Refusal:
    """Only what exists now, is nobody's counterpart, was not there before, and equals the lines, all of them."""
    if not intent.kind.creates:
        return _no("Only an order can be adopted; the next run settles this call by reading what it was about.")
    known = {one.subscription.id: one for one in candidates(intent, observation, counterparts)}
    for target_id in decision.target_ids:
        candidate = known.get(target_id)
        if candidate is None:
            return _no(f"{target_id} does not stand at the target now.", RefusalCode.TARGET_MISSING)
        if candidate.fit is not Fit.FITS:
            return _no(f"{target_id} cannot be adopted: {candidate.why}.", RefusalCode.DRIFT)
        if candidate.subscription.wire_status not in _STANDING:
            return _no(
                f"{target_id} is '{candidate.subscription.wire_status}' at the target.", RefusalCode.TARGET_NOT_ACTIVE
            )
    group = [known[target_id].subscription for target_id in dict.fromkeys(decision.target_ids)]
    if Counter(shape_of(one, intent) for one in group) != Counter(wanted_shapes(intent)):
        return _no(
            f"{len(intent.lines)} line(s) were ordered; name exactly one fitting subscription for each.",
            RefusalCode.DRIFT,
        )
    return adopted(intent, group, now, _words("adopted", decision))


def _resend(intent: Intent, case: Case, observation: Observation, now: datetime, policy: Policy) -> MaySend | Refusal:
    """Only when nothing of the order can be seen after the settling time, and the guards of the run agree."""
    if case.held is Held.STOPPED:
        return _no(f"{HELD_BECAUSE[case.held]} {HELD_NEXT[case.held]}", RefusalCode.HELD)
    if intent.kind.creates:
        match look_up(intent, observation, case.counterparts, now, policy):
            case Found():
                return _no("It took effect: exactly what was ordered stands at the target. Run: tenantfold run")
            case Unclear(refusal=refusal) if refusal.code is RefusalCode.SETTLING:
                return refusal
            case Unclear():
                return _no("Something that fits stands at the target; sending the order again could make a twin.")
            case Gone():
                pass
    action = _next_of(case, intent, observation, now, policy)
    if isinstance(action, Resend) and action.intent == intent:
        return MaySend()
    if isinstance(action, AdoptOutcome):
        return _no(action.outcome.detail or "It took effect already. Run: tenantfold run")
    return action.refusal if isinstance(action, Pause) else _no("Another open call of this customer comes first.")


def _abandon(
    intent: Intent,
    decision: Decision,
    counterparts: Sequence[Counterpart],
    observation: Observation,
    now: datetime,
    policy: Policy,
) -> Outcome | Refusal:
    """Only when the call can have no effect any more and nothing that could be its effect stands (invariant 2)."""
    if intent.kind.may_repeat:
        return _no("It is sent again until it shows: given up, it could still take effect at a worse time.")
    if intent.kind is not OpKind.ATTEST_AGREEMENT:
        settled_at = settles_at(intent, policy)
        if observation.at < settled_at:
            return settling(intent, settled_at)
        came_true = _came_true(intent, observation)
        if came_true:
            return _no(came_true)
    for one in candidates(intent, observation, counterparts):
        if one.fit is Fit.FITS and one.subscription.wire_status not in _OFF:
            return _no(
                f"{one.subscription.id} stands at the target and fits: the order would be made a second time. Adopt "
                "it, or suspend it in Partner Center first if it is not ours."
            )
    return Outcome(
        intent_key=intent.key,
        kind=OutcomeKind.FAILED,
        at=now,
        code=ABANDONED,
        detail=_words("abandoned", decision),
    )


def _came_true(intent: Intent, observation: Observation) -> str:
    """Why a suspension cannot be abandoned: it shows. Not seeing the subscription proves nothing."""
    if intent.kind is not OpKind.SUSPEND:
        return ""
    source = observation.source.get(intent.subjects[0])
    if source is None:
        return f"{intent.subjects[0]} is not in the source tenant's list, so nobody can tell whether it took effect."
    if source.wire_status == WireStatus.SUSPENDED:
        return f"{source.id} reads suspended: the call took effect. Run: tenantfold run"
    return ""


def _words(verb: str, decision: Decision) -> str:
    return f"{verb} by {decision.by}: {decision.reason}"


def _no(detail: str, code: RefusalCode = RefusalCode.NEEDS_PERSON) -> Refusal:
    return Refusal(
        code=code,
        phase=Phase.STRANDED,
        rule="invariant 6",
        detail=detail,
        owner=Owner.OPERATIONS,
        next_action="Look at the evidence again: tenantfold stranded <customer>",
    )
