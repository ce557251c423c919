"""The run: everybody who is due is driven, until nothing is left to do now. Workers do the same without an end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tenantfold.domain.model import CustomerId
from tenantfold.domain.plan import PlanRecord
from tenantfold.domain.states import Phase
from tenantfold.flow.approval import approved_plan, check_unchanged
from tenantfold.flow.cutover import Cutover
from tenantfold.flow.ports import Dispatcher
from tenantfold.flow.progress import Reporter
from tenantfold.flow.reconciler import Reconciler, StopSign, unfinished
from tenantfold.flow.webhooks import LISTEN_SECONDS, Doorbell

__all__ = ["Run", "RunOptions", "RunSummary", "StopSign"]

NAP_SECONDS = 1.0  # how soon a stop and a moved clock are noticed


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """``patience`` bounds waiting for Microsoft (settling, provisioning); ``wait`` for acceptances and waves.

    ``before_look`` happens before every look for due customers: it starts scheduled waves. ``next_start_at`` says when
    it can start the next one. ``before_poll`` happens before every look for acceptances: it learns Microsoft's time.
    With a ``doorbell`` webhooks may end a wait early.
    """

    in_flight: int = 16
    patience: timedelta = timedelta(minutes=20)
    wait: timedelta = timedelta(0)
    poll_seconds: float = 60.0
    before_look: Callable[[], Awaitable[None]] | None = None
    doorbell: Doorbell | None = None
    next_start_at: Callable[[], Awaitable[datetime | None]] | None = None
    before_poll: Callable[[], Awaitable[None]] | None = None


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
        return unfinished(self.phases)


class Run:
    """One run over the newest approved plan. ``dispatch.local.local_run`` builds one that drives in this process."""

    def __init__(
        self, cutover: Cutover, options: RunOptions, report: Reporter, stop: StopSign, dispatcher: Dispatcher
    ) -> None:
        self._cutover = cutover
        self._options = options
        self._stop = stop
        self._dispatcher = dispatcher
        self._work = Reconciler(cutover, report, stop)
        self._work.before_look = options.before_look
        self._work.doorbell = options.doorbell
        self._work.before_poll = options.before_poll
        self._poll_at: datetime | None = None  # the next look at who accepted, while they are waited for
        self._accepted = 0  # for whom patience began

    async def go(self) -> RunSummary:
        """Drive everybody; what stops a run leaves nothing half-done.

        Raises PlanMissingError, PlanNotApprovedError, PlanRefusedError, AuthError, StoreError.
        """
        ledger, clock, work = self._cutover.ledger, self._cutover.clock, self._work
        plan = await approved_plan(ledger)
        await check_unchanged(ledger, plan)
        await work.poll()
        await work.wake()
        work.patient_until = clock.now() + self._options.patience
        wait_ends = clock.now() + self._options.wait
        while not self._stop():
            await self._dispatcher.dispatch(work)
            if not (await self._be_patient() or await self._wait(wait_ends)):
                break
        return RunSummary(
            plan=plan,
            phases=await ledger.phase_counts(),
            newly_accepted=work.accepted,
            driven=work.driven,
            interrupted=self._stop(),
            errors=work.errors,
        )

    async def _be_patient(self) -> bool:
        """Wait for what time alone will bring soon. False: there is nothing."""
        now, until = self._cutover.clock.now(), self._work.patient_until
        due = await self._cutover.ledger.next_due_at()
        if until is None or due is None or due > until or now >= until:
            return False
        await self._sleep(max(0.0, (due - now).total_seconds()))
        return True

    async def _wait(self, wait_ends: datetime) -> bool:
        """Wait for an acceptance or for the start of a scheduled wave. False: nobody can begin within the wait.

        Whoever begins then may need as long as those at the start, so patience begins anew.
        """
        clock, options, work = self._cutover.clock, self._options, self._work
        now = clock.now()
        starts_at = await options.next_start_at() if options.next_start_at is not None else None
        has_start = starts_at is not None and starts_at <= wait_ends
        if now >= wait_ends or not (has_start or await self._cutover.ledger.waiting_for_acceptance()):
            return False
        self._poll_at = self._poll_at or min(now + timedelta(seconds=options.poll_seconds), wait_ends)
        # a wave whose time has come and that did not start is no reason to turn without a rest
        until = min(self._poll_at, max(starts_at, now + timedelta(seconds=NAP_SECONDS))) if starts_at else self._poll_at
        await self._sleep(max(0.0, (until - now).total_seconds()))
        if clock.now() >= self._poll_at:
            self._poll_at = None
            await work.poll()
        if work.accepted > self._accepted or (starts_at is not None and starts_at <= clock.now()):
            self._accepted = work.accepted
            work.patient_until = clock.now() + options.patience
        return True

    async def _sleep(self, seconds: float) -> None:
        """Sleep in short pieces, so that a stop is noticed and a moved server clock is followed.

        With a doorbell no longer than it may go unheard: the dispatcher listens when it looks for due customers.
        """
        clock = self._cutover.clock
        if self._options.doorbell is not None:
            seconds = min(seconds, LISTEN_SECONDS)
        until = clock.now() + timedelta(seconds=seconds)
        while not self._stop() and (left := (until - clock.now()).total_seconds()) > 0:
            await clock.sleep(min(left, NAP_SECONDS))
