"""The world generator: same numbers, same world; and what that world promises."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from partner_center_emulator.seed import generate_world
from partner_center_emulator.seed.names import COUNTRIES, SE, company_name, domain_stem
from partner_center_emulator.world import World


@pytest.fixture(scope="module")
def world() -> World:
    """Return a world that no test changes."""
    return generate_world(11, 1500)


def test_the_same_numbers_give_the_same_world():
    """Equal seed, size and start give equal bytes; another seed gives another world."""
    first, second = (msgspec.json.encode(generate_world(3, 40)) for _ in range(2))
    assert first == second
    assert msgspec.json.encode(generate_world(4, 40)) != first


def test_a_world_survives_its_snapshot(world: World):
    """Encoding and decoding a generated world loses nothing."""
    text = msgspec.json.encode(world)
    assert msgspec.json.encode(msgspec.json.decode(text, type=World)) == text


def test_refuses_a_negative_number_of_customers():
    """There is no world with fewer than no customers; none at all is fine."""
    assert generate_world(1, 0).customers == {}
    with pytest.raises(ValueError, match="fewer"):
        generate_world(1, -1)


def test_has_three_sources_and_one_target(world: World):
    """One partner in four countries, each tenant with an application and an admin agent with MFA."""
    rows = [(t.key, t.address.country, t.currency) for t in world.partner_tenants.values()]
    assert rows == [("se", "SE", "SEK"), ("no", "NO", "NOK"), ("dk", "DK", "DKK"), ("target", "IE", "EUR")]
    for tenant in world.partner_tenants.values():
        assert tenant.apps[0].secret_expires_at > world.started_at
        assert any("admin_agent" in user.roles and user.has_mfa for user in tenant.users)


def test_customers_are_one_of_a_kind(world: World):
    """Names and domains are unique; every customer has a relationship with exactly one source tenant."""
    assert len({c.company_name for c in world.customers.values()}) == 1500
    assert len({c.domain for c in world.customers.values()}) == 1500
    assert all(c.domain.endswith(".onmicrosoft.com") and c.domain.isascii() for c in world.customers.values())
    sources = {t.id for t in world.partner_tenants.values() if t.key != "target"}
    held = Counter(r.customer_id for r in world.relationships.values())
    assert set(held.values()) == {1}
    assert {r.tenant_id for r in world.relationships.values()} == sources


def test_the_agreement_is_in_place_at_the_source(world: World):
    """Each customer accepted the agreement directly or through its source tenant's attestation."""
    attested = {agreement.customer_id for agreement in world.agreements}
    direct = {c.id for c in world.customers.values() if c.direct_signed_agreement}
    assert attested | direct == set(world.customers)
    assert not attested & direct
    assert 0.1 < len(direct) / len(world.customers) < 0.3


def test_holdings_look_like_a_partners_book(world: World):
    """About 3.7 subscriptions per customer, add-ons among them, mostly small, some large, all states and cycles."""
    rows = list(world.subscriptions.values())
    assert 3.3 < len(rows) / 1500 < 4.1
    assert 0.12 < sum(row.parent_subscription_id is not None for row in rows) / len(rows) < 0.28
    quantities = sorted(row.quantity for row in rows)
    assert quantities[len(rows) // 2] < 20
    assert quantities[-1] > 300
    states = Counter(row.status for row in rows)
    assert set(states) == {"active", "suspended", "deleted"}
    assert states["active"] > 0.85 * len(rows)
    assert {row.billing_cycle for row in rows} == {"monthly", "annual", "none"}
    assert any(row.is_trial for row in rows)
    assert any(row.partner_id_on_record for row in rows)


def test_everything_held_could_be_bought_again_at_the_target(world: World):
    """Offers are sold in source and target country, counts are inside the limits, limited offers stand once."""
    limited: Counter[tuple[str, str]] = Counter()
    for row in world.subscriptions.values():
        offer = world.offers[row.offer_id]
        assert offer.minimum_quantity <= row.quantity <= offer.maximum_quantity
        assert not offer.off_catalog
        assert not {"SE", "NO", "DK", "IE"} & set(offer.not_sold_in)
        assert row.billing_cycle in offer.billing_cycles
        if offer.limit_unit != "None":
            limited[row.customer_id, row.offer_id] += 1
    assert set(limited.values()) == {1}


def test_orders_and_subscriptions_belong_together(world: World):
    """Every line has its subscription with the order's cycle; add-ons stand in the order of their base."""
    lines = 0
    for order in world.orders.values():
        assert [line.line_item_number for line in order.lines] == list(range(len(order.lines)))
        for line in order.lines:
            row = world.subscriptions[line.subscription_id or ""]
            assert (row.order_id, row.billing_cycle, row.quantity) == (order.id, order.billing_cycle, line.quantity)
            if row.parent_subscription_id:
                base = world.subscriptions[row.parent_subscription_id]
                assert base.order_id == order.id
                assert base.offer_id in world.offers[row.offer_id].prerequisite_offers
                assert base.status == row.status
        lines += len(order.lines)
    assert lines == len(world.subscriptions)


def test_terms_run_across_the_start_of_the_world(world: World):
    """What lives has a term that ends in the future; suspensions are recent enough not to be deleted at once."""
    today = world.started_at.date()
    for row in world.subscriptions.values():
        assert row.created_at < world.started_at
        if row.status != "deleted":
            assert row.effective_start <= today <= row.commitment_end
        if row.status == "suspended":
            assert row.suspended_at is not None
            assert timedelta(0) <= world.started_at - row.suspended_at <= timedelta(days=80)


def test_a_world_can_begin_at_any_time():
    """Dates follow the start, also from a leap day's world."""
    start = datetime(2028, 2, 29, 6, tzinfo=UTC)
    later = generate_world(2, 60, start)
    assert later.started_at == start
    assert all(row.commitment_end >= start.date() for row in later.subscriptions.values() if row.status == "active")


def test_company_names_never_repeat():
    """The whole numbering of a country is free of repetitions and goes on with a number behind the name."""
    size = SE.name_count
    names = {company_name(SE, number, 12345) for number in range(size)}
    assert len(names) == size
    assert company_name(SE, size + 3, 12345) == f"{company_name(SE, 3, 12345)} 2"


@pytest.mark.parametrize("code", sorted(COUNTRIES))
def test_there_are_names_enough_for_a_hundred_thousand_customers(code: str):
    """The largest country has the largest share; all together carry the planned size without numbers."""
    shares = {"SE": 0.45, "NO": 0.30, "DK": 0.25}
    assert COUNTRIES[code].name_count > 100_000 * shares[code]


def test_domain_stems_are_plain_letters():
    """Nordic letters become plain ones."""
    assert domain_stem("Åkerby Kök & Bröd AB") == "akerbykokbrodab"
    assert domain_stem("Ærø Smørrebrød ApS") == "aerosmorrebrodaps"
