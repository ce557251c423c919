"""What the ledger keeps, as values: snapshots, the book of customers, cases, steps, events, invitations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from tenantfold.domain.evidence import Evidence
from tenantfold.domain.facts import TenantFacts
from tenantfold.domain.journal import Intent, OpKind, Outcome, OutcomeKind
from tenantfold.domain.model import Customer, CustomerId, Subscription, TenantId
from tenantfold.domain.plan import Disposition, PlanCustomer, PlanRecord
from tenantfold.domain.states import Counterpart, Phase, Progress
from tenantfold.domain.waves import Held

# names of events that others than their writer look for
CALLS_MADE = "calls.made"  # its facts are calls by route that a run or worker made since it told the last time
RUN_FINISHED = "run.finished"  # a run ended in order; before there was CALLS_MADE, its facts were its calls by route
CUTOVER_LATE = "alarm.cutover_late"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One numbered read of one tenant. ``completed_at`` is None while it is being read (or was left half-written)."""

    number: int
    tenant_id: TenantId
    started_at: datetime
    completed_at: datetime | None = None
    customers: int = 0
    subscriptions: int = 0
    unread_customers: int = 0
    customers_listed: bool = False  # every page of the customer list is in
    next_link: str | None = None  # where the customer list goes on
    offer_countries: tuple[str, ...] = ()  # countries whose catalog is in
    sku_countries: tuple[str, ...] = ()  # countries whose new-commerce SKUs are in


@dataclass(frozen=True, slots=True, kw_only=True)
class BookEntry:
    """One customer over all tenants, as the chosen snapshots hold it: the input of planning."""

    customer_id: CustomerId
    seen: tuple[Customer, ...]
    subscriptions: tuple[Subscription, ...]
    unread: tuple[tuple[TenantId, str], ...] = ()  # tenants whose data of this customer could not be read, with why
    looked_up: tuple[TenantFacts, ...] = ()  # what was asked beside its subscriptions, where that was needed


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything the ledger knows about one customer's move: the input of every decision."""

    plan: PlanRecord
    customer: PlanCustomer
    progress: Progress
    counterparts: tuple[Counterpart, ...]
    open_intents: tuple[Intent, ...]  # without outcome, oldest first
    settled: tuple[tuple[Intent, Outcome], ...]  # with outcome, oldest first
    invited_at: datetime | None = None
    evidence: tuple[Evidence, ...] = ()  # what persons confirmed, oldest first
    held: Held = Held.NOTHING  # why nothing is begun; ``stopped``: nothing is done at all

    @property
    def has_begun(self) -> bool:
        """Whether no hold keeps it back any more: by its phase, or because something stands at the target.

        A transfer under way may be somebody else's: then only what we did ourselves, or may have, is a beginning.
        """
        if self.counterparts:
            return True
        if self.progress.phase is not Phase.TRANSFERRING:
            return self.progress.phase.has_begun
        ours = [*self.open_intents]
        ours += [intent for intent, outcome in self.settled if outcome.kind is not OutcomeKind.FAILED]
        return any(one.kind is not OpKind.ATTEST_AGREEMENT for one in ours)

    def after_intent(self, intent: Intent) -> Case:
        """The case once the ledger has this intent: what loading it again would give."""
        progress = replace(self.progress, version=self.progress.version + 1)
        return replace(self, progress=progress, open_intents=(*self.open_intents, intent), held=Held.NOTHING)

    def after_step(self, step: Step) -> Case:
        """The case once the ledger has this step. An outcome must be that of the newest of all intents."""
        progress = replace(step.progress, version=step.progress.version + 1)
        known = {one.source_id: one for one in (*self.counterparts, *step.counterparts)}
        counterparts = tuple(known[source_id] for source_id in sorted(known))
        answered = () if step.outcome is None else ((self.open_intents[-1], step.outcome),)
        return replace(
            self,
            progress=progress,
            counterparts=counterparts,
            open_intents=self.open_intents[:-1] if answered else self.open_intents,
            settled=self.settled + answered,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one transaction writes at the end of a step of a customer (T3): all of it or nothing.

    ``progress.version`` is the version that was loaded; the row is stored with version + 1, and a row that moved
    since is a ConflictError with nothing written. ``sends``: a call that has its intent already leaves after it, so
    it is refused in the same way for a customer that is stopped.
    """

    progress: Progress
    outcome: Outcome | None = None
    counterparts: tuple[Counterpart, ...] = ()
    event: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    sends: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of a customer's history."""

    at: datetime
    customer_id: CustomerId | None
    name: str
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """Our record that a relationship request was written for one customer."""

    customer_id: CustomerId
    url: str
    written_to: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One customer of the newest plan, by name, where it stands, and why it does not begin."""

    company_name: str
    progress: Progress
    held: Held = Held.NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one customer of the newest plan stands as to waves. ``wave`` is the name of the last one it was in."""

    customer_id: CustomerId
    disposition: Disposition
    phase: Phase
    held: Held
    wave: str = ""
    in_open_wave: bool = False
