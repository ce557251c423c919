"""A mixed world holds everything there is, the same every time, and lives on like a world of purchases."""

from __future__ import annotations

from collections import Counter

import httpx2
import msgspec
import pytest

from partner_center_emulator import worlds
from partner_center_emulator.app import create_app
from partner_center_emulator.azure.models import plan_of
from partner_center_emulator.clock import Clock
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import ApiError
from partner_center_emulator.ledger.report import judge
from partner_center_emulator.seed.mixed import customers_of, mixed_world
from partner_center_emulator.seed.portfolios import Kind, Portfolio
from partner_center_emulator.state.transfers import Transfer
from partner_center_emulator.transfers import lines
from partner_center_emulator.world import Subscription, World


@pytest.fixture(scope="module")
def world() -> World:
    """Return a mixed world of a hundred customers; no test changes it."""
    return mixed_world(3, 100)


def of_kind(world: World, kind: Kind) -> list[Subscription]:
    """Return the subscriptions of one kind."""
    return [one for one in world.subscriptions.values() if world.labels[one.id] == kind.name]


def test_every_portfolio_and_every_kind_is_there(world: World):
    """A hundred customers are enough for all of them, and every subscription is labeled."""
    assert {world.labels[one] for one in world.customers} == {one.name for one in Portfolio}
    assert {world.labels[one] for one in world.subscriptions} == {one.name for one in Kind}


def test_the_same_seed_gives_the_same_world(world: World):
    """Byte for byte; another seed gives another."""
    assert msgspec.json.encode(mixed_world(3, 100)) == msgspec.json.encode(world)
    assert msgspec.json.encode(mixed_world(4, 100)) != msgspec.json.encode(world)
    assert msgspec.json.encode(worlds.make("mixed", 3, 100)) == msgspec.json.encode(world)


def test_a_customer_is_the_same_in_a_smaller_world():
    """What a customer holds depends on the seed and its name alone."""
    small, large = mixed_world(5, 20), mixed_world(5, 90)
    names = {one.company_name for one in small.customers.values()} & {
        one.company_name for one in large.customers.values()
    }
    assert len(names) >= 15


def test_it_has_four_currencies_and_two_clouds(world: World):
    """Sources in kronor and euros, a target in euros, and the government's own source and target."""
    currencies = {tenant.key: tenant.currency for tenant in world.partner_tenants.values()}
    assert currencies == {
        "se": "SEK", "no": "NOK", "dk": "DKK", "fi": "EUR", "target": "EUR", "us": "USD", "target-us": "USD",
    }  # fmt: skip
    assert len(customers_of(world, "us_government")) == 6
    assert not {one.id for one in customers_of(world, "commercial")} & {
        one.id for one in customers_of(world, "us_government")
    }


def test_nothing_is_recorded_as_a_change(world: World):
    """Everything stood before the clock began, so the truth ledger has nothing to say of it."""
    assert world.changes == []
    found = judge(world, world.started_at)
    assert (found.twins, found.gaps, found.overlaps) == ([], [], [])


def test_terms_are_as_the_kinds_say(world: World):
    """Expired ones are in their days of grace, windows are open, pools are more than half full, promotions hold."""
    today = world.started_at.date()
    for one in of_kind(world, Kind.EXPIRED):
        assert one.status == "expired"
        assert 0 < (today - one.commitment_end).days < 15
    for one in of_kind(world, Kind.NOT_TRANSFERABLE):
        assert 15 < (one.commitment_end - today).days < 60
    assert any(terms.batches for terms in world.commerce.terms.values())
    assert any(terms.promotion_id for terms in world.commerce.terms.values())
    assert any(one.quantity > 150 and "Business Premium" in one.offer_name for one in of_kind(world, Kind.LICENSE))
    assert {terms.term_duration for terms in world.commerce.terms.values()} >= {"P1M", "P1Y", "P3Y", ""}


def test_azure_has_subscriptions_and_reservations_of_all_sorts(world: World):
    """One to three Azure subscriptions under a plan; reservations paid both ways, and one that is off."""
    plans = {one.id for one in of_kind(world, Kind.AZURE_PLAN)}
    under = Counter(one.subscription_id for one in world.azure.entitlements.values())
    assert {under[plan] for plan in plans} == {1, 2, 3}
    assert {(one.is_monthly, one.status) for one in world.azure.benefits.values()} == {
        (False, "active"), (True, "active"), (False, "inactive"),
    }  # fmt: skip
    for one in of_kind(world, Kind.LEGACY_AZURE):
        assert world.azure.entitlements[one.id].subscription_id == one.id


def test_one_product_cannot_be_transferred():
    """Its line is refused with 900134, like software."""
    world = mixed_world(3, 100)
    emulator = Emulator(world, clock=Clock(world.started_at, frozen=True))
    held = of_kind(world, Kind.NOT_TRANSFERABLE)[0]
    target = next(one for one in world.partner_tenants.values() if one.key == "target")
    wish = Transfer(
        id="one", is_legacy=False, transfer_type=5, status="Pending", customer_id=held.customer_id,
        source_tenant_id=held.tenant_id, source_name="", target_tenant_id=target.id, target_name="",
        created_at=world.started_at, modified_at=world.started_at,
    )  # fmt: skip
    with pytest.raises(ApiError) as caught:
        lines.modern_lines(emulator, wish, [{"subscriptionId": held.id}])
    assert caught.value.code == 900134


def test_it_lives_on_for_months(world: World):
    """Terms renew, trials and expired ones run out, nothing breaks; a loaded copy does the same."""
    text = msgspec.json.encode(world)
    ends = []
    for _ in range(2):
        copy = msgspec.json.decode(text, type=World)
        emulator = Emulator(copy, clock=Clock(copy.started_at, frozen=True))
        emulator.clock.advance(150 * 86_400)
        ends.append(copy)
    assert ends[0].subscriptions == ends[1].subscriptions
    assert {one.status for one in of_kind(ends[0], Kind.EXPIRED)} == {"deleted"}
    assert all(one.status == "active" for one in of_kind(ends[0], Kind.AZURE_PLAN))


def test_a_plan_is_found_where_it_is_and_only_there(world: World):
    """A customer with an Azure plan has none at the target yet."""
    emulator = Emulator(msgspec.json.decode(msgspec.json.encode(world), type=World))
    plan = of_kind(emulator.world, Kind.AZURE_PLAN)[0]
    target = next(one for one in emulator.world.partner_tenants.values() if one.key == "target")
    assert plan_of(emulator, plan.tenant_id, plan.customer_id) is not None
    assert plan_of(emulator, target.id, plan.customer_id) is None


async def test_each_cloud_has_a_sheet_of_its_own(world: World):
    """Its own tenants and sign-in address, and a target that is called target in both."""
    emulator = Emulator(msgspec.json.decode(msgspec.json.encode(world), type=World))
    transport = httpx2.ASGITransport(app=create_app(emulator))
    async with httpx2.AsyncClient(transport=transport, base_url=emulator.options.base_url) as anonymous:
        commercial = (await anonymous.get("/_emulator/credentials")).json()
        government = (await anonymous.get("/usgov/_emulator/credentials")).json()
    assert {one["key"] for one in commercial["tenants"]} == {"se", "no", "dk", "fi", "target"}
    assert {one["key"] for one in government["tenants"]} == {"us", "target"}
    assert government["authority"] == f"{emulator.options.base_url}/usgov"
