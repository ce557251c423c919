"""The partner of generated worlds (seed room): three source tenants, one target tenant, and who may sign in.

A mixed world adds a source that is billed in euros and, in the cloud for US Government, one source and one target.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

import msgspec

from partner_center_emulator.seed.portfolio import new_guid
from partner_center_emulator.state.people import Cloud
from partner_center_emulator.world import Address, AppRegistration, PartnerTenant, PartnerUser, World

TARGET_KEY = "target"
GOVERNMENT_TARGET_KEY = "target-us"


class _Sketch(msgspec.Struct, frozen=True, kw_only=True):
    key: str
    company_name: str
    domain: str
    country: str
    city: str
    address_line: str
    postal_code: str
    phone: str
    culture: str
    language: str
    currency: str
    symbol: str
    anniversary_day: int
    cloud: Cloud = "commercial"


_SKETCHES: tuple[_Sketch, ...] = (
    _Sketch(
        key="se", company_name="Nordvik Cloud Sverige AB", domain="nordvikse.onmicrosoft.com", country="SE",
        city="Stockholm", address_line="Vasagatan 11", postal_code="111 20", phone="+46 8 555 01 00",
        culture="sv-SE", language="sv", currency="SEK", symbol="kr", anniversary_day=15,
    ),
    _Sketch(
        key="no", company_name="Nordvik Cloud Norge AS", domain="nordvikno.onmicrosoft.com", country="NO",
        city="Oslo", address_line="Dronning Eufemias gate 6", postal_code="0191", phone="+47 22 55 01 00",
        culture="nb-NO", language="nb", currency="NOK", symbol="kr", anniversary_day=7,
    ),
    _Sketch(
        key="dk", company_name="Nordvik Cloud Danmark ApS", domain="nordvikdk.onmicrosoft.com", country="DK",
        city="København", address_line="Kalvebod Brygge 24", postal_code="1560", phone="+45 33 55 01 00",
        culture="da-DK", language="da", currency="DKK", symbol="kr.", anniversary_day=22,
    ),
    _Sketch(
        key=TARGET_KEY, company_name="Nordvik Cloud International Ltd", domain="nordvik.onmicrosoft.com", country="IE",
        city="Dublin", address_line="12 Grand Canal Quay", postal_code="D02 X285", phone="+353 1 555 0100",
        culture="en-IE", language="en", currency="EUR", symbol="€", anniversary_day=1,
    ),
)  # fmt: skip
_MORE: tuple[_Sketch, ...] = (
    _Sketch(
        key="fi", company_name="Nordvik Cloud Suomi Oy", domain="nordvikfi.onmicrosoft.com", country="FI",
        city="Helsinki", address_line="Mannerheimintie 14", postal_code="00100", phone="+358 9 5550 100",
        culture="fi-FI", language="fi", currency="EUR", symbol="€", anniversary_day=11,
    ),
    _Sketch(
        key="us", company_name="Nordvik Public Sector East LLC", domain="nordvikeast.onmicrosoft.us", country="US",
        city="Richmond", address_line="900 East Main Street", postal_code="23219", phone="+1 804 555 0100",
        culture="en-US", language="en", currency="USD", symbol="$", anniversary_day=9, cloud="us_government",
    ),
    _Sketch(
        key=GOVERNMENT_TARGET_KEY, company_name="Nordvik Public Sector Inc", domain="nordvikps.onmicrosoft.us",
        country="US", city="Arlington", address_line="1100 Wilson Boulevard", postal_code="22209",
        phone="+1 703 555 0100", culture="en-US", language="en", currency="USD", symbol="$", anniversary_day=1,
        cloud="us_government",
    ),
)  # fmt: skip


def add_partner(world: World, rng: Random) -> None:
    """Put the four partner tenants with applications and users into the world; refresh tokens come with sign-in."""
    for sketch in _SKETCHES:
        tenant = _tenant(sketch, rng, world.started_at)
        world.partner_tenants[tenant.id] = tenant
    world.reseller_partner_ids = [str(4_500_000 + rng.randrange(400_000)) for _ in range(6)]


def add_more_tenants(world: World, rng: Random) -> None:
    """Put the tenants of a mixed world beside those of ``add_partner``."""
    for sketch in _MORE:
        tenant = _tenant(sketch, rng, world.started_at)
        world.partner_tenants[tenant.id] = tenant


def _tenant(sketch: _Sketch, rng: Random, started_at: datetime) -> PartnerTenant:
    return PartnerTenant(
        id=new_guid(rng),
        key=sketch.key,
        company_name=sketch.company_name,
        domain=sketch.domain,
        address=Address(
            country=sketch.country,
            city=sketch.city,
            address_line1=sketch.address_line,
            postal_code=sketch.postal_code,
            phone_number=sketch.phone,
        ),
        email=f"csp@{sketch.domain}",
        culture=sketch.culture,
        language=sketch.language,
        currency=sketch.currency,
        currency_symbol=sketch.symbol,
        partner_id=str(4_000_000 + rng.randrange(400_000)),
        anniversary_day=sketch.anniversary_day,
        cloud=sketch.cloud,
        apps=[
            AppRegistration(
                client_id=new_guid(rng),
                secret=f"emulator-{sketch.key}-{rng.getrandbits(96):024x}",
                secret_expires_at=started_at + timedelta(days=365),
            )
        ],
        users=[
            _user(rng, sketch, "fold", ["admin_agent", "global_admin"], has_mfa=True),
            _user(rng, sketch, "sales", ["sales_agent"], has_mfa=True),
            _user(rng, sketch, "helpdesk", ["helpdesk_agent"], has_mfa=False),
        ],
    )


def _user(rng: Random, sketch: _Sketch, name: str, roles: list[str], *, has_mfa: bool) -> PartnerUser:
    members = {"object_id": new_guid(rng), "user_principal_name": f"{name}@{sketch.domain}", "roles": roles}
    return msgspec.convert({**members, "has_mfa": has_mfa}, PartnerUser)
