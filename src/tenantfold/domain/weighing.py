"""Weighs the routes of the items of one plan, as somebody reads them: on the plan's day, at the partner's prices. Pure.

Half a million legacy licenses have few different reasons: each is worked out once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache

from tenantfold.domain.alternatives import WeighedRoute, weigh
from tenantfold.domain.facts import BillingModel
from tenantfold.domain.model import ProductKind, Tenant, TenantId
from tenantfold.domain.plan import PlanItem
from tenantfold.domain.prices import PRICE_NOT_KNOWN, PriceBook, price_of
from tenantfold.domain.regions import RegionMap
from tenantfold.domain.routes import Market, RouteFacts, billed, facts_of_item, market_between

CACHED = 16_384  # different reasons held; one is about two kilobytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """What the items of a plan are weighed with. ``today`` is the day the plan was made."""

    tenants: Mapping[TenantId, Tenant]
    target_id: TenantId
    regions: RegionMap
    cloud: str
    today: date
    prices: PriceBook
    billing_models: Mapping[TenantId, BillingModel] = field(default_factory=dict)
    markets: dict[tuple[TenantId, str], Market] = field(init=False, default_factory=dict, repr=False, compare=False)

    def of(self, item: PlanItem, country: str) -> WeighedRoute:
        """The planned route of one item with its rules, cost and confidence, and every other route."""
        return _weigh(_facts(item), self._market(item.tenant_id, country), item.route, self._price(item, country))

    def _market(self, tenant_id: TenantId, country: str) -> Market:
        known = self.markets.get((tenant_id, country))
        if known is None:
            source, target = self.tenants[tenant_id], self.tenants[self.target_id]
            between = market_between(source, target, country, self.regions, self.today, self.cloud)
            models = self.billing_models.get(tenant_id), self.billing_models.get(self.target_id)
            known = self.markets[tenant_id, country] = billed(between, *models)
        return known

    def _price(self, item: PlanItem, country: str) -> str:
        """What the same, or what an approved mapping names, costs when it is bought again."""
        cycle = item.sold_as.billing_cycle if item.sold_as is not None else item.billing_cycle
        price = price_of(self.prices, item.target_offer_id or item.offer_id, country, cycle)
        return PRICE_NOT_KNOWN if price is None else price.words(item.license_count)


_weigh = lru_cache(maxsize=CACHED)(weigh)


def _facts(item: PlanItem) -> RouteFacts:
    """What is weighed. The end of a legacy license is not part of it, and would make each a reason of its own."""
    facts = facts_of_item(item)
    return replace(facts, ends_on=None) if facts.kind is ProductKind.LEGACY_LICENSE else facts
