"""Who we are signed in as (partnercenter room): the organization behind the token, and the user's roles.

Core reference 9.1 (profiles) and 1.7 (roles are security groups and directory roles, read from Graph).
"""

from __future__ import annotations

from typing import TypeVar

from tenantfold.domain.model import TenantId
from tenantfold.domain.reads import PartnerIdentity
from tenantfold.errors import NotFoundError, RefusedError, RoleMissingError, UnavailableError, UnexpectedAnswerError
from tenantfold.partnercenter.auth import SignIn
from tenantfold.partnercenter.clouds import Cloud
from tenantfold.partnercenter.graph import graph_target
from tenantfold.partnercenter.transport import Call, Transport
from tenantfold.partnercenter.wire import decode, lower_id
from tenantfold.partnercenter.wire_customers import (
    DirectoryObject,
    DirectoryObjects,
    MpnProfile,
    OrganizationProfile,
    PartnerBillingProfile,
    roles_in,
)
from tenantfold.partnercenter.wire_routes import BILLING_PROFILE, MEMBER_OF, MPN_PROFILE, ORGANIZATION, Route

S = TypeVar("S")

# a profile that may not or cannot be read leaves its field empty; failing sign-in is never tolerated
_TOLERATED = (RoleMissingError, RefusedError, NotFoundError, UnavailableError, UnexpectedAnswerError)


async def read_identity(transport: Transport, sign_in: SignIn, cloud: Cloud) -> PartnerIdentity:
    """The organization, with currency, partner id and roles as far as they may be read."""
    answer = await transport.send(Call(route=ORGANIZATION, target=ORGANIZATION.template))
    organization = decode(answer.body, OrganizationProfile)
    billing = await _profile(transport, BILLING_PROFILE, PartnerBillingProfile) or PartnerBillingProfile()
    mpn = await _profile(transport, MPN_PROFILE, MpnProfile) or MpnProfile()
    address = organization.default_address
    return PartnerIdentity(
        tenant_id=TenantId(lower_id(organization.tenant_id)),
        company_name=organization.company_name,
        country=((address.country if address else None) or "").upper(),
        currency=(billing.billing_currency or "").upper(),
        partner_id=str(mpn.mpn_id or ""),
        roles=await _roles(transport, sign_in, cloud),
        user_name=await sign_in.user_name(),
    )


async def _profile(transport: Transport, route: Route, model: type[S]) -> S | None:
    try:
        return decode((await transport.send(Call(route=route, target=route.template))).body, model)
    except _TOLERATED:
        return None


async def _roles(transport: Transport, sign_in: SignIn, cloud: Cloud) -> frozenset[str]:
    if not await sign_in.has_user():
        return frozenset()  # an application alone is in no group
    members: list[DirectoryObject] = []
    target: str | None = MEMBER_OF.template
    seen: set[str] = set()
    try:
        while target is not None and target not in seen:
            seen.add(target)
            page = decode((await transport.send(Call(route=MEMBER_OF, target=target))).body, DirectoryObjects)
            members += page.value
            target = graph_target(page.next_link, cloud)
    except _TOLERATED:
        return frozenset()
    return roles_in(members)
