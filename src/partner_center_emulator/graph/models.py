"""Groups and directory roles of a partner user (core reference 1.7)."""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

from partner_center_emulator.coverage import behaviour
from partner_center_emulator.wire import Json
from partner_center_emulator.world import PartnerTenant, PartnerUser

GROUPS = {"admin_agent": "AdminAgents", "sales_agent": "SalesAgents", "helpdesk_agent": "HelpdeskAgents"}
GLOBAL_ADMIN_TEMPLATE = "62e90394-69f5-4237-9190-012177145e10"

behaviour(
    "GET /graph/v1.0/me/memberOf",
    source="documented",
    page="core 1.7",
    note="Partner Center roles are security groups, Global admin is a directory role",
)
behaviour(
    "GET /graph/v1.0/me/memberOf",
    source="assumed",
    page="core 1.7",
    note="The group is spelled SalesAgents; the answer is one page",
)


def find_user(tenant: PartnerTenant, object_id: str) -> PartnerUser | None:
    """Return the tenant's user with this object id, or None."""
    for user in tenant.users:
        if user.object_id == object_id:
            return user
    return None


def group_id(tenant: PartnerTenant, role: str) -> str:
    """Return the object id of the security group, or directory role, behind a Partner Center role."""
    return str(uuid5(NAMESPACE_URL, f"{tenant.id}/{role}"))


def memberships(tenant: PartnerTenant, user: PartnerUser) -> list[Json]:
    """Return the groups and directory roles of the user as Graph writes them."""
    found: list[Json] = []
    for role in user.roles:
        name = GROUPS.get(role)
        object_id = group_id(tenant, role)
        if name is not None:
            found.append(
                {
                    "@odata.type": "#microsoft.graph.group",
                    "id": object_id,
                    "displayName": name,
                    "securityEnabled": True,
                }
            )
        else:
            found.append(
                {
                    "@odata.type": "#microsoft.graph.directoryRole",
                    "id": object_id,
                    "displayName": "Global Administrator",
                    "roleTemplateId": GLOBAL_ADMIN_TEMPLATE,
                }
            )
    return found
