"""The demo's world: its size and its cast."""

from __future__ import annotations

import msgspec
import pytest

from partner_center_emulator.demo_world import CAST, UNKNOWN_STATUS, build, odd_customers
from partner_center_emulator.seed import generate_world
from partner_center_emulator.world import Subscription, World


@pytest.fixture(scope="module")
def world() -> World:
    """Return the demo's world; no test changes it."""
    return build()


def held(world: World, role: str, key: str | None = None) -> list[Subscription]:
    """Return what the customer in this role holds, at all tenants or at one."""
    customer_id = odd_customers(world)[role]
    keys = {tenant.id: tenant.key for tenant in world.partner_tenants.values()}
    rows = [row for row in world.subscriptions.values() if row.customer_id == customer_id]
    return [row for row in rows if key is None or keys[row.tenant_id] == key]


def test_is_always_the_same():
    """Two builds are equal."""
    assert msgspec.json.encode(build()) == msgspec.json.encode(build())


def test_has_sixty_customers_and_about_220_source_subscriptions(world: World):
    """The promised size."""
    target = next(t.id for t in world.partner_tenants.values() if t.key == "target")
    assert len(world.customers) == 60
    assert 210 <= sum(row.tenant_id != target for row in world.subscriptions.values()) <= 230


def test_the_whole_cast_is_found_by_name(world: World):
    """Each role has a customer with its company name; a generated world has none."""
    found = odd_customers(world)
    assert {role: world.customers[customer_id].company_name for role, customer_id in found.items()} == CAST
    assert odd_customers(generate_world(1, 30)) == {}


def test_everybody_else_is_plain(world: World):
    """Outside the cast everyone accepts now, has one source tenant, and holds only known states of offers on sale."""
    cast = set(odd_customers(world).values())
    for customer in world.customers.values():
        if customer.id not in cast:
            assert customer.acceptance.kind == "now"
            assert sum(r.customer_id == customer.id for r in world.relationships.values()) == 1
    for row in world.subscriptions.values():
        if row.customer_id not in cast:
            assert row.status in {"active", "suspended", "deleted"}
            assert not world.offers[row.offer_id].off_catalog


def test_every_add_on_hangs_on_a_base_that_takes_it(world: World):
    """Also the cast could buy what it holds."""
    for row in world.subscriptions.values():
        if row.parent_subscription_id:
            base = world.subscriptions[row.parent_subscription_id]
            assert base.offer_id in world.offers[row.offer_id].prerequisite_offers


def test_two_admins_answer_late_or_never(world: World):
    """One never accepts, one after 26 hours."""
    found = odd_customers(world)
    assert world.customers[found["never_accepts"]].acceptance.kind == "never"
    late = world.customers[found["accepts_late"]].acceptance
    assert (late.kind, late.after_seconds) == ("after", 26 * 3600)


def test_one_offer_is_gone_and_has_a_replacement(world: World):
    """The campaign offer cannot be bought; what replaces it can."""
    gone = [world.offers[row.offer_id] for row in held(world, "offer_gone") if world.offers[row.offer_id].off_catalog]
    assert [offer.name for offer in gone] == ["Microsoft 365 Business Shift Campaign - 15%"]
    assert [world.offers[other].off_catalog for other in gone[0].replaced_by] == [False]


def test_one_customer_is_already_at_the_target(world: World):
    """Relationship, agreement and one equal active subscription exist at the target."""
    (there,) = held(world, "already_at_target", "target")
    twin = [row for row in held(world, "already_at_target", "se") if row.offer_id == there.offer_id]
    assert [(row.quantity, row.status, row.billing_cycle) for row in twin] == [
        (there.quantity, "active", there.billing_cycle)
    ]
    assert f"{there.tenant_id}/{there.customer_id}" in world.relationships


def test_one_customer_has_two_sources(world: World):
    """Sweden and Norway sell it different offers."""
    swedish = {row.offer_id for row in held(world, "two_sources", "se")}
    norwegian = {row.offer_id for row in held(world, "two_sources", "no")}
    assert swedish
    assert norwegian
    assert not swedish & norwegian


def test_one_status_is_unknown_and_one_customer_outside_the_region(world: World):
    """The last two difficulties."""
    assert [row.status for row in held(world, "unknown_status")].count(UNKNOWN_STATUS) == 1
    assert world.customers[odd_customers(world)["outside_region"]].address.country == "US"
    assert any(row.status == "active" and row.quantity > 1 for row in held(world, "seat_change", "dk"))
