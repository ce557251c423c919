"""HTTP of delegated admin relationships in Graph (core reference 8)."""

from __future__ import annotations

import base64
from typing import cast

from partner_center_emulator.coverage import behaviour
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.graph import gdap, odata
from partner_center_emulator.graph.errors import bad_request, conflict, forbidden, stale
from partner_center_emulator.graph.models import GLOBAL_ADMIN_TEMPLATE
from partner_center_emulator.requests import Call, Page, Reply, Route
from partner_center_emulator.state.gdap import GdapAssignment, GdapOperation, GdapRelationship, GdapRequest
from partner_center_emulator.wire import Json, field, object_field, text_field, wire_time

_ROOT = "/graph/v1.0/tenantRelationships"
_LIST = "delegatedAdminRelationships"
_ONE = f"{_ROOT}/{_LIST}/{{relationship}}"
_EXTENSIONS = frozenset({"P0D", "PT0S", "P180D"})
_NAME_LENGTH = 50


def etag_of(thing: GdapRelationship | GdapAssignment) -> str:
    """Return the weak etag of a relationship or assignment."""
    mark = base64.b64encode(f"{thing.id}:{thing.version}".encode()).decode()
    return f'W/"{mark}"'


def view(relationship: GdapRelationship) -> Json:
    """Return a relationship as Graph writes it."""
    customer: Json | None = None
    if relationship.customer_id:
        customer = {"tenantId": relationship.customer_id, "displayName": relationship.customer_name}
    return {
        "@odata.etag": etag_of(relationship),
        "id": relationship.id,
        "displayName": relationship.display_name,
        "duration": relationship.duration,
        "autoExtendDuration": relationship.auto_extend,
        "customer": customer,
        "accessDetails": _roles_view(relationship.roles),
        "status": relationship.status,
        "createdDateTime": wire_time(relationship.created_at),
        "lastModifiedDateTime": wire_time(relationship.modified_at),
        "activatedDateTime": wire_time(relationship.activated_at) if relationship.activated_at else "",
        "endDateTime": wire_time(relationship.end_at) if relationship.end_at else "",
    }


def _roles_view(roles: list[str]) -> Json:
    return {"unifiedRoles": [{"roleDefinitionId": role} for role in roles]}


def _assignment_view(assignment: GdapAssignment) -> Json:
    return {
        "@odata.etag": etag_of(assignment),
        "id": assignment.id,
        "status": assignment.status,
        "createdDateTime": wire_time(assignment.created_at),
        "lastModifiedDateTime": wire_time(assignment.modified_at),
        "accessContainer": {"accessContainerId": assignment.group_id, "accessContainerType": "securityGroup"},
        "accessDetails": _roles_view(assignment.roles),
    }


def _request_view(made: GdapRequest) -> Json:
    return {
        "id": made.id,
        "action": made.action,
        "status": made.status,
        "createdDateTime": wire_time(made.created_at),
        "lastModifiedDateTime": wire_time(made.modified_at),
    }


def _operation_view(operation: GdapOperation) -> Json:
    return {
        "id": operation.id,
        "operationType": "delegatedAdminAccessAssignmentUpdate",
        "status": operation.status,
        "data": operation.data,
        "createdDateTime": wire_time(operation.created_at),
        "lastModifiedDateTime": wire_time(operation.modified_at),
    }


def _members(call: Call) -> Json:
    if not isinstance(call.body, dict):
        raise bad_request("The body must be a JSON object.")
    return cast("Json", call.body)


def _writer(call: Call) -> None:
    """Let applications and Admin agents pass; raises 403."""
    if call.principal.is_user and not call.principal.roles & {"admin_agent", "global_admin"}:
        raise forbidden("Only members of AdminAgents may change delegated admin relationships.")


def _check_etag(call: Call, thing: GdapRelationship | GdapAssignment) -> None:
    given = call.headers.get("if-match", "")
    if not given:
        raise bad_request("The header If-Match is required.")
    if given.strip() not in {"*", etag_of(thing)}:
        raise stale("The etag in If-Match is not the present one.")


def _read_roles(members: Json) -> list[str]:
    rows = field(object_field(members, "accessDetails"), "unifiedRoles")
    if not isinstance(rows, list) or not rows:
        raise bad_request("The accessDetails need at least one of unifiedRoles.")
    roles = [text_field(cast("Json", row), "roleDefinitionId").lower() for row in rows if isinstance(row, dict)]
    if len(roles) != len(rows) or not all(roles):
        raise bad_request("Each of unifiedRoles needs a roleDefinitionId.")
    return list(dict.fromkeys(roles))


def _read_name(members: Json) -> str:
    name = text_field(members, "displayName")
    if not 1 <= len(name) <= _NAME_LENGTH:
        raise bad_request(f"The displayName must have 1 to {_NAME_LENGTH} characters.")
    return name


def _read_extension(members: Json, present: str) -> str:
    text = text_field(members, "autoExtendDuration", present) or present
    if text not in _EXTENSIONS:
        raise bad_request("The autoExtendDuration must be P0D, PT0S or P180D.")
    return text


def _located(call: Call, body: Json, path: str, status: int = 201) -> Reply:
    return Reply(body, status, {"Location": f"{call.emulator.options.base_url}{_ROOT}/{_LIST}/{path}"})


async def list_relationships(call: Call) -> Reply:
    """Return one page of the partner's relationships."""
    rows = [view(row) for row in gdap.of_tenant(call.emulator, call.tenant.id)]
    return Reply(odata.page(call, _LIST, rows))


async def create(call: Call) -> Reply:
    """Make a relationship in the state created."""
    _writer(call)
    members, now = _members(call), call.clock.now()
    duration = text_field(members, "duration")
    gdap.read_duration(duration)
    customer = object_field(members, "customer")
    made = GdapRelationship(
        id=f"{call.emulator.next_id('gdap')}-{call.emulator.next_id('gdap')}",
        tenant_id=call.tenant.id,
        display_name=_read_name(members),
        duration=duration,
        roles=_read_roles(members),
        status="created",
        created_at=now,
        modified_at=now,
        auto_extend=_read_extension(members, "PT0S"),
        customer_id=text_field(customer, "tenantId").lower(),
    )
    made.customer_name = _name_of(call.emulator, made.customer_id, text_field(customer, "displayName"))
    _check_extension(made)
    gdap.create(call.emulator, call.tenant.id, made)
    return _located(call, view(made), made.id)


def _name_of(emulator: Emulator, customer_id: str, given: str) -> str:
    if not customer_id:
        return ""
    customer = emulator.world.customers.get(customer_id)
    if customer is None:
        raise bad_request("The customer's tenant does not exist.")
    return given or customer.company_name


def _check_extension(relationship: GdapRelationship) -> None:
    if relationship.auto_extend == "P180D" and GLOBAL_ADMIN_TEMPLATE in relationship.roles:
        raise bad_request("A relationship with Global Administrator cannot be extended automatically.")


async def read(call: Call) -> Reply:
    """Return one relationship."""
    return Reply(view(gdap.find(call.emulator, call.tenant.id, call.path["relationship"])))


async def update(call: Call) -> Reply:
    """Change a relationship: everything while created, auto-extension or Global Administrator while active."""
    _writer(call)
    found, members = gdap.find(call.emulator, call.tenant.id, call.path["relationship"]), _members(call)
    _check_etag(call, found)
    named = {name.lower() for name in members} - {"@odata.type", "@odata.etag", "id"}
    if found.status == "active" and named == {"accessdetails"}:
        if set(_read_roles(members)) != set(found.roles) - {GLOBAL_ADMIN_TEMPLATE} or len(found.roles) == 1:
            raise conflict("An active relationship can only lose Global Administrator.")
        operation = gdap.drop_global_admin(call.emulator, found)
        return _located(call, view(found), f"{found.id}/operations/{operation.id}", 202)
    if found.status != "created" and not (found.status == "active" and named <= {"autoextendduration"}):
        raise conflict(f"The relationship is {found.status} and cannot be changed so.")
    _apply(call.emulator, found, members, named)
    gdap.touch(call.emulator, found)
    return Reply(view(found))


def _apply(emulator: Emulator, found: GdapRelationship, members: Json, named: set[str]) -> None:
    wanted = GdapRelationship(
        id=found.id,
        tenant_id=found.tenant_id,
        display_name=_read_name(members) if "displayname" in named else found.display_name,
        duration=text_field(members, "duration") if "duration" in named else found.duration,
        roles=_read_roles(members) if "accessdetails" in named else found.roles,
        status=found.status,
        created_at=found.created_at,
        modified_at=found.modified_at,
        auto_extend=_read_extension(members, found.auto_extend),
        customer_id=found.customer_id,
    )
    if "customer" in named:
        wanted.customer_id = text_field(object_field(members, "customer"), "tenantId").lower()
    customer_name = _name_of(emulator, wanted.customer_id, "")
    gdap.read_duration(wanted.duration)
    _check_extension(wanted)
    gdap.rename(emulator, found, wanted.display_name)
    found.duration, found.roles, found.auto_extend = wanted.duration, wanted.roles, wanted.auto_extend
    found.customer_id, found.customer_name = wanted.customer_id, customer_name


async def delete(call: Call) -> Reply:
    """Delete a relationship that was only created."""
    _writer(call)
    found = gdap.find(call.emulator, call.tenant.id, call.path["relationship"])
    _check_etag(call, found)
    if found.status != "created":
        raise conflict("Only a relationship in the state created can be deleted.")
    del call.world.gdap.relationships[found.id]
    return Reply(None, 204)


async def create_request(call: Call) -> Reply:
    """Lock a relationship for approval, or terminate it."""
    _writer(call)
    found = gdap.find(call.emulator, call.tenant.id, call.path["relationship"])
    made = gdap.request(call.emulator, found, text_field(_members(call), "action"))
    return _located(call, _request_view(made), f"{found.id}/requests/{made.id}")


async def list_requests(call: Call) -> Reply:
    """Return the requests of a relationship."""
    found = gdap.find(call.emulator, call.tenant.id, call.path["relationship"])
    return Reply(odata.page(call, f"{_LIST}/{found.id}/requests", [_request_view(row) for row in found.requests]))


async def list_operations(call: Call) -> Reply:
    """Return the long-running operations of a relationship."""
    found = gdap.find(call.emulator, call.tenant.id, call.path["relationship"])
    rows = [_operation_view(row) for row in found.operations]
    return Reply(odata.page(call, f"{_LIST}/{found.id}/operations", rows))


async def create_assignment(call: Call) -> Reply:
    """Give roles to a security group."""
    _writer(call)
    found, members = gdap.find(call.emulator, call.tenant.id, call.path["relationship"]), _members(call)
    container = object_field(members, "accessContainer")
    group = text_field(container, "accessContainerId").lower()
    if text_field(container, "accessContainerType") != "securityGroup" or not group:
        raise bad_request("The accessContainer must name a securityGroup.")
    made = gdap.assign(call.emulator, found, group, _read_roles(members))
    return _located(call, _assignment_view(made), f"{found.id}/accessAssignments/{made.id}")


async def list_assignments(call: Call) -> Reply:
    """Return the assignments of a relationship."""
    found = gdap.find(call.emulator, call.tenant.id, call.path["relationship"])
    rows = [_assignment_view(row) for row in found.assignments.values()]
    return Reply(odata.page(call, f"{_LIST}/{found.id}/accessAssignments", rows))


async def read_assignment(call: Call) -> Reply:
    """Return one assignment."""
    found = gdap.find(call.emulator, call.tenant.id, call.path["relationship"])
    return Reply(_assignment_view(gdap.find_assignment(found, call.path["assignment"])))


async def update_assignment(call: Call) -> Reply:
    """Replace the roles of an assignment."""
    _writer(call)
    found = gdap.find(call.emulator, call.tenant.id, call.path["relationship"])
    assignment = gdap.find_assignment(found, call.path["assignment"])
    _check_etag(call, assignment)
    gdap.reassign(call.emulator, found, assignment, _read_roles(_members(call)))
    return Reply(_assignment_view(assignment))


async def delete_assignment(call: Call) -> Reply:
    """Take an assignment away."""
    _writer(call)
    found = gdap.find(call.emulator, call.tenant.id, call.path["relationship"])
    assignment = gdap.find_assignment(found, call.path["assignment"])
    _check_etag(call, assignment)
    gdap.unassign(call.emulator, found, assignment)
    return Reply(None, 204)


async def list_customers(call: Call) -> Reply:
    """Return the customers with whom the partner has a living relationship."""
    entries = gdap.customers(call.emulator, call.tenant.id)
    rows: list[Json] = [{"id": row.tenant_id, "tenantId": row.tenant_id, "displayName": row.name} for row in entries]
    return Reply(odata.page(call, "delegatedAdminCustomers", rows))


_TABLE = (
    ("GET", f"{_ROOT}/{_LIST}", list_relationships),
    ("POST", f"{_ROOT}/{_LIST}", create),
    ("GET", _ONE, read),
    ("PATCH", _ONE, update),
    ("DELETE", _ONE, delete),
    ("POST", f"{_ONE}/requests", create_request),
    ("GET", f"{_ONE}/requests", list_requests),
    ("GET", f"{_ONE}/operations", list_operations),
    ("POST", f"{_ONE}/accessAssignments", create_assignment),
    ("GET", f"{_ONE}/accessAssignments", list_assignments),
    ("GET", f"{_ONE}/accessAssignments/{{assignment}}", read_assignment),
    ("PATCH", f"{_ONE}/accessAssignments/{{assignment}}", update_assignment),
    ("DELETE", f"{_ONE}/accessAssignments/{{assignment}}", delete_assignment),
    ("GET", f"{_ROOT}/delegatedAdminCustomers", list_customers),
)
_NOTES = {
    "GET": "Lists with $filter, $orderby, $top up to 300, $skipToken, $select and $count",
    "POST": "201 with Location; Admin agents or the application",
    "PATCH": "If-Match is required",
    "DELETE": "204; If-Match is required",
}
ROUTES: tuple[Route | Page, ...] = tuple(
    Route(method, template, handler, roles=frozenset(), audience="graph") for method, template, handler in _TABLE
)
for _route in ROUTES:
    behaviour(_route.key, source="documented", page="core 8", note=_NOTES[_route.method])
