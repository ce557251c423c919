"""What the world is made of, as frozen values. Reading order 1.

Ids of tenants, customers and subscriptions are lower-case GUID strings; offer ids are upper case, as in the
catalog. ``wire.py`` normalizes them on the way in, because Partner Center mixes cases (commerce reference 0.1).
Times are aware UTC datetimes, days are UTC dates (R-192).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NewType

TenantId = NewType("TenantId", str)
CustomerId = NewType("CustomerId", str)
SubscriptionId = NewType("SubscriptionId", str)
OfferId = NewType("OfferId", str)
OrderId = NewType("OrderId", str)


class TenantRole(StrEnum):
    """Which side of the fold a partner tenant is on."""

    SOURCE = "source"
    TARGET = "target"


class WireStatus(StrEnum):
    """The subscription statuses we know (commerce reference 3.3). Others are kept as plain text (R-227)."""

    NONE = "none"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    DELETED = "deleted"
    EXPIRED = "expired"
    PENDING = "pending"
    DISABLED = "disabled"


KNOWN_STATUSES = frozenset(status.value for status in WireStatus if status is not WireStatus.NONE)
KNOWN_BILLING_CYCLES = frozenset({"monthly", "annual", "none", "one_time", "triennial", "biennial"})


class CommerceKind(StrEnum):
    """Which commerce system a subscription lives in; decides what suspension means for the bill (S-1)."""

    LEGACY_LICENSE = "legacy_license"
    NEW_COMMERCE = "new_commerce"
    AZURE = "azure"
    OTHER = "other"


class ProductKind(StrEnum):
    """What is sold, as far as it decides the route (rules section E)."""

    LEGACY_LICENSE = "legacy_license"
    LICENSE = "license"
    AZURE_PLAN = "azure_plan"
    AZURE_COMMITMENT = "azure_commitment"
    LEGACY_AZURE = "legacy_azure"
    SOFTWARE = "software"
    SAAS = "saas"
    UNKNOWN = "unknown"


class Route(StrEnum):
    """How one source subscription gets to the target tenant (DESIGN section 2)."""

    RECREATE = "recreate"
    TRANSFER = "transfer"
    AZURE_TRANSFER = "azure_transfer"
    AZURE_SUPPORT = "azure_support"
    EXPIRE_AND_REBUY = "expire_and_rebuy"
    MANUAL = "manual"
    KEEP = "keep"
    SKIP = "skip"

    @property
    def is_carried_out(self) -> bool:
        """Whether something is done until the subscription stands at the target (all but keep and skip)."""
        return self is not Route.KEEP and self is not Route.SKIP

    @property
    def suspends_source(self) -> bool:
        """Whether the way ends with the source suspended by us: right only where that stops the bill (R-135)."""
        return self is Route.RECREATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """One partner tenant. ``key`` is the short name from the settings ("se", "target")."""

    id: TenantId
    key: str
    role: TenantRole
    name: str
    country: str
    currency: str = ""
    partner_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A customer as one partner tenant sees it. Fields the API withholds are empty (R-108)."""

    id: CustomerId
    tenant_id: TenantId
    company_name: str
    domain: str
    relationship: str
    country: str = ""
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModernTerms:
    """What only new commerce and Azure subscriptions have (commerce reference 3.2).

    ``cancellable_until`` is the last moment to cancel, None when the window is closed or was not shown (R-138);
    ``entitlement_id`` is the Azure subscription id, the key that stays the same on both sides (commerce 5).
    """

    promotion_id: str = ""
    cancellable_until: datetime | None = None
    entitlement_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """One offer held by one customer at one partner tenant.

    ``wire_status``, ``billing_cycle`` and ``billing_type`` are kept as text: unknown values survive (invariant 9).
    ``etag`` belongs to the read this value came from.
    """

    id: SubscriptionId
    tenant_id: TenantId
    customer_id: CustomerId
    offer_id: OfferId
    offer_name: str
    friendly_name: str
    license_count: int
    wire_status: str
    billing_type: str
    billing_cycle: str
    order_id: OrderId
    created_at: datetime | None = None
    commitment_end_on: date | None = None
    term_duration: str = ""
    parent_id: SubscriptionId | None = None
    is_trial: bool = False
    auto_renew: bool = False
    partner_id_on_record: str = ""
    product_type: str = ""
    unit_type: str = ""
    etag: str = ""
    modern: ModernTerms | None = None

    @property
    def is_add_on(self) -> bool:
        """Whether it belongs to a base subscription (R-124)."""
        return self.parent_id is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One legacy offer of a catalog in one country (commerce reference 1.1)."""

    id: OfferId
    name: str
    country: str
    is_available: bool
    is_add_on: bool
    is_trial: bool
    minimum_quantity: int
    maximum_quantity: int
    billing_cycles: tuple[str, ...]
    prerequisite_offers: tuple[OfferId, ...] = ()
    limit_unit: str = "None"
    limit: int = 0
    unit_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SkuTerm:
    """One way a new-commerce SKU is sold: term (``P1M``, ``P1Y``, ``P3Y``) and billing cycle."""

    duration: str
    billing_cycle: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sku:
    """One new-commerce SKU in one country (commerce reference 1.2). ``id`` is ``PRODUCT:SKU``.

    ``maximum_quantity`` is the most seats of it in the customer's tenant over all partners (R-123), 0 for no limit;
    ``ownership_limit`` the most subscriptions of it at one customer (R-125), 0 for no limit.
    """

    id: OfferId
    title: str
    country: str
    is_sold: bool
    is_trial: bool = False
    is_add_on: bool = False
    minimum_quantity: int = 1
    maximum_quantity: int = 0
    ownership_limit: int = 0
    prerequisites: tuple[OfferId, ...] = ()
    terms: tuple[SkuTerm, ...] = ()

    def sells(self, wanted: SkuTerm) -> bool:
        """Whether it is sold on these terms; where no terms are known, nothing speaks against it."""
        return not self.terms or wanted in self.terms


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementContact:
    """Who accepted the Microsoft Customer Agreement and when: given by a person, never invented (R-113)."""

    first_name: str
    last_name: str
    email: str
    agreed_on: date
    phone_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """One line of an order we want to place, and for which source subscription it stands.

    ``term_duration`` (``P1M``, ``P1Y``, ``P3Y``) is for new commerce; the term of a legacy line is its offer's.
    """

    source_subscription_id: SubscriptionId
    offer_id: OfferId
    license_count: int
    friendly_name: str
    partner_id_on_record: str = ""
    parent_target_id: SubscriptionId | None = None
    term_duration: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedLine:
    """One line of an order as Partner Center answered it; the subscription id may come later.

    ``parent_id`` is the base of an add-on line, where the answer says it.
    """

    offer_id: OfferId
    license_count: int
    subscription_id: SubscriptionId | None
    parent_id: SubscriptionId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedOrder:
    """An order as Partner Center knows it."""

    id: OrderId
    status: str
    lines: tuple[PlacedLine, ...]
    created_at: datetime | None = None
    etag: str = ""
