"""What every route would mean for one subscription: the chosen one, and why not the others, each with its cost.

Worked out when somebody looks, from what the plan keeps: half a million subscriptions need no essay each. Reading
order 3, last part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from tenantfold.domain.model import ProductKind, Route, WireStatus
from tenantfold.domain.prices import PRICE_NOT_KNOWN
from tenantfold.domain.routes import Choice, Market, RouteFacts, choose, days_of_grace, rebuy_until


class Confidence(StrEnum):
    """How sure the choice is: by Microsoft's own text, by partly confirmed reports, or with facts missing."""

    DOCUMENTED = "documented"
    PARTLY_CONFIRMED = "partly_confirmed"
    FACTS_MISSING = "facts_missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteCost:
    """What a route costs. Days are UTC days, None where they cannot be told.

    ``overlap_days``: both sides are billed; ``days_to_wait``: before it can be done; ``loses_promotion`` None is not
    known; ``price`` and ``currency`` say what changes, empty when nothing does or nothing is known to;
    ``is_purchase``: it is bought at today's price, which ``weigh`` is given.
    """

    overlap_days: int | None = 0
    days_to_wait: int | None = 0
    loses_promotion: bool | None = False
    price: str = ""
    currency: str = ""
    is_purchase: bool = False

    def words(self) -> str:
        """The cost in one line; what costs nothing is not named."""
        said = [
            _days(self.overlap_days, "billed twice"),
            _days(self.days_to_wait, "to wait"),
            "promotion lost" if self.loses_promotion else "promotion not known" if self.loses_promotion is None else "",
            f"today's {self.price}" if self.is_purchase else self.price,
            self.currency,
        ]
        return "; ".join(one for one in said if one) or "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """One route for one subscription: whether it could be gone, why (not), by which rules, and its cost if gone."""

    route: Route
    is_possible: bool
    why: str
    rules: tuple[str, ...]
    cost: RouteCost | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WeighedRoute:
    """The chosen route with its cost and confidence, and every other route with the reason against it."""

    choice: Choice
    cost: RouteCost
    confidence: Confidence
    alternatives: tuple[Alternative, ...]

    def best_alternative(self) -> Alternative | None:
        """What would be done instead: a way that needs no person, then the least overlap and wait; None without any.

        What is over needs none; staying at the source comes last.
        """
        if self.choice.route is Route.SKIP:
            return None
        possible = [one for one in self.alternatives if one.is_possible and one.route is not Route.SKIP]
        return min(possible, key=_rank, default=None)


def weigh(
    facts: RouteFacts, market: Market, planned: Route | None = None, price: str = PRICE_NOT_KNOWN
) -> WeighedRoute:
    """Weigh all routes of one subscription. ``planned`` is the plan's route where it differs from the free choice.

    That is so after a cutover has begun, or where a blocked neighbor makes a subscription stay. ``price`` is what it
    costs to buy it again today, in words.
    """
    choice = choose(facts, market)
    if planned is not None and planned is not choice.route:
        choice = Choice(route=planned, rules=choice.rules, why="the plan decided so for the customer as a whole")
    assessed = {route: _priced(assess(facts, market), price) for route, assess in _ASSESS.items()}
    return WeighedRoute(
        choice=choice,
        cost=assessed[choice.route].cost or RouteCost(),
        confidence=_confidence(choice, facts, market),
        alternatives=tuple(one for route, one in assessed.items() if route is not choice.route),
    )


_NO_TRANSFERS = "this cloud has no transfers between partners"


def _priced(one: Alternative, price: str) -> Alternative:
    if one.cost is None or not one.cost.is_purchase:
        return one
    return replace(one, cost=replace(one.cost, price=price))


def _rank(one: Alternative) -> tuple[int, float, float]:
    """Unknown days come after any number of them."""
    by_whom = {Route.MANUAL: 1, Route.KEEP: 2}.get(one.route, 0)
    cost = one.cost or RouteCost()
    days = [float("inf") if known is None else float(known) for known in (cost.overlap_days, cost.days_to_wait)]
    return by_whom, days[0], days[1]


def _days(days: int | None, what: str) -> str:
    if days == 0:
        return ""
    return f"{'unknown' if days is None else days} day{'' if days == 1 else 's'} {what}"


def _days_left(facts: RouteFacts, market: Market) -> int | None:
    if facts.ends_on is None or market.today is None or facts.ends_on.year >= 9999:  # noqa: PLR2004 - "never ends"
        return None
    return max(0, (facts.ends_on - market.today).days)


def _currency(market: Market) -> str:
    changes = market.currency_changes
    if changes is None:
        return "currency not known"
    return f"{market.source_currency} becomes {market.target_currency}" if changes else ""


def _promotion(facts: RouteFacts) -> bool | None:
    """Whether there is a promotion; None when nobody knows."""
    if facts.terms is None:
        return False
    return None if facts.terms.promotion_id is None else bool(facts.terms.promotion_id)


def _bought_again(facts: RouteFacts, market: Market, *, overlap: int | None, wait: int | None) -> RouteCost:
    """The cost of a purchase at today's price (R-126, R-127)."""
    return RouteCost(
        overlap_days=overlap,
        days_to_wait=wait,
        loses_promotion=_promotion(facts),
        is_purchase=True,
        currency=_currency(market),
    )


def _no(route: Route, why: str, *rules: str, cost: RouteCost | None = None) -> Alternative:
    return Alternative(route=route, is_possible=False, why=why, rules=rules, cost=cost)


def _yes(route: Route, why: str, *rules: str, cost: RouteCost) -> Alternative:
    return Alternative(route=route, is_possible=True, why=why, rules=rules, cost=cost)


def _closed(route: Route, facts: RouteFacts, market: Market) -> Alternative | None:
    """Why no route into the target is open at all, if so."""
    if facts.wire_status != WireStatus.ACTIVE:
        return _no(route, f"its status is '{facts.wire_status}'; only what is active moves", "R-134", "R-158")
    if market.in_region is False:
        return _no(route, "the target tenant is in another CSP region", "R-85")
    return None


def _recreate(facts: RouteFacts, market: Market) -> Alternative:
    closed = _closed(Route.RECREATE, facts, market)
    if closed is not None:
        return closed
    if market.billing_owners is False:
        return _no(Route.RECREATE, "an indirect reseller can neither order nor suspend", "R-216", "R-217")
    if facts.kind is ProductKind.LEGACY_LICENSE:
        cost = _bought_again(facts, market, overlap=0, wait=0)
        return _yes(Route.RECREATE, "ordered again, source suspended the same day", "R-33", "R-118", cost=cost)
    if facts.kind is ProductKind.LICENSE:
        cost = _bought_again(facts, market, overlap=_days_left(facts, market), wait=0)
        window = facts.terms.cancellable_until if facts.terms else None
        until = f"; it can be canceled until {window:%Y-%m-%d %H:%M} UTC (R-138)" if window else ""
        why = f"the source would be suspended, which does not stop its bill{until}"
        return _no(Route.RECREATE, why, "R-135", "R-138", cost=cost)
    return _no(Route.RECREATE, "only licenses can be ordered again at once", "R-45", "R-151")


def _transfer(facts: RouteFacts, market: Market) -> Alternative:
    closed = _closed(Route.TRANSFER, facts, market)
    if closed is not None:
        return closed
    if facts.kind is ProductKind.LEGACY_LICENSE and market.to_provider:
        why = "this program transfers new commerce; a person requests the legacy transfer in the portal"
        return _no(Route.TRANSFER, why, "R-156", "R-157")
    if facts.kind is ProductKind.LEGACY_LICENSE:
        why = "legacy licenses are transferred only where a direct-bill partner became an indirect reseller"
        return _no(Route.TRANSFER, why, "R-156", "R-155")
    if facts.kind is not ProductKind.LICENSE:
        return _no(Route.TRANSFER, "this kind of product is not covered by license transfers", "R-151", "R-178")
    if market.billing_owners is False:
        return _no(Route.TRANSFER, "only direct-bill partners and indirect providers can transfer", "R-145", "R-216")
    if market.transfers is False:
        return _no(Route.TRANSFER, _NO_TRANSFERS, "commerce 4.1")
    if facts.terms is not None and facts.terms.is_transferable is False:
        return _no(Route.TRANSFER, "Microsoft says that it is not eligible", "R-151")
    cost = RouteCost(loses_promotion=False if _promotion(facts) is False else None, currency=_currency(market))
    return _yes(Route.TRANSFER, "same term, price and end date; only the bill moves", "R-148", "R-149", cost=cost)


def _azure_transfer(facts: RouteFacts, market: Market) -> Alternative:
    route = Route.AZURE_TRANSFER
    closed = _closed(route, facts, market)
    if closed is not None:
        return closed
    if facts.kind not in {ProductKind.AZURE_PLAN, ProductKind.AZURE_COMMITMENT, ProductKind.LEGACY_AZURE}:
        return _no(route, "it is not Azure", "R-178")
    if market.billing_owners is False:
        return _no(route, "only partners that Microsoft bills can transfer", "R-164", "R-216")
    if market.transfers is False:
        return _no(route, _NO_TRANSFERS, "commerce 4.1")
    lost = "" if market.currency_changes is False else "monthly-paid reservations may be canceled (R-168)"
    cost = RouteCost(price=lost, currency=_currency(market))
    rules = ("R-164", "R-171", "R-172")
    if facts.kind is ProductKind.LEGACY_AZURE:
        why = "billing moves, resources and access stay, and it becomes an Azure plan"
        return _yes(route, why, "R-170", *rules, cost=cost)
    return _yes(route, "billing moves, resources and access stay", *rules, cost=cost)


def _azure_support(facts: RouteFacts, market: Market) -> Alternative:
    route = Route.AZURE_SUPPORT
    closed = _closed(route, facts, market)
    if closed is not None:
        return closed
    if facts.kind is not ProductKind.LEGACY_AZURE:
        return _no(route, "Microsoft support moves only legacy usage-based Azure", "R-178")
    if market.billing_owners is False:
        return _no(route, "Microsoft support moves it between direct-bill partners and providers only", "R-177")
    cost = RouteCost(days_to_wait=None, currency=_currency(market))
    return _yes(route, "handed off to Microsoft support, no interruption", "R-46", "R-47", "R-185", cost=cost)


def _expire_and_rebuy(facts: RouteFacts, market: Market) -> Alternative:
    route = Route.EXPIRE_AND_REBUY
    if market.in_region is False:
        return _no(route, "the target tenant is in another CSP region", "R-85")
    if facts.kind is ProductKind.LEGACY_LICENSE:
        return _no(route, "a legacy subscription has no days of grace after its term", "R-134")
    if facts.kind is not ProductKind.LICENSE:
        return _no(route, "only new-commerce licenses end this way", "R-132")
    if facts.wire_status not in {WireStatus.ACTIVE, WireStatus.EXPIRED}:
        return _no(route, f"its status is '{facts.wire_status}'", "R-134")
    cost = _bought_again(facts, market, overlap=0, wait=_days_left(facts, market))
    return _yes(route, _when_to_buy(facts), "R-132", "R-128", cost=cost)


def _when_to_buy(facts: RouteFacts) -> str:
    until = rebuy_until(facts.ends_on)
    if until is None or facts.ends_on is None:
        return "auto-renew off, then bought again; the end of its term is not known"
    if days_of_grace(facts.ends_on):
        return f"its term ends {facts.ends_on}; it must be bought again by {until}"
    return f"its term ends {facts.ends_on} without days of grace; it must be bought again that day"


def _manual(facts: RouteFacts, market: Market) -> Alternative:
    why = "a person can always do it, with evidence; the program knows nothing better"
    if market.billing_owners is False:
        why = "the indirect provider does it, and a person confirms it"
    is_purchase = facts.kind in {ProductKind.SOFTWARE, ProductKind.SAAS}
    if is_purchase:
        why = "canceled inside its window or left to run out, and bought again"
    wait = None if is_purchase else 0
    cost = RouteCost(overlap_days=None, days_to_wait=wait, loses_promotion=None, is_purchase=is_purchase)
    return _yes(Route.MANUAL, why, "R-142", "R-227", cost=cost)


def _keep(facts: RouteFacts, market: Market) -> Alternative:
    ends = facts.kind is not ProductKind.LEGACY_LICENSE and facts.terms is not None and not facts.terms.auto_renew
    left = _days_left(facts, market) if ends else None
    cost = RouteCost(price="the source tenant stays open" + (f" for {left} days" if left else ""))
    return _yes(Route.KEEP, "it can stay where it is and is billed there", "R-94", "R-199", cost=cost)


def _skip(facts: RouteFacts, market: Market) -> Alternative:
    choice = choose(facts, market)
    if choice.route is Route.SKIP:
        return _yes(Route.SKIP, choice.why, *choice.rules, cost=RouteCost())
    return _no(Route.SKIP, "it is in use or billed: leaving it out would forget it", "R-05")


_ASSESS: Mapping[Route, Callable[[RouteFacts, Market], Alternative]] = {
    Route.RECREATE: _recreate,
    Route.TRANSFER: _transfer,
    Route.AZURE_TRANSFER: _azure_transfer,
    Route.AZURE_SUPPORT: _azure_support,
    Route.EXPIRE_AND_REBUY: _expire_and_rebuy,
    Route.MANUAL: _manual,
    Route.KEEP: _keep,
    Route.SKIP: _skip,
}
_FIRM = frozenset({Route.RECREATE, Route.AZURE_TRANSFER, Route.KEEP, Route.SKIP})


def _confidence(choice: Choice, facts: RouteFacts, market: Market) -> Confidence:
    """Facts that nobody looked up come first: a documented rule on a guessed fact is a guess."""
    if _rests_on_missing_facts(choice.route, facts, market):
        return Confidence.FACTS_MISSING
    return Confidence.DOCUMENTED if choice.route in _FIRM else Confidence.PARTLY_CONFIRMED


def _rests_on_missing_facts(route: Route, facts: RouteFacts, market: Market) -> bool:
    if route is Route.MANUAL:
        return facts.kind is ProductKind.UNKNOWN or "R-227" in choose(facts, market).rules
    if route in {Route.TRANSFER, Route.AZURE_TRANSFER}:
        return market.billing_owners is None  # whether Microsoft allows it nobody can ask beforehand
    if route is Route.EXPIRE_AND_REBUY:
        return facts.ends_on is None
    return market.in_region is None and route not in {Route.SKIP, Route.KEEP}
