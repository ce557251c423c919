"""How the wire shows service requests and support topics (wire room, core reference 9.2)."""

from __future__ import annotations

from datetime import datetime

from partner_center_emulator.servicerequests.models import SEVERITIES, STATUSES, TOPICS, Topic
from partner_center_emulator.state.azure import Person, ServiceRequest
from partner_center_emulator.wire import NULL_TIME, Json, attributes, without_nulls
from partner_center_emulator.world import World

_NAMES = {topic.id: topic.name for topic in TOPICS}


def wire_topic(topic: Topic) -> Json:
    """Return one SupportTopic."""
    return {
        "id": topic.id,
        "name": topic.name,
        "description": topic.description,
        "attributes": attributes("SupportTopic"),
    }


def wire_request(world: World, ticket: ServiceRequest, *, is_thin: bool = False) -> Json:
    """Return one ServiceRequest; in lists without text and notes, as published."""
    shown: Json = {
        "title": ticket.title,
        "severity": SEVERITIES.index(ticket.severity),
        "id": ticket.id,
        "status": STATUSES.index(ticket.status),
        "primaryContact": _person(ticket.contact),
        "createdDate": _time(ticket.created_at),
        "lastModifiedDate": _time(ticket.modified_at),
        "lastClosedDate": _time(ticket.closed_at) if ticket.closed_at else NULL_TIME,
        "attributes": attributes("ServiceRequest"),
    }
    return shown if is_thin else shown | _details(world, ticket)


def _details(world: World, ticket: ServiceRequest) -> Json:
    tenant = world.partner_tenants[ticket.tenant_id]
    return {
        "description": ticket.description,
        "supportTopicId": ticket.topic_id,
        "supportTopicName": _NAMES.get(ticket.topic_id, ""),
        "organization": without_nulls(
            {"id": tenant.id, "name": tenant.company_name, "phoneNumber": tenant.address.phone_number or None}
        ),
        "lastUpdatedBy": {**_person(ticket.modified_by), "contactId": ticket.modified_by.contact_id},
        "productName": "Azure",
        "productId": "azure",
        "countryCode": ticket.country,
        "notes": [
            {"createdByName": note.author, "createdDate": _time(note.at), "text": note.text} for note in ticket.notes
        ],
        "fileLinks": [],
    }


def _person(person: Person) -> Json:
    return without_nulls(
        {
            "lastName": person.last_name,
            "firstName": person.first_name,
            "email": person.email or None,
            "phoneNumber": person.phone_number or None,
        }
    )


def _time(moment: datetime) -> str:
    # these answers write milliseconds and no time zone
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}"
