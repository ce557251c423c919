"""Planning over the ledger: complete snapshots only, the chosen customers, and everybody whose cutover has begun."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from tenantfold.domain.facts import BillingModel, EarlierRuns
from tenantfold.domain.findings import FindingCode
from tenantfold.domain.mapping import OfferMapping
from tenantfold.domain.model import OfferId, OrderId, Route, Sku, SubscriptionId, Tenant, TenantId, TenantRole
from tenantfold.domain.plan import Disposition, PlanCustomer, PlanRecord
from tenantfold.domain.regions import RegionMap
from tenantfold.domain.selection import CustomerSelection, SelectedCustomer
from tenantfold.domain.states import Counterpart, Origin
from tenantfold.errors import InputError, SnapshotIncompleteError, TenantfoldError
from tenantfold.flow.inventory import InventoryTask, take
from tenantfold.flow.planning import PlanTask, make
from tenantfold.flow.progress import Silent
from tests.flow.fake_inventory import FakeInventory, PagedPartnerCenter
from tests.flow.fakes import TARGET
from tests.flow.stage import CONTACT, SE, START, Stage, customer_id
from tests.flow.test_inventory import E3

REGIONS = RegionMap({"SE": "Europe", "IE": "Europe"})


BOTH = tuple(
    Tenant(id=tenant_id, key=tenant_id, role=role, name="", country="")
    for tenant_id, role in ((SE, TenantRole.SOURCE), (TARGET, TenantRole.TARGET))
)


@dataclass
class Desk:
    """Three customers, read on both sides."""

    stage: Stage = field(default_factory=Stage)
    inventory: FakeInventory = field(default_factory=FakeInventory)
    sold_skus: dict[str, tuple[Sku, ...]] = field(default_factory=dict)
    broken: dict[str, TenantfoldError] = field(default_factory=dict)

    async def read(self, *tenants: str) -> None:
        """Take inventory of these tenants (or both)."""
        if not self.stage.world.subscriptions:
            for number in range(3):
                self.stage.add(number, accepted=False)
        for tenant in BOTH:
            if tenants and tenant.id not in tenants:
                continue
            center = PagedPartnerCenter(
                tenant.id, self.stage.world, sold={"SE": (E3,)}, sold_skus=self.sold_skus, broken=self.broken
            )
            task = InventoryTask(
                tenant=tenant,
                partner_center=center,
                inventory=self.inventory,
                clock=self.stage.clock,
                regions=REGIONS,
            )
            await take(task, Silent())

    async def plan(
        self,
        *rows: SelectedCustomer,
        mapping: tuple[OfferMapping, ...] = (),
        billing_models: Mapping[TenantId, BillingModel] | None = None,
    ) -> tuple[PlanRecord, list[PlanCustomer]]:
        """Plan the customers of a list (or everybody)."""
        task = PlanTask(
            consolidation="test",
            tenants=BOTH,
            inventory=self.inventory,
            ledger=self.stage.ledger,
            clock=self.stage.clock,
            regions=REGIONS,
            mapping=mapping,
            billing_models=billing_models or {},
            selection=CustomerSelection(place="list.csv", rows=rows) if rows else None,
        )
        record = await make(task, Silent())
        return record, [one async for one in self.stage.ledger.plan_customers(record.id)]


async def test_plans_every_customer_of_the_source_tenants():
    """With the snapshots it was built on in its header."""
    desk = Desk()
    await desk.read()
    record, customers = await desk.plan()
    assert [one.customer_id for one in customers] == [customer_id(number) for number in range(3)]
    assert {one.disposition for one in customers} == {Disposition.MOVE}
    assert record.header.snapshots == ((SE, 1), (TARGET, 1))
    assert record.header.target_id == TARGET
    assert record.approved_at is None


@pytest.mark.parametrize(
    ("models", "route", "codes"),
    [
        pytest.param({}, Route.RECREATE, set(), id="both answered the API"),
        pytest.param({SE: BillingModel.INDIRECT_RESELLER}, Route.MANUAL, {FindingCode.BY_HAND}, id="a reseller's"),
        pytest.param(
            {SE: BillingModel.INDIRECT_RESELLER, TARGET: BillingModel.INDIRECT_PROVIDER},
            Route.MANUAL,
            {FindingCode.BY_HAND, FindingCode.RESELLER_MISSING},
            id="into its provider",
        ),
        pytest.param(
            {SE: BillingModel.DIRECT_BILL, TARGET: BillingModel.INDIRECT_PROVIDER},
            Route.RECREATE,
            {FindingCode.RESELLER_MISSING},
            id="the target sells through resellers",
        ),
    ],
)
async def test_how_the_tenants_are_billed_reaches_the_plan(
    models: dict[TenantId, BillingModel], route: Route, codes: set[FindingCode]
):
    """R-216, R-156, R-221: a setting, and what the plan makes of it."""
    desk = Desk()
    await desk.read()
    _, customers = await desk.plan(SelectedCustomer(row=2, customer_id=customer_id(1)), billing_models=models)
    (planned,) = customers
    said = {one.code for one in planned.all_findings()} & {FindingCode.BY_HAND, FindingCode.RESELLER_MISSING}
    assert (planned.items[0].route, said) == (route, codes)


async def test_a_list_leaves_the_others_out_and_brings_contacts():
    """Only who stands in it is planned."""
    desk = Desk()
    await desk.read()
    _, customers = await desk.plan(SelectedCustomer(row=2, customer_id=customer_id(1), contact=CONTACT))
    assert [(one.customer_id, one.contact) for one in customers] == [(customer_id(1), CONTACT)]


async def test_a_list_that_names_nobody_we_know_makes_no_plan():
    """A typing error must not leave a customer behind in silence."""
    desk = Desk()
    await desk.read()
    with pytest.raises(InputError, match="row 2"):
        await desk.plan(SelectedCustomer(row=2, company_name="Nobody"))
    assert await desk.stage.ledger.newest_plan() is None


async def test_whose_transfer_or_last_term_is_under_way_is_planned_whatever_the_list_says():
    """What another route has begun is not dropped from the plan either."""
    desk = Desk()
    await desk.read()
    desk.stage.ledger.earlier = EarlierRuns(begun=frozenset({customer_id(2)}))
    _, customers = await desk.plan(SelectedCustomer(row=2, customer_id=customer_id(1), contact=CONTACT))
    assert [one.customer_id for one in customers] == [customer_id(1), customer_id(2)]


async def test_who_has_begun_is_planned_whatever_the_list_says():
    """A half cutover is never dropped from the plan."""
    desk = Desk()
    await desk.read()
    desk.stage.ledger.links[SubscriptionId("s2")] = Counterpart(
        source_id=SubscriptionId("s2"),
        target_id=SubscriptionId("t2"),
        order_id=OrderId("order-1"),
        origin=Origin.CREATED,
        cutover_on=START.date(),
    )
    _, customers = await desk.plan(SelectedCustomer(row=2, customer_id=customer_id(0)))
    assert [one.customer_id for one in customers] == [customer_id(0), customer_id(2)]


async def test_a_half_written_snapshot_is_never_planned_on():
    """Invariant 9: the message says how to go on."""
    desk = Desk()
    await desk.read()
    await desk.inventory.open_snapshot(SE, START)
    with pytest.raises(SnapshotIncompleteError, match="Snapshot 2 of tenant 'se' is half-written"):
        await desk.plan()


async def test_a_tenant_that_was_never_read_is_told():
    """Planning without the target's book would order everything twice."""
    desk = Desk()
    with pytest.raises(SnapshotIncompleteError, match="'se' has no snapshot yet"):
        await desk.plan()
    await desk.read(SE)
    with pytest.raises(SnapshotIncompleteError, match="'target' has no snapshot yet"):
        await desk.plan()


async def test_the_same_inputs_give_the_same_checksum_and_others_another():
    """Mapping and list belong to what is approved, even where they change nothing for anybody yet."""
    desk = Desk()
    await desk.read()
    mapping = (OfferMapping(source_offer_id=OfferId("OLD"), target_offer_id=OfferId("NEW"), approved_by="Eva"),)
    everybody = tuple(SelectedCustomer(row=number, customer_id=customer_id(number)) for number in range(3))
    plain, _ = await desk.plan()
    again, _ = await desk.plan()
    mapped, _ = await desk.plan(mapping=mapping)
    listed, _ = await desk.plan(*everybody)
    assert plain.checksum == again.checksum
    assert len({plain.checksum, mapped.checksum, listed.checksum}) == 3
    await desk.read()
    assert (await desk.plan())[0].checksum != plain.checksum


async def test_a_planned_customer_moves_and_is_then_planned_as_moved():
    """Inventory, plan, approve, run, and the same once more: nothing is ordered again (invariant 2)."""
    desk = Desk()
    await desk.read()
    everybody = tuple(SelectedCustomer(row=n, customer_id=customer_id(n), contact=CONTACT) for n in range(3))
    record, _ = await desk.plan(*everybody)
    await desk.stage.ledger.approve_plan(record.id, "Eva", START)
    desk.stage.world.related |= {(TARGET, customer_id(number)) for number in range(3)}
    await desk.stage.run()
    assert all(desk.stage.has_moved(number) for number in range(3))
    await desk.read()
    record, customers = await desk.plan(*everybody)
    assert {one.disposition for one in customers} == {Disposition.MOVED}
    await desk.stage.ledger.approve_plan(record.id, "Eva", START)
    writes = dict(desk.stage.world.writes)
    await desk.stage.run()
    assert desk.stage.world.writes == writes


async def test_what_a_moved_customer_buys_at_the_source_later_moves_as_well():
    """Planned like any other; what stands already is neither ordered nor suspended again."""
    desk = Desk()
    await desk.read()
    chosen = SelectedCustomer(row=2, customer_id=customer_id(0), contact=CONTACT)
    desk.stage.world.related.add((TARGET, customer_id(0)))
    for _ in range(2):
        await desk.read()
        record, _ = await desk.plan(chosen)
        await desk.stage.ledger.approve_plan(record.id, "Eva", START)
        await desk.stage.run()
        later = replace(desk.stage.source(0), id=SubscriptionId("s9"), wire_status="active", license_count=2)
        desk.stage.world.subscriptions.setdefault(later.id, later)
    assert sorted(one.license_count for one in desk.stage.at_target(0)) == [2, 5]
    assert desk.stage.world.subscriptions[SubscriptionId("s9")].wire_status == "suspended"
    assert desk.stage.world.writes == {"attest": 1, "order": 2, "suspend": 2}
