"""Azure subscriptions and reservations on the wire (partnercenter room, wire). Commerce reference 3.2, 5."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Raw

from tenantfold.domain.azure import AzureItem, AzureKind
from tenantfold.domain.model import SubscriptionId, TenantId
from tenantfold.partnercenter.wire import Wire, decode, encode, known_word, lower_id, parse_day

_STATUSES = frozenset({"active", "inactive", "cancelled", "expired"})


class AzureEntitlement(Wire):
    """One Azure subscription under a plan."""

    id: str
    friendly_name: str | None = None
    status: str | None = None


class QuantityDetail(Wire):
    """How many of an entitlement are in which status."""

    status: str | None = None


class Artifact(Wire):
    """What is owned: for a reservation, the reservation itself."""

    resource_id: str | None = None


class CustomerEntitlement(Wire):
    """A reservation as the customer's entitlements show it."""

    product_id: str | None = None
    quantity_details: list[QuantityDetail] | None = None
    entitled_artifacts: list[Artifact] | None = None
    expiry_date: str | None = None


class Cancellation(Wire):
    """The body of a cancellation: the only reason that is published."""

    cancellation_reason: str = "compromise"


def read_azure_subscription(document: bytes | Raw, tenant_id: TenantId, plan_id: SubscriptionId) -> AzureItem:
    """One Azure subscription below a plan."""
    item = decode(document, AzureEntitlement)
    return AzureItem(
        id=SubscriptionId(lower_id(item.id)),
        tenant_id=tenant_id,
        kind=AzureKind.SUBSCRIPTION,
        name=item.friendly_name or "",
        status=known_word(item.status, _STATUSES),
        plan_id=plan_id,
    )


def read_reservations(document: bytes | Raw, tenant_id: TenantId) -> Iterator[AzureItem]:
    """The reservations of one entitlement; how they are paid is not shown (R-168)."""
    item = decode(document, CustomerEntitlement)
    statuses = [known_word(one.status, _STATUSES) for one in item.quantity_details or ()]
    for artifact in item.entitled_artifacts or ():
        if artifact.resource_id:
            yield AzureItem(
                id=SubscriptionId(lower_id(artifact.resource_id)),
                tenant_id=tenant_id,
                kind=AzureKind.RESERVATION,
                name=item.product_id or "",
                status=next(iter(statuses), ""),
                ends_on=parse_day(item.expiry_date),
            )


def cancellation_body() -> bytes:
    """The body of a cancellation."""
    return encode(Cancellation())
