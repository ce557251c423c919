"""The twin: an inventory of it says what the inventory it was made of says, and what is made up is named."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from partner_center_emulator import demo_world
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.seed import generate_world
from partner_center_emulator.seed.mixed import mixed_world
from partner_center_emulator.world import World
from tenantfold.domain.model import (
    Customer,
    CustomerId,
    OfferId,
    OrderId,
    Route,
    Sku,
    SkuTerm,
    Subscription,
    SubscriptionId,
    Tenant,
    TenantId,
    TenantRole,
)
from tenantfold.domain.plan import Disposition, PlanCustomer, PlanItem
from tenantfold.domain.reads import Read
from tenantfold.domain.states import Counterpart, Origin
from tenantfold.errors import InputError, PlanStaleError, SnapshotIncompleteError
from tenantfold.flow.progress import Silent
from tenantfold.simulation.acceptance import Acceptance, schedule
from tenantfold.simulation.loop import run
from tenantfold.simulation.stage import Stage
from tenantfold.simulation.twin import TEXTS, Twin
from tenantfold.simulation.twin_loading import find_material, load_twin
from tenantfold.store import RowSet, Store
from tenantfold.store.rows import Plain
from tests.simulation.rehearsed import Folded, folded, read_all

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SE = Tenant(id=TenantId("se"), key="se", role=TenantRole.SOURCE, name="SE", country="SE", currency="SEK")
TARGET = Tenant(id=TenantId("ie"), key="fold", role=TenantRole.TARGET, name="IE", country="IE", currency="PLN")


async def _twin_of(given: Folded, acceptance: str = "at-once") -> Twin:
    async with Store.open(given.url) as store:
        material = await find_material(store, given.tenants, draft=False)
        starts_at = material.starts_at(given.world.started_at)
        return await load_twin(store, material, starts_at, Acceptance.read(acceptance), 1, Silent())


def _inventory_of(world: World, folder: Path) -> dict[RowSet, Sequence[tuple[Plain, ...]]]:
    """Take inventory of a world with the real program; everything the workbook would show of it."""
    folder.mkdir()

    async def work() -> dict[RowSet, Sequence[tuple[Plain, ...]]]:
        stage = Stage(world, folder)
        async with stage.program() as program:
            await read_all(program)
            names = (RowSet.CUSTOMERS, RowSet.SUBSCRIPTIONS)
            return {name: [row async for row in program.store.rows(name)] for name in names}

    return run(work, seed=1)


@pytest.mark.parametrize(
    "make", [demo_world.build, lambda: generate_world(3, 25, new_commerce_share=0.5), lambda: mixed_world(3, 8)]
)
async def test_an_inventory_of_the_twin_equals_the_inventory_it_was_made_of(tmp_path: Path, make: Callable[[], World]):
    """Same customers, subscriptions, statuses, license counts, terms and add-ons, legacy and new commerce."""
    given = await folded(make(), tmp_path)
    async with Store.open(given.url) as store:
        names = (RowSet.CUSTOMERS, RowSet.SUBSCRIPTIONS)
        real = {name: [row async for row in store.rows(name)] for name in names}
    twin = await _twin_of(given, "by-hand")
    assert real[RowSet.SUBSCRIPTIONS]
    assert await asyncio.to_thread(_inventory_of, twin.world, tmp_path / "twin") == real


async def test_the_same_inventory_gives_the_same_catalog(tmp_path: Path):
    """What the target sells in each country is what the twin sells there; what is gone stays gone."""
    given = await folded(demo_world.build(), tmp_path)
    twin = await _twin_of(given)
    gone = [one for one in twin.world.offers.values() if one.off_catalog]
    assert [one.name for one in gone] == ["Microsoft 365 Business Shift Campaign - 15%"]
    for offer_id, offer in twin.world.offers.items():
        real = given.world.offers[offer_id]
        if not offer.off_catalog:
            assert (offer.limit, offer.limit_unit, offer.prerequisite_offers) == (
                real.limit,
                real.limit_unit,
                real.prerequisite_offers,
            )
            assert offer.is_available_for_purchase == real.is_available_for_purchase


async def test_acceptances_are_spread_by_the_seed_and_never_outside_of_the_time(tmp_path: Path):
    """The same seed gives everybody the same hour; who is a customer of the target already has none."""
    given = await folded(generate_world(3, 20), tmp_path)
    twin = await _twin_of(given, "spread:2d")
    times = twin.world.pending_acceptances
    assert times
    assert all(START <= one <= START + timedelta(days=2, hours=1) for one in times.values())
    assert len(set(times.values())) > 1
    assert (await _twin_of(given, "spread:2d")).world.pending_acceptances == times
    assert not (await _twin_of(given, "by-hand")).world.pending_acceptances


@pytest.mark.parametrize("text", ["soon", "spread", "spread:", "spread:14", "spread:-1d", ""])
def test_an_unknown_manner_of_acceptance_is_refused_with_what_is_allowed(text: str):
    """A typing error never becomes a default."""
    with pytest.raises(InputError, match="spread:14d"):
        Acceptance.read(text)


def _customer(customer_id: str, tenant: Tenant, **fields: str) -> Read[Customer]:
    value = Customer(
        id=CustomerId(customer_id),
        tenant_id=tenant.id,
        company_name="Contoso",
        domain="contoso.example",
        relationship="reseller",
        country=fields.get("country", "SE"),
    )
    return Read(value=value, document=b'{"id":"x"}')


def _held(subscription_id: str, **fields: object) -> Read[Subscription]:
    value = Subscription(
        id=SubscriptionId(subscription_id),
        tenant_id=SE.id,
        customer_id=CustomerId("c1"),
        offer_id=OfferId("E3"),
        offer_name="E3",
        friendly_name="E3",
        license_count=5,
        wire_status="active",
        billing_type="license",
        billing_cycle="monthly",
        order_id=OrderId("o1"),
        created_at=START - timedelta(days=30),
        commitment_end_on=date(2027, 1, 1),
    )
    return Read(value=replace(value, **fields), document=b"not JSON at all")  # type: ignore[arg-type]  # named by the test


def _item(source_id: str, offer_id: str, **fields: object) -> PlanItem:
    item = PlanItem(
        subscription_id=SubscriptionId(source_id),
        tenant_id=SE.id,
        offer_id=OfferId("E3"),
        offer_name="E3",
        friendly_name="E3",
        license_count=5,
        billing_cycle="monthly",
        wire_status="active",
        route=Route.RECREATE,
        target_offer_id=OfferId(offer_id),
    )
    return replace(item, **fields)  # type: ignore[arg-type]  # named by the test


def _built(*held: Read[Subscription]) -> Twin:
    twin = Twin((SE, TARGET), START, seed=1)
    twin.add_customer(SE.id, _customer("c1", SE), held, is_read=True)
    return twin


def _counts(twin: Twin) -> dict[str, int]:
    names = {text: name for name, text in TEXTS.items()}
    return {names[one.text]: one.count for one in twin.assumptions if one.count}


def test_what_is_missing_is_assumed_and_counted():
    """No end of term, no order, no base, no catalog, no country, an unknown currency: each is named with its number."""
    twin = _built(
        _held("s1", commitment_end_on=None, order_id=OrderId("")),
        _held("s2", wire_status="suspended", parent_id=SubscriptionId("nobody")),
    )
    twin.add_customer(SE.id, _customer("c2", SE, country=""), (), is_read=False)
    world = twin.finish()
    counts = _counts(twin)
    expected = {"term": 1, "order": 1, "suspended": 1, "parent": 1, "off_catalog": 1, "country": 1, "unread": 1}
    assert {name: counts[name] for name in expected} == expected
    assert counts["currency"] == 1
    assert world.partner_tenants[TARGET.id].currency == "EUR"
    assert world.customers["c2"].address.country == "SE"


def test_the_target_is_known_to_the_truth_ledger_whatever_its_key():
    """The emulator's judge looks for the key "target"; the settings may call it anything."""
    twin = Twin((replace(SE, key="target"), TARGET), START, seed=1)
    assert {one.key for one in twin.world.partner_tenants.values()} == {"target", "target-source"}
    assert twin.target.id == TARGET.id


def test_what_a_run_did_after_the_inventory_is_there_already():
    """A counterpart the ledger knows is at the target, a suspended source is suspended, an add-on hangs on its base."""
    twin = _built(_held("base"), _held("extra", parent_id=SubscriptionId("base"), offer_id=OfferId("ADD")))
    for source, target in (("base", "t-base"), ("extra", "t-extra")):
        counterpart = Counterpart(
            source_id=SubscriptionId(source),
            target_id=SubscriptionId(target),
            order_id=OrderId("o2"),
            origin=Origin.CREATED,
            cutover_on=date(2026, 3, 1),
            suspended_at=START,
        )
        twin.done_since(counterpart, _item("base", "E3-NEW") if source == "base" else None)
    twin.accepted_since("c1")
    world = twin.finish()
    held = world.subscriptions
    assert (held["base"].status, held["extra"].status) == ("suspended", "suspended")
    assert (held["t-base"].offer_id, held["t-base"].quantity, held["t-base"].status) == ("E3-NEW", 5, "active")
    assert held["t-extra"].parent_subscription_id == "t-base"
    assert f"{TARGET.id}/c1" in world.relationships
    assert _counts(twin)["target_added"] == 2
    Emulator(world)  # its timers fit


def test_nobody_outside_of_the_book_is_asked_to_accept():
    """A customer of the plan that no snapshot shows is left alone."""
    twin = _built(_held("s1"))
    assert schedule(twin, ["c1", "stranger"], Acceptance.read("at-once"), 1) == 1


async def test_half_an_inventory_and_a_stale_plan_are_refused(tmp_path: Path):
    """A new inventory under way, and one that is newer than the plan, each with its own next step."""
    given = await folded(generate_world(3, 4), tmp_path)
    async with Store.open(given.url) as store:
        snapshot = await store.open_snapshot(given.tenants[0].id, START + timedelta(hours=1))
        with pytest.raises(SnapshotIncompleteError, match="not read to its end"):
            await find_material(store, given.tenants, draft=False)
        await store.save_customer_page(snapshot, (), None)
        await store.complete_snapshot(snapshot, START + timedelta(hours=2))
        with pytest.raises(PlanStaleError, match="snapshot 1"):
            await find_material(store, given.tenants, draft=False)


async def test_a_tenant_without_inventory_is_named(tmp_path: Path):
    """There is nothing to make a twin of."""
    given = await folded(generate_world(3, 2), tmp_path)
    stranger = replace(given.tenants[0], id=TenantId("somebody-else"), key="fi")
    async with Store.open(given.url) as store:
        with pytest.raises(SnapshotIncompleteError, match="'fi' has no inventory"):
            await find_material(store, (stranger, *given.tenants), draft=False)


async def test_an_old_inventory_is_not_carried_into_the_present(tmp_path: Path):
    """Within a week the rehearsal begins now; after it, or on a machine that is behind, where the inventory ends."""
    given = await folded(generate_world(3, 2), tmp_path)
    async with Store.open(given.url) as store:
        material = await find_material(store, given.tenants, draft=False)
    ends = material.known_until
    assert material.starts_at(ends + timedelta(days=6)) == ends + timedelta(days=6)
    assert material.starts_at(ends + timedelta(days=8)) == ends
    assert material.starts_at(ends - timedelta(days=1)) == ends


def _sku(key: str, country: str, *terms: tuple[str, str], document: bytes = b"{}", maximum: int = 300) -> Read[Sku]:
    value = Sku(
        id=OfferId(key),
        title="Business",
        country=country,
        is_sold=bool(terms),
        maximum_quantity=maximum,
        terms=tuple(SkuTerm(duration=duration, billing_cycle=cycle) for duration, cycle in terms),
    )
    return Read(value=value, document=document)


def _planned(*items: PlanItem) -> PlanCustomer:
    return PlanCustomer(
        customer_id=CustomerId("c1"),
        company_name="Contoso",
        country="SE",
        source_tenant_ids=(SE.id,),
        disposition=Disposition.MOVE,
        items=items,
    )


_YEAR = SkuTerm(duration="P1Y", billing_cycle="monthly")


def test_the_twin_sells_what_the_catalogs_list_and_nothing_of_the_emulators_own():
    """Terms, seat maximum and attestation as they were read, only where it is sold; beside it the Azure plan."""
    twin = Twin((SE, TARGET), START, seed=1)
    attested = (
        b'{"attestationProperties": {"enforceAttestation": true}, "dynamicAttributes": {"hasConstraints": false}}'
    )
    twin.add_skus("SE", [_sku("NEW:0001", "SE", ("P1Y", "monthly")), _sku("NEW:0002", "SE")])
    twin.add_skus("NO", [_sku("NEW:0001", "NO", ("P1M", "monthly")), _sku("NEW:0003", "NO", document=attested)])
    twin.add_customer(SE.id, _customer("c1", SE), (_held("s1"),), is_read=True)
    world = twin.finish()
    assert set(world.commerce.products) == {"NEW", "DZH318Z0BPS6"}
    assert not world.commerce.promotions
    skus = {one.id: one for one in world.commerce.products["NEW"].skus}
    assert (skus["0001"].maximum_quantity, skus["0001"].is_pooled, skus["0001"].not_sold_in) == (300, True, [])
    assert {(one.duration, one.billing_cycle) for one in skus["0001"].plans} == {("P1Y", "monthly"), ("P1M", "monthly")}
    assert skus["0002"].not_sold_in == ["NO", "SE"]
    assert (skus["0003"].enforces_attestation, skus["0003"].is_pooled) == (True, False)
    assert _counts(twin)["uneven"] == 1


def test_what_a_plan_orders_where_no_catalog_was_read_is_sold_there_and_said():
    """In a country that was read the catalog alone counts: what it does not list is not sold."""
    read, unread = Twin((SE, TARGET), START, seed=1), Twin((SE, TARGET), START, seed=1)
    read.add_skus("SE", [])
    for twin in (read, unread):
        twin.add_customer(SE.id, _customer("c1", SE), (_held("s1"),), is_read=True)
        twin.add_plan(_planned(_item("s1", "NEW:0001", sold_as=_YEAR)))
        twin.finish()
    assert "NEW" not in read.world.commerce.products
    (sku,) = unread.world.commerce.products["NEW"].skus
    assert sku.not_sold_in == []
    assert _counts(unread)["unread_products"] == 1
    assert _counts(read)["ordered_new"] == _counts(unread)["ordered_new"] == 1
    assert unread.world.offers["E3"].replaced_by == ["NEW:0001"]


def test_what_only_microsoft_or_a_person_decides_is_counted():
    """Transfers are taken to be allowed; what a person does nobody does."""
    twin = _built(_held("s1"))
    twin.add_plan(
        _planned(
            _item("s1", "x", route=Route.TRANSFER, target_offer_id=None),
            _item("s2", "x", route=Route.MANUAL, target_offer_id=None),
        )
    )
    twin.finish()
    counts = _counts(twin)
    assert (counts["transfers"], counts["by_hand"]) == (1, 1)


def test_new_commerce_that_a_run_bought_after_the_inventory_has_its_term():
    """The target holds the product for the term and billing of the plan, and its licenses are new commerce there."""
    twin = _built(_held("s1"))
    bought = Counterpart(
        source_id=SubscriptionId("s1"),
        target_id=SubscriptionId("t1"),
        order_id=OrderId("o2"),
        origin=Origin.CREATED,
        cutover_on=START.date(),
    )
    twin.done_since(bought, _item("s1", "NEW:0001", sold_as=SkuTerm(duration="P1Y", billing_cycle="annual")))
    world = twin.finish()
    held = world.subscriptions["t1"]
    assert (held.offer_id, held.billing_cycle, held.commitment_end) == ("NEW:0001", "annual", date(2027, 3, 1))
    assert world.commerce.terms["t1"].term_duration == "P1Y"
    Emulator(world)  # its timers fit


def test_a_license_that_was_transferred_after_the_inventory_has_left_its_source():
    """It stands at the target with its own term, and the source shows it no more."""
    twin = _built(_held("s1", offer_id=OfferId("NEW:0001:AV"), term_duration="P1Y", product_type="OnlineServicesNCE"))
    moved = Counterpart(
        source_id=SubscriptionId("s1"),
        target_id=SubscriptionId("t1"),
        order_id=OrderId("o2"),
        origin=Origin.TRANSFERRED,
        verified_at=START,
    )
    twin.done_since(moved, None)
    held = twin.finish().subscriptions
    assert (held["s1"].status, held["s1"].moved_to) == ("deleted", "t1")
    assert (held["t1"].commitment_end, held["t1"].offer_id) == (held["s1"].commitment_end, "NEW:0001:AV")
    assert _counts(twin)["left"] == 1
