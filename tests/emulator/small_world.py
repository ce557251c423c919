"""A world small enough to know by heart: two partner tenants, a handful of customers, two offers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from partner_center_emulator.clock import Clock
from partner_center_emulator.emulator import Emulator, Options
from partner_center_emulator.world import (
    Address,
    AppRegistration,
    Customer,
    Offer,
    PartnerTenant,
    PartnerUser,
    Relationship,
    World,
)

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SE, TARGET = "11111111-0000-4000-8000-000000000001", "11111111-0000-4000-8000-0000000000ff"
ALFA, BRAVO, CHARLIE, OVERSEAS, HELPLESS = (f"22222222-0000-4000-8000-00000000000{n}" for n in range(1, 6))
STRANGER = "22222222-0000-4000-8000-00000000dead"
PLAIN_OFFER, SMALL_OFFER = "AAAAAAAA-0000-4000-8000-000000000001", "AAAAAAAA-0000-4000-8000-000000000002"


def _address(country: str) -> Address:
    return Address(
        country=country, city="Somewhere", address_line1="Street 1", postal_code="12345", phone_number="555010203"
    )


def _tenant(tenant_id: str, key: str, country: str, currency: str, partner_id: str) -> PartnerTenant:
    users = [
        ("admin", ["admin_agent", "global_admin"], True),
        ("seller", ["sales_agent"], True),
        ("helper", ["helpdesk_agent"], True),
        ("nobody", [], True),
        ("careless", ["admin_agent"], False),
    ]
    return PartnerTenant(
        id=tenant_id,
        key=key,
        company_name=f"Fold & Sons {country}",
        domain=f"fold{key}.onmicrosoft.com",
        address=_address(country),
        email=f"office@fold{key}.example",
        culture="en-US",
        language="en",
        currency=currency,
        currency_symbol=currency,
        partner_id=partner_id,
        apps=[
            AppRegistration(
                client_id=f"app-{key}", secret=f"secret-{key}", secret_expires_at=START + timedelta(days=365)
            )
        ],
        users=[
            PartnerUser(
                object_id=f"{key}-{name}",
                user_principal_name=f"{name}@fold{key}.onmicrosoft.com",
                roles=roles,  # type: ignore[arg-type]  # literals, but the list above is plain text
                has_mfa=has_mfa,
            )
            for name, roles, has_mfa in users
        ],
    )


def _customer(customer_id: str, name: str, country: str = "SE", *, global_admin: bool = True) -> Customer:
    word = name.split(maxsplit=1)[0].lower()
    return Customer(
        id=customer_id,
        commerce_id=customer_id.replace("2222", "3333"),
        company_name=name,
        domain=f"{word}.onmicrosoft.com",
        address=_address(country),
        email=f"info@{word}.example",
        culture="sv-SE",
        language="sv",
        first_name="Kim",
        last_name=word.title(),
        admin_upn=f"admin@{word}.onmicrosoft.com",
        admin_is_global_admin=global_admin,
    )


def _offer(offer_id: str, name: str, maximum: int) -> Offer:
    return Offer(
        id=offer_id,
        name=name,
        description=name,
        product_id=offer_id.replace("A", "B"),
        product_name=name,
        category="Enterprise_Key",
        maximum_quantity=maximum,
        monthly_price="10",
    )


def small_world() -> World:
    """Return the world: every customer belongs to the Swedish tenant, the target has none; all agreements signed."""
    world = World(seed=7, started_at=START)
    for tenant in (_tenant(SE, "se", "SE", "SEK", "1000001"), _tenant(TARGET, "target", "IE", "EUR", "1000009")):
        world.partner_tenants[tenant.id] = tenant
    for number, customer in enumerate(
        (
            _customer(ALFA, "Alfa Bygg AB"),
            _customer(BRAVO, "Bravo <b>& Co</b>"),
            _customer(CHARLIE, "Charlie Skog AB"),
            _customer(OVERSEAS, "Overseas Inc", "US"),
            _customer(HELPLESS, "Helpless AB", global_admin=False),
        )
    ):
        customer.direct_signed_agreement = True
        world.customers[customer.id] = customer
        since = START - timedelta(days=1000 - number)
        world.relationships[f"{SE}/{customer.id}"] = Relationship(tenant_id=SE, customer_id=customer.id, since=since)
    for offer in (_offer(PLAIN_OFFER, "Plain Plan", 10_000), _offer(SMALL_OFFER, "Small Plan", 300)):
        world.offers[offer.id] = offer
    return world


def small_emulator(options: Options | None = None) -> Emulator:
    """Return an emulator with the small world and a frozen clock."""
    world = small_world()
    return Emulator(world, options, Clock(world.started_at, frozen=True))
