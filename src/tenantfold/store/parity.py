"""Store: parity of both sides over whole snapshots, as one pass over one index (DESIGN 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, case, func, select, tuple_

from tenantfold.domain.model import CustomerId, OfferId, TenantRole, WireStatus
from tenantfold.store import tables
from tenantfold.store.book import newest_shelves

_held = tables.snapshot_subscription.c


@dataclass(frozen=True, slots=True, kw_only=True)
class ParityRow:
    """The license counts of one offer of one customer on both sides, summed over its subscriptions.

    Offers are compared as they are: an approved mapping shows as two rows, one offer per side. ``source_other`` and
    ``target_other`` are licenses in any status but active and suspended: neither fine nor gone (invariant 9).
    """

    customer_id: CustomerId
    offer_id: OfferId
    source_active: int
    source_suspended: int
    source_other: int
    target_active: int
    target_other: int


def parity_rows(
    conn: Connection, after: tuple[str, str] | None, limit: int, *, only_different: bool
) -> tuple[ParityRow, ...]:
    """The next customers' offers after (customer id, offer id), over the newest complete snapshots.

    ``only_different`` leaves out offers whose active licenses at the target equal the active and suspended ones at
    the sources. Both sides of every other offer are compared in one grouped pass.
    """
    shelves = newest_shelves(conn, complete=True)
    sources = [shelf.row_id for shelf in shelves if shelf.role is TenantRole.SOURCE]
    targets = [shelf.row_id for shelf in shelves if shelf.role is TenantRole.TARGET]
    active, suspended = WireStatus.ACTIVE.value, WireStatus.SUSPENDED.value
    source_active = _licenses(sources, _held.wire_status == active)
    source_suspended = _licenses(sources, _held.wire_status == suspended)
    target_active = _licenses(targets, _held.wire_status == active)
    query = (
        select(
            _held.customer_id,
            _held.offer_id,
            source_active,
            source_suspended,
            _licenses(sources, _held.wire_status.not_in((active, suspended))),
            target_active,
            _licenses(targets, _held.wire_status != active),
        )
        # "+ 0" keeps SQLite from looking snapshots up one by one: the group then comes in index order, unsorted
        .where((_held.snapshot_id + 0).in_([*sources, *targets]))
        .group_by(_held.customer_id, _held.offer_id)
        .order_by(_held.customer_id, _held.offer_id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(_held.customer_id, _held.offer_id) > tuple_(*after))
    if only_different:
        query = query.having(source_active + source_suspended != target_active)
    return tuple(_read(row) for row in conn.execute(query))


def _licenses(snapshot_ids: Sequence[int], condition: ColumnElement[bool]) -> ColumnElement[int]:
    counted = and_(_held.snapshot_id.in_(snapshot_ids), condition)
    return func.sum(case((counted, _held.license_count), else_=0))


def _read(row: Sequence[object]) -> ParityRow:
    customer_id, offer_id, *counts = row
    numbers = [int(str(count)) for count in counts]
    return ParityRow(
        customer_id=CustomerId(str(customer_id)),
        offer_id=OfferId(str(offer_id)),
        source_active=numbers[0],
        source_suspended=numbers[1],
        source_other=numbers[2],
        target_active=numbers[3],
        target_other=numbers[4],
    )
