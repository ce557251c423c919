"""What a customer holds in Azure below its plan or its legacy subscription (domain room).

The Azure subscription's id stays the same on both sides; it is what they are matched on (commerce reference 5).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from tenantfold.domain.model import SubscriptionId, TenantId


class AzureKind(StrEnum):
    """What kind of thing it is."""

    SUBSCRIPTION = "subscription"
    RESERVATION = "reservation"
    SAVINGS_PLAN = "savings_plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureItem:
    """An Azure subscription, reservation or savings plan at one partner tenant.

    ``plan_id`` is the Azure plan (or legacy Azure subscription) an Azure subscription is under, None for the others.
    ``status`` is Microsoft's word; ``is_monthly`` None where the payment is not known (R-168).
    """

    id: SubscriptionId
    tenant_id: TenantId
    kind: AzureKind
    name: str
    status: str
    plan_id: SubscriptionId | None = None
    is_monthly: bool | None = None
    ends_on: date | None = None

    @property
    def is_active(self) -> bool:
        """Whether it may be part of a transfer (R-167)."""
        return self.status.lower() in {"active", "succeeded", "success"}
