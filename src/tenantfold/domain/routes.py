"""How one source subscription gets to the target tenant: the choice. Reading order 3.

``choose`` is one pure decision over the facts of a subscription and the market it moves in; ``domain.alternatives``
says what every other route would cost.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache

from tenantfold.domain.facts import BillingModel
from tenantfold.domain.model import ProductKind, Route, Subscription, Tenant, WireStatus
from tenantfold.domain.plan import ItemTerms, PlanItem
from tenantfold.domain.products import CACHED, commerce_kind, product_kind
from tenantfold.domain.regions import RegionMap

__all__ = [
    "US_GOVERNMENT",
    "Choice",
    "Market",
    "RouteFacts",
    "billed",
    "choose",
    "commerce_kind",
    "days_of_grace",
    "facts_of",
    "facts_of_item",
    "market_between",
    "product_kind",
    "rebuy_until",
]

US_GOVERNMENT = "us_government"  # the name of the cloud in the settings
EXTENDED_TERMS_FROM = date(2026, 5, 4)  # terms that end later have no free days after them (commerce reference 3.7)
_GRACE = 30  # days of the Expired state before that
_KNOWN = frozenset(WireStatus) - {WireStatus.NONE}  # "none" is the zero value: it says nothing (commerce 0.1)
_OVER = frozenset({WireStatus.SUSPENDED, WireStatus.DELETED, WireStatus.EXPIRED, WireStatus.DISABLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteFacts:
    """What the choice reads of a subscription. ``ends_on`` is the last day of the term."""

    kind: ProductKind
    wire_status: str
    ends_on: date | None = None
    terms: ItemTerms | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What the choice reads of customer, tenants and day. None is unknown; an empty currency is unknown, too."""

    today: date | None = None
    in_region: bool | None = None
    billing_owners: bool | None = None  # both tenants are direct-bill partners or indirect providers
    to_provider: bool | None = None  # the source became an indirect reseller, the target is a provider
    transfers: bool | None = None  # the cloud has transfers between partners (commerce reference 4.1, 900138)
    source_currency: str = ""
    target_currency: str = ""

    @property
    def currency_changes(self) -> bool | None:
        """Whether the partner's bill changes its currency (R-89); None when one of them is not known."""
        if not self.source_currency or not self.target_currency:
            return None
        return self.source_currency != self.target_currency


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A route, the rules it rests on (the first leads) and why, in words that follow the product's name."""

    route: Route
    rules: tuple[str, ...]
    why: str


def _choice(route: Route, why: str, *rules: str) -> Choice:
    return Choice(route=route, rules=rules, why=why)


_UNKNOWN_STATUS = _choice(Route.MANUAL, "its status proves nothing", "R-227")
_OFF = _choice(Route.SKIP, "it is over and is not billed", "R-134")
_STILL_BILLED = _choice(
    Route.KEEP, "it is suspended but billed to the end of its term, and only what is active moves", "R-135", "R-137"
)
_EXPIRED = _choice(
    Route.EXPIRE_AND_REBUY, "its term is over and people use it until the days of grace end", "R-132", "R-134"
)
_OTHER_REGION = _choice(Route.KEEP, "nothing moves from one CSP region into another", "R-85", "R-83")
_TRIAL = _choice(Route.SKIP, "it is a trial, which cannot be moved and runs out", "R-151", "R-169")
_RESELLER = _choice(
    Route.MANUAL, "one of the two tenants has no bill of its own: its indirect provider must act", "R-216", "R-145"
)
_LEGACY_TO_PROVIDER = _choice(
    Route.MANUAL,
    "its tenant became an indirect reseller's: it goes to the provider by the portal's self-serve transfer",
    "R-156",
    "R-157",
)
_NOT_TRANSFERABLE = _choice(
    Route.EXPIRE_AND_REBUY, "it cannot be transferred: its term ends without renewal and it is bought again", "R-132"
)
_NO_TRANSFERS = _choice(
    Route.EXPIRE_AND_REBUY,
    "this cloud has no transfers between partners: its term ends without renewal and it is bought again",
    "R-132",
    "commerce 4.1",
)
_NO_AZURE_TRANSFERS = _choice(
    Route.MANUAL,
    "this cloud has no transfers between partners: a person settles it with Microsoft",
    "commerce 4.1",
    "R-213",
)
_AZURE = _choice(
    Route.AZURE_TRANSFER, "an Azure plan with all below it moves by partner-to-partner transfer", "R-164", "R-165"
)
_BY_KIND: dict[ProductKind, Choice] = {
    ProductKind.LEGACY_LICENSE: _choice(
        Route.RECREATE,
        "a legacy license is ordered again, verified, and suspended at the source on the same day",
        "R-27",
        "R-33",
        "R-118",
    ),
    ProductKind.LICENSE: _choice(
        Route.TRANSFER, "a new-commerce subscription moves by partner-to-partner transfer", "R-145", "R-148"
    ),
    ProductKind.AZURE_PLAN: _AZURE,
    ProductKind.AZURE_COMMITMENT: _choice(
        Route.AZURE_TRANSFER, "a reservation or savings plan moves with the Azure plan", "R-168", "R-167"
    ),
    ProductKind.LEGACY_AZURE: _choice(Route.AZURE_SUPPORT, "usage-based Azure is moved by Microsoft", "R-46", "R-185"),
    ProductKind.SOFTWARE: _choice(
        Route.MANUAL, "software is not transferred: it runs out, or is canceled and bought again", "R-151", "R-142"
    ),
    ProductKind.SAAS: _choice(
        Route.MANUAL, "a marketplace product is not transferred: it is canceled and bought again", "R-169", "R-142"
    ),
    ProductKind.UNKNOWN: _choice(Route.MANUAL, "its kind is not known to this program", "R-227"),
}
_BILLED_WHILE_SUSPENDED = frozenset({ProductKind.LICENSE, ProductKind.SOFTWARE, ProductKind.SAAS})
_LEGACY = frozenset({ProductKind.LEGACY_LICENSE, ProductKind.LEGACY_AZURE})
_TRANSFERRED = frozenset({ProductKind.LICENSE, ProductKind.AZURE_PLAN, ProductKind.AZURE_COMMITMENT})


def choose(facts: RouteFacts, market: Market) -> Choice:
    """Choose the route of one source subscription (rules section E).

    Order matters: an unknown status is reported before anything is read into the rest (invariant 9).
    """
    status = facts.wire_status
    if status not in _KNOWN:
        return _UNKNOWN_STATUS
    if status in _OVER:
        return _over(facts, market)
    if facts.terms is not None and facts.terms.is_trial:
        return _TRIAL
    if status == WireStatus.PENDING:
        return _UNKNOWN_STATUS
    if market.in_region is False:
        return _OTHER_REGION
    if facts.kind in _TRANSFERRED:
        return _transferred(facts, market)
    if facts.kind in _LEGACY and market.billing_owners is False:
        # ordered again it would run twice: a reseller has no API to suspend the old one with
        return _LEGACY_TO_PROVIDER if market.to_provider else _RESELLER
    return _BY_KIND[facts.kind]


def _transferred(facts: RouteFacts, market: Market) -> Choice:
    """What moves by transfer, and what becomes of it where there is none."""
    if market.billing_owners is False:
        return _RESELLER
    is_license = facts.kind is ProductKind.LICENSE
    if market.transfers is False:
        return _NO_TRANSFERS if is_license else _NO_AZURE_TRANSFERS
    if is_license and facts.terms is not None and facts.terms.is_transferable is False:
        return _NOT_TRANSFERABLE
    return _BY_KIND[facts.kind]


def _over(facts: RouteFacts, market: Market) -> Choice:
    """Suspended, expired, disabled or deleted: over, but for what new commerce still bills or serves."""
    if facts.wire_status == WireStatus.SUSPENDED and facts.kind in _BILLED_WHILE_SUSPENDED:
        return _STILL_BILLED
    if facts.wire_status == WireStatus.SUSPENDED and facts.kind is ProductKind.UNKNOWN:
        return _BY_KIND[ProductKind.UNKNOWN]
    if facts.kind is not ProductKind.LICENSE:
        return _OFF
    if facts.wire_status != WireStatus.EXPIRED or (facts.terms is not None and facts.terms.is_trial):
        return _OFF
    until = rebuy_until(facts.ends_on)
    gone = until is not None and market.today is not None and market.today > until
    return _OFF if gone else _EXPIRED


def market_between(
    source: Tenant,
    target: Tenant,
    country: str,
    regions: RegionMap,
    today: date | None,
    cloud: str = "commercial",
) -> Market:
    """What a customer of a country moves from and into; how the tenants are billed is added by ``billed``."""
    return Market(
        today=today,
        in_region=regions.same_region(country, target.country) if country else None,
        transfers=cloud != US_GOVERNMENT,
        source_currency=regions.currency_of(source),
        target_currency=regions.currency_of(target),
    )


def billed(market: Market, source: BillingModel | None, target: BillingModel | None) -> Market:
    """The market with how its two tenants are billed; where one is not known, nothing is said (R-145, R-156)."""
    if source is None or target is None:
        return market
    return replace(
        market,
        billing_owners=source.owns_the_bill and target.owns_the_bill,
        to_provider=source is BillingModel.INDIRECT_RESELLER and target is BillingModel.INDIRECT_PROVIDER,
    )


def days_of_grace(ends_on: date) -> int:
    """How many days people can still work after the last day of a term that is not renewed.

    30 until May 2026 (R-132); since then none: a paid Extended Service Term or the end at once (commerce 3.7).
    """
    return 0 if ends_on > EXTENDED_TERMS_FROM else _GRACE


def rebuy_until(ends_on: date | None) -> date | None:
    """The last day on which the new subscription must stand, so that nobody is locked out (R-132)."""
    return None if ends_on is None else ends_on + timedelta(days=days_of_grace(ends_on))


def facts_of(subscription: Subscription, is_transferable: bool | None = None) -> RouteFacts:  # noqa: FBT001 - a fact
    """The facts of a subscription as the inventory holds it."""
    kind = product_kind(subscription)
    terms = _terms(subscription, kind, is_transferable)
    if terms is None:
        return _ordinary_facts(kind, subscription.wire_status, subscription.commitment_end_on)
    return RouteFacts(
        kind=kind, wire_status=subscription.wire_status, ends_on=subscription.commitment_end_on, terms=terms
    )


@lru_cache(maxsize=CACHED)
def _ordinary_facts(kind: ProductKind, wire_status: str, ends_on: date | None) -> RouteFacts:
    """The facts of ordinary legacy licenses: half a million of them have few different ones."""
    return RouteFacts(kind=kind, wire_status=wire_status, ends_on=ends_on)


def _terms(subscription: Subscription, kind: ProductKind, is_transferable: bool | None) -> ItemTerms | None:  # noqa: FBT001 - a fact
    """The terms, or None for an ordinary legacy license: half a million of them would be half the plan."""
    if kind is ProductKind.LEGACY_LICENSE and not subscription.is_trial:
        return None
    modern = subscription.modern
    return ItemTerms(
        is_trial=subscription.is_trial,
        auto_renew=subscription.auto_renew,
        promotion_id=modern.promotion_id if modern else None if kind is ProductKind.LICENSE else "",
        cancellable_until=modern.cancellable_until if modern else None,
        entitlement_id=modern.entitlement_id if modern else "",
        is_transferable=is_transferable,
    )


def facts_of_item(item: PlanItem) -> RouteFacts:
    """The same facts as a plan keeps them: what a person is shown rests on what was planned."""
    return RouteFacts(
        kind=item.kind,
        wire_status=item.wire_status,
        ends_on=item.ends_on,
        terms=item.terms,
    )
