"""The protocols the use cases need: the outside world as this program sees it.

``partnercenter`` and ``store`` implement them; ``bootstrap`` plugs them in; tests use fakes that implement them whole.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from tenantfold.domain.admission import Load
from tenantfold.domain.evidence import Evidence
from tenantfold.domain.facts import EarlierRuns, TenantFacts
from tenantfold.domain.guards import Refusal
from tenantfold.domain.journal import Intent
from tenantfold.domain.model import (
    Customer,
    CustomerId,
    Offer,
    Route,
    Sku,
    Subscription,
    SubscriptionId,
    Tenant,
    TenantId,
)
from tenantfold.domain.plan import Disposition, PlanCustomer, PlanHeader, PlanRecord
from tenantfold.domain.reads import Read
from tenantfold.domain.records import BookEntry, Case, Event, Invitation, Place, Snapshot, Standing, Step
from tenantfold.domain.states import Counterpart, Phase, Progress
from tenantfold.domain.waves import Growth, Held, Hold, Wave, WaveSize, WaveState
from tenantfold.domain.webhooks import Delivery, ProbeOutcome, Registration


class Clock(Protocol):
    """Time. The only way to know it or to let it pass (DESIGN 6)."""

    def now(self) -> datetime:
        """The present as an aware UTC datetime, following the server's clock once it is known."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let this many seconds pass."""
        ...


class Gate(Protocol):
    """Asked before the first write of a customer's cutover whether it may begin today (DESIGN 7, admission)."""

    async def refusal(self, case: Case) -> Refusal | None:
        """None when the cutover can end today beside everything that is open; else why not, with the numbers."""
        ...

    async def held(self, case: Case) -> Refusal | None:
        """None when nobody holds the customer: all that is asked of a route that need not end today."""
        ...


class Lanes(Protocol):
    """The two lanes of the rate budget: what must end today goes first (DESIGN 7)."""

    def urgent(self, deadline: datetime) -> AbstractContextManager[None]:
        """Calls inside are served from the reserved tokens, earlier deadlines first."""
        ...


# --- handing out ----------------------------------------------------------------------------------------------------


class Work(Protocol):
    """Customers to drive, as a dispatcher sees them. ``flow.reconciler`` implements it."""

    async def due(self, limit: int) -> Sequence[CustomerId]:
        """Who is due now, most urgent first, whether or not somebody drives them already."""
        ...

    async def drive(self, customer_id: CustomerId) -> None:
        """Take one customer as far as it goes now. Short, repeatable after any crash; raises only what stops all."""
        ...

    def next_at(self) -> datetime | None:
        """When somebody may become due by time alone; None when nobody is known to."""
        ...

    def stopping(self) -> bool:
        """Whether nobody new may be driven."""
        ...


class Dispatcher(Protocol):
    """Hands due customers to whoever drives them: this process, or workers on any number of machines."""

    async def dispatch(self, work: Work) -> None:
        """Hand out who is due, by deadline, until nothing is left to hand out for now or the work is stopping.

        What ``work.drive`` raises arrives as itself after the other drives have ended.
        """
        ...


# --- the ledger -----------------------------------------------------------------------------------------------------


class Inventory(Protocol):
    """The part of the ledger that holds snapshots."""

    async def save_tenant(self, tenant: Tenant) -> None:
        """Keep a partner tenant's facts (upsert by id)."""
        ...

    async def tenants(self) -> tuple[Tenant, ...]:
        """The partner tenants known, target last."""
        ...

    async def open_snapshot(self, tenant_id: TenantId, now: datetime) -> Snapshot:
        """Continue the tenant's unfinished snapshot, or begin the next number."""
        ...

    async def save_customer_page(
        self, snapshot: Snapshot, customers: Sequence[Read[Customer]], next_link: str | None
    ) -> None:
        """Keep one page; next_link None means that the list is complete. Idempotent per customer."""
        ...

    async def customers_to_read(self, snapshot: Snapshot, limit: int) -> tuple[CustomerId, ...]:
        """Customers of the snapshot whose details and subscriptions are still missing, in id order."""
        ...

    async def save_customers(
        self, snapshot: Snapshot, customers: Sequence[tuple[Read[Customer], Sequence[Read[Subscription]]]]
    ) -> None:
        """Keep the details of some customers and all their subscriptions, together or not at all."""
        ...

    async def save_unread_customer(self, snapshot: Snapshot, customer_id: CustomerId, reason: str) -> None:
        """Keep that this customer could not be read, and why (invariant 9)."""
        ...

    async def save_offers(self, snapshot: Snapshot, country: str, offers: Sequence[Read[Offer]]) -> None:
        """Keep the catalog of one country with the snapshot."""
        ...

    async def save_facts(self, snapshot: Snapshot, facts: Sequence[TenantFacts]) -> None:
        """Keep what was looked up beside the subscriptions of some listed customers."""
        ...

    async def save_skus(self, snapshot: Snapshot, country: str, skus: Sequence[Read[Sku]]) -> None:
        """Keep the new-commerce SKUs of one country with the snapshot."""
        ...

    async def skus(self, snapshot: Snapshot, country: str) -> Mapping[str, Sku]:
        """New-commerce SKUs by ``PRODUCT:SKU`` sold in a country, as the target snapshot holds them."""
        ...

    async def license_countries(self) -> tuple[str, ...]:
        """The countries of the source customers in the newest snapshots who hold licenses, new commerce or legacy."""
        ...

    async def source_countries(self) -> tuple[str, ...]:
        """The countries of all source customers in the newest snapshots."""
        ...

    async def active_at_sources(self, ids: Sequence[CustomerId]) -> frozenset[CustomerId]:
        """Which of these customers hold something active at a source, by its newest snapshot."""
        ...

    async def planned_to_move(self, ids: Sequence[CustomerId]) -> frozenset[CustomerId]:
        """Which of these customers the newest plan moves, or would but for a blocker; nobody without a plan."""
        ...

    async def complete_snapshot(self, snapshot: Snapshot, now: datetime) -> Snapshot:
        """Close a snapshot: from now on plans may rest on it."""
        ...

    async def newest_snapshot(self, tenant_id: TenantId) -> Snapshot | None:
        """The newest snapshot of a tenant, complete or not."""
        ...

    def book(self, snapshots: Sequence[Snapshot]) -> AsyncIterator[BookEntry]:
        """All customers seen in any source snapshot, in id order, with what the target holds of them."""
        ...

    async def book_entry(self, snapshots: Sequence[Snapshot], customer_id: CustomerId) -> BookEntry | None:
        """One customer of the book."""
        ...

    async def catalog(self, snapshot: Snapshot, country: str) -> Mapping[str, Offer]:
        """Offers by id sold in a country, as the target snapshot holds them."""
        ...

    async def find_customers(self, text: str) -> tuple[tuple[CustomerId, str], ...]:
        """Customers whose id, company name or domain matches (exact id or domain first), with company name."""
        ...


class Ledger(Protocol):
    """The part of the ledger that holds plans, the journal and every customer's progress."""

    async def save_plan(self, header: PlanHeader, customers: AsyncIterator[PlanCustomer], now: datetime) -> PlanRecord:
        """Save a whole plan, in batches that stay invisible until the last one is in, and make it the newest.

        Progress rows of customers that moved already keep their phase and acceptance; others get the phase of their
        disposition (planned, blocked, nothing_to_move, moved) and keep accepted_at.
        """
        ...

    async def newest_plan(self) -> PlanRecord | None:
        """The newest complete plan."""
        ...

    async def plan_digest(self, plan_id: int) -> str:
        """The checksum of what is kept of a plan now, computed anew from every byte of it."""
        ...

    async def approve_plan(self, plan_id: int, approved_by: str, now: datetime) -> PlanRecord:
        """Keep who approved a plan and when."""
        ...

    def plan_customers(self, plan_id: int, disposition: Disposition | None = None) -> AsyncIterator[PlanCustomer]:
        """The customers of a plan in id order, all or of one disposition."""
        ...

    async def plan_customer(self, plan_id: int, customer_id: CustomerId) -> PlanCustomer | None:
        """One customer of a plan."""
        ...

    async def save_invitation(self, invitation: Invitation) -> None:
        """Keep an invitation; a planned customer becomes invited."""
        ...

    async def invitations(self) -> Mapping[CustomerId, Invitation]:
        """All invitations by customer."""
        ...

    async def mark_accepted(self, customer_ids: Sequence[CustomerId], now: datetime) -> int:
        """Note which waiting customers appeared in the target's list; they become due. Returns how many were new."""
        ...

    async def waiting_for_acceptance(self) -> frozenset[CustomerId]:
        """Customers to move that have not accepted yet."""
        ...

    async def due_customers(self, now: datetime, limit: int) -> tuple[CustomerId, ...]:
        """Customers of the newest plan that can be driven now: deadline first, then id."""
        ...

    async def next_due_at(self) -> datetime | None:
        """When the next customer becomes due by time alone (settling, provisioning), if any."""
        ...

    async def wake(self, phases: Sequence[Phase], now: datetime) -> int:
        """Make customers of the newest plan in these phases due now (a new run looks at them again)."""
        ...

    async def standings(
        self, after: str = "", limit: int = 500, *, unfinished_only: bool = False
    ) -> tuple[Standing, ...]:
        """Customers of the newest plan with their progress, in id order after a customer id."""
        ...

    async def going_by(self, route: Route) -> tuple[CustomerId, ...]:
        """The unfinished customers of the newest plan with a subscription that goes by a route, in id order."""
        ...

    async def case(self, customer_id: CustomerId) -> Case | None:
        """Everything known about one customer's move; None when it is not in the newest plan."""
        ...

    async def record_intent(self, intent: Intent, version: int) -> None:
        """Commit an intent durably before its call leaves (T2); the customer's row goes from ``version`` to the next.

        ConflictError, with nothing written, when the row moved since it was read, the customer was stopped, or the
        key exists already: whatever was decided before is not wanted any more (invariant 5).
        """
        ...

    async def record_step(self, step: Step, now: datetime) -> Progress:
        """Write the end of a step in one transaction; returns the progress with its new version."""
        ...

    async def counterparts(self, customer_id: CustomerId | None = None) -> Mapping[SubscriptionId, Counterpart]:
        """Known counterparts by source subscription, of one customer or of all."""
        ...

    async def earlier_runs(self) -> EarlierRuns:
        """What the journal and the newest approved plan say to a new plan."""
        ...

    async def phase_counts(self) -> Mapping[Phase, int]:
        """How many customers are in each phase."""
        ...

    async def events(
        self, customer_id: CustomerId | None = None, limit: int = 200, name: str = ""
    ) -> tuple[Event, ...]:
        """The newest events, newest first; with ``name`` only those."""
        ...

    async def add_event(self, name: str, now: datetime, customer_id: CustomerId | None = None, **facts: str) -> None:
        """Add one line of history."""
        ...


class EvidenceLedger(Ledger, Protocol):
    """A ledger that keeps what persons confirm."""

    async def record_evidence(self, confirmed: Evidence, event: Event, now: datetime) -> None:
        """Keep what a person confirmed, with its line of history; the customer becomes due at once."""
        ...

    async def evidence(self, customer_id: CustomerId | None = None) -> tuple[Evidence, ...]:
        """What persons confirmed about one customer, or all of them, oldest first."""
        ...


class Waves(Protocol):
    """The part of the ledger that decides who may begin: waves, holds, and what is left to do."""

    async def create_wave(self, wave: Wave, customer_ids: Sequence[CustomerId], event: Event) -> Wave:
        """Keep a new wave with its customers. ConflictError when its name is taken."""
        ...

    async def waves(self, *states: WaveState) -> tuple[Wave, ...]:
        """Waves in the order they were made; all, or those in some states."""
        ...

    async def wave(self, name: str) -> Wave | None:
        """The wave of this name."""
        ...

    async def change_wave(self, before: WaveState, after: Wave, event: Event) -> Wave:
        """Bring a wave to these values; ConflictError when it is not in the state ``before`` any more."""
        ...

    async def next_start_at(self) -> datetime | None:
        """When the next scheduled wave is (or was) to begin; None when none is scheduled."""
        ...

    async def grow_wave(
        self, wave_id: int, state: WaveState, customer_ids: Sequence[CustomerId], event: Event
    ) -> Growth:
        """Add customers that are in no open wave to a wave in this state, whose overrides lapse. ConflictError."""
        ...

    async def leave_wave(self, wave_id: int, customer_ids: Sequence[CustomerId]) -> int:
        """Take customers that have not begun out of a wave; returns how many left."""
        ...

    async def places(self, customer_ids: Sequence[CustomerId]) -> tuple[Place, ...]:
        """Where these customers stand as to waves; those the newest plan does not have are left out."""
        ...

    async def wave_candidates(self, country: str = "", limit: int | None = None) -> tuple[CustomerId, ...]:
        """Customers to move that are in no open wave and have not begun; who accepted comes first."""
        ...

    async def wave_size(self, wave_id: int) -> WaveSize:
        """How big a wave is."""
        ...

    async def ended_waves(self) -> tuple[Wave, ...]:
        """Running and paused waves with nobody left to move."""
        ...

    async def wave_phases(self) -> Mapping[int, Mapping[Phase, int]]:
        """How many customers of each wave, by its id, are in each phase."""
        ...

    async def wave_load(self, wave_id: int) -> Load:
        """What is left to do for those of a wave that have not begun."""
        ...

    async def open_load(self, admitted: Sequence[CustomerId] = ()) -> Load:
        """What is left to do for those that have begun, and for the admitted that are about to."""
        ...

    async def load_left(self) -> Load:
        """What is left to do for everybody who is to move."""
        ...

    async def held(self, customer_id: CustomerId) -> Held:
        """Why this customer does not begin."""
        ...

    async def held_counts(self) -> Mapping[Held, int]:
        """How many customers still to move are held, by why; those that are not are counted as NOTHING."""
        ...

    async def hold_of(self, customer_id: CustomerId | None) -> Hold | None:
        """The hold of one customer, or of everybody (None)."""
        ...

    async def hold(self, customer_id: CustomerId | None, hold: Hold, event: Event) -> int:
        """Hold one customer, or everybody (None); returns how many are held so now."""
        ...

    async def stop_wave(self, before: WaveState, after: Wave, event: Event, hold: Hold) -> int:
        """Abort a wave and stop what it has begun, both or nothing; returns how many are left between two bills.

        ConflictError when it is not in the state ``before`` any more.
        """
        ...

    async def lift(self, customer_id: CustomerId | None, event: Event) -> bool:
        """Take the hold of one customer, or of everybody (None), away. False: there was none."""
        ...

    async def retry(
        self,
        phases: Sequence[Phase],
        now: datetime,
        *,
        customer_id: CustomerId | None = None,
        wave_id: int | None = None,
    ) -> int:
        """Make customers in these phases due now: one, those of a wave, or all. Returns how many."""
        ...


# --- webhooks -------------------------------------------------------------------------------------------------------


class WakeUps(Protocol):
    """The part of the ledger through which a delivery reaches whoever runs, in whatever process."""

    async def ask_for_acceptances(self, customer_id: CustomerId | None, event: Event) -> bool:
        """Ask for a look at who accepted. False: asked already, or neither this customer nor anybody is waited for."""
        ...

    async def take_ask(self, now: datetime, quiet: timedelta) -> bool:
        """Whether a look at who accepted is asked for and the last one so asked is ``quiet`` ago; it is taken then."""
        ...

    async def give_ask_back(self) -> None:
        """Ask again: the look that was taken came to nothing."""
        ...

    async def wake_customer(self, customer_id: CustomerId, quiet: timedelta, event: Event) -> datetime | None:
        """Make a customer that waits for a later time due at the event's time, or ``quiet`` after its last wake-up.

        Returns when; None when that changes nothing: unknown, finished, due already, or waiting for a person.
        """
        ...


class DeliveryCheck(Protocol):
    """Reads deliveries that are proven to be Microsoft's. ``partnercenter.signatures`` implements it."""

    async def delivery(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        """What it says (header names in lower case). SignatureError, UnavailableError, UnexpectedAnswerError."""
        ...


class WebhookCenter(Protocol):
    """The webhook calls of one partner tenant. ``partnercenter.client`` implements it."""

    async def webhook_events(self) -> tuple[str, ...]:
        """The names of the events this tenant may register."""
        ...

    async def webhook_registration(self) -> Registration | None:
        """The tenant's registration; None without one."""
        ...

    async def make_webhook_registration(self, wish: Registration, request_id: UUID) -> Registration:
        """Register for the first time. ConflictError when there is a registration by now."""
        ...

    async def replace_webhook_registration(self, wish: Registration, request_id: UUID) -> Registration:
        """Replace the registration as a whole. NotFoundError without one."""
        ...

    async def ask_for_test_event(self, request_id: UUID) -> str:
        """Have a test event delivered; returns the id of its outcome."""
        ...

    async def test_event(self, correlation_id: str) -> ProbeOutcome:
        """How a test event went."""
        ...
