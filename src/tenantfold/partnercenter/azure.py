"""Azure below its plan, and what is committed to it (partnercenter room, commerce reference 3.2, 5)."""

from __future__ import annotations

from uuid import UUID

from tenantfold.domain.azure import AzureItem
from tenantfold.domain.model import CustomerId, SubscriptionId
from tenantfold.errors import NotFoundError
from tenantfold.partnercenter import wire_azure, wire_routes
from tenantfold.partnercenter.resource import Resource


class AzureCalls(Resource):
    """Azure subscriptions, reservations; canceling the empty Azure subscription that comes with a plan."""

    async def azure_subscriptions(self, customer_id: CustomerId, plan_id: SubscriptionId) -> tuple[AzureItem, ...]:
        """The Azure subscriptions below an Azure plan or a legacy Azure subscription.

        None where Microsoft does not find it any more: what moved is no longer listed with its old partner (R-161).
        """
        ids = {"customer": customer_id, "subscription": plan_id}
        try:
            return tuple(
                [
                    wire_azure.read_azure_subscription(item, self._tenant_id, plan_id)
                    async for item in self._items(wire_routes.AZURE_ENTITLEMENTS, ids)
                ]
            )
        except NotFoundError:
            return ()

    async def azure_commitments(self, customer_id: CustomerId) -> tuple[AzureItem, ...]:
        """The reservations of a customer at this tenant. Savings plans show in its list of subscriptions."""
        return tuple(
            [
                item
                async for document in self._items(
                    wire_routes.ENTITLEMENTS, {"customer": customer_id}, wire_routes.RESERVATIONS
                )
                for item in wire_azure.read_reservations(document, self._tenant_id)
            ]
        )

    async def cancel_azure_subscription(
        self, customer_id: CustomerId, plan_id: SubscriptionId, item_id: SubscriptionId, request_id: UUID
    ) -> None:
        """Cancel one Azure subscription: only for the empty default one that came with a new plan (R-174).

        It reads active for about ten minutes more.
        """
        await self._write(
            wire_routes.CANCEL_AZURE_ENTITLEMENT,
            request_id,
            wire_azure.cancellation_body(),
            customer=customer_id,
            subscription=plan_id,
            entitlement=item_id,
        )
