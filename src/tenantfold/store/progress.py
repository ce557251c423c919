"""Store: every customer's progress: who is due, who waits for acceptance, how many are where.

Functions over a connection. How a new plan moves the rows is in ``rebase``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice, zip_longest
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    bindparam,
    case,
    func,
    literal,
    literal_column,
    null,
    select,
    update,
)

from tenantfold.domain.model import CustomerId
from tenantfold.domain.plan import Disposition
from tenantfold.domain.records import Invitation
from tenantfold.domain.states import Owner, Phase, Progress
from tenantfold.domain.waves import Held
from tenantfold.errors import ConflictError
from tenantfold.store import tables
from tenantfold.store.plans import newest_plan_id
from tenantfold.store.statements import upsert, write_rows

FINAL = tuple(phase.value for phase in Phase if phase.is_final)
WAITING = (Phase.PLANNED.value, Phase.INVITED.value)
WAIT_FOR_CUSTOMER = "Wait until the customer accepts the relationship request."
_ID_BATCH = 500  # ids in one statement; both databases limit the number of parameters

_progress = tables.progress.c
_NOT_HELD = _progress.held == literal_column("''")  # written out: the indexes of who may begin have this condition
_STORE = update(tables.progress).where(
    _progress.customer_id == bindparam("of_customer"), _progress.version == bindparam("at_version")
)


def read_progress(row: Row[Any]) -> Progress:
    """A progress row as the domain knows it."""
    return Progress(
        customer_id=row.customer_id,
        phase=Phase(row.phase),
        code=row.code,
        detail=row.detail,
        owner=Owner(row.owner),
        next_action=row.next_action,
        accepted_at=row.accepted_at,
        due_at=row.due_at,
        deadline_at=row.deadline_at,
        alarmed_at=row.alarmed_at,
        version=row.version,
    )


def store_progress(conn: Connection, progress: Progress) -> Progress:
    """Bring a row to these values if it still has this version. ConflictError, with nothing written, when not."""
    stored = replace(progress, version=progress.version + 1)
    row = {
        "of_customer": progress.customer_id,
        "at_version": progress.version,
        "phase": stored.phase.value,
        "code": stored.code,
        "detail": stored.detail,
        "owner": stored.owner.value,
        "next_action": stored.next_action,
        "accepted_at": stored.accepted_at,
        "due_at": stored.due_at,
        "deadline_at": stored.deadline_at,
        "alarmed_at": stored.alarmed_at,
        "version": stored.version,
    }
    if not write_rows(conn, _STORE, [row]):
        raise ConflictError(
            f"The progress of customer {progress.customer_id} moved since it was read.",
            customer_id=progress.customer_id,
            version=progress.version,
        )
    return stored


def due_customers(conn: Connection, now: datetime, limit: int) -> tuple[CustomerId, ...]:
    """Customers to drive now: by deadline, then those without one, the waves taking turns, each in the order of ids.

    Reads in index order instead of one sort: thousands may be due while only a few are asked for.
    """
    # coalesce hides the comparison: SQLite would else walk the index of due times and sort what it finds
    is_due = func.coalesce(_progress.due_at, now) <= now
    conditions = (*drivable(conn), _progress.due_at.is_not(None), is_due)
    ids = select(_progress.customer_id).where(*conditions)
    urgent = ids.where(_progress.deadline_at.is_not(None), _progress.held != Held.STOPPED.value)
    urgent = urgent.order_by(_progress.deadline_at, _progress.customer_id)
    found = list(conn.execute(urgent.limit(limit)).scalars())
    if len(found) < limit:
        others = ids.where(_progress.deadline_at.is_(None), _NOT_HELD)
        found += _in_turn(_queues(conn, others, limit - len(found)), limit - len(found))
    return tuple(CustomerId(one) for one in found)


def _queues(conn: Connection, ids: Select[Any], limit: int) -> list[list[str]]:
    """The first of each wave's queue, and of those in no wave. Any wave: a call in doubt is settled in all of them."""
    numbers: list[int | None] = [None, *conn.execute(select(tables.wave.c.id).order_by(tables.wave.c.id)).scalars()]
    in_order = ids.order_by(_progress.customer_id).limit(limit)
    return [list(conn.scalars(in_order.where(_progress.wave_id == number))) for number in numbers]


def _in_turn(queues: Sequence[list[str]], limit: int) -> list[str]:
    """One of each queue, then the next of each: a wave of 10,000 never starves a wave of 10."""
    turns = zip_longest(*(queue for queue in queues if queue))
    return list(islice((one for turn in turns for one in turn if one is not None), limit))


def next_due_at(conn: Connection) -> datetime | None:
    """When the next customer is (or was) due; None when nobody is due by time. Who is held is not waited for."""
    query = select(_progress.due_at).where(*drivable(conn), _progress.due_at.is_not(None), _NOT_HELD)
    return conn.execute(query.order_by(_progress.due_at).limit(1)).scalar()


def drivable(conn: Connection) -> tuple[ColumnElement[bool], ...]:
    """Conditions on a progress row that may be due: of the newest plan, and not moved yet.

    Who is due at all is decided where due times are written: customers to move, and calls without known outcome.
    """
    return (of_newest_plan(conn), _progress.phase.not_in(FINAL))


def of_newest_plan(conn: Connection) -> ColumnElement[bool]:
    """Condition on a progress row: its customer is in the newest plan.

    "+ 0" hides the column from SQLite's choice of index: nearly every row is of the newest plan, and the index that
    knows the plan would win over the one that has the order asked for.
    """
    return _progress.plan_id + 0 == newest_plan_id(conn)


def waiting_for_acceptance(conn: Connection) -> frozenset[CustomerId]:
    """Customers of the newest plan that are to move and have not accepted."""
    query = select(_progress.customer_id).where(
        of_newest_plan(conn),
        _progress.disposition == Disposition.MOVE.value,
        _progress.accepted_at.is_(None),
    )
    return frozenset(CustomerId(one) for one in conn.execute(query).scalars())


def mark_accepted(conn: Connection, customer_ids: Sequence[CustomerId], now: datetime) -> int:
    """Note who accepted; returns how many had not before. Unknown ids are ignored."""
    waiting = _progress.phase.in_(WAITING)
    drivable = _progress.disposition == Disposition.MOVE.value
    due = case((drivable & _progress.phase.not_in(FINAL), literal(now, tables.UtcTime())), else_=null())
    statement = (
        update(tables.progress)
        .where(_progress.accepted_at.is_(None))
        .values(
            accepted_at=now,
            phase=case((waiting, Phase.ACCEPTED.value), else_=_progress.phase),
            owner=case((waiting, Owner.TENANTFOLD.value), else_=_progress.owner),
            next_action=case((waiting, ""), else_=_progress.next_action),
            due_at=due,
            version=_progress.version + 1,
        )
    )
    ids = sorted(set(customer_ids))  # one order for all writers: no deadlock among them
    batches = [ids[start : start + _ID_BATCH] for start in range(0, len(ids), _ID_BATCH)]
    return sum(conn.execute(statement.where(_progress.customer_id.in_(batch))).rowcount for batch in batches)


def save_invitation(conn: Connection, invitation: Invitation) -> None:
    """Keep an invitation; a customer that was planned is invited now and has to act."""
    upsert(
        conn,
        tables.invitation,
        {
            "customer_id": invitation.customer_id,
            "url": invitation.url,
            "written_to": invitation.written_to,
            "at": invitation.at,
        },
    )
    conn.execute(
        update(tables.progress)
        .where(_progress.customer_id == invitation.customer_id, _progress.phase == Phase.PLANNED.value)
        .values(
            phase=Phase.INVITED.value,
            owner=Owner.CUSTOMER.value,
            next_action=WAIT_FOR_CUSTOMER,
            version=_progress.version + 1,
        )
    )


def invitations(conn: Connection) -> Mapping[CustomerId, Invitation]:
    """All invitations by customer."""
    rows = conn.execute(select(tables.invitation).order_by(tables.invitation.c.customer_id))
    return {
        row.customer_id: Invitation(customer_id=row.customer_id, url=row.url, written_to=row.written_to, at=row.at)
        for row in rows
    }


def phase_counts(conn: Connection) -> Mapping[Phase, int]:
    """How many customers of the newest plan are in each phase; moved ones count even if it does not list them.

    Groups of all plans, summed here: one pass over one index, without a condition to test on every entry.
    """
    newest = newest_plan_id(conn)
    groups = select(_progress.plan_id, _progress.phase, func.count()).group_by(_progress.plan_id, _progress.phase)
    counts: Counter[str] = Counter()
    for plan_id, phase, count in conn.execute(groups):
        if plan_id == newest or phase == Phase.MOVED.value:
            counts[phase] += count
    return {phase: counts[phase.value] for phase in Phase if phase.value in counts}
