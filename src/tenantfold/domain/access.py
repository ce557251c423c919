"""Who may get into Azure before and after the move, as a list to tick off (domain room, R-172, R-182).

The bill moves, access does not: the old partner's foreign principal stays in the role assignments and the new partner
has none. Partner Center cannot read role assignments, so every tick here is what a person confirmed and nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tenantfold.domain.azure import AzureItem, AzureKind
from tenantfold.domain.evidence import Evidence, TaskKind
from tenantfold.domain.facts import TenantFacts
from tenantfold.domain.journal import OpKind, OutcomeKind
from tenantfold.domain.model import CustomerId, ProductKind, Route, SubscriptionId, TenantId
from tenantfold.domain.plan import PlanCustomer, PlanItem
from tenantfold.domain.records import Case
from tenantfold.domain.tasks import may_be_asked

_MOVES = frozenset({Route.AZURE_TRANSFER, Route.AZURE_SUPPORT})


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessLine:
    """One Azure subscription of the list. ``subscription_id`` is what it is under at the source.

    ``azure_id`` is empty and ``name`` says so where the inventory could not read what is under an Azure plan.
    ``asks_before``: whether the list of who has access is asked for before the move. The ticks are confirmations, None
    while nobody has confirmed.
    """

    customer_id: CustomerId
    company_name: str
    subscription_id: SubscriptionId
    azure_id: str
    name: str
    source_id: TenantId
    target_id: TenantId
    has_moved: bool
    asks_before: bool
    listed: Evidence | None
    removed: Evidence | None
    added: Evidence | None


def concerns(customer: PlanCustomer) -> bool:
    """Whether a customer may have lines: it has Azure with access of its own, and not only reservations."""
    return any(_asks_after(item) for item in customer.items)


def access_lines(case: Case, seen: Sequence[TenantFacts]) -> tuple[AccessLine, ...]:
    """The lines of a customer, item by item. ``seen``: what inventories found under its Azure, oldest first."""
    done = {one.source_id for one in case.counterparts if one.is_done}
    found: list[AccessLine] = []
    for item in case.customer.items:
        has_moved = item.subscription_id in done
        if not _asks_after(item) or (item.route not in _MOVES and not has_moved):
            continue
        ticks = {task: _tick(case, item, task) for task in TaskKind}
        found += [
            AccessLine(
                customer_id=case.customer.customer_id,
                company_name=case.customer.company_name,
                subscription_id=item.subscription_id,
                azure_id=azure_id,
                name=name,
                source_id=item.tenant_id,
                target_id=case.plan.header.target_id,
                has_moved=has_moved,
                asks_before=TaskKind.ACCESS_LISTED in dict(may_be_asked(item)),
                listed=ticks[TaskKind.ACCESS_LISTED],
                removed=ticks[TaskKind.OLD_ACCESS_REMOVED],
                added=ticks[TaskKind.NEW_ACCESS_ADDED],
            )
            for azure_id, name in _below(case, item, seen)
        ]
    return tuple(found)


def _asks_after(item: PlanItem) -> bool:
    return TaskKind.NEW_ACCESS_ADDED in dict(may_be_asked(item))


def _tick(case: Case, item: PlanItem, task: TaskKind) -> Evidence | None:
    """The newest confirmation of a task for an item."""
    mine = (one for one in reversed(case.evidence) if one.subscription_id == item.subscription_id)
    return next((one for one in mine if one.task is task), None)


def _below(case: Case, item: PlanItem, seen: Sequence[TenantFacts]) -> list[tuple[str, str]]:
    """Id and name of each Azure subscription of an item: what is there now, and what was given to a transfer.

    Where nothing is known of what is below a plan, one line says so (invariant 9): nobody may think that there is none.
    """
    reads = [one.azure for one in seen if one.tenant_id == item.tenant_id and one.azure is not None]
    ever = {one.id: one for read in reads for one in read if _is_below(one, item)}
    now = {one.id for one in (reads[-1] if reads else ()) if _is_below(one, item) and one.is_active}
    ids = sorted(now | _given(case, item, ever.keys()))
    if ids:
        return [(one, ever[one].name if one in ever else "") for one in ids]
    if item.kind is ProductKind.LEGACY_AZURE:
        own = item.terms.entitlement_id if item.terms is not None else ""
        return [(own or item.subscription_id, item.friendly_name or item.offer_name)]
    what = "nothing active below it" if reads else "not verified: what is below it was not read"
    return [("", f"{item.friendly_name or item.offer_name} ({what})")]


def _is_below(one: AzureItem, item: PlanItem) -> bool:
    return one.kind is AzureKind.SUBSCRIPTION and one.plan_id == item.subscription_id


def _given(case: Case, item: PlanItem, known: Collection[SubscriptionId]) -> set[SubscriptionId]:
    """The Azure subscriptions of an item that were given to a transfer: no inventory lists them at the source again."""
    return {
        entry
        for intent, outcome in case.settled
        if intent.kind is OpKind.SUBMIT_TRANSFER and outcome.kind is not OutcomeKind.FAILED
        for entry in intent.entries
        if item.subscription_id in intent.subjects and entry in known
    }
