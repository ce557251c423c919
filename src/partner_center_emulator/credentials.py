"""The sheet of invented credentials for tools (report room): how to sign in to each partner tenant of the world."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.ledger.report import TARGET_KEYS
from partner_center_emulator.seed.tenants import TARGET_KEY
from partner_center_emulator.signin import models as signin
from partner_center_emulator.signin.clouds import prefix_of
from partner_center_emulator.state.people import Cloud
from partner_center_emulator.world import PartnerTenant, PartnerUser


class UserSheet(msgspec.Struct, kw_only=True):
    """One user with a refresh token that works now."""

    user_principal_name: str
    object_id: str
    roles: list[str]
    has_mfa: bool
    refresh_token: str


class TenantSheet(msgspec.Struct, kw_only=True):
    """One partner tenant; ``user`` and ``refresh_token`` are those of its first admin agent with MFA."""

    key: str  # that of a target is "target" in either cloud
    id: str
    name: str
    domain: str
    country: str
    currency: str
    role: str  # in the demo: "source" or "target"
    client_id: str
    client_secret: str
    user: str
    refresh_token: str
    users: list[UserSheet]


class Sheet(msgspec.Struct, kw_only=True):
    """Base addresses and tenants of one cloud."""

    base_url: str
    cloud: Cloud
    authority: str
    partner_center_url: str
    partner_center_resource: str
    graph_url: str
    tenants: list[TenantSheet]


def sheet(emulator: Emulator, cloud: Cloud = "commercial") -> Sheet:
    """Return the credentials of a cloud's partner tenants that have an application and a user, with live tokens.

    In a world without a target of that cloud they are those of all tenants: its clouds are no consolidations.
    """
    base, own = emulator.options.base_url, f"{emulator.options.base_url}{prefix_of(cloud)}"
    everyone = [tenant for tenant in emulator.world.partner_tenants.values() if tenant.apps]
    mine = [tenant for tenant in everyone if tenant.cloud == cloud]
    shown = mine if any(tenant.key in TARGET_KEYS for tenant in mine) else everyone
    return Sheet(
        base_url=base,
        cloud=cloud,
        authority=own,
        partner_center_url=base,
        partner_center_resource=base,
        graph_url=f"{own}/graph",
        tenants=[_tenant(emulator, tenant) for tenant in shown],
    )


def _tenant(emulator: Emulator, tenant: PartnerTenant) -> TenantSheet:
    app = tenant.apps[0]
    users = [_user(emulator, tenant, user) for user in tenant.users]
    able = [user for user in users if user.has_mfa and "admin_agent" in user.roles] or users
    return TenantSheet(
        key=TARGET_KEY if tenant.key in TARGET_KEYS else tenant.key,
        id=tenant.id,
        name=tenant.company_name,
        domain=tenant.domain,
        country=tenant.address.country,
        currency=tenant.currency,
        role="target" if tenant.key in TARGET_KEYS else "source",
        client_id=app.client_id,
        client_secret=app.secret,
        user=able[0].user_principal_name if able else "",
        refresh_token=able[0].refresh_token if able else "",
        users=users,
    )


def _user(emulator: Emulator, tenant: PartnerTenant, user: PartnerUser) -> UserSheet:
    return UserSheet(
        user_principal_name=user.user_principal_name,
        object_id=user.object_id,
        roles=list(user.roles),
        has_mfa=user.has_mfa,
        refresh_token=live_refresh_token(emulator, tenant, user),
    )


def live_refresh_token(emulator: Emulator, tenant: PartnerTenant, user: PartnerUser) -> str:
    """Return a refresh token of the user that lives for another day at least; issues one if there is none."""
    app = tenant.apps[0]
    horizon = emulator.clock.now() - timedelta(days=signin.REFRESH_DAYS - 1)
    for text, token in emulator.world.refresh_tokens.items():
        mine = token.tenant_id == tenant.id and token.object_id == user.object_id and token.client_id == app.client_id
        if mine and not token.revoked and token.with_mfa == user.has_mfa and token.issued_at > horizon:
            return text
    return signin.issue_refresh_token(emulator, tenant, user, app, with_mfa=user.has_mfa)
