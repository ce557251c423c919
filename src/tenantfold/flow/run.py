"""The run: everybody who is due is driven, several at a time, until nothing is left to do now."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tenantfold.domain.model import CustomerId
from tenantfold.domain.plan import PlanRecord
from tenantfold.domain.records import Step
from tenantfold.domain.states import Owner, Phase
from tenantfold.errors import AuthError, PartnerCenterError, StoreError, TenantfoldError, leading_error
from tenantfold.flow.approval import approved_plan
from tenantfold.flow.cutover import Cutover
from tenantfold.flow.progress import Reporter
from tenantfold.flow.relationships import poll_acceptance

BATCH = 500
NOT_STARTED = frozenset({Phase.PLANNED, Phase.INVITED, Phase.BLOCKED})
RECHECKED = tuple(phase for phase in Phase if phase not in NOT_STARTED and not phase.is_final)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """``patience`` bounds waiting for Microsoft (settling, provisioning); ``wait`` waiting for acceptances."""

    in_flight: int = 16
    patience: timedelta = timedelta(minutes=20)
    wait: timedelta = timedelta(0)
    poll_seconds: float = 60.0


@dataclass(slots=True)
class StopSign:
    """Raised by Ctrl-C: customers stop between two actions, and the run ends in order."""

    raised: bool = False

    def __call__(self) -> bool:
        """Whether to stop."""
        return self.raised


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """How a run ended. ``errors`` names customers whose drive ended in an unexpected error."""

    plan: PlanRecord
    phases: Mapping[Phase, int]
    newly_accepted: int
    driven: int
    interrupted: bool
    errors: Mapping[CustomerId, str] = field(default_factory=dict)

    @property
    def unfinished(self) -> int:
        """Customers that neither moved nor had anything to move."""
        return sum(count for phase, count in self.phases.items() if not phase.is_final)


class Run:
    """One run over the newest approved plan."""

    def __init__(self, cutover: Cutover, options: RunOptions, report: Reporter, stop: StopSign) -> None:
        self._cutover = cutover
        self._options = options
        self._report = report
        self._stop = stop
        self._errors: dict[CustomerId, str] = {}
        self._driven: set[CustomerId] = set()
        self._accepted = 0

    async def go(self) -> RunSummary:
        """Drive everybody; what stops a run leaves nothing half-done.

        Raises PlanMissingError, PlanNotApprovedError, AuthError, StoreError.
        """
        ledger, clock = self._cutover.ledger, self._cutover.clock
        plan = await approved_plan(ledger)
        await self._poll()
        await ledger.wake(RECHECKED, clock.now())
        patience_ends = clock.now() + self._options.patience
        wait_ends = clock.now() + self._options.wait
        while not self._stop():
            await self._drive_due()
            if not await self._wait(patience_ends, wait_ends):
                break
        return RunSummary(
            plan=plan,
            phases=await ledger.phase_counts(),
            newly_accepted=self._accepted,
            driven=len(self._driven),
            interrupted=self._stop(),
            errors=self._errors,
        )

    async def _poll(self) -> None:
        target = self._cutover.tenants[self._cutover.target_id]
        self._accepted += await poll_acceptance(self._cutover.ledger, target, self._cutover.clock)

    async def _drive_due(self) -> None:
        """Drive everybody who is due until nobody is."""
        slots = asyncio.Semaphore(self._options.in_flight)
        while not self._stop():
            due = await self._cutover.ledger.due_customers(self._cutover.clock.now(), BATCH)
            if not due:
                return
            try:
                async with asyncio.TaskGroup() as group:
                    for customer_id in due:
                        group.create_task(self._drive(customer_id, slots))
            except ExceptionGroup as failed:
                raise leading_error(failed) from None  # what stops a run arrives as itself

    async def _drive(self, customer_id: CustomerId, slots: asyncio.Semaphore) -> None:
        async with slots:
            if self._stop():
                return
            try:
                await self._cutover.drive(customer_id, self._stop)
            except AuthError:
                raise  # nothing will work for anybody
            except StoreError:
                raise  # our own record is in doubt: stop rather than act unrecorded
            except PartnerCenterError as error:
                await self._set_aside(customer_id, error.message)
            except TenantfoldError as error:
                await self._set_aside(customer_id, f"{error.code}: {error.message}")
            self._driven.add(customer_id)
            self._report.update("customers driven", len(self._driven), None)

    async def _set_aside(self, customer_id: CustomerId, message: str) -> None:
        """One bad customer never stops the others (invariant 8): keep why, and go on."""
        self._errors[customer_id] = message
        case = await self._cutover.ledger.case(customer_id)
        if case is None:
            return
        progress = replace(
            case.progress,
            phase=Phase.FAILED,
            code="not_readable",
            detail=message,
            owner=Owner.OPERATIONS,
            next_action="Read the reason, settle it in Partner Center, then run again.",
            due_at=None,
        )
        step = Step(progress=progress, event="cutover.customer.failed", facts={"error": message})
        await self._cutover.ledger.record_step(step, self._cutover.clock.now())

    async def _wait(self, patience_ends: datetime, wait_ends: datetime) -> bool:
        """Wait for what time alone will bring. False: the run is over."""
        clock = self._cutover.clock
        now = clock.now()
        due = await self._cutover.ledger.next_due_at()
        if due is not None and due <= patience_ends and now < patience_ends:
            await self._sleep(max(0.0, (due - now).total_seconds()))
            return True
        if now < wait_ends and await self._cutover.ledger.waiting_for_acceptance():
            await self._sleep(min(self._options.poll_seconds, (wait_ends - now).total_seconds()))
            await self._poll()
            return True
        return False

    async def _sleep(self, seconds: float) -> None:
        """Sleep in short pieces, so that a stop is noticed and a moved server clock is followed."""
        clock = self._cutover.clock
        until = clock.now() + timedelta(seconds=seconds)
        while not self._stop() and (left := (until - clock.now()).total_seconds()) > 0:
            await clock.sleep(min(left, 1.0))
