"""Behaviour of service requests (model room, core reference 9.2): tickets at Microsoft's support.

A ticket that names legacy Azure subscriptions and the partner they are to move to is handed to the support people of
``support.py``; every other ticket just waits to be closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import msgspec

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import refusal
from partner_center_emulator.servicerequests import support
from partner_center_emulator.state.azure import Note, Person, ServiceRequest
from partner_center_emulator.wire import field, object_field, text_field
from partner_center_emulator.world import PartnerTenant

STATUSES = ("none", "open", "closed", "attention_needed")
SEVERITIES = ("unknown", "critical", "moderate", "minimal")


class Topic(msgspec.Struct, frozen=True):
    """One support topic."""

    id: str
    name: str
    description: str


AZURE_TOPIC = "32451179"
TOPICS = (
    Topic("32451177", "Agreements", "Questions about agreements with the partner or the customer"),
    Topic("32451178", "Billing and invoices", "Questions about an invoice, a payment or a credit"),
    Topic(AZURE_TOPIC, "Azure subscription management", "Moves of Azure subscriptions and changes of the provider"),
    Topic("32451180", "Customers", "Relationships and customer accounts"),
    Topic("32451181", "Orders and subscriptions", "Problems with orders, seats and subscriptions"),
)


class Draft(msgspec.Struct, kw_only=True):
    """What a new ticket says; ids of subscriptions and the target may also stand in the text."""

    title: str
    description: str = ""
    severity: str = "minimal"
    topic_id: str = AZURE_TOPIC
    customer_id: str | None = None
    contact: Person = msgspec.field(default_factory=Person)
    subscription_ids: list[str] = []
    customer_ids: list[str] = []
    target_tenant_id: str = ""


def open_request(emulator: Emulator, tenant: PartnerTenant, draft: Draft) -> ServiceRequest:
    """Open a ticket of a partner tenant and hand it to support if it asks for a move of Azure; returns it."""
    now = emulator.clock.now()
    ticket = ServiceRequest(
        id=f"{UUID(emulator.next_id('service request')).int % 10**15:015d}",
        tenant_id=tenant.id,
        title=draft.title,
        description=draft.description,
        severity=draft.severity,
        topic_id=draft.topic_id,
        created_at=now,
        modified_at=now,
        customer_id=draft.customer_id,
        country=tenant.address.country,
        contact=draft.contact,
        modified_by=draft.contact,
    )
    emulator.world.azure.service_requests[ticket.id] = ticket
    support.take(
        emulator,
        ticket,
        subscription_ids=draft.subscription_ids,
        customer_ids=draft.customer_ids,
        target_id=draft.target_tenant_id,
    )
    return ticket


def list_requests(
    emulator: Emulator, tenant_id: str, *, customer_id: str = "", status: str = ""
) -> list[ServiceRequest]:
    """Return the tenant's tickets, oldest first; of one customer or in one status if asked."""
    return [
        ticket
        for ticket in emulator.world.azure.service_requests.values()
        if ticket.tenant_id == tenant_id
        and (not customer_id or ticket.customer_id == customer_id)
        and status in ("", ticket.status)
    ]


def find_request(emulator: Emulator, tenant_id: str, request_id: str, *, customer_id: str = "") -> ServiceRequest:
    """Return one ticket of the tenant (and customer); raises 404 code 1000."""
    found = emulator.world.azure.service_requests.get(request_id)
    if found is None or found.tenant_id != tenant_id or (customer_id and found.customer_id != customer_id):
        raise refusal(1000)
    return found


def patch_request(emulator: Emulator, ticket: ServiceRequest, members: Mapping[str, object], author: Person) -> None:
    """Add a note or close a ticket; only changed members matter. Raises 400 code 2000 or 900126 for anything else.

    A note wakes support up: what is still to be moved is tried again, whatever the ticket's status.
    """
    status = read_status(field(members, "status"), ticket.status)
    text = text_field(object_field(members, "newNote"), "text").strip()
    if status not in (ticket.status, "closed", "open"):
        raise refusal(2000, "A partner can only close a service request or open it again.")
    now = emulator.clock.now()
    if text:
        name = f"{author.first_name} {author.last_name}".strip() or author.email
        ticket.notes.append(Note(author=name, at=now, text=text))
    if status == ticket.status and not text:
        return
    if status != ticket.status:
        ticket.status = status
        ticket.closed_at = now if status == "closed" else None
    ticket.modified_at, ticket.modified_by = now, author
    if status == "closed" and not text:
        support.let_go(emulator, ticket)
    elif text:
        support.wake(emulator, ticket)


def read_status(value: object, default: str) -> str:
    """Return a status by name or number; raises 400 code 900126 for an unknown one."""
    return _read_enum(value, STATUSES, default)


def read_severity(value: object) -> str:
    """Return a severity by name or number; raises 400 code 900126 for an unknown one."""
    return _read_enum(value, SEVERITIES, "unknown")


def _read_enum(value: object, names: tuple[str, ...], default: str) -> str:
    if value in (None, ""):
        return default
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(names):
        return names[value]
    name = str(value).lower().replace("attentionneeded", "attention_needed")
    if name not in names:
        raise refusal(900126, value)
    return name
