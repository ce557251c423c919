"""Use case: propose replacements for the offers of the newest plan that are no longer sold (R-121)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tenantfold.domain.findings import FindingCode
from tenantfold.domain.model import Offer, OfferId, Sku, TenantId
from tenantfold.domain.plan import PlanItem
from tenantfold.domain.proposals import Proposal, Wanted, propose
from tenantfold.flow.approval import newest_plan
from tenantfold.flow.ports import Inventory, Ledger


@dataclass(slots=True)
class _Need:
    """What the subscriptions of one offer need of a replacement, gathered one by one."""

    item: PlanItem
    countries: set[str] = field(default_factory=set)
    cycles: set[str] = field(default_factory=set)
    counts: list[int] = field(default_factory=list)
    customers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """One offer without a replacement: how many customers wait for it, and the candidates, best first.

    ``not_read`` are the countries whose new-commerce catalog nobody read: what they sell is not known (invariant 9).
    """

    wanted: Wanted
    customers: int
    proposals: tuple[Proposal, ...]
    not_read: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Sold:
    """What the target sells by country: legacy offers, and new-commerce SKUs where they were read."""

    offers: Mapping[str, Mapping[str, Offer]] = field(default_factory=dict)
    skus: Mapping[str, Mapping[str, Sku]] = field(default_factory=dict)


async def propose_replacements(ledger: Ledger, inventory: Inventory, target_id: TenantId) -> tuple[Replacement, ...]:
    """For every offer the newest plan calls not sold: what could be ordered instead. Raises PlanMissingError.

    Nothing is decided and nothing is written; an offer that a mapping names already, approved or not, is left out.
    """
    plan = await newest_plan(ledger)
    needs: dict[OfferId, _Need] = {}
    async for customer in ledger.plan_customers(plan.id):
        seen: set[OfferId] = set()
        for item in customer.items:
            if not _is_without_offer(item):
                continue
            need = needs.setdefault(item.offer_id, _Need(item))
            need.countries.add(customer.country)
            need.cycles.add(item.billing_cycle)
            need.counts.append(item.license_count)
            need.customers += item.offer_id not in seen
            seen.add(item.offer_id)
    sold = await _catalogs(inventory, target_id, {country for one in needs.values() for country in one.countries})
    found = [_replacement(need, sold) for need in needs.values()]
    return tuple(sorted(found, key=lambda one: (-one.customers, one.wanted.name)))


def _is_without_offer(item: PlanItem) -> bool:
    if not item.moves or item.target_offer_id is not None:
        return False
    return any(one.code is FindingCode.OFFER_NOT_SOLD for one in item.findings)


async def _catalogs(inventory: Inventory, target_id: TenantId, countries: set[str]) -> _Sold:
    """Both catalogs: a new-commerce SKU is the usual replacement of a legacy offer (R-121)."""
    snapshot = await inventory.newest_snapshot(target_id)
    if snapshot is None:
        return _Sold()
    return _Sold(
        offers={country: await inventory.catalog(snapshot, country) for country in sorted(countries)},
        skus={one: await inventory.skus(snapshot, one) for one in sorted(countries & set(snapshot.sku_countries))},
    )


def _replacement(need: _Need, sold: _Sold) -> Replacement:
    item = need.item
    known: Sequence[Offer] = [one[item.offer_id] for one in sold.offers.values() if item.offer_id in one]
    wanted = Wanted(
        offer_id=item.offer_id,
        name=item.offer_name,
        is_add_on=item.is_add_on,
        countries=frozenset(need.countries),
        billing_cycles=frozenset(need.cycles),
        fewest=min(need.counts),
        most=max(need.counts),
        unit=known[0].unit_type if known else "",
    )
    return Replacement(
        wanted=wanted,
        customers=need.customers,
        proposals=propose(wanted, sold.offers, sold.skus),
        not_read=tuple(sorted(need.countries - sold.skus.keys())),
    )
