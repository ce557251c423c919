"""The world generator (seed room): partner, customers, relationships, agreements, subscriptions. Linear in its size."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from partner_center_emulator.catalog import catalog_offers
from partner_center_emulator.clock import DEFAULT_START
from partner_center_emulator.seed.names import ALL_COUNTRIES, COUNTRIES, Country, company_name, domain_stem
from partner_center_emulator.seed.new_commerce import Successor, hold_new, successors
from partner_center_emulator.seed.portfolio import Holding, Menu, draw_portfolio, draw_reseller, hold, new_guid
from partner_center_emulator.seed.tenants import add_partner
from partner_center_emulator.world import Address, Agreement, Customer, PartnerTenant, Relationship, World

_SOURCE_SHARES = {"se": 45, "no": 30, "dk": 25}
_DIRECT_SIGNED_SHARE = 0.2
# The template of the Microsoft Customer Agreement (core reference 7).
AGREEMENT_TEMPLATE = "117a77b0-9360-443b-8795-c6dedc750cf9"


def generate_world(
    seed: int = 1, customers: int = 100, started_at: datetime = DEFAULT_START, *, new_commerce_share: float = 0.0
) -> World:
    """Return a world with four partner tenants and ``customers`` customers at the three source tenants.

    ``new_commerce_share`` (0 to 1) of the base offers that have a successor are new-commerce subscriptions instead.
    Deterministic: equal arguments give equal worlds, and share 0 gives the world that knows legacy only. Raises
    ValueError for a negative number of customers or another share.
    """
    if customers < 0:
        raise ValueError("A world cannot have fewer than no customers.")
    if not 0 <= new_commerce_share <= 1:
        raise ValueError("The share of new commerce must lie between 0 and 1.")
    rng = Random(f"partner-center-emulator/{seed}")
    world = empty_partner(seed, started_at, rng)
    by_key = {tenant.key: tenant for tenant in world.partner_tenants.values()}
    salt = rng.randrange(1_000_000)
    numbers = dict.fromkeys(_SOURCE_SHARES, 0)
    menu, domains = Menu(world.offers), Domains()
    followers = successors(world)
    for _ in range(customers):
        tenant = by_key[weighted_source(rng)]
        country = COUNTRIES[tenant.address.country]
        name = company_name(country, numbers[tenant.key], salt)
        numbers[tenant.key] += 1
        customer = add_customer(world, rng, tenant, name, domains)
        reseller = draw_reseller(rng, world)
        holdings = draw_portfolio(rng, menu)
        if new_commerce_share:
            holdings = _renew_generation(world, rng, tenant, customer.id, holdings, followers, new_commerce_share)
        hold(world, rng, tenant, customer.id, holdings, reseller=reseller)
    return world


def _renew_generation(
    world: World,
    rng: Random,
    tenant: PartnerTenant,
    customer_id: str,
    holdings: list[Holding],
    followers: dict[str, Successor],
    share: float,
) -> list[Holding]:
    """Put a share of the holdings into the world as new commerce and return the others."""
    legacy: list[Holding] = []
    seen: set[str] = set()
    for holding in holdings:
        follower = followers.get(holding.offer.name)
        # one of each product per customer, so that pooled seats leave room where the numbers do
        if follower is None or follower.product.id in seen or holding.status != "active" or rng.random() >= share:
            legacy.append(holding)
            continue
        seen.add(follower.product.id)
        hold_new(world, rng, tenant, customer_id, follower, holding.quantity)
    return legacy


def empty_partner(seed: int, started_at: datetime, rng: Random) -> World:
    """Return a world with the catalog and the partner's tenants but no customer."""
    world = World(seed=seed, started_at=started_at, offers=catalog_offers())
    add_partner(world, rng)
    return world


def weighted_source(rng: Random) -> str:
    """Return the key of a source tenant by the partner's shares: Sweden, Norway, Denmark."""
    return rng.choices(tuple(_SOURCE_SHARES), tuple(_SOURCE_SHARES.values()))[0]


class Domains:
    """Hands out domain names, none twice."""

    def __init__(self) -> None:
        self._used: dict[str, int] = {}

    def take(self, company: str) -> str:
        """Return an unused ``*.onmicrosoft.com`` name for the company."""
        stem = domain_stem(company)
        number = self._used.get(stem, 0)
        self._used[stem] = number + 1
        return f"{stem}{number + 1 if number else ''}.onmicrosoft.com"


def add_customer(
    world: World, rng: Random, tenant: PartnerTenant, name: str, domains: Domains | None = None
) -> Customer:
    """Put a customer in the tenant's country into the world, with relationship and accepted agreement."""
    country = ALL_COUNTRIES[tenant.address.country]
    customer = _customer(rng, country, name, (domains or Domains()).take(name))
    customer.direct_signed_agreement = rng.random() < _DIRECT_SIGNED_SHARE
    world.customers[customer.id] = customer
    relate(world, rng, tenant, customer)
    return customer


def relate(world: World, rng: Random, tenant: PartnerTenant, customer: Customer) -> None:
    """Give the tenant an old relationship with the customer and, unless signed directly, an attested agreement."""
    since = world.started_at - timedelta(days=rng.randint(1100, 1800))
    world.relationships[f"{tenant.id}/{customer.id}"] = Relationship(
        tenant_id=tenant.id, customer_id=customer.id, since=since, delegated_access=True
    )
    if customer.direct_signed_agreement:
        return
    world.agreements.append(
        Agreement(
            tenant_id=tenant.id,
            customer_id=customer.id,
            user_id=tenant.users[0].object_id,
            template_id=AGREEMENT_TEMPLATE,
            type="MicrosoftCustomerAgreement",
            first_name=customer.first_name,
            last_name=customer.last_name,
            email=customer.email,
            phone_number=customer.address.phone_number,
            date_agreed=f"{since:%Y-%m-%dT%H:%M:%SZ}",
        )
    )


def _customer(rng: Random, country: Country, name: str, domain: str) -> Customer:
    city, postal_code = rng.choice(country.towns)
    first_name, last_name = rng.choice(country.first_names), rng.choice(country.last_names)
    return Customer(
        id=new_guid(rng),
        commerce_id=new_guid(rng),
        company_name=name,
        domain=domain,
        address=Address(
            country=country.code,
            city=city,
            address_line1=f"{rng.choice(country.streets)} {rng.randint(1, 140)}",
            postal_code=postal_code,
            phone_number=f"{country.phone_prefix} {rng.randint(20_000_000, 99_999_999)}",
        ),
        email=f"{domain_stem(first_name)}.{domain_stem(last_name)}@{domain}",
        culture=country.culture,
        language=country.language,
        first_name=first_name,
        last_name=last_name,
        admin_upn=f"admin@{domain}",
    )
