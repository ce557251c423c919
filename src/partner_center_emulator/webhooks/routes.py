"""HTTP of webhook registrations, test events, and the certificate (core reference 9.4)."""

from __future__ import annotations

from typing import cast

from starlette.requests import Request
from starlette.responses import Response

from partner_center_emulator import control
from partner_center_emulator.coverage import behaviour
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import refusal
from partner_center_emulator.requests import AGENTS, Call, Page, Reply, Route
from partner_center_emulator.state.webhooks import Registration
from partner_center_emulator.webhooks import certificate, delivery, models
from partner_center_emulator.wire import Json, text_field, wire_time

behaviour("GET /webhooks/v1/registration/events", source="documented", page="core 9.4", note="A bare array of names")
behaviour("GET /webhooks/v1/registration", source="documented", page="core 9.4", note="404 without a registration")
behaviour("PUT /webhooks/v1/registration", source="documented", page="core 9.4", note="Replaces it whole")
behaviour(
    "GET /webhooks/v1/registration/validationEvents/{correlation}",
    source="documented",
    page="core 9.4",
    note="Each attempt with its outcome",
)
behaviour(
    "DELETE /webhooks/v1/registration",
    source="assumed",
    page="core 9.4",
    note="Ends the registration; the reference lists only the other three calls",
)
behaviour(
    "POST /webhooks/v1/registration/validationEvents",
    source="documented",
    page="core 9.4",
    note="Two a minute, needs test-created; the outcome is kept for seven days",
)


async def list_events(_call: Call) -> Reply:
    """Return the names of the events that may be registered: a bare array."""
    return Reply(list(models.EVENTS))


async def read_registration(call: Call) -> Reply:
    """Return the tenant's registration."""
    found = models.find(call.emulator, call.tenant.id)
    return Reply({"WebhookUrl": found.url, "WebhookEvents": found.events})


async def create_registration(call: Call) -> Reply:
    """Register the tenant; 409 if it is registered already."""
    if call.tenant.id in call.world.webhooks.registrations:
        raise models.conflict()
    return Reply(_view(_register(call)))


async def replace_registration(call: Call) -> Reply:
    """Replace the tenant's registration."""
    models.find(call.emulator, call.tenant.id)
    return Reply(_view(_register(call)))


async def delete_registration(call: Call) -> Reply:
    """End the tenant's registration."""
    models.find(call.emulator, call.tenant.id)
    del call.world.webhooks.registrations[call.tenant.id]
    return Reply(None, 204)


def _register(call: Call) -> Registration:
    members = call.members()
    events = call.field("WebhookEvents")
    if not isinstance(events, list) or not all(isinstance(name, str) for name in events):
        raise refusal(2000, "The WebhookEvents must be a list of names.")
    return models.register(
        call.emulator,
        call.tenant.id,
        text_field(members, "WebhookUrl"),
        cast("list[str]", events),
        ms_signature=call.field("SignatureTokenToMsSignatureHeader") is True,
    )


def _view(registration: Registration) -> Json:
    return {
        "SubscriberId": registration.subscriber_id,
        "WebhookUrl": registration.url,
        "WebhookEvents": registration.events,
    }


async def validate(call: Call) -> Reply:
    """Send a test event; returns the correlation id under which its outcome is found."""
    correlation_id = models.validate(call.emulator, call.tenant.id, call.emulator.next_id("validation"))
    return Reply({"correlationId": correlation_id})


async def read_validation(call: Call) -> Reply:
    """Return the outcome of a test event."""
    found = models.find_validation(call.emulator, call.tenant.id, call.path["correlation"])
    results = [
        {
            "responseCode": attempt.response_code,
            "responseMessage": attempt.message,
            "systemError": attempt.system_error,
            "dateTimeUtc": wire_time(attempt.at).removesuffix("Z"),
        }
        for attempt in found.attempts
    ]
    status = {"delivered": "completed", "offline": "failed", "waiting": "pending"}[found.status]
    return Reply(
        {
            "correlationId": found.validation_id,
            "partnerId": found.tenant_id,
            "status": status,
            "callbackUrl": found.url,
            "results": results,
        }
    )


async def read_certificate(emulator: Emulator, _request: Request) -> Response:
    """Return the emulator's certificate as DER."""
    return Response(certificate.certificate(emulator), media_type="application/pkix-cert")


@control.guarded
async def list_deliveries(emulator: Emulator, _request: Request) -> object:
    """Return every delivery with its attempts."""
    return list(emulator.world.webhooks.deliveries.values())


@control.guarded
async def deliver(emulator: Emulator, _request: Request) -> object:
    """Carry what is due and say how many posts were made."""
    return {"posts": await delivery.finish(emulator)}


_ROOT = "/webhooks/v1/registration"
_ADMINS = AGENTS | {"billing_admin"}

ROUTES: tuple[Route | Page, ...] = (
    Route("GET", f"{_ROOT}/events", list_events, roles=_ADMINS),
    Route("GET", _ROOT, read_registration, roles=_ADMINS),
    Route("POST", _ROOT, create_registration, roles=_ADMINS),
    Route("PUT", _ROOT, replace_registration, roles=_ADMINS),
    Route("DELETE", _ROOT, delete_registration, roles=_ADMINS),
    Route("POST", f"{_ROOT}/validationEvents", validate, roles=_ADMINS),
    Route("GET", f"{_ROOT}/validationEvents/{{correlation}}", read_validation, roles=_ADMINS),
    Page("GET", certificate.PATH, read_certificate),
    Page("GET", "/_emulator/webhooks", list_deliveries),
    Page("POST", "/_emulator/webhooks/deliver", deliver),
)
