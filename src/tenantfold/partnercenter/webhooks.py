"""Webhook registrations of a partner tenant (partnercenter room, core reference 9.4)."""

from __future__ import annotations

from uuid import UUID

from tenantfold.domain.webhooks import ProbeOutcome, Registration
from tenantfold.errors import NotFoundError
from tenantfold.partnercenter import wire_routes, wire_webhooks
from tenantfold.partnercenter.resource import Resource, understood


class WebhookCalls(Resource):
    """Where this tenant's events go, and which."""

    async def webhook_events(self) -> tuple[str, ...]:
        """The names of the events this tenant may register."""
        return wire_webhooks.read_event_names((await self._read(wire_routes.WEBHOOK_EVENTS)).body)

    async def webhook_registration(self) -> Registration | None:
        """The tenant's registration; None without one."""
        try:
            answer = await self._read(wire_routes.WEBHOOK_REGISTRATION)
        except NotFoundError:
            return None
        return wire_webhooks.read_registration(answer.body)

    async def make_webhook_registration(self, wish: Registration, request_id: UUID) -> Registration:
        """Register for the first time. ConflictError when the tenant has a registration by now."""
        body = wire_webhooks.registration_body(wish)
        answer = await self._write(wire_routes.MAKE_WEBHOOK_REGISTRATION, request_id, body)
        return understood(answer, wire_webhooks.read_registration)

    async def replace_webhook_registration(self, wish: Registration, request_id: UUID) -> Registration:
        """Replace the registration as a whole; the same again changes nothing. NotFoundError without one."""
        body = wire_webhooks.registration_body(wish)
        answer = await self._write(wire_routes.REPLACE_WEBHOOK_REGISTRATION, request_id, body)
        return understood(answer, wire_webhooks.read_registration)

    async def ask_for_test_event(self, request_id: UUID) -> str:
        """Have a test event delivered; returns the id of its outcome. Two a minute, else ThrottledError."""
        answer = await self._write(wire_routes.ASK_FOR_TEST_EVENT, request_id, b"")
        return understood(answer, wire_webhooks.read_test_asked)

    async def test_event(self, correlation_id: str) -> ProbeOutcome:
        """How a test event went; kept by Microsoft for seven days, then NotFoundError."""
        answer = await self._read(wire_routes.TEST_EVENT, correlation=correlation_id)
        return wire_webhooks.read_test_report(answer.body)
