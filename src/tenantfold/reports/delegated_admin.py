"""Delegated admin access as a sheet of the workbook and a section of the page (reports room). Reads the ledger only.

One row a customer: those that are to move by the newest plan, and those that were ever asked. Whoever calls this looks
at the settings first: where it is not asked for, nothing of it is shown.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from tenantfold.domain.gdap import GdapCase, GdapCondition, approval_link
from tenantfold.domain.gdap_overview import NEXT, asked_roles, group_words
from tenantfold.domain.plan import Disposition
from tenantfold.domain.states import Owner
from tenantfold.reports.report_data import AccessLine, AccessPart
from tenantfold.reports.tables import Column, Kind, Table
from tenantfold.store import RowSet, Store
from tenantfold.store.rows import Plain

LISTED = 1_000  # customers on the page; the workbook has everybody
_ID = 38
TABLE = Table(
    RowSet.PLAN,
    "Delegated admin",
    "Delegated admin access (GDAP) of the target: one row a customer, as the last check saw it.",
    (
        Column("customer_id", "Customer id", Kind.TEXT, _ID, "the customer's tenant id"),
        Column("company_name", "Company", Kind.TEXT, 32, "as inventory saw it"),
        Column("condition", "Condition", Kind.TEXT, 20, "where the customer stands"),
        Column("why", "Why", Kind.TEXT, 48, "why it stands there"),
        Column("owner", "Owner", Kind.TEXT, 12, "who must act next"),
        Column("next_action", "Next action", Kind.TEXT, 48, "what they must do"),
        Column("roles", "Roles", Kind.TEXT, 48, "what the customer was asked for"),
        Column("groups", "Groups", Kind.TEXT, 60, "groups whose access was read active, with their roles"),
        Column("due_at", "Open until (UTC)", Kind.TIME, 19, "when a request that nobody answers expires"),
        Column("ends_at", "Ends (UTC)", Kind.TIME, 19, "when the relationship ends"),
        Column("link", "Link", Kind.TEXT, 60, "where this customer approves; for this customer only (R-104)"),
        Column("checked_at", "Checked (UTC)", Kind.TIME, 19, "when it was last looked at"),
    ),
)


async def access_part(store: Store, admin_center: str) -> AccessPart:
    """The section of the page: counts, and the customers that need somebody first."""
    plan = await store.newest_plan()
    kept: dict[GdapCondition, list[AccessLine]] = {condition: [] for condition in NEXT}
    left_out = 0
    async for line in access_lines(store, admin_center):
        if len(kept[line.condition]) < LISTED:
            kept[line.condition].append(line)
        else:
            left_out += 1
    lines = [line for condition in NEXT for line in kept[condition]]
    overview = await store.gdap_overview(plan.id if plan is not None else None)
    return AccessPart(
        counts=overview.counts,
        checked_at=overview.checked_at,
        customers=tuple(lines[:LISTED]),
        customers_left_out=left_out + len(lines[LISTED:]),
    )


async def access_rows(store: Store, admin_center: str) -> AsyncIterator[tuple[Plain, ...]]:
    """Everybody as rows of the table, in id order."""
    async for one in access_lines(store, admin_center):
        yield (
            one.customer_id,
            one.company_name,
            one.condition.value,
            one.reason,
            one.owner.value,
            one.next_action,
            ", ".join(one.roles),
            "; ".join(one.groups),
            one.due_at,
            one.ends_at,
            one.link,
            one.checked_at,
        )


async def access_lines(store: Store, admin_center: str) -> AsyncIterator[AccessLine]:
    """Everybody in id order: the newest plan's customers to move and those with a request, each once."""
    cases = _cases(store)
    case = await anext(cases, None)
    async for unasked in _to_move(store):
        while case is not None and case.customer_id < unasked.customer_id:
            yield _line(case, admin_center)
            case = await anext(cases, None)
        if case is None or case.customer_id != unasked.customer_id:
            yield _line(unasked, admin_center)
    while case is not None:
        yield _line(case, admin_center)
        case = await anext(cases, None)


async def _to_move(store: Store) -> AsyncIterator[GdapCase]:
    plan = await store.newest_plan()
    if plan is not None:
        async for one in store.plan_customers(plan.id, Disposition.MOVE):
            yield GdapCase(customer_id=one.customer_id, company_name=one.company_name)


async def _cases(store: Store) -> AsyncIterator[GdapCase]:
    after = ""
    while page := await store.gdap_cases(after):
        for case in page:
            yield case
        after = page[-1].customer_id


def _line(case: GdapCase, admin_center: str) -> AccessLine:
    standing = case.standing
    if standing is None:
        owner, next_action = NEXT[GdapCondition.NOT_REQUESTED]
        return AccessLine(
            customer_id=case.customer_id,
            company_name=case.company_name,
            condition=GdapCondition.NOT_REQUESTED,
            owner=owner,
            next_action=next_action,
        )
    waits = standing.condition is GdapCondition.WAITS_FOR_CUSTOMER
    known = standing.relationship_id
    return AccessLine(
        customer_id=case.customer_id,
        company_name=case.company_name,
        condition=standing.condition,
        reason="" if standing.owner is Owner.NOBODY else standing.detail,
        owner=standing.owner,
        next_action=standing.next_action,
        roles=asked_roles(case),
        groups=group_words(case),
        due_at=standing.due_at,
        ends_at=standing.ends_at,
        link=approval_link(admin_center, known) if waits and known is not None and admin_center else "",
        checked_at=case.checked_at,
    )
