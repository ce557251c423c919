"""What the inventory looks up beside the subscriptions: only where it is needed, and never more than was read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from tenantfold.clock import ManualClock
from tenantfold.domain.azure import AzureItem, AzureKind
from tenantfold.domain.facts import EarlierRuns, LegacySoftware, TenantFacts
from tenantfold.domain.findings import FindingCode
from tenantfold.domain.model import CustomerId, OfferId, Route, Sku, SubscriptionId, Tenant, TenantRole
from tenantfold.domain.regions import RegionMap
from tenantfold.domain.requests import Transfer, TransferId, TransferState
from tenantfold.domain.software import OwnedSoftware
from tenantfold.errors import RefusedError, TenantfoldError, ThrottledError
from tenantfold.flow.inventory import InventoryTask, take
from tenantfold.flow.planning import PlanTask, make
from tenantfold.flow.progress import Silent
from tests.flow.fake_inventory import Content, FakeInventory, PagedPartnerCenter
from tests.flow.fakes import TARGET
from tests.flow.stage import SE, START, Stage, customer_id

REGIONS = RegionMap({"SE": "Europe", "IE": "Europe"})
LICENSE, AZURE = OfferId("CFQ7TTC0LH18:0001:CFQ7TTC0K971"), OfferId("DZH318Z0BPS6:0001:DZH318Z0BMTV")
OFFICE = OwnedSoftware(sku_id="DG7GMGF0D7FX:0002", count=2)
STRANGER = CustomerId("customer-900")
SKU = Sku(id=OfferId("CFQ7TTC0LH18:0001"), title="Business Premium", country="SE", is_sold=True)


@dataclass
class ModernPartnerCenter(PagedPartnerCenter):
    """Answers about transfers and reservations, and fails where it is told to."""

    async def transfers(self, customer_id: CustomerId) -> tuple[Transfer, ...]:
        """One open request of another partner."""
        self.calls["transfers"] += 1
        self._fail(f"transfers {customer_id}")
        return (
            Transfer(
                id=TransferId("x1"),
                customer_id=customer_id,
                source_id=SE,
                target_id=TARGET,
                status="Pending",
                state=TransferState.PENDING,
            ),
        )

    async def azure_commitments(self, customer_id: CustomerId) -> tuple[AzureItem, ...]:
        """One reservation."""
        self.calls["commitments"] += 1
        item = AzureItem(
            id=SubscriptionId(f"r-{customer_id}"), tenant_id=SE, kind=AzureKind.RESERVATION, name="VM", status="Active"
        )
        return (item,)

    async def software(self, customer_id: CustomerId) -> tuple[OwnedSoftware, ...]:
        """Two seats of one product."""
        self.calls["software"] += 1
        self._fail(f"software {customer_id}")
        return (OFFICE,)

    async def has_agreement(self, customer_id: CustomerId) -> bool:
        """Whether anybody stated it, counted."""
        self.calls["agreements"] += 1
        self._fail(f"agreement {customer_id}")
        return await super().has_agreement(customer_id)

    async def azure_subscriptions(self, customer_id: CustomerId, plan_id: SubscriptionId) -> tuple[AzureItem, ...]:
        """One, named after the customer."""
        self.calls["azure"] += 1
        self._fail(f"azure {customer_id}")
        return (
            AzureItem(
                id=SubscriptionId(f"e-{customer_id}"),
                tenant_id=SE,
                kind=AzureKind.SUBSCRIPTION,
                name="Production",
                status="active",
                plan_id=plan_id,
            ),
        )


@dataclass
class Desk:
    """Four customers: legacy, a license of new commerce, Azure, and a license that is over."""

    inventory: FakeInventory = field(default_factory=FakeInventory)

    def __post_init__(self) -> None:
        """Build the world."""
        stage = Stage(clock=ManualClock(START))
        for number, offer in enumerate((None, LICENSE, AZURE, LICENSE)):
            held = stage.add(number)
            if offer is not None:
                status = "deleted" if number == 3 else "active"
                stage.world.subscriptions[held.id] = replace(held, offer_id=offer, wire_status=status)
        self.source = ModernPartnerCenter(SE, stage.world)
        self.target = ModernPartnerCenter(TARGET, stage.world, sold_skus={"SE": (SKU,)})
        self.clock = stage.clock
        self.ledger = stage.ledger
        self.tenants = tuple(
            Tenant(id=tenant_id, key=tenant_id, role=role, name="", country="IE")
            for tenant_id, role in ((SE, TenantRole.SOURCE), (TARGET, TenantRole.TARGET))
        )

    async def take(
        self, role: TenantRole = TenantRole.SOURCE, legacy_software: LegacySoftware = LegacySoftware.NO
    ) -> Content:
        """Read this side; returns what the snapshot holds."""
        center = self.source if role is TenantRole.SOURCE else self.target
        task = InventoryTask(
            tenant=Tenant(id=center.tenant_id, key=center.tenant_id, role=role, name="", country="IE"),
            partner_center=center,
            inventory=self.inventory,
            clock=self.clock,
            regions=REGIONS,
            legacy_software=legacy_software,
        )
        return self.inventory.content(await take(task, Silent()))


async def test_only_who_holds_something_transferable_costs_a_call():
    """A legacy license and what is over are not asked about; reservations only where there is Azure."""
    desk = Desk()
    facts = (await desk.take()).facts
    assert set(facts) == {customer_id(1), customer_id(2), customer_id(3)}
    assert facts[customer_id(3)].transfers is None
    assert (desk.source.calls["transfers"], desk.source.calls["commitments"]) == (2, 1)
    assert facts[customer_id(1)].commitments is None
    assert [one.name for one in facts[customer_id(2)].commitments or ()] == ["VM"]
    assert [one.id for one in facts[customer_id(1)].transfers or ()] == ["x1"]
    assert (desk.source.calls["azure"], facts[customer_id(1)].azure) == (1, None)
    assert [(one.name, one.plan_id) for one in facts[customer_id(2)].azure or ()] == [("Production", "s2")]


async def test_what_is_refused_stays_unknown_and_stops_nobody():
    """The customer counts as read; its open transfers are not known (invariant 9)."""
    desk = Desk()
    desk.source.broken[f"transfers {customer_id(1)}"] = RefusedError("Not for you.")
    desk.source.broken[f"azure {customer_id(2)}"] = RefusedError("Not for you.")
    content = await desk.take()
    assert content.facts[customer_id(1)].transfers is None
    assert content.facts[customer_id(2)].azure is None
    assert len(content.read) == 4
    assert not content.unread


async def test_what_stops_the_inventory_stops_it_here_too_and_is_taken_up_again():
    """Who was read whole is not asked again."""
    desk = Desk()
    desk.source.broken[f"transfers {customer_id(2)}"] = ThrottledError("Too many.")
    with pytest.raises(ThrottledError):
        await desk.take()
    assert customer_id(2) not in desk.inventory.contents[SE, 1].read
    desk.source.broken.clear()
    content = await desk.take()
    assert set(content.facts) == {customer_id(1), customer_id(2), customer_id(3)}
    assert len(content.read) == 4


async def test_perpetual_software_is_asked_of_who_buys_products():
    """One call each, whatever the status of what they hold; none for legacy licenses alone. A refusal is not known."""
    desk = Desk()
    desk.source.broken[f"software {customer_id(1)}"] = RefusedError("Not for you.")
    content = await desk.take()
    assert desk.source.calls["software"] == 3
    assert customer_id(0) not in content.facts
    assert {one: facts.software for one, facts in content.facts.items()} == {
        customer_id(1): None,
        customer_id(2): (OFFICE,),
        customer_id(3): (OFFICE,),
    }


@pytest.mark.parametrize(
    ("choice", "planned", "calls"),
    [
        (LegacySoftware.NO, {customer_id(0)}, 3),
        (LegacySoftware.PLANNED, set(), 3),
        (LegacySoftware.PLANNED, {customer_id(0), customer_id(1)}, 4),
        (LegacySoftware.EVERYBODY, set(), 4),
    ],
)
async def test_who_holds_legacy_licenses_alone_is_asked_as_the_policy_says(
    choice: LegacySoftware, planned: set[CustomerId], calls: int
):
    """One call more for each of them, and none for the others, who are asked anyway."""
    desk = Desk()
    desk.inventory.planned = frozenset(planned)
    content = await desk.take(legacy_software=choice)
    assert desk.source.calls["software"] == calls
    assert (customer_id(0) in content.facts) is (calls == 4)
    if calls == 4:
        assert content.facts[customer_id(0)] == TenantFacts(
            tenant_id=SE, customer_id=customer_id(0), software=(OFFICE,)
        )


async def test_the_agreement_is_read_at_the_target_of_customers_that_are_to_move():
    """The target's own customers, and who holds nothing active at a source, cost no call; a refusal is not known."""
    desk = Desk()
    await desk.take()
    desk.source.world.related.add((TARGET, STRANGER))
    desk.source.world.agreed.add(customer_id(0))
    desk.target.broken[f"agreement {customer_id(1)}"] = RefusedError("Not for you.")
    content = await desk.take(TenantRole.TARGET)
    assert STRANGER in content.read
    assert {one: facts.has_agreement for one, facts in content.facts.items()} == {
        customer_id(0): True,
        customer_id(1): None,
        customer_id(2): False,
    }
    assert desk.target.calls["agreements"] == 3


async def test_the_target_is_asked_for_nothing_of_a_source_but_for_skus_once():
    """New-commerce catalogs of the countries whose customers hold licenses."""
    desk = Desk()
    await desk.take()
    content = await desk.take(TenantRole.TARGET)
    assert all(facts.transfers is None and facts.software is None for facts in content.facts.values())
    assert content.skus == {"SE": {SKU.id: SKU}}
    assert (desk.target.calls["skus SE"], desk.target.calls["transfers"], desk.target.calls["software"]) == (1, 0, 0)


@pytest.mark.parametrize("error", [RefusedError("No."), None])
async def test_a_catalog_that_cannot_be_read_is_left_out(error: TenantfoldError | None):
    """The rules say "not verified" then; nothing else is lost."""
    desk = Desk()
    await desk.take()
    if error is not None:
        desk.target.broken["skus"] = error
    snapshot = desk.inventory.snapshots
    await desk.take(TenantRole.TARGET)
    assert snapshot[TARGET, 1].sku_countries == (() if error is not None else ("SE",))
    assert snapshot[TARGET, 1].completed_at is not None


async def test_a_plan_rests_on_what_was_looked_up_and_on_what_earlier_runs_taught():
    """SKUs, open transfers and a refusal reach the planner: this license runs out and is bought again."""
    desk = Desk()
    await desk.take()
    await desk.take(TenantRole.TARGET)
    refused = {customer_id(1): frozenset({SubscriptionId("s1")})}
    desk.ledger.earlier = EarlierRuns(refused=refused)
    task = PlanTask(
        consolidation="test",
        tenants=desk.tenants,
        inventory=desk.inventory,
        ledger=desk.ledger,
        clock=desk.clock,
        regions=REGIONS,
        mapping=(),
    )
    record = await make(task, Silent())
    plans = {one.customer_id: one async for one in desk.ledger.plan_customers(record.id)}
    (item,) = plans[customer_id(1)].items
    assert (item.route, item.target_offer_id) == (Route.EXPIRE_AND_REBUY, SKU.id)
    said = {(one.code, one.detail) for one in plans[customer_id(2)].all_findings()}
    assert not [detail for code, detail in said if code is FindingCode.NOT_VERIFIED and "transfer request" in detail]
