"""Use cases 10 to 12: drive one customer through order, verification and suspension.

``drive`` is short, idempotent and the only way work happens: it asks the core for the next action, carries it out
with intent and outcome around every write, and asks again, until the customer has moved or has to wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from tenantfold.domain import actions
from tenantfold.domain.cutover import begins, needs_agreement_read, next_action
from tenantfold.domain.guards import Refusal, RefusalCode
from tenantfold.domain.intents import intent_for, sent_again
from tenantfold.domain.journal import Intent, OpKind, Outcome, OutcomeKind
from tenantfold.domain.lateness import is_late, open_since
from tenantfold.domain.model import CustomerId, PlacedOrder, Subscription, SubscriptionId, TenantId
from tenantfold.domain.observation import Observation
from tenantfold.domain.pairing import counterparts_of, reactivated
from tenantfold.domain.policy import Policy
from tenantfold.domain.reads import Read
from tenantfold.domain.records import Case, Step
from tenantfold.domain.states import Counterpart, Owner, Phase, Progress
from tenantfold.errors import (
    AuthError,
    ConflictError,
    NoAnswerError,
    NotFoundError,
    PartnerCenterError,
    StoreError,
    ThrottledError,
    UnavailableError,
    UnexpectedAnswerError,
)
from tenantfold.flow.gates import OneLane, OpenGate
from tenantfold.flow.partner_center import PartnerCenter
from tenantfold.flow.ports import Clock, Gate, Lanes, Ledger

log = structlog.get_logger()

MAX_ACTIONS = 5_000  # a customer tenant holds at most 300 subscriptions: more actions than this is a loop of ours
MAX_CONFLICTS = 3  # a conflict that stays after reading again is not a race any more

ChangeStatus = Callable[[CustomerId, Read[Subscription], UUID], Awaitable[Read[Subscription]]]

_EFFECT_UNKNOWN = (NoAnswerError, UnexpectedAnswerError)
_NO_EFFECT_LATER = (UnavailableError, ThrottledError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutover:
    """The tools of a cutover: both sides, the ledger, time and policy."""

    consolidation: str
    target_id: TenantId
    tenants: Mapping[TenantId, PartnerCenter]
    ledger: Ledger
    clock: Clock
    policy: Policy
    gate: Gate = field(default_factory=OpenGate)
    lanes: Lanes = field(default_factory=OneLane)

    async def drive(self, customer_id: CustomerId, stopping: Callable[[], bool] = bool) -> Progress:
        """Take a customer as far as it goes now; returns where it stands. Safe to call again after any crash.

        ``stopping`` is asked between actions; True leaves the customer where it is, to be taken up again.
        """
        state = _Drive(self, await self._case(customer_id))
        for _ in range(MAX_ACTIONS):
            if stopping() or not await state.step():
                return state.case.progress
            state.case = await self._case(customer_id)
        raise PartnerCenterError(f"What is read contradicts itself: {MAX_ACTIONS} actions led nowhere.")

    async def _case(self, customer_id: CustomerId) -> Case:
        case = await self.ledger.case(customer_id)
        if case is None:
            raise StoreError(f"Customer {customer_id} is due but not in the newest plan.")
        return case


class _Drive:
    """One drive of one customer: the case as last loaded, and the fresh read that holds until the next write."""

    def __init__(self, tools: Cutover, case: Case) -> None:
        self.tools = tools
        self.case = case
        self.observation: Observation | None = None
        self.reads: dict[SubscriptionId, Read[Subscription]] = {}

    async def step(self) -> bool:
        """Ask the core for the next action and carry it out. False: nothing more to do for now."""
        tools, now = self.tools, self.tools.clock.now()
        action = next_action(self.case, self.observation, now, tools.policy)
        if self.case.progress.alarmed_at is None and is_late(self.case, now, tools.policy):
            await self._alarm(now)
        if begins(self.case, action):
            refusal = await tools.gate.refusal(self.case)
            if refusal is not None:
                return await self._pause(refusal)
        deadline = self.case.progress.deadline_at
        with tools.lanes.urgent(deadline) if deadline else nullcontext():
            return await self._carry_out(action)

    async def _carry_out(self, action: actions.Action) -> bool:
        if isinstance(action, actions.Write):
            return await self._begin(action)
        match action:
            case actions.Observe():
                return await self._observe(action)
            case actions.Pause(refusal=refusal):
                return await self._pause(refusal)
            case actions.Link(counterparts=found):
                return await self._note(Phase.CUTTING_OVER, "cutover.counterparts.linked", found)
            case actions.MarkVerified(counterparts=found):
                return await self._note(Phase.VERIFIED, "cutover.customer.verified", found)
            case actions.MarkSuspended(counterparts=found, finished=finished):
                phase, name = (Phase.MOVED, "moved") if finished else (Phase.VERIFIED, "suspended")
                return await self._note(phase, f"cutover.customer.{name}", found) and not finished
            case actions.MarkWithdrawn(counterparts=found, refusal=refusal):
                return await self._withdrawn(found, refusal)
            case actions.AdoptOutcome() | actions.Resend():
                return await self._settle(action)

    async def _settle(self, action: actions.AdoptOutcome | actions.Resend) -> bool:
        if isinstance(action, actions.AdoptOutcome):
            return await self._adopt(action.intent, action.outcome)
        return await self._send(await self._again(action.intent) if action.intent.kind.creates else action.intent)

    async def _again(self, intent: Intent) -> Intent:
        """An order is sent again as an intent of its own: what is concluded later counts from this time (invariant 2).

        A crash between the two commits leaves an order that surely had no effect: it is simply decided anew.
        """
        now = self.tools.clock.now()
        again = sent_again(intent, self.tools.consolidation, now)
        detail = f"It had no effect and is sent again as {again.key}."
        outcome = Outcome(intent_key=intent.key, kind=OutcomeKind.FAILED, at=now, code="sent_again", detail=detail)
        facts = {"intent": intent.key, "again": again.key}
        event = f"cutover.{intent.kind.value}.sent_again"
        await self._record(Step(progress=self.case.progress, outcome=outcome, event=event, facts=facts))
        await self.tools.ledger.record_intent(again)
        return again

    # --- reading ---

    async def _observe(self, wanted: actions.Observe) -> bool:
        """Read both sides at once, or one. The time is taken before the reads: an older stamp errs on the safe side."""
        now, before = self.tools.clock.now(), self.observation
        old_target = before if wanted.sources_only else None
        old_source = before if wanted.target_only else None
        sources = () if old_source else self.case.customer.source_tenant_ids
        tenants = sources + (() if old_target else (self.tools.target_id,))
        centers = [self.tools.tenants[tenant] for tenant in tenants]
        try:
            found = await asyncio.gather(*(one.subscriptions(self.case.customer.customer_id) for one in centers))
            known = old_target or old_source
            agreed = known.has_agreement if known else await self._agreement()
        except NotFoundError as error:
            return await self._pause(_unreadable(error.message))
        except _NO_EFFECT_LATER as error:
            return await self._pause(_later(error, now, self.tools.policy))
        self.reads |= {read.value.id: read for reads in found for read in reads}
        from_sources = {read.value.id: read.value for reads in found[: len(sources)] for read in reads}
        from_target = {read.value.id: read.value for reads in found[len(sources) :] for read in reads}
        self.observation = Observation(
            at=known.at if known else now,
            source=old_source.source if old_source else from_sources,
            target=old_target.target if old_target else from_target,
            ordered_as=_ordered_as(self.case),
            has_agreement=agreed,
            target_at=old_target.target_at if old_target else now,
        )
        return True

    async def _agreement(self) -> bool | None:
        if not needs_agreement_read(self.case):
            return None
        return await self.tools.tenants[self.tools.target_id].has_agreement(self.case.customer.customer_id)

    # --- noting ---

    async def _pause(self, refusal: Refusal) -> bool:
        progress = replace(
            self.case.progress,
            phase=refusal.phase,
            code=refusal.code.value,
            detail=refusal.detail,
            owner=refusal.owner,
            next_action=refusal.next_action,
            due_at=refusal.due_at,
        )
        changed = (progress.phase, progress.code, progress.detail) != (
            self.case.progress.phase,
            self.case.progress.code,
            self.case.progress.detail,
        )
        event = f"cutover.customer.{refusal.code.value}" if changed else ""
        await self._record(Step(progress=progress, event=event, facts={"detail": refusal.detail}))
        return False

    async def _alarm(self, now: datetime) -> None:
        """Say once, aloud, that a cutover may not end on its day (invariant 3); what follows is the policy's."""
        day = open_since(self.case)
        facts = {"began_on": str(day), "late_case": self.tools.policy.late_case.value}
        progress = replace(self.case.progress, alarmed_at=now)
        await self._record(Step(progress=progress, event="alarm.cutover_late", facts=facts))

    async def _withdrawn(self, found: tuple[Counterpart, ...], refusal: Refusal) -> bool:
        progress = replace(
            self.case.progress,
            phase=refusal.phase,
            code=refusal.code.value,
            detail=refusal.detail,
            owner=refusal.owner,
            next_action=refusal.next_action,
            due_at=refusal.due_at,
            deadline_at=None,
            alarmed_at=None,
        )
        facts = {"subscriptions": str(len(found)), "detail": refusal.detail}
        await self._record(Step(progress=progress, counterparts=found, event="cutover.customer.withdrawn", facts=facts))
        return False

    async def _note(self, phase: Phase, event: str, counterparts: tuple[Counterpart, ...]) -> bool:
        final = phase.is_final
        progress = replace(
            self.case.progress,
            phase=phase,
            code="",
            detail="",
            owner=Owner.NOBODY if final else Owner.TENANTFOLD,
            next_action="",
            due_at=None if final else self.tools.clock.now(),
            deadline_at=None if final else self.case.progress.deadline_at,
            alarmed_at=None if final else self.case.progress.alarmed_at,
        )
        today = self.tools.clock.now().date()
        late = [one for one in counterparts if one.suspended_at and one.cutover_on not in {None, today}]
        facts = {"subscriptions": str(len(counterparts))} | ({"late": str(len(late))} if late else {})
        await self._record(Step(progress=progress, counterparts=counterparts, event=event, facts=facts))
        return True

    async def _record(self, step: Step) -> None:
        progress = await self.tools.ledger.record_step(step, self.tools.clock.now())
        if step.event:
            say = log.warning if step.event.startswith("alarm.") else log.info
            say(step.event, customer_id=progress.customer_id, phase=progress.phase.value, **step.facts)
        self.case = replace(self.case, progress=progress)

    # --- writing ---

    async def _begin(self, action: actions.Write) -> bool:
        """Commit the intent, then make the call (invariant 6)."""
        tools = self.tools
        intent = intent_for(
            action, self.case, self.observation, tools.consolidation, tools.target_id, tools.clock.now()
        )
        await self.tools.ledger.record_intent(intent)
        return await self._send(intent)

    async def _send(self, intent: Intent) -> bool:
        """Make the call of an intent once. What is unknown stays open; what surely failed gets an outcome."""
        try:
            outcome = await self._call(intent)
        except _EFFECT_UNKNOWN as error:
            return await self._lost(intent, error)
        except _NO_EFFECT_LATER as error:
            refusal = _later(error, self.tools.clock.now(), self.tools.policy)
            return await self._failed(intent, error, refusal)
        except AuthError as error:
            await self._failed(intent, error, _later(error, self.tools.clock.now(), self.tools.policy))
            raise
        except ConflictError as error:
            self.observation = None  # the state moved under us: close this attempt, read and decide again
            again = intent.generation < MAX_CONFLICTS
            return await self._failed(intent, error, None if again else _refused(error))
        except PartnerCenterError as error:
            return await self._failed(intent, error, _refused(error))
        return await self._succeeded(intent, outcome)

    async def _call(self, intent: Intent) -> Outcome:
        center = self.tools.tenants[intent.tenant_id]
        request_id = intent.request_id
        match intent.kind:
            case OpKind.ATTEST_AGREEMENT if intent.contact is not None:
                await center.attest_agreement(intent.customer_id, intent.contact, request_id)
                return self._done(intent)
            case OpKind.PLACE_ORDER:
                order = center.place_order(intent.customer_id, intent.billing_cycle, intent.lines, request_id)
                return await self._placed(intent, order)
            case OpKind.BUY_ADD_ONS if intent.order_id is not None:
                order = center.buy_add_ons(intent.customer_id, intent.order_id, intent.lines, request_id)
                return await self._placed(intent, order)
            case OpKind.SUSPEND:
                return await self._set_status(center.suspend, intent, intent.subjects[0])
            case OpKind.WITHDRAW if intent.target_id is not None:
                return await self._set_status(center.suspend, intent, intent.target_id)
            case OpKind.REACTIVATE if intent.target_id is not None:
                return await self._set_status(center.activate, intent, intent.target_id)
            case _:
                raise StoreError(f"Intent {intent.key} of kind {intent.kind.value} lacks what its call needs.")

    async def _placed(self, intent: Intent, order: Awaitable[PlacedOrder]) -> Outcome:
        placed = await order
        return replace(self._done(intent), order_id=placed.id, lines=placed.lines)

    async def _set_status(self, change: ChangeStatus, intent: Intent, subscription_id: SubscriptionId) -> Outcome:
        """Change the status of what was read; Microsoft refuses when it is not as it was read any more (eTag)."""
        answer = await change(intent.customer_id, self.reads[subscription_id], intent.request_id)
        self.reads[subscription_id] = answer
        return self._done(intent)

    def _done(self, intent: Intent) -> Outcome:
        return Outcome(intent_key=intent.key, kind=OutcomeKind.DONE, at=self.tools.clock.now())

    async def _succeeded(self, intent: Intent, outcome: Outcome) -> bool:
        """Outcome, counterparts and progress in one commit (T3)."""
        now = self.tools.clock.now()
        taken = {one.target_id for one in self.case.counterparts if one.target_id is not None}
        # found by reading: it was created when the intent was sent; our own answer: just now (a resend may be later)
        created_on = now.date() if outcome.kind is OutcomeKind.DONE else intent.at.date()
        counterparts = counterparts_of(intent, outcome, taken, created_on)
        counterparts += reactivated(intent, outcome, self.case.counterparts, created_on)
        deadline = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), tzinfo=now.tzinfo)
        progress = replace(
            self.case.progress,
            phase=Phase.VERIFIED if intent.kind is OpKind.SUSPEND else Phase.CUTTING_OVER,
            code="",
            detail="",
            owner=Owner.TENANTFOLD,
            next_action="",
            due_at=now,
            deadline_at=self.case.progress.deadline_at or (deadline if counterparts else None),
        )
        event = f"cutover.{intent.kind.value}.{outcome.kind.value}"
        facts = {"intent": intent.key, "order": outcome.order_id or "", "subjects": " ".join(intent.subjects)}
        await self._record(
            Step(progress=progress, outcome=outcome, counterparts=counterparts, event=event, facts=facts)
        )
        self._note_write(intent)
        return True

    def _note_write(self, intent: Intent) -> None:
        """What our own write makes of the observation: still good, old on one side, or void."""
        if self.observation is None:
            return
        if intent.kind is OpKind.SUSPEND:
            since = self.observation.suspended_since | set(intent.subjects)
            self.observation = replace(self.observation, suspended_since=since)
        elif intent.kind is not OpKind.ATTEST_AGREEMENT:
            self.observation = replace(self.observation, target_is_old=True)

    async def _adopt(self, intent: Intent, outcome: Outcome) -> bool:
        observation = self.observation
        await self._succeeded(intent, outcome)
        if intent.kind is OpKind.SUSPEND:
            self.observation = observation  # it was found by reading: that read stays good
        return True

    async def _lost(self, intent: Intent, error: PartnerCenterError) -> bool:
        """The answer was lost: the intent stays open, and the next question to the core settles it by reading."""
        self.observation = None
        facts = {"intent": intent.key, "error": error.message}
        step = Step(progress=self.case.progress, event=f"cutover.{intent.kind.value}.answer_lost", facts=facts)
        await self._record(step)
        if intent.kind is OpKind.ATTEST_AGREEMENT:  # settled by sending again: not in a tight loop
            return await self._pause(_later(error, self.tools.clock.now(), self.tools.policy))
        return True

    async def _failed(self, intent: Intent, error: PartnerCenterError, refusal: Refusal | None) -> bool:
        outcome = Outcome(
            intent_key=intent.key,
            kind=OutcomeKind.FAILED,
            at=self.tools.clock.now(),
            code=str(error.facts.get("code", error.code)),
            detail=error.message,
        )
        facts = {"intent": intent.key, "error": error.message}
        event = f"cutover.{intent.kind.value}.failed"
        await self._record(Step(progress=self.case.progress, outcome=outcome, event=event, facts=facts))
        return await self._pause(refusal) if refusal is not None else True


def _ordered_as(case: Case) -> dict[SubscriptionId, tuple[str, int]]:
    return {
        line.source_subscription_id: (line.offer_id, line.license_count)
        for intent, outcome in case.settled
        if outcome.kind is not OutcomeKind.FAILED
        for line in intent.lines
    }


def _unreadable(detail: str) -> Refusal:
    return Refusal(
        code=RefusalCode.NOT_READABLE,
        phase=Phase.FAILED,
        rule="invariant 9",
        detail=detail,
        owner=Owner.OPERATIONS,
        next_action="Check the relationship with this customer in both tenants, then run again.",
    )


def _later(error: PartnerCenterError, now: datetime, policy: Policy) -> Refusal:
    return Refusal(
        code=RefusalCode.NOT_READABLE,
        phase=Phase.FAILED,
        rule="R-226",
        detail=error.message,
        owner=Owner.TENANTFOLD,
        next_action="Keep tenantfold run going, or run it again: it tries again.",
        due_at=now + timedelta(seconds=policy.retry_seconds),
    )


def _refused(error: PartnerCenterError) -> Refusal:
    return Refusal(
        code=RefusalCode.MICROSOFT_REFUSED,
        phase=Phase.FAILED,
        rule="commerce reference 2.4",
        detail=error.message,
        owner=Owner.OPERATIONS,
        next_action="Remove the reason Microsoft gives, then run again.",
    )
