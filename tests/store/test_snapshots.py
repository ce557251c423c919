import asyncio

import pytest

from tenantfold.domain.records import Snapshot
from tenantfold.errors import ConflictError, SnapshotIncompleteError, StoreError
from tenantfold.store import Store
from tests.store.samples import (
    NOW,
    OTHER_SOURCE,
    SOURCE,
    TARGET,
    customer,
    customer_id,
    later,
    offer,
    snapshot_of,
    subscription,
)


async def test_tenants_come_with_the_target_last(store: Store):
    """Sources by short name, then the target, whatever their ids are."""
    assert [tenant.key for tenant in await store.tenants()] == ["fi", "se", "central"]


async def test_saving_a_tenant_again_brings_its_facts_up_to_date(store: Store):
    """The id decides who it is."""
    known = (await store.tenants())[0]
    await store.save_tenant(type(known)(id=known.id, key="fi", role=known.role, name="Renamed", country="FI"))
    assert [tenant.name for tenant in await store.tenants()] == ["Renamed", "Nordwind Sverige", "Nordwind AB"]


async def test_snapshots_are_numbered_per_tenant_and_an_unfinished_one_goes_on(store: Store):
    """Opening twice gives the same snapshot; after completion the next number; other tenants count for themselves."""
    first = await store.open_snapshot(SOURCE, NOW)
    again = await store.open_snapshot(SOURCE, later(hours=5))
    assert (first.number, again) == (1, first)
    await snapshot_of(store, SOURCE, {1: []})
    assert (await store.open_snapshot(SOURCE, later(hours=6))).number == 2
    assert (await store.open_snapshot(TARGET, later(hours=6))).number == 1


async def test_no_snapshot_of_an_unknown_tenant(empty_store: Store):
    """A snapshot belongs to a tenant that was saved."""
    with pytest.raises(StoreError, match="does not know the tenant"):
        await empty_store.open_snapshot(SOURCE, NOW)


async def test_two_programs_opening_a_snapshot_get_one(store: Store, url: str):
    """Both continue the same snapshot, or the later one is told that the state moved; never two numbers."""
    async with Store.open(url) as other:
        found = await asyncio.gather(
            store.open_snapshot(SOURCE, NOW), other.open_snapshot(SOURCE, NOW), return_exceptions=True
        )
    assert {one.number for one in found if isinstance(one, Snapshot)} == {1}
    assert all(isinstance(one, Snapshot | ConflictError) for one in found)


async def test_a_half_written_snapshot_stays_visible_as_incomplete(store: Store, url: str):
    """Another program that opens the ledger later sees how far the reading came, and where it goes on."""
    snapshot = await store.open_snapshot(SOURCE, NOW)
    await store.save_customer_page(snapshot, [customer(1), customer(2), customer(3)], "page-2")
    await store.save_customers(snapshot, [(customer(1), [subscription(1, "a"), subscription(1, "b")])])
    await store.save_unread_customer(snapshot, customer_id(2), "no permission")
    async with Store.open(url) as other:
        found = await other.newest_snapshot(SOURCE)
    assert found == Snapshot(
        number=1,
        tenant_id=SOURCE,
        started_at=NOW,
        customers=3,
        subscriptions=2,
        unread_customers=1,
        next_link="page-2",
    )


@pytest.mark.parametrize(
    ("next_link", "said"), [("page-2", "list goes on"), (None, "2 customers are still to be read")]
)
async def test_a_snapshot_with_gaps_cannot_be_completed(store: Store, next_link: str | None, said: str):
    """Half a list, or customers nobody read, are never taken for everything (invariant 9)."""
    snapshot = await store.open_snapshot(SOURCE, NOW)
    await store.save_customer_page(snapshot, [customer(1), customer(2)], next_link)
    with pytest.raises(SnapshotIncompleteError, match=said):
        await store.complete_snapshot(snapshot, NOW)


async def test_completing_keeps_time_and_counts(store: Store):
    """What complete_snapshot returns is what newest_snapshot tells from then on."""
    snapshot = await store.open_snapshot(TARGET, NOW)
    await store.save_customer_page(snapshot, [customer(1, TARGET), customer(2, TARGET)], None)
    await store.save_customers(snapshot, [(customer(1, TARGET), [subscription(1, "a", TARGET)])])
    await store.save_unread_customer(snapshot, customer_id(2), "gone")
    await store.save_offers(snapshot, "SE", [offer("A"), offer("B")])
    await store.save_offers(snapshot, "FI", [])
    done = await store.complete_snapshot(snapshot, later(hours=2))
    assert done == await store.newest_snapshot(TARGET)
    assert (done.completed_at, done.customers, done.subscriptions, done.unread_customers) == (later(hours=2), 2, 1, 1)
    assert done.offer_countries == ("FI", "SE")  # a country without offers was read all the same


async def test_a_complete_snapshot_never_changes(store: Store):
    """Plans rest on it: every way of writing into it is refused."""
    done = await snapshot_of(store, SOURCE, {1: []})
    for write in (
        store.save_customer_page(done, [customer(2)], None),
        store.save_customers(done, [(customer(1), [])]),
        store.save_unread_customer(done, customer_id(1), "why"),
        store.save_offers(done, "SE", []),
        store.complete_snapshot(done, NOW),
    ):
        with pytest.raises(ConflictError, match="is complete"):
            await write


async def test_customers_to_read_come_in_order_until_all_are_read(store: Store):
    """Saving a customer, or why it cannot be read, takes it off the list."""
    snapshot = await store.open_snapshot(SOURCE, NOW)
    await store.save_customer_page(snapshot, [customer(number) for number in (3, 1, 2)], None)
    assert await store.customers_to_read(snapshot, 2) == (customer_id(1), customer_id(2))
    await store.save_customers(snapshot, [(customer(1), [])])
    await store.save_unread_customer(snapshot, customer_id(2), "why")
    assert await store.customers_to_read(snapshot, 9) == (customer_id(3),)


async def test_a_page_that_comes_twice_changes_nothing(store: Store):
    """A list read again from the start keeps what is known of customers already read."""
    snapshot = await store.open_snapshot(SOURCE, NOW)
    await store.save_customer_page(snapshot, [customer(1), customer(2)], "page-2")
    await store.save_customers(snapshot, [(customer(1, company_name="Details"), [subscription(1, "a")])])
    await store.save_customer_page(snapshot, [customer(1), customer(2)], "page-2")
    entry = await store.book_entry([snapshot], customer_id(1))
    assert entry is not None
    assert (entry.seen[0].company_name, len(entry.subscriptions)) == ("Details", 1)
    assert await store.customers_to_read(snapshot, 9) == (customer_id(2),)


async def test_saving_a_customer_again_replaces_its_subscriptions(store: Store):
    """What was not in the last read is not in the snapshot."""
    snapshot = await store.open_snapshot(SOURCE, NOW)
    await store.save_customers(snapshot, [(customer(1), [subscription(1, "a"), subscription(1, "b")])])
    await store.save_customers(snapshot, [(customer(1), [subscription(1, "b", license_count=9)])])
    entry = await store.book_entry([snapshot], customer_id(1))
    assert entry is not None
    assert [(one.id, one.license_count) for one in entry.subscriptions] == [(f"{SOURCE}-1-b", 9)]


async def test_the_document_is_kept_byte_by_byte(store: Store):
    """What Microsoft answered stays beside what we understood of it."""
    snapshot = await snapshot_of(store, SOURCE, {1: [subscription(1, "a")]})
    kept = await store.document(snapshot, customer_id(1), subscription(1, "a").value.id)
    assert kept == b'{"unknown":"kept"}'
    assert await store.document(snapshot, customer_id(1)) == b'{"id":"c-00001"}'
    assert await store.document(snapshot, customer_id(9)) is None


async def test_a_customer_that_is_in_no_list_cannot_be_marked_unread(store: Store):
    """A reason needs a customer it is about."""
    snapshot = await store.open_snapshot(SOURCE, NOW)
    with pytest.raises(StoreError, match="is not in snapshot 1"):
        await store.save_unread_customer(snapshot, customer_id(1), "why")


async def test_the_catalog_of_a_country_is_what_was_last_saved(store: Store):
    """Offers by id, of one country of one snapshot; an unread country has none."""
    snapshot = await store.open_snapshot(TARGET, NOW)
    await store.save_offers(snapshot, "SE", [offer("A"), offer("B")])
    await store.save_offers(snapshot, "SE", [offer("B"), offer("C")])
    await store.save_offers(snapshot, "FI", [offer("F", "FI")])
    assert await store.catalog(snapshot, "SE") == {"B": offer("B").value, "C": offer("C").value}
    assert await store.catalog(snapshot, "DK") == {}


async def test_source_countries_come_from_the_newest_source_snapshots(store: Store):
    """Sorted, without unknown ones, and without countries only the target knows."""
    old = await store.open_snapshot(SOURCE, NOW)
    await store.save_customer_page(old, [customer(1, country="NO")], None)
    await store.save_customers(old, [(customer(1, country="NO"), [])])
    await store.complete_snapshot(old, NOW)
    for tenant, country in ((SOURCE, "SE"), (OTHER_SOURCE, "FI"), (TARGET, "DK")):
        snapshot = await store.open_snapshot(tenant, NOW)
        await store.save_customers(snapshot, [(customer(1, tenant, country=country), [])])
        await store.save_customers(snapshot, [(customer(2, tenant, country=""), [])])
    assert await store.source_countries() == ("FI", "SE")
