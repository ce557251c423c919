"""Looks up what planning needs of a customer beside its subscriptions (flow room).

At a source: open transfers, reservations, Azure subscriptions, perpetual software; at the target: the agreement. Only
who may have it costs a call; what cannot be read stays unknown (invariant 9).
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import TypeVar

from tenantfold.domain.azure import AzureItem
from tenantfold.domain.facts import (
    HOLDS_AZURE,
    NEEDS_COMMITMENTS,
    NEEDS_TRANSFERS,
    TenantFacts,
    holds,
    may_own_software,
)
from tenantfold.domain.model import CustomerId, Subscription, TenantId
from tenantfold.domain.products import product_kind
from tenantfold.errors import NotFoundError, RefusedError, RoleMissingError, UnexpectedAnswerError
from tenantfold.flow.partner_center import PartnerCenter

T = TypeVar("T")
UNREADABLE = (NotFoundError, RefusedError, RoleMissingError, UnexpectedAnswerError)


async def look_up(
    center: PartnerCenter,
    tenant_id: TenantId,
    customer_id: CustomerId,
    held: Sequence[Subscription],
    *,
    asks_software: bool = False,
) -> TenantFacts | None:
    """The facts of one customer at a source; None for one of whom nothing had to be asked.

    ``asks_software``: also of one that holds legacy licenses alone. Raises what makes going on useless: no answer,
    throttled for good, signed out.
    """
    is_transferred = holds(held, NEEDS_TRANSFERS)
    may_own = asks_software or may_own_software([product_kind(one) for one in held])
    if not is_transferred and not may_own:
        return None
    has_azure = holds(held, NEEDS_COMMITMENTS)
    return TenantFacts(
        tenant_id=tenant_id,
        customer_id=customer_id,
        transfers=await or_unknown(center.transfers(customer_id)) if is_transferred else None,
        commitments=await or_unknown(center.azure_commitments(customer_id)) if has_azure else None,
        azure=await or_unknown(_below(center, customer_id, held)) if holds(held, HOLDS_AZURE) else None,
        software=await or_unknown(center.software(customer_id)) if may_own else None,
    )


async def look_up_at_target(center: PartnerCenter, tenant_id: TenantId, customer_id: CustomerId) -> TenantFacts:
    """Whether a customer of ours accepted the agreement towards the target (R-112); one or two calls."""
    agreed = await or_unknown(center.has_agreement(customer_id))
    return TenantFacts(tenant_id=tenant_id, customer_id=customer_id, has_agreement=agreed)


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
