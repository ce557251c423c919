"""Reads both sides of one customer fresh (flow room): the subscriptions, and what its routes need beside them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from tenantfold.domain.actions import Observe
from tenantfold.domain.azure import AzureItem
from tenantfold.domain.course import parts_of
from tenantfold.domain.cutover import needs_agreement_read
from tenantfold.domain.journal import OpKind, OutcomeKind
from tenantfold.domain.model import ProductKind, Subscription, SubscriptionId, TenantId
from tenantfold.domain.observation import Beside, Observation, Part
from tenantfold.domain.policy import Policy
from tenantfold.domain.products import product_kind
from tenantfold.domain.reads import Read
from tenantfold.domain.records import Case
from tenantfold.flow.partner_center import PartnerCenter

_AZURE = frozenset({ProductKind.AZURE_PLAN, ProductKind.LEGACY_AZURE})


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read: the values the core decides on, and the documents that a change sends back (R-225)."""

    observation: Observation
    documents: Mapping[SubscriptionId, Read[Subscription]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads for one customer. ``now`` is the time before the reads: an older stamp errs on the safe side."""

    tenants: Mapping[TenantId, PartnerCenter]
    target_id: TenantId
    case: Case
    policy: Policy
    now: datetime

    async def read(self, wanted: Observe, before: Observation | None) -> Reading:
        """Read both sides at once, or the one that is wanted; the rest is taken from the read before.

        Raises what the calls raise: NotFoundError, UnavailableError, ThrottledError, AuthError, UnexpectedAnswerError.
        """
        old_target = before if wanted.sources_only else None
        old_source = before if wanted.target_only else None
        sources = () if old_source else self.case.customer.source_tenant_ids
        tenants = sources + (() if old_target else (self.target_id,))
        customer_id = self.case.customer.customer_id
        found = await asyncio.gather(*(self.tenants[tenant].subscriptions(customer_id) for tenant in tenants))
        known = old_target or old_source
        from_sources = _values(found[: len(sources)])
        from_target = _values(found[len(sources) :])
        observation = Observation(
            at=known.at if known else self.now,
            source=old_source.source if old_source else from_sources,
            target=old_target.target if old_target else from_target,
            ordered_as=_ordered_as(self.case),
            has_agreement=known.has_agreement if known else await self._agreement(),
            target_at=old_target.target_at if old_target else self.now,
            beside=known.beside if known else await self._beside(from_sources, from_target),
        )
        return Reading(observation, {read.value.id: read for reads in found for read in reads})

    async def _agreement(self) -> bool | None:
        if not needs_agreement_read(self.case, self.policy):
            return None
        return await self.tenants[self.target_id].has_agreement(self.case.customer.customer_id)

    async def _beside(
        self, source: Mapping[SubscriptionId, Subscription], target: Mapping[SubscriptionId, Subscription]
    ) -> Beside:
        parts = parts_of(self.case)
        if not parts:
            return Beside()
        tenants = (*self.case.customer.source_tenant_ids, self.target_id)
        customer_id = self.case.customer.customer_id
        transfers = tenants if Part.TRANSFERS in parts else ()
        requests = tenants if Part.SERVICE_REQUESTS in parts else ()
        azure = tenants if Part.AZURE in parts else ()
        held = [*source.values(), *target.values()]
        return Beside(
            transfers={one: await self.tenants[one].transfers(customer_id) for one in transfers},
            service_requests={one: await self.tenants[one].service_requests(customer_id) for one in requests},
            azure={one: await self._azure(one, held) for one in azure},
        )

    async def _azure(self, tenant_id: TenantId, held: Iterable[Subscription]) -> tuple[AzureItem, ...]:
        """The Azure subscriptions below what the tenant holds, and the customer's commitments there."""
        center, customer_id = self.tenants[tenant_id], self.case.customer.customer_id
        plans = [one.id for one in held if one.tenant_id == tenant_id and product_kind(one) in _AZURE]
        found = [item for plan_id in plans for item in await center.azure_subscriptions(customer_id, plan_id)]
        return (*found, *(await center.azure_commitments(customer_id) if plans else ()))


def _values(found: Iterable[tuple[Read[Subscription], ...]]) -> dict[SubscriptionId, Subscription]:
    return {read.value.id: read.value for reads in found for read in reads}


def _ordered_as(case: Case) -> dict[SubscriptionId, tuple[str, int]]:
    return {
        line.source_subscription_id: (line.offer_id, line.license_count)
        for intent, outcome in case.settled
        if outcome.kind is not OutcomeKind.FAILED and intent.kind is not OpKind.BUY_AGAIN
        for line in intent.lines
    }
