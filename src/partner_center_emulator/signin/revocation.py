"""Control pages about sign-in: taking tokens back, and changing what a partner tenant and its users are."""

from __future__ import annotations

from typing import Literal

import msgspec
from starlette.requests import Request

from partner_center_emulator import control
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.signin import models
from partner_center_emulator.state.people import Cloud, Program
from partner_center_emulator.world import PartnerRole, PartnerTenant, PartnerUser


class RevokeOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Whose tokens are taken back: a tenant's, or one user's; ``access``: access tokens, too."""

    tenant: str
    user: str = ""  # user principal name or object id
    access: bool = False


class TenantOrder(msgspec.Struct, forbid_unknown_fields=True):
    """What changes of a tenant; ``user`` with ``roles`` or ``has_mfa`` changes that user."""

    cloud: Cloud | None = None
    program: Program | None = None
    is_sandbox: bool | None = None
    public_client: bool | None = None
    redirect_uris: list[str] | None = None
    user: str = ""
    roles: list[PartnerRole] | None = None
    has_mfa: bool | None = None


@control.guarded
async def revoke(emulator: Emulator, request: Request) -> object:
    """Take back refresh tokens, and access tokens if asked; says how many refresh tokens were valid."""
    order = await control.read_order(request, RevokeOrder)
    tenant = control.find_tenant(emulator, order.tenant)
    object_id = _user(tenant, order.user).object_id if order.user else ""
    return {"revoked": models.revoke(emulator, tenant, object_id, access=order.access)}


@control.guarded
async def change_tenant(emulator: Emulator, request: Request) -> object:
    """Change a partner tenant: its cloud, its program, whether it is a sandbox, its application, one of its users."""
    order = await control.read_order(request, TenantOrder)
    tenant = control.find_tenant(emulator, request.path_params["tenant"])
    if order.user:
        user = _user(tenant, order.user)
        user.roles = user.roles if order.roles is None else order.roles
        user.has_mfa = user.has_mfa if order.has_mfa is None else order.has_mfa
    elif order.roles is not None or order.has_mfa is not None:
        raise control.ControlError("Say in user whose roles or second factor change.")
    names: tuple[Literal["cloud", "program", "is_sandbox"], ...] = ("cloud", "program", "is_sandbox")
    for name in names:
        wanted = getattr(order, name)
        if wanted is not None:
            setattr(tenant, name, wanted)
    for app in tenant.apps[:1]:
        app.public_client = app.public_client if order.public_client is None else order.public_client
        app.redirect_uris = app.redirect_uris if order.redirect_uris is None else order.redirect_uris
    return {"key": tenant.key, "cloud": tenant.cloud, "program": tenant.program, "is_sandbox": tenant.is_sandbox}


def _user(tenant: PartnerTenant, name: str) -> PartnerUser:
    for user in tenant.users:
        if name.lower() in {user.object_id.lower(), user.user_principal_name.lower()}:
            return user
    raise control.ControlError(f"The tenant {tenant.key} has no user {name}.")
