"""The sheets of the workbook (reports room): every table, and why each subscription of the plan goes as it does.

The ledger keeps what was decided; rules, cost and confidence of the ways are worked out while the rows stream by.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

from tenantfold.domain.model import SubscriptionId
from tenantfold.domain.plan import PlanCustomer, PlanItem
from tenantfold.domain.weighing import Weighing
from tenantfold.reports import delegated_admin
from tenantfold.reports.tables import TABLES, Column, Kind, Table, table_rows
from tenantfold.store import COLUMNS, RowSet, Store
from tenantfold.store.rows import Plain

_CUSTOMER, _SUBSCRIPTION = (list(COLUMNS[RowSet.PLAN]).index(key) for key in ("customer_id", "subscription_id"))
_WHY = (
    Column("route_rules", "Rules of the route", Kind.TEXT, 16, "the rules the choice of the route rests on"),
    Column("confidence", "Confidence", Kind.TEXT, 18, "documented, partly_confirmed or facts_missing"),
    Column("route_cost", "Cost of the route", Kind.TEXT, 40, "days billed twice and to wait, promotion, price"),
    Column("alternative", "Best alternative", Kind.TEXT, 17, "the best other way that is possible; empty without"),
    Column("alternative_cost", "Cost of the alternative", Kind.TEXT, 40, "the same of that route"),
)
_PLAN = TABLES[RowSet.PLAN.value]
PLAN_SHEET: Table = replace(_PLAN, columns=(*_PLAN.columns, *_WHY))
"""The plan as it is exported: the store's columns, then the reasons."""


def sheet(store: Store, table: Table, weighing: Weighing | None) -> tuple[Table, AsyncIterator[tuple[Plain, ...]]]:
    """A table with its rows as it is written to a file; ``weighing`` is None while there is no plan."""
    if table.name is RowSet.PLAN and weighing is not None:
        return PLAN_SHEET, _weighed_rows(store, weighing)
    return table, table_rows(store, table)


def all_sheets(
    store: Store, weighing: Weighing | None, admin_center: str | None = None
) -> list[tuple[Table, AsyncIterator[tuple[Plain, ...]]]]:
    """Every table with its rows, in the order of the workbook.

    ``admin_center`` is where customers approve delegated admin access; None: it is not asked for.
    """
    sheets = [sheet(store, table, weighing) for table in TABLES.values()]
    if admin_center is not None:
        sheets.append((delegated_admin.TABLE, delegated_admin.access_rows(store, admin_center)))
    return sheets


async def _weighed_rows(store: Store, weighing: Weighing) -> AsyncIterator[tuple[Plain, ...]]:
    """The rows of the plan with the reasons; both streams go forward by customer id, one batch of each in memory."""
    customers = _Customers(store)
    async for row in table_rows(store, _PLAN):
        customer, items = await customers.reach(str(row[_CUSTOMER]))
        item = items.get(SubscriptionId(str(row[_SUBSCRIPTION])))
        if customer is None or item is None:
            yield (*row, *("" for _ in _WHY))
        else:
            yield (*row, *_why(weighing, item, customer.country))


class _Customers:
    """The customers of the newest plan, followed beside its rows."""

    def __init__(self, store: Store) -> None:
        self._customers = _newest(store)
        self._current: PlanCustomer | None = None
        self._items: Mapping[SubscriptionId, PlanItem] = {}
        self._is_over = False

    async def reach(self, customer_id: str) -> tuple[PlanCustomer | None, Mapping[SubscriptionId, PlanItem]]:
        """The customer with this id and its items; None where the plan was replaced meanwhile and lacks it."""
        while not self._is_over and (self._current is None or self._current.customer_id < customer_id):
            self._current = await anext(self._customers, None)
            self._is_over = self._current is None
            self._items = {one.subscription_id: one for one in self._current.items} if self._current else {}
        is_here = self._current is not None and self._current.customer_id == customer_id
        return (self._current, self._items) if is_here else (None, {})


async def _newest(store: Store) -> AsyncIterator[PlanCustomer]:
    plan = await store.newest_plan()
    if plan is not None:
        async for customer in store.plan_customers(plan.id):
            yield customer


def _why(weighing: Weighing, item: PlanItem, country: str) -> tuple[str, ...]:
    weighed = weighing.of(item, country)
    other = weighed.best_alternative()
    return (
        " ".join(weighed.choice.rules),
        weighed.confidence.value,
        weighed.cost.words(),
        other.route.value if other else "",
        other.cost.words() if other and other.cost else "",
    )
