"""Store: reading snapshots: the book of customers over all tenants, catalogs and the search."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, and_, bindparam, case, func, select, union

from tenantfold.domain.facts import TenantFacts
from tenantfold.domain.model import (
    Customer,
    CustomerId,
    Offer,
    Subscription,
    SubscriptionId,
    TenantId,
    TenantRole,
    WireStatus,
)
from tenantfold.domain.records import BookEntry, Snapshot
from tenantfold.store import codec, tables
from tenantfold.store.snapshots import LISTED, READ, snapshot_id

BOOK_BATCH = 500  # customers held in memory at a time
FOUND_LIMIT = 50
_NOT_READ_YET = "not read yet"

_customer = tables.snapshot_customer.c
_subscription = tables.snapshot_subscription.c
_fact = tables.snapshot_fact.c
# a range and not a list of ids: rendering five hundred parameters costs as much as reading the rows
_CUSTOMERS_OF = (
    select(_customer.customer_id, _customer.value, _customer.state, _customer.reason)
    .where(
        _customer.snapshot_id == bindparam("snapshot_id"),
        _customer.customer_id >= bindparam("first"),
        _customer.customer_id <= bindparam("last"),
    )
    .order_by(_customer.customer_id)
)
_NAMES_OF = select(_customer.customer_id, _customer.company_name).where(
    _customer.snapshot_id == bindparam("snapshot_id"),
    _customer.customer_id >= bindparam("first"),
    _customer.customer_id <= bindparam("last"),
)
_SUBSCRIPTIONS_OF = (
    select(_subscription.customer_id, _subscription.value)
    .where(
        _subscription.snapshot_id == bindparam("snapshot_id"),
        _subscription.customer_id >= bindparam("first"),
        _subscription.customer_id <= bindparam("last"),
    )
    .order_by(_subscription.customer_id, _subscription.id)
)

_FACTS_OF = (
    select(_fact.customer_id, _fact.value)
    .where(
        _fact.snapshot_id == bindparam("snapshot_id"),
        _fact.customer_id >= bindparam("first"),
        _fact.customer_id <= bindparam("last"),
    )
    .order_by(_fact.customer_id)
)


@dataclass(frozen=True, slots=True)
class Shelf:
    """One snapshot to read from: its row, whose it is and on which side."""

    row_id: int
    tenant_id: TenantId
    key: str
    role: TenantRole
    number: int


def shelves_of(conn: Connection, snapshots: Sequence[Snapshot]) -> list[Shelf]:
    """The given snapshots, in the given order. StoreError when the ledger lacks one."""
    ids = [snapshot_id(conn, snapshot) for snapshot in snapshots]
    found = {shelf.row_id: shelf for shelf in _shelves(conn, tables.snapshot.c.id.in_(ids))}
    return [found[row_id] for row_id in ids]


def newest_shelves(conn: Connection, *, complete: bool) -> list[Shelf]:
    """The newest snapshot of every tenant (the newest complete one), sources by key, the target last."""
    column = tables.snapshot.c
    newest = select(func.max(column.id)).group_by(column.tenant_id)
    if complete:
        newest = newest.where(column.completed_at.is_not(None))
    return sorted(_shelves(conn, column.id.in_(newest)), key=lambda shelf: (shelf.role is TenantRole.TARGET, shelf.key))


def _shelves(conn: Connection, condition: ColumnElement[bool]) -> list[Shelf]:
    query = (
        select(
            tables.snapshot.c.id,
            tables.snapshot.c.number,
            tables.tenant.c.id,
            tables.tenant.c.key,
            tables.tenant.c.role,
        )
        .join_from(tables.snapshot, tables.tenant)
        .where(condition)
    )
    return [
        Shelf(row_id=row[0], number=row[1], tenant_id=row[2], key=row[3], role=TenantRole(row[4]))
        for row in conn.execute(query)
    ]


def next_customers(conn: Connection, shelves: Sequence[Shelf], after: str, limit: int) -> list[str]:
    """The next customer ids over several snapshots, in order: one index seek per snapshot, never an OFFSET."""
    if not shelves:
        return []
    branches = []
    for shelf in shelves:
        ids = _next_ids(tables.snapshot_customer, _customer.snapshot_id == shelf.row_id, after, limit).subquery()
        branches.append(select(ids.c.customer_id))
    merged = union(*branches).subquery()
    return list(conn.execute(select(merged.c.customer_id).order_by(merged.c.customer_id).limit(limit)).scalars())


def _next_ids(table: Table, condition: ColumnElement[bool], after: str, limit: int) -> Select[tuple[str]]:
    column = table.c.customer_id
    return select(column).where(condition, column > after).order_by(column).limit(limit)


def book_batch(conn: Connection, snapshots: Sequence[Snapshot], after: str, limit: int) -> list[BookEntry]:
    """The next entries of the book after a customer id; fewer than ``limit`` means the end."""
    shelves = shelves_of(conn, snapshots)
    sources = [shelf for shelf in shelves if shelf.role is TenantRole.SOURCE]
    return _entries(conn, shelves, next_customers(conn, sources, after, limit))


def book_entry(conn: Connection, snapshots: Sequence[Snapshot], customer_id: CustomerId) -> BookEntry | None:
    """One customer of the book; None when no given source snapshot has it."""
    shelves = shelves_of(conn, snapshots)
    sources = [shelf.row_id for shelf in shelves if shelf.role is TenantRole.SOURCE]
    query = select(_customer.customer_id).where(
        _customer.snapshot_id.in_(sources), _customer.customer_id == customer_id
    )
    if conn.execute(query).first() is None:
        return None
    return _entries(conn, shelves, [customer_id])[0]


def _entries(conn: Connection, shelves: Sequence[Shelf], ids: Sequence[str]) -> list[BookEntry]:
    if not ids:
        return []
    seen: dict[str, list[Customer]] = defaultdict(list)
    unread: dict[str, list[tuple[TenantId, str]]] = defaultdict(list)
    held: dict[str, list[Subscription]] = defaultdict(list)
    looked_up: dict[str, list[TenantFacts]] = defaultdict(list)
    for shelf in shelves:  # in the caller's order, so that an entry reads the same every time
        for customer, state, reason in customers_of(conn, shelf, ids):
            seen[customer.id].append(customer)
            if state != READ:
                unread[customer.id].append((shelf.tenant_id, reason))
        for subscription in subscriptions_of(conn, shelf, ids):
            held[subscription.customer_id].append(subscription)
        for facts in codec.tenant_facts(row[1] for row in _rows_of(conn, _FACTS_OF, shelf, ids)):
            looked_up[facts.customer_id].append(facts)
    return [
        BookEntry(
            customer_id=CustomerId(customer_id),
            seen=tuple(seen[customer_id]),
            subscriptions=tuple(held[customer_id]),
            unread=tuple(unread[customer_id]),
            looked_up=tuple(looked_up[customer_id]),
        )
        for customer_id in ids
    ]


def customers_of(conn: Connection, shelf: Shelf, ids: Sequence[str]) -> list[tuple[Customer, str, str]]:
    """These customers as one snapshot holds them, in id order: customer, reading state, why it is not read."""
    rows = _rows_of(conn, _CUSTOMERS_OF, shelf, ids)
    found = codec.customers([row[1] for row in rows])
    return [
        (customer, state, _NOT_READ_YET if state == LISTED else reason)
        for customer, (_, _, state, reason) in zip(found, rows, strict=True)
    ]


def company_names_of(conn: Connection, shelf: Shelf, ids: Sequence[str]) -> dict[str, str]:
    """The names of these customers as one snapshot holds them."""
    return dict(_rows_of(conn, _NAMES_OF, shelf, ids))


def subscriptions_of(conn: Connection, shelf: Shelf, ids: Sequence[str]) -> list[Subscription]:
    """The subscriptions of these customers as one snapshot holds them, by customer and id."""
    return codec.subscriptions([row[1] for row in _rows_of(conn, _SUBSCRIPTIONS_OF, shelf, ids)])


def subscription_cells_of(
    conn: Connection, shelf: Shelf, ids: Sequence[str], names: tuple[str, ...]
) -> list[tuple[Any, ...]]:
    """The same, but only these fields of each, as plain tuples: a report needs no values of the domain."""
    return codec.subscription_cells([row[1] for row in _rows_of(conn, _SUBSCRIPTIONS_OF, shelf, ids)], names)


def _rows_of(
    conn: Connection, query: Select[*tuple[Any, ...]], shelf: Shelf, ids: Sequence[str]
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Rows whose first column is one of these ids, which stand in order; others between them are left out here."""
    if not ids:
        return []
    rows = conn.execute(query, {"snapshot_id": shelf.row_id, "first": ids[0], "last": ids[-1]}).all()
    wanted = frozenset(ids)
    return [row for row in rows if row[0] in wanted]


def source_countries(conn: Connection) -> tuple[str, ...]:
    """The countries of all source customers in the newest snapshots, in order; unknown ones left out."""
    sources = [shelf.row_id for shelf in newest_shelves(conn, complete=False) if shelf.role is TenantRole.SOURCE]
    query = (
        select(_customer.country)
        .where(_customer.snapshot_id.in_(sources), _customer.country != "")
        .distinct()
        .order_by(_customer.country)
    )
    return tuple(conn.execute(query).scalars())


def active_at_sources(conn: Connection, ids: Sequence[CustomerId]) -> frozenset[CustomerId]:
    """Which of these customers hold something active at a source, by its newest snapshot, complete or not."""
    sources = [shelf.row_id for shelf in newest_shelves(conn, complete=False) if shelf.role is TenantRole.SOURCE]
    query = select(_subscription.customer_id).where(
        _subscription.snapshot_id.in_(sources),
        _subscription.customer_id.in_(ids),
        _subscription.wire_status == WireStatus.ACTIVE.value,
    )
    return frozenset(CustomerId(one) for one in conn.execute(query.distinct()).scalars())


def catalog(conn: Connection, snapshot: Snapshot, country: str) -> Mapping[str, Offer]:
    """The offers of a country by id, as the snapshot holds them."""
    column = tables.snapshot_offer.c
    query = select(column.value).where(column.snapshot_id == snapshot_id(conn, snapshot), column.country == country)
    return {offer.id: offer for offer in codec.offers(conn.execute(query.order_by(column.offer_id)).scalars())}


def document(
    conn: Connection, snapshot: Snapshot, customer_id: CustomerId, subscription_id: SubscriptionId | None
) -> bytes | None:
    """The document a customer or a subscription was read from, byte by byte."""
    row_id = snapshot_id(conn, snapshot)
    if subscription_id is None:
        query = select(_customer.document).where(_customer.snapshot_id == row_id, _customer.customer_id == customer_id)
    else:
        query = select(_subscription.document).where(
            _subscription.snapshot_id == row_id,
            _subscription.customer_id == customer_id,
            _subscription.id == subscription_id,
        )
    return conn.execute(query).scalar()


def find_customers(conn: Connection, text: str) -> tuple[tuple[CustomerId, str], ...]:
    """Up to 50 customers of the newest snapshots: exact id or domain first, then parts of name or domain."""
    wanted = text.strip().casefold()
    if not wanted:
        return ()
    shelves = [shelf.row_id for shelf in newest_shelves(conn, complete=False)]
    exact = (_customer.customer_id == wanted) | (func.lower(_customer.domain) == wanted)
    rank = func.min(case((exact, 0), else_=1))
    query = (
        select(_customer.customer_id, func.min(_customer.company_name))
        .where(
            and_(
                _customer.snapshot_id.in_(shelves),
                exact | _customer.search_text.contains(wanted, autoescape=True),
            )
        )
        .group_by(_customer.customer_id)
        .order_by(rank, func.min(_customer.search_text), _customer.customer_id)
        .limit(FOUND_LIMIT)
    )
    return tuple((CustomerId(row[0]), row[1]) for row in conn.execute(query))
