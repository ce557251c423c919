"""Fakes that implement their whole protocol: a Partner Center with faults, and a ledger that survives crashes."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar, cast
from uuid import UUID

from tenantfold.clock import ManualClock
from tenantfold.domain.facts import EarlierRuns
from tenantfold.domain.journal import Intent, Outcome
from tenantfold.domain.model import (
    AgreementContact,
    Customer,
    CustomerId,
    Offer,
    OrderId,
    OrderLine,
    PlacedLine,
    PlacedOrder,
    Route,
    Subscription,
    SubscriptionId,
    TenantId,
)
from tenantfold.domain.plan import ChecksumBuilder, Disposition, PlanCustomer, PlanHeader, PlanRecord
from tenantfold.domain.reads import Page, PartnerIdentity, Read
from tenantfold.domain.records import Case, Event, Invitation, Standing, Step
from tenantfold.domain.resellers import Reseller
from tenantfold.domain.states import Counterpart, Phase, Progress
from tenantfold.errors import ConflictError, NoAnswerError, NotFoundError, RefusedError, UnavailableError
from tests.flow.unplayed import Unplayed

T = TypeVar("T")
TARGET = TenantId("target")


class Crash(BaseException):
    """The process dies here: nothing after this line happens."""


Fault = Callable[[str], str]
"""Asked at every point where something can go wrong, with the point's name; answers what goes wrong ("" = nothing)."""


def no_fault(_point: str) -> str:
    """Nothing goes wrong."""
    return ""


@dataclass
class FakeWorld:
    """Both sides of the fold, and the judge: it watches every change for gaps."""

    clock: ManualClock
    subscriptions: dict[SubscriptionId, Subscription] = field(default_factory=dict)
    related: set[tuple[TenantId, CustomerId]] = field(default_factory=set)
    resellers: tuple[Reseller, ...] = ()
    agreed: set[CustomerId] = field(default_factory=set)
    answered: dict[UUID, object] = field(default_factory=dict)
    fault: Fault = no_fault
    gaps: list[str] = field(default_factory=list)
    writes: Counter[str] = field(default_factory=Counter)
    remembers_requests: bool = True
    numbers: int = 0

    def next_id(self, kind: str) -> str:
        """A new id, unlike any other."""
        self.numbers += 1
        return f"{kind}-{self.numbers:04d}"

    def held(self, tenant_id: TenantId, customer_id: CustomerId) -> list[Subscription]:
        """What a customer holds at a tenant."""
        return [
            one for one in self.subscriptions.values() if one.tenant_id == tenant_id and one.customer_id == customer_id
        ]

    def promised(self, customer_id: CustomerId, offer_id: str, billing_cycle: str, *, at_target: bool) -> int:
        """Licenses of an offer: those the source tenants hold (in any status), or those usable at the target."""
        return sum(
            one.license_count
            for one in self.subscriptions.values()
            if (one.customer_id, one.offer_id, one.billing_cycle) == (customer_id, offer_id, billing_cycle)
            and (one.tenant_id == TARGET) is at_target
            and (not at_target or one.wire_status == "active")
        )


@dataclass
class FakePartnerCenter(Unplayed):
    """Partner Center as one tenant sees it, over a FakeWorld."""

    tenant_id: TenantId
    world: FakeWorld

    async def identity(self) -> PartnerIdentity:
        """A well-equipped admin agent."""
        return PartnerIdentity(
            tenant_id=self.tenant_id,
            company_name="Fabrikam",
            country="IE",
            currency="EUR",
            partner_id="1",
            roles=frozenset({"AdminAgents"}),
            user_name="admin@fabrikam.example",
        )

    async def relationship_url(self, reseller_id: TenantId | None = None) -> str:
        """A link."""
        return f"https://admin.example/invitation?partnerId={self.tenant_id}&msppId={reseller_id or 0}"

    async def resellers(self) -> tuple[Reseller, ...]:
        """As told."""
        return self.world.resellers

    async def customer_page(self, next_link: str | None = None) -> Page[Read[Customer]]:
        """Everybody on one page."""
        return Page(items=tuple(self._customers()), next_link=None)

    async def customers(self) -> AsyncIterator[Read[Customer]]:
        """Everybody."""
        for read in self._customers():
            yield read

    def _customers(self) -> list[Read[Customer]]:
        return [
            Read(
                value=Customer(
                    id=customer, tenant_id=tenant, company_name=customer, domain="x", relationship="reseller"
                ),
                document=b"{}",
            )
            for tenant, customer in sorted(self.world.related)
            if tenant == self.tenant_id
        ]

    async def customer(self, customer_id: CustomerId) -> Read[Customer]:
        """One customer."""
        self._relation(customer_id)
        return next(read for read in self._customers() if read.value.id == customer_id)

    async def subscriptions(self, customer_id: CustomerId) -> tuple[Read[Subscription], ...]:
        """A fresh list."""
        self._relation(customer_id)
        return tuple(Read(value=one, document=b"{}") for one in self.world.held(self.tenant_id, customer_id))

    async def subscription(self, customer_id: CustomerId, subscription_id: SubscriptionId) -> Read[Subscription]:
        """One subscription."""
        self._relation(customer_id)
        return Read(value=self.world.subscriptions[subscription_id], document=b"{}")

    async def orders(self, customer_id: CustomerId) -> tuple[PlacedOrder, ...]:
        """No order list is needed: orders show in their subscriptions."""
        self._relation(customer_id)
        return ()

    async def offers(self, country: str) -> tuple[Read[Offer], ...]:
        """An empty catalog."""
        return ()

    async def has_agreement(self, customer_id: CustomerId) -> bool:
        """Whether anybody stated it."""
        return customer_id in self.world.agreed

    async def attest_agreement(self, customer_id: CustomerId, contact: AgreementContact, request_id: UUID) -> None:
        """Keep it; the same again is the same."""
        self._write("attest", request_id, lambda: self.world.agreed.add(customer_id))

    async def place_order(
        self, customer_id: CustomerId, billing_cycle: str, lines: Sequence[OrderLine], request_id: UUID
    ) -> PlacedOrder:
        """Create one subscription a line."""

        def create() -> PlacedOrder:
            if customer_id not in self.world.agreed:
                raise RefusedError("The agreement is missing.", code="13605")
            order_id = OrderId(self.world.next_id("order"))
            placed = [self._create(customer_id, billing_cycle, line, order_id) for line in lines]
            return PlacedOrder(id=order_id, status="completed", lines=tuple(placed))

        return self._write("order", request_id, create)

    async def buy_add_ons(
        self, customer_id: CustomerId, order_id: OrderId, lines: Sequence[OrderLine], request_id: UUID
    ) -> PlacedOrder:
        """Create add-ons; the answer shows the old lines as well, as the real one does."""

        def create() -> PlacedOrder:
            old = [one for one in self.world.held(self.tenant_id, customer_id) if one.order_id == order_id]
            cycle = old[0].billing_cycle if old else "monthly"
            placed = [self._create(customer_id, cycle, line, order_id) for line in lines]
            before = [
                PlacedLine(offer_id=one.offer_id, license_count=one.license_count, subscription_id=one.id)
                for one in old
            ]
            return PlacedOrder(id=order_id, status="completed", lines=(*before, *placed))

        return self._write("add_ons", request_id, create)

    async def activate(self, customer_id: CustomerId, read: Read[Subscription], request_id: UUID) -> Read[Subscription]:
        """Take one subscription up again; its add-ons stay as they are."""

        def change() -> Read[Subscription]:
            one = self.world.subscriptions[read.value.id]
            if one.etag != read.value.etag:
                raise ConflictError("The eTag is stale.", code="2055")
            self.world.subscriptions[one.id] = replace(one, wire_status="active", etag=one.etag + "+")
            return Read(value=self.world.subscriptions[one.id], document=b"{}")

        return self._write("activate", request_id, change)

    async def suspend(self, customer_id: CustomerId, read: Read[Subscription], request_id: UUID) -> Read[Subscription]:
        """Suspend, add-ons with their base; the judge compares usable licenses before and after."""

        def change() -> Read[Subscription]:
            one = self.world.subscriptions[read.value.id]
            if one.etag != read.value.etag:
                raise ConflictError("The eTag is stale.", code="2055")
            for sub in self.world.held(self.tenant_id, customer_id):
                if one.id in {sub.id, sub.parent_id}:
                    self._judge(sub)
                    changed = replace(sub, wire_status="suspended", etag=sub.etag + "+")
                    self.world.subscriptions[sub.id] = changed
            return Read(value=self.world.subscriptions[one.id], document=b"{}")

        return self._write("withdraw" if self.tenant_id == TARGET else "suspend", request_id, change)

    def _judge(self, sub: Subscription) -> None:
        """A gap: the target does not hold every license of this offer when one is taken away (invariant 1)."""
        here = (sub.customer_id, sub.offer_id, sub.billing_cycle)
        if sub.tenant_id == TARGET:  # withdrawn: fine only while every source of it runs
            others = [one for one in self.world.subscriptions.values() if one.tenant_id != TARGET]
            same = [one for one in others if (one.customer_id, one.offer_id, one.billing_cycle) == here]
            self.world.gaps += [one.id for one in same if one.wire_status == "suspended"]
            return
        if self.world.promised(*here, at_target=True) < self.world.promised(*here, at_target=False):
            self.world.gaps.append(sub.id)

    def _create(self, customer_id: CustomerId, billing_cycle: str, line: OrderLine, order_id: OrderId) -> PlacedLine:
        sub = Subscription(
            id=SubscriptionId(self.world.next_id("sub")),
            tenant_id=self.tenant_id,
            customer_id=customer_id,
            offer_id=line.offer_id,
            offer_name=line.offer_id,
            friendly_name=line.friendly_name,
            license_count=line.license_count,
            wire_status="active",
            billing_type="license",
            billing_cycle=billing_cycle,
            order_id=order_id,
            created_at=self.world.clock.now(),
            parent_id=line.parent_target_id,
            partner_id_on_record=line.partner_id_on_record,
        )
        self.world.subscriptions[sub.id] = sub
        return PlacedLine(offer_id=sub.offer_id, license_count=sub.license_count, subscription_id=sub.id)

    def _relation(self, customer_id: CustomerId) -> None:
        if (self.tenant_id, customer_id) not in self.world.related:
            raise NotFoundError("No relationship with this customer.", code="20002")

    def _write(self, name: str, request_id: UUID, effect: Callable[[], T]) -> T:
        """One write: the fault decides whether it takes effect and whether the answer arrives."""
        fault = self.world.fault(name)
        if fault == "crash_before":
            raise Crash(name)
        if fault == "unavailable":
            raise UnavailableError("Nobody there.")
        if fault == "lost_before":
            raise NoAnswerError("Silence, and nothing happened.")
        if fault == "refused":
            raise RefusedError("Not today.", code="4018")
        known = self.world.answered.get(request_id) if self.world.remembers_requests else None
        answer = known if known is not None else effect()
        self.world.answered[request_id] = answer
        self.world.writes[name] += 1
        if fault == "lost_after":
            raise NoAnswerError("Silence, but it happened.")
        if fault == "crash_after":
            raise Crash(name)
        return cast("T", answer)


@dataclass
class FakeLedger:
    """A ledger in memory. What was recorded survives a Crash; what was not is gone, as with a real commit."""

    clock: ManualClock
    fault: Fault = no_fault
    plans: list[tuple[PlanRecord, dict[CustomerId, PlanCustomer]]] = field(default_factory=list)
    rows: dict[CustomerId, Progress] = field(default_factory=dict)
    intents: dict[str, Intent] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    links: dict[SubscriptionId, Counterpart] = field(default_factory=dict)
    invited: dict[CustomerId, Invitation] = field(default_factory=dict)
    history: list[Event] = field(default_factory=list)
    earlier: EarlierRuns = field(default_factory=EarlierRuns)

    def _point(self, name: str) -> None:
        if self.fault(name).startswith("crash"):
            raise Crash(name)

    async def save_plan(self, header: PlanHeader, customers: AsyncIterator[PlanCustomer], now: datetime) -> PlanRecord:
        """Keep a plan and bring the progress rows up to it."""
        builder = ChecksumBuilder(repr(header))
        found = {}
        async for customer in customers:
            builder.add(repr(customer))
            found[customer.customer_id] = customer
        record = PlanRecord(id=len(self.plans) + 1, header=header, checksum=builder.result(), created_at=now)
        self.plans.append((record, found))
        for customer in found.values():
            self._plan_row(customer, now)
        return record

    def _plan_row(self, customer: PlanCustomer, now: datetime) -> None:
        phase = {
            Disposition.MOVE: Phase.PLANNED,
            Disposition.BLOCKED: Phase.BLOCKED,
            Disposition.MOVED: Phase.MOVED,
            Disposition.NOTHING_TO_MOVE: Phase.NOTHING_TO_MOVE,
        }[customer.disposition]
        old = self.rows.get(customer.customer_id)
        if old is None:
            self.rows[customer.customer_id] = Progress(customer_id=customer.customer_id, phase=phase)
        elif old.phase is not Phase.MOVED or phase in {Phase.PLANNED, Phase.BLOCKED}:  # new work after the move
            due = now if old.accepted_at and phase is Phase.PLANNED else None
            self.rows[customer.customer_id] = replace(old, phase=phase, due_at=due, version=old.version + 1)

    async def newest_plan(self) -> PlanRecord | None:
        """The last one saved."""
        return self.plans[-1][0] if self.plans else None

    async def plan_digest(self, plan_id: int) -> str:
        """Nobody can edit what this fake holds."""
        return self.plans[plan_id - 1][0].checksum

    async def approve_plan(self, plan_id: int, approved_by: str, now: datetime) -> PlanRecord:
        """Keep the approval."""
        record, found = self.plans[plan_id - 1]
        record = replace(record, approved_at=now, approved_by=approved_by)
        self.plans[plan_id - 1] = (record, found)
        return record

    async def plan_customers(self, plan_id: int, disposition: Disposition | None = None) -> AsyncIterator[PlanCustomer]:
        """In id order."""
        for _, customer in sorted(self.plans[plan_id - 1][1].items()):
            if disposition in {None, customer.disposition}:
                yield customer

    async def plan_customer(self, plan_id: int, customer_id: CustomerId) -> PlanCustomer | None:
        """One of them."""
        return self.plans[plan_id - 1][1].get(customer_id)

    async def save_invitation(self, invitation: Invitation) -> None:
        """Keep it; who was planned is invited now."""
        self.invited[invitation.customer_id] = invitation
        row = self.rows.get(invitation.customer_id)
        if row is not None and row.phase is Phase.PLANNED:
            self.rows[row.customer_id] = replace(row, phase=Phase.INVITED, version=row.version + 1)

    async def invitations(self) -> Mapping[CustomerId, Invitation]:
        """All."""
        return dict(self.invited)

    async def mark_accepted(self, customer_ids: Sequence[CustomerId], now: datetime) -> int:
        """Make them due; unknown ids and those that accepted before are left alone."""
        new = [one for one in customer_ids if one in self.rows and self.rows[one].accepted_at is None]
        for customer_id in new:
            row = self.rows[customer_id]
            self.rows[customer_id] = replace(
                row, accepted_at=now, due_at=now, phase=Phase.ACCEPTED, version=row.version + 1
            )
        return len(new)

    async def waiting_for_acceptance(self) -> frozenset[CustomerId]:
        """Those to move without acceptance."""
        moving = {key for key, one in self.plans[-1][1].items() if one.disposition is Disposition.MOVE}
        return frozenset(key for key in moving if self.rows[key].accepted_at is None)

    async def due_customers(self, now: datetime, limit: int) -> tuple[CustomerId, ...]:
        """Everybody due, in id order."""
        due = [
            key
            for key, row in sorted(self.rows.items())
            if row.due_at is not None
            and row.due_at <= now
            and not row.phase.is_final
            and key in self.plans[-1][1]
            and self.plans[-1][1][key].disposition is Disposition.MOVE
        ]
        return tuple(due[:limit])

    async def next_due_at(self) -> datetime | None:
        """The earliest."""
        rows = (row for row in self.rows.values() if not row.phase.is_final)
        return min((row.due_at for row in rows if row.due_at is not None), default=None)

    async def wake(self, phases: Sequence[Phase], now: datetime) -> int:
        """Make them due now."""
        for key, row in self.rows.items():
            if row.phase in phases and row.accepted_at is not None:
                self.rows[key] = replace(row, due_at=now)
        return 0

    async def standings(
        self, after: str = "", limit: int = 500, *, unfinished_only: bool = False
    ) -> tuple[Standing, ...]:
        """Customers of the newest plan, in id order."""
        found = [
            Standing(company_name=customer.company_name, progress=self.rows[key])
            for key, customer in sorted(self.plans[-1][1].items())
            if key > after and not (unfinished_only and self.rows[key].phase.is_final)
        ]
        return tuple(found[:limit])

    async def going_by(self, route: Route) -> tuple[CustomerId, ...]:
        """Unfinished customers with something that goes by a route."""
        found = self.plans[-1][1]
        return tuple(
            one
            for one in sorted(self.rows)
            if not self.rows[one].phase.is_final and any(item.route is route for item in found[one].items)
        )

    async def case(self, customer_id: CustomerId) -> Case | None:
        """Everything known."""
        record, found = self.plans[-1]
        if customer_id not in found:
            return None
        invitation = self.invited.get(customer_id)
        mine = [intent for intent in self.intents.values() if intent.customer_id == customer_id]
        sources = {item.subscription_id for item in found[customer_id].items}
        return Case(
            plan=record,
            customer=found[customer_id],
            progress=self.rows[customer_id],
            counterparts=tuple(one for one in self.links.values() if one.source_id in sources),
            open_intents=tuple(one for one in mine if one.key not in self.outcomes),
            settled=tuple((one, self.outcomes[one.key]) for one in mine if one.key in self.outcomes),
            invited_at=invitation.at if invitation else None,
        )

    async def record_intent(self, intent: Intent, version: int) -> None:
        """Keep it before the call."""
        self._point("intent")
        row = self.rows[intent.customer_id]
        if row.version != version:
            raise ConflictError("The row moved.")
        if intent.key in self.intents:
            raise ConflictError(f"The intent {intent.key} exists already.")
        self.intents[intent.key] = intent
        self.rows[intent.customer_id] = replace(row, version=version + 1)
        self._point("intent_kept")

    async def record_step(self, step: Step, now: datetime) -> Progress:
        """All or nothing."""
        self._point("step")
        row = self.rows[step.progress.customer_id]
        if row.version != step.progress.version:
            raise ConflictError("The row moved.")
        if step.outcome is not None:
            assert step.outcome.intent_key not in self.outcomes
            self.outcomes[step.outcome.intent_key] = step.outcome
        for one in step.counterparts:
            self.links[one.source_id] = one
        self.rows[row.customer_id] = replace(step.progress, version=row.version + 1)
        if step.event:
            self.history.append(Event(at=now, customer_id=row.customer_id, name=step.event, facts=dict(step.facts)))
        self._point("step_kept")
        return self.rows[row.customer_id]

    async def counterparts(self, customer_id: CustomerId | None = None) -> Mapping[SubscriptionId, Counterpart]:
        """All (the fake holds few)."""
        return dict(self.links)

    async def earlier_runs(self) -> EarlierRuns:
        """What a test says they taught."""
        return self.earlier

    async def phase_counts(self) -> Mapping[Phase, int]:
        """Counted on the spot."""
        return Counter(row.phase for row in self.rows.values())

    async def events(
        self, customer_id: CustomerId | None = None, limit: int = 200, name: str = ""
    ) -> tuple[Event, ...]:
        """Newest first."""
        return tuple(reversed(self.history))[:limit]

    async def add_event(self, name: str, now: datetime, customer_id: CustomerId | None = None, **facts: str) -> None:
        """Keep a line."""
        self.history.append(Event(at=now, customer_id=customer_id, name=name, facts=facts))
