"""Inventory: one partner tenant into a numbered snapshot; resumable, every page, nothing dropped (R-10, R-228)."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from tenantfold.clock import ManualClock
from tenantfold.domain.model import Offer, OfferId, Tenant, TenantId, TenantRole
from tenantfold.domain.regions import RegionMap
from tenantfold.errors import (
    ConfigError,
    NotFoundError,
    RefusedError,
    RoleMissingError,
    StoreError,
    TenantfoldError,
    ThrottledError,
    UnavailableError,
    UnexpectedAnswerError,
)
from tenantfold.flow.inventory import InventoryTask, take
from tenantfold.flow.progress import Silent
from tests.flow.fake_inventory import Content, FakeInventory, PagedPartnerCenter
from tests.flow.fakes import TARGET
from tests.flow.stage import SE, START, Stage, customer_id

REGIONS = RegionMap({"SE": "Europe", "IE": "Europe", "US": "United States"})
E3 = Offer(
    id=OfferId("E3"),
    name="E3",
    country="SE",
    is_available=True,
    is_add_on=False,
    is_trial=False,
    minimum_quantity=1,
    maximum_quantity=100,
    billing_cycles=("monthly",),
)


@dataclass
class Desk:
    """Five customers at the source "se", two to a page, and an empty ledger."""

    customers: int = 5
    inventory: FakeInventory = field(default_factory=FakeInventory)

    def __post_init__(self) -> None:
        """Build the world."""
        self.clock = ManualClock(START)
        stage = Stage(clock=self.clock)
        for number in range(self.customers):
            stage.add(number)
        self.center = PagedPartnerCenter(SE, stage.world)
        self.target_center = PagedPartnerCenter(TARGET, stage.world, sold={"SE": (E3,)})

    def task(self, role: TenantRole = TenantRole.SOURCE) -> InventoryTask:
        """Read this side."""
        center = self.center if role is TenantRole.SOURCE else self.target_center
        tenant = Tenant(id=center.tenant_id, key=center.tenant_id, role=role, name="", country="")
        return InventoryTask(
            tenant=tenant, partner_center=center, inventory=self.inventory, clock=self.clock, regions=REGIONS
        )

    async def take(self, role: TenantRole = TenantRole.SOURCE) -> Content:
        """Read it; returns what the snapshot holds."""
        return self.inventory.content(await take(self.task(role), Silent()))


async def test_reads_every_page_and_every_customer():
    """Details and subscriptions of all, under number 1, complete."""
    desk = Desk()
    snapshot = await take(desk.task(), Silent())
    content = desk.inventory.content(snapshot)
    assert list(content.read) == [customer_id(number) for number in range(5)]
    assert all(len(subscriptions) == 1 for _, subscriptions in content.read.values())
    assert (snapshot.number, snapshot.completed_at, snapshot.customers, snapshot.subscriptions) == (1, START, 5, 5)
    assert desk.center.calls["pages"] == 3


async def test_a_tenant_without_customers_is_complete():
    """Nothing is a result, too."""
    assert (await Desk(customers=0).take()).read == {}


async def test_a_new_inventory_is_a_new_number():
    """The old snapshot is kept."""
    desk = Desk()
    await desk.take()
    snapshot = await take(desk.task(), Silent())
    assert snapshot.number == 2
    assert len(desk.inventory.contents) == 2


async def test_the_tenant_is_kept_with_what_partner_center_says_about_it():
    """Name, country and currency come from the organization behind the token."""
    desk = Desk()
    await desk.take()
    tenant = desk.inventory.known[SE]
    assert (tenant.key, tenant.name, tenant.country, tenant.currency, tenant.partner_id) == (
        "se", "Fabrikam", "IE", "EUR", "1"
    )  # fmt: skip


async def test_the_wrong_tenant_is_refused_before_anything_is_kept():
    """Reading the wrong book is no joke: the message names both tenants."""
    desk = Desk()
    desk.center.belongs_to = TenantId("somebody-else")
    with pytest.raises(ConfigError, match=r"somebody-else.*tenant_id se"):
        await desk.take()
    assert desk.inventory == FakeInventory()


async def test_goes_on_in_the_middle_of_the_list():
    """Pages that are in are not asked for again."""
    desk = Desk()
    desk.center.broken["page 2"] = UnavailableError("Nobody there.")
    with pytest.raises(UnavailableError):
        await desk.take()
    half = await desk.inventory.newest_snapshot(SE)
    assert half is not None
    assert (half.completed_at, half.customers, half.next_link) == (None, 2, "2")
    desk.center.broken.clear()
    desk.center.calls.clear()
    content = await desk.take()
    assert len(content.read) == 5
    assert desk.center.calls["pages"] == 2
    assert len(desk.inventory.contents) == 1


async def test_goes_on_in_the_middle_of_the_customers():
    """The list is not walked again and who was read is not read again; the error arrives as itself."""
    desk = Desk()
    desk.center.broken[customer_id(3)] = ThrottledError("Too many.")
    with pytest.raises(ThrottledError, match="Too many"):
        await desk.take()
    desk.center.broken.clear()
    done = len(desk.inventory.contents[SE, 1].read)
    desk.center.calls.clear()
    content = await desk.take()
    assert len(content.read) == 5
    assert desk.center.calls["pages"] == 0
    assert desk.center.calls["customers"] == 5 - done


async def test_a_broken_ledger_is_told_as_what_it_is(monkeypatch: pytest.MonkeyPatch):
    """Not wrapped in a group: the command line says one sentence."""
    desk = Desk()

    async def full(*_: object) -> None:
        raise StoreError("The disk is full.")

    monkeypatch.setattr(desk.inventory, "save_customers", full)
    with pytest.raises(StoreError, match="disk is full"):
        await desk.take()


async def test_a_continuation_that_lapsed_starts_the_list_again():
    """Stored links do not last; pages are idempotent."""
    desk = Desk()
    desk.center.broken["page 2"] = UnavailableError("Nobody there.")
    with pytest.raises(UnavailableError):
        await desk.take()
    desk.center.broken.clear()
    desk.center.lapsed.add("2")
    desk.center.calls.clear()
    content = await desk.take()
    assert len(content.read) == 5
    assert desk.center.calls["pages"] == 4  # the lapsed one and all three


async def test_a_link_may_lapse_while_the_list_is_walked():
    """The list is started again under the same links, and that is no circle."""
    desk = Desk()
    desk.center.lapsed.add("4")
    assert len((await desk.take()).read) == 5
    assert desk.center.calls["pages"] == 6


async def test_a_page_that_is_refused_again_and_again_ends_the_inventory():
    """The list is started again once, not for ever."""
    desk = Desk()
    desk.center.broken["page 2"] = RefusedError("Bad continuation.", code="1000")
    with pytest.raises(RefusedError, match="Bad continuation"):
        await desk.take()
    assert desk.center.calls["pages"] <= 4
    half = await desk.inventory.newest_snapshot(SE)
    assert half is not None
    assert half.completed_at is None


async def test_a_first_page_that_is_refused_is_told():
    """There is nothing to start again."""
    desk = Desk()
    desk.center.broken["page None"] = RefusedError("No.", code="1000")
    with pytest.raises(RefusedError):
        await desk.take()
    assert desk.center.calls["pages"] == 1


@pytest.mark.parametrize(
    "error",
    [
        NotFoundError("Gone."),
        RefusedError("No.", code="1"),
        RoleMissingError("Not you."),
        UnexpectedAnswerError("What?"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_customer_that_cannot_be_read_is_kept_with_the_reason(error: TenantfoldError):
    """Invariant 9: neither dropped nor taken for empty; the others are read."""
    desk = Desk()
    desk.center.broken[customer_id(1)] = error
    snapshot = await take(desk.task(), Silent())
    content = desk.inventory.content(snapshot)
    assert content.unread == {customer_id(1): error.message}
    assert len(content.read) == 4
    assert snapshot.unread_customers == 1
    assert snapshot.completed_at is not None


async def test_the_target_brings_the_catalogs_of_the_customers_countries():
    """One for each country of the source customers inside the target's region (R-27, R-83)."""
    desk = Desk()
    await desk.take()
    content = await desk.take(TenantRole.TARGET)
    assert content.offers == {"SE": {E3.id: E3}}
    assert desk.center.calls["offers SE"] == 0


async def test_no_catalog_outside_the_region_of_the_target():
    """Nothing could be sold there (R-85)."""
    desk = Desk()
    desk.target_center.home = "US"
    await desk.take()
    assert (await desk.take(TenantRole.TARGET)).offers == {}


async def test_catalogs_that_are_in_are_not_read_again():
    """An interrupted target inventory goes on behind them."""
    desk = Desk()
    await desk.take()
    snapshot = await desk.inventory.open_snapshot(TARGET, START)
    await desk.inventory.save_offers(snapshot, "SE", ())
    await desk.take(TenantRole.TARGET)
    assert desk.target_center.calls["offers SE"] == 0


async def test_tells_how_far_it_is():
    """Every stage has its label with the tenant's name."""
    heard: list[tuple[str, int, int | None]] = []

    class Reporter:
        """Keeps what it hears."""

        def update(self, label: str, done: int, total: int | None) -> None:
            """Keep it."""
            heard.append((label, done, total))

    desk = Desk()
    await take(desk.task(), Reporter())
    await take(desk.task(TenantRole.TARGET), Reporter())
    assert ("se: customers listed", 5, None) in heard
    assert ("se: customers read", 5, None) in heard
    assert ("target: catalogs read", 1, 1) in heard
