"""What planning knows beside the customer itself (domain room, preflight)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from tenantfold.domain.facts import BillingModel, CustomerFacts, EarlierRuns
from tenantfold.domain.mapping import OfferMapping
from tenantfold.domain.model import (
    AgreementContact,
    CustomerId,
    Offer,
    OfferId,
    Sku,
    SubscriptionId,
    Tenant,
    TenantId,
    WireStatus,
)
from tenantfold.domain.policy import PlanPolicy
from tenantfold.domain.regions import RegionMap
from tenantfold.domain.routes import US_GOVERNMENT, Market, billed, market_between
from tenantfold.domain.states import Counterpart

HELD = frozenset({WireStatus.ACTIVE, WireStatus.SUSPENDED})  # what counts against a customer tenant's limits


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanContext:
    """What planning knows beside the customer itself. ``catalog`` maps a country to its offers by id.

    ``spoken_for`` are the target subscriptions that are counterparts already: made once, asked for every customer.
    The last block are facts that may not be known: ``today`` and ``products`` (new-commerce SKUs by country) are then
    None, ``billing_models`` and ``customer_facts`` lack the tenant or customer; rules say "not verified" (invariant 9).
    """

    target: Tenant
    sources: Mapping[TenantId, Tenant]
    catalog: Mapping[str, Mapping[str, Offer]]
    mapping: Mapping[OfferId, OfferMapping]
    regions: RegionMap
    counterparts: Mapping[SubscriptionId, Counterpart]
    contacts: Mapping[CustomerId, AgreementContact]
    policy: PlanPolicy = field(default_factory=PlanPolicy)
    cloud: str = "commercial"
    today: date | None = None
    products: Mapping[str, Mapping[str, Sku]] | None = None
    billing_models: Mapping[TenantId, BillingModel] = field(default_factory=dict)
    customer_facts: Mapping[CustomerId, CustomerFacts] = field(default_factory=dict)
    earlier: EarlierRuns = field(default_factory=EarlierRuns)
    spoken_for: frozenset[SubscriptionId] = field(init=False)
    markets: dict[tuple[TenantId, str], Market] = field(init=False, default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        targets = frozenset(
            counterpart.target_id for counterpart in self.counterparts.values() if counterpart.target_id is not None
        )
        object.__setattr__(self, "spoken_for", targets)

    @property
    def has_agreements(self) -> bool:
        """Whether the cloud knows the customer agreement; for US Government it is part of the contract (R-215)."""
        return self.cloud != US_GOVERNMENT

    def market(self, tenant_id: TenantId, country: str) -> Market:
        """What a customer of a country moves from and into, as far as it is known; worked out once for each pair."""
        known = self.markets.get((tenant_id, country))
        if known is None:
            known = self.markets[tenant_id, country] = self._market(tenant_id, country)
        return known

    def _market(self, tenant_id: TenantId, country: str) -> Market:
        market = market_between(self.sources[tenant_id], self.target, country, self.regions, self.today, self.cloud)
        return billed(market, self.billing_models.get(tenant_id), self.billing_models.get(self.target.id))
