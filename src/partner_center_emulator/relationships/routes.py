"""HTTP of relationship requests and partner relationships (core reference 6.1, 6.3)."""

from __future__ import annotations

from partner_center_emulator.coverage import behaviour
from partner_center_emulator.errors import refusal
from partner_center_emulator.relationships import models, page
from partner_center_emulator.requests import Call, Page, Reply, Route
from partner_center_emulator.wire import attributes, collection, self_link

_KINDS = frozenset({"isindirectcloudsolutionproviderof", "isindirectresellerof"})

behaviour(
    "GET /v1/relationships",
    source="assumed",
    page="core 6.3",
    note="The tenants here are direct partners: the lists are empty",
)
behaviour(
    "GET /v1/customers/{customer}/relationships",
    source="documented",
    page="core 6.3",
    note="Empty for direct customers",
)


async def relationship_request(call: Call) -> Reply:
    """Return the tenant's relationship request link."""
    url = models.request_url(call.emulator, call.tenant)
    return Reply({"url": url, "attributes": attributes("RelationshipRequest")})


async def partner_relationships(call: Call) -> Reply:
    """Return the partners related to this one: none, because the tenants here are direct partners."""
    kind = call.query.get("relationship_type", "")
    if kind.replace("_", "").lower() not in _KINDS:
        raise refusal(900126, kind)
    return Reply(collection([], links=self_link(f"/relationships?relationship_type={kind}")))


async def customer_relationships(call: Call) -> Reply:
    """Return the indirect partners of the customer: none for a direct customer."""
    customer = call.customer()
    return Reply(collection([], links=self_link(f"/customers/{customer.id}/relationships")))


_SELLERS = frozenset({"admin_agent", "sales_agent"})

ROUTES: tuple[Route | Page, ...] = (
    Route(
        "GET",
        "/v1/customers/relationshiprequests",
        relationship_request,
        auth="AU",
        roles=_SELLERS,
    ),
    Route("GET", "/v1/relationships", partner_relationships, auth="AU"),
    Route("GET", "/v1/customers/{customer}/relationships", customer_relationships, auth="AU"),
    Page("GET", "/Adminportal/Home", page.show),
    Page("POST", "/Adminportal/Home", page.submit),
    Page("GET", "/Adminportal/style.css", page.style),
    Page("GET", "/Adminportal/icon.svg", page.icon),
)
