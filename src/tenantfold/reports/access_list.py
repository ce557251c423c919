"""The list of who may get into Azure, to be ticked off before and after the move (reports room, R-172, R-182).

One row an Azure subscription. Partner Center cannot read role assignments: the ticks are what persons confirmed with
``tenantfold tasks done``, and every row says so.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from tenantfold.domain.access import AccessLine, access_lines, concerns
from tenantfold.domain.evidence import Evidence
from tenantfold.domain.model import Tenant, TenantId
from tenantfold.reports.tables import Column, Kind, Table
from tenantfold.store import RowSet, Store
from tenantfold.store.rows import Plain

OPEN = "open"
BLIND = "Partner Center cannot read Azure role assignments; a tick is what a person confirmed."
_ID = 38
_NOT_YET = "after the move"
_NOT_ASKED = "not asked for on this route"
TABLE = Table(
    RowSet.PLAN,
    "Azure access",
    "Who may get into the Azure subscriptions, before and after the move: to be ticked off by persons.",
    (
        Column("company_name", "Customer", Kind.TEXT, 40, "as inventory saw it"),
        Column("customer_id", "Customer Microsoft ID", Kind.TEXT, _ID, "the customer's tenant id"),
        Column("azure_name", "Azure subscription", Kind.TEXT, 32, "its name, as inventory saw it"),
        Column("azure_id", "Azure subscription ID", Kind.TEXT, _ID, "the same on both sides"),
        Column("subscription_id", "Under", Kind.TEXT, _ID, "the source subscription that tasks done names"),
        Column("old_partner", "Old partner", Kind.TEXT, 30, "the source tenant"),
        Column("old_partner_id", "Old partner Microsoft ID", Kind.TEXT, _ID, "its tenant id"),
        Column("new_partner", "New partner", Kind.TEXT, 30, "the target tenant"),
        Column("new_partner_id", "New partner Microsoft ID", Kind.TEXT, _ID, "its tenant id"),
        Column("has_moved", "Moved", Kind.YES_NO, 8, "whether the ledger calls it moved"),
        Column("before", "Check before the move", Kind.TEXT, 60, "what to look at in the Azure portal"),
        Column("listed", "access_listed", Kind.TEXT, 34, "when and by whom it was confirmed"),
        Column("after", "Check after the move", Kind.TEXT, 60, "what to look at in the Azure portal"),
        Column("removed", "old_access_removed", Kind.TEXT, 34, "when and by whom it was confirmed"),
        Column("added", "new_access_added", Kind.TEXT, 34, "when and by whom it was confirmed"),
        Column("note", "What the ticks rest on", Kind.TEXT, 60, "what no call can show"),
    ),
)


async def lines_of(store: Store, plan_id: int) -> AsyncIterator[AccessLine]:
    """The lines of all customers of a plan, in id order. Customers without Azure cost no look at their case."""
    async for customer in store.plan_customers(plan_id):
        case = await store.case(customer.customer_id) if concerns(customer) else None
        if case is not None:
            for line in access_lines(case, await store.facts_ever_seen(customer.customer_id)):
                yield line


async def access_rows(
    store: Store, plan_id: int, tenants: Mapping[TenantId, Tenant]
) -> AsyncIterator[tuple[Plain, ...]]:
    """The same as rows of the table."""
    async for line in lines_of(store, plan_id):
        yield cells_of(line, tenants)


def cells_of(line: AccessLine, tenants: Mapping[TenantId, Tenant]) -> tuple[Plain, ...]:
    """One line as a row of the table."""
    old, new = _name(line.source_id, tenants), _name(line.target_id, tenants)
    return (
        line.company_name,
        line.customer_id,
        line.name,
        line.azure_id,
        line.subscription_id,
        old,
        line.source_id,
        new,
        line.target_id,
        line.has_moved,
        f"List every role assignment; mark the foreign principal of {old} and what depends on it.",
        _tick(line.listed) if line.asks_before or line.listed else _NOT_ASKED,
        f"The foreign principal of {old} is gone; that of {new} has the role it needs (R-172, R-204).",
        _tick(line.removed) if line.has_moved or line.removed else _NOT_YET,
        _tick(line.added) if line.has_moved or line.added else _NOT_YET,
        BLIND,
    )


def _tick(evidence: Evidence | None) -> str:
    return OPEN if evidence is None else f"{evidence.at:%Y-%m-%d} by {evidence.by}"


def _name(tenant_id: TenantId, tenants: Mapping[TenantId, Tenant]) -> str:
    tenant = tenants.get(tenant_id)
    return tenant_id if tenant is None else tenant.name or tenant.key
