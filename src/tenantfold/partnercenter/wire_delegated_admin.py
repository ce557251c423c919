"""Delegated admin relationships on the wire of Graph (partnercenter room, wire). Core reference 8."""

from __future__ import annotations

from msgspec import Raw

from tenantfold.domain.gdap import (
    AccessAssignment,
    AccessState,
    AdminRelationship,
    GroupAccess,
    RelationshipId,
    RelationshipState,
    RelationshipWish,
    RoleId,
)
from tenantfold.domain.model import CustomerId
from tenantfold.partnercenter.wire import Wire, decode, encode, known_word, lower_id, parse_time

NO_EXTENSION = "PT0S"
SIX_MONTHS = "P180D"
_STATES = {state.value: state for state in RelationshipState if state is not RelationshipState.UNKNOWN}
_ACCESS = {state.value: state for state in AccessState if state is not AccessState.UNKNOWN}


class UnifiedRole(Wire):
    """One role by its template id."""

    role_definition_id: str


class AccessDetails(Wire):
    """The roles of a relationship or of an assignment."""

    unified_roles: list[UnifiedRole] | None = None


class RelationshipCustomer(Wire):
    """Whom a relationship is offered to; Graph fills the name in."""

    tenant_id: str | None = None


class RelationshipItem(Wire):
    """A relationship. Times may be empty texts."""

    id: str
    display_name: str | None = None
    status: str | None = None
    customer: RelationshipCustomer | None = None
    access_details: AccessDetails | None = None
    last_modified_date_time: str | None = None
    activated_date_time: str | None = None
    end_date_time: str | None = None


class NewRelationship(Wire):
    """The body that offers a relationship."""

    display_name: str
    duration: str
    customer: RelationshipCustomer
    access_details: AccessDetails
    auto_extend_duration: str


class AccessContainer(Wire):
    """Who has access: a security group of the partner tenant."""

    access_container_id: str
    access_container_type: str = "securityGroup"


class AssignmentItem(Wire):
    """An access assignment."""

    id: str
    status: str | None = None
    access_container: AccessContainer | None = None
    access_details: AccessDetails | None = None


class NewAssignment(Wire):
    """The body that gives a group access."""

    access_container: AccessContainer
    access_details: AccessDetails


def read_relationship(document: bytes | Raw) -> AdminRelationship:
    """A relationship; a status nobody knows is kept and counts as unknown."""
    item = decode(document, RelationshipItem)
    status = known_word(item.status, frozenset(_STATES))
    return AdminRelationship(
        id=RelationshipId(lower_id(item.id)),
        name=item.display_name or "",
        customer_id=CustomerId(lower_id(item.customer.tenant_id if item.customer else None)),
        status=item.status or "",
        state=_STATES.get(status, RelationshipState.UNKNOWN),
        roles=_roles(item.access_details),
        changed_at=parse_time(item.last_modified_date_time),
        activated_at=parse_time(item.activated_date_time),
        ends_at=parse_time(item.end_date_time),
    )


def read_assignment(document: bytes | Raw) -> AccessAssignment:
    """An access assignment; one without a container names no group."""
    item = decode(document, AssignmentItem)
    container = item.access_container
    return AccessAssignment(
        id=item.id,
        group_id=lower_id(container.access_container_id) if container is not None else "",
        status=item.status or "",
        state=_ACCESS.get(known_word(item.status, frozenset(_ACCESS)), AccessState.UNKNOWN),
        roles=_roles(item.access_details),
    )


def relationship_body(wish: RelationshipWish) -> bytes:
    """The body that offers a relationship to one customer."""
    return encode(
        NewRelationship(
            display_name=wish.name,
            duration=f"P{wish.duration_days}D",
            customer=RelationshipCustomer(tenant_id=wish.customer_id),
            access_details=_details(wish.roles),
            auto_extend_duration=SIX_MONTHS if wish.auto_extend else NO_EXTENSION,
        )
    )


def lock_body() -> bytes:
    """The body that sends a relationship to its customer for approval."""
    return encode({"action": "lockForApproval"})


def assignment_body(access: GroupAccess) -> bytes:
    """The body that gives a group its roles."""
    container = AccessContainer(access_container_id=access.group_id)
    return encode(NewAssignment(access_container=container, access_details=_details(access.roles)))


def _details(roles: tuple[RoleId, ...]) -> AccessDetails:
    return AccessDetails(unified_roles=[UnifiedRole(role_definition_id=role) for role in roles])


def _roles(details: AccessDetails | None) -> tuple[RoleId, ...]:
    named = details.unified_roles or [] if details is not None else []
    return tuple(RoleId(lower_id(role.role_definition_id)) for role in named)
