import pytest

from tenantfold.domain.model import CustomerId, OfferId
from tenantfold.store import ParityRow, Store, parity
from tenantfold.store import store as store_module
from tests.store.explain import query_plans
from tests.store.samples import NOW, OTHER_SOURCE, SOURCE, TARGET, customer, customer_id, snapshot_of, subscription


def row(number: int, offer_id: str = "OFFER-E3", **counts: int) -> ParityRow:
    """Licenses of an offer of a customer; what is not named is zero."""
    sides = ("source_active", "source_suspended", "source_other", "target_active", "target_other")
    return ParityRow(
        customer_id=customer_id(number),
        offer_id=OfferId(offer_id),
        **{side: counts.get(side, 0) for side in sides},
    )


async def differing(store: Store) -> list[ParityRow]:
    """What parity reports."""
    return [one async for one in store.parity_rows()]


async def test_equal_sides_are_not_reported(store: Store):
    """Sums count: two subscriptions at two sources against one at the target, suspended sources included."""
    await snapshot_of(store, SOURCE, {1: [subscription(1, "a", license_count=3)], 2: [subscription(2, "a")]})
    await snapshot_of(
        store, OTHER_SOURCE, {1: [subscription(1, "b", OTHER_SOURCE, license_count=4, wire_status="suspended")]}
    )
    await snapshot_of(
        store, TARGET, {1: [subscription(1, "t", TARGET, license_count=7)], 2: [subscription(2, "t", TARGET)]}
    )
    assert await differing(store) == []
    everything = [one async for one in store.parity_rows(only_different=False)]
    assert everything == [
        row(1, source_active=3, source_suspended=4, target_active=7),
        row(2, source_active=5, target_active=5),
    ]


async def test_every_kind_of_difference_is_reported(store: Store):
    """Missing, too few, not active, and only at the target, by customer and offer."""
    source = {
        1: [subscription(1, "a")],
        2: [subscription(2, "a"), subscription(2, "b", offer_id="OFFER-A")],
        3: [subscription(3, "a")],
        4: [],
    }
    target = {
        2: [subscription(2, "t", TARGET, license_count=4), subscription(2, "u", TARGET, offer_id="OFFER-A")],
        3: [subscription(3, "t", TARGET, wire_status="pending")],
        4: [subscription(4, "t", TARGET)],
    }
    await snapshot_of(store, SOURCE, source)
    await snapshot_of(store, TARGET, target)
    assert await differing(store) == [
        row(1, source_active=5),
        row(2, source_active=5, target_active=4),
        row(3, source_active=5, target_other=5),
        row(4, target_active=5),
    ]


async def test_parity_rests_on_the_newest_complete_snapshots(store: Store):
    """Older ones are history, half-written ones prove nothing (invariant 9)."""
    await snapshot_of(store, SOURCE, {1: [subscription(1, "old")]})
    await snapshot_of(store, SOURCE, {1: [subscription(1, "new", license_count=2)]})
    half = await store.open_snapshot(SOURCE, NOW)
    await store.save_customers(half, [(customer(1), [subscription(1, "half", license_count=100)])])
    await snapshot_of(store, TARGET, {1: [subscription(1, "t", TARGET, license_count=2)]})
    assert await differing(store) == []


async def test_pages_of_parity_add_up(store: Store, monkeypatch: pytest.MonkeyPatch):
    """Keyset over customer and offer: every difference once and in order, though a page holds two."""
    monkeypatch.setattr(store_module, "PARITY_BATCH", 2)
    held = {number: [subscription(number, one, offer_id=f"OFFER-{one}") for one in "cab"] for number in (1, 2, 3)}
    await snapshot_of(store, SOURCE, held)
    found = [(one.customer_id, one.offer_id) async for one in store.parity_rows()]
    assert found == [(customer_id(number), f"OFFER-{one}") for number in (1, 2, 3) for one in "abc"]


async def test_parity_is_one_pass_over_one_index(store: Store, dialect: str):
    """SQLite reads the covering index in the order of the group and sorts nothing (DESIGN 5)."""
    if dialect != "sqlite":
        return  # PostgreSQL chooses by its statistics
    await snapshot_of(store, SOURCE, {1: [subscription(1, "a")]})
    await snapshot_of(store, TARGET, {1: []})
    after = (CustomerId("a"), OfferId("b"))
    plans = await query_plans(store, lambda conn: parity.parity_rows(conn, after, 10, only_different=True))
    assert len(plans[-1]) == 1
    assert "COVERING INDEX ix_snapshot_subscription_parity" in plans[-1][0]
