"""State of Azure and of Microsoft's support (state room); behaviour is in azure/ and servicerequests/.

The Azure subscription (here ``Entitlement``) is one thing with one id for its whole life; what moves is who is billed
for it (commerce reference 5). Role assignments belong to the customer's directory and never move with it (R-172).
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

BenefitKind = Literal["reservation", "savings_plan"]
SourceBecomes = Literal["suspended", "disabled", "deleted", "mixed"]


class RoleAssignment(msgspec.Struct, kw_only=True):
    """Who may do what in an Azure subscription: one entry of the customer's access control."""

    principal_id: str
    principal_name: str
    role: str  # Owner, Contributor, Reader ...
    tenant_id: str  # the directory the principal comes from; a partner's is a foreign principal
    since: datetime


class Entitlement(msgspec.Struct, kw_only=True):
    """One Azure subscription: under an Azure plan, or the one behind a legacy MS-AZR-0145P subscription."""

    id: str
    customer_id: str
    tenant_id: str  # the partner tenant that is billed for it
    subscription_id: str  # the commerce subscription: the plan, or the legacy subscription
    friendly_name: str
    created_at: datetime
    status: Literal["active", "inactive"] = "active"
    is_default: bool = False  # came with the plan
    has_marketplace_items: bool = False  # third-party products that do not pass the check
    monthly_cost: str = "0"  # decimal as text, in the billed tenant's currency
    inactive_at: datetime | None = None  # a cancellation that is on its way
    roles: list[RoleAssignment] = []


class Benefit(msgspec.Struct, kw_only=True):
    """A reservation or a savings plan of a customer at a partner tenant."""

    id: str
    customer_id: str
    tenant_id: str
    kind: BenefitKind
    name: str
    order_id: str
    product_id: str
    sku_id: str
    created_at: datetime
    ends_at: datetime
    currency: str
    quantity: int = 1
    term: str = "P1Y"
    is_monthly: bool = False  # paid by the month, otherwise all at once
    status: Literal["active", "inactive", "cancelled", "expired"] = "active"
    subscription_id: str | None = None  # the Azure subscription it is scoped to
    cancels_at: datetime | None = None  # the billing currency changed in a transfer


class Person(msgspec.Struct, kw_only=True):
    """A contact in a service request."""

    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phone_number: str = ""
    contact_id: str = ""


class Note(msgspec.Struct, kw_only=True):
    """One remark in a service request."""

    author: str
    at: datetime
    text: str


class ServiceRequest(msgspec.Struct, kw_only=True):
    """A ticket at Microsoft's support; ``id`` is its 15-digit number."""

    id: str
    tenant_id: str
    title: str
    description: str
    severity: str
    topic_id: str
    created_at: datetime
    modified_at: datetime
    customer_id: str | None = None
    status: str = "open"
    closed_at: datetime | None = None
    country: str = ""
    contact: Person = msgspec.field(default_factory=Person)
    modified_by: Person = msgspec.field(default_factory=Person)
    notes: list[Note] = []


class HandOver(msgspec.Struct, kw_only=True):
    """What Microsoft's support is to move for one service request, and what it has moved."""

    request_id: str  # the service request
    hand_off_id: str  # in the hands of support: ``world.behaviour.support``
    source_tenant_id: str
    target_tenant_id: str
    subscription_ids: list[str]
    moved: dict[str, str] = {}  # source subscription id -> new subscription id
    wrongly_moved: list[str] = []  # moved though not asked for, and not put back yet


class AzureState(msgspec.Struct, kw_only=True):
    """Everything this area keeps."""

    entitlements: dict[str, Entitlement] = {}
    benefits: dict[str, Benefit] = {}
    service_requests: dict[str, ServiceRequest] = {}
    hand_overs: dict[str, HandOver] = {}  # key: service request id
    registrations: dict[str, datetime] = {}  # commerce subscription id -> when it was registered for reservations
    source_becomes: SourceBecomes = "suspended"  # what is left of a legacy subscription that support has moved
