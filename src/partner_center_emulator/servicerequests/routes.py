"""HTTP side of service requests (wire room, core reference 9.2), and the portal's form in the control plane."""

from __future__ import annotations

import msgspec
from starlette.requests import Request

from partner_center_emulator.control import PREFIX, ControlError, find_customer, find_tenant, guarded, order_of
from partner_center_emulator.coverage import behaviour
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import gateway, refusal
from partner_center_emulator.requests import Call, Page, Reply, Route
from partner_center_emulator.servicerequests import models
from partner_center_emulator.servicerequests.models import Draft, find_request, list_requests, open_request
from partner_center_emulator.servicerequests.wire_form import wire_request, wire_topic
from partner_center_emulator.state.azure import Person, ServiceRequest, SourceBecomes
from partner_center_emulator.wire import collection, field, object_field, self_link, text_field


def _author(call: Call) -> Person:
    return Person(
        first_name=call.tenant.contact_first_name,
        last_name=call.tenant.contact_last_name,
        email=call.principal.upn,
        contact_id=call.principal.object_id,
    )


def _wanted_status(call: Call) -> str:
    status = call.query.get("status", "")
    if "filter" in call.query:
        try:
            wanted = msgspec.json.decode(call.query["filter"].encode(), type=dict[str, object])
        except msgspec.MsgspecError:
            raise refusal(2000, "The filter cannot be read.") from None
        if text_field(wanted, "Field").lower() != "status":
            raise refusal(2000, "Service requests are filtered by Status.")
        status = text_field(wanted, "Value")
    return models.read_status(int(status) if status.isdigit() else status, "")


def _list(call: Call, customer_id: str, path: str) -> Reply:
    found = list_requests(call.emulator, call.tenant.id, customer_id=customer_id, status=_wanted_status(call))
    offset = call.whole_number("offset", 0)
    size = call.whole_number("size", 0) or len(found)
    page = [wire_request(call.world, ticket, is_thin=True) for ticket in found[offset : offset + size]]
    return Reply(collection(page, links=self_link(path)))


async def read_topics(_call: Call) -> Reply:
    """Answer ``GET /servicerequests/supporttopics``."""
    return Reply(collection([wire_topic(topic) for topic in models.TOPICS]))


async def read_requests(call: Call) -> Reply:
    """Answer ``GET /servicerequests``: the partner tenant's own, by status if asked."""
    return _list(call, "", "/servicerequests")


async def read_customer_requests(call: Call) -> Reply:
    """Answer ``GET /customers/{customer}/servicerequests``."""
    customer = call.customer()
    return _list(call, customer.id, f"/customers/{customer.id}/servicerequests")


def _find(call: Call) -> ServiceRequest:
    customer_id = call.customer().id if "customer" in call.path else ""
    return find_request(call.emulator, call.tenant.id, call.path["request"], customer_id=customer_id)


async def read_request(call: Call) -> Reply:
    """Answer ``GET /servicerequests/{request}`` and its form under the customer."""
    return Reply(wire_request(call.world, _find(call)))


async def update_request(call: Call) -> Reply:
    """Answer ``PATCH /servicerequests/{request}``: a note, or its end."""
    ticket = _find(call)
    models.patch_request(call.emulator, ticket, call.members(), _author(call))
    return Reply(wire_request(call.world, ticket))


async def create_request(call: Call) -> Reply:
    """Answer ``POST /servicerequests/{locale}``: withdrawn, 404, unless a switch brings it back."""
    if not call.emulator.options.service_request_create:
        raise gateway(404, "Resource not found")
    members = call.members()
    title = text_field(members, "title")
    if not title:
        raise refusal(2000, "A service request needs a title.")
    topic = text_field(members, "supportTopicId") or models.AZURE_TOPIC
    if topic not in {known.id for known in models.TOPICS}:
        raise refusal(2000, f"There is no support topic {topic}.")
    contact = object_field(members, "primaryContact")
    draft = Draft(
        title=title,
        description=text_field(members, "description"),
        severity=models.read_severity(field(members, "severity")),
        topic_id=topic,
        contact=Person(
            first_name=text_field(contact, "firstName") or call.tenant.contact_first_name,
            last_name=text_field(contact, "lastName") or call.tenant.contact_last_name,
            email=text_field(contact, "email") or call.principal.upn,
            phone_number=text_field(contact, "phoneNumber"),
        ),
    )
    return Reply(wire_request(call.world, open_request(call.emulator, call.tenant, draft)), 201)


class TicketOrder(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What ``POST servicerequests`` of the control plane asks for: a ticket opened in the portal."""

    partner: str
    title: str = "Change of Cloud Solution Provider"
    description: str = ""
    severity: str = "minimal"
    customer: str = ""  # the one it is filed under
    subscriptions: list[str] = []  # what is to be moved
    customers: list[str] = []  # everything legacy of Azure of these customers is to be moved
    target: str = "target"


class HabitOrder(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What ``POST azure/support`` asks for."""

    source_becomes: SourceBecomes


@guarded
async def open_in_portal(emulator: Emulator, request: Request) -> object:
    """Open a ticket as a person in the portal would; the answer has its number."""
    order = await order_of(request, TicketOrder)
    tenant = find_tenant(emulator, order.partner)
    if order.severity not in models.SEVERITIES:
        raise ControlError(f"There is no severity {order.severity}.")
    draft = Draft(
        title=order.title,
        description=order.description,
        severity=order.severity,
        customer_id=find_customer(emulator, order.customer).id if order.customer else None,
        contact=Person(first_name=tenant.contact_first_name, last_name=tenant.contact_last_name, email=tenant.email),
        subscription_ids=order.subscriptions,
        customer_ids=[find_customer(emulator, name).id for name in order.customers],
        target_tenant_id=find_tenant(emulator, order.target).id,
    )
    ticket = open_request(emulator, tenant, draft)
    return {"request": ticket, "hand_over": emulator.world.azure.hand_overs.get(ticket.id)}


@guarded
async def set_habit(emulator: Emulator, request: Request) -> object:
    """Set what is left of a legacy Azure subscription at the source once support has moved it."""
    emulator.world.azure.source_becomes = (await order_of(request, HabitOrder)).source_becomes
    return {"source_becomes": emulator.world.azure.source_becomes}


_LIST, _ONE = "/v1/servicerequests", "/v1/servicerequests/{request}"
_CUSTOMERS = "/v1/customers/{customer}/servicerequests"

ROUTES: tuple[Route | Page, ...] = (
    Route("GET", f"{_LIST}/supporttopics", read_topics, auth="AU"),
    Route("GET", _LIST, read_requests, auth="AU"),
    Route("GET", _ONE, read_request, auth="AU"),
    Route("PATCH", _ONE, update_request, auth="AU"),
    # the locale stands where the id of a request stands, and a path has one name for it
    Route("POST", _ONE, create_request, auth="AU"),
    Route("GET", _CUSTOMERS, read_customer_requests, auth="AU"),
    Route("GET", f"{_CUSTOMERS}/{{request}}", read_request, auth="AU"),
    Route("PATCH", f"{_CUSTOMERS}/{{request}}", update_request, auth="AU"),
    Page("POST", f"{PREFIX}/servicerequests", open_in_portal),
    Page("POST", f"{PREFIX}/azure/support", set_habit),
)

behaviour(f"GET {_LIST}", source="documented", page="core 9.2", note="offset, size, filter by Status, or status")
behaviour(f"GET {_LIST}/supporttopics", source="assumed", page="core 9.2", note="Names and ids of the topics are ours")
behaviour(f"GET {_CUSTOMERS}", source="documented", page="core 9.2", note="Severity and status are numbers, as shown")
behaviour(f"PATCH {_ONE}", source="documented", page="core 9.2", note="newNote adds a note, status closed closes")
behaviour(f"PATCH {_ONE}", source="assumed", page="core 9.2", note="Status open opens again; other values are 400")
behaviour(f"POST {_ONE}", source="assumed", page="core 9.2", note="Withdrawn: 404, unless a switch brings it back")
behaviour(
    f"GET {_ONE}", source="assumed", page="core 9.2", note="404 code 1000; text and notes only here, not in lists"
)
behaviour(f"GET {_CUSTOMERS}/{{request}}", source="documented", page="core 9.2", note="As without the customer")
behaviour(f"PATCH {_CUSTOMERS}/{{request}}", source="documented", page="core 9.2", note="As without the customer")
