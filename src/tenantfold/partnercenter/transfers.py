"""Transfers between partner tenants (partnercenter room, commerce reference 4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from tenantfold.domain.model import CustomerId, SubscriptionId
from tenantfold.domain.requests import Transfer, TransferWish
from tenantfold.partnercenter import wire_routes, wire_transfers
from tenantfold.partnercenter.resource import Resource, understood

_NEVER = datetime.min.replace(tzinfo=UTC)


class TransferCalls(Resource):
    """Asking for, giving, canceling and following transfers of new commerce and Azure."""

    async def transfers(self, customer_id: CustomerId) -> tuple[Transfer, ...]:
        """The transfer requests of a customer in which this tenant is a side, oldest first; a bare array, no pages."""
        found = [
            wire_transfers.read_transfer(item, customer_id)
            async for item in self._items(wire_routes.TRANSFERS, {"customer": customer_id})
        ]
        return tuple(sorted(found, key=lambda one: one.created_at or _NEVER))

    async def request_transfer(self, customer_id: CustomerId, wish: TransferWish, request_id: UUID) -> Transfer:
        """Ask a source tenant for a customer's subscriptions; called at the target (R-146).

        ConflictError (900101) while another request between the two is open.
        """
        body = wire_transfers.request_body(wish, self._tenant_id)
        answer = await self._write(wire_routes.REQUEST_TRANSFER, request_id, body, customer=customer_id)
        return understood(answer, lambda document: wire_transfers.read_transfer(document, customer_id))

    async def submit_transfer(
        self, customer_id: CustomerId, transfer: Transfer, items: Sequence[SubscriptionId], request_id: UUID
    ) -> Transfer:
        """Give what a target asked for: choose the items and accept; called at the source, at most 25 (R-150).

        RefusedError names the item that may not move (900134) or is not active (800078, 900145): none moves then.
        """
        return await self._answer(customer_id, transfer, wire_transfers.submission_body(transfer, items), request_id)

    async def cancel_transfer(self, customer_id: CustomerId, transfer: Transfer, request_id: UUID) -> Transfer:
        """Take a pending request back; called by who created it. RefusedError (900102) when it is over."""
        return await self._answer(customer_id, transfer, wire_transfers.cancellation_body(transfer), request_id)

    async def _answer(self, customer_id: CustomerId, transfer: Transfer, body: bytes, request_id: UUID) -> Transfer:
        answer = await self._write(
            wire_routes.CHANGE_TRANSFER, request_id, body, customer=customer_id, transfer=transfer.id
        )
        return understood(answer, lambda document: wire_transfers.read_transfer(document, customer_id))
