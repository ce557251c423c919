"""HTTP of relationship requests and partner relationships (core reference 6.1, 6.3)."""

from __future__ import annotations

from partner_center_emulator.relationships import indirect, models, page
from partner_center_emulator.requests import Call, Page, Reply, Route
from partner_center_emulator.wire import attributes


async def relationship_request(call: Call) -> Reply:
    """Return the tenant's relationship request link."""
    url = models.request_url(call.emulator, call.tenant)
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
