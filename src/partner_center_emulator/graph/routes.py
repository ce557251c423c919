"""HTTP of the emulated Graph: ``/me/memberOf``, delegated admin relationships, their approval (core 1.7, 8)."""

from __future__ import annotations

from partner_center_emulator.errors import ApiError
from partner_center_emulator.graph import approval, gdap_routes, models
from partner_center_emulator.requests import Call, Page, Reply, Route


async def member_of(call: Call) -> Reply:
    """Return the caller's groups and directory roles; 400 for an application alone, which has no ``me``."""
    user = models.find_user(call.tenant, call.principal.object_id)
    if user is None:
        raise ApiError(
            400, 0, "/me request is only valid with delegated authentication flow.", "graph", name="BadRequest"
        )
    context = f"{call.emulator.options.base_url}/graph/v1.0/$metadata#directoryObjects"
    return Reply({"@odata.context": context, "value": models.memberships(call.tenant, user)})


ROUTES: tuple[Route | Page, ...] = (
    Route("GET", "/graph/v1.0/me/memberOf", member_of, roles=frozenset(), audience="graph"),
    *gdap_routes.ROUTES,
    Page("GET", approval.TEMPLATE, approval.show),
    Page("POST", approval.TEMPLATE, approval.submit),
    Page("GET", "/Adminportal/partners/invitation/granularAdminRelationships", approval.landing),
    Page("GET", "/Adminportal/invitation.js", approval.script),
    Page("POST", "/_emulator/gdap/{relationship}/approve", approval.approve_by_hand),
)
