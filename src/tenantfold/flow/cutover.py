"""Use cases 10 to 12: drive one customer along all its routes, above all through order, verification and suspension.

``drive`` is short, idempotent and the only way work happens: it asks the core for the next action, carries it out
with intent and outcome around every write, and asks again, until the customer has moved or has to wait.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from tenantfold.domain import actions
from tenantfold.domain.course import next_action, sets_out
from tenantfold.domain.cutover import begins
from tenantfold.domain.guards import Refusal, RefusalCode
from tenantfold.domain.intents import intent_for, sent_again
from tenantfold.domain.journal import Intent, OpKind, Outcome, OutcomeKind
from tenantfold.domain.lateness import is_late, is_open, open_since
from tenantfold.domain.model import CustomerId, Subscription, SubscriptionId, TenantId
from tenantfold.domain.observation import Observation
from tenantfold.domain.pairing import counterparts_of, reactivated
from tenantfold.domain.policy import Policy
from tenantfold.domain.reads import Read
from tenantfold.domain.records import Case, Step
from tenantfold.domain.states import Counterpart, Owner, Phase, Progress
from tenantfold.domain.waves import Held
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
from tenantfold.flow.calls import Caller
from tenantfold.flow.gates import OneLane, OpenGate
from tenantfold.flow.partner_center import PartnerCenter
from tenantfold.flow.ports import Clock, Gate, Lanes, Ledger
from tenantfold.flow.reading import Reader

log = structlog.get_logger()

MAX_ACTIONS = 5_000  # a customer tenant holds at most 300 subscriptions: more actions than this is a loop of ours
MAX_CONFLICTS = 3  # a conflict that stays after reading again is not a race any more

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
    tenant_names: Mapping[TenantId, str] = field(default_factory=dict)

    async def drive(self, customer_id: CustomerId, stopping: Callable[[], bool] = bool) -> Progress:
        """Take a customer as far as it goes now; returns where it stands. Safe to call again after any crash.

        ``stopping`` is asked between actions; True leaves the customer where it is, to be taken up again.
        """
        state = _Drive(self, await self._case(customer_id))
        for _ in range(MAX_ACTIONS):
            if stopping() or not await state.step():
                return state.case.progress
            if not state.knows_case:
                state.case = await self._case(customer_id)
                state.knows_case = True
        raise PartnerCenterError(f"What is read contradicts itself: {MAX_ACTIONS} actions led nowhere.")

    async def _case(self, customer_id: CustomerId) -> Case:
        case = await self.ledger.case(customer_id)
        if case is None:
            raise StoreError(f"Customer {customer_id} is due but not in the newest plan.")
        return case


class _Drive:
    """One drive of one customer: the case as the ledger has it, and the fresh read that holds until the next write.

    The case is loaded once and follows what this drive records. Whoever else moves the customer meanwhile moves its
    version, and then nothing more can be recorded here, hence nothing sent: the drive ends with a ConflictError.
    """

    def __init__(self, tools: Cutover, case: Case) -> None:
        self.tools = tools
        self.case = case
        self.knows_case = True
        self.observation: Observation | None = None
        self.reads: dict[SubscriptionId, Read[Subscription]] = {}
        self._sent_here: str | None = None  # the key of the newest intent, if this drive recorded it
        self._intended_at = tools.clock.now()  # when the ledger last allowed a call

    async def step(self) -> bool:
        """Ask the core for the next action and carry it out. False: nothing more to do for now."""
        if self.case.held is Held.STOPPED:
            return False  # nobody finishes it until somebody lifts that
        tools, now = self.tools, self.tools.clock.now()
        action = next_action(self.case, self.observation, now, tools.policy)
        if self.case.progress.alarmed_at is None and is_late(self.case, now, tools.policy):
            await self._alarm(now)
        refusal = None
        if begins(self.case, action):
            refusal = await tools.gate.refusal(self.case)
        elif sets_out(self.case, action):
            refusal = await tools.gate.held(self.case)
        if refusal is not None:
            return await self._turn_back(refusal)
        deadline = self.case.progress.deadline_at
        with tools.lanes.urgent(deadline) if deadline else nullcontext():
            return await self._carry_out(action)

    async def _carry_out(self, action: actions.Action) -> bool:
        if isinstance(action, actions.Write):
            return await self._begin(action)
        if isinstance(action, actions.AdoptOutcome | actions.Resend):
            return await self._settle(action)
        if isinstance(action, actions.Observe):
            return await self._observe(action)
        if isinstance(action, actions.Pause):
            return await self._pause(action.refusal)
        return await self._keep(action)

    async def _keep(self, action: actions.Note) -> bool:
        match action:
            case actions.Link(counterparts=found):
                return await self._note(Phase.CUTTING_OVER, "cutover.counterparts.linked", found)
            case actions.MarkVerified(counterparts=found):
                return await self._note(Phase.VERIFIED, "cutover.customer.verified", found)
            case actions.MarkSuspended(counterparts=found, finished=finished):
                phase, name = (Phase.MOVED, "moved") if finished else (Phase.VERIFIED, "suspended")
                return await self._note(phase, f"cutover.customer.{name}", found) and not finished
            case actions.MarkArrived(counterparts=found, phase=phase):
                return await self._note(phase, "cutover.items.arrived", found)
            case actions.MarkWithdrawn(counterparts=found, refusal=refusal):
                return await self._withdrawn(found, refusal)

    async def _settle(self, action: actions.AdoptOutcome | actions.Resend) -> bool:
        intent = action.intent
        if isinstance(action, actions.AdoptOutcome):
            return await self._adopt(intent, action.outcome)
        if intent.kind.creates:
            return await self._send(await self._again(intent))
        # under the row's version, like an intent: who decided this on an old read must not send (invariant 5)
        event = f"cutover.{intent.kind.value}.sent_again"
        await self._record(Step(progress=self.case.progress, event=event, facts={"intent": intent.key}, sends=True))
        self._intended_at = self.tools.clock.now()
        return await self._send(intent)

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
        await self._intend(again)
        return again

    # --- reading ---

    async def _observe(self, wanted: actions.Observe) -> bool:
        """Read what the core wants to see; what cannot be read leaves the customer waiting."""
        tools = self.tools
        now, policy = tools.clock.now(), tools.policy
        reader = Reader(tenants=tools.tenants, target_id=tools.target_id, case=self.case, policy=policy, now=now)
        try:
            reading = await reader.read(wanted, self.observation)
        except NotFoundError as error:
            return await self._pause(_unreadable(error.message))
        except _NO_EFFECT_LATER as error:
            return await self._pause(_later(error, reader.now, tools.policy))
        self.reads |= reading.documents
        self.observation = reading.observation
        return True

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

    async def _turn_back(self, refusal: Refusal) -> bool:
        """Keep what the gate said. Who lifted a hold before that found nobody to make due, so it is asked again."""
        await self._pause(refusal)
        return refusal.code is RefusalCode.HELD and await self.tools.gate.held(self.case) is None

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
        ended = final or not _open_after(self.case, counterparts)
        progress = replace(
            self.case.progress,
            phase=phase,
            code="",
            detail="",
            owner=Owner.NOBODY if final else Owner.TENANTFOLD,
            next_action="",
            due_at=None if final else self.tools.clock.now(),
            deadline_at=None if ended else self.case.progress.deadline_at,
            alarmed_at=None if ended else self.case.progress.alarmed_at,
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
        if step.outcome is None or step.outcome.intent_key == self._sent_here:
            self.case = self.case.after_step(step)
        else:  # of a call that another drive made: where it stands among the others, the ledger knows
            self.case, self.knows_case = replace(self.case, progress=progress), False

    # --- writing ---

    async def _begin(self, action: actions.Write) -> bool:
        """Commit the intent, then make the call (invariant 6)."""
        tools = self.tools
        intent = intent_for(
            action, self.case, self.observation, tools.consolidation, tools.target_id, tools.clock.now()
        )
        await self._intend(intent)
        return await self._send(intent)

    async def _intend(self, intent: Intent) -> None:
        self._intended_at = intent.at
        await self.tools.ledger.record_intent(intent, self.case.progress.version)
        self.case = self.case.after_intent(intent)
        self._sent_here = intent.key

    async def _send(self, intent: Intent) -> bool:
        """Make the call of an intent once. What is unknown stays open; what surely failed gets an outcome."""
        stood_still = (self.tools.clock.now() - self._intended_at).total_seconds()
        try:
            if stood_still > self.tools.policy.write_leaves_within_seconds:
                raise UnavailableError(f"This process stood still for {stood_still:.0f} s; the call was not made.")
            outcome = replace(await self._caller(intent).call(intent), at=self.tools.clock.now())
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
            again = intent.kind.is_cutover and intent.generation < MAX_CONFLICTS
            return await self._failed(intent, error, None if again else _refused(error))
        except PartnerCenterError as error:
            return await self._failed(intent, error, _refused(error))
        return await self._succeeded(intent, outcome)

    def _caller(self, intent: Intent) -> Caller:
        tools = self.tools
        return Caller(
            center=tools.tenants[intent.tenant_id],
            reads=self.reads,
            tenant_names=tools.tenant_names,
            country=self.case.customer.country,
        )

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
            phase=_phase_after(intent.kind, self.case),
            code="",
            detail="",
            owner=Owner.TENANTFOLD,
            next_action="",
            due_at=now,
            deadline_at=self.case.progress.deadline_at or (deadline if any(map(is_open, counterparts)) else None),
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
        elif not intent.kind.is_cutover:
            self.observation = None  # several lists may show it: all are read again
        elif intent.kind is not OpKind.ATTEST_AGREEMENT:
            self.observation = replace(self.observation, target_is_old=True)

    async def _adopt(self, intent: Intent, outcome: Outcome) -> bool:
        observation = self.observation
        await self._succeeded(intent, outcome)
        if intent.kind is OpKind.SUSPEND or not intent.kind.is_cutover:
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
        if not intent.kind.is_cutover:
            self.observation = None
            return True  # its machine waits, the other routes go on
        return await self._pause(refusal) if refusal is not None else True


def _open_after(case: Case, counterparts: tuple[Counterpart, ...]) -> bool:
    """Whether a cutover is open once these counterparts are noted."""
    known = {one.source_id: one for one in (*case.counterparts, *counterparts)}
    return any(map(is_open, known.values()))


_PHASES_AFTER = {
    OpKind.SUSPEND: Phase.VERIFIED,
    OpKind.REQUEST_TRANSFER: Phase.TRANSFERRING,
    OpKind.SUBMIT_TRANSFER: Phase.TRANSFERRING,
    OpKind.CANCEL_TRANSFER: Phase.TRANSFERRING,
    OpKind.BUY_AZURE_PLAN: Phase.TRANSFERRING,
    OpKind.CANCEL_AZURE_DEFAULT: Phase.TRANSFERRING,
    OpKind.OPEN_SERVICE_REQUEST: Phase.HANDED_OFF,
    OpKind.STOP_RENEWAL: Phase.RUNNING_OUT,
    OpKind.BUY_AGAIN: Phase.RUNNING_OUT,
}


def _phase_after(kind: OpKind, case: Case) -> Phase:
    """How far a customer is after a write came true. An agreement alone is no beginning: a hold still keeps it."""
    if kind is OpKind.ATTEST_AGREEMENT and not case.has_begun:
        return Phase.ACCEPTED
    return _PHASES_AFTER.get(kind, Phase.CUTTING_OVER)


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
