"""Generated worlds with a share of new commerce: none by default, possible when asked, and they live on."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from partner_center_emulator import worlds
from partner_center_emulator.clock import DEFAULT_START, Clock
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.orders.holdings import Holdings
from partner_center_emulator.seed import generate_world
from partner_center_emulator.world import World


@pytest.fixture(scope="module")
def world() -> World:
    """Return a world in which more than half is new commerce; no test changes it."""
    return generate_world(5, 300, new_commerce_share=0.7)


def test_a_world_has_no_new_commerce_unless_asked():
    """Neither a generated one nor the demo's."""
    assert generate_world(5, 50).commerce.terms == {}
    assert worlds.make("demo", 0, 0, DEFAULT_START, new_commerce_share=0.9).commerce.terms == {}
    with pytest.raises(ValueError, match="share"):
        generate_world(5, 50, new_commerce_share=1.5)


def test_the_share_is_new_commerce_and_the_same_every_time(world: World):
    """Equal arguments, equal bytes; terms and orders belong to subscriptions that exist."""
    again = generate_world(5, 300, new_commerce_share=0.7)
    assert msgspec.json.encode(again) == msgspec.json.encode(world)
    assert 0.25 < len(world.commerce.terms) / len(world.subscriptions) < 0.7
    assert set(world.commerce.terms) <= set(world.subscriptions)
    assert set(world.commerce.orders) <= set(world.orders)


def test_terms_run_and_windows_are_closed_when_the_world_begins(world: World):
    """Every term began at least eight days ago or by renewal, and ends later than today."""
    today = world.started_at.date()
    for key, terms in world.commerce.terms.items():
        subscription = world.subscriptions[key]
        assert terms.anchor <= today <= subscription.commitment_end
        assert world.started_at - terms.purchased_at >= timedelta(days=7)
        assert terms.term_started_at <= world.started_at


def test_pooled_seats_are_within_their_maximum(world: World):
    """No customer's tenant holds more than a SKU allows."""
    emulator = Emulator(world, clock=Clock(world.started_at, frozen=True))
    pooled = [
        (f"{product.id}:{sku.id}", sku.maximum_quantity)
        for product in world.commerce.products.values()
        for sku in product.skus
        if sku.is_pooled
    ]
    for customer in world.customers.values():
        holdings = Holdings(emulator, customer)
        assert all(holdings.seats(key) <= maximum for key, maximum in pooled)


def test_a_loaded_world_lives_on_like_the_one_that_was_saved():
    """Half a year later both tell the same story: nothing that is due depends on memory."""
    first = Emulator(generate_world(6, 60, new_commerce_share=0.8), clock=Clock(DEFAULT_START, frozen=True))
    first.clock.advance(40 * 86_400)
    text = msgspec.json.encode(worlds.snapshot(first))
    loaded = msgspec.json.decode(text, type=World)
    second = Emulator(loaded, clock=Clock(loaded.clock_at or DEFAULT_START, frozen=True))
    for emulator in (first, second):
        emulator.clock.advance(140 * 86_400)
    assert first.world.subscriptions == second.world.subscriptions
    assert {row.status for row in first.world.subscriptions.values()} >= {"active", "deleted"}
