"""HTTP of the partner's profiles (core reference 9.1)."""

from __future__ import annotations

from partner_center_emulator.errors import refusal
from partner_center_emulator.profiles import models
from partner_center_emulator.requests import Call, Reply, Route
from partner_center_emulator.wire import pascal

_VETTING_VERSIONS = frozenset({"", "none", "current", "lastfinalized"})


async def read_organization(call: Call) -> Reply:
    """Return the organization profile."""
    return Reply(models.organization(call.tenant))


async def update_organization(call: Call) -> Reply:
    """Change the organization profile."""
    models.change_organization(call)
    return Reply(models.organization(call.tenant))


async def read_legal_business(call: Call) -> Reply:
    """Return the legal business profile; raises 400 code 900126 for an unknown vetting version."""
    version = call.query.get("vettingversion", "")
    if version.lower() not in _VETTING_VERSIONS:
        raise refusal(900126, version)
    return Reply(models.legal_business(call.tenant))


async def update_legal_business(call: Call) -> Reply:
    """Change the legal business profile."""
    models.change_legal_business(call)
    return Reply(models.legal_business(call.tenant))


async def read_billing(call: Call) -> Reply:
    """Return the partner's billing profile."""
    return Reply(models.billing(call.tenant))


async def update_billing(call: Call) -> Reply:
    """Change the partner's billing profile; the answer is PascalCase as in the published sample."""
    models.change_billing(call)
    return Reply(pascal(models.billing(call.tenant)))


async def read_partner_network(call: Call) -> Reply:
    """Return the caller's PartnerID profile, or that of the partner with ``mpnId``."""
    return Reply(models.partner_network(models.find_partner(call, call.query.get("mpnid", ""))))


async def read_support(call: Call) -> Reply:
    """Return the support profile."""
    return Reply(models.support(call.tenant))


async def update_support(call: Call) -> Reply:
    """Change the support profile; the answer names its type differently than the GET does."""
    models.change_support(call)
    return Reply({**models.support(call.tenant), "attributes": {"objectType": "PartnerSupportProfile"}})


ROUTES = (
    Route("GET", "/v1/profiles/organization", read_organization, auth="AU"),
    Route("PUT", "/v1/profiles/organization", update_organization, auth="AU"),
    Route("GET", "/v1/profiles/legalbusiness", read_legal_business),
    Route("PUT", "/v1/profiles/legalbusiness", update_legal_business, auth="AU"),
    Route("GET", "/v1/profiles/billing", read_billing, auth="AU"),
    Route("PUT", "/v1/profiles/billing", update_billing, auth="AU"),
    Route("GET", "/v1/profiles/mpn", read_partner_network, auth="AU"),
    Route("GET", "/v1/profiles/support", read_support, auth="AU"),
    Route("PUT", "/v1/profiles/support", update_support, auth="AU"),
    Route("PUT", "/v1/profiles/supportprofile", update_support, auth="AU"),
)
