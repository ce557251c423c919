"""A mixed partner (seed room): customers that hold everything there is, in four currencies and two clouds.

``Portfolio`` says what a customer is like, ``Kind`` what one of its subscriptions is; both stand in ``World.labels``,
so that whoever judges a consolidation of this world knows what was meant. The same seed gives the same world.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from random import Random

from partner_center_emulator.clock import DEFAULT_START
from partner_center_emulator.seed.generator import empty_partner
from partner_center_emulator.seed.names import ALL_COUNTRIES, company_name
from partner_center_emulator.seed.portfolios import NOT_SOLD, NOT_TRANSFERABLE, Mixer, Portfolio
from partner_center_emulator.seed.tenants import add_more_tenants
from partner_center_emulator.state.people import Cloud
from partner_center_emulator.world import Customer, World

_SHARES = {"se": 40, "no": 25, "dk": 15, "fi": 20}
_GOVERNMENT_SHARE = 0.06

_WEIGHTS: dict[Portfolio, int] = {
    Portfolio.LEGACY: 16, Portfolio.LEGACY_SUSPENDED: 3, Portfolio.LEGACY_GONE: 3, Portfolio.LEGACY_GONE_TO_SKU: 3,
    Portfolio.LEGACY_GONE_FOR_GOOD: 1, Portfolio.MODERN: 18, Portfolio.MODERN_ADD_ON: 5, Portfolio.PROMOTION: 4,
    Portfolio.OPEN_WINDOW: 4, Portfolio.SEAT_POOL: 4, Portfolio.NOT_TRANSFERABLE: 3, Portfolio.EXPIRED: 3,
    Portfolio.SUSPENDED: 2, Portfolio.TRIAL: 2, Portfolio.AZURE: 8, Portfolio.RESERVATIONS: 4,
    Portfolio.RESERVATION_OFF: 2, Portfolio.MARKETPLACE: 3, Portfolio.LEGACY_AZURE: 5, Portfolio.SOFTWARE: 2,
    Portfolio.PERPETUAL: 1, Portfolio.SAAS: 3, Portfolio.UNKNOWN_STATUS: 1, Portfolio.TWO_SOURCES: 3,
    Portfolio.AT_TARGET: 3, Portfolio.NEVER_ACCEPTS: 2, Portfolio.ACCEPTS_LATE: 4, Portfolio.BOTH_GENERATIONS: 10,
    Portfolio.EVERYTHING: 4, Portfolio.NOTHING: 1, Portfolio.OUTSIDE_REGION: 1,
}  # fmt: skip
_GOVERNMENT = (Portfolio.LEGACY, Portfolio.LEGACY, Portfolio.LEGACY_SUSPENDED, Portfolio.MODERN)


def mixed_world(seed: int = 1, customers: int = 300, started_at: datetime = DEFAULT_START) -> World:
    """Return a world of a partner with ``customers`` customers; from about forty on, every portfolio is in it.

    Raises ValueError for a negative number of customers.
    """
    if customers < 0:
        raise ValueError("A world cannot have fewer than no customers.")
    mixer = mixed_partner(seed, started_at)
    rng = Random(f"mixed/{seed}")
    salt, numbers = rng.randrange(1_000_000), dict.fromkeys((*_SHARES, "us"), 0)
    for portfolio, key in draw_portfolios(rng, customers):
        country = ALL_COUNTRIES[mixer.tenant(key).address.country]
        mixer.add(portfolio, key, company_name(country, numbers[key], salt))
        numbers[key] += 1
    return mixer.world


def mixed_partner(seed: int, started_at: datetime = DEFAULT_START) -> Mixer:
    """Return a mixed partner without customers, ready to take them: two offers have left its catalogs for good."""
    world = empty_partner(seed, started_at, Random(f"mixed partner/{seed}"))
    add_more_tenants(world, Random(f"mixed partner's other tenants/{seed}"))
    world.azure.source_becomes = "mixed"
    for offer in world.offers.values():
        if offer.name == NOT_SOLD:
            offer.off_catalog = True
    product_id, _, sku_id = NOT_TRANSFERABLE.partition(":")
    for sku in world.commerce.products[product_id].skus:
        sku.is_transferable = sku.is_transferable and sku.id != sku_id
    return Mixer(world, seed)


def customers_of(world: World, cloud: Cloud) -> list[Customer]:
    """Return the customers that the source tenants of a cloud sell to, in the order in which they were made."""
    tenants = {tenant.id for tenant in world.partner_tenants.values() if tenant.cloud == cloud}
    mine = {one.customer_id for one in world.relationships.values() if one.tenant_id in tenants}
    return [customer for customer in world.customers.values() if customer.id in mine]


def draw_portfolios(rng: Random, customers: int) -> Iterator[tuple[Portfolio, str]]:
    """Yield portfolio and source of each customer: every portfolio once in an order of its own, then by weight.

    The government's customers come at the end.
    """
    government = round(customers * _GOVERNMENT_SHARE)
    commercial = customers - government
    first = list(_WEIGHTS)
    rng.shuffle(first)
    rest = max(0, commercial - len(first))
    for portfolio in (*first[:commercial], *rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()), k=rest)):
        yield portfolio, rng.choices(tuple(_SHARES), tuple(_SHARES.values()))[0]
    for number in range(government):
        yield _GOVERNMENT[number % len(_GOVERNMENT)], "us"
