"""The reconciler: what driving one due customer means, whoever hands it out. Waits are rows, never sleeping tasks.

A dispatcher (``flow.ports.Dispatcher``) hands customers to ``Reconciler.drive``; what goes wrong with one of them ends
here, so that it never reaches the others (invariant 8). Only what makes every further call senseless is raised.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from tenantfold.domain.model import CustomerId
from tenantfold.domain.records import Step
from tenantfold.domain.states import Owner, Phase
from tenantfold.errors import AuthError, ConflictError, PartnerCenterError, StoreError, TenantfoldError
from tenantfold.flow.cutover import Cutover
from tenantfold.flow.progress import Reporter
from tenantfold.flow.relationships import poll_acceptance
from tenantfold.flow.webhooks import Doorbell

log = structlog.get_logger()

NOT_STARTED = frozenset({Phase.PLANNED, Phase.INVITED, Phase.BLOCKED})
RECHECKED = tuple(phase for phase in Phase if phase not in NOT_STARTED and not phase.is_final)
MAX_CONFLICTS = 5  # in a row for one customer; another worker that moved its row explains one or two


@dataclass(slots=True)
class StopSign:
    """Raised by Ctrl-C: customers stop between two actions, and the run ends in order."""

    raised: bool = False

    def __call__(self) -> bool:
        """Whether to stop."""
        return self.raised


class Reconciler:
    """Drives customers and keeps count. Implements ``flow.ports.Work``.

    ``patient_until`` bounds which due times count as worth waking up for; None counts all of them. With a ``doorbell``
    it listens whether webhooks asked for something.
    """

    def __init__(self, cutover: Cutover, report: Reporter, stop: Callable[[], bool]) -> None:
        self.cutover = cutover
        self.patient_until: datetime | None = None
        self.before_look: Callable[[], Awaitable[None]] | None = None
        self.doorbell: Doorbell | None = None
        self.before_poll: Callable[[], Awaitable[None]] | None = None
        self.accepted = 0
        self.errors: dict[CustomerId, str] = {}
        self._report = report
        self._stop = stop
        self._halted = False
        self._driven: set[CustomerId] = set()
        self._drives = 0
        self._due_at: dict[CustomerId, datetime] = {}  # of those driven here who wait for time alone
        self._looked_at: datetime | None = None
        self._conflicts: Counter[CustomerId] = Counter()

    @property
    def driven(self) -> int:
        """Customers driven at least once."""
        return len(self._driven)

    @property
    def drives(self) -> int:
        """Drives made; a customer that waited in between was driven several times."""
        return self._drives

    def stopping(self) -> bool:
        """Whether nothing new may begin: somebody asked, or nothing will work for anybody any more."""
        return self._halted or self._stop()

    async def due(self, limit: int) -> Sequence[CustomerId]:
        """Who is due now: by deadline, at most so many. StoreError."""
        if self.before_look is not None:
            await self.before_look()
        if self.doorbell is not None:
            await self.doorbell.answer(self.poll)
        self._looked_at = self.cutover.clock.now()
        return await self.cutover.ledger.due_customers(self._looked_at, limit)

    def next_at(self) -> datetime | None:
        """When the next of the customers driven here becomes due by time alone, within the patience.

        Webhooks may make somebody due before: it is looked again no later than the doorbell says.
        """
        soonest = min(self._due_at.values(), default=None)
        looked_at = self._looked_at
        if soonest is not None and looked_at is not None and soonest <= looked_at:
            # due before the last look and not handed out by it: held meanwhile, and no reason to look again at once
            self._due_at = {one: at for one, at in self._due_at.items() if at > looked_at}
            soonest = min(self._due_at.values(), default=None)
        if soonest is not None and self.patient_until is not None and soonest > self.patient_until:
            soonest = None
        if self.doorbell is None:
            return soonest
        listens_at = self.doorbell.next_at()
        return listens_at if soonest is None else min(soonest, listens_at)

    async def poll(self) -> int:
        """Find everybody who accepted by one walk over the target's list. Returns how many are new."""
        if self.before_poll is not None:
            await self.before_poll()
        cutover = self.cutover
        found = await poll_acceptance(cutover.ledger, cutover.tenants[cutover.target_id], cutover.clock)
        self.accepted += found
        return found

    async def wake(self) -> int:
        """Make everybody due who began and stopped for a reason: the reason may be gone. Returns how many."""
        return await self.cutover.ledger.wake(RECHECKED, self.cutover.clock.now())

    async def drive(self, customer_id: CustomerId) -> None:
        """Take one customer as far as it goes now; its own trouble is kept on its row and not raised.

        Raises AuthError (nothing will work for anybody) and StoreError (our own record is in doubt: better stop than
        act unrecorded); from then on ``stopping`` is true.
        """
        self._due_at.pop(customer_id, None)
        try:
            await self._drive(customer_id)
        except (AuthError, StoreError):
            self._halted = True
            raise
        self._drives += 1
        self._driven.add(customer_id)
        self._report.update("customers driven", len(self._driven), None)

    async def _drive(self, customer_id: CustomerId) -> None:
        try:
            progress = await self.cutover.drive(customer_id, self.stopping)
        except AuthError:
            raise
        except ConflictError as error:
            await self._overtaken(customer_id, error)
        except StoreError:
            # it may have left the plan after it was handed out; a ledger that fails fails this question, too
            if await self.cutover.ledger.case(customer_id) is not None:
                raise
        except PartnerCenterError as error:
            await self._set_aside(customer_id, error.message)
        except TenantfoldError as error:
            await self._set_aside(customer_id, f"{error.code}: {error.message}")
        except Exception as error:  # a fault of ours that one customer's facts bring out: invariant 8 holds for it, too
            log.exception("cutover.drive.broke", customer_id=customer_id)
            await self._set_aside(customer_id, f"internal: {type(error).__name__}: {error}")
        else:
            del self._conflicts[customer_id]
            # who is due and was left alone all the same (stopped) would wake the dispatcher without an end
            if progress.due_at is not None and progress.due_at > self.cutover.clock.now():
                self._due_at[customer_id] = progress.due_at

    async def _overtaken(self, customer_id: CustomerId, error: ConflictError) -> None:
        """Somebody else moved the row: that is who drives now. Only a conflict that never ends is a failure."""
        self._conflicts[customer_id] += 1
        if self._conflicts[customer_id] >= MAX_CONFLICTS:
            del self._conflicts[customer_id]
            await self._set_aside(customer_id, error.message)

    async def _set_aside(self, customer_id: CustomerId, message: str) -> None:
        """One bad customer never stops the others (invariant 8): keep why, and go on."""
        self.errors[customer_id] = message
        case = await self.cutover.ledger.case(customer_id)
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
        try:
            await self.cutover.ledger.record_step(step, self.cutover.clock.now())
        except ConflictError:
            self.errors.pop(customer_id)  # moved meanwhile: whoever moved it knows better


def unfinished(phases: Mapping[Phase, int]) -> int:
    """How many customers neither moved nor had anything to move."""
    return sum(count for phase, count in phases.items() if not phase.is_final)
