"""Tests of flow: the calls of the routes beside ``recreate``, for a Partner Center that does not play them.

What they do is tested against the emulator; here a call of one of them is a fault, said aloud.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn
from uuid import UUID

from tenantfold.domain.azure import AzureItem
from tenantfold.domain.model import (
    CustomerId,
    OfferId,
    OrderLine,
    PlacedOrder,
    Sku,
    SkuTerm,
    Subscription,
    SubscriptionId,
)
from tenantfold.domain.reads import Read
from tenantfold.domain.requests import ServiceRequest, ServiceRequestWish, Transfer, TransferWish
from tenantfold.domain.software import OwnedSoftware


class Unplayed:
    """Every call says that nobody plays it."""

    async def transfers(self, customer_id: CustomerId) -> tuple[Transfer, ...]:
        """Not played."""
        return _not_played("transfers", customer_id)

    async def request_transfer(self, customer_id: CustomerId, wish: TransferWish, request_id: UUID) -> Transfer:
        """Not played."""
        return _not_played("request_transfer", customer_id, wish, request_id)

    async def submit_transfer(
        self, customer_id: CustomerId, transfer: Transfer, items: Sequence[SubscriptionId], request_id: UUID
    ) -> Transfer:
        """Not played."""
        return _not_played("submit_transfer", customer_id, transfer, items, request_id)

    async def cancel_transfer(self, customer_id: CustomerId, transfer: Transfer, request_id: UUID) -> Transfer:
        """Not played."""
        return _not_played("cancel_transfer", customer_id, transfer, request_id)

    async def azure_subscriptions(self, customer_id: CustomerId, plan_id: SubscriptionId) -> tuple[AzureItem, ...]:
        """Not played."""
        return _not_played("azure_subscriptions", customer_id, plan_id)

    async def azure_commitments(self, customer_id: CustomerId) -> tuple[AzureItem, ...]:
        """Not played."""
        return _not_played("azure_commitments", customer_id)

    async def software(self, customer_id: CustomerId) -> tuple[OwnedSoftware, ...]:
        """Not played."""
        return _not_played("software", customer_id)

    async def cancel_azure_subscription(
        self, customer_id: CustomerId, plan_id: SubscriptionId, item_id: SubscriptionId, request_id: UUID
    ) -> None:
        """Not played."""
        _not_played("cancel_azure_subscription", customer_id, plan_id, item_id, request_id)

    async def skus(self, country: str) -> tuple[Read[Sku], ...]:
        """Not played."""
        return _not_played("skus", country)

    async def catalog_item(self, sku_id: OfferId, country: str, sold_as: SkuTerm) -> OfferId | None:
        """Not played."""
        return _not_played("catalog_item", sku_id, country, sold_as)

    async def buy(
        self, customer_id: CustomerId, billing_cycle: str, lines: Sequence[OrderLine], request_id: UUID
    ) -> PlacedOrder:
        """Not played."""
        return _not_played("buy", customer_id, billing_cycle, lines, request_id)

    async def stop_renewal(
        self, customer_id: CustomerId, read: Read[Subscription], request_id: UUID
    ) -> Read[Subscription]:
        """Not played."""
        return _not_played("stop_renewal", customer_id, read, request_id)

    async def service_requests(self, customer_id: CustomerId) -> tuple[ServiceRequest, ...]:
        """Not played."""
        return _not_played("service_requests", customer_id)

    async def open_service_request(
        self, customer_id: CustomerId, wish: ServiceRequestWish, request_id: UUID
    ) -> ServiceRequest:
        """Not played."""
        return _not_played("open_service_request", customer_id, wish, request_id)


def _not_played(name: str, *given: object) -> NoReturn:
    raise AssertionError(f"This fake does not play {name}{given}.")
