"""Store: read models for reports: named streams of rows with documented columns and plain values.

Every stream goes forward by key, never by OFFSET, so that its cost per row stays the same at any depth. The key of
all but the journal is the customer id: a page holds whole customers, and ``limit`` counts customers, not rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Join, ScalarSelect, Select, Table, func, select

from tenantfold.domain.findings import Finding
from tenantfold.domain.plan import PlanCustomer
from tenantfold.store import codec, tables
from tenantfold.store.book import (
    Shelf,
    company_names_of,
    customers_of,
    newest_shelves,
    next_customers,
    subscription_cells_of,
)
from tenantfold.store.plans import customers_batch, newest_plan_id

Plain = str | int | bool | datetime | date | None


class RowSet(StrEnum):
    """The streams there are."""

    CUSTOMERS = "customers"
    SUBSCRIPTIONS = "subscriptions"
    PLAN = "plan"
    FINDINGS = "findings"
    RESULTS = "results"
    JOURNAL = "journal"


@dataclass(frozen=True, slots=True)
class RowPage:
    """Some rows, and the key to go on after (None at the end)."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Plain, ...], ...]
    next_after: str | None


COLUMNS: dict[RowSet, dict[str, str]] = {
    RowSet.CUSTOMERS: {
        "customer_id": "the customer's tenant id",
        "company_name": "as this partner tenant shows it",
        "domain": "the customer's default domain",
        "country": "two letters; empty when the API withholds it",
        "tenant": "short name of the partner tenant that sees the customer",
        "side": "source or target",
        "relationship": "the customer's relationship to this partner tenant",
        "email": "of the customer's contact",
        "reading": "listed (details missing), read, or unread (could not be read)",
        "reason": "why it could not be read",
        "snapshot": "number of the snapshot",
    },
    RowSet.SUBSCRIPTIONS: {
        "customer_id": "the customer's tenant id",
        "company_name": "as this partner tenant shows it",
        "tenant": "short name of the partner tenant",
        "side": "source or target",
        "subscription_id": "id at this partner tenant",
        "offer_id": "catalog id",
        "offer_name": "catalog name",
        "friendly_name": "name given by the partner",
        "license_count": "licenses",
        "wire_status": "status as Partner Center says it",
        "billing_type": "license or usage, as Partner Center says it",
        "billing_cycle": "as Partner Center says it",
        "term_duration": "ISO 8601 duration; empty when there is none",
        "commitment_end_on": "UTC day the term ends",
        "is_trial": "whether it is a trial",
        "parent_id": "the base subscription of an add-on",
        "partner_id_on_record": "indirect reseller on record",
        "order_id": "the order that created it",
        "created_at": "UTC time of creation",
    },
    RowSet.PLAN: {
        "customer_id": "the customer's tenant id",
        "company_name": "as planned",
        "country": "two letters",
        "disposition": "move, blocked, nothing_to_move or moved",
        "customer_findings": "codes of what was found about the customer",
        "tenant": "short name of the source tenant",
        "subscription_id": "the source subscription; empty for a customer without any",
        "offer_id": "what it is now",
        "offer_name": "its name",
        "friendly_name": "name given by the partner",
        "license_count": "licenses",
        "billing_cycle": "as Partner Center says it",
        "wire_status": "status when it was planned",
        "route": "how it gets to the target",
        "target_offer_id": "what will be ordered",
        "target_offer_name": "its name",
        "target_id": "target subscription that stands for it already",
        "parent_id": "the base subscription of an add-on",
        "item_findings": "codes of what was found about the subscription",
    },
    RowSet.FINDINGS: {
        "customer_id": "the customer's tenant id",
        "company_name": "as planned",
        "disposition": "move, blocked, nothing_to_move or moved",
        "tenant": "short name of the source tenant; empty for a finding about the customer as a whole",
        "subscription_id": "the source subscription; empty for a finding about the customer as a whole",
        "offer_name": "its name",
        "severity": "blocker, warning or note",
        "code": "what was found (docs/reference/errors.md)",
        "rule": "the rule it rests on",
        "detail": "what was found, in a sentence",
        "owner": "who must act",
        "next_action": "what they must do",
        "estimated_on": "UTC day it takes effect or must be settled by; empty where none follows from what is known",
    },
    RowSet.RESULTS: {
        "customer_id": "the customer's tenant id",
        "company_name": "as planned",
        "tenant": "short name of the source tenant",
        "subscription_id": "the source subscription",
        "offer_id": "what it is",
        "offer_name": "its name",
        "license_count": "licenses",
        "route": "how it gets to the target",
        "target_id": "the target subscription that stands for it",
        "origin": "created (ordered by us), adopted (was there), transferred, merged, rebought or by_hand",
        "cutover_on": "UTC day we created the target subscription",
        "verified_at": "UTC time the target was read back active and equal",
        "suspended_at": "UTC time the source was read back suspended (created and adopted only)",
        "phase": "how far the customer is",
        "reason": "why it is there",
        "owner": "who must act next",
        "next_action": "what they must do",
    },
    RowSet.JOURNAL: {
        "number": "order of the intents",
        "key": "derived key of the intent",
        "request_id": "what Microsoft saw as MS-RequestId",
        "plan": "number of the plan",
        "customer_id": "the customer's tenant id",
        "tenant_id": "the partner tenant written to",
        "kind": "what was to be done",
        "generation": "failed attempts before this one",
        "subjects": "source subscriptions it is for",
        "intended_at": "UTC time of the intent",
        "outcome": "done, adopted or failed; empty while its effect is unknown",
        "settled_at": "UTC time of the outcome",
        "order_id": "order at Microsoft",
        "code": "Microsoft's code of a refusal",
        "detail": "what was said",
    },
}

Rows = list[tuple[Plain, ...]]

_CUSTOMER_ID = itemgetter(0)
_OF_THE_SHELF = ("customer_id", "company_name", "tenant", "side")
# the columns of a subscription that come from it alone, by the names of its fields
_HELD = (
    "customer_id",
    *(
        "id" if name == "subscription_id" else name
        for name in COLUMNS[RowSet.SUBSCRIPTIONS]
        if name not in _OF_THE_SHELF
    ),
)


def row_page(conn: Connection, name: RowSet, after: str, limit: int) -> RowPage:
    """The next page of a stream after a key ("" from the start)."""
    rows, next_after = _READERS[name](conn, after, limit)
    return RowPage(columns=tuple(COLUMNS[name]), rows=tuple(rows), next_after=next_after)


def _customers(conn: Connection, after: str, limit: int) -> tuple[Rows, str | None]:
    shelves = newest_shelves(conn, complete=True)
    ids = next_customers(conn, shelves, after, limit)
    keyed = [
        (
            customer.id,
            customer.company_name,
            customer.domain,
            customer.country,
            shelf.key,
            shelf.role.value,
            customer.relationship,
            customer.email,
            state,
            reason,
            shelf.number,
        )
        for shelf in shelves
        for customer, state, reason in customers_of(conn, shelf, ids)
    ]
    return sorted(keyed, key=_CUSTOMER_ID), _next_after(ids, limit)


def _subscriptions(conn: Connection, after: str, limit: int) -> tuple[Rows, str | None]:
    shelves = newest_shelves(conn, complete=True)
    ids = next_customers(conn, shelves, after, limit)
    keyed = [row for shelf in shelves for row in _subscription_rows(conn, shelf, ids)]
    return sorted(keyed, key=_CUSTOMER_ID), _next_after(ids, limit)


def _subscription_rows(conn: Connection, shelf: Shelf, ids: Sequence[str]) -> Rows:
    names = company_names_of(conn, shelf, ids)
    begin = {customer_id: (customer_id, name, shelf.key, shelf.role.value) for customer_id, name in names.items()}
    return [begin[held[0]] + held[1:] for held in subscription_cells_of(conn, shelf, ids, _HELD)]


def _plan(conn: Connection, after: str, limit: int) -> tuple[Rows, str | None]:
    plan_id = newest_plan_id(conn)
    customer, item, tenant = tables.plan_customer, tables.plan_item, tables.tenant
    ids = _next_ids(conn, customer, after, limit, plan_id)
    query = (
        select(
            customer.c.customer_id,
            customer.c.company_name,
            customer.c.country,
            customer.c.disposition,
            customer.c.findings,
            tenant.c.key,
            item.c.subscription_id,
            item.c.offer_id,
            item.c.offer_name,
            item.c.friendly_name,
            item.c.license_count,
            item.c.billing_cycle,
            item.c.wire_status,
            item.c.route,
            item.c.target_offer_id,
            item.c.target_offer_name,
            item.c.target_id,
            item.c.parent_id,
            item.c.findings,
        )
        .select_from(customer.outerjoin(item).outerjoin(tenant, tenant.c.id == item.c.tenant_id))
        .where(customer.c.plan_id == plan_id, customer.c.customer_id.in_(ids))
        .order_by(customer.c.customer_id, item.c.subscription_id)
    )
    return [tuple(row) for row in conn.execute(query)], _next_after(ids, limit)


def _findings(conn: Connection, after: str, limit: int) -> tuple[Rows, str | None]:
    """The newest plan, finding by finding: the customer's own first, then those of each subscription."""
    customers = customers_batch(conn, newest_plan_id(conn) or 0, None, after, limit)
    keys = {row[0]: row[1] for row in conn.execute(select(tables.tenant.c.id, tables.tenant.c.key))}
    rows = [row for one in customers for row in _findings_of(one, keys)]
    return rows, _next_after([one.customer_id for one in customers], limit)


def _findings_of(customer: PlanCustomer, keys: Mapping[str, str]) -> Iterator[tuple[Plain, ...]]:
    start = (customer.customer_id, customer.company_name, customer.disposition.value)
    for finding in customer.findings:
        yield (*start, None, None, None, *_told(finding))
    for item in customer.items:
        for finding in item.findings:
            place = (keys.get(item.tenant_id, item.tenant_id), item.subscription_id, item.offer_name)
            yield (*start, *place, *_told(finding))


def _told(finding: Finding) -> tuple[Plain, ...]:
    return (
        finding.severity.value,
        finding.code.value,
        finding.rule,
        finding.detail,
        finding.owner.value,
        finding.next_action,
        finding.estimated_on,
    )


def _results(conn: Connection, after: str, limit: int) -> tuple[Rows, str | None]:
    """Items of the newest plan each customer is in, and what moved before that plan and is in it no more."""
    progress, customer, item = tables.progress, tables.plan_customer, tables.plan_item
    counterpart = tables.counterpart
    ids = _next_ids(conn, progress, after, limit)
    of_plan = (customer.c.plan_id == progress.c.plan_id) & (customer.c.customer_id == progress.c.customer_id)
    planned = (
        progress.join(customer, of_plan)
        .join(item)
        .outerjoin(counterpart, counterpart.c.source_id == item.c.subscription_id)
    )
    was_planned = (
        (item.c.plan_id == _last_plan_with(counterpart, progress))
        & (item.c.plan_id != progress.c.plan_id)
        & (item.c.customer_id == counterpart.c.customer_id)
        & (item.c.subscription_id == counterpart.c.source_id)
    )
    before = (
        counterpart.join(progress, progress.c.customer_id == counterpart.c.customer_id)
        .join(customer, of_plan)
        .join(item, was_planned)
    )
    mine = progress.c.customer_id.in_(ids)
    rows = [tuple(row) for one in (planned, before) for row in conn.execute(_result_rows(one).where(mine))]
    return sorted(rows, key=lambda row: (row[0], row[3])), _next_after(ids, limit)


def _last_plan_with(counterpart: Table, progress: Table) -> ScalarSelect[int]:
    """The newest plan that lists the source subscription of a counterpart: one seek in each plan."""
    plan, listed = tables.plan, tables.plan_item.alias("listed")
    is_it = (
        (listed.c.plan_id == plan.c.id)
        & (listed.c.customer_id == counterpart.c.customer_id)
        & (listed.c.subscription_id == counterpart.c.source_id)
    )
    return (
        select(func.max(plan.c.id))
        .select_from(plan.join(listed, is_it))
        .where(plan.c.complete, plan.c.id <= progress.c.plan_id)
        .correlate(counterpart, progress)
        .scalar_subquery()
    )


def _result_rows(joined: Join) -> Select[Any]:
    progress, customer, item = tables.progress, tables.plan_customer, tables.plan_item
    tenant, counterpart = tables.tenant, tables.counterpart
    return select(
        customer.c.customer_id,
        customer.c.company_name,
        tenant.c.key,
        item.c.subscription_id,
        item.c.offer_id,
        item.c.offer_name,
        item.c.license_count,
        item.c.route,
        counterpart.c.target_id,
        counterpart.c.origin,
        counterpart.c.cutover_on,
        counterpart.c.verified_at,
        counterpart.c.suspended_at,
        progress.c.phase,
        progress.c.detail,
        progress.c.owner,
        progress.c.next_action,
    ).select_from(joined.outerjoin(tenant, tenant.c.id == item.c.tenant_id))


def _journal(conn: Connection, after: str, limit: int) -> tuple[Rows, str | None]:
    intent, outcome = tables.intent, tables.outcome
    query = (
        select(intent.c.seq, intent.c.value, outcome.c.value)
        .select_from(intent.outerjoin(outcome))
        .where(intent.c.seq > int(after or 0))
        .order_by(intent.c.seq)
        .limit(limit)
    )
    found = [(row[0], codec.intents([row[1]])[0], row[2]) for row in conn.execute(query)]
    rows: Rows = []
    for number, wish, settled in found:
        end = codec.outcomes([settled])[0] if settled is not None else None
        rows.append(
            (
                number,
                wish.key,
                str(wish.request_id),
                wish.plan_id,
                wish.customer_id,
                wish.tenant_id,
                wish.kind.value,
                wish.generation,
                " ".join(wish.subjects),
                wish.at,
                end.kind.value if end else None,
                end.at if end else None,
                (end.order_id if end else None) or wish.order_id,
                end.code if end else None,
                end.detail if end else None,
            )
        )
    return rows, str(found[-1][0]) if len(found) == limit else None


def _next_ids(conn: Connection, table: Table, after: str, limit: int, plan_id: int | None = None) -> list[str]:
    query = select(table.c.customer_id).where(table.c.customer_id > after)
    if table is tables.plan_customer:
        query = query.where(table.c.plan_id == plan_id)
    return list(conn.execute(query.order_by(table.c.customer_id).limit(limit)).scalars())


def _next_after(ids: Sequence[str], limit: int) -> str | None:
    return ids[-1] if len(ids) == limit else None


_READERS: dict[RowSet, Callable[[Connection, str, int], tuple[Rows, str | None]]] = {
    RowSet.CUSTOMERS: _customers,
    RowSet.SUBSCRIPTIONS: _subscriptions,
    RowSet.PLAN: _plan,
    RowSet.FINDINGS: _findings,
    RowSet.RESULTS: _results,
    RowSet.JOURNAL: _journal,
}
