"""The guide's list of customers to move (R-07), as ``plan --customers`` reads it back: contacts to be filled in."""

from __future__ import annotations

from collections.abc import AsyncIterator

from tenantfold.domain.records import Snapshot
from tenantfold.reports.tables import Column, Kind, Table
from tenantfold.store import RowSet, Store
from tenantfold.store.rows import Plain

MOVE_LIST = "list"

TABLE = Table(
    RowSet.CUSTOMERS,
    "Customers to move",
    "One row a customer of the source tenants; delete the rows of those who stay, fill in who accepted the agreement.",
    (
        Column("customer_id", "customer_id", Kind.TEXT, 38, "the customer's tenant id"),
        Column("company_name", "company_name", Kind.TEXT, 40, "as inventory saw it"),
        Column("contact_first_name", "contact_first_name", Kind.TEXT, 18, "who accepted the agreement: never invented"),
        Column("contact_last_name", "contact_last_name", Kind.TEXT, 18, "who accepted the agreement"),
        Column("contact_email", "contact_email", Kind.TEXT, 30, "who accepted the agreement"),
        Column("agreed_on", "agreed_on", Kind.TEXT, 12, "the day it was accepted, such as 2026-02-16"),
    ),
)


async def move_list_rows(store: Store) -> AsyncIterator[tuple[Plain, ...]]:
    """One row a source customer in id order, contact columns empty."""
    newest = [await store.newest_snapshot(tenant.id) for tenant in await store.tenants()]
    snapshots: list[Snapshot] = [one for one in newest if one is not None and one.completed_at is not None]
    async for entry in store.book(snapshots):
        name = next((one.company_name for one in entry.seen if one.company_name), "")
        yield (entry.customer_id, name, "", "", "", "")
