"""Webhook registrations and what was sent to them (state room), core reference 9.4."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec


class Registration(msgspec.Struct, kw_only=True):
    """Where a partner tenant wants its events; one per tenant."""

    subscriber_id: str
    url: str
    events: list[str]
    ms_signature_header: bool = False
    created_at: datetime


class Attempt(msgspec.Struct, kw_only=True):
    """One try to hand an event over."""

    at: datetime
    response_code: str  # OK, BadRequest ... ; empty if no answer came
    message: str = ""
    system_error: bool = False


class Delivery(msgspec.Struct, kw_only=True):
    """One event on its way to one partner tenant."""

    id: str
    tenant_id: str
    customer_id: str
    event: str
    resource_uri: str
    resource_name: str
    audit_uri: str | None
    changed_at: datetime
    due_at: datetime
    url: str
    status: Literal["waiting", "delivered", "offline"] = "waiting"
    duplicate: bool = False  # sent a second time on purpose
    validation_id: str = ""  # the correlation id that validationEvents gave
    attempts: list[Attempt] = []


class WebhookState(msgspec.Struct, kw_only=True):
    """Everything of this area."""

    registrations: dict[str, Registration] = {}  # by partner tenant id
    deliveries: dict[str, Delivery] = {}  # by delivery id, in the order in which they came up
    validations: dict[str, list[datetime]] = {}  # by partner tenant id: when validation events were asked for
