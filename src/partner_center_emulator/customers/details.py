"""HTTP of making and deleting customers, and of what delegated admin shows of them (core 5.6, 5.7, 5.14, 5.15)."""

from __future__ import annotations

from partner_center_emulator.coverage import behaviour
from partner_center_emulator.customers import creation, ending, models, views
from partner_center_emulator.requests import Call, Reply, Route
from partner_center_emulator.users import access
from partner_center_emulator.users.models import products_of
from partner_center_emulator.wire import Json, collection, link

behaviour(
    "GET /v1/customers/{customer}/organization",
    source="documented",
    page="core 5.14",
    note="Needs a granular role; delegated admin of the old kind is not enough (403 900308)",
)
behaviour(
    "GET /v1/customers/{customer}/organization",
    source="assumed",
    page="core 5.14",
    note="One object as in the published sample; a switch makes it the array of the published text",
)
behaviour(
    "GET /v1/customers/{customer}/customDomains", source="documented", page="core 5.14", note="A bare array of names"
)
behaviour(
    "GET /v1/customers/{customer}/managedservices",
    source="assumed",
    page="core 5.15",
    note="Exchange, Lync and SharePoint for a customer with any licensed product",
)
_SERVICES = (("Exchange", "Exchange"), ("Lync", "Skype for Business"), ("SharePoint", "SharePoint"))


async def create_customer(call: Call) -> Reply:
    """Make a customer; the answer shows its admin's first password once."""
    customer, password = creation.create(call)
    relationship = models.relationship_of(call.emulator, call.tenant.id, customer)
    body = views.full(customer, relationship)
    body["userCredentials"] = {"userName": "admin", "password": password}
    return Reply(body, 201)


async def delete_customer(call: Call) -> Reply:
    """Delete a customer of the sandbox."""
    ending.delete(call.emulator, call.tenant, call.customer(), call.request_id)
    return Reply(None, 204)


async def read_organization(call: Call) -> Reply:
    """Return the customer's organization."""
    customer = call.customer()
    access.require(call, customer, access.READ_ORGANIZATION, old_kind_counts=False)
    body: Json = {
        "street": customer.address.address_line1,
        "countryLetterCode": customer.address.country,
        "postalCode": customer.address.postal_code,
        "city": customer.address.city,
        "state": customer.address.state,
        "displayName": customer.company_name,
        "technicalNotificationMails": [customer.email],
    }
    return Reply([body] if call.emulator.options.organization_as_array else body)


async def read_domains(call: Call) -> Reply:
    """Return the customer's domains."""
    customer = call.customer()
    access.require(call, customer, access.READ_DOMAINS, old_kind_counts=False)
    return Reply([customer.domain])


async def list_managed_services(call: Call) -> Reply:
    """Return the services that the partner manages for the customer."""
    customer = call.customer()
    rows = [_service(customer.id, *names) for names in _SERVICES] if products_of(call.emulator, customer) else []
    return Reply(collection(rows))


def _service(customer_id: str, service_id: str, name: str) -> Json:
    portal = f"https://portal.office.com/Partner/{customer_id}/{service_id}"
    return {
        "id": service_id,
        "name": name,
        "groupName": "Office",
        "links": {
            "adminService": link(f"{portal}/admin"),
            "serviceHealth": link(f"{portal}/health"),
            "serviceTicket": link(f"{portal}/ticket"),
        },
        "attributes": {"objectType": "ManagedService"},
    }


_ONE = "/v1/customers/{customer}"
_ADMINS = frozenset({"global_admin", "admin_agent", "sales_agent"})
ROUTES = (
    Route("POST", "/v1/customers", create_customer, roles=_ADMINS),
    Route("DELETE", _ONE, delete_customer, resource="customer", roles=_ADMINS),
    Route("GET", f"{_ONE}/organization", read_organization),
    Route("GET", f"{_ONE}/customDomains", read_domains),
    Route("GET", f"{_ONE}/managedservices", list_managed_services, auth="AU"),
)
