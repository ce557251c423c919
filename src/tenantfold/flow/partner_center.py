"""Partner Center as one partner tenant sees it, as a protocol: what the use cases call (flow room).

``partnercenter.client`` implements it; tests use fakes that implement the part they need.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol
from uuid import UUID

from tenantfold.domain.azure import AzureItem
from tenantfold.domain.model import (
    AgreementContact,
    Customer,
    CustomerId,
    Offer,
    OfferId,
    OrderId,
    OrderLine,
    PlacedOrder,
    Sku,
    SkuTerm,
    Subscription,
    SubscriptionId,
    TenantId,
)
from tenantfold.domain.reads import Page, PartnerIdentity, Read
from tenantfold.domain.requests import ServiceRequest, ServiceRequestWish, Transfer, TransferWish
from tenantfold.domain.resellers import Reseller
from tenantfold.domain.software import OwnedSoftware


class PartnerCenter(Protocol):
    """Partner Center as one partner tenant sees it. One object per tenant.

    Reads retry by policy; writes are sent exactly once, with the request id given.
    Raises the errors of ``tenantfold.errors`` and nothing else. A write that may have taken effect without an answer
    raises NoAnswerError; one that surely had none raises UnavailableError, ThrottledError or RefusedError.
    """

    async def identity(self) -> PartnerIdentity:
        """Read who we are and which roles we hold."""
        ...

    async def relationship_url(self, reseller_id: TenantId | None = None) -> str:
        """The tenant's relationship request URL, the same for all customers (R-97); it can name a reseller (R-220)."""
        ...

    async def resellers(self) -> tuple[Reseller, ...]:
        """The indirect resellers of this provider; none for a direct-bill partner."""
        ...

    async def customer_page(self, next_link: str | None = None) -> Page[Read[Customer]]:
        """One page of customers (thin items, core reference 3), from the start or from a next link."""
        ...

    def customers(self) -> AsyncIterator[Read[Customer]]:
        """All customers, page after page."""
        ...

    async def customer(self, customer_id: CustomerId) -> Read[Customer]:
        """One customer with country and contact. NotFoundError when there is no relationship."""
        ...

    async def subscriptions(self, customer_id: CustomerId) -> tuple[Read[Subscription], ...]:
        """All subscriptions of a customer in every status, fresh."""
        ...

    async def subscription(self, customer_id: CustomerId, subscription_id: SubscriptionId) -> Read[Subscription]:
        """One subscription, fresh."""
        ...

    async def orders(self, customer_id: CustomerId) -> tuple[PlacedOrder, ...]:
        """The orders of a customer."""
        ...

    async def offers(self, country: str) -> tuple[Read[Offer], ...]:
        """The legacy offers sold in a country, all pages."""
        ...

    async def has_agreement(self, customer_id: CustomerId) -> bool:
        """Whether the Microsoft Customer Agreement is attested by us or signed by the customer directly."""
        ...

    async def attest_agreement(self, customer_id: CustomerId, contact: AgreementContact, request_id: UUID) -> None:
        """State that the customer accepted the agreement. An identical attestation (600061) counts as success."""
        ...

    async def place_order(
        self, customer_id: CustomerId, billing_cycle: str, lines: Sequence[OrderLine], request_id: UUID
    ) -> PlacedOrder:
        """Order base subscriptions, one line each, in one order."""
        ...

    async def buy_add_ons(
        self, customer_id: CustomerId, order_id: OrderId, lines: Sequence[OrderLine], request_id: UUID
    ) -> PlacedOrder:
        """Add add-on lines to the order of their base subscriptions (commerce reference 2.3)."""
        ...

    async def suspend(self, customer_id: CustomerId, read: Read[Subscription], request_id: UUID) -> Read[Subscription]:
        """Set a subscription to suspended, sending back the whole document it was read as, with its eTag (R-225)."""
        ...

    async def activate(self, customer_id: CustomerId, read: Read[Subscription], request_id: UUID) -> Read[Subscription]:
        """Set a suspended subscription to active again, the same way."""
        ...

    # what the routes beside recreate need

    async def transfers(self, customer_id: CustomerId) -> tuple[Transfer, ...]:
        """The transfer requests of a customer in which this tenant is a side, oldest first (commerce reference 4.1)."""
        ...

    async def request_transfer(self, customer_id: CustomerId, wish: TransferWish, request_id: UUID) -> Transfer:
        """Ask a source tenant for a customer's subscriptions; called at the target (R-146)."""
        ...

    async def submit_transfer(
        self, customer_id: CustomerId, transfer: Transfer, items: Sequence[SubscriptionId], request_id: UUID
    ) -> Transfer:
        """Give what a target asked for: choose the items and accept; called at the source, at most 25 (R-150)."""
        ...

    async def cancel_transfer(self, customer_id: CustomerId, transfer: Transfer, request_id: UUID) -> Transfer:
        """Take a pending request back; called by who created it."""
        ...

    async def azure_subscriptions(self, customer_id: CustomerId, plan_id: SubscriptionId) -> tuple[AzureItem, ...]:
        """The Azure subscriptions below an Azure plan or a legacy Azure subscription (commerce reference 5)."""
        ...

    async def azure_commitments(self, customer_id: CustomerId) -> tuple[AzureItem, ...]:
        """The reservations and savings plans of a customer at this tenant."""
        ...

    async def software(self, customer_id: CustomerId) -> tuple[OwnedSoftware, ...]:
        """The perpetual software a customer bought through this tenant (commerce reference 3.2)."""
        ...

    async def cancel_azure_subscription(
        self, customer_id: CustomerId, plan_id: SubscriptionId, item_id: SubscriptionId, request_id: UUID
    ) -> None:
        """Cancel one Azure subscription: only for the empty default one that came with a new plan (R-174)."""
        ...

    async def skus(self, country: str) -> tuple[Read[Sku], ...]:
        """The new-commerce license SKUs sold in a country, with the terms they are sold for (commerce 1.2)."""
        ...

    async def catalog_item(self, sku_id: OfferId, country: str, sold_as: SkuTerm) -> OfferId | None:
        """The catalog item (product:sku:availability) that is bought for a SKU on these terms; None: not sold so."""
        ...

    async def buy(
        self, customer_id: CustomerId, billing_cycle: str, lines: Sequence[OrderLine], request_id: UUID
    ) -> PlacedOrder:
        """Order new-commerce subscriptions (or an Azure plan), one line each, by catalog item and term."""
        ...

    async def stop_renewal(
        self, customer_id: CustomerId, read: Read[Subscription], request_id: UUID
    ) -> Read[Subscription]:
        """Turn a subscription's auto-renewal off, sending back the whole document it was read as (R-225)."""
        ...

    async def service_requests(self, customer_id: CustomerId) -> tuple[ServiceRequest, ...]:
        """The service requests of a customer (core reference 9.2)."""
        ...

    async def open_service_request(
        self, customer_id: CustomerId, wish: ServiceRequestWish, request_id: UUID
    ) -> ServiceRequest:
        """Open a service request about a customer. RefusedError where the API does not allow it."""
        ...
