"""Shapes of Graph, webhooks, service requests and sign-in (report room)."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec
from msgspec import UNSET

from partner_center_emulator.openapi.envelopes import Contact, Json, Maybe, Object, Shape

T = TypeVar("T")


class GraphList(msgspec.Struct, Generic[T], kw_only=True):
    """Graph's envelope of a list."""

    value: list[T]
    context: str = msgspec.field(name="@odata.context")
    next_link: Maybe[str] = msgspec.field(name="@odata.nextLink", default=UNSET)
    count: Maybe[int] = msgspec.field(name="@odata.count", default=UNSET)


class DirectoryObject(Shape, kw_only=True):
    """A group or role the caller is a member of (core 1.7)."""

    id: str
    display_name: str


class GdapRelationship(Shape, kw_only=True):
    """A delegated admin relationship (core 8); $select leaves members out."""

    id: str
    display_name: Maybe[str] = UNSET
    duration: Maybe[str] = UNSET
    status: Maybe[str] = UNSET
    customer: Maybe[Json] = UNSET
    access_details: Maybe[Json] = UNSET


class UnifiedRole(Shape, kw_only=True):
    """A role asked for."""

    role_definition_id: str


class AccessDetails(Shape, kw_only=True):
    """Roles asked for."""

    unified_roles: list[UnifiedRole]


class GdapWish(Shape, kw_only=True):
    """A delegated admin relationship as it shall be."""

    display_name: Maybe[str] = UNSET
    duration: Maybe[str] = UNSET
    auto_extend_duration: Maybe[str] = UNSET
    customer: Maybe[dict[str, str]] = UNSET
    access_details: Maybe[AccessDetails] = UNSET


class GdapAction(Shape, kw_only=True):
    """What is asked of a relationship: lock it for approval, end it."""

    action: str


class GdapRequest(GdapAction, kw_only=True):
    """An action on a relationship and how far it is."""

    id: str
    status: str


class GdapOperation(Shape, kw_only=True):
    """A long-running operation on a relationship."""

    id: str
    operation_type: str
    status: str


class AccessContainer(Shape, kw_only=True):
    """A security group."""

    access_container_id: str
    access_container_type: str


class AccessWish(Shape, kw_only=True):
    """An access assignment as it shall be."""

    access_container: Maybe[AccessContainer] = UNSET
    access_details: Maybe[AccessDetails] = UNSET


class AccessAssignment(Shape, kw_only=True):
    """Roles given to a security group."""

    id: str
    status: str
    access_container: AccessContainer
    access_details: AccessDetails


class GdapCustomer(Shape, kw_only=True):
    """A customer with a delegated admin relationship."""

    id: str
    tenant_id: str
    display_name: str


class Registration(Shape, rename="pascal", kw_only=True):
    """Where events go (core 9.3)."""

    webhook_url: str
    webhook_events: list[str]
    subscriber_id: Maybe[str] = UNSET


class RegistrationWish(Shape, rename="pascal", kw_only=True):
    """Where events shall go."""

    webhook_url: Maybe[str] = UNSET
    webhook_events: Maybe[list[str]] = UNSET
    signature_token_to_ms_signature_header: Maybe[bool] = UNSET


class ValidationStarted(Shape, kw_only=True):
    """A test event under way."""

    correlation_id: str


class ValidationResult(ValidationStarted, kw_only=True):
    """What became of a test event."""

    partner_id: str
    status: str
    callback_url: str
    results: list[Json]


class Topic(Object, kw_only=True):
    """A topic a service request can be about."""

    id: str
    name: str


class ServiceRequest(Object, kw_only=True):
    """A service request (core 9.2)."""

    id: str
    title: str
    severity: int
    status: int
    primary_contact: Contact
    created_date: str


class ServiceRequestChange(Shape, kw_only=True):
    """What is said or wanted about a service request."""

    title: Maybe[str] = UNSET
    severity: Maybe[int | str] = UNSET
    status: Maybe[int | str] = UNSET
    support_topic_id: Maybe[str] = UNSET
    description: Maybe[str] = UNSET
    new_note: Maybe[dict[str, str]] = UNSET


class Tokens(msgspec.Struct, kw_only=True):
    """What a sign-in gives (core 1.2, 1.3); version 1 writes its numbers as text."""

    access_token: str
    token_type: str
    expires_in: int | str
    resource: str | msgspec.UnsetType = UNSET
    scope: str | msgspec.UnsetType = UNSET
    refresh_token: str | msgspec.UnsetType = UNSET
    id_token: str | msgspec.UnsetType = UNSET


class DeviceCode(msgspec.Struct, kw_only=True):
    """A device sign-in that has begun."""

    user_code: str
    device_code: str
    expires_in: int | str
    interval: int | str
    message: str


class TokenForm(msgspec.Struct, kw_only=True):
    """The form of a token request; which members count depends on the grant type."""

    grant_type: str
    client_id: str
    client_secret: str | msgspec.UnsetType = UNSET
    resource: str | msgspec.UnsetType = UNSET
    scope: str | msgspec.UnsetType = UNSET
    refresh_token: str | msgspec.UnsetType = UNSET
    code: str | msgspec.UnsetType = UNSET
    device_code: str | msgspec.UnsetType = UNSET
    redirect_uri: str | msgspec.UnsetType = UNSET


class DeviceForm(msgspec.Struct, kw_only=True):
    """The form that begins a device sign-in."""

    client_id: str
    resource: str | msgspec.UnsetType = UNSET
    scope: str | msgspec.UnsetType = UNSET


class Discovery(msgspec.Struct, kw_only=True):
    """OpenID metadata of a tenant."""

    issuer: str
    token_endpoint: str
    jwks_uri: str


class Keys(msgspec.Struct, kw_only=True):
    """The keys tokens are signed with."""

    keys: list[dict[str, object]]
