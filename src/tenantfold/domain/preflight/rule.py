"""What a preflight rule is, the table of all of them, and how they are asked (domain room, preflight)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from tenantfold.domain.findings import Finding, FindingCode, Severity
from tenantfold.domain.model import Route
from tenantfold.domain.plan import PlanItem
from tenantfold.domain.preflight.review import Review
from tenantfold.domain.states import Owner

UNTIL_SETTLED = "it holds until it is settled"
_NEVER = 9999  # the year of the last day of what has no end (commerce reference 3.2)


class Topic(StrEnum):
    """What a rule is about; one module and one table of the reference page each."""

    PLACE = "Region, country and cloud"
    AGREEMENT = "Agreement and partner ids"
    OFFERS = "Offers, mapping and add-ons"
    CAPACITY = "How much a customer may hold"
    MONEY = "Price, promotions and end dates"
    AZURE = "Azure"
    SIDES = "Both sides, transfers and kinds of products"
    WHOLE = "The customer as a whole"


@dataclass(frozen=True, slots=True)
class Said:
    """What a rule found: the sentence, the estimated date, and the next action where the usual one does not fit."""

    detail: str
    on: date | None = None
    how: str = ""


@dataclass(frozen=True, slots=True)
class Unverified:
    """A rule could not be asked: which fact is missing, and the estimated date where one is known (invariant 9)."""

    fact: str
    on: date | None = None


Answer = Said | Unverified | None
CustomerCheck = Callable[[Review], Answer]
ItemCheck = Callable[[Review, PlanItem], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row of the table; ``name`` and ``about`` are the name and docstring of its function.

    ``routes`` are the routes whose items it is asked of; empty for a rule about customers.

    ``rules`` are rule numbers, the first leads; ``how`` is the usual next action; ``needs`` names the optional fact it
    rests on, empty when the inventory always has it. ``when`` says what the estimated date is; where no fact gives a
    day (``is_dated`` is False), by when it must be settled instead.
    """

    topic: Topic
    code: FindingCode
    severity: Severity
    rules: tuple[str, ...]
    owner: Owner
    how: str
    name: str = ""
    about: str = ""
    when: str = UNTIL_SETTLED
    is_dated: bool = False
    needs: str = ""
    routes: tuple[Route, ...] = ()
    of_customer: CustomerCheck | None = None
    of_item: ItemCheck | None = None

    def finding(self, answer: Said | Unverified) -> Finding:
        """The answer as a finding, with what the table says of this rule. What only informs still does unverified."""
        if isinstance(answer, Unverified):
            return Finding(
                code=FindingCode.NOT_VERIFIED,
                severity=Severity.NOTE if self.severity is Severity.NOTE else Severity.WARNING,
                rule=self.rules[0],
                detail=f"Not verified: {answer.fact}",
                owner=Owner.OPERATIONS,
                next_action=f"Look it up in Partner Center. If it holds: {self.how}",
                estimated_on=_day(answer.on),
            )
        return Finding(
            code=self.code,
            severity=self.severity,
            rule=self.rules[0],
            detail=answer.detail,
            owner=self.owner,
            next_action=answer.how or self.how,
            estimated_on=_day(answer.on),
        )


def _day(on: date | None) -> date | None:
    """An estimated date, but for the far day that stands for no end."""
    return None if on is None or on.year >= _NEVER else on


RULES: list[Rule] = []  # in the order of the modules, which is the order in which they are asked
_CUSTOMER_CHECKS: list[tuple[Rule, CustomerCheck]] = []
_ITEM_CHECKS: dict[Route, list[tuple[Rule, ItemCheck]]] = {route: [] for route in Route}


def customer_rule(rule: Rule) -> Callable[[CustomerCheck], CustomerCheck]:
    """Register a function as a rule about customers."""

    def register(check: CustomerCheck) -> CustomerCheck:
        whole = replace(rule, name=check.__name__, about=_about(check.__doc__), of_customer=check)
        RULES.append(whole)
        _CUSTOMER_CHECKS.append((whole, check))
        return check

    return register


def item_rule(rule: Rule) -> Callable[[ItemCheck], ItemCheck]:
    """Register a function as a rule about the items of its routes."""

    def register(check: ItemCheck) -> ItemCheck:
        whole = replace(rule, name=check.__name__, about=_about(check.__doc__), of_item=check)
        RULES.append(whole)
        for route in rule.routes:
            _ITEM_CHECKS[route].append((whole, check))
        return check

    return register


def planner_rule(rule: Rule) -> Rule:
    """Register a rule that the planner itself answers, when it decides about the customer as a whole."""
    RULES.append(rule)
    return rule


def _about(docstring: str | None) -> str:
    return " ".join((docstring or "").split())


def with_findings(review: Review) -> tuple[PlanItem, ...]:
    """The items with what the rules say about each."""
    return tuple(_checked(review, item) for item in review.items)


def _checked(review: Review, item: PlanItem) -> PlanItem:
    if is_ordinary(review, item):
        return item
    found = [
        rule.finding(answer) for rule, check in _ITEM_CHECKS[item.route] if (answer := check(review, item)) is not None
    ]
    return replace(item, findings=(*item.findings, *found)) if found else item


def is_ordinary(review: Review, item: PlanItem) -> bool:
    """Whether no rule can speak of an item: the same offer, sold without limits that it meets, and nothing beside it.

    Nearly all legacy licenses are; asking every rule of half a million of them would be a third of all planning.
    """
    offer_id = item.offer_id
    if item.target_offer_id != offer_id or item.route is not Route.RECREATE or review.offers is None:
        return False
    if review.free or review.unverified:
        return False
    offer = review.offers.get(offer_id)
    return (
        offer is not None
        and item.target_id is None
        and item.parent_id is None
        and offer.limit_unit == "None"
        and item.billing_cycle in offer.billing_cycles
        and offer.minimum_quantity <= item.license_count <= offer.maximum_quantity
    )


def customer_findings(review: Review) -> tuple[Finding, ...]:
    """Everything about the customer as a whole that an approver must know."""
    return tuple(rule.finding(answer) for rule, check in _CUSTOMER_CHECKS if (answer := check(review)) is not None)
