"""One customer under review: the value every preflight rule reads (domain room, preflight)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tenantfold.domain.facts import CustomerFacts
from tenantfold.domain.model import Offer, OfferId, Route, Sku, Subscription, TenantId, WireStatus
from tenantfold.domain.plan import PlanItem
from tenantfold.domain.preflight.context import PlanContext
from tenantfold.domain.products import product_sku
from tenantfold.domain.records import BookEntry

STAYS = frozenset({Route.SKIP, Route.KEEP})
TRANSFERS = frozenset({Route.TRANSFER, Route.AZURE_TRANSFER})


@dataclass(slots=True, kw_only=True)
class Review:
    """A customer, what is planned for it, and what is known.

    ``offers`` is None when the catalog of its country was not read, ``skus`` when nobody read new-commerce products;
    ``free`` are active target subscriptions that stand for nothing, ``unverified`` those of which nobody can say what
    they stand for (unknown status or billing cycle); ``in_region`` is None for an unknown country.
    """

    entry: BookEntry
    context: PlanContext
    country: str
    sources: tuple[TenantId, ...]
    items: tuple[PlanItem, ...]
    offers: Mapping[str, Offer] | None
    skus: Mapping[str, Sku] | None
    facts: CustomerFacts
    in_region: bool | None
    free: tuple[Subscription, ...] = ()
    unverified: tuple[Subscription, ...] = ()
    routes: frozenset[Route] = field(init=False)  # made once: most rules ask first whether any item goes their way
    wants_to_move: bool = field(init=False)  # anything goes to the target, or would, were it not in another region

    def __post_init__(self) -> None:
        self.routes = frozenset([item.route for item in self.items])
        self.wants_to_move = not self.routes <= STAYS or any(
            item.route is Route.KEEP and item.wire_status == WireStatus.ACTIVE for item in self.items
        )

    @property
    def is_transferred(self) -> bool:
        """Whether any item moves by a transfer between the partners."""
        return not self.routes.isdisjoint(TRANSFERS)

    @property
    def email(self) -> str:
        """The customer's own address as its sources show it; empty where none does."""
        return next((one.email for one in self.entry.seen if one.email and one.tenant_id in self.sources), "")

    def orders(self, item: PlanItem) -> Offer | None:
        """The legacy offer that will be ordered for an item; None when nothing is, or when it is not known."""
        if item.target_id is not None or item.target_offer_id is None or self.offers is None:
            return None
        return self.offers.get(item.target_offer_id)

    def sku_of(self, item: PlanItem) -> Sku | None:
        """The new-commerce SKU an item ends as at the target, where the catalog of SKUs is known."""
        if self.skus is None:
            return None
        return self.skus.get(sku_id(item.target_offer_id or item.offer_id))

    def goes(self, route: Route) -> bool:
        """Whether any item goes this way."""
        return route in self.routes

    def currencies(self, tenant_id: TenantId) -> tuple[str, str]:
        """Billing currency of a source tenant and of the target (R-89); empty where it is not known."""
        regions = self.context.regions
        return (
            regions.currency_of(self.context.sources[tenant_id]),
            regions.currency_of(self.context.target),
        )


def sku_id(offer_id: str) -> OfferId:
    """``PRODUCT:SKU`` of a catalog item id; its third part changes with time (commerce reference 1.2)."""
    return OfferId(product_sku(offer_id))
