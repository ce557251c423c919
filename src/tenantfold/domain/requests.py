"""What is asked of others: transfers between two partners, and service requests at Microsoft (domain room).

Words of the wire are kept as text: a status nobody knows counts as still waiting (commerce reference 4.1, invariant 9).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NewType

from tenantfold.domain.model import CustomerId, OrderId, SubscriptionId, TenantId

TransferId = NewType("TransferId", str)
ServiceRequestId = NewType("ServiceRequestId", str)

TRANSFER_ITEMS = 25  # in one request
TRANSFER_DAYS = 30  # until an unanswered request expires


class TransferProduct(StrEnum):
    """What a transfer asks for (``targetProductTypes``, commerce reference 4.1)."""

    AZURE_SUBSCRIPTION = "AzureSubscription"
    AZURE_RESERVATION = "AzureReservation"
    AZURE_SAVINGS_PLAN = "AzureSavingsPlan"
    LICENSE = "OnlineServicesNCE"


class TransferState(StrEnum):
    """What the many status words of a transfer mean (commerce reference 4.1)."""

    PENDING = "pending"  # waits for the source's answer
    IN_PROGRESS = "in_progress"
    COMPLETE = "complete"
    PARTIAL = "partial"
    FAILED = "failed"
    REJECTED = "rejected"
    CANCELED = "canceled"
    EXPIRED = "expired"
    UNKNOWN = "unknown"  # a word we do not know: taken as still under way

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of it."""
        return self not in {TransferState.PENDING, TransferState.IN_PROGRESS, TransferState.UNKNOWN}


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferLine:
    """One thing that moves with a transfer. ``id``: the subscription, Azure subscription or reservation at the source.

    ``target_id`` and ``order_id`` are known once it stands at the target; ``error`` says why it does not.
    """

    id: SubscriptionId
    status: str
    target_id: SubscriptionId | None = None
    order_id: OrderId | None = None
    error: str = ""

    @property
    def is_done(self) -> bool:
        """Whether Microsoft says that it moved."""
        return self.status.lower() in {"complete", "completed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """A transfer request as one of its two sides sees it; the target sees no lines until it is over.

    ``status`` is Microsoft's word, ``state`` what it means. ``product_types`` empty: everything that can move.
    ``changed_at``: when anything of it changed last, by which time it ended if it is over.
    """

    id: TransferId
    customer_id: CustomerId
    source_id: TenantId
    target_id: TenantId
    status: str
    state: TransferState
    created_at: datetime | None = None
    expires_at: datetime | None = None
    completed_at: datetime | None = None
    changed_at: datetime | None = None
    product_types: tuple[str, ...] = ()
    partner_on_record: str = ""
    lines: tuple[TransferLine, ...] = ()

    @property
    def expires_on(self) -> date | None:
        """The UTC day on which it expires unanswered (R-147); None where no time is known."""
        if self.expires_at is not None:
            return self.expires_at.date()
        return (self.created_at + timedelta(days=TRANSFER_DAYS)).date() if self.created_at is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferWish:
    """What the target asks a source for (commerce reference 4.1). ``partner_on_record``: the reseller (R-164)."""

    source_id: TenantId
    source_name: str
    customer_email: str
    customer_name: str
    product_types: tuple[TransferProduct, ...]
    partner_on_record: str = ""


class ServiceRequestState(StrEnum):
    """What a service request's status means (core reference 9.2)."""

    OPEN = "open"
    ATTENTION_NEEDED = "attention_needed"
    CLOSED = "closed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRequest:
    """A service request at Microsoft. ``status`` is Microsoft's word, ``state`` what it means."""

    id: ServiceRequestId
    title: str
    status: str
    state: ServiceRequestState
    created_at: datetime | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRequestWish:
    """A service request to be opened. ``topic`` is the words of the support topic that is looked for."""

    title: str
    description: str
    topic: str = "Subscription management"
    severity: str = "minimal"
