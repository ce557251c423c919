"""A stage for flow tests: a world, a ledger with an approved plan, and runs over them. Time moves only by sleeping."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from tenantfold.clock import ManualClock
from tenantfold.dispatch.local import local_run
from tenantfold.domain.model import (
    AgreementContact,
    CustomerId,
    OfferId,
    OrderId,
    Route,
    Subscription,
    SubscriptionId,
    TenantId,
)
from tenantfold.domain.plan import Disposition, PlanCustomer, PlanHeader, PlanItem, PlanRecord
from tenantfold.domain.policy import Policy
from tenantfold.domain.states import Phase, Progress
from tenantfold.flow.cutover import Cutover
from tenantfold.flow.gates import OpenGate
from tenantfold.flow.ports import Gate
from tenantfold.flow.progress import Reporter, Silent
from tenantfold.flow.run import RunOptions, RunSummary, StopSign
from tests.flow.fakes import TARGET, FakeLedger, FakePartnerCenter, FakeWorld

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SE = TenantId("se")
CONTACT = AgreementContact(first_name="Ada", last_name="Berg", email="ada@example.com", agreed_on=date(2026, 2, 1))
HEADER = PlanHeader(consolidation="test", target_id=TARGET, snapshots=(), mapping_digest="", selection_digest="")


def customer_id(number: int) -> CustomerId:
    """Ids whose order is the order of their numbers."""
    return CustomerId(f"customer-{number:03}")


@dataclass
class Stage:
    """Customers with one legacy subscription each at the source "se", all accepted at the target."""

    clock: ManualClock = field(default_factory=lambda: ManualClock(START))
    policy: Policy = field(default_factory=Policy)
    centers: dict[TenantId, FakePartnerCenter] = field(default_factory=dict)
    gate: Gate = field(default_factory=OpenGate)

    def __post_init__(self) -> None:
        """Build both sides."""
        self.world = FakeWorld(clock=self.clock)
        self.ledger = FakeLedger(clock=self.clock)
        self.centers = {tenant: FakePartnerCenter(tenant, self.world) for tenant in (SE, TARGET)}

    def add(self, number: int, *, accepted: bool = True) -> Subscription:
        """Add one customer with one subscription; returns that."""
        customer = customer_id(number)
        self.world.related.add((SE, customer))
        if accepted:
            self.world.related.add((TARGET, customer))
        sub = Subscription(
            id=SubscriptionId(f"s{number}"),
            tenant_id=SE,
            customer_id=customer,
            offer_id=OfferId("E3"),
            offer_name="E3",
            friendly_name="E3",
            license_count=5,
            wire_status="active",
            billing_type="license",
            billing_cycle="monthly",
            order_id=OrderId("source-order"),
        )
        self.world.subscriptions[sub.id] = sub
        return sub

    def change(self, number: int, **fields: object) -> None:
        """Change the source subscription of a customer."""
        held = self.world.subscriptions[SubscriptionId(f"s{number}")]
        self.world.subscriptions[held.id] = replace(held, **fields)  # type: ignore[arg-type]  # the test names them

    def change_target(self, number: int, **fields: object) -> None:
        """Change what a customer holds at the target."""
        (held,) = self.at_target(number)
        self.world.subscriptions[held.id] = replace(held, **fields)  # type: ignore[arg-type]  # the test names them

    async def drive(self, number: int, until: str = "") -> Progress:
        """One drive of a customer, stopped after the write named ``until`` took effect."""
        return await self.cutover().drive(customer_id(number), lambda: bool(self.world.writes[until]))

    async def plan(self, *, approved: bool = True, **fields: object) -> PlanRecord:
        """Plan everybody as they are now; ``fields`` change every customer of the plan."""
        record = await self.ledger.save_plan(HEADER, self._customers(fields), self.clock.now())
        return await self.ledger.approve_plan(record.id, "Eva", self.clock.now()) if approved else record

    async def _customers(self, fields: dict[str, object]) -> AsyncIterator[PlanCustomer]:
        for customer in sorted({one for tenant, one in self.world.related if tenant == SE}):
            value = PlanCustomer(
                customer_id=customer,
                company_name=f"{customer} AB",
                country="SE",
                source_tenant_ids=(SE,),
                disposition=Disposition.MOVE,
                items=tuple(_item(one) for one in self.world.held(SE, customer)),
                contact=CONTACT,
            )
            yield replace(value, **fields)  # type: ignore[arg-type]  # the test names them

    def cutover(self) -> Cutover:
        """The tools of a cutover over this stage."""
        return Cutover(
            consolidation="test",
            target_id=TARGET,
            tenants=self.centers,
            ledger=self.ledger,
            clock=self.clock,
            policy=self.policy,
            gate=self.gate,
        )

    async def run(
        self, options: RunOptions | None = None, stop: StopSign | None = None, report: Reporter | None = None
    ) -> RunSummary:
        """One run."""
        return await local_run(self.cutover(), options or RunOptions(), report or Silent(), stop or StopSign()).go()

    def phase(self, number: int) -> Phase:
        """Where a customer stands."""
        return self.ledger.rows[customer_id(number)].phase

    def at_target(self, number: int) -> list[Subscription]:
        """What a customer holds at the target."""
        return self.world.held(TARGET, customer_id(number))

    def source(self, number: int) -> Subscription:
        """The customer's source subscription."""
        return self.world.subscriptions[SubscriptionId(f"s{number}")]

    def has_moved(self, number: int) -> bool:
        """Moved by the judge's own eyes: one equal subscription at the target, the source suspended."""
        return [(one.license_count, one.wire_status) for one in self.at_target(number)] == [
            (self.source(number).license_count, "active")
        ] and self.source(number).wire_status == "suspended"


def _item(sub: Subscription) -> PlanItem:
    return PlanItem(
        subscription_id=sub.id,
        tenant_id=sub.tenant_id,
        offer_id=sub.offer_id,
        offer_name=sub.offer_name,
        friendly_name=sub.friendly_name,
        license_count=sub.license_count,
        billing_cycle=sub.billing_cycle,
        wire_status=sub.wire_status,
        route=Route.RECREATE,
        target_offer_id=sub.offer_id,
        parent_id=sub.parent_id,
        partner_id_on_record=sub.partner_id_on_record,
    )
