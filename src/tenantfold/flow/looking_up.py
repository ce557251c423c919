"""Looks up what planning needs of a customer beside its subscriptions: open transfers, reservations, Azure (flow room).

Only who holds something that is transferred costs a call; what cannot be read stays unknown (invariant 9).
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import TypeVar

from tenantfold.domain.azure import AzureItem
from tenantfold.domain.facts import HOLDS_AZURE, NEEDS_COMMITMENTS, NEEDS_TRANSFERS, TenantFacts, holds
from tenantfold.domain.model import CustomerId, Subscription, TenantId
from tenantfold.errors import NotFoundError, RefusedError, RoleMissingError, UnexpectedAnswerError
from tenantfold.flow.partner_center import PartnerCenter

T = TypeVar("T")
UNREADABLE = (NotFoundError, RefusedError, RoleMissingError, UnexpectedAnswerError)


async def look_up(
    center: PartnerCenter, tenant_id: TenantId, customer_id: CustomerId, held: Sequence[Subscription]
) -> TenantFacts | None:
    """The facts of one customer at a source; None for one who holds nothing that is transferred.

    Raises what makes going on useless: no answer, throttled for good, signed out.
    """
    if not holds(held, NEEDS_TRANSFERS):
        return None
    transfers = await or_unknown(center.transfers(customer_id))
    has_azure = holds(held, NEEDS_COMMITMENTS)
    commitments = await or_unknown(center.azure_commitments(customer_id)) if has_azure else None
    azure = await or_unknown(_below(center, customer_id, held)) if holds(held, HOLDS_AZURE) else None
    return TenantFacts(
        tenant_id=tenant_id, customer_id=customer_id, transfers=transfers, commitments=commitments, azure=azure
    )


async def _below(center: PartnerCenter, customer_id: CustomerId, held: Sequence[Subscription]) -> tuple[AzureItem, ...]:
    """The Azure subscriptions under what is active of a customer's Azure plans and legacy Azure subscriptions."""
    plans = [one.id for one in held if holds([one], HOLDS_AZURE)]
    return tuple([item for plan_id in plans for item in await center.azure_subscriptions(customer_id, plan_id)])


async def or_unknown(read: Awaitable[T]) -> T | None:
    """What a read gives, or None where it is refused: one customer's fact is not worth stopping for."""
    try:
        return await read
    except UNREADABLE:
        return None
