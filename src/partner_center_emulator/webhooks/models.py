"""Registrations and events: who hears of what, and when (core reference 9.4).

Events come from the truth ledger: ``Emulator.record`` tells ``on_change`` of every state change. A delivery waits on
the emulator's clock; what is due is handed to ``delivery.py``, which carries it out after the request.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import blake2b
from urllib.parse import urlsplit

import msgspec

from partner_center_emulator.audit.models import AuditIndex
from partner_center_emulator.coverage import behaviour
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import ApiError, gateway, refusal
from partner_center_emulator.faults.hooks import webhook_deliveries
from partner_center_emulator.state.webhooks import Delivery, Registration
from partner_center_emulator.wire import Json, wire_time
from partner_center_emulator.world import StateChange, World

TEST_EVENT = "test-created"
VALIDATIONS_PER_MINUTE = 2
VALIDATION_DAYS = 7
_KEPT_DELIVERIES = 20_000
_THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})

behaviour(
    "POST /webhooks/v1/registration",
    source="documented",
    page="core 9.4",
    note="One registration per tenant, a second one is 409; members in PascalCase",
)
behaviour(
    "POST /webhooks/v1/registration",
    source="assumed",
    page="core 9.4",
    note="An emulator delivers to 127.0.0.1, ::1 and localhost only and refuses every other address with 400 2000",
)
behaviour(
    "webhooks",
    source="documented",
    page="core 9.4",
    note="RSA signature over the body, certificate address and algorithm in headers; up to ten attempts, then offline; "
    "subscription-updated up to 48 hours late (a switch)",
)
behaviour(
    "webhooks",
    source="assumed",
    page="core 9.4",
    note="Attempts are one minute apart, then twice as long each time, at most an hour; the certificate is the "
    "emulator's own; due events leave after the next request or move of the clock",
)


class Kind(msgspec.Struct, frozen=True):
    """An event: its name, what its resource is called, and the operation of the audit record it points to."""

    name: str
    resource_name: str
    operation: str = ""


_GDAP, _ASSIGNMENT = "GranularAdminRelationship", "GranularAdminAccessAssignment"
KINDS: dict[str, Kind] = {
    "subscription.changed": Kind("subscription-updated", "Subscription"),
    "relationship.accepted": Kind(
        "reseller-relationship-accepted-by-customer", "Customer", "reseller_relationship_accepted_by_customer"
    ),
    "relationship.accepted_indirect": Kind(
        "indirect-reseller-relationship-accepted-by-customer", "Customer", "reseller_relationship_accepted_by_customer"
    ),
    "relationship.delegated_access_ended": Kind(
        "dap-admin-relationship-terminated", "Customer", "dap_admin_relationship_terminated"
    ),
    "gdap.approved": Kind("granular-admin-relationship-approved", _GDAP, "granular_admin_relationship_approved"),
    "gdap.activated": Kind("granular-admin-relationship-activated", _GDAP, "granular_admin_relationship_activated"),
    "gdap.terminated": Kind("granular-admin-relationship-terminated", _GDAP, "granular_admin_relationship_terminated"),
    "gdap.expired": Kind("granular-admin-relationship-expired", _GDAP, "granular_admin_relationship_expired"),
    "gdap.assignment_created": Kind("granular-admin-access-assignment-created", _ASSIGNMENT),
    "gdap.assignment_activated": Kind("granular-admin-access-assignment-activated", _ASSIGNMENT),
    "gdap.assignment_updated": Kind("granular-admin-access-assignment-updated", _ASSIGNMENT),
    "gdap.assignment_deleted": Kind("granular-admin-access-assignment-deleted", _ASSIGNMENT),
    "invoice.issued": Kind("invoice-ready", "Invoice"),
    "migration.created": Kind("new-commerce-migration-created", "NewCommerceMigration"),
    "migration.completed": Kind("new-commerce-migration-completed", "NewCommerceMigration"),
    "migration.failed": Kind("new-commerce-migration-failed", "NewCommerceMigration"),
    "transfer.completed": Kind("complete-transfer", "Transfer"),
    "transfer.failed": Kind("fail-transfer", "Transfer"),
    "migration_schedule.failed": Kind("new-commerce-migration-schedule-failed", "NewCommerceMigrationSchedule"),
}
# Names that may be registered though nothing of this surface makes them happen (core reference 9.4).
SILENT_EVENTS = (
    "usagerecords-thresholdExceeded",
    "referral-created",
    "referral-updated",
    "related-referral-created",
    "related-referral-updated",
    "dap-admin-relationship-approved",
    "dap-admin-relationship-terminated-by-microsoft",
    "azure-fraud-event-detected",
)
EVENTS = (TEST_EVENT, *(kind.name for kind in KINDS.values()), *SILENT_EVENTS)


class Outbox:
    """Deliveries whose time has come, in order; obtained with ``emulator.derived(Outbox)``."""

    def __init__(self, _world: World) -> None:
        self.ready: list[str] = []


def check_url(url: str) -> str:
    """Return the address if it is on this machine; raises 400 code 2000 for any other."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        raise refusal(2000, "The WebhookUrl is not an address.") from None
    if parts.scheme not in {"http", "https"} or parts.username or host not in _THIS_MACHINE:
        raise refusal(
            2000,
            "The WebhookUrl must be an http or https address on 127.0.0.1, ::1 or localhost: "
            "this is an emulator and sends nothing to other machines.",
        )
    return url


def register(emulator: Emulator, tenant_id: str, url: str, events: list[str], *, ms_signature: bool) -> Registration:
    """Make or replace the tenant's registration; raises 400 code 2000 for a bad address or an unknown event."""
    known = {name.lower(): name for name in EVENTS}
    unknown = [name for name in events if name.lower() not in known]
    if unknown:
        raise refusal(2000, f"The event {unknown[0]} is not known.")
    if not events:
        raise refusal(2000, "A registration needs at least one of WebhookEvents.")
    present = emulator.world.webhooks.registrations.get(tenant_id)
    made = Registration(
        subscriber_id=present.subscriber_id if present else emulator.next_id("subscriber"),
        url=check_url(url),
        events=[known[name.lower()] for name in events],
        ms_signature_header=ms_signature,
        created_at=present.created_at if present else emulator.clock.now(),
    )
    emulator.world.webhooks.registrations[tenant_id] = made
    return made


def find(emulator: Emulator, tenant_id: str) -> Registration:
    """Return the tenant's registration; raises 404 code 1000."""
    found = emulator.world.webhooks.registrations.get(tenant_id)
    if found is None:
        raise refusal(1000)
    return found


def validate(emulator: Emulator, tenant_id: str, correlation_id: str) -> str:
    """Send a test event to the tenant; returns the id under which its outcome is found.

    Raises 404 code 1000 without a registration, 400 code 2000 if it does not list test-created, 429 in form C for the
    third one in a minute.
    """
    registration = find(emulator, tenant_id)
    if TEST_EVENT not in registration.events:
        raise refusal(2000, f"The registration does not list the event {TEST_EVENT}.")
    now = emulator.clock.now()
    asked = emulator.world.webhooks.validations.setdefault(tenant_id, [])
    asked[:] = [moment for moment in asked if moment > now - timedelta(minutes=1)]
    if len(asked) >= VALIDATIONS_PER_MINUTE:
        seconds = int((asked[0] + timedelta(minutes=1) - now).total_seconds()) + 1
        message = f"Rate limit is exceeded. Try again in {seconds} seconds."
        raise gateway(429, message, {"Retry-After": str(seconds)})
    asked.append(now)
    base = emulator.options.base_url
    _enqueue(
        emulator,
        Kind(TEST_EVENT, "test"),
        Occasion(tenant_id, "", f"{base}/webhooks/v1/registration/validationEvents/{correlation_id}", correlation_id),
    )
    return correlation_id


def find_validation(emulator: Emulator, tenant_id: str, correlation_id: str) -> Delivery:
    """Return the delivery of a test event of the last seven days; raises 404 code 1000."""
    oldest = emulator.clock.now() - timedelta(days=VALIDATION_DAYS)
    for delivery in emulator.world.webhooks.deliveries.values():
        mine = delivery.tenant_id == tenant_id and delivery.changed_at >= oldest
        if mine and delivery.validation_id.lower() == correlation_id.lower():
            return delivery
    raise refusal(1000)


class Occasion(msgspec.Struct, frozen=True):
    """Whom an event concerns, the address of its resource, and the correlation id of a test event."""

    tenant_id: str
    customer_id: str
    resource_uri: str
    validation_id: str = ""


def on_change(emulator: Emulator, change: StateChange) -> None:
    """Let the tenant of a state change hear of it, if it asked for that event."""
    if not emulator.world.webhooks.registrations:
        return
    what = change.what
    if what == "relationship.accepted" and change.after.get("associated_partner_id"):
        what = "relationship.accepted_indirect"
    kind = KINDS.get(what)
    if kind is not None:
        uri = _resource_uri(emulator, kind, change)
        _enqueue(emulator, kind, Occasion(change.tenant_id, change.customer_id, uri))


def _resource_uri(emulator: Emulator, kind: Kind, change: StateChange) -> str:
    base = emulator.options.base_url
    customer = f"{base}/v1/customers/{change.customer_id}"
    granular = "https://partner.microsoft.com/granularAdminRelationships"
    return {
        "Subscription": f"{base}/webhooks/v1/customers/{change.customer_id}/subscriptions/{change.subject_id}",
        "Customer": customer,
        "Invoice": f"{base}/v1/invoices/{change.subject_id}",
        _GDAP: f"{granular}/{change.subject_id}",
        _ASSIGNMENT: f"{granular}/{change.after.get('relationship_id', '')}/accessAssignments/{change.subject_id}",
        "Transfer": f"{customer}/transfers/{change.subject_id}",
        "NewCommerceMigration": f"{customer}/migrations/newcommerce/{change.subject_id}",
        "NewCommerceMigrationSchedule": f"{customer}/migrations/newcommerce/schedules/{change.subject_id}",
    }[kind.resource_name]


def _enqueue(emulator: Emulator, kind: Kind, occasion: Occasion) -> None:
    registration = emulator.world.webhooks.registrations.get(occasion.tenant_id)
    if registration is None or kind.name not in registration.events:
        return
    now, options, deliveries = emulator.clock.now(), emulator.options, emulator.world.webhooks.deliveries
    first = Delivery(
        id=emulator.next_id("delivery"),
        tenant_id=occasion.tenant_id,
        customer_id=occasion.customer_id,
        event=kind.name,
        resource_uri=occasion.resource_uri,
        resource_name=kind.resource_name,
        audit_uri=None,
        changed_at=now,
        due_at=now,
        url=registration.url,
        validation_id=occasion.validation_id,
    )
    late, again = _shares(first.id)
    delay = options.webhook_delay_seconds
    if kind.name == "subscription-updated":
        delay += late * options.subscription_updated_delay_seconds
    first.due_at = now + timedelta(seconds=delay)
    made = [first] if occasion.validation_id else _as_planned(emulator, first)
    if again < options.webhook_duplicates and not occasion.validation_id:
        made.append(msgspec.structs.replace(first, id=emulator.next_id("delivery"), duplicate=True, attempts=[]))
    for delivery in made:
        deliveries[delivery.id] = delivery
        _schedule(emulator, delivery)
    while len(deliveries) > _KEPT_DELIVERIES:
        del deliveries[next(iter(deliveries))]


def _as_planned(emulator: Emulator, first: Delivery) -> list[Delivery]:
    """Return the deliveries of one event as the fault plan leaves it: one, or several, or later, or none."""
    made: list[Delivery] = []
    for seconds in webhook_deliveries(emulator, first.event, first.tenant_id, first.customer_id):
        due_at = first.due_at + timedelta(seconds=seconds)
        if made:
            made.append(
                msgspec.structs.replace(
                    first, id=emulator.next_id("delivery"), due_at=due_at, duplicate=True, attempts=[]
                )
            )
        else:
            made.append(msgspec.structs.replace(first, due_at=due_at))
    return made


def _shares(delivery_id: str) -> tuple[float, float]:
    """Return two numbers from 0 to 1 that depend on the delivery alone, so that a seed tells the same story."""
    mark = blake2b(delivery_id.encode(), digest_size=8).digest()
    return int.from_bytes(mark[:4]) / 2**32, int.from_bytes(mark[4:]) / 2**32


def postpone(emulator: Emulator, delivery: Delivery, when: datetime) -> None:
    """Try the delivery again at ``when``."""
    delivery.due_at = when
    _schedule(emulator, delivery)


def rearm(emulator: Emulator) -> None:
    """Put the waiting deliveries back on the clock."""
    for delivery in emulator.world.webhooks.deliveries.values():
        if delivery.status == "waiting":
            _schedule(emulator, delivery)


def _schedule(emulator: Emulator, delivery: Delivery) -> None:
    if delivery.due_at <= emulator.clock.now():
        emulator.derived(Outbox).ready.append(delivery.id)
        return
    when = delivery.due_at

    def become_ready() -> None:
        if delivery.status == "waiting" and delivery.due_at == when:
            emulator.derived(Outbox).ready.append(delivery.id)

    emulator.clock.at(when, f"webhook {delivery.id}", become_ready)


def event_body(emulator: Emulator, delivery: Delivery) -> Json:
    """Return the event as it is posted; the audit record's address is found when it is first sent."""
    if delivery.audit_uri is None:
        delivery.audit_uri = _audit_uri(emulator, delivery)
    return {
        "EventName": delivery.event,
        "ResourceUri": delivery.resource_uri,
        "ResourceName": delivery.resource_name,
        "AuditUri": delivery.audit_uri,
        "ResourceChangeUtcDate": wire_time(delivery.changed_at).replace("Z", "+00:00"),
    }


def _audit_uri(emulator: Emulator, delivery: Delivery) -> str | None:
    operation = next((kind.operation for kind in KINDS.values() if kind.name == delivery.event), "")
    records = emulator.world.audit
    for position in reversed(emulator.derived(AuditIndex).positions(delivery.tenant_id)):
        record = records[position]
        if not operation or record.operation_date < delivery.changed_at:
            break
        if record.operation_type == operation and record.customer_id == delivery.customer_id:
            return f"{emulator.options.base_url}/auditactivity/v1/auditrecords/{record.id}"
    return None


def conflict() -> ApiError:
    """Return the answer to a second registration."""
    return ApiError(409, 2000, "The tenant has a registration already; replace it with PUT.")
