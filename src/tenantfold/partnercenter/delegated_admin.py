"""Delegated admin relationships through Microsoft Graph (partnercenter room, core reference 8)."""

from __future__ import annotations

from uuid import UUID

from tenantfold.domain.gdap import AccessAssignment, AdminRelationship, GroupAccess, RelationshipId, RelationshipWish
from tenantfold.domain.model import CustomerId
from tenantfold.partnercenter import wire_delegated_admin, wire_routes
from tenantfold.partnercenter.graph import graph_items
from tenantfold.partnercenter.resource import Resource, get_call, understood


class DelegatedAdminCalls(Resource):
    """Offering delegated admin access to a customer, following it, and giving groups of this tenant their roles."""

    async def admin_relationships(self, customer_id: CustomerId | None = None) -> tuple[AdminRelationship, ...]:
        """The relationships of this tenant in every status, with one customer or with all: 300 a call."""
        query = wire_routes.RELATIONSHIP_PAGE if customer_id is None else wire_routes.relationships_with(customer_id)
        call = get_call(wire_routes.ADMIN_RELATIONSHIPS, query=query)
        return tuple(
            [
                wire_delegated_admin.read_relationship(item)
                async for item in graph_items(self._transport, call, self._cloud)
            ]
        )

    async def admin_relationship(self, relationship_id: RelationshipId) -> AdminRelationship:
        """One relationship, fresh. NotFoundError when there is none of this id, or it was deleted."""
        answer = await self._read(wire_routes.ADMIN_RELATIONSHIP, relationship=relationship_id)
        return wire_delegated_admin.read_relationship(answer.body)

    async def offer_admin_relationship(self, wish: RelationshipWish, request_id: UUID) -> AdminRelationship:
        """Make a relationship for a customer; it is a draft until ``request_approval``.

        ConflictError when the partner has one of this name already, in any state.
        """
        body = wire_delegated_admin.relationship_body(wish)
        answer = await self._write(wire_routes.OFFER_ADMIN_RELATIONSHIP, request_id, body)
        return understood(answer, wire_delegated_admin.read_relationship)

    async def request_approval(self, relationship_id: RelationshipId, request_id: UUID) -> None:
        """Lock a draft for approval: from now on its customer can approve it, for 90 days (R-104).

        ConflictError when it is no draft any more.
        """
        body = wire_delegated_admin.lock_body()
        await self._write(wire_routes.REQUEST_OF_RELATIONSHIP, request_id, body, relationship=relationship_id)

    async def access_assignments(self, relationship_id: RelationshipId) -> tuple[AccessAssignment, ...]:
        """Which groups have which roles of a relationship, in every status."""
        call = get_call(wire_routes.ACCESS_ASSIGNMENTS, {"relationship": relationship_id})
        return tuple(
            [
                wire_delegated_admin.read_assignment(item)
                async for item in graph_items(self._transport, call, self._cloud)
            ]
        )

    async def assign_access(
        self, relationship_id: RelationshipId, access: GroupAccess, request_id: UUID
    ) -> AccessAssignment:
        """Give a security group roles of an active relationship (R-106); it takes effect a little later.

        ConflictError when the relationship is not active, or the group has an assignment already.
        """
        body = wire_delegated_admin.assignment_body(access)
        answer = await self._write(wire_routes.ASSIGN_ACCESS, request_id, body, relationship=relationship_id)
        return understood(answer, wire_delegated_admin.read_assignment)
