"""The demonstration's world (state room): sixty customers, most of them plain, eight with a difficulty of their own.

The plain ones come from the world generator with a fixed seed; the odd ones are written out here, each found by its
company name, so that a person can look for it on the dashboard and see what the product made of it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from random import Random

import msgspec

from partner_center_emulator.catalog import offer_by_name
from partner_center_emulator.clock import DEFAULT_START
from partner_center_emulator.seed import Holding, generate_world
from partner_center_emulator.seed.generator import Domains, add_customer, relate
from partner_center_emulator.seed.portfolio import hold
from partner_center_emulator.world import Acceptance, Customer, PartnerTenant, World

DEMO_SEED = 42  # gives 220 source subscriptions together with the cast
DEMO_CUSTOMERS = 60
ACCEPTS_LATE_SECONDS = 26 * 3600.0
UNKNOWN_STATUS = "pending_review_hold"

# The cast: role -> company name.
CAST: dict[str, str] = {
    "never_accepts": "Tystnadens Krog AB",
    "accepts_late": "Seint Men Godt Regnskap AS",
    "offer_gone": "Det Gamle Tilbud ApS",
    "already_at_target": "Redan Framme Logistik AB",
    "two_sources": "Grensehandel Svinesund AB",
    "unknown_status": "Gåtefull Eiendom AS",
    "outside_region": "Lake Wobegon Imports Inc.",
    "seat_change": "Voksende Byg A/S",
}


def build(started_at: datetime = DEFAULT_START) -> World:
    """Return the demonstration's world; always the same but for the time at which it starts."""
    world = generate_world(DEMO_SEED, DEMO_CUSTOMERS - len(CAST), started_at)
    stage = _Stage(world=world, rng=Random(DEMO_SEED), domains=Domains())
    for role, name in CAST.items():
        _ACTS[role](stage, name)
    return world


def odd_customers(world: World) -> dict[str, str]:
    """Return role -> customer id of the cast that is in this world.

    In a mixed world the roles are the portfolios, each with its first customer; other worlds have no cast.
    """
    if world.labels:
        roles: dict[str, str] = {}
        for customer_id in world.customers:
            roles.setdefault(world.labels[customer_id].lower(), customer_id)
        return roles
    ids = {customer.company_name: customer.id for customer in world.customers.values()}
    return {role: ids[name] for role, name in CAST.items() if name in ids}


class _Stage(msgspec.Struct):
    world: World
    rng: Random
    domains: Domains

    def tenant(self, key: str) -> PartnerTenant:
        return next(tenant for tenant in self.world.partner_tenants.values() if tenant.key == key)

    def customer(self, key: str, name: str) -> Customer:
        return add_customer(self.world, self.rng, self.tenant(key), name, self.domains)

    def hold(self, key: str, customer: Customer, *holdings: Holding) -> None:
        hold(self.world, self.rng, self.tenant(key), customer.id, holdings)

    def of(
        self, offer_name: str, quantity: int, *add_ons: Holding, status: str = "active", billing_cycle: str = "monthly"
    ) -> Holding:
        offer = offer_by_name(self.world.offers, offer_name)
        return Holding(
            offer=offer, quantity=quantity, status=status, billing_cycle=billing_cycle, add_ons=list(add_ons)
        )


def _never_accepts(stage: _Stage, name: str) -> None:
    customer = stage.customer("se", name)
    customer.acceptance = Acceptance(kind="never")
    stage.hold("se", customer, stage.of("Office 365 Business Premium", 14), stage.of("Visio Online Plan 2", 2))


def _accepts_late(stage: _Stage, name: str) -> None:
    customer = stage.customer("no", name)
    customer.acceptance = Acceptance(kind="after", after_seconds=ACCEPTS_LATE_SECONDS)
    archive = stage.of("Exchange Online Archiving for Exchange Online", 6)
    stage.hold("no", customer, stage.of("Exchange Online (Plan 1)", 9, archive), stage.of("Power BI Pro", 3))


def _offer_gone(stage: _Stage, name: str) -> None:
    customer = stage.customer("dk", name)
    stage.hold("dk", customer, stage.of("Microsoft 365 Business Shift Campaign - 15%", 12), stage.of("Power BI Pro", 2))


def _already_at_target(stage: _Stage, name: str) -> None:
    customer = stage.customer("se", name)
    stage.hold("se", customer, stage.of("Office 365 Enterprise E3", 45), stage.of("Project Online Professional", 4))
    relate(stage.world, stage.rng, stage.tenant("target"), customer)
    stage.hold("target", customer, stage.of("Office 365 Enterprise E3", 45))


def _two_sources(stage: _Stage, name: str) -> None:
    customer = stage.customer("se", name)
    relate(stage.world, stage.rng, stage.tenant("no"), customer)
    protection = stage.of("Office 365 Advanced Threat Protection", 22)
    stage.hold("se", customer, stage.of("Office 365 Business Premium", 22, protection))
    stage.hold("no", customer, stage.of("Exchange Online Kiosk", 30), stage.of("Intune", 30))


def _unknown_status(stage: _Stage, name: str) -> None:
    customer = stage.customer("no", name)
    stage.hold(
        "no",
        customer,
        stage.of("Office 365 Enterprise E1", 60),
        stage.of("Enterprise Mobility + Security E3", 60, status=UNKNOWN_STATUS),
    )


def _outside_region(stage: _Stage, name: str) -> None:
    customer = stage.customer("se", name)
    customer.address = msgspec.structs.replace(
        customer.address,
        country="US",
        city="Duluth",
        state="MN",
        address_line1="410 West Superior Street",
        postal_code="55802",
        phone_number="+1 218 555 0142",
    )
    customer.culture, customer.language = "en-US", "en"
    stage.hold("se", customer, stage.of("Office 365 Business Essentials", 8), stage.of("Office 365 ProPlus", 5))


def _seat_change(stage: _Stage, name: str) -> None:
    customer = stage.customer("dk", name)
    calls = stage.of("Audio Conferencing", 10)
    suite = stage.of("Microsoft 365 E3", 80, calls, billing_cycle="annual")
    stage.hold("dk", customer, suite, stage.of("Project Online Essentials", 25))


_ACTS: dict[str, Callable[[_Stage, str], None]] = {
    "never_accepts": _never_accepts,
    "accepts_late": _accepts_late,
    "offer_gone": _offer_gone,
    "already_at_target": _already_at_target,
    "two_sources": _two_sources,
    "unknown_status": _unknown_status,
    "outside_region": _outside_region,
    "seat_change": _seat_change,
}
