"""Use case: delegated admin access of the target to its customers (flow room). Beside the move; it never gates one.

The core decides (``domain.gdap_course``); here its step is carried out, with an intent committed before each write and
an outcome after it. A lost answer is looked up before anything is sent again. One customer's trouble stays its own.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol
from uuid import UUID

import structlog

from tenantfold.domain.gdap import (
    AccessAssignment,
    AdminRelationship,
    GdapCase,
    GdapCondition,
    GdapIntent,
    GdapOp,
    GdapOutcome,
    GdapStanding,
    GdapTerms,
    GroupAccess,
    RelationshipId,
    RelationshipWish,
    Seen,
)
from tenantfold.domain.gdap_course import (
    Adopt,
    Begin,
    GdapDesk,
    GdapOrder,
    GdapStep,
    ReadAccess,
    Rest,
    SendAgain,
    failed,
    next_step,
)
from tenantfold.domain.journal import OutcomeKind
from tenantfold.domain.model import CustomerId
from tenantfold.domain.plan import Disposition
from tenantfold.errors import (
    AuthError,
    ConflictError,
    NoAnswerError,
    NotFoundError,
    PartnerCenterError,
    RoleMissingError,
    StoreError,
    TenantfoldError,
    UnexpectedAnswerError,
)
from tenantfold.flow.approval import approved_plan, check_unchanged
from tenantfold.flow.ports import Clock, Ledger
from tenantfold.flow.progress import Reporter

log = structlog.get_logger()

MAX_STEPS = 1_000  # a customer has as many writes as there are groups, and two: more steps than this is a loop of ours
PAGE = 500  # customers of the ledger in memory at a time

_LOOK_AGAIN = (NoAnswerError, UnexpectedAnswerError, ConflictError)
_STOPS_ALL = (AuthError, RoleMissingError)  # the next customer would hear the same


class DelegatedAdmin(Protocol):
    """Delegated admin relationships as the target tenant sees them. ``partnercenter.client`` implements it.

    Raises as ``flow.partner_center.PartnerCenter`` does: a write that may have taken effect is NoAnswerError.
    """

    async def admin_relationships(self, customer_id: CustomerId | None = None) -> tuple[AdminRelationship, ...]:
        """The relationships in every status, with one customer or with all."""
        ...

    async def admin_relationship(self, relationship_id: RelationshipId) -> AdminRelationship:
        """One relationship, fresh. NotFoundError when there is none of this id."""
        ...

    async def offer_admin_relationship(self, wish: RelationshipWish, request_id: UUID) -> AdminRelationship:
        """Make a draft. ConflictError when the partner has one of this name already."""
        ...

    async def request_approval(self, relationship_id: RelationshipId, request_id: UUID) -> None:
        """Send a draft to its customer. ConflictError when it is no draft any more."""
        ...

    async def access_assignments(self, relationship_id: RelationshipId) -> tuple[AccessAssignment, ...]:
        """Which groups have which roles of a relationship."""
        ...

    async def assign_access(
        self, relationship_id: RelationshipId, access: GroupAccess, request_id: UUID
    ) -> AccessAssignment:
        """Give a group roles. ConflictError when it has some already, or the relationship is not active."""
        ...


class GdapLedger(Ledger, Protocol):
    """A ledger that keeps delegated admin access."""

    async def gdap_case(self, customer_id: CustomerId) -> GdapCase | None:
        """What is known of one customer; None when nothing was ever asked or found for it."""
        ...

    async def gdap_cases(self, after: str = "", limit: int = PAGE) -> tuple[GdapCase, ...]:
        """Customers in id order after a customer id."""
        ...

    async def record_gdap_intent(self, case: GdapCase, intent: GdapIntent, lost: GdapOutcome | None = None) -> None:
        """Commit an intent durably before its call leaves, with the outcome of the one it takes the place of."""
        ...

    async def record_gdap_outcome(self, outcome: GdapOutcome) -> None:
        """Keep how an intent ended, durably."""
        ...

    async def save_gdap_standing(self, case: GdapCase, standing: GdapStanding, now: datetime) -> None:
        """Keep where a customer stands; a change of condition is a line of its history."""
        ...


WriteLetter = Callable[[GdapCase, GdapStanding], str]
"""Keeps the letter to one customer somewhere a person can send it from; returns where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GdapTools:
    """What requesting and following delegated admin access needs. ``again``: write letters that were written before."""

    consolidation: str
    ledger: GdapLedger
    target: DelegatedAdmin
    clock: Clock
    terms: GdapTerms
    settling_seconds: float
    write_letter: WriteLetter
    stopping: Callable[[], bool] = bool
    in_flight: int = 16
    again: bool = False


@dataclass(slots=True)
class GdapSummary:
    """What one pass found. ``customers`` are those that were looked at to the end, with where they stand."""

    customers: list[GdapCase] = field(default_factory=list)
    letters: list[str] = field(default_factory=list)
    errors: dict[CustomerId, str] = field(default_factory=dict)
    interrupted: bool = False

    @property
    def conditions(self) -> Mapping[GdapCondition, int]:
        """How many customers stand where."""
        return Counter(one.standing.condition for one in self.customers if one.standing is not None)


async def request(
    tools: GdapTools, report: Reporter, *, only: CustomerId | None = None, renews: bool = False
) -> GdapSummary:
    """Request delegated admin access to the customers that are to move by the approved plan, or to one of them.

    Who was asked before it moved is one of them. Repeatable: who has a relationship gets no second one.
    Raises PlanMissingError, PlanNotApprovedError, PlanRefusedError, AuthError, RoleMissingError, StoreError.
    """
    plan = await approved_plan(tools.ledger)
    await check_unchanged(tools.ledger, plan)
    order = GdapOrder(may_create=True, renews=renews)
    return await _Pass(tools, order, report).go(_asked(tools.ledger, plan.id, only))


async def check(tools: GdapTools, report: Reporter, *, rereads: bool = False) -> GdapSummary:
    """Look what became of every request, and give the groups access where a customer approved. Creates nothing.

    One list of all relationships serves everybody; ``rereads`` looks at access that was verified before as well.
    Raises AuthError, RoleMissingError, StoreError.
    """
    return await _Pass(tools, GdapOrder(rereads=rereads), report).go(every_case(tools.ledger))


async def every_case(ledger: GdapLedger) -> AsyncIterator[GdapCase]:
    """Every customer that delegated admin access was ever asked or found for, in id order."""
    after = ""
    while page := await ledger.gdap_cases(after, PAGE):
        for case in page:
            yield case
        after = page[-1].customer_id


async def _asked(ledger: GdapLedger, plan_id: int, only: CustomerId | None) -> AsyncIterator[GdapCase]:
    """Those that are to move, and those that have moved since they were asked: what was begun with them goes on."""
    for disposition in (Disposition.MOVE, Disposition.MOVED):
        async for customer in ledger.plan_customers(plan_id, disposition):
            if only not in {None, customer.customer_id}:
                continue
            known = await ledger.gdap_case(customer.customer_id)
            if known is None and disposition is Disposition.MOVE:
                known = GdapCase(customer_id=customer.customer_id, company_name=customer.company_name)
            if known is not None:
                yield known


class _Pass:
    """One pass over customers, a few at a time."""

    def __init__(self, tools: GdapTools, order: GdapOrder, report: Reporter) -> None:
        self._tools = tools
        self._order = order
        self._report = report
        self._summary = GdapSummary()
        self._halted: TenantfoldError | None = None

    async def go(self, cases: AsyncIterator[GdapCase]) -> GdapSummary:
        """Take every customer as far as it goes now. What stops all is raised after the calls in flight ended."""
        listed = await self._listed()
        batch: list[GdapCase] = []
        async for case in cases:
            batch.append(case)
            if len(batch) >= self._tools.in_flight:
                await self._drive(batch, listed)
                batch = []
            if self._stopping():
                break
        await self._drive(batch, listed)
        if self._halted is not None:
            raise self._halted
        self._summary.interrupted = self._tools.stopping()
        return self._summary

    async def _listed(self) -> Mapping[CustomerId, Sequence[AdminRelationship]]:
        found: dict[CustomerId, list[AdminRelationship]] = defaultdict(list)
        for one in await self._tools.target.admin_relationships():
            found[one.customer_id].append(one)
        return found

    def _stopping(self) -> bool:
        return self._halted is not None or self._tools.stopping()

    async def _drive(self, batch: Sequence[GdapCase], listed: Mapping[CustomerId, Sequence[AdminRelationship]]) -> None:
        await asyncio.gather(*(self._one(case, listed.get(case.customer_id, ())) for case in batch))

    async def _one(self, case: GdapCase, listed: Sequence[AdminRelationship]) -> None:
        """One customer; its own trouble is kept and stops nobody else (invariant 8)."""
        drive = _Drive(self._tools, self._order, case, listed)
        try:
            standing = await drive.go(self._stopping)
            if standing is not None:
                await self._rest(drive.case, standing)
        except (*_STOPS_ALL, StoreError) as error:
            self._halted = self._halted or error
        except TenantfoldError as error:
            self._summary.errors[case.customer_id] = error.message
        except Exception as error:  # a fault of ours, or a letter that cannot be written: invariant 8 holds for it, too
            log.exception("gdap.drive.broke", customer_id=case.customer_id)
            self._summary.errors[case.customer_id] = f"{type(error).__name__}: {error}"

    async def _rest(self, case: GdapCase, standing: GdapStanding) -> None:
        """Keep where the customer stands; who is to approve gets a letter."""
        before = case.standing
        if standing.condition is GdapCondition.WAITS_FOR_CUSTOMER:
            kept = before.letter if before and before.relationship_id == standing.relationship_id else ""
            place = kept if kept and not self._tools.again else self._tools.write_letter(case, standing)
            standing = replace(standing, letter=place)
            if place != kept or self._tools.again:
                self._summary.letters.append(place)
        await self._tools.ledger.save_gdap_standing(case, standing, self._tools.clock.now())
        self._summary.customers.append(replace(case, standing=standing, checked_at=self._tools.clock.now()))
        self._report.update("customers looked at", len(self._summary.customers), None)


class _Drive:
    """One drive of one customer: the case as last loaded, and what was read of it."""

    def __init__(self, tools: GdapTools, order: GdapOrder, case: GdapCase, listed: Sequence[AdminRelationship]) -> None:
        self.case = case
        self._tools = tools
        self._order = order
        self._seen = Seen(relationships=tuple(listed))

    async def go(self, stopping: Callable[[], bool]) -> GdapStanding | None:
        """Take the customer as far as it goes now; where it stands, None when it was to stop before."""
        await self._find_ours()
        for _ in range(MAX_STEPS):
            if stopping():
                return None
            step = next_step(self.case, self._seen, self._desk(), self._order)
            if isinstance(step, Rest):
                return step.standing
            standing = await self._carry_out(step)
            if standing is not None:
                return standing
            self.case = await self._tools.ledger.gdap_case(self.case.customer_id) or self.case
        raise PartnerCenterError(f"What is read contradicts itself: {MAX_STEPS} steps led nowhere.")

    def _desk(self) -> GdapDesk:
        tools = self._tools
        return GdapDesk(
            consolidation=tools.consolidation,
            terms=tools.terms,
            now=tools.clock.now(),
            settling_seconds=tools.settling_seconds,
        )

    async def _carry_out(self, step: GdapStep) -> GdapStanding | None:
        """Carry out one step; where the customer stands, when it goes no further now."""
        ledger = self._tools.ledger
        match step:
            case Begin(intent=intent, is_there=is_there):
                await ledger.record_gdap_intent(self.case, intent)
                return None if is_there else await self._call(intent)
            case SendAgain(lost=lost, intent=intent):
                detail = "Nothing of it showed after the settling time; it was sent again."
                await ledger.record_gdap_intent(self.case, intent, self._outcome(lost, "sent_again", detail))
                return await self._call(intent)
            case Adopt(intent=intent, relationship_id=found):
                adopted = replace(self._outcome(intent), kind=OutcomeKind.ADOPTED, relationship_id=found)
                await ledger.record_gdap_outcome(adopted)
            case ReadAccess(relationship_id=relationship_id):
                await self._read_access(relationship_id)
            case Rest():
                return step.standing
        return None

    def _outcome(self, intent: GdapIntent, code: str = "", detail: str = "") -> GdapOutcome:
        """An outcome without effect, its kind still to be set by who knows better."""
        return GdapOutcome(
            intent_key=intent.key,
            kind=OutcomeKind.FAILED,
            at=self._tools.clock.now(),
            code=code,
            detail=detail,
        )

    async def _call(self, intent: GdapIntent) -> GdapStanding | None:
        """Make the one call of an intent. What it raises says whether it may have had an effect."""
        try:
            made = await self._send(intent)
        except _LOOK_AGAIN:
            # it may have taken effect, or somebody was faster: the intent stays open
            await self._look(intent)
            await self._look_at_customer()
            return None
        except PartnerCenterError as error:
            outcome = self._outcome(intent, error.code, error.message)
            await self._tools.ledger.record_gdap_outcome(outcome)
            if isinstance(error, _STOPS_ALL):
                raise
            return failed(self.case, intent, outcome, error.next_step)
        done = replace(self._outcome(intent), kind=OutcomeKind.DONE, relationship_id=made.id if made else None)
        await self._tools.ledger.record_gdap_outcome(done)
        if made is None:
            await self._look(intent)
        else:
            self._seen = replace(self._seen, relationships=(*self._seen.relationships, made))
        return None

    async def _send(self, intent: GdapIntent) -> AdminRelationship | None:
        target, request_id = self._tools.target, intent.request_id
        match intent.kind:
            case GdapOp.CREATE if intent.wish is not None:
                return await target.offer_admin_relationship(intent.wish, request_id)
            case GdapOp.LOCK if intent.relationship_id is not None:
                await target.request_approval(intent.relationship_id, request_id)
            case GdapOp.ASSIGN if intent.relationship_id is not None and intent.access is not None:
                await target.assign_access(intent.relationship_id, intent.access, request_id)
            case _:
                raise StoreError(f"Intent {intent.key} of kind {intent.kind.value} lacks what its call needs.")
        return None

    # --- looking ----------------------------------------------------------------------------------------------------

    async def _find_ours(self) -> None:
        """The list was read before this customer's turn: what it should hold and does not is asked for by itself."""
        ours = self.case.relationship_id
        lost = self.case.in_doubt
        missing = ours is not None and all(one.id != ours for one in self._seen.relationships)
        if missing or (lost is not None and lost.kind is GdapOp.CREATE):
            await self._look_at_customer()

    async def _look(self, intent: GdapIntent) -> None:
        """Read again what a write may have changed at what was there before."""
        if intent.kind is GdapOp.ASSIGN and intent.relationship_id is not None:
            await self._read_access(intent.relationship_id)
        elif intent.kind is GdapOp.LOCK:
            await self._look_at_customer()

    async def _look_at_customer(self) -> None:
        """The customer's relationships, and ours by its id where the list does not have it."""
        found = list(await self._tools.target.admin_relationships(self.case.customer_id))
        ours = self.case.relationship_id
        if ours is not None and all(one.id != ours for one in found):
            with contextlib.suppress(NotFoundError):  # the core decides what it means
                found.append(await self._tools.target.admin_relationship(ours))
        self._seen = replace(self._seen, relationships=tuple(found))

    async def _read_access(self, relationship_id: RelationshipId) -> None:
        access = await self._tools.target.access_assignments(relationship_id)
        self._seen = replace(self._seen, access=access)
