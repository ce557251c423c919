"""Service requests at Microsoft's support (partnercenter room, core reference 9.2)."""

from __future__ import annotations

from uuid import UUID

from tenantfold.domain.model import CustomerId
from tenantfold.domain.requests import ServiceRequest, ServiceRequestWish
from tenantfold.errors import NotFoundError, RefusedError
from tenantfold.partnercenter import wire_routes, wire_service_requests
from tenantfold.partnercenter.resource import Resource, understood


class ServiceRequestCalls(Resource):
    """Reading service requests, and opening one where the API still allows it."""

    async def service_requests(self, customer_id: CustomerId) -> tuple[ServiceRequest, ...]:
        """The service requests of this tenant that are about a customer, or about nobody in particular."""
        found = [
            wire_service_requests.read_request(item)
            async for item in self._items(wire_routes.CUSTOMER_SERVICE_REQUESTS, {"customer": customer_id})
        ]
        known = {one.id for one in found}
        async for item in self._items(wire_routes.SERVICE_REQUESTS, {}):
            request = wire_service_requests.read_request(item)
            if request.id not in known:
                found.append(request)
        return tuple(found)

    async def open_service_request(
        self, customer_id: CustomerId, wish: ServiceRequestWish, request_id: UUID
    ) -> ServiceRequest:
        """Open a service request about a customer. RefusedError where the API does not allow it (it was withdrawn)."""
        topics = [wire_service_requests.read_topic(item) async for item in self._items(wire_routes.SUPPORT_TOPICS, {})]
        body = wire_service_requests.request_body(wish, wire_service_requests.topic_for(topics, wish.topic))
        try:
            answer = await self._write(wire_routes.OPEN_SERVICE_REQUEST, request_id, body)
        except NotFoundError as error:
            raise RefusedError(
                "Microsoft's API opens no service requests for this tenant.",
                next_step="Open it in Partner Center: tenantfold handoff writes what to send.",
                customer_id=customer_id,
            ) from error
        return understood(answer, wire_service_requests.read_request)
