"""Store: plans. A plan is written in batches that nobody sees until the last one is in. Functions over a connection."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from tenantfold.domain.findings import Finding
from tenantfold.domain.model import CustomerId
from tenantfold.domain.plan import Disposition, PlanCustomer, PlanHeader, PlanRecord
from tenantfold.domain.states import Owner
from tenantfold.errors import PlanMissingError, PlanStaleError
from tenantfold.store import codec, tables
from tenantfold.store.statements import bulk_insert

PLAN_BATCH = 500  # customers written or read at a time

_plan = tables.plan.c
_customer = tables.plan_customer.c
_NEWEST = select(tables.plan).where(_plan.complete).order_by(_plan.id.desc()).limit(1)


def begin_plan(conn: Connection, header: PlanHeader, now: datetime) -> int:
    """Begin an invisible plan and return its number."""
    statement = insert(tables.plan).values(
        complete=False,
        header=codec.to_json(header),
        checksum="",
        created_at=now,
        approved_by="",
        customers=0,
        to_move=0,
        blocked=0,
    )
    (plan_id,) = conn.execute(statement).inserted_primary_key or (0,)
    return int(plan_id)


def add_customers(conn: Connection, plan_id: int, customers: Sequence[tuple[PlanCustomer, str]]) -> None:
    """Add a batch of customers, each with the text its checksum was taken over, to a plan that is being written.

    PlanStaleError when a newer plan was finished meanwhile and swept this one up.
    """
    if conn.execute(select(_plan.id).where(_plan.id == plan_id)).first() is None:
        raise _overtaken(plan_id)
    bulk_insert(conn, tables.plan_customer, [_customer_row(plan_id, one, text) for one, text in customers])
    bulk_insert(conn, tables.plan_item, [row for one, _ in customers for row in _item_rows(plan_id, one)])


def finish_plan(conn: Connection, plan_id: int, checksum: str) -> PlanRecord:
    """Make a plan visible. PlanStaleError when a newer plan was finished meanwhile: the newest decision stands."""
    newer = conn.execute(select(_plan.id).where(_plan.id > plan_id, _plan.complete).limit(1)).scalar()
    rows = conn.execute(
        select(_customer.disposition, func.count()).where(_customer.plan_id == plan_id).group_by(_customer.disposition)
    )
    counts = {row[0]: row[1] for row in rows}
    finished = conn.execute(
        update(tables.plan)
        .where(_plan.id == plan_id, ~_plan.complete)
        .values(
            complete=True,
            checksum=checksum,
            customers=sum(counts.values()),
            to_move=counts.get(Disposition.MOVE, 0),
            blocked=counts.get(Disposition.BLOCKED, 0),
        )
    )
    if newer is not None or not finished.rowcount:
        raise _overtaken(plan_id)
    return plan_record(conn, plan_id)


def _overtaken(plan_id: int) -> PlanStaleError:
    return PlanStaleError(
        f"Another plan was finished while plan {plan_id} was written; that one stands.",
        next_step="Look at the newest plan; plan again if it is not the one you want.",
        plan_id=plan_id,
    )


def drop_half_written(conn: Connection, before: int) -> None:
    """Delete what half-written plans older than this one left behind; nothing can refer to them."""
    left = select(_plan.id).where(_plan.id < before, ~_plan.complete)
    for table in (tables.plan_item, tables.plan_customer):
        conn.execute(delete(table).where(table.c.plan_id.in_(left)))
    conn.execute(delete(tables.plan).where(_plan.id.in_(left)))


def newest_plan_id(conn: Connection) -> int | None:
    """The number of the newest complete plan."""
    row = conn.execute(_NEWEST).first()
    return None if row is None else int(row.id)


def newest_plan(conn: Connection) -> PlanRecord | None:
    """The newest complete plan."""
    row = conn.execute(_NEWEST).first()
    return None if row is None else _read_plan(row)


def plan_record(conn: Connection, plan_id: int) -> PlanRecord:
    """A complete plan by its number. PlanMissingError when there is none."""
    row = conn.execute(select(tables.plan).where(_plan.id == plan_id, _plan.complete)).first()
    if row is None:
        raise PlanMissingError(f"There is no plan {plan_id}.", next_step="Run: tenantfold plan", plan_id=plan_id)
    return _read_plan(row)


def approve_plan(conn: Connection, plan_id: int, approved_by: str, now: datetime) -> PlanRecord:
    """Keep who approved a plan. The first approval stands. PlanStaleError unless it is the newest plan."""
    record = plan_record(conn, plan_id)
    if plan_id != newest_plan_id(conn):
        raise PlanStaleError(
            f"Plan {plan_id} is not the newest plan any more.",
            next_step="Review the newest plan and approve that one.",
            plan_id=plan_id,
        )
    if record.approved_at is not None:
        return record
    conn.execute(update(tables.plan).where(_plan.id == plan_id).values(approved_at=now, approved_by=approved_by))
    return plan_record(conn, plan_id)


def customers_batch(
    conn: Connection, plan_id: int, disposition: Disposition | None, after: str, limit: int
) -> list[PlanCustomer]:
    """The next customers of a plan after an id; fewer than ``limit`` means the end."""
    query = select(_customer.value).where(_customer.plan_id == plan_id, _customer.customer_id > after)
    if disposition is not None:
        query = query.where(_customer.disposition == disposition.value)
    return codec.plan_customers(conn.execute(query.order_by(_customer.customer_id).limit(limit)).scalars())


def header_text(conn: Connection, plan_id: int) -> str:
    """The header of a plan as it is kept. PlanMissingError."""
    text = conn.execute(select(_plan.header).where(_plan.id == plan_id, _plan.complete)).scalar()
    if text is None:
        raise PlanMissingError(f"There is no plan {plan_id}.", next_step="Run: tenantfold plan", plan_id=plan_id)
    return str(text)


def texts_batch(conn: Connection, plan_id: int, after: str, limit: int) -> list[tuple[str, str]]:
    """The next customers of a plan after an id, each with its text as it is kept."""
    query = select(_customer.customer_id, _customer.value).where(_customer.plan_id == plan_id)
    query = query.where(_customer.customer_id > after).order_by(_customer.customer_id).limit(limit)
    return [(str(row.customer_id), str(row.value)) for row in conn.execute(query)]


def plan_customer(conn: Connection, plan_id: int, customer_id: CustomerId) -> PlanCustomer | None:
    """One customer of a plan."""
    query = select(_customer.value).where(_customer.plan_id == plan_id, _customer.customer_id == customer_id)
    found = codec.plan_customers(conn.execute(query).scalars())
    return found[0] if found else None


def _read_plan(row: Row[Any]) -> PlanRecord:
    return PlanRecord(
        id=row.id,
        header=codec.plan_header(row.header),
        checksum=row.checksum,
        created_at=row.created_at,
        approved_at=row.approved_at,
        approved_by=row.approved_by,
        customers=row.customers,
        to_move=row.to_move,
        blocked=row.blocked,
    )


def _customer_row(plan_id: int, customer: PlanCustomer, text: str) -> tuple[object, ...]:
    code, detail, owner, next_action = _reason(customer)
    return (
        plan_id,
        customer.customer_id,
        str(customer.disposition),
        customer.company_name,
        customer.country,
        len(customer.items),
        sum([item.is_carried_out for item in customer.items]),
        _codes(customer.findings),
        code,
        detail,
        str(owner),
        next_action,
        text,
    )


def _reason(customer: PlanCustomer) -> tuple[str, str, Owner, str]:
    blockers = customer.blockers() if customer.disposition is Disposition.BLOCKED else ()
    if not blockers:
        return "", "", Owner.NOBODY, ""
    first = blockers[0]
    return first.code.value, first.detail, first.owner, first.next_action


def _item_rows(plan_id: int, customer: PlanCustomer) -> list[tuple[object, ...]]:
    return [
        (
            plan_id,
            customer.customer_id,
            item.subscription_id,
            item.tenant_id,
            item.offer_id,
            item.offer_name,
            item.friendly_name,
            item.license_count,
            item.billing_cycle,
            item.wire_status,
            str(item.route),  # a third of the time of ``.value``, half a million times
            item.target_offer_id,
            item.target_offer_name,
            item.target_id,
            item.parent_id,
            _codes(item.findings),
        )
        for item in customer.items
    ]


def _codes(findings: Sequence[Finding]) -> str:
    return " ".join([str(finding.code) for finding in findings]) if findings else ""
