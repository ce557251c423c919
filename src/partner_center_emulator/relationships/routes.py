"""HTTP of relationship requests and partner relationships (core reference 6.1, 6.3)."""

from __future__ import annotations

from partner_center_emulator.errors import refusal
from partner_center_emulator.relationships import indirect, models, page
from partner_center_emulator.requests import Call, Page, Reply, Route
from partner_center_emulator.wire import attributes


async def relationship_request(call: Call) -> Reply:
    """Return the tenant's relationship request link; of provider and indirect reseller if the query names one."""
    provider, reseller = call.tenant, call.query.get("indirectresellerid", "").lower()
    named = call.query.get("indirectcloudsolutionproviderid", "").lower()
    if named:
        provider, reseller = call.world.partner_tenants.get(named, call.tenant), call.tenant.id
    link = call.world.people.links.get(f"{provider.id}/{reseller}")
    if reseller and (link is None or link.state != "Active"):
        raise refusal(900154, named or reseller)
    url = models.request_url(call.emulator, provider, reseller)
    return Reply({"url": url, "attributes": attributes("RelationshipRequest")})


_SELLERS = frozenset({"admin_agent", "sales_agent"})

ROUTES: tuple[Route | Page, ...] = (
    Route(
        "GET",
        "/v1/customers/relationshiprequests",
        relationship_request,
        auth="AU",
        roles=_SELLERS,
    ),
    *indirect.ROUTES,
    Page("GET", "/Adminportal/Home", page.show),
    Page("POST", "/Adminportal/Home", page.submit),
    Page("GET", "/Adminportal/style.css", page.style),
    Page("GET", "/Adminportal/icon.svg", page.icon),
)
