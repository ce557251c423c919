"""Granular delegated admin relationships: their life from request to end (core reference 8).

A relationship walks through its states by steps on the emulator's clock; what comes next follows from the state alone,
so that a loaded snapshot goes on. The customer's side is the approval page (``approval.py``) or the control plane.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import msgspec

from partner_center_emulator.audit import models as audit
from partner_center_emulator.audit.models import Activity
from partner_center_emulator.coverage import behaviour
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.graph.errors import bad_request, conflict, missing
from partner_center_emulator.graph.models import GLOBAL_ADMIN_TEMPLATE, GROUPS, group_id
from partner_center_emulator.state.gdap import GdapAssignment, GdapOperation, GdapRelationship, GdapRequest
from partner_center_emulator.world import Customer

APPROVAL_DAYS = 90
EXTENSION_DAYS = 180
_DURATION = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?")
_NO_EXTENSION = frozenset({"P0D", "PT0S"})
_WALK = {
    "approved": "activating",
    "activating": "active",
    "expiring": "expired",
    "terminationRequested": "terminating",
    "terminating": "terminated",
}
_LIVING = frozenset({"approved", "activating", "active", "expiring", "terminationRequested", "terminating"})

behaviour(
    "GDAP",
    source="documented",
    page="core 8",
    note="States, P1D to P2Y, unique names, If-Match on PATCH and DELETE, a pending request lapses after 90 days, "
    "auto-extension by 180 days, one group per assignment",
)
behaviour(
    "GDAP",
    source="assumed",
    page="core 8",
    note="Steps follow each other at once (a switch delays them); a lapsed request ends as expired; a missing "
    "If-Match is 400, a stale one 412",
)


def read_duration(text: str) -> timedelta:
    """Return an ISO 8601 duration of one day to two years; raises 400 for anything else."""
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        raise bad_request("The duration must be an ISO 8601 duration such as P730D.")
    years, months, days = (int(part or 0) for part in found.groups())
    span = timedelta(days=years * 365 + months * 30 + days)
    if not timedelta(days=1) <= span <= timedelta(days=731):
        raise bad_request("The duration must lie between P1D and P2Y.")
    return span


def create(emulator: Emulator, tenant_id: str, wish: GdapRelationship) -> GdapRelationship:
    """Add a relationship in the state created; raises 409 if its name is taken."""
    _check_name(emulator, tenant_id, wish.display_name, "")
    emulator.world.gdap.relationships[wish.id] = wish
    return wish


def _check_name(emulator: Emulator, tenant_id: str, name: str, own_id: str) -> None:
    for other in emulator.world.gdap.relationships.values():
        if other.tenant_id == tenant_id and other.id != own_id and other.display_name == name:
            raise conflict("The displayName is taken by another relationship of the partner.")


def find(emulator: Emulator, tenant_id: str, relationship_id: str) -> GdapRelationship:
    """Return a relationship of the partner tenant; raises 404."""
    found = emulator.world.gdap.relationships.get(relationship_id.lower())
    if found is None or found.tenant_id != tenant_id:
        raise missing("The delegated admin relationship was not found.")
    return found


def of_tenant(emulator: Emulator, tenant_id: str) -> list[GdapRelationship]:
    """Return the relationships of the partner tenant, oldest first."""
    return [found for found in emulator.world.gdap.relationships.values() if found.tenant_id == tenant_id]


def touch(emulator: Emulator, thing: GdapRelationship | GdapAssignment) -> None:
    """Raise the version, and with it the etag."""
    thing.version += 1
    thing.modified_at = emulator.clock.now()


def rename(emulator: Emulator, relationship: GdapRelationship, name: str) -> None:
    """Give another name; raises 409 if it is taken."""
    _check_name(emulator, relationship.tenant_id, name, relationship.id)
    relationship.display_name = name


def request(emulator: Emulator, relationship: GdapRelationship, action: str) -> GdapRequest:
    """Do what a request asks for; raises 400 for an unknown action and 409 if the state does not allow it."""
    now = emulator.clock.now()
    if action == "lockForApproval":
        _require(relationship, "created")
        _set_state(emulator, relationship, "approvalPending", now + timedelta(days=APPROVAL_DAYS))
    elif action == "terminate":
        _require(relationship, "active")
        _set_state(emulator, relationship, "terminationRequested", _soon(emulator))
    elif action in {"approve", "reject"}:
        raise conflict("Only an indirect reseller approves or rejects, and this relationship has none.")
    else:
        raise bad_request(f"The action {action} is not known.")
    made = GdapRequest(
        id=emulator.next_id("gdap-request"), action=action, status="succeeded", created_at=now, modified_at=now
    )
    relationship.requests.append(made)
    return made


def _require(relationship: GdapRelationship, status: str) -> None:
    if relationship.status != status:
        raise conflict(f"The relationship is {relationship.status}; it must be {status}.")


def approve(emulator: Emulator, relationship: GdapRelationship, customer: Customer) -> None:
    """Let the customer approve a pending relationship; raises 409 if it does not wait, or waits for another."""
    _require(relationship, "approvalPending")
    if relationship.customer_id not in {"", customer.id}:
        raise conflict("The relationship was offered to another customer.")
    relationship.customer_id, relationship.customer_name = customer.id, customer.company_name
    _set_state(emulator, relationship, "approved", _soon(emulator))


def activate_at_once(emulator: Emulator, relationship: GdapRelationship, customer: Customer) -> None:
    """Put a relationship into the state active, as the default one of a new customer is."""
    relationship.customer_id, relationship.customer_name = customer.id, customer.company_name
    emulator.world.gdap.relationships[relationship.id] = relationship
    _set_state(emulator, relationship, "active", None)


def end_all(emulator: Emulator, tenant_id: str, customer_id: str) -> None:
    """Terminate the active relationships of partner and customer, as the end of the reseller link does."""
    for relationship in of_tenant(emulator, tenant_id):
        if relationship.customer_id == customer_id and relationship.status == "active":
            _set_state(emulator, relationship, "terminationRequested", _soon(emulator))


def _soon(emulator: Emulator) -> datetime:
    return emulator.clock.now() + timedelta(seconds=emulator.options.gdap_step_seconds)


def _set_state(emulator: Emulator, relationship: GdapRelationship, status: str, next_at: datetime | None) -> None:
    before = relationship.status
    relationship.status = status
    touch(emulator, relationship)
    now = emulator.clock.now()
    if status == "active" and relationship.activated_at is None:
        relationship.activated_at = now
        relationship.end_at = now + read_duration(relationship.duration)
        next_at = relationship.end_at
    _schedule(emulator, relationship, next_at)
    what = {"active": "activated"}.get(status, status)
    operation = {"terminationRequested": "termination_requested"}.get(what, what)
    if what in {"approved", "activated", "terminated", "expired"} or status == "terminationRequested":
        _note(emulator, relationship, f"gdap.{operation}", f"granular_admin_relationship_{operation}", before)


def _note(emulator: Emulator, relationship: GdapRelationship, what: str, operation: str, before: str) -> None:
    emulator.record(
        what,
        tenant_id=relationship.tenant_id,
        customer_id=relationship.customer_id,
        subject_id=relationship.id,
        before={"status": before},
        after={"status": relationship.status},
    )
    customer = emulator.world.customers.get(relationship.customer_id)
    if customer is not None:
        activity = Activity(operation_type=operation, resource_type="granular_admin_relationship")
        audit.write(emulator, relationship.tenant_id, customer, activity)


def _schedule(emulator: Emulator, relationship: GdapRelationship, when: datetime | None) -> None:
    relationship.next_step_at = when
    if when is not None:
        _arm(emulator, relationship, when)


def _arm(emulator: Emulator, relationship: GdapRelationship, when: datetime) -> None:
    def step() -> None:
        if relationship.next_step_at == when:
            _step(emulator, relationship)

    emulator.clock.at(when, f"gdap {relationship.id}", step)


def _step(emulator: Emulator, relationship: GdapRelationship) -> None:
    """Go to the next state: along the walk, or out of approvalPending and active when their time is over."""
    status = relationship.status
    if status == "approvalPending":
        _set_state(emulator, relationship, "expired", None)
    elif status == "active" and relationship.auto_extend not in _NO_EXTENSION and relationship.end_at is not None:
        relationship.end_at += timedelta(days=EXTENSION_DAYS)
        touch(emulator, relationship)
        _schedule(emulator, relationship, relationship.end_at)
    elif status == "active":
        _set_state(emulator, relationship, "expiring", _soon(emulator))
    elif status in _WALK:
        following = _WALK[status]
        ends = following in {"expired", "terminated", "active"}
        _set_state(emulator, relationship, following, None if ends else _soon(emulator))


def assign(emulator: Emulator, relationship: GdapRelationship, group: str, roles: list[str]) -> GdapAssignment:
    """Give roles of an active relationship to a security group; raises 409 or 400."""
    _require(relationship, "active")
    _check_roles(relationship, roles)
    if any(row.group_id == group and row.status != "deleted" for row in relationship.assignments.values()):
        raise conflict("The security group has an access assignment already.")
    now = emulator.clock.now()
    made = GdapAssignment(
        id=emulator.next_id("gdap-assignment"),
        group_id=group,
        roles=roles,
        status="pending",
        created_at=now,
        modified_at=now,
    )
    relationship.assignments[made.id] = made
    _note_assignment(emulator, relationship, made, "created")
    _schedule_assignment(emulator, relationship, made)
    return made


def reassign(emulator: Emulator, relationship: GdapRelationship, assignment: GdapAssignment, roles: list[str]) -> None:
    """Replace the roles of an assignment; raises 409 or 400."""
    _require(relationship, "active")
    _check_roles(relationship, roles)
    assignment.roles, assignment.status = roles, "pending"
    touch(emulator, assignment)
    _note_assignment(emulator, relationship, assignment, "updated")
    _schedule_assignment(emulator, relationship, assignment)


def unassign(emulator: Emulator, relationship: GdapRelationship, assignment: GdapAssignment) -> None:
    """Take an assignment away."""
    assignment.status = "deleting"
    touch(emulator, assignment)
    _schedule_assignment(emulator, relationship, assignment)


def find_assignment(relationship: GdapRelationship, assignment_id: str) -> GdapAssignment:
    """Return an assignment of the relationship; raises 404."""
    found = relationship.assignments.get(assignment_id.lower())
    if found is None:
        raise missing("The access assignment was not found.")
    return found


def _check_roles(relationship: GdapRelationship, roles: list[str]) -> None:
    if not roles or not set(roles) <= set(relationship.roles):
        raise bad_request("The unifiedRoles must be some of those of the relationship.")


def _note_assignment(emulator: Emulator, relationship: GdapRelationship, assignment: GdapAssignment, what: str) -> None:
    emulator.record(
        f"gdap.assignment_{what}",
        tenant_id=relationship.tenant_id,
        customer_id=relationship.customer_id,
        subject_id=assignment.id,
        after={"relationship_id": relationship.id, "status": assignment.status, "roles": list(assignment.roles)},
    )
    customer = emulator.world.customers.get(relationship.customer_id)
    if customer is not None:
        operation = f"granular_admin_access_assignment_{what}"
        activity = Activity(operation_type=operation, resource_type="granular_admin_access_assignment")
        audit.write(emulator, relationship.tenant_id, customer, activity)


def _schedule_assignment(emulator: Emulator, relationship: GdapRelationship, assignment: GdapAssignment) -> None:
    assignment.next_step_at = _soon(emulator)
    _arm_assignment(emulator, relationship, assignment, assignment.next_step_at)


def _arm_assignment(
    emulator: Emulator, relationship: GdapRelationship, assignment: GdapAssignment, when: datetime
) -> None:
    def step() -> None:
        if assignment.next_step_at != when:
            return
        assignment.next_step_at = None
        what = {"pending": "active", "deleting": "deleted"}.get(assignment.status)
        if what is not None:
            assignment.status = what
            touch(emulator, assignment)
            word = "activated" if what == "active" else "deleted"
            _note_assignment(emulator, relationship, assignment, word)

    emulator.clock.at(when, f"gdap assignment {assignment.id}", step)


def drop_global_admin(emulator: Emulator, relationship: GdapRelationship) -> GdapOperation:
    """Take Global Administrator out of an active relationship: a long-running operation."""
    now = emulator.clock.now()
    made = GdapOperation(
        id=emulator.next_id("gdap-operation"),
        status="running",
        data=f'{{"removedRoleDefinitionId":"{GLOBAL_ADMIN_TEMPLATE}"}}',
        created_at=now,
        modified_at=now,
        next_step_at=_soon(emulator),
    )
    relationship.operations.append(made)
    _arm_operation(emulator, relationship, made)
    return made


def _arm_operation(emulator: Emulator, relationship: GdapRelationship, operation: GdapOperation) -> None:
    def step() -> None:
        if operation.status != "running":
            return
        operation.status, operation.modified_at, operation.next_step_at = "succeeded", emulator.clock.now(), None
        relationship.roles = [role for role in relationship.roles if role != GLOBAL_ADMIN_TEMPLATE]
        for assignment in relationship.assignments.values():
            assignment.roles = [role for role in assignment.roles if role != GLOBAL_ADMIN_TEMPLATE]
        touch(emulator, relationship)

    if operation.next_step_at is not None:
        emulator.clock.at(operation.next_step_at, f"gdap operation {operation.id}", step)


def rearm(emulator: Emulator) -> None:
    """Put the next steps of everything back on the clock."""
    for relationship in emulator.world.gdap.relationships.values():
        if relationship.next_step_at is not None:
            _arm(emulator, relationship, relationship.next_step_at)
        for assignment in relationship.assignments.values():
            if assignment.next_step_at is not None:
                _arm_assignment(emulator, relationship, assignment, assignment.next_step_at)
        for operation in relationship.operations:
            _arm_operation(emulator, relationship, operation)


class CustomerEntry(msgspec.Struct, frozen=True):
    """A customer with whom the partner has a relationship."""

    tenant_id: str
    name: str


def customers(emulator: Emulator, tenant_id: str) -> list[CustomerEntry]:
    """Return the customers with at least one living relationship, by name."""
    found = {
        row.customer_id: row.customer_name
        for row in of_tenant(emulator, tenant_id)
        if row.customer_id and row.status in _LIVING
    }
    return [CustomerEntry(key, name) for key, name in sorted(found.items(), key=lambda item: item[1])]


def roles_for(emulator: Emulator, tenant_id: str, customer_id: str, partner_roles: frozenset[str] | None) -> set[str]:
    """Return the role definition ids a caller has at a customer through active assignments of its groups.

    ``partner_roles``: the user's Partner Center roles, whose security groups count; None for an application alone,
    to which every assignment counts.
    """
    found: set[str] = set()
    relationships = emulator.world.gdap.relationships
    if not relationships:
        return found
    tenant = emulator.world.partner_tenants[tenant_id]
    groups = None if partner_roles is None else {group_id(tenant, role) for role in partner_roles if role in GROUPS}
    for row in relationships.values():
        if row.tenant_id == tenant_id and row.customer_id == customer_id and row.status == "active":
            for assignment in row.assignments.values():
                if assignment.status == "active" and (groups is None or assignment.group_id in groups):
                    found.update(assignment.roles)
    return found
