"""A fresh read of both sides of one customer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tenantfold.domain.azure import AzureItem
from tenantfold.domain.model import Subscription, SubscriptionId, TenantId
from tenantfold.domain.requests import ServiceRequest, Transfer


class Part(StrEnum):
    """What is read beside the subscriptions, for customers whose routes need it: one call more a tenant each."""

    TRANSFERS = "transfers"
    AZURE = "azure"
    SERVICE_REQUESTS = "service_requests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What the routes beside ``recreate`` read, by tenant. A tenant that is not there was not asked.

    ``azure`` holds Azure subscriptions, reservations and savings plans; what moved away is no longer in it.
    """

    transfers: Mapping[TenantId, tuple[Transfer, ...]] = field(default_factory=dict)
    azure: Mapping[TenantId, tuple[AzureItem, ...]] = field(default_factory=dict)
    service_requests: Mapping[TenantId, tuple[ServiceRequest, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What Partner Center showed at ``at``.

    ``ordered_as`` says for each source subscription which (offer, license count) we ordered for it.
    ``suspended_since`` holds the source subscriptions we suspended after this read: their status here is old.
    ``target_is_old`` says that we ordered at the target after this read: good enough to order more on, never to
    verify or suspend on (invariant 1: read back after the last write).
    ``source_is_old``: a write of ours changed a source in another way than a suspension.
    ``has_agreement`` is None where it was not asked. ``target_at``: when the target was read, if later than ``at``.
    """

    at: datetime
    source: Mapping[SubscriptionId, Subscription]
    target: Mapping[SubscriptionId, Subscription]
    ordered_as: Mapping[SubscriptionId, tuple[str, int]] = field(default_factory=dict)
    suspended_since: frozenset[SubscriptionId] = frozenset()
    has_agreement: bool | None = None
    target_is_old: bool = False
    target_at: datetime | None = None
    source_is_old: bool = False
    beside: Beside = field(default_factory=Beside)
