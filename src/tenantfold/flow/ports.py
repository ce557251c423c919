"""The protocols the use cases need: the outside world as this program sees it.

``partnercenter`` and ``store`` implement them; ``bootstrap`` plugs them in; tests use fakes that implement them whole.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from tenantfold.domain.journal import Intent, Outcome
from tenantfold.domain.model import (
    AgreementContact,
    Customer,
    CustomerId,
    Offer,
    OrderId,
    OrderLine,
    PlacedOrder,
    Subscription,
    SubscriptionId,
    Tenant,
    TenantId,
)
from tenantfold.domain.plan import Disposition, PlanCustomer, PlanHeader, PlanRecord
from tenantfold.domain.states import Counterpart, Phase, Progress


T = TypeVar("T")


class Clock(Protocol):
    """Time. The only way to know it or to let it pass (DESIGN 6)."""

    def now(self) -> datetime:
        """The present as an aware UTC datetime, following the server's clock once it is known."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let this many seconds pass."""
        ...


# --- Partner Center -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """One page of a collection, with the link to the next one as opaque text (None on the last page)."""

    items: tuple[T, ...]
    next_link: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Read(Generic[T]):
    """A value and the JSON document it was read from: unknown members survive in it, and PATCH sends it back."""

    value: T
    document: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerIdentity:
    """Who we are signed in as: the organization behind the token and the user's Partner Center roles."""

    tenant_id: TenantId
    company_name: str
    country: str
    currency: str
    partner_id: str
    roles: frozenset[str]  # group names as found: "AdminAgents", "SalesAgents", "HelpdeskAgents", "Global administrator"
    user_name: str


class PartnerCenter(Protocol):
    """Partner Center as one partner tenant sees it. One object per tenant.

    Reads retry by policy; writes are sent exactly once, with the request id given.
    Raises the errors of ``tenantfold.errors`` and nothing else. A write that may have taken effect without an answer
    raises NoAnswerError; one that surely had none raises UnavailableError, ThrottledError or RefusedError.
    """

    async def identity(self) -> PartnerIdentity:
        """Read who we are and which roles we hold."""
        ...

    async def relationship_url(self) -> str:
        """The tenant's relationship request URL: the same for all customers (R-97)."""
        ...

    async def customer_page(self, next_link: str | None = None) -> Page[Read[Customer]]:
        """One page of customers (thin items, core reference 3), from the start or from a next link."""
        ...

    def customers(self) -> AsyncIterator[Read[Customer]]:
        """All customers, page after page."""
        ...

    async def customer(self, customer_id: CustomerId) -> Read[Customer]:
        """One customer with country and contact. NotFoundError when there is no relationship."""
        ...

    async def subscriptions(self, customer_id: CustomerId) -> tuple[Read[Subscription], ...]:
        """All subscriptions of a customer in every status, fresh."""
        ...

    async def subscription(self, customer_id: CustomerId, subscription_id: SubscriptionId) -> Read[Subscription]:
        """One subscription, fresh."""
        ...

    async def orders(self, customer_id: CustomerId) -> tuple[PlacedOrder, ...]:
        """The orders of a customer."""
        ...

    async def offers(self, country: str) -> tuple[Read[Offer], ...]:
        """The legacy offers sold in a country, all pages."""
        ...

    async def has_agreement(self, customer_id: CustomerId) -> bool:
        """Whether the Microsoft Customer Agreement is attested by us or signed by the customer directly."""
        ...

    async def attest_agreement(self, customer_id: CustomerId, contact: AgreementContact, request_id: UUID) -> None:
        """State that the customer accepted the agreement. An identical attestation (600061) counts as success."""
        ...

    async def place_order(
        self, customer_id: CustomerId, billing_cycle: str, lines: Sequence[OrderLine], request_id: UUID
    ) -> PlacedOrder:
        """Order base subscriptions, one line each, in one order."""
        ...

    async def buy_add_ons(
        self, customer_id: CustomerId, order_id: OrderId, lines: Sequence[OrderLine], request_id: UUID
    ) -> PlacedOrder:
        """Add add-on lines to the order of their base subscriptions (commerce reference 2.3)."""
        ...

    async def suspend(self, customer_id: CustomerId, read: Read[Subscription], request_id: UUID) -> Read[Subscription]:
        """Set a subscription to suspended, sending back the whole document it was read as, with its eTag (R-225)."""
        ...


# --- the ledger -----------------------------------------------------------------------------------------------------


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


@dataclass(frozen=True, slots=True, kw_only=True)
class BookEntry:
    """One customer over all tenants, as the chosen snapshots hold it: the input of planning."""

    customer_id: CustomerId
    seen: tuple[Customer, ...]
    subscriptions: tuple[Subscription, ...]
    unread: tuple[tuple[TenantId, str], ...] = ()  # tenants whose data of this customer could not be read, with why


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one transaction writes at the end of a step of a customer (T3): all of it or nothing.

    ``progress.version`` is the version that was loaded; the row is stored with version + 1, and a row that moved
    since is a ConflictError with nothing written.
    """

    progress: Progress
    outcome: Outcome | None = None
    counterparts: tuple[Counterpart, ...] = ()
    event: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


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


class Inventory(Protocol):
    """The part of the ledger that holds snapshots."""

    async def save_tenant(self, tenant: Tenant) -> None: ...
    async def tenants(self) -> tuple[Tenant, ...]: ...
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

    async def save_customer(
        self, snapshot: Snapshot, customer: Read[Customer], subscriptions: Sequence[Read[Subscription]]
    ) -> None:
        """Keep one customer's details and subscriptions."""
        ...

    async def save_unread_customer(self, snapshot: Snapshot, customer_id: CustomerId, reason: str) -> None:
        """Keep that this customer could not be read, and why (invariant 9)."""
        ...

    async def save_offers(self, snapshot: Snapshot, country: str, offers: Sequence[Read[Offer]]) -> None: ...
    async def source_countries(self) -> tuple[str, ...]:
        """The countries of all source customers in the newest snapshots."""
        ...

    async def complete_snapshot(self, snapshot: Snapshot, now: datetime) -> Snapshot: ...
    async def newest_snapshot(self, tenant_id: TenantId) -> Snapshot | None:
        """The newest snapshot of a tenant, complete or not."""
        ...

    def book(self, snapshots: Sequence[Snapshot]) -> AsyncIterator[BookEntry]:
        """All customers seen in any source snapshot, in id order, with what the target holds of them."""
        ...

    async def book_entry(self, snapshots: Sequence[Snapshot], customer_id: CustomerId) -> BookEntry | None: ...
    async def catalog(self, snapshot: Snapshot, country: str) -> Mapping[str, Offer]:
        """Offers by id sold in a country, as the target snapshot holds them."""
        ...

    async def find_customers(self, text: str) -> tuple[tuple[CustomerId, str], ...]:
        """Customers whose id, company name or domain matches (exact id or domain first), with company name."""
        ...


class Ledger(Protocol):
    """The part of the ledger that holds plans, the journal and every customer's progress."""

    async def save_plan(
        self, header: PlanHeader, customers: AsyncIterator[PlanCustomer], now: datetime
    ) -> PlanRecord:
        """Save a whole plan, in batches that stay invisible until the last one is in, and make it the newest.

        Progress rows of customers that moved already keep their phase and acceptance; others get the phase of their
        disposition (planned, blocked, nothing_to_move, moved) and keep accepted_at.
        """
        ...

    async def newest_plan(self) -> PlanRecord | None: ...
    async def approve_plan(self, plan_id: int, approved_by: str, now: datetime) -> PlanRecord: ...
    def plan_customers(
        self, plan_id: int, disposition: Disposition | None = None
    ) -> AsyncIterator[PlanCustomer]: ...
    async def plan_customer(self, plan_id: int, customer_id: CustomerId) -> PlanCustomer | None: ...

    async def save_invitation(self, invitation: Invitation) -> None: ...
    async def invitations(self) -> Mapping[CustomerId, Invitation]: ...
    async def mark_accepted(self, customer_ids: Sequence[CustomerId], now: datetime) -> int:
        """Note which waiting customers appeared in the target's list; they become due. Returns how many were new."""
        ...

    async def waiting_for_acceptance(self) -> frozenset[CustomerId]: ...
    async def due_customers(self, now: datetime, limit: int) -> tuple[CustomerId, ...]:
        """Customers of the newest plan that can be driven now: deadline first, then id."""
        ...

    async def next_due_at(self) -> datetime | None:
        """When the next customer becomes due by time alone (settling, provisioning), if any."""
        ...

    async def case(self, customer_id: CustomerId) -> Case | None: ...
    async def record_intent(self, intent: Intent) -> None:
        """Commit an intent durably before its call leaves. ConflictError when the key exists already."""
        ...

    async def record_step(self, step: Step, now: datetime) -> Progress:
        """Write the end of a step in one transaction; returns the progress with its new version."""
        ...

    async def counterparts(self, customer_id: CustomerId | None = None) -> Mapping[SubscriptionId, Counterpart]:
        """Known counterparts by source subscription, of one customer or of all."""
        ...

    async def phase_counts(self) -> Mapping[Phase, int]: ...
    async def events(self, customer_id: CustomerId | None = None, limit: int = 200) -> tuple[Event, ...]: ...
    async def add_event(self, name: str, now: datetime, customer_id: CustomerId | None = None, **facts: str) -> None: ...
