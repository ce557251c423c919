"""The emulated partner that the cutover benchmarks move: one source tenant, legacy bases only.

One source is the hardest case: all suspensions fall under one rate limit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime
from random import Random

from partner_center_emulator.catalog import catalog_offers, offer_by_name
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.seed import Holding, add_customer, empty_partner, hold
from partner_center_emulator.seed.generator import Domains
from partner_center_emulator.world import PartnerTenant, World
from tenantfold.domain.model import AgreementContact, CustomerId
from tenantfold.domain.selection import CustomerSelection, SelectedCustomer

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
AGREED_ON = date(2026, 2, 16)
SOURCE_KEY, TARGET_KEY = "se", "target"
SPREAD = (22, 22, 18, 13, 10, 7, 5, 3)  # of 100 customers, how many hold 1, 2, 3 ... subscriptions: 3.2 on average
SECOND_CYCLE = 0.1  # the share of customers with a second billing cycle, which takes a second order

_OFFERS = (
    "Office 365 Enterprise E3", "Office 365 Enterprise E1", "Microsoft 365 E3", "Exchange Online (Plan 1)",
    "Power BI Pro", "Visio Online Plan 2", "Project Online Professional", "Enterprise Mobility + Security E3",
)  # fmt: skip

Bucket = tuple[str, str]
"""What has a rate limit of its own: a tenant's key and a resource."""


def made_world(customers: int, seed: int = 1) -> World:
    """A partner with so many customers; the same arguments give the same world."""
    rng = Random(f"cutover benchmarks/{seed}")
    world = empty_partner(seed, START, rng)
    catalog = catalog_offers()
    sold = [offer_by_name(catalog, name) for name in _OFFERS]
    ids = {offer.id for offer in sold}
    world.offers = {key: offer for key, offer in catalog.items() if offer.id in ids}
    source, domains = tenant_of(world, SOURCE_KEY), Domains()
    for number in range(customers):
        customer = add_customer(world, rng, source, f"Customer {number + 1}", domains)
        count = rng.choices(range(1, len(SPREAD) + 1), SPREAD)[0]
        cycle, other = ("monthly", "annual") if rng.random() < 0.8 else ("annual", "monthly")  # noqa: PLR2004  # a share
        has_second = count > 1 and rng.random() < SECOND_CYCLE
        holdings = [
            Holding(
                offer=offer,
                quantity=rng.randint(1, 60),
                billing_cycle=other if has_second and position == 0 else cycle,
            )
            for position, offer in enumerate(rng.sample(sold, count))
        ]
        hold(world, rng, source, customer.id, holdings)
    return world


def tenant_of(world: World, key: str) -> PartnerTenant:
    """The partner tenant with this short name."""
    return next(tenant for tenant in world.partner_tenants.values() if tenant.key == key)


def selection(world: World) -> CustomerSelection:
    """The partner's own list: everybody, with who accepted the Microsoft Customer Agreement."""
    rows = tuple(
        SelectedCustomer(
            row=row,
            customer_id=CustomerId(one.id),
            contact=AgreementContact(
                first_name=one.first_name, last_name=one.last_name, email=one.email, agreed_on=AGREED_ON
            ),
        )
        for row, one in enumerate(world.customers.values(), start=2)
    )
    return CustomerSelection(place="the benchmark's list", rows=rows)


def calls_needed(world: World) -> Mapping[Bucket, int]:
    """The limited calls that moving everybody takes, by docs/adr/0014, counted from the world and not from a run.

    A customer with k subscriptions in c billing cycles: two reads and k suspensions at the source, two reads at the
    target, c orders. The attestation is not limited.
    """
    needed: Counter[Bucket] = Counter()
    cycles: dict[str, set[str]] = {}
    for one in world.subscriptions.values():
        needed[SOURCE_KEY, "subscription"] += 1
        cycles.setdefault(one.customer_id, set()).add(one.billing_cycle)
    for found in cycles.values():
        needed[SOURCE_KEY, "subscription"] += 2
        needed[TARGET_KEY, "subscription"] += 2
        needed[TARGET_KEY, "order"] += len(found)
    return needed


def lower_bound(world: World, emulator: Emulator) -> tuple[Bucket, float]:
    """The slowest limit and the seconds it takes at least: calls needed over the limit the emulator is set to."""
    per_second = emulator.options.throttle_limit / emulator.options.throttle_window_seconds
    bucket, calls = max(calls_needed(world).items(), key=lambda item: item[1])
    return bucket, calls / per_second
