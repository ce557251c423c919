import tracemalloc

import pytest

from tenantfold.domain.model import TenantId
from tenantfold.domain.records import Snapshot
from tenantfold.errors import StoreError
from tenantfold.store import Store, book, codec, tables
from tenantfold.store.statements import bulk_insert
from tests.store.samples import (
    NOW,
    OTHER_SOURCE,
    SOURCE,
    TARGET,
    customer,
    customer_id,
    snapshot_of,
    subscription,
)


async def many_customers(store: Store, tenant_id: TenantId, count: int) -> Snapshot:
    """A snapshot of many customers with a subscription each, put in directly."""
    snapshot = await store.open_snapshot(tenant_id, NOW)
    people = [customer(number, tenant_id).value for number in range(count)]
    held = [subscription(number, "a", tenant_id).value for number in range(count)]
    rows = [(1, one.id, "read", "", "n", "d", "SE", "n", codec.to_json(one), b"{}") for one in people]
    await store.database.write(lambda conn: bulk_insert(conn, tables.snapshot_customer, rows), durable=False)
    lines = [(1, one.customer_id, one.id, one.offer_id, 5, "active", codec.to_json(one), b"{}") for one in held]
    await store.database.write(lambda conn: bulk_insert(conn, tables.snapshot_subscription, lines), durable=False)
    return snapshot


async def test_the_book_joins_what_all_tenants_hold_of_the_customers_of_the_sources(store: Store):
    """Source tenants say who is in the book; the target adds what it has of them; its other customers stay out."""
    sources = [
        await snapshot_of(store, SOURCE, {1: [subscription(1, "a")], 2: []}),
        await snapshot_of(store, OTHER_SOURCE, {2: [subscription(2, "b", OTHER_SOURCE)], 3: []}),
    ]
    target = await snapshot_of(store, TARGET, {2: [subscription(2, "c", TARGET)], 9: [subscription(9, "d", TARGET)]})
    entries = [entry async for entry in store.book([*sources, target])]
    assert [entry.customer_id for entry in entries] == [customer_id(1), customer_id(2), customer_id(3)]
    shared = entries[1]
    assert shared.seen == (customer(2).value, customer(2, OTHER_SOURCE).value, customer(2, TARGET).value)
    assert shared.subscriptions == (subscription(2, "b", OTHER_SOURCE).value, subscription(2, "c", TARGET).value)
    assert [entry.unread for entry in entries] == [(), (), ()]
    assert await store.book_entry([*sources, target], customer_id(2)) == shared
    assert await store.book_entry([*sources, target], customer_id(9)) is None


async def test_what_could_not_be_read_is_said_per_tenant(store: Store):
    """Unread and not yet read are both unknown, each with its reason, never an empty and hence fine customer."""
    snapshot = await store.open_snapshot(SOURCE, NOW)
    await store.save_customer_page(snapshot, [customer(1), customer(2), customer(3)], None)
    await store.save_unread_customer(snapshot, customer_id(1), "no permission")
    await store.save_customers(snapshot, [(customer(3), [])])
    entries = [entry async for entry in store.book([snapshot])]
    assert [entry.unread for entry in entries] == [((SOURCE, "no permission"),), ((SOURCE, "not read yet"),), ()]
    assert all(entry.seen for entry in entries)


async def test_an_old_snapshot_can_still_be_read(store: Store):
    """The book is of the snapshots asked for, not of the newest ones."""
    old = await snapshot_of(store, SOURCE, {1: [subscription(1, "a")]})
    new = await snapshot_of(store, SOURCE, {2: []})
    assert [entry.customer_id async for entry in store.book([old])] == [customer_id(1)]
    assert [entry.customer_id async for entry in store.book([new])] == [customer_id(2)]


async def test_a_snapshot_the_ledger_does_not_hold_is_an_error(store: Store):
    """A wrong number is no empty book."""
    with pytest.raises(StoreError, match="no snapshot 7"):
        _ = [entry async for entry in store.book([Snapshot(number=7, tenant_id=SOURCE, started_at=NOW)])]


async def test_no_source_snapshot_means_an_empty_book(store: Store):
    """The target's customers alone are nobody's plan."""
    target = await snapshot_of(store, TARGET, {1: []})
    assert [entry async for entry in store.book([target])] == []


async def test_the_book_is_in_id_order_over_batch_limits(store: Store, monkeypatch: pytest.MonkeyPatch):
    """Every customer once and in order, though the tenants hold different ones and a batch holds three."""
    monkeypatch.setattr(book, "BOOK_BATCH", 3)
    one = await snapshot_of(store, SOURCE, {number: [] for number in (1, 4, 5, 6, 9, 11)})
    two = await snapshot_of(store, OTHER_SOURCE, {number: [] for number in (2, 4, 6, 7, 8, 10, 12)})
    found = [entry.customer_id async for entry in store.book([one, two])]
    assert found == [customer_id(number) for number in (1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12)]


async def test_memory_stays_flat_however_long_the_book_is(store: Store):
    """20,000 customers with their subscriptions take no more memory than two batches of them."""
    snapshot = await many_customers(store, SOURCE, 20_000)
    tracemalloc.start()
    try:
        count = 0
        async for entry in store.book([snapshot]):
            count += len(entry.subscriptions)
            if count == 2 * book.BOOK_BATCH:  # after two batches: everything that is held at a time was held once
                tracemalloc.reset_peak()
                early = tracemalloc.get_traced_memory()[0]
        growth = tracemalloc.get_traced_memory()[1] - early
    finally:
        tracemalloc.stop()
    assert count == 20_000
    assert growth < 10_000_000  # all at once would be over 50 MB


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("C-00003", [3]),
        ("company2.example", [2]),
        ("company1", [1, 10]),
        ("ÅKERI", [4]),
        ("100%", [5]),
        ("_", []),
        ("  ", []),
        ("nobody", []),
    ],
)
async def test_finds_customers_by_id_domain_or_part_of_the_name(store: Store, text: str, found: list[int]):
    """Case does not matter, Swedish letters included; signs of SQL patterns are just signs."""
    snapshot = await store.open_snapshot(SOURCE, NOW)
    people = [customer(number) for number in (1, 2, 3, 10)]
    people += [customer(4, company_name="Åkeri Öst"), customer(5, company_name="100% Kaffe")]
    await store.save_customer_page(snapshot, people, None)
    assert [row[0] for row in await store.find_customers(text)] == [customer_id(number) for number in found]


async def test_an_exact_domain_comes_before_names_that_contain_it(store: Store):
    """The customer a person meant is the first of the list, and listed once though two tenants have it."""
    for tenant in (SOURCE, TARGET):
        snapshot = await store.open_snapshot(tenant, NOW)
        people = [
            customer(1, tenant, company_name="A shop like fisk.example"),
            customer(2, tenant, company_name="Zebra", domain="fisk.example"),
        ]
        await store.save_customer_page(snapshot, people, None)
    assert await store.find_customers("fisk.example") == (
        (customer_id(2), "Zebra"),
        (customer_id(1), "A shop like fisk.example"),
    )
