"""CSP regions: which countries a partner tenant may sell to (R-83, R-85). Data arrives as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tenantfold.domain.model import Tenant


@dataclass(frozen=True, slots=True)
class RegionMap:
    """Country (ISO 3166 alpha-2, upper case) to the name of its CSP region, and to the currency partners pay there."""

    region_by_country: Mapping[str, str]
    currency_by_country: Mapping[str, str] = field(default_factory=dict)

    def region_of(self, country: str) -> str | None:
        """The region of a country, or None when no region holds it."""
        return self.region_by_country.get(country.upper())

    def same_region(self, one: str, other: str) -> bool:
        """Whether two countries lie in one region. Two unknown countries do not (S-11: the list decides)."""
        region = self.region_of(one)
        return region is not None and region == self.region_of(other)

    def currency_of(self, tenant: Tenant) -> str:
        """The currency Microsoft bills a partner tenant in (R-89): its own word, else its country's, else empty."""
        return tenant.currency or self.currency_by_country.get(tenant.country.upper(), "")
